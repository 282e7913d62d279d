//! What devices do and what their users are shown: P6, P17, P22, P31, P32, P49.

use super::evidence::{Evidence, Letter, Origin, Phase, user};
use super::expiry::is_presence;
use crate::plan::{Act, DeviceName, Party};
use presently_engine::agent::{Event, Package, SubscriptionPhase};
use presently_engine::message::{Method, Name};
use std::collections::{BTreeMap, BTreeSet};

type Found = Vec<(u64, String)>;

/// Timer N (RFC 6665 §4.1.2.4).
const TIMER_N_MS: u64 = 32_000;
/// A SUBSCRIBE is tried so often, each try for the time of Timer N (K18).
const TRIES: u64 = 3;

/// Within this time a device that noticed a restart of the server begins everything anew (D21),
/// also what it has begun meanwhile.
const JITTER_MS: u64 = 35_000;

/// A subscription as its user knows it.
type Key<'a> = (&'a DeviceName, Package, String);

/// When what was told of every subscription.
fn phases<'a>(evidence: &'a Evidence<'_>) -> BTreeMap<Key<'a>, Vec<(u64, SubscriptionPhase)>> {
    let mut phases: BTreeMap<Key<'_>, Vec<_>> = BTreeMap::new();
    for (at_ms, device, event) in evidence.record.told() {
        if let Event::Subscription { target, package, phase, .. } = event {
            let key = (device, *package, target.user().to_owned());
            phases.entry(key).or_default().push((at_ms, *phase));
        }
    }
    phases
}

/// When a device's life ends in which a moment lies, or the run; who has logged out shows nothing
/// any more, even if it was still told something on the way out.
fn life_ends(evidence: &Evidence<'_>, device: &DeviceName, at_ms: u64) -> u64 {
    let life = evidence.lives.of(device, at_ms);
    let ends = life.and_then(|life| life.left_ms.or(life.until_ms));
    let mut told = evidence.told_since(device, at_ms);
    let out = told.find(|(_, event)| **event == Event::LoggedOut).map(|(at_ms, _)| at_ms);
    ends.into_iter().chain(out).min().unwrap_or(evidence.record.ended_ms)
}

/// What was told of every subscription, one after the other: from when until when.
fn spells<'a>(
    evidence: &Evidence<'_>,
    phases: &'a BTreeMap<Key<'a>, Vec<(u64, SubscriptionPhase)>>,
) -> Vec<(&'a Key<'a>, SubscriptionPhase, u64, u64)> {
    let of = |(key, told): (&'a Key<'a>, &'a Vec<(u64, SubscriptionPhase)>)| {
        let spell = |(place, (at_ms, phase)): (usize, &(u64, SubscriptionPhase))| {
            let next = told.get(place + 1).map_or(u64::MAX, |(next, _)| *next);
            (key, *phase, *at_ms, next.min(life_ends(evidence, key.0, *at_ms)))
        };
        told.iter().enumerate().map(spell).collect::<Vec<_>>()
    };
    phases.iter().flat_map(of).collect()
}

/// Fetches by their subscription: when they were ordered, when they began. Each is a subscription
/// of its own.
struct Fetches<'a> {
    ordered: BTreeMap<(&'a DeviceName, String), Vec<u64>>,
    begun: BTreeMap<Key<'a>, Vec<u64>>,
}

impl<'a> Fetches<'a> {
    fn new(evidence: &'a Evidence<'_>) -> Self {
        let mut ordered: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for step in &evidence.plan.steps {
            let Act::Order(device, line) = &step.act else { continue };
            let Some(target) = line.strip_prefix("fetch ") else { continue };
            let key = (device, super::lives::user_of(target.trim()));
            ordered.entry(key).or_default().push(step.at_ms);
        }
        let mut begun: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (at_ms, key, asked) in calls(evidence).into_values() {
            if asked == 0 {
                begun.entry(key).or_default().push(at_ms);
            }
        }
        Self { ordered, begun }
    }

