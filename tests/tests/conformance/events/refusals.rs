//! What the notifier refuses, and what it does not let itself be talked into.

use super::{PACKAGES, open_house, subscriptions};
use presently_engine::message::{Message, Name};
use presently_tests::phone::Head;
use presently_tests::{Phone, Stage, stage};

/// RFC 6665 §4.2.1.1, §4.2.3, §4.4.4, §8.2.1: a package that is not served, none at all, and more
/// than one; the packages of Allow-Events are those that are served.
#[test]
fn a_package_nobody_serves_is_489_with_those_that_are_served() {
    let (mut stage, mut alice, _bob) = open_house();
    for events in [
        &[][..],
        &["Event: dialog"],
        &["Event: Presence"],
        &["Event: presence.winfo.winfo"],
        &["Event: x-presrules"],
        &["Event: presence, presence.winfo"],
        &["Event: presence", "Event: presence"],
    ] {
        let answer = alice.ask(&mut stage, "SUBSCRIBE", "bob", events, ("", ""));
        assert_eq!(answer.status(), 489, "{events:?}");
        assert_eq!(answer.first(Name::AllowEvents), Some("presence, presence.winfo"));
        assert_eq!((subscriptions(&stage), stage.waiting(alice.addr)), (0, 0), "{events:?}");
    }
    let answer = alice.ask(&mut stage, "SUBSCRIBE", "bob", &["o: presence"], ("", ""));
    assert_eq!(answer.status(), 200, "the compact form");
    let served = answer.first(Name::AllowEvents).expect("Allow-Events in a 200").to_owned();
    assert_eq!(served, "presence, presence.winfo");
    for package in served.split(", ") {
        assert_eq!(alice.try_watch(&mut stage, "bob", package, 600).1.status(), 200);
    }
    let options = write_to(&mut alice, "OPTIONS", "sip:example.org", &[]);
    stage.packet(alice.addr, options);
    assert_eq!(stage.response(alice.addr).first(Name::AllowEvents), Some(&*served));
}

/// A request outside of any dialog to a URI.
fn write_to(phone: &mut Phone, method: &str, uri: &str, extra: &[&str]) -> String {
    let head = Head { to: uri, to_tag: None, tag: "t1", call_id: "c1", extra };
    phone.write(method, uri, &head, ("", ""))
}

/// RFC 6665 §4.2.1.1, §4.2.1.4: too brief is 423, at the beginning and at a refresh; nothing from
/// an hour on is too brief, whatever the operator wants.
#[test]
fn an_interval_too_brief_is_423() {
    for package in PACKAGES {
        let (mut stage, mut alice, _bob) = open_house();
        let (_, answer) = alice.try_watch(&mut stage, "bob", package, 59);
        assert_eq!((answer.status(), answer.seconds(Name::MinExpires)), (423, Some(60)));
        let watch = alice.watch(&mut stage, "bob", package, 60);
        alice.told(&mut stage);
        let answer = alice.renew(&mut stage, &watch, 1);
        assert_eq!((answer.status(), answer.seconds(Name::MinExpires)), (423, Some(60)));
        assert_eq!(subscriptions(&stage), 1, "the old grant holds");

        stage.config.limits.sub_min = 7200;
        assert_eq!(alice.try_watch(&mut stage, "bob", package, 3599).1.status(), 423);
        alice.watch(&mut stage, "bob", package, 3600);
    }
}

/// RFC 6665 §4.5.2: a second subscription in the same dialog is refused in so many words, and the
/// first one is none the worse for it.
#[test]
fn a_dialog_is_not_shared() {
    for (first, second) in [
        ("presence", "presence.winfo"),
        ("presence.winfo", "presence"),
        ("presence", "presence;id=2"),
        ("presence;id=1", "presence"),
    ] {
        let (mut stage, mut alice, _bob) = open_house();
        let mut watch = alice.watch(&mut stage, "bob", first, 600);
        alice.told(&mut stage);
        let own = std::mem::replace(&mut watch.event, second.to_owned());
        let answer = alice.renew(&mut stage, &watch, 600);
        assert_eq!(answer.status(), 403, "{second} in the dialog of {first}");
        assert!(answer.first(Name::Warning).is_some_and(|text| text.contains("dialog sharing")));
        stage.silent(alice.addr);
        watch.event = own;
        assert_eq!(alice.renew(&mut stage, &watch, 600).status(), 200);
        assert_eq!((alice.told(&mut stage).state.as_str(), subscriptions(&stage)), ("active", 1));
    }
}

