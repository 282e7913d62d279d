//! Who waits while a driver has more to do than it can.
//!
//! A turn that comes with a full batch is a sign that inputs arrive faster than they are handled.
//! From then on, until the queue here is empty again, what starts something new waits in it, and
//! everything else goes first. A queue that is full turns further newcomers away, which costs a
//! small part of what they want: so those who are in are served as ever, and the rest of the time
//! goes to as many newcomers as there is time for, instead of to a backlog of requests that their
//! senders have given up.

use presently_engine::{Input, Machine};
use std::collections::VecDeque;

/// Newcomers that may wait. They wait for less than T1 (RFC 3261 §17.1.2.2), if a turn takes what
/// it usually does: nobody sends again because of the wait.
const ROOM: usize = 2048;

/// Newcomers of one turn: when nobody else waits for the machine, and when many do.
const SHARE: usize = 128;
const SMALL_SHARE: usize = 32;

/// Inputs in the inbox from which on there are many.
const MANY: usize = 1024;

/// Newcomers, in the order in which they came.
pub(crate) struct Newcomers<M: Machine>(VecDeque<Input<M::Command>>);

/// What happens to an input at once.
pub(crate) enum Place<M: Machine> {
    /// It is handled.
    Now(Input<M::Command>),
    /// It waits.
    Later,
    /// There is no room for it.
    Never(Input<M::Command>),
}

impl<M: Machine> Newcomers<M> {
    pub(crate) fn new() -> Self {
        Self(VecDeque::new())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Finds the place of an input of a busy turn.
    pub(crate) fn place(
        &mut self,
        machine: &M,
        config: &M::Config,
        input: Input<M::Command>,
    ) -> Place<M> {
        if !machine.is_beginning(config, &input) {
            return Place::Now(input);
        }
        if self.0.len() >= ROOM {
            return Place::Never(input);
        }
        self.0.push_back(input);
        Place::Later
    }

    /// How many may come in this turn, with so many inputs still in the inbox.
    pub(crate) fn share(&self, backlog: usize) -> usize {
        if backlog < MANY { SHARE } else { SMALL_SHARE }
    }

    /// Who waits longest.
    pub(crate) fn next(&mut self) -> Option<Input<M::Command>> {
        self.0.pop_front()
    }
}