    /// Whether a subscription that begins is a fetch for which an order is left: also one from
    /// before the device was registered, or while it stood still.
    fn pays(&mut self, key: &Key<'a>, at_ms: u64) -> bool {
        let (device, package, target) = key;
        let begun = self.begun.get(key).is_some_and(|begun| begun.contains(&at_ms));
        let orders = match package {
            Package::Presence if begun => self.ordered.get_mut(&(*device, target.clone())),
            Package::Presence | Package::Winfo => None,
        };
        let Some(orders) = orders else { return false };
        let due = orders.iter().position(|ordered_ms| *ordered_ms <= at_ms);
        due.map(|due| orders.remove(due)).is_some()
    }
}

/// Orders to subscribe that came while the device stood still: they wait, and each is carried out
/// once when it goes on.
struct Delayed<'a>(BTreeMap<Key<'a>, Vec<(u64, u64)>>);

impl<'a> Delayed<'a> {
    fn new(evidence: &'a Evidence<'_>) -> Self {
        let mut delayed: BTreeMap<Key<'_>, Vec<_>> = BTreeMap::new();
        for step in &evidence.plan.steps {
            let Act::Order(device, line) = &step.act else { continue };
            let Some(until) = evidence.lives.catches_up(device, step.at_ms) else { continue };
            let mut words = line.split_whitespace();
            let (package, target) = match (words.next(), words.next()) {
                (Some("watch"), Some(target)) => (Package::Presence, super::lives::user_of(target)),
                (Some("winfo"), Some(target)) if target.parse::<u32>().is_err() => {
                    (Package::Winfo, super::lives::user_of(target))
                }
                (Some("winfo"), _) => (Package::Winfo, device.user.clone()),
                _ => continue,
            };
            delayed.entry((device, package, target)).or_default().push((step.at_ms, until));
        }
        Self(delayed)
    }

    /// Whether a subscription that begins is what one of them wanted.
    fn pays(&mut self, key: &Key<'a>, at_ms: u64) -> bool {
        let orders = self.0.get_mut(key);
        orders.is_some_and(|orders| {
            let due = orders.iter().position(|(from, until)| (*from..=*until).contains(&at_ms));
            due.map(|due| orders.remove(due)).is_some()
        })
    }
}

/// P17: a device begins a subscription once for each cause: an order, an end, a restart of the
/// server, a start of its own.
pub(super) fn subscribes_once(evidence: &Evidence<'_>) -> Found {
    let mut causes: BTreeMap<&DeviceName, Vec<(u64, u64)>> = BTreeMap::new();
    for step in &evidence.plan.steps {
        let device = match &step.act {
            Act::Order(device, line) if begins(line) => device,
            Act::Login(device) | Act::Start(Party::Device(device)) => device,
            _ => continue,
        };
        causes.entry(device).or_default().push((step.at_ms, step.at_ms));
    }
    for (at_ms, device, event) in evidence.record.told() {
        if *event == Event::ServerRestarted {
            // What became due while it stood still is done when it goes on.
            let until = at_ms + JITTER_MS;
            let until = evidence.lives.catches_up(device, until).unwrap_or(until);
            causes.entry(device).or_default().push((at_ms, until));
        }
    }
    let (mut fetches, mut delayed) = (Fetches::new(evidence), Delayed::new(evidence));
    let mut found = Vec::new();
    for (key, told) in phases(evidence) {
        let (device, package, target) = &key;
        let mut begun: Option<u64> = None;
        for (at_ms, phase) in told {
            match phase {
                SubscriptionPhase::Trying => {
                    let since = begun.replace(at_ms);
                    let ordered = fetches.pays(&key, at_ms) || delayed.pays(&key, at_ms);
                    let caused = |since: u64| {
                        let of = causes.get(device).into_iter().flatten();
                        of.into_iter().any(|(from, until)| *from <= at_ms && since < *until)
                    };
                    if since.is_some_and(|since| !ordered && !caused(since)) {
                        let what = format!("{device} begins {package:?} of {target} once more");
                        found.push((at_ms, what));
                    }
                }
                SubscriptionPhase::Terminated => begun = None,
                SubscriptionPhase::Pending | SubscriptionPhase::Active => {}
            }
        }
    }
    found
}

