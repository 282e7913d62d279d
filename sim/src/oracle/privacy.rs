//! Who may see what: P2 (with P39), P3, P13.

use super::evidence::{DialogId, Evidence, Notify, Origin, Phase};
use presently_engine::body::pidf::Pidf;
use presently_engine::body::presrules::Handling;
use presently_engine::message::Method;
use std::collections::BTreeMap;

type Found = Vec<(u64, String)>;

/// The presence NOTIFYs with what the server may have thought of their watchers.
fn judged<'a>(evidence: &'a Evidence<'_>) -> impl Iterator<Item = (&'a Notify, Vec<Handling>)> {
    let presence = evidence.notifies.iter().filter(|notify| !notify.winfo);
    presence.map(|notify| {
        let Notify { owner, watcher, at_ms, .. } = notify;
        (notify, evidence.decisions.possible(owner, watcher, *at_ms))
    })
}

fn approves(handling: Handling) -> bool {
    matches!(handling, Handling::Allow | Handling::PoliteBlock)
}

/// P2 and P39: a document with a tuple goes to approved watchers only, and says nothing but
/// "closed" to those that are only politely so.
pub(super) fn no_tuple_before_approval(evidence: &Evidence<'_>) -> Found {
    let mut found = Vec::new();
    for (notify, possible) in judged(evidence) {
        let Ok(document) = Pidf::parse(&notify.body) else { continue };
        let (watcher, owner) = (&notify.watcher, &notify.owner);
        if document.tuples.is_empty() {
            continue;
        }
        if !possible.iter().any(|one| approves(*one)) {
            let what = format!("{watcher} is shown a tuple of {owner}, who thinks {possible:?}");
            found.push((notify.at_ms, what));
        } else if !possible.contains(&Handling::Allow)
            && document.tuples.iter().any(|tuple| !tuple.notes.is_empty())
        {
            let what = format!("{watcher}, politely blocked, is shown a note of {owner}");
            found.push((notify.at_ms, what));
        }
    }
    found
}

/// P3: an offer goes to allowed watchers only, and the secret of its owner to nobody.
pub(super) fn no_offer_without_permission(evidence: &Evidence<'_>) -> Found {
    let mut found = Vec::new();
    for (notify, possible) in judged(evidence) {
        let Ok(document) = Pidf::parse(&notify.body) else { continue };
        let mut offers = document.tuples.iter().filter_map(|tuple| tuple.offer.as_ref()).peekable();
        let (watcher, owner) = (&notify.watcher, &notify.owner);
        if offers.peek().is_some() && !possible.contains(&Handling::Allow) {
            found.push((notify.at_ms, format!("{watcher} is shown an offer of {owner}")));
        }
        if offers.any(|offer| offer.secret.is_some()) {
            found.push((notify.at_ms, format!("{watcher} is told the secret of {owner}")));
        }
    }
    found
}

/// P13: what the owner decided holds for every NOTIFY and every answer to a SUBSCRIBE after it,
/// whatever crashed in between.
pub(super) fn policy_survives(evidence: &Evidence<'_>) -> Found {
    let mut found = Vec::new();
    let mut last: BTreeMap<&DialogId, &Notify> = BTreeMap::new();
    for (notify, possible) in judged(evidence) {
        let before = last.insert(&notify.dialog, notify);
        let agrees = match (notify.phase, notify.reason.as_deref()) {
            (Phase::Active, _) => possible.iter().any(|one| approves(*one)),
            (Phase::Pending, _) => possible.contains(&Handling::Confirm),
            (Phase::Terminated, Some("rejected")) => {
                possible.contains(&Handling::Block)
                    || before.is_some_and(|before| was_blocked(evidence, before, notify))
            }
            (Phase::Terminated, _) => true,
        };
        if !agrees {
            let Notify { at_ms, watcher, owner, phase, .. } = notify;
            let what = format!("{watcher} is {phase:?} with {owner}, who thinks {possible:?}");
            found.push((*at_ms, what));
        }
    }
    found.extend(refusals(evidence));
    found
}

/// Whether a rejection waited for the answer to the NOTIFY before it (R16): whoever was blocked
/// meanwhile is over, and what the owner thought afterwards is about the next SUBSCRIBE.
fn was_blocked(evidence: &Evidence<'_>, before: &Notify, after: &Notify) -> bool {
    let heard = evidence.exchanges.of(before.place).heard(&evidence.letters);
    let heard = heard.filter(|(at_ms, _)| *at_ms <= after.at_ms);
    heard.is_some_and(|(at_ms, _)| {
        let Notify { owner, watcher, .. } = after;
        let from_ms = before.at_ms;
        evidence.decisions.at_some_time(owner, watcher, Handling::Block, from_ms, at_ms)
    })
}

/// Watchers that are refused although nobody blocked them.
fn refusals(evidence: &Evidence<'_>) -> Found {
    let refused = evidence.letters.iter().filter_map(|letter| {
        let response = letter.response().filter(|response| response.status() == 403)?;
        let ours = letter.origin == Origin::Server && letter.is_new;
        if !ours || Method::of(&letter.cseq().1) != Method::Subscribe {
            return None;
        }
        let (from, to) = (response.from().ok()?, response.to().ok()?);
        let (watcher, owner) = (super::evidence::user(&from), super::evidence::user(&to));
        let possible = evidence.decisions.possible(&owner, &watcher, letter.at_ms);
        let known = evidence.plan.users.iter().any(|user| user.name == watcher);
        (known && !evidence.corrupted && !possible.contains(&Handling::Block)).then(|| {
            (letter.at_ms, format!("{watcher} is refused by {owner}, who thinks {possible:?}"))
        })
    });
    refused.collect()
}

#[cfg(test)]
mod tests;
