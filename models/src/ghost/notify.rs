//! NOTIFY dialogs as they look on the wire.

use super::{Ghost, LIFE, Notes, Rows};
use crate::law::{Law, Sight};
use crate::print::mark;
use crate::recall::Move;
use crate::wire::Letter;
use presently_engine::Instant;
use presently_engine::body::pidf::Pidf;
use presently_engine::body::presrules::Handling;
use presently_engine::body::winfo::{Status, WatcherInfo};
use presently_engine::message::{Method, Request};
use presently_engine::server::Record;
use std::collections::{BTreeMap, BTreeSet};

/// The number in a note `r7`.
pub(crate) fn revision(note: &str) -> Option<u32> {
    note.strip_prefix('r')?.parse().ok()
}

/// One NOTIFY dialog.
#[derive(Clone, Hash, Debug, Default)]
pub(super) struct Talk {
    /// How many were sent.
    sent: u32,
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
    /// Watcher rows that changed since a document spoke of them.
    touched: BTreeSet<u64>,
    /// Watcher rows that the subscriber knows, as of the last document that was accepted.
    told: BTreeSet<u64>,
    /// Rows of the document that is out, whether it is a full one, and which of them are ends.
    telling: (bool, BTreeSet<u64>, BTreeSet<u64>),
}

impl Talk {
    pub(super) fn sent(&self) -> usize {
        self.sent as usize
    }

    fn next(&mut self, notes: &mut Notes<'_>, letter: &Letter, now: Instant) {
        let facts = &letter.facts;
        let cseq = facts.cseq;
        let follows = self.cseq == 0 || cseq == self.cseq + 1 || self.skips && cseq > self.cseq;
        notes.demand(Law::ContentNeverBack, follows);
        notes.demand(Law::TerminalLast, !self.terminal);
        let free = self.outstanding.is_none_or(|sent| sent + LIFE <= now);
        notes.demand(Law::OneInFlight, free);
        self.sent += 1;
        (self.cseq, self.last, self.outstanding) = (cseq, facts.text, Some(now));
    }

    fn winfo_document(&mut self, notes: &mut Notes<'_>, request: &Request) {
        let Ok(document) = WatcherInfo::parse(&request.body()) else { return };
        let version = document.version;
        let follows = match self.version {
            None => version == 0,
            Some(last) => version == last + 1 || self.skips && version > last,
        };
        let full = self.full_due || self.version.is_none();
        notes.demand(Law::VersionChain, follows && document.full == full);
        notes.saw(Sight::FullAfterFailure, self.failed && document.full);
        notes.saw(Sight::PartialDocument, !document.full);
        (self.version, self.full_due, self.failed, self.skips) =
            (Some(version), false, false, false);
        let watcher = request.to().map_or("", |to| to.uri);
        for list in &document.lists {
            let own = |uri: &str| *list.resource == *watcher || uri == watcher;
            let isolated = list.watchers.iter().all(|row| own(&row.uri));
            notes.demand(Law::SelfViewIsolation, isolated);
            let theirs = *list.resource != *watcher;
            notes.saw(Sight::SelfView, theirs && !list.watchers.is_empty() && isolated);
            // A document without news would show when others move (the pair of runs of P9).
            let idle = !document.full && list.watchers.is_empty() && !self.terminal;
            notes.demand(Law::SelfViewIsolation, !(theirs && idle));
        }
        if notes.laws.has(Law::PartialMinimal) {
            self.told_rows(notes, &document);
        }
    }

    fn told_rows(&mut self, notes: &mut Notes<'_>, document: &WatcherInfo) {
        let rows = document.lists.iter().flat_map(|list| &list.watchers);
        let mut telling = (document.full, BTreeSet::new(), BTreeSet::new());
        for row in rows {
            let id = mark(&row.id);
            let ended = row.status == Status::Terminated;
            let news = document.full || self.touched.contains(&id);
            notes.demand(Law::PartialMinimal, news && (!ended || self.told.contains(&id)));
            telling.1.insert(id);
            if ended {
                telling.2.insert(id);
            }
        }
        self.touched.clear();
        self.telling = telling;
    }

    fn accepted(&mut self) {
        let (full, rows, ends) = std::mem::take(&mut self.telling);
        if full {
            self.told.clear();
        }
        self.told.extend(rows);
        self.told.retain(|id| !ends.contains(id));
    }
}

impl Ghost {
    /// The server lost what is not durable.
    pub(crate) fn restarted(&mut self) {
        self.accepted.change(BTreeMap::clear);
        self.talks.change(|talks| {
            for talk in talks.values_mut() {
                talk.outstanding = None;
                talk.full_due = true;
                talk.skips = true;
            }
        });
    }

    /// Watcher rows change: subscribers to watcher information may be told so.
    pub(crate) fn rows_touched(&mut self, notes: &Notes<'_>, moves: &[Move]) {
        let knows = |talk: &Talk| talk.version.is_some();
        let known = self.talks.get().values().any(knows);
        if !moves.is_empty() && known && notes.laws.has(Law::PartialMinimal) {
            self.talks.change(|talks| {
                for talk in talks.values_mut().filter(|talk| knows(talk)) {
                    talk.touched.extend(moves.iter().map(|row| row.id));
                }
            });
        }
    }

