//! Doctored endings of what was granted.

use crate::oracle::examine;
use crate::oracle::rig::*;
use crate::plan::{Act, Party, Step};
use crate::record::Entry;

/// NOTIFYs of bob's presence to alice.
const ALICE: [&str; 2] = ["NOTIFY sip:alice", "Event: presence\r\n"];

#[test]
fn an_end_before_its_time_is_found() {
    let (plan, mut record) = played();
    let third = datagrams(&record, &ALICE)[2];
    edit(&mut record, third, "State: active", "State: terminated;reason=timeout");
    assert!(broken(&plan, &record).contains(&"P14"));
}

#[test]
fn a_subscription_that_is_forgotten_is_found() {
    let (plan, mut record) = played();
    let answers = datagrams(&record, &["SIP/2.0 200 OK", " SUBSCRIBE\r\n", "alice@example.org"]);
    edit(&mut record, answers[1], "200 OK", "481 Call/Transaction Does Not Exist");
    assert!(broken(&plan, &record).contains(&"P14"));
}

#[test]
fn an_entity_tag_that_is_refused_or_taken_twice_is_found() {
    let (plan, mut record) = played();
    let asked = datagrams(&record, &["PUBLISH sip:bob", "SIP-If-Match: ", "Event: presence\r\n"]);
    let tag = |at| {
        let text = text(&record.entries[at]).expect("a PUBLISH");
        let line = text.split("SIP-If-Match: ").nth(1).and_then(|rest| rest.lines().next());
        line.expect("a tag").to_owned()
    };
    let (first, second) = (tag(asked[0]), tag(asked[1]));
    let mut twice = record.clone();
    edit(&mut twice, asked[1], &second, &first);
    assert!(broken(&plan, &twice).contains(&"P32"));
    let given = datagrams(&record, &["SIP/2.0 200 OK", "SIP-ETag: ", &second])[0];
    edit(&mut record, given, "200 OK", "412 Conditional Request Failed");
    assert!(broken(&plan, &record).contains(&"P32"));
}

#[test]
fn more_time_than_is_left_is_found() {
    let (plan, mut record) = played();
    let second = datagrams(&record, &ALICE)[1];
    edit(&mut record, second, ";expires=", ";expires=1");
    assert_eq!(broken(&plan, &record), ["P15"]);
}

#[test]
fn a_refresh_that_is_missing_is_found() {
    let (plan, mut record) = played();
    let late = |entry: &Entry| {
        let register = text(entry).is_some_and(|text| text.starts_with("REGISTER"));
        register && entry.at_ms > 30_000
    };
    record.entries.retain(|entry| !late(entry));
    assert!(broken(&plan, &record).contains(&"M10"));
}

#[test]
fn silence_after_a_restart_is_found() {
    let mut plan = morning();
    let step = |at_ms, act| Step { at_ms, act };
    plan.steps.push(step(40_000, Act::Crash(Party::Server)));
    plan.steps.push(step(41_000, Act::Start(Party::Server)));
    let mut record = crate::world::play(&plan).expect("a run");
    assert_eq!(examine(&plan, &record), []);
    let told = |entry: &Entry| {
        let notify = text(entry).is_some_and(|text| text.starts_with("NOTIFY sip:alice"));
        notify && (41_000..45_000).contains(&entry.at_ms)
    };
    record.entries.retain(|entry| !told(entry));
    assert!(broken(&plan, &record).contains(&"R47"));
}
