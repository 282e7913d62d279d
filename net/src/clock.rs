//! The one clock: Unix time at start plus monotonic time since (behaviour §0.2, D20).
//!
//! A step of the host's clock changes nothing while the process runs. The monotonic part is
//! tokio's, so a paused or simulated runtime has simulated time without a line here.

use presently_engine::Instant;
// The one place that reads the wall clock: everything else is handed the time.
#[allow(clippy::disallowed_types)]
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Longest wait that is asked of the runtime at once; a later deadline is simply looked at again.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 3600);

/// Engine time. A copy tells the same time; it never decreases.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    unix_ms: u64,
    started: tokio::time::Instant,
}

impl Clock {
    /// A clock that starts at the host's wall time.
    pub fn new() -> Self {
        #[allow(clippy::disallowed_types)]
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self::starting_at(Instant::from_millis(u64::try_from(unix.as_millis()).unwrap_or(0)))
    }

    /// A clock that starts at a chosen time (simulation, tests).
    pub fn starting_at(start: Instant) -> Self {
        Self { unix_ms: start.as_millis(), started: tokio::time::Instant::now() }
    }

    /// Milliseconds since the Unix epoch, by this clock.
    pub fn now(&self) -> Instant {
        Instant::from_millis(self.unix_ms) + self.started.elapsed()
    }

    /// Waits until `at`, or for a day if that is sooner; returns at once if `at` has passed.
    pub async fn sleep_until(&self, at: Instant) {
        let since_start = at.since(Instant::from_millis(self.unix_ms));
        let latest = self.started.elapsed() + LONGEST_WAIT;
        tokio::time::sleep_until(self.started + since_start.min(latest)).await;
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests;
