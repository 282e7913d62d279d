//! The traces of behaviour §7 over real sockets: between raw phones where every document and
//! version counts, between agents where people would sit.

use crate::rig::{Agent, House, Phone, Server};
use presently_engine::message::Name;
use serde_json::Value;
use std::time::Duration;

/// Subscriptions may be as short as a second and end soon after.
const SHORT: &str = "[limits]\nsub_min = 1\nexpiry_grace_ms = 200\n";

const WINFO: &str = "presence.winfo";

/// A server, bob who sees his watchers, and alice.
fn morning(house: &mut House) -> (Server, Phone, Phone) {
    let server = house.open();
    let mut bob = Phone::new("bob", server.address);
    let alice = Phone::new("alice", server.address);
    bob.watch("bob", WINFO, 3600);
    assert_eq!(bob.told().winfo_line(), "v0 full []");
    (server, bob, alice)
}

/// T1, document by document. Alice's last refresh asks for a second, so that she expires.
#[test]
fn t1_approval() {
    let mut house = House::new(SHORT);
    let (_server, mut bob, mut alice) = morning(&mut house);
    bob.publish("at my desk");

    let watch = alice.watch("bob", "presence", 3600);
    let pending = alice.told();
    assert_eq!(pending.state(), ("pending", None));
    assert!(pending.pidf().tuples.is_empty(), "undecided watchers see nothing");
    assert_eq!(bob.told().winfo_line(), "v1 partial [alice pending/subscribe]");

    bob.decide("alice", "allow");
    let active = alice.told();
    assert_eq!(active.state(), ("active", None));
    assert_eq!(active.notes(), ["at my desk"]);
    assert_eq!(bob.told().winfo_line(), "v2 partial [alice active/approved]");

    assert_eq!(alice.renew(&watch, 1).status(), 200);
    assert_eq!(alice.told().state(), ("active", None));
    assert_eq!(alice.told().state(), ("terminated", Some("timeout")));
    assert_eq!(bob.told().winfo_line(), "v3 partial [alice terminated/timeout]");
}

/// T1 as people live it, with offer, changes, a refusal and a logout.
#[test]
fn t1_approval_between_agents() {
    let mut house = House::new("");
    let server = house.open();
    let mut bob = Agent::login("bob", server.address);
    let mut alice = Agent::login("alice", server.address);
    bob.order("presence open at my desk");
    bob.order("offer audio ready");
    bob.order("winfo");
    bob.until("subscription", &[("package", WINFO), ("state", "active")]);

    alice.order("watch bob");
    alice.until("subscription", &[("target", "sip:bob@example.org"), ("state", "pending")]);
    bob.until("watcher", &[("uri", "sip:alice@example.org"), ("status", "pending")]);
    bob.order("allow alice");
    bob.until("watcher", &[("status", "active"), ("cause", "approved")]);
    alice.until("offer", &[("media", "audio"), ("mode", "ready")]);
    alice.until("presence", &[("basic", "open"), ("note", "at my desk")]);

    bob.order("presence open in a meeting");
    alice.until("presence", &[("note", "in a meeting")]);
    alice.order("message bob lunch?");
    bob.until("message", &[("text", "lunch?"), ("stored", "false")]);
    alice.until("message-status", &[("state", "delivered")]);

    bob.order("block alice");
    alice.until("subscription", &[("state", "terminated"), ("reason", "rejected")]);
    bob.until("watcher", &[("status", "terminated"), ("cause", "rejected")]);
    assert!(alice.logout().success());
    assert!(bob.logout().success());
    server.until(|server| server.size("bindings"), |bindings| *bindings == 0);
}

