//! The ways a subscription or a waiting watcher ends (M13 rows 13–20, 24–33).
//!
//! Every end goes through [`Presentity::end`], so that withdrawal, expiry, failure and decision
//! leave the four tables in the same shape.

use super::outbox::{Happening, Urgency};
use super::{Devices, Package, Presentity, WaitingRow};
use crate::body::winfo::{Cause, Status};
use crate::mint::Id;
use crate::server::cx::Cx;
use crate::server::{Config, Record, Timer};
use crate::time::{Instant, Timers};
use std::time::Duration;

impl Presentity {
    /// Ends a live subscription with one terminal NOTIFY. A pending one that merely ran out waits
    /// for the owner from then on (D7); every other end is final.
    pub(super) fn end(&mut self, cx: &mut Cx<'_>, package: Package, id: Id, cause: Cause) {
        if self.record_end(cx, package, id, cause) {
            self.step(cx, package, id, Happening::End);
        }
    }

    /// Ends a live subscription without a word: its peer is gone, or must not hear of it (R20).
    pub(super) fn end_silently(&mut self, cx: &mut Cx<'_>, package: Package, id: Id, cause: Cause) {
        self.record_end(cx, package, id, cause);
        self.free(package, id);
    }

    /// The peer of a subscription is lost (M13 rows 16 and 26).
    pub(super) fn abandon(&mut self, cx: &mut Cx<'_>, package: Package, id: Id) {
        self.end_silently(cx, package, id, Cause::Timeout);
    }

    fn record_end(&mut self, cx: &mut Cx<'_>, package: Package, id: Id, cause: Cause) -> bool {
        let Some(row) = self.table(package).get(id).filter(|row| row.is_live()) else {
            return false;
        };
        let row = row.row.clone();
        self.stop_timers(cx, package, id, row.watcher_id);
        self.commit(cx, Record::Ended(self.aor.clone(), id, cause));
        if package == Package::Presence && !row.active && cause == Cause::Timeout {
            let giveup = cx.now + cx.config.limits.giveup_waiting;
            let waiting = WaitingRow {
                watcher: row.watcher,
                display_name: row.display_name,
                event_id: row.event_id,
                since: row.since,
                giveup,
            };
            self.wait(cx, row.watcher_id, waiting);
        }
        true
    }

    /// Makes a watcher wait for the owner without a subscription.
    pub(super) fn wait(&mut self, cx: &mut Cx<'_>, watcher_id: Id, row: WaitingRow) {
        cx.timers.arm(Timer::GiveUp(self.aor.clone(), watcher_id), row.giveup);
        self.commit(cx, Record::Waiting(self.aor.clone(), watcher_id, row));
    }

    /// Ends the waiting of a watcher.
    pub(super) fn release(&mut self, cx: &mut Cx<'_>, watcher_id: Id, cause: Cause) {
        cx.timers.stop(&Timer::GiveUp(self.aor.clone(), watcher_id));
        self.commit(cx, Record::Released(self.aor.clone(), watcher_id, cause));
    }

    /// A subscription that is not refreshed ends after the granted seconds and some grace (K3).
    pub(super) fn arm_expiry(&self, cx: &mut Cx<'_>, package: Package, id: Id, seconds: u32) {
        let granted = Duration::from_secs(u64::from(seconds));
        let timer = match package {
            Package::Presence => Timer::Subscription(self.aor.clone(), id),
            Package::Winfo => Timer::WinfoSubscription(self.aor.clone(), id),
        };
        cx.timers.arm(timer, cx.now + granted + cx.config.limits.expiry_grace);
    }

    fn stop_timers(&self, cx: &mut Cx<'_>, package: Package, id: Id, watcher_id: Id) {
        let aor = || self.aor.clone();
        match package {
            Package::Presence => {
                cx.timers.stop(&Timer::Subscription(aor(), id));
                cx.timers.stop(&Timer::Throttle(aor(), id));
                cx.timers.stop(&Timer::GiveUp(aor(), watcher_id));
            }
            Package::Winfo => {
                cx.timers.stop(&Timer::WinfoSubscription(aor(), id));
                cx.timers.stop(&Timer::WinfoThrottle(aor(), id));
            }
        }
    }

    /// Forgets a subscription that is over; what only it had been told is forgotten with it.
    pub(super) fn free(&mut self, package: Package, id: Id) {
        let gone = self.table_mut(package).remove(id);
        let told = gone.and_then(|row| row.told);
        for watcher_id in told.map(|told| told.known).into_iter().flatten() {
            self.watchers.retracted(watcher_id);
        }
    }