/// RFC 6665 §4.6: a CANCEL of a SUBSCRIBE is answered and changes nothing.
#[test]
fn a_subscribe_cannot_be_cancelled() {
    let (mut stage, mut alice, mut bob) = open_house();
    let subscribe = write_to(&mut alice, "SUBSCRIBE", "sip:bob@example.org", &["Event: presence"]);
    stage.packet(alice.addr, subscribe.clone());
    assert_eq!(stage.response(alice.addr).status(), 200);
    alice.told(&mut stage);
    let before = stage.server.tables(stage.now);
    stage.packet(alice.addr, subscribe.replace("SUBSCRIBE", "CANCEL"));
    assert_eq!(stage.response(alice.addr).status(), 200);
    stage.silent(alice.addr);
    assert_eq!(stage.server.tables(stage.now), before);
    bob.publish(&mut stage, "in a meeting", None);
    assert_eq!(alice.told(&mut stage).state, "active");
}

/// RFC 6665 §4.2.1.3, §6.3; RFC 3856 §6.6.1, §7.2, §9.3; RFC 3857 §4.6: who does not prove its
/// name is asked for it, as by a user agent where the request ends here and as by a proxy where it
/// is passed on; nothing comes of it.
#[test]
fn without_a_proof_there_is_a_challenge_and_nothing_else() {
    let mut stage = Stage::new(stage::config_with_digest(&["alice", "bob"]));
    let before = stage.server.clone();
    let mut alice = Phone::new("alice", 5080);
    for (method, event, status) in [
        ("SUBSCRIBE", "Event: presence", 401),
        ("SUBSCRIBE", "Event: presence.winfo", 401),
        ("REGISTER", "Event: presence", 401),
        ("MESSAGE", "Event: presence", 407),
        ("INVITE", "Event: presence", 407),
    ] {
        let uri = if method == "REGISTER" { "sip:example.org" } else { "sip:bob@example.org" };
        let text = write_to(&mut alice, method, uri, &[event]);
        let text = text.replace("To: <sip:example.org>", "To: <sip:alice@example.org>");
        stage.packet(alice.addr, text);
        let answer = stage.response(alice.addr);
        assert_eq!(answer.status(), status, "{method}");
        let header = if status == 401 { Name::WwwAuthenticate } else { Name::ProxyAuthenticate };
        assert!(answer.first(header).is_some_and(|value| value.starts_with("Digest ")));
        assert!(stage.server == before, "{method} left something behind");
    }
    stage.silent(alice.addr);
}

/// RFC 6665 §4.2.1.3: whom the owner's list refuses is refused at once, in both packages.
#[test]
fn a_blocked_watcher_is_forbidden() {
    let (mut stage, mut alice, mut bob) = open_house();
    bob.decide(&mut stage, &[("alice", "block")], None);
    for package in PACKAGES {
        assert_eq!(alice.try_watch(&mut stage, "bob", package, 600).1.status(), 403);
    }
    assert_eq!((subscriptions(&stage), stage.waiting(alice.addr)), (0, 0));
}

/// RFC 6665 §4.3, §4.4.4: as a proxy the server adds neither Record-Route to a NOTIFY, though it
/// does to an INVITE, nor Allow-Events to anything.
#[test]
fn a_proxy_adds_neither_record_route_nor_allow_events() {
    let (mut stage, mut alice, mut bob) = open_house();
    stage.config.record_route = true;
    alice.register(&mut stage, 600);
    bob.register(&mut stage, 600);
    let contact = format!("sip:alice@{}", alice.addr);
    let route = "Route: <sip:192.0.2.1:5060;lr>";
    let lines = [route, "Event: dialog", "Subscription-State: active;expires=60"];
    let head = Head { to: &contact, to_tag: Some("a"), tag: "b", call_id: "n", extra: &lines };
    let text = bob.write("NOTIFY", &contact, &head, ("", ""));
    stage.packet(bob.addr, text);
    let passed = stage.request(alice.addr);
    assert_eq!((passed.method_text(), passed.vias().count()), ("NOTIFY", 2));
    assert_eq!((passed.first(Name::RecordRoute), passed.first(Name::AllowEvents)), (None, None));
    alice.answer(&mut stage, &passed, 200);
    assert_eq!(stage.response(bob.addr).first(Name::AllowEvents), None);

    let text = write_to(&mut bob, "INVITE", "sip:alice@example.org", &[]);
    stage.packet(bob.addr, text);
    let passed = stage.request(alice.addr);
    assert!(passed.first(Name::RecordRoute).is_some());
    assert_eq!(passed.first(Name::AllowEvents), None);
    alice.answer(&mut stage, &passed, 200);
    while let Some(message) = stage.next(bob.addr) {
        let Message::Response(answer) = message else { continue };
        assert_eq!(answer.first(Name::AllowEvents), None);
    }
}
