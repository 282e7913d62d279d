//! Presence and watcher information: RFC 3856, 3857, 3858.

use presently_engine::agent::{Command, Event, Package};
use presently_engine::body::pidf::Basic;
use presently_engine::body::presrules::Handling;
use presently_engine::body::winfo::Status;
use presently_engine::message::Response;
use presently_tests::phone::{Head, pidf};
use presently_tests::{Phone, Stage, Told, Watch, World, stage};
use std::collections::BTreeSet;
use std::time::Duration;

const PIDF: &str = "application/pidf+xml";
const CPIM: &str = "application/cpim-pidf+xml";

fn scene() -> (Stage, Phone, Phone) {
    (Stage::new(stage::config()), Phone::new("alice", 5080), Phone::new("bob", 5070))
}

/// RFC 3856 §6.6.2, RFC 6665 §4.1.2.4: who waits for the owner is told that much, and nothing of
/// the owner.
#[test]
fn a_pending_watcher_sees_a_note_and_no_tuple() {
    let (mut stage, mut alice, mut bob) = scene();
    bob.publish(&mut stage, "at my desk", None);
    alice.watch(&mut stage, "bob", "presence", 600);
    let told = alice.told(&mut stage);
    let document = told.pidf();
    assert_eq!((told.state.as_str(), document.tuples.len()), ("pending", 0));
    assert_eq!(document.notes.iter().map(|note| &*note.text).collect::<Vec<_>>(), ["pending"]);
    bob.publish(&mut stage, "in a meeting", None);
    stage.silent(alice.addr);
}

/// RFC 3856 §6.6.2, RFC 6665 §6.2: a politely blocked watcher gets, byte for byte, what an allowed
/// watcher of somebody gets who is never there.
#[test]
fn a_polite_block_looks_like_somebody_who_is_away() {
    let course = |handling: &str, there: bool| {
        let (mut stage, mut alice, mut bob) = scene();
        bob.decide(&mut stage, &[("alice", handling)], None);
        let (watch, answer) = alice.try_watch(&mut stage, "bob", "presence", 600);
        let mut got = vec![answer.bytes().clone(), alice.told(&mut stage).request.bytes().clone()];
        if there {
            bob.register(&mut stage, 600);
            bob.publish(&mut stage, "at my desk", None);
        }
        stage.silent(alice.addr);
        stage.pass(Duration::from_secs(60));
        got.push(alice.renew(&mut stage, &watch, 600).bytes().clone());
        let told = alice.told(&mut stage);
        assert_eq!(told.state, "active");
        assert_eq!(told.pidf().tuples[0].basic, Some(Basic::Closed));
        got.extend([told.request.bytes().clone(), told.body]);
        got
    };
    assert_eq!(course("polite-block", true), course("allow", false));
}

/// A refresh with or without Accept.
fn renew(stage: &mut Stage, alice: &mut Phone, watch: &Watch, accept: Option<&str>) -> Response {
    let (to, accept) = (Phone::aor("bob"), accept.map(|kind| format!("Accept: {kind}")));
    let mut lines = vec!["Event: presence", "Expires: 600"];
    lines.extend(accept.as_deref());
    let (call_id, tag) = (&watch.call_id, &watch.tag);
    let head = Head { to: &to, to_tag: Some(&watch.to_tag), tag, call_id, extra: &lines };
    let text = alice.write("SUBSCRIBE", &watch.contact, &head, ("", ""));
    stage.packet(alice.addr, text);
    stage.response(alice.addr)
}

/// RFC 3856 §6.7: the type is the one of the most recent SUBSCRIBE, PIDF if that names none.
#[test]
fn the_type_follows_the_most_recent_subscribe() {
    let (mut stage, mut alice, mut bob) = scene();
    bob.decide(&mut stage, &[("alice", "allow")], None);
    let watch = alice.watch(&mut stage, "bob", "presence", 600);
    let kind = |told: Told| told.request.content_type().expect("a body").essence.to_owned();
    assert_eq!(kind(alice.told(&mut stage)), PIDF);
    for (note, accept, expected) in
        [("one", Some(CPIM), CPIM), ("two", None, PIDF), ("three", Some(CPIM), CPIM)]
    {
        assert_eq!(renew(&mut stage, &mut alice, &watch, accept).status(), 200);
        assert_eq!(kind(alice.told(&mut stage)), expected, "at once");
        bob.publish(&mut stage, note, None);
        assert_eq!(kind(alice.told(&mut stage)), expected, "and at every change");
    }
    assert_eq!(renew(&mut stage, &mut alice, &watch, Some("text/plain")).status(), 406);
    stage.silent(alice.addr);
}

