//! What has ended leaves no trace: no row, no timer, no account, nothing on the disk.

use super::{aor, decide, drain, scene};
use presently_engine::body::presrules::Handling;
use presently_engine::message::Name;
use presently_engine::server::Command;
use presently_engine::{Input, Machine};
use presently_tests::{Phone, Stage};
use std::time::Duration;

/// Plays a course and then waits until the last transaction is forgotten.
fn leaves_nothing(course: impl Fn(&mut Stage, &mut Phone, &mut Phone)) {
    for crash in [false, true] {
        let (mut stage, mut alice, mut bob) = scene();
        course(&mut stage, &mut alice, &mut bob);
        if crash {
            stage.crash(Duration::from_secs(1));
        }
        for _ in 0..4 {
            drain(&mut stage, &[&alice, &bob]);
            stage.pass(Duration::from_secs(20));
        }
        let left: Vec<_> = stage.server.sizes().into_iter().filter(|(_, size)| *size > 0).collect();
        assert_eq!(left, [], "crash: {crash}");
        assert_eq!(stage.server.deadline(), None, "crash: {crash}");
        assert!(stage.rows.is_empty(), "crash: {crash}");
    }
}

#[test]
fn a_subscription_that_ends_in_time() {
    leaves_nothing(|stage, alice, _bob| {
        stage.config.default_policy = Handling::Allow;
        for package in ["presence", "presence.winfo"] {
            let watch = alice.watch(stage, "bob", package, 600);
            alice.told(stage);
            alice.renew(stage, &watch, 600);
            alice.told(stage);
            alice.renew(stage, &watch, 0);
            assert_eq!(alice.told(stage).state, "terminated");
        }
    });
}

#[test]
fn a_subscription_that_is_not_refreshed() {
    leaves_nothing(|stage, alice, _bob| {
        stage.config.default_policy = Handling::Allow;
        for package in ["presence", "presence.winfo"] {
            alice.watch(stage, "bob", package, 60);
            alice.told(stage);
        }
        stage.pass(Duration::from_secs(64));
        stage.silent(alice.addr);
        stage.pass(Duration::from_secs(1));
        assert_eq!(alice.told(stage).reason.as_deref(), Some("timeout"));
        drain(stage, &[alice]);
        let tables = stage.server.tables(stage.now);
        assert_eq!((tables.pst.len(), tables.wst.len()), (0, 0));
    });
}

#[test]
fn a_subscriber_that_does_not_answer() {
    leaves_nothing(|stage, alice, _bob| {
        stage.config.default_policy = Handling::Allow;
        for package in ["presence", "presence.winfo"] {
            alice.watch(stage, "bob", package, 3600);
            stage.pass(Duration::from_secs(33));
            stage.lose_mail();
        }
    });
}

#[test]
fn fetches_of_both_packages() {
    leaves_nothing(|stage, alice, _bob| {
        stage.config.default_policy = Handling::Allow;
        for package in ["presence", "presence.winfo"] {
            alice.watch(stage, "bob", package, 0);
            assert_eq!(alice.told(stage).state, "terminated");
        }
    });
}

#[test]
fn an_undecided_watcher_that_gives_up() {
    leaves_nothing(|stage, alice, _bob| {
        stage.config.limits.giveup_pending = Duration::from_secs(100);
        stage.config.limits.giveup_waiting = Duration::from_secs(100);
        alice.watch(stage, "bob", "presence;id=1", 600);
        assert_eq!(alice.told(stage).state, "pending");
        alice.watch(stage, "bob", "presence;id=2", 0);
        alice.told(stage);
        alice.watch(stage, "bob", "presence;id=3", 60);
        alice.told(stage);
        stage.pass(Duration::from_secs(65));
        assert_eq!(alice.told(stage).reason.as_deref(), Some("timeout"));
        stage.pass(Duration::from_secs(34));
        stage.silent(alice.addr);
        stage.pass(Duration::from_secs(1));
        assert_eq!(alice.told(stage).reason.as_deref(), Some("giveup"));
        stage.pass(Duration::from_secs(65));
    });
}

#[test]
fn a_publication_that_expires_and_one_that_is_withdrawn() {
    leaves_nothing(|stage, _alice, bob| {
        bob.publish(stage, "one", None);
        let mut mobile = Phone::new("bob", 5071);
        let answer = mobile.publish(stage, "two", None);
        let tag = answer.first(Name::SipEtag).expect("an entity-tag").to_owned();
        let lines = ["Event: presence", "Expires: 0", &format!("SIP-If-Match: {tag}")];
        assert_eq!(mobile.ask(stage, "PUBLISH", "bob", &lines, ("", "")).status(), 200);
        assert_eq!(stage.server.tables(stage.now).pit.len(), 1);
        stage.pass(Duration::from_secs(3604));
        assert_eq!(stage.server.tables(stage.now).pit.len(), 1);
        stage.pass(Duration::from_secs(1));
        assert_eq!(stage.server.tables(stage.now).pit.len(), 0);
    });
}

#[test]
fn a_decision_that_is_taken_back() {
    leaves_nothing(|stage, alice, _bob| {
        let watch = alice.watch(stage, "bob", "presence", 600);
        alice.told(stage);
        decide(stage, "alice", Some(Handling::Allow));
        assert_eq!(alice.told(stage).state, "active");
        alice.renew(stage, &watch, 0);
        alice.told(stage);
        decide(stage, "alice", None);
    });
}

#[test]
fn everything_of_an_account_that_is_removed() {
    leaves_nothing(|stage, alice, bob| {
        bob.register(stage, 600);
        bob.publish(stage, "here", None);
        bob.decide(stage, &[("alice", "allow")], None);
        alice.watch(stage, "bob", "presence", 600);
        alice.watch(stage, "bob", "presence.winfo", 600);
        Phone::new("carol", 5090).watch(stage, "bob", "presence", 0);
        stage.lose_mail_of(Phone::new("carol", 5090).addr);
        drain(stage, &[alice, bob]);
        stage.input(Input::Command(Command::Remove(aor("bob"))));
        let ends: Vec<_> = (0..2).map(|_| alice.told(stage).reason).collect();
        assert_eq!(ends, [Some("noresource".to_owned()), Some("noresource".to_owned())]);
        stage.pass(Duration::from_secs(33));
    });
}
