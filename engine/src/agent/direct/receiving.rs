//! M22: the receiving side; one door for each media kind that we offer to hear.

use super::wire::{Check, Info, kind_of};
use super::*;
use crate::body::pidf::{Mode, Offer, OfferSecret};
use std::net::IpAddr;

/// K14: a binding without anything valid is over.
const EXPIRY: Duration = Duration::from_secs(30);
/// K15: how long the epoch before counts.
const GRACE: Duration = Duration::from_secs(60);
/// K17.
const TOMBSTONE: Duration = Duration::from_secs(64);
/// K17: so quiet a binding may be taken over by another flow of the same peer.
const QUIET: Duration = Duration::from_secs(2);
/// Most flows remembered as over.
const MOST_TOMBS: usize = 1024;
/// Refusals of strangers in a second: to one address, and to all.
const REFUSALS: (u8, u8) = (5, 50);
/// Least time between two looks at who watches us because of a stranger.
const WINFO_GAP: Duration = Duration::from_secs(5);

/// An offer of ours that is published with its secret.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct OpenOffer {
    pub(crate) media: Box<str>,
    pub(crate) tuple: Box<str>,
    pub(crate) port: u16,
    pub(crate) codecs: Vec<Codec>,
    pub(crate) secret: OfferSecret,
    pub(crate) srtp: bool,
    /// Whether the owner is occupied otherwise: nobody new is heard.
    pub(crate) busy: bool,
}

/// A port on which we listen.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Door {
    offer: OpenOffer,
    /// The secret of the epoch before, and until when it counts.
    before: Option<(OfferSecret, Instant)>,
    /// Whom a key id belongs to, and the token that proves it.
    keys: BTreeMap<Box<str>, (Aor, Box<str>)>,
    bound: Option<Bound>,
    /// Flows that are over: a late copy of their check does not open them again.
    tombs: BTreeMap<u64, Instant>,
    refusals: Refusals,
    winfo_from: Instant,
}

/// Who is heard.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Bound {
    flow: FlowId,
    peer: Aor,
    key_id: Box<str>,
    token: Box<str>,
    sid: u64,
    /// What it sends; a later change of the offer does not change this (R92).
    codec: Codec,
    from: SocketAddr,
    theirs: Info,
    ours: Info,
    heard_at: Instant,
}

/// How often strangers were answered in this second.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
struct Refusals {
    second: u32,
    all: u8,
    by: BTreeMap<IpAddr, u8>,
}

impl Door {
    pub(super) fn open(offer: OpenOffer, allowed: &BTreeSet<Aor>) -> Self {
        let mut door = Self {
            offer,
            before: None,
            keys: BTreeMap::new(),
            bound: None,
            tombs: BTreeMap::new(),
            refusals: Refusals::default(),
            winfo_from: Instant::default(),
        };
        door.know(allowed);
        door
    }

    pub(super) fn port(&self) -> u16 {
        self.offer.port
    }

    pub(super) fn is_bound(&self) -> bool {
        self.bound.is_some()
    }

    pub(super) fn is_flow(&self, id: FlowId) -> bool {
        self.bound.as_ref().is_some_and(|bound| bound.flow == id)
    }

    /// The offer changed, or its epoch did.
    pub(super) fn change(
        &mut self,
        cx: &mut Cx<'_>,
        offer: OpenOffer,
        allowed: &BTreeSet<Aor>,
    ) -> Vec<News> {
        let moved = offer.port != self.offer.port;
        let epoch_ended = offer.secret.epoch != self.offer.secret.epoch;
        let media = offer.media.clone();
        let old = std::mem::replace(&mut self.offer, offer);
        if epoch_ended {
            self.before = Some((old.secret, cx.now + GRACE));
            self.keys.clear();
            self.know(allowed);
        }
        match moved {
            true => self.release(cx, &media, StopReason::Withdrawn, true),
            false => Vec::new(),
        }
    }

    /// Derives the keys of those who may be heard. Who may not any more keeps a key, so that it
    /// is refused and not taken for a stranger.
    pub(super) fn know(&mut self, allowed: &BTreeSet<Aor>) {
        let secrets: Vec<OfferSecret> =
            [Some(&self.offer.secret), self.before.as_ref().map(|(secret, _)| secret)]
                .into_iter()
                .flatten()
                .cloned()
                .collect();
        for secret in secrets {
            let offer = carrier(secret);
            for peer in allowed {
                let access = offer.access_for(peer, &self.offer.tuple, 0);
                let entry = access.map(|access| (access.key_id, (peer.clone(), access.token)));
                self.keys.extend(entry);
            }
        }
    }

