//! Direct media: flows without any INVITE dialog (behaviour §6; M21, M22).
//!
//! Whoever offers to receive publishes where, with what, and a secret of which every approved
//! watcher gets a token of its own. A watcher that wants to speak sends a check to that port,
//! proven with its token, and the owner's answer is what lets media go there: no media before
//! (D18), none to anybody else, and nothing is played but what the owner bound (P27).
//!
//! This file finds whom a datagram or command is for; `sending` is M21, `receiving` M22, `wire`
//! the datagrams; `paper` is what the paper's own form does without. Sockets and media are the
//! driver's; it is told by events what may flow.

mod paper;
mod receiving;
mod reply;
mod sending;
mod tombs;
pub mod wire;

use super::cx::{Cx, Timer};
use super::negotiation::same;
use super::offers::Offers;
use super::{Command, DirectStream, Event, FlowId, FlowPhase, StopReason, Way};
use crate::body::pidf::Codec;
use crate::message::Aor;
use crate::mint::Label;
use crate::time::Instant;
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use paper::PaperDoor;
pub(crate) use paper::{Knock, Places};
use receiving::Door;
pub(crate) use receiving::OpenOffer;
use reply::Back;
#[cfg(test)]
pub(crate) use reply::ReplyKey;
use sending::Sending;
pub(crate) use sending::Wish;
use sha2::Sha256;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;
use tombs::Tombs;

/// K14: a flow of which nothing is heard is over.
const EXPIRY: Duration = Duration::from_secs(30);
/// K17: so quiet a binding may be taken over by another flow of the same peer.
const QUIET: Duration = Duration::from_secs(2);
/// How long a stopped flow's check may still be answered (K13).
const LATE: Duration = Duration::from_secs(3);
/// Most answers of stopped flows that are waited for.
const MOST_LATE: usize = 64;

/// What one of a flow's alarms is about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum Alarm {
    /// The next check of the first round (K13).
    Check,
    /// The check that asks for consent (RFC 7675 §5.1).
    Consent,
    /// Nothing was heard for too long (K14), or nobody answered.
    Quiet,
}

const ALARMS: [Alarm; 3] = [Alarm::Check, Alarm::Consent, Alarm::Quiet];

/// All flows of an agent.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct Direct {
    /// Flows we send.
    sending: BTreeMap<FlowId, Sending>,
    /// Where we listen, by media kind.
    doors: BTreeMap<Box<str>, Door>,
    /// The same, where we listen in the paper's form.
    paper: BTreeMap<Box<str>, PaperDoor>,
    /// Flows that are over, of doors that are closed: they may open in the same epoch again.
    closed: BTreeMap<Box<str>, Tombs>,
    /// Whom we would hear.
    allowed: BTreeSet<Aor>,
    /// Checks of stopped flows that may still succeed.
    late: BTreeMap<u128, Late>,
    /// How many flows there have been.
    named: u64,
}

/// What is left of a flow that was stopped before its check was answered.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Late {
    to: SocketAddr,
    port: u16,
    ssrc: u32,
    token: Box<str>,
    sid: u64,
    /// Our part of the SRTP keys, if it was to be SRTP.
    nonce: Option<[u8; 8]>,
    until: Instant,
}

/// What the rest of the agent has to do because of a flow.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum News {
    /// Our door for this media kind is taken, or free again: publish it (X2).
    Occupied(Box<str>, bool),
    /// The access we have is outdated: ask for a new document.
    Refresh(Aor),
    /// Nobody answers at this offer.
    Suspect(Aor, Box<str>),
    /// Somebody we do not know has a token: ask who watches us.
    AskWinfo,
}

/// How the presentity of a flow stands to us, as the subscription shows.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Standing {
    /// We are told its presence: an offer that is not there is withdrawn.
    Active,
    /// It does not want to be watched by us (any more).
    Refused,
    /// We do not know; only the media itself tells.
    Unknown,
}

impl Direct {
    /// How many flows there are, both ways.
    pub(crate) fn len(&self) -> usize {
        let paper = self.paper.values().filter(|door| door.is_bound()).count();
        self.sending.len() + self.doors.values().filter(|door| door.is_bound()).count() + paper
    }

