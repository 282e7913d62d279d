//! Composition of one presence document from all live publications (behaviour M11).
//!
//! The result is canonical: tuples stand in the order of their ids, notes and extras in an order
//! of their own, timestamps are left to the caller. It is therefore a function of the set of
//! publications and of who came later where two of them claim the same thing, and two results are
//! equal exactly if a watcher could not tell them apart but by their timestamps.

#[cfg(test)]
mod tests;

use super::{Basic, Mode, Pidf, Tuple};
use crate::body::xml;
use std::collections::{BTreeMap, BTreeSet};

/// The id of the tuple that tells of bindings where nothing is published.
const DERIVED_TUPLE: &str = "registration";

/// One live publication as composition sees it, oldest first in a slice.
#[derive(Clone, Copy, Debug)]
pub struct Published<'a> {
    /// The document.
    pub document: &'a Pidf,
    /// Whether the device that published it has a live binding (composition rule 2).
    pub bound: bool,
}

/// Composition (M11): a pure function of live publications in order of arrival and of whether any
/// binding exists. No tuple of the result has a timestamp; the caller stamps it ([`Pidf::stamp`])
/// after comparing it with the last one.
pub fn compose(entity: &str, publications: &[Published<'_>], registered: bool) -> Pidf {
    let mut tuples = BTreeMap::new();
    let mut notes = BTreeSet::new();
    let mut extra = BTreeMap::new();
    for published in publications {
        for tuple in &published.document.tuples {
            tuples.insert(&tuple.id, (tuple, published.bound));
        }
        notes.extend(published.document.notes.iter().cloned());
        for fragment in &published.document.extra {
            extra.insert(Claim::of(fragment), fragment.clone());
        }
    }
    let mut document = Pidf {
        entity: entity.into(),
        tuples: tuples.into_values().map(|(tuple, bound)| composed(tuple, bound)).collect(),
        notes: notes.into_iter().collect(),
        extra: extra.into_values().collect(),
    };
    if document.tuples.is_empty() {
        let basic = if registered { Basic::Open } else { Basic::Closed };
        document.tuples.push(Tuple { basic: Some(basic), ..Tuple::new(DERIVED_TUPLE) });
    }
    document
}

/// What an element of the root claims to be: of two with equal claims the later one counts.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Claim {
    /// Namespace, local name, id: a person or device of RFC 4479.
    Named(Box<str>, Box<str>, Box<str>),
    /// Only equal to its like.
    Nameless(Box<str>),
}

impl Claim {
    fn of(fragment: &str) -> Self {
        match xml::identity(fragment) {
            Some((namespace, local, id)) => Self::Named(namespace, local, id),
            None => Self::Nameless(fragment.into()),
        }
    }
}

fn composed(tuple: &Tuple, bound: bool) -> Tuple {
    let mut tuple = Tuple { timestamp: None, ..tuple.clone() };
    if let Some(offer) = &mut tuple.offer {
        offer.access = None;
        if !bound {
            offer.mode = Mode::Off;
            offer.secret = None;
        }
    }
    tuple
}
