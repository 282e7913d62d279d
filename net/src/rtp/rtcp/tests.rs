use super::*;

fn report() -> Report {
    Report {
        ssrc: 2,
        fraction_lost: 51,
        lost: -3,
        highest: 65_537,
        jitter: 9,
        last_report: 0x1122_3344,
        delay: 65_536,
    }
}

fn all() -> Vec<Part> {
    let info = SenderInfo { ntp: 0x0102_0304_0506_0708, timestamp: 9, packets: 10, octets: 1600 };
    vec![
        Part::SenderReport { ssrc: 1, info, reports: vec![report()] },
        Part::ReceiverReport { ssrc: 1, reports: vec![report()] },
        Part::Description { ssrc: 1, cname: "alice@desk".into() },
        Part::PictureLoss { from: 1, media: 2 },
        Part::FullIntra { from: 1, media: 2, sequence: 3 },
        Part::Bye { sources: vec![1] },
    ]
}

#[test]
fn what_was_written_is_read_again() {
    assert_eq!(parse(&write(&all())), Ok(all()));
}

#[test]
fn a_receiver_report_is_written_octet_by_octet_as_the_figure_draws_it() {
    let octets = write(&[Part::ReceiverReport { ssrc: 1, reports: vec![report()] }]);
    let expected = [
        &[0x81, 201, 0, 7, 0, 0, 0, 1][..],
        &[0, 0, 0, 2, 51, 0xff, 0xff, 0xfd],
        &[0, 1, 0, 1, 0, 0, 0, 9, 0x11, 0x22, 0x33, 0x44, 0, 1, 0, 0],
    ];
    assert_eq!(octets, expected.concat());
}

#[test]
fn what_is_not_known_does_not_hide_its_neighbours() {
    let application = [0x80, 204, 0, 2, 0, 0, 0, 1, b'n', b'a', b'm', b'e'];
    let bye = write(&[Part::Bye { sources: vec![7] }]);
    let parts = parse(&[&application[..], &bye].concat());
    assert_eq!(parts, Ok(vec![Part::Other, Part::Bye { sources: vec![7] }]));
}

#[test]
fn damaged_compound_packets_are_refused_or_read_but_never_fatal() {
    let whole = write(&all());
    for end in 1..whole.len() {
        let cut = parse(&whole[..end]);
        assert_ne!(cut, Ok(all()), "{end}");
    }
    let mut dice = crate::rtp::rig::Dice::new(5);
    for _ in 0..50_000 {
        let mut damaged = whole.clone();
        for _ in 0..=dice.below(3) {
            let place = dice.below(damaged.len() as u64) as usize;
            damaged[place] = dice.below(256) as u8;
        }
        if let Ok(parts) = parse(&damaged) {
            write(&parts);
        }
    }
}

#[test]
fn the_interval_is_the_one_of_appendix_a7() {
    // Two that both send 80 kbit/s, packets of 100 octets: 200 octets in 500 octets a second,
    // 0.4 s; the reduced minimum is 360 / 80 s.
    let pace = Pace { members: 2, senders: 2, we_send: true, bandwidth: 80, size: 100.0 };
    assert_eq!(pace.deterministic(), Duration::from_millis(4500));
    // The slower the session, the longer, but never above five seconds for that.
    let slow = Pace { bandwidth: 16, ..pace };
    assert_eq!(slow.deterministic(), Duration::from_secs(5));
    // A thousand that listen to one: 999 · 100 octets in three quarters of 500 octets a second.
    let many = Pace { members: 1000, senders: 1, we_send: false, ..pace };
    assert_eq!(many.deterministic(), Duration::from_secs_f64(99_900.0 / 375.0));
    let one = Pace { we_send: true, bandwidth: 8, ..many };
    assert_eq!(one.deterministic(), Duration::from_secs_f64(100.0 / 12.5));
}

#[test]
fn chance_spreads_the_interval_from_half_to_one_and_a_half() {
    let pace = Pace { members: 2, senders: 2, we_send: true, bandwidth: 80, size: 100.0 };
    let factor = std::f64::consts::E - 1.5;
    let close = |found: Duration, expected: f64| {
        assert!((found.as_secs_f64() * factor - expected).abs() < 0.001, "{found:?} {expected}");
    };
    close(pace.interval(0), 2.25);
    close(pace.interval(u16::MAX), 6.75);
}
