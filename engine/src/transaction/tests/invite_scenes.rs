//! INVITEs that arrive, and their ACKs and CANCELs.

use super::*;

fn invite() -> Request {
    request("INVITE", "z9hG4bK1")
}

#[test]
fn a_silent_user_is_covered_by_100_after_200_ms() {
    let mut world = World::new();
    let key = world.open(&invite());
    world.wait(ms(199));
    assert!(world.sent.is_empty());
    world.wait(ms(10_000));
    assert_eq!(world.log(), [(200, "100".to_owned())]);
    assert_eq!(world.tx.deadline(), None, "ringing has no limit here");
    assert!(world.tx.is_open(key));
}

#[test]
fn a_copy_gets_the_last_provisional_answer() {
    let mut world = World::new();
    let key = world.open(&invite());
    assert_eq!(world.arrive(&invite()), Arrival::Absorbed);
    assert!(world.sent.is_empty());
    world.answer(&invite(), key, 180);
    world.answer(&invite(), key, 183);
    world.wait(ms(1000));
    assert_eq!(world.arrive(&invite()), Arrival::Absorbed);
    let sent = [(0, "180".to_owned()), (0, "183".to_owned()), (1000, "183".to_owned())];
    assert_eq!(world.log(), sent);
}

#[test]
fn a_refusal_is_resent_until_it_is_acknowledged() {
    let mut world = World::new();
    let key = world.open(&invite());
    world.answer(&invite(), key, 486);
    assert!(!world.tx.is_open(key));
    world.wait(ms(4000));
    assert_eq!(world.arrive(&invite()), Arrival::Absorbed);
    assert_eq!(world.times(), [0, 500, 1500, 3500, 4000]);
    let ack = request("ACK", "z9hG4bK1");
    assert_eq!(world.arrive(&ack), Arrival::Absorbed);
    assert_eq!(world.states(), ["Confirmed"]);
    world.wait(ms(4999));
    assert_eq!(world.arrive(&ack), Arrival::Absorbed);
    assert_eq!(world.arrive(&invite()), Arrival::Absorbed);
    world.wait(ms(1));
    assert_eq!(world.tx, Transactions::default());
    assert_eq!(world.times().len(), 5);
}

#[test]
fn a_refusal_that_nobody_acknowledges_is_given_up_after_64_t1() {
    let mut world = World::new();
    let key = world.open(&invite());
    world.wait(ms(100));
    world.answer(&invite(), key, 486);
    world.wait(ms(60_000));
    let times = [100, 600, 1600, 3600, 7600, 11_600, 15_600, 19_600, 23_600, 27_600, 31_600];
    assert_eq!(world.times(), times);
    assert_eq!(world.told, [(32_100, Fired::Unanswered(key))]);
    assert_eq!(world.tx, Transactions::default());
}

#[test]
fn after_a_2xx_copies_vanish_and_acks_and_further_2xx_pass() {
    let mut world = World::new();
    let key = world.open(&invite());
    world.answer(&invite(), key, 200);
    assert_eq!(world.arrive(&invite()), Arrival::Absorbed);
    assert_eq!(world.arrive(&request("ACK", "z9hG4bK1")), Arrival::Ack(key));
    world.wait(ms(500));
    world.answer(&invite(), key, 200);
    world.answer(&invite(), key, 486);
    assert_eq!(world.log(), [(0, "200".to_owned()), (500, "200".to_owned())]);
    assert_eq!(world.states(), ["Accepted"]);
    world.wait(ms(31_499));
    assert_eq!(world.arrive(&invite()), Arrival::Absorbed);
    world.wait(ms(1));
    assert_eq!(world.arrive(&invite()), Arrival::New(key));
}

#[test]
fn the_ack_to_a_2xx_has_a_branch_of_its_own_and_is_new() {
    let mut world = World::new();
    let key = world.open(&invite());
    world.answer(&invite(), key, 200);
    assert!(matches!(world.arrive(&request("ACK", "z9hG4bK2")), Arrival::New(_)));
}

#[test]
fn a_cancel_finds_its_invite_and_has_a_transaction_of_its_own() {
    let mut world = World::new();
    let key = world.open(&invite());
    world.answer(&invite(), key, 180);
    let cancel = with_via("CANCEL", "SIP/2.0/UDP host.example:5061;branch=z9hG4bK1;rport", "");
    let own = world.open(&cancel);
    assert_ne!(own, key);
    let target = Transactions::<()>::key(&SECRET, &cancel, Method::Invite);
    assert_eq!(target, key);
    assert!(world.tx.is_open(target));
    world.answer(&cancel, own, 200);
    world.answer(&invite(), target, 487);
    assert!(!world.tx.is_open(target));
    assert!(world.tx.knows(target));
    assert_eq!(world.arrive(&cancel), Arrival::Absorbed);
    let sent: Vec<_> = world.log().into_iter().map(|(_, what)| what).collect();
    assert_eq!(sent, ["180", "200", "487", "200"]);
}

#[test]
fn a_cancel_that_comes_too_late_finds_an_invite_that_is_not_open() {
    let mut world = World::new();
    let key = world.open(&invite());
    world.answer(&invite(), key, 200);
    assert!(world.tx.knows(key) && !world.tx.is_open(key));
    world.wait(ms(32_000));
    assert!(!world.tx.knows(key));
}

#[test]
fn an_unanswered_invite_ignores_an_ack() {
    let mut world = World::new();
    let key = world.open(&invite());
    assert_eq!(world.arrive(&request("ACK", "z9hG4bK1")), Arrival::Absorbed);
    assert!(world.tx.is_open(key));
}
