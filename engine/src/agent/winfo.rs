//! What one watcher-information dialog told us (M17; RFC 3858 §4 first).
//!
//! A value per dialog: versions order the documents, a gap asks for a full one. It decides what a
//! document means; when to ask again is the subscription's business.

use crate::body::winfo::{Cause, Status, Watcher, WatcherInfo, WatcherList};
use std::collections::{BTreeMap, BTreeSet};

/// Most rows kept per dialog (K6 bounds what an honest notifier sends).
const ROWS: usize = 10_000;

/// M17: where the table stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) enum State {
    #[default]
    NoDoc,
    Synced(u32),
    /// Something was missed; a full document is wanted. Without a version if none was readable.
    Gap(Option<u32>),
}

/// One row as the user sees it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Row {
    pub(crate) uri: Box<str>,
    pub(crate) status: Status,
    pub(crate) cause: Cause,
    pub(crate) name: Option<Box<str>>,
}

/// A row that changed: resource, id, row.
pub(crate) type Change = (Box<str>, Box<str>, Row);

/// The table of one dialog.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct View {
    pub(crate) state: State,
    /// By resource and id.
    pub(crate) rows: BTreeMap<(Box<str>, Box<str>), Row>,
    /// Watchers, by URI, of whom it was told last that they may not watch (any more): rejected, or
    /// pending again.
    pub(crate) rejected: BTreeSet<Box<str>>,
}

impl View {
    /// Takes a document over and returns the rows that changed.
    pub(crate) fn take(&mut self, document: &WatcherInfo) -> Vec<Change> {
        let version = document.version;
        let next = match (self.state, document.full) {
            (State::NoDoc, true) => State::Synced(version),
            (State::NoDoc, false) => State::Gap(Some(version)),
            (State::Synced(last) | State::Gap(Some(last)), _) if version <= last => {
                return Vec::new();
            }
            (State::Synced(_) | State::Gap(_), true) => State::Synced(version),
            (State::Synced(last), false) if version - 1 == last => State::Synced(version),
            (State::Synced(_) | State::Gap(_), false) => State::Gap(Some(version)),
        };
        self.state = next;
        self.judge(document);
        let mut changes = self.merge(document);
        if document.full {
            changes.extend(self.flush(document));
        }
        changes
    }

    /// Another dialog takes over, with versions of its own. What the user was told stays until the
    /// first full document says what of it is left.
    pub(crate) fn begin_anew(&mut self) {
        self.state = State::NoDoc;
    }

    /// A document came that could not be read: what it said is missing now.
    pub(crate) fn spoil(&mut self) {
        self.state = match self.state {
            State::NoDoc => State::Gap(None),
            State::Synced(version) => State::Gap(Some(version)),
            State::Gap(version) => State::Gap(version),
        };
    }

    /// Who may not watch (any more), as far as was told.
    pub(crate) fn rejected(&self) -> impl Iterator<Item = &str> {
        self.rejected.iter().map(|uri| &**uri)
    }

    /// The owner decided about somebody since: what was told of it before is old news.
    pub(crate) fn pardon(&mut self, uri: &str) {
        self.rejected.remove(uri);
    }

    /// Who is active may watch, whatever became of its other subscriptions.
    fn judge(&mut self, document: &WatcherInfo) {
        let all = document
            .lists
            .iter()
            .flat_map(|list| list.watchers.iter().map(move |watcher| (&list.resource, watcher)));
        for (resource, watcher) in all.clone() {
            let was_active = || {
                let before = self.rows.get(&(resource.clone(), watcher.id.clone()));
                before.is_some_and(|row| row.status == Status::Active)
            };
            let refused = match watcher.status {
                Status::Terminated => watcher.event == Cause::Rejected,
                Status::Pending => was_active(),
                Status::Active | Status::Waiting => false,
            };
            if refused && self.rejected.len() < ROWS {
                self.rejected.insert(watcher.uri.clone());
            }
        }
        for (_, watcher) in all.filter(|(_, one)| one.status == Status::Active) {
            self.rejected.remove(&watcher.uri);
        }
    }

    /// Whether a full document is wanted.
    pub(crate) fn has_gap(&self) -> bool {
        matches!(self.state, State::Gap(_))
    }

    /// Updates by id; a terminated row is reported and removed.
    fn merge(&mut self, document: &WatcherInfo) -> Vec<Change> {
        let mut changes = Vec::new();
        for list in &document.lists {
            for watcher in &list.watchers {
                let key = (list.resource.clone(), watcher.id.clone());
                let row = Row::of(watcher);
                let old = match row.status {
                    Status::Terminated => self.rows.remove(&key),
                    _ if self.rows.len() >= ROWS && !self.rows.contains_key(&key) => continue,
                    _ => self.rows.insert(key.clone(), row.clone()),
                };
                if old.as_ref() != Some(&row) {
                    changes.push((key.0, key.1, row));
                }
            }
        }
        changes
    }

    /// Rows a full document does not list have ended unseen; nobody says why.
    fn flush(&mut self, document: &WatcherInfo) -> Vec<Change> {
        let of_list = |list: &WatcherList| {
            let ids = list.watchers.iter().map(|watcher| watcher.id.clone());
            ids.map(|id| (list.resource.clone(), id)).collect::<Vec<_>>()
        };
        let listed: BTreeSet<_> = document.lists.iter().flat_map(of_list).collect();
        let gone: Vec<_> = self.rows.keys().filter(|key| !listed.contains(*key)).cloned().collect();
        let ended = gone.into_iter().filter_map(|key| {
            let row = self.rows.remove(&key)?;
            Some((key.0, key.1, Row { status: Status::Terminated, ..row }))
        });
        ended.collect()
    }
}

impl Row {
    pub(crate) fn of(watcher: &Watcher) -> Self {
        Self {
            uri: watcher.uri.clone(),
            status: watcher.status,
            cause: watcher.event,
            name: watcher.display_name.clone(),
        }
    }
}
