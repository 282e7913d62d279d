//! M22: the receiving side; one door for each media kind that we offer to hear.

use super::reply::{Back, Permit, ReplyKey, private};
use super::tombs::Tombs;
use super::wire::{Check, Info, kind_of};
use super::*;
use crate::body::pidf::{Mode, Offer, OfferSecret};
use std::net::IpAddr;

/// K15: how long the epoch before counts.
const GRACE: Duration = Duration::from_secs(60);
/// Most checks of a flow that are told from their copies; after so many it moves no more.
const MOST_CHECKS: usize = 4096;
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
    /// None: it is not offered to anybody; only who hears us may speak back (X13).
    pub(crate) secret: Option<OfferSecret>,
    pub(crate) srtp: bool,
    /// When the time of the secret is over (K15).
    pub(crate) ends: Instant,
    /// Whether the owner is occupied otherwise: nobody new is heard.
    pub(crate) busy: bool,
}

/// A port on which we listen.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Door {
    offer: OpenOffer,
    /// The secret of the epoch before, and until when it counts.
    before: Option<(OfferSecret, Instant)>,
    /// Whom a key id belongs to.
    keys: BTreeMap<Box<str>, Key>,
    /// Who else may be heard, since it hears us.
    permits: Vec<Permit>,
    bound: Option<Bound>,
    /// Flows that are over: a copy of their check does not open them again.
    tombs: Tombs,
    refusals: Refusals,
    winfo_from: Instant,
}

/// Whom a key id belongs to, and the token that proves it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Key {
    peer: Aor,
    token: Box<str>,
    /// When the grace of its epoch is over, at the latest.
    until: Instant,
}

/// Who is heard.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Bound {
    flow: FlowId,
    peer: Aor,
    /// Whether it speaks back, by our permit.
    reply: bool,
    /// On which port of ours.
    port: u16,
    key_id: Box<str>,
    token: Box<str>,
    /// How long its credential can begin a flow; as long as it is lent if it speaks back.
    until: Option<Instant>,
    sid: u64,
    /// What it sends; a later change of the offer does not change this (R92).
    codec: Codec,
    from: SocketAddr,
    /// The checks it was asked with: who sends one again from elsewhere has not moved but copied.
    checks: BTreeSet<u128>,
    theirs: Info,
    ours: Info,
    heard_at: Instant,
}

/// A datagram that says it is a check, and where it came.
struct Visit<'a> {
    media: &'a str,
    /// The name of the flow, should it become one.
    fresh: FlowId,
    port: u16,
    from: SocketAddr,
    check: Check,
}

/// Whom a key id belongs to.
struct Claim {
    peer: Aor,
    token: Box<str>,
    until: Option<Instant>,
    permit: Option<Permit>,
}

/// How often strangers were answered in this second.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
struct Refusals {
    second: u32,
    all: u8,
    by: BTreeMap<IpAddr, u8>,
}

impl Door {
    /// `tombs` are those of the door that was here before.
    pub(super) fn open(
        now: Instant,
        offer: OpenOffer,
        allowed: &BTreeSet<Aor>,
        tombs: Tombs,
    ) -> Self {
        let mut door = Self {
            offer,
            before: None,
            keys: BTreeMap::new(),
            permits: Vec::new(),
            bound: None,
            tombs,
            refusals: Refusals::default(),
            winfo_from: Instant::default(),
        };
        door.know(now, allowed);
        door
    }

    /// The flows that are over, which the next door has to know too. Nobody is spoken to any more
    /// when a door closes, so no credential of a reply is lent.
    pub(super) fn into_tombs(mut self) -> Tombs {
        self.tombs.keep_replies(|_| false);
        self.tombs
    }

    /// Whether checks at this port of ours are for this door.
    pub(super) fn serves(&self, port: u16) -> bool {
        self.offer.port == port || self.permits.iter().any(|permit| permit.port == port)
    }

    pub(super) fn media(&self) -> &str {
        &self.offer.media
    }

    /// Whether nobody can come through.
    pub(super) fn is_idle(&self) -> bool {
        self.offer.secret.is_none() && self.permits.is_empty()
    }

