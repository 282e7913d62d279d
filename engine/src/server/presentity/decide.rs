//! Decisions of the owner: policy first, then every record of that watcher (M13 rows 11–13,
//! 27–29, 31, 32; D11).

use super::outbox::{Happening, Urgency};
use super::publish::{Publish, asked_expires, bad_document, reply_published};
use super::subscribe::{Refusal, refuse_with};
use super::{Package, Presentity};
use crate::body::presrules::{AUTH_POLICY, Handling, Rules, Verdict};
use crate::body::winfo::{Cause, Status};
use crate::message::{Aor, Name};
use crate::mint::Id;
use crate::server::cx::{Ask, Cx};
use crate::server::{Record, Timer};
use std::collections::BTreeSet;

impl Presentity {
    /// The owner's verdict about one watcher; `None` goes back to the default policy.
    pub(crate) fn decide(&mut self, cx: &mut Cx<'_>, watcher: &Aor, verdict: Option<Verdict>) {
        if self.rules.get(watcher) != verdict {
            let before = self.store_verdict(cx, watcher, verdict);
            self.carry_out(cx, watcher, before);
        }
        self.settle(cx);
    }

    /// Stores a decision and returns the verdict in force before. Policy comes before any record
    /// moves: should we crash in between, recovery finishes what was decided.
    fn store_verdict(
        &mut self,
        cx: &mut Cx<'_>,
        watcher: &Aor,
        verdict: Option<Verdict>,
    ) -> Verdict {
        let before = self.verdict(cx.config, watcher);
        self.commit(cx, Record::Decided(self.aor.clone(), watcher.clone(), verdict));
        before
    }

    /// Moves every record of a watcher to where the verdict in force wants it.
    fn carry_out(&mut self, cx: &mut Cx<'_>, watcher: &Aor, before: Verdict) {
        let after = self.verdict(cx.config, watcher);
        let rows: Vec<(Id, Status, Option<Id>)> = self
            .watchers
            .of(watcher)
            .filter_map(|id| self.watchers.get(id).map(|row| (id, row.status, row.subscription)))
            .collect();
        for (watcher_id, status, subscription) in rows {
            match (status, subscription) {
                (Status::Waiting, _) => self.decide_waiting(cx, watcher_id, after.handling),
                (Status::Pending, Some(id)) => self.decide_pending(cx, id, after.handling),
                (Status::Active, Some(id)) => self.decide_active(cx, id, before, after),
                (Status::Pending | Status::Active, None) | (Status::Terminated, _) => {}
            }
        }
        if after.handling == Handling::Block {
            self.end_self_views(cx, watcher);
        }
    }

    fn decide_waiting(&mut self, cx: &mut Cx<'_>, watcher_id: Id, handling: Handling) {
        match handling {
            Handling::Allow | Handling::PoliteBlock => {
                self.release(cx, watcher_id, Cause::Approved);
            }
            Handling::Block => self.release(cx, watcher_id, Cause::Rejected),
            Handling::Confirm => {}
        }
    }

    fn decide_pending(&mut self, cx: &mut Cx<'_>, id: Id, handling: Handling) {
        match handling {
            Handling::Allow | Handling::PoliteBlock => {
                self.turn(cx, id, true, Cause::Approved);
            }
            Handling::Block => self.end(cx, Package::Presence, id, Cause::Rejected),
            Handling::Confirm => {}
        }
    }

    fn decide_active(&mut self, cx: &mut Cx<'_>, id: Id, before: Verdict, after: Verdict) {
        match after.handling {
            Handling::Block => self.end(cx, Package::Presence, id, Cause::Rejected),
            // Permission withdrawn to "ask" (D8): the watcher is pending again.
            Handling::Confirm => self.turn(cx, id, false, Cause::Subscribe),
            Handling::Allow | Handling::PoliteBlock if before != after => {
                self.step(cx, Package::Presence, id, Happening::Dirty(Urgency::Forced));
            }
            Handling::Allow | Handling::PoliteBlock => {}
        }
    }

    /// Carries out every verdict again: a crash may have come between a decision and its
    /// consequences, and the default policy may have changed while the server was down.
    pub(super) fn reconcile(&mut self, cx: &mut Cx<'_>) {
        let watchers: BTreeSet<Aor> =
            self.watchers.iter().map(|(_, row)| row.aor.clone()).collect();
        for watcher in watchers {
            let verdict = self.verdict(cx.config, &watcher);
            self.carry_out(cx, &watcher, verdict);
        }
    }

