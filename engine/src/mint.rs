//! Identity is derived, not drawn: every tag, branch, entity-tag and id is a keyed hash of its
//! cause (RFC 3261 §19.3 leaves the algorithm open). Entropy enters once, as [`Secret`].
//!
//! To everyone without the key a derived id is random; to us the same cause gives the same id, so
//! a repeated request gets the same tag and two interleavings that meet are the same state.

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use siphasher::sip128::{Hasher128, SipHasher24};
use std::fmt;
use std::hash::Hasher;

/// The key of all derived identity. 128 bits, from the operating system, kept with the data.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Secret([u8; 16]);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// What a derived id is for; equal causes under different labels are unrelated.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Label {
    /// Dialog tag.
    Tag = 1,
    /// Via branch.
    Branch,
    /// Entity-tag (RFC 3903 §6).
    EntityTag,
    /// Watcher id (RFC 3858 §3).
    Watcher,
    /// Key of a server transaction.
    Transaction,
    /// Key of a merged request (RFC 3261 §8.2.2.2).
    Merged,
    /// Call-ID.
    CallId,
    /// Id of a pager message.
    Message,
    /// Client nonce.
    Cnonce,
    /// Random part of a nonce.
    Nonce,
    /// Tuple id or device id.
    Tuple,
    /// Jitter of a retry or refresh.
    Jitter,
    /// Direct-media secret.
    Media,
}

impl Secret {
    /// A secret from 16 bytes of entropy.
    pub const fn new(key: [u8; 16]) -> Self {
        Self(key)
    }

    /// 128 derived bits. Parts are framed by their length, so `["ab"]` and `["a", "b"]` differ.
    pub fn derive(&self, label: Label, parts: &[&[u8]]) -> u128 {
        let mut hasher = SipHasher24::new_with_key(&self.0);
        hasher.write_u8(label as u8);
        for part in parts {
            hasher.write_u32(u32::try_from(part.len()).unwrap_or(u32::MAX));
            hasher.write(part);
        }
        hasher.finish128().as_u128()
    }

    /// 64 derived bits, for ids that appear as 16 hex digits.
    pub fn derive64(&self, label: Label, parts: &[&[u8]]) -> Id {
        let wide = self.derive(label, parts);
        Id((wide >> 64) as u64 ^ wide as u64)
    }
}

/// A derived 64-bit identifier; prints as 16 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Id(pub u64);

impl Id {
    /// Reads 16 lower-case hex digits back: what we did not print is not an id of ours.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != 16 {
            return None;
        }
        let digit = |value: u64, byte: u8| match byte {
            b'0'..=b'9' => Some(value << 4 | u64::from(byte - b'0')),
            b'a'..=b'f' => Some(value << 4 | u64::from(byte - b'a' + 10)),
            _ => None,
        };
        text.bytes().try_fold(0, digit).map(Self)
    }

    /// The 16 hex digits.
    pub fn hex(self) -> [u8; 16] {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        std::array::from_fn(|i| DIGITS[(self.0 >> (60 - 4 * i) & 15) as usize])
    }
}

/// Digits of ours as text.
pub(crate) fn ascii(digits: &[u8]) -> &str {
    std::str::from_utf8(digits).expect("invariant: digits that we made are ASCII")
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(ascii(&self.hex()))
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}