/// Whether an order begins a subscription, or ends one whose successor begins at once.
fn begins(line: &str) -> bool {
    let verb = line.split_whitespace().next().unwrap_or_default();
    matches!(verb, "watch" | "unwatch" | "fetch" | "winfo")
}

/// P49: nobody waits for the first NOTIFY for longer than all tries together take.
pub(super) fn tries_end(evidence: &Evidence<'_>) -> Found {
    let most = TRIES * TIMER_N_MS + 1000;
    let mut found = Vec::new();
    if evidence.lives.clock_is_odd() {
        return found;
    }
    for ((device, package, target), phase, at_ms, until) in spells(evidence, &phases(evidence)) {
        if phase == SubscriptionPhase::Trying && until > at_ms + most {
            let what = format!("{device} tries {package:?} of {target} for too long");
            found.push((at_ms + most, what));
        }
    }
    found
}

/// The subscription that a SUBSCRIBE or a NOTIFY with a Call-ID is about, when it began, and the
/// longest time that was asked for.
fn calls<'a>(evidence: &'a Evidence<'_>) -> BTreeMap<&'a str, (u64, Key<'a>, u32)> {
    let mut calls = BTreeMap::new();
    for (letter, request) in evidence.requests(|origin| origin == Origin::Device) {
        let (Some(device), Method::Subscribe) = (evidence.device(letter.from), request.method())
        else {
            continue;
        };
        let (Some(event), Ok(to)) = (request.event(), request.to()) else { continue };
        let package = if event.package == "presence" { Package::Presence } else { Package::Winfo };
        let asked = request.seconds(Name::Expires).unwrap_or(3600);
        let call = request.call_id().unwrap_or_default();
        let entry = calls.entry(call).or_insert((letter.at_ms, (device, package, user(&to)), 0));
        entry.2 = asked.max(entry.2);
    }
    calls
}

/// P22: who shows a subscription as pending or active hears of it within the time that was asked
/// for and the time of one refresh; what is gone at the server is shown no longer than that.
pub(super) fn nobody_believes_for_long(evidence: &Evidence<'_>) -> Found {
    let mut found = Vec::new();
    // Who stands still does not notice that time passes.
    if evidence.lives.clock_is_odd() {
        return found;
    }
    let calls = calls(evidence);
    let mut heard: BTreeMap<&Key<'_>, Vec<u64>> = BTreeMap::new();
    let mut longest: BTreeMap<&Key<'_>, u32> = BTreeMap::new();
    for letter in evidence.letters.iter().filter(|letter| letter.origin == Origin::Server) {
        let headers = letter.message.headers();
        let (call, (_, method)) = (headers.call_id().unwrap_or_default(), letter.cseq());
        let good = letter.response().is_none_or(|response| response.status() < 300);
        let about = matches!(&*method, "SUBSCRIBE" | "NOTIFY") && good;
        let (Some((_, key, asked)), Some(at_ms)) = (calls.get(call), letter.arrived_ms) else {
            continue;
        };
        if about {
            heard.entry(key).or_default().push(at_ms);
            let most = longest.entry(key).or_default();
            *most = (*most).max(*asked);
        }
    }
    heard.values_mut().for_each(|times| times.sort_unstable());
    for (key, phase, at_ms, until) in spells(evidence, &phases(evidence)) {
        if !matches!(phase, SubscriptionPhase::Pending | SubscriptionPhase::Active) {
            continue;
        }
        let most = longest.get(key).map_or(0, |asked| u64::from(*asked) * 1000);
        let most = most + TIMER_N_MS + 1000;
        let heard = heard.get(key).map_or(&[][..], |times| times);
        let within = heard.iter().filter(|at| (at_ms..until).contains(*at)).copied();
        let times: Vec<u64> =
            std::iter::once(at_ms).chain(within).chain(std::iter::once(until)).collect();
        if let Some(gap) = times.windows(2).find(|two| two[1] > two[0] + most) {
            let what = format!("{} believes in {} without a word", key.0, key.2);
            found.push((gap[0] + most, what));
        }
    }
    found
}

