//! `Cx`: the five things a room may do to the world — reply, request, record, arm, emit.

use super::{Config, Event, Owner, Record, Timer};
use crate::machine::{Output, Peer};
use crate::message::{Aor, Method, Reply, Request};
use crate::mint::{self, Id, Label};
use crate::slot::Slot;
use crate::time::{Instant, Timers};
use crate::transaction::{Branch, ServerKey, Transactions};
use bytes::Bytes;

/// The world, lent to a room for one input.
pub(crate) struct Cx<'a> {
    pub(crate) now: Instant,
    pub(crate) config: &'a Config,
    pub(crate) timers: &'a mut Timers<Timer>,
    pub(crate) transactions: &'a mut Transactions<Owner>,
    pub(crate) out: &'a mut Vec<Output<Record, Event>>,
}

/// A request that passed the checks of M1 and is now a server transaction.
pub(crate) struct Ask<'a> {
    pub(crate) request: &'a Request,
    pub(crate) from: Peer,
    pub(crate) key: ServerKey,
    /// The proven user (D3).
    pub(crate) user: Aor,
    /// Authentication-Info for the 2xx, when due.
    pub(crate) info: Option<String>,
}

impl Cx<'_> {
    /// Starts an answer.
    pub(crate) fn answer(&self, ask: &Ask<'_>, status: u16) -> Reply {
        let tag = self.to_tag(ask).hex();
        let mut reply = Reply::new(ask.request, ask.from.addr, status, mint::ascii(&tag));
        if let (200..=299, Some(info)) = (status, &ask.info) {
            reply.header(crate::message::Name::AuthenticationInfo, info);
        }
        reply
    }

    /// Sends a finished answer through the transaction.
    pub(crate) fn reply(&mut self, ask: &Ask<'_>, status: u16, bytes: Bytes) {
        let (timing, now) = (&self.config.timing, self.now);
        self.transactions.respond(timing, now, ask.key, status, bytes, self.out);
        if status >= 200 {
            self.emit(Event::answered(ask.request, Some(&ask.user), status, ask.from));
        }
    }

    /// Answers with a status and no further header.
    pub(crate) fn refuse(&mut self, ask: &Ask<'_>, status: u16) {
        let bytes = self.answer(ask, status).into_writer().finish();
        self.reply(ask, status, bytes);
    }

    /// The tag we give to this request's To (RFC 3261 §19.3).
    pub(crate) fn to_tag(&self, ask: &Ask<'_>) -> Id {
        super::to_tag(self.config, ask.key)
    }

    /// A branch of `slot`, derived from its cause.
    pub(crate) fn branch(&self, slot: Slot, cause: &[&[u8]]) -> Branch {
        Branch { slot, id: self.config.secret.derive64(Label::Branch, cause) }
    }

    /// Sends a request in a client transaction.
    pub(crate) fn request(
        &mut self,
        branch: Branch,
        method: Method,
        to: Peer,
        bytes: Bytes,
        owner: Owner,
    ) {
        let (timing, now) = (&self.config.timing, self.now);
        self.transactions.send(timing, now, branch, method, to, bytes, owner, self.out);
    }

    /// Makes a fact durable before anything that follows leaves.
    pub(crate) fn record(&mut self, record: Record) {
        self.out.push(Output::Record(record));
    }

    /// Tells the operator.
    pub(crate) fn emit(&mut self, event: Event) {
        self.out.push(Output::Event(event));
    }

    /// Our host and port as `peer` sees them.
    pub(crate) fn sent_by(&self, peer: Peer) -> &str {
        &self.config.listener(peer).sent_by
    }
}
