//! M13 as a table: every state of an inner subscription against every event, seen from outside.
//!
//! Each cell is played from scratch on a fresh server: bring the subscription into the state, let
//! the event happen, write down what the watcher got, what the owner's winfo said, and where the
//! watcher row stands. The snapshot is the reviewable form of behaviour M13.

use presently_engine::Input;
use presently_engine::body::presrules::{Handling, Verdict};
use presently_engine::message::{Aor, Message};
use presently_engine::server::Command;
use presently_tests::{Phone, Stage, Watch, stage};
use std::fmt::Write;
use std::time::Duration;

const STATES: [&str; 7] =
    ["init", "pending", "active", "polite", "waiting", "blocked", "terminated"];
const EVENTS: [&str; 16] = [
    "SUBSCRIBE",
    "fetch",
    "refresh",
    "unsubscribe",
    "expiry",
    "give-up",
    "NOTIFY 481",
    "NOTIFY 500",
    "NOTIFY lost",
    "publish",
    "allow",
    "polite",
    "ask",
    "block",
    "shutdown",
    "account deleted",
];

struct Scene {
    stage: Stage,
    bob: Phone,
    alice: Phone,
    watch: Option<Watch>,
}

fn decide(scene: &mut Scene, handling: Option<Handling>) {
    let verdict = handling.map(|handling| Verdict { handling, direct: true });
    let presentity = Aor::parse("sip:bob@example.org").expect("an AOR");
    let watcher = Aor::parse("sip:alice@example.org").expect("an AOR");
    scene.stage.input(Input::Command(Command::Decide { presentity, watcher, verdict }));
}

/// Takes and answers everything that waits for a phone.
fn drain(scene: &mut Scene) {
    for phone in [&scene.bob, &scene.alice] {
        while let Some(message) = scene.stage.next(phone.addr) {
            if let Message::Request(request) = message {
                phone.answer(&mut scene.stage, &request, 200);
            }
        }
    }
}

fn reach(state: &str, giveup: Duration) -> Scene {
    let mut stage = Stage::new(stage::config());
    stage.config.limits.giveup_pending = giveup;
    stage.config.limits.giveup_waiting = giveup;
    stage.config.limits.sub_max = 3600;
    let (bob, alice) = (Phone::new("bob", 5070), Phone::new("alice", 5080));
    let mut scene = Scene { stage, bob, alice, watch: None };
    scene.bob.publish(&mut scene.stage, "here", None);
    scene.bob.watch(&mut scene.stage, "bob", "presence.winfo", 3600);
    drain(&mut scene);
    match state {
        "init" => {}
        "blocked" => decide(&mut scene, Some(Handling::Block)),
        "waiting" => {
            scene.alice.watch(&mut scene.stage, "bob", "presence", 0);
        }
        _ => {
            let watch = scene.alice.watch(&mut scene.stage, "bob", "presence", 600);
            scene.watch = Some(watch);
        }
    }
    drain(&mut scene);
    match state {
        "active" => decide(&mut scene, Some(Handling::Allow)),
        "polite" => decide(&mut scene, Some(Handling::PoliteBlock)),
        // Draining: the terminal NOTIFY is not answered yet.
        "terminated" => {
            decide(&mut scene, Some(Handling::Block));
            return scene;
        }
        _ => {}
    }
    drain(&mut scene);
    scene
}

