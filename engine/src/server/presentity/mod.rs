//! The presentity: four tables with one owner (PIT, PST, WT, WST).

use crate::body::pidf::Format;
use crate::body::winfo::Cause;
use crate::dialog::Dialog;
use crate::message::Aor;
use crate::mint::Id;
use crate::time::Instant;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// Durable part of a publication: a row of the paper's PIT.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct PublicationRow {
    /// Order of arrival within the presentity; a replacement keeps its place at the end.
    pub rank: u64,
    /// When it was written.
    pub at: Instant,
    /// End of the granted time.
    pub expires: Instant,
    /// Contact or instance of the device, to tie offers to its binding (composition rule 2).
    pub device: Option<Box<str>>,
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

/// Durable part of a subscription: a row of PST or WST.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct SubscriptionRow {
    /// Which table.
    pub package: Package,
    /// Who subscribed.
    pub watcher: Aor,
    /// The dialog; `local_cseq` in a stored row is the ceiling reserved for NOTIFYs.
    pub dialog: Dialog,
    /// `id` parameter of Event.
    pub event_id: Option<Box<str>>,
    /// Body type of NOTIFYs.
    pub format: Format,
    /// Whether the owner has approved (active) or not (pending). Winfo rows are active.
    pub active: bool,
    /// Cause of the state.
    pub cause: Cause,
    /// WT id.
    pub watcher_id: Id,
    /// Display name of the watcher, untrusted.
    pub display_name: Option<Box<str>>,
    /// When it began.
    pub since: Instant,
    /// End of the granted time.
    pub expires: Instant,
    /// Winfo: the next document version; in a stored row the ceiling reserved.
    pub next_version: u32,
}

/// Durable part of a watcher that waits without a subscription.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct WaitingRow {
    /// Who waits.
    pub watcher: Aor,
    /// Display name, untrusted.
    pub display_name: Option<Box<str>>,
    /// Event id, format: what makes a new SUBSCRIBE "the same".
    pub event_id: Option<Box<str>>,
    /// When the first SUBSCRIBE came.
    pub since: Instant,
    /// When it gives up (K5).
    pub giveup: Instant,
}
