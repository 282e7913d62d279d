//! M16 as a table: what each kind of winfo subscriber is told by each thing that can happen.

use presently_engine::body::presrules::{Handling, Verdict};
use presently_engine::message::Aor;
use presently_engine::server::Command;
use presently_engine::{Input, message::Message};
use presently_tests::{Phone, Stage, Watch, stage};
use std::fmt::Write;
use std::time::Duration;

const SUBSCRIBERS: [&str; 4] = ["owner", "watcher itself", "another user", "blocked watcher"];
const EVENTS: [&str; 12] = [
    "SUBSCRIBE accepted",
    "fetch",
    "watcher subscribes",
    "watcher is approved",
    "watcher is polite-blocked",
    "watcher is blocked",
    "watcher comes and goes",
    "refresh",
    "unsubscribe",
    "500, then a change",
    "481, then a change",
    "expiry",
];

struct Scene {
    stage: Stage,
    seer: Phone,
    alice: Phone,
    view: Option<Watch>,
    status: u16,
}

fn decide(stage: &mut Stage, handling: Handling) {
    let verdict = Some(Verdict { handling, direct: true });
    let presentity = Aor::parse("sip:bob@example.org").expect("an AOR");
    let watcher = Aor::parse("sip:alice@example.org").expect("an AOR");
    stage.input(Input::Command(Command::Decide { presentity, watcher, verdict }));
}

fn reach(subscriber: &str, event: &str) -> Scene {
    let mut stage = Stage::new(stage::config());
    let name = match subscriber {
        "owner" => "bob",
        "another user" => "carol",
        _ => "alice",
    };
    if subscriber == "blocked watcher" {
        decide(&mut stage, Handling::Block);
    }
    let (mut seer, alice) = (Phone::new(name, 5070), Phone::new("alice", 5080));
    let seconds = if event == "fetch" { 0 } else { 600 };
    let (view, answer) = seer.try_watch(&mut stage, "bob", "presence.winfo", seconds);
    let status = answer.status();
    let view = (status == 200).then_some(view);
    Scene { stage, seer, alice, view, status }
}

/// Takes and answers what waits for the subscriber, as one line each.
fn documents(scene: &mut Scene, status: u16) -> String {
    let (mut text, mut last) = (String::new(), 0);
    while scene.stage.waiting(scene.seer.addr) > 0 {
        let told = scene.seer.told_and(&mut scene.stage, status);
        if std::mem::replace(&mut last, told.cseq) == told.cseq {
            continue;
        }
        let reason = told.reason.clone().map_or_else(String::new, |reason| format!("({reason})"));
        write!(text, "{}{reason} {}; ", told.state, told.winfo_line()).expect("a string");
    }
    text
}

fn answer_alice(scene: &mut Scene) {
    while let Some(message) = scene.stage.next(scene.alice.addr) {
        if let Message::Request(request) = message {
            scene.alice.answer(&mut scene.stage, &request, 200);
        }
    }
}

fn alice_subscribes(scene: &mut Scene) {
    scene.alice.try_watch(&mut scene.stage, "bob", "presence", 300);
    answer_alice(scene);
}

fn happen(scene: &mut Scene, event: &str) -> String {
    match event {
        "SUBSCRIBE accepted" | "fetch" => return documents(scene, 200),
        "500, then a change" => {
            documents(scene, 500);
            alice_subscribes(scene);
            scene.stage.pass(Duration::from_secs(1));
            return documents(scene, 200);
        }
        "481, then a change" => {
            documents(scene, 481);
            alice_subscribes(scene);
            return documents(scene, 200);
        }
        _ => documents(scene, 200),
    };
    match event {
        "watcher subscribes" => alice_subscribes(scene),
        "watcher comes and goes" => {
            // Nobody answers the first NOTIFY, so both changes fall between two documents.
            let watch = scene.alice.try_watch(&mut scene.stage, "bob", "presence", 300);
            scene.alice.renew(&mut scene.stage, &watch.0, 0);
        }
        "watcher is approved" | "watcher is polite-blocked" | "watcher is blocked" => {
            alice_subscribes(scene);
            documents(scene, 200);
            let handling = match event {
                "watcher is approved" => Handling::Allow,
                "watcher is polite-blocked" => Handling::PoliteBlock,
                _ => Handling::Block,
            };
            decide(&mut scene.stage, handling);
            answer_alice(scene);
        }
        "refresh" | "unsubscribe" => {
            let Some(view) = scene.view.clone() else { return String::new() };
            let seconds = if event == "refresh" { 600 } else { 0 };
            scene.seer.renew(&mut scene.stage, &view, seconds);
        }
        "expiry" => scene.stage.pass(Duration::from_secs(606)),
        other => panic!("no such event: {other}"),
    }
    documents(scene, 200)
}

#[test]
fn every_subscriber_against_every_event() {
    let mut table = String::new();
    for subscriber in SUBSCRIBERS {
        writeln!(table, "{subscriber}").expect("a string");
        for event in EVENTS {
            let mut scene = reach(subscriber, event);
            let seen = if scene.status == 200 { happen(&mut scene, event) } else { String::new() };
            let seen = if seen.is_empty() { "nothing".to_owned() } else { seen };
            let left = scene.stage.server.tables(scene.stage.now).wst.len();
            writeln!(table, "  {event:<26} {} {seen} WST {left}", scene.status).expect("a string");
        }
    }
    insta::assert_snapshot!(table);
}
