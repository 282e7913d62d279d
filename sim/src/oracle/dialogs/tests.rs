//! Doctored notifications.

use crate::oracle::examine;
use crate::oracle::rig::*;
use crate::plan::{Act, Party, Plan, Step};
use crate::record::Record;
use crate::world;

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

/// The morning in which bob says more, and alice may be cut off.
fn played_with(acts: impl IntoIterator<Item = (u64, Act)>) -> (Plan, Record) {
    let mut plan = morning();
    plan.steps.extend(acts.into_iter().map(|(at_ms, act)| Step { at_ms, act }));
    let record = world::play(&plan).expect("a run");
    assert_eq!(examine(&plan, &record), []);
    (plan, record)
}

fn says(at_ms: u64, line: &str) -> (u64, Act) {
    (at_ms, Act::Order(device("bob"), line.into()))
}

/// Whether a NOTIFY to alice is too early if nobody had published an offer in this state.
fn hastens(plan: &Plan, mut record: Record, since_ms: u64, mode: &str) -> bool {
    let published = datagrams(&record, &["PUBLISH sip:bob", mode]);
    let at = published.into_iter().find(|at| record.entries[*at].at_ms >= since_ms);
    record.entries.remove(at.expect("it was published"));
    broken(plan, &record).contains(&"P43")
}

#[test]
fn an_offer_may_go_and_come_again_while_a_notify_is_out() {
    let cut = Act::Cut { from: Party::Device(device("alice")), to: Party::Server, both: false };
    let (plan, record) = played_with([
        says(30_000, "presence open n3"),
        (40_000, cut),
        says(40_000, "presence open n4"),
        says(41_000, "offer audio off"),
        says(42_000, "offer audio ready"),
        (43_000, Act::Mend),
    ]);
    assert!(hastens(&plan, record, 41_000, "_mode>off<"));
}

#[test]
fn an_offer_may_come_and_go_between_two_notifies() {
    let (plan, record) = played_with([
        says(30_000, "presence open n3"),
        says(36_000, "offer audio off"),
        says(42_000, "presence open n4"),
        says(43_000, "offer audio ready"),
        says(44_000, "quit"),
    ]);
    assert!(hastens(&plan, record, 43_000, "_mode>ready<"));
}
