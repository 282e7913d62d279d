//! Pager messages: relay or keep (M19; RFC 3428 §6 and §7).
//!
//! An [`Inbox`] is the message store of one account. A message that is answered 202 is a durable
//! row first, because the record stands before the answer in the list of effects (D15). Rows go
//! out in the order of their arrival, one at a time, whenever the account becomes bound, and are
//! deleted only after a device has answered. So a crash can double a message on the wire and
//! never lose one; the receiver's own dedupe makes it once (R74, R75).
//!
//! It refuses to be a mailbox: it knows a quota, an expiry, and nothing of folders or reading.

mod kept;
#[cfg(test)]
mod tests;

pub use kept::Kept;
pub(crate) use kept::mark;

use super::cx::{Ask, Cx};
use super::relay::{Relays, Target, Unreached};
use super::{Config, Event, Owner, Record, Timer};
use crate::message::{Aor, Method, Request};
use crate::mint::Id;
use crate::slot::Slot;
use crate::time::{Instant, Timers};
use std::collections::{BTreeMap, VecDeque};

/// How many finished messages are remembered at most for each one that may be stored.
const DONE_PER_ROW: usize = 16;

/// The type of typing indicators.
const IS_COMPOSING: &str = "application/im-iscomposing+xml";

/// What a device's answer to a stored message means.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum Verdict {
    /// It took the message, or its owner declined it (2xx, 6xx).
    Done,
    /// It will never take this message.
    Refused,
    /// It does not take this message now; others may fare better.
    NotNow,
    /// It is not there.
    Away,
}

impl Verdict {
    /// The meaning of a final status; `None`: no answer came.
    pub(crate) fn of(status: Option<u16>) -> Self {
        match status {
            Some(200..=299 | 600..) => Self::Done,
            None | Some(408 | 480 | 503) => Self::Away,
            // A challenge we cannot meet, a stale or busy device, a mishap on the way: all pass.
            Some(401 | 404 | 407 | 410 | 430 | 481..=483 | 486 | 487 | 491) => Self::NotNow,
            Some(400..=499) => Self::Refused,
            Some(..=399 | 500..=599) => Self::NotNow,
        }
    }
}

/// A row and what is only known while we run.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Row {
    kept: Kept,
    /// How often it was sent; the CSeq of the next attempt is one more.
    attempts: u32,
}

impl Row {
    /// Attempts count anew after a crash, so the branch of one follows from where it goes and not
    /// from who else is bound by then: a device takes the first attempt after the crash for a copy
    /// of the one before, and not for another path of it (482; RFC 3261 §8.2.2.2).
    fn send(&self, cx: &mut Cx<'_>, aor: &Aor, binding: &Target<'_>) {
        let (row, attempt) = (self.kept.id.0.to_be_bytes(), self.attempts.to_be_bytes());
        let cause = [aor.as_str().as_bytes(), &row, &attempt, binding.uri.as_bytes()];
        let branch = cx.branch(Slot::of_aor(aor), &cause);
        let bytes = self.kept.deliver(cx, aor, self.attempts, binding, branch);
        let owner = Owner::Deliver { aor: aor.clone(), id: self.kept.id };
        cx.request(branch, Method::Message, binding.peer, bytes, owner);
    }
}

/// The delivery in progress.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Delivery {
    /// Which row.
    id: Id,
    /// Branches without final answer.
    pending: usize,
    /// The most hopeful failure so far.
    worst: Verdict,
    /// Whether a device became bound since the row was sent.
    bound_since: bool,
}

/// The stored messages of one account.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct Inbox {
    /// In order of arrival.
    rows: BTreeMap<Id, Row>,
    /// Every message stored, or done within K12: its row while there is one.
    marks: BTreeMap<Id, Option<Id>>,
    /// The marks without a row, in the order in which they lost it.
    done: VecDeque<Id>,
    /// The highest row id so far.
    last: Option<Id>,
    delivery: Option<Delivery>,
}

