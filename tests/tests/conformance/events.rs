//! The event framework: RFC 6665.
//!
//! Here the notifier, seen by phones that speak raw SIP; `exchanges` looks at what real agents and
//! the server write to each other.

mod exchanges;
mod refusals;

use presently_engine::body::presrules::Handling;
use presently_engine::message::{Method, Name};
use presently_tests::phone::{Head, pidf};
use presently_tests::{Phone, Stage, stage};
use std::time::Duration;

const PACKAGES: [&str; 2] = ["presence", "presence.winfo"];
const DAY: u32 = 86_400;

/// A server that lets everybody watch, bob who publishes and alice who watches.
fn open_house() -> (Stage, Phone, Phone) {
    let mut stage = Stage::new(stage::config());
    stage.config.default_policy = Handling::Allow;
    let mut bob = Phone::new("bob", 5070);
    assert_eq!(bob.publish(&mut stage, "at my desk", None).status(), 200);
    (stage, Phone::new("alice", 5080), bob)
}

/// How many subscriptions the server keeps, of both packages.
fn subscriptions(stage: &Stage) -> usize {
    let tables = stage.server.tables(stage.now);
    tables.pst.len() + tables.wst.len()
}

fn told_if_any(phone: &mut Phone, stage: &mut Stage) -> Option<presently_tests::Told> {
    (stage.waiting(phone.addr) > 0).then(|| phone.told(stage))
}

/// RFC 6665 §3.1.1, §4.2.1.1, §4.2.1.4: every 200 says for how long, and never for longer than was
/// asked, at the beginning and at every refresh.
#[test]
fn a_grant_is_the_wish_or_less_and_every_200_says_it() {
    for package in PACKAGES {
        let (mut stage, mut alice, _bob) = open_house();
        let granted = |answer: presently_engine::message::Response| {
            assert_eq!(answer.status(), 200);
            answer.seconds(Name::Expires).expect("Expires in a 200 to SUBSCRIBE")
        };
        for asked in [60, 600, DAY, DAY + 1, 4_000_000_000] {
            let (watch, answer) = alice.try_watch(&mut stage, "bob", package, asked);
            assert_eq!(granted(answer), asked.min(DAY), "{package}");
            alice.told(&mut stage);
            let answer = alice.renew(&mut stage, &watch, asked);
            assert_eq!(granted(answer), asked.min(DAY), "{package}, refresh");
            alice.told(&mut stage);
            assert_eq!(granted(alice.renew(&mut stage, &watch, 0)), 0);
            alice.told(&mut stage);
        }
        assert_eq!(granted(alice.try_watch(&mut stage, "bob", package, 0).1), 0, "a fetch");
    }
}

/// RFC 6665 §3.1.1: the default is the package's (an hour, RFC 3856 §6.4 and RFC 3857 §4.4); a
/// Contact has no say in it.
#[test]
fn without_expires_an_hour_is_granted_whatever_the_contact_says() {
    for package in PACKAGES {
        let (mut stage, mut alice, _bob) = open_house();
        let (bob, event) = (Phone::aor("bob"), format!("Event: {package}"));
        let head = Head { to: &bob, to_tag: None, tag: "a1", call_id: "c1", extra: &[&event] };
        let text = alice.write("SUBSCRIBE", &bob, &head, ("", ""));
        let text =
            text.replace(&format!("{}>", alice.addr), &format!("{}>;expires=77", alice.addr));
        assert!(text.contains(">;expires=77"));
        stage.packet(alice.addr, text);
        let answer = stage.response(alice.addr);
        assert_eq!((answer.status(), answer.seconds(Name::Expires)), (200, Some(3600)));
    }
}

