//! When to send a request again (RFC 3261 §17.1.2.2): after 500 ms, then twice as long each time
//! up to four seconds, until 32 s are over. As every wait of one length is appended to one queue,
//! each queue is sorted by itself, and an operation that is done is simply not there any more when
//! its time comes.

use super::Nanos;
use std::collections::VecDeque;

/// The base of all waits.
pub(crate) const T1: Nanos = 500_000_000;
/// How often waits double until they are T2.
const DOUBLINGS: usize = 4;

/// After so long nobody waits for an answer any more: Timer F.
pub(crate) const PATIENCE: Nanos = 64 * T1;

/// All waits.
#[derive(Default)]
pub(crate) struct Timers {
    queues: [VecDeque<Wait>; DOUBLINGS],
}

/// One transaction that waits for an answer.
#[derive(Clone, Copy)]
pub(crate) struct Wait {
    pub(crate) until: Nanos,
    pub(crate) operation: u32,
    pub(crate) serial: u32,
    /// How often it was sent again.
    pub(crate) again: u32,
}

impl Timers {
    /// Waits for the answer to what was sent just now, for the first time or `again`.
    pub(crate) fn wait(&mut self, now: Nanos, operation: u32, serial: u32, again: u32) {
        let queue = (again as usize).min(DOUBLINGS - 1);
        let until = now + (T1 << queue);
        self.queues[queue].push_back(Wait { until, operation, serial, again });
    }

    /// A wait that is over.
    pub(crate) fn due(&mut self, now: Nanos) -> Option<Wait> {
        let over = |queue: &&mut VecDeque<Wait>| queue.front().is_some_and(|w| w.until <= now);
        self.queues.iter_mut().find(over).and_then(VecDeque::pop_front)
    }

    /// When the next wait is over.
    pub(crate) fn next(&self) -> Option<Nanos> {
        self.queues.iter().filter_map(|queue| Some(queue.front()?.until)).min()
    }
}
