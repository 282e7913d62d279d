//! One NOTIFY at a time (P7), nothing after a fatal answer, full documents when they are due (P8),
//! and nobody waits for somebody else's watcher (isolation).

use super::dialogs::{pairs, whose};
use super::evidence::{Evidence, Notify, Origin, Phase, user};
use presently_engine::body::pidf::Pidf;
use presently_engine::body::presrules::Handling;
use presently_engine::body::winfo::WatcherInfo;
use presently_engine::message::Method;
use std::collections::{BTreeMap, BTreeSet};

type Found = Vec<(u64, String)>;

/// Timer F: when a NOTIFY that nobody answers has failed (RFC 3261 §17.1.2.2).
const TIMER_F_MS: u64 = 32_000;
/// How late a NOTIFY may be whose time has come.
const PROMPT_MS: u64 = 100;

/// The answers that end a subscription (RFC 6665 §4.2.2).
fn is_fatal(status: u16) -> bool {
    matches!(status, 404 | 405 | 410 | 416 | 480..=485 | 489 | 501 | 604)
}

/// The final answer to a NOTIFY as the server heard it.
fn heard(evidence: &Evidence<'_>, notify: &Notify) -> Option<(u64, u16)> {
    evidence.exchanges.of(notify.place).heard(&evidence.letters)
}

/// P7, R11, R12: a NOTIFY leaves when the one before it is answered, and none does after a fatal
/// answer or after no answer at all.
pub(super) fn one_at_a_time(evidence: &Evidence<'_>) -> Found {
    let mut found = Vec::new();
    for (before, after) in pairs(evidence) {
        if before.boot != after.boot {
            continue;
        }
        let why = match heard(evidence, before) {
            Some((at_ms, status)) if at_ms <= after.at_ms && is_fatal(status) => {
                format!("was answered {status}")
            }
            Some((at_ms, _)) if at_ms <= after.at_ms => continue,
            Some(_) | None if after.at_ms < before.at_ms + TIMER_F_MS => "is outstanding".into(),
            Some(_) | None => "was not answered".into(),
        };
        found.push((after.at_ms, format!("{}, while {} {why}", whose(after), before.cseq)));
    }
    found
}

/// P8 and D6: a document of watcher information is full after a SUBSCRIBE and after a failure, and
/// only then.
pub(super) fn full_when_due(evidence: &Evidence<'_>) -> Found {
    let letters = &evidence.letters;
    let mut asked: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (exchange, letter, request) in evidence.exchanges.asked(letters) {
        if request.method() == Method::Subscribe && letter.origin != Origin::Server {
            let call = request.call_id().unwrap_or_default();
            asked.entry(call).or_default().extend(exchange.success(letters));
        }
    }
    let mut found = Vec::new();
    for (before, after) in pairs(evidence) {
        let Some(document) = document(after).filter(|_| before.boot == after.boot) else {
            continue;
        };
        let asked = asked.get(&*after.dialog.0).into_iter().flatten();
        let asked = asked.filter(|at| (before.place..after.place).contains(*at)).count() > 0;
        let failed = heard(evidence, before)
            .is_some_and(|(at_ms, status)| status >= 300 && at_ms <= after.at_ms);
        if document.full != (asked || failed) {
            let kind = if document.full { "full" } else { "partial" };
            found.push((after.at_ms, format!("{} is {kind}, asked: {asked}", whose(after))));
        }
    }
    found
}

fn document(notify: &Notify) -> Option<WatcherInfo> {
    Some(&notify.body).filter(|_| notify.winfo).and_then(|body| WatcherInfo::parse(body).ok())
}

/// When a dialog may tell something new that happened at a moment, if nothing is in its way: the
/// outstanding NOTIFY is answered, the gap is over. `None`: the NOTIFY before it failed, and so it
/// has if its answer came after Timer F.
fn due(evidence: &Evidence<'_>, last: &Notify, at_ms: u64) -> Option<u64> {
    let (answered_ms, status) = heard(evidence, last)?;
    let gap = evidence.plan.server.notify_gap_ms;
    let delivered = status < 300 && answered_ms < last.at_ms + TIMER_F_MS;
    delivered.then_some(at_ms.max(last.at_ms + gap).max(answered_ms))
}

