//! Replay records: what was already done with which nonce (M7, R61–R67).
//!
//! A record appears at the first *successful* use of a nonce, so a flood of unproven requests
//! stores nothing (P42). A nonce that lost its record to eviction lies at or below the floor and
//! is refused, so nothing is ever executed twice (P23).

use super::Algorithm;
use super::nonce::Nonce;
use std::collections::BTreeMap;

/// What the replay table knows of one nonce.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct NonceState {
    /// Digest user of the first success, as the client wrote it.
    pub user: Box<str>,
    /// Algorithm of the first success.
    pub algorithm: Algorithm,
    /// Highest `nc` seen.
    pub max_nc: u32,
    /// Bit i: `max_nc - i` was seen.
    pub window: u64,
}

/// Replay records by issue time, so the oldest is evicted first.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Nonces {
    records: BTreeMap<Nonce, NonceState>,
    /// Nonces issued at or before this time and without record are stale.
    floor: Option<u64>,
}

/// One proven use of a nonce.
pub(super) struct Use<'a> {
    pub(super) user: &'a str,
    pub(super) algorithm: Algorithm,
    /// `None`: without qop, which makes the nonce good for this request only.
    pub(super) nc: Option<u32>,
}

impl Nonces {
    /// How many replay records there are.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Every record in order of issue: milliseconds since boot, and what is known.
    pub fn iter(&self) -> impl Iterator<Item = (u64, &NonceState)> {
        self.records.iter().map(|(nonce, state)| (nonce.t, state))
    }

    /// Forgets the records of the users that `is` names (R72). Their nonces become stale rather
    /// than new: the floor rises above them.
    pub fn forget(&mut self, is: impl Fn(&str) -> bool) {
        let gone = self.records.iter().filter(|(_, state)| is(&state.user));
        let newest = gone.map(|(nonce, _)| nonce.t).max();
        self.records.retain(|_, state| !is(&state.user));
        self.floor = self.floor.max(newest);
    }

    /// Takes one use of a nonce; `false` if it is a replay, or could be one. `expired` is the
    /// issue time before which nonces are refused by age, so that their records are worthless.
    pub(super) fn spend(
        &mut self,
        nonce: Nonce,
        used: &Use<'_>,
        window: u32,
        table: usize,
        expired: u64,
    ) -> bool {
        if let Some(state) = self.records.get_mut(&nonce) {
            return state.spend(used, window);
        }
        if self.floor.is_some_and(|floor| nonce.t <= floor) {
            return false;
        }
        self.make_room(table, expired);
        self.records.insert(nonce, NonceState::new(used));
        true
    }

    fn make_room(&mut self, table: usize, expired: u64) {
        while self.records.first_key_value().is_some_and(|(nonce, _)| nonce.t < expired) {
            self.records.pop_first();
        }
        while self.records.len() >= table.max(1) {
            let evicted = self.records.pop_first().map(|(nonce, _)| nonce.t);
            self.floor = self.floor.max(evicted);
        }
    }
}

impl NonceState {
    fn new(used: &Use<'_>) -> Self {
        let (max_nc, window) = used.nc.map_or((u32::MAX, u64::MAX), |nc| (nc, 1));
        Self { user: used.user.into(), algorithm: used.algorithm, max_nc, window }
    }

    fn spend(&mut self, used: &Use<'_>, window: u32) -> bool {
        match used.nc {
            Some(nc) if *self.user == *used.user && self.algorithm == used.algorithm => {
                self.count(nc, window.min(u64::BITS))
            }
            Some(_) | None => false,
        }
    }

    /// Marks `nc` as seen; `false` if it was before, or lies below the window.
    fn count(&mut self, nc: u32, window: u32) -> bool {
        if let Some(ahead) = nc.checked_sub(self.max_nc).filter(|ahead| *ahead > 0) {
            self.window = self.window.checked_shl(ahead).unwrap_or(0) + 1;
            self.max_nc = nc;
            return true;
        }
        let behind = self.max_nc - nc;
        let unseen = behind < window && self.window & 1 << behind == 0;
        if unseen {
            self.window |= 1 << behind;
        }
        unseen
    }
}

#[cfg(test)]
mod tests;
