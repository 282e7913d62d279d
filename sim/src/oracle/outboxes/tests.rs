//! Doctored outboxes.

use crate::oracle::rig::*;
use crate::record::{Fate, What};

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

/// n2 is published at 16 s; alice has been told of the offer at 9 s and answers late.
#[test]
fn an_answer_after_timer_f_is_none() {
    let found = |after: u64| {
        let (plan, mut record) = played();
        let told = datagrams(&record, &["NOTIFY sip:alice", "<note>n2</note>"]);
        told.into_iter().rev().for_each(|at| drop(record.entries.remove(at)));
        let answers = datagrams(&record, &["SIP/2.0 200 OK", " NOTIFY\r\n", "To: <sip:alice@"]);
        let mut answers = answers.into_iter().rev();
        let last = answers.find(|at| record.entries[*at].at_ms < 16_000).expect("an answer");
        if let What::Datagram { fate: Fate::Arrives { after_ms, .. }, .. } =
            &mut record.entries[last].what
        {
            *after_ms = after;
        }
        broken(&plan, &record).contains(&"isolation")
    };
    assert!(found(31_000));
    assert!(!found(32_000));
}
