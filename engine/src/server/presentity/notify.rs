//! Paying what is owed: NOTIFYs are built when they are sent and answered one at a time.
//!
//! Read first: RFC 6665 §4.2.2, RFC 3856 §6.6, RFC 3858 §3, behaviour M14 and M16.

use super::information::Information;
use super::outbox::{Act, Happening, State, Urgency};
use super::subscriptions::{Subscription, View};
use super::watchers::Watcher;
use super::{Package, Presentity};
use crate::body::winfo::{self, Cause, Status, WatcherRef};
use crate::machine::Peer;
use crate::message::{Aor, Decimal, Method, Name, Response, Writer};
use crate::mint::Id;
use crate::server::cx::Cx;
use crate::server::{Owner, Record, Timer};
use crate::slot::Slot;
use crate::time::Instant;
use crate::transaction::{Branch, Timing};
use bytes::Bytes;
use std::time::Duration;

/// What became of a NOTIFY.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Answer {
    /// 2xx.
    Delivered,
    /// A failure that does not end the subscription; the least pause before the next try.
    Undelivered(Duration),
    /// A fatal status, or no answer at all (RFC 6665 §4.2.2).
    Lost,
}

impl Answer {
    /// What a final status means (M14). The pause after a failure is never below T1, so that a
    /// peer that always fails cannot make us spin.
    pub(crate) fn of(status: u16, retry_after: Option<u32>, timing: &Timing) -> Self {
        match status {
            200..=299 => Self::Delivered,
            404 | 405 | 410 | 416 | 480..=485 | 489 | 501 | 604 => Self::Lost,
            _ => {
                let asked = Duration::from_secs(u64::from(retry_after.unwrap_or(0).min(3600)));
                Self::Undelivered(asked.max(timing.t1))
            }
        }
    }
}

