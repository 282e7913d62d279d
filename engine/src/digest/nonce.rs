//! Server side: keyed nonces without memory, and replay records from the first success on (M7).

use super::{Ha1, Qop};
use crate::message::Request;
use crate::time::Instant;
use std::collections::BTreeMap;

/// The key of all nonces of one boot of one server (D12). Configuration, never state.
#[derive(Clone)]
pub struct NonceKey {
    /// Random key of this boot.
    pub key: [u8; 32],
    /// Printed in `opaque`, so that agents notice a restart (D21).
    pub boot: u64,
    /// When this boot began; nonces carry milliseconds since then.
    pub started: Instant,
}

impl std::fmt::Debug for NonceKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "NonceKey(boot {:016x})", self.boot)
    }
}

/// What the replay table knows of one nonce.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct NonceState {
    /// Digest user of the first success.
    pub user: Box<str>,
    /// Highest `nc` seen.
    pub max_nc: u32,
    /// Bit i: `max_nc - i` was seen.
    pub window: u64,
}

/// Replay records: created at the first *successful* use of a nonce, evicted oldest first.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Nonces {
    /// By issue time (ms since boot) and the nonce's random part.
    records: BTreeMap<(u64, u64), NonceState>,
    /// Nonces issued at or before this time and without record are stale.
    floor: Option<u64>,
}

/// What the digest of a request is worth.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ruling {
    /// Proven. The user name and, when due, the value of `Authentication-Info` for the 2xx.
    Accepted {
        /// The digest user name.
        user: Box<str>,
        /// Value of Authentication-Info, when the nonce is past half of its life.
        info: Option<String>,
    },
    /// Ask (again). `stale`: the password was right, only the nonce was not.
    Challenge {
        /// Value of the `stale` parameter.
        stale: bool,
    },
    /// The credentials header itself is unreadable: 400.
    Bad(&'static str),
}

impl Nonces {
    /// How many replay records there are.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Judges the credentials of `request` for `realm` in the order of M7. `lookup` gives the HA1
    /// of a user for an algorithm. `minimum` is `Qop::AuthInt` where D13 requires it. Nothing is
    /// stored unless the ruling is `Accepted`.
    #[allow(clippy::too_many_arguments)]
    pub fn judge(
        &mut self,
        key: &NonceKey,
        limits: &NonceLimits,
        now: Instant,
        realm: &str,
        request: &Request,
        proxy: bool,
        minimum: Qop,
        lookup: &dyn Fn(&str, super::Algorithm) -> Option<Ha1>,
    ) -> Ruling {
        let _ = (key, limits, now, realm, request, proxy, minimum, lookup);
        todo!()
    }
}

/// K9 and the algorithms on offer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NonceLimits {
    /// Seconds a nonce is good for.
    pub life: std::time::Duration,
    /// How far `nc` may lag behind (at most 64).
    pub window: u32,
    /// Most replay records.
    pub table: usize,
    /// Whether MD5 is offered beside SHA-256.
    pub md5: bool,
    /// Whether a response without qop is accepted (each nonce then serves one request).
    pub legacy_no_qop: bool,
}

impl Default for NonceLimits {
    fn default() -> Self {
        Self {
            life: std::time::Duration::from_secs(300),
            window: 64,
            table: 65_536,
            md5: true,
            legacy_no_qop: false,
        }
    }
}

/// The values of WWW-Authenticate (or Proxy-Authenticate), one per algorithm, strongest first.
/// `cause` distinguishes nonces issued in the same millisecond.
pub fn challenges(
    key: &NonceKey,
    limits: &NonceLimits,
    now: Instant,
    realm: &str,
    minimum: Qop,
    stale: bool,
    cause: &Request,
) -> Vec<String> {
    let _ = (key, limits, now, realm, minimum, stale, cause);
    todo!()
}
