//! Doctored watcher information.

use super::{given_up_at_the_end, held_back, on_the_way};
use crate::oracle::evidence::Evidence;
use crate::oracle::rig::*;
use crate::record::{Fate, Record, What};
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

/// carol leaves at 24 s.
#[test]
fn who_is_being_told_of_the_end_may_not_know_it_yet() {
    let (plan, mut record) = played();
    let last = datagrams(&record, &["NOTIFY sip:carol", "State: terminated"])[0];
    let sent_ms = record.entries[last].at_ms;
    let late = |record: &Record| {
        let evidence = Evidence::new(&plan, record);
        let late = on_the_way(&evidence, "bob");
        late.into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    record.ended_ms = sent_ms + 5;
    assert_eq!(late(&record), ["carol"]);
    record.ended_ms = sent_ms + 20;
    assert_eq!(late(&record), [""; 0], "she has heard of it");
    if let What::Datagram { fate, .. } = &mut record.entries[last].what {
        *fate = Fate::Lost;
    }
    assert_eq!(late(&record), ["carol"]);
    record.ended_ms = sent_ms + 2000;
    assert_eq!(late(&record), [""; 0], "it ought to have come by then");
}
