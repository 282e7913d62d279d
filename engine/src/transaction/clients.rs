//! The client half of the table: which requests wait for an answer, and whose they are.
//!
//! An answered INVITE gives its request back at once; what lingers is the little that copies of
//! the answer need. Of other requests nothing lingers.

use super::build;
use super::key::{Branch, ClientKey};
use super::queue::{Queue, first, move_alarm};
use super::step::{Send, Step, Timer};
use super::timing::Timing;
use super::{client, invite_client};
use crate::machine::{Output, Peer};
use crate::message::{Method, Response};
use crate::time::Instant;
use bytes::Bytes;
use std::collections::BTreeMap;

/// One of the two client machines.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum State {
    Plain(client::State),
    Invite(invite_client::State),
}

/// A transaction without a final answer.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Active<O> {
    state: State,
    method: Method,
    to: Peer,
    request: Bytes,
    /// Nobody owns a CANCEL: its answer says nothing that the INVITE's does not.
    owner: Option<O>,
    /// Its place in `alarms`; [`Instant::NEVER`] if it has none.
    alarm: Instant,
    /// When Timer B or F fires.
    give_up: Instant,
}

/// An INVITE that has its final answer.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
enum Finished<O> {
    /// M4 Completed: copies of the failure are acknowledged.
    Refused(Box<Refused<O>>),
    /// M4 Accepted: every 2xx is for the owner.
    Accepted(O),
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Refused<O> {
    owner: O,
    to: Peer,
    ack: Bytes,
    /// Its place in `lingering`.
    until: Instant,
}

/// Every client transaction.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Clients<O> {
    active: BTreeMap<ClientKey, Active<O>>,
    alarms: Queue<ClientKey>,
    finished: BTreeMap<ClientKey, Finished<O>>,
    lingering: Queue<ClientKey>,
}

impl<O> Default for Clients<O> {
    fn default() -> Self {
        Self {
            active: BTreeMap::new(),
            alarms: Queue::new(),
            finished: BTreeMap::new(),
            lingering: Queue::new(),
        }
    }
}

impl State {
    fn start(timing: &Timing, method: Method) -> Step<Self> {
        if method == Method::Invite {
            invite_client::State::start(timing).map(Self::Invite)
        } else {
            client::State::start(timing).map(Self::Plain)
        }
    }

    fn on_answer(self, timing: &Timing, status: u16) -> Step<Self> {
        match self {
            Self::Plain(state) => {
                let event = match status {
                    0..200 => client::Event::Provisional,
                    _ => client::Event::Final,
                };
                state.step(timing, event).map(Self::Plain)
            }
            Self::Invite(state) => {
                let event = match status {
                    0..200 => invite_client::Event::Provisional,
                    200..300 => invite_client::Event::Success,
                    _ => invite_client::Event::Failure,
                };
                state.step(timing, event).map(Self::Invite)
            }
        }
    }

    fn on_alarm(self, timing: &Timing, limit_reached: bool) -> Step<Self> {
        match self {
            Self::Plain(state) => {
                let event = if limit_reached { client::Event::F } else { client::Event::E };
                state.step(timing, event).map(Self::Plain)
            }
            Self::Invite(state) => {
                let event =
                    if limit_reached { invite_client::Event::B } else { invite_client::Event::A };
                state.step(timing, event).map(Self::Invite)
            }
        }
    }

    /// The peer cannot be reached. The step has no duration, so it needs no timing.
    fn on_lost(self) -> Step<Self> {
        let timing = Timing::default();
        match self {
            Self::Plain(state) => state.step(&timing, client::Event::Lost).map(Self::Plain),
            Self::Invite(state) => {
                state.step(&timing, invite_client::Event::Lost).map(Self::Invite)
            }
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Plain(state) => state.name(),
            Self::Invite(state) => state.name(),
        }
    }
}

