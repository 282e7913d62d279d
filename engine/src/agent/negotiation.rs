//! Offer and answer (RFC 3264): what we can do and what the other said become what flows.
//!
//! Values in, values out; who sends them when is a call's business. An answer names one codec for
//! each stream, the first of the offer that both have (§6.1), and telephone-event beside it, so
//! that the offerer need not be ready for more than it will hear.

#[cfg(test)]
mod tests;

use crate::body::pidf::Codec;
use crate::body::sdp::{Crypto, Description, Direction, Origin, Stream};
use std::net::{IpAddr, SocketAddr};

/// The format of DTMF (RFC 4733).
const EVENTS: &str = "telephone-event";

/// What we can do in a call.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Abilities {
    /// Where we receive.
    pub address: IpAddr,
    /// One for each media kind.
    pub streams: Vec<Ability>,
}

/// What we can do with one media kind.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Ability {
    /// `audio` or `video`.
    pub media: Box<str>,
    /// Port on which we receive.
    pub port: u16,
    /// Codecs in order of preference; payload types are ours.
    pub codecs: Vec<Codec>,
    /// Whether we send and receive.
    pub direction: Direction,
    /// Our SRTP key, if we want SRTP or can do it.
    pub key: Option<[u8; 30]>,
    /// Whether we accept plain RTP too.
    pub plain: bool,
}

/// What flows in one stream of a call, once both have spoken.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Flow {
    /// Which `m=` line.
    pub line: usize,
    /// `audio` or `video`.
    pub media: Box<str>,
    /// Where RTP goes. `None` while the other holds the old way, with an address of zeros.
    pub to: Option<SocketAddr>,
    /// What we send and receive; the payload type is the one to send with.
    pub codec: Codec,
    /// Payload types that carry the codec on the way to us.
    pub heard: Vec<u8>,
    /// Payload types of telephone events: to send, to hear.
    pub events: Option<(u8, u8)>,
    /// Whether we send and receive.
    pub direction: Direction,
    /// Whether RTCP shares the port.
    pub rtcp_mux: bool,
    /// SRTP master keys and salts: ours to send with, theirs to receive with.
    pub keys: Option<([u8; 30], [u8; 30])>,
    /// Length of a packet the other wants, ms.
    pub ptime: Option<u16>,
}

/// What an offer came to at its answerer.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Answered {
    /// The answer.
    pub answer: Description,
    /// What flows; empty if nothing fits, which is 488.
    pub flows: Vec<Flow>,
}

/// Why an answer does not fit its offer (RFC 3264 §6).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Misfit {
    /// Not as many streams as the offer, or of another kind.
    Streams,
    /// A codec that was not offered.
    Codec,
    /// Another transport than the one offered, or no key where one is needed.
    Transport,
    /// Every stream is refused.
    Nothing,
}

impl Misfit {
    /// In words, for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Streams => "the answer has other streams than the offer",
            Self::Codec => "the answer names a codec that was not offered",
            Self::Transport => "the answer changes the transport",
            Self::Nothing => "every stream was refused",
        }
    }
}

/// Writes an offer of everything we can do (RFC 3264 §5).
pub fn offer(abilities: &Abilities, origin: Origin) -> Description {
    let streams = abilities.streams.iter().map(|ability| Stream {
        media: ability.media.clone(),
        port: ability.port,
        address: Some(abilities.address),
        transport: if ability.key.is_some() { "RTP/SAVP" } else { "RTP/AVP" }.into(),
        codecs: ability.codecs.clone(),
        formats: formats(&ability.codecs),
        direction: ability.direction,
        rtcp_mux: true,
        crypto: ability.key.map(|key| Crypto { tag: 1, key }).into_iter().collect(),
        ptime: None,
    });
    Description { origin, streams: streams.collect() }
}

/// Answers an offer (RFC 3264 §6). Streams we cannot take are refused one by one.
pub fn answer(offer: &Description, abilities: &Abilities, origin: Origin) -> Answered {
    let mut flows: Vec<Flow> = Vec::new();
    let mut streams = Vec::new();
    for (line, asked) in offer.streams.iter().enumerate() {
        // A second stream of one kind has no device left.
        let free = !flows.iter().any(|flow| flow.media == asked.media);
        let ability = abilities.streams.iter().find(|one| free && one.media == asked.media);
        let taken = ability.and_then(|ability| take(line, asked, abilities, ability));
        streams.push(match taken {
            Some((flow, stream)) => {
                flows.push(flow);
                stream
            }
            None => refused(asked, abilities.address),
        });
    }
    Answered { answer: Description { origin, streams }, flows }
}

/// Takes the answer to our offer (RFC 3264 §7).
///
/// # Errors
/// The answer does not fit, or refuses everything.
pub fn accept(
    offer: &Description,
    answer: &Description,
    abilities: &Abilities,
) -> Result<Vec<Flow>, Misfit> {
    if offer.streams.len() != answer.streams.len() {
        return Err(Misfit::Streams);
    }
    let mut flows = Vec::new();
    for (line, (asked, said)) in offer.streams.iter().zip(&answer.streams).enumerate() {
        if asked.media != said.media {
            return Err(Misfit::Streams);
        }
        if asked.port == 0 || said.port == 0 {
            continue;
        }
        let ability = abilities.streams.iter().find(|one| one.media == asked.media);
        let key = ability.and_then(|ability| ability.key);
        flows.push(agreed(line, asked, said, key)?);
    }
    if flows.is_empty() { Err(Misfit::Nothing) } else { Ok(flows) }
}