    /// A deadline of this presentity has come.
    pub(crate) fn on_timer(&mut self, cx: &mut Cx<'_>, timer: &Timer) {
        match timer {
            Timer::Publication(_, etag) => self.on_publication_expired(cx, *etag),
            Timer::Subscription(_, id) => self.end(cx, Package::Presence, *id, Cause::Timeout),
            Timer::WinfoSubscription(_, id) => self.end(cx, Package::Winfo, *id, Cause::Timeout),
            Timer::Throttle(_, id) => self.step(cx, Package::Presence, *id, Happening::GapOver),
            Timer::WinfoThrottle(_, id) => self.step(cx, Package::Winfo, *id, Happening::GapOver),
            Timer::GiveUp(_, watcher_id) => self.give_up(cx, *watcher_id),
            Timer::Settle(_) => self.settle_after_recovery(cx),
            Timer::Binding(..) | Timer::Kept(..) | Timer::Relay(_) | Timer::Dedupe(..) => {}
        }
        self.settle(cx);
    }

    /// An undecided watcher has waited long enough (K5), or has to make room (K6).
    pub(super) fn give_up(&mut self, cx: &mut Cx<'_>, watcher_id: Id) {
        let Some(row) = self.watchers.get(watcher_id) else { return };
        match (row.status, row.subscription) {
            (Status::Pending, Some(id)) => self.end(cx, Package::Presence, id, Cause::Giveup),
            (Status::Waiting, _) => self.release(cx, watcher_id, Cause::Giveup),
            (Status::Pending | Status::Active | Status::Terminated, _) => {}
        }
    }

    /// The account or the server goes away: everybody is told.
    pub(crate) fn end_all(&mut self, cx: &mut Cx<'_>, cause: Cause) {
        for package in [Package::Presence, Package::Winfo] {
            let ids: Vec<Id> = self.table(package).iter().map(|(id, _)| id).collect();
            for id in ids {
                self.end(cx, package, id, cause);
            }
        }
        self.settle(cx);
    }

    /// The account is deleted (M13 rows 20, 30, 33).
    pub(crate) fn remove_all(&mut self, cx: &mut Cx<'_>) {
        let waiting: Vec<Id> = self
            .watchers
            .iter()
            .filter(|(_, row)| row.status == Status::Waiting)
            .map(|(id, _)| id)
            .collect();
        for id in waiting {
            self.release(cx, id, Cause::Noresource);
        }
        self.end_all(cx, Cause::Noresource);
        self.withdraw_all(cx);
        let decided: Vec<_> = self.rules.iter().map(|(watcher, _)| watcher.clone()).collect();
        for watcher in decided {
            self.commit(cx, Record::Decided(self.aor.clone(), watcher, None));
        }
        if self.rules.etag.is_some() {
            self.commit(cx, Record::Unruled(self.aor.clone()));
        }
    }

    /// Whether every subscriber has been told that it ended.
    pub(crate) fn is_drained(&self) -> bool {
        self.subscriptions.len() == 0 && self.winfo.len() == 0
    }

    /// After recovery every live subscription is owed one NOTIFY, a winfo one a full document
    /// (R47).
    fn settle_after_recovery(&mut self, cx: &mut Cx<'_>) {
        self.reconcile(cx);
        for package in [Package::Presence, Package::Winfo] {
            let ids: Vec<Id> = self.table(package).iter().map(|(id, _)| id).collect();
            for id in ids {
                self.step(cx, package, id, Happening::Dirty(Urgency::Forced));
            }
        }
    }

    /// Makes the recovered tables agree with the bindings and with each other.
    pub(crate) fn recovered(&mut self, devices: Devices, now: Instant) {
        self.set_devices(devices);
        self.information.recompose(&self.aor, now);
        self.owed_winfo.clear();
        self.touched.clear();
    }

    /// Arms every timer that the recovered rows imply.
    pub(crate) fn rearm(&self, timers: &mut Timers<Timer>, config: &Config) {
        let grace = config.limits.expiry_grace;
        for (etag, publication) in self.information.iter() {
            let at = publication.row.expires + grace;
            timers.arm(Timer::Publication(self.aor.clone(), etag), at);
        }
        for (id, row) in self.subscriptions.iter() {
            timers.arm(Timer::Subscription(self.aor.clone(), id), row.row.expires + grace);
            if !row.row.active {
                let at = row.row.since + config.limits.giveup_pending;
                timers.arm(Timer::GiveUp(self.aor.clone(), row.row.watcher_id), at);
            }
        }
        for (id, row) in self.winfo.iter() {
            timers.arm(Timer::WinfoSubscription(self.aor.clone(), id), row.row.expires + grace);
        }
        for (id, row) in self.watchers.iter() {
            if row.status == Status::Waiting {
                timers.arm(Timer::GiveUp(self.aor.clone(), id), row.until);
            }
        }
    }
}