impl<O: Clone> Clients<O> {
    #[expect(clippy::too_many_arguments, reason = "a transaction is made of exactly these")]
    pub(crate) fn send<R, E>(
        &mut self,
        timing: &Timing,
        now: Instant,
        branch: Branch,
        method: Method,
        to: Peer,
        request: Bytes,
        owner: Option<O>,
        out: &mut Vec<Output<R, E>>,
    ) {
        let step = State::start(timing, method);
        let (Some(state), Timer::After(span)) = (step.next, step.timer) else { return };
        let key = ClientKey::new(branch, method);
        let (alarm, give_up) = (now + span, now + timing.life());
        out.push(Output::Transmit { to, bytes: request.clone() });
        let active = Active { state, method, to, request, owner, alarm, give_up };
        if let Some(replaced) = self.active.insert(key, active) {
            self.alarms.remove(&(replaced.alarm, key));
        }
        self.alarms.insert((alarm, key));
    }

    /// Gives a response to the transaction it belongs to; the owner, if it has to see it.
    pub(crate) fn receive<R, E>(
        &mut self,
        timing: &Timing,
        now: Instant,
        response: &Response,
        out: &mut Vec<Output<R, E>>,
    ) -> Option<O> {
        let branch = Branch::parse(response.via().ok()?.branch?)?;
        let method = Method::of(response.cseq().ok()?.method);
        let key = ClientKey::new(branch, method);
        let Some(active) = self.active.get(&key) else {
            return self.receive_copy(timing, key, method, response, out);
        };
        if active.method != method {
            return None;
        }
        let step = active.state.on_answer(timing, response.status());
        self.carry_out(timing, now, key, step, Some(response), out)
    }

    /// Withdraws an INVITE: CANCEL leaves now, or after the first provisional answer, or, if the
    /// INVITE has its final answer, not at all.
    pub(crate) fn cancel<R, E>(
        &mut self,
        timing: &Timing,
        now: Instant,
        branch: Branch,
        out: &mut Vec<Output<R, E>>,
    ) {
        let key = ClientKey::new(branch, Method::Invite);
        let Some(active) = self.active.get(&key) else { return };
        let State::Invite(state) = active.state else { return };
        let step = state.step(timing, invite_client::Event::Cancel).map(State::Invite);
        self.carry_out(timing, now, key, step, None, out);
    }

    /// Ends what `owner` waits for: nothing is sent again, and an answer finds nobody.
    pub(crate) fn withdraw(&mut self, owner: &O)
    where
        O: PartialEq,
    {
        let Self { active, alarms, .. } = self;
        active.retain(|key, active| {
            let stays = active.owner.as_ref() != Some(owner);
            if !stays {
                alarms.remove(&(active.alarm, *key));
            }
            stays
        });
    }

    /// Ends what waits for `peer`.
    pub(crate) fn lost(&mut self, peer: Peer) -> Vec<O> {
        let mut owners = Vec::new();
        let Self { active, alarms, finished, lingering } = self;
        active.retain(|key, active| {
            let ends = active.to == peer && active.state.on_lost().next.is_none();
            if ends {
                alarms.remove(&(active.alarm, *key));
                owners.extend(active.owner.take());
            }
            !ends
        });
        finished.retain(|key, finished| match finished {
            Finished::Refused(refused) if refused.to == peer => {
                lingering.remove(&(refused.until, *key));
                owners.push(refused.owner.clone());
                false
            }
            Finished::Refused(_) | Finished::Accepted(_) => true,
        });
        owners
    }

    /// Lets the timer that is due first fire; the owner if it was the last one.
    pub(crate) fn fire<R, E>(
        &mut self,
        timing: &Timing,
        now: Instant,
        out: &mut Vec<Output<R, E>>,
    ) -> Option<O> {
        if first(&self.lingering) < first(&self.alarms) {
            let (_, key) = self.lingering.pop_first()?;
            let step = self.finished.get(&key)?.on_alarm(timing);
            if step.next.is_none() {
                self.finished.remove(&key);
            }
            return None;
        }
        let (_, key) = self.alarms.pop_first()?;
        let active = self.active.get_mut(&key)?;
        active.alarm = Instant::NEVER;
        let step = active.state.on_alarm(timing, active.give_up <= now);
        self.carry_out(timing, now, key, step, None, out)
    }

    pub(crate) fn deadline(&self) -> Instant {
        first(&self.alarms).min(first(&self.lingering))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Branch, &'static str, Option<&O>)> {
        let active = self.active.iter();
        let active = active.map(|(key, a)| (key.branch(), a.state.name(), a.owner.as_ref()));
        let finished = self.finished.iter();
        active.chain(finished.map(|(key, f)| (key.branch(), f.state().name(), Some(f.owner()))))
    }

