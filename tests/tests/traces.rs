//! The traces of behaviour §7 with the real server and real agents, in virtual time, with digest.

use presently_engine::agent::{Command, Event, MessagePhase, Package, SubscriptionPhase};
use presently_engine::body::pidf::Basic;
use presently_engine::body::presrules::Handling;
use presently_engine::body::winfo::{Cause, Status, WatcherInfo};
use presently_engine::message::{Aor, Message, Method};
use presently_tests::{Carried, World};
use std::collections::BTreeMap;
use std::time::Duration;

fn phase(wanted: Package, state: SubscriptionPhase) -> impl Fn(&Event) -> bool {
    move |event| {
        let Event::Subscription { package, phase, .. } = event else { return false };
        (*package, *phase) == (wanted, state)
    }
}

fn row(wanted: Status, why: Cause) -> impl Fn(&Event) -> bool {
    move |event| {
        let Event::Watcher { status, cause, .. } = event else { return false };
        (*status, *cause) == (wanted, why)
    }
}

fn open(world: &mut World, name: &str, note: &str) {
    let note = Some(note.into());
    world.command(name, Command::SetPresence { basic: Basic::Open, note });
    world.until(name, |event| matches!(event, Event::Published { .. }));
}

fn sees_note(note: &str) -> impl Fn(&Event) -> bool {
    move |event| {
        let Event::Presence { document, .. } = event else { return false };
        document.tuples.iter().any(|tuple| tuple.notes.iter().any(|one| &*one.text == note))
    }
}

/// Bob is there and looks at his watchers; alice is logged in.
fn morning(world: &mut World) {
    world.login(&["bob", "alice"]);
    open(world, "bob", "at my desk");
    world.watch("bob", "bob", Package::Winfo, 7200);
    world.until("bob", phase(Package::Winfo, SubscriptionPhase::Active));
}

/// Alice asks and bob says yes.
fn friends(world: &mut World) {
    morning(world);
    world.watch("alice", "bob", Package::Presence, 3600);
    world.until("alice", phase(Package::Presence, SubscriptionPhase::Pending));
    world.until("bob", row(Status::Pending, Cause::Subscribe));
    world.decide("bob", "alice", Some(Handling::Allow));
    world.until("alice", sees_note("at my desk"));
    world.until("bob", row(Status::Active, Cause::Approved));
}

/// T1.
#[test]
fn approval() {
    let mut world = World::new(&["alice", "bob"]);
    friends(&mut world);
    open(&mut world, "bob", "in a meeting");
    world.until("alice", sees_note("in a meeting"));
}

/// T10: a message for somebody who is not there is kept, and shown once, also when the receiver's
/// answer is lost.
#[test]
fn offline_message() {
    let mut world = World::new(&["alice", "bob"]);
    world.login(&["alice"]);
    let target = Aor::new("bob", "example.org");
    world.command("alice", Command::SendMessage { target, text: "lunch?".into(), ticket: 7 });
    world.until("alice", |event| {
        matches!(event, Event::MessageStatus { ticket: 7, phase: MessagePhase::Stored, .. })
    });
    let mut lost = 0;
    world.network(move |_, to, message| match message {
        Message::Response(response)
            if to == presently_tests::world::SERVER
                && response.cseq().is_ok_and(|cseq| cseq.method == "MESSAGE")
                && lost < 2 =>
        {
            lost += 1;
            Carried::Lost
        }
        _ => Carried::Once,
    });
    world.login(&["bob"]);
    let shown = world.until("bob", |event| matches!(event, Event::Message { .. }));
    let Event::Message { text, stored, .. } = shown else { unreachable!() };
    assert_eq!((&*text, stored), ("lunch?", true));
    world.pass(Duration::from_secs(120));
    let count = |event: &&Event| matches!(event, Event::Message { .. });
    assert_eq!(world.seen("bob").iter().filter(count).count(), 1, "{}", world.drawing());
    let delivered = world.ladder.iter().filter(|rung| match &rung.message {
        Message::Request(request) => {
            request.method() == Method::Message && request.other("DM-Stored").is_none()
        }
        Message::Response(_) => false,
    });
    assert!(delivered.count() > 0);
}

