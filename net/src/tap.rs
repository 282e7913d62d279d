//! Looking at the wire without touching it: the demo's ladder, tests and captures hang on here.

use bytes::Bytes;
use presently_engine::{Instant, Peer};
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

/// Which way a datagram went.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// It came to us.
    In,
    /// We sent it.
    Out,
}

/// A datagram that passed one of our sockets, unredacted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Seen {
    /// Which way it went.
    pub direction: Direction,
    /// Our own address.
    pub local: SocketAddr,
    /// The far address and the listener it uses.
    pub peer: Peer,
    /// The whole datagram.
    pub bytes: Bytes,
    /// When.
    pub at: Instant,
}

/// Somebody who looks at every datagram. Called on the path of the datagram: it must not block.
#[derive(Clone)]
pub struct Tap(Arc<dyn Fn(&Seen) + Send + Sync>);

impl Tap {
    /// A tap that calls `look` for every datagram.
    pub fn new(look: impl Fn(&Seen) + Send + Sync + 'static) -> Self {
        Self(Arc::new(look))
    }

    /// Shows one datagram.
    pub fn show(&self, seen: &Seen) {
        (self.0)(seen);
    }
}

impl fmt::Debug for Tap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tap")
    }
}