    pub(crate) fn len(&self) -> usize {
        self.active.len() + self.finished.len()
    }

    /// A response to a finished transaction.
    fn receive_copy<R, E>(
        &self,
        timing: &Timing,
        key: ClientKey,
        method: Method,
        response: &Response,
        out: &mut Vec<Output<R, E>>,
    ) -> Option<O> {
        if method != Method::Invite {
            return None;
        }
        let finished = self.finished.get(&key)?;
        let step = finished.on_answer(timing, response.status());
        if let (Some(Send::Again), Finished::Refused(refused)) = (step.send, finished)
            && !refused.ack.is_empty()
        {
            out.push(Output::Transmit { to: refused.to, bytes: refused.ack.clone() });
        }
        step.tell.then(|| finished.owner().clone())
    }

    /// Does what an active transaction's machine decided about an event, of which `response` is
    /// a part if it is one. Returns the owner if it has to know.
    fn carry_out<R, E>(
        &mut self,
        timing: &Timing,
        now: Instant,
        key: ClientKey,
        step: Step<State>,
        response: Option<&Response>,
        out: &mut Vec<Output<R, E>>,
    ) -> Option<O> {
        let active = self.active.get_mut(&key)?;
        let Some(state) = step.next else {
            self.alarms.remove(&(active.alarm, key));
            return self.active.remove(&key)?.owner.filter(|_| step.tell);
        };
        active.state = state;
        if step.send == Some(Send::Again) {
            out.push(Output::Transmit { to: active.to, bytes: active.request.clone() });
        }
        let cancel = (step.send == Some(Send::Cancel)).then(|| build::cancel(&active.request));
        let alarm = match step.timer {
            Timer::Keep => active.alarm,
            Timer::Stop => Instant::NEVER,
            Timer::After(span) if cancel.is_some() => {
                active.give_up = now + span;
                active.give_up
            }
            Timer::After(span) => active.give_up.min(now + span),
            Timer::Linger(span) => return self.finish(timing, now + span, key, response, out),
        };
        move_alarm(&mut self.alarms, key, &mut active.alarm, alarm);
        let to = active.to;
        let owner = if step.tell { active.owner.clone() } else { None };
        if let Some(cancel) = cancel.flatten() {
            let method = Method::Cancel;
            self.send(timing, now, key.branch(), method, to, cancel, None, out);
        }
        owner
    }

    /// The final answer came. A failure of an INVITE is acknowledged.
    fn finish<R, E>(
        &mut self,
        timing: &Timing,
        until: Instant,
        key: ClientKey,
        response: Option<&Response>,
        out: &mut Vec<Output<R, E>>,
    ) -> Option<O> {
        let Active { state, to, request, owner, alarm, .. } = self.active.remove(&key)?;
        self.alarms.remove(&(alarm, key));
        let (State::Invite(state), Some(told)) = (state, &owner) else { return owner };
        let finished = if state == invite_client::State::Completed {
            let ack = build::ack(&request, response?).unwrap_or_default();
            if !ack.is_empty() {
                out.push(Output::Transmit { to, bytes: ack.clone() });
            }
            Finished::Refused(Box::new(Refused { owner: told.clone(), to, ack, until }))
        } else {
            Finished::Accepted(told.clone())
        };
        if timing.linger {
            self.finished.insert(key, finished);
            self.lingering.insert((until, key));
        }
        owner
    }
}

impl<O> Finished<O> {
    fn state(&self) -> invite_client::State {
        match self {
            Self::Refused(_) => invite_client::State::Completed,
            Self::Accepted(_) => invite_client::State::Accepted,
        }
    }

    fn on_answer(&self, timing: &Timing, status: u16) -> Step<State> {
        State::Invite(self.state()).on_answer(timing, status)
    }

    /// The last timer fires.
    fn on_alarm(&self, timing: &Timing) -> Step<invite_client::State> {
        let event = match self {
            Self::Refused(_) => invite_client::Event::D,
            Self::Accepted(_) => invite_client::Event::M,
        };
        self.state().step(timing, event)
    }

    fn owner(&self) -> &O {
        match self {
            Self::Refused(refused) => &refused.owner,
            Self::Accepted(owner) => owner,
        }
    }
}
