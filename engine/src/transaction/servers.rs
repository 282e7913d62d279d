//! The server half of the table: who is still owed an answer, and what copies get.
//!
//! Two maps, because the two halves of a server transaction's life differ. While its user thinks
//! it is large, and few are; once answered it lives for 32 s, and hundreds of thousands may. So an
//! answered transaction keeps an exact copy of its answer, not a share of a buffer with slack.

use super::build;
use super::key::ServerKey;
use super::queue::{Line, Queue, first, move_alarm};
use super::step::{Send, Step, Timer};
use super::timing::Timing;
use super::{Arrival, invite_server, server};
use crate::machine::{Output, Peer};
use crate::message::{Method, Request};
use crate::time::Instant;
use bytes::Bytes;
use std::collections::BTreeMap;

/// One of the two server machines.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum State {
    Plain(server::State),
    Invite(invite_server::State),
}

/// A transaction that owes an answer, or was refused and waits for its ACK.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Active {
    state: State,
    to: Peer,
    /// The request; from the first answer on what was sent last.
    held: Bytes,
    /// Its place in `alarms`; [`Instant::NEVER`] if it has none.
    alarm: Instant,
    /// When the limit beside the retransmission interval is reached.
    give_up: Instant,
}

/// The states of transactions that only absorb copies. They have no data, so they are small.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Lingering {
    Completed,
    Confirmed,
    Accepted,
}

/// A transaction that only absorbs copies.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Finished {
    lingering: Lingering,
    to: Peer,
    /// What copies get; empty if they get nothing.
    answer: Box<[u8]>,
}

/// Every server transaction.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct Servers {
    active: BTreeMap<ServerKey, Active>,
    alarms: Queue<ServerKey>,
    finished: BTreeMap<ServerKey, Finished>,
    /// Timer J: nearly all that is finished, and all of it equally long.
    answered: Line<ServerKey>,
    /// Timers I and L.
    lingering: Queue<ServerKey>,
}

impl State {
    fn start(timing: &Timing, method: Method) -> Step<Self> {
        if method == Method::Invite {
            invite_server::State::start().map(Self::Invite)
        } else {
            server::State::start(timing).map(Self::Plain)
        }
    }

    /// A request with the key of this transaction came: a copy, or the ACK to an INVITE.
    fn on_request(self, timing: &Timing, method: Method) -> Step<Self> {
        match self {
            Self::Plain(state) => state.step(timing, server::Event::Copy).map(Self::Plain),
            Self::Invite(state) => {
                let event = if method == Method::Ack {
                    invite_server::Event::Ack
                } else {
                    invite_server::Event::Copy
                };
                state.step(timing, event).map(Self::Invite)
            }
        }
    }

    /// The transaction user answers; `None` if such an answer must not be sent (RFC 4320 §4).
    fn on_answer(self, timing: &Timing, status: u16) -> Option<Step<Self>> {
        match (self, status) {
            (Self::Plain(_), 0..200 | 408) => None,
            (Self::Plain(state), _) => {
                Some(state.step(timing, server::Event::Final).map(Self::Plain))
            }
            (Self::Invite(state), _) => {
                let event = match status {
                    0..200 => invite_server::Event::Provisional,
                    200..300 => invite_server::Event::Success,
                    _ => invite_server::Event::Failure,
                };
                Some(state.step(timing, event).map(Self::Invite))
            }
        }
    }

    /// The timer of an active transaction fires.
    fn on_alarm(self, timing: &Timing, limit_reached: bool) -> Step<Self> {
        match self {
            Self::Plain(state) => {
                let event = match state {
                    server::State::Trying => server::Event::W100,
                    server::State::Proceeding => server::Event::Silence,
                    server::State::Completed => server::Event::J,
                };
                state.step(timing, event).map(Self::Plain)
            }
            Self::Invite(state) => {
                let event = match state {
                    invite_server::State::Proceeding { .. } => invite_server::Event::W200,
                    invite_server::State::Completed { .. } if limit_reached => {
                        invite_server::Event::H
                    }
                    invite_server::State::Completed { .. } => invite_server::Event::G,
                    invite_server::State::Confirmed => invite_server::Event::I,
                    invite_server::State::Accepted => invite_server::Event::L,
                };
                state.step(timing, event).map(Self::Invite)
            }
        }
    }

