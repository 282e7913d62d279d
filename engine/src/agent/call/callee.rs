//! The side that is called: it rings, and the user answers (RFC 3261 §13.3).

use super::super::cx::to_tag;
use super::super::negotiation::{self, Ability, answer, offer};
use super::talk::{Awaiting, Talk};
use super::*;
use crate::body::pidf::Codec;
use crate::body::sdp::Direction;
use crate::message::Aor;
use std::net::{IpAddr, Ipv4Addr};

/// A proxy gives up after three minutes without a word (Timer C, RFC 3261 §16.6).
const RING: Duration = Duration::from_secs(60);
/// How long it rings.
const PATIENCE: Duration = Duration::from_secs(180);
/// "Incompatible media format" (RFC 3261 §20.43).
const INCOMPATIBLE: u16 = 305;

/// Somebody's INVITE waits for our user.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Ringing {
    pub(super) key: ServerKey,
    from: Peer,
    request: Request,
    /// `None` if the caller wants us to offer (RFC 3261 §13.2.1).
    offer: Option<Description>,
    pub(super) dialog: Dialog,
}

impl Ringing {
    fn incoming(&self) -> Incoming<'_> {
        Incoming { request: &self.request, from: self.from, key: self.key }
    }

    /// Sends a final answer that is no 2xx.
    pub(super) fn refuse(&self, cx: &mut Cx<'_>, status: u16) {
        cx.refuse(&self.incoming(), status);
    }

    fn ring(&self, cx: &mut Cx<'_>, id: CallId) {
        let mut reply = cx.answer(&self.incoming(), 180);
        reply.header(Name::Contact, &cx.contact());
        cx.reply(&self.incoming(), reply);
        cx.arm(Timer::Call(id, Alarm::Ring), cx.now + RING);
    }
}

impl Calls {
    /// INVITE. `blocked`: the caller is not welcome; to such a one nobody is at home.
    pub(crate) fn on_invite(&mut self, cx: &mut Cx<'_>, incoming: &Incoming<'_>, blocked: bool) {
        let request = incoming.request;
        if request.to().is_ok_and(|to| to.tag().is_some()) {
            return match self.owner(request) {
                Some(id) => self.on_reinvite(cx, id, incoming),
                None => cx.refuse(incoming, 481),
            };
        }
        if blocked || cx.config.media.is_empty() {
            return cx.refuse(incoming, 480);
        }
        let offer = match session_of(request) {
            Ok(offer) => offer,
            Err((415, _)) => return cx.refuse_with(incoming, 415, Name::Accept, SDP),
            Err((status, why)) => return refuse_session(cx, incoming, status, &why),
        };
        if offer.as_ref().is_some_and(|offer| !can_take(&cx.config.media, offer)) {
            return refuse_media(cx, incoming);
        }
        let tag = to_tag(cx.config, request);
        let Some(dialog) = Dialog::accept(request, incoming.from, tag) else {
            return cx.refuse(incoming, 400);
        };
        if self.is_engaged() {
            return cx.refuse(incoming, 486);
        }
        self.begin_ringing(cx, incoming, offer, dialog);
    }

    fn begin_ringing(
        &mut self,
        cx: &mut Cx<'_>,
        incoming: &Incoming<'_>,
        offer: Option<Description>,
        dialog: Dialog,
    ) {
        let id = self.name();
        let caller = Aor::parse(&dialog.remote_uri);
        let peer = caller.map_or_else(|_| (*dialog.remote_uri).into(), |aor| aor.as_str().into());
        let (request, from, key) = (incoming.request.clone(), incoming.from, incoming.key);
        let ringing = Ringing { key, from, request, offer, dialog };
        ringing.ring(cx, id);
        cx.arm(Timer::Call(id, Alarm::GiveUp), cx.now + PATIENCE);
        let abilities = Abilities { address: NOWHERE, streams: Vec::new() };
        let origin = first_origin(cx, &abilities);
        let said = Description { origin, streams: Vec::new() };
        let call = Call { peer, abilities, said, state: State::Ringing(ringing) };
        emit(cx, id, &call.peer, CallPhase::Incoming, &[], None, None);
        self.calls.insert(id, call);
    }

    /// It has rung for a minute, and rings on.
    pub(super) fn ring(&mut self, cx: &mut Cx<'_>, id: CallId) {
        if let Some(Call { state: State::Ringing(ringing), .. }) = self.calls.get(&id) {
            ringing.ring(cx, id);
        }
    }

    /// The user answers.
    pub(crate) fn answer(&mut self, cx: &mut Cx<'_>, id: CallId, abilities: Abilities) {
        let Some(call) = self.calls.get_mut(&id) else {
            return cx.complain("answer", "there is no such call");
        };
        let State::Ringing(ringing) = &call.state else {
            return cx.complain("answer", "it does not ring");
        };
        let ringing = ringing.clone();
        let origin =
            Origin { address: abilities.address.to_string().into(), ..call.said.origin.clone() };
        let (said, flows, awaiting) = match &ringing.offer {
            Some(theirs) => {
                let answered = answer(theirs, &abilities, origin);
                (answered.answer, answered.flows, Awaiting::Ack)
            }
            None => (offer(&abilities, origin), Vec::new(), Awaiting::Answer),
        };
        if flows.is_empty() && awaiting == Awaiting::Ack {
            refuse_media(cx, &ringing.incoming());
            return self.end(cx, id, Some(488), Some("no common codec"));
        }
        stop_alarms(cx, id);
        let mut talk = Talk::new(ringing.dialog.clone(), Ticket::NONE, false);
        talk.accept(cx, id, &ringing.incoming(), said.write(), awaiting);
        (call.abilities, call.said, call.state) = (abilities, said, State::Up(talk));
        if awaiting == Awaiting::Ack {
            emit(cx, id, &call.peer, CallPhase::Up, &flows, None, None);
        }
    }
}

const NOWHERE: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

/// Whether one stream of an offer has a codec of ours.
fn can_take(media: &[(Box<str>, Vec<Codec>)], offer: &Description) -> bool {
    let ability = |(media, codecs): &(Box<str>, Vec<Codec>)| Ability {
        media: media.clone(),
        port: 9,
        codecs: codecs.clone(),
        direction: Direction::SendRecv,
        key: Some([0; 30]),
        plain: true,
    };
    let abilities = Abilities { address: NOWHERE, streams: media.iter().map(ability).collect() };
    !negotiation::answer(offer, &abilities, offer.origin.clone()).flows.is_empty()
}

/// 488: none of the codecs is ours (RFC 3261 §13.3.1.3).
pub(super) fn refuse_media(cx: &mut Cx<'_>, incoming: &Incoming<'_>) {
    refuse_session(cx, incoming, 488, "none of these codecs is known here");
}

/// A refusal that says in words what is wrong with the session.
pub(super) fn refuse_session(cx: &mut Cx<'_>, incoming: &Incoming<'_>, status: u16, why: &str) {
    let agent = cx.config.contact.clone();
    let why = why.replace(['"', '\\'], "'");
    let warning = format!("{INCOMPATIBLE} {agent} \"{why}\"");
    cx.refuse_with(incoming, status, Name::Warning, &warning);
}
