//! Transactions (RFC 3261 §17, RFC 6026, RFC 4320): four machines, four types, one table.
//!
//! The table keeps its own deadlines, so rooms never see a retransmission. The machines
//! (`client`, `server`, `invite_client`, `invite_server`) are pure; read one of them and its RFC
//! section first. The two halves of the table (`clients`, `servers`) match messages, keep bytes
//! and timers, and carry out what a machine decides.
//!
//! It serves UDP only, knows nothing of dialogs, and never resends a 2xx to INVITE.

mod build;
mod client;
mod clients;
mod invite_client;
mod invite_server;
mod key;
mod queue;
mod server;
mod servers;
mod step;
#[cfg(test)]
mod tests;
mod timing;

pub use key::{Branch, ServerKey};
pub use timing::Timing;

use crate::machine::{Output, Peer};
use crate::message::{Method, Request, Response};
use crate::mint::Secret;
use crate::time::Instant;
use bytes::Bytes;
use clients::Clients;
use servers::Servers;

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
    /// no answer to another request in 64·T1. Nothing is sent.
    Unanswered(ServerKey),
    /// Only the table was concerned.
    Quiet,
}

/// All transactions of a machine. `O` says who owns a client transaction.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Transactions<O> {
    servers: Servers,
    clients: Clients<O>,
}

impl<O> Default for Transactions<O> {
    fn default() -> Self {
        Self { servers: Servers::default(), clients: Clients::default() }
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
        let method = request.method();
        let key = ServerKey::of(secret, request, method);
        self.servers.absorb(timing, now, key, method, out)
    }

    /// The key that `request` has, or for CANCEL (`as_method` INVITE) the key of the INVITE it
    /// wants to cancel.
    pub fn key(secret: &Secret, request: &Request, as_method: Method) -> ServerKey {
        ServerKey::of(secret, request, as_method)
    }

    /// Whether a request without To tag came by another path before (RFC 3261 §8.2.2.2): same
    /// From tag, Call-ID and CSeq, another key, transaction still alive.
    pub fn is_merged(&self, _secret: &Secret, request: &Request, key: ServerKey) -> bool {
        let has_to_tag = request.to().is_ok_and(|to| to.tag().is_some());
        !has_to_tag && self.servers.has_sibling(key)
    }

    /// Opens the server transaction `key` (M3, for INVITE M5); answers go to `to`.
    pub fn open(
        &mut self,
        _secret: &Secret,
        timing: &Timing,
        now: Instant,
        key: ServerKey,
        to: Peer,
        request: &Request,
    ) {
        self.servers.open(timing, now, key, to, request);
    }

    /// The transaction user's answer. Discarded if there was a final one already (but a further
    /// 2xx to INVITE is sent), and if RFC 4320 forbids it: a provisional answer or 408 to a
    /// request other than INVITE.
    pub fn respond<R, E>(
        &mut self,
        timing: &Timing,
        now: Instant,
        key: ServerKey,
        status: u16,
        bytes: Bytes,
        out: &mut Vec<Output<R, E>>,
    ) {
        self.servers.respond(timing, now, key, status, bytes, out);
    }

    /// Whether the server transaction `key` is known and has no final answer yet. A CANCEL has an
    /// effect exactly if this holds of the INVITE (RFC 3261 §9.2).
    pub fn is_open(&self, key: ServerKey) -> bool {
        self.servers.is_open(key)
    }

    /// Whether the server transaction `key` is known, answered or not. A CANCEL for an INVITE of
    /// which it is not is answered 481 (RFC 3261 §9.2).
    pub fn knows(&self, key: ServerKey) -> bool {
        self.servers.knows(key)
    }

    /// Whether a CANCEL names a server transaction that is known, whatever its method: only an
    /// INVITE is affected by it, but every one is answered 200 (RFC 3261 §9.2, RFC 6665 §4.6).
    pub fn knows_cancelled(&self, secret: &Secret, cancel: &Request) -> bool {
        let own = [Method::Ack, Method::Cancel];
        let mut others = Method::ALL.iter().filter(|method| !own.contains(method));
        others.any(|method| self.knows(Self::key(secret, cancel, *method)))
    }

    /// Sends a request in a new client transaction (M2, for INVITE M4; never ACK).
    #[expect(clippy::too_many_arguments, reason = "a transaction is made of exactly these")]
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
        self.clients.send(timing, now, branch, method, to, bytes, Some(owner), out);
    }

    /// Cancels the INVITE that was sent with `branch` (RFC 3261 §9.1): sends CANCEL in a
    /// transaction of its own, at once or after the first provisional answer. Without effect if
    /// the INVITE has its final answer. The owner still gets the INVITE's final answer (487 as a
    /// rule), or Timeout 64·T1 after the CANCEL.
    pub fn cancel<R, E>(
        &mut self,
        timing: &Timing,
        now: Instant,
        branch: Branch,
        out: &mut Vec<Output<R, E>>,
    ) {
        self.clients.cancel(timing, now, branch, out);
    }

    /// Matches a response; `Some(owner)` if the transaction user has to see it. A failure answer
    /// to INVITE is acknowledged here. 408 to a non-INVITE must be treated as a timeout by the
    /// user.
    pub fn receive<R, E>(
        &mut self,
        timing: &Timing,
        now: Instant,
        response: &Response,
        out: &mut Vec<Output<R, E>>,
    ) -> Option<O> {
        self.clients.receive(timing, now, response, out)
    }

    /// Ends the client transactions of `owner` that have no final answer. Nothing is sent, now or
    /// later; never for INVITE, which is cancelled.
    pub fn withdraw(&mut self, owner: &O)
    where
        O: PartialEq,
    {
        self.clients.withdraw(owner);
    }

    /// Ends every client transaction to a peer that cannot be reached; returns their owners. Of
    /// INVITEs that were refused the owner is told again, because the ACK was lost. Server
    /// transactions stay as they are (RFC 6026 §7.1).
    pub fn lost(&mut self, peer: Peer) -> Vec<O> {
        self.clients.lost(peer)
    }

    /// Lets one due timer fire; `None` when nothing is due.
    pub fn fire<R, E>(
        &mut self,
        timing: &Timing,
        now: Instant,
        out: &mut Vec<Output<R, E>>,
    ) -> Option<Fired<O>> {
        let (servers, clients) = (self.servers.deadline(), self.clients.deadline());
        if servers.min(clients) > now {
            return None;
        }
        let meaning = if servers <= clients {
            self.servers.fire(timing, now, out).map(Fired::Unanswered)
        } else {
            self.clients.fire(timing, now, out).map(Fired::Timeout)
        };
        Some(meaning.unwrap_or(Fired::Quiet))
    }

    /// The earliest deadline.
    pub fn deadline(&self) -> Option<Instant> {
        let earliest = self.servers.deadline().min(self.clients.deadline());
        (earliest != Instant::NEVER).then_some(earliest)
    }

    /// How many transactions there are, server and client (for limits and metrics).
    pub fn len(&self) -> (usize, usize) {
        (self.servers.len(), self.clients.len())
    }

    /// Every server transaction with the RFC's name of its state, unanswered ones first.
    pub fn servers(&self) -> impl Iterator<Item = (ServerKey, &'static str)> {
        self.servers.iter()
    }

    /// Every client transaction with the RFC's name of its state and, if it can still matter to
    /// one, its owner; unanswered ones first.
    pub fn clients(&self) -> impl Iterator<Item = (Branch, &'static str, Option<&O>)> {
        self.clients.iter()
    }
}
