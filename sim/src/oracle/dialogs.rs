//! Properties of the server's notifications, dialog by dialog: P5, P6, P8, P20, P43.

use super::evidence::{DialogId, Evidence, Notify, Origin, Phase, user};
use super::expiry::is_presence;
use super::lives::CATCHING_UP_MS;
use bytes::Bytes;
use presently_engine::body::pidf::{Mode, Pidf};
use presently_engine::body::winfo::WatcherInfo;
use presently_engine::message::{Method, Name};
use std::collections::BTreeMap;

type Found = Vec<(u64, String)>;

/// Every dialog's NOTIFYs, in the order in which they were built.
pub(crate) fn dialogs<'a>(evidence: &'a Evidence<'_>) -> BTreeMap<&'a DialogId, Vec<&'a Notify>> {
    let mut dialogs: BTreeMap<&DialogId, Vec<&Notify>> = BTreeMap::new();
    for notify in &evidence.notifies {
        dialogs.entry(&notify.dialog).or_default().push(notify);
    }
    dialogs
}

/// Every two NOTIFYs of a dialog that follow each other.
pub(crate) fn pairs<'a>(evidence: &'a Evidence<'_>) -> Vec<(&'a Notify, &'a Notify)> {
    let dialogs = dialogs(evidence);
    dialogs.values().flat_map(|all| all.windows(2).map(|two| (two[0], two[1]))).collect()
}

pub(crate) fn whose(notify: &Notify) -> String {
    let package = if notify.winfo { "watchers" } else { "presence" };
    format!("NOTIFY {} to {} about the {package} of {}", notify.cseq, notify.watcher, notify.owner)
}

/// P5: nothing new is said in a dialog after its terminal NOTIFY.
pub(crate) fn terminal_is_last(evidence: &Evidence<'_>) -> Found {
    let late = pairs(evidence).into_iter().filter(|(before, _)| before.phase == Phase::Terminated);
    late.map(|(_, after)| (after.at_ms, format!("{} after the terminal one", whose(after))))
        .collect()
}

/// P6: CSeq rises by exactly one; only a restart of the server may leave a gap.
pub(crate) fn cseq_rises_by_one(evidence: &Evidence<'_>) -> Found {
    let odd = pairs(evidence).into_iter().filter(|(before, after)| {
        let restarted = before.boot != after.boot;
        after.cseq != before.cseq.wrapping_add(1) && !(restarted && after.cseq > before.cseq)
    });
    odd.map(|(before, after)| (after.at_ms, format!("{} after {}", whose(after), before.cseq)))
        .collect()
}

/// P6: what a watcher is shown of a device is never older than what it was shown before.
///
/// A tuple's notes stand for its age: `presence` orders are found in the plan by their text.
pub(crate) fn content_never_goes_back(evidence: &Evidence<'_>) -> Found {
    let ages = ages(evidence);
    let mut found = Vec::new();
    for notifies in dialogs(evidence).values() {
        let mut shown: BTreeMap<Box<str>, usize> = BTreeMap::new();
        for notify in notifies.iter().filter(|notify| !notify.winfo) {
            let Ok(document) = Pidf::parse(&notify.body) else { continue };
            for tuple in document.tuples {
                let note = tuple.notes.first().map(|note| note.text.to_string());
                let key = note.map(|note| (notify.owner.clone(), note));
                let Some(age) = key.as_ref().and_then(|key| ages.get(key)) else { continue };
                let before = shown.insert(tuple.id, *age).unwrap_or(0);
                if before > *age {
                    let note = key.map(|(_, note)| note).unwrap_or_default();
                    found.push((notify.at_ms, format!("{} goes back to “{note}”", whose(notify))));
                }
            }
        }
    }
    found
}

