//! A confirmed dialog: its 2xx and ACKs, further offers (RFC 3261 §14), and BYE (§15).

use super::super::negotiation::{accept, answer};
use super::super::request::{Draft, Outcome};
use super::callee::{refuse_media, refuse_session};
use super::*;
use crate::body::sdp::Direction;

/// A dialog that is up.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Talk {
    pub(super) dialog: Dialog,
    /// Whether the Call-ID is ours: such a one waits longer after a collision (RFC 3261 §14.1).
    caller: bool,
    /// Our last INVITE in it.
    invited: Ticket,
    /// Our last ACK and its CSeq, should the 2xx come again.
    acked: Option<(u32, Bytes)>,
    /// Our 2xx that was not acknowledged yet.
    unacked: Option<Accepted>,
    /// What we want to say next, and whether it is out.
    change: Option<Change>,
    /// Whether the user hung up before our 2xx was acknowledged: BYE has to wait for that
    /// (RFC 3261 §15).
    pub(super) over: bool,
}

/// A 2xx of ours, sent again until an ACK comes (RFC 3261 §13.3.1.4).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Accepted {
    key: ServerKey,
    cseq: u32,
    bytes: Bytes,
    wait: Duration,
    awaiting: Awaiting,
}

/// What the ACK brings.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Awaiting {
    /// Nothing but itself.
    Ack,
    /// The answer to the offer in our 2xx.
    Answer,
}

/// A re-INVITE of ours.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Change {
    /// To be sent when the other side's is through.
    Wanted { hold: bool },
    /// Sent.
    Asked { hold: bool },
}

impl Talk {
    pub(super) fn new(dialog: Dialog, invited: Ticket, caller: bool) -> Self {
        Self { dialog, caller, invited, acked: None, unacked: None, change: None, over: false }
    }

    #[cfg(test)]
    pub(super) fn name(&self) -> &'static str {
        match (&self.unacked, &self.change) {
            (Some(_), _) if self.over => "Over, no ACK yet",
            (Some(_), _) => "Up, no ACK yet",
            (None, None) => "Up",
            (None, Some(Change::Wanted { .. })) => "Up, collided",
            (None, Some(Change::Asked { .. })) => "Up, re-INVITE out",
        }
    }

    /// Acknowledges the 2xx whose dialog this is, with the credentials of the INVITE (RFC 3261
    /// §13.2.2.4).
    pub(super) fn acknowledge(&mut self, cx: &mut Cx<'_>, credentials: &[(Name, Box<str>)]) {
        let branch = Branch { slot: crate::slot::Slot::default(), id: cx.mint(Label::Branch) };
        let mut writer = self.dialog.request(Method::Ack, branch, &cx.config.contact);
        for (name, value) in credentials {
            writer.header(*name, value);
        }
        let bytes = writer.finish();
        self.acked = Some((self.dialog.local_cseq, bytes.clone()));
        cx.out.push(Output::Transmit { to: self.dialog.peer, bytes });
    }

    /// Whether a 2xx is one that was acknowledged already.
    pub(super) fn is_copy(&self, ticket: Ticket, response: &Response) -> bool {
        let number = response.cseq().map(|cseq| cseq.number).ok();
        self.invited == ticket
            && response.to().is_ok_and(|to| to.tag().unwrap_or("") == &*self.dialog.remote_tag)
            && self.acked.as_ref().map(|(cseq, _)| *cseq) == number
    }

    pub(super) fn acknowledge_again(&self, cx: &mut Cx<'_>) {
        if let Some((_, bytes)) = &self.acked {
            cx.out.push(Output::Transmit { to: self.dialog.peer, bytes: bytes.clone() });
        }
    }

    /// Sends 200 with a description, and sends it again until it is acknowledged.
    pub(super) fn accept(
        &mut self,
        cx: &mut Cx<'_>,
        id: CallId,
        incoming: &Incoming<'_>,
        body: Bytes,
        awaiting: Awaiting,
    ) {
        let mut reply = cx.answer(incoming, 200);
        reply.header(Name::Contact, &cx.contact());
        reply.header(Name::Allow, super::super::cx::ALLOW);
        let bytes = reply.into_writer().finish_with(SDP, &body);
        cx.respond(incoming.key, 200, bytes.clone());
        let (key, wait) = (incoming.key, cx.config.timing.t1);
        let cseq = incoming.request.cseq().map_or(0, |cseq| cseq.number);
        self.unacked = Some(Accepted { key, cseq, bytes, wait, awaiting });
        cx.arm(Timer::Call(id, Alarm::Resend), cx.now + wait);
        cx.arm(Timer::Call(id, Alarm::GiveUp), cx.now + cx.patience());
    }

    /// BYE, without a word to the user.
    pub(super) fn bye(&self, cx: &mut Cx<'_>, id: CallId) -> Ticket {
        let draft = self.draft(cx, Method::Bye);
        cx.send(Room::Call(id), draft).expect("a draft without a limit is never too large")
    }

    /// Whether our 2xx still waits for its ACK.
    pub(super) fn is_unacknowledged(&self) -> bool {
        self.unacked.is_some()
    }

    /// Nobody waits for the answer to our re-INVITE any more; its number is used up, and so are
    /// those of its tries with other credentials (RFC 3261 §12.2.1.1).
    pub(super) fn abandon(&mut self, cx: &mut Cx<'_>) {
        if let Some(Change::Asked { .. }) = self.change {
            let number = cx.abandon(Some(self.invited)).unwrap_or(0);
            self.dialog.local_cseq = self.dialog.local_cseq.max(number);
        }
    }

    fn draft(&self, cx: &Cx<'_>, method: Method) -> Draft {
        let dialog = &self.dialog;
        let mut draft = Draft::new(cx, method, &dialog.remote_target, &dialog.remote_uri).numbered(
            &dialog.call_id,
            dialog.local_tag,
            dialog.local_cseq + 1,
        );
        draft.to_tag = dialog.remote_tag.clone();
        draft.routes = dialog.routes.clone();
        draft.peer = dialog.peer;
        draft
    }
}

