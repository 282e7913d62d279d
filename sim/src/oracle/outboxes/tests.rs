//! Doctored outboxes.

use crate::oracle::rig::*;

/// What alice answers to the first NOTIFY.
const ANSWER: [&str; 3] = ["SIP/2.0 200 OK", " 1 NOTIFY\r\n", "To: <sip:alice@"];

#[test]
fn two_notifies_at_once_are_found() {
    let (plan, mut record) = played();
    let answer = datagrams(&record, &ANSWER)[0];
    record.entries.remove(answer);
    assert_eq!(broken(&plan, &record), ["P7"]);
}

#[test]
fn a_notify_after_a_fatal_answer_is_found() {
    let (plan, mut record) = played();
    let answer = datagrams(&record, &ANSWER)[0];
    edit(&mut record, answer, "200 OK", "489 Bad Event");
    assert!(broken(&plan, &record).contains(&"P7"));
}

#[test]
fn a_full_document_that_nobody_asked_for_is_found() {
    let (plan, mut record) = played();
    let partial = datagrams(&record, &["NOTIFY sip:bob", "state=\"partial\""])[0];
    edit(&mut record, partial, "state=\"partial\"", "state=\"full\"");
    assert_eq!(broken(&plan, &record), ["P8"]);
}

#[test]
fn news_that_come_late_are_found() {
    let (plan, mut record) = played();
    let told = datagrams(&record, &["NOTIFY sip:alice", "<note>n2</note>"])[0];
    record.entries.remove(told);
    assert!(broken(&plan, &record).contains(&"isolation"));
}