/// T11: the server restarts while alice watches bob: within ten seconds of their first challenge
/// everybody is registered, published and subscribed again.
#[test]
fn server_restart() {
    let mut world = World::new(&["alice", "bob"]);
    friends(&mut world);
    world.crash_server(Duration::from_secs(3));
    for name in ["alice", "bob"] {
        world.turn_page(name);
    }
    world.pass(Duration::from_secs(5));
    let note = Some("back again".into());
    world.command("bob", Command::SetPresence { basic: Basic::Open, note });
    world.until("bob", |event| matches!(event, Event::ServerRestarted));
    world.within("alice", Duration::from_secs(10), sees_note("back again"));
    world.within("bob", Duration::from_secs(10), phase(Package::Winfo, SubscriptionPhase::Active));
    let Some(Message::Request(notify)) =
        world.ladder.iter().rev().map(|rung| rung.message.clone()).find(|message| {
            matches!(message, Message::Request(request)
            if request.event().is_some_and(|event| event.package == "presence.winfo")
                && request.method() == Method::Notify)
        })
    else {
        panic!("no winfo NOTIFY after the restart");
    };
    let document = WatcherInfo::parse(&notify.body()).expect("a watcherinfo document");
    assert_eq!((document.version, document.full), (0, true), "a new dialog begins anew");
}

/// R47: the subscriptions of a server that was killed live on in their dialogs: the next NOTIFY
/// continues above every CSeq and version sent before.
#[test]
fn dialogs_survive_a_crash() {
    let mut world = World::new(&["alice", "bob"]);
    friends(&mut world);
    let before = highest(&world);
    world.crash_server(Duration::from_secs(3));
    world.pass(Duration::from_secs(5));
    let after = highest(&world);
    for (dialog, (cseq, version)) in &before {
        let (new_cseq, new_version) = after[dialog];
        assert!(new_cseq > *cseq, "{dialog}: CSeq {cseq} then {new_cseq}");
        assert!(new_version > *version || version.is_none(), "{dialog}: {version:?}");
    }
}

/// By dialog: the highest NOTIFY CSeq and winfo version so far.
fn highest(world: &World) -> BTreeMap<String, (u32, Option<u32>)> {
    let mut highest = BTreeMap::new();
    for rung in &world.ladder {
        let Message::Request(request) = &rung.message else { continue };
        if request.method() != Method::Notify {
            continue;
        }
        let dialog = request.call_id().expect("a Call-ID").to_owned();
        let cseq = request.cseq().expect("a CSeq").number;
        let version = WatcherInfo::parse(&request.body()).ok().map(|info| info.version);
        let best = highest.entry(dialog).or_insert((cseq, version));
        *best = (cseq.max(best.0), version.max(best.1));
    }
    highest
}

/// P55: somebody who asks for a second gets the server's minute, and refreshes at its pace. (Found
/// by fuzzing: the short wish used to shorten every grant, two refreshes a second for ever.)
#[test]
fn a_wish_too_short_for_the_server_is_no_storm() {
    let mut world = World::new(&["alice", "bob"]);
    world.login(&["alice", "bob"]);
    for round in 0..2 {
        world.watch("alice", "bob", Package::Presence, 1);
        let before = world.ladder.len();
        world.pass(Duration::from_secs(300));
        let sent = world.ladder.len() - before;
        assert!(sent < 100, "round {round}: {sent} messages in five minutes\n{}", world.drawing());
        let target = Aor::new("bob", "example.org");
        world.command("alice", Command::Unsubscribe { target, package: Package::Presence });
        world.pass(Duration::from_secs(60));
    }
}
