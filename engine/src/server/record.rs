//! `Record`: every durable fact, one keyed row each (decisions §2.4).
//!
//! A record is a put or a delete of one row. Its key is `aor NUL kind id`; the value of a put is
//! the record itself, so a row explains itself when it is read back.

use super::presentity::{PublicationRow, SubscriptionRow, WaitingRow};
use super::{Binding, Kept};
use crate::body::presrules::Verdict;
use crate::body::winfo::Cause;
use crate::message::Aor;
use crate::mint::Id;
use serde::{Deserialize, Serialize};

/// One durable fact.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Record {
    /// A contact is bound (id: derived from its URI).
    Bound(Aor, Id, Binding),
    /// It is not any more.
    Unbound(Aor, Id),
    /// A publication exists under an entity-tag.
    Published(Aor, Id, PublicationRow),
    /// It was replaced, withdrawn, or ended.
    Withdrawn(Aor, Id),
    /// A subscription exists (or its row changed).
    Subscribed(Aor, Id, SubscriptionRow),
    /// It ended.
    Ended(Aor, Id, Cause),
    /// A watcher waits without a subscription.
    Waiting(Aor, Id, WaitingRow),
    /// It does not any more.
    Released(Aor, Id, Cause),
    /// The owner decided about a watcher; `None` takes the decision back.
    Decided(Aor, Aor, Option<Verdict>),
    /// The entity-tag of the owner's rules.
    Ruled(Aor, Id),
    /// A message is stored.
    Kept(Aor, Kept),
    /// It was delivered, refused or expired.
    Delivered(Aor, Id),
    /// The owner's rules have no entity-tag any more: the account is gone.
    Unruled(Aor),
}

/// A row that cannot be read back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BadRow;

impl std::fmt::Display for BadRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a stored row is damaged or was written by another version")
    }
}

impl std::error::Error for BadRow {}

/// First byte of every value: the version of the row format.
const FORMAT: u8 = 1;

impl Record {
    /// Whose row it is.
    pub fn aor(&self) -> &Aor {
        match self {
            Self::Bound(aor, ..)
            | Self::Unbound(aor, ..)
            | Self::Published(aor, ..)
            | Self::Withdrawn(aor, ..)
            | Self::Subscribed(aor, ..)
            | Self::Ended(aor, ..)
            | Self::Waiting(aor, ..)
            | Self::Released(aor, ..)
            | Self::Decided(aor, ..)
            | Self::Ruled(aor, ..)
            | Self::Kept(aor, ..)
            | Self::Delivered(aor, ..)
            | Self::Unruled(aor) => aor,
        }
    }

    /// The row's key; puts and deletes of one row share it.
    pub fn key(&self) -> Vec<u8> {
        let (kind, id): (u8, &[u8]) = match self {
            Self::Bound(_, id, _) | Self::Unbound(_, id) => (b'b', &id.0.to_be_bytes()),
            Self::Published(_, id, _) | Self::Withdrawn(_, id) => (b'p', &id.0.to_be_bytes()),
            Self::Subscribed(_, id, _) | Self::Ended(_, id, _) => (b's', &id.0.to_be_bytes()),
            Self::Waiting(_, id, _) | Self::Released(_, id, _) => (b'w', &id.0.to_be_bytes()),
            Self::Decided(_, watcher, _) => (b'd', watcher.as_str().as_bytes()),
            Self::Ruled(..) | Self::Unruled(_) => (b'r', &[]),
            Self::Kept(_, kept) => (b'm', &kept.id.0.to_be_bytes()),
            Self::Delivered(_, id) => (b'm', &id.0.to_be_bytes()),
        };
        let aor = self.aor().as_str().as_bytes();
        let mut key = Vec::with_capacity(aor.len() + id.len() + 2);
        key.extend_from_slice(aor);
        key.extend_from_slice(&[0, kind]);
        key.extend_from_slice(id);
        key
    }

    /// The row's value; `None` deletes the row.
    pub fn value(&self) -> Option<Vec<u8>> {
        match self {
            Self::Unbound(..)
            | Self::Withdrawn(..)
            | Self::Ended(..)
            | Self::Released(..)
            | Self::Decided(_, _, None)
            | Self::Delivered(..)
            | Self::Unruled(_) => None,
            Self::Bound(..)
            | Self::Published(..)
            | Self::Subscribed(..)
            | Self::Waiting(..)
            | Self::Decided(_, _, Some(_))
            | Self::Ruled(..)
            | Self::Kept(..) => {
                let row = postcard::to_extend(self, vec![FORMAT]);
                Some(row.expect("plain data always serializes"))
            }
        }
    }

    /// Reads a stored row back.
    pub fn decode(value: &[u8]) -> Result<Self, BadRow> {
        match value.split_first() {
            Some((&FORMAT, row)) => postcard::from_bytes(row).map_err(|_| BadRow),
            _ => Err(BadRow),
        }
    }
}

#[cfg(test)]
mod tests;