    /// Moves a live subscription between pending and active and tells its watcher at once.
    fn turn(&mut self, cx: &mut Cx<'_>, id: Id, active: bool, cause: Cause) {
        let Some(found) = self.subscriptions.get(id) else { return };
        let mut row = found.stored();
        row.active = active;
        row.cause = cause;
        let giveup = Timer::GiveUp(self.aor.clone(), row.watcher_id);
        if active {
            cx.timers.stop(&giveup);
        } else {
            cx.timers.arm(giveup, cx.now + cx.config.limits.giveup_pending);
        }
        self.commit(cx, Record::Subscribed(self.aor.clone(), id, row));
        self.step(cx, Package::Presence, id, Happening::Dirty(Urgency::Forced));
    }

    /// A blocked watcher loses its view of its own watcher rows too (M16).
    fn end_self_views(&mut self, cx: &mut Cx<'_>, watcher: &Aor) {
        let views: Vec<Id> = self.winfo.of(watcher).collect();
        for id in views {
            self.end(cx, Package::Winfo, id, Cause::Rejected);
        }
    }

    /// PUBLISH `x-presrules`: the owner's whole rule set, under optimistic lock. Every difference
    /// to the rules in force is one decision, durable before the 200.
    pub(crate) fn on_publish_rules(&mut self, cx: &mut Cx<'_>, ask: &Ask<'_>) {
        let expires = asked_expires(cx.config, ask.request);
        let publish = match Publish::of(ask.request) {
            Ok(publish) => publish,
            Err(refusal) => return refuse_with(cx, ask, refusal),
        };
        if publish.if_match != self.rules.etag {
            return self.refuse_rules(cx, ask);
        }
        let wanted = match (publish.has_body, expires) {
            (true, 1..) => match self.read_rules(ask) {
                Ok(rules) => Some(rules),
                Err(refusal) => return refuse_with(cx, ask, refusal),
            },
            // A refresh keeps the rules; Expires 0 takes all decisions back.
            (false, 1..) if publish.if_match.is_some() => None,
            (false, 0) if publish.if_match.is_some() => Some(Rules::default()),
            (true | false, _) => return refuse_with(cx, ask, (400, None)),
        };
        let differences = wanted.map(|rules| self.differences(&rules)).unwrap_or_default();
        let decided: Vec<(Aor, Verdict)> = differences
            .into_iter()
            .map(|(watcher, verdict)| {
                let before = self.store_verdict(cx, &watcher, verdict);
                (watcher, before)
            })
            .collect();
        let etag = self.next_etag(cx, ask, publish.if_match);
        self.commit(cx, Record::Ruled(self.aor.clone(), etag));
        reply_published(cx, ask, etag, expires);
        for (watcher, before) in decided {
            self.carry_out(cx, &watcher, before);
        }
        self.settle(cx);
    }

    fn read_rules(&self, ask: &Ask<'_>) -> Result<Rules, Refusal> {
        if !ask.request.content_type().is_some_and(|kind| kind.is(AUTH_POLICY)) {
            return Err((415, Some((Name::Accept, AUTH_POLICY.to_owned()))));
        }
        Rules::parse(&ask.request.body()).map_err(|error| bad_document(&error))
    }

    fn differences(&self, wanted: &Rules) -> Vec<(Aor, Option<Verdict>)> {
        let dropped = self
            .rules
            .iter()
            .filter(|(watcher, _)| !wanted.verdicts.contains_key(watcher))
            .map(|(watcher, _)| (watcher.clone(), None));
        let changed = wanted
            .verdicts
            .iter()
            .filter(|(watcher, verdict)| self.rules.get(watcher) != Some(**verdict))
            .map(|(watcher, verdict)| (watcher.clone(), Some(*verdict)));
        dropped.chain(changed).collect()
    }

    /// 412 with the rules in force and their entity-tag, so that the other device can decide again
    /// on top of them (R18).
    fn refuse_rules(&self, cx: &mut Cx<'_>, ask: &Ask<'_>) {
        let mut reply = cx.answer(ask, 412);
        if let Some(etag) = self.rules.etag {
            reply.header(Name::SipEtag, &etag.to_string());
        }
        let body = self.rules.document().write();
        cx.reply(ask, 412, reply.into_writer().finish_with(AUTH_POLICY, &body));
    }
}
