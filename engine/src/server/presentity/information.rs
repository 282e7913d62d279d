//! PIT: the publications of one presentity and the document they compose (RFC 3903, M11).
//!
//! Composition is a pure function of the live publications, in order of arrival, and of the
//! bindings; this file keeps its result, its revision and its timestamp (rules 4 and 5).

use super::rows::PublicationRow;
use crate::body::pidf::{self, Format, Pidf, Published};
use crate::message::Aor;
use crate::mint::Id;
use crate::time::Instant;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::net::SocketAddr;

/// One live publication: the stored row and its document, read once.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Publication {
    pub(crate) row: PublicationRow,
    pub(crate) document: Pidf,
}

/// What the bindings of the account say about its devices.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct Devices {
    /// Whether any binding exists.
    pub(crate) registered: bool,
    /// Flows and contact addresses of the bindings, sorted.
    pub(crate) addresses: Vec<SocketAddr>,
}

/// The composed document of the current revision.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Composed {
    /// As composed, before stamping: what decides whether it changed.
    document: Pidf,
    /// The stamped document, with the publishers' secrets; only views of it leave.
    stamped: Pidf,
    /// Written once per format when it carries no offer (everybody then gets the same bytes).
    pidf: Bytes,
    cpim: Bytes,
}

/// The presence information of one presentity.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct Information {
    publications: BTreeMap<Id, Publication>,
    devices: Devices,
    composed: Option<Box<Composed>>,
    /// What the document that nobody published said last: it only follows the bindings.
    shown_registered: bool,
    revision: u64,
    last_stamp: Instant,
}

impl Information {
    /// Grows by one whenever the composed document changes.
    pub(crate) fn revision(&self) -> u64 {
        self.revision
    }

    pub(crate) fn len(&self) -> usize {
        self.publications.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Id, &Publication)> {
        self.publications.iter().map(|(etag, publication)| (*etag, publication))
    }

    pub(crate) fn get(&self, etag: Id) -> Option<&Publication> {
        self.publications.get(&etag)
    }

    /// The rank of the next new publication.
    pub(crate) fn next_rank(&self) -> u64 {
        self.publications.values().map(|one| one.row.rank + 1).max().unwrap_or(0)
    }

    /// Adds a publication. A stored body was read when it was accepted; should a newer reader
    /// refuse it, the publication counts as empty instead of taking the account down.
    pub(crate) fn insert(&mut self, etag: Id, row: PublicationRow) {
        let document = Pidf::parse(&row.body).unwrap_or_else(|_| Pidf::neutral("", ""));
        self.publications.insert(etag, Publication { row, document });
    }

    pub(crate) fn remove(&mut self, etag: Id) {
        self.publications.remove(&etag);
    }

    /// Takes over what the bindings say.
    pub(crate) fn set_devices(&mut self, devices: Devices) {
        self.devices = devices;
    }

    /// Composes anew; true if the document changed. Called after every change of publications or
    /// bindings, whichever way it came.
    pub(crate) fn recompose(&mut self, aor: &Aor, now: Instant) -> bool {
        let before = self.composed.as_ref().map(|composed| &composed.document);
        let document = self.compose(aor);
        let registered = std::mem::replace(&mut self.shown_registered, self.devices.registered);
        if before == document.as_ref()
            && (before.is_some() || registered == self.devices.registered)
        {
            return false;
        }
        self.revision += 1;
        self.composed = document.map(|document| Box::new(self.stamp(document, now)));
        true
    }

    fn compose(&self, aor: &Aor) -> Option<Pidf> {
        if self.publications.is_empty() {
            return None;
        }
        let mut live: Vec<&Publication> = self.publications.values().collect();
        live.sort_by_key(|one| one.row.rank);
        let published: Vec<Published<'_>> = live
            .into_iter()
            .map(|one| Published { document: &one.document, bound: self.is_bound(one) })
            .collect();
        Some(pidf::compose(aor.as_str(), &published, self.devices.registered))
    }

    /// Whether the device behind a publication has a live binding (composition rule 2).
    fn is_bound(&self, publication: &Publication) -> bool {
        let known = |address: &SocketAddr| self.devices.addresses.binary_search(address).is_ok();
        known(&publication.row.device)
            || publication.document.tuples.iter().any(|tuple| {
                let contact = tuple.contact.as_deref();
                contact.and_then(super::contact_address).is_some_and(|address| known(&address))
            })
    }

    fn stamp(&mut self, document: Pidf, now: Instant) -> Composed {
        self.last_stamp = now.max(self.last_stamp + std::time::Duration::from_millis(1));
        let mut stamped = document.clone();
        stamped.stamp(&pidf::timestamp(self.last_stamp));
        let shared = !stamped.has_offer();
        let write = |format| if shared { stamped.write(format) } else { Bytes::new() };
        Composed { pidf: write(Format::Pidf), cpim: write(Format::Cpim), document, stamped }
    }

    /// The document for a watcher that is allowed to see it. `elements`: one that reads the old
    /// format finds offers of the paper's form in the paper's elements, too.
    pub(crate) fn for_watcher(
        &self,
        aor: &Aor,
        (watcher, direct): (&Aor, bool),
        (format, elements): (Format, bool),
        now: Instant,
    ) -> Bytes {
        let Some(composed) = &self.composed else {
            return pidf::compose(aor.as_str(), &[], self.devices.registered).write(format);
        };
        if !composed.stamped.has_offer() {
            return match format {
                Format::Pidf => composed.pidf.clone(),
                Format::Cpim => composed.cpim.clone(),
            };
        }
        let age_of = |tuple: &str| self.age_of(tuple, now);
        let view = composed.stamped.for_watcher(watcher, direct, age_of);
        match format {
            Format::Cpim if elements => view.write_for_paper(&composed.stamped),
            Format::Cpim | Format::Pidf => view.write(format),
        }
    }

    /// Seconds since the tuple that is shown under `id` was published.
    fn age_of(&self, id: &str, now: Instant) -> u32 {
        let shows = |one: &&Publication| one.document.tuples.iter().any(|tuple| *tuple.id == *id);
        let newest = self.publications.values().filter(shows).max_by_key(|one| one.row.rank);
        newest.map_or(0, |one| now.seconds_since(one.row.at))
    }

    /// The constant document of a polite block (D22): what an allowed watcher of a presentity
    /// that is never there sees.
    pub(crate) fn polite(aor: &Aor, format: Format) -> Bytes {
        pidf::compose(aor.as_str(), &[], false).write(format)
    }

    /// The neutral document (M13 note 2).
    pub(crate) fn neutral(aor: &Aor, format: Format) -> Bytes {
        Pidf::neutral(aor.as_str(), "pending").write(format)
    }

    /// Whether the current document makes some offer `ready`; a step from `ready` to anything
    /// else is told at once (M14).
    pub(crate) fn is_ready(&self) -> bool {
        self.composed.as_ref().is_some_and(|composed| composed.stamped.is_ready())
    }

    /// The stamped document with what nobody else may see; for the operator's tables.
    pub(crate) fn composed(&self) -> Option<&Pidf> {
        self.composed.as_ref().map(|composed| &composed.stamped)
    }
}

#[cfg(test)]
mod tests;
