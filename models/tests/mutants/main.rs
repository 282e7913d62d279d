//! Servers with a fault planted in them: each must break the law that is named beside it, or the
//! law is an ornament. Without optimisation that takes long: run it with `--release`.

#![cfg(not(debug_assertions))]

mod faults;
mod rig;

use faults::*;
use presently_models::catalogue::{Depth, plans};
use presently_models::law::Law;
use presently_models::plan::Plan;
use presently_models::run::{Limits, Report, check};
use rig::{Fault, Faulty};
use std::time::Duration;

const LIMITS: Limits =
    Limits { states: 3_000_000, time: Duration::from_secs(300), threads: 1, shortening: 60_000, memory: None };

fn plan(name: &str) -> Plan {
    let mut plans = plans(Depth::Quick).into_iter().chain(plans(Depth::Ci));
    plans.find(|plan| plan.name == name).expect("a model of the catalogue")
}

fn explored<F: Fault>(plan: Plan) -> Report {
    check::<Faulty<F>>(plan, LIMITS, &mut |_| {})
}

/// The model, checked for this law alone, finds the fault and shows a short way to it.
fn kills<F: Fault>(model: &str, law: Law) {
    let mut plan = plan(model);
    assert!(plan.laws.contains(&law), "{model} does not check {law}");
    plan.laws = vec![law];
    let report = explored::<F>(plan);
    let Some(broken) = report.broken else {
        panic!("{model} lets the fault live: {} states", report.unique);
    };
    assert_eq!(broken.law, law);
    assert!(broken.shortest, "{model} found no shortest way in {} steps", broken.steps);
    println!("{model} {law}: {} steps, {} states\n{}", broken.steps, report.unique, broken.ladder);
}

#[test]
fn the_rig_itself_plants_nothing() {
    assert_eq!(explored::<None>(plan("C2a")).verdict(), "holds");
}

#[test]
fn everybody_is_approved() {
    kills::<ApprovesEverybody>("C2a", Law::NoDocBeforeApproval);
}

#[test]
fn a_notify_follows_the_terminal_one() {
    kills::<SpeaksAfterTheEnd>("C2a", Law::TerminalLast);
}

#[test]
fn two_notifies_are_out_at_once() {
    kills::<SpeaksTwice>("C2a", Law::OneInFlight);
}

#[test]
#[cfg_attr(debug_assertions, ignore = "slow without optimisation: run it with --release")]
fn a_winfo_version_is_repeated() {
    kills::<RepeatsVersions>("C3a", Law::VersionChain);
}

#[test]
fn an_approved_subscription_is_not_stored() {
    kills::<ForgetsSubscriptions>("C2a", Law::RecoverEqualsLive);
}

#[test]
fn a_decision_is_not_stored() {
    kills::<ForgetsDecisions>("C2a", Law::PolicySurvives);
}

#[test]
#[cfg_attr(debug_assertions, ignore = "slow without optimisation: run it with --release")]
fn a_failure_counts_as_delivered() {
    kills::<TakesFailureForSuccess>("C2f", Law::WinfoConverges);
}

#[test]
#[cfg_attr(debug_assertions, ignore = "slow without optimisation: run it with --release")]
fn a_document_is_outdated_when_it_is_sent() {
    kills::<ShowsOldNotes>("C2b", Law::WatcherConverges);
}

#[test]
fn a_restart_keeps_the_nonce_key() {
    kills::<KeepsNonceKey>("C6b", Law::ExecuteAtMostOnce);
}

#[test]
fn a_message_is_promised_and_not_stored() {
    kills::<ForgetsMessages>("C8", Law::PromiseKept);
}

#[test]
#[cfg_attr(debug_assertions, ignore = "slow without optimisation: run it with --release")]
fn an_entity_tag_is_given_out_twice() {
    kills::<RepeatsEntityTags>("C5a", Law::EtagDiscipline);
}

#[test]
#[cfg_attr(debug_assertions, ignore = "slow without optimisation: run it with --release")]
fn copies_are_taken_for_new_requests() {
    kills::<ForgetsTransactions>("C2d", Law::FsmConforms);
}
