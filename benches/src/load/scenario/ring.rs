//! Operations of a crowd in turn: whoever has just been at it waits until all others were.

use crate::load::Nanos;
use crate::load::bench::{Next, Source};
use crate::load::client::{Client, Deed, Outcome};
use std::collections::VecDeque;

/// Everybody does the same.
pub(crate) struct Ring<F> {
    free: VecDeque<u32>,
    deed: F,
}

impl<F: FnMut(u32) -> Deed> Ring<F> {
    /// `deed` for each of `who`, again and again.
    pub(crate) fn new(who: impl IntoIterator<Item = u32>, deed: F) -> Self {
        Self { free: who.into_iter().collect(), deed }
    }
}

impl<F: FnMut(u32) -> Deed> Source for Ring<F> {
    fn next(&mut self, _client: &mut Client, _now: Nanos) -> Next {
        self.free.pop_front().map_or(Next::Wait, |who| Next::Begin((self.deed)(who)))
    }

    fn ended(&mut self, _client: &mut Client, outcome: &Outcome) {
        self.free.extend(subject(outcome.deed));
    }
}

/// Who, or which subscription, is busy with it.
pub(crate) fn subject(deed: Deed) -> Option<u32> {
    match deed {
        Deed::Register { user }
        | Deed::Unregister { user }
        | Deed::Publish { user }
        | Deed::Unpublish { user } => Some(user),
        Deed::Subscribe { dialog } | Deed::End { dialog } => Some(dialog),
        Deed::Message { from, .. } => Some(from),
        Deed::Echo { .. } => None,
    }
}