    /// Whether there is anybody to be heard.
    pub(crate) fn listens(&self) -> bool {
        !self.doors.is_empty()
    }

    /// The name of the state of the only flow we send, for tables.
    #[cfg(test)]
    pub(crate) fn sending_name(&self) -> &'static str {
        match self.sending.values().next() {
            Some(flow) => flow.name(),
            None if self.late.is_empty() => "none",
            None => "Stopped",
        }
    }

    /// The name of the state of the only door, for tables.
    #[cfg(test)]
    pub(crate) fn door_name(&self) -> &'static str {
        match self.doors.values().next() {
            None if !self.paper.is_empty() => self.paper_name(),
            None => "Closed",
            Some(door) if door.is_bound() => "Bound",
            Some(_) => "Listening",
        }
    }

    /// What the driver saw, or the user wants.
    pub(crate) fn on_command(&mut self, cx: &mut Cx<'_>, command: Command) -> Vec<News> {
        match command {
            Command::StopFlow { flow } => self.end(cx, flow, StopReason::User, true),
            Command::MediaHeard { flow } => {
                self.on_heard(cx, flow);
                Vec::new()
            }
            Command::MediaBye { flow } => self.end(cx, flow, StopReason::Peer, false),
            Command::MediaUnreachable { flow } => self.on_unreachable(cx, flow),
            _ => Vec::new(),
        }
    }

    /// A STUN datagram came to one of our media ports. `None`: nothing follows from it but an
    /// answer.
    pub(crate) fn on_packet(
        &mut self,
        cx: &mut Cx<'_>,
        port: u16,
        from: SocketAddr,
        bytes: &Bytes,
    ) -> Option<Vec<News>> {
        match wire::Reply::transaction(bytes) {
            Some(transaction) => self.on_reply(cx, transaction, from, bytes),
            None => {
                let flow = self.named + 1;
                let door = self.doors.iter_mut().find(|(_, door)| door.serves(port));
                let (media, door) = door?;
                let named = (&**media, FlowId(flow));
                let news = door.on_check(cx, named, &self.allowed, (port, from), bytes);
                self.named += u64::from(door.is_flow(FlowId(flow)));
                news
            }
        }
    }

    fn on_reply(
        &mut self,
        cx: &mut Cx<'_>,
        transaction: u128,
        from: SocketAddr,
        bytes: &Bytes,
    ) -> Option<Vec<News>> {
        let asked = |flow: &Sending| flow.asked(transaction, from);
        if let Some((id, flow)) = self.sending.iter_mut().find(|(_, flow)| asked(flow)) {
            let id = *id;
            let news = flow.on_reply(cx, id, from, bytes);
            self.sweep(cx);
            return Some(news);
        }
        let late = self.late.get(&transaction);
        let late = late.filter(|late| cx.now < late.until && late.to == from);
        let reply = late.and_then(|late| wire::Reply::read(bytes, &late.token));
        // The other side holds a place for somebody who does not come.
        if let (Some(late), Some(Ok(theirs))) = (late, reply.and_then(wire::Reply::believed)) {
            let keys = |nonce| srtp_keys(&late.token, late.sid, nonce, theirs.nonce);
            let (port, ssrc, keys) = (late.port, late.ssrc, late.nonce.map(keys));
            cx.emit(Event::MediaBye { port, to: from, ssrc, keys });
            self.late.remove(&transaction);
        }
        None
    }

    /// One of a flow's alarms.
    pub(crate) fn on_alarm(&mut self, cx: &mut Cx<'_>, id: FlowId, alarm: Alarm) -> Vec<News> {
        if let Some(flow) = self.sending.get_mut(&id) {
            let news = flow.on_alarm(cx, id, alarm);
            self.sweep(cx);
            return news;
        }
        if let Some((media, door)) = self.paper.iter_mut().find(|(_, door)| door.is_flow(id)) {
            return door.release(cx, media, StopReason::Consent, false);
        }
        let door = self.doors.iter_mut().find(|(_, door)| door.is_flow(id));
        door.map_or_else(Vec::new, |(media, door)| door.on_quiet(cx, media))
    }

    fn on_heard(&mut self, cx: &mut Cx<'_>, id: FlowId) {
        if let Some(door) = self.doors.values_mut().find(|door| door.is_flow(id)) {
            door.on_heard(cx);
        }
        if let Some(door) = self.paper.values_mut().find(|door| door.is_flow(id)) {
            door.on_heard(cx);
        }
    }

    fn end(&mut self, cx: &mut Cx<'_>, id: FlowId, why: StopReason, bye: bool) -> Vec<News> {
        if let Some(flow) = self.sending.get_mut(&id) {
            flow.stop(cx, id, why, bye);
            self.sweep(cx);
            return Vec::new();
        }
        if let Some((media, door)) = self.paper.iter_mut().find(|(_, door)| door.is_flow(id)) {
            return door.release(cx, media, why, bye);
        }
        match self.doors.iter_mut().find(|(_, door)| door.is_flow(id)) {
            Some((media, door)) => door.release(cx, media, why, bye),
            None => {
                cx.complain("stop", "there is no such flow");
                Vec::new()
            }
        }
    }

    /// Logout: nothing is sent or heard any more.
    pub(crate) fn forget(&mut self, cx: &mut Cx<'_>) -> Vec<News> {
        for (id, flow) in &mut self.sending {
            flow.stop(cx, *id, StopReason::User, true);
        }
        self.sweep(cx);
        let mut news = Vec::new();
        for (media, door) in &mut self.doors {
            news.extend(door.release(cx, media, StopReason::Withdrawn, true));
        }
        for (media, door) in &mut self.paper {
            news.extend(door.close(cx, media));
        }
        self.paper.clear();
        self.shut(cx.now, |_| true);
        self.late.clear();
        news
    }

    /// Closes doors; what is over at them stays over.
    fn shut(&mut self, now: Instant, which: impl Fn(&Door) -> bool) {
        let shut = self.doors.extract_if(.., |_, door| which(door));
        self.closed.extend(shut.map(|(media, door)| (media, door.into_tombs())));
        for tombs in self.closed.values_mut() {
            tombs.purge(now);
        }
        self.closed.retain(|_, tombs| !tombs.is_empty());
    }

    /// A door for this offer.
    fn open(&mut self, now: Instant, offer: OpenOffer) {
        let media = offer.media.clone();
        let tombs = self.closed.remove(&media).unwrap_or_default();
        self.doors.insert(media, Door::open(now, offer, &self.allowed, tombs));
    }

    /// Takes over whom we would hear; who is not among them any more is not heard from now on.
    pub(crate) fn allow(&mut self, cx: &mut Cx<'_>, allowed: BTreeSet<Aor>) -> Vec<News> {
        if self.allowed == allowed {
            return Vec::new();
        }
        self.allowed = allowed;
        let mut news = Vec::new();
        for (media, door) in &mut self.doors {
            news.extend(door.revoke(cx, media, &self.allowed));
            door.know(cx.now, &self.allowed);
        }
        news
    }

    /// Takes over what we offer to receive.
    pub(crate) fn offer(&mut self, cx: &mut Cx<'_>, mut open: Vec<OpenOffer>) -> Vec<News> {
        let mut news = Vec::new();
        for (media, door) in &self.doors {
            if !open.iter().any(|offer| offer.media == *media) {
                open.extend(door.remainder());
            }
        }
        let closed = |media: &str| !open.iter().any(|offer| &*offer.media == media);
        let gone: Vec<Box<str>> =
            self.doors.keys().filter(|media| closed(media)).cloned().collect();
        for media in &gone {
            if let Some(door) = self.doors.get_mut(media) {
                news.extend(door.release(cx, media, StopReason::Withdrawn, true));
            }
        }
        if !gone.is_empty() {
            self.shut(cx.now, |door| gone.iter().any(|media| **media == *door.media()));
        }
        for offer in open {
            match self.doors.get_mut(&offer.media) {
                Some(door) => news.extend(door.change(cx, offer, &self.allowed)),
                None => self.open(cx.now, offer),
            }
        }
        news
    }

    /// Looks at what the offers of those we speak to say now.
    pub(crate) fn look(
        &mut self,
        cx: &mut Cx<'_>,
        offers: &Offers,
        standing: impl Fn(&Aor) -> Standing,
    ) {
        let mut anew = Vec::new();
        for (id, flow) in &mut self.sending {
            if let Some(sid) = flow.answers() {
                let heard = self.doors.values().filter_map(|door| door.back(&flow.target));
                if !heard.into_iter().any(|back| back.sid == sid) {
                    flow.stop(cx, *id, StopReason::Withdrawn, true);
                }
                continue;
            }
            let known = offers.get(&flow.target, &flow.tuple);
            anew.extend(flow.look(cx, *id, known, standing(&flow.target)));
        }
        for flow in anew {
            let id = self.name();
            if let Some(known) = offers.get(&flow.target, &flow.tuple) {
                self.launch(cx, id, flow, known);
            }
        }
        self.sweep(cx);
    }

    /// Removes flows that are over, and remembers the checks they had out.
    fn sweep(&mut self, cx: &Cx<'_>) {
        self.late.retain(|_, late| cx.now < late.until);
        let Self { sending, late, .. } = self;
        sending.retain(|_, flow| {
            let room = MOST_LATE.saturating_sub(late.len());
            late.extend(flow.remains(cx.now + LATE).into_iter().take(room));
            !flow.is_over()
        });
    }

    fn name(&mut self) -> FlowId {
        self.named += 1;
        FlowId(self.named)
    }
}