impl Calls {
    /// Ends a call that is up, and says so to both.
    pub(super) fn bye(&mut self, cx: &mut Cx<'_>, id: CallId, reason: Option<&str>) {
        if let Some(call) = self.calls.get(&id) {
            emit(cx, id, &call.peer, CallPhase::Ended, &[], None, reason);
        }
        self.bye_quietly(cx, id);
    }

    /// The same when the user knows.
    pub(super) fn bye_quietly(&mut self, cx: &mut Cx<'_>, id: CallId) {
        stop_alarms(cx, id);
        let Some(call) = self.calls.get_mut(&id) else { return };
        let State::Up(talk) = &mut call.state else { return };
        talk.abandon(cx);
        let gone = Gone::of(&talk.dialog);
        call.state = State::Leaving(talk.bye(cx, id));
        self.remember(cx, gone);
    }

    /// No ACK yet: the 2xx once more.
    pub(super) fn resend(&mut self, cx: &mut Cx<'_>, id: CallId) {
        let Some(Call { state: State::Up(talk), .. }) = self.calls.get_mut(&id) else { return };
        let Some(accepted) = &mut talk.unacked else { return };
        accepted.wait = cx.config.timing.backoff(accepted.wait);
        let (wait, key, bytes) = (accepted.wait, accepted.key, accepted.bytes.clone());
        cx.respond(key, 200, bytes);
        cx.arm(Timer::Call(id, Alarm::Resend), cx.now + wait);
    }

    /// ACK of our 2xx.
    pub(super) fn acknowledged(&mut self, cx: &mut Cx<'_>, id: CallId, request: &Request) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let State::Up(talk) = &mut call.state else { return };
        let cseq = request.cseq().map(|cseq| cseq.number).ok();
        let Some(accepted) = talk.unacked.take_if(|one| Some(one.cseq) == cseq) else { return };
        cx.stop(&Timer::Call(id, Alarm::Resend));
        cx.stop(&Timer::Call(id, Alarm::GiveUp));
        if talk.over {
            return self.bye_quietly(cx, id);
        }
        if accepted.awaiting == Awaiting::Ack {
            return;
        }
        let flows = match session_of(request) {
            Ok(Some(theirs)) => {
                accept(&call.said, &theirs, &call.abilities).map_err(|why| why.as_str().into())
            }
            Ok(None) => Err("the ACK brought no answer to our offer".into()),
            Err((_, why)) => Err(why),
        };
        match flows {
            Ok(flows) => emit(cx, id, &call.peer, CallPhase::Up, &flows, None, None),
            Err(why) => self.bye(cx, id, Some(&why)),
        }
    }

    /// The user puts the other side on hold, or takes it back (RFC 3264 §8.4).
    pub(crate) fn hold(&mut self, cx: &mut Cx<'_>, id: CallId, hold: bool) {
        let Some(Call { state: State::Up(talk), .. }) = self.calls.get_mut(&id) else {
            return cx.complain("hold", "there is no call that is up");
        };
        if talk.change.is_some() || talk.unacked.is_some() {
            return cx.complain("hold", "another change is under way");
        }
        talk.change = Some(Change::Wanted { hold });
        self.reinvite(cx, id);
    }

    /// Sends the re-INVITE that is wanted.
    pub(super) fn reinvite(&mut self, cx: &mut Cx<'_>, id: CallId) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let State::Up(talk) = &mut call.state else { return };
        let Some(Change::Wanted { hold }) = talk.change else { return };
        if talk.unacked.is_some() {
            // The other side was first; its change comes to its end before ours begins.
            return cx.arm(Timer::Call(id, Alarm::Retry), cx.now + cx.config.timing.t2);
        }
        let said = &mut call.said;
        said.origin.version += 1;
        for stream in said.streams.iter_mut().filter(|stream| stream.port != 0) {
            stream.direction = Direction::of(true, !hold);
        }
        let draft = talk.draft(cx, Method::Invite).carrying(SDP, said.write());
        let ticket = cx.send(Room::Call(id), draft);
        talk.invited = ticket.expect("a draft without a limit is never too large");
        talk.change = Some(Change::Asked { hold });
    }

