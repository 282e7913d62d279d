//! The response context of one forwarded request (RFC 3261 §16.7): states, events, conclusions.
//!
//! A final answer upstream ends it, so none is given twice. It never decides where a request goes.

use super::best::{self, Best};
use super::{Outcome, Unreached};
use crate::machine::Peer;
use crate::message::{Aor, Request, Response};
use crate::server::cx::{Ask, Cx};
use crate::server::{self, Timer, pager};
use crate::transaction::{Branch, ServerKey};
use bytes::Bytes;
use smallvec::SmallVec;
use std::time::Duration;

/// RFC 3261 §16.6 item 11: more than three minutes.
pub(super) const TIMER_C: Duration = Duration::from_secs(181);

/// One forwarded request.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Relay {
    pub(super) caller: Caller,
    pub(super) state: State,
    pub(super) legs: SmallVec<[Leg; 2]>,
}

/// What a relay waits for.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) enum State {
    /// INVITE; Timer C runs.
    Inviting,
    /// INVITE; every pending branch was cancelled. Their transactions see to it that each of them
    /// ends within 64·T1 (RFC 3261 §9.1).
    Cancelling(Cause),
    /// MESSAGE to an account of ours; K19 runs.
    Paging(Aor),
    /// The message was handed to the account's store; a late 2xx takes it out again.
    Kept(Aor),
    /// Any other request; the branches' own Timer F is the only limit.
    Asking,
}

/// Why the branches of an INVITE were cancelled.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Cause {
    /// The caller sent CANCEL.
    Caller,
    /// One branch declined for all (6xx).
    Declined,
    /// Timer C.
    RangTooLong,
}

/// A branch.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Leg {
    pub(super) branch: Branch,
    pub(super) peer: Peer,
    /// `None` while no final answer came.
    pub(super) end: Option<End>,
}

/// How a branch ended.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) enum End {
    /// With a final answer other than 2xx.
    Answered(Response),
    /// Without one in time.
    TimedOut,
    /// The transport could not deliver.
    Unreachable,
}