/// What the owner is told about a flow.
struct Told<'a> {
    flow: FlowId,
    peer: &'a Aor,
    media: &'a str,
    way: Way,
}

impl Told<'_> {
    fn emit(&self, cx: &mut Cx<'_>, phase: FlowPhase, stream: Option<DirectStream>) {
        self.say(cx, phase, stream, None);
    }

    fn stopped(&self, cx: &mut Cx<'_>, why: StopReason) {
        self.say(cx, FlowPhase::Stopped, None, Some(why));
    }

    fn say(
        &self,
        cx: &mut Cx<'_>,
        phase: FlowPhase,
        stream: Option<DirectStream>,
        reason: Option<StopReason>,
    ) {
        let Self { flow, peer, media, way } = *self;
        let (peer, media) = (peer.clone(), media.into());
        cx.emit(Event::Flow { flow, peer, media, way, phase, stream, reason });
    }
}

fn stop_alarms(cx: &mut Cx<'_>, id: FlowId) {
    for alarm in ALARMS {
        cx.stop(&Timer::Flow(id, alarm));
    }
}

/// Keys of a flow's SRTP (§6.8): what its sender sends with, and what its receiver answers with
/// in RTCP. HKDF-SHA-256 (RFC 5869), one block, of which SRTP takes 30 octets.
fn srtp_keys(token: &str, sid: u64, sender: [u8; 8], receiver: [u8; 8]) -> ([u8; 30], [u8; 30]) {
    let mac =
        |key: &[u8]| Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    let salt = [sender, receiver].concat();
    let master = mac(&salt).chain_update(token).finalize().into_bytes();
    let expand = |direction: &[u8]| {
        let info = mac(&master).chain_update(b"dm1 srtp").chain_update(direction);
        let block = info.chain_update(sid.to_be_bytes()).chain_update([1]).finalize().into_bytes();
        let mut key = [0; 30];
        key.copy_from_slice(&block[..30]);
        key
    };
    (expand(b"A"), expand(b"B"))
}

/// X7: the first codec of the receiver's list that we have too, but not one of `refused`.
fn choose<'a>(theirs: &'a [Codec], ours: &[Codec], refused: &[u8]) -> Option<&'a Codec> {
    let fresh = theirs.iter().filter(|codec| !refused.contains(&codec.pt));
    fresh.into_iter().find(|codec| ours.iter().any(|other| same(codec, other)))
}

impl Cx<'_> {
    /// A fresh 64-bit number that nobody can guess.
    fn draw(&mut self) -> u64 {
        self.mint(Label::Media).0
    }
}
