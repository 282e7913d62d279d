//! The durable rows of a presentity: what survives a crash, and nothing else.

use crate::body::pidf::Format;
use crate::body::winfo::Cause;
use crate::dialog::Dialog;
use crate::message::Aor;
use crate::mint::Id;
use crate::time::Instant;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;

/// Durable part of a publication: a row of the paper's PIT.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct PublicationRow {
    /// Order of arrival within the presentity; a replacement gets a new, higher rank.
    pub rank: u64,
    /// When the document was written; the ages of its access elements count from here.
    pub at: Instant,
    /// End of the granted time.
    pub expires: Instant,
    /// The flow that published, to tie offers to a binding (composition rule 2).
    pub device: SocketAddr,
    /// The document as published.
    pub body: Bytes,
}

/// Which package a subscription is for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Package {
    /// `presence`: a row of PST.
    Presence,
    /// `presence.winfo`: a row of WST.
    Winfo,
}

impl Package {
    /// The token of the Event header.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Presence => "presence",
            Self::Winfo => "presence.winfo",
        }
    }
}

/// Durable part of a subscription: a row of PST or WST.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct SubscriptionRow {
    /// Which table.
    pub package: Package,
    /// Who subscribed.
    pub watcher: Aor,
    /// The dialog; `local_cseq` of a *stored* row is the ceiling reserved for NOTIFYs.
    pub dialog: Dialog,
    /// `id` parameter of Event.
    pub event_id: Option<Box<str>>,
    /// Body type of NOTIFYs.
    pub format: Format,
    /// Approved (active) or not yet (pending). Winfo rows are always active.
    pub active: bool,
    /// Cause of the state.
    pub cause: Cause,
    /// WT id of the watcher row; the subscription's own id for winfo.
    pub watcher_id: Id,
    /// Display name of the watcher, untrusted.
    pub display_name: Option<Box<str>>,
    /// When it began.
    pub since: Instant,
    /// End of the granted time.
    pub expires: Instant,
    /// Winfo: the next document version; in a *stored* row the ceiling reserved.
    pub next_version: u32,
}

/// Durable part of a watcher that waits without a subscription (RFC 3857 §4.7.1).
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct WaitingRow {
    /// Who waits.
    pub watcher: Aor,
    /// Display name, untrusted.
    pub display_name: Option<Box<str>>,
    /// `id` parameter of Event: what makes a new SUBSCRIBE "the same".
    pub event_id: Option<Box<str>>,
    /// When the watcher first asked.
    pub since: Instant,
    /// When it gives up (K5).
    pub giveup: Instant,
}
