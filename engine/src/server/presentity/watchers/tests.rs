use super::*;

const NOON: Instant = Instant::from_millis(1_777_896_000_000);

fn aor(user: &str) -> Aor {
    Aor::new(user, "example.org")
}

fn row(user: &str, status: Status) -> Watcher {
    Watcher {
        aor: aor(user),
        status,
        cause: Cause::Subscribe,
        display_name: None,
        event_id: None,
        since: NOON,
        until: NOON,
        subscription: Some(Id(77)),
        reported: 0,
    }
}

#[test]
fn pending_and_waiting_rows_are_undecided_until_they_are_decided_or_over() {
    let mut watchers = Watchers::default();
    watchers.set(Id(1), row("alice", Status::Pending));
    watchers.set(Id(2), row("carol", Status::Waiting));
    watchers.set(Id(3), row("dave", Status::Active));
    assert_eq!(watchers.undecided(), 2);
    watchers.set(Id(1), row("alice", Status::Waiting));
    watchers.set(Id(3), row("dave", Status::Active));
    assert_eq!(watchers.undecided(), 2, "rewritten rows count once");
    watchers.set(Id(1), row("alice", Status::Active));
    assert_eq!(watchers.undecided(), 1);
    watchers.terminate(Id(3), Cause::Timeout);
    assert_eq!(watchers.undecided(), 1);
    for _ in 0..2 {
        watchers.terminate(Id(2), Cause::Giveup);
        assert_eq!(watchers.undecided(), 0);
    }
}

#[test]
fn a_row_that_is_over_has_no_subscription_and_keeps_its_cause() {
    let mut watchers = Watchers::default();
    watchers.set(Id(1), row("alice", Status::Active));
    watchers.terminate(Id(1), Cause::Rejected);
    let over = watchers.get(Id(1)).expect("it was not forgotten");
    assert_eq!((over.status, over.cause), (Status::Terminated, Cause::Rejected));
    assert_eq!(over.subscription, None);
}

#[test]
fn a_row_stays_until_everybody_who_heard_of_it_heard_of_its_end() {
    let mut watchers = Watchers::default();
    watchers.set(Id(1), row("alice", Status::Pending));
    watchers.reported(Id(1));
    watchers.set(Id(1), row("alice", Status::Active));
    watchers.reported(Id(1));
    watchers.forget(Id(1));
    assert_eq!(watchers.len(), 1, "it lives");
    watchers.terminate(Id(1), Cause::Timeout);
    watchers.forget(Id(1));
    assert_eq!(watchers.len(), 1, "two subscribers believe that it lives");
    watchers.retracted(Id(1));
    assert_eq!(watchers.len(), 1, "one subscriber does");
    watchers.retracted(Id(1));
    assert_eq!(watchers, Watchers::default());
}

#[test]
fn a_row_nobody_heard_of_is_forgotten_at_its_end_and_no_other_is() {
    let mut watchers = Watchers::default();
    for id in 1..=3 {
        watchers.set(Id(id), row("alice", Status::Active));
    }
    watchers.set(Id(4), row("carol", Status::Active));
    watchers.retracted(Id(1));
    assert_eq!(watchers.len(), 4);
    watchers.terminate(Id(2), Cause::Timeout);
    watchers.forget(Id(2));
    assert_eq!(watchers.of(&aor("alice")).collect::<Vec<_>>(), [Id(1), Id(3)]);
    assert_eq!(watchers.of(&aor("carol")).collect::<Vec<_>>(), [Id(4)]);
    assert_eq!(watchers.iter().map(|(id, _)| id).collect::<Vec<_>>(), [Id(1), Id(3), Id(4)]);
}
