//! How much one presentity keeps, and what whoever comes too late is told.

use super::scene;
use presently_engine::body::presrules::Handling;
use presently_engine::message::Name;
use presently_tests::Phone;
use std::time::Duration;

const PACKAGES: [&str; 2] = ["presence", "presence.winfo"];

#[test]
fn one_watcher_has_so_many_subscriptions_and_others_are_not_kept_out() {
    for package in PACKAGES {
        let (mut stage, mut alice, _bob) = scene();
        stage.config.default_policy = Handling::Allow;
        stage.config.limits.subscriptions_per_watcher = 2;
        let first = alice.watch(&mut stage, "bob", package, 600);
        alice.told(&mut stage);
        alice.watch(&mut stage, "bob", package, 600);
        alice.told(&mut stage);
        let (_, refused) = alice.try_watch(&mut stage, "bob", package, 600);
        assert_eq!((refused.status(), refused.first(Name::RetryAfter)), (503, Some("60")));
        let mut carol = Phone::new("carol", 5090);
        carol.watch(&mut stage, "bob", package, 600);
        // A place is free again once its NOTIFY has been answered.
        alice.renew(&mut stage, &first, 0);
        assert_eq!(alice.told(&mut stage).state, "terminated");
        alice.watch(&mut stage, "bob", package, 600);
        let own = stage.server.tables(stage.now);
        let own = own.pst.iter().chain(&own.wst).filter(|row| row.from == Phone::aor("alice"));
        assert_eq!(own.count(), 2);
    }
}

#[test]
fn one_presentity_has_so_many_subscriptions() {
    for package in PACKAGES {
        let (mut stage, mut alice, mut bob) = scene();
        stage.config.default_policy = Handling::Allow;
        stage.config.limits.subscriptions_per_presentity = 2;
        let mut carol = Phone::new("carol", 5090);
        for phone in [&mut alice, &mut bob] {
            phone.watch(&mut stage, "bob", package, 600);
            phone.told(&mut stage);
        }
        let (_, refused) = carol.try_watch(&mut stage, "bob", package, 600);
        assert_eq!((refused.status(), refused.first(Name::RetryAfter)), (503, Some("60")));
        carol.watch(&mut stage, "alice", package, 600);
        stage.pass(Duration::from_secs(606));
        alice.told(&mut stage);
        bob.told(&mut stage);
        carol.watch(&mut stage, "bob", package, 600);
    }
}

/// RFC 3857 §4.7.1 asks for a bound; whoever comes when it is reached is told to come later, and
/// who is decided about takes no place.
#[test]
fn so_many_undecided_watchers_wait_and_a_decision_makes_room() {
    let (mut stage, mut alice, mut bob) = scene();
    stage.config.limits.waiting_per_presentity = 2;
    let [mut carol, mut dave] = [Phone::new("carol", 5090), Phone::new("dave", 5091)];
    alice.watch(&mut stage, "bob", "presence", 600);
    carol.watch(&mut stage, "bob", "presence", 0);
    for _ in 0..2 {
        let (_, refused) = dave.try_watch(&mut stage, "bob", "presence", 600);
        assert_eq!((refused.status(), refused.first(Name::RetryAfter)), (480, Some("3600")));
    }
    bob.decide(&mut stage, &[("alice", "allow")], None);
    dave.watch(&mut stage, "bob", "presence", 600);
    let mut erin = Phone::new("erin", 5092);
    assert_eq!(erin.try_watch(&mut stage, "bob", "presence", 600).1.status(), 480);
    // Somebody whom bob allows beforehand needs no place among the undecided.
    super::decide(&mut stage, "erin", Some(Handling::Allow));
    erin.watch(&mut stage, "bob", "presence", 600);
}

#[test]
fn a_document_may_be_as_large_as_the_limit_says() {
    for (more, status) in [(0, 200), (1, 413)] {
        let (mut stage, _alice, mut bob) = scene();
        let empty = presently_tests::phone::pidf("bob", "").len();
        let note = "x".repeat(stage.config.limits.publication_size - empty + more);
        assert_eq!(bob.publish(&mut stage, &note, None).status(), status);
    }
}

/// The oldest of too many traces gives way, whether it waits or is pending; those of others stay.
#[test]
fn the_oldest_trace_of_a_watcher_gives_way() {
    let (mut stage, mut alice, _bob) = scene();
    stage.config.limits.waiting_per_watcher = 2;
    let mut carol = Phone::new("carol", 5090);
    carol.watch(&mut stage, "bob", "presence", 600);
    for (number, seconds) in [(1, 600), (2, 0), (3, 600)] {
        stage.pass(Duration::from_secs(2));
        alice.watch(&mut stage, "bob", &format!("presence;id={number}"), seconds);
        super::drain(&mut stage, &[&alice]);
    }
    let tables = stage.server.tables(stage.now);
    let mut rows: Vec<String> =
        tables.wt.iter().map(|row| format!("{} {}", row.watcher, row.status)).collect();
    rows.sort();
    let expected = [
        "sip:alice@example.org pending",
        "sip:alice@example.org waiting",
        "sip:carol@example.org pending",
    ];
    assert_eq!(rows, expected);
}
