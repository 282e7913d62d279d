//! Doctored watcher information.

use super::{given_up_at_the_end, held_back};
use crate::oracle::evidence::Evidence;
use crate::oracle::rig::*;
use std::collections::BTreeSet;

#[test]
fn a_row_that_lives_again_is_found() {
    let (plan, mut record) = played();
    let rows = datagrams(&record, &["NOTIFY sip:bob", "sip:alice@example.org", "<watcher "]);
    edit(&mut record, rows[0], "status=\"pending\"", "status=\"terminated\"");
    assert!(broken(&plan, &record).contains(&"P10"));
}

#[test]
fn two_watchers_of_one_id_are_found() {
    let (plan, mut record) = played();
    let rows = datagrams(&record, &["NOTIFY sip:bob", "sip:alice@example.org", "<watcher "]);
    edit(&mut record, rows[0], "sip:alice@example.org<", "sip:mallory@example.org<");
    assert!(broken(&plan, &record).contains(&"P10"));
}

#[test]
fn a_table_that_is_not_what_is_shown_is_found() {
    let (plan, mut record) = played();
    let tables = record.tables_at_end.as_mut().expect("the server runs");
    let row = tables.wt.iter_mut().find(|row| row.watcher.contains("carol")).expect("carol waits");
    row.status = "terminated".into();
    assert_eq!(broken(&plan, &record), ["P46"]);
}

#[test]
fn a_subscriber_that_the_table_does_not_have_is_found() {
    let (plan, mut record) = played();
    let tables = record.tables_at_end.as_mut().expect("the server runs");
    tables.wt.retain(|row| !row.watcher.contains("alice"));
    assert_eq!(broken(&plan, &record), ["P46"]);
}

/// bob has his first document at 1 s, alice and carol ask at 2 s, and documents are 5 s apart.
#[test]
fn a_row_is_held_back_until_the_next_document_is_due() {
    let (plan, mut record) = played();
    let late = |record: &_| {
        let evidence = Evidence::new(&plan, record);
        let late = held_back(&evidence, &device("bob"));
        late.into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    record.ended_ms = 4000;
    assert_eq!(late(&record), ["alice", "carol"], "both came since");
    record.ended_ms = 40_000;
    assert_eq!(late(&record), [""; 0], "he has been told of everybody");
    let documents = datagrams(&record, &["NOTIFY sip:bob", "presence.winfo"]);
    for at in documents.into_iter().rev() {
        if record.entries[at].at_ms > 3000 {
            record.entries.remove(at);
        }
    }
    assert_eq!(late(&record), [""; 0], "that nothing was sent excuses nothing");
    record.ended_ms = 9000;
    assert_eq!(late(&record), ["alice", "carol"], "a document that was due at 6 s may be late");
}

/// carol's dialog ended at 24 s.
#[test]
fn who_waits_is_given_up_after_its_time_and_nobody_else() {
    let (mut plan, mut record) = played();
    plan.server.giveup_ms = 30_000;
    let mut late = |ended_ms| {
        record.ended_ms = ended_ms;
        let evidence = Evidence::new(&plan, &record);
        let late = given_up_at_the_end(&evidence, "bob");
        late.into_iter().map(str::to_owned).collect::<BTreeSet<_>>()
    };
    assert_eq!(late(56_000), BTreeSet::from(["carol".to_owned()]));
    assert_eq!(late(80_000), BTreeSet::new());
}
