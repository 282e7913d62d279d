//! The paper's own form (`paper` profile, behaviour §6.10): what a tuple says is enough to speak.
//! Nothing is asked before, nothing is authenticated and nothing encrypted, so it is for closed
//! networks. Contacts are marked for it one by one, nobody is by default ([`DirectPolicy::paper`]).
//!
//! How §6.10 and §6.11 agree:
//!
//! * An offer of a marked contact *without* access has no credential, so there is nothing to
//!   check, and media leaves at once (no round trip, §6.11). The same offer of anybody else is
//!   `off` (X3).
//! * An offer of a marked contact *with* access is checked as any other. Only if nobody answers
//!   in time, media leaves without (§6.10), where others fall back to INVITE.
//! * Who publishes offers without a secret ([`DirectPolicy::paper_offers`]) hears marked contacts
//!   that its own list allows (X15), from the hosts that their presence documents name just now,
//!   and nobody else. A host that two of them name is nobody's, unless the port tells whose it is.
//!   As M22 has it a door hears one at a time: the first SSRC that comes from such a host, at that
//!   address. When the contact is blocked or not marked any more, or its documents do not name
//!   that host any more, it is not heard from that moment on.
//!
//! This file is the receiver; `sending/paper.rs` is the sender.
//!
//! [`DirectPolicy::paper`]: super::super::DirectPolicy::paper
//! [`DirectPolicy::paper_offers`]: super::super::DirectPolicy::paper_offers

use super::*;
use crate::body::pidf::{Basic, Candidate, Tuple};
use std::net::IpAddr;

/// K17: how long a stream that is over stays so. It goes on as long as the stream does.
const OVER: Duration = Duration::from_secs(64);
/// Most streams of a door that are remembered as over; the ones longest silent are forgotten.
const MOST_OVER: usize = 64;
/// Most contacts that are marked, or not any more, while the agent runs.
const MOST_MARKS: usize = 1024;

/// Where somebody can be, as its presence documents say.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct Places {
    /// Hosts of its contacts and candidates.
    hosts: BTreeSet<IpAddr>,
    /// Its candidates, from whose ports it speaks, too (X8).
    ports: BTreeSet<SocketAddr>,
}

/// RTP of no flow, at one of our ports.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Knock {
    pub(crate) port: u16,
    pub(crate) from: SocketAddr,
    pub(crate) ssrc: u32,
    pub(crate) pt: u8,
}

/// A port on which we listen in the paper's form.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct PaperDoor {
    offer: OpenOffer,
    /// Who would be heard, and from where.
    guests: BTreeMap<Aor, Places>,
    bound: Option<Bound>,
    /// Streams that are over, and until when.
    over: BTreeMap<(SocketAddr, u32), Instant>,
    /// The hosts that the port was told.
    welcome: BTreeSet<IpAddr>,
}

/// Who is heard.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Bound {
    flow: FlowId,
    peer: Aor,
    from: SocketAddr,
    ssrc: u32,
    /// The SSRC of our reports.
    ours: u32,
    heard_at: Instant,
}

impl Places {
    /// What open tuples say: the hosts of their contacts, and their candidates.
    pub(crate) fn of<'a>(tuples: impl Iterator<Item = &'a Tuple>) -> Self {
        let mut places = Self::default();
        for tuple in tuples.filter(|tuple| tuple.basic == Some(Basic::Open)) {
            places.hosts.extend(tuple.contact_address());
            let candidates = tuple.offer.iter().flat_map(|offer| &offer.candidates);
            places.ports.extend(candidates.filter_map(Candidate::address));
        }
        places.hosts.extend(places.ports.iter().map(SocketAddr::ip));
        places
    }
}

