//! Properties of single requests and their answers: P15, P18, P19.

use super::evidence::{Evidence, Letter, Origin};
use super::exchanges::{Transaction, transaction};
use crate::plan::Act;
use presently_engine::message::{Method, Name};
use std::collections::BTreeMap;

type Found = Vec<(u64, String)>;

/// When a provisional answer to anything but INVITE is due at the earliest (RFC 4320 §4.1).
const PATIENCE_MS: u64 = 3500;

/// How long a server knows copies of a request that it has answered: Timer J (RFC 3261 §17.2.2).
const TIMER_J_MS: u64 = 32_000;

/// P19: over UDP a request other than INVITE is never answered 408 and provisionally only with
/// 100, not before 3.5 s (RFC 4320 §4).
pub(super) fn only_100_and_late(evidence: &Evidence<'_>) -> Found {
    let mut found = Vec::new();
    let letters = &evidence.letters;
    let known = letters.iter().enumerate().filter(|(_, one)| one.origin != Origin::Stranger);
    for (place, letter) in known {
        let Some(status) = letter.response().map(|response| response.status()) else { continue };
        let (_, method) = letter.cseq();
        if method == Method::Invite.as_str() {
            continue;
        }
        let arrived = evidence.exchanges.of(place).arrived(letters);
        let waited = arrived.map(|at| letter.at_ms.saturating_sub(at));
        let from = letter.at_ms.saturating_sub(PATIENCE_MS);
        let early = waited.is_some_and(|waited| waited < PATIENCE_MS)
            && !evidence.lives.caught_up(from, letter.at_ms);
        if status == 408 || (status < 200 && (status != 100 || early)) {
            let ms = waited.unwrap_or_default();
            found.push((letter.at_ms, format!("{method} is answered {status} after {ms} ms")));
        }
    }
    found
}

/// P18: all final answers to one request are the same octets.
pub(super) fn one_final_answer(evidence: &Evidence<'_>) -> Found {
    let mut first: BTreeMap<(Origin, Transaction), &Letter> = BTreeMap::new();
    let mut found = Vec::new();
    // What a stranger sends again, or the network damages, has the branch of another request.
    let replays = evidence.plan.steps.iter().any(|step| matches!(step.act, Act::Replay(_)));
    let unique = !replays && !evidence.corrupted;
    for letter in evidence.letters.iter().filter(|letter| letter.origin != Origin::Stranger) {
        let Some(status) = letter.response().map(|response| response.status()) else { continue };
        let key = (letter.origin, transaction(letter));
        let answered = first.contains_key(&key) && unique && status >= 200;
        // What is refused before a transaction exists is answered anew each time (D1).
        if !(200..300).contains(&status) && !answered {
            continue;
        }
        let before = *first.entry(key).or_insert(letter);
        // Who started anew does not know what it answered in its life before.
        let restarted = evidence.lives.somebody_started(before.at_ms, letter.at_ms);
        // CANCEL makes no state of its own: a copy from elsewhere is answered there.
        let is_cancel = letter.cseq().1 == Method::Cancel.as_str();
        if is_cancel && crate::world::is_stranger(letter.to) {
            continue;
        }
        // Every phone of a user has a 2xx of its own (RFC 3261 §16.7).
        if is_of_another_phone(before, letter) {
            continue;
        }
        // A copy that the network held for longer than any transaction lives is a new request.
        let forgotten = letter.at_ms >= before.at_ms + TIMER_J_MS;
        if before.bytes != letter.bytes && !restarted && !forgotten {
            found.push((letter.at_ms, format!("{} has two answers", transaction(letter).2)));
        }
    }
    found
}

/// Whether two successes of an INVITE begin two dialogs.
fn is_of_another_phone(one: &Letter, other: &Letter) -> bool {
    let dialog = |letter: &Letter| {
        let response = letter.response().filter(|one| (200..300).contains(&one.status()))?;
        let is_invite = letter.cseq().1 == Method::Invite.as_str();
        response.to().ok().filter(|_| is_invite)?.tag().map(str::to_owned)
    };
    match (dialog(one), dialog(other)) {
        (Some(one), Some(other)) => one != other,
        (None, _) | (_, None) => false,
    }
}

/// P15: nothing is granted for longer than it was asked for.
pub(super) fn never_longer_than_asked(evidence: &Evidence<'_>) -> Found {
    let mut asked: BTreeMap<Transaction, u32> = BTreeMap::new();
    let mut found = Vec::new();
    if evidence.corrupted {
        return found;
    }
    for letter in &evidence.letters {
        let seconds = letter.message.headers().seconds(Name::Expires);
        let transaction = transaction(letter);
        if transaction.2 != "SUBSCRIBE" && transaction.2 != "PUBLISH" {
            continue;
        }
        match (letter.response().map(|response| response.status()), seconds) {
            (None, Some(seconds)) => drop(asked.insert(transaction, seconds)),
            (Some(200), Some(granted)) => {
                let wanted = asked.get(&transaction).copied().unwrap_or(granted);
                if granted > wanted {
                    let what = format!("{} gets {granted} s for {wanted} s", transaction.2);
                    found.push((letter.at_ms, what));
                }
            }
            (None | Some(_), _) => {}
        }
    }
    found
}

#[cfg(test)]
mod tests;
