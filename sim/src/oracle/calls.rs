//! Both ends of what is spoken know the same of it when all is quiet: P53, and calls (M6).

use super::evidence::{Evidence, Origin, user};
use super::media::{Call, Stretch};
use crate::plan::DeviceName;
use presently_engine::agent::Way;
use presently_engine::message::Method;
use std::collections::BTreeSet;
use std::net::SocketAddr;

type Found = Vec<(u64, String)>;

/// The longest time until a call is answered or over (RFC 3261 §16.6, Timer C and more), and what
/// is done then.
const RINGS_MS: u64 = 200_000 + 1000;

/// P53: in the end one speaks if and only if the other one hears.
pub(super) fn flows_agree(evidence: &Evidence<'_>) -> Found {
    let mut found = Vec::new();
    if !evidence.lives.ends_calm() {
        return found;
    }
    let open: Vec<&Stretch<'_>> =
        evidence.media.stretches.iter().filter(|one| one.is_open() && one.way.is_some()).collect();
    for one in &open {
        let answers = |other: &&&Stretch<'_>| {
            other.way != one.way && leads_to(evidence, one, other) && leads_to(evidence, other, one)
        };
        if !open.iter().any(|other| answers(&other)) {
            let (device, peer) = (one.device, &one.peer);
            let what = match one.way {
                Some(Way::Out) => format!("{device} speaks to {peer}, who does not hear it"),
                Some(Way::In) | None => format!("{device} hears {peer}, who does not speak"),
            };
            found.push((evidence.record.ended_ms, what));
        }
    }
    found
}

/// Whether one end of a flow goes to where the other one is.
fn leads_to(evidence: &Evidence<'_>, one: &Stretch<'_>, other: &Stretch<'_>) -> bool {
    let is_there = |remote: SocketAddr| {
        Some(remote.port()) == other.port && evidence.media.device(remote) == Some(other.device)
    };
    one.remote.is_some_and(is_there)
}

/// M6: in the end both are in a call or neither. Of a call whose end could not be told, because
/// somebody's device died or a BYE was never answered, nothing is said.
pub(super) fn calls_agree(evidence: &Evidence<'_>) -> Found {
    let mut found = Vec::new();
    if !evidence.lives.ends_calm() {
        return found;
    }
    let untold = untold(evidence);
    let up = |call: &&Call<'_>| call.up_ms.is_some() && call.ended_ms == u64::MAX;
    let open: Vec<&Call<'_>> = evidence.media.calls.iter().filter(up).collect();
    for call in &open {
        let (device, peer) = (call.device, &call.peer);
        let both = (device.user.clone(), peer.clone());
        let agrees = open.iter().any(|other| {
            other.device.user == *peer
                && other.peer == device.user
                && other.incoming != call.incoming
        });
        let died = somebody_left(evidence, call);
        if !agrees && !died && !untold.contains(&both) {
            let what = format!("{device} is in a call with {peer}, who is not");
            found.push((evidence.record.ended_ms, what));
        }
    }
    found
}

/// Whether a device of one of the two was started, ended or logged out during a call.
fn somebody_left(evidence: &Evidence<'_>, call: &Call<'_>) -> bool {
    let theirs = |name: &DeviceName| name.user == call.device.user || name.user == call.peer;
    let devices = evidence.lives.devices.iter().filter(|(name, _)| theirs(name));
    devices.flat_map(|(_, lives)| lives).any(|life| {
        let times = [Some(life.from_ms), life.until_ms, life.left_ms];
        times.into_iter().flatten().any(|at_ms| at_ms >= call.begun_ms)
    })
}

/// Users with a BYE between them that was never answered, both ways.
fn untold(evidence: &Evidence<'_>) -> BTreeSet<(String, String)> {
    let mut untold = BTreeSet::new();
    for (exchange, letter, request) in evidence.exchanges.asked(&evidence.letters) {
        let unanswered = exchange.heard(&evidence.letters).is_none();
        if letter.origin == Origin::Device && request.method() == Method::Bye && unanswered {
            let one = request.from().map(|from| user(&from)).unwrap_or_default();
            let other = request.to().map(|to| user(&to)).unwrap_or_default();
            untold.insert((one.clone(), other.clone()));
            untold.insert((other, one));
        }
    }
    untold
}

/// M6: a call is answered or over after some time, whatever the network does.
pub(super) fn nobody_rings_for_ever(evidence: &Evidence<'_>) -> Found {
    let mut found = Vec::new();
    if evidence.lives.clock_is_odd() {
        return found;
    }
    for Call { device, peer, begun_ms, up_ms, ended_ms, .. } in &evidence.media.calls {
        let ends = up_ms.unwrap_or(*ended_ms).min(evidence.record.ended_ms);
        if ends > begun_ms + RINGS_MS {
            let what = format!("{device} and {peer} are neither in a call nor out of it");
            found.push((begun_ms + RINGS_MS, what));
        }
    }
    found
}

#[cfg(test)]
mod tests;
