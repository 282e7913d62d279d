//! Fingerprints that know no clock: what is hashed of a time is how far away it is.
//!
//! The engine keeps absolute times, so two equal situations an hour apart are different values.
//! `Instant` is the only thing the engine hashes as `i64`; the hasher here subtracts the present
//! from it. Texts that name a time (PIDF timestamps, nonces) stay as they are: such states are
//! told apart although they need not be, which costs states and hides nothing.

use presently_engine::Instant;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

/// Hashes times relative to a present.
struct Relative {
    inner: DefaultHasher,
    now: i64,
}

impl Hasher for Relative {
    fn finish(&self) -> u64 {
        self.inner.finish()
    }

    fn write(&mut self, bytes: &[u8]) {
        self.inner.write(bytes);
    }

    fn write_i64(&mut self, at: i64) {
        const NEVER: i64 = Instant::NEVER.as_millis().cast_signed();
        const LONG_AGO: i64 = 0;
        self.inner.write_i64(match at {
            NEVER => i64::MAX,
            LONG_AGO => i64::MIN,
            at => at.wrapping_sub(self.now),
        });
    }
}

/// The fingerprint of a value as seen at `now`.
pub(crate) fn print<T: Hash + ?Sized>(value: &T, now: Instant) -> u64 {
    let mut hasher = Relative { inner: DefaultHasher::new(), now: now.as_millis().cast_signed() };
    value.hash(&mut hasher);
    hasher.finish()
}

/// A shared value with its fingerprint: a step copies and hashes only what it touches.
#[derive(Clone, Debug)]
pub(crate) struct Held<T> {
    value: Arc<T>,
    print: u64,
}

impl<T: Hash + Clone> Held<T> {
    /// Holds a value.
    pub(crate) fn new(value: T, now: Instant) -> Self {
        let print = print(&value, now);
        Self { value: Arc::new(value), print }
    }

    /// Changes the value.
    pub(crate) fn change<R>(&mut self, now: Instant, change: impl FnOnce(&mut T) -> R) -> R {
        let result = change(Arc::make_mut(&mut self.value));
        self.age(now);
        result
    }

    /// Time has passed.
    pub(crate) fn age(&mut self, now: Instant) {
        self.print = print(&*self.value, now);
    }

    /// The value.
    pub(crate) fn get(&self) -> &T {
        &self.value
    }

    /// Its fingerprint.
    pub(crate) fn print(&self) -> u64 {
        self.print
    }
}

#[cfg(test)]
mod tests;
