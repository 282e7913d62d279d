//! Who is heard directly: P27, and P47.
//!
//! A device knows what its own user decided on it and what watcher information tells it; what is
//! decided elsewhere it hears of later. So it is held to what it can know.

use super::evidence::Evidence;
use super::media::{Kind, Packet, Stretch};
use crate::record::What;
use presently::facts::user_of;
use presently_engine::agent::{Event, Way};
use presently_engine::body::presrules::Handling;
use presently_engine::body::winfo::{Cause, Status};
use std::net::SocketAddr;

type Found = Vec<(u64, String)>;

/// The longest time between two checks for consent (5 s ± 20 %, behaviour M21).
const CONSENT_MS: u64 = 6000;
/// For what is done in between.
const SLACK_MS: u64 = 100;
/// A NOTIFY is sent again for so long (Timer F), and may tell what was before.
const STALE_MS: u64 = 33_000;

/// P27: somebody of whom the owner never thought well is never heard, unless the owner speaks to
/// it and so lets it speak back (X13).
pub(super) fn only_who_may_be(evidence: &Evidence<'_>) -> Found {
    let mut found = Vec::new();
    for stretch in evidence.media.incoming() {
        let Stretch { device, peer, from_ms, .. } = stretch;
        let allowed =
            evidence.decisions.at_some_time(&device.user, peer, Handling::Allow, 0, *from_ms);
        if !allowed && !speaks_to(evidence, stretch) {
            let what = format!("{device} hears {peer}, whom {} never allowed", device.user);
            found.push((*from_ms, what));
        }
    }
    found
}

/// Whether the hearer speaks to the one who is heard.
fn speaks_to(evidence: &Evidence<'_>, heard: &Stretch<'_>) -> bool {
    let mut stretches = evidence.media.stretches.iter();
    stretches.any(|one| {
        one.device == heard.device
            && one.way == Some(Way::Out)
            && one.peer == heard.peer
            && one.covers(heard.from_ms)
    })
}

/// A time in which a device knows that somebody is not to be heard.
struct Refusal<'a> {
    device: &'a crate::plan::DeviceName,
    peer: String,
    from_ms: u64,
    until_ms: u64,
}

/// P27: whom its user does not want is silent at that very moment, also if watcher information
/// told so.
pub(super) fn silent_once_not_wanted(evidence: &Evidence<'_>) -> Found {
    let mut found = Vec::new();
    for refusal in own(evidence).chain(told(evidence)) {
        let Refusal { device, peer, from_ms, until_ms } = refusal;
        let theirs = evidence.media.incoming();
        for heard in theirs.filter(|heard| heard.device == device && heard.peer == peer) {
            let from = heard.from_ms.max(from_ms);
            if from < heard.until_ms.min(until_ms) {
                found.push((from, format!("{device} hears {peer}, who is not wanted")));
            }
        }
    }
    found
}

/// What users decided on their devices, as long as that counts.
fn own<'a>(evidence: &'a Evidence<'_>) -> impl Iterator<Item = Refusal<'a>> {
    evidence.decisions.refusals().filter_map(|(device, peer, at_ms)| {
        let life = evidence.lives.of(device, at_ms)?;
        let stands = evidence.decisions.stands_until(device, peer, at_ms);
        Some(Refusal {
            device,
            peer: peer.to_owned(),
            // Who stands still hears its user later.
            from_ms: evidence.lives.catches_up(device, at_ms).unwrap_or(at_ms),
            until_ms: stands.min(life.until_ms.unwrap_or(u64::MAX)),
        })
    })
}

/// What watcher information told of those who were rejected, until it tells better or the user
/// decides anything on that device, which brings it the rules of the others (R17). What was
/// decided there shortly before may be newer than what is told.
fn told<'a>(evidence: &'a Evidence<'_>) -> impl Iterator<Item = Refusal<'a>> {
    evidence.record.told().filter_map(|(at_ms, device, event)| {
        let Event::Watcher { resource, uri, status, cause, .. } = event else { return None };
        let rejected = (*status, *cause) == (Status::Terminated, Cause::Rejected);
        let peer = user_of(uri).to_owned();
        let since = at_ms.saturating_sub(STALE_MS);
        if !rejected
            || resource.user() != device.user
            || evidence.decisions.made_on(device, &peer, since, at_ms)
        {
            return None;
        }
        let life = evidence.lives.of(device, at_ms)?;
        let mut later = evidence.told_since(device, at_ms);
        let better = later.find(|(_, event)| {
            matches!(event, Event::Watcher { uri, status: Status::Active, .. }
                if user_of(uri) == peer)
        });
        let decides = evidence.decisions.next_on(device, at_ms);
        let until_ms = [better.map(|(at_ms, _)| at_ms), decides, life.until_ms, life.left_ms];
        let until_ms = until_ms.into_iter().flatten().min().unwrap_or(u64::MAX);
        Some(Refusal { device, peer, from_ms: at_ms, until_ms })
    })
}

