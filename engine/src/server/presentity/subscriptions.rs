//! PST and WST: the subscriptions of one presentity to one package (RFC 6665 §4.2).
//!
//! The table knows rows and indices; what a NOTIFY says is the business of `notify.rs`.

use super::outbox::Outbox;
use super::rows::SubscriptionRow;
use crate::body::winfo::Cause;
use crate::message::{Aor, Request};
use crate::mint::Id;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

/// How far NOTIFY CSeqs and winfo versions are reserved ahead in the stored row. A crash skips at
/// most this many numbers: RFC 3261 §12.2.2 obliges receivers to accept gaps.
pub(crate) const STRIDE: u32 = 1024;

/// What a presence watcher is shown.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum View {
    /// Nothing: not approved yet.
    Neutral,
    /// The constant "closed" document (D22).
    Polite,
    /// The composed document, with offers if `direct`.
    Allowed {
        /// Whether direct-media offers are included (X5).
        direct: bool,
    },
}

/// What a winfo subscriber was told (M16).
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct Told {
    /// The next document has to be full (D6).
    pub(crate) need_full: bool,
    /// Rows that changed since the last document was built.
    pub(crate) changed: BTreeSet<Id>,
    /// Rows that were reported as live.
    pub(crate) known: BTreeSet<Id>,
}

/// One subscription: its durable row and what is volatile about it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Subscription {
    pub(crate) row: SubscriptionRow,
    /// Highest NOTIFY CSeq the stored row covers.
    pub(crate) cseq_ceiling: u32,
    /// Highest winfo version the stored row covers.
    pub(crate) version_ceiling: u32,
    pub(crate) outbox: Outbox,
    /// Why it ends, once it does.
    pub(crate) ending: Option<Cause>,
    /// Presence: what this watcher is shown.
    pub(crate) view: View,
    /// Presence: revision of the last delivered document, and of the one outstanding.
    pub(crate) acked_rev: u64,
    pub(crate) sent_rev: u64,
    /// Winfo only.
    pub(crate) told: Option<Box<Told>>,
}

impl Subscription {
    /// A subscription as its row says, nothing sent yet. The numbers of the row are ceilings.
    pub(crate) fn new(row: SubscriptionRow, view: View) -> Self {
        let told = (row.package == super::Package::Winfo)
            .then(|| Box::new(Told { need_full: true, ..Told::default() }));
        Self {
            cseq_ceiling: row.dialog.local_cseq,
            version_ceiling: row.next_version,
            row,
            outbox: Outbox::new(),
            ending: None,
            view,
            acked_rev: 0,
            sent_rev: 0,
            told,
        }
    }

    /// Whether it still counts as a subscription (pending or active, not ending).
    pub(crate) fn is_live(&self) -> bool {
        self.ending.is_none()
    }

    /// Whether a request names its package and `id`, compared byte by byte (RFC 6665 §8.2.1).
    pub(crate) fn is_about(&self, request: &Request) -> bool {
        request.event().is_some_and(|event| {
            event.package == self.row.package.as_str() && event.id == self.row.event_id.as_deref()
        })
    }

    /// The row as it is stored: with ceilings instead of the numbers in use.
    pub(crate) fn stored(&self) -> SubscriptionRow {
        let mut row = self.row.clone();
        row.dialog.local_cseq = self.cseq_ceiling;
        row.next_version = self.version_ceiling;
        row
    }

    /// Raises the ceilings if the next NOTIFY would pass them; says whether the row has to be
    /// stored again before that NOTIFY leaves.
    pub(crate) fn reserve(&mut self) -> bool {
        let cseq_short = self.row.dialog.local_cseq >= self.cseq_ceiling;
        let version_short = self.told.is_some() && self.row.next_version >= self.version_ceiling;
        if cseq_short {
            self.cseq_ceiling = self.row.dialog.local_cseq.saturating_add(STRIDE);
        }
        if version_short {
            self.version_ceiling = self.row.next_version.saturating_add(STRIDE);
        }
        cseq_short || version_short
    }
}

/// All subscriptions to one package.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct Subscriptions {
    /// In boxes: a tree leaves a third of its room empty, and moves what it holds.
    rows: BTreeMap<Id, Box<Subscription>>,
    by_watcher: BTreeSet<(Aor, Id)>,
}

impl Subscriptions {
    pub(crate) fn get(&self, id: Id) -> Option<&Subscription> {
        self.rows.get(&id).map(Box::as_ref)
    }

    pub(crate) fn get_mut(&mut self, id: Id) -> Option<&mut Subscription> {
        self.rows.get_mut(&id).map(Box::as_mut)
    }

    pub(crate) fn insert(&mut self, id: Id, subscription: Subscription) {
        self.by_watcher.insert((subscription.row.watcher.clone(), id));
        self.rows.insert(id, Box::new(subscription));
    }

    pub(crate) fn remove(&mut self, id: Id) -> Option<Subscription> {
        let gone = self.rows.remove(&id)?;
        self.by_watcher.remove(&(gone.row.watcher.clone(), id));
        Some(*gone)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Id, &Subscription)> {
        self.rows.iter().map(|(id, row)| (*id, &**row))
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Ids of every subscription of one watcher.
    pub(crate) fn of<'a>(&'a self, watcher: &'a Aor) -> impl Iterator<Item = Id> + 'a {
        let from = Bound::Included((watcher.clone(), Id(0)));
        let to = Bound::Included((watcher.clone(), Id(u64::MAX)));
        self.by_watcher.range((from, to)).map(|(_, id)| *id)
    }

    /// The subscription whose dialog an in-dialog request names, if it is still live.
    pub(crate) fn dialog_of(&self, request: &Request) -> Option<(Id, &Subscription)> {
        self.owner_of(request).filter(|(_, found)| found.is_about(request))
    }

    /// The same, whatever its Event says.
    pub(crate) fn owner_of(&self, request: &Request) -> Option<(Id, &Subscription)> {
        let id = Id::parse(request.to().ok()?.tag()?)?;
        let found = self.get(id)?;
        (found.is_live() && found.row.dialog.owns(request)).then_some((id, found))
    }

    /// A live subscription that a fresh SUBSCRIBE repeats: same watcher, Call-ID, From tag and
    /// Event id without a To tag — a client restarted with frozen identifiers (R20).
    pub(crate) fn twin(&self, watcher: &Aor, request: &Request) -> Option<Id> {
        let call_id = request.call_id().ok()?;
        let tag = request.from().ok()?.tag().unwrap_or("");
        let event_id = request.event()?.id;
        self.of(watcher).find(|id| {
            self.rows.get(id).is_some_and(|found| {
                found.is_live()
                    && *found.row.dialog.call_id == *call_id
                    && *found.row.dialog.remote_tag == *tag
                    && found.row.event_id.as_deref() == event_id
            })
        })
    }
}

#[cfg(test)]
mod tests;