    /// The server sends a NOTIFY. `rows` is what is durable when it leaves.
    pub(crate) fn notified(
        &mut self,
        notes: &mut Notes<'_>,
        now: Instant,
        rows: &Rows,
        letter: &Letter,
    ) {
        let Some(request) = letter.request() else { return };
        let facts = &letter.facts;
        let tag = facts.from_tag;
        if self.talks.get().get(&tag).is_some_and(|talk| talk.last == facts.text) {
            return notes.saw(Sight::Retransmitted, true);
        }
        let state = request.subscription_state().map_or("", |state| state.state);
        self.talks.change(|talks| {
            let talk = talks.entry(tag).or_default();
            talk.next(notes, letter, now);
            talk.terminal = state == "terminated";
            if facts.is_winfo {
                talk.winfo_document(notes, request);
            }
        });
        if notes.laws.has(Law::NeverLonger) {
            notes.demand(Law::NeverLonger, promises_what_is_left(rows, now, letter, request));
        }
        if !facts.is_winfo {
            presence_document(notes, rows, request, state);
        }
    }

    /// Whether the last NOTIFY of a dialog went without answer for as long as transactions live.
    pub(crate) fn is_unanswered(&self, tag: u64, now: Instant) -> bool {
        let sent = self.talks.get().get(&tag).and_then(|talk| talk.outstanding);
        sent.is_some_and(|sent| sent + LIFE <= now)
    }

    /// Whether the last NOTIFY of a dialog has no answer yet.
    pub(crate) fn awaits_answer(&self, tag: u64) -> bool {
        self.talks.get().get(&tag).is_some_and(|talk| talk.outstanding.is_some())
    }

    /// The server hears the answer to a NOTIFY.
    pub(crate) fn notify_answered(&mut self, letter: &Letter) {
        let facts = &letter.facts;
        let waits = |talk: &Talk| talk.cseq == facts.cseq && talk.outstanding.is_some();
        let known = self.talks.get().get(&facts.from_tag).is_some_and(waits);
        if facts.method != Method::Notify || facts.status < 200 || !known {
            return;
        }
        self.talks.change(|talks| {
            let Some(talk) = talks.get_mut(&facts.from_tag) else { return };
            talk.outstanding = None;
            talk.failed = facts.status >= 300;
            talk.full_due |= talk.failed;
            if !talk.failed {
                talk.accepted();
            }
        });
    }

    /// The server accepts a SUBSCRIBE for the first time.
    pub(super) fn subscribe_accepted(&mut self, notes: &Notes<'_>, answer: &Letter) {
        let tag = answer.facts.to_tag;
        notes.saw(Sight::Refreshed, self.talks.get().contains_key(&tag));
        self.talks.change(|talks| talks.entry(tag).or_default().full_due = true);
    }

    /// A SUBSCRIBE was carried out at `now`: never again within 64·T1 (P40).
    pub(super) fn subscribe_executed(
        &mut self,
        notes: &mut Notes<'_>,
        request: &Letter,
        now: Instant,
    ) {
        if notes.laws.has(Law::NoGhost) {
            let print = request.print;
            notes.demand(Law::NoGhost, !self.accepted.get().contains_key(&print));
            self.accepted.change(|accepted| accepted.insert(print, now));
        }
    }
}

/// Whether a NOTIFY promises no more time than its subscription has left (P15).
fn promises_what_is_left(rows: &Rows, now: Instant, letter: &Letter, request: &Request) -> bool {
    let said = request.subscription_state().and_then(|state| state.expires);
    let row = rows.values().find_map(|row| match row {
        Record::Subscribed(_, id, row) => {
            (mark(&id.to_string()) == letter.facts.from_tag).then_some(row)
        }
        _ => None,
    });
    said.zip(row).is_none_or(|(said, row)| said <= row.expires.seconds_since(now))
}

/// P3, about a document for somebody who is not its owner.
fn leaks_no_offer(rows: &Rows, body: &[u8], owner: &str, watcher: &str) -> bool {
    let direct = rows.values().any(|row| match row {
        Record::Decided(whose, about, Some(verdict)) => {
            whose.as_str() == owner && about.as_str() == watcher && verdict.direct
        }
        _ => false,
    });
    let Ok(document) = Pidf::parse(body) else { return false };
    let mut offers = document.tuples.iter().filter_map(|tuple| tuple.offer.as_ref());
    offers.all(|offer| direct && offer.secret.is_none())
}

/// What a presence NOTIFY may show, judged by the decisions that are durable when it leaves.
fn presence_document(notes: &mut Notes<'_>, rows: &Rows, request: &Request, state: &str) {
    let body = request.body();
    let shows = body.windows(6).any(|text| text == b"<tuple");
    let owner = request.from().map_or("", |from| from.uri);
    let watcher = request.to().map_or("", |to| to.uri);
    let allowed = owner == watcher
        || rows.values().any(|row| match row {
            Record::Decided(whose, about, Some(verdict)) => {
                whose.as_str() == owner
                    && about.as_str() == watcher
                    && verdict.handling == Handling::Allow
            }
            _ => false,
        });
    notes.demand(Law::NoDocBeforeApproval, !shows || allowed);
    if shows && owner != watcher && notes.laws.has(Law::NoOfferLeak) {
        notes.demand(Law::NoOfferLeak, leaks_no_offer(rows, &body, owner, watcher));
    }
    notes.demand(Law::PendingIsBlind, !shows || state != "pending");
    if shows && notes.laws.has(Law::OneTuplePerId) {
        let document = Pidf::parse(&body);
        let mut ids = BTreeSet::new();
        let single = |document: Pidf| document.tuples.iter().all(|it| ids.insert(it.id.clone()));
        notes.demand(Law::OneTuplePerId, document.is_ok_and(single));
    }
}
