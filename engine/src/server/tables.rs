//! The paper's four tables under the paper's field names (behaviour §1.2), for people to look at.

use serde::Serialize;

/// PIT, PST, WT and WST of every presentity.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Tables {
    /// Presence information: one row per tuple.
    #[serde(rename = "PIT")]
    pub pit: Vec<PitRow>,
    /// Presence subscriptions.
    #[serde(rename = "PST")]
    pub pst: Vec<SubscriptionTableRow>,
    /// Watchers.
    #[serde(rename = "WT")]
    pub wt: Vec<WatcherTableRow>,
    /// Watcher-information subscriptions.
    #[serde(rename = "WST")]
    pub wst: Vec<SubscriptionTableRow>,
}

/// A row of PIT. Field names are the paper's; `entity` and `etag` are ours.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[allow(missing_docs)]
pub struct PitRow {
    pub entity: String,
    pub id: String,
    pub status: String,
    pub contact: String,
    pub note: String,
    pub timestamp: String,
    pub media: String,
    pub port: u16,
    pub codec: String,
    pub direct_mode: String,
    pub etag: String,
}

/// A row of PST or WST. `state`, `sub_id` and `remaining` are ours.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[allow(missing_docs)]
pub struct SubscriptionTableRow {
    pub target: String,
    pub from: String,
    pub version: u64,
    pub expire: u32,
    pub contact: String,
    pub callid: String,
    pub cseq: u32,
    pub state: String,
    pub sub_id: String,
    pub remaining: u32,
}

/// A row of WT. `target` and `package` are ours.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct WatcherTableRow {
    /// Whose watcher.
    pub target: String,
    /// Watcher URI.
    pub watcher: String,
    /// Row id.
    pub id: String,
    /// Status.
    pub status: String,
    /// Cause.
    pub event: String,
    /// Display name.
    #[serde(rename = "display-name")]
    pub display_name: String,
    /// Package.
    pub package: String,
}
