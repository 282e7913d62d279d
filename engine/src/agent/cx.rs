//! `Cx`: what a room of the agent may do to the world — mint, request, reply, arm, emit.

use super::call::Alarm as CallAlarm;
use super::direct::Alarm as FlowAlarm;
use super::request::Exchanges;
use super::subscription::UsageId;
use super::{CallId, Config, Event, FlowId, Record};
use crate::machine::{Output, Peer};
use crate::message::{Aor, Method, Name, Reply, Request, canonical_user};
use crate::mint::{Id, Label, Secret};
use crate::time::{Instant, Timers};
use crate::transaction::{ServerKey, Transactions};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::time::Duration;

/// Methods a user agent serves; the value of `Allow`.
pub(crate) const ALLOW: &str = "INVITE, ACK, CANCEL, BYE, OPTIONS, NOTIFY, MESSAGE";
/// Body types a user agent reads; the value of `Accept` in answers to OPTIONS.
pub(crate) const ACCEPT: &str = "text/plain, message/cpim, application/pidf+xml, \
     application/cpim-pidf+xml, application/watcherinfo+xml, application/sdp";
/// Extensions a user agent knows: direct media (behaviour X4).
pub(crate) const SUPPORTED: &str = "dm1";
/// Event packages a user agent knows.
pub(crate) const EVENTS: &str = "presence, presence.winfo";

/// Everything the agent can be woken up for. Ties fire in this order.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum Timer {
    /// Registration: refresh or next try.
    Register,
    /// The server restarted: establish everything again (D21).
    Wave,
    /// Publication: refresh or next try.
    Publish,
    /// The secret of the own offers gets old (K15).
    Epoch,
    /// One of the alarms of a subscription.
    Usage(UsageId, Alarm),
    /// One of the alarms of a call.
    Call(CallId, CallAlarm),
    /// One of the alarms of a direct flow.
    Flow(FlowId, FlowAlarm),
    /// An offer at which nobody answered is believed again: whose, which tuple.
    Suspect(Aor, Box<str>),
    /// Next try of the message at the head of this queue.
    Message(Aor),
    /// The access to an offer ends (M23): whose, which tuple.
    Access(Aor, Box<str>),
    /// Logout gives up waiting (M10).
    Logout,
}

/// Alarms of one subscription (M15).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum Alarm {
    /// Subscribe (again).
    Start,
    /// Timer N: no NOTIFY came (RFC 6665 §4.1.2.4).
    N,
    /// Refresh is due.
    Refresh,
    /// Ask for a full document, not earlier than this (M17).
    Refetch,
    /// The subscription has run out.
    Deadline,
}

/// What all rooms share.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct Core {
    pub(crate) transactions: Transactions<super::request::Ticket>,
    pub(crate) timers: Timers<Timer>,
    pub(crate) exchanges: Exchanges,
    /// How many identities were derived; makes each cause unique.
    pub(crate) minted: u64,
    /// Whether work that needs the server may begin: registered, and not logging out.
    pub(crate) online: bool,
    /// Whether a changed boot id was seen and nothing was done about it yet (D21).
    pub(crate) restarted: bool,
    /// Whom the user marked for the paper's form since the start, or not any more.
    pub(crate) marks: BTreeMap<Aor, bool>,
}

/// The world, lent to a room for one input.
pub(crate) struct Cx<'a> {
    pub(crate) now: Instant,
    pub(crate) config: &'a Config,
    pub(crate) core: &'a mut Core,
    pub(crate) out: &'a mut Vec<Output<Record, Event>>,
}

/// A request that is now a server transaction of ours.
#[derive(Clone, Copy)]
pub(crate) struct Incoming<'r> {
    pub(crate) request: &'r Request,
    pub(crate) from: Peer,
    pub(crate) key: ServerKey,
}

