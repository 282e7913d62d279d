//! After a crash: who is told again, when, and what goes on as if nothing had been.

use super::{decide, drain, scene};
use presently_engine::body::presrules::Handling;
use presently_engine::message::Message;
use presently_tests::{Phone, Stage, stage};
use std::collections::BTreeSet;
use std::time::Duration;

/// R47: every live subscription is owed a NOTIFY within three seconds; a restart is no storm.
#[test]
fn everybody_is_told_again_within_three_seconds_but_not_all_at_once() {
    let mut stage = Stage::new(stage::config());
    stage.config.default_policy = Handling::Allow;
    let mut alice = Phone::new("alice", 5080);
    for number in 0..60 {
        alice.watch(&mut stage, &format!("user-{number}"), "presence", 600);
        alice.told(&mut stage);
        stage.pass(Duration::from_secs(1));
    }
    stage.crash(Duration::from_secs(10));
    let mut times = Vec::new();
    for tenth in 0..40 {
        while let Some(message) = stage.next(alice.addr) {
            let Message::Request(request) = message else { continue };
            alice.answer(&mut stage, &request, 200);
            times.push(tenth);
        }
        stage.pass(Duration::from_millis(100));
    }
    assert_eq!(times.len(), 60);
    assert!(times.iter().all(|tenth| *tenth <= 30), "{times:?}");
    let different: BTreeSet<_> = times.iter().collect();
    assert!(different.len() > 15, "{times:?}");
}

/// D11: policy is stored first. What a crash kept a decision from doing is done after it.
#[test]
fn a_decision_is_carried_out_although_the_crash_came_in_between() {
    let (mut stage, mut alice, _bob) = scene();
    alice.watch(&mut stage, "bob", "presence", 600);
    assert_eq!(alice.told(&mut stage).state, "pending");
    let before = stage.rows.clone();
    decide(&mut stage, "alice", Some(Handling::Allow));
    let is_verdict = |key: &[u8]| key.windows(2).any(|two| two == b"\0d");
    let verdict = stage.rows.clone().into_iter().filter(|(key, _)| is_verdict(key));
    stage.rows = before.into_iter().chain(verdict).collect();
    stage.crash(Duration::from_secs(1));
    stage.pass(Duration::from_secs(3));
    assert_eq!(alice.told(&mut stage).state, "active");
}

/// What was promised for so long ends when it was promised to end, whatever the outage.
#[test]
fn every_deadline_survives() {
    let (mut stage, mut alice, mut bob) = scene();
    stage.config.limits.giveup_pending = Duration::from_secs(2000);
    stage.config.limits.giveup_waiting = Duration::from_secs(1000);
    let [mut carol, mut dave, mut erin] = [("carol", 5091), ("dave", 5092), ("erin", 5093)]
        .map(|(name, port)| Phone::new(name, port));
    decide(&mut stage, "alice", Some(Handling::Allow));
    bob.publish(&mut stage, "here", None);
    alice.watch(&mut stage, "bob", "presence", 600);
    carol.watch(&mut stage, "bob", "presence.winfo", 700);
    dave.watch(&mut stage, "bob", "presence", 3600);
    erin.watch(&mut stage, "bob", "presence", 0);
    let ends = |stage: &Stage| {
        let tables = stage.server.tables(stage.now);
        let watchers = tables.wt.iter().map(|row| format!("{} {}", row.watcher, row.status));
        let rows: Vec<String> = watchers.collect();
        let text = rows.join(", ").replace("sip:", "").replace("@example.org", "");
        (tables.pit.len(), tables.pst.len(), tables.wst.len(), text)
    };
    let everybody = [&alice, &carol, &dave, &erin];
    drain(&mut stage, &everybody);
    stage.crash(Duration::from_secs(100));
    let start = stage.now - Duration::from_secs(100);
    stage.pass(Duration::from_secs(3));
    drain(&mut stage, &everybody);
    let mut course = Vec::new();
    for second in [604, 605, 704, 705, 999, 1000, 1999, 2000, 3604, 3605] {
        stage.pass((start + Duration::from_secs(second)).since(stage.now));
        drain(&mut stage, &everybody);
        let (published, watched, winfo, watchers) = ends(&stage);
        course.push(format!("{second}: {published} {watched} {winfo} [{watchers}]"));
    }
    let expected = [
        "604: 1 2 1 [alice active, dave pending, erin waiting]",
        "605: 1 1 1 [dave pending, erin waiting]",
        "704: 1 1 1 [dave pending, erin waiting]",
        "705: 1 1 0 [dave pending, erin waiting]",
        "999: 1 1 0 [dave pending, erin waiting]",
        "1000: 1 1 0 [dave pending]",
        "1999: 1 1 0 [dave pending]",
        "2000: 1 0 0 []",
        "3604: 1 0 0 []",
        "3605: 0 0 0 []",
    ];
    assert_eq!(course, expected, "second: publications, subscriptions, winfo, watcher rows");
}
