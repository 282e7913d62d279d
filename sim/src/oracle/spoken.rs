//! Where media goes, by whose word, and what it is: P28, P29, P30.

use super::evidence::{Evidence, Origin};
use super::media::{Call, Kind, Packet, Stretch};
use crate::plan::{Act, DeviceName};
use crate::record::What;
use presently_engine::agent::wire::Reply;
use presently_engine::agent::{Event, FlowPhase, Way};
use presently_engine::body::pidf::Pidf;
use presently_engine::body::sdp::Description;
use presently_engine::message::Method;
use std::collections::BTreeMap;
use std::net::SocketAddr;

type Found = Vec<(u64, String)>;

/// How long an answer lets media go somewhere (K14), and the millisecond in which that ends.
const CONSENT_MS: u64 = 30_000 + 1;

/// A flow: from where, to where, and its SSRC, which its checks announce.
type Flow = (SocketAddr, SocketAddr, u32);

/// When the other side proved that it wants to hear a flow.
fn consents(evidence: &Evidence<'_>) -> BTreeMap<Flow, Vec<u64>> {
    let mut tokens: BTreeMap<Box<str>, Box<str>> = BTreeMap::new();
    for notify in evidence.notifies.iter().filter(|notify| !notify.winfo) {
        let Ok(document) = Pidf::parse(&notify.body) else { continue };
        let offers = document.tuples.into_iter().filter_map(|tuple| tuple.offer?.access);
        tokens.extend(offers.map(|access| (access.key_id, access.token)));
    }
    let mut asked = BTreeMap::new();
    let mut consents: BTreeMap<Flow, Vec<u64>> = BTreeMap::new();
    for packet in &evidence.media.packets {
        match &packet.kind {
            Kind::Check(check) => {
                asked.insert((packet.from, packet.to, check.transaction), check);
            }
            Kind::Answer(transaction) => {
                let asked = asked.get(&(packet.to, packet.from, *transaction));
                let (Some(check), Some(arrived)) = (asked, packet.arrived_ms) else { continue };
                // Who answers a flow with its own credential has no token that was on the wire.
                let token = tokens.get(&check.key_id).map_or("", |token| token);
                let Some(reply) = Reply::read(packet.bytes, token) else { continue };
                if reply.outcome.is_ok() && (reply.proven || check.key_id.starts_with('r')) {
                    let flow = (packet.to, packet.from, check.info.ssrc);
                    consents.entry(flow).or_default().push(arrived);
                }
            }
            Kind::Media(..) | Kind::Control => {}
        }
    }
    consents
}

/// When a description arrived at a device that names an address.
fn described<'a>(evidence: &'a Evidence<'_>) -> BTreeMap<(&'a DeviceName, SocketAddr), u64> {
    let mut described = BTreeMap::new();
    for letter in evidence.letters.iter().filter(|letter| letter.origin == Origin::Server) {
        let (Some(device), Some(arrived)) = (evidence.device(letter.to), letter.arrived_ms) else {
            continue;
        };
        for (address, _) in addresses(&letter.message.headers().body()) {
            let first = described.entry((device, address)).or_insert(arrived);
            *first = arrived.min(*first);
        }
    }
    described
}

/// Where a session description wants its streams, and in which formats.
fn addresses(body: &[u8]) -> Vec<(SocketAddr, Vec<u8>)> {
    let Ok(description) = Description::parse(body) else { return Vec::new() };
    let streams = description.streams.into_iter().filter(|stream| stream.port != 0);
    let named = streams.filter_map(|stream| {
        let formats = stream.codecs.iter().map(|codec| codec.pt).collect();
        Some((SocketAddr::new(stream.address?, stream.port), formats))
    });
    named.collect()
}