/// P31: a NOTIFY that comes while its SUBSCRIBE is out is taken, before or after the 200.
pub(super) fn early_notify_is_taken(evidence: &Evidence<'_>) -> Found {
    let letters = &evidence.letters;
    let mut begun: BTreeMap<&str, &Letter> = BTreeMap::new();
    for (exchange, letter, request) in evidence.exchanges.asked(letters) {
        let refused = exchange
            .answer(letters)
            .is_some_and(|(_, status)| status >= 300 && !matches!(status, 401 | 407 | 423));
        let first = request.to().is_ok_and(|to| to.tag().is_none());
        if request.method() == Method::Subscribe && letter.origin == Origin::Device && first {
            let call = request.call_id().unwrap_or_default();
            match refused {
                true => drop(begun.remove(call)),
                false => drop(begun.entry(call).or_insert(letter)),
            }
        }
    }
    let mut found = Vec::new();
    let mut firsts: BTreeSet<&str> = BTreeSet::new();
    for notify in &evidence.notifies {
        let call = &*notify.dialog.0;
        if !firsts.insert(call) {
            continue;
        }
        let exchange = evidence.exchanges.of(notify.place);
        let Some((place, 481)) = exchange.answer(letters) else { continue };
        let (Some(subscribe), answer) = (begun.get(call), &letters[place]) else { continue };
        let Some(device) = evidence.device(subscribe.from) else { continue };
        let waits = answer.at_ms < subscribe.at_ms + TIMER_N_MS;
        let restarts = evidence.told_since(device, subscribe.at_ms.saturating_sub(JITTER_MS));
        let mut restarts = restarts.filter(|(_, event)| **event == Event::ServerRestarted);
        let noticed = restarts.any(|(at_ms, _)| at_ms <= answer.at_ms);
        // Who started anew since, be it in the next millisecond, has never asked.
        let life = evidence.lives.of(device, answer.at_ms);
        let asked = life.is_some_and(|life| life.from_ms <= subscribe.at_ms);
        if waits
            && asked
            && !noticed
            && evidence.is_undisturbed(device, subscribe.at_ms + 1, answer.at_ms)
        {
            let what = format!("{device} refuses the first NOTIFY of {}", notify.owner);
            found.push((answer.at_ms, what));
        }
    }
    found
}

/// P32 and M12: a device publishes one after the other, and names the entity-tag that it was given
/// last.
pub(super) fn publishes_in_order(evidence: &Evidence<'_>) -> Found {
    let letters = &evidence.letters;
    let mut last: BTreeMap<&str, usize> = BTreeMap::new();
    let mut tags: BTreeMap<&str, &str> = BTreeMap::new();
    let mut found = Vec::new();
    for (place, letter) in letters.iter().enumerate() {
        let Some(request) = letter.request().filter(|request| is_presence(request)) else {
            continue;
        };
        if letter.origin != Origin::Device || !letter.is_new {
            continue;
        }
        let call = request.call_id().unwrap_or_default();
        if let Some(before) = last.insert(call, place) {
            let exchange = evidence.exchanges.of(before);
            let sent_ms = letters[before].at_ms;
            match exchange.heard(letters) {
                Some((at_ms, status)) if at_ms <= letter.at_ms => {
                    let answer = exchange.success(letters).map(|at| &letters[at]);
                    let tag = answer.and_then(|it| it.message.headers().first(Name::SipEtag));
                    tag.filter(|_| status < 300).map(|tag| tags.insert(call, tag));
                }
                // Who logs out gives up on what is out.
                Some(_) | None if left(evidence, letter, sent_ms) => {}
                Some(_) | None if letter.at_ms < sent_ms + TIMER_N_MS => {
                    found.push((letter.at_ms, format!("PUBLISH {call} while one is out")));
                }
                Some(_) | None => {}
            }
        }
        let named = request.first(Name::SipIfMatch);
        if named.is_some() && named != tags.get(call).copied() {
            let what = format!("PUBLISH {call} names {named:?}, given was {:?}", tags.get(call));
            found.push((letter.at_ms, what));
        }
    }
    found
}