    /// What stays open should the offer be withdrawn.
    pub(super) fn remainder(&self) -> Option<OpenOffer> {
        self.permits.first().map(private)
    }

    /// Where this peer speaks from, if it is heard.
    pub(super) fn heard_from(&self, peer: &Aor) -> Option<SocketAddr> {
        self.bound.as_ref().filter(|bound| bound.peer == *peer).map(|bound| bound.from)
    }

    /// How this peer may be answered, if it would hear.
    pub(super) fn back(&self, peer: &Aor) -> Option<Back> {
        let hears = |it: &&Bound| it.peer == *peer && it.theirs.receives && !it.reply;
        let bound = self.bound.as_ref().filter(hears)?;
        Some(Back {
            sid: bound.sid,
            to: bound.from,
            port: bound.port,
            key: ReplyKey::of(&bound.token, bound.sid),
            codec: bound.codec.clone(),
            srtp: bound.ours.srtp,
        })
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
        let media = offer.media.clone();
        let old = std::mem::replace(&mut self.offer, offer);
        let epoch = |offer: &OpenOffer| offer.secret.as_ref().map(|secret| secret.epoch);
        let withdrawn = self.offer.secret.is_none();
        let old_epoch = epoch(&old);
        if old_epoch != epoch(&self.offer) {
            let before = old.secret.filter(|_| !withdrawn);
            self.before = before.map(|secret| (secret, cx.now + GRACE));
            self.keys.clear();
            self.know(cx.now, allowed);
        }
        let moved = withdrawn || old.port != self.offer.port;
        match &self.bound {
            Some(bound) if moved && !bound.reply => {
                self.release(cx, &media, StopReason::Withdrawn, true)
            }
            // What was nobody's business is offered now, and taken.
            Some(_) if old_epoch.is_none() => vec![News::Occupied(media, true)],
            Some(_) | None => Vec::new(),
        }
    }

    /// Takes over who may speak back; who may not any more is not heard from this moment on.
    pub(super) fn permit(
        &mut self,
        cx: &mut Cx<'_>,
        media: &str,
        permits: Vec<Permit>,
    ) -> Vec<News> {
        self.permits = permits;
        let lent = |key_id: &str| self.permits.iter().any(|it| &*it.key.key_id == key_id);
        self.tombs.keep_replies(lent);
        let Some(bound) = self.bound.as_ref().filter(|bound| bound.reply) else {
            return Vec::new();
        };
        let why = match self.permits.iter().find(|it| it.key.key_id == bound.key_id) {
            Some(permit) if !permit.refused => return Vec::new(),
            Some(_) => StopReason::Refused,
            None => StopReason::Withdrawn,
        };
        self.release(cx, media, why, true)
    }

    /// Derives the keys of those who may be heard. Who may not any more keeps a key, so that it
    /// is refused and not taken for a stranger.
    pub(super) fn know(&mut self, now: Instant, allowed: &BTreeSet<Aor>) {
        self.keys.retain(|_, key| now < key.until);
        self.before.take_if(|(_, until)| *until <= now);
        let current = self.offer.secret.clone().map(|secret| (secret, self.offer.ends + GRACE));
        let secrets = current.into_iter().chain(self.before.clone());
        for (secret, until) in secrets.filter(|(_, until)| now < *until) {
            let offer = carrier(secret);
            for peer in allowed {
                let access = offer.access_for(peer, &self.offer.tuple, 0);
                let key = |token| Key { peer: peer.clone(), token, until };
                self.keys.extend(access.map(|access| (access.key_id, key(access.token))));
            }
        }
    }

