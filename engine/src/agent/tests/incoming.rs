//! The agent as user agent server (M1).

use super::rig::*;
use crate::agent::Package;
use crate::body::pidf::Basic;
use crate::message::{Message, Name, Response};
use bytes::Bytes;

fn ask(scene: &mut Scene, method: &str, headers: &[(Name, &str)]) -> Response {
    let writer = scene.draft_request(method, &format!("call-{method}"), headers);
    scene.hear(writer.finish());
    scene.expect_answer()
}

#[test]
fn options_tells_what_is_understood() {
    let mut scene = Scene::online();
    let answer = ask(&mut scene, "OPTIONS", &[]);
    assert_eq!(answer.status(), 200);
    for name in [Name::Allow, Name::Accept, Name::Supported] {
        assert!(answer.first(name).is_some(), "{name:?}");
    }
    assert!(answer.to().unwrap().tag().is_some());
}

#[test]
fn every_other_method_gets_its_refusal() {
    let mut scene = Scene::online();
    for (method, status) in [
        ("INVITE", 480),
        ("BYE", 481),
        ("CANCEL", 481),
        ("SUBSCRIBE", 405),
        ("PUBLISH", 405),
        ("REFER", 405),
        ("DANCE", 405),
    ] {
        let answer = ask(&mut scene, method, &[]);
        assert_eq!(answer.status(), status, "{method}");
        assert_eq!(answer.first(Name::Allow).is_some(), status == 405, "{method}");
    }
}

/// RFC 3261 §9.2: too late, but no mistake.
#[test]
fn a_cancel_of_an_invite_that_was_answered_is_in_order() {
    let mut scene = Scene::online();
    let invite = scene.draft_request("INVITE", "call", &[]).finish();
    let text = String::from_utf8(invite.to_vec()).unwrap();
    scene.hear(invite);
    assert_eq!(scene.expect_status(), 480);
    scene.hear(Bytes::from(text.replace("INVITE", "CANCEL")));
    assert_eq!(scene.expect_status(), 200);
}

/// RFC 6665 §4.6: a CANCEL of a NOTIFY is answered and changes nothing.
#[test]
fn a_notify_cannot_be_cancelled() {
    let mut scene = Scene::online();
    let mut dialog = scene.watch(bob(), Package::Presence);
    scene.notify(&mut dialog, "active;expires=600", Body::Presence(Basic::Open));
    dialog.cseq += 1;
    let notify = scene.draft_notify(&dialog, "active;expires=600", Body::None);
    scene.hear(notify.clone());
    assert_eq!(scene.expect_status(), 200);
    let before = scene.agent.tables(scene.now);
    let text = String::from_utf8(notify.to_vec()).unwrap();
    scene.hear(Bytes::from(text.replace("NOTIFY", "CANCEL")));
    assert_eq!(scene.expect_status(), 200);
    assert_eq!(scene.agent.tables(scene.now), before);
    assert_eq!(scene.notify(&mut dialog, "active;expires=600", Body::None), 200);
}

#[test]
fn unknown_requirements_are_named() {
    let mut scene = Scene::online();
    let answer = ask(&mut scene, "OPTIONS", &[(Name::Require, "dm1, teleport")]);
    assert_eq!(answer.status(), 420);
    assert_eq!(answer.first(Name::Unsupported), Some("teleport"));
}

#[test]
fn a_request_for_somebody_else_is_not_ours() {
    let mut scene = Scene::online();
    let sips = "sips:alice@192.0.2.10";
    let strangers = [("sip:mallory@192.0.2.10", 404), ("tel:+49", 416), (sips, 416)];
    for (number, (uri, status)) in strangers.into_iter().enumerate() {
        let text = format!(
            "OPTIONS {uri} SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK{number}\r\n\
             From: <sip:bob@example.org>;tag=1\r\nTo: <sip:alice@example.org>\r\n\
             Call-ID: x{number}\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\n\
             Content-Length: 0\r\n\r\n"
        );
        scene.hear(Bytes::from(text));
        assert_eq!(scene.expect_status(), status);
    }
}

#[test]
fn the_same_request_by_two_paths_is_served_once() {
    let mut scene = Scene::online();
    let first = scene.draft_request("OPTIONS", "same", &[]).finish();
    let second = scene.draft_request("OPTIONS", "same", &[]).finish();
    scene.hear(first);
    scene.hear(second);
    assert_eq!((scene.expect_status(), scene.expect_status()), (200, 482));
}

#[test]
fn noise_is_dropped_and_a_readable_mistake_is_a_bad_request() {
    let mut scene = Scene::online();
    for noise in ["", "\r\n\r\n", "hello", "SIP/2.0 200 OK\r\n\r\n"] {
        scene.hear(Bytes::from(noise));
    }
    assert!(scene.is_unanswered());
    scene.hear(Bytes::from(
        "OPTIONS sip:alice@192.0.2.10 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx\r\n\
         From: <sip:bob@example.org>;tag=1\r\nTo: <sip:alice@example.org>\r\nCall-ID: x\r\n\
         CSeq: 1 INFO\r\nContent-Length: 0\r\n\r\n",
    ));
    assert_eq!(scene.expect_status(), 400);
}

#[test]
fn a_parsed_message_is_as_good_as_its_bytes() {
    let mut packets = Scene::online();
    let mut messages = Scene::online();
    let bytes = packets.draft_request("OPTIONS", "same", &[]).finish();
    packets.hear(bytes.clone());
    messages.hear_message(Message::parse(bytes).unwrap());
    assert_eq!(packets.expect_answer(), messages.expect_answer());
    assert_eq!(packets.agent, messages.agent);
}

/// P21.
#[test]
fn a_flood_of_strange_requests_leaves_nothing_behind() {
    let mut scene = Scene::online();
    for number in 0..5000 {
        let writer = scene.draft_request("OPTIONS", &number.to_string(), &[]);
        scene.hear(writer.finish());
    }
    assert!(scene.agent.sizes().transactions.0 <= 4096);
    scene.pass(secs(33));
    assert_eq!(scene.agent.sizes().transactions, (0, 0));
}
