//! Who waits while a driver has more to do than it can.
//!
//! A turn that comes with a full batch is a sign that inputs arrive faster than they are handled.
//! From then on, until the queue here is empty again, what starts something new waits in it, and
//! everything else goes first. A queue that is full turns further newcomers away, which costs a
//! small part of what they want: so those who are in are served as ever, and the rest of the time
//! goes to as many newcomers as there is time for, instead of to a backlog of requests that their
//! senders have given up.
//!
//! How many newcomers a turn takes follows from the backlog: the longer it is, the more time goes
//! to telling them no. Whoever is told nothing sends again (RFC 3261 §17.1.2.2), and a server that
//! is late for everybody has several times as much to do. But some always come in: to say no costs
//! a third of what is asked for, and a server could do nothing else.

use presently_engine::{Input, Machine, Peer};
use std::collections::{BTreeSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};

/// Newcomers of one turn when nobody else waits for the machine, and the least of any turn.
const SHARE: usize = 128;
const SMALL_SHARE: usize = 32;

/// Inputs in the inbox that halve the share.
const CROWD: usize = 1024;

/// Turns that a newcomer may wait. They take less than T1 (RFC 3261 §17.1.2.2): nobody sends again
/// because of the wait.
const PATIENCE: usize = 64;

/// Most newcomers that may wait.
const ROOM: usize = 2048;

/// Newcomers, in the order in which they came.
pub(crate) struct Newcomers<M: Machine> {
    queue: VecDeque<(u64, Input<M::Command>)>,
    /// What is in the queue, by [`fingerprint`].
    known: BTreeSet<u64>,
}

/// What happens to an input at once.
pub(crate) enum Place<M: Machine> {
    /// It is handled.
    Now(Input<M::Command>),
    /// It waits, or it is a copy of what waits.
    Later,
    /// There is no room for it.
    Never(Input<M::Command>),
}

impl<M: Machine> Newcomers<M> {
    pub(crate) fn new() -> Self {
        Self { queue: VecDeque::new(), known: BTreeSet::new() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Finds the place of an input of a busy turn, with so many inputs still in the inbox.
    pub(crate) fn place(
        &mut self,
        machine: &M,
        config: &M::Config,
        input: Input<M::Command>,
        backlog: usize,
    ) -> Place<M> {
        if !machine.is_beginning(config, &input) {
            return Place::Now(input);
        }
        let print = fingerprint(&input);
        if self.known.contains(&print) {
            return Place::Later;
        }
        if self.queue.len() >= ROOM.min(PATIENCE * share(backlog)) {
            return Place::Never(input);
        }
        self.known.insert(print);
        self.queue.push_back((print, input));
        Place::Later
    }

    /// Who may come in in this turn, with so many inputs still in the inbox.
    pub(crate) fn turn(&self, backlog: usize) -> usize {
        share(backlog).min(self.queue.len())
    }

    /// Who waits longest.
    pub(crate) fn next(&mut self) -> Option<Input<M::Command>> {
        let (print, input) = self.queue.pop_front()?;
        self.known.remove(&print);
        Some(input)
    }
}

fn share(backlog: usize) -> usize {
    let halvings = u32::try_from(backlog / CROWD).unwrap_or(u32::MAX);
    SHARE.checked_shr(halvings).unwrap_or(0).max(SMALL_SHARE)
}

/// Tells copies of a request from others: a copy is the same bytes from the same peer. Two that
/// differ and have one fingerprint cost the later one a retransmission.
fn fingerprint<C>(input: &Input<C>) -> u64 {
    let seen: Option<(&Peer, &[u8])> = match input {
        Input::Packet { from, bytes } => Some((from, bytes)),
        Input::Message { from, message } => Some((from, message.headers().bytes())),
        Input::Lost { .. } | Input::Command(_) | Input::Tick => None,
    };
    let mut hasher = DefaultHasher::new();
    seen.hash(&mut hasher);
    hasher.finish()
}
