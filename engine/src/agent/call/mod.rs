//! Calls: one INVITE dialog each, with its offers and answers (M6).
//!
//! Read RFC 3261 §13–§15 first, then RFC 3264 §8. This file knows which calls there are and finds
//! the one a message is for; `caller` and `callee` bring a call up, `talk` is what follows. Media
//! is not touched here: the owner opens ports, says what they can do ([`Abilities`]), and is told
//! what flows ([`Flow`]). At any time there is one call that a user could be in.

mod callee;
mod caller;
mod talk;

use super::cx::{Cx, Incoming, Timer};
use super::negotiation::{Abilities, Flow};
use super::request::{Answer, Room, Ticket};
use super::{CallId, CallPhase, Event};
use crate::body::sdp::{Description, Origin, SDP};
use crate::dialog::Dialog;
use crate::machine::{Output, Peer};
use crate::message::{Method, Name, Request, Response};
use crate::mint::{Id, Label};
use crate::time::Instant;
use crate::transaction::{Branch, ServerKey};
use bytes::Bytes;
use callee::Ringing;
use caller::Calling;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use talk::Talk;

/// What one of a call's alarms is about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum Alarm {
    /// Send the 2xx again, which no ACK came for (RFC 3261 §13.3.1.4).
    Resend,
    /// Send 180 again, so that no proxy gives up (RFC 3261 §13.3.1.1).
    Ring,
    /// Ask again what met a request of the other side (RFC 3261 §14.1).
    Retry,
    /// Nobody answered, or nobody acknowledged.
    GiveUp,
}

const ALARMS: [Alarm; 4] = [Alarm::Resend, Alarm::Ring, Alarm::Retry, Alarm::GiveUp];

/// Most dialogs remembered as over.
const MOST_GONE: usize = 8;

/// All calls of an agent.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct Calls {
    calls: BTreeMap<CallId, Call>,
    /// Dialogs that are over, and until when a 2xx may still come in them.
    gone: Vec<(Gone, Instant)>,
    /// How many calls there have been.
    named: u64,
}

/// What names a dialog (RFC 3261 §12).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Gone {
    call_id: Arc<str>,
    local_tag: Id,
    remote_tag: Arc<str>,
}

impl Gone {
    fn of(dialog: &Dialog) -> Self {
        Self {
            call_id: dialog.call_id.clone(),
            local_tag: dialog.local_tag,
            remote_tag: dialog.remote_tag.clone(),
        }
    }
}

/// One call.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Call {
    /// Whom it is with.
    peer: Box<str>,
    /// What we can do, once the owner has said so.
    abilities: Abilities,
    /// What we said last; the next description continues from it (RFC 3264 §8).
    said: Description,
    state: State,
}

/// M6, without the states in which there is nothing of ours.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
enum State {
    /// Our INVITE is out.
    Calling(Calling),
    /// Somebody's INVITE waits for our user.
    Ringing(Ringing),
    /// The dialog is confirmed, at least by us.
    Up(Talk),
    /// BYE is out.
    Leaving(Ticket),
}

impl Calls {
    /// Whether nothing is left to be said.
    pub(crate) fn is_quiet(&self) -> bool {
        self.calls.is_empty()
    }

    /// How many calls there are, ended ones included that wait for an answer to BYE.
    pub(crate) fn len(&self) -> usize {
        self.calls.len()
    }