/// T2: nobody decides in time; the decision that comes later ends the waiting.
#[test]
fn t2_expiry_unapproved() {
    let mut house = House::new(SHORT);
    let (_server, mut bob, mut alice) = morning(&mut house);
    alice.watch("bob", "presence", 1);
    assert_eq!(alice.told().state(), ("pending", None));
    assert_eq!(bob.told().winfo_line(), "v1 partial [alice pending/subscribe]");
    assert_eq!(alice.told().state(), ("terminated", Some("timeout")));
    let waiting = bob.told();
    assert_eq!(waiting.winfo_line(), "v2 partial [alice waiting/timeout]");

    bob.decide("alice", "allow");
    assert_eq!(bob.told().winfo_line(), "v3 partial [alice terminated/approved]");
    let watch = alice.watch("bob", "presence", 3600);
    let active = alice.told();
    assert_eq!(active.state(), ("active", None));
    let dialog = active.request.call_id().expect("a Call-ID");
    assert_eq!(dialog, watch.call_id(), "the decision itself told alice nothing");
    let again = bob.told();
    assert_eq!(again.winfo_line(), "v4 partial [alice active/subscribe]");
    let id = |told: &crate::rig::Told| told.winfo().lists[0].watchers[0].id.clone();
    assert_ne!(id(&again), id(&waiting), "an id is never used again (P10)");
}

/// T3: a stranger's fetch leaves a record that waits; the subscription replaces it, and one
/// document tells of both.
#[test]
fn t3_fetch_by_a_stranger() {
    let mut house = House::new("");
    let (_server, mut bob, mut alice) = morning(&mut house);
    alice.watch("bob", "presence", 0);
    let fetched = alice.told();
    assert_eq!(fetched.state(), ("terminated", Some("timeout")));
    assert!(fetched.pidf().tuples.is_empty(), "undecided watchers see nothing");
    assert_eq!(bob.told().winfo_line(), "v1 partial [alice waiting/timeout]");

    alice.watch("bob", "presence", 3600);
    assert_eq!(alice.told().state(), ("pending", None));
    let both = "v2 partial [alice pending/subscribe, alice terminated/giveup]";
    assert_eq!(bob.told().winfo_line(), both);
}

/// T4: carol sees her own rows of bob's watchers. What happens to alice leaves no gap in carol's
/// versions and CSeqs, so she was told nothing (D9).
#[test]
fn t4_self_view() {
    let mut house = House::new("");
    let (server, mut bob, mut alice) = morning(&mut house);
    let mut carol = Phone::new("carol", server.address);
    let view = carol.watch("bob", WINFO, 3600);
    assert_eq!(carol.told().winfo_line(), "v0 full []");
    carol.watch("bob", "presence", 3600);
    let (one, other) = (carol.told(), carol.told());
    let own = if one.request.call_id() == Ok(view.call_id()) { one } else { other };
    assert_eq!(own.winfo_line(), "v1 partial [carol pending/subscribe]");

    alice.watch("bob", "presence", 3600);
    assert_eq!(alice.told().state(), ("pending", None));
    bob.decide("alice", "allow");
    assert_eq!(alice.told().state(), ("active", None));
    assert_eq!(carol.renew(&view, 3600).status(), 200);
    let full = carol.told();
    assert_eq!(full.winfo_line(), "v2 full [carol pending/subscribe]");
    assert_eq!(full.cseq, own.cseq + 1);
}

/// T5: a document that was answered 500 may be lost, so the next one is full (D6).
#[test]
fn t5_full_document_after_a_500() {
    let mut house = House::new("");
    let (_server, mut bob, mut alice) = morning(&mut house);
    alice.watch("bob", "presence", 3600);
    assert_eq!(bob.told().winfo_line(), "v1 partial [alice pending/subscribe]");
    bob.decide("alice", "allow");
    assert_eq!(bob.told_and(500).winfo_line(), "v2 partial [alice active/approved]");
    assert_eq!(bob.told().winfo_line(), "v3 full [alice active/approved]");
}

