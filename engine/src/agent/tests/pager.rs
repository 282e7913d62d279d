//! Pager messages (M18, M20; R73, P36; bug museum §1 row 14, §3).

use super::rig::*;
use crate::agent::{Command, Event, MessagePhase, Package};
use crate::body::pidf::{Basic, Pidf};
use crate::message::{Method, Name};

fn send(scene: &mut Scene, text: &str, ticket: u64) {
    scene.say(Command::SendMessage { target: bob(), text: text.into(), ticket });
}

fn phases(scene: &mut Scene) -> Vec<(u64, MessagePhase)> {
    let events = scene.events().into_iter();
    events
        .filter_map(|event| match event {
            Event::MessageStatus { ticket, phase, .. } => Some((ticket, phase)),
            _ => None,
        })
        .collect()
}

#[test]
fn a_message_has_text_an_id_and_no_contact() {
    let mut scene = Scene::online();
    send(&mut scene, "hällo", 1);
    let message = scene.expect(Method::Message);
    assert_eq!(message.uri(), "sip:bob@example.org");
    assert_eq!(message.first(Name::Contact), None);
    assert_eq!(&message.body()[..], "hällo".as_bytes());
    assert!(message.content_type().unwrap().is("text/plain"));
    assert_eq!(message.first(Name::DmMessageId).unwrap().len(), 16);
    assert_eq!(message.first(Name::Date), Some("Tue, 14 Nov 2023 22:13:20 GMT"));
    scene.answer(&message, 200, &[]);
    use MessagePhase::{Delivered, Queued, Sending};
    assert_eq!(phases(&mut scene), [(1, Queued), (1, Sending), (1, Delivered)]);
}

#[test]
fn one_message_a_target_is_out_and_the_others_follow_in_order() {
    let mut scene = Scene::online();
    for ticket in 1..=3 {
        send(&mut scene, &ticket.to_string(), ticket);
    }
    scene.say(Command::SendMessage {
        target: aor("sip:eve@example.org"),
        text: "x".into(),
        ticket: 9,
    });
    let first = scene.expect(Method::Message);
    assert_eq!(scene.expect(Method::Message).uri(), "sip:eve@example.org");
    scene.expect_silence();
    scene.answer(&first, 202, &[]);
    let second = scene.expect(Method::Message);
    assert_eq!(&second.body()[..], b"2");
    assert!(phases(&mut scene).contains(&(1, MessagePhase::Stored)));
    scene.answer(&second, 603, &[]);
    assert!(phases(&mut scene).contains(&(2, MessagePhase::Failed)));
    assert_eq!(&scene.expect(Method::Message).body()[..], b"3");
}

/// R73: the receiver can tell that it is the same message.
#[test]
fn tries_after_silence_keep_the_message_id_and_end_after_three() {
    let mut scene = Scene::online();
    send(&mut scene, "hi", 1);
    let first = scene.expect(Method::Message);
    let mut last = first.clone();
    for wait in [2, 4, 8] {
        scene.answer(&last, 500, &[]);
        scene.pass(secs(wait - 1));
        scene.expect_silence();
        scene.pass(secs(1));
        last = scene.expect(Method::Message);
        assert_eq!(last.first(Name::DmMessageId), first.first(Name::DmMessageId));
        assert!(last.cseq().unwrap().number > first.cseq().unwrap().number);
    }
    scene.events();
    scene.lose_server();
    assert_eq!(phases(&mut scene), [(1, MessagePhase::Failed)]);
    assert_eq!(scene.agent.sizes().outbox, 0);
}

/// K10.
#[test]
fn a_message_too_large_for_one_datagram_is_not_sent() {
    let mut scene = Scene::online();
    send(&mut scene, &"x".repeat(1300), 1);
    send(&mut scene, "small", 2);
    assert_eq!(&scene.expect(Method::Message).body()[..], b"small");
    let phases = phases(&mut scene);
    assert!(phases.contains(&(1, MessagePhase::Failed)));
    assert!(!phases.contains(&(1, MessagePhase::Sending)));
}

fn message(scene: &mut Scene, call_id: &str, headers: &[(Name, &str)]) -> u16 {
    let writer = scene.draft_request("MESSAGE", call_id, headers);
    scene.hear(writer.finish_with("text/plain", b"hi"));
    scene.expect_status()
}

