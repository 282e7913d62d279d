//! Doctored notifications.

use crate::oracle::rig::*;

/// NOTIFYs of bob's presence to alice.
const ALICE: [&str; 3] = ["NOTIFY sip:alice", "Event: presence\r\n", "CSeq: "];
/// NOTIFYs of bob's watchers to bob.
const WINFO: [&str; 2] = ["NOTIFY sip:bob", "Event: presence.winfo"];

#[test]
fn a_word_after_the_last_is_found() {
    let (plan, mut record) = played();
    let third = datagrams(&record, &ALICE)[2];
    edit(&mut record, third, "Subscription-State: active", "Subscription-State: terminated");
    assert!(broken(&plan, &record).contains(&"P5"));
}

#[test]
fn a_notify_that_is_missing_is_found() {
    let (plan, mut record) = played();
    let second = datagrams(&record, &ALICE)[1];
    record.entries.remove(second);
    assert_eq!(broken(&plan, &record), ["P6"]);
}

#[test]
fn an_older_note_after_a_newer_one_is_found() {
    let (plan, mut record) = played();
    let notifies = datagrams(&record, &["NOTIFY sip:alice", "<note>n2</note>"]);
    let last = *notifies.last().expect("a refresh shows n2 again");
    assert!(notifies.len() > 1);
    edit(&mut record, last, "<note>n2</note>", "<note>n1</note>");
    assert_eq!(broken(&plan, &record), ["P34", "P6"]);
}

#[test]
fn a_version_that_does_not_follow_is_found() {
    let (plan, mut record) = played();
    let second = datagrams(&record, &WINFO)[1];
    edit(&mut record, second, "version=\"1\" state", "version=\"3\" state");
    assert_eq!(broken(&plan, &record), ["P8"]);
}

#[test]
fn a_copy_that_is_none_is_found() {
    let (plan, mut record) = played();
    let first = datagrams(&record, &WINFO)[0];
    let copy = again(&mut record, first, 500);
    edit(&mut record, copy, "state=\"full\"", "state=\"partial\"");
    assert_eq!(broken(&plan, &record), ["P8"]);
}

#[test]
fn a_cseq_that_falls_is_found() {
    let (plan, mut record) = played();
    let registers = datagrams(&record, &["REGISTER sip:example.org", "sip:carol@example.org"]);
    let last = *registers.last().expect("carol refreshes");
    for number in 2..9 {
        let text = format!("CSeq: {number} REGISTER");
        if datagrams(&record, &[&text]).contains(&last) {
            edit(&mut record, last, &text, "CSeq: 1 REGISTER");
        }
    }
    assert!(broken(&plan, &record).contains(&"P20"));
}

#[test]
fn haste_is_found() {
    let (mut plan, record) = played();
    // With n2 at 16 s after the offer at 9 s a gap of 5 s was kept; one of 30 s was not.
    plan.server.notify_gap_ms = 30_000;
    assert_eq!(broken(&plan, &record), ["P43"]);
}

#[test]
fn two_exceptions_for_offers_that_went_are_found() {
    let (mut plan, mut record) = played();
    for at in datagrams(&record, &["NOTIFY sip:alice", "audio", "ready"]) {
        edit(&mut record, at, "ready", "busy");
    }
    // As if nobody had asked for the NOTIFY that shows it again.
    let asked = datagrams(&record, &["SIP/2.0 200 OK", " SUBSCRIBE\r\n", "From: <sip:alice@"]);
    edit(&mut record, asked[1], " SUBSCRIBE\r\n", " OPTIONS\r\n");
    plan.server.notify_gap_ms = 60_000;
    let violations = crate::oracle::examine(&plan, &record);
    let found: Vec<&str> = violations.iter().map(|one| &*one.what).collect();
    assert!(found.iter().any(|what| what.ends_with("is one exception too many")), "{found:?}");
}
