use super::*;
use crate::rtp::rtcp;

const MS: Duration = Duration::from_millis(1);
const NTP: u64 = 0xe000_0001_0000_0000;

fn start(ssrc: u32, remote_ssrc: Option<u32>) -> Start {
    Start {
        ssrc,
        remote_ssrc,
        sequence: 65_530,
        timestamp: u32::MAX - 100,
        clock_rate: 8000,
        bandwidth: 80,
        ntp: NTP,
        cname: "alice@desk".into(),
        dice: 1,
    }
}

fn session(ssrc: u32, remote_ssrc: Option<u32>) -> Session {
    Session::new(start(ssrc, remote_ssrc), Duration::ZERO)
}

fn send(session: &mut Session, now: Duration, index: u32) -> Packet {
    session.send(now, 0, index == 0, index * 160, Bytes::from_static(&[0xff; 160]))
}

/// Control packets as the other side reads them.
fn read(parts: Vec<Part>) -> Vec<Part> {
    rtcp::parse(&rtcp::write(&parts)).expect("well-formed")
}

#[test]
fn numbers_and_timestamps_go_on_over_their_wraps() {
    let mut alice = session(1, None);
    let mut bob = session(2, Some(1));
    for index in 0..20 {
        let packet = send(&mut alice, index * 20 * MS, index);
        assert_eq!(packet.sequence, 65_530u16.wrapping_add(index as u16));
        assert_eq!(packet.timestamp, (u32::MAX - 100).wrapping_add(index * 160));
        assert_eq!(packet.marker, index == 0);
        assert_eq!(bob.receive((index * 20 + 5) * MS, &packet), Ok(65_530 + index));
    }
    let seen = bob.statistics();
    assert_eq!((seen.received, seen.lost, seen.jitter), (20, 0, Duration::ZERO));
    assert_eq!(seen.received_octets, 3200);
}

#[test]
fn doubled_and_reordered_packets_are_told_apart() {
    let mut alice = session(1, None);
    let mut bob = session(2, Some(1));
    let packets: Vec<Packet> = (0..10).map(|index| send(&mut alice, MS, index)).collect();
    for index in [0, 1, 3, 2, 2, 4, 6, 5, 7, 0, 9] {
        let known = bob.receive(MS, &packets[index]);
        assert_eq!(known.is_err(), known == Err(Refusal::Duplicate));
    }
    let seen = bob.statistics();
    assert_eq!((seen.received, seen.duplicates, seen.reordered), (9, 2, 2));
    // Appendix A.3 counts what came twice as two that came: ten expected, eleven came.
    assert_eq!(seen.lost, -1);
}

#[test]
fn an_announced_sender_cannot_be_replaced() {
    let mut bob = session(2, Some(1));
    let mut alice = session(1, None);
    let mut mallory = session(3, None);
    assert!(bob.receive(MS, &send(&mut alice, MS, 0)).is_ok());
    for index in 0..100 {
        let now = index * 1000 * MS;
        assert_eq!(bob.receive(now, &send(&mut mallory, now, index)), Err(Refusal::Source));
    }
    assert_eq!(bob.statistics().refused, 100);
    assert_eq!(bob.remote_ssrc(), Some(1));
}

#[test]
fn a_sender_that_nobody_announced_is_replaced_only_after_it_was_quiet() {
    let mut bob = session(2, None);
    let mut alice = session(1, None);
    let mut other = session(3, None);
    assert!(bob.receive(MS, &send(&mut alice, MS, 0)).is_ok(), "nobody is kept waiting");
    assert!(bob.receive(MS, &send(&mut alice, MS, 1)).is_ok());
    assert_eq!(bob.receive(1900 * MS, &send(&mut other, MS, 0)), Err(Refusal::Source));
    let later = 2001 * MS;
    assert_eq!(bob.receive(later, &send(&mut other, later, 1)), Err(Refusal::Sequence));
    assert!(bob.receive(later, &send(&mut other, later, 2)).is_ok());
    assert_eq!(bob.remote_ssrc(), Some(3));
}

#[test]
fn one_stray_packet_does_not_keep_the_sender_out() {
    let mut bob = session(2, None);
    let mut alice = session(1, None);
    let mut stray = session(3, None);
    assert!(bob.receive(MS, &send(&mut stray, MS, 0)).is_ok());
    assert_eq!(bob.receive(MS, &send(&mut alice, MS, 0)), Err(Refusal::Sequence));
    assert!(bob.receive(MS, &send(&mut alice, MS, 1)).is_ok());
    assert!(bob.receive(MS, &send(&mut alice, MS, 2)).is_ok());
    assert_eq!(bob.receive(MS, &send(&mut stray, MS, 1)), Err(Refusal::Source));
}

#[test]
fn our_own_packets_are_not_heard() {
    let mut bob = session(2, None);
    let echo = send(&mut bob, MS, 0);
    assert_eq!(bob.receive(MS, &echo), Err(Refusal::Source));
}

#[test]
fn only_the_bye_of_the_other_side_is_one() {
    let mut bob = session(2, Some(1));
    let mut alice = session(1, None);
    let mut other = session(3, None);
    bob.receive(MS, &send(&mut alice, MS, 0)).expect("announced");
    assert_eq!(bob.receive_rtcp(MS, &read(other.bye(MS))), []);
    assert_eq!(bob.receive_rtcp(MS, &[Part::Bye { sources: vec![] }]), []);
    assert_eq!(bob.receive_rtcp(MS, &read(alice.bye(MS))), [Notice::Bye]);
    // What was seen stays seen.
    assert_eq!(bob.statistics().received, 1);
}