/// T9: what was captured and is sent again later, as new transactions, is refused as stale and
/// changes nothing. With a small T1 the first transactions are forgotten soon.
#[test]
fn t9_replay() {
    let mut house = House::new("[timing]\nt1_ms = 50\n");
    let server = house.open();
    let mut bob = Phone::new("bob", server.address);
    let mut alice = Phone::new("alice", server.address);
    let mut thief = Phone::new("thief", server.address);
    bob.register();
    alice.watch("bob", "presence", 3600);
    let subscribe = alice.last.clone();
    assert_eq!(alice.told().state(), ("pending", None));
    alice.send_and_be_heard(&mut bob, "lunch?");
    let message = alice.last.clone();
    // The server is the agent of a subscription and the proxy of a message.
    let captured =
        [(subscribe, 401, Name::WwwAuthenticate), (message, 407, Name::ProxyAuthenticate)];

    let forgotten = |server: &Server| server.size("server_transactions");
    server.until(forgotten, |transactions| *transactions == 0);
    let before = still(server.tables());
    for (index, (captured, status, name)) in captured.into_iter().enumerate() {
        let answer = thief.replay(&captured, &format!("thief-{index}"));
        assert_eq!(answer.status(), status);
        let mut challenges = answer.lines(name).peekable();
        assert!(challenges.peek().is_some(), "{answer:?}");
        assert!(challenges.all(|line| line.contains("stale=true")), "{answer:?}");
    }
    assert_eq!(still(server.tables()), before);
    alice.send_and_be_heard(&mut bob, "coffee?");
    assert!(thief.next(Duration::ZERO).is_none() && alice.next(Duration::ZERO).is_none());
}

impl Phone {
    /// A message that is the next thing the other one hears.
    fn send_and_be_heard(&mut self, other: &mut Phone, text: &str) {
        let draft = self.message(&other.user, text);
        let heard = std::thread::scope(|scope| {
            let hearing = scope.spawn(|| other.take(200).body());
            assert_eq!(self.ask(&draft).status(), 200);
            hearing.join().expect("the message arrives")
        });
        assert_eq!(heard, text);
    }
}

/// Tables without what changes by itself.
fn still(mut tables: Value) -> Value {
    for table in ["PST", "WST"] {
        for row in tables[table].as_array_mut().expect("rows") {
            row["remaining"].take();
        }
    }
    tables
}

/// T10: a message for somebody who is not there is kept, and shown once when he is.
#[test]
fn t10_offline_message() {
    let mut house = House::new("");
    let server = house.open();
    let mut alice = Agent::login("alice", server.address);
    alice.order("message bob lunch?");
    alice.until("message-status", &[("state", "stored"), ("status", "202")]);
    assert_eq!(server.size("stored_messages"), 1);

    let mut bob = Agent::login("bob", server.address);
    bob.until("message", &[("text", "lunch?"), ("stored", "true")]);
    server.until(|server| server.size("stored_messages"), |kept| *kept == 0);
    alice.order("message bob coffee?");
    bob.until("message", &[("text", "coffee?"), ("stored", "false")]);
    assert_eq!(bob.count("message", &[]), 2, "each is shown once");
}

/// T10 with a receiver whose 200 is lost: the same bytes come again, and after that nothing.
#[test]
fn t10_the_answer_to_a_stored_message_is_lost() {
    let mut house = House::new("");
    let server = house.open();
    let mut bob = Phone::new("bob", server.address);
    let mut alice = Phone::new("alice", server.address);
    let draft = alice.message("bob", "lunch?");
    assert_eq!(alice.ask(&draft).status(), 202);

    bob.register();
    let kept = bob.take_as_if_the_answer_were_lost();
    assert_eq!(kept.body(), "lunch?");
    assert!(kept.other("DM-Stored").is_some(), "{kept:?}");
    server.until(|server| server.size("stored_messages"), |kept| *kept == 0);
    bob.register();
    alice.send_and_be_heard(&mut bob, "coffee?");
}

