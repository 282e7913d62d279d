//! Digest as it shows from outside: P1, P23, P24, P42, and that honest proof is taken (M7, M8).

use super::evidence::{Evidence, Letter, Origin, user};
use super::exchanges::{Credentials, is_asked_of_server, nonces, param};
use presently_engine::message::{Method, Name};
use std::collections::{BTreeMap, BTreeSet};

type Found = Vec<(u64, String)>;

/// How long an answer is kept for copies of its request (Timer J, RFC 3261 §17.2.2).
const KEPT_MS: u64 = 32_000;
/// How long a nonce is good for surely (K9, less a margin).
const FRESH_MS: u64 = 290_000;

fn name_of(letter: &Letter) -> String {
    let from = letter.message.headers().from().map(|from| user(&from)).unwrap_or_default();
    format!("{} {} of {from}", letter.cseq().1, letter.cseq().0)
}

/// P1: the server does what it is asked only for whoever has shown credentials for the user in
/// From.
pub(super) fn served_only_with_proof(evidence: &Evidence<'_>) -> Found {
    let letters = &evidence.letters;
    let mut found = Vec::new();
    for (exchange, letter, request) in evidence.exchanges.asked(letters) {
        let Some(success) = exchange.success(letters) else { continue };
        if !is_asked_of_server(letter) {
            continue;
        }
        let from = request.from().map(|from| user(&from)).unwrap_or_default();
        let shown = Credentials::of(request).map(|shown| shown.user.to_owned());
        if shown.as_deref() != Some(&from) {
            let what = format!("{} was served, credentials: {shown:?}", name_of(letter));
            found.push((letters[success].at_ms, what));
        }
    }
    found
}

/// P1: who is notified, and who is written to, has asked for it, or was asked to, with
/// credentials.
pub(super) fn nothing_without_a_request(evidence: &Evidence<'_>) -> Found {
    let mut subscribed: BTreeSet<&str> = BTreeSet::new();
    let mut written: BTreeSet<(String, Option<&str>)> = BTreeSet::new();
    let mut found = Vec::new();
    for letter in &evidence.letters {
        let Some(request) = letter.request() else { continue };
        let call = request.call_id().unwrap_or_default();
        let message = || {
            let from = request.from().map(|from| user(&from)).unwrap_or_default();
            (from, request.other("DM-Message-ID"))
        };
        match (letter.origin, request.method()) {
            (Origin::Server, Method::Notify) if !subscribed.contains(call) => {
                found.push((letter.at_ms, format!("a NOTIFY of {call}, which nobody asked for")));
            }
            (Origin::Server, Method::Message) if !written.contains(&message()) => {
                found.push((letter.at_ms, format!("{} was never written", name_of(letter))));
            }
            (Origin::Device | Origin::Stranger, method) if Credentials::of(request).is_some() => {
                match method {
                    Method::Subscribe => drop(subscribed.insert(call)),
                    Method::Message => drop(written.insert(message())),
                    _ => {}
                }
            }
            _ => {}
        }
    }
    found
}

/// P23 and P25: what one nonce and one count prove is done once, and only by the server that gave
/// the nonce away, in the life in which it did.
pub(super) fn executed_once(evidence: &Evidence<'_>) -> Found {
    let letters = &evidence.letters;
    let issued = issued(evidence);
    let mut used: BTreeMap<(&str, &str), &Letter> = BTreeMap::new();
    let mut found = Vec::new();
    for (exchange, letter, request) in evidence.exchanges.asked(letters) {
        let Some(success) = exchange.success(letters).filter(|_| is_asked_of_server(letter)) else {
            continue;
        };
        let Some(shown) = Credentials::of(request) else { continue };
        let at_ms = letters[success].at_ms;
        if let Some(before) = used.insert((shown.nonce, shown.count), letter) {
            let what = format!("{} proves what {} did", name_of(letter), name_of(before));
            found.push((at_ms, what));
        }
        let boot = evidence.lives.boots_by(at_ms);
        if issued.get(shown.nonce).is_none_or(|(_, of)| *of != boot) {
            found.push((at_ms, format!("{} has a nonce of another life", name_of(letter))));
        }
    }
    found
}

/// When, and in which life of the server, every nonce was given away.
fn issued<'a>(evidence: &'a Evidence<'_>) -> BTreeMap<&'a str, (u64, usize)> {
    let mut issued = BTreeMap::new();
    for letter in evidence.letters.iter().filter(|letter| letter.origin == Origin::Server) {
        let Some(response) = letter.response() else { continue };
        for nonce in nonces(response) {
            let boot = || (letter.at_ms, evidence.lives.boots_by(letter.at_ms));
            issued.entry(nonce).or_insert_with(boot);
        }
    }
    issued
}