    /// A check, whoever sent it. `None`: nothing follows from it but an answer.
    pub(super) fn on_check(
        &mut self,
        cx: &mut Cx<'_>,
        (media, fresh): (&str, FlowId),
        allowed: &BTreeSet<Aor>,
        (port, from): (u16, SocketAddr),
        bytes: &Bytes,
    ) -> Option<Vec<News>> {
        let check = Check::read(bytes)?;
        let visit = Visit { media, fresh, port, from, check };
        let Some(claim) = self.claim(cx.now, &visit.check) else {
            self.refuse_stranger(cx, &visit);
            return self.ask_winfo(cx.now);
        };
        if !Check::is_proven(bytes, &claim.token) {
            self.refuse_stranger(cx, &visit);
            return None;
        }
        self.tombs.purge(cx.now);
        if self.bound.as_ref().is_some_and(|bound| bound.is_copied(&visit)) {
            return None;
        }
        let may = match &claim.permit {
            Some(permit) => !permit.refused && permit.from == from,
            None => allowed.contains(&claim.peer),
        };
        let refusal = match self.codec_of(&visit, &claim) {
            _ if !may => Err(403),
            _ if self.tombs.holds(&visit.check.key_id, visit.check.sid) => Err(410),
            None => Err(488),
            Some(codec) => self.occupied(cx.now, &visit, &claim).map_or(Ok(codec), Err),
        };
        match refusal {
            Err(status) => {
                let bytes = visit.check.refuse(Some(&claim.token), status);
                cx.emit(Event::MediaPacket { port, to: from, bytes });
                None
            }
            Ok(codec) => self.bind(cx, &visit, claim, codec),
        }
    }

    /// Whose check this claims to be. The key of the flow that is heard counts as long as it is:
    /// should the presence agent be gone, its sender cannot learn a newer one (R87).
    fn claim(&self, now: Instant, check: &Check) -> Option<Claim> {
        if let Some(permit) = self.permits.iter().find(|it| it.key.key_id == check.key_id) {
            let (peer, token) = (permit.peer.clone(), permit.key.token.clone());
            return Some(Claim { peer, token, until: None, permit: Some(permit.clone()) });
        }
        let bound = self.bound.as_ref().filter(|bound| !bound.reply);
        let bound = bound.filter(|it| it.sid == check.sid && it.key_id == check.key_id);
        let of_bound = || {
            let Bound { peer, token, until, .. } = bound?;
            Some((peer.clone(), token.clone(), *until))
        };
        let key = self.keys.get(&check.key_id).filter(|key| now < key.until);
        let of_key = key.map(|key| (key.peer.clone(), key.token.clone(), Some(key.until)));
        let (peer, token, until) = of_key.or_else(of_bound)?;
        Some(Claim { peer, token, until, permit: None })
    }

    /// The codec that a check is about, if we would hear it.
    fn codec_of(&self, visit: &Visit<'_>, claim: &Claim) -> Option<Codec> {
        let check = &visit.check;
        let bound = self.bound.as_ref().filter(|bound| bound.sid == check.sid);
        let fits = |codec: &&Codec| match bound {
            Some(bound) => **codec == bound.codec,
            None => codec.pt == check.info.pt,
        };
        let codec = match &claim.permit {
            Some(permit) => Some(&permit.codec).filter(fits)?,
            None => self.offer.codecs.iter().find(fits)?,
        };
        (check.info.kind == kind_of(visit.media)).then(|| codec.clone())
    }

    /// 486 if the door is somebody else's, another flow of the same peer still speaks, the owner
    /// is busy otherwise, or the peer has begun too many flows in this epoch.
    fn occupied(&self, now: Instant, visit: &Visit<'_>, claim: &Claim) -> Option<u16> {
        let free = match &self.bound {
            Some(bound) if bound.sid == visit.check.sid => true,
            _ if self.tombs.is_full(&visit.check.key_id) => false,
            Some(bound) => {
                let quiet = now.since(bound.heard_at) >= QUIET;
                !self.offer.busy && bound.peer == claim.peer && quiet
            }
            None => !self.offer.busy,
        };
        (!free).then_some(486)
    }

