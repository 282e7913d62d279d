//! M11 as a table: every state of a publication against every PUBLISH and its deadline.

use presently_engine::message::Name;
use presently_tests::{Phone, Stage, phone, stage};
use std::fmt::Write;
use std::time::Duration;

const STATES: [&str; 3] = ["nothing published", "live", "expired"];
const EVENTS: [&str; 16] = [
    "body",
    "body, Expires 0",
    "no body",
    "If-Match, no body",
    "If-Match, same body",
    "If-Match, new body",
    "If-Match, no body, Expires 0",
    "If-Match, body, Expires 0",
    "If-Match of another",
    "two If-Match",
    "outdated If-Match",
    "Expires 5",
    "text/plain body",
    "broken body",
    "of somebody else",
    "deadline",
];

struct Scene {
    stage: Stage,
    bob: Phone,
    alice: Phone,
    etag: Option<String>,
}

fn reach(state: &str) -> Scene {
    let mut stage = Stage::new(stage::config());
    stage.config.default_policy = presently_engine::body::presrules::Handling::Allow;
    let (mut bob, mut alice) = (Phone::new("bob", 5070), Phone::new("alice", 5080));
    alice.watch(&mut stage, "bob", "presence", 86_400);
    alice.told(&mut stage);
    let mut etag = None;
    if state != "nothing published" {
        let answer = bob.publish(&mut stage, "here", None);
        etag = answer.first(Name::SipEtag).map(str::to_owned);
        alice.told(&mut stage);
    }
    if state == "expired" {
        stage.pass(Duration::from_secs(3606));
        alice.told(&mut stage);
    }
    Scene { stage, bob, alice, etag }
}

/// Header lines and body of an event.
fn ask(event: &str, etag: Option<&str>) -> (Vec<String>, &'static str, String) {
    let known = etag.unwrap_or("0123456789abcdef").to_owned();
    let mut lines = vec!["Event: presence".to_owned()];
    let mut kind = "application/pidf+xml";
    let mut body = phone::pidf("bob", "here");
    match event {
        "two If-Match" => lines.push(format!("SIP-If-Match: {known}, {known}")),
        "If-Match of another" => lines.push("SIP-If-Match: not-one-of-ours".to_owned()),
        "outdated If-Match" => lines.push("SIP-If-Match: 00000000deadbeef".to_owned()),
        _ if event.starts_with("If-Match") => lines.push(format!("SIP-If-Match: {known}")),
        "text/plain body" => kind = "text/plain",
        "broken body" => body = "<presence".to_owned(),
        "Expires 5" => lines.push("Expires: 5".to_owned()),
        _ => {}
    }
    if event.ends_with("Expires 0") {
        lines.push("Expires: 0".to_owned());
    }
    if event.contains("new body") {
        body = phone::pidf("bob", "moved");
    }
    if event.contains("no body") {
        (kind, body) = ("", String::new());
    }
    (lines, kind, body)
}

fn happen(scene: &mut Scene, event: &str) -> String {
    let Scene { stage, bob, etag, .. } = scene;
    if event == "deadline" {
        stage.pass(Duration::from_secs(3606));
        return "-".to_owned();
    }
    let (lines, kind, body) = ask(event, etag.as_deref());
    let extra: Vec<&str> = lines.iter().map(String::as_str).collect();
    let mut stranger = Phone::new("carol", 5090);
    let (who, target) = match event {
        "of somebody else" => (&mut stranger, "bob"),
        _ => (bob, "bob"),
    };
    let answer = who.ask(stage, "PUBLISH", target, &extra, (kind, &body));
    let mut text = answer.status().to_string();
    for name in [Name::Expires, Name::MinExpires, Name::Accept] {
        if let Some(value) = answer.first(name) {
            write!(text, " {}: {value}", name.as_str()).expect("a string");
        }
    }
    if let Some(new) = answer.first(Name::SipEtag) {
        text.push_str(if Some(new) == etag.as_deref() { " same etag" } else { " new etag" });
    }
    text
}

/// What alice was told, as notes; nothing if the document did not change.
fn told(scene: &mut Scene) -> String {
    let (mut text, mut last) = (String::new(), 0);
    while scene.stage.waiting(scene.alice.addr) > 0 {
        let told = scene.alice.told(&mut scene.stage);
        if std::mem::replace(&mut last, told.cseq) == told.cseq {
            continue;
        }
        let document = told.pidf();
        let note = document.tuples.iter().flat_map(|tuple| &tuple.notes).next();
        let note = note.map_or("closed".to_owned(), |note| format!("\"{}\"", note.text));
        write!(text, "; alice sees {note}").expect("a string");
    }
    text
}

#[test]
fn every_state_against_every_event() {
    let mut table = String::new();
    for state in STATES {
        writeln!(table, "{state}").expect("a string");
        for event in EVENTS {
            let mut scene = reach(state);
            let answer = happen(&mut scene, event);
            let seen = told(&mut scene);
            let live = scene.stage.server.tables(scene.stage.now).pit.len();
            writeln!(table, "  {event:<28} {answer}{seen}; PIT {live}").expect("a string");
        }
    }
    insta::assert_snapshot!(table);
}
