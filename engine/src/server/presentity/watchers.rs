//! WT: who watches, in which state and why (RFC 3857 §4.7.1, RFC 3858 §3).

use crate::body::winfo::{Cause, Status};
use crate::message::Aor;
use crate::mint::Id;
use crate::time::Instant;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

/// One watcher row. Its id is never reused.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Watcher {
    pub(crate) aor: Aor,
    pub(crate) status: Status,
    pub(crate) cause: Cause,
    pub(crate) display_name: Option<Box<str>>,
    pub(crate) event_id: Option<Box<str>>,
    pub(crate) since: Instant,
    /// End of the subscription (pending, active) or of the waiting (waiting).
    pub(crate) until: Instant,
    /// The subscription behind a pending or active row.
    pub(crate) subscription: Option<Id>,
    /// How many winfo subscribers were told that this row lives (D24).
    pub(crate) reported: u32,
}

/// The watchers of one presentity.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct Watchers {
    rows: BTreeMap<Id, Watcher>,
    by_aor: BTreeSet<(Aor, Id)>,
    undecided: usize,
}

fn is_undecided(status: Status) -> bool {
    matches!(status, Status::Pending | Status::Waiting)
}

impl Watchers {
    pub(crate) fn get(&self, id: Id) -> Option<&Watcher> {
        self.rows.get(&id)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Id, &Watcher)> {
        self.rows.iter().map(|(id, row)| (*id, row))
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Pending and waiting rows (K6).
    pub(crate) fn undecided(&self) -> usize {
        self.undecided
    }

    /// Ids of every row of one watcher.
    pub(crate) fn of<'a>(&'a self, watcher: &'a Aor) -> impl Iterator<Item = Id> + 'a {
        let from = Bound::Included((watcher.clone(), Id(0)));
        let to = Bound::Included((watcher.clone(), Id(u64::MAX)));
        self.by_aor.range((from, to)).map(|(_, id)| *id)
    }

    /// Adds a row or rewrites it; how often it was reported is kept.
    pub(crate) fn set(&mut self, id: Id, mut row: Watcher) {
        self.undecided += usize::from(is_undecided(row.status));
        self.by_aor.insert((row.aor.clone(), id));
        if let Some(old) = self.rows.get(&id) {
            self.undecided -= usize::from(is_undecided(old.status));
            row.reported = old.reported;
        }
        self.rows.insert(id, row);
    }

    /// Marks a row terminated; it stays until [`Watchers::forget`] may take it.
    pub(crate) fn terminate(&mut self, id: Id, cause: Cause) {
        if let Some(row) = self.rows.get_mut(&id) {
            self.undecided -= usize::from(is_undecided(row.status));
            row.status = Status::Terminated;
            row.cause = cause;
            row.subscription = None;
        }
    }

    /// One more winfo subscriber was told that the row lives.
    pub(crate) fn reported(&mut self, id: Id) {
        if let Some(row) = self.rows.get_mut(&id) {
            row.reported += 1;
        }
    }

    /// One of them was told otherwise, or is gone.
    pub(crate) fn retracted(&mut self, id: Id) {
        if let Some(row) = self.rows.get_mut(&id) {
            row.reported = row.reported.saturating_sub(1);
            self.forget(id);
        }
    }

    /// Frees a terminated row that nobody believes to live any more (D24).
    pub(crate) fn forget(&mut self, id: Id) {
        let done = |row: &Watcher| row.status == Status::Terminated && row.reported == 0;
        if self.rows.get(&id).is_some_and(done)
            && let Some(gone) = self.rows.remove(&id)
        {
            self.by_aor.remove(&(gone.aor, id));
        }
    }
}

#[cfg(test)]
mod tests;
