//! The owner's decisions about watchers (D11): a rule set that the server keeps, published under
//! the private event `x-presrules` with its entity-tag as optimistic lock (R17, R18).
//!
//! One decision, one PUBLISH, in the order they were made. A 412 brings the rules another device
//! made meanwhile; they are taken over and the decision is applied to them. Rules do not expire,
//! so nothing is ever refreshed or withdrawn here.

use super::cx::Cx;
use super::request::{Answer, Draft, Outcome, Room, Ticket};
use super::types::Event;
use crate::body::presrules::{AUTH_POLICY, Handling, Rules, Verdict};
use crate::message::{Aor, Method, Name, Response};
use crate::mint::{Id, Label};
use std::collections::{BTreeSet, VecDeque};

/// How often one decision is tried again after a 412.
const CONFLICTS: u8 = 3;
/// Most decisions that wait.
const QUEUE: usize = 1024;

/// One decision of the owner.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Decision {
    watcher: Aor,
    verdict: Option<Verdict>,
}

/// The rules as far as we know them, and the decisions that are not in them yet.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct Decisions {
    pub(crate) rules: Rules,
    etag: Option<Box<str>>,
    queue: VecDeque<Decision>,
    /// The PUBLISH of the decision at the head.
    out: Option<Ticket>,
    conflicts: u8,
    identity: Option<(Box<str>, Id)>,
    cseq: u32,
}

impl Decisions {
    /// Takes a decision of the owner.
    pub(crate) fn decide(&mut self, cx: &mut Cx<'_>, watcher: Aor, verdict: Option<Verdict>) {
        if self.queue.len() >= QUEUE {
            return cx.emit(Event::Decided { watcher, status: 0 });
        }
        self.queue.push_back(Decision { watcher, verdict });
        self.wake(cx);
    }

    /// The server became available, or the last decision is done.
    pub(crate) fn wake(&mut self, cx: &mut Cx<'_>) {
        if self.out.is_none() && cx.core.online && !self.queue.is_empty() {
            self.conflicts = 0;
            self.send(cx);
        }
    }

    /// Logout is over; what was decided and not told yet is told at the next login.
    pub(crate) fn forget(&mut self, cx: &mut Cx<'_>) {
        cx.abandon(self.out.take());
    }

    /// Whether the owner blocked this user.
    pub(crate) fn blocks(&self, user: &Aor) -> bool {
        self.rules.verdicts.get(user).is_some_and(|verdict| verdict.handling == Handling::Block)
    }

    /// Whom the owner would hear of `watchers`: those who are allowed, unless direct media is not,
    /// or a newer decision says otherwise (X15): one that was made here, or on another device and
    /// told by watcher information, as `rejected`.
    pub(crate) fn hears(
        &self,
        watchers: impl Iterator<Item = Aor>,
        rejected: &BTreeSet<Aor>,
    ) -> BTreeSet<Aor> {
        let mut hears: BTreeSet<Aor> = watchers.collect();
        let made = self.queue.iter().map(|made| (&made.watcher, made.verdict));
        let known = self.rules.verdicts.iter().map(|(watcher, verdict)| (watcher, Some(*verdict)));
        let known = known.filter(|(watcher, _)| !rejected.contains(*watcher));
        hears.retain(|watcher| !rejected.contains(watcher));
        for (watcher, verdict) in known.chain(made) {
            match verdict.is_some_and(lets_speak) {
                true => hears.insert(watcher.clone()),
                false => hears.remove(watcher),
            };
        }
        hears
    }

    /// Whether the owner's newest word about somebody is against hearing it.
    pub(crate) fn refuses(&self, user: &Aor) -> bool {
        let newest = self.queue.iter().rev().find(|made| made.watcher == *user);
        let known = || self.rules.verdicts.get(user).copied();
        newest.map_or_else(known, |made| made.verdict).is_some_and(|verdict| !lets_speak(verdict))
    }

    /// How many decisions wait.
    pub(crate) fn len(&self) -> usize {
        self.queue.len()
    }

    /// The end of a PUBLISH.
    pub(crate) fn on_answer(&mut self, cx: &mut Cx<'_>, answer: Answer) {
        if self.out != Some(answer.ticket) {
            return;
        }
        self.out = None;
        self.cseq = answer.cseq;
        match &answer.outcome {
            Outcome::Answered(response) if response.status() < 300 => {
                self.rules = self.proposal();
                self.etag = response.first(Name::SipEtag).map(Into::into);
                self.finish(cx, response.status());
            }
            Outcome::Answered(response) if response.status() == 412 => {
                if self.take_over(response) {
                    self.send(cx);
                } else {
                    self.finish(cx, 412);
                }
            }
            outcome @ (Outcome::Answered(_) | Outcome::Silent | Outcome::TooLarge) => {
                self.finish(cx, outcome.status());
            }
        }
    }

    /// After a 412: whether there is something new to try it on.
    fn take_over(&mut self, response: &Response) -> bool {
        self.conflicts += 1;
        let current = response.content_type().is_some_and(|found| found.is(AUTH_POLICY));
        let current = if current { Rules::parse(&response.body()).ok() } else { None };
        let etag = response.first(Name::SipEtag);
        match (current, etag) {
            (Some(rules), Some(etag)) => {
                self.rules = rules;
                self.etag = Some(etag.into());
                self.conflicts <= CONFLICTS
            }
            // Another server says only that the tag is outdated: begin without one, once.
            _ => self.etag.take().is_some() && self.conflicts <= CONFLICTS,
        }
    }

    /// The rules with the decision at the head applied.
    fn proposal(&self) -> Rules {
        let mut rules = self.rules.clone();
        if let Some(decision) = self.queue.front() {
            match decision.verdict {
                Some(verdict) => rules.verdicts.insert(decision.watcher.clone(), verdict),
                None => rules.verdicts.remove(&decision.watcher),
            };
        }
        rules
    }

    fn finish(&mut self, cx: &mut Cx<'_>, status: u16) {
        if let Some(decision) = self.queue.pop_front() {
            cx.emit(Event::Decided { watcher: decision.watcher, status });
        }
        self.wake(cx);
    }

    fn send(&mut self, cx: &mut Cx<'_>) {
        let (call_id, tag) = match &self.identity {
            Some(identity) => identity.clone(),
            None => (cx.mint_call_id(), cx.mint(Label::Tag)),
        };
        self.identity = Some((call_id.clone(), tag));
        let aor = cx.config.aor.as_str();
        let mut draft = Draft::new(cx, Method::Publish, aor, aor)
            .numbered(&call_id, tag, self.cseq + 1)
            .with(Name::Event, "x-presrules")
            .carrying(AUTH_POLICY, self.proposal().write());
        if let Some(etag) = &self.etag {
            draft = draft.with(Name::SipIfMatch, etag);
        }
        draft.expires = Some(cx.config.publish_expires);
        self.out = cx.send(Room::Decisions, draft);
    }
}

/// Whether a verdict is for hearing somebody directly.
fn lets_speak(verdict: Verdict) -> bool {
    verdict.handling == Handling::Allow && verdict.direct
}