/// Content type and body of a NOTIFY, if it has one.
type Content = Option<(&'static str, Bytes)>;

impl Presentity {
    /// The answer to a NOTIFY of ours, or its absence.
    pub(crate) fn on_notify_answer(
        &mut self,
        cx: &mut Cx<'_>,
        package: Package,
        id: Id,
        answer: Answer,
    ) {
        let Some(row) = self.table_mut(package).get_mut(id) else { return };
        let what = match answer {
            Answer::Delivered => {
                row.acked_rev = row.sent_rev;
                Happening::Delivered
            }
            Answer::Undelivered(pause) => {
                if let Some(told) = &mut row.told {
                    told.need_full = true;
                }
                Happening::Undelivered(pause)
            }
            Answer::Lost => Happening::Lost,
        };
        self.step(cx, package, id, what);
        self.settle(cx);
    }

    /// A NOTIFY refreshes the target of its dialog, and so does the Contact of the 2xx to it
    /// (RFC 6665 §3.2, RFC 3261 §12.2.1.2).
    pub(crate) fn on_notify_contact(
        &mut self,
        cx: &mut Cx<'_>,
        package: Package,
        id: Id,
        response: &Response,
    ) {
        if response.first(Name::Contact).is_none() {
            return;
        }
        let Some(row) = self.table(package).get(id).filter(|row| row.is_live()) else { return };
        let mut stored = row.stored();
        if stored.dialog.retarget(response) {
            self.commit(cx, Record::Subscribed(self.aor.clone(), id, stored));
        }
    }

    /// One step of a subscription's outbox, and what follows from it.
    pub(super) fn step(&mut self, cx: &mut Cx<'_>, package: Package, id: Id, what: Happening) {
        let Some(row) = self.table_mut(package).get_mut(id) else { return };
        let was_paced = row.outbox.state() == State::Paced;
        let act = row.outbox.on(what, cx.now, cx.config.notify_gap);
        if was_paced && row.outbox.state() != State::Paced {
            cx.timers.stop(&self.throttle(package, id));
        }
        match act {
            Act::Rest => {}
            Act::Send | Act::SendTerminal => self.send(cx, package, id),
            Act::Wait(at) => cx.timers.arm(self.throttle(package, id), at),
            Act::Abandon => self.abandon(cx, package, id),
            Act::Free => self.free(package, id),
        }
    }

    fn throttle(&self, package: Package, id: Id) -> Timer {
        match package {
            Package::Presence => Timer::Throttle(self.aor.clone(), id),
            Package::Winfo => Timer::WinfoThrottle(self.aor.clone(), id),
        }
    }

    fn send(&mut self, cx: &mut Cx<'_>, package: Package, id: Id) {
        match package {
            Package::Presence => self.send_presence(cx, id),
            Package::Winfo => self.send_winfo(cx, id),
        }
    }

    fn send_presence(&mut self, cx: &mut Cx<'_>, id: Id) {
        let Some(row) = self.subscriptions.get_mut(id) else { return };
        row.sent_rev = self.information.revision();
        let content = presence_content(cx, &self.aor, row, &self.information);
        transmit(cx, &self.aor, id, row, content);
    }

    /// Builds the next winfo document (M16). A partial one with nothing to say is not sent.
    fn send_winfo(&mut self, cx: &mut Cx<'_>, id: Id) {
        let Some(row) = self.winfo.get_mut(id) else { return };
        let full_view = row.row.watcher == self.aor;
        let version = row.row.next_version;
        let Some(told) = &mut row.told else { return };
        let full = std::mem::take(&mut told.need_full);
        let changed = std::mem::take(&mut told.changed);
        let ids: Vec<Id> = if full {
            let whose = |seen: &Aor| full_view || *seen == row.row.watcher;
            let live = |status| status != Status::Terminated;
            let rows = self.watchers.iter();
            rows.filter(|(_, seen)| live(seen.status) && whose(&seen.aor))
                .map(|(id, _)| id)
                .collect()
        } else {
            let known = |id: &Id| match self.watchers.get(*id).map(|seen| seen.status) {
                Some(Status::Terminated) => told.known.contains(id),
                Some(Status::Pending | Status::Active | Status::Waiting) => true,
                None => false,
            };
            changed.into_iter().filter(known).collect()
        };
        if !full && ids.is_empty() && row.ending.is_none() {
            row.outbox.take_back();
            return;
        }
        let rows: Vec<([u8; 16], &Watcher)> =
            ids.iter().filter_map(|id| Some((id.hex(), self.watchers.get(*id)?))).collect();
        let rows = rows.iter().map(|(id, seen)| watcher_element(id, seen, cx.now));
        let body = winfo::write_document(version, full, self.aor.as_str(), "presence", rows);
        row.row.next_version += 1;
        transmit(cx, &self.aor, id, row, Some((winfo::WATCHERINFO, body)));
        self.note_reported(id, full, &ids);
    }

    /// Remembers which rows the subscriber now believes to live (D24).
    fn note_reported(&mut self, subscription: Id, full: bool, ids: &[Id]) {
        let Some(told) = self.winfo.get_mut(subscription).and_then(|row| row.told.as_mut()) else {
            return;
        };
        let mut retracted: Vec<Id> = Vec::new();
        if full {
            retracted = std::mem::take(&mut told.known).into_iter().collect();
        }
        for id in ids {
            if self.watchers.get(*id).is_some_and(|seen| seen.status != Status::Terminated) {
                if told.known.insert(*id) {
                    self.watchers.reported(*id);
                }
            } else if told.known.remove(id) {
                retracted.push(*id);
            }
        }
        for id in retracted {
            self.watchers.retracted(id);
        }
    }

    /// Pays all debts in table order. The chain PIT → PST → WT → WST has no cycle, so one pass
    /// is enough.
    pub(super) fn settle(&mut self, cx: &mut Cx<'_>) {
        while let Some((id, urgency)) = self.owed_winfo.pop_first() {
            self.step(cx, Package::Winfo, id, Happening::Dirty(urgency));
        }
        for id in std::mem::take(&mut self.touched) {
            self.watchers.forget(id);
        }
    }

    /// The composed document may have changed: tells every approved watcher (M13 row 23).
    /// `withdrawn`: an offer stopped being ready, which must not wait for the gap.
    pub(super) fn tell_watchers(&mut self, cx: &mut Cx<'_>, withdrawn: bool) {
        let ids: Vec<Id> = self
            .subscriptions
            .iter()
            .filter(|(_, row)| row.is_live() && matches!(row.view, View::Allowed { .. }))
            .map(|(id, _)| id)
            .collect();
        for id in ids {
            let direct = self.subscriptions.get(id).map(|row| row.view);
            let forced = withdrawn && direct == Some(View::Allowed { direct: true });
            let urgency = if forced { Urgency::Withdrawn } else { Urgency::Paced };
            self.step(cx, Package::Presence, id, Happening::Dirty(urgency));
        }
    }
}

fn watcher_element<'a>(id: &'a [u8; 16], row: &'a Watcher, now: Instant) -> WatcherRef<'a> {
    let live = matches!(row.status, Status::Pending | Status::Active);
    WatcherRef {
        id: std::str::from_utf8(id).unwrap_or_default(),
        uri: row.aor.as_str(),
        status: row.status,
        event: row.cause,
        display_name: row.display_name.as_deref(),
        expiration: live.then(|| row.until.seconds_since(now)),
        duration: live.then(|| now.seconds_since(row.since)),
    }
}

/// What a presence NOTIFY says, decided at the moment of sending.
fn presence_content(
    cx: &Cx<'_>,
    aor: &Aor,
    row: &Subscription,
    information: &Information,
) -> Content {
    let format = row.row.format;
    let ended = row.ending.is_some_and(|cause| cause != Cause::Timeout);
    if ended {
        return None;
    }
    let body = match row.view {
        View::Neutral => Information::neutral(aor, format),
        View::Polite => Information::polite(aor, format),
        View::Allowed { direct } => {
            let format = (format, cx.config.legacy_cpim_elements);
            information.for_watcher(aor, (&row.row.watcher, direct), format, cx.now)
        }
    };
    Some((format.media_type(), body))
}

/// Sends one NOTIFY of a subscription. If its numbers pass what the stored row covers, the row is
/// stored again first, so that no CSeq or version is ever used twice, not even across a crash.
fn transmit(cx: &mut Cx<'_>, aor: &Aor, id: Id, row: &mut Subscription, content: Content) {
    if row.reserve() && row.is_live() {
        cx.record(Record::Subscribed(aor.clone(), id, row.stored()));
    }
    let package = row.row.package;
    let peer: Peer = row.row.dialog.peer;
    let cseq = row.row.dialog.local_cseq.wrapping_add(1);
    let branch: Branch = cx.branch(
        Slot::of_aor(aor),
        &[
            b"NOTIFY",
            &id.0.to_be_bytes(),
            &cseq.to_be_bytes(),
            &row.row.since.as_millis().to_be_bytes(),
        ],
    );
    let sent_by = cx.sent_by(peer);
    let mut writer = row.row.dialog.request(Method::Notify, branch, sent_by);
    writer.pieces(Name::Contact, &["<sip:", aor.user(), "@", sent_by, ">"]);
    match &row.row.event_id {
        Some(event_id) => writer.pieces(Name::Event, &[package.as_str(), ";id=", event_id]),
        None => writer.header(Name::Event, package.as_str()),
    };
    write_state(&mut writer, row, cx.now);
    let bytes = match content {
        Some((media_type, body)) => writer.finish_with(media_type, &body),
        None => writer.finish(),
    };
    let winfo = package == Package::Winfo;
    cx.request(branch, Method::Notify, peer, bytes, Owner::Notify { aor: aor.clone(), winfo, id });
}

fn write_state(writer: &mut Writer, row: &Subscription, now: Instant) {
    let live = |writer: &mut Writer, state| {
        let left = Decimal::of(row.row.expires.seconds_since(now));
        writer.pieces(Name::SubscriptionState, &[state, ";expires=", left.as_str()]);
    };
    match row.ending {
        Some(Cause::Probation) => {
            writer.header(Name::SubscriptionState, "terminated;reason=probation;retry-after=60");
        }
        Some(cause) => {
            writer.pieces(Name::SubscriptionState, &["terminated;reason=", terminal_reason(cause)]);
        }
        None if row.row.active => live(writer, "active"),
        None => live(writer, "pending"),
    }
}

/// The `reason` of a terminal NOTIFY (RFC 6665 §4.1.3). Subscribe and approved are causes of a
/// watcher row only; a subscription that ends for them would be our fault.
fn terminal_reason(cause: Cause) -> &'static str {
    match cause {
        Cause::Subscribe | Cause::Approved => unreachable!("no subscription ends by {cause:?}"),
        Cause::Deactivated
        | Cause::Probation
        | Cause::Rejected
        | Cause::Timeout
        | Cause::Giveup
        | Cause::Noresource => cause.as_str(),
    }
}