/// RFC 3856 §6.9, §7.3: what the devices of a presentity publish is one document when it leaves.
#[test]
fn the_devices_of_a_presentity_are_one_document() {
    let (mut stage, mut alice, mut bob) = scene();
    let mut mobile = Phone::new("bob", 5071);
    bob.decide(&mut stage, &[("alice", "allow")], None);
    bob.publish(&mut stage, "at my desk", None);
    let body = pidf("bob", "on the train").replace("desk", "mobile");
    let answer = mobile.ask(&mut stage, "PUBLISH", "bob", &["Event: presence"], (PIDF, &body));
    assert_eq!(answer.status(), 200);
    alice.watch(&mut stage, "bob", "presence", 600);
    let document = alice.told(&mut stage).pidf();
    let notes: BTreeSet<_> =
        document.tuples.iter().flat_map(|tuple| &tuple.notes).map(|note| &*note.text).collect();
    assert_eq!(notes, BTreeSet::from(["at my desk", "on the train"]));
    assert_eq!(&*document.entity, "sip:bob@example.org");
    stage.silent(alice.addr);
}

/// When a phone was told something, in seconds, while something changes every second.
fn times(
    stage: &mut Stage,
    phone: &mut Phone,
    mut change: impl FnMut(&mut Stage, u16),
) -> Vec<u64> {
    let mut times = Vec::new();
    for second in 0..30 {
        change(stage, second);
        while stage.waiting(phone.addr) > 0 {
            phone.told(stage);
            times.push(stage.now.as_millis() / 1000);
        }
        stage.pass(Duration::from_secs(1));
    }
    times
}

/// RFC 3856 §6.10, RFC 3857 §4.10: however often something changes, a watcher hears of it every
/// five seconds, and so does a subscriber to watcher information.
#[test]
fn notifications_are_five_seconds_apart() {
    let five = Duration::from_secs(5);
    let (mut stage, mut alice, mut bob) = scene();
    stage.config.notify_gap = five;
    stage.config.default_policy = Handling::Allow;
    alice.watch(&mut stage, "bob", "presence", 600);
    alice.told(&mut stage);
    let told = times(&mut stage, &mut alice, |stage, second| {
        bob.publish(stage, &format!("{second}"), None);
    });
    let apart = |told: &[u64]| told.windows(2).all(|pair| pair[1] - pair[0] >= 5);
    assert!(told.len() == 5 && apart(&told), "presence: {told:?}");

    let (mut stage, _alice, mut bob) = scene();
    stage.config.notify_gap = five;
    bob.watch(&mut stage, "bob", "presence.winfo", 600);
    bob.told(&mut stage);
    let told = times(&mut stage, &mut bob, |stage, second| {
        let mut watcher = Phone::new(&format!("watcher-{second}"), 6000 + second);
        watcher.watch(stage, "bob", "presence", 600);
        watcher.told(stage);
    });
    assert!(told.len() == 5 && apart(&told), "watcher information: {told:?}");
}

/// RFC 3857 §4.7.1: one watcher can leave only so many traces with somebody who has not decided;
/// the oldest gives way, and others are not kept out.
#[test]
fn an_undecided_watcher_leaves_a_bounded_number_of_traces() {
    let (mut stage, mut alice, _bob) = scene();
    let limit = stage.config.limits.waiting_per_watcher;
    for number in 0..30 {
        let event = format!("presence;id={number}");
        let seconds = if number % 2 == 0 { 0 } else { 600 };
        let (_, answer) = alice.try_watch(&mut stage, "bob", &event, seconds);
        assert_eq!(answer.status(), 200, "{number}");
        while stage.waiting(alice.addr) > 0 {
            alice.told(&mut stage);
        }
        stage.pass(Duration::from_secs(1));
        let tables = stage.server.tables(stage.now);
        assert_eq!(tables.wt.len(), limit.min(number + 1));
    }
    let mut carol = Phone::new("carol", 5090);
    carol.watch(&mut stage, "bob", "presence", 600);
    assert_eq!(carol.told(&mut stage).state, "pending");
}

/// RFC 3857 §4.6, §4.7.2: an authorized watcher may watch its own row, and is told of no state that
/// Subscription-State does not tell: politely blocked looks like active.
#[test]
fn the_own_row_says_what_subscription_state_says() {
    for (handling, status) in [("allow", Status::Active), ("polite-block", Status::Active)] {
        let (mut stage, mut alice, mut bob) = scene();
        let mut carol = Phone::new("carol", 5090);
        carol.watch(&mut stage, "bob", "presence", 600);
        alice.watch(&mut stage, "bob", "presence", 600);
        assert_eq!(alice.told(&mut stage).state, "pending");
        alice.watch(&mut stage, "bob", "presence.winfo", 600);
        let rows = alice.told(&mut stage).winfo().lists[0].watchers.clone();
        assert_eq!(rows.iter().map(|row| row.status).collect::<Vec<_>>(), [Status::Pending]);
        bob.decide(&mut stage, &[("alice", handling)], None);
        assert_eq!(alice.told(&mut stage).state, "active");
        let rows = alice.told(&mut stage).winfo().lists[0].watchers.clone();
        assert_eq!(rows.len(), 1, "carol is nobody's business");
        assert_eq!((&*rows[0].uri, rows[0].status), ("sip:alice@example.org", status));
    }
}

