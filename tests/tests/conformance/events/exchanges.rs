//! What real agents and the server write to each other: the rules that hold for every message.

use presently_engine::Input;
use presently_engine::Peer;
use presently_engine::agent::{Command, Event, MessagePhase, Package, SubscriptionPhase};
use presently_engine::body::pidf::Basic;
use presently_engine::body::presrules::Handling;
use presently_engine::message::{Aor, Headers, Message, Method, Name, Request};
use presently_tests::World;
use presently_tests::world::SERVER;
use std::collections::BTreeSet;
use std::time::Duration;

fn is(wanted: SubscriptionPhase) -> impl Fn(&Event) -> bool {
    move |event| matches!(event, Event::Subscription { phase, .. } if *phase == wanted)
}

/// A day: bob publishes and looks at his watchers; alice asks, is allowed, refreshes, fetches,
/// sends a message and leaves.
fn a_day() -> World {
    let mut world = World::new(&["alice", "bob"]);
    world.login(&["bob", "alice"]);
    let note = Some("at my desk".into());
    world.command("bob", Command::SetPresence { basic: Basic::Open, note });
    world.watch("bob", "bob", Package::Winfo, 3600);
    world.watch("alice", "bob", Package::Presence, 600);
    world.until("alice", is(SubscriptionPhase::Pending));
    world.decide("bob", "alice", Some(Handling::Allow));
    world.until("alice", is(SubscriptionPhase::Active));
    world.watch("alice", "bob", Package::Winfo, 600);
    world.pass(Duration::from_secs(1200));
    let bob = Aor::new("bob", "example.org");
    world.command("alice", Command::Fetch { target: bob.clone() });
    let text = "lunch?".into();
    world.command("alice", Command::SendMessage { target: bob.clone(), text, ticket: 1 });
    world.until("alice", |event| {
        matches!(event, Event::MessageStatus { phase: MessagePhase::Delivered, .. })
    });
    world.command("alice", Command::Unsubscribe { target: bob, package: Package::Presence });
    world.pass(Duration::from_secs(60));
    world
}

fn requests(world: &World, method: Method) -> impl Iterator<Item = &Request> {
    world.ladder.iter().filter_map(move |rung| match &rung.message {
        Message::Request(request) if request.method() == method => Some(request),
        Message::Request(_) | Message::Response(_) => None,
    })
}

/// RFC 6665 §3.1.1, §3.1.2, §4.5.2; RFC 3856 §6.5; RFC 3857 §4.4, §4.5: what every SUBSCRIBE of an
/// agent has.
#[test]
fn every_subscribe_names_one_event_an_expiry_and_what_it_reads() {
    let world = a_day();
    let mut calls = BTreeSet::new();
    for subscribe in requests(&world, Method::Subscribe) {
        let event = subscribe.event().expect("exactly one Event");
        assert_eq!(event.id, None, "no id at the beginning, none at a refresh");
        assert!(subscribe.seconds(Name::Expires).is_some());
        let wanted = match event.package {
            "presence" => "application/pidf+xml",
            "presence.winfo" => "application/watcherinfo+xml",
            other => panic!("{other}"),
        };
        assert!(subscribe.list(Name::Accept).any(|kind| kind == wanted), "{wanted}");
        let from = subscribe.from().expect("From").uri.to_owned();
        let call_id = subscribe.call_id().expect("a Call-ID").to_owned();
        calls.insert((call_id, event.package.to_owned(), from));
    }
    let dialogs: BTreeSet<_> = calls.iter().map(|(call_id, ..)| call_id).collect();
    assert_eq!((calls.len(), dialogs.len()), (4, 4), "a dialog for every subscription");
    assert!(requests(&world, Method::Subscribe).count() > 8, "some were refreshed");
}

/// RFC 6665 §8.2.1, §8.2.3, §8.3.1, §4.6: where Event and Subscription-State may stand, and what
/// nobody sends any more.
#[test]
fn event_and_subscription_state_stand_where_they_belong() {
    let world = a_day();
    let has = |message: &Headers, name| message.lines(name).count();
    let mut seen = BTreeSet::new();
    for rung in &world.ladder {
        match &rung.message {
            Message::Request(request) => {
                let method = request.method();
                let (event, state) = match method {
                    Method::Notify => (1, 1),
                    Method::Subscribe | Method::Publish => (1, 0),
                    _ => (0, 0),
                };
                assert_eq!(has(request, Name::Event), event, "{method:?}");
                assert_eq!(has(request, Name::SubscriptionState), state, "{method:?}");
                assert_ne!(method, Method::Cancel);
                seen.insert(request.method_text().to_owned());
            }
            Message::Response(response) => {
                assert_eq!(has(response, Name::Event), 0);
                assert_eq!(has(response, Name::SubscriptionState), 0);
                let cseq = response.cseq().expect("a CSeq");
                if ["SUBSCRIBE", "NOTIFY"].contains(&cseq.method) {
                    assert_ne!(response.status(), 202);
                    seen.insert(format!("{} {}", response.status(), cseq.method));
                }
            }
        }
    }
    let expected = ["200 NOTIFY", "200 SUBSCRIBE", "401 SUBSCRIBE", "MESSAGE", "NOTIFY"];
    for what in expected.into_iter().chain(["PUBLISH", "REGISTER", "SUBSCRIBE"]) {
        assert!(seen.contains(what), "{what} was seen: {seen:?}");
    }
}

/// RFC 6665 §4.4.3: whoever polls brings the credentials of the last time: two messages a poll and
/// their answers.
#[test]
fn a_second_poll_is_not_challenged() {
    let mut world = World::new(&["alice", "bob"]);
    world.login(&["bob", "alice"]);
    for poll in 0..3 {
        world.pass(Duration::from_secs(60));
        let before = world.ladder.len();
        let target = Aor::new("bob", "example.org");
        world.command("alice", Command::Fetch { target });
        world.until("alice", is(SubscriptionPhase::Terminated));
        let sent = world.ladder.len() - before;
        assert!(poll == 0 || sent == 4, "poll {poll}: {sent} messages\n{}", world.drawing());
    }
    let before = world.ladder.len();
    world.pass(Duration::from_secs(3000));
    let polls = world.ladder[before..].iter().filter(|rung| match &rung.message {
        Message::Request(request) => request.method() == Method::Subscribe,
        Message::Response(_) => false,
    });
    assert_eq!(polls.count(), 0, "nobody polls by itself");
}

/// RFC 6665 §6.4; RFC 3856 §9.4: a SUBSCRIBE that somebody overheard installs nothing.
#[test]
fn a_subscribe_cannot_be_replayed() {
    let world = &mut a_day();
    let overheard: Vec<_> = requests(world, Method::Subscribe)
        .filter(|request| request.first(Name::Authorization).is_some())
        .map(|request| request.bytes().clone())
        .collect();
    assert!(overheard.len() > 4);
    let rows = world.rows.clone();
    // The transactions are forgotten by now: these are no copies.
    world.pass(Duration::from_secs(40));
    let thief = Peer::new("203.0.113.9:5060".parse().expect("an address"));
    for bytes in overheard {
        let before = world.ladder.len();
        world.input_server(Input::Packet { from: thief, bytes });
        for rung in &world.ladder[before..] {
            assert_eq!(rung.from, SERVER);
            let Message::Response(answer) = &rung.message else { panic!("somebody was told") };
            assert!(matches!(answer.status(), 401 | 481 | 500), "{}", answer.status());
        }
    }
    assert_eq!(world.rows, rows);
}
