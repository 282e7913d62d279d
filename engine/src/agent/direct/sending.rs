//! M21: the sending side of a flow. `sending/paper.rs` is what it does where nothing is asked.

mod paper;

use super::super::offers::Known;
use super::reply::{Permit, ReplyKey};
use super::wire::{Check, Info, Reply, kind_of};
use super::*;
use crate::body::pidf::Mode;

/// When the checks of a round leave, after its first one (K13).
const ROUND: [Duration; 4] = [
    Duration::ZERO,
    Duration::from_millis(200),
    Duration::from_millis(600),
    Duration::from_millis(1400),
];
/// When a round is over.
const GIVE_UP: Duration = Duration::from_secs(3);
/// How long a new document is waited for after a 401.
const REFRESH: Duration = Duration::from_secs(8);
/// K14.
const CONSENT: Duration = Duration::from_secs(5);
/// Most of K16.
const MOST_EARLY: u8 = 10;
/// X9: an older offer gets no early media.
const FRESH: Duration = Duration::from_secs(60);
/// So many times unreachable within [`UNREACHABLE`] end a flow.
const MOST_UNREACHABLE: u8 = 3;
const UNREACHABLE: Duration = Duration::from_secs(2);

/// A flow we send, or want to.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Sending {
    pub(super) target: Aor,
    /// Which of the target's tuples.
    pub(super) tuple: Box<str>,
    media: Box<str>,
    /// From which port of ours.
    port: u16,
    /// What we can encode.
    ours: Vec<Codec>,
    state: State,
    sid: u64,
    ssrc: u32,
    nonce: [u8; 8],
    token: Box<str>,
    key_id: Box<str>,
    srtp: bool,
    codec: Codec,
    /// Payload types the other side cannot do just now.
    refused: Vec<u8>,
    /// Whether a new document was asked for, or the other side's move was followed: once each.
    refreshed: bool,
    moved: bool,
    /// Whether its user would hear the other side on the same port (X13).
    hears: bool,
    /// The flow of the other side that this one answers with the reply credential.
    back: Option<u64>,
    /// Where the other side speaks from; asked first.
    heard_from: Option<SocketAddr>,
    unreachable: (u8, Instant),
}

/// What the user wants.
pub(crate) struct Wish {
    pub(crate) target: Aor,
    pub(crate) media: Box<str>,
    pub(crate) port: u16,
    pub(crate) codecs: Vec<Codec>,
    pub(crate) hears: bool,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
enum State {
    Checking(Round),
    /// The access is outdated; a newer document is on its way.
    Refreshing,
    Streaming {
        to: SocketAddr,
        theirs: Info,
        /// The check for consent that is out.
        asked: Option<u128>,
    },
    /// As the paper has it: nobody was asked, or nobody answered.
    Plain {
        to: SocketAddr,
        /// Checks that may still be answered.
        out: Vec<(u128, SocketAddr)>,
    },
    Stopped {
        /// Checks that may still be answered.
        out: Vec<(u128, SocketAddr)>,
    },
}

/// The checks before the first answer.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Round {
    began: Instant,
    candidates: Vec<SocketAddr>,
    sent: u8,
    /// One transaction for each candidate that was asked.
    asked: Vec<(u128, SocketAddr)>,
    /// How often somebody said 401, which nobody can prove.
    unauthorised: u8,
}

impl Direct {
    /// The user wants to speak to somebody who offers to listen, or who speaks to it (X13).
    pub(crate) fn start(&mut self, cx: &mut Cx<'_>, offers: &Offers, wish: Wish) {
        let Wish { target, media, .. } = &wish;
        let door = self.doors.get(media);
        let back = door.and_then(|door| door.back(target));
        let heard_from = door.and_then(|door| door.heard_from(target));
        let ready = offers.ready(target, media);
        let list = match (&ready, &back) {
            (Some((_, known)), _) => known.offer.codecs.clone(),
            (None, Some(back)) => vec![back.codec.clone()],
            (None, None) => {
                return cx.complain("direct", "no offer of this media kind is ready; call instead");
            }
        };
        let speaks = |flow: &Sending| flow.target == *target && flow.media == *media;
        if self.sending.values().any(speaks) {
            return cx.complain("direct", "there is such a flow already; stop it first");
        }
        let id = self.name();
        let Some(codec) = choose(&list, &wish.codecs, &[]).cloned() else {
            let told = Told { flow: id, peer: target, media, way: Way::Out };
            return told.stopped(cx, StopReason::Codec);
        };
        let flow = Sending::new(wish, codec, heard_from, cx.now);
        match (ready, back) {
            (Some((tuple, known)), _) => {
                self.launch(cx, id, Sending { tuple: tuple.into(), ..flow }, known);
            }
            (None, Some(back)) => self.answer(cx, id, flow, back),
            (None, None) => {}
        }
        self.sweep(cx);
    }

