//! The owner's decisions on the wire (D11): a subset of RFC 4745 / RFC 5025.

use super::XmlError;
use crate::message::Aor;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// `application/auth-policy+xml`.
pub const AUTH_POLICY: &str = "application/auth-policy+xml";

/// `sub-handling` (RFC 5025 §3.2.1), in order of precedence.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize,
)]
#[allow(missing_docs)]
pub enum Handling {
    Block,
    Confirm,
    PoliteBlock,
    Allow,
}

impl Handling {
    /// The schema's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Block => "block",
            Self::Confirm => "confirm",
            Self::PoliteBlock => "polite-block",
            Self::Allow => "allow",
        }
    }
}

/// What the owner decided about one watcher.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Verdict {
    /// How its subscriptions are treated.
    pub handling: Handling,
    /// Whether an allowed watcher also gets direct-media offers (X5).
    pub direct: bool,
}

/// A rule set: who is treated how. Watchers in no rule get the default policy.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Rules {
    /// By watcher.
    pub verdicts: BTreeMap<Aor, Verdict>,
}

impl Rules {
    /// Reads a rule set; several rules for one identity combine to the highest handling (RFC 4745 §10).
    pub fn parse(text: &[u8]) -> Result<Self, XmlError> {
        let _ = text;
        todo!()
    }

    /// Writes one rule per verdict.
    pub fn write(&self) -> Bytes {
        todo!()
    }
}
