//! Rows that are a SUBSCRIBE, its answer and its first NOTIFY (M13, M15, M16).

use super::requests::{Asked, receiver, sender};
use super::{Coverage, Row};
use crate::oracle::evidence::{Evidence, Notify, Phase};
use crate::record::Fate;
use presently_engine::body::pidf::Pidf;
use presently_engine::body::presrules::Handling;
use presently_engine::message::{Method, Name};
use std::collections::{BTreeMap, BTreeSet};

/// The NOTIFYs of every Call-ID, in the order in which they were built.
type Told<'a> = BTreeMap<&'a str, Vec<&'a Notify>>;

pub(super) fn read(evidence: &Evidence<'_>, coverage: &mut Coverage) {
    let mut told = Told::new();
    for notify in &evidence.notifies {
        told.entry(&notify.dialog.0).or_default().push(notify);
    }
    let mut expires: BTreeMap<String, u32> = BTreeMap::new();
    let mut owners: BTreeSet<(String, String)> = BTreeSet::new();
    let subscribes = Asked::all(evidence)
        .filter(|asked| asked.is_from_device() && asked.request.method() == Method::Subscribe);
    for asked in subscribes {
        let notifies = told.get(asked.call).map_or(&[][..], |all| all);
        let event = asked.request.event().map(|event| event.package);
        let first = asked.request.to().is_ok_and(|to| to.tag().is_none());
        match (first, event) {
            (true, Some("presence")) => begun(&asked, notifies, coverage),
            (true, _) => looked(&asked, &mut owners, coverage),
            (false, Some("presence")) => renewed(&asked, notifies, coverage),
            (false, _) => {}
        }
        if first {
            arrivals(&asked, notifies, coverage);
        } else {
            crossed(&asked, notifies, coverage);
        }
        let seconds = asked.request.seconds(Name::Expires).filter(|seconds| *seconds > 0);
        let before = seconds.and_then(|it| expires.insert(asked.call.to_owned(), it));
        if before.is_some() && before != seconds {
            coverage.reach(Row::ChangedExpires);
        }
    }
}

/// What the owner certainly thinks of whoever asks.
fn thought(asked: &Asked<'_>) -> Option<Handling> {
    let (owner, watcher) = (receiver(asked.request), sender(asked.request));
    asked.evidence.decisions.certain(&owner, &watcher, asked.answered_ms())
}

/// The first SUBSCRIBE of a presence subscription (M13 rows 1–7).
fn begun(asked: &Asked<'_>, notifies: &[&Notify], coverage: &mut Coverage) {
    if asked.status() == 403 {
        coverage.reach(Row::Blocked);
    }
    let Some(first) = notifies.first().filter(|_| asked.succeeded()) else { return };
    if sender(asked.request) == receiver(asked.request) {
        coverage.reach(Row::Oneself);
    }
    let polite = thought(asked) == Some(Handling::PoliteBlock);
    coverage.reach(match (asked.ends(), first.phase) {
        (true, _) if polite => Row::FetchedPolitely,
        (true, _) => match Pidf::parse(&first.body).is_ok_and(|it| it.tuples.is_empty()) {
            true => Row::FetchedUndecided,
            false => Row::FetchedAllowed,
        },
        (false, Phase::Pending) => Row::SubscribedPending,
        (false, Phase::Active) if polite => Row::SubscribedPolitely,
        (false, Phase::Active) => Row::SubscribedActive,
        (false, Phase::Terminated) => return,
    });
}

/// The first SUBSCRIBE of a subscription to watcher information.
fn looked(asked: &Asked<'_>, owners: &mut BTreeSet<(String, String)>, coverage: &mut Coverage) {
    let Some(device) = asked.evidence.device(asked.letter.from).filter(|_| asked.succeeded())
    else {
        return;
    };
    coverage.reach(Row::WinfoSubscribed);
    let owner = receiver(asked.request);
    if owner == device.user {
        owners.insert((owner.clone(), device.device.clone()));
        if owners.iter().filter(|(of, _)| *of == owner).count() > 1 {
            coverage.reach(Row::TwoWinfoDialogs);
        }
    }
}

/// A SUBSCRIBE in a presence dialog (M13 rows 10, 15, 21, 24, 34).
fn renewed(asked: &Asked<'_>, notifies: &[&Notify], coverage: &mut Coverage) {
    let place = asked.answer.map_or(usize::MAX, |(place, _)| place);
    let last = notifies.iter().rev().find(|notify| notify.place < place);
    let row = match (last.map(|notify| notify.phase), asked.ends()) {
        (Some(Phase::Pending), false) => Row::RefreshedPending,
        (Some(Phase::Pending), true) => Row::PendingUnsubscribed,
        (Some(Phase::Active), false) => Row::RefreshedActive,
        (Some(Phase::Active), true) => Row::Unsubscribed,
        (Some(Phase::Terminated) | None, _) => return,
    };
    if asked.succeeded() {
        coverage.reach(row);
    }
}

/// Races of a SUBSCRIBE in a dialog with what the server says meanwhile.
fn crossed(asked: &Asked<'_>, notifies: &[&Notify], coverage: &mut Coverage) {
    let since = asked.letter.at_ms;
    if asked.status() == 481 {
        coverage.reach(Row::DialogGone);
        let until = asked.answered_ms();
        let timed_out = notifies.iter().any(|notify| {
            (since.saturating_sub(5000)..=until).contains(&notify.at_ms)
                && notify.reason.as_deref() == Some("timeout")
        });
        if timed_out && !asked.ends() {
            coverage.reach(Row::ExpiryCrossed);
        }
    }
    let arrived = asked.exchange.arrived(&asked.evidence.letters).unwrap_or(since);
    let crosses = |notify: &&&Notify| (since..arrived).contains(&notify.at_ms);
    if asked.ends() && notifies.iter().filter(crosses).count() > 0 {
        coverage.reach(Row::UnsubscribeCrossed);
    }
    if asked.is_unanswered() && !asked.ends() {
        coverage.reach(Row::RefreshUnanswered);
    }
}

/// In which order the 200 and the first NOTIFY arrive, and what is lost of them.
fn arrivals(asked: &Asked<'_>, notifies: &[&Notify], coverage: &mut Coverage) {
    let letters = &asked.evidence.letters;
    let Some(first) = notifies.first().filter(|_| asked.succeeded()) else { return };
    let sent = &letters[first.place];
    let notified = asked.evidence.exchanges.of(first.place).arrived(letters);
    match (asked.heard_ms(), notified) {
        (Some(ok), Some(notify)) if notify < ok => coverage.reach(Row::NotifyFirst),
        (Some(ok), Some(notify)) if ok < notify => coverage.reach(Row::OkFirst),
        _ => {}
    }
    if notified.is_some() && asked.success_was_lost() {
        coverage.reach(Row::OkOfSubscribeLost);
    }
    if asked.heard_ms().is_some() && matches!(sent.fate, Fate::Lost | Fate::Cut) {
        coverage.reach(Row::NotifyLost);
    }
    let ended = notifies.iter().find(|notify| notify.phase == Phase::Terminated);
    let last = asked.exchange.asked.iter().filter_map(|at| letters[*at].arrived_ms).max();
    if ended.is_some_and(|ended| last.is_some_and(|last| last > ended.at_ms)) && !asked.ends() {
        coverage.reach(Row::LateSubscribe);
    }
}