/// The orders whose note occurs once, by user and note; those of a user whose device crashed are
/// left out: what the dead device published may come up again until it expires.
pub(crate) fn ages(evidence: &Evidence<'_>) -> BTreeMap<(String, String), usize> {
    let mut ages = BTreeMap::new();
    let mut twice = Vec::new();
    for (age, step) in evidence.plan.steps.iter().enumerate() {
        let crate::plan::Act::Order(device, line) = &step.act else { continue };
        let Some(note) = line.strip_prefix("presence ").and_then(|rest| rest.split_once(' '))
        else {
            continue;
        };
        let lives = evidence.lives.devices.iter().filter(|(name, _)| name.user == device.user);
        let mut lives = lives.flat_map(|(_, lives)| lives);
        let key = (device.user.clone(), note.1.trim().to_owned());
        if lives.any(|life| life.until_ms.is_some() || life.left_ms.is_some())
            || ages.insert(key.clone(), age).is_some()
        {
            twice.push(key);
        }
    }
    ages.retain(|key, _| !twice.contains(key));
    ages
}

/// P8: documents of a winfo dialog are numbered 0, 1, 2, … and the first is full; after a restart
/// of the server a full one may leave numbers out.
pub(crate) fn versions_form_a_chain(evidence: &Evidence<'_>) -> Found {
    let mut found = Vec::new();
    for notifies in dialogs(evidence).values() {
        let mut last: Option<(u32, usize)> = None;
        for notify in notifies.iter().filter(|notify| notify.winfo && !notify.body.is_empty()) {
            let Ok(document) = WatcherInfo::parse(&notify.body) else {
                found.push((notify.at_ms, format!("{} cannot be read", whose(notify))));
                continue;
            };
            let right = match last {
                // Nothing came of it before a restart.
                None => document.full && (document.version == 0 || notify.boot > 1),
                Some((version, boot)) if boot == notify.boot => document.version == version + 1,
                Some((version, _)) => document.version > version && document.full,
            };
            if !right {
                let kind = if document.full { "full" } else { "partial" };
                let before = last.map_or("nothing".to_owned(), |(version, _)| version.to_string());
                found.push((
                    notify.at_ms,
                    format!("{}: {kind} {} after {before}", whose(notify), document.version),
                ));
            }
            last = Some((document.version, notify.boot));
        }
    }
    found
}

/// P8: a copy of a NOTIFY is the NOTIFY.
pub(crate) fn copies_are_identical(evidence: &Evidence<'_>) -> Found {
    let mut first: BTreeMap<&str, &Bytes> = BTreeMap::new();
    let notifies = evidence.letters.iter().filter(|letter| {
        let method = letter.request().map(|request| request.method());
        letter.origin == Origin::Server && method == Some(Method::Notify)
    });
    let changed = notifies
        .filter(|letter| *first.entry(&letter.branch).or_insert(&letter.bytes) != &letter.bytes);
    changed.map(|letter| (letter.at_ms, "a NOTIFY and its copy differ".to_owned())).collect()
}

/// P20: the CSeqs of one sender in one dialog rise. A registration counts as a dialog here
/// (RFC 3261 §10.2); a PUBLISH and what is forwarded do not.
pub(crate) fn cseq_rises(evidence: &Evidence<'_>) -> Found {
    let mut last: BTreeMap<(bool, String, [String; 2], &str), u32> = BTreeMap::new();
    let mut found = Vec::new();
    for (letter, request) in evidence.requests(|origin| origin != Origin::Stranger) {
        let method = request.method();
        if !matches!(method, Method::Register | Method::Subscribe | Method::Notify) {
            continue;
        }
        let ours = request.from().ok().and_then(|from| from.tag()).unwrap_or_default();
        let theirs = request.to().ok().and_then(|to| to.tag()).unwrap_or_default();
        let call = request.call_id().unwrap_or_default();
        let key = |theirs: &str| {
            let tags = [ours, theirs].map(str::to_owned);
            (letter.origin == Origin::Server, call.to_owned(), tags, method.as_str())
        };
        let number = letter.cseq().0;
        // A dialog counts on from the request that began it; one request can begin several (R22).
        let began = last.get(&key("")).copied().filter(|_| !theirs.is_empty());
        let before = last.insert(key(theirs), number).or(began);
        if before.is_some_and(|before| before >= number) {
            let what = format!("{} {number} after {before:?}", method.as_str());
            found.push((letter.at_ms, what));
        }
    }
    found
}

