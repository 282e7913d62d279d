//! Presence documents (RFC 3863, RFC 4479 elements passed through) with the direct-media block of
//! behaviour §6 inside `<status>`.

use super::XmlError;
use crate::message::Aor;
use crate::time::Instant;
use bytes::Bytes;

/// `application/pidf+xml`.
pub const PIDF: &str = "application/pidf+xml";
/// `application/cpim-pidf+xml`, the type of 2003 (D23).
pub const CPIM_PIDF: &str = "application/cpim-pidf+xml";

/// Which of the two media types and namespaces a document is written in.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, serde::Serialize, serde::Deserialize,
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
}

/// `open` or `closed` (RFC 3863 §4.1.4).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[allow(missing_docs)]
pub enum Basic {
    Open,
    Closed,
}

/// Text with its language.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
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

/// Receive-readiness (X2). Anything unknown reads as `Off`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[allow(missing_docs)]
pub enum Mode {
    Ready,
    Busy,
    Off,
}

/// One entry of an offer's codec list.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Codec {
    /// Payload type, 0–127.
    pub pt: u8,
    /// `name/rate[/channels]`.
    pub rtpmap: Box<str>,
    /// Format parameters.
    pub fmtp: Option<Box<str>>,
}

/// A transport address in an offer.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Candidate {
    /// `host`, `srflx` or `relay`.
    pub kind: Box<str>,
    /// Address.
    pub addr: Box<str>,
    /// Port.
    pub port: u16,
}

/// The publisher's secret of one epoch (§6.4); never leaves the presence agent.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct OfferSecret {
    /// Base64url text of 32 bytes.
    pub text: Box<str>,
    /// Epoch number.
    pub epoch: u32,
    /// Seconds to the end of the epoch, counted from publication.
    pub expires: u32,
}

impl std::fmt::Debug for OfferSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "OfferSecret(epoch {})", self.epoch)
    }
}

/// A watcher's own access to an offer (§6.4).
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Access {
    /// The 22-character token.
    pub token: Box<str>,
    /// The 12-character key id.
    pub key_id: Box<str>,
    /// Epoch number.
    pub epoch: u32,
    /// Seconds left.
    pub expires: u32,
}

impl std::fmt::Debug for Access {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Access(key {}, epoch {})", self.key_id, self.epoch)
    }
}

/// The direct-media block of one tuple (§6.2, §6.3).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Offer {
    /// Always 1 here.
    pub version: u8,
    /// Rises with every change of the device.
    pub seq: u32,
    /// Device id.
    pub device: Option<Box<str>>,
    /// `audio`, `video` or another token.
    pub media: Box<str>,
    /// RTP port, 1024–65535.
    pub port: u16,
    /// Codecs in order of preference, 1–16.
    pub codecs: Vec<Codec>,
    /// Receive-readiness.
    pub mode: Mode,
    /// Addresses, at most 4.
    pub candidates: Vec<Candidate>,
    /// `none`, `token` or `dtls`.
    pub srtp: Option<Box<str>>,
    /// DTLS fingerprint.
    pub fingerprint: Option<Box<str>>,
    /// Present in publications only.
    pub secret: Option<OfferSecret>,
    /// Present in notifications only.
    pub access: Option<Access>,
}

impl Offer {
    /// The access of `watcher` to this offer in tuple `tuple_id` (§6.4), `None` without a secret
    /// or when its epoch has ended `age` seconds after publication.
    pub fn access_for(&self, watcher: &Aor, tuple_id: &str, age: u32) -> Option<Access> {
        let _ = (watcher, tuple_id, age);
        todo!()
    }
}

impl Pidf {
    /// Reads a document of either type (by local name under any of the three namespaces).
    pub fn parse(text: &[u8]) -> Result<Self, XmlError> {
        let _ = text;
        todo!()
    }

    /// Writes the document in the order of the schema.
    pub fn write(&self, format: Format) -> Bytes {
        let _ = format;
        todo!()
    }

    /// The neutral document: no tuple, one note (M13 note 2).
    pub fn neutral(entity: &str, note: &str) -> Self {
        let _ = (entity, note);
        todo!()
    }

    /// A document with one tuple that is `basic` and nothing else.
    pub fn simple(entity: &str, tuple_id: &str, basic: Basic) -> Self {
        let _ = (entity, tuple_id, basic);
        todo!()
    }

    /// Whether any tuple carries a direct-media block.
    pub fn has_offer(&self) -> bool {
        self.tuples.iter().any(|tuple| tuple.offer.is_some())
    }
}

/// One live publication as composition sees it, oldest first in a slice.
#[derive(Clone, Copy, Debug)]
pub struct Published<'a> {
    /// The document.
    pub document: &'a Pidf,
    /// Whether the device that published it has a live binding (composition rule 2).
    pub bound: bool,
}

/// Composition (M11): a pure function of live publications in order of arrival and of whether any
/// binding exists. Timestamps are left as published; the caller stamps the result.
pub fn compose(entity: &str, publications: &[Published<'_>], registered: bool) -> Pidf {
    let _ = (entity, publications, registered);
    todo!()
}

/// RFC 3339 in UTC with milliseconds: `2026-05-04T09:30:12.001Z`.
pub fn timestamp(at: Instant) -> String {
    let _ = at;
    todo!()
}
