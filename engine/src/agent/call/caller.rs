//! The side that calls: INVITE, what comes back, and the ACK (RFC 3261 §13.2).

use super::super::negotiation::{Abilities, accept, offer};
use super::super::request::{Draft, Outcome};
use super::talk::Talk;
use super::*;
use crate::message::Aor;

/// Longest wait for somebody to answer; a proxy gives up after three minutes and more (Timer C,
/// RFC 3261 §16.6).
const PATIENCE: Duration = Duration::from_secs(200);

/// Our INVITE is out.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Calling {
    pub(super) ticket: Ticket,
    /// Our tag, which every dialog of this INVITE has.
    local_tag: Id,
    /// Whether the user was told that it rings.
    rings: bool,
    /// Whether the user does not want it any more; CANCEL is out, or waits for a first answer.
    pub(super) over: bool,
}

impl Calls {
    /// The user calls somebody.
    pub(crate) fn call(&mut self, cx: &mut Cx<'_>, target: &Aor, abilities: Abilities) {
        if self.is_engaged() {
            return cx.complain("call", "there is a call already; hang up first");
        }
        if !cx.core.online {
            return cx.complain("call", "not registered; log in first");
        }
        let said = offer(&abilities, first_origin(cx, &abilities));
        let (call_id, local_tag) = (cx.mint_call_id(), cx.mint(Label::Tag));
        let draft = Draft::new(cx, Method::Invite, target.as_str(), target.as_str())
            .numbered(&call_id, local_tag, 1)
            .carrying(SDP, said.write());
        let id = self.name();
        let ticket = cx.send(Room::Call(id), draft);
        let ticket = ticket.expect("a draft without a limit is never too large");
        let calling = Calling { ticket, local_tag, rings: false, over: false };
        let peer = target.as_str().into();
        let call = Call { peer, abilities, said, state: State::Calling(calling) };
        cx.arm(Timer::Call(id, Alarm::GiveUp), cx.now + PATIENCE);
        emit(cx, id, &call.peer, CallPhase::Calling, &[], None, None);
        self.calls.insert(id, call);
    }

    /// A provisional answer: 180 and its like mean that somebody's phone rings.
    pub(crate) fn on_progress(&mut self, cx: &mut Cx<'_>, id: CallId, status: u16) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let State::Calling(calling) = &mut call.state else { return };
        if status > 100 && !calling.rings && !calling.over {
            calling.rings = true;
            emit(cx, id, &call.peer, CallPhase::Ringing, &[], Some(status), None);
        }
    }

    /// The final answer to the INVITE that began a call.
    pub(super) fn on_invited(&mut self, cx: &mut Cx<'_>, id: CallId, answer: Answer) {
        let Answer { ticket, outcome, credentials, .. } = answer;
        match outcome {
            Outcome::Answered(response) if response.status() < 300 => {
                self.accepted(cx, id, ticket, &response, credentials);
            }
            Outcome::Answered(_) | Outcome::Silent | Outcome::TooLarge => {
                let status = Some(outcome.status()).filter(|status| *status > 0);
                self.end(cx, id, status, Some(&outcome.text()));
            }
        }
    }

    /// 2xx: there is a dialog. It is acknowledged whatever we think of it (RFC 3261 §13.2.2.4).
    fn accepted(
        &mut self,
        cx: &mut Cx<'_>,
        id: CallId,
        ticket: Ticket,
        response: &Response,
        credentials: Vec<(Name, Box<str>)>,
    ) {
        stop_alarms(cx, id);
        let Some(call) = self.calls.get_mut(&id) else { return };
        let State::Calling(calling) = &call.state else { return };
        let over = calling.over;
        let dialog = Dialog::from_response(response, cx.config.server, calling.local_tag);
        let Some(dialog) = dialog else {
            return self.end(cx, id, None, Some("the answer has no Contact to talk to"));
        };
        let mut talk = Talk::new(dialog, ticket, true);
        talk.acknowledge(cx, &credentials);
        call.state = State::Up(talk);
        // CANCEL crossed the 2xx: the user had hung up (R58).
        if over {
            return self.bye_quietly(cx, id);
        }
        let flows = match session_of(response) {
            Ok(Some(theirs)) => {
                accept(&call.said, &theirs, &call.abilities).map_err(|why| why.as_str().into())
            }
            Ok(None) => Err("the answer says nothing about media".into()),
            Err((_, why)) => Err(why),
        };
        match flows {
            Ok(flows) => emit(cx, id, &call.peer, CallPhase::Up, &flows, None, None),
            Err(why) => self.bye(cx, id, Some(&why)),
        }
    }

    /// A 2xx that no open request waits for: a copy, because our ACK was lost, the answer to what
    /// was asked before we hung up, or that of one more phone. All are acknowledged; only the
    /// phone that knows of no end yet gets a BYE (R57).
    pub(crate) fn on_late_success(&mut self, cx: &mut Cx<'_>, ticket: Ticket, response: &Response) {
        let calls = self.calls.values();
        let mut talks = calls.filter_map(|call| match &call.state {
            State::Up(talk) => Some(talk),
            State::Calling(_) | State::Ringing(_) | State::Leaving(_) => None,
        });
        if let Some(talk) = talks.find(|talk| talk.is_copy(ticket, response)) {
            return talk.acknowledge_again(cx);
        }
        let tag = response.from().ok().and_then(|from| Id::parse(from.tag()?));
        let dialog = tag.and_then(|tag| Dialog::from_response(response, cx.config.server, tag));
        let Some(dialog) = dialog else { return };
        let named = Gone::of(&dialog);
        let lives = self.calls.values().filter_map(Call::dialog).any(|it| Gone::of(it) == named);
        let ended = |(gone, until): &(Gone, Instant)| *gone == named && cx.now < *until;
        let known = lives || self.gone.iter().any(ended);
        let mut talk = Talk::new(dialog, ticket, true);
        talk.acknowledge(cx, &[]);
        if !known {
            let nobody = self.name();
            talk.bye(cx, nobody);
            self.remember(cx, named);
        }
    }

    /// Whether the user is in a call, or about to be.
    pub(super) fn is_engaged(&self) -> bool {
        self.calls.values().any(|call| match &call.state {
            State::Calling(calling) => !calling.over,
            State::Up(talk) => !talk.over,
            State::Ringing(_) => true,
            State::Leaving(_) => false,
        })
    }
}