/// P43: two NOTIFYs of a subscription are K4 apart unless the second was forced: by a SUBSCRIBE,
/// by a change of its state or of the verdict, by a restart, by an offer that went.
pub(crate) fn paced(evidence: &Evidence<'_>) -> Found {
    let gap = evidence.plan.server.notify_gap_ms;
    let hasty = pairs(evidence).into_iter().filter(|(before, after)| {
        let quick = after.at_ms < before.at_ms + gap;
        let turned = before.phase != after.phase || before.boot != after.boot;
        // What was built while the server recovered may be followed by what recovery owes.
        let recovers =
            evidence.lives.server_changed(before.at_ms.saturating_sub(3500), before.at_ms);
        quick && !turned && !recovers && !was_asked(evidence, before, after)
    });
    let hasty = hasty.filter(|(before, after)| {
        let from = before.at_ms.saturating_sub(CATCHING_UP_MS);
        !evidence.lives.caught_up(from, after.at_ms)
            && !evidence.decisions.changed_about(after, before.at_ms)
    });
    let mut excepted: BTreeMap<&DialogId, u64> = BTreeMap::new();
    let mut found = Vec::new();
    for (before, after) in hasty {
        let ms = after.at_ms - before.at_ms;
        if !lost_offer(evidence, before, after) {
            found.push((
                after.at_ms,
                format!("{} comes {ms} ms after the one before", whose(after)),
            ));
        } else if let Some(last) = excepted.insert(&after.dialog, after.at_ms)
            && after.at_ms < last + gap
        {
            found.push((after.at_ms, format!("{} is one exception too many", whose(after))));
        }
    }
    found
}

/// Whether a SUBSCRIBE of the dialog was answered between two NOTIFYs.
fn was_asked(evidence: &Evidence<'_>, before: &Notify, after: &Notify) -> bool {
    let mut letters = evidence.letters.iter().filter(|letter| {
        letter.origin == Origin::Server && (before.at_ms..=after.at_ms).contains(&letter.at_ms)
    });
    letters.any(|letter| {
        let answers = letter
            .response()
            .is_some_and(|response| response.call_id().is_ok_and(|call| call == after.dialog.0));
        answers && letter.cseq().1 == "SUBSCRIBE"
    })
}

/// Whether an offer may have gone between two NOTIFYs. Neither has to show it: it may have come in
/// between, or have come again.
fn lost_offer(evidence: &Evidence<'_>, before: &Notify, after: &Notify) -> bool {
    if after.winfo {
        return false;
    }
    let mut ready = offers(&before.body);
    for published in published(evidence, before, after) {
        let gone = match &published {
            Some(offers) => offers.iter().any(|(id, now)| !now && ready.get(id) == Some(&true)),
            None => ready.values().any(|ready| *ready),
        };
        if gone {
            return true;
        }
        ready.extend(published.into_iter().flatten());
    }
    let after = offers(&after.body);
    let is_ready = |id| after.get(id) == Some(&true);
    ready.iter().any(|(id, ready)| *ready && !is_ready(id)) || after.values().any(|ready| !ready)
}

/// The offers of a document.
fn offers(body: &[u8]) -> Offers {
    let tuples = Pidf::parse(body).map(|pidf| pidf.tuples).unwrap_or_default();
    let ready = |mode| mode == Mode::Ready;
    tuples.into_iter().filter_map(|tuple| Some((tuple.id, ready(tuple.offer?.mode)))).collect()
}

/// The offers of tuples, and whether they are ready.
type Offers = BTreeMap<Box<str>, bool>;

/// The offers that their owner published between two NOTIFYs; `None` where something was removed.
fn published(evidence: &Evidence<'_>, before: &Notify, after: &Notify) -> Vec<Option<Offers>> {
    let letters = &evidence.letters;
    let mut published: Vec<(usize, Option<Offers>)> = Vec::new();
    for (exchange, letter, request) in evidence.exchanges.asked(letters) {
        let done = exchange.success(letters);
        let Some(done) = done.filter(|at| (before.place..after.place).contains(at)) else {
            continue;
        };
        let owner = letter.message.headers().from().map(|from| user(&from));
        if is_presence(request) && owner.is_ok_and(|owner| owner == after.owner) {
            let removed = request.seconds(Name::Expires) == Some(0);
            published.push((done, (!removed).then(|| offers(&request.body()))));
        }
    }
    published.sort_by_key(|(done, _)| *done);
    published.into_iter().map(|(_, offers)| offers).collect()
}

#[cfg(test)]
mod tests;
