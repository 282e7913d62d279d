//! Offers of others, as our subscriptions showed them (M23; behaviour §6.3).
//!
//! An offer lives no longer than the subscription and the access it came with. Whether an address
//! can be reached is not this file's business.

use super::Event;
use super::cx::{Cx, Timer};
use crate::body::pidf::{Basic, Candidate, Mode, Offer, Pidf, Tuple};
use crate::message::{Aor, Host, Uri};
use crate::time::Instant;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

/// How long an offer at which nobody answered is not believed (M23).
const SUSPICION: Duration = Duration::from_secs(60);
/// Most offers kept of one presentity.
const OFFERS: usize = 64;

/// One offer we know.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Known {
    pub(crate) offer: Offer,
    /// What X3 leaves of the mode.
    pub(crate) mode: Mode,
    pub(crate) address: Option<Box<str>>,
    /// Its access has run out. No new flow can begin, but one that streams does not end by it:
    /// consent is end to end (R87).
    pub(crate) over: bool,
    pub(crate) arrived: Instant,
}

/// The offer cache: by presentity and tuple.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct Offers {
    known: BTreeMap<(Aor, Box<str>), Known>,
}

impl Offers {
    /// Takes over the document of an active subscription.
    pub(crate) fn take(&mut self, cx: &mut Cx<'_>, aor: &Aor, document: &Pidf) {
        let with_offer = document.tuples.iter().filter(|tuple| tuple.offer.is_some());
        let open = with_offer.filter(|tuple| tuple.basic == Some(Basic::Open)).take(OFFERS);
        let shown: BTreeMap<&str, &Tuple> = open.map(|tuple| (&*tuple.id, tuple)).collect();
        self.drop_others(cx, aor, &shown.keys().copied().collect());
        for tuple in shown.values() {
            self.learn(cx, aor, tuple);
        }
    }

    /// The subscription that showed them is gone, or pending again: so are they.
    pub(crate) fn lose(&mut self, cx: &mut Cx<'_>, aor: &Aor) {
        self.drop_others(cx, aor, &BTreeSet::new());
    }

    /// The access of an offer is over.
    pub(crate) fn on_expiry(&mut self, cx: &mut Cx<'_>, aor: Aor, tuple: Box<str>) {
        let key = (aor, tuple);
        cx.stop(&Timer::Suspect(key.0.clone(), key.1.clone()));
        if let Some(known) = self.known.get_mut(&key) {
            (known.mode, known.over) = (Mode::Off, true);
            cx.emit(known.event(&key, None));
        }
    }

    /// The offer in one tuple of somebody.
    pub(crate) fn get(&self, aor: &Aor, tuple: &str) -> Option<&Known> {
        self.known.get(&(aor.clone(), tuple.into()))
    }

    /// The first offer of somebody that is ready for this media kind, and its tuple.
    pub(crate) fn ready(&self, aor: &Aor, media: &str) -> Option<(&str, &Known)> {
        let of_aor = self.known.range((aor.clone(), "".into())..);
        let mut of_aor = of_aor.take_while(|((owner, _), _)| owner == aor);
        let found = of_aor.find(|(_, one)| one.mode == Mode::Ready && &*one.offer.media == media);
        found.map(|((_, tuple), known)| (&**tuple, known))
    }

    /// Nobody answered there: for a while it is not ready for us (M23).
    pub(crate) fn suspect(&mut self, cx: &mut Cx<'_>, aor: Aor, tuple: Box<str>) {
        let key = (aor, tuple);
        let Some(known) = self.known.get_mut(&key) else { return };
        if known.mode == Mode::Ready {
            known.mode = Mode::Off;
            cx.emit(known.event(&key, Some(known.mode)));
            cx.arm(Timer::Suspect(key.0, key.1), cx.now + SUSPICION);
        }
    }

    /// The suspicion is old: the offer is what it says again.
    pub(crate) fn trust(&mut self, cx: &mut Cx<'_>, aor: Aor, tuple: Box<str>) {
        let key = (aor, tuple);
        let Some(known) = self.known.get_mut(&key) else { return };
        let mode = known.believed(cx.is_marked(&key.0));
        if std::mem::replace(&mut known.mode, mode) != mode {
            cx.emit(known.event(&key, Some(mode)));
        }
    }

    /// Somebody was marked for the paper's form, or is not any more: what that makes of its offers.
    pub(crate) fn reconsider(&mut self, cx: &mut Cx<'_>, aor: &Aor) {
        let marked = cx.is_marked(aor);
        let of_aor =
            self.known.iter_mut().filter(|((owner, _), known)| owner == aor && !known.over);
        for (key, known) in of_aor {
            let suspected = cx.core.timers.at(&Timer::Suspect(key.0.clone(), key.1.clone()));
            let mode = if suspected.is_some() { Mode::Off } else { known.believed(marked) };
            if std::mem::replace(&mut known.mode, mode) != mode {
                cx.emit(known.event(key, Some(mode)));
            }
        }
    }

