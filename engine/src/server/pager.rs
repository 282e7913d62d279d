//! Pager messages: relay or keep (M19, RFC 3428).

use crate::message::Aor;
use crate::mint::Id;
use crate::time::Instant;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// A stored message (K11).
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Kept {
    /// Row id; rises with the order of arrival.
    pub id: Id,
    /// The sender.
    pub from: Aor,
    /// From header value as received, without tag.
    pub from_text: Box<str>,
    /// `DM-Message-ID`, or what stands for it.
    pub message_id: Box<str>,
    /// When it arrived.
    pub at: Instant,
    /// When it is worthless.
    pub expires: Instant,
    /// Content-Type.
    pub content_type: Box<str>,
    /// Body.
    pub body: Bytes,
}
