//! Flows that are over (K17): a copy of their check does not open the door again.
//!
//! Whoever has recorded a check can repeat it for as long as the credential in it is taken, so a
//! flow is remembered for just as long: that of a token until the grace of its epoch is over (K15),
//! that of a reply while the flow it answers streams (X13). Flows are counted by credential, and so
//! by peer and epoch. Who has used up its [`MOST`] is not forgotten but begins nothing anew: it is
//! told 486 until the next epoch, while what it streams goes on. That is a flow every 2.5 s.
//!
//! Nothing happens when a credential is over, so there is no timer: what is over is dropped when
//! somebody knocks or leaves.

use crate::time::Instant;
use std::collections::{BTreeMap, BTreeSet};

/// Most flows of one credential.
pub(super) const MOST: usize = 256;

/// By key id: the flows that are over.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(super) struct Tombs(BTreeMap<Box<str>, Grave>);

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Grave {
    /// Until when the credential is taken; `None`: until [`Tombs::keep_replies`] drops it.
    until: Option<Instant>,
    flows: BTreeSet<u64>,
}

impl Tombs {
    /// Whether this flow is over.
    pub(super) fn holds(&self, key_id: &str, sid: u64) -> bool {
        self.0.get(key_id).is_some_and(|grave| grave.flows.contains(&sid))
    }

    /// Whether a credential is used up.
    pub(super) fn is_full(&self, key_id: &str) -> bool {
        self.0.get(key_id).is_some_and(|grave| grave.flows.len() >= MOST)
    }

    /// A flow is over, whose credential is taken `until` then.
    pub(super) fn bury(&mut self, now: Instant, key_id: &str, sid: u64, until: Option<Instant>) {
        self.purge(now);
        if until.is_none_or(|until| now < until) {
            let fresh = || Grave { until, flows: BTreeSet::new() };
            self.0.entry(key_id.into()).or_insert_with(fresh).flows.insert(sid);
        }
    }

    /// Drops what nobody could repeat any more.
    pub(super) fn purge(&mut self, now: Instant) {
        self.0.retain(|_, grave| grave.until.is_none_or(|until| now < until));
    }

    /// Drops the credentials of replies that are lent no more.
    pub(super) fn keep_replies(&mut self, lent: impl Fn(&str) -> bool) {
        self.0.retain(|key_id, grave| grave.until.is_some() || lent(key_id));
    }

    /// Whether nothing is over.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