    /// A check, whoever sent it.
    pub(super) fn on_check(
        &mut self,
        cx: &mut Cx<'_>,
        media: &str,
        fresh: FlowId,
        allowed: &BTreeSet<Aor>,
        from: SocketAddr,
        bytes: &Bytes,
    ) -> Vec<News> {
        let Some(check) = Check::read(bytes) else { return Vec::new() };
        if self.before.as_ref().is_some_and(|(_, until)| *until <= cx.now) {
            self.before = None;
            self.keys.clear();
            self.know(allowed);
        }
        let Some((peer, token)) = self.owner_of(&check) else {
            self.refuse_stranger(cx, from, &check);
            return self.ask_winfo(cx.now);
        };
        if !Check::is_proven(bytes, &token) {
            self.refuse_stranger(cx, from, &check);
            return Vec::new();
        }
        self.tombs.retain(|_, until| cx.now < *until);
        let refusal = match self.codec_of(&check, media) {
            _ if !allowed.contains(&peer) => Err(403),
            _ if self.tombs.contains_key(&check.sid) => Err(410),
            None => Err(488),
            Some(codec) => self.occupied(cx.now, &peer, check.sid).map_or(Ok(codec), Err),
        };
        match refusal {
            Err(status) => {
                let bytes = check.refuse(Some(&token), status);
                cx.emit(Event::MediaPacket { port: self.offer.port, to: from, bytes });
                Vec::new()
            }
            Ok(codec) => self.bind(cx, media, fresh, &check, codec, peer, token, from),
        }
    }

    /// Whose check this claims to be. The key of the flow that is heard counts as long as it is:
    /// should the presence agent be gone, its sender cannot learn a newer one (R87).
    fn owner_of(&self, check: &Check) -> Option<(Aor, Box<str>)> {
        let bound = self.bound.as_ref();
        let bound = bound.filter(|it| it.sid == check.sid && it.key_id == check.key_id);
        let of_bound = || bound.map(|bound| (bound.peer.clone(), bound.token.clone()));
        self.keys.get(&check.key_id).cloned().or_else(of_bound)
    }

    /// The codec that a check is about, if we would hear it.
    fn codec_of(&self, check: &Check, media: &str) -> Option<Codec> {
        let bound = self.bound.as_ref().filter(|bound| bound.sid == check.sid);
        let fits = |codec: &&Codec| match bound {
            Some(bound) => **codec == bound.codec,
            None => codec.pt == check.info.pt,
        };
        let codec = self.offer.codecs.iter().find(fits)?;
        (check.info.kind == kind_of(media)).then(|| codec.clone())
    }

    /// 486 if the door is somebody else's, another flow of the same peer still speaks, or the
    /// owner is busy otherwise.
    fn occupied(&self, now: Instant, peer: &Aor, sid: u64) -> Option<u16> {
        let free = match &self.bound {
            Some(bound) if bound.sid == sid => true,
            Some(bound) => {
                !self.offer.busy && bound.peer == *peer && now.since(bound.heard_at) >= QUIET
            }
            None => !self.offer.busy,
        };
        (!free).then_some(486)
    }

    #[expect(clippy::too_many_arguments, reason = "a binding is made of exactly these")]
    fn bind(
        &mut self,
        cx: &mut Cx<'_>,
        media: &str,
        fresh: FlowId,
        check: &Check,
        codec: Codec,
        peer: Aor,
        token: Box<str>,
        from: SocketAddr,
    ) -> Vec<News> {
        let news = match self.is_bound() {
            true => Vec::new(),
            false => vec![News::Occupied(media.into(), true)],
        };
        if self.bound.as_ref().is_some_and(|bound| bound.sid != check.sid) {
            // The door stays taken, so there is no news.
            self.release(cx, media, StopReason::Peer, false);
        }
        let was = self.bound.as_ref().map(|bound| bound.from);
        let srtp = self.offer.srtp && check.info.srtp;
        let bound = match self.bound.take() {
            Some(bound) => Bound { from, heard_at: cx.now, ..bound },
            None => {
                let ours = Info {
                    receives: false,
                    srtp,
                    ssrc: (cx.draw() >> 32) as u32,
                    nonce: cx.draw().to_be_bytes(),
                    ..check.info
                };
                let (flow, sid, theirs, heard_at) = (fresh, check.sid, check.info, cx.now);
                let (key_id, token) = (check.key_id.clone(), token.clone());
                Bound { flow, peer, key_id, token, sid, codec, from, theirs, ours, heard_at }
            }
        };
        // The answer is proven as the question was; keys of media stay what they were.
        let bytes = check.accept(&token, from, bound.ours);
        cx.emit(Event::MediaPacket { port: self.offer.port, to: from, bytes });
        cx.arm(Timer::Flow(bound.flow, Alarm::Quiet), cx.now + EXPIRY);
        if was != Some(from) {
            self.announce(cx, media, &bound);
        }
        self.bound = Some(bound);
        news
    }

