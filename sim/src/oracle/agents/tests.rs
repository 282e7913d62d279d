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

/// carol stands still from 26 s to 46 s.
fn carol_stands_still() -> (u64, Act) {
    (26_000, Act::Stall(Party::Device(device("carol")), 20_000))
}

#[test]
fn orders_that_waited_begin_once_each_and_no_more() {
    let order = |at_ms, line: &str| (at_ms, Act::Order(device("carol"), line.into()));
    let orders = ["watch bob", "unwatch bob", "watch bob"];
    let orders = [30_000, 31_000, 32_000].into_iter().zip(orders);
    let orders = orders.map(|(at_ms, line)| order(at_ms, line));
    let plan = morning_with(orders.chain([carol_stands_still()]));
    let mut record = world::play(&plan).expect("a run");
    let begins = |entry: &&Entry| match &entry.what {
        What::Told { event: Event::Subscription { phase, .. }, .. } => {
            entry.at_ms >= 46_000 && *phase == SubscriptionPhase::Trying
        }
        _ => false,
    };
    assert_eq!(record.entries.iter().filter(begins).count(), 2);
    assert_eq!(examine(&plan, &record), []);
    tell(&mut record, "carol", 46_500, SubscriptionPhase::Trying);
    assert!(broken(&plan, &record).contains(&"P17"));
}

/// The server restarted at 20 s, so alice begins anew by 55 s, unless she stands still then.
#[test]
fn what_a_restart_began_waits_for_whoever_stands_still() {
    let found = |stalls: bool| {
        let stall = (40_000, Act::Stall(Party::Device(device("alice")), 30_000));
        let plan = morning_with(stalls.then_some(stall));
        let mut record = world::play(&plan).expect("a run");
        let what = What::Told { device: device("alice"), event: Event::ServerRestarted };
        let place = record.entries.partition_point(|entry| entry.at_ms <= 20_000);
        record.entries.insert(place, Entry { at_ms: 20_000, what });
        tell(&mut record, "alice", 70_000, SubscriptionPhase::Trying);
        tell(&mut record, "alice", 70_050, SubscriptionPhase::Trying);
        let once = broken(&plan, &record).contains(&"P17");
        tell(&mut record, "alice", 71_500, SubscriptionPhase::Trying);
        tell(&mut record, "alice", 71_550, SubscriptionPhase::Trying);
        (once, broken(&plan, &record).contains(&"P17"))
    };
    assert_eq!(found(true), (false, true), "she catches up within a second");
    assert_eq!(found(false), (true, true));
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
