//! The INVITE family through the whole server: M24 between two phones that are registered here.

use presently_engine::message::{Method, Name, Reply, Request};
use presently_tests::phone::Head;
use presently_tests::{Phone, Stage, stage};
use std::net::SocketAddr;
use std::time::Duration;

const SDP: (&str, &str) = ("application/sdp", "v=0\r\n");

/// Two registered phones.
fn line() -> (Stage, Phone, Phone) {
    let mut stage = Stage::new(stage::config());
    let (mut alice, mut bob) = (Phone::new("alice", 5080), Phone::new("bob", 5070));
    assert_eq!(alice.register(&mut stage, 600).status(), 200);
    assert_eq!(bob.register(&mut stage, 600).status(), 200);
    (stage, alice, bob)
}

fn invite(stage: &mut Stage, alice: &mut Phone) -> String {
    let bob = Phone::aor("bob");
    let head = Head { to: &bob, to_tag: None, tag: "a1", call_id: "call-1", extra: &[] };
    let text = alice.write("INVITE", &bob, &head, SDP);
    stage.packet(alice.addr, text.clone());
    text
}

/// Bob answers a request with a Contact of his own.
fn answer(stage: &mut Stage, bob: &Phone, request: &Request, status: u16) {
    let server = SocketAddr::from(([192, 0, 2, 1], 5060));
    let mut reply = Reply::new(request, server, status, "b1");
    reply.header(Name::Contact, &format!("<sip:bob@{}>", bob.addr));
    stage.packet(bob.addr, reply.into_writer().finish());
}

#[test]
fn a_call_is_set_up_and_the_server_steps_out_of_the_way() {
    let (mut stage, mut alice, bob) = line();
    invite(&mut stage, &mut alice);
    let offered = stage.request(bob.addr);
    assert_eq!(offered.method(), Method::Invite);
    assert_eq!(offered.uri(), format!("sip:bob@{}", bob.addr));
    assert_eq!(offered.seconds(Name::MaxForwards), Some(69));
    assert_eq!(offered.vias().count(), 2, "our Via is on top of alice's (P45)");
    assert_eq!(offered.first(Name::RecordRoute), None);
    answer(&mut stage, &bob, &offered, 180);
    assert_eq!(stage.response(alice.addr).status(), 180);
    answer(&mut stage, &bob, &offered, 200);
    let ok = stage.response(alice.addr);
    assert_eq!((ok.status(), ok.vias().count()), (200, 1));
    // R57: copies of the 2xx keep coming until the ACK, and each is passed on.
    answer(&mut stage, &bob, &offered, 200);
    assert_eq!(stage.response(alice.addr).status(), 200);
    stage.silent(alice.addr);
    stage.silent(bob.addr);
}

#[test]
fn a_silent_callee_earns_a_100_and_a_busy_one_is_acknowledged_here() {
    let (mut stage, mut alice, bob) = line();
    invite(&mut stage, &mut alice);
    let offered = stage.request(bob.addr);
    stage.pass(Duration::from_millis(200));
    assert_eq!(stage.response(alice.addr).status(), 100);
    answer(&mut stage, &bob, &offered, 486);
    assert_eq!(stage.request(bob.addr).method(), Method::Ack, "the ACK of a failure is ours");
    assert_eq!(stage.response(alice.addr).status(), 486);
    // Alice's ACK is lost: the failure is sent again (Timer G).
    stage.pass(Duration::from_millis(500));
    assert_eq!(stage.response(alice.addr).status(), 486);
}

#[test]
fn a_caller_who_hangs_up_while_it_rings_cancels_the_callee() {
    let (mut stage, mut alice, bob) = line();
    let text = invite(&mut stage, &mut alice);
    let offered = stage.request(bob.addr);
    answer(&mut stage, &bob, &offered, 180);
    assert_eq!(stage.response(alice.addr).status(), 180);

    let cancel = text.replace("INVITE", "CANCEL").replace("v=0\r\n", "");
    let cancel =
        cancel.replace("Content-Type: application/sdp\r\n", "").replace(": 5\r\n", ": 0\r\n");
    stage.packet(alice.addr, cancel);
    let ours = stage.response(alice.addr);
    assert_eq!((ours.status(), ours.cseq().expect("a CSeq").method), (200, "CANCEL"));
    let cancelled = stage.request(bob.addr);
    assert_eq!(cancelled.method(), Method::Cancel);
    answer(&mut stage, &bob, &cancelled, 200);
    answer(&mut stage, &bob, &offered, 487);
    assert_eq!(stage.request(bob.addr).method(), Method::Ack);
    assert_eq!(stage.response(alice.addr).status(), 487);
    stage.silent(bob.addr);
}

#[test]
fn a_cancel_for_nothing_is_481() {
    let (mut stage, mut alice, _bob) = line();
    let bob = Phone::aor("bob");
    let head = Head { to: &bob, to_tag: None, tag: "a1", call_id: "call-1", extra: &[] };
    let text = alice.write("CANCEL", &bob, &head, ("", ""));
    stage.packet(alice.addr, text);
    assert_eq!(stage.response(alice.addr).status(), 481);
}

#[test]
fn nobody_there_is_480_and_nobody_of_that_name_404() {
    let (mut stage, mut alice, _bob) = line();
    assert_eq!(alice.ask(&mut stage, "OPTIONS", "carol", &[], ("", "")).status(), 480);
    stage.config.users.open = false;
    let user = presently_engine::server::User::default();
    stage.config.users.named.insert("alice".into(), user);
    assert_eq!(alice.ask(&mut stage, "OPTIONS", "carol", &[], ("", "")).status(), 404);
}

#[test]
fn options_reach_the_phone_and_its_answer_comes_back() {
    let (mut stage, mut alice, bob) = line();
    let target = Phone::aor("bob");
    let head = Head { to: &target, to_tag: None, tag: "a1", call_id: "o", extra: &[] };
    let text = alice.write("OPTIONS", &target, &head, ("", ""));
    stage.packet(alice.addr, text);
    let asked = stage.request(bob.addr);
    answer(&mut stage, &bob, &asked, 200);
    assert_eq!(stage.response(alice.addr).status(), 200);
}

/// Two devices ring; the one that is picked up stops the other.
#[test]
fn the_first_device_to_answer_wins() {
    let (mut stage, mut alice, bob) = line();
    let mut other = Phone::new("bob", 5071);
    assert_eq!(other.register(&mut stage, 600).status(), 200);
    invite(&mut stage, &mut alice);
    let (here, there) = (stage.request(bob.addr), stage.request(other.addr));
    answer(&mut stage, &other, &there, 180);
    answer(&mut stage, &bob, &here, 200);
    assert_eq!(stage.request(other.addr).method(), Method::Cancel);
    answer(&mut stage, &other, &there, 487);
    let statuses = [stage.response(alice.addr).status(), stage.response(alice.addr).status()];
    assert_eq!(statuses, [180, 200]);
    stage.silent(alice.addr);
}