    /// The name of the state of the only call, for tables.
    #[cfg(test)]
    pub(crate) fn state_name(&self) -> &'static str {
        match self.calls.values().next().map(|call| &call.state) {
            None => "none",
            Some(State::Calling(calling)) if calling.over => "Cancelling",
            Some(State::Calling(_)) => "Calling",
            Some(State::Ringing(_)) => "Ringing",
            Some(State::Up(talk)) => talk.name(),
            Some(State::Leaving(_)) => "Leaving",
        }
    }

    /// Ends what can be ended: logout.
    pub(crate) fn leave(&mut self, cx: &mut Cx<'_>) {
        for id in self.calls.keys().copied().collect::<Vec<_>>() {
            self.hangup(cx, id);
        }
    }

    /// Forgets what is left.
    pub(crate) fn forget(&mut self, cx: &mut Cx<'_>) {
        for (id, call) in std::mem::take(&mut self.calls) {
            stop_alarms(cx, id);
            match call.state {
                State::Calling(Calling { ticket, .. }) | State::Leaving(ticket) => {
                    cx.abandon(Some(ticket));
                }
                State::Ringing(_) | State::Up(_) => {}
            }
        }
    }

    /// The user puts the phone down, or does not want to lift it.
    pub(crate) fn hangup(&mut self, cx: &mut Cx<'_>, id: CallId) {
        let Some(call) = self.calls.get_mut(&id) else {
            return cx.complain("hangup", "there is no such call");
        };
        match &mut call.state {
            State::Calling(calling) => {
                let told = std::mem::replace(&mut calling.over, true);
                cx.cancel(calling.ticket);
                if !told {
                    emit(cx, id, &call.peer, CallPhase::Ended, &[], None, None);
                }
            }
            State::Ringing(ringing) => {
                // This device is not free; another one of the user's may be (RFC 3261 §21.4.24).
                ringing.refuse(cx, 486);
                self.end(cx, id, None, None);
            }
            State::Up(talk) if talk.is_unacknowledged() => {
                if !std::mem::replace(&mut talk.over, true) {
                    emit(cx, id, &call.peer, CallPhase::Ended, &[], None, None);
                }
            }
            State::Up(_) => self.bye(cx, id, None),
            State::Leaving(_) => {}
        }
    }

    /// One of the alarms of a call.
    pub(crate) fn on_alarm(&mut self, cx: &mut Cx<'_>, id: CallId, alarm: Alarm) {
        match alarm {
            Alarm::Resend => self.resend(cx, id),
            Alarm::Ring => self.ring(cx, id),
            Alarm::Retry => self.reinvite(cx, id),
            Alarm::GiveUp => self.give_up(cx, id),
        }
    }

    fn give_up(&mut self, cx: &mut Cx<'_>, id: CallId) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        match &call.state {
            State::Calling(_) => self.hangup(cx, id),
            State::Ringing(ringing) => {
                ringing.refuse(cx, 480);
                self.end(cx, id, None, Some("nobody answered"));
            }
            State::Up(talk) if talk.over => self.bye_quietly(cx, id),
            State::Up(_) => self.bye(cx, id, Some("the answer was never acknowledged")),
            State::Leaving(_) => {}
        }
    }

    /// The end of a request of ours.
    pub(crate) fn on_answer(&mut self, cx: &mut Cx<'_>, id: CallId, answer: Answer) {
        let Some(call) = self.calls.get(&id) else { return };
        match &call.state {
            State::Calling(calling) if calling.ticket == answer.ticket => {
                self.on_invited(cx, id, answer);
            }
            State::Up(_) => self.on_reinvited(cx, id, answer),
            State::Leaving(ticket) if *ticket == answer.ticket => {
                self.calls.remove(&id);
            }
            State::Calling(_) | State::Ringing(_) | State::Leaving(_) => {}
        }
    }

    /// ACK: the other side has our answer (RFC 3261 §13.3.1.4), and sends its own if we offered.
    pub(crate) fn on_ack(&mut self, cx: &mut Cx<'_>, request: &Request) {
        if let Some(id) = self.owner(request) {
            self.acknowledged(cx, id, request);
        }
    }

    /// BYE (RFC 3261 §15.1.2).
    pub(crate) fn on_bye(&mut self, cx: &mut Cx<'_>, incoming: &Incoming<'_>) {
        let Some(id) = self.owner(incoming.request) else { return cx.refuse(incoming, 481) };
        let Some(call) = self.calls.get_mut(&id) else { return };
        let in_order = call.dialog().is_some_and(|dialog| dialog.is_in_order(incoming.request));
        if !in_order {
            return cx.refuse(incoming, 500);
        }
        cx.refuse(incoming, 200);
        match &mut call.state {
            // A BYE in the early dialog ends the INVITE too (RFC 3261 §15.1.2).
            State::Ringing(ringing) => ringing.refuse(cx, 487),
            State::Up(talk) => talk.abandon(cx),
            State::Calling(_) | State::Leaving(_) => {}
        }
        self.end(cx, id, None, Some("the other side hung up"));
    }

    /// CANCEL for an INVITE that rings; false if it concerns nothing here.
    pub(crate) fn on_cancel(&mut self, cx: &mut Cx<'_>, incoming: &Incoming<'_>) -> bool {
        let secret = &cx.config.secret;
        let key = super::cx::invite_key(secret, incoming.request);
        let rings = |call: &Call| matches!(&call.state, State::Ringing(one) if one.key == key);
        let Some(id) = self.calls.iter().find(|(_, call)| rings(call)).map(|(id, _)| *id) else {
            return false;
        };
        cx.refuse(incoming, 200);
        if let Some(Call { state: State::Ringing(ringing), .. }) = self.calls.get(&id) {
            ringing.refuse(cx, 487);
        }
        self.end(cx, id, None, Some("the caller gave up"));
        true
    }

    /// The call whose dialog a request belongs to.
    fn owner(&self, request: &Request) -> Option<CallId> {
        let owns = |call: &Call| call.dialog().is_some_and(|dialog| dialog.owns(request));
        self.calls.iter().find(|(_, call)| owns(call)).map(|(id, _)| *id)
    }

    /// A dialog is over: for 64*T1 what comes in it late is no call of somebody else's.
    fn remember(&mut self, cx: &Cx<'_>, gone: Gone) {
        self.gone.retain(|(_, until)| cx.now < *until);
        if self.gone.len() >= MOST_GONE {
            self.gone.remove(0);
        }
        self.gone.push((gone, cx.now + cx.patience()));
    }

    /// A new name.
    fn name(&mut self) -> CallId {
        self.named += 1;
        CallId(self.named)
    }

    /// The user is told, and nothing more is said.
    fn end(&mut self, cx: &mut Cx<'_>, id: CallId, status: Option<u16>, reason: Option<&str>) {
        stop_alarms(cx, id);
        let Some(call) = self.calls.remove(&id) else { return };
        if let State::Up(talk) = &call.state {
            self.remember(cx, Gone::of(&talk.dialog));
        }
        let told = match &call.state {
            State::Calling(calling) => calling.over,
            State::Up(talk) => talk.over,
            State::Leaving(_) => true,
            State::Ringing(_) => false,
        };
        if !told {
            emit(cx, id, &call.peer, CallPhase::Ended, &[], status, reason);
        }
    }
}

