//! Transactions seen from the wire, through the whole server: RFC 3261 §17.2.1 and RFC 6026 §7.1.

use presently_engine::message::{Method, Name, Reply, Request, Response};
use presently_tests::phone::Head;
use presently_tests::{Phone, Stage, stage};
use std::net::SocketAddr;
use std::time::Duration;

const SDP: (&str, &str) = ("application/sdp", "v=0\r\n");

/// Alice and bob, both registered.
fn line() -> (Stage, Phone, Phone) {
    let mut stage = Stage::new(stage::config());
    let (mut alice, mut bob) = (Phone::new("alice", 5080), Phone::new("bob", 5070));
    assert_eq!(alice.register(&mut stage, 600).status(), 200);
    assert_eq!(bob.register(&mut stage, 600).status(), 200);
    (stage, alice, bob)
}

fn invite(alice: &mut Phone, extra: &[&str]) -> String {
    let bob = Phone::aor("bob");
    let head = Head { to: &bob, to_tag: None, tag: "a1", call_id: "call-1", extra };
    alice.write("INVITE", &bob, &head, SDP)
}

fn reply(request: &Request, status: u16) -> Reply {
    Reply::new(request, SocketAddr::from(([192, 0, 2, 1], 5060)), status, "b1")
}

fn answer(stage: &mut Stage, bob: &Phone, request: &Request, status: u16) {
    stage.packet(bob.addr, reply(request, status).into_writer().finish());
}

fn text(response: &Response) -> String {
    String::from_utf8(response.bytes().to_vec()).expect("a readable response")
}

/// RFC 3261 §17.1.1.3, field by field.
#[test]
fn the_ack_of_a_refusal_is_made_from_the_invite_and_the_answer() {
    let (mut stage, mut alice, bob) = line();
    let preloaded = "Route: <sip:192.0.2.1:5060;lr>, <sip:198.51.100.7:5070;lr>";
    // In a dialog, so that a Route is left when the request goes on.
    let to = Phone::aor("bob");
    let head =
        Head { to: &to, to_tag: Some("b1"), tag: "a1", call_id: "call-1", extra: &[preloaded] };
    let target = "sip:bob@198.51.100.7:5070;line=1";
    stage.packet(alice.addr, alice.write("INVITE", target, &head, SDP));
    let sent = stage.request(bob.addr);
    assert_eq!(sent.vias().count(), 2);
    stage.packet(
        bob.addr,
        String::from_utf8_lossy(&reply(&sent, 486).into_writer().finish()).replace(
            "To: <sip:bob@example.org>;tag=b1",
            "To: \"Bob\" <sip:bob@example.org>;tag=b1",
        ),
    );
    let ack = stage.request(bob.addr);
    assert_eq!(ack.method(), Method::Ack);
    assert_eq!(ack.uri(), sent.uri());
    assert_eq!(ack.first(Name::CallId), sent.first(Name::CallId));
    assert_eq!(ack.first(Name::From), sent.first(Name::From));
    assert_eq!(ack.first(Name::To), Some("\"Bob\" <sip:bob@example.org>;tag=b1"));
    assert_eq!(
        ack.list(Name::Via).collect::<Vec<_>>(),
        [sent.list(Name::Via).next().expect("a Via")]
    );
    assert_eq!(ack.first(Name::CSeq), Some("2 ACK"));
    assert_eq!(sent.first(Name::CSeq), Some("2 INVITE"));
    assert_eq!(ack.list(Name::Route).collect::<Vec<_>>(), ["<sip:198.51.100.7:5070;lr>"]);
    assert!(ack.body().is_empty());
}