    /// Whether copies of the request get the answer again (else they are only absorbed).
    fn repeats_answer(self) -> bool {
        self == Self::Plain(server::State::Completed)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Plain(state) => state.name(),
            Self::Invite(state) => state.name(),
        }
    }
}

impl Lingering {
    /// `None` of a state in which something is still to be sent.
    fn of(state: State) -> Option<Self> {
        match state {
            State::Plain(server::State::Completed) => Some(Self::Completed),
            State::Invite(invite_server::State::Confirmed) => Some(Self::Confirmed),
            State::Invite(invite_server::State::Accepted) => Some(Self::Accepted),
            State::Plain(server::State::Trying | server::State::Proceeding)
            | State::Invite(
                invite_server::State::Proceeding { .. } | invite_server::State::Completed { .. },
            ) => None,
        }
    }
}

impl Finished {
    fn state(&self) -> State {
        match self.lingering {
            Lingering::Completed => State::Plain(server::State::Completed),
            Lingering::Confirmed => State::Invite(invite_server::State::Confirmed),
            Lingering::Accepted => State::Invite(invite_server::State::Accepted),
        }
    }
}

impl Servers {
    /// What a finished transaction takes in its table and in its queue.
    #[cfg(test)]
    pub(crate) const FINISHED_BYTES: (usize, usize) =
        (size_of::<ServerKey>() + size_of::<Finished>(), size_of::<(Instant, ServerKey)>());

    /// Gives the request to the transaction it belongs to, if there is one.
    pub(crate) fn absorb<R, E>(
        &mut self,
        timing: &Timing,
        now: Instant,
        key: ServerKey,
        method: Method,
        out: &mut Vec<Output<R, E>>,
    ) -> Arrival {
        if let Some(finished) = self.finished.get(&key) {
            let step = finished.state().on_request(timing, method);
            if step.send == Some(Send::Again) {
                let bytes = Bytes::copy_from_slice(&finished.answer);
                out.push(Output::Transmit { to: finished.to, bytes });
            }
            return if step.tell { Arrival::Ack(key) } else { Arrival::Absorbed };
        }
        let Some(active) = self.active.get(&key) else { return Arrival::New(key) };
        let step = active.state.on_request(timing, method);
        self.carry_out(timing, now, key, step, Bytes::new(), out);
        Arrival::Absorbed
    }

    pub(crate) fn open(
        &mut self,
        timing: &Timing,
        now: Instant,
        key: ServerKey,
        to: Peer,
        request: &Request,
    ) {
        let step = State::start(timing, request.method());
        let (Some(state), Timer::After(span)) = (step.next, step.timer) else { return };
        let (alarm, give_up) = (now + span, Instant::NEVER);
        let active = Active { state, to, held: request.bytes().clone(), alarm, give_up };
        if let Some(replaced) = self.active.insert(key, active) {
            self.alarms.remove(&(replaced.alarm, key));
        }
        self.alarms.insert((alarm, key));
    }

    pub(crate) fn respond<R, E>(
        &mut self,
        timing: &Timing,
        now: Instant,
        key: ServerKey,
        status: u16,
        bytes: Bytes,
        out: &mut Vec<Output<R, E>>,
    ) {
        if let Some(active) = self.active.get(&key) {
            if let Some(step) = active.state.on_answer(timing, status) {
                self.carry_out(timing, now, key, step, bytes, out);
            }
        } else if let Some(finished) = self.finished.get(&key) {
            let step = finished.state().on_answer(timing, status);
            if step.is_some_and(|step| step.send == Some(Send::Fresh)) {
                out.push(Output::Transmit { to: finished.to, bytes });
            }
        }
    }

