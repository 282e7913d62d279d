//! Time as the engine sees it: a number handed in, and one table of deadlines.

#[cfg(test)]
mod tests;

mod date;

pub(crate) use date::{Date, civil};

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{Hash, Hasher};
use std::ops::{Add, Sub};
use std::time::Duration;

/// Milliseconds since the Unix epoch; the driver sees to it that it never decreases.
///
/// One clock serves timers, `expires` and durable records (behaviour §0.2, D20).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
pub struct Instant(u64);

/// Times are all that the engine hashes as `i64`, so a hasher can tell them from counters and ids:
/// that of the models hashes how far away they are, and equal situations at different times meet.
impl Hash for Instant {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_i64(self.0.cast_signed());
    }
}

impl Instant {
    /// A time that does not come.
    pub const NEVER: Self = Self(u64::MAX);

    /// The instant `ms` milliseconds after the Unix epoch.
    pub const fn from_millis(ms: u64) -> Self {
        Self(ms)
    }

    /// Milliseconds since the Unix epoch.
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// Time from `earlier` to `self`; zero if `earlier` is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    /// Whole seconds from `earlier` to `self`, rounded down; zero if `earlier` is later.
    pub fn seconds_since(self, earlier: Self) -> u32 {
        u32::try_from(self.since(earlier).as_secs()).unwrap_or(u32::MAX)
    }
}

impl Add<Duration> for Instant {
    type Output = Self;
    fn add(self, span: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(span.as_millis()).unwrap_or(u64::MAX)))
    }
}

impl Sub<Duration> for Instant {
    type Output = Self;
    fn sub(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(u64::try_from(span.as_millis()).unwrap_or(u64::MAX)))
    }
}

/// The deadlines of a machine, by name. Ties fire in the order of the names, so firing is total.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Timers<K: Ord> {
    when: BTreeMap<K, Instant>,
    order: BTreeSet<(Instant, K)>,
}

impl<K: Ord> Default for Timers<K> {
    fn default() -> Self {
        Self { when: BTreeMap::new(), order: BTreeSet::new() }
    }
}

impl<K: Ord + Clone> Timers<K> {
    /// Sets the deadline of `key`, replacing an earlier one.
    pub fn arm(&mut self, key: K, at: Instant) {
        if let Some(old) = self.when.insert(key.clone(), at) {
            if old == at {
                return;
            }
            let stale = (old, key);
            self.order.remove(&stale);
            self.order.insert((at, stale.1));
        } else {
            self.order.insert((at, key));
        }
    }

    /// Forgets the deadline of `key`.
    pub fn stop(&mut self, key: &K) {
        if let Some((key, at)) = self.when.remove_entry(key) {
            self.order.remove(&(at, key));
        }
    }

    /// The earliest deadline.
    pub fn next(&self) -> Option<Instant> {
        self.order.first().map(|(at, _)| *at)
    }

    /// Takes the earliest timer whose deadline has come.
    pub fn pop_due(&mut self, now: Instant) -> Option<K> {
        if self.next()? > now {
            return None;
        }
        let (_, key) = self.order.pop_first()?;
        self.when.remove(&key);
        Some(key)
    }

    /// The deadline of `key`, if armed.
    pub fn at(&self, key: &K) -> Option<Instant> {
        self.when.get(key).copied()
    }

    /// How many timers are armed.
    pub fn len(&self) -> usize {
        self.when.len()
    }

    /// Whether no timer is armed.
    pub fn is_empty(&self) -> bool {
        self.when.is_empty()
    }

    /// Every armed timer in firing order (models rank them).
    pub fn iter(&self) -> impl Iterator<Item = (Instant, &K)> {
        self.order.iter().map(|(at, key)| (*at, key))
    }
}