impl Call {
    fn dialog(&self) -> Option<&Dialog> {
        match &self.state {
            State::Ringing(ringing) => Some(&ringing.dialog),
            State::Up(talk) => Some(&talk.dialog),
            State::Calling(_) | State::Leaving(_) => None,
        }
    }
}

/// The `o=` line of our first description.
fn first_origin(cx: &mut Cx<'_>, abilities: &Abilities) -> Origin {
    // RFC 8866 §5.2 wants digits.
    let Id(session) = cx.mint(Label::CallId);
    let (username, session) = ("-".into(), (session >> 1).to_string().into());
    Origin { username, session, version: 1, address: abilities.address.to_string().into() }
}

/// What the owner is told about a call.
fn emit(
    cx: &mut Cx<'_>,
    id: CallId,
    peer: &str,
    phase: CallPhase,
    flows: &[Flow],
    status: Option<u16>,
    reason: Option<&str>,
) {
    cx.emit(Event::Call {
        call: id,
        peer: peer.into(),
        phase,
        flows: flows.to_vec(),
        status,
        reason: reason.map(Into::into),
    });
}

fn stop_alarms(cx: &mut Cx<'_>, id: CallId) {
    for alarm in ALARMS {
        cx.stop(&Timer::Call(id, alarm));
    }
}

/// The session description of a message, `None` if it has no body.
///
/// # Errors
/// The status that answers a request with this body, and a phrase.
fn session_of(message: &crate::message::Headers) -> Result<Option<Description>, (u16, Box<str>)> {
    if message.body().is_empty() {
        return Ok(None);
    }
    let is_sdp = message.content_type().is_some_and(|kind| kind.is(SDP));
    if !is_sdp {
        return Err((415, "a call is described by application/sdp".into()));
    }
    match Description::parse(&message.body()) {
        Ok(description) => Ok(Some(description)),
        Err(why) => Err((400, why.to_string().into())),
    }
}