    /// Lets the timer that is due at `at` fire. `Some` if the transaction user has to know.
    pub(crate) fn fire<R, E>(
        &mut self,
        timing: &Timing,
        now: Instant,
        out: &mut Vec<Output<R, E>>,
    ) -> Option<ServerKey> {
        let (answered, lingering) = (self.answered.first(), first(&self.lingering));
        if answered.min(lingering) < first(&self.alarms) {
            let key = if answered <= lingering {
                self.answered.pop_first()?
            } else {
                self.lingering.pop_first()?.1
            };
            let step = self.finished.get(&key)?.state().on_alarm(timing, false);
            if step.next.is_none() {
                self.finished.remove(&key);
            }
            return None;
        }
        let (_, key) = self.alarms.pop_first()?;
        let active = self.active.get_mut(&key)?;
        active.alarm = Instant::NEVER;
        let step = active.state.on_alarm(timing, active.give_up <= now);
        self.carry_out(timing, now, key, step, Bytes::new(), out);
        step.tell.then_some(key)
    }

    pub(crate) fn deadline(&self) -> Instant {
        first(&self.alarms).min(first(&self.lingering)).min(self.answered.first())
    }

    /// Whether the same request is known under another key.
    pub(crate) fn has_sibling(&self, key: ServerKey) -> bool {
        self.active.range(key.same_request()).any(|(known, _)| *known != key)
            || self.finished.range(key.same_request()).any(|(known, _)| *known != key)
    }

    /// Whether the transaction has no final answer yet.
    pub(crate) fn is_open(&self, key: ServerKey) -> bool {
        self.active.get(&key).is_some_and(|active| match active.state {
            State::Plain(server::State::Trying | server::State::Proceeding)
            | State::Invite(invite_server::State::Proceeding { .. }) => true,
            State::Plain(server::State::Completed)
            | State::Invite(
                invite_server::State::Completed { .. }
                | invite_server::State::Confirmed
                | invite_server::State::Accepted,
            ) => false,
        })
    }

    pub(crate) fn knows(&self, key: ServerKey) -> bool {
        self.active.contains_key(&key) || self.finished.contains_key(&key)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (ServerKey, &'static str)> {
        let active = self.active.iter().map(|(key, active)| (*key, active.state.name()));
        active.chain(self.finished.iter().map(|(key, finished)| (*key, finished.state().name())))
    }

    pub(crate) fn len(&self) -> usize {
        self.active.len() + self.finished.len()
    }

    /// Does what an active transaction's machine decided.
    fn carry_out<R, E>(
        &mut self,
        timing: &Timing,
        now: Instant,
        key: ServerKey,
        step: Step<State>,
        fresh: Bytes,
        out: &mut Vec<Output<R, E>>,
    ) {
        let Some(active) = self.active.get_mut(&key) else { return };
        match step.send {
            Some(Send::Fresh) => {
                active.held = fresh;
                active.give_up = now + timing.life();
            }
            Some(Send::Hundred) => {
                active.held = build::hundred(&active.held, active.to).unwrap_or_default();
            }
            Some(Send::Again | Send::Ack | Send::Cancel) | None => {}
        }
        let Some(state) = step.next else {
            self.alarms.remove(&(active.alarm, key));
            self.active.remove(&key);
            return;
        };
        active.state = state;
        let alarm = match step.timer {
            Timer::Keep => active.alarm,
            Timer::Stop => Instant::NEVER,
            Timer::After(span) => active.give_up.min(now + span),
            Timer::Linger(span) => {
                return self.finish(timing, now + span, key, step.send.is_some(), out);
            }
        };
        if step.send.is_some() && !active.held.is_empty() {
            out.push(Output::Transmit { to: active.to, bytes: active.held.clone() });
        }
        move_alarm(&mut self.alarms, key, &mut active.alarm, alarm);
    }

    /// The transaction is answered for good. With `send` its answer leaves now.
    fn finish<R, E>(
        &mut self,
        timing: &Timing,
        until: Instant,
        key: ServerKey,
        send: bool,
        out: &mut Vec<Output<R, E>>,
    ) {
        let Some(Active { state, to, held, alarm, .. }) = self.active.remove(&key) else { return };
        self.alarms.remove(&(alarm, key));
        if let Some(lingering) = Lingering::of(state).filter(|_| timing.linger) {
            let copies_get = if state.repeats_answer() { &held[..] } else { &[] };
            let answer = Box::from(copies_get);
            self.finished.insert(key, Finished { lingering, to, answer });
            if lingering == Lingering::Completed {
                self.answered.join(until, key);
            } else {
                self.lingering.insert((until, key));
            }
        }
        if send {
            out.push(Output::Transmit { to, bytes: held });
        }
    }
}