/// Isolation: what an owner publishes is told to everybody who is allowed to know it as soon as
/// their own NOTIFYs are answered, whatever becomes of the others'.
pub(super) fn nobody_waits_for_others(evidence: &Evidence<'_>) -> Found {
    let mut dialogs: BTreeMap<&str, BTreeMap<_, Vec<&Notify>>> = BTreeMap::new();
    for notify in evidence.notifies.iter().filter(|notify| !notify.winfo) {
        let theirs = dialogs.entry(&notify.owner).or_default();
        theirs.entry(&notify.dialog).or_default().push(notify);
    }
    let mut found = Vec::new();
    for (owner, place, note) in news(evidence) {
        let at_ms = evidence.letters[place].at_ms;
        for notifies in dialogs.get(&*owner).into_iter().flat_map(BTreeMap::values) {
            let next = notifies.partition_point(|notify| notify.place < place);
            let (before, after) = notifies.split_at(next);
            let Some(last) = before.last().filter(|last| last.phase == Phase::Active) else {
                continue;
            };
            let Some(due) = due(evidence, last, at_ms) else { continue };
            let late = after.first().is_none_or(|first| first.at_ms > due + PROMPT_MS);
            if late && expects(evidence, last, at_ms, due + PROMPT_MS) {
                let what = format!("{} is not told “{note}” of {owner} in time", last.watcher);
                found.push((due + PROMPT_MS, what));
            }
        }
    }
    found
}

/// The notes that were published for the first time: whose, where the 200 stands, which.
fn news(evidence: &Evidence<'_>) -> Vec<(String, usize, String)> {
    let letters = &evidence.letters;
    let mut known = BTreeSet::new();
    let mut news = Vec::new();
    for (exchange, letter, request) in evidence.exchanges.asked(letters) {
        if request.method() != Method::Publish {
            continue;
        }
        let Ok(document) = Pidf::parse(&request.body()) else { continue };
        let Ok(owner) = letter.message.headers().from().map(|from| user(&from)) else { continue };
        let note = document.tuples.first().and_then(|tuple| tuple.notes.first());
        let note = note.map(|note| note.text.to_string()).unwrap_or_default();
        // What was said once without an answer may be in force already.
        let is_new = known.insert((owner.clone(), note.clone())) && !note.is_empty();
        let same_life = |place: &usize| {
            let boots = |at_ms| evidence.lives.boots_by(at_ms);
            boots(letter.at_ms) == boots(letters[*place].at_ms)
        };
        let place = exchange.success(letters).filter(same_life).filter(|_| is_new);
        news.extend(place.map(|place| (owner, place, note)));
    }
    news
}

/// Whether a watcher must be told what happens in a time: it is allowed to know it, and the server
/// runs and does not stand still.
fn expects(evidence: &Evidence<'_>, last: &Notify, from_ms: u64, until_ms: u64) -> bool {
    let allowed = |at_ms| {
        let certain = evidence.decisions.certain(&last.owner, &last.watcher, at_ms);
        certain == Some(Handling::Allow)
    };
    let lives = &evidence.lives;
    !lives.clock_is_odd()
        && allowed(from_ms)
        && allowed(until_ms)
        && !evidence.decisions.changed(&last.owner, from_ms, until_ms)
        && last.boot == lives.boots_by(until_ms)
        && lives.serves(last.at_ms, until_ms)
        && !evidence.leaves(last, until_ms)
        && !was_replaced(evidence, last)
        && until_ms < evidence.record.ended_ms
}

/// Whether another dialog took the place of that of a NOTIFY, silently (R20).
fn was_replaced(evidence: &Evidence<'_>, last: &Notify) -> bool {
    let mut later = evidence.notifies.iter().filter(|notify| notify.place > last.place);
    later.any(|notify| notify.dialog.0 == last.dialog.0 && notify.dialog != last.dialog)
}

#[cfg(test)]
mod tests;