/// Whether the user of whoever sent a letter had logged out since some moment.
fn left(evidence: &Evidence<'_>, letter: &Letter, since_ms: u64) -> bool {
    evidence.device(letter.from).is_none_or(|device| {
        let mut told = evidence.told_since(device, since_ms);
        let life = |at_ms| evidence.lives.of(device, at_ms).map(|life| life.from_ms);
        life(since_ms) != life(letter.at_ms)
            || told.any(|(at_ms, event)| at_ms <= letter.at_ms && *event == Event::LoggedOut)
    })
}

/// P6: what a user is shown of a device of somebody is never older than what was shown before.
pub(super) fn shown_never_goes_back(evidence: &Evidence<'_>) -> Found {
    let ages = super::dialogs::ages(evidence);
    let mut shown: BTreeMap<(&DeviceName, u64, &str, &str), usize> = BTreeMap::new();
    let mut found = Vec::new();
    for (at_ms, device, event) in evidence.record.told() {
        let Event::Presence { aor, document } = event else { continue };
        let life = evidence.lives.of(device, at_ms).map_or(0, |life| life.from_ms);
        for tuple in &document.tuples {
            let Some(note) = tuple.notes.first() else { continue };
            let age = ages.get(&(aor.user().to_owned(), note.text.to_string()));
            let key = (device, life, aor.user(), &*tuple.id);
            let Some(age) = age else { continue };
            if shown.insert(key, *age).is_some_and(|before| before > *age) {
                found.push((at_ms, format!("{device} is shown “{}” once more", note.text)));
            }
        }
    }
    found
}

/// P6: a device takes no NOTIFY that comes after a later one of its dialog.
pub(super) fn takes_nothing_older(evidence: &Evidence<'_>) -> Found {
    let letters = &evidence.letters;
    let mut found = Vec::new();
    for (before, after) in super::dialogs::pairs(evidence) {
        let (old, new) = (evidence.exchanges.of(before.place), evidence.exchanges.of(after.place));
        let (Some(came), Some(then)) = (old.arrived(letters), new.arrived(letters)) else {
            continue;
        };
        let (Some(place), Some(_)) = (old.success(letters), new.success(letters)) else { continue };
        if came > then {
            let what = format!("{} takes NOTIFY {} late", before.watcher, before.cseq);
            found.push((letters[place].at_ms, what));
        }
    }
    found
}

/// R5 and R6: what a device takes of a dialog after its terminal NOTIFY is nothing: it says 481.
pub(super) fn the_end_is_the_end(evidence: &Evidence<'_>) -> Found {
    let letters = &evidence.letters;
    let mut ended: BTreeMap<&super::evidence::DialogId, u64> = BTreeMap::new();
    let mut found = Vec::new();
    for notify in &evidence.notifies {
        let heard = evidence.exchanges.of(notify.place).heard(letters);
        let Some((at_ms, 200..=299)) = heard else { continue };
        if ended.contains_key(&notify.dialog) {
            found.push((at_ms, format!("{} takes a NOTIFY after the last", notify.watcher)));
        }
        if notify.phase == Phase::Terminated {
            ended.insert(&notify.dialog, at_ms);
        }
    }
    found
}

#[cfg(test)]
mod tests;