/// P24: a request that is sent again when its answer is forgotten is not carried out again.
pub(super) fn replay_is_inert(evidence: &Evidence<'_>) -> Found {
    let letters = &evidence.letters;
    let mut found = Vec::new();
    for (exchange, letter, _) in evidence.exchanges.asked(letters) {
        let Some(first) = exchange.success(letters).filter(|_| is_asked_of_server(letter)) else {
            continue;
        };
        let until = letters[first].at_ms + KEPT_MS;
        let late = exchange.answered.iter().map(|place| &letters[*place]);
        let late = late.filter(|answer| {
            let success = answer.response().is_some_and(|it| (200..300).contains(&it.status()));
            success && answer.at_ms > until && !evidence.lives.caught_up(until, answer.at_ms)
        });
        found.extend(
            late.map(|answer| {
                (answer.at_ms, format!("{} is carried out once more", name_of(letter)))
            }),
        );
    }
    found
}

/// P42: who shows no credentials is answered once for each request, and never with a success.
pub(super) fn strangers_get_little(evidence: &Evidence<'_>) -> Found {
    let letters = &evidence.letters;
    let mut found = Vec::new();
    for (exchange, letter, request) in evidence.exchanges.asked(letters) {
        if !is_asked_of_server(letter) || Credentials::of(request).is_some() {
            continue;
        }
        let arrived = exchange.asked.iter().filter(|at| letters[**at].has_arrived()).count();
        // The record tells a second copy of an answer as a datagram of its own.
        let sent: BTreeSet<_> =
            exchange.answered.iter().map(|at| (letters[*at].at_ms, &letters[*at].bytes)).collect();
        let sent = sent.len();
        if sent > arrived {
            let last = exchange.answered.last().map_or(letter.at_ms, |at| letters[*at].at_ms);
            let what = format!("{}: {sent} answers to {arrived} requests", name_of(letter));
            found.push((last, what));
        }
    }
    found
}

/// M7: credentials with a nonce of this life, fresh, and with a count that is new are taken.
pub(super) fn honest_proof_is_taken(evidence: &Evidence<'_>) -> Found {
    let letters = &evidence.letters;
    let issued = issued(evidence);
    let mut used: BTreeSet<(&str, &str)> = BTreeSet::new();
    let mut found = Vec::new();
    for (exchange, letter, request) in evidence.exchanges.asked(letters) {
        let Some(shown) = Credentials::of(request).filter(|_| is_asked_of_server(letter)) else {
            continue;
        };
        let is_new = used.insert((shown.nonce, shown.count));
        let Some((place, 401 | 407)) = exchange.answer(letters) else { continue };
        let answer = &letters[place];
        let boot = evidence.lives.boots_by(answer.at_ms);
        let fresh = issued.get(shown.nonce).is_some_and(|(at_ms, of)| {
            *of == boot && exchange.asked.iter().all(|at| letters[*at].at_ms < at_ms + FRESH_MS)
        });
        let stronger = answer.response().is_some_and(|response| {
            let mut lines = response.lines(Name::WwwAuthenticate);
            lines.any(|line| param(line, "qop") == Some("auth-int")) && shown.qop == "auth"
        });
        let served_before = evidence.lives.server_changed(letter.at_ms, answer.at_ms);
        let odd = evidence.lives.clock_is_odd();
        if is_new && fresh && !stronger && !served_before && !odd {
            found.push((answer.at_ms, format!("{} is challenged again", name_of(letter))));
        }
    }
    found
}

/// M8: a device counts on for every new request. ACK and CANCEL belong to their INVITE and repeat
/// its credentials (RFC 3261 §22.1).
pub(super) fn counts_are_used_once(evidence: &Evidence<'_>) -> Found {
    let letters = &evidence.letters;
    let mut used: BTreeMap<(&str, &str), &Letter> = BTreeMap::new();
    let mut found = Vec::new();
    for (_, letter, request) in evidence.exchanges.asked(letters) {
        let repeats = matches!(request.method(), Method::Ack | Method::Cancel);
        if letter.origin != Origin::Device || repeats {
            continue;
        }
        let Some(shown) = Credentials::of(request) else { continue };
        if let Some(before) = used.insert((shown.nonce, shown.count), letter) {
            let what = format!("{} counts as {} did", name_of(letter), name_of(before));
            found.push((letter.at_ms, what));
        }
    }
    found
}

#[cfg(test)]
mod tests;