    /// A flow back, with the reply credential.
    fn answer(&mut self, cx: &mut Cx<'_>, id: FlowId, flow: Sending, back: Back) {
        let (hears, port, srtp) = (false, back.port, back.srtp);
        let mut flow = Sending { hears, port, srtp, back: Some(back.sid), ..flow };
        flow.told(id).emit(cx, FlowPhase::Checking, None);
        (flow.token, flow.key_id) = (back.key.token, back.key.key_id);
        flow.renew(cx);
        flow.check_anew(cx, id, vec![back.to]);
        self.sending.insert(id, flow);
    }

    /// A flow's first check.
    pub(super) fn launch(&mut self, cx: &mut Cx<'_>, id: FlowId, mut flow: Sending, known: &Known) {
        if known.offer.access.is_some() || !cx.is_marked(&flow.target) {
            flow.told(id).emit(cx, FlowPhase::Checking, None);
        }
        flow.begin(cx, id, known);
        flow.hurry(cx, id, known);
        self.sending.insert(id, flow);
    }

    /// The port of the other side cannot be reached, as an ICMP error said.
    pub(super) fn on_unreachable(&mut self, cx: &mut Cx<'_>, id: FlowId) -> Vec<News> {
        let Some(flow) = self.sending.get_mut(&id) else { return Vec::new() };
        let (count, since) = flow.unreachable;
        flow.unreachable = match cx.now.since(since) <= UNREACHABLE {
            true => (count + 1, since),
            false => (1, cx.now),
        };
        if flow.unreachable.0 < MOST_UNREACHABLE || !flow.speaks() {
            return Vec::new();
        }
        flow.stop(cx, id, StopReason::Unreachable, false);
        let news = News::Suspect(flow.target.clone(), flow.tuple.clone());
        self.sweep(cx);
        vec![news]
    }
}

impl Sending {
    fn new(wish: Wish, codec: Codec, heard_from: Option<SocketAddr>, now: Instant) -> Self {
        Self {
            target: wish.target,
            tuple: "".into(),
            media: wish.media,
            port: wish.port,
            ours: wish.codecs,
            state: State::Refreshing,
            sid: 0,
            ssrc: 0,
            nonce: [0; 8],
            token: "".into(),
            key_id: "".into(),
            srtp: false,
            codec,
            refused: Vec::new(),
            refreshed: false,
            moved: false,
            hears: wish.hears,
            back: None,
            heard_from,
            unreachable: (0, now),
        }
    }

    /// The flow that this one answers.
    pub(super) fn answers(&self) -> Option<u64> {
        self.back
    }

    /// What the one who hears us may do (X13).
    pub(super) fn permit(&self) -> Option<Permit> {
        let from = self.to().filter(|_| self.hears)?;
        Some(Permit {
            media: self.media.clone(),
            peer: self.target.clone(),
            from,
            port: self.port,
            key: ReplyKey::of(&self.token, self.sid),
            codec: self.codec.clone(),
            srtp: self.srtp,
            refused: false,
        })
    }

    /// Where an offer can be reached.
    fn addresses(&self, known: &Known) -> Vec<SocketAddr> {
        let mut addresses = known.addresses();
        if let Some(first) = self.heard_from {
            addresses.retain(|one| *one != first);
            addresses.insert(0, first);
        }
        addresses
    }

    /// Whether this flow asked `from` with this transaction.
    pub(super) fn asked(&self, transaction: u128, from: SocketAddr) -> bool {
        match &self.state {
            State::Checking(round) => round.asked.contains(&(transaction, from)),
            State::Streaming { to, asked, .. } => *to == from && *asked == Some(transaction),
            State::Plain { out, .. } => out.contains(&(transaction, from)),
            State::Refreshing | State::Stopped { .. } => false,
        }
    }

    pub(super) fn is_over(&self) -> bool {
        matches!(self.state, State::Stopped { .. })
    }

    /// What a flow that is over leaves behind: its checks without an answer.
    pub(super) fn remains(&self, until: Instant) -> Vec<(u128, Late)> {
        let State::Stopped { out } = &self.state else { return Vec::new() };
        let late = |(transaction, to): &(u128, SocketAddr)| {
            let (port, ssrc, sid, token) = (self.port, self.ssrc, self.sid, self.token.clone());
            let nonce = self.srtp.then_some(self.nonce);
            (*transaction, Late { to: *to, port, ssrc, token, sid, nonce, until })
        };
        out.iter().map(late).collect()
    }

