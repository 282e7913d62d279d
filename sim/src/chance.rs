//! Chance that can be repeated: every draw is a function of the seed and of what it is for, never
//! of what was drawn before. So a plan from which a step was removed keeps the fate of everything
//! else, and a smaller plan fails for the same reason.

use siphasher::sip::SipHasher13;
use std::hash::{Hash, Hasher};

/// The source of all chance of a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Chance(u64);

impl Chance {
    /// The chance of a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number for a purpose.
    pub fn number(self, purpose: &str, which: impl Hash) -> u64 {
        let mut hasher = SipHasher13::new_with_keys(self.0, 0x7072_6573_656e_746c);
        purpose.hash(&mut hasher);
        which.hash(&mut hasher);
        hasher.finish()
    }

    /// Whether something happens whose probability is `share` (0 to 1).
    pub fn happens(self, share: f64, purpose: &str, which: impl Hash) -> bool {
        self.share(purpose, which) < share
    }

    /// A number from `from` through `to`.
    pub fn between(self, from: u64, to: u64, purpose: &str, which: impl Hash) -> u64 {
        let width = to.saturating_sub(from).saturating_add(1);
        from + self.number(purpose, which) % width
    }

    /// Sixteen bytes for a key.
    pub fn bytes<const N: usize>(self, purpose: &str, which: impl Hash) -> [u8; N] {
        let mut seed = self.number(purpose, which);
        std::array::from_fn(|index| {
            seed = Self(seed).number("bytes", index);
            seed.to_le_bytes()[0]
        })
    }

    /// A number from 0 up to 1, evenly.
    fn share(self, purpose: &str, which: impl Hash) -> f64 {
        // 53 bits are what a double holds exactly.
        (self.number(purpose, which) >> 11) as f64 / (1_u64 << 53) as f64
    }
}
