//! Watcher information documents (RFC 3858).

use super::XmlError;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// `application/watcherinfo+xml`.
pub const WATCHERINFO: &str = "application/watcherinfo+xml";

/// State of a watcher's subscription (RFC 3858 §4.1, RFC 3857 §4.7.1).
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize,
)]
#[allow(missing_docs)]
pub enum Status {
    Pending,
    Active,
    Waiting,
    Terminated,
}

/// What caused the state (RFC 3858 §4.1): the eight values of the schema.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize,
)]
#[allow(missing_docs)]
pub enum Cause {
    Subscribe,
    Approved,
    Deactivated,
    Probation,
    Rejected,
    Timeout,
    Giveup,
    Noresource,
}

impl Status {
    /// The schema's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Waiting => "waiting",
            Self::Terminated => "terminated",
        }
    }
}

impl Cause {
    /// The schema's word, which is also the `reason` of a terminal Subscription-State.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Subscribe => "subscribe",
            Self::Approved => "approved",
            Self::Deactivated => "deactivated",
            Self::Probation => "probation",
            Self::Rejected => "rejected",
            Self::Timeout => "timeout",
            Self::Giveup => "giveup",
            Self::Noresource => "noresource",
        }
    }
}

/// One `<watcher>`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Watcher {
    /// Unique id of the subscription.
    pub id: Box<str>,
    /// URI of the watcher.
    pub uri: Box<str>,
    /// Status.
    pub status: Status,
    /// Cause.
    pub event: Cause,
    /// Display name.
    pub display_name: Option<Box<str>>,
    /// Seconds until the subscription expires.
    pub expiration: Option<u32>,
    /// Seconds since it began.
    pub duration: Option<u32>,
}

/// One `<watcher-list>`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct WatcherList {
    /// The watched resource.
    pub resource: Box<str>,
    /// The package, `presence`.
    pub package: Box<str>,
    /// Rows.
    pub watchers: Vec<Watcher>,
}

/// A document.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct WatcherInfo {
    /// Version, from 0.
    pub version: u32,
    /// `state="full"` or `"partial"`.
    pub full: bool,
    /// Lists.
    pub lists: Vec<WatcherList>,
}

impl WatcherInfo {
    /// Reads a document.
    pub fn parse(text: &[u8]) -> Result<Self, XmlError> {
        let _ = text;
        todo!()
    }

    /// Writes the document in the order of the schema.
    pub fn write(&self) -> Bytes {
        todo!()
    }
}
