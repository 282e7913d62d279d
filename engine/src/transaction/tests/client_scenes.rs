//! Requests of ours.

use super::*;

#[test]
fn a_request_without_answer_is_sent_eleven_times_and_times_out() {
    let mut world = World::new();
    world.send(1, &ours("NOTIFY", 1), "row");
    world.wait(ms(60_000));
    let times = [0, 500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500];
    assert_eq!(world.times(), times);
    assert_eq!(world.told, [(32_000, Fired::Timeout("row"))]);
    assert_eq!(world.tx, Transactions::default());
    let (_, to, first) = &world.sent[0];
    assert!(world.sent.iter().all(|(_, peer, bytes)| (peer, bytes) == (to, first)));
}

#[test]
fn a_provisional_answer_slows_retransmission_down() {
    let mut world = World::new();
    let notify = ours("NOTIFY", 1);
    world.send(1, &notify, "row");
    world.wait(ms(100));
    assert_eq!(world.receive(&notify, 100), Some("row"));
    world.wait(ms(10_000));
    assert_eq!(world.times(), [0, 500, 4500, 8500]);
    assert_eq!(world.receive(&notify, 200), Some("row"));
    world.wait(ms(60_000));
    assert_eq!(world.times().len(), 4);
    assert!(world.told.is_empty());
}

#[test]
fn the_final_answer_is_told_once_and_ends_retransmission() {
    let mut world = World::new();
    let notify = ours("NOTIFY", 1);
    world.send(1, &notify, "row");
    world.wait(ms(600));
    assert_eq!(world.receive(&notify, 200), Some("row"));
    assert_eq!(world.receive(&notify, 200), None);
    assert_eq!(world.receive(&notify, 481), None);
    assert_eq!(world.tx, Transactions::default());
    world.wait(ms(5000));
    assert_eq!(world.times(), [0, 500]);
}

#[test]
fn a_response_to_nothing_we_know_is_dropped() {
    let mut world = World::new();
    world.send(1, &ours("NOTIFY", 1), "row");
    assert_eq!(world.receive(&ours("NOTIFY", 2), 200), None);
    assert_eq!(world.receive(&ours("MESSAGE", 1), 200), None);
    assert_eq!(world.receive(&ours("CANCEL", 1), 200), None);
    assert_eq!(world.receive(&request("NOTIFY", "z9hG4bKforeign"), 200), None);
    let slot = Branch { slot: Slot(1), ..branch(1) };
    assert_eq!(world.receive(&request("NOTIFY", &slot.to_string()), 200), None);
    assert_eq!(world.states(), ["Trying"]);
}

#[test]
fn an_invite_without_answer_is_sent_seven_times_and_times_out() {
    let mut world = World::new();
    world.send(1, &ours("INVITE", 1), "call");
    world.wait(ms(60_000));
    assert_eq!(world.times(), [0, 500, 1500, 3500, 7500, 15_500, 31_500]);
    assert_eq!(world.told, [(32_000, Fired::Timeout("call"))]);
    assert_eq!(world.tx, Transactions::default());
}

#[test]
fn a_ringing_invite_waits_without_a_timer() {
    let mut world = World::new();
    let invite = ours("INVITE", 1);
    world.send(1, &invite, "call");
    assert_eq!(world.receive(&invite, 100), Some("call"));
    assert_eq!(world.receive(&invite, 180), Some("call"));
    assert_eq!(world.tx.deadline(), None);
}

#[test]
fn a_refused_invite_is_acknowledged_and_every_copy_of_the_refusal_too() {
    let mut world = World::new();
    let invite = ours("INVITE", 1);
    world.send(1, &invite, "call");
    assert_eq!(world.receive(&invite, 486), Some("call"));
    world.wait(ms(500));
    assert_eq!(world.receive(&invite, 486), None);
    assert_eq!(world.receive(&invite, 200), None);
    let acks = [(0, "INVITE".to_owned()), (0, "ACK".to_owned()), (500, "ACK".to_owned())];
    assert_eq!(world.log(), acks);
    assert_eq!(world.sent[1].1, far());
    insta::assert_snapshot!(std::str::from_utf8(&world.sent[1].2).unwrap());
    world.wait(ms(31_500));
    assert_eq!(world.tx, Transactions::default());
}

#[test]
fn every_2xx_to_an_invite_is_for_its_owner() {
    let mut world = World::new();
    let invite = ours("INVITE", 1);
    world.send(1, &invite, "call");
    assert_eq!(world.receive(&invite, 200), Some("call"));
    world.wait(ms(31_000));
    assert_eq!(world.receive(&invite, 200), Some("call"));
    assert_eq!(world.receive(&invite, 486), None);
    assert_eq!(world.log(), [(0, "INVITE".to_owned())]);
    world.wait(ms(1000));
    assert_eq!(world.receive(&invite, 200), None);
}

