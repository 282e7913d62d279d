//! Transactions (RFC 3261 §17, RFC 6026, RFC 4320): four machines, four types, one table.
//!
//! The table keeps its own deadlines, so rooms never see a retransmission.

use crate::machine::{Output, Peer};
use crate::message::{Method, Request, Response};
use crate::mint::{Id, Secret};
use crate::slot::Slot;
use crate::time::Instant;
use bytes::Bytes;
use std::fmt;
use std::time::Duration;

/// Our Via branch: the cookie, the slot that owns the transaction, 64 derived bits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Branch {
    /// Which shard gets the responses.
    pub slot: Slot,
    /// Unguessable part.
    pub id: Id,
}

impl Branch {
    /// Reads a branch of ours: `z9hG4bK`, 3 hex digits of slot, 16 of id.
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("z9hG4bK")?;
        let (slot, id) = rest.split_at_checked(3)?;
        let slot = u16::from_str_radix(slot, 16).ok()?;
        Some(Self { slot: Slot(slot), id: Id::parse(id)? })
    }
}

impl fmt::Display for Branch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "z9hG4bK{:03x}{}", self.slot.0, self.id)
    }
}

/// Which server transaction a request belongs to: a keyed hash of branch, sent-by and method
/// (ACK counts as INVITE), or of the RFC 2543 tuple when the branch lacks the cookie.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ServerKey(pub u128);

/// The base times of RFC 3261 table 4 (K1); all others are multiples.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Timing {
    /// Round-trip estimate.
    pub t1: Duration,
    /// Longest retransmission interval of non-INVITE requests and INVITE answers.
    pub t2: Duration,
    /// Longest time a message stays in the network.
    pub t4: Duration,
    /// Whether finished transactions linger (J, K, D, I, L, M); models switch it off.
    pub linger: bool,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            t1: Duration::from_millis(500),
            t2: Duration::from_secs(4),
            t4: Duration::from_secs(5),
            linger: true,
        }
    }
}

/// What an incoming request is to the transaction layer (M1 step 3 and 4).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Arrival {
    /// A copy, or an ACK to a failure answer: dealt with, nothing to do.
    Absorbed,
    /// Nothing known; this would be its key.
    New(ServerKey),
    /// An ACK for a 2xx of this INVITE transaction (M5 Accepted), for the transaction user.
    Ack(ServerKey),
}

/// What a due timer means to the transaction user.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fired<O> {
    /// A client transaction got no final answer (Timer B or F).
    Timeout(O),
    /// A failure answer to INVITE was never acknowledged (Timer H), or the transaction user gave
    /// no answer in time.
    Unanswered(ServerKey),
    /// Only the table was concerned.
    Quiet,
}

/// All transactions of a machine. `O` says who owns a client transaction.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Transactions<O> {
    owners: std::collections::BTreeMap<Branch, O>,
}

impl<O> Default for Transactions<O> {
    fn default() -> Self {
        Self { owners: std::collections::BTreeMap::new() }
    }
}

impl<O: Clone> Transactions<O> {
    /// Matches a request with the transactions in progress; copies are answered or dropped.
    pub fn absorb<R, E>(
        &mut self,
        secret: &Secret,
        timing: &Timing,
        now: Instant,
        request: &Request,
        out: &mut Vec<Output<R, E>>,
    ) -> Arrival {
        let _ = (secret, timing, now, request, out);
        todo!()
    }

    /// The key that `request` has, or for CANCEL the key of the INVITE it wants to cancel.
    pub fn key(secret: &Secret, request: &Request, as_method: Method) -> ServerKey {
        let _ = (secret, request, as_method);
        todo!()
    }

    /// Whether a request without To tag came by another path before (RFC 3261 §8.2.2.2): same
    /// From tag, Call-ID and CSeq, another key, transaction still alive.
    pub fn is_merged(&self, secret: &Secret, request: &Request, key: ServerKey) -> bool {
        let _ = (secret, request, key);
        todo!()
    }

    /// Opens the server transaction `key` (M3, for INVITE M5); answers go to `to`.
    pub fn open(
        &mut self,
        secret: &Secret,
        timing: &Timing,
        now: Instant,
        key: ServerKey,
        to: Peer,
        request: &Request,
    ) {
        let _ = (secret, timing, now, key, to, request);
        todo!()
    }

    /// The transaction user's answer. Discarded if there was a final one already.
    pub fn respond<R, E>(
        &mut self,
        timing: &Timing,
        now: Instant,
        key: ServerKey,
        status: u16,
        bytes: Bytes,
        out: &mut Vec<Output<R, E>>,
    ) {
        let _ = (timing, now, key, status, bytes, out);
        todo!()
    }

    /// Sends a request in a new client transaction (M2, for INVITE M4; never ACK).
    pub fn send<R, E>(
        &mut self,
        timing: &Timing,
        now: Instant,
        branch: Branch,
        method: Method,
        to: Peer,
        bytes: Bytes,
        owner: O,
        out: &mut Vec<Output<R, E>>,
    ) {
        let _ = (timing, now, branch, method, to, bytes, owner, out);
        todo!()
    }

    /// Matches a response; `Some(owner)` if the transaction user has to see it. A failure answer
    /// to INVITE is acknowledged here. 408 to a non-INVITE must be treated as a timeout by the user.
    pub fn receive<R, E>(
        &mut self,
        timing: &Timing,
        now: Instant,
        response: &Response,
        out: &mut Vec<Output<R, E>>,
    ) -> Option<O> {
        let _ = (timing, now, response, out);
        todo!()
    }

    /// Ends every client transaction to a peer that cannot be reached; returns their owners.
    pub fn lost(&mut self, peer: Peer) -> Vec<O> {
        let _ = peer;
        todo!()
    }

    /// Lets one due timer fire; `None` when nothing is due.
    pub fn fire<R, E>(
        &mut self,
        timing: &Timing,
        now: Instant,
        out: &mut Vec<Output<R, E>>,
    ) -> Option<Fired<O>> {
        let _ = (timing, now, out);
        todo!()
    }

    /// The earliest deadline.
    pub fn deadline(&self) -> Option<Instant> {
        todo!()
    }

    /// How many transactions there are, server and client (for limits and metrics).
    pub fn len(&self) -> (usize, usize) {
        todo!()
    }
}
