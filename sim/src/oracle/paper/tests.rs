//! Somebody who speaks or is heard without a check, and had better not.

use crate::oracle::examine;
use crate::oracle::rig::*;
use crate::plan::{Act, Plan};
use crate::record::{Record, What};
use crate::world;
use presently_engine::agent::{Event, Way};
use std::net::SocketAddr;

/// alice and bob mark each other; she speaks to him, until he takes the mark back.
fn marked() -> (Plan, Record) {
    let said = [
        (6000, "alice", "presence open"),
        (6000, "alice", "allow bob"),
        (6000, "alice", "paper bob"),
        (6000, "bob", "paper alice"),
        (6500, "bob", "watch alice"),
        (7000, "bob", "offer audio ready"),
        (14_000, "alice", "direct bob audio"),
        (20_000, "bob", "paper alice off"),
    ];
    let mut plan = morning();
    plan.users[1].paper = true;
    plan.steps.retain(|step| step.at_ms < 7000);
    plan.steps.extend(said.map(|(at_ms, user, line)| order(at_ms, user, line)));
    plan.steps.sort_by_key(|step| step.at_ms);
    let record = world::play(&plan).expect("a run");
    assert_eq!(examine(&plan, &record), [], "all is well");
    (plan, record)
}

/// The same orders, but this one was never given.
fn without(plan: &Plan, line: &str) -> Plan {
    let mut plan = plan.clone();
    let before = plan.steps.len();
    plan.steps.retain(|step| !matches!(&step.act, Act::Order(_, said) if said == line));
    assert_eq!(plan.steps.len(), before - 1, "{line}");
    plan
}

#[test]
fn what_is_spoken_and_heard_without_a_check_is_there() {
    let (_, record) = marked();
    assert!(!packets(&record, "alice", 0x80, 14_000..20_000).is_empty());
    let flows = events(&record, "bob", |event| {
        matches!(event, Event::Flow { way: Way::In, stream: Some(_), .. })
    });
    assert_eq!(flows.len(), 1);
    let last = packets(&record, "alice", 0x80, 21_000..100_000);
    assert!(last.is_empty(), "the BYE is believed");
}

#[test]
fn who_is_heard_without_a_check_and_was_not_marked_is_found() {
    let (plan, record) = marked();
    assert_eq!(broken(&without(&plan, "paper alice"), &record), ["P27"]);
    let mut plan = plan;
    plan.users[1].paper = false;
    assert_eq!(broken(&plan, &record), ["P27"], "bob has published a secret");
}

#[test]
fn who_is_heard_without_a_check_from_somewhere_else_is_found() {
    let (plan, mut record) = marked();
    let heard = |event: &Event| matches!(event, Event::Flow { way: Way::In, stream: Some(_), .. });
    let at = events(&record, "bob", heard)[0];
    if let What::Told { event: Event::Flow { stream: Some(stream), .. }, .. } =
        &mut record.entries[at].what
    {
        stream.remote = SocketAddr::from(([203, 0, 113, 99], 4000));
    }
    assert_eq!(broken(&plan, &record), ["P27"]);
}

#[test]
fn who_speaks_without_an_answer_to_somebody_it_did_not_mark_is_found() {
    let (plan, record) = marked();
    assert_eq!(broken(&without(&plan, "paper bob"), &record), ["P28"]);
}