impl Cx<'_> {
    /// 128 derived bits that no other call gets.
    fn mint_wide(&mut self, label: Label) -> u128 {
        self.core.minted += 1;
        let count = self.core.minted.to_be_bytes();
        self.config.secret.derive(label, &[self.config.aor.as_str().as_bytes(), &count])
    }

    /// A fresh tag, branch or message id.
    pub(crate) fn mint(&mut self, label: Label) -> Id {
        let wide = self.mint_wide(label);
        Id((wide >> 64) as u64 ^ wide as u64)
    }

    /// A fresh Call-ID: 128 bits, since it guards NOTIFY against off-path spoofing (M1).
    pub(crate) fn mint_call_id(&mut self) -> Box<str> {
        format!("{:032x}", self.mint_wide(Label::CallId)).into()
    }

    /// A span below `most`, different each time.
    pub(crate) fn jitter(&mut self, most: Duration) -> Duration {
        let most = u64::try_from(most.as_millis()).unwrap_or(u64::MAX);
        let drawn = self.mint(Label::Jitter).0;
        Duration::from_millis(if most == 0 { 0 } else { drawn % most })
    }

    /// When to refresh what was granted for `granted` seconds: `refresh(g)` of M10.
    pub(crate) fn refresh_at(&mut self, granted: u32) -> Instant {
        let span = refresh_after(granted);
        let early = self.jitter(span / 20);
        self.now + span.saturating_sub(early)
    }

    /// 64·T1: how long a non-INVITE request may stay unanswered, and Timer N.
    pub(crate) fn patience(&self) -> Duration {
        self.config.timing.t1 * 64
    }

    /// Arms a timer.
    pub(crate) fn arm(&mut self, timer: Timer, at: Instant) {
        self.core.timers.arm(timer, at);
    }

    /// Stops a timer.
    pub(crate) fn stop(&mut self, timer: &Timer) {
        self.core.timers.stop(timer);
    }

    /// Tells the owner.
    pub(crate) fn emit(&mut self, event: Event) {
        self.out.push(Output::Event(event));
    }

    /// Tells the owner about something that no other event says.
    pub(crate) fn complain(&mut self, what: &str, why: &str) {
        self.emit(Event::Error { what: what.into(), why: why.into() });
    }

    /// `<sip:user@HOST:PORT>`: where requests for this device go.
    pub(crate) fn contact(&self) -> String {
        format!("<{}>", contact_uri(self.config))
    }

    /// Starts an answer. The To tag is derived from the request, so copies agree.
    pub(crate) fn answer(&self, incoming: &Incoming<'_>, status: u16) -> Reply {
        let tag = to_tag(self.config, incoming.request).to_string();
        Reply::new(incoming.request, incoming.from.addr, status, &tag)
    }

    /// Sends a finished answer through its transaction.
    pub(crate) fn reply(&mut self, incoming: &Incoming<'_>, reply: Reply) {
        let status = reply.status();
        self.respond(incoming.key, status, reply.into_writer().finish());
    }

    /// Answers with a status and no further header.
    pub(crate) fn refuse(&mut self, incoming: &Incoming<'_>, status: u16) {
        let reply = self.answer(incoming, status);
        self.reply(incoming, reply);
    }

    /// Answers with a status and one header.
    pub(crate) fn refuse_with(
        &mut self,
        incoming: &Incoming<'_>,
        status: u16,
        name: Name,
        value: &str,
    ) {
        let mut reply = self.answer(incoming, status);
        reply.header(name, value);
        self.reply(incoming, reply);
    }

    /// Sends an answer that is bytes already.
    pub(crate) fn respond(&mut self, key: ServerKey, status: u16, bytes: Bytes) {
        let timing = &self.config.timing;
        let transactions = &mut self.core.transactions;
        transactions.respond(timing, self.now, key, status, bytes, self.out);
    }
}

/// The tag we give to a request's To (RFC 3261 §19.3).
pub(crate) fn to_tag(config: &Config, request: &Request) -> Id {
    let from = request.from().ok().and_then(|from| from.tag()).unwrap_or("");
    let number = request.cseq().map_or(0, |cseq| cseq.number).to_be_bytes();
    let call_id = request.call_id().unwrap_or("");
    config.secret.derive64(Label::Tag, &[call_id.as_bytes(), from.as_bytes(), &number])
}

/// The transaction of the INVITE that a CANCEL is about (RFC 3261 §9.2).
pub(crate) fn invite_key(secret: &Secret, cancel: &Request) -> ServerKey {
    Transactions::<super::request::Ticket>::key(secret, cancel, Method::Invite)
}

/// The URI of our Contact.
pub(crate) fn contact_uri(config: &Config) -> String {
    format!("sip:{}@{}", config.aor.user(), config.contact)
}

/// Whether a user part names our user.
pub(crate) fn is_our_user(config: &Config, user: Option<&str>) -> bool {
    user.is_some_and(|user| canonical_user(user) == canonical_user(config.aor.user()))
}

/// `refresh(g)` of M10 without its jitter: max(g/2, min(0.9·g, g − 40 s)).
pub(crate) fn refresh_after(granted: u32) -> Duration {
    let granted = Duration::from_secs(u64::from(granted));
    let late = (granted * 9 / 10).min(granted.saturating_sub(Duration::from_secs(40)));
    late.max(granted / 2)
}

/// Doubling waits: `first`, 2·`first`, 4·`first` … up to `most`, after `failures` ≥ 1 failures.
pub(crate) fn backoff(failures: u32, first: Duration, most: Duration) -> Duration {
    let doublings = failures.saturating_sub(1).min(20);
    first.saturating_mul(1 << doublings).min(most)
}