/// P28: media goes nowhere but where its sender was told that it may, and there only while the
/// other side says so: by its answer to a check, by its description in a call. Where the user has
/// marked somebody for the paper's form, the tuple says so.
pub(super) fn only_where_somebody_agreed(evidence: &Evidence<'_>) -> Found {
    let (consents, described) = (consents(evidence), described(evidence));
    let mut early: BTreeMap<(SocketAddr, SocketAddr, u64), u64> = BTreeMap::new();
    let mut found = Vec::new();
    for (packet, _, ssrc, device) in evidence.media.spoken() {
        let Packet { at_ms, from, to, .. } = *packet;
        let mut stretches = evidence.media.at(device, packet).peekable();
        if stretches.peek().is_none() {
            found.push((at_ms, format!("{device} speaks to {to}, and was never told to")));
            continue;
        }
        let mut validated = |stretch: &Stretch<'_>| match (stretch.way, stretch.budget) {
            (None, _) => described.get(&(device, to)).is_some_and(|since| *since <= at_ms),
            (Some(Way::Out), None) => {
                let times = consents.get(&(from, to, ssrc)).map_or(&[][..], |times| times);
                // Who stood still does not notice that time passes.
                let odd = evidence.lives.clock_is_odd();
                times.iter().any(|time| *time <= at_ms && (odd || at_ms <= time + CONSENT_MS))
                    || super::paper::may_speak(evidence, stretch, packet)
            }
            (Some(Way::Out), Some(budget)) => {
                let sent = early.entry((from, to, stretch.from_ms)).or_default();
                *sent += 1;
                *sent <= u64::from(budget)
            }
            // Nobody speaks by what comes in; that is P29.
            (Some(Way::In), _) => true,
        };
        if !stretches.any(&mut validated) {
            found.push((at_ms, format!("{device} speaks to {to}, which did not agree")));
        }
    }
    found
}