/// RFC 6665 §4.1.3, §4.2.2: pending and active come with the seconds that are left, never more
/// than were granted; terminated comes with a reason and without an expiry.
#[test]
fn every_notify_says_the_state_and_how_long_it_lasts() {
    let mut stage = Stage::new(stage::config());
    let (mut alice, mut bob) = (Phone::new("alice", 5080), Phone::new("bob", 5070));
    let state = |told: presently_tests::Told| {
        let lines: Vec<_> = told.request.lines(Name::SubscriptionState).collect();
        lines.join(" and ")
    };
    let watch = alice.watch(&mut stage, "bob", "presence", 600);
    assert_eq!(state(alice.told(&mut stage)), "pending;expires=600");
    stage.pass(Duration::from_secs(100));
    bob.decide(&mut stage, &[("alice", "allow")], None);
    assert_eq!(state(alice.told(&mut stage)), "active;expires=500");
    stage.pass(Duration::from_secs(100));
    bob.publish(&mut stage, "at my desk", None);
    assert_eq!(state(alice.told(&mut stage)), "active;expires=400");
    alice.renew(&mut stage, &watch, 300);
    assert_eq!(state(alice.told(&mut stage)), "active;expires=300");
    alice.renew(&mut stage, &watch, 0);
    assert_eq!(state(alice.told(&mut stage)), "terminated;reason=timeout");

    alice.watch(&mut stage, "bob", "presence", 60);
    alice.told(&mut stage);
    stage.pass(Duration::from_secs(65));
    assert_eq!(state(alice.told(&mut stage)), "terminated;reason=timeout", "it ran out");
    alice.watch(&mut stage, "bob", "presence", 0);
    assert_eq!(state(alice.told(&mut stage)), "terminated;reason=timeout", "a fetch");
    stage.silent(alice.addr);
}

/// RFC 6665 §4.2.1.2, §4.2.2: a NOTIFY follows every 200 at once, and every change.
#[test]
fn a_notify_follows_every_200_and_every_change_at_once() {
    for package in PACKAGES {
        let (mut stage, mut alice, mut bob) = open_house();
        // Nobody's virtual time passes: what is told is told in the same instant.
        let watch = alice.watch(&mut stage, "bob", package, 600);
        let first = alice.told(&mut stage);
        alice.renew(&mut stage, &watch, 600);
        let second = alice.told(&mut stage);
        assert!(second.cseq > first.cseq, "{package}");
        if package == "presence" {
            bob.publish(&mut stage, "in a meeting", None);
        } else {
            alice.watch(&mut stage, "bob", "presence", 600);
        }
        let mut told = vec![alice.told(&mut stage)];
        told.extend(told_if_any(&mut alice, &mut stage));
        let call_id = first.request.call_id().expect("a Call-ID");
        let of_the_change = told.iter().filter(|one| one.request.call_id() == Ok(call_id));
        assert_eq!(of_the_change.count(), 1, "{package}: the change");
        alice.renew(&mut stage, &watch, 0);
        assert_eq!(alice.told(&mut stage).state, "terminated", "{package}");
    }
}

/// RFC 6665 §3.2.1, §4.5.2, §8.2.1: one Event, the package and the id of the SUBSCRIBE.
#[test]
fn a_notify_names_package_and_id_of_its_subscribe() {
    for event in ["presence", "presence.winfo", "presence;id=a1", "presence.winfo;id=b2"] {
        let (mut stage, mut alice, mut bob) = open_house();
        let watch = alice.watch(&mut stage, "bob", event, 600);
        let mut events = vec![alice.told(&mut stage)];
        alice.renew(&mut stage, &watch, 600);
        events.push(alice.told(&mut stage));
        bob.publish(&mut stage, "in a meeting", None);
        events.extend(told_if_any(&mut alice, &mut stage));
        alice.renew(&mut stage, &watch, 0);
        events.push(alice.told(&mut stage));
        for told in events {
            assert_eq!(told.request.lines(Name::Event).collect::<Vec<_>>(), [event]);
        }
    }
}