/// P27: what is played is a stream that the user was told of, and came from where that was to come
/// from.
pub(super) fn played_as_it_came(evidence: &Evidence<'_>) -> Found {
    let media = &evidence.media;
    let mut found = Vec::new();
    for entry in &evidence.record.entries {
        let What::Stream { device, name, played: true } = &entry.what else { continue };
        let at_ms = entry.at_ms;
        let of: Vec<&Stretch<'_>> =
            media.stretches.iter().filter(|one| one.device == device && one.id == *name).collect();
        if !of.iter().any(|one| one.covers(at_ms)) {
            found.push((at_ms, format!("{device} plays {name:?}, of which nobody was told")));
        }
        let mut packets = media.packets.iter();
        let came = packets.any(|packet| {
            matches!(packet.kind, Kind::Media(..))
                // Without SRTP a packet that was changed on its way is played all the same.
                && packet.came_ms.is_some_and(|came| came <= at_ms)
                && media.device(packet.to) == Some(device)
                && of.iter().any(|one| one.remote == Some(packet.from))
        });
        if !came {
            found.push((at_ms, format!("{device} plays {name:?}, of which nothing came")));
        }
    }
    found
}

/// P47: who is not wanted any more is told so at once and stops; at the latest when it asks for
/// consent. Of what the network loses between the two nothing is said.
pub(super) fn the_speaker_stops(evidence: &Evidence<'_>) -> Found {
    let mut found = Vec::new();
    if evidence.lives.clock_is_odd() {
        return found;
    }
    for Refusal { device, peer, from_ms, .. } in own(evidence) {
        let ended = evidence.media.incoming().filter(|heard| {
            heard.device == device && heard.peer == peer && heard.until_ms == from_ms
        });
        for heard in ended {
            let (Some(remote), Some(ssrc)) = (heard.remote, heard.remote_ssrc) else { continue };
            let between = between(evidence, heard, remote);
            let Some(trip) = trip(&between, from_ms) else { continue };
            let silent = from_ms + CONSENT_MS + 2 * trip + SLACK_MS;
            let speaks = |packet: &&&Packet<'_>| {
                packet.from == remote
                    && matches!(packet.kind, Kind::Media(_, of) if of == ssrc)
                    && packet.at_ms > silent
            };
            if let Some(packet) = between.iter().find(speaks) {
                let what = format!("{peer} still speaks to {device}, who did not want it any more");
                found.push((packet.at_ms, what));
            }
        }
    }
    found
}

/// What went between the two ends of a flow.
fn between<'a>(
    evidence: &'a Evidence<'_>,
    heard: &Stretch<'_>,
    remote: SocketAddr,
) -> Vec<&'a Packet<'a>> {
    let here = |address: SocketAddr| {
        Some(address.port()) == heard.port && evidence.media.device(address) == Some(heard.device)
    };
    let all = evidence.media.packets.iter();
    all.filter(|one| (one.from == remote && here(one.to)) || (one.to == remote && here(one.from)))
        .collect()
}

/// P47: in the end nobody is heard who may not be.
pub(super) fn nobody_unwanted_is_left(evidence: &Evidence<'_>) -> Found {
    let end = evidence.record.ended_ms;
    let mut found = Vec::new();
    if !evidence.lives.ends_calm() {
        return found;
    }
    for heard in evidence.media.incoming().filter(|heard| heard.is_open()) {
        let thinks = evidence.decisions.certain(&heard.device.user, &heard.peer, end);
        let wanted = matches!(thinks, None | Some(Handling::Allow));
        if !wanted && !speaks_to(evidence, heard) {
            let what = format!("{} hears {} at the end: {thinks:?}", heard.device, heard.peer);
            found.push((end, what));
        }
    }
    found
}

/// How long a datagram was under way between the two at most, if none was lost after a moment.
fn trip(between: &[&Packet<'_>], from_ms: u64) -> Option<u64> {
    let time = from_ms..from_ms + 2 * CONSENT_MS;
    let after = || between.iter().filter(|one| time.contains(&one.at_ms));
    let trips = after().filter_map(|one| Some(one.arrived_ms?.saturating_sub(one.at_ms)));
    let longest = trips.max().unwrap_or(0);
    (!after().any(|one| one.lost)).then_some(longest)
}

#[cfg(test)]
mod tests;
