//! Deadlines of transactions: an ordered set, with each transaction's place in it kept beside it.
//!
//! `time::Timers` looks a place up by name; here the transaction is at hand anyway, and the tree
//! of names would cost more than the transactions that linger in it.

use crate::time::Instant;
use std::collections::BTreeSet;

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
