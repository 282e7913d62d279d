//! NOTIFY dialogs as they look on the wire.

use super::{Ghost, Notes, Rows, mark};
use crate::law::{Law, Sight};
use presently_engine::Instant;
use presently_engine::body::presrules::Handling;
use presently_engine::body::winfo::WatcherInfo;
use presently_engine::message::{Request, Response};
use presently_engine::server::Record;
use std::time::Duration;

/// The number in a note `r7`.
pub(crate) fn revision(note: &str) -> Option<u32> {
    note.strip_prefix('r')?.parse().ok()
}

/// No transaction lives longer (64·T1).
const LIFE: Duration = Duration::from_secs(32);

impl Ghost {
    /// The server sends a NOTIFY. `rows` is what is durable when it leaves.
    pub(crate) fn notified(
        &mut self,
        notes: &mut Notes<'_>,
        now: Instant,
        rows: &Rows,
        request: &Request,
    ) {
        let tag = mark(request.from().ok().and_then(|from| from.tag()).unwrap_or(""));
        let talk = self.talks.entry(tag).or_default();
        let print = crate::print::print(request.bytes(), Instant::default());
        if talk.last == print {
            return notes.saw(Sight::Retransmitted, true);
        }
        let cseq = request.cseq().map_or(0, |cseq| cseq.number);
        let follows = talk.cseq == 0 || cseq == talk.cseq + 1 || talk.skips && cseq > talk.cseq;
        notes.demand(Law::ContentNeverBack, follows);
        notes.demand(Law::TerminalLast, !talk.terminal);
        let free = talk.outstanding.is_none_or(|sent| sent + LIFE <= now);
        notes.demand(Law::OneInFlight, free);
        let state = request.subscription_state().map_or("", |state| state.state);
        talk.terminal = state == "terminated";
        (talk.cseq, talk.last, talk.outstanding) = (cseq, print, Some(now));
        let is_winfo = request.event().is_some_and(|event| event.package == "presence.winfo");
        if is_winfo {
            self.winfo_document(notes, tag, request);
        } else {
            presence_document(notes, rows, request, state);
        }
    }

    fn winfo_document(&mut self, notes: &mut Notes<'_>, tag: u64, request: &Request) {
        let Ok(document) = WatcherInfo::parse(&request.body()) else { return };
        let talk = self.talks.entry(tag).or_default();
        let version = document.version;
        let follows = match talk.version {
            None => version == 0,
            Some(last) => version == last + 1 || talk.skips && version > last,
        };
        let full = talk.full_due || talk.version.is_none();
        notes.demand(Law::VersionChain, follows && document.full == full);
        notes.saw(Sight::FullAfterFailure, talk.failed && document.full);
        notes.saw(Sight::PartialDocument, !document.full);
        (talk.version, talk.full_due, talk.failed, talk.skips) =
            (Some(version), false, false, false);
        let watcher = request.to().map_or("", |to| to.uri);
        for list in &document.lists {
            let own = |uri: &str| *list.resource == *watcher || uri == watcher;
            let isolated = list.watchers.iter().all(|row| own(&row.uri));
            notes.demand(Law::SelfViewIsolation, isolated);
            notes.saw(
                Sight::SelfView,
                *list.resource != *watcher && !list.watchers.is_empty() && isolated,
            );
        }
    }

    /// Whether the last NOTIFY of a dialog went without answer for as long as transactions live.
    pub(crate) fn is_unanswered(&self, tag: u64, now: Instant) -> bool {
        let sent = self.talks.get(&tag).and_then(|talk| talk.outstanding);
        sent.is_some_and(|sent| sent + LIFE <= now)
    }

    /// The server hears the answer to a NOTIFY.
    pub(crate) fn notify_answered(&mut self, response: &Response) {
        let tag = mark(response.from().ok().and_then(|from| from.tag()).unwrap_or(""));
        let cseq = response.cseq().map_or(0, |cseq| cseq.number);
        let Some(talk) = self.talks.get_mut(&tag) else { return };
        if response.status() >= 200 && talk.cseq == cseq && talk.outstanding.take().is_some() {
            talk.failed = response.status() >= 300;
            talk.full_due |= talk.failed;
        }
    }

    /// The server accepts a SUBSCRIBE for the first time.
    pub(crate) fn subscribe_accepted(&mut self, notes: &Notes<'_>, response: &Response) {
        let tag = mark(response.to().ok().and_then(|to| to.tag()).unwrap_or(""));
        notes.saw(Sight::Refreshed, self.talks.contains_key(&tag));
        self.talks.entry(tag).or_default().full_due = true;
    }
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
    notes.demand(Law::PendingIsBlind, !shows || state != "pending");
}
