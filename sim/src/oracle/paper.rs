//! The paper's form of direct media (behaviour §6.10) as it shows from outside: who was marked, to
//! whom one may speak without an answer, and who may be heard without a check.

use super::evidence::Evidence;
use super::lives::user_of;
use super::media::{Kind, Packet, Stretch};
use crate::plan::{Act, DeviceName};
use presently_engine::agent::wire::Reply;
use presently_engine::body::pidf::{Mode, Pidf};
use std::net::SocketAddr;

type Found = Vec<(u64, String)>;

/// How long a check is waited for (K13).
const UNANSWERED_MS: u64 = 3000;

/// Whether the user of a device has marked somebody there, by its last word in this life of it.
fn marked(evidence: &Evidence<'_>, device: &DeviceName, peer: &str, at_ms: u64) -> bool {
    let since = evidence.lives.of(device, at_ms).map_or(0, |life| life.from_ms);
    let steps = evidence.plan.steps.iter();
    let said = steps.filter(|step| (since..=at_ms).contains(&step.at_ms));
    let mut words = said.filter_map(|step| match &step.act {
        Act::Order(whose, line) if whose == device => {
            let mut words = line.split_whitespace();
            let about = words.next() == Some("paper") && words.next().map(user_of)? == peer;
            about.then(|| words.next() != Some("off"))
        }
        _ => None,
    });
    words.next_back().unwrap_or(false)
}

/// Whether a device was shown an offer at an address that has nothing to check by.
fn shown_open(evidence: &Evidence<'_>, device: &DeviceName, peer: &str, to: SocketAddr) -> bool {
    let shown = evidence
        .notifies
        .iter()
        .filter(|notify| !notify.winfo && notify.watcher == device.user && notify.owner == peer);
    let documents = shown.filter_map(|notify| Pidf::parse(&notify.body).ok());
    let mut offers = documents.flat_map(|one| one.tuples).filter_map(|tuple| tuple.offer);
    offers.any(|offer| {
        let at = offer.candidates.iter().filter_map(|one| one.address()).any(|one| one == to);
        at && offer.access.is_none() && offer.mode == Mode::Ready
    })
}

/// P28: whether media may go somewhere without an answer. Its user marked the one who is there, who
/// has nothing to check by, or was asked in vain.
pub(super) fn may_speak(
    evidence: &Evidence<'_>,
    stretch: &Stretch<'_>,
    packet: &Packet<'_>,
) -> bool {
    let Stretch { device, peer, .. } = stretch;
    let Packet { at_ms, from, to, .. } = *packet;
    let asked_in_vain = || {
        let mut packets = evidence.media.packets.iter();
        packets.any(|one| {
            matches!(one.kind, Kind::Check(_))
                && (one.from, one.to) == (from, to)
                && one.at_ms + UNANSWERED_MS <= at_ms
        })
    };
    marked(evidence, device, peer, at_ms)
        && (shown_open(evidence, device, peer, to) || asked_in_vain())
}

/// P27: nobody is heard without a check but whom the hearer marked, at a device that listens so,
/// and from where that one is.
pub(super) fn heard_unchecked(evidence: &Evidence<'_>) -> Found {
    let mut found = Vec::new();
    for stretch in evidence.media.incoming().filter(|stretch| !is_checked(evidence, stretch)) {
        let Stretch { device, peer, from_ms, remote, .. } = stretch;
        let mut users = evidence.plan.users.iter();
        let listens = users.any(|user| user.name == device.user && user.paper);
        let there = remote.and_then(|remote| evidence.media.device(remote));
        let is_there = there.is_some_and(|there| there.user == *peer);
        if !(listens && is_there && marked(evidence, device, peer, *from_ms)) {
            found.push((*from_ms, format!("{device} hears {peer}, who proved nothing")));
        }
    }
    found
}

/// Whether the one who is heard was given an answer that lets it speak.
fn is_checked(evidence: &Evidence<'_>, heard: &Stretch<'_>) -> bool {
    let mut packets = evidence.media.packets.iter();
    packets.any(|one| {
        let from_here = Some(one.from.port()) == heard.port
            && evidence.media.device(one.from) == Some(heard.device);
        matches!(one.kind, Kind::Answer(_))
            && from_here
            && Some(one.to) == heard.remote
            && one.at_ms <= heard.until_ms
            && Reply::read(one.bytes, "").is_some_and(|reply| reply.outcome.is_ok())
    })
}

#[cfg(test)]
mod tests;