/// What can happen to a relay.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Event<'a> {
    /// A branch sent 101–199.
    Provisional(&'a Response),
    /// A branch sent 2xx.
    Success(usize, &'a Response),
    /// A branch sent 6xx.
    Decline(usize, &'a Response),
    /// A branch ended in any other way.
    Failure(usize, End),
    /// `Timer::Relay`: K19 or Timer C.
    Due,
    /// CANCEL from upstream.
    Cancel,
}

/// Whether a relay goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Life {
    Goes,
    Ends,
}

impl Relay {
    /// Takes one event.
    pub(super) fn step(&mut self, cx: &mut Cx<'_>, event: Event<'_>) -> (Life, Outcome) {
        use {Event as E, State as S};
        match (&self.state, event) {
            (S::Inviting, E::Provisional(response)) => {
                self.caller.pass(cx, response);
                self.arm(cx);
                GOES
            }
            (S::Cancelling(_), E::Provisional(response)) => {
                self.caller.pass(cx, response);
                GOES
            }
            (S::Inviting | S::Cancelling(_), E::Success(leg, response)) => {
                self.caller.pass(cx, response);
                self.cancel_pending(cx, Some(leg));
                ENDS
            }
            (S::Inviting, E::Decline(leg, response)) => {
                let ended = self.end_leg(cx, leg, End::Answered(response.clone()));
                if self.is_pending() { self.cancel(cx, Cause::Declined) } else { ended }
            }
            (S::Inviting, E::Due) => self.cancel(cx, Cause::RangTooLong),
            (S::Inviting, E::Cancel) => self.cancel(cx, Cause::Caller),
            (S::Paging(_) | S::Asking, E::Success(_, response) | E::Decline(_, response)) => {
                self.caller.pass(cx, response);
                ENDS
            }
            (S::Paging(aor), E::Due) => (Life::Goes, self.keep(aor.clone())),
            (S::Kept(aor), E::Success(..)) => {
                let mark = pager::mark(cx.config, &self.caller.user, &self.caller.request);
                (Life::Ends, Outcome::Received { aor: aor.clone(), mark })
            }
            (S::Cancelling(_) | S::Kept(_), E::Decline(leg, response)) => {
                self.end_leg(cx, leg, End::Answered(response.clone()))
            }
            (
                S::Inviting | S::Cancelling(_) | S::Paging(_) | S::Kept(_) | S::Asking,
                E::Failure(leg, end),
            ) => self.end_leg(cx, leg, end),
            // A non-INVITE knows no provisional but 100 (RFC 4320 §4.1), and no CANCEL
            // (RFC 3261 §9.1).
            (S::Paging(_) | S::Kept(_) | S::Asking, E::Provisional(_) | E::Cancel)
            | (S::Cancelling(_), E::Due | E::Cancel)
            | (S::Kept(_) | S::Asking, E::Due) => GOES,
        }
    }

    /// Sets or stops the deadline that the state has.
    pub(super) fn arm(&self, cx: &mut Cx<'_>) {
        let timer = Timer::Relay(self.caller.key);
        match self.state {
            State::Inviting => cx.timers.arm(timer, cx.now + TIMER_C),
            State::Paging(_) => {
                cx.timers.arm(timer, cx.now + cx.config.limits.msg_branch_timeout);
            }
            State::Cancelling(_) | State::Kept(_) => cx.timers.stop(&timer),
            State::Asking => {}
        }
    }

    /// A branch failed; if it was the last one, the relay comes to its conclusion.
    fn end_leg(&mut self, cx: &mut Cx<'_>, leg: usize, end: End) -> (Life, Outcome) {
        match self.legs.get_mut(leg) {
            Some(leg) if leg.end.is_none() => leg.end = Some(end),
            // A refused INVITE whose ACK was lost reports once more.
            Some(_) | None => return GOES,
        }
        if self.is_pending() {
            return GOES;
        }
        let outcome = match &self.state {
            State::Inviting | State::Cancelling(_) | State::Asking => self.conclude(cx),
            State::Paging(_) if best::is_refused(&self.legs) => self.conclude(cx),
            State::Paging(aor) => self.keep(aor.clone()),
            State::Kept(_) => Outcome::Settled,
        };
        (Life::Ends, outcome)
    }

    /// Hands the message to the store; only late answers of the branches matter from now on.
    fn keep(&mut self, aor: Aor) -> Outcome {
        let tried = self.legs.iter().map(|leg| leg.peer).collect();
        self.state = State::Kept(aor.clone());
        Outcome::Keep(Box::new(Unreached { aor, tried, caller: self.caller.clone() }))
    }

    /// Answers upstream with the best there is (RFC 3261 §16.7 item 6).
    fn conclude(&self, cx: &mut Cx<'_>) -> Outcome {
        let silent = match self.state {
            State::Cancelling(Cause::Caller) => Some(487),
            State::Inviting | State::Cancelling(Cause::Declined | Cause::RangTooLong) => Some(408),
            State::Paging(_) | State::Kept(_) | State::Asking => None,
        };
        match best::choose(&self.legs, silent) {
            Best::Response(response) => {
                let bytes = best::with_challenges(response, &self.legs);
                self.caller.pass_bytes(cx, response.status(), bytes);
            }
            Best::Own(status) => cx.refuse(&self.caller.ask(), status),
            Best::Nothing => {}
        }
        Outcome::Settled
    }

    /// Cancels what is pending and waits for the branches to say so (RFC 3261 §16.10).
    fn cancel(&mut self, cx: &mut Cx<'_>, cause: Cause) -> (Life, Outcome) {
        self.cancel_pending(cx, None);
        self.state = State::Cancelling(cause);
        self.arm(cx);
        GOES
    }

    fn cancel_pending(&self, cx: &mut Cx<'_>, except: Option<usize>) {
        let pending = self.legs.iter().enumerate().filter(|(_, leg)| leg.end.is_none());
        for (_, leg) in pending.filter(|(index, _)| Some(*index) != except) {
            cancel_branch(cx, leg.branch);
        }
    }

    fn is_pending(&self) -> bool {
        self.legs.iter().any(|leg| leg.end.is_none())
    }
}

/// Nothing for the hall to do.
const GOES: (Life, Outcome) = (Life::Goes, Outcome::Settled);
const ENDS: (Life, Outcome) = (Life::Ends, Outcome::Settled);

/// The upstream side of a relay.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Caller {
    pub(super) key: ServerKey,
    pub(super) request: Request,
    pub(super) from: Peer,
    pub(super) user: Aor,
    pub(super) info: Option<Box<str>>,
}

impl Caller {
    pub(super) fn of(ask: &Ask<'_>) -> Self {
        Self {
            key: ask.key,
            request: ask.request.clone(),
            from: ask.from,
            user: ask.user.clone(),
            info: ask.info.as_deref().map(Box::from),
        }
    }

    pub(super) fn ask(&self) -> Ask<'_> {
        Ask {
            request: &self.request,
            from: self.from,
            key: self.key,
            user: self.user.clone(),
            info: self.info.as_deref().map(String::from),
        }
    }

    /// Sends a branch's response upstream without our Via.
    fn pass(&self, cx: &mut Cx<'_>, response: &Response) {
        self.pass_bytes(cx, response.status(), response.pop_via());
    }

    fn pass_bytes(&self, cx: &mut Cx<'_>, status: u16, bytes: Bytes) {
        respond(cx, self.key, status, bytes);
        if status >= 200 {
            cx.emit(server::Event::answered(&self.request, Some(&self.user), status, self.from));
        }
    }
}

pub(super) fn respond(cx: &mut Cx<'_>, key: ServerKey, status: u16, bytes: Bytes) {
    let (timing, now) = (&cx.config.timing, cx.now);
    cx.transactions.respond(timing, now, key, status, bytes, cx.out);
}

/// Cancels an INVITE of ours; the transaction waits for a provisional first (RFC 3261 §9.1).
fn cancel_branch(cx: &mut Cx<'_>, branch: Branch) {
    let (timing, now) = (&cx.config.timing, cx.now);
    cx.transactions.cancel(timing, now, branch, cx.out);
}
