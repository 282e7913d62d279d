//! Rows that reach a user.

use super::{Coverage, Row};
use crate::plan::DeviceName;
use crate::record::Record;
use presently_engine::agent::{Event, MessagePhase, Package, SubscriptionPhase};
use presently_engine::body::winfo::{Cause, Status};
use std::collections::BTreeMap;

/// What a device was told last.
#[derive(Default)]
struct Before {
    phases: BTreeMap<String, SubscriptionPhase>,
    rows: BTreeMap<Box<str>, Status>,
}

pub(super) fn read(record: &Record, coverage: &mut Coverage) {
    let mut devices: BTreeMap<&DeviceName, Before> = BTreeMap::new();
    for (_, device, event) in record.told() {
        let before = devices.entry(device).or_default();
        match event {
            Event::Subscription { target, package: Package::Presence, phase, .. } => {
                let last = before.phases.insert(target.to_string(), *phase);
                phase_row(last, *phase).into_iter().for_each(|row| coverage.reach(row));
            }
            Event::Watcher { id, status, cause, .. } => {
                let last = before.rows.insert(id.clone(), *status);
                record_row(last, *status, *cause).into_iter().for_each(|row| coverage.reach(row));
            }
            Event::MessageStatus { phase, .. } => match phase {
                MessagePhase::Delivered => coverage.reach(Row::Delivered),
                MessagePhase::Stored => coverage.reach(Row::Stored),
                MessagePhase::Failed => coverage.reach(Row::MessageFailed),
                MessagePhase::Queued | MessagePhase::Sending => {}
            },
            Event::Message { stored: true, .. } => coverage.reach(Row::DeliveredLater),
            Event::Offer { mode, .. } => {
                coverage.reach(if mode.is_some() { Row::Offered } else { Row::OfferGone });
            }
            Event::ServerRestarted => coverage.reach(Row::NoticedRestart),
            Event::Subscription { package: Package::Winfo, .. }
            | Event::Message { stored: false, .. }
            | Event::Registered { .. }
            | Event::RegisterFailed { .. }
            | Event::LoggedOut
            | Event::Published { .. }
            | Event::Presence { .. }
            | Event::Decided { .. }
            | Event::Call { .. }
            | Event::Flow { .. }
            | Event::MediaPacket { .. }
            | Event::MediaBye { .. }
            | Event::Error { .. } => {}
        }
    }
}

/// The row of M15 by which a watcher's subscription came from one phase to the next.
fn phase_row(last: Option<SubscriptionPhase>, phase: SubscriptionPhase) -> Option<Row> {
    use SubscriptionPhase::{Active, Pending, Terminated, Trying};
    match (last, phase) {
        (Some(Active), Pending) => Some(Row::ShownWithdrawn),
        (_, Pending) => Some(Row::ShownPending),
        (_, Active) => Some(Row::ShownActive),
        (_, Terminated) => Some(Row::ShownTerminated),
        (Some(Terminated), Trying) => Some(Row::ShownAgain),
        (_, Trying) => None,
    }
}

/// The row of M13 by which a watcher's record came from one status to the next.
fn record_row(last: Option<Status>, status: Status, cause: Cause) -> Option<Row> {
    match (last, status, cause) {
        (Some(Status::Active), Status::Pending, _) => Some(Row::Withdrawn),
        (_, Status::Pending, _) => Some(Row::SubscribedPending),
        (Some(Status::Pending), Status::Active, Cause::Approved) => Some(Row::Approved),
        (None, Status::Active, Cause::Subscribe) => Some(Row::SubscribedActive),
        (_, Status::Waiting, _) => Some(Row::WaitingByTimeout),
        (Some(Status::Pending), Status::Terminated, Cause::Rejected) => Some(Row::RejectedPending),
        (Some(Status::Active), Status::Terminated, Cause::Rejected) => Some(Row::RejectedActive),
        (Some(Status::Active), Status::Terminated, Cause::Timeout) => Some(Row::ActiveTimedOut),
        (Some(Status::Waiting), Status::Terminated, Cause::Approved | Cause::Rejected) => {
            Some(Row::WaitingDecided)
        }
        (Some(Status::Waiting), Status::Terminated, Cause::Giveup) => {
            Some(Row::GaveUpBySubscribing)
        }
        (Some(Status::Pending), Status::Terminated, Cause::Giveup) => Some(Row::GaveUp),
        (_, Status::Active | Status::Terminated, _) => None,
    }
}
