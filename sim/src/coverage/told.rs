//! Rows that reach a user, and rows that are steps of the plan.

use super::{Coverage, Row};
use crate::oracle::evidence::{Evidence, Phase};
use crate::plan::{Act, DeviceName, Party};
use crate::record::What;
use presently_engine::agent::{Event, MessagePhase, Package, SubscriptionPhase};
use presently_engine::body::winfo::{Cause, Status};
use std::collections::{BTreeMap, BTreeSet};

/// Within this time an approval comes just too late.
const JUST_MS: u64 = 10_000;
/// So long a server may stand still and nobody notices (R52).
const STALL_MS: u64 = 5000;

/// What a device was told last.
#[derive(Default)]
struct Before {
    phases: BTreeMap<String, SubscriptionPhase>,
    /// Status of a row and since when.
    rows: BTreeMap<Box<str>, (Status, u64)>,
}

pub(super) fn read(evidence: &Evidence<'_>, coverage: &mut Coverage) {
    let mut devices: BTreeMap<&DeviceName, Before> = BTreeMap::new();
    for (at_ms, device, event) in evidence.record.told() {
        let before = devices.entry(device).or_default();
        match event {
            Event::Subscription { target, package: Package::Presence, phase, reason, .. } => {
                let last = before.phases.insert(target.to_string(), *phase);
                let row = phase_row(last, *phase, reason.as_deref());
                row.into_iter().for_each(|row| coverage.reach(row));
                let timed_out = reason.as_deref() == Some("timeout") && was_up(last);
                if timed_out && !was_told(evidence, device, target.user(), at_ms) {
                    coverage.reach(Row::DeadlinePassed);
                }
            }
            Event::Watcher { id, status, cause, .. } => {
                let last = before.rows.insert(id.clone(), (*status, at_ms));
                let late = last.is_some_and(|(status, since)| {
                    status == Status::Waiting && at_ms < since + JUST_MS
                });
                if late && *cause == Cause::Approved {
                    coverage.reach(Row::ApprovedTooLate);
                }
            }
            Event::Offer { mode, .. } => {
                coverage.reach(if mode.is_some() { Row::Offered } else { Row::OfferGone });
            }
            Event::MessageStatus { phase, .. } => message(*phase, coverage),
            Event::Message { stored: true, .. } => coverage.reach(Row::DeliveredLater),
            Event::ServerRestarted => coverage.reach(Row::NoticedRestart),
            Event::RegisterFailed { retry_ms: Some(_), .. } => coverage.reach(Row::RegisterFailed),
            Event::LoggedOut => coverage.reach(Row::LoggedOut),
            Event::Subscription { package: Package::Winfo, .. }
            | Event::Message { stored: false, .. }
            | Event::Registered { .. }
            | Event::RegisterFailed { retry_ms: None, .. }
            | Event::Published { .. }
            | Event::Presence { .. }
            | Event::Decided { .. }
            | Event::Call { .. }
            | Event::Flow { .. }
            | Event::MediaPacket { .. }
            | Event::MediaWelcome { .. }
            | Event::MediaBye { .. }
            | Event::Error { .. } => {}
        }
    }
    steps(evidence, coverage);
}

fn was_up(last: Option<SubscriptionPhase>) -> bool {
    matches!(last, Some(SubscriptionPhase::Pending | SubscriptionPhase::Active))
}

/// Whether a terminal NOTIFY came to a device at a moment.
fn was_told(evidence: &Evidence<'_>, device: &DeviceName, owner: &str, at_ms: u64) -> bool {
    evidence.notifies.iter().any(|notify| {
        notify.phase == Phase::Terminated
            && notify.owner == owner
            && notify.watcher == device.user
            && evidence.letters[notify.place].at_ms <= at_ms
            && at_ms < notify.at_ms + 64_000
    })
}

fn message(phase: MessagePhase, coverage: &mut Coverage) {
    match phase {
        MessagePhase::Sending => coverage.reach(Row::MessageSent),
        MessagePhase::Delivered => coverage.reach(Row::Delivered),
        MessagePhase::Stored => coverage.reach(Row::Stored),
        MessagePhase::Failed => coverage.reach(Row::MessageFailed),
        MessagePhase::Queued => {}
    }
}

/// The row of M15 by which a watcher's subscription came from one phase to the next.
fn phase_row(
    last: Option<SubscriptionPhase>,
    phase: SubscriptionPhase,
    reason: Option<&str>,
) -> Option<Row> {
    use SubscriptionPhase::{Active, Pending, Terminated, Trying};
    match (last, phase, reason) {
        (Some(Active), Pending, _) => Some(Row::ShownWithdrawn),
        (Some(Pending), Active, _) => Some(Row::ShownActive),
        (Some(Pending | Active), Terminated, Some("no NOTIFY")) => Some(Row::NoNotify),
        (Some(Trying), Terminated, Some("timeout")) => Some(Row::FetchEnded),
        (Some(Trying), Terminated, Some(_)) => Some(Row::SubscribeFailed),
        (Some(Terminated), Trying, _) => Some(Row::ShownAgain),
        _ => None,
    }
}

/// What happened by the plan.
fn steps(evidence: &Evidence<'_>, coverage: &mut Coverage) {
    let mut held: Option<u64> = None;
    let mut stepped: BTreeSet<Party> = BTreeSet::new();
    let mut decided: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for entry in &evidence.record.entries {
        let What::Step(step) = &entry.what else { continue };
        match &step.act {
            Act::Start(party) => {
                if *party != Party::Server {
                    coverage.reach(Row::ClientRestarted);
                }
                if stepped.remove(party) {
                    coverage.reach(Row::ClockStepped);
                }
            }
            Act::ClockStep(party, _) => {
                stepped.insert(party.clone());
            }
            Act::Stall(Party::Server, ms) if *ms > STALL_MS => coverage.reach(Row::StoodStill),
            Act::HoldDisk(true) => held = held.or(Some(entry.at_ms)),
            Act::HoldDisk(false) => {
                let stood = held.take().is_some_and(|since| entry.at_ms > since + STALL_MS);
                if stood && evidence.lives.serves_at(entry.at_ms) {
                    coverage.reach(Row::StoodStill);
                }
            }
            Act::Order(device, line) => {
                let Some((verb, about)) = line.split_once(' ') else { continue };
                if matches!(verb, "allow" | "block" | "polite" | "ask") {
                    let times = decided.entry(format!("{} {about}", device.user)).or_default();
                    times.push(entry.at_ms);
                    let third = times.len().checked_sub(3).map(|at| times[at]);
                    if third.is_some_and(|third| third + JUST_MS >= entry.at_ms) {
                        coverage.reach(Row::DecidedInHaste);
                    }
                }
            }
            _ => {}
        }
    }
    strays(evidence, coverage);
}

/// Answers that come to somebody who has started since the request left.
fn strays(evidence: &Evidence<'_>, coverage: &mut Coverage) {
    let letters = &evidence.letters;
    for (exchange, asked, _) in evidence.exchanges.asked(letters) {
        let Some(device) = evidence.device(asked.from) else { continue };
        let life = |at_ms| evidence.lives.of(device, at_ms).map(|life| life.from_ms);
        let answers = exchange.answered.iter().filter_map(|at| letters[*at].arrived_ms);
        let mut lives = answers.map(life);
        if lives.any(|later| later.is_some() && later != life(asked.at_ms)) {
            coverage.reach(Row::AnswerForNobody);
        }
    }
}