/// What a device was ordered to do, by the first word of the order.
struct Words<'a>(BTreeMap<&'a DeviceName, Vec<(u64, &'a str)>>);

impl<'a> Words<'a> {
    fn of(evidence: &'a Evidence<'_>) -> Self {
        let mut words: BTreeMap<&DeviceName, Vec<_>> = BTreeMap::new();
        for step in &evidence.plan.steps {
            if let Act::Order(device, line) = &step.act {
                words.entry(device).or_default().push((step.at_ms, &**line));
            }
        }
        Self(words)
    }

    /// Whether a device was ordered so in a time: one of these words, about this user.
    fn said(
        &self,
        device: &DeviceName,
        verbs: &[&str],
        about: &str,
        from: u64,
        until: u64,
    ) -> bool {
        let said = self.0.get(device).map_or(&[][..], |said| said);
        said.iter().any(|(at_ms, line)| {
            let mut words = line.split_whitespace();
            let verb = words.next().unwrap_or_default();
            let whom = words.next().map(super::lives::user_of);
            (from..=until).contains(at_ms)
                && verbs.contains(&verb)
                && (verb == "answer" || whom.as_deref() == Some(about))
        })
    }
}

/// P29: nothing is recorded and sent because something came; a user speaks by an order of its own
/// in this life of the device.
pub(super) fn only_at_a_word_of_the_user(evidence: &Evidence<'_>) -> Found {
    let words = Words::of(evidence);
    let mut found = Vec::new();
    for (packet, _, _, device) in evidence.media.spoken() {
        let mut stretches = evidence.media.at(device, packet).peekable();
        if stretches.peek().is_some() && !stretches.any(|stretch| stretch.sends) {
            let what = format!("{device} speaks to {} while it only hears", packet.to);
            found.push((packet.at_ms, what));
        }
    }
    for entry in &evidence.record.entries {
        let What::Stream { device, name, played: false } = &entry.what else { continue };
        let mut heard = evidence.media.incoming();
        if heard.any(|one| one.device == device && one.id == *name && one.covers(entry.at_ms)) {
            found.push((entry.at_ms, format!("{device} speaks in {name:?}, which comes in")));
        }
    }
    let begun_ms = |device, at_ms| evidence.lives.of(device, at_ms).map_or(0, |life| life.from_ms);
    let flows = evidence.media.stretches.iter().filter(|one| one.way == Some(Way::Out));
    for Stretch { device, peer, from_ms, .. } in flows {
        if !words.said(device, &["direct"], peer, begun_ms(*device, *from_ms), *from_ms) {
            found.push((*from_ms, format!("{device} speaks to {peer}, and nobody wants it to")));
        }
    }
    for Call { device, peer, incoming, begun_ms: rang, up_ms, .. } in &evidence.media.calls {
        let Some(up) = up_ms else { continue };
        let wanted = match incoming {
            true => words.said(device, &["answer"], peer, *rang, *up),
            false => {
                words.said(device, &["call"], peer, begun_ms(*device, *rang), *rang)
                    || falls_back(evidence, device, peer, *rang)
            }
        };
        if !wanted {
            found.push((*up, format!("{device} is in a call with {peer}, and nobody wants it")));
        }
    }
    found
}

/// Whether a call takes the place of a flow that did not come up (behaviour §6.10).
fn falls_back(evidence: &Evidence<'_>, device: &DeviceName, whom: &str, at_ms: u64) -> bool {
    let mut told = evidence.told_since(device, at_ms).take_while(|(when, _)| *when == at_ms);
    told.any(|(_, event)| {
        matches!(event, Event::Flow { peer, way: Way::Out, phase: FlowPhase::Stopped, .. }
            if peer.user() == whom)
    })
}

/// When which payload types were offered to be heard at an address.
fn offered(evidence: &Evidence<'_>) -> BTreeMap<SocketAddr, Vec<(u64, Vec<u8>)>> {
    let mut offered: BTreeMap<SocketAddr, Vec<_>> = BTreeMap::new();
    for letter in evidence.letters.iter().filter(|letter| letter.origin == Origin::Device) {
        let body = letter.message.headers().body();
        let published = letter.request().is_some_and(|one| one.method() == Method::Publish);
        let named = match Pidf::parse(&body) {
            Ok(document) if published => places(&document),
            Ok(_) | Err(_) => addresses(&body),
        };
        for (address, formats) in named {
            offered.entry(address).or_default().push((letter.at_ms, formats));
        }
    }
    // Who would hear the one it speaks to hears it as it speaks itself (X13).
    for packet in &evidence.media.packets {
        if let Kind::Check(check) = &packet.kind
            && check.info.receives
        {
            offered.entry(packet.from).or_default().push((packet.at_ms, vec![check.info.pt]));
        }
    }
    offered
}

/// Where the offers of a document can be reached, and in which formats.
fn places(document: &Pidf) -> Vec<(SocketAddr, Vec<u8>)> {
    let offers = document.tuples.iter().filter_map(|tuple| tuple.offer.as_ref());
    let places = offers.flat_map(|offer| {
        let formats: Vec<u8> = offer.codecs.iter().map(|codec| codec.pt).collect();
        offer.candidates.iter().filter_map(move |candidate| {
            let address = SocketAddr::new(candidate.addr.parse().ok()?, candidate.port);
            Some((address, formats.clone()))
        })
    });
    places.collect()
}

/// P30: what is sent has a payload type of the receiver's offer or description, and in a direct
/// flow the one that its checks said.
pub(super) fn only_what_was_offered(evidence: &Evidence<'_>) -> Found {
    let offered = offered(evidence);
    let mut checked: BTreeMap<Flow, u8> = BTreeMap::new();
    let mut found = Vec::new();
    for packet in &evidence.media.packets {
        match &packet.kind {
            Kind::Check(check) => {
                checked.insert((packet.from, packet.to, check.info.ssrc), check.info.pt);
            }
            Kind::Media(pt, ssrc) => {
                let Some(device) = evidence.media.device(packet.from) else { continue };
                let offers = offered.get(&packet.to).map_or(&[][..], |offers| offers);
                let is_offered = offers
                    .iter()
                    .any(|(at_ms, formats)| *at_ms <= packet.at_ms && formats.contains(pt));
                let said = checked.get(&(packet.from, packet.to, *ssrc));
                if !is_offered || said.is_some_and(|said| said != pt) {
                    let what = format!("{device} sends {pt} to {}, not as agreed", packet.to);
                    found.push((packet.at_ms, what));
                }
            }
            Kind::Control | Kind::Answer(_) => {}
        }
    }
    found
}

#[cfg(test)]
mod tests;