impl Inbox {
    /// How many messages are stored.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is nothing stored, remembered or under way.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.marks.is_empty() && self.delivery.is_none()
    }

    /// A MESSAGE for the account: forwarded if it has bindings, else kept.
    pub(crate) fn on_message(
        &mut self,
        cx: &mut Cx<'_>,
        relays: &mut Relays,
        ask: &Ask<'_>,
        aor: &Aor,
        bindings: &[Target<'_>],
    ) {
        if bindings.is_empty() || self.knows(cx, ask) {
            self.keep(cx, ask, aor);
        } else {
            relays.forward(cx, ask, aor, bindings);
        }
    }

    /// A MESSAGE that was forwarded and reached nobody. A device that became bound meanwhile gets
    /// it at once (R76).
    pub(crate) fn keep_unreached(
        &mut self,
        cx: &mut Cx<'_>,
        message: &Unreached,
        bindings: &[Target<'_>],
    ) {
        self.keep(cx, &message.ask(), &message.aor);
        if bindings.iter().any(|binding| !message.tried.contains(&binding.peer)) {
            self.on_bound(cx, &message.aor, bindings);
        }
    }

    /// Stores a message and answers 202, or says why not.
    fn keep(&mut self, cx: &mut Cx<'_>, ask: &Ask<'_>, aor: &Aor) {
        if self.knows(cx, ask) {
            return cx.refuse(ask, 202);
        }
        let id = self.next_id(cx.now);
        let kept = Kept::of(cx.config, cx.now, &ask.user, ask.request, id);
        // That somebody types is over when it could be told (RFC 3994 §3.3).
        let fleeting = ask.request.content_type().is_some_and(|found| found.is(IS_COMPOSING));
        if fleeting || kept.expires <= cx.now || self.rows.len() >= cx.config.limits.offline_quota {
            return cx.refuse(ask, 480);
        }
        cx.timers.arm(Timer::Kept(aor.clone(), id), kept.expires);
        self.commit(cx, Record::Kept(aor.clone(), kept));
        cx.refuse(ask, 202);
    }

    /// Whether this message is stored, or was within K12.
    fn knows(&self, cx: &Cx<'_>, ask: &Ask<'_>) -> bool {
        !self.marks.is_empty() && self.marks.contains_key(&mark(cx.config, &ask.user, ask.request))
    }

    /// Ids rise with the time and are never given twice, not even after a restart.
    fn next_id(&self, now: Instant) -> Id {
        let by_time = now.as_millis() << 8;
        Id(self.last.map_or(by_time, |last| by_time.max(last.0 + 1)))
    }

    /// The account registered, or refreshed a binding: deliver what is stored.
    pub(crate) fn on_bound(&mut self, cx: &mut Cx<'_>, aor: &Aor, bindings: &[Target<'_>]) {
        match &mut self.delivery {
            Some(delivery) => delivery.bound_since = true,
            None => self.deliver(cx, aor, Id(0), bindings),
        }
    }

    /// A branch of `Owner::Deliver { aor, id }` came to its end; `None`: without an answer.
    pub(crate) fn on_answer(
        &mut self,
        cx: &mut Cx<'_>,
        aor: &Aor,
        id: Id,
        status: Option<u16>,
        bindings: &[Target<'_>],
    ) {
        if status.is_some_and(|status| status < 200) {
            return;
        }
        cx.emit(Event::Finished { method: Method::Message, target: aor.clone(), status });
        let verdict = Verdict::of(status);
        if verdict == Verdict::Done {
            // Whichever branch says so, and however late: it has been taken.
            self.forget(cx, aor, id);
        }
        let Some(delivery) = self.delivery.as_mut().filter(|delivery| delivery.id == id) else {
            return;
        };
        delivery.pending = delivery.pending.saturating_sub(1);
        delivery.worst = delivery.worst.max(verdict);
        let verdict = match verdict {
            Verdict::Done => Verdict::Done,
            Verdict::Refused | Verdict::NotNow | Verdict::Away if delivery.pending > 0 => return,
            Verdict::Refused | Verdict::NotNow | Verdict::Away => delivery.worst,
        };
        match verdict {
            Verdict::Done | Verdict::Refused => {
                self.forget(cx, aor, id);
                self.deliver(cx, aor, Id(id.0 + 1), bindings);
            }
            Verdict::NotNow => self.deliver(cx, aor, Id(id.0 + 1), bindings),
            Verdict::Away => self.pause(cx, aor, bindings),
        }
    }

    /// Sends the first row from `from` on to every binding.
    fn deliver(&mut self, cx: &mut Cx<'_>, aor: &Aor, from: Id, bindings: &[Target<'_>]) {
        let Some((id, row)) = self.rows.range_mut(from..).next() else {
            return self.pause(cx, aor, bindings);
        };
        if bindings.is_empty() {
            self.delivery = None;
            return;
        }
        row.attempts += 1;
        for binding in bindings {
            row.send(cx, aor, binding);
        }
        let bound_since = self.delivery.as_ref().is_some_and(|delivery| delivery.bound_since);
        let (id, pending, worst) = (*id, bindings.len(), Verdict::Done);
        self.delivery = Some(Delivery { id, pending, worst, bound_since });
    }

    /// Nothing more can be delivered until the account is bound again; if that happened during
    /// this delivery, it starts anew.
    fn pause(&mut self, cx: &mut Cx<'_>, aor: &Aor, bindings: &[Target<'_>]) {
        let again = self.delivery.take().is_some_and(|delivery| delivery.bound_since);
        if again && !self.rows.is_empty() {
            self.deliver(cx, aor, Id(0), bindings);
        }
    }

    /// A device took a message after it had been stored (R77a).
    pub(crate) fn received(&mut self, cx: &mut Cx<'_>, aor: &Aor, mark: Id) {
        if let Some(Some(id)) = self.marks.get(&mark) {
            self.forget(cx, aor, *id);
        }
    }

    /// `Timer::Kept(aor, id)`: the message is worthless now.
    pub(crate) fn on_expired(&mut self, cx: &mut Cx<'_>, aor: &Aor, id: Id) {
        self.forget(cx, aor, id);
    }

    /// `Timer::Dedupe(aor, mark)`: a copy of this message would be a new message.
    pub(crate) fn on_dedupe_over(&mut self, mark: Id) {
        if let Some(None) = self.marks.get(&mark) {
            self.marks.remove(&mark);
            self.done.retain(|done| *done != mark);
        }
    }

    /// Deletes a row durably. Its mark stays for K12, unless too many others come after it.
    fn forget(&mut self, cx: &mut Cx<'_>, aor: &Aor, id: Id) {
        let Some(mark) = self.rows.get(&id).map(|row| row.kept.mark) else { return };
        self.commit(cx, Record::Delivered(aor.clone(), id));
        cx.timers.stop(&Timer::Kept(aor.clone(), id));
        cx.timers.arm(Timer::Dedupe(aor.clone(), mark), cx.now + cx.config.limits.dedupe_ttl);
        self.marks.insert(mark, None);
        self.done.push_back(mark);
        if self.done.len() > DONE_PER_ROW * cx.config.limits.offline_quota
            && let Some(oldest) = self.done.front().copied()
        {
            cx.timers.stop(&Timer::Dedupe(aor.clone(), oldest));
            self.on_dedupe_over(oldest);
        }
    }

    fn commit(&mut self, cx: &mut Cx<'_>, record: Record) {
        self.apply(&record);
        cx.record(record);
    }

    /// The only writer of rows, live and in recovery. Other records are not for this room.
    pub(crate) fn apply(&mut self, record: &Record) {
        if let Record::Kept(_, kept) = record {
            self.last = self.last.max(Some(kept.id));
            self.marks.insert(kept.mark, Some(kept.id));
            self.rows.insert(kept.id, Row { kept: kept.clone(), attempts: 0 });
        }
        if let Record::Delivered(_, id) = record
            && let Some(row) = self.rows.remove(id)
        {
            self.marks.remove(&row.kept.mark);
        }
    }

    /// Arms the expiry of every row after a recovery; what expired meanwhile is due at once.
    pub(crate) fn rearm(&self, timers: &mut Timers<Timer>, aor: &Aor) {
        for (id, row) in &self.rows {
            timers.arm(Timer::Kept(aor.clone(), *id), row.kept.expires);
        }
    }

    /// The account is gone: so are its messages.
    pub(crate) fn remove_all(&mut self, cx: &mut Cx<'_>, aor: &Aor) {
        while let Some(id) = self.rows.keys().next().copied() {
            self.forget(cx, aor, id);
        }
        for mark in &self.done {
            cx.timers.stop(&Timer::Dedupe(aor.clone(), *mark));
        }
        *self = Self { last: self.last, ..Self::default() };
    }
}

/// Whether a MESSAGE is larger than K10 (413; RFC 3428 §8).
pub(crate) fn too_large(config: &Config, request: &Request) -> bool {
    request.method() == Method::Message && request.bytes().len() > config.limits.message_size
}
