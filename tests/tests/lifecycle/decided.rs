//! The owner's rules as a whole: what a PUBLISH of them changes, and what it says.

use super::{drain, scene};
use presently_engine::body::presrules::{Handling, Rules};
use presently_engine::message::{Name, Response};
use presently_engine::server::{Command, Event};
use presently_engine::{Input, Machine};
use presently_tests::{Phone, Stage};
use std::time::Duration;

fn tag(answer: &Response) -> String {
    assert_eq!(answer.status(), 200);
    answer.first(Name::SipEtag).expect("an entity-tag").to_owned()
}

/// Bob PUBLISHes rules without a body.
fn bare(stage: &mut Stage, bob: &mut Phone, expires: u32, if_match: Option<&str>) -> Response {
    let mut lines = vec!["Event: x-presrules".to_owned(), format!("Expires: {expires}")];
    lines.extend(if_match.map(|tag| format!("SIP-If-Match: {tag}")));
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    bob.ask(stage, "PUBLISH", "bob", &lines, ("", ""))
}

/// What the server says the rules are, to somebody who knows an older version.
fn rules(stage: &mut Stage, bob: &mut Phone) -> Vec<(String, Handling)> {
    let answer = bare(stage, bob, 3600, Some("0000000000000001"));
    assert_eq!(answer.status(), 412);
    let rules = Rules::parse(&answer.body()).expect("a document of rules");
    let verdict = |(watcher, verdict): (&presently_engine::message::Aor, &_)| {
        let verdict: &presently_engine::body::presrules::Verdict = verdict;
        (watcher.user().to_owned(), verdict.handling)
    };
    rules.verdicts.iter().map(verdict).collect()
}

#[test]
fn a_body_is_not_needed_to_keep_rules_or_to_take_them_back() {
    let (mut stage, mut alice, mut bob) = scene();
    for expires in [3600, 0] {
        assert_eq!(bare(&mut stage, &mut bob, expires, None).status(), 400, "nothing to keep");
    }
    let first = tag(&bob.decide(&mut stage, &[("alice", "allow")], None));
    alice.watch(&mut stage, "bob", "presence", 600);
    assert_eq!(alice.told(&mut stage).state, "active");
    let kept = tag(&bare(&mut stage, &mut bob, 3600, Some(&first)));
    assert_ne!(kept, first);
    assert_eq!(rules(&mut stage, &mut bob), [("alice".to_owned(), Handling::Allow)]);
    stage.silent(alice.addr);
    tag(&bare(&mut stage, &mut bob, 0, Some(&kept)));
    assert_eq!(rules(&mut stage, &mut bob), []);
    assert_eq!(alice.told(&mut stage).state, "pending");
}

#[test]
fn only_what_differs_is_decided() {
    let (mut stage, mut alice, mut bob) = scene();
    let mut carol = Phone::new("carol", 5090);
    let both = [("alice", "allow"), ("carol", "allow")];
    let first = tag(&bob.decide(&mut stage, &both, None));
    for phone in [&mut alice, &mut carol] {
        phone.watch(&mut stage, "bob", "presence", 600);
        assert_eq!(phone.told(&mut stage).state, "active");
    }
    tag(&bob.decide(&mut stage, &[("carol", "allow")], Some(&first)));
    assert_eq!(alice.told(&mut stage).state, "pending");
    stage.silent(carol.addr);
    assert_eq!(rules(&mut stage, &mut bob), [("carol".to_owned(), Handling::Allow)]);
}

#[test]
fn a_server_that_closes_says_so_when_everybody_has_been_told() {
    for package in ["presence", "presence.winfo"] {
        let (mut stage, mut alice, bob) = scene();
        stage.config.default_policy = Handling::Allow;
        alice.watch(&mut stage, "bob", package, 600);
        alice.told(&mut stage);
        stage.input(Input::Command(Command::Shutdown));
        let drained =
            |stage: &Stage| stage.events.iter().filter(|one| **one == Event::Drained).count();
        assert_eq!(drained(&stage), 0, "{package}");
        assert_eq!(alice.told(&mut stage).reason.as_deref(), Some("deactivated"));
        assert_eq!(drained(&stage), 1, "{package}");
        stage.pass(Duration::from_secs(40));
        drain(&mut stage, &[&alice, &bob]);
        assert_eq!(drained(&stage), 1, "{package}");
        assert_eq!(stage.server.deadline(), None);
    }
}

#[test]
fn sizes_and_tables_tell_what_is_there() {
    let (mut stage, mut alice, mut bob) = scene();
    let mut carol = Phone::new("carol", 5090);
    let tuple = |id: &str, note: &str| {
        format!("<tuple id='{id}'><status><basic>open</basic></status><note>{note}</note></tuple>")
    };
    let body = format!(
        "<presence xmlns='urn:ietf:params:xml:ns:pidf' entity='sip:bob@example.org'>\
         {}{}</presence>",
        tuple("a", "one"),
        tuple("b", "two")
    );
    let lines = ["Event: presence"];
    bob.ask(&mut stage, "PUBLISH", "bob", &lines, ("application/pidf+xml", &body));
    alice.watch(&mut stage, "bob", "presence", 600);
    carol.watch(&mut stage, "bob", "presence", 0);
    bob.watch(&mut stage, "bob", "presence.winfo", 600);
    drain(&mut stage, &[&alice, &bob, &carol]);
    let sizes: std::collections::BTreeMap<_, _> = stage.server.sizes().into_iter().collect();
    let told =
        ["publications", "subscriptions", "watchers", "winfo_subscriptions"].map(|one| sizes[one]);
    assert_eq!(told, [1, 1, 2, 1]);
    let pit = stage.server.tables(stage.now).pit;
    let rows: Vec<_> = pit.iter().map(|row| (row.id.as_str(), row.note.as_str())).collect();
    assert_eq!(rows, [("a", "one"), ("b", "two")]);
    assert!(pit.iter().all(|row| row.timestamp.starts_with("2026-05-04T09:30:00")));
}