    #[cfg(test)]
    pub(super) fn name(&self) -> &'static str {
        match self.state {
            State::Checking(_) => "Checking",
            State::Refreshing => "Refreshing",
            State::Streaming { .. } => "Streaming",
            State::Plain { .. } => "Plain",
            State::Stopped { .. } => "Stopped",
        }
    }

    /// Where the other side wants to hear us, as it has proven.
    fn to(&self) -> Option<SocketAddr> {
        match &self.state {
            State::Streaming { to, .. } => Some(*to),
            State::Checking(_)
            | State::Refreshing
            | State::Plain { .. }
            | State::Stopped { .. } => None,
        }
    }

    fn told<'a>(&'a self, flow: FlowId) -> Told<'a> {
        Told { flow, peer: &self.target, media: &self.media, way: Way::Out }
    }

    /// A round of checks to what the offer says now, under a new sid.
    fn begin(&mut self, cx: &mut Cx<'_>, id: FlowId, known: &Known) {
        let Some(access) = &known.offer.access else {
            if cx.is_marked(&self.target) {
                return self.begin_plainly(cx, id, self.addresses(known).first().copied());
            }
            return self.stop(cx, id, StopReason::Unauthorised, false);
        };
        (self.token, self.key_id) = (access.token.clone(), access.key_id.clone());
        self.srtp = known.offer.srtp.as_deref() == Some("token");
        self.renew(cx);
        self.check_anew(cx, id, self.addresses(known));
    }

    /// What names the flow and makes its keys.
    fn renew(&mut self, cx: &mut Cx<'_>) {
        self.sid = cx.draw();
        self.ssrc = (cx.draw() >> 32) as u32;
        self.nonce = cx.draw().to_be_bytes();
    }

    fn check_anew(&mut self, cx: &mut Cx<'_>, id: FlowId, candidates: Vec<SocketAddr>) {
        stop_alarms(cx, id);
        let (sent, asked, unauthorised) = (0, Vec::new(), 0);
        self.state =
            State::Checking(Round { began: cx.now, candidates, sent, asked, unauthorised });
        self.check(cx, id);
    }

    /// The next check of the round: candidates in their order, then the first again.
    fn check(&mut self, cx: &mut Cx<'_>, id: FlowId) {
        let transaction = fresh_transaction(cx);
        let State::Checking(round) = &mut self.state else { return };
        let turn = usize::from(round.sent).checked_rem(round.candidates.len());
        let Some(to) = turn.and_then(|turn| round.candidates.get(turn)).copied() else {
            return self.stop(cx, id, StopReason::Unreachable, false);
        };
        // A check that is sent again is the same check (RFC 8489 §6.2.1).
        let known = round.asked.iter().find(|(_, asked)| *asked == to);
        let transaction = known.map_or(transaction, |(transaction, _)| *transaction);
        if known.is_none() {
            round.asked.push((transaction, to));
        }
        round.sent += 1;
        match ROUND.get(usize::from(round.sent)) {
            Some(at) => cx.arm(Timer::Flow(id, Alarm::Check), round.began + *at),
            None => cx.arm(Timer::Flow(id, Alarm::Quiet), round.began + GIVE_UP),
        }
        self.ask(cx, transaction, to);
    }

    fn ask(&self, cx: &mut Cx<'_>, transaction: u128, to: SocketAddr) {
        let info = Info {
            receives: self.hears,
            srtp: self.srtp,
            pt: self.codec.pt,
            kind: kind_of(&self.media),
            ssrc: self.ssrc,
            nonce: self.nonce,
        };
        let check = Check { transaction, key_id: self.key_id.clone(), sid: self.sid, info };
        let bytes = check.write(&self.token);
        cx.emit(Event::MediaPacket { port: self.port, to, bytes });
    }

    pub(super) fn on_alarm(&mut self, cx: &mut Cx<'_>, id: FlowId, alarm: Alarm) -> Vec<News> {
        match (&mut self.state, alarm) {
            (State::Checking(_), Alarm::Check) => self.check(cx, id),
            (State::Checking(round), Alarm::Quiet) => {
                if round.unauthorised > 0 {
                    return self.refresh(cx, id);
                }
                if cx.is_marked(&self.target) && self.back.is_none() {
                    self.go_on_plainly(cx, id);
                    return Vec::new();
                }
                self.stop(cx, id, StopReason::Unreachable, false);
                return vec![News::Suspect(self.target.clone(), self.tuple.clone())];
            }
            (State::Refreshing, Alarm::Quiet) => {
                self.stop(cx, id, StopReason::Unauthorised, false);
            }
            (State::Streaming { to, asked, .. }, Alarm::Consent) => {
                let (to, transaction) = (*to, fresh_transaction(cx));
                *asked = Some(transaction);
                self.ask(cx, transaction, to);
                arm_consent(cx, id);
            }
            (State::Streaming { .. }, Alarm::Quiet) => {
                self.stop(cx, id, StopReason::Consent, false);
            }
            (State::Checking(_), Alarm::Consent)
            | (State::Refreshing, Alarm::Check | Alarm::Consent)
            | (State::Streaming { .. }, Alarm::Check)
            | (State::Plain { .. } | State::Stopped { .. }, _) => {}
        }
        Vec::new()
    }

    /// The answer to a check of ours, from the address that was asked.
    pub(super) fn on_reply(
        &mut self,
        cx: &mut Cx<'_>,
        id: FlowId,
        from: SocketAddr,
        bytes: &Bytes,
    ) -> Vec<News> {
        let Some(reply) = Reply::read(bytes, &self.token) else { return Vec::new() };
        let streams = self.to().is_some();
        match (reply.outcome, reply.proven) {
            (Ok(theirs), true) if streams => self.consented(cx, id, theirs),
            (Ok(theirs), true) => self.stream(cx, id, from, theirs),
            (Err(401), _) if !streams => return self.on_unauthorised(cx, id),
            (Err(401), _) | (Err(403 | 410), true) => {
                self.stop(cx, id, StopReason::Refused, false);
            }
            (Err(486), true) if streams => self.stop(cx, id, StopReason::Refused, false),
            (Err(486), true) => self.stop(cx, id, StopReason::Busy, false),
            (Err(488), true) => self.on_codec_refused(cx, id),
            // Nobody but the owner of the token says so.
            (Ok(_) | Err(_), _) => {}
        }
        Vec::new()
    }

    /// X9: what may follow the first check before it is answered.
    fn hurry(&self, cx: &mut Cx<'_>, id: FlowId, known: &Known) {
        let State::Checking(round) = &self.state else { return };
        let budget = cx.config.direct.early_packets.min(MOST_EARLY);
        let fresh = cx.now.since(known.arrived) <= FRESH;
        let Some((_, to)) = round.asked.first() else { return };
        if budget > 0 && fresh && !self.srtp && !self.moved {
            let stream = DirectStream { budget: Some(budget), ..self.media_to(*to) };
            self.told(id).emit(cx, FlowPhase::Checking, Some(stream));
        }
    }

    /// What we send, as far as we alone know.
    fn media_to(&self, remote: SocketAddr) -> DirectStream {
        DirectStream {
            port: self.port,
            remote,
            codec: self.codec.clone(),
            ssrc: self.ssrc,
            remote_ssrc: 0,
            keys: None,
            budget: None,
        }
    }

    fn stream(&mut self, cx: &mut Cx<'_>, id: FlowId, to: SocketAddr, theirs: Info) {
        stop_alarms(cx, id);
        self.state = State::Streaming { to, theirs, asked: None };
        arm_consent(cx, id);
        cx.arm(Timer::Flow(id, Alarm::Quiet), cx.now + EXPIRY);
        let keys = self.srtp.then(|| srtp_keys(&self.token, self.sid, self.nonce, theirs.nonce));
        let stream = DirectStream { remote_ssrc: theirs.ssrc, keys, ..self.media_to(to) };
        self.told(id).emit(cx, FlowPhase::Streaming, Some(stream));
    }

    /// RFC 7675 §5.1.
    fn consented(&mut self, cx: &mut Cx<'_>, id: FlowId, info: Info) {
        if let State::Streaming { asked, theirs, .. } = &mut self.state {
            (*asked, *theirs) = (None, info);
            cx.arm(Timer::Flow(id, Alarm::Quiet), cx.now + EXPIRY);
        }
    }

    /// Nobody can prove a 401, so one alone is not believed before the round is over.
    fn on_unauthorised(&mut self, cx: &mut Cx<'_>, id: FlowId) -> Vec<News> {
        let State::Checking(round) = &mut self.state else { return Vec::new() };
        round.unauthorised += 1;
        match round.unauthorised {
            0 | 1 => Vec::new(),
            _ => self.refresh(cx, id),
        }
    }

    /// Asks for newer access, once.
    fn refresh(&mut self, cx: &mut Cx<'_>, id: FlowId) -> Vec<News> {
        if self.back.is_some() {
            self.stop(cx, id, StopReason::Refused, false);
            return Vec::new();
        }
        if std::mem::replace(&mut self.refreshed, true) {
            self.stop(cx, id, StopReason::Unauthorised, false);
            return Vec::new();
        }
        stop_alarms(cx, id);
        self.state = State::Refreshing;
        cx.arm(Timer::Flow(id, Alarm::Quiet), cx.now + REFRESH);
        vec![News::Refresh(self.target.clone())]
    }

    /// The next codec that both have; [`Sending::look`] knows the list.
    fn on_codec_refused(&mut self, cx: &mut Cx<'_>, id: FlowId) {
        if self.speaks() {
            return self.stop(cx, id, StopReason::Codec, true);
        }
        if self.back.is_some() {
            return self.stop(cx, id, StopReason::Codec, false);
        }
        self.refused.push(self.codec.pt);
    }

    /// Level-triggered: what the subscription and the offer say now (M21, §6.7). Returns the flow
    /// that takes the place of this one if the other side is somewhere else now.
    pub(super) fn look(
        &mut self,
        cx: &mut Cx<'_>,
        id: FlowId,
        known: Option<&Known>,
        standing: Standing,
    ) -> Option<Self> {
        if matches!(self.state, State::Plain { .. }) && !cx.is_marked(&self.target) {
            self.stop(cx, id, StopReason::User, true);
            return None;
        }
        let refused = self.refused.contains(&self.codec.pt);
        let known = match (known.filter(|known| known.offer.mode != Mode::Off), standing) {
            (_, Standing::Refused) | (None, Standing::Active) => {
                self.stop(cx, id, StopReason::Withdrawn, true);
                return None;
            }
            (None, Standing::Unknown) if refused => {
                self.stop(cx, id, StopReason::Codec, false);
                return None;
            }
            (None, Standing::Unknown) => return None,
            (Some(known), Standing::Active | Standing::Unknown) => known,
        };
        match &self.state {
            State::Checking(round) if refused => {
                let candidates = round.candidates.clone();
                match choose(&known.offer.codecs, &self.ours, &self.refused).cloned() {
                    Some(codec) => {
                        self.codec = codec;
                        self.check_anew(cx, id, candidates);
                    }
                    None => self.stop(cx, id, StopReason::Codec, false),
                }
            }
            State::Checking(round) => {
                let there = self.addresses(known);
                if there != round.candidates && !std::mem::replace(&mut self.moved, true) {
                    self.begin(cx, id, known);
                }
            }
            State::Refreshing => {
                let renewed = match &known.offer.access {
                    Some(access) => access.key_id != self.key_id,
                    None => cx.is_marked(&self.target),
                };
                if renewed {
                    self.begin(cx, id, known);
                }
            }
            State::Streaming { to, .. } | State::Plain { to, .. } => {
                if !self.addresses(known).contains(to) || self.can_be_checked(known) {
                    self.stop(cx, id, StopReason::Moved, false);
                    return (!self.moved).then(|| Self { moved: true, ..self.clone() });
                }
            }
            State::Stopped { .. } => {}
        }
        None
    }

    /// Ends the flow. `bye`: the other side is told, by RTCP.
    pub(super) fn stop(&mut self, cx: &mut Cx<'_>, id: FlowId, why: StopReason, bye: bool) {
        stop_alarms(cx, id);
        let out = match &self.state {
            State::Checking(round) => round.asked.clone(),
            State::Streaming { to, theirs, .. } => {
                if bye {
                    let keys = srtp_keys(&self.token, self.sid, self.nonce, theirs.nonce);
                    let keys = self.srtp.then_some(keys);
                    cx.emit(Event::MediaBye { port: self.port, to: *to, ssrc: self.ssrc, keys });
                }
                Vec::new()
            }
            State::Plain { to, out } => {
                if bye {
                    let (port, ssrc) = (self.port, self.ssrc);
                    cx.emit(Event::MediaBye { port, to: *to, ssrc, keys: None });
                }
                out.clone()
            }
            State::Refreshing => Vec::new(),
            State::Stopped { .. } => return,
        };
        self.state = State::Stopped { out };
        self.told(id).stopped(cx, why);
    }
}

fn arm_consent(cx: &mut Cx<'_>, id: FlowId) {
    let wait = CONSENT * 4 / 5 + cx.jitter(CONSENT * 2 / 5);
    cx.arm(Timer::Flow(id, Alarm::Consent), cx.now + wait);
}

/// 96 bits (RFC 8489 §5).
fn fresh_transaction(cx: &mut Cx<'_>) -> u128 {
    (u128::from(cx.draw()) << 32) | u128::from(cx.draw() >> 32)
}
