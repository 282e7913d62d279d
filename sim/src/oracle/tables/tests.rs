//! Doctored tables.

use crate::oracle::rig::*;
use crate::record::Snapshot;

#[test]
fn a_subscription_that_nobody_was_granted_is_found_at_any_moment() {
    let (plan, mut record) = played();
    let mut tables = record.tables_at_end.clone().expect("the server runs");
    tables.pst[0].callid = "another".into();
    record.tables.push(Snapshot { at_ms: 190_000, tables: Some(tables) });
    assert_eq!(broken(&plan, &record), ["P21"]);
}

#[test]
fn a_watcher_without_a_subscription_is_found() {
    let (plan, mut record) = played();
    let tables = record.tables_at_end.as_mut().expect("the server runs");
    let row = tables.wt.iter_mut().find(|row| row.watcher.contains("carol")).expect("carol waits");
    row.status = "pending".into();
    assert!(broken(&plan, &record).contains(&"P21"));
}

#[test]
fn a_publication_that_nobody_made_is_found() {
    let (plan, mut record) = played();
    let tables = record.tables_at_end.as_mut().expect("the server runs");
    tables.pit[0].etag = "another".into();
    assert_eq!(broken(&plan, &record), ["P21"]);
}

#[test]
fn a_watcher_that_waits_for_ever_is_found() {
    let (mut plan, record) = played();
    plan.server.giveup_ms = 10_000;
    assert_eq!(broken(&plan, &record), ["P50"]);
}
