//! Presence documents (RFC 3863, RFC 4479 elements passed through) with the direct-media block of
//! behaviour §6 inside `<status>`.
//!
//! Read RFC 3863 §4.1–4.2 first. A document is read once, into [`Pidf`], and written in the order
//! of the schema. Elements of other namespaces are kept as fragments and never interpreted; those
//! in no namespace have no place in the schema and are dropped.

mod compose;
mod offer;
mod read;
mod timestamp;
mod view;
mod write;

#[cfg(test)]
mod tests;

pub use compose::{Published, compose};
pub use offer::{Access, Candidate, Codec, DIRECT_MEDIA, Mode, Offer, OfferSecret};
pub use timestamp::timestamp;

use super::{XmlError, XmlLimits};

/// The namespace of RFC 3863 and the two of its drafts, which all mean the same here.
const NAMESPACES: [&str; 3] = [
    "urn:ietf:params:xml:ns:pidf",
    "urn:ietf:params:xml:ns:cpim-pidf",
    "urn:ietf:params:xml:ns:cpim-pidf:",
];

/// `application/pidf+xml`.
pub const PIDF: &str = "application/pidf+xml";
/// `application/cpim-pidf+xml`, the type of 2003 (D23).
pub const CPIM_PIDF: &str = "application/cpim-pidf+xml";

/// Which of the two media types and namespaces a document is written in.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Debug,
    Default,
    serde::Serialize,
    serde::Deserialize,
)]
pub enum Format {
    /// RFC 3863.
    #[default]
    Pidf,
    /// The draft's media type and namespace.
    Cpim,
}

impl Format {
    /// The media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Pidf => PIDF,
            Self::Cpim => CPIM_PIDF,
        }
    }

    /// The namespace documents of this type are written in.
    fn namespace(self) -> &'static str {
        match self {
            Self::Pidf => NAMESPACES[0],
            Self::Cpim => NAMESPACES[1],
        }
    }
}

/// `open` or `closed` (RFC 3863 §4.1.4).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[allow(missing_docs)]
pub enum Basic {
    Open,
    Closed,
}

/// Text with its language.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Note {
    /// `xml:lang`, if given.
    pub lang: Option<Box<str>>,
    /// The text.
    pub text: Box<str>,
}

/// One presence tuple: a row of the paper's PIT.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Tuple {
    /// Tuple id.
    pub id: Box<str>,
    /// Basic status.
    pub basic: Option<Basic>,
    /// The direct-media block, if valid.
    pub offer: Option<Offer>,
    /// Foreign children of `<status>`: self-contained XML fragments (own namespace declarations).
    pub status_extra: Vec<Box<str>>,
    /// Foreign children of the tuple, same form.
    pub extra: Vec<Box<str>>,
    /// Contact URI.
    pub contact: Option<Box<str>>,
    /// Contact priority as written, e.g. `0.8`.
    pub priority: Option<Box<str>>,
    /// Notes.
    pub notes: Vec<Note>,
    /// RFC 3339 timestamp as written.
    pub timestamp: Option<Box<str>>,
}

/// A presence document.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Pidf {
    /// `entity` attribute.
    pub entity: Box<str>,
    /// Tuples.
    pub tuples: Vec<Tuple>,
    /// Notes of the presentity.
    pub notes: Vec<Note>,
    /// Foreign children of the root (`dm:person` …), same form as in [`Tuple::extra`].
    pub extra: Vec<Box<str>>,
}

impl Tuple {
    /// A tuple of which nothing is known but its id.
    fn new(id: &str) -> Self {
        Self {
            id: id.into(),
            basic: None,
            offer: None,
            status_extra: Vec::new(),
            extra: Vec::new(),
            contact: None,
            priority: None,
            notes: Vec::new(),
            timestamp: None,
        }
    }
}

impl Pidf {
    /// A document about `entity` that says nothing.
    fn empty(entity: &str) -> Self {
        Self { entity: entity.into(), tuples: Vec::new(), notes: Vec::new(), extra: Vec::new() }
    }

    /// The neutral document: no tuple, one note (M13 note 2).
    pub fn neutral(entity: &str, note: &str) -> Self {
        Self { notes: vec![Note { lang: None, text: note.into() }], ..Self::empty(entity) }
    }

    /// A document with one tuple that is `basic` and nothing else.
    pub fn simple(entity: &str, tuple_id: &str, basic: Basic) -> Self {
        let tuple = Tuple { basic: Some(basic), ..Tuple::new(tuple_id) };
        Self { tuples: vec![tuple], ..Self::empty(entity) }
    }

    /// Whether any tuple carries a direct-media block; if so, every watcher needs its own
    /// [`Pidf::for_watcher`].
    pub fn has_offer(&self) -> bool {
        self.tuples.iter().any(|tuple| tuple.offer.is_some())
    }

    /// Whether any tuple is published as `ready`, which shortens the life of its publication (K8).
    pub fn is_ready(&self) -> bool {
        let mut offers = self.tuples.iter().filter_map(|tuple| tuple.offer.as_ref());
        offers.any(|offer| offer.mode == Mode::Ready)
    }

    /// Sets the timestamp of every tuple to `at`, which [`timestamp`] wrote.
    pub fn stamp(&mut self, at: &str) {
        for tuple in &mut self.tuples {
            tuple.timestamp = Some(at.into());
        }
    }
}