    /// The answer to our re-INVITE (RFC 3261 §14.1).
    pub(super) fn on_reinvited(&mut self, cx: &mut Cx<'_>, id: CallId, answer: Answer) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let State::Up(talk) = &mut call.state else { return };
        let Some(Change::Asked { hold }) = talk.change else { return };
        if talk.invited != answer.ticket {
            return;
        }
        talk.dialog.local_cseq = talk.dialog.local_cseq.max(answer.cseq);
        talk.change = None;
        match &answer.outcome {
            Outcome::Answered(response) if response.status() < 300 => {
                talk.dialog.retarget(response);
                talk.acknowledge(cx, &answer.credentials);
                self.changed(cx, id, hold, response);
            }
            Outcome::Answered(response) if response.status() == 491 => {
                // RFC 3261 §14.1: who owns the Call-ID waits longer, so that one of both comes
                // through.
                let (least, spread) = if talk.caller { (2100, 1900) } else { (0, 2000) };
                talk.change = Some(Change::Wanted { hold });
                let wait = Duration::from_millis(least) + cx.jitter(Duration::from_millis(spread));
                cx.arm(Timer::Call(id, Alarm::Retry), cx.now + wait);
            }
            outcome if matches!(outcome.status(), 0 | 408 | 481) => {
                self.bye(cx, id, Some(&outcome.text()));
            }
            // The call goes on as it was.
            outcome => cx.complain("hold", &outcome.text()),
        }
    }

    /// Our re-INVITE was taken.
    fn changed(&mut self, cx: &mut Cx<'_>, id: CallId, hold: bool, response: &Response) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        for stream in &mut call.abilities.streams {
            stream.direction = Direction::of(true, !hold);
        }
        let theirs = session_of(response).ok().flatten();
        match theirs.and_then(|it| accept(&call.said, &it, &call.abilities).ok()) {
            Some(flows) => emit(cx, id, &call.peer, CallPhase::Up, &flows, None, None),
            None => self.bye(cx, id, Some("the answer does not fit our offer")),
        }
    }

    /// The other side wants something else (RFC 3261 §14.2).
    pub(super) fn on_reinvite(&mut self, cx: &mut Cx<'_>, id: CallId, incoming: &Incoming<'_>) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let talk = match &mut call.state {
            State::Up(talk) => talk,
            // The first one still waits for the user (RFC 3261 §14.2).
            State::Ringing(_) => return later(cx, incoming),
            State::Calling(_) | State::Leaving(_) => return cx.refuse(incoming, 481),
        };
        if !talk.dialog.is_in_order(incoming.request) {
            return cx.refuse(incoming, 500);
        }
        talk.dialog.advance(incoming.request);
        if let Some(Change::Asked { .. }) = talk.change {
            return cx.refuse(incoming, 491);
        }
        if talk.unacked.is_some() {
            return later(cx, incoming);
        }
        match session_of(incoming.request) {
            Ok(theirs) => self.renegotiate(cx, id, incoming, theirs.as_ref()),
            Err((415, _)) => cx.refuse_with(incoming, 415, Name::Accept, SDP),
            Err((status, why)) => refuse_session(cx, incoming, status, &why),
        }
    }

    /// Answers an offer inside of a call, or makes one if the other side wants us to.
    fn renegotiate(
        &mut self,
        cx: &mut Cx<'_>,
        id: CallId,
        incoming: &Incoming<'_>,
        theirs: Option<&Description>,
    ) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let State::Up(talk) = &mut call.state else { return };
        let version = call.said.origin.version + 1;
        let origin = Origin { version, ..call.said.origin.clone() };
        let (said, flows, awaiting) = match theirs {
            Some(theirs) => {
                let answered = answer(theirs, &call.abilities, origin);
                (answered.answer, answered.flows, Awaiting::Ack)
            }
            None => {
                let streams = call.said.streams.clone();
                (Description { origin, streams }, Vec::new(), Awaiting::Answer)
            }
        };
        if flows.is_empty() && awaiting == Awaiting::Ack {
            // What was agreed before stays (RFC 3261 §14.2).
            return refuse_media(cx, incoming);
        }
        talk.dialog.refresh_target(incoming.request, incoming.from);
        talk.accept(cx, id, incoming, said.write(), awaiting);
        call.said = said;
        if awaiting == Awaiting::Ack {
            emit(cx, id, &call.peer, CallPhase::Up, &flows, None, None);
        }
    }
}

/// 500 to an INVITE that comes before the one before it is through (RFC 3261 §14.2).
fn later(cx: &mut Cx<'_>, incoming: &Incoming<'_>) {
    let wait = cx.jitter(Duration::from_secs(10)).as_secs().to_string();
    cx.refuse_with(incoming, 500, Name::RetryAfter, &wait);
}
