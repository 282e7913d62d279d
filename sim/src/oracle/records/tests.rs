//! Doctored rows.

use crate::oracle::rig::*;

#[test]
fn a_cause_that_leads_elsewhere_is_found() {
    let (plan, mut record) = played();
    let waiting = datagrams(&record, &["NOTIFY sip:bob", "status=\"waiting\""])[0];
    edit(&mut record, waiting, "event=\"timeout\"", "event=\"subscribe\"");
    assert_eq!(broken(&plan, &record), ["P4"]);
}

#[test]
fn a_rejection_that_nobody_decided_is_found() {
    let (plan, mut record) = played();
    let waiting = datagrams(&record, &["NOTIFY sip:bob", "status=\"waiting\""])[0];
    edit(&mut record, waiting, "status=\"waiting\"", "status=\"terminated\"");
    edit(&mut record, waiting, "event=\"timeout\"", "event=\"rejected\"");
    assert!(broken(&plan, &record).contains(&"P4"));
}

#[test]
fn rows_of_others_in_a_self_view_are_found() {
    let (plan, mut record) = played();
    let partial = datagrams(&record, &["NOTIFY sip:bob", "state=\"partial\"", "sip:alice@"])[0];
    edit(&mut record, partial, "To: <sip:bob@", "To: <sip:carol@");
    assert!(broken(&plan, &record).contains(&"P9"));
}

#[test]
fn an_end_of_what_was_never_told_is_found() {
    let (plan, mut record) = played();
    let first = datagrams(&record, &["NOTIFY sip:bob", "state=\"partial\"", "pending"])[0];
    edit(&mut record, first, "status=\"pending\"", "status=\"terminated\"");
    assert!(broken(&plan, &record).contains(&"P11"));
}
