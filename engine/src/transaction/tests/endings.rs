//! How long each kind of transaction lives, and what does not end it.

use super::*;

fn invite() -> Request {
    request("INVITE", "z9hG4bK1")
}

#[test]
fn a_provisional_answer_does_not_move_the_limit_of_a_request() {
    let mut world = World::new();
    let notify = ours("NOTIFY", 1);
    world.send(1, &notify, "row");
    world.wait(ms(20_000));
    assert_eq!(world.receive(&notify, 100), Some("row"));
    assert_eq!(world.states(), ["Proceeding"]);
    world.wait(ms(11_999));
    assert!(world.told.is_empty());
    world.wait(ms(1));
    assert_eq!(world.told, [(32_000, Fired::Timeout("row"))]);
    assert_eq!(world.tx, Transactions::default());
}

#[test]
fn what_its_owner_withdraws_is_not_sent_again_and_its_answer_finds_nobody() {
    let mut world = World::new();
    let (notify, other) = (ours("NOTIFY", 1), ours("NOTIFY", 2));
    world.send(1, &notify, "row");
    world.send(2, &other, "other row");
    world.tx.withdraw(&"row");
    assert_eq!(world.receive(&notify, 200), None);
    assert_eq!(world.receive(&other, 200), Some("other row"));
    world.wait(ms(60_000));
    assert_eq!(world.times(), [0, 0]);
    assert!(world.told.is_empty());
    assert_eq!(world.tx, Transactions::default());
}

#[test]
fn copies_of_a_refusal_are_acknowledged_for_32_seconds_even_if_t1_is_short() {
    for t1 in [10, 500] {
        let mut world = World::new();
        world.timing.t1 = ms(t1);
        let invite = ours("INVITE", 1);
        world.send(1, &invite, "call");
        assert_eq!(world.receive(&invite, 486), Some("call"));
        assert_eq!(world.states(), ["Completed"]);
        world.wait(ms(31_999));
        assert_eq!(world.receive(&invite, 486), None);
        assert_eq!(world.log().last(), Some(&(31_999, "ACK".to_owned())), "T1 {t1} ms");
        world.wait(ms(1));
        assert_eq!(world.tx, Transactions::default());
    }
}

#[test]
fn an_accepted_invite_is_remembered_by_its_sender_for_64_t1_without_an_ack() {
    for ringing in [false, true] {
        let mut world = World::new();
        let invite = ours("INVITE", 1);
        world.send(1, &invite, "call");
        if ringing {
            world.receive(&invite, 180);
        }
        assert_eq!(world.receive(&invite, 200), Some("call"));
        world.wait(ms(31_999));
        assert_eq!(world.states(), ["Accepted"]);
        assert_eq!(world.receive(&invite, 200), Some("call"));
        assert_eq!(world.log(), [(0, "INVITE".to_owned())]);
        world.wait(ms(1));
        assert_eq!(world.tx, Transactions::default());
    }
}

#[test]
fn an_accepted_invite_is_remembered_by_its_receiver_for_64_t1_without_resending() {
    let mut world = World::new();
    let key = world.open(&invite());
    world.answer(&invite(), key, 200);
    world.wait(ms(31_999));
    assert_eq!(world.states(), ["Accepted"]);
    assert_eq!(world.arrive(&invite()), Arrival::Absorbed);
    assert_eq!(world.arrive(&request("ACK", "z9hG4bK1")), Arrival::Ack(key));
    assert_eq!(world.log(), [(0, "200".to_owned())], "resending a 2xx is its user's business");
    world.wait(ms(1));
    assert_eq!(world.tx, Transactions::default());
    assert!(world.told.is_empty());
}

#[test]
fn who_takes_its_request_back_hears_no_more_and_nobody_else_notices() {
    let mut world = World::new();
    let (first, second) = (ours("NOTIFY", 1), ours("NOTIFY", 2));
    world.send(1, &first, "row");
    world.send(2, &second, "other");
    world.tx.withdraw(&"row");
    assert_eq!(world.tx.len(), (0, 1));
    assert_eq!(world.receive(&first, 200), None);
    world.wait(ms(600));
    assert_eq!(world.times(), [0, 0, 500], "the other is sent again");
    world.wait(ms(31_400));
    assert_eq!(world.told, [(32_000, Fired::Timeout("other"))]);
    assert_eq!(world.tx, Transactions::default());
}

#[test]
fn only_an_answer_that_copies_get_is_kept() {
    let mut world = World::new();
    let (invite, publish) = (invite(), request("PUBLISH", "z9hG4bK2"));
    let key = world.open(&invite);
    world.answer(&invite, key, 200);
    assert!(format!("{:?}", world.tx).contains("answer: []"), "nobody gets this 200 again");
    assert_eq!(world.tx.len(), (1, 0));
    let key = world.open(&publish);
    assert_eq!(world.tx.len(), (2, 0));
    world.answer(&publish, key, 200);
    assert!(format!("{:?}", world.tx).contains("answer: [83, 73, 80, "), "copies get this one");
    assert_eq!(world.tx.len(), (2, 0));
}

#[test]
fn a_client_that_cannot_be_reached_does_not_end_its_transactions() {
    let mut world = World::new();
    let mut keys = Vec::new();
    for (number, status) in [(1, 180), (2, 486), (3, 200)] {
        let invite = request("INVITE", &format!("z9hG4bK{number}"));
        let key = world.open(&invite);
        world.answer(&invite, key, status);
        keys.push((invite, key));
    }
    let publish = request("PUBLISH", "z9hG4bK4");
    let key = world.open(&publish);
    world.answer(&publish, key, 200);
    keys.push((publish, key));
    let before = world.states();
    assert_eq!(before.len(), 4);
    assert_eq!(world.tx.lost(near()), Vec::<&str>::new());
    assert_eq!(world.states(), before);
    for (copy, key) in keys {
        assert_eq!(world.arrive(&copy), Arrival::Absorbed, "no new request");
        assert!(world.tx.knows(key));
    }
}

#[test]
fn an_old_client_acknowledges_a_2xx_with_the_via_of_its_invite() {
    let mut world = World::new();
    let via = "SIP/2.0/UDP host.example";
    let invite = with_via("INVITE", via, "");
    let key = world.open(&invite);
    world.answer(&invite, key, 200);
    assert_eq!(world.arrive(&with_via("ACK", via, "t")), Arrival::Ack(key));
    assert_eq!(world.arrive(&invite), Arrival::Absorbed);
    assert_eq!(world.states(), ["Accepted"]);
}

#[test]
fn the_backoff_doubles_whatever_t1_is() {
    for t1 in [20, 2000] {
        let mut world = World::new();
        world.timing.t1 = ms(t1);
        world.send(1, &ours("INVITE", 1), "call");
        world.wait(ms(200 * t1));
        assert_eq!(world.times(), [0, 1, 3, 7, 15, 31, 63].map(|interval| interval * t1));
        assert_eq!(world.told, [(64 * t1, Fired::Timeout("call"))]);
    }
}
