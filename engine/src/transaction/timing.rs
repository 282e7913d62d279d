//! The base times of RFC 3261 table 4, and the intervals made of them.

use std::time::Duration;

/// How long the user of an INVITE server transaction may be silent before 100 is sent for it
/// (RFC 3261 §17.2.1). The RFC gives it in milliseconds, not in multiples of T1.
pub(crate) const W200: Duration = Duration::from_millis(200);

/// The least value of Timer D over UDP (RFC 6026 §8.4).
const SHORTEST_D: Duration = Duration::from_secs(32);

/// The base times of RFC 3261 table 4 (K1); all others are multiples.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Timing {
    /// Round-trip estimate.
    pub t1: Duration,
    /// Longest retransmission interval of non-INVITE requests and INVITE answers.
    pub t2: Duration,
    /// Longest time a message stays in the network.
    pub t4: Duration,
    /// Whether finished transactions linger (J, K, D, I, L, M); models switch it off.
    pub linger: bool,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            t1: Duration::from_millis(500),
            t2: Duration::from_secs(4),
            t4: Duration::from_secs(5),
            linger: true,
        }
    }
}

impl Timing {
    /// 64·T1: how long a transaction tries, and how long copies may come.
    pub fn life(&self) -> Duration {
        self.t1.saturating_mul(64)
    }

    /// When a client that has heard nothing reaches the interval T2, counted from its first
    /// sending: 3.5 s. No 100 to a non-INVITE may leave earlier (RFC 4320 §4.1).
    pub fn w100(&self) -> Duration {
        let mut interval = self.t1;
        let mut elapsed = Duration::ZERO;
        while !interval.is_zero() && interval < self.t2 {
            elapsed += interval;
            interval = interval.saturating_mul(2);
        }
        elapsed
    }

    /// Timer D: how long copies of a refusal may come. The server's T1 is not known, so a short one
    /// of ours does not count (RFC 6026 §8.4).
    pub(crate) fn d(&self) -> Duration {
        self.life().max(SHORTEST_D)
    }

    /// The retransmission interval after `interval`.
    pub(crate) fn backoff(&self, interval: Duration) -> Duration {
        interval.saturating_mul(2).min(self.t2)
    }
}