/// RFC 3857 §4.7.2: a fetch gets every row that may be seen, once, in a full document.
#[test]
fn a_fetch_of_watcher_information_is_full() {
    let (mut stage, mut alice, mut bob) = scene();
    let mut carol = Phone::new("carol", 5090);
    for phone in [&mut alice, &mut carol] {
        phone.watch(&mut stage, "bob", "presence", 600);
        phone.told(&mut stage);
    }
    bob.decide(&mut stage, &[("alice", "allow")], None);
    alice.told(&mut stage);
    bob.watch(&mut stage, "bob", "presence.winfo", 0);
    let all = "v0 full [alice active/approved, carol pending/subscribe]";
    assert_eq!(bob.told(&mut stage).winfo_line(), all);
    carol.watch(&mut stage, "bob", "presence.winfo", 0);
    assert_eq!(carol.told(&mut stage).winfo_line(), "v0 full [carol pending/subscribe]");
    stage.silent(bob.addr);
    stage.silent(carol.addr);
}

/// RFC 3858 §3: rows have the proven address of record, not the device's; their ids are tokens, and
/// no two subscriptions of anybody share one.
#[test]
fn rows_name_the_proven_watcher_and_have_ids_of_their_own() {
    let mut world = World::new(&["alice", "bob", "carol"]);
    world.login(&["alice", "bob", "carol"]);
    world.watch("bob", "bob", Package::Winfo, 3600);
    let mut ids = BTreeSet::new();
    for (round, watcher) in ["alice", "carol", "alice", "carol"].into_iter().enumerate() {
        world.watch(watcher, "bob", Package::Presence, 600);
        let seen = world
            .until("bob", |event| matches!(event, Event::Watcher { status: Status::Pending, .. }));
        let Event::Watcher { uri, id, .. } = seen else { unreachable!() };
        assert_eq!(&*uri, format!("sip:{watcher}@example.org"));
        assert!(id.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{id} is a token");
        assert!(ids.insert(id), "round {round}: an id was used before");
        let target = presently_engine::message::Aor::new("bob", "example.org");
        world.command(watcher, Command::Unsubscribe { target, package: Package::Presence });
        world.until("bob", |event| matches!(event, Event::Watcher { status: Status::Waiting, .. }));
    }
}

/// RFC 3858 §3: every document of the wire is XML 1.0 in UTF-8, with version and state, resource
/// and package, and is read again.
#[test]
fn a_watcherinfo_document_on_the_wire_is_whole() {
    let (mut stage, mut alice, mut bob) = scene();
    bob.watch(&mut stage, "bob", "presence.winfo", 600);
    let first = bob.told(&mut stage);
    let text = alice.write(
        "SUBSCRIBE",
        "sip:bob@example.org",
        &Head {
            to: "sip:bob@example.org",
            to_tag: None,
            tag: "a1",
            call_id: "c1",
            extra: &["Event: presence"],
        },
        ("", ""),
    );
    let named = "From: \"Älice <&> Co\" <sip:alice";
    stage.packet(alice.addr, text.replace("From: <sip:alice", named));
    assert_eq!(stage.response(alice.addr).status(), 200);
    for (version, told) in [first, bob.told(&mut stage)].into_iter().enumerate() {
        assert_eq!(
            told.request.content_type().expect("a body").essence,
            "application/watcherinfo+xml"
        );
        let text = std::str::from_utf8(&told.body).expect("UTF-8");
        assert!(text.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>"), "{text}");
        assert!(text.contains(&format!(" version=\"{version}\" state=\"")), "{text}");
        assert!(text.contains("resource=\"sip:bob@example.org\" package=\"presence\""), "{text}");
        let info = told.winfo();
        assert_eq!(info.version as usize, version);
        let names = info.lists[0].watchers.iter().filter_map(|row| row.display_name.as_deref());
        assert_eq!(names.collect::<Vec<_>>(), ["Älice <&> Co"][..version]);
    }
}

/// RFC 3856 §5, §9.2; RFC 3857 §6.2: a scheme that is not understood is refused as such, and so is
/// sips as long as there is no TLS to keep its promise.
#[test]
fn pres_and_sips_are_refused_by_their_scheme() {
    let (mut stage, mut alice, _bob) = scene();
    for scheme in ["pres", "sips"] {
        for package in ["Event: presence", "Event: presence.winfo"] {
            let uri = format!("{scheme}:bob@example.org");
            let lines = [package];
            let head = Head { to: &uri, to_tag: None, tag: "a1", call_id: "c1", extra: &lines };
            let text = alice.write("SUBSCRIBE", &uri, &head, ("", ""));
            stage.packet(alice.addr, text);
            assert_eq!(stage.response(alice.addr).status(), 416, "{scheme} {package}");
        }
    }
    stage.silent(alice.addr);
    assert!(stage.server.tables(stage.now).pst.is_empty());
}
