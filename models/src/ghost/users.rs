//! What users want, what their agents send for it, and what they are told.

use super::notify::revision;
use super::{Ghost, Notes, Rows};
use crate::law::{Law, Sight};
use crate::plan::UserId;
use crate::print::mark;
use crate::wire::Letter;
use presently_engine::agent::{self, Package, SubscriptionPhase};
use presently_engine::body::pidf::Pidf;
use presently_engine::message::{Method, Name};
use presently_engine::server::Record;
use std::collections::{BTreeMap, BTreeSet};

/// K18: how often a request is tried again with other credentials.
const RETRIES: u8 = 2;

/// One subscription that an agent keeps up.
#[derive(Clone, Hash, Debug, Default)]
struct Keep {
    /// Whether a new subscription is due: nothing was begun, or the one begun has ended.
    due: bool,
    call: u64,
}

/// Requests of one agent under one Call-ID.
#[derive(Clone, Hash, Debug, Default)]
struct Series {
    /// Fingerprint by CSeq.
    sent: BTreeMap<u32, u64>,
    /// How often the request sent last was sent, each time with other credentials.
    tries: u8,
}

/// The letter that made an agent do something.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Prompt {
    pub(crate) call: u64,
    pub(crate) status: u16,
}

/// What was seen of users and their agents.
#[derive(Clone, Hash, Debug, Default)]
pub(super) struct Users {
    keeps: BTreeMap<(UserId, u64, Package), Keep>,
    /// Revision shown last, by user and presentity.
    shown: BTreeMap<(UserId, u64), u32>,
    series: BTreeMap<(UserId, u64), Series>,
    messages: BTreeMap<(UserId, u64), u8>,
    /// Users who have logged out and not in again.
    out: BTreeSet<UserId>,
    promised: BTreeSet<Box<str>>,
    delivered: BTreeSet<Box<str>>,
}

impl Users {
    pub(super) fn requests(&self) -> usize {
        self.series.values().map(|series| series.sent.len()).sum()
    }

    /// An agent was started again: nothing of what it kept up is begun.
    pub(super) fn forget(&mut self, user: UserId) {
        self.keeps.retain(|(who, ..), _| *who != user);
    }

    fn sent(&mut self, notes: &mut Notes<'_>, user: UserId, letter: &Letter, again: bool) {
        let facts = &letter.facts;
        let series = self.series.entry((user, facts.call)).or_default();
        // They name the INVITE that they are about (RFC 3261 §9.1, §13.2.2.4).
        if matches!(facts.method, Method::Ack | Method::Cancel) {
            return notes.demand(Law::CSeqSendMonotone, series.sent.contains_key(&facts.cseq));
        }
        let rises = series.sent.last_key_value().is_none_or(|(last, _)| facts.cseq > *last);
        notes.demand(Law::CSeqSendMonotone, rises);
        if notes.laws.has(Law::AuthTerminates) {
            series.tries = if again { series.tries.saturating_add(1) } else { 1 };
            notes.demand(Law::AuthTerminates, series.tries <= 1 + RETRIES);
        }
        series.sent.insert(facts.cseq, facts.text);
        let Some(request) = letter.request() else { return };
        if facts.method == Method::Subscribe && facts.to_tag == 0 {
            let package = if facts.is_winfo { Package::Winfo } else { Package::Presence };
            let keep = self.keeps.entry((user, mark(request.uri()), package)).or_default();
            if keep.call != facts.call {
                notes.demand(Law::ResubscribeOnce, keep.due);
                notes.saw(Sight::NewGeneration, keep.call != 0);
                *keep = Keep { due: false, call: facts.call };
            }
        }
    }