/// T11: the server is killed while alice watches bob. At the first challenge of the new boot
/// everybody registers, publishes and subscribes again, within ten seconds.
#[test]
fn t11_server_restart() {
    let mut house = House::new("");
    let server = house.open();
    let mut bob = Agent::login("bob", server.address);
    let mut alice = Agent::login("alice", server.address);
    bob.order("presence open at my desk");
    bob.order("winfo");
    alice.order("presence open here too");
    alice.order("watch bob");
    bob.until("watcher", &[("status", "pending")]);
    bob.order("allow alice");
    alice.until("presence", &[("note", "at my desk")]);
    bob.until("watcher", &[("status", "active")]);
    let dialogs = |tables: &Value, table: &str| -> Vec<Value> {
        tables[table].as_array().expect("rows").iter().map(|row| row["callid"].clone()).collect()
    };
    let before = server.tables();

    server.kill();
    let server = house.open();
    bob.order("presence open back again");
    alice.order("presence open back too");
    let soon = Duration::from_secs(10);
    let there = [("registered", &[][..]), ("published", &[])];
    bob.until("server-restarted", &[]);
    let sees_watchers = ("subscription", &[("package", WINFO), ("state", "active")][..]);
    bob.all_within(
        soon,
        &[there[0], there[1], sees_watchers, ("watcher", &[("status", "active")])],
    );
    alice.until("server-restarted", &[]);
    let watches = ("subscription", &[("package", "presence"), ("state", "active")][..]);
    let sees = ("presence", &[("note", "back again")][..]);
    alice.all_within(soon, &[there[0], there[1], watches, sees]);
    let fresh = |tables: &Value, table| {
        let found = dialogs(tables, table);
        found.iter().any(|dialog| !dialogs(&before, table).contains(dialog))
    };
    server.until(Server::tables, |tables| fresh(tables, "WST") && fresh(tables, "PST"));
    // The next NOTIFY in a dialog that its agent has given up is answered 481 and ends it.
    bob.order("presence open and well");
    alice.until("presence", &[("note", "and well")]);
    // Without a change of its rows a dialog about watchers would not have a next NOTIFY.
    let hers = |state| [("package", "presence"), ("state", state)];
    alice.order("unwatch bob");
    alice.until("subscription", &hers("terminated"));
    alice.order("watch bob");
    alice.until("subscription", &hers("active"));
    let after = server.until(Server::tables, |tables| {
        ["WST", "PST"].iter().all(|table| dialogs(tables, table).len() == 1)
    });
    assert!(fresh(&after, "WST") && fresh(&after, "PST"), "{after:#}");
    assert_eq!(after["PIT"].as_array().map(Vec::len), Some(2), "{after:#}");
    assert_eq!(server.size("bindings"), 2);
}

/// R47: phones that never heard of boots keep their dialogs. What comes after `kill -9` continues
/// above everything before it, and a refresh is a refresh.
#[test]
fn t11_dialogs_survive() {
    let mut house = House::new("");
    let (server, mut bob, mut alice) = morning(&mut house);
    bob.publish("at my desk");
    let watch = alice.watch("bob", "presence", 3600);
    assert_eq!(alice.told().state(), ("pending", None));
    assert_eq!(bob.told().winfo_line(), "v1 partial [alice pending/subscribe]");
    bob.decide("alice", "allow");
    let before = (alice.told(), bob.told());
    assert_eq!(before.1.winfo_line(), "v2 partial [alice active/approved]");

    server.kill();
    let _server = house.open();
    let after = (alice.told(), bob.told());
    assert_eq!(after.0.state(), ("active", None));
    assert_eq!(after.0.notes(), ["at my desk"]);
    assert!(after.0.cseq > before.0.cseq && after.1.cseq > before.1.cseq);
    let (old, new) = (before.1.winfo(), after.1.winfo());
    assert!(new.full && new.version > old.version, "{}", after.1.winfo_line());
    assert_eq!(new.lists[0].watchers[0].id, old.lists[0].watchers[0].id);
    assert_eq!(alice.renew(&watch, 3600).status(), 200);
    assert_eq!(alice.told().state(), ("active", None));
}

/// T12: a client of 2003 gets the media type and the namespace of 2003 (D23).
#[test]
fn t12_legacy_format() {
    let mut house = House::new("default_policy = \"allow\"\n");
    let server = house.open();
    let mut alice = Phone::new("alice", server.address);
    let mut draft = alice.subscription("bob", "presence", 3600);
    draft.lines.push("Accept: application/cpim-pidf+xml".to_owned());
    assert_eq!(alice.ask(&draft).status(), 200);
    let told = alice.told().request;
    let kind = told.content_type().expect("a body").essence.to_owned();
    assert_eq!(kind, "application/cpim-pidf+xml");
    let text = String::from_utf8(told.body().to_vec()).expect("UTF-8");
    assert!(text.contains("\"urn:ietf:params:xml:ns:cpim-pidf\""), "{text}");
}
