//! Keyed nonces: good for one realm, one server, one boot and K9, without any memory (M7, D12).
//!
//! A nonce is `b64url(version ‖ t ‖ r ‖ MAC)`. `t` is milliseconds since boot; `r` is derived
//! from the time and the request that caused the nonce, so that two callers challenged in the
//! same millisecond get different ones; the MAC covers `version ‖ t ‖ r ‖ realm`. The client's
//! address is left out, as RFC 7616 §3.3 advises.

use crate::message::Request;
use crate::mint::{Label, Secret};
use crate::time::Instant;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::fmt;
use subtle::ConstantTimeEq;

/// Version of the nonce format.
const VERSION: u8 = 1;
/// Octets before the MAC: the version, 40 bits of milliseconds (34 years of uptime), `r`.
const HEAD: usize = 1 + 5 + 8;
/// Octets of the MAC: 128 bits.
const MAC: usize = 16;
/// Octets in all; a multiple of three, so that base64 has exactly one spelling.
const OCTETS: usize = HEAD + MAC;

/// The key of all nonces of one boot of one server (D12). Configuration, never state.
#[derive(Clone)]
pub struct NonceKey {
    mac: Hmac<Sha256>,
    spread: Secret,
    boot: u64,
    started: Instant,
}

impl NonceKey {
    /// `key` is fresh entropy of this boot. `boot` is printed in `opaque`, so that agents notice
    /// a restart (D21), and is part of the key. `started` is when this boot began: nonces carry
    /// milliseconds since then.
    pub fn new(key: [u8; 32], boot: u64, started: Instant) -> Self {
        let mut whole = [0; 40];
        whole[..32].copy_from_slice(&key);
        whole[32..].copy_from_slice(&boot.to_be_bytes());
        let mac = Hmac::<Sha256>::new_from_slice(&whole).expect("HMAC takes keys of any length");
        let mut spread = [0; 16];
        let seed = mac.clone().chain_update(b"spread").finalize().into_bytes();
        spread.copy_from_slice(&seed[..16]);
        Self { mac, spread: Secret::new(spread), boot, started }
    }

    /// The boot id.
    pub fn boot(&self) -> u64 {
        self.boot
    }

    /// Milliseconds since boot, as nonces carry them.
    pub(super) fn uptime(&self, now: Instant) -> u64 {
        u64::try_from(now.since(self.started).as_millis()).unwrap_or(u64::MAX) & (u64::MAX >> 24)
    }

    /// A nonce for the answer to `cause`.
    pub(super) fn issue(&self, now: Instant, realm: &str, cause: &Request) -> String {
        let t = self.uptime(now);
        let mut octets = [0; OCTETS];
        octets[0] = VERSION;
        octets[1..6].copy_from_slice(&t.to_be_bytes()[3..]);
        octets[6..HEAD].copy_from_slice(&self.r(t, cause).to_be_bytes());
        let (head, mac) = octets.split_at_mut(HEAD);
        mac.copy_from_slice(&self.seal(head, realm));
        URL_SAFE_NO_PAD.encode(octets)
    }

    /// What a nonce says, if this key made it for `realm`.
    pub(super) fn open(&self, nonce: &str, realm: &str) -> Option<Nonce> {
        // The MAC covers the version, and no other version has a key of this boot.
        let mut octets = [0; OCTETS];
        if URL_SAFE_NO_PAD.decode_slice(nonce, &mut octets) != Ok(OCTETS) {
            return None;
        }
        let (head, mac) = octets.split_at(HEAD);
        let ours: bool = self.seal(head, realm).ct_eq(mac).into();
        ours.then(|| Nonce { t: number(&head[1..6]), r: number(&head[6..]) })
    }

    fn seal(&self, head: &[u8], realm: &str) -> [u8; MAC] {
        let mac = self.mac.clone().chain_update(head).chain_update(realm.as_bytes());
        let whole = mac.finalize().into_bytes();
        std::array::from_fn(|index| whole[index])
    }

    fn r(&self, t: u64, cause: &Request) -> u64 {
        let call_id = cause.call_id().unwrap_or("");
        let tag = cause.from().ok().and_then(|from| from.tag()).unwrap_or("");
        let cseq = cause.cseq().map_or(0, |cseq| cseq.number).to_be_bytes();
        let parts: [&[u8]; 4] = [&t.to_be_bytes(), call_id.as_bytes(), &cseq, tag.as_bytes()];
        self.spread.derive64(Label::Nonce, &parts).0
    }
}

/// A number of at most eight octets, the most significant first.
fn number(octets: &[u8]) -> u64 {
    let mut whole = [0; 8];
    whole[8 - octets.len()..].copy_from_slice(octets);
    u64::from_be_bytes(whole)
}

impl fmt::Debug for NonceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NonceKey(boot {:016x})", self.boot)
    }
}

/// The inside of a nonce of ours: issue time in milliseconds since boot, and what tells it from
/// others of that millisecond.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) struct Nonce {
    pub(super) t: u64,
    pub(super) r: u64,
}

#[cfg(test)]
mod tests;