#[test]
fn a_bye_before_any_packet_of_an_announced_sender_is_one() {
    let mut bob = session(2, Some(1));
    let mut alice = session(1, None);
    assert_eq!(bob.receive_rtcp(MS, &read(alice.bye(MS))), [Notice::Bye]);
}

/// Of one that only listens, and has announced nothing.
#[test]
fn the_bye_of_the_first_that_reports_is_one_to_who_hears_nobody() {
    let mut alice = session(1, None);
    let (mut bob, mut mallory) = (session(2, None), session(3, None));
    assert_eq!(alice.receive_rtcp(MS, &[Part::Bye { sources: vec![2] }]), [], "who is that?");
    assert_eq!(alice.receive_rtcp(MS, &read(bob.report(MS))), []);
    assert_eq!(alice.receive_rtcp(MS, &read(mallory.bye(MS))), []);
    assert_eq!(alice.receive_rtcp(MS, &read(bob.bye(MS))), [Notice::Bye]);
    let mut alice = session(1, None);
    assert_eq!(alice.receive_rtcp(MS, &read(bob.bye(MS))), [Notice::Bye], "in one word");
}

/// Early media (K16): before the answer nobody is the other side, and then it is the one who
/// answered.
#[test]
fn who_announces_itself_later_is_believed_from_then_on() {
    let mut alice = session(1, Some(0));
    let mut bob = session(2, Some(1));
    assert_eq!(alice.receive_rtcp(MS, &read(bob.bye(MS))), []);
    alice.announce(Some(2));
    assert_eq!(alice.receive_rtcp(MS, &read(bob.bye(MS))), [Notice::Bye]);
}

#[test]
fn a_receiver_reports_from_the_beginning_and_a_sender_sends_sender_reports() {
    let mut bob = session(2, Some(1));
    assert_eq!(bob.report_due(), Duration::ZERO);
    let first = bob.report(Duration::ZERO);
    let empty = Part::ReceiverReport { ssrc: 2, reports: vec![] };
    let name = Part::Description { ssrc: 2, cname: "alice@desk".into() };
    assert_eq!(first, [empty, name]);
    let next = bob.report_due();
    assert!((1800 * MS..5600 * MS).contains(&next), "{next:?}");

    let mut alice = session(1, None);
    send(&mut alice, 1000 * MS, 0);
    let report = alice.report(1500 * MS);
    let Part::SenderReport { info, .. } = &report[0] else { panic!("{report:?}") };
    // Half a second after the packet: 4000 units later.
    assert_eq!(info.timestamp, (u32::MAX - 100).wrapping_add(4000));
    assert_eq!(info.ntp, NTP + (1 << 32) + (1 << 31));
    assert_eq!((info.packets, info.octets), (1, 160));
}

#[test]
fn who_has_stopped_sending_becomes_a_receiver_after_two_reports() {
    let mut alice = session(1, None);
    send(&mut alice, MS, 0);
    let kinds: Vec<bool> = (1..5)
        .map(|second| alice.report(second * 1000 * MS))
        .map(|parts| matches!(parts[0], Part::SenderReport { .. }))
        .collect();
    assert_eq!(kinds, [true, true, false, false]);
}

#[test]
fn the_round_trip_is_what_the_example_of_section_6_4_1_says() {
    let mut alice = session(1, Some(2));
    let mut bob = session(2, Some(1));
    // 40 ms there, 5.25 s at the other side, 60 ms back.
    let packet = send(&mut alice, Duration::ZERO, 0);
    bob.receive(40 * MS, &packet).expect("announced");
    let report = alice.report(Duration::ZERO);
    bob.receive_rtcp(40 * MS, &read(report));
    let answer = bob.report(5290 * MS);
    let Part::ReceiverReport { reports, .. } = &answer[0] else { panic!("{answer:?}") };
    assert_eq!(reports[0].last_report, (NTP >> 16) as u32);
    assert_eq!(reports[0].delay, 5 * 65_536 + 16_384);
    alice.receive_rtcp(5350 * MS, &read(answer));
    let trip = alice.statistics().round_trip.expect("reported");
    assert!(trip.abs_diff(100 * MS) < MS, "{trip:?}");
}

#[test]
fn the_other_side_says_what_it_lost_of_ours() {
    let mut alice = session(1, Some(2));
    let mut bob = session(2, Some(1));
    for index in 0..20 {
        let packet = send(&mut alice, index * 20 * MS, index);
        if index % 5 != 3 {
            bob.receive(index * 20 * MS, &packet).expect("announced");
        }
    }
    alice.receive_rtcp(400 * MS, &read(bob.report(400 * MS)));
    let seen = alice.statistics();
    assert_eq!((seen.remote_lost, seen.remote_fraction_lost), (4, 51));
    assert_eq!(bob.statistics().lost, 4);
}

#[test]
fn a_delay_that_cannot_be_true_is_not_believed() {
    let mut alice = session(1, Some(2));
    let report = Report {
        ssrc: 1,
        fraction_lost: 0,
        lost: 0,
        highest: 1,
        jitter: 0,
        last_report: (NTP >> 16) as u32,
        delay: u32::MAX / 4,
    };
    let parts = [Part::ReceiverReport { ssrc: 2, reports: vec![report] }];
    alice.receive_rtcp(1000 * MS, &parts);
    assert_eq!(alice.statistics().round_trip, None);
}

#[test]
fn a_picture_is_wanted_from_the_one_who_sends_it() {
    let mut alice = session(1, Some(2));
    let mut bob = session(2, Some(1));
    let wish = read(bob.picture_wanted(MS).expect("announced"));
    assert_eq!(alice.receive_rtcp(MS, &wish), [Notice::PictureWanted]);
    assert_eq!(session(3, Some(2)).receive_rtcp(MS, &wish), []);
    assert_eq!(session(3, None).picture_wanted(MS), None);
}