fn shown(scene: &mut Scene) -> usize {
    let events = scene.events();
    events.iter().filter(|event| matches!(event, Event::Message { .. })).count()
}

#[test]
fn a_message_is_acknowledged_without_body_and_contact() {
    let mut scene = Scene::online();
    let writer = scene.draft_request("MESSAGE", "m1", &[(Name::DmStored, "yes")]);
    scene.hear(writer.finish_with("text/plain", b"hi"));
    let answer = scene.expect_answer();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.first(Name::Contact), None);
    assert!(answer.body().is_empty());
    let [Event::Message { from, text, stored, expired, .. }] = &scene.events()[..] else {
        panic!("one message")
    };
    assert_eq!((from, &**text, *stored, *expired), (&bob(), "hi", true, false));
}

/// R73, P36.
#[test]
fn a_message_is_shown_once_however_often_it_comes() {
    let mut scene = Scene::online();
    for call_id in ["a", "b", "c"] {
        assert_eq!(message(&mut scene, call_id, &[(Name::DmMessageId, "one")]), 200);
    }
    assert_eq!(shown(&mut scene), 1);
    for call_id in ["d", "d", "e"] {
        assert_eq!(message(&mut scene, call_id, &[]), 200);
        scene.pass(secs(33));
    }
    assert_eq!(shown(&mut scene), 2, "without an id, Call-ID and CSeq tell");
}

#[test]
fn what_was_shown_is_forgotten_after_a_day_and_never_too_much() {
    let mut scene = Scene::online();
    message(&mut scene, "a", &[(Name::DmMessageId, "one")]);
    scene.pass(secs(24 * 3600));
    message(&mut scene, "b", &[(Name::DmMessageId, "one")]);
    assert_eq!(shown(&mut scene), 2);
    for number in 0..5000 {
        message(&mut scene, &number.to_string(), &[]);
        scene.pass(secs(1));
    }
    assert_eq!(scene.agent.sizes().shown, 4096);
}

#[test]
fn other_types_are_refused_but_not_typing_indicators_and_receipts() {
    for (content_type, status, shows) in [
        ("text/plain;charset=utf-8", 200, 1),
        ("message/CPIM", 200, 1),
        ("application/im-iscomposing+xml", 200, 0),
        ("message/imdn+xml", 200, 0),
        ("image/png", 415, 0),
    ] {
        let mut scene = Scene::online();
        let writer = scene.draft_request("MESSAGE", "m1", &[]);
        scene.hear(writer.finish_with(content_type, b"hi"));
        let answer = scene.expect_answer();
        assert_eq!(answer.status(), status, "{content_type}");
        assert_eq!(answer.first(Name::Accept).is_some(), status == 415);
        assert_eq!(shown(&mut scene), shows, "{content_type}");
    }
}

#[test]
fn expiry_counts_from_the_date_of_the_message() {
    for (date, expires, late) in [
        ("Tue, 14 Nov 2023 22:13:20 GMT", "60", false),
        ("Tue, 14 Nov 2023 22:00:00 GMT", "60", true),
        ("once upon a time", "60", false),
    ] {
        let mut scene = Scene::online();
        message(&mut scene, "m", &[(Name::Date, date), (Name::Expires, expires)]);
        let [Event::Message { expired, .. }] = scene.events()[..] else { panic!() };
        assert_eq!(expired, late, "{date}");
    }
}

/// M20: nobody can prove who he is without the server, except by being where presence says.
#[test]
fn a_direct_message_is_taken_only_from_the_contact_that_presence_shows() {
    let mut scene = Scene::online();
    let direct = |scene: &mut Scene, call_id: &str| {
        let writer = scene.draft_request("MESSAGE", call_id, &[]);
        scene.hear_from(BOB_HOST, writer.finish_with("text/plain", b"hi"));
        scene.expect_status()
    };
    assert_eq!(direct(&mut scene, "a"), 403);
    let mut dialog = scene.watch(bob(), Package::Presence);
    let mut document = Pidf::simple("sip:bob@example.org", "t", Basic::Open);
    document.tuples[0].contact = Some("sip:bob@192.0.2.20:5060".into());
    scene.notify(&mut dialog, "active;expires=600", Body::Document(&document));
    assert_eq!(direct(&mut scene, "b"), 200);
    assert_eq!(shown(&mut scene), 1);
}