impl Cx<'_> {
    /// Whether media goes with this contact as the paper has it.
    pub(crate) fn is_marked(&self, peer: &Aor) -> bool {
        let since = self.core.marks.get(peer).copied();
        since.unwrap_or_else(|| self.config.direct.paper.contains(peer))
    }

    /// The user marks somebody, or takes the mark back.
    pub(crate) fn mark(&mut self, peer: Aor, paper: bool) {
        if self.core.marks.len() >= MOST_MARKS && !self.core.marks.contains_key(&peer) {
            return self.complain("paper", "too many contacts are marked already");
        }
        self.core.marks.insert(peer, paper);
    }
}

impl Direct {
    /// Level-triggered: where we listen in the paper's form, and whom we would hear there;
    /// `places` knows where somebody is.
    pub(crate) fn offer_plainly(
        &mut self,
        cx: &mut Cx<'_>,
        open: Vec<OpenOffer>,
        places: impl Fn(&Aor) -> Places,
    ) -> Vec<News> {
        let mut news = Vec::new();
        if open.is_empty() && self.paper.is_empty() {
            return news;
        }
        let marked = self.allowed.iter().filter(|peer| cx.is_marked(peer));
        let guests: BTreeMap<Aor, Places> = marked.map(|it| (it.clone(), places(it))).collect();
        let stays = |media: &str, port: u16| {
            open.iter().any(|offer| &*offer.media == media && offer.port == port)
        };
        let gone = self.paper.iter().filter(|(media, door)| !stays(media, door.offer.port));
        for media in gone.map(|(media, _)| media.clone()).collect::<Vec<_>>() {
            if let Some(mut door) = self.paper.remove(&media) {
                news.extend(door.close(cx, &media));
            }
        }
        for offer in open {
            let media = offer.media.clone();
            let door = self.paper.entry(media.clone()).or_insert_with(|| PaperDoor::new(&offer));
            door.offer = offer;
            news.extend(door.admit(cx, &media, guests.clone()));
        }
        news
    }

    /// Somebody speaks at one of our ports, from a host that is welcome there.
    pub(crate) fn on_knock(&mut self, cx: &mut Cx<'_>, knock: Knock) -> Vec<News> {
        let flow = FlowId(self.named + 1);
        let mut doors = self.paper.iter_mut();
        let Some((media, door)) = doors.find(|(_, door)| door.offer.port == knock.port) else {
            return Vec::new();
        };
        let news = door.on_knock(cx, (media, flow), knock);
        self.named += u64::from(door.is_flow(flow));
        news
    }
}

#[cfg(test)]
impl Direct {
    /// The name of the state of the only door, for tables.
    pub(super) fn paper_name(&self) -> &'static str {
        match self.paper.values().any(PaperDoor::is_bound) {
            true => "Bound",
            false => "Listening",
        }
    }
}

impl PaperDoor {
    fn new(offer: &OpenOffer) -> Self {
        Self {
            offer: offer.clone(),
            guests: BTreeMap::new(),
            bound: None,
            over: BTreeMap::new(),
            welcome: BTreeSet::new(),
        }
    }

    pub(super) fn is_bound(&self) -> bool {
        self.bound.is_some()
    }

    pub(super) fn is_flow(&self, id: FlowId) -> bool {
        self.bound.as_ref().is_some_and(|bound| bound.flow == id)
    }

    /// Takes over who may be heard; who may not any more is not heard from this moment on (P27).
    fn admit(&mut self, cx: &mut Cx<'_>, media: &str, guests: BTreeMap<Aor, Places>) -> Vec<News> {
        self.guests = guests;
        self.invite(cx);
        let is_guest = |bound: &Bound| {
            let places = self.guests.get(&bound.peer);
            places.is_some_and(|places| places.hosts.contains(&bound.from.ip()))
        };
        match &self.bound {
            Some(bound) if !is_guest(bound) => self.release(cx, media, StopReason::Refused, true),
            Some(_) | None => Vec::new(),
        }
    }

