//! Endings that are none.

use crate::oracle::rig::*;
use crate::plan::{Act, Party, Step};
use crate::record::{Entry, Record, What};
use presently_engine::agent::{Event, Package, SubscriptionPhase};
use presently_engine::message::Aor;

fn tell(record: &mut Record, user: &str, event: Event) {
    let at_ms = record.ended_ms;
    record.entries.push(Entry { at_ms, what: What::Told { device: device(user), event } });
}

fn phase(phase: SubscriptionPhase) -> Event {
    let target = Aor::new("bob", "example.org");
    let package = Package::Presence;
    Event::Subscription { target, package, phase, reason: None, expires: None }
}

#[test]
fn a_watcher_that_did_not_see_the_newest_is_found() {
    let (plan, mut record) = played();
    untell(&mut record, "alice", |event| match event {
        Event::Presence { document, .. } => {
            document.tuples.iter().flat_map(|tuple| &tuple.notes).any(|note| &*note.text == "n2")
        }
        _ => false,
    });
    assert_eq!(broken(&plan, &record), ["P48"]);
}

#[test]
fn a_watcher_that_was_lost_is_found() {
    let (plan, mut record) = played();
    tell(&mut record, "alice", phase(SubscriptionPhase::Terminated));
    assert_eq!(broken(&plan, &record), ["P46", "P48"]);
}

#[test]
fn a_subscription_without_end_is_found() {
    let (plan, mut record) = played();
    tell(&mut record, "carol", phase(SubscriptionPhase::Trying));
    assert_eq!(broken(&plan, &record), [""; 0], "its answer may be under way");
    record.ended_ms += 2000;
    assert_eq!(broken(&plan, &record), ["P49"]);
}

#[test]
fn a_device_that_did_not_register_again_is_found() {
    let (mut plan, mut record) = played();
    let reason = "no answer".into();
    let failed = Event::RegisterFailed { status: 0, reason, retry_ms: None };
    tell(&mut record, "alice", failed);
    assert_eq!(broken(&plan, &record), ["P54"]);
    record.entries.pop();
    // The same record, if the server had started anew and nobody had noticed.
    let crash = Step { at_ms: 20_000, act: Act::Crash(Party::Server) };
    let start = Step { at_ms: 20_001, act: Act::Start(Party::Server) };
    plan.steps.extend([crash, start]);
    untell(&mut record, "alice", |event| matches!(event, Event::Registered { .. }));
    tell(&mut record, "alice", Event::LoggedOut);
    assert!(broken(&plan, &record).contains(&"P54"));
}

#[test]
fn chatter_is_found() {
    let (plan, mut record) = played();
    let last = *datagrams(&record, &["REGISTER sip:example.org"]).last().expect("a refresh");
    for number in 0..600 {
        let copy = again(&mut record, last, 0);
        edit(&mut record, copy, "branch=z9hG4bK", &format!("branch=z9hG4bK-{number}-"));
    }
    assert!(broken(&plan, &record).contains(&"P55"));
}

#[test]
fn trouble_that_nobody_planned_is_found() {
    let (mut plan, mut record) = played();
    let why = "a task of the server panicked".to_owned();
    let what = What::Trouble { party: Party::Server, why };
    record.entries.push(Entry { at_ms: 30_000, what });
    assert_eq!(broken(&plan, &record), ["trouble"]);
    // A full disk is a plan.
    let full = Step { at_ms: 29_000, act: Act::FailDisk(true) };
    let at = record.entries.len() - 1;
    record.entries.insert(at, Entry { at_ms: 29_000, what: What::Step(full.clone()) });
    plan.steps.push(full);
    assert_eq!(broken(&plan, &record), [""; 0]);
}

#[test]
fn without_calm_nothing_is_said_of_the_end() {
    let (mut plan, mut record) = played();
    tell(&mut record, "carol", phase(SubscriptionPhase::Trying));
    plan.steps.push(Step { at_ms: 99_000, act: Act::Rebind("carol".into()) });
    assert_eq!(broken(&plan, &record), [""; 0]);
}

#[test]
fn who_looked_beside_watching_still_watches() {
    let mut plan = morning();
    let look = Act::Order(device("alice"), "fetch bob".into());
    plan.steps.push(Step { at_ms: 40_000, act: look });
    let mut record = crate::world::play(&plan).expect("a run");
    assert_eq!(crate::oracle::examine(&plan, &record), []);
    tell(&mut record, "alice", phase(SubscriptionPhase::Terminated));
    assert_eq!(broken(&plan, &record), ["P46", "P48"]);
}
