//! Doctored endings of what was granted.

use crate::oracle::examine;
use crate::oracle::rig::*;
use crate::plan::{Act, Party, Plan, Step};
use crate::record::{Entry, Record};

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

/// The morning with more steps, as it was played.
fn played_with(steps: Vec<Step>) -> (Plan, Record) {
    let mut plan = morning();
    plan.steps.extend(steps);
    let record = crate::world::play(&plan).expect("a run");
    (plan, record)
}

fn step(at_ms: u64, act: Act) -> Step {
    Step { at_ms, act }
}

/// Puts a copy of a datagram behind it, as another message.
fn anew(record: &mut Record, at: usize, later_ms: u64, changes: &[(&str, &str)]) -> usize {
    let place = again(record, at, later_ms);
    changes.iter().for_each(|(from, to)| edit(record, place, from, to));
    place
}

#[test]
fn a_publication_waits_for_the_decision_that_is_out_and_no_longer() {
    let cut = Act::Cut { from: Party::Device(device("bob")), to: Party::Server, both: true };
    let allow = Act::Order(device("bob"), "allow carol".into());
    let (plan, mut record) = played_with(vec![step(43_000, cut), step(44_000, allow)]);
    assert!(!broken(&plan, &record).contains(&"M10"));
    let late = |entry: &Entry| {
        let publish = text(entry).is_some_and(|text| {
            text.starts_with("PUBLISH") && text.contains("Event: presence\r\n")
        });
        publish && entry.at_ms > 43_000
    };
    let first = record.entries.iter().find(|entry| late(entry)).expect("a refresh").at_ms;
    assert!(first >= 44_000 + 32_000, "it waited for the end of the decision, until {first}");
    record.entries.retain(|entry| !late(entry));
    assert!(broken(&plan, &record).contains(&"M10"));
}

#[test]
fn who_subscribes_anew_in_the_ms_of_a_refresh_need_not_refresh() {
    let (plan, mut record) = played();
    let theirs = ["SUBSCRIBE sip:bob@", "From: <sip:alice@", "Authorization: "];
    let asked = datagrams(&record, &theirs);
    let (first, last) = (asked[0], record.entries[asked[1]].at_ms);
    record.entries.retain(|entry| {
        let hers = text(entry).is_some_and(|text| {
            text.starts_with("SUBSCRIBE") && text.contains("From: <sip:alice@")
        });
        entry.at_ms < last || !hers
    });
    assert!(broken(&plan, &record).contains(&"M10"));
    let missing_beside = |other: &[(&str, &str)]| {
        let mut record = record.clone();
        let changes =
            [&[("Call-ID: ", "Call-ID: 0"), ("branch=z9hG4bK", "branch=z9hG4bK0")], other];
        anew(&mut record, first, 0, &changes.concat());
        broken(&plan, &record).contains(&"M10")
    };
    assert!(!missing_beside(&[]), "the other dialog took its place");
    assert!(missing_beside(&[("sip:bob", "sip:carol")]), "that of bob is still there");
}

#[test]
fn who_began_again_before_recovery_was_told_in_the_new_dialog() {
    let steps = [Act::Crash(Party::Server), Act::Start(Party::Server)];
    let steps = [40_000, 41_000].into_iter().zip(steps).map(|(at_ms, act)| step(at_ms, act));
    let (plan, mut record) = played_with(steps.collect());
    record.entries.retain(|entry| {
        let notify = text(entry).is_some_and(|text| text.starts_with("NOTIFY sip:alice"));
        !(notify && (41_000..45_000).contains(&entry.at_ms))
    });
    let asked = ["SUBSCRIBE sip:bob@", "From: <sip:alice@", "Authorization: "];
    let asked = datagrams(&record, &asked)[0];
    let later = 42_000 - record.entries[asked].at_ms;
    let answer = datagrams(&record, &["SIP/2.0 200 OK", " SUBSCRIBE\r\n", "alice@example.org"])[0];
    anew(&mut record, asked, later, &[("branch=z9hG4bK", "branch=z9hG4bK0")]);
    assert!(broken(&plan, &record).contains(&"R47"), "asked, but not answered");
    anew(&mut record, answer, later, &[("branch=z9hG4bK", "branch=z9hG4bK0")]);
    assert!(!broken(&plan, &record).contains(&"R47"));
}

#[test]
fn a_disk_that_syncs_again_may_still_be_full() {
    let (plan, record) = played_with(vec![
        step(39_000, Act::FailDisk(true)),
        step(39_100, Act::HoldDisk(false)),
        step(39_200, Act::Crash(Party::Server)),
        step(40_000, Act::Start(Party::Server)),
    ]);
    assert!(!broken(&plan, &record).contains(&"R47"));
}

/// alice asks at 2 s, and in the dialog that this began before her time is up.
#[test]
fn a_dialog_whose_place_another_has_taken_is_not_forgotten() {
    let (plan, mut record) = played();
    let asked = datagrams(&record, &["SUBSCRIBE sip:bob@", "From: <sip:alice@", "Authorization: "]);
    let answers = datagrams(&record, &["SIP/2.0 200 OK", " SUBSCRIBE\r\n", "alice@example.org"]);
    edit(&mut record, answers[1], "200 OK", "481 Call/Transaction Does Not Exist");
    let branch = ("branch=z9hG4bK", "branch=z9hG4bK0");
    anew(&mut record, asked[0], 1000, &[branch]);
    let mut same = record.clone();
    anew(&mut same, answers[0], 1000, &[branch]);
    assert!(broken(&plan, &same).contains(&"P14"), "it was asked for again in the same dialog");
    anew(
        &mut record,
        answers[0],
        1000,
        &[branch, ("bob@example.org>;tag=", "bob@example.org>;tag=0")],
    );
    assert!(!broken(&plan, &record).contains(&"P14"));
}