/// RFC 6026 §7.3: only what answers a request of ours is passed on.
#[test]
fn a_stray_response_goes_nowhere() {
    let (mut stage, mut alice, bob) = line();
    stage.packet(alice.addr, invite(&mut alice, &[]));
    let sent = stage.request(bob.addr);
    let branch = sent.via().expect("a Via").branch.expect("a branch").to_owned();
    let ok = String::from_utf8_lossy(&reply(&sent, 200).into_writer().finish()).into_owned();
    let other_branch = ok.replace(&branch, "z9hG4bK0000123456789abcdef");
    let no_branch = ok.replace(&format!(";branch={branch}"), "");
    let other_method = ok.replace("CSeq: 2 INVITE", "CSeq: 2 BYE");
    for stray in [other_branch, no_branch, other_method] {
        assert_ne!(stray, ok);
        stage.packet(bob.addr, stray);
        stage.silent(alice.addr);
    }
    stage.packet(bob.addr, ok.clone());
    assert_eq!(stage.response(alice.addr).status(), 200);
    stage.pass(Duration::from_millis(31_999));
    stage.packet(bob.addr, ok.clone());
    assert_eq!(stage.response(alice.addr).status(), 200, "a copy within Timer M");
    stage.pass(Duration::from_millis(1));
    stage.packet(bob.addr, ok);
    stage.silent(alice.addr);
}

/// RFC 6026 §7.1: the callee resends its 2xx, nobody else does.
#[test]
fn a_copy_of_an_accepted_invite_reaches_nobody() {
    let (mut stage, mut alice, bob) = line();
    let text = invite(&mut alice, &[]);
    stage.packet(alice.addr, text.clone());
    let sent = stage.request(bob.addr);
    answer(&mut stage, &bob, &sent, 200);
    assert_eq!(stage.response(alice.addr).status(), 200);
    stage.pass(Duration::from_secs(20));
    stage.packet(alice.addr, text);
    stage.silent(bob.addr);
    stage.silent(alice.addr);
}

/// RFC 6026 §6: without the cookie an ACK looks like its INVITE, and still is for the callee.
#[test]
fn the_ack_of_an_old_client_to_a_2xx_reaches_the_callee() {
    let (mut stage, alice, bob) = line();
    let contact = format!("sip:bob@{}", bob.addr);
    let to = Phone::aor("bob");
    let route = ["Route: <sip:192.0.2.1:5060;lr>"];
    let head = Head { to: &to, to_tag: Some("b1"), tag: "a1", call_id: "call-1", extra: &route };
    let old = |text: String| text.replace(";branch=z9hG4bK-alice-1-5080", "");
    let write = |method: &str| {
        let mut phone = Phone::new("alice", 5080);
        old(phone.write(method, &contact, &head, ("", "")))
    };
    stage.packet(alice.addr, write("INVITE"));
    let sent = stage.request(bob.addr);
    answer(&mut stage, &bob, &sent, 200);
    assert_eq!(stage.response(alice.addr).status(), 200);
    stage.packet(alice.addr, write("ACK"));
    assert_eq!(stage.request(bob.addr).method(), Method::Ack);
    stage.packet(alice.addr, write("INVITE"));
    stage.silent(bob.addr);
}

/// RFC 3261 §17.2.1: a 100 says nothing but that the request has come.
#[test]
fn the_100_to_an_invite_has_no_tag_and_is_resent_to_copies() {
    let (mut stage, mut alice, bob) = line();
    let copy = invite(&mut alice, &[]);
    stage.packet(alice.addr, copy.clone());
    stage.pass(Duration::from_millis(199));
    stage.silent(alice.addr);
    stage.pass(Duration::from_millis(1));
    let trying = stage.response(alice.addr);
    assert_eq!((trying.status(), trying.to().expect("a To").tag()), (100, None));
    stage.packet(alice.addr, copy.clone());
    assert_eq!(text(&stage.response(alice.addr)), text(&trying));
    let sent = stage.request(bob.addr);
    stage.silent(bob.addr);
    answer(&mut stage, &bob, &sent, 183);
    let progress = stage.response(alice.addr);
    stage.packet(alice.addr, copy);
    assert_eq!(text(&stage.response(alice.addr)), text(&progress), "the most recent one");
}
