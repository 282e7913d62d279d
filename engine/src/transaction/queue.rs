//! Deadlines of transactions: an ordered set, with each transaction's place in it kept beside it.
//!
//! `time::Timers` looks a place up by name; here the transaction is at hand anyway, and the tree
//! of names would cost more than the transactions that linger in it.

use crate::time::Instant;
use std::collections::{BTreeSet, VecDeque};

/// Who is due when, soonest first; ties in the order of the keys.
pub(crate) type Queue<K> = BTreeSet<(Instant, K)>;

/// When the first of the queue is due; [`Instant::NEVER`] if nobody is.
pub(crate) fn first<K: Ord>(queue: &Queue<K>) -> Instant {
    queue.first().map_or(Instant::NEVER, |(at, _)| *at)
}

/// Moves `key` from its place `from` to `to`, where [`Instant::NEVER`] is no place at all.
pub(crate) fn move_alarm<K: Ord + Copy>(
    queue: &mut Queue<K>,
    key: K,
    from: &mut Instant,
    to: Instant,
) {
    if *from == to {
        return;
    }
    if *from != Instant::NEVER {
        queue.remove(&(*from, key));
    }
    if to != Instant::NEVER {
        queue.insert((to, key));
    }
    *from = to;
}

/// Deadlines that come in the order in which they were set, as those do that are all equally far
/// away when they are set. Each costs its own size and no search.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Line<K>(VecDeque<(Instant, K)>);

impl<K> Default for Line<K> {
    fn default() -> Self {
        Self(VecDeque::new())
    }
}

impl<K: Ord> Line<K> {
    /// Near the end: behind what is earlier, and in the order of the keys among what is due at the
    /// same time. The span may have been another one for some time, so the place is searched for.
    pub(crate) fn join(&mut self, at: Instant, key: K) {
        let entry = (at, key);
        if self.0.back().is_none_or(|last| *last < entry) {
            return self.0.push_back(entry);
        }
        let place = self.0.partition_point(|other| *other < entry);
        self.0.insert(place, entry);
    }

    /// The earliest deadline, or [`Instant::NEVER`].
    pub(crate) fn first(&self) -> Instant {
        self.0.front().map_or(Instant::NEVER, |(at, _)| *at)
    }

    /// Takes the earliest.
    pub(crate) fn pop_first(&mut self) -> Option<K> {
        self.0.pop_front().map(|(_, key)| key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_of_another_span_finds_its_place_in_the_line() {
        let mut line = Line::default();
        for (at, key) in [(10, 'a'), (20, 'c'), (20, 'b'), (15, 'd'), (30, 'e')] {
            line.join(Instant::from_millis(at), key);
        }
        assert_eq!(line.first(), Instant::from_millis(10));
        let order: String = std::iter::from_fn(|| line.pop_first()).collect();
        assert_eq!(order, "adbce");
        assert_eq!(line.first(), Instant::NEVER);
    }
}
