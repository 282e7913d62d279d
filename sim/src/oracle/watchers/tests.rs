//! Doctored watcher information.

use crate::oracle::rig::*;

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
