//! The machine under a server or a device: what can happen to it while a process runs on it.

use presently_engine::Instant;
use presently_net::{Clock, Gate};
use std::time::Duration;

/// A machine with a wall clock, and the process on it.
pub(crate) struct Host {
    /// The true time.
    time: Clock,
    /// How far the wall clock is ahead of it.
    ahead_ms: i64,
    /// Before the process that was started last.
    gate: Gate,
}

impl Host {
    /// A machine whose wall clock is right.
    pub(crate) fn new(time: Clock) -> Self {
        Self { time, ahead_ms: 0, gate: Gate::default() }
    }

    /// What a process gets that starts now. As the one that ships it reads the wall clock here and
    /// never again.
    pub(crate) fn boot(&mut self) -> (Clock, Gate) {
        self.gate = Gate::default();
        let wall = self.time.now().as_millis().saturating_add_signed(self.ahead_ms);
        (Clock::starting_at(Instant::from_millis(wall)), self.gate.clone())
    }

    /// Steps the wall clock.
    pub(crate) fn step_clock(&mut self, by_ms: i64) {
        self.ahead_ms = self.ahead_ms.saturating_add(by_ms);
    }

    /// Lets the process stand still for a time. A second stall does not shorten the first.
    pub(crate) fn stall(&self, ms: u64) {
        let shut = self.gate.shut();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(ms)).await;
            drop(shut);
        });
    }
}