/// RFC 6665 §3.2.1, §3.1.3: the body is of a type that was asked for, or of the package's own.
#[test]
fn a_body_is_of_a_type_that_was_asked_for() {
    let (pidf, winfo) = ("application/pidf+xml", "application/watcherinfo+xml");
    for (package, accept, kind) in [
        ("presence", None, Some(pidf)),
        ("presence", Some("text/plain, application/pidf+xml;q=0.5"), Some(pidf)),
        ("presence", Some("application/*"), Some(pidf)),
        ("presence", Some("application/cpim-pidf+xml"), Some("application/cpim-pidf+xml")),
        ("presence", Some("text/plain"), None),
        ("presence", Some(winfo), None),
        ("presence.winfo", None, Some(winfo)),
        ("presence.winfo", Some("*/*"), Some(winfo)),
        ("presence.winfo", Some(pidf), None),
    ] {
        let (mut stage, mut alice, _bob) = open_house();
        let event = format!("Event: {package}");
        let accept = accept.map(|types| format!("Accept: {types}"));
        let mut lines = vec![event.as_str()];
        lines.extend(accept.as_deref());
        let status = alice.ask(&mut stage, "SUBSCRIBE", "bob", &lines, ("", "")).status();
        let Some(kind) = kind else {
            assert_eq!(status, 406, "{package} {accept:?}");
            assert_eq!((subscriptions(&stage), stage.waiting(alice.addr)), (0, 0));
            continue;
        };
        assert_eq!(status, 200, "{package} {accept:?}");
        let told = alice.told(&mut stage);
        assert_eq!(told.request.content_type().expect("a body").essence, kind);
    }
}

/// RFC 6665 §4.2.2: which answers to a NOTIFY end the subscription, and that silence does.
#[test]
fn some_answers_to_a_notify_end_the_subscription_and_others_do_not() {
    let fatal = [404, 405, 410, 416, 480, 481, 482, 483, 484, 485, 489, 501, 604];
    for package in PACKAGES {
        for status in fatal.into_iter().chain([200, 400, 403, 486, 500, 503, 600, 603]) {
            let (mut stage, mut alice, _bob) = open_house();
            let watch = alice.watch(&mut stage, "bob", package, 600);
            alice.told_and(&mut stage, status);
            let left = usize::from(!fatal.contains(&status));
            assert_eq!(subscriptions(&stage), left, "{package}: {status}");
            stage.lose_mail();
            let refresh = alice.renew(&mut stage, &watch, 600).status();
            assert_eq!(refresh, if left == 1 { 200 } else { 481 }, "{package}: {status}");
        }
        let (mut stage, mut alice, _bob) = open_house();
        alice.watch(&mut stage, "bob", package, 600);
        stage.pass(Duration::from_secs(31));
        assert_eq!(subscriptions(&stage), 1);
        stage.pass(Duration::from_secs(2));
        assert_eq!(subscriptions(&stage), 0, "{package}: Timer F");
    }
}

/// RFC 6665 §4.2.1: nothing but a SUBSCRIBE makes a subscription, and nobody else is notified.
#[test]
fn only_a_subscribe_makes_a_subscription() {
    let (mut stage, mut alice, mut bob) = open_house();
    alice.register(&mut stage, 600);
    bob.register(&mut stage, 600);
    bob.decide(&mut stage, &[("alice", "allow")], None);
    let document = pidf("alice", "here");
    let lines = ["Event: presence", "Expires: 600"];
    alice.ask(&mut stage, "PUBLISH", "alice", &lines, ("application/pidf+xml", &document));
    for method in ["OPTIONS", "MESSAGE", "INVITE", "REFER", "INFO"] {
        let bob = Phone::aor("bob");
        let extra = ["Event: presence", "Expires: 600", "Refer-To: <sip:bob@example.org>"];
        let head = Head { to: &bob, to_tag: None, tag: method, call_id: method, extra: &extra };
        let text = alice.write(method, &bob, &head, ("text/plain", "hello"));
        stage.packet(alice.addr, text);
    }
    bob.publish(&mut stage, "in a meeting", None);
    stage.pass(Duration::from_secs(60));
    assert_eq!(subscriptions(&stage), 0);
    for phone in [&alice, &bob] {
        while let Some(message) = stage.next(phone.addr) {
            if let presently_engine::message::Message::Request(request) = message {
                assert_ne!(request.method(), Method::Notify);
            }
        }
    }
}