    /// Every offer we could use.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Aor, &str, &Known)> {
        let usable = self.known.iter().filter(|(_, known)| !known.over);
        usable.map(|((aor, tuple), known)| (aor, &**tuple, known))
    }

    /// How many offers we could use.
    pub(crate) fn len(&self) -> usize {
        self.iter().count()
    }

    fn learn(&mut self, cx: &mut Cx<'_>, aor: &Aor, tuple: &Tuple) {
        let Some(offer) = &tuple.offer else { return };
        let key = (aor.clone(), tuple.id.clone());
        if self.known.get(&key).is_some_and(|known| known.is_newer_than(offer)) {
            return;
        }
        let mut new = Known::of(tuple, offer, cx.now, cx.is_marked(aor));
        let suspicion = Timer::Suspect(key.0.clone(), key.1.clone());
        let old = self.known.get(&key);
        if cx.core.timers.at(&suspicion).is_some() {
            match old.is_some_and(|old| old.offer.seq == offer.seq) {
                // The same offer again says nothing about whether anybody is there.
                true => new.mode = Mode::Off,
                false => cx.stop(&suspicion),
            }
        }
        let ends = offer.access.as_ref().map(|access| access.expires);
        arm_access(cx, &key, cx.now, ends);
        let old = self.known.insert(key.clone(), new.clone());
        if old.as_ref().is_none_or(|old| !old.looks_like(&new)) {
            cx.emit(new.event(&key, Some(new.mode)));
        }
    }

    fn drop_others(&mut self, cx: &mut Cx<'_>, aor: &Aor, stay: &BTreeSet<&str>) {
        let from = (aor.clone(), "".into());
        let of_aor = self.known.range(from..).take_while(|((owner, _), _)| owner == aor);
        let gone: Vec<_> = of_aor
            .map(|(key, _)| key.clone())
            .filter(|(_, tuple)| !stay.contains(&**tuple))
            .collect();
        for key in &gone {
            self.remove(cx, key);
        }
    }

    fn remove(&mut self, cx: &mut Cx<'_>, key: &(Aor, Box<str>)) {
        cx.stop(&Timer::Access(key.0.clone(), key.1.clone()));
        cx.stop(&Timer::Suspect(key.0.clone(), key.1.clone()));
        if let Some(known) = self.known.remove(key).filter(|known| !known.over) {
            cx.emit(known.event(key, None));
        }
    }
}

impl Known {
    fn of(tuple: &Tuple, offer: &Offer, arrived: Instant, marked: bool) -> Self {
        let (offer, address) = (offer.clone(), address(tuple, offer));
        let known = Self { offer, mode: Mode::Off, address, over: false, arrived };
        Self { mode: known.believed(marked), ..known }
    }

    /// X3: what lacks a part of `ready` is no offer to use now. Access is none of these parts if
    /// its owner is `marked` for the paper's form, which has none.
    fn believed(&self, marked: bool) -> Mode {
        let access = self.offer.access.is_some() || marked;
        let usable = self.address.is_some() && access && !self.offer.codecs.is_empty();
        if usable { self.offer.mode } else { Mode::Off }
    }

    /// Where the offer can be reached, in the owner's order.
    pub(crate) fn addresses(&self) -> Vec<SocketAddr> {
        let named = self.offer.candidates.iter().filter_map(Candidate::address);
        let named: Vec<SocketAddr> = named.collect();
        match named.is_empty() {
            true => self.address.iter().filter_map(|text| text.parse().ok()).collect(),
            false => named,
        }
    }

    fn epoch(&self) -> Option<u32> {
        epoch(&self.offer)
    }

    /// A lower `seq` with the same epoch is old news (§6.3).
    fn is_newer_than(&self, offer: &Offer) -> bool {
        self.epoch() == epoch(offer) && offer.seq < self.offer.seq
    }

    /// Whether the user would see no difference; access and timestamps are not shown.
    fn looks_like(&self, other: &Self) -> bool {
        let (mine, theirs) = (&self.offer, &other.offer);
        self.mode == other.mode
            && self.over == other.over
            && self.address == other.address
            && mine.media == theirs.media
            && mine.codecs == theirs.codecs
    }

    fn event(&self, key: &(Aor, Box<str>), mode: Option<Mode>) -> Event {
        Event::Offer {
            aor: key.0.clone(),
            tuple: key.1.clone(),
            media: self.offer.media.clone(),
            address: self.address.clone().filter(|_| mode.is_some()),
            codecs: self.offer.codecs.iter().map(|codec| codec.rtpmap.clone()).collect(),
            mode,
        }
    }
}

fn epoch(offer: &Offer) -> Option<u32> {
    offer.access.as_ref().map(|access| access.epoch)
}

/// R54: only relative seconds are exchanged; the access ends by our clock.
fn arm_access(cx: &mut Cx<'_>, key: &(Aor, Box<str>), now: Instant, seconds: Option<u32>) {
    let timer = Timer::Access(key.0.clone(), key.1.clone());
    match seconds {
        Some(seconds) => cx.arm(timer, now + Duration::from_secs(seconds.into())),
        None => cx.stop(&timer),
    }
}

/// The first candidate, else the host of the contact if that is an address (§6.3).
fn address(tuple: &Tuple, offer: &Offer) -> Option<Box<str>> {
    if let Some(candidate) = offer.candidates.first() {
        let (addr, port) = (&candidate.addr, candidate.port);
        let text =
            if addr.contains(':') { format!("[{addr}]:{port}") } else { format!("{addr}:{port}") };
        return Some(text.into());
    }
    match Uri::parse(tuple.contact.as_deref()?).ok()?.host {
        Host::Ip(ip) => Some(SocketAddr::new(ip, offer.port).to_string().into()),
        Host::Name(_) => None,
    }
}
