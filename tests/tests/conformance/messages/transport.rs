//! The transport layer: RFC 3261 §18.

use super::codes::Desk;
use presently_engine::agent::Command;
use presently_engine::message::{Method, Name, Reply};
use presently_tests::phone::Head;
use presently_tests::world::SERVER;
use presently_tests::{Phone, Stage, stage};
use std::time::Duration;

/// The most that fits into a UDP datagram over IPv4.
const DATAGRAM: usize = 65_507;

/// Alice watches bob; returns the stage and the NOTIFY that waits for its answer.
fn notified() -> (Stage, Phone, presently_engine::message::Request) {
    let mut stage = Stage::new(stage::config());
    let mut alice = Phone::new("alice", 5080);
    alice.watch(&mut stage, "alice", "presence", 600);
    let notify = alice.told_quietly(&mut stage).request;
    (stage, alice, notify)
}

fn ok(notify: &presently_engine::message::Request) -> String {
    let reply = Reply::new(notify, SERVER, 200, "a").into_writer().finish();
    String::from_utf8(reply.to_vec()).expect("text")
}

/// Whether the server sends its NOTIFY again, because it has not heard the answer.
fn is_repeated(stage: &mut Stage, alice: &Phone) -> bool {
    stage.pass(Duration::from_millis(600));
    let repeated = stage.waiting(alice.addr) > 0;
    stage.lose_mail();
    repeated
}

/// RFC 3261 §18.1.2.
#[test]
fn the_server_drops_an_answer_whose_via_is_not_its_own() {
    let (mut stage, alice, notify) = notified();
    let answer = ok(&notify);
    for foreign in ["192.0.2.1:5061", "192.0.2.2:5060", "192.0.2.1", "server.example"] {
        stage.packet(alice.addr, answer.replace("192.0.2.1:5060", foreign));
    }
    assert!(is_repeated(&mut stage, &alice));
    stage.packet(alice.addr, answer);
    assert!(!is_repeated(&mut stage, &alice));
}

/// RFC 3261 §18.1.2.
#[test]
fn an_agent_drops_an_answer_whose_via_is_not_its_own() {
    let mut desk = Desk::new();
    desk.say(Command::Login);
    let register = desk.last(Method::Register);
    let answer = desk.reply(&register, 200, &[(Name::Expires, "600")]);
    desk.packet(answer.replacen("198.51.100.7:6000", "198.51.100.7:6001", 1).into());
    assert_eq!(desk.seen, []);
    desk.packet(answer.into());
    assert_eq!(desk.seen.len(), 1, "registered");
}

/// RFC 3261 §18.3: an answer that was cut short is no answer.
#[test]
fn an_answer_without_the_end_of_its_body_is_dropped() {
    let (mut stage, alice, notify) = notified();
    let answer = ok(&notify);
    let with_body = answer.replace("Content-Length: 0", "Content-Length: 10");
    stage.packet(alice.addr, format!("{with_body}half of"));
    assert!(is_repeated(&mut stage, &alice));
    stage.packet(alice.addr, format!("{with_body}all of it."));
    assert!(!is_repeated(&mut stage, &alice));
}

/// RFC 3261 §18.1.1: a request that fills the largest datagram is read and answered.
#[test]
fn the_largest_datagram_is_handled() {
    let mut stage = Stage::new(stage::config());
    let mut alice = Phone::new("alice", 5080);
    let to = Phone::aor("bob");
    let head = Head { to: &to, to_tag: None, tag: "t", call_id: "c", extra: &[] };
    let mut write = |size: usize| {
        let short = alice.write("OPTIONS", &to, &head, ("text/plain", ""));
        let filler = size - short.len() - "65000".len() + "0".len();
        let text = short.replace("Content-Length: 0", &format!("Content-Length: {filler}"));
        (alice.addr, text + &"x".repeat(filler))
    };
    let (addr, text) = write(DATAGRAM);
    assert_eq!(text.len(), DATAGRAM);
    stage.packet(addr, text);
    assert_eq!(stage.response(addr).status(), 480, "bob is not there");
}

/// RFC 3261 §18.2.1 and §18.2.2 at the server's door: the sender's own idea of where it is does
/// not count.
#[test]
fn an_answer_goes_to_where_the_request_came_from_and_says_so() {
    for (sent_by, port, received) in [
        ("phone.example:5080", 5080, true),
        ("phone.example", 5060, true),
        ("10.0.0.7:5080", 5080, true),
        ("198.51.100.7:5080", 5080, false),
    ] {
        let mut stage = Stage::new(stage::config());
        let mut alice = Phone::new("alice", 6000);
        let to = Phone::aor("bob");
        let head = Head { to: &to, to_tag: None, tag: "t", call_id: "c", extra: &[] };
        let text = alice.write("OPTIONS", &to, &head, ("", ""));
        let text = text.replace("198.51.100.7:6000;branch", &format!("{sent_by};branch"));
        let lie = if received { ";received=192.0.2.99" } else { "" };
        stage.packet(alice.addr, text.replace(";rport", lie));
        let mut there = alice.addr;
        there.set_port(port);
        let answer = stage.response(there);
        let via = answer.via().expect("a Via");
        let noted = via.params.raw("received");
        assert_eq!((via.sent_by, noted), (sent_by, received.then_some("198.51.100.7")));
    }
}
