//! Which of several final answers goes upstream (RFC 3261 §16.7 items 6 and 7).
//!
//! It only chooses and aggregates; it sends nothing.

use super::machine::{End, Leg};
use crate::message::{Name, Response};
use crate::server::pager::Verdict;
use bytes::Bytes;

/// What to answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Best<'a> {
    /// A branch's answer, as it is.
    Response(&'a Response),
    /// An answer of our own.
    Own(u16),
    /// Nothing: the caller of a non-INVITE has given up by itself (RFC 4320 §4.2).
    Nothing,
}

/// The best end of `legs`. `silent` is what a branch without an answer counts as.
pub(super) fn choose(legs: &[Leg], silent: Option<u16>) -> Best<'_> {
    let best = legs.iter().filter_map(|leg| candidate(leg, silent)).min_by_key(|best| rank(*best));
    match best {
        // 503 would make the caller avoid us, not the branch.
        Some(Best::Response(response)) if response.status() == 503 => Best::Own(500),
        Some(Best::Own(503)) => Best::Own(500),
        Some(best) => best,
        None => Best::Nothing,
    }
}

fn candidate(leg: &Leg, silent: Option<u16>) -> Option<Best<'_>> {
    match &leg.end {
        Some(End::Answered(response)) => Some(Best::Response(response)),
        // RFC 3261 §16.9: as if the branch had answered 503.
        Some(End::Unreachable) => Some(Best::Own(503)),
        Some(End::TimedOut) | None => silent.map(Best::Own),
    }
}

/// Smaller is better. 6xx wins, then the lowest class; within 4xx first what the caller can act
/// upon, last what says least.
fn rank(best: Best<'_>) -> (u8, u8) {
    let status = match best {
        Best::Response(response) => response.status(),
        Best::Own(status) => status,
        Best::Nothing => return (u8::MAX, u8::MAX),
    };
    match status {
        600.. => (0, 0),
        ..=399 => (1, 0),
        401 | 407 | 415 | 420 | 484 => (2, 0),
        408 | 487 => (2, 2),
        400..=499 => (2, 1),
        503 => (3, 1),
        500..=599 => (3, 0),
    }
}

/// Whether every device answered a MESSAGE and said no for good, so that keeping it would only
/// put off the same answer. A challenge goes to the sender too: only the sender can meet it.
pub(super) fn is_refused(legs: &[Leg]) -> bool {
    legs.iter().all(|leg| match &leg.end {
        Some(End::Answered(response)) => {
            let status = response.status();
            matches!(status, 401 | 407) || Verdict::of(Some(status)) == Verdict::Refused
        }
        Some(End::TimedOut | End::Unreachable) | None => false,
    })
}

/// The bytes of `best` for upstream; a challenge carries those of all branches (item 7).
pub(super) fn with_challenges(best: &Response, legs: &[Leg]) -> Bytes {
    let bytes = best.pop_via();
    if !is_challenge(best) {
        return bytes;
    }
    let others = legs.iter().filter_map(|leg| match &leg.end {
        Some(End::Answered(other)) if is_challenge(other) && other != best => Some(other),
        Some(End::Answered(_) | End::TimedOut | End::Unreachable) | None => None,
    });
    let mut lines = Vec::new();
    for other in others {
        for name in [Name::WwwAuthenticate, Name::ProxyAuthenticate] {
            for value in other.lines(name) {
                lines.extend_from_slice(name.as_str().as_bytes());
                lines.extend_from_slice(b": ");
                lines.extend_from_slice(value.as_bytes());
                lines.extend_from_slice(b"\r\n");
            }
        }
    }
    after_first_line(&bytes, &lines)
}

fn is_challenge(response: &Response) -> bool {
    matches!(response.status(), 401 | 407)
}

fn after_first_line(bytes: &Bytes, lines: &[u8]) -> Bytes {
    let Some(end) = memchr::memchr(b'\n', bytes).filter(|_| !lines.is_empty()) else {
        return bytes.clone();
    };
    Bytes::from([&bytes[..=end], lines, &bytes[end + 1..]].concat())
}
