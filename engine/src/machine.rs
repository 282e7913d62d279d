//! The contract between the engine and whoever drives it: one door in, one ordered list out.
//!
//! A machine is a value. It is handed an [`Input`] with the time at which it happens and appends
//! what the world has to do to a list of [`Output`]s. It owns no socket, clock, thread or source
//! of randomness, so the same value can be enumerated, simulated and deployed.
//!
//! **Output rule**, the driver's one obligation: an output may leave the house only when every
//! [`Output::Record`] before it in the list is durable.

use crate::message::Message;
use crate::time::Instant;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;

/// Where a packet came from or goes to: the far address and which of our listeners it uses.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Peer {
    /// Address of the far end.
    pub addr: SocketAddr,
    /// Index of our own listener in the configuration (RFC 3581 wants answers from the same one).
    pub listener: u16,
}

impl Peer {
    /// A peer reached through our first listener.
    pub fn new(addr: SocketAddr) -> Self {
        Self { addr, listener: 0 }
    }
}

/// What can happen to a machine.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Input<C> {
    /// Bytes off the wire, untrusted.
    Packet {
        /// Who sent them.
        from: Peer,
        /// One datagram, whole.
        bytes: Bytes,
    },
    /// A message that was already parsed (by the router, a model or a test).
    Message {
        /// Who sent it.
        from: Peer,
        /// The parsed message.
        message: Message,
    },
    /// The transport reported that packets to this peer cannot be delivered (RFC 3261 §18.4).
    Lost {
        /// The unreachable peer.
        peer: Peer,
    },
    /// The owner wants something.
    Command(C),
    /// The deadline has come.
    Tick,
}

/// What the world has to do, in this order.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Output<R, E> {
    /// A durable fact; everything after it in the list waits until it is stored.
    Record(R),
    /// A datagram to send.
    Transmit {
        /// Where to.
        to: Peer,
        /// The whole message.
        bytes: Bytes,
    },
    /// Something the owner should know.
    Event(E),
}

/// A deterministic state machine without I/O. `Server` and `Agent` are the two of this crate.
pub trait Machine {
    /// Read-only circumstances: keys, limits, credentials. Passed in, never stored.
    type Config;
    /// What the owner can ask for.
    type Command;
    /// What the owner is told.
    type Event;
    /// What must survive a crash.
    type Record;

    /// Takes one input at time `now` (never smaller than before) and appends its effects to `out`.
    fn handle(
        &mut self,
        config: &Self::Config,
        now: Instant,
        input: Input<Self::Command>,
        out: &mut Vec<Output<Self::Record, Self::Event>>,
    );

    /// The same for an input that came in time but is handed in late, after the whole process stood
    /// still: nothing that has become due meanwhile fires before it (behaviour R52). What follows
    /// from it begins `now`.
    ///
    /// A machine that fires what is due in [`Machine::handle`] has to override this.
    fn handle_belated(
        &mut self,
        config: &Self::Config,
        now: Instant,
        input: Input<Self::Command>,
        out: &mut Vec<Output<Self::Record, Self::Event>>,
    ) {
        self.handle(config, now, input, out);
    }

    /// Whether an input starts something new. While there is more to do than can be done, that
    /// waits until everything else is done, and may be turned away.
    fn is_beginning(&self, _config: &Self::Config, _input: &Input<Self::Command>) -> bool {
        false
    }

    /// Turns away an input that starts something new, at the least cost.
    fn turn_away(
        &mut self,
        config: &Self::Config,
        now: Instant,
        input: Input<Self::Command>,
        out: &mut Vec<Output<Self::Record, Self::Event>>,
    ) {
        self.handle(config, now, input, out);
    }

    /// When the machine wants an [`Input::Tick`], if ever.
    fn deadline(&self) -> Option<Instant>;
}
