//! The proxy as phones see it: RFC 3261 §16.3 to §16.10 through the whole server.

mod answers;
mod copies;
mod validation;

use presently_engine::message::{Name, Reply, Request};
use presently_tests::phone::Head;
use presently_tests::{Phone, Stage, stage};
use std::net::SocketAddr;

const SDP: (&str, &str) = ("application/sdp", "v=0\r\n");

/// Alice and bob, both registered.
fn line() -> (Stage, Phone, Phone) {
    let mut stage = Stage::new(stage::config());
    let (mut alice, mut bob) = (Phone::new("alice", 5080), Phone::new("bob", 5070));
    assert_eq!(alice.register(&mut stage, 600).status(), 200);
    assert_eq!(bob.register(&mut stage, 600).status(), 200);
    (stage, alice, bob)
}

/// Another phone of bob's, registered.
fn second_phone(stage: &mut Stage) -> Phone {
    let mut phone = Phone::new("bob", 5071);
    assert_eq!(phone.register(stage, 600).status(), 200);
    phone
}

/// A request of alice's for bob's account.
fn to_bob(alice: &mut Phone, method: &str, extra: &[&str]) -> String {
    let bob = Phone::aor("bob");
    let head = Head { to: &bob, to_tag: None, tag: "a1", call_id: "call-1", extra };
    alice.write(method, &bob, &head, SDP)
}

/// An INVITE of alice's that has reached bob.
fn ringing() -> (Stage, Phone, Phone, Request) {
    let (mut stage, mut alice, bob) = line();
    stage.packet(alice.addr, to_bob(&mut alice, "INVITE", &[]));
    let sent = stage.request(bob.addr);
    (stage, alice, bob, sent)
}

/// The answer of a phone with tag `b1`, as text.
fn reply(request: &Request, status: u16) -> String {
    let server = SocketAddr::from(([192, 0, 2, 1], 5060));
    let mut reply = Reply::new(request, server, status, "b1");
    reply.header(Name::Contact, "<sip:bob@198.51.100.7:5070>");
    String::from_utf8(reply.into_writer().finish().to_vec()).expect("a readable reply")
}

fn answer(stage: &mut Stage, phone: &Phone, request: &Request, status: u16) {
    stage.packet(phone.addr, reply(request, status));
}
