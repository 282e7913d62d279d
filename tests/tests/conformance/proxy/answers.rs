//! What comes back, and how calls are cancelled (RFC 3261 §16.7 to §16.10).

use super::{answer, line, reply, ringing, second_phone, to_bob};
use presently_engine::message::{Message, Method, Name, Response};
use presently_tests::phone::Head;
use presently_tests::{Phone, Stage};
use std::net::SocketAddr;
use std::time::Duration;

fn text(response: &Response) -> String {
    String::from_utf8(response.bytes().to_vec()).expect("a readable response")
}

/// The next response for a phone, whatever stands in it.
fn next(stage: &mut Stage, at: SocketAddr) -> Response {
    match stage.next(at) {
        Some(Message::Response(response)) => response,
        other => panic!("a response, not {other:?}"),
    }
}

#[test]
fn an_answer_loses_our_via_and_nothing_else() {
    let (mut stage, alice, bob, sent) = ringing();
    let ours = sent.list(Name::Via).next().expect("a Via");
    for status in [183, 200] {
        let answer = reply(&sent, status)
            .replace("Content-Length: 0\r\n", "X-Odd:  1\r\nRecord-Route: <sip:p.org;lr>\r\n")
            .replace(
                "\r\n\r\n",
                "\r\nContent-Type: application/sdp\r\nContent-Length: 5\r\n\r\nv=0\r\n",
            );
        let top = answer.lines().nth(1).expect("a line").to_owned() + "\r\n";
        assert!(top.contains(&ours[..ours.len() - ";rport".len()]));
        stage.packet(bob.addr, answer.clone());
        let passed = next(&mut stage, alice.addr);
        assert_eq!(text(&passed), answer.replacen(&top, "", 1));
        let via = passed.via().expect("alice's Via");
        assert_eq!(via.params.raw("received"), Some("198.51.100.7"));
        assert_eq!(via.params.raw("rport"), Some("5080"));
    }
}

#[test]
fn the_to_tag_of_an_answer_passes_as_it_is_and_none_is_added() {
    for status in [180, 200, 486] {
        let (mut stage, alice, bob, sent) = ringing();
        let tagged = reply(&sent, status);
        stage.packet(bob.addr, tagged.replace(";tag=b1", ";tag=odd.Tag"));
        let passed = next(&mut stage, alice.addr);
        assert_eq!(passed.to().expect("a To").tag(), Some("odd.Tag"), "{status}");
    }
    let (mut stage, alice, bob, sent) = ringing();
    stage.packet(bob.addr, reply(&sent, 180).replace(";tag=b1", ""));
    assert_eq!(next(&mut stage, alice.addr).to().expect("a To").tag(), None);
}

#[test]
fn the_to_tag_of_a_request_in_a_dialog_comes_back_in_every_answer() {
    let (mut stage, mut alice, bob, _sent) = ringing();
    let to = Phone::aor("bob");
    let target = format!("sip:bob@{}", bob.addr);
    let route = ["Route: <sip:192.0.2.1;lr>"];
    for status in [200, 486, 404] {
        let head =
            Head { to: &to, to_tag: Some("b1"), tag: "a1", call_id: "call-1", extra: &route };
        stage.packet(alice.addr, alice.write("INFO", &target, &head, ("", "")));
        let info = stage.request(bob.addr);
        answer(&mut stage, &bob, &info, status);
        let passed = next(&mut stage, alice.addr);
        assert_eq!((passed.status(), passed.to().expect("a To").tag()), (status, Some("b1")));
    }
}

/// Bob's phone answers as if we had called on our own behalf. Nobody could be told where to send
/// it, so the branch counts as failed.
#[test]
fn an_answer_without_a_via_below_ours_is_not_passed_on() {
    let (mut stage, alice, bob, sent) = ringing();
    let alices = reply(&sent, 200).lines().nth(2).expect("a line").to_owned() + "\r\n";
    assert!(alices.contains("z9hG4bK-alice"));
    stage.packet(bob.addr, reply(&sent, 180).replace(&alices, ""));
    stage.silent(alice.addr);
    stage.packet(bob.addr, reply(&sent, 200).replace(&alices, ""));
    let failed = next(&mut stage, alice.addr);
    assert_eq!((failed.status(), failed.vias().count()), (500, 1));
    stage.packet(bob.addr, reply(&sent, 200).replace(&alices, ""));
    stage.silent(alice.addr);
}

#[test]
fn a_phone_that_rings_after_the_call_was_taken_elsewhere_is_cancelled() {
    let (mut stage, mut alice, bob) = line();
    let other = second_phone(&mut stage);
    stage.packet(alice.addr, to_bob(&mut alice, "INVITE", &[]));
    let (here, there) = (stage.request(bob.addr), stage.request(other.addr));
    answer(&mut stage, &bob, &here, 200);
    assert_eq!(stage.response(alice.addr).status(), 200);
    stage.silent(other.addr);
    answer(&mut stage, &other, &there, 180);
    let cancel = stage.request(other.addr);
    assert_eq!(cancel.method(), Method::Cancel);
    answer(&mut stage, &other, &there, 487);
    assert_eq!(stage.request(other.addr).method(), Method::Ack);
    stage.silent(alice.addr);
}

/// RFC 6026 §8.3: two phones take the call, one of them so late that its copies come when the
/// caller's transaction is over.
#[test]
fn a_2xx_for_a_caller_that_is_forgotten_is_discarded() {
    let (mut stage, mut alice, bob) = line();
    let other = second_phone(&mut stage);
    stage.packet(alice.addr, to_bob(&mut alice, "INVITE", &[]));
    let (here, there) = (stage.request(bob.addr), stage.request(other.addr));
    answer(&mut stage, &other, &there, 180);
    answer(&mut stage, &bob, &here, 200);
    stage.pass(Duration::from_secs(20));
    answer(&mut stage, &other, &there, 200);
    let statuses = [(); 3].map(|()| stage.response(alice.addr).status());
    assert_eq!(statuses, [180, 200, 200]);
    stage.lose_mail();
    stage.pass(Duration::from_secs(13));
    stage.lose_mail();
    answer(&mut stage, &other, &there, 200);
    stage.silent(alice.addr);
}

#[test]
fn a_cancel_is_answered_at_once_and_has_the_branch_of_each_invite() {
    let (mut stage, mut alice, bob) = line();
    let other = second_phone(&mut stage);
    let invite = to_bob(&mut alice, "INVITE", &[]);
    stage.packet(alice.addr, invite.clone());
    let phones = [&bob, &other];
    let sent = phones.map(|phone| stage.request(phone.addr));
    for (phone, sent) in phones.iter().zip(&sent) {
        answer(&mut stage, phone, sent, 180);
        assert_eq!(stage.response(alice.addr).status(), 180);
    }
    let (head, _) = invite.split_once("Content-Type").expect("a body");
    stage.packet(alice.addr, head.replace("INVITE", "CANCEL") + "Content-Length: 0\r\n\r\n");
    let ok = next(&mut stage, alice.addr);
    assert_eq!((ok.status(), ok.first(Name::CSeq)), (200, Some("2 CANCEL")));
    for (phone, sent) in phones.iter().zip(&sent) {
        let cancel = stage.request(phone.addr);
        assert_eq!(cancel.method(), Method::Cancel);
        assert_eq!(cancel.list(Name::Via).count(), 1);
        assert_eq!(cancel.list(Name::Via).next(), sent.list(Name::Via).next());
        assert_eq!(cancel.uri(), sent.uri());
        answer(&mut stage, phone, &cancel, 200);
    }
    stage.silent(alice.addr);
}
