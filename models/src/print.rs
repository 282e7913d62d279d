//! Fingerprints that know no clock: what is hashed of a time is how far away it is.
//!
//! The engine keeps absolute times, so two equal situations an hour apart are different values.
//! `Instant` is the only thing the engine hashes as `i64`; the hasher here subtracts the present
//! from it. Texts that name a time (PIDF timestamps, nonces) stay as they are: such states are
//! told apart although they need not be, which costs states and hides nothing.

use presently_engine::Instant;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// Hashes times relative to a present. Two lanes of folded multiplications: a state is hashed for
/// every step, so this is most of the work, and 128 bits on the way lose nothing that 64 in the
/// end could tell. It is the same in every build, so paths can be written down.
struct Relative {
    lanes: [u64; 2],
    now: i64,
}

const KEYS: [u64; 3] = [0x9e37_79b9_7f4a_7c15, 0xd1b5_4a32_d192_ed03, 0x8cb9_2ba7_2f3d_8dd7];

fn fold(word: u64, key: u64) -> u64 {
    let wide = u128::from(word) * u128::from(key);
    (wide as u64) ^ (wide >> 64) as u64
}

impl Relative {
    fn new(now: Instant) -> Self {
        Self { lanes: [KEYS[1], KEYS[2]], now: now.as_millis().cast_signed() }
    }

    fn mix(&mut self, word: u64) {
        let [one, two] = self.lanes;
        self.lanes = [
            fold(one ^ word, KEYS[0]).wrapping_add(two),
            fold(two.wrapping_add(word).rotate_left(23), KEYS[1]) ^ one,
        ];
    }
}

impl Hasher for Relative {
    fn finish(&self) -> u64 {
        let [one, two] = self.lanes;
        fold(one ^ two.rotate_left(32), KEYS[2]) ^ two
    }

    fn write(&mut self, bytes: &[u8]) {
        let mut words = bytes.chunks_exact(8);
        for word in &mut words {
            self.mix(word.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)));
        }
        let rest = words.remainder();
        if !rest.is_empty() {
            let length = rest.len() as u64;
            self.mix(rest.iter().fold(length, |sum, byte| sum << 8 | u64::from(*byte)));
        }
    }

    fn write_u8(&mut self, number: u8) {
        self.mix(number.into());
    }

    fn write_u16(&mut self, number: u16) {
        self.mix(number.into());
    }

    fn write_u32(&mut self, number: u32) {
        self.mix(number.into());
    }

    fn write_u64(&mut self, number: u64) {
        self.mix(number);
    }

    fn write_usize(&mut self, number: usize) {
        self.mix(number as u64);
    }

    fn write_i64(&mut self, at: i64) {
        const NEVER: i64 = Instant::NEVER.as_millis().cast_signed();
        const LONG_AGO: i64 = 0;
        self.mix(match at {
            NEVER => u64::MAX >> 1,
            LONG_AGO => 1 << 63,
            at => at.wrapping_sub(self.now).cast_unsigned(),
        });
    }
}

/// The fingerprint of a value as seen at `now`.
pub(crate) fn print<T: Hash + ?Sized>(value: &T, now: Instant) -> u64 {
    let mut hasher = Relative::new(now);
    value.hash(&mut hasher);
    hasher.finish()
}

/// A short name of a text.
pub(crate) fn mark(text: &str) -> u64 {
    print(text, Instant::default())
}

/// A shared value with its clock and its fingerprint: a step copies and hashes only what it
/// touches.
#[derive(Clone, Debug)]
pub(crate) struct Held<T> {
    value: Arc<T>,
    print: u64,
    at: Instant,
}

impl<T: Hash + Clone> Held<T> {
    /// Holds a value.
    pub(crate) fn new(value: T, at: Instant) -> Self {
        let print = print(&value, at);
        Self { value: Arc::new(value), print, at }
    }

    /// Changes the value.
    pub(crate) fn change<R>(&mut self, change: impl FnOnce(&mut T) -> R) -> R {
        let result = change(Arc::make_mut(&mut self.value));
        self.print = print(&*self.value, self.at);
        result
    }

    /// Time has passed.
    pub(crate) fn age(&mut self, at: Instant) {
        self.at = at;
        self.print = print(&*self.value, at);
    }

    /// The value.
    pub(crate) fn get(&self) -> &T {
        &self.value
    }

    /// Its fingerprint.
    pub(crate) fn print(&self) -> u64 {
        self.print
    }

    /// Its clock.
    pub(crate) fn at(&self) -> Instant {
        self.at
    }

    /// What tells it from every other value at every other time.
    pub(crate) fn key(&self) -> (u64, u64) {
        (self.print, self.at.as_millis())
    }
}

impl<T: Hash + Clone + Default> Default for Held<T> {
    fn default() -> Self {
        Self::new(T::default(), Instant::default())
    }
}

/// Only the fingerprint counts.
impl<T> Hash for Held<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.print);
    }
}

#[cfg(test)]
mod tests;