fn happen(scene: &mut Scene, event: &str) -> String {
    let Scene { stage, bob, alice, watch } = scene;
    let status = |answer: presently_engine::message::Response| format!("{} ", answer.status());
    match (event, watch.clone()) {
        ("SUBSCRIBE", _) => return status(alice.try_watch(stage, "bob", "presence", 600).1),
        ("fetch", _) => return status(alice.try_watch(stage, "bob", "presence", 0).1),
        ("refresh" | "unsubscribe", Some(watch)) => {
            if event == "refresh" {
                stage.lose_mail();
                return status(alice.renew(stage, &watch, 600));
            }
            stage.lose_mail();
            return status(alice.renew(stage, &watch, 0));
        }
        ("NOTIFY 481" | "NOTIFY 500" | "NOTIFY lost", Some(watch)) => {
            if alice_is_silent(stage, alice) {
                alice.renew(stage, &watch, 600);
            }
            let told = alice.told_quietly(stage);
            match event {
                "NOTIFY lost" => {
                    stage.pass(Duration::from_secs(33));
                    stage.lose_mail_of(alice.addr);
                }
                _ => {
                    alice.answer(stage, &told.request, if event.ends_with('1') { 481 } else { 500 })
                }
            }
        }
        ("refresh" | "unsubscribe" | "NOTIFY 481" | "NOTIFY 500" | "NOTIFY lost", None) => {
            return "n/a ".to_owned();
        }
        ("expiry", _) => stage.pass(Duration::from_secs(606)),
        ("give-up", _) => stage.pass(Duration::from_secs(61)),
        ("publish", _) => {
            bob.publish(stage, "moved", None);
        }
        ("allow", _) => decide(scene, Some(Handling::Allow)),
        ("polite", _) => decide(scene, Some(Handling::PoliteBlock)),
        ("ask", _) => decide(scene, Some(Handling::Confirm)),
        ("block", _) => decide(scene, Some(Handling::Block)),
        ("shutdown", _) => stage.input(Input::Command(Command::Shutdown)),
        ("account deleted", _) => {
            let bob = Aor::parse("sip:bob@example.org").expect("an AOR");
            stage.input(Input::Command(Command::Remove(bob)));
        }
        (other, _) => panic!("no such event: {other}"),
    }
    String::new()
}

fn alice_is_silent(stage: &mut Stage, alice: &Phone) -> bool {
    stage.waiting(alice.addr) == 0
}

/// What both ends were told, in order, answering each NOTIFY.
fn transcript(scene: &mut Scene) -> String {
    let mut text = String::new();
    for (name, phone) in [("alice", &scene.alice), ("bob", &scene.bob)] {
        let mut last = String::new();
        while let Some(message) = scene.stage.next(phone.addr) {
            let Message::Request(request) = message else { continue };
            let Some(state) = request.subscription_state() else { continue };
            let reason = state.reason.map_or_else(String::new, |reason| format!("({reason})"));
            let body = match (name, request.body()) {
                ("bob", body) => winfo(&body),
                (_, body) if body.is_empty() => " no body".to_owned(),
                (_, body) => document(&body),
            };
            let line = format!("{name}: {}{reason}{body}; ", state.state);
            if line != last {
                text.push_str(&line);
            }
            last = line;
            phone.answer(&mut scene.stage, &request, 200);
        }
    }
    text
}

fn document(body: &[u8]) -> String {
    let document = presently_engine::body::pidf::Pidf::parse(body).expect("valid PIDF");
    match document.tuples.first() {
        None => " neutral".to_owned(),
        Some(tuple) if tuple.timestamp.is_none() => " constant".to_owned(),
        Some(tuple) => {
            let note = tuple.notes.first().map_or("", |note| &*note.text);
            format!(" \"{note}\"")
        }
    }
}

fn winfo(body: &[u8]) -> String {
    let info = presently_engine::body::winfo::WatcherInfo::parse(body).expect("valid winfo");
    let rows: Vec<String> = info.lists[0]
        .watchers
        .iter()
        .map(|row| format!("{}/{}", row.status.as_str(), row.event.as_str()))
        .collect();
    format!(" [{}]", rows.join(", "))
}

fn rows(scene: &Scene) -> String {
    let tables = scene.stage.server.tables(scene.stage.now);
    let rows: Vec<String> =
        tables.wt.iter().map(|row| format!("{}/{}", row.status, row.event)).collect();
    format!("WT [{}]", rows.join(", "))
}

#[test]
fn every_state_against_every_event() {
    let mut table = String::new();
    for state in STATES {
        writeln!(table, "{state}").expect("a string");
        for event in EVENTS {
            let giveup = if event == "give-up" { 60 } else { 100_000 };
            let mut scene = reach(state, Duration::from_secs(giveup));
            let answer = happen(&mut scene, event);
            let seen = transcript(&mut scene);
            writeln!(table, "  {event:<16} {answer}{seen}{}", rows(&scene)).expect("a string");
        }
    }
    insta::assert_snapshot!(table);
}