    fn bind(
        &mut self,
        cx: &mut Cx<'_>,
        visit: &Visit<'_>,
        claim: Claim,
        codec: Codec,
    ) -> Option<Vec<News>> {
        let Visit { media, fresh, port, from, check } = visit;
        let news = match self.is_bound() {
            true => Vec::new(),
            false => vec![News::Occupied((*media).into(), true)],
        };
        if self.bound.as_ref().is_some_and(|bound| bound.sid != check.sid) {
            // The door stays taken, so there is no news.
            self.release(cx, media, StopReason::Peer, false);
        }
        let was = self.bound.as_ref().map(|bound| bound.from);
        // The answer is proven as the question was; keys of media stay what they were.
        let token = claim.token.clone();
        let mut bound = match self.bound.take() {
            Some(bound) => Bound { from: *from, heard_at: cx.now, ..bound },
            None => {
                let srtp = claim.permit.as_ref().map_or(self.offer.srtp, |permit| permit.srtp);
                let ours = Info {
                    receives: false,
                    srtp: srtp && check.info.srtp,
                    ssrc: (cx.draw() >> 32) as u32,
                    nonce: cx.draw().to_be_bytes(),
                    ..check.info
                };
                Bound {
                    flow: *fresh,
                    peer: claim.peer,
                    reply: claim.permit.is_some(),
                    port: *port,
                    key_id: check.key_id.clone(),
                    token: claim.token,
                    until: claim.until,
                    sid: check.sid,
                    codec,
                    from: *from,
                    checks: BTreeSet::new(),
                    theirs: check.info,
                    ours,
                    heard_at: cx.now,
                }
            }
        };
        if bound.checks.len() < MOST_CHECKS {
            bound.checks.insert(check.transaction);
        }
        let bytes = check.accept(&token, *from, bound.ours);
        cx.emit(Event::MediaPacket { port: *port, to: *from, bytes });
        cx.arm(Timer::Flow(bound.flow, Alarm::Quiet), cx.now + EXPIRY);
        let moved = was != Some(*from);
        if moved {
            announce(cx, media, &bound);
        }
        self.bound = Some(bound);
        moved.then_some(news)
    }

    /// Strangers hear 401, and only so often; whoever knows no key costs no more than a look.
    fn refuse_stranger(&mut self, cx: &mut Cx<'_>, visit: &Visit<'_>) {
        let (port, to) = (visit.port, visit.from);
        if self.refusals.allows(cx.now, to.ip()) {
            let bytes = visit.check.refuse(None, 401);
            cx.emit(Event::MediaPacket { port, to, bytes });
        }
    }

    /// Who has a key that we do not know may be a watcher that we do not know yet.
    fn ask_winfo(&mut self, now: Instant) -> Option<Vec<News>> {
        if self.winfo_from > now || self.offer.secret.is_none() {
            return None;
        }
        self.winfo_from = now + WINFO_GAP;
        Some(vec![News::AskWinfo])
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
            Some(bound) if !bound.reply && !allowed.contains(&bound.peer) => {
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
        self.tombs.bury(cx.now, &bound.key_id, bound.sid, bound.until);
        let Bound { flow, peer, token, sid, from, theirs, ours, .. } = &bound;
        if bye {
            let keys = srtp_keys(token, *sid, theirs.nonce, ours.nonce);
            let keys = ours.srtp.then_some((keys.1, keys.0));
            let (port, to, ssrc) = (bound.port, *from, ours.ssrc);
            cx.emit(Event::MediaBye { port, to, ssrc, keys });
        }
        Told { flow: *flow, peer, media, way: Way::In }.stopped(cx, why);
        vec![News::Occupied(media.into(), false)]
    }
}

impl Bound {
    /// Whether this is a check of this flow that somebody sends again from elsewhere. A sender
    /// whose address has changed asks anew, with a transaction of its own (RFC 8489 §5).
    fn is_copied(&self, visit: &Visit<'_>) -> bool {
        let known = self.checks.contains(&visit.check.transaction);
        let full = self.checks.len() >= MOST_CHECKS;
        self.sid == visit.check.sid && self.from != visit.from && (known || full)
    }
}

fn announce(cx: &mut Cx<'_>, media: &str, bound: &Bound) {
    let Bound { theirs, ours, .. } = bound;
    let keys = srtp_keys(&bound.token, bound.sid, theirs.nonce, ours.nonce);
    let stream = DirectStream {
        port: bound.port,
        remote: bound.from,
        codec: bound.codec.clone(),
        ssrc: ours.ssrc,
        remote_ssrc: theirs.ssrc,
        // Ours to send with is what the receiver of a flow answers with.
        keys: ours.srtp.then_some((keys.1, keys.0)),
        budget: None,
    };
    let told = Told { flow: bound.flow, peer: &bound.peer, media, way: Way::In };
    told.emit(cx, FlowPhase::Streaming, Some(stream));
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