    /// Tells the port from where a knock is worth a look.
    fn invite(&mut self, cx: &mut Cx<'_>) {
        let hosts = self.guests.values().filter(|_| !self.offer.busy);
        let welcome: BTreeSet<IpAddr> = hosts.flat_map(|places| places.hosts.clone()).collect();
        if welcome != self.welcome {
            self.welcome.clone_from(&welcome);
            cx.emit(Event::MediaWelcome { port: self.offer.port, from: welcome });
        }
    }

    /// Nobody is heard here any more.
    pub(super) fn close(&mut self, cx: &mut Cx<'_>, media: &str) -> Vec<News> {
        self.guests.clear();
        self.invite(cx);
        self.release(cx, media, StopReason::Withdrawn, true)
    }

    /// Whose an address is: a candidate's owner, or else the only one at that host.
    fn whose(&self, from: SocketAddr) -> Option<&Aor> {
        let only = |has: &dyn Fn(&Places) -> bool| {
            let mut found = self.guests.iter().filter(|(_, places)| has(places));
            let first = found.next().map(|(peer, _)| peer);
            (first, found.next().is_some())
        };
        match only(&|places| places.ports.contains(&from)) {
            (Some(peer), more) => Some(peer).filter(|_| !more),
            (None, _) => {
                let (peer, more) = only(&|places| places.hosts.contains(&from.ip()));
                peer.filter(|_| !more)
            }
        }
    }

    fn on_knock(
        &mut self,
        cx: &mut Cx<'_>,
        (media, flow): (&str, FlowId),
        knock: Knock,
    ) -> Vec<News> {
        let Knock { port, from, ssrc, pt } = knock;
        self.over.retain(|_, until| cx.now < *until);
        if let Some(until) = self.over.get_mut(&(from, ssrc)) {
            *until = cx.now + OVER;
            return Vec::new();
        }
        let codec = self.offer.codecs.iter().find(|codec| codec.pt == pt).cloned();
        let peer = self.whose(from).filter(|_| !self.offer.busy).cloned();
        let (Some(codec), Some(peer)) = (codec, peer) else { return Vec::new() };
        match &self.bound {
            Some(bound) if bound.peer != peer || cx.now.since(bound.heard_at) < QUIET => {
                return Vec::new();
            }
            // Another stream of the same peer; the door stays taken, so there is no news.
            Some(_) => drop(self.release(cx, media, StopReason::Peer, false)),
            None => {}
        }
        let ours = (cx.draw() >> 32) as u32;
        let told = Told { flow, peer: &peer, media, way: Way::In };
        let (remote, keys, budget) = (from, None, None);
        let stream =
            DirectStream { port, remote, codec, ssrc: ours, remote_ssrc: ssrc, keys, budget };
        told.emit(cx, FlowPhase::Streaming, Some(stream));
        cx.arm(Timer::Flow(flow, Alarm::Quiet), cx.now + EXPIRY);
        self.bound = Some(Bound { flow, peer, from, ssrc, ours, heard_at: cx.now });
        vec![News::Occupied(media.into(), true)]
    }

    pub(super) fn on_heard(&mut self, cx: &mut Cx<'_>) {
        if let Some(bound) = &mut self.bound {
            bound.heard_at = cx.now;
            cx.arm(Timer::Flow(bound.flow, Alarm::Quiet), cx.now + EXPIRY);
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
        let Bound { flow, peer, from, ssrc, ours, .. } = bound;
        self.bury(cx.now, (from, ssrc));
        if bye {
            cx.emit(Event::MediaBye { port: self.offer.port, to: from, ssrc: ours, keys: None });
        }
        Told { flow, peer: &peer, media, way: Way::In }.stopped(cx, why);
        vec![News::Occupied(media.into(), false)]
    }

    /// A stream that is over does not come back by going on.
    fn bury(&mut self, now: Instant, stream: (SocketAddr, u32)) {
        if self.over.len() >= MOST_OVER {
            let oldest = self.over.iter().min_by_key(|(_, until)| **until).map(|(key, _)| *key);
            oldest.map(|key| self.over.remove(&key));
        }
        self.over.insert(stream, now + OVER);
    }
}
