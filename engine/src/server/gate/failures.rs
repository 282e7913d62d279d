//! Wrong passwords, counted per source and per user (R71).
//!
//! After a few failures further wrong tries get one answer a second. The right password always
//! passes, so nobody can be locked out by somebody else's guessing. The tables have a fixed size
//! whatever comes in (P42): of two keys that share a slot, the later one counts.

use crate::mint::{Label, Secret};
use crate::time::Instant;
use std::net::IpAddr;
use std::time::Duration;

const SLOTS: usize = 128;
/// Failures that are answered at once.
const PATIENCE: u8 = 5;
/// Distance of answers after that.
const DELAY: Duration = Duration::from_secs(1);
/// Quiet time after which the count begins anew.
const MEMORY: Duration = Duration::from_secs(60);

/// Recent wrong digests.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(super) struct Failures {
    sources: Table,
    users: Table,
}

/// Counts by key. Nothing is allocated before the first one.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
struct Table(Option<Box<[Slot; SLOTS]>>);

/// Count of one source or user.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
struct Slot {
    key: u64,
    count: u8,
    /// When the last failure was answered.
    answered: Instant,
}

impl Failures {
    /// Counts a wrong digest of `user` from `source`; whether it gets an answer.
    pub(super) fn answers(
        &mut self,
        secret: &Secret,
        now: Instant,
        source: IpAddr,
        user: &str,
    ) -> bool {
        let source = match source {
            IpAddr::V4(ip) => u128::from(ip.to_bits()),
            // A host owns its whole /64 and may change addresses within it at will.
            IpAddr::V6(ip) => ip.to_bits() >> 64 << 64,
        };
        let source = key(secret, b"source", &source.to_be_bytes());
        let user = key(secret, b"user", user.as_bytes());
        let patient = self.sources.is_patient(source, now) && self.users.is_patient(user, now);
        if patient {
            self.sources.count(source, now);
            self.users.count(user, now);
        }
        patient
    }
}

impl Table {
    fn is_patient(&self, key: u64, now: Instant) -> bool {
        let slot = self.0.as_ref().map(|slots| slots[place(key)]);
        slot.is_none_or(|slot| {
            slot.key != key || slot.count < PATIENCE || now.since(slot.answered) >= DELAY
        })
    }

    fn count(&mut self, key: u64, now: Instant) {
        let slots = self.0.get_or_insert_with(|| Box::new([Slot::default(); SLOTS]));
        let slot = &mut slots[place(key)];
        if slot.key != key || now.since(slot.answered) >= MEMORY {
            *slot = Slot { key, ..Slot::default() };
        }
        slot.count = slot.count.saturating_add(1);
        slot.answered = now;
    }
}

fn key(secret: &Secret, kind: &[u8], who: &[u8]) -> u64 {
    secret.derive64(Label::Jitter, &[b"failures", kind, who]).0
}

fn place(key: u64) -> usize {
    usize::try_from(key % SLOTS as u64).expect("a remainder of a small number is small")
}

#[cfg(test)]
mod tests;