/// Our part of a stream that was offered, if we can have one.
fn take(
    line: usize,
    asked: &Stream,
    abilities: &Abilities,
    ability: &Ability,
) -> Option<(Flow, Stream)> {
    if asked.port == 0 || !asked.is_rtp() {
        return None;
    }
    // RFC 4568 §5.1.2: the first line that we can do, and its number again.
    let keys = match (asked.is_secure(), asked.crypto.first(), ability.key) {
        (true, Some(theirs), Some(ours)) => Some((theirs.tag, ours, theirs.key)),
        (false, _, _) if ability.plain => None,
        _ => return None,
    };
    let (theirs, ours) = asked.codecs.iter().filter(|codec| !is_events(codec)).find_map(|one| {
        let ours = ability.codecs.iter().find(|other| same(one, other))?;
        Some((one, ours))
    })?;
    let events = asked.codecs.iter().find(|one| is_events(one)).filter(|_| has_events(ability));
    let direction = Direction::of(
        ability.direction.sends() && asked.direction.receives(),
        ability.direction.receives() && asked.direction.sends(),
    );
    // The answer uses the offer's payload types both ways (RFC 3264 §6.1).
    let codec = Codec { pt: theirs.pt, rtpmap: theirs.rtpmap.clone(), fmtp: ours.fmtp.clone() };
    let codecs: Vec<Codec> = [codec].into_iter().chain(events.cloned()).collect();
    let flow = Flow {
        line,
        media: asked.media.clone(),
        to: asked.rtp(),
        codec: theirs.clone(),
        heard: vec![theirs.pt],
        events: events.map(|one| (one.pt, one.pt)),
        direction,
        rtcp_mux: asked.rtcp_mux,
        keys: keys.map(|(_, ours, theirs)| (ours, theirs)),
        ptime: asked.ptime,
    };
    let stream = Stream {
        media: asked.media.clone(),
        port: ability.port,
        address: Some(abilities.address),
        transport: asked.transport.clone(),
        formats: formats(&codecs),
        codecs,
        direction,
        rtcp_mux: asked.rtcp_mux,
        crypto: keys.map(|(tag, key, _)| Crypto { tag, key }).into_iter().collect(),
        ptime: asked.ptime,
    };
    Some((flow, stream))
}

/// A stream with port 0, and otherwise as it was asked for (RFC 3264 §6).
fn refused(asked: &Stream, address: IpAddr) -> Stream {
    let address = Some(address);
    Stream { port: 0, address, crypto: Vec::new(), rtcp_mux: false, ptime: None, ..asked.clone() }
}

/// What flows in a stream that we offered and that was taken.
fn agreed(
    line: usize,
    asked: &Stream,
    said: &Stream,
    key: Option<[u8; 30]>,
) -> Result<Flow, Misfit> {
    if said.transport != asked.transport {
        return Err(Misfit::Transport);
    }
    let keys = match (asked.is_secure(), key, said.crypto.first()) {
        (false, _, _) => None,
        (true, Some(ours), Some(theirs)) => Some((ours, theirs.key)),
        (true, _, _) => return Err(Misfit::Transport),
    };
    let codec = said.codecs.iter().find(|codec| !is_events(codec)).ok_or(Misfit::Codec)?;
    let of_ours = |wanted: &Codec| asked.codecs.iter().find(|one| same(one, wanted));
    let ours = of_ours(codec).ok_or(Misfit::Codec)?;
    let events = said.codecs.iter().find(|one| is_events(one));
    let events = events.and_then(|theirs| Some((theirs.pt, of_ours(theirs)?.pt)));
    Ok(Flow {
        line,
        media: said.media.clone(),
        to: said.rtp(),
        codec: codec.clone(),
        // Packets may be under way with the number of either side (RFC 3264 §7).
        heard: if ours.pt == codec.pt { vec![ours.pt] } else { vec![ours.pt, codec.pt] },
        events,
        direction: Direction::of(
            asked.direction.sends() && said.direction.receives(),
            asked.direction.receives() && said.direction.sends(),
        ),
        rtcp_mux: asked.rtcp_mux && said.rtcp_mux,
        keys,
        ptime: said.ptime,
    })
}

/// Whether two entries are the same codec (X7): names without case, rate and channels equal. For
/// H.264 the packetization mode is a part of what it is (RFC 6184 §8.2.2).
pub(crate) fn same(one: &Codec, other: &Codec) -> bool {
    let h264 = one.rtpmap.get(..5).is_some_and(|name| name.eq_ignore_ascii_case("H264/"));
    one.rtpmap.eq_ignore_ascii_case(&other.rtpmap)
        && (!h264 || packetization(one) == packetization(other))
}

fn packetization(codec: &Codec) -> &str {
    let params = codec.fmtp.as_deref().unwrap_or_default().split(';');
    let mode = params.filter_map(|one| one.trim().split_once('='));
    mode.filter(|(name, _)| *name == "packetization-mode")
        .map(|(_, mode)| mode)
        .next()
        .unwrap_or("0")
}

fn is_events(codec: &Codec) -> bool {
    codec.rtpmap.split('/').next().is_some_and(|name| name.eq_ignore_ascii_case(EVENTS))
}

fn has_events(ability: &Ability) -> bool {
    ability.codecs.iter().any(is_events)
}

fn formats(codecs: &[Codec]) -> Box<str> {
    let all: Vec<String> = codecs.iter().map(|codec| codec.pt.to_string()).collect();
    all.join(" ").into()
}