#[test]
fn a_cancel_waits_for_the_first_provisional_answer() {
    let mut world = World::new();
    let invite = ours("INVITE", 1);
    world.send(1, &invite, "call");
    world.cancel(1);
    assert_eq!(world.log(), [(0, "INVITE".to_owned())]);
    world.wait(ms(100));
    assert_eq!(world.receive(&invite, 180), Some("call"));
    world.cancel(1);
    assert_eq!(world.log(), [(0, "INVITE".to_owned()), (100, "CANCEL".to_owned())]);
    insta::assert_snapshot!(std::str::from_utf8(&world.sent[1].2).unwrap());
}

#[test]
fn a_cancel_is_resent_until_answered_and_the_invite_ends_with_487() {
    let mut world = World::new();
    let (invite, cancel) = (ours("INVITE", 1), ours("CANCEL", 1));
    world.send(1, &invite, "call");
    world.receive(&invite, 180);
    world.cancel(1);
    world.wait(ms(600));
    assert_eq!(world.times(), [0, 0, 500]);
    assert_eq!(world.receive(&cancel, 200), None);
    assert_eq!(world.receive(&invite, 487), Some("call"));
    world.wait(ms(60_000));
    assert_eq!(world.log().last(), Some(&(600, "ACK".to_owned())));
    assert!(world.told.is_empty());
    assert_eq!(world.tx, Transactions::default());
}

#[test]
fn a_cancelled_invite_that_stays_silent_times_out_64_t1_after_the_cancel() {
    let mut world = World::new();
    let invite = ours("INVITE", 1);
    world.send(1, &invite, "call");
    world.receive(&invite, 180);
    world.wait(ms(90_000));
    world.cancel(1);
    world.wait(ms(60_000));
    assert_eq!(world.told, [(122_000, Fired::Timeout("call"))]);
    assert_eq!(world.tx, Transactions::default());
}

#[test]
fn a_cancel_that_crosses_the_final_answer_is_not_sent() {
    let mut world = World::new();
    let invite = ours("INVITE", 1);
    world.send(1, &invite, "call");
    world.cancel(1);
    assert_eq!(world.receive(&invite, 200), Some("call"));
    world.cancel(1);
    world.wait(ms(60_000));
    assert_eq!(world.log(), [(0, "INVITE".to_owned())]);
}

#[test]
fn only_an_invite_can_be_cancelled() {
    let mut world = World::new();
    let message = ours("MESSAGE", 1);
    world.send(1, &message, "row");
    world.receive(&message, 100);
    world.cancel(1);
    assert_eq!(world.log(), [(0, "MESSAGE".to_owned())]);
}

#[test]
fn an_unreachable_peer_ends_what_waits_for_it_and_nothing_else() {
    let mut world = World::new();
    world.send(1, &ours("NOTIFY", 1), "waiting");
    world.send(2, &ours("NOTIFY", 2), "answered");
    world.receive(&ours("NOTIFY", 2), 200);
    world.send(3, &ours("INVITE", 3), "ringing");
    world.receive(&ours("INVITE", 3), 180);
    world.send(4, &ours("INVITE", 4), "refused");
    world.receive(&ours("INVITE", 4), 486);
    world.send(5, &ours("INVITE", 5), "accepted");
    world.receive(&ours("INVITE", 5), 200);
    assert_eq!(world.tx.lost(near()), Vec::<&str>::new());
    assert_eq!(world.tx.lost(far()), ["waiting", "ringing", "refused"]);
    assert_eq!(world.states(), ["Accepted"]);
    world.wait(ms(60_000));
    assert!(world.told.is_empty());
    assert_eq!(world.tx, Transactions::default());
}

#[test]
fn nothing_fires_before_its_time_and_one_timer_at_a_time() {
    let mut world = World::new();
    let mut out = Out::new();
    assert_eq!(world.tx.fire(&world.timing, world.now, &mut out), None);
    world.send(1, &ours("NOTIFY", 1), "one");
    world.send(2, &ours("NOTIFY", 2), "two");
    assert_eq!(world.tx.fire(&world.timing, world.now, &mut out), None);
    let due = world.now + ms(500);
    for sent in 1..=2 {
        assert_eq!(world.tx.fire(&world.timing, due, &mut out), Some(Fired::Quiet));
        assert_eq!(out.len(), sent);
    }
    assert_eq!(world.tx.fire(&world.timing, due, &mut out), None);
}

#[test]
fn after_a_long_sleep_a_request_times_out_without_catching_up() {
    let mut world = World::new();
    world.send(1, &ours("NOTIFY", 1), "row");
    let mut out = Out::new();
    let late = world.now + ms(3_600_000);
    assert_eq!(world.tx.fire(&world.timing, late, &mut out), Some(Fired::Timeout("row")));
    assert!(out.is_empty());
}
