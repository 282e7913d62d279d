//! The proxy: one request in, a copy to every target, one final answer back (M24, M19).
//!
//! Read RFC 3261 §16 first, then RFC 4320 §4 (no 408 for non-INVITE), RFC 5393 (loops, breadth)
//! and RFC 6026 §7 (why a 2xx to INVITE passes even when the relay is gone).
//!
//! A [`Relay`] is the response context of RFC 3261 §16.7. It lives until its final answer went
//! upstream, or, for a MESSAGE that was handed to the store meanwhile, until its last branch has
//! ended. It refuses to decide who may send to whom, to resolve names, and to store messages: the
//! hall does the first, nobody the second, and the third is what [`Outcome`] is for.
//!
//! Who calls what: the hall calls [`Relays::forward`] for a request to an AOR (for MESSAGE through
//! [`Inbox::on_message`](super::pager::Inbox::on_message)), [`Relays::forward_in_dialog`] and
//! [`forward_ack`] for what arrives by our Route. Afterwards it passes everything that happens to
//! an `Owner::Relay` or `Timer::Relay` here and settles the [`Outcome`] at once:
//! `Keep` goes to `Inbox::keep_unreached`, `Received` to `Inbox::received`, both of the account
//! they name. Exactly one of the two rooms then answers, and it answers once.

mod best;
mod machine;
mod rewrite;
mod strict;

#[cfg(test)]
pub(in crate::server) mod rig;
#[cfg(test)]
mod tests;

pub(crate) use rewrite::arrived_by_route;
pub(crate) use strict::undone as strict_routing_undone;

use super::cx::{Ask, Cx};
use super::{Owner, Timer};
use crate::machine::{Output, Peer};
use crate::message::{Aor, Method, Name, Request, Response, Uri};
use crate::mint::Id;
use crate::slot::Slot;
use crate::transaction::ServerKey;
use machine::{Caller, End, Event, Leg, Life, Relay, State};
use rewrite::Plan;
use smallvec::SmallVec;
use std::collections::BTreeMap;

/// Where a copy of a request goes: a binding, or the next hop of a dialog.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Target<'a> {
    /// The new Request-URI.
    pub(crate) uri: &'a str,
    /// The flow that reaches it.
    pub(crate) peer: Peer,
}

/// What is left to do for the caller of a relay.
#[derive(Clone, PartialEq, Eq, Debug)]
#[must_use = "a message is lost if its outcome is not settled"]
pub(crate) enum Outcome {
    /// Nothing.
    Settled,
    /// A MESSAGE reached nobody and is still unanswered: the store of its receiver has to take it
    /// or refuse it.
    Keep(Box<Unreached>),
    /// A device took the message after it had been handed to the store: it must not be delivered
    /// again (R77a).
    Received {
        /// Receiver.
        aor: Aor,
        /// The message, as [`super::pager::mark`] names it.
        mark: Id,
    },
}

/// A MESSAGE that reached nobody, with all that is needed to answer it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Unreached {
    /// Receiver.
    pub(crate) aor: Aor,
    /// The flows it was tried on.
    pub(crate) tried: SmallVec<[Peer; 2]>,
    caller: Caller,
}

impl Unreached {
    /// The request as the hall first saw it.
    pub(crate) fn ask(&self) -> Ask<'_> {
        self.caller.ask()
    }
}

/// Why a branch will never get a final answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum NoAnswer {
    /// Timer B or F.
    TimedOut,
    /// The transport reported the peer as lost.
    Unreachable,
}

/// Every forwarded request that still waits for something.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct Relays {
    live: BTreeMap<ServerKey, Box<Relay>>,
}

impl Relays {
    /// How many requests are being relayed.
    pub(crate) fn len(&self) -> usize {
        self.live.len()
    }