    fn told(
        &mut self,
        notes: &mut Notes<'_>,
        user: UserId,
        event: &agent::Event,
        call: Option<u64>,
    ) {
        match event {
            agent::Event::Subscription { target, package, reason, .. } => {
                // Whoever leaves or looks once ends with a reason of its own.
                notes.demand(Law::NeverLonger, reason.as_deref() != Some("timeout"));
                let keep = self.keeps.entry((user, mark(target.as_str()), *package)).or_default();
                keep.due |= call.is_none_or(|call| call == keep.call);
            }
            agent::Event::LoggedOut => {
                self.out.insert(user);
                notes.saw(Sight::LoggedOut, true);
            }
            agent::Event::Presence { aor, document } => {
                if let Some(revision) = revision_of(document) {
                    let shown = self.shown.entry((user, mark(aor.as_str()))).or_default();
                    notes.demand(Law::ContentNeverBack, revision >= *shown);
                    *shown = revision;
                }
            }
            agent::Event::Message { id, stored, .. } => {
                let times = self.messages.entry((user, mark(id))).or_default();
                *times += 1;
                notes.demand(Law::MessageShownOnce, *times == 1);
                notes.saw(Sight::StoredThenDelivered, *stored);
                self.delivered.insert(id.clone());
            }
            _ => {}
        }
    }
}

impl Ghost {
    /// A user asks for something.
    pub(crate) fn wished(&mut self, user: UserId, command: &agent::Command) {
        self.judged(user, command);
        if let agent::Command::Subscribe { target, package, .. } = command {
            let key = (user, mark(target.as_str()), *package);
            self.users.change(|users| users.keeps.entry(key).or_default().due = true);
        }
    }

    /// What a user wanted was begun; a login may have ended a logout first.
    pub(crate) fn began(&mut self, user: UserId, is_login: bool) {
        if is_login && self.users.get().out.contains(&user) {
            self.users.change(|users| users.out.remove(&user));
        }
    }

    /// An agent sends a request: the next try of one if a 401 to it came in the same step.
    pub(crate) fn sent_by_user(
        &mut self,
        notes: &mut Notes<'_>,
        user: UserId,
        letter: &Letter,
        cause: Option<Prompt>,
    ) {
        let facts = &letter.facts;
        let series = self.users.get().series.get(&(user, facts.call));
        if series.is_some_and(|series| series.sent.get(&facts.cseq) == Some(&facts.text)) {
            return notes.saw(Sight::Retransmitted, true);
        }
        let again = cause.is_some_and(|it| it.status == 401 && it.call == facts.call);
        self.users.change(|users| users.sent(notes, user, letter, again));
    }

    /// An agent told its user something, in a step that a letter of `call` caused, or a timer.
    pub(crate) fn told(
        &mut self,
        notes: &mut Notes<'_>,
        user: UserId,
        event: &agent::Event,
        cause: Option<Prompt>,
    ) {
        let call = cause.map(|cause| cause.call);
        let matters = match event {
            agent::Event::Subscription { phase, .. } => *phase == SubscriptionPhase::Terminated,
            agent::Event::LoggedOut
            | agent::Event::Presence { .. }
            | agent::Event::Message { .. } => true,
            _ => false,
        };
        if matters {
            self.users.change(|users| users.told(notes, user, event, call));
        }
    }

    /// Whether a user has logged out.
    pub(crate) fn is_out(&self, user: usize) -> bool {
        self.users.get().out.iter().any(|out| usize::from(*out) == user)
    }

    /// Whether this user was shown the message of a letter already.
    pub(crate) fn was_shown(&self, user: UserId, letter: &Letter) -> bool {
        let id = letter.header(Name::DmMessageId);
        id.is_some_and(|id| self.users.get().messages.contains_key(&(user, mark(id))))
    }

    /// The server said 202 to a message.
    pub(super) fn promises(&mut self, id: &str) {
        self.users.change(|users| users.promised.insert(id.into()));
    }

    /// Whether every message that was promised is stored or was delivered.
    pub(crate) fn promises_hold(&self, rows: &Rows) -> bool {
        let users = self.users.get();
        let kept = |id: &str| {
            rows.values().any(|row| matches!(row, Record::Kept(_, kept) if *kept.message_id == *id))
        };
        users.promised.iter().all(|id| users.delivered.contains(id) || kept(id))
    }
}

/// The revision a document shows: tests number their notes `r0`, `r1` and so on.
fn revision_of(document: &Pidf) -> Option<u32> {
    let notes = document.notes.iter().chain(document.tuples.iter().flat_map(|it| &it.notes));
    notes.filter_map(|note| revision(&note.text)).max()
}
