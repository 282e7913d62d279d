//! What is forwarded, how, and for how long (RFC 3261 §16.6).

use super::{SDP, answer, line, reply, ringing, to_bob};
use presently_engine::message::{Method, Name};
use presently_tests::Phone;
use presently_tests::phone::Head;
use std::time::Duration;

#[test]
fn a_copy_keeps_headers_order_and_body() {
    let (mut stage, mut alice, bob) = line();
    let lines = [
        "Accept-Contact: *;audio",
        "X-Folded: one\r\n two",
        "P-Many: 1, 2",
        "p-many: 3",
        "Proxy-Authorization: Digest username=\"a\", realm=\"elsewhere\", nonce=\"n\"",
        "Authorization: Digest username=\"a\", realm=\"elsewhere\", nonce=\"n\"",
    ];
    let text = to_bob(&mut alice, "INVITE", &lines);
    stage.packet(alice.addr, text.clone());
    let sent = stage.request(bob.addr);
    let sent = String::from_utf8(sent.bytes().to_vec()).expect("a readable request");
    let ours = ["Via: ", "Max-Breadth: ", "Max-Forwards: ", "INVITE "];
    let kept = |text: &str| -> Vec<String> {
        let lines = text.replace("\r\n two", " two");
        let lines = lines.split("\r\n").map(str::trim_end).map(str::to_owned);
        lines.filter(|line| !ours.iter().any(|name| line.starts_with(name))).collect()
    };
    let squeezed = |lines: Vec<String>| -> Vec<String> {
        lines.iter().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
    };
    assert_eq!(squeezed(kept(&sent)), squeezed(kept(&text)));
}

#[test]
fn a_contact_with_method_and_headers_loses_them_in_the_request_line() {
    let (mut stage, mut alice, mut bob) = line();
    let to = Phone::aor("bob");
    let head = Head { to: &to, to_tag: None, tag: "r", call_id: "other", extra: &[] };
    let text = bob.write("REGISTER", "sip:example.org", &head, ("", ""));
    let odd = "<sip:bob@198.51.100.7:5079;method=BYE;ob?Subject=x>";
    stage.packet(bob.addr, text.replace("<sip:bob@198.51.100.7:5070>", odd));
    assert_eq!(stage.response(bob.addr).status(), 200);
    stage.packet(alice.addr, to_bob(&mut alice, "INVITE", &[]));
    let odd = stage.request("198.51.100.7:5079".parse().expect("an address"));
    assert_eq!(odd.uri(), "sip:bob@198.51.100.7:5079;ob");
    assert_eq!(odd.method(), Method::Invite);
}

#[test]
fn a_dialog_that_was_record_routed_comes_back_through_us() {
    let (mut stage, mut alice, bob) = line();
    stage.config.record_route = true;
    stage.packet(alice.addr, to_bob(&mut alice, "INVITE", &["Record-Route: <sip:a.org;lr>"]));
    let sent = stage.request(bob.addr);
    let routes: Vec<_> = sent.list(Name::RecordRoute).collect();
    assert_eq!(routes, ["<sip:192.0.2.1:5060;lr>", "<sip:a.org;lr>"]);
    answer(&mut stage, &bob, &sent, 200);
    assert_eq!(stage.response(alice.addr).status(), 200);

    let to = Phone::aor("bob");
    let target = format!("sip:bob@{}", bob.addr);
    let route = format!("Route: {}", routes[0]);
    let head = Head { to: &to, to_tag: Some("b1"), tag: "a1", call_id: "call-1", extra: &[&route] };
    stage.packet(alice.addr, alice.write("BYE", &target, &head, ("", "")));
    let bye = stage.request(bob.addr);
    assert_eq!((bye.method(), bye.uri()), (Method::Bye, &*target));
    assert_eq!(bye.first(Name::Route), None);
}

#[test]
fn a_forwarded_request_has_a_transaction_of_its_own() {
    let (mut stage, mut alice, bob) = line();
    let text = to_bob(&mut alice, "INVITE", &[]);
    stage.packet(alice.addr, text.clone());
    let sent = stage.request(bob.addr);
    stage.packet(alice.addr, text);
    stage.silent(bob.addr);
    stage.pass(Duration::from_millis(500));
    assert_eq!(stage.request(bob.addr), sent, "we resend, whatever alice does");
    answer(&mut stage, &bob, &sent, 180);
    stage.pass(Duration::from_secs(60));
    stage.silent(bob.addr);
}

#[test]
fn timer_c_is_longer_than_three_minutes_and_starts_anew_with_every_ring() {
    let (mut stage, alice, bob, sent) = ringing();
    let three_minutes = Duration::from_secs(180);
    for status in [180, 183, 182] {
        answer(&mut stage, &bob, &sent, status);
        assert_eq!(stage.response(alice.addr).status(), status);
        stage.pass(three_minutes);
        stage.silent(bob.addr);
    }
    stage.pass(Duration::from_secs(1));
    let cancel = stage.request(bob.addr);
    assert_eq!(cancel.method(), Method::Cancel);
    assert_eq!(cancel.list(Name::Via).next(), sent.list(Name::Via).next());
    answer(&mut stage, &bob, &cancel, 200);
    answer(&mut stage, &bob, &sent, 487);
    assert_eq!(stage.response(alice.addr).status(), 487);
}

/// A 100 stops retransmission, but it is no sign of life of the callee.
#[test]
fn a_100_of_the_callee_is_not_passed_on_and_does_not_move_timer_c() {
    let (mut stage, alice, bob, sent) = ringing();
    answer(&mut stage, &bob, &sent, 100);
    stage.silent(alice.addr);
    stage.pass(Duration::from_secs(100));
    assert_eq!(stage.response(alice.addr).status(), 100, "our own");
    stage.packet(bob.addr, reply(&sent, 100));
    stage.silent(alice.addr);
    stage.silent(bob.addr);
    stage.pass(Duration::from_secs(81));
    assert_eq!(stage.request(bob.addr).method(), Method::Cancel);
}

#[test]
fn a_route_within_a_dialog_that_names_an_unknown_host_is_not_guessed() {
    let (mut stage, mut alice, bob) = line();
    let to = Phone::aor("bob");
    let target = format!("sip:bob@{}", bob.addr);
    let route = ["Route: <sip:192.0.2.1;lr>, <sip:unknown.example;lr>"];
    let head = Head { to: &to, to_tag: Some("b1"), tag: "a1", call_id: "call-1", extra: &route };
    stage.packet(alice.addr, alice.write("INVITE", &target, &head, SDP));
    assert_eq!(stage.response(alice.addr).status(), 404);
    stage.silent(bob.addr);
}
