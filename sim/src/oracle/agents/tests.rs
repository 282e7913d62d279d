//! Doctored devices.

use crate::oracle::examine;
use crate::oracle::rig::*;
use crate::plan::{Act, Party, Plan, Step};
use crate::record::{Entry, Fate, Record, What};
use crate::world;
use presently_engine::agent::{Event, Package, SubscriptionPhase};
use presently_engine::message::Aor;

/// Somebody is told a phase of their subscription to bob.
fn tell(record: &mut Record, user: &str, at_ms: u64, phase: SubscriptionPhase) {
    let target = Aor::new("bob", "example.org");
    let package = Package::Presence;
    let event = Event::Subscription { target, package, phase, reason: None, expires: None };
    let what = What::Told { device: device(user), event };
    let place = record.entries.partition_point(|entry| entry.at_ms <= at_ms);
    record.entries.insert(place, Entry { at_ms, what });
}

/// The morning in which more happens.
fn morning_with(acts: impl IntoIterator<Item = (u64, Act)>) -> Plan {
    let mut plan = morning();
    plan.steps.extend(acts.into_iter().map(|(at_ms, act)| Step { at_ms, act }));
    plan.steps.sort_by_key(|step| step.at_ms);
    plan
}

#[test]
fn a_second_beginning_is_found() {
    let (plan, mut record) = played();
    tell(&mut record, "alice", 50_000, SubscriptionPhase::Trying);
    tell(&mut record, "alice", 50_100, SubscriptionPhase::Active);
    assert_eq!(broken(&plan, &record), ["P17"]);
}

#[test]
fn two_fetches_at_once_are_well_and_a_third_is_found() {
    let fetch = || (30_000, Act::Order(device("carol"), "fetch bob".into()));
    let plan = morning_with([fetch(), fetch()]);
    let mut record = world::play(&plan).expect("a run");
    assert_eq!(examine(&plan, &record), []);
    tell(&mut record, "carol", 30_000, SubscriptionPhase::Trying);
    assert_eq!(broken(&plan, &record), ["P17"]);
}

#[test]
fn trying_without_end_is_found() {
    let (plan, mut record) = played();
    tell(&mut record, "alice", 50_000, SubscriptionPhase::Terminated);
    tell(&mut record, "alice", 50_100, SubscriptionPhase::Trying);
    assert!(broken(&plan, &record).contains(&"P49"));
}

#[test]
fn who_believes_without_a_word_is_found() {
    let (plan, mut record) = played();
    let said = |entry: &Entry| {
        let said = text(entry).is_some_and(|text| {
            text.starts_with("NOTIFY sip:alice") || text.contains(" SUBSCRIBE\r\n")
        });
        said && entry.at_ms > 30_000
    };
    record.entries.retain(|entry| !said(entry));
    assert!(broken(&plan, &record).contains(&"P22"));
}

#[test]
fn a_first_notify_that_is_refused_is_found() {
    let (plan, mut record) = played();
    let answer = datagrams(&record, &["SIP/2.0 200 OK", " 1 NOTIFY\r\n", "To: <sip:alice@"])[0];
    edit(&mut record, answer, "200 OK", "481 Call/Transaction Does Not Exist");
    assert!(broken(&plan, &record).contains(&"P31"));
}

#[test]
fn who_starts_anew_at_once_has_asked_for_nothing() {
    let crash = Act::Crash(Party::Device(device("carol")));
    let plan = morning_with([(2001, crash), (2001, Act::Login(device("carol")))]);
    let record = world::play(&plan).expect("a run");
    let refused = datagrams(&record, &["SIP/2.0 481", " 1 NOTIFY\r\n", "To: <sip:carol@"]);
    assert_eq!(refused.len(), 1);
    assert_eq!(examine(&plan, &record), []);
}

#[test]
fn a_publish_before_the_answer_is_found() {
    let (plan, mut record) = played();
    let given = datagrams(&record, &["SIP/2.0 200 OK", " PUBLISH\r\n", "SIP-ETag"])[0];
    record.entries.remove(given);
    assert!(broken(&plan, &record).contains(&"P32"));
}

#[test]
fn a_note_that_is_shown_again_is_found() {
    let (plan, mut record) = played();
    let shows = |entry: &Entry| match &entry.what {
        What::Told { event: Event::Presence { document, .. }, .. } => {
            document.tuples.iter().flat_map(|tuple| &tuple.notes).any(|note| &*note.text == "n1")
        }
        _ => false,
    };
    let first = record.entries.iter().position(shows).expect("n1 is shown");
    again(&mut record, first, 60_000);
    assert!(broken(&plan, &record).contains(&"P6"));
}

#[test]
fn a_notify_that_is_taken_too_late_is_found() {
    let (plan, mut record) = played();
    let first = datagrams(&record, &["NOTIFY sip:alice", "CSeq: 1 NOTIFY"])[0];
    if let What::Datagram { fate: Fate::Arrives { after_ms, .. }, .. } =
        &mut record.entries[first].what
    {
        *after_ms = 50_000;
    }
    assert_eq!(broken(&plan, &record), ["P6"]);
}

#[test]
fn a_word_that_is_taken_after_the_last_is_found() {
    let (plan, mut record) = played();
    let second = datagrams(&record, &["NOTIFY sip:alice", "Event: presence\r\n"])[1];
    edit(&mut record, second, "State: active", "State: terminated");
    assert!(broken(&plan, &record).contains(&"M15"));
}
