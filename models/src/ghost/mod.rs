//! What an onlooker remembers beside the engine, never inside it: enough to judge each step by the
//! laws that speak of more than one state (behaviour §5.1).

mod access;
mod notify;
mod rows;

use crate::law::{Album, Law, Sight};
use crate::plan::UserId;
use presently_engine::Instant;
use presently_engine::agent::{self, Package, SubscriptionPhase};
use presently_engine::body::pidf::Pidf;
use presently_engine::message::{Method, Request};
use presently_engine::server::Record;
use std::collections::{BTreeMap, BTreeSet};

pub(crate) use access::{Deed, Origin, registered};
use notify::revision;
pub(crate) use rows::{decided, ended, one_record_per_dialog, same_tables, winfo_agrees};

/// Durable rows by key.
pub(crate) type Rows = BTreeMap<Vec<u8>, Record>;

/// Where an onlooker writes what it found.
pub(crate) struct Notes<'a> {
    pub(crate) laws: &'a [Law],
    pub(crate) album: &'a Album,
    pub(crate) broken: &'a mut Vec<Law>,
}

impl Notes<'_> {
    /// A law is broken unless `holds`.
    pub(crate) fn demand(&mut self, law: Law, holds: bool) {
        if !holds && self.laws.contains(&law) && !self.broken.contains(&law) {
            self.broken.push(law);
        }
    }

    /// A sight was seen if `seen`.
    pub(crate) fn saw(&self, sight: Sight, seen: bool) {
        if seen {
            self.album.note(sight);
        }
    }
}

/// A short name of a text.
pub(crate) fn mark(text: &str) -> u64 {
    crate::print::print(text, Instant::default())
}

/// One NOTIFY dialog as it looks on the wire.
#[derive(Clone, Hash, Debug, Default)]
struct Talk {
    cseq: u32,
    /// Fingerprint of the NOTIFY sent last.
    last: u64,
    /// When it was sent, while it is unanswered.
    outstanding: Option<Instant>,
    terminal: bool,
    version: Option<u32>,
    /// A full document is due (D6).
    full_due: bool,
    /// The last one failed.
    failed: bool,
    /// The server has restarted since: numbers may skip.
    skips: bool,
}

/// One subscription that an agent keeps up.
#[derive(Clone, Hash, Debug, Default)]
struct Keep {
    /// Whether a new subscription is due: nothing was begun, or the one begun has ended.
    due: bool,
    call: u64,
}

/// The onlooker.
#[derive(Clone, Hash, Debug, Default)]
pub(crate) struct Ghost {
    talks: BTreeMap<u64, Talk>,
    keeps: BTreeMap<(UserId, u64, Package), Keep>,
    /// Revision shown last, by user and presentity.
    shown: BTreeMap<(UserId, u64), u32>,
    /// Fingerprint by CSeq of what an agent sent under a Call-ID.
    numbers: BTreeMap<(UserId, u64), BTreeMap<u32, u64>>,
    /// Watcher rows that have ended.
    gone: BTreeSet<u64>,
    access: access::Access,
    messages: BTreeMap<(UserId, u64), u8>,
    /// Users who have logged out and not in again.
    out: BTreeSet<UserId>,
    promised: BTreeSet<Box<str>>,
    delivered: BTreeSet<Box<str>>,
}

impl Ghost {
    /// The server lost what is not durable.
    pub(crate) fn restarted(&mut self) {
        for talk in self.talks.values_mut() {
            talk.outstanding = None;
            talk.full_due = true;
            talk.skips = true;
        }
    }

    /// A user asks for a subscription.
    pub(crate) fn wished(&mut self, user: UserId, command: &agent::Command) {
        if let agent::Command::Subscribe { target, package, .. } = command {
            let keep = self.keeps.entry((user, mark(target.as_str()), *package)).or_default();
            keep.due = true;
        }
    }

    /// What a user wanted was begun; a login may have ended a logout first.
    pub(crate) fn began(&mut self, user: UserId, is_login: bool) {
        if is_login {
            self.out.remove(&user);
        }
    }

    /// An agent sends a request.
    pub(crate) fn sent_by_user(&mut self, notes: &mut Notes<'_>, user: UserId, request: &Request) {
        let call = mark(request.call_id().unwrap_or(""));
        let print = crate::print::print(request.bytes(), Instant::default());
        let cseq = request.cseq().map_or(0, |cseq| cseq.number);
        let numbers = self.numbers.entry((user, call)).or_default();
        if numbers.get(&cseq) == Some(&print) {
            return notes.saw(Sight::Retransmitted, true);
        }
        let rises = numbers.last_key_value().is_none_or(|(last, _)| cseq > *last);
        notes.demand(Law::CSeqSendMonotone, rises);
        numbers.insert(cseq, print);
        let is_new = request.to().is_ok_and(|to| to.tag().is_none());
        if request.method() == Method::Subscribe && is_new {
            let package = match request.event().map(|event| event.package) {
                Some("presence.winfo") => Package::Winfo,
                _ => Package::Presence,
            };
            let keep = self.keeps.entry((user, mark(request.uri()), package)).or_default();
            if keep.call != call {
                notes.demand(Law::ResubscribeOnce, keep.due);
                notes.saw(Sight::NewGeneration, keep.call != 0);
                *keep = Keep { due: false, call };
            }
        }
    }

    /// An agent told its user something, in a step that a letter of `call` caused, or a timer.
    pub(crate) fn told(
        &mut self,
        notes: &mut Notes<'_>,
        user: UserId,
        event: &agent::Event,
        call: Option<u64>,
    ) {
        match event {
            agent::Event::Subscription {
                target,
                package,
                phase: SubscriptionPhase::Terminated,
                ..
            } => {
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

    /// Whether a user has logged out.
    pub(crate) fn is_out(&self, user: usize) -> bool {
        self.out.iter().any(|out| usize::from(*out) == user)
    }

    /// Whether this user was shown a message already.
    pub(crate) fn was_shown(&self, user: UserId, id: &str) -> bool {
        self.messages.contains_key(&(user, mark(id)))
    }

    /// The server said 202 to a message.
    pub(crate) fn promises(&mut self, id: &str) {
        self.promised.insert(id.into());
    }

    /// Whether every message that was promised is stored or was delivered.
    pub(crate) fn promises_hold(&self, rows: &Rows) -> bool {
        let kept = |id: &str| {
            rows.values().any(|row| matches!(row, Record::Kept(_, kept) if *kept.message_id == *id))
        };
        self.promised.iter().all(|id| self.delivered.contains(id) || kept(id))
    }
}

/// The revision a document shows: tests number their notes `r0`, `r1` and so on.
fn revision_of(document: &Pidf) -> Option<u32> {
    let notes = document.notes.iter().chain(document.tuples.iter().flat_map(|it| &it.notes));
    notes.filter_map(|note| revision(&note.text)).max()
}