    fn announce(&self, cx: &mut Cx<'_>, media: &str, bound: &Bound) {
        let Bound { theirs, ours, .. } = bound;
        let keys = srtp_keys(&bound.token, bound.sid, theirs.nonce, ours.nonce);
        let stream = DirectStream {
            port: self.offer.port,
            remote: bound.from,
            codec: bound.codec.clone(),
            ssrc: ours.ssrc,
            remote_ssrc: theirs.ssrc,
            // Ours to send with is what the receiver of a flow answers with.
            keys: ours.srtp.then_some((keys.1, keys.0)),
        };
        let told = Told { flow: bound.flow, peer: &bound.peer, media, way: Way::In };
        told.emit(cx, FlowPhase::Streaming, Some(stream));
    }

    /// Strangers hear 401, and only so often; whoever knows no key costs no more than a look.
    fn refuse_stranger(&mut self, cx: &mut Cx<'_>, from: SocketAddr, check: &Check) {
        if self.refusals.allows(cx.now, from.ip()) {
            let bytes = check.refuse(None, 401);
            cx.emit(Event::MediaPacket { port: self.offer.port, to: from, bytes });
        }
    }

    /// Who has a key that we do not know may be a watcher that we do not know yet.
    fn ask_winfo(&mut self, now: Instant) -> Vec<News> {
        if self.winfo_from > now {
            return Vec::new();
        }
        self.winfo_from = now + WINFO_GAP;
        vec![News::AskWinfo]
    }

    pub(super) fn on_heard(&mut self, cx: &mut Cx<'_>) {
        if let Some(bound) = &mut self.bound {
            bound.heard_at = cx.now;
            cx.arm(Timer::Flow(bound.flow, Alarm::Quiet), cx.now + EXPIRY);
        }
    }

    /// Nothing valid came for too long.
    pub(super) fn on_quiet(&mut self, cx: &mut Cx<'_>, media: &str) -> Vec<News> {
        self.release(cx, media, StopReason::Consent, false)
    }

    /// Who is not allowed any more is not heard from this moment on (P27).
    pub(super) fn revoke(
        &mut self,
        cx: &mut Cx<'_>,
        media: &str,
        allowed: &BTreeSet<Aor>,
    ) -> Vec<News> {
        match &self.bound {
            Some(bound) if !allowed.contains(&bound.peer) => {
                self.release(cx, media, StopReason::Refused, true)
            }
            Some(_) | None => Vec::new(),
        }
    }

    /// The door is free again.
    pub(super) fn release(
        &mut self,
        cx: &mut Cx<'_>,
        media: &str,
        why: StopReason,
        bye: bool,
    ) -> Vec<News> {
        let Some(bound) = self.bound.take() else { return Vec::new() };
        stop_alarms(cx, bound.flow);
        if self.tombs.len() < MOST_TOMBS {
            self.tombs.insert(bound.sid, cx.now + TOMBSTONE);
        }
        let Bound { flow, peer, token, sid, from, theirs, ours, .. } = &bound;
        if bye {
            let keys = srtp_keys(token, *sid, theirs.nonce, ours.nonce);
            let keys = ours.srtp.then_some((keys.1, keys.0));
            let (port, to, ssrc) = (self.offer.port, *from, ours.ssrc);
            cx.emit(Event::MediaBye { port, to, ssrc, keys });
        }
        Told { flow: *flow, peer, media, way: Way::In }.stopped(cx, why);
        vec![News::Occupied(media.into(), false)]
    }
}

impl Refusals {
    fn allows(&mut self, now: Instant, source: IpAddr) -> bool {
        let second = now.seconds_since(Instant::default());
        if second != self.second {
            *self = Self { second, ..Self::default() };
        }
        let (each, all) = REFUSALS;
        let count = self.by.get(&source).copied().unwrap_or(0);
        if self.all >= all || count >= each {
            return false;
        }
        self.all += 1;
        self.by.insert(source, count + 1);
        true
    }
}

/// An offer that holds a secret, to derive access with.
fn carrier(secret: OfferSecret) -> Offer {
    Offer {
        version: 1,
        seq: 0,
        device: None,
        media: "".into(),
        port: 0,
        codecs: Vec::new(),
        mode: Mode::Ready,
        candidates: Vec::new(),
        srtp: None,
        fingerprint: None,
        secret: Some(secret),
        access: None,
    }
}