    /// Forwards a request for `aor` to its bindings in parallel. A MESSAGE that reaches nobody
    /// comes back as [`Outcome::Keep`].
    pub(crate) fn forward(
        &mut self,
        cx: &mut Cx<'_>,
        ask: &Ask<'_>,
        aor: &Aor,
        targets: &[Target<'_>],
    ) {
        let state = match ask.request.method() {
            Method::Invite => State::Inviting,
            Method::Message => State::Paging(aor.clone()),
            _ => State::Asking,
        };
        let plan = Plan::initial(cx.config, ask.request);
        self.spread(cx, ask, state, Slot::of_aor(aor), &plan, targets);
    }

    /// Forwards a request within a dialog that came to us by our Route. `known` is the flow of a
    /// binding whose contact is the Request-URI; otherwise the next Route or the Request-URI
    /// itself has to be an address.
    pub(crate) fn forward_in_dialog(
        &mut self,
        cx: &mut Cx<'_>,
        ask: &Ask<'_>,
        known: Option<Peer>,
    ) {
        let plan = Plan::in_dialog(cx.config, ask.request);
        let Some(peer) = plan.next_hop(cx.config, ask.request, ask.from, known) else {
            return cx.refuse(ask, 404);
        };
        let state = match ask.request.method() {
            Method::Invite => State::Inviting,
            _ => State::Asking,
        };
        let target = Target { uri: ask.request.uri(), peer };
        self.spread(cx, ask, state, slot_of(ask.request), &plan, &[target]);
    }

    fn spread(
        &mut self,
        cx: &mut Cx<'_>,
        ask: &Ask<'_>,
        state: State,
        slot: Slot,
        plan: &Plan,
        targets: &[Target<'_>],
    ) {
        if targets.is_empty() {
            return cx.refuse(ask, 480);
        }
        if plan.is_loop(cx.config, ask.request) {
            return cx.refuse(ask, 482);
        }
        let Some(breadth) = plan.breadth(targets.len()) else {
            return cx.refuse(ask, 440);
        };
        let (method, key) = (ask.request.method(), ask.key);
        let mut legs = SmallVec::with_capacity(targets.len());
        for (index, target) in (0u16..).zip(targets) {
            let branch = plan.branch(cx.config, slot, ask.request, target.uri);
            let bytes = plan.copy(cx.config, ask.request, ask.from, target, branch, breadth);
            cx.request(branch, method, target.peer, bytes, Owner::Relay { key, branch: index });
            legs.push(Leg { branch, peer: target.peer, end: None });
        }
        let relay = Relay { caller: Caller::of(ask), state, legs };
        relay.arm(cx);
        self.live.insert(key, Box::new(relay));
    }

    /// A branch got a response.
    pub(crate) fn on_response(
        &mut self,
        cx: &mut Cx<'_>,
        key: ServerKey,
        branch: u16,
        response: &Response,
    ) -> Outcome {
        let invite = response.cseq().is_ok_and(|cseq| cseq.method == "INVITE");
        let leg = usize::from(branch);
        let nobody_above = response.vias().nth(1).is_none();
        let event = match (response.status(), invite) {
            (..=100, _) => return Outcome::Settled,
            // It says that it is for us alone, but we asked for somebody else: it cannot be passed
            // on (RFC 3261 §16.7 item 3), and the branch has nothing better to say.
            (..=199, _) if nobody_above => return Outcome::Settled,
            _ if nobody_above => Event::Failure(leg, End::Unreachable),
            (101..=199, _) => Event::Provisional(response),
            // Every 2xx of an INVITE and every copy of it goes to the caller, whose transaction
            // is in Accepted; anything else comes too late when the relay is over
            // (RFC 3261 §16.7 item 5, RFC 4320 §4).
            (200..=299, true) if !self.live.contains_key(&key) => {
                machine::respond(cx, key, response.status(), response.pop_via());
                return Outcome::Settled;
            }
            (200..=299, _) => Event::Success(leg, response),
            // Nobody should send it, and it may not be passed on (RFC 4320 §4.2).
            (408, false) => Event::Failure(leg, End::TimedOut),
            (300..=599, _) => Event::Failure(leg, End::Answered(response.clone())),
            (600.., _) => Event::Decline(leg, response),
        };
        self.step(cx, key, event)
    }

    /// A branch will get no final answer.
    pub(crate) fn on_no_answer(
        &mut self,
        cx: &mut Cx<'_>,
        key: ServerKey,
        branch: u16,
        why: NoAnswer,
    ) -> Outcome {
        let end = match why {
            NoAnswer::TimedOut => End::TimedOut,
            NoAnswer::Unreachable => End::Unreachable,
        };
        self.step(cx, key, Event::Failure(usize::from(branch), end))
    }

    /// `Timer::Relay(key)` is due: K19 or Timer C.
    pub(crate) fn on_timer(&mut self, cx: &mut Cx<'_>, key: ServerKey) -> Outcome {
        self.step(cx, key, Event::Due)
    }

    /// The caller cancelled its INVITE, and the hall has answered the CANCEL. The INVITE itself is
    /// answered by what the branches say to our CANCEL (RFC 3261 §16.10).
    pub(crate) fn on_cancel(&mut self, cx: &mut Cx<'_>, key: ServerKey) {
        let outcome = self.step(cx, key, Event::Cancel);
        debug_assert_eq!(outcome, Outcome::Settled, "a CANCEL concerns no message");
    }

    /// The state of a relay, for tables of tests.
    #[cfg(test)]
    fn state(&self, key: ServerKey) -> String {
        self.live.get(&key).map_or("-".to_owned(), |relay| format!("{:?}", relay.state))
    }

    fn step(&mut self, cx: &mut Cx<'_>, key: ServerKey, event: Event<'_>) -> Outcome {
        let Some(relay) = self.live.get_mut(&key) else { return Outcome::Settled };
        let (life, outcome) = relay.step(cx, event);
        if life == Life::Ends {
            cx.timers.stop(&Timer::Relay(key));
            self.live.remove(&key);
        }
        outcome
    }
}

/// Forwards an ACK for a 2xx, without a transaction (RFC 3261 §16.11). Whether it went anywhere.
pub(crate) fn forward_ack(
    cx: &mut Cx<'_>,
    request: &Request,
    from: Peer,
    known: Option<Peer>,
) -> bool {
    let plan = Plan::in_dialog(cx.config, request);
    let Some(to) = plan.next_hop(cx.config, request, from, known) else { return false };
    if request.seconds(Name::MaxForwards) == Some(0) || plan.is_loop(cx.config, request) {
        return false;
    }
    let target = Target { uri: request.uri(), peer: to };
    let branch = plan.branch(cx.config, slot_of(request), request, target.uri);
    let bytes = plan.copy(cx.config, request, from, &target, branch, rewrite::MAX_BREADTH);
    cx.out.push(Output::Transmit { to, bytes });
    true
}

/// The slot that gets the responses: the one that owns the request.
fn slot_of(request: &Request) -> Slot {
    Slot::of_user(Uri::parse(request.uri()).ok().and_then(|uri| uri.user).unwrap_or(""))
}
