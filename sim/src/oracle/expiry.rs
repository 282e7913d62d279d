//! Soft state: nothing ends before its time (P14), nobody is told that more is left (P15), and
//! everything is refreshed in time (M10).

use super::evidence::{Evidence, Letter, Notify, Origin, Phase, user};
use presently_engine::message::{Method, Name, Request};
use std::collections::{BTreeMap, BTreeSet};

type Found = Vec<(u64, String)>;

/// How long the server keeps soft state past the granted time (K3).
const GRACE_MS: u64 = 5000;
/// Timer F and Timer N.
const PATIENCE_MS: u64 = 32_000;

/// Something that was granted for a time.
pub(crate) struct Grant<'a> {
    /// Where the request stands.
    pub(crate) asked_place: usize,
    /// Where the answer stands.
    pub(crate) place: usize,
    /// When the request arrived at first; it was not carried out before.
    pub(crate) arrived_ms: u64,
    /// When the answer was sent.
    pub(crate) sent_ms: u64,
    /// When whoever asked heard of it.
    pub(crate) heard_ms: Option<u64>,
    pub(crate) seconds: u32,
    pub(crate) request: &'a Request,
    pub(crate) asked: &'a Letter,
}

/// What was granted to requests of a method, by Call-ID, in the order of the answers.
pub(crate) fn grants<'a>(
    evidence: &'a Evidence<'_>,
    method: Method,
) -> BTreeMap<&'a str, Vec<Grant<'a>>> {
    let letters = &evidence.letters;
    let mut grants: BTreeMap<&str, Vec<Grant<'_>>> = BTreeMap::new();
    for (exchange, asked, request) in evidence.exchanges.asked(letters) {
        let Some(place) = exchange.success(letters).filter(|_| request.method() == method) else {
            continue;
        };
        let answer = &letters[place];
        let headers = answer.message.headers();
        let seconds = headers.seconds(Name::Expires).or(match method {
            // The answer lists the contacts of all devices; ours is granted as it was asked for.
            Method::Register => request.seconds(Name::Expires),
            _ => None,
        });
        let Some(seconds) = seconds else { continue };
        let grant = Grant {
            asked_place: exchange.asked.first().copied().unwrap_or(place),
            place,
            arrived_ms: exchange.arrived(letters).unwrap_or(asked.at_ms),
            sent_ms: answer.at_ms,
            heard_ms: exchange.heard(letters).map(|(at_ms, _)| at_ms),
            seconds,
            request,
            asked,
        };
        grants.entry(request.call_id().unwrap_or_default()).or_default().push(grant);
    }
    grants.values_mut().for_each(|all| all.sort_by_key(|grant| grant.place));
    grants
}

impl Grant<'_> {
    /// Until when it surely lasts.
    fn lasts_ms(&self) -> u64 {
        self.arrived_ms + u64::from(self.seconds) * 1000 + GRACE_MS
    }
}

/// P14: a subscription runs out when the granted time and the grace are over, not before.
pub(crate) fn nothing_runs_out_early(evidence: &Evidence<'_>) -> Found {
    let grants = grants(evidence, Method::Subscribe);
    let mut found = Vec::new();
    let over = evidence.notifies.iter().filter(|notify| {
        notify.phase == Phase::Terminated && notify.reason.as_deref() == Some("timeout")
    });
    for notify in over {
        let mut of = grants.get(&*notify.dialog.0).into_iter().flatten();
        let Some(last) = of.rfind(|grant| grant.place < notify.place) else {
            continue;
        };
        // Who stood still counts from before that (R52).
        let awake = evidence.lives.serves(last.arrived_ms, last.sent_ms);
        let early = last.seconds > 0 && notify.at_ms < last.lasts_ms();
        if early && awake && !evidence.lives.clock_is_odd() {
            let what = format!("{} runs out early", super::dialogs::whose(notify));
            found.push((notify.at_ms, what));
        }
    }
    found
}

/// P14: who refreshes a subscription in time does not get 481, unless it was told of its end or
/// could not be reached.
pub(crate) fn nothing_is_forgotten(evidence: &Evidence<'_>) -> Found {
    let letters = &evidence.letters;
    let grants = grants(evidence, Method::Subscribe);
    let mut dialogs: BTreeMap<&str, Vec<&Notify>> = BTreeMap::new();
    for notify in &evidence.notifies {
        dialogs.entry(&notify.dialog.0).or_default().push(notify);
    }
    let mut found = Vec::new();
    for (exchange, _, request) in evidence.exchanges.asked(letters) {
        let Some((place, 481)) = exchange.answer(letters) else { continue };
        if request.method() != Method::Subscribe || evidence.lives.clock_is_odd() {
            continue;
        }
        let at_ms = letters[place].at_ms;
        let call = request.call_id().unwrap_or_default();
        let of_call = grants.get(call).map_or(&[][..], |grants| grants);
        let Some(last) = of_call.iter().rfind(|grant| grant.place < place) else { continue };
        let ended = dialogs.get(call).into_iter().flatten().any(|notify| {
            let heard = evidence.exchanges.of(notify.place).heard(letters);
            let lost = match heard {
                Some((heard, status)) => heard > notify.at_ms + PATIENCE_MS || status >= 300,
                // An end may wait behind a NOTIFY that is out.
                None => true,
            };
            let lost = lost || heard.is_some_and(|(heard, _)| heard > at_ms);
            notify.place < place && (notify.phase == Phase::Terminated || lost)
        });
        // Another dialog has taken the place of this one, silently (R20).
        let asked = request.to().ok().and_then(|to| to.tag());
        let granted = letters[last.place].message.headers().to().ok().and_then(|to| to.tag());
        let ended = ended || (asked.is_some() && asked != granted);
        // A server that stops may have ended it, and lost the word about it with its disk.
        // R47 looks at what a restart leaves.
        let ended = ended || evidence.lives.server_changed(last.sent_ms, at_ms);
        if last.seconds > 0 && at_ms < last.lasts_ms() && !ended {
            found.push((at_ms, format!("the subscription {call} is forgotten")));
        }
    }
    found
}

/// P14 and P32: the newest entity-tag of a publication is good until its time is over.
pub(crate) fn entity_tags_last(evidence: &Evidence<'_>) -> Found {
    let letters = &evidence.letters;
    let grants = grants(evidence, Method::Publish);
    let mut issued: BTreeMap<&str, &Grant<'_>> = BTreeMap::new();
    for grant in grants.values().flatten() {
        let tag = letters[grant.place].message.headers().first(Name::SipEtag);
        issued.extend(tag.map(|tag| (tag, grant)));
    }
    let mut used: BTreeSet<&str> = BTreeSet::new();
    let mut spent: BTreeSet<&str> = BTreeSet::new();
    let mut found = Vec::new();
    for (exchange, letter, request) in evidence.exchanges.asked(letters) {
        let (Some(tag), true) = (request.first(Name::SipIfMatch), is_presence(request)) else {
            continue;
        };
        let first_use = used.insert(tag);
        let Some((place, status)) = exchange.answer(letters) else { continue };
        let at_ms = letters[place].at_ms;
        if status < 300 && !spent.insert(tag) {
            found.push((at_ms, format!("the entity-tag {tag} is taken once more")));
        }
        match issued.get(tag) {
            Some(grant) if status == 412 && at_ms < grant.lasts_ms() && first_use => {
                let restarted = evidence.lives.server_changed(grant.sent_ms, at_ms);
                if grant.seconds > 0 && !restarted && !evidence.lives.clock_is_odd() {
                    found.push((at_ms, format!("the entity-tag {tag} is refused")));
                }
            }
            None if status < 300 && letter.origin == Origin::Device => {
                found.push((at_ms, format!("the entity-tag {tag}, never given, is taken")));
            }
            Some(_) | None => {}
        }
    }
    found
}

pub(crate) fn is_presence(request: &Request) -> bool {
    request.method() == Method::Publish
        && request.event().is_some_and(|event| event.package == "presence")
}

/// P15: `Subscription-State` says no more time than is left.
pub(crate) fn no_more_than_is_left(evidence: &Evidence<'_>) -> Found {
    let grants = grants(evidence, Method::Subscribe);
    let mut found = Vec::new();
    for notify in &evidence.notifies {
        let mut of = grants.get(&*notify.dialog.0).into_iter().flatten();
        let last = of.rfind(|grant| grant.place < notify.place);
        let (Some(last), Some(says)) = (last, notify.expires) else { continue };
        let gone = (notify.at_ms - last.sent_ms) / 1000;
        let left = u64::from(last.seconds).saturating_sub(gone) + 1;
        let certain = !evidence.lives.server_changed(last.sent_ms, notify.at_ms)
            && evidence.lives.serves(notify.at_ms, notify.at_ms);
        if u64::from(says) > left && certain {
            let what =
                format!("{} says {says} s, {left} s are left", super::dialogs::whose(notify));
            found.push((notify.at_ms, what));
        }
    }
    found
}

/// M10 and M15: a device asks again for what it was granted when nineteen twentieths of the time
/// are gone at the latest, or as soon as another PUBLISH lets it, while it runs, has not heard of
/// an end and has not begun anew.
pub(crate) fn refreshed_in_time(evidence: &Evidence<'_>) -> Found {
    let mut asked: BTreeMap<(&str, Method), Vec<u64>> = BTreeMap::new();
    for (letter, request) in evidence.requests(|origin| origin == Origin::Device) {
        let call = request.call_id().unwrap_or_default();
        asked.entry((call, request.method())).or_default().push(letter.at_ms);
    }
    let mut found = Vec::new();
    for method in [Method::Subscribe, Method::Publish, Method::Register] {
        for (call, of_call) in grants(evidence, method) {
            let times = asked.get(&(call, method));
            for grant in of_call {
                let (Some(heard_ms), 1..) = (grant.heard_ms, grant.seconds) else { continue };
                let package = method != Method::Publish || is_presence(grant.request);
                let (since, due) = (grant.asked.at_ms, heard_ms + u64::from(grant.seconds) * 950);
                let due = match method {
                    Method::Publish => free_to_publish(evidence, &grant, due),
                    _ => due,
                };
                let again = times.is_some_and(|times| {
                    let later = times.partition_point(|at_ms| *at_ms <= since);
                    times.get(later).is_some_and(|at_ms| *at_ms <= due)
                });
                let missing = package && !again && evidence.goes_on(grant.asked, since + 1, due);
                if missing && !begins_anew(evidence, &grant, due) {
                    let what = format!("{} {call} is not refreshed in time", method.as_str());
                    found.push((due, what));
                }
            }
        }
    }
    found
}

/// When the device may send what is due: a PUBLISH waits for one that is out to the same URI, of
/// any package (RFC 3903 §4). One that begins later waits for ours, unless it is the same again,
/// with credentials or with a time that is long enough.
fn free_to_publish(evidence: &Evidence<'_>, grant: &Grant<'_>, due: u64) -> u64 {
    let letters = &evidence.letters;
    let (mut free, mut again) = (due, false);
    for (exchange, letter, request) in evidence.exchanges.asked(letters) {
        let rival = request.method() == Method::Publish
            && letter.from == grant.asked.from
            && request.uri() == grant.request.uri()
            && !is_presence(request);
        let heard = exchange.heard(letters);
        let over = heard.map_or(u64::MAX, |(at_ms, _)| at_ms).min(letter.at_ms + PATIENCE_MS);
        let is_out = letter.at_ms <= due || (again && letter.at_ms <= free);
        if rival && is_out && over > free {
            free = over;
            again = heard.is_some_and(|(_, status)| matches!(status, 401 | 407 | 423));
        }
    }
    free
}

/// Whether the device has subscribed to the same anew by some moment, in another dialog (D21).
/// What it had is over with that, and the user is told of it in the ms of the last refresh, if
/// that was challenged by a server that had restarted.
fn begins_anew(evidence: &Evidence<'_>, grant: &Grant<'_>, by_ms: u64) -> bool {
    let what = |request: &Request| {
        let to = request.to().map(|to| user(&to)).unwrap_or_default();
        (to, request.event().map(|event| event.package.to_owned()))
    };
    let later = evidence.letters[grant.asked_place..].iter();
    grant.request.method() == Method::Subscribe
        && later.take_while(|letter| letter.at_ms <= by_ms).any(|letter| {
            letter.from == grant.asked.from
                && letter.request().is_some_and(|request| {
                    is_first(request)
                        && what(request) == what(grant.request)
                        && request.call_id() != grant.request.call_id()
                })
        })
}

/// Whether it is a SUBSCRIBE outside of a dialog.
fn is_first(request: &Request) -> bool {
    request.method() == Method::Subscribe && request.to().is_ok_and(|to| to.tag().is_none())
}

/// How long recovery is spread over, and some more.
const SETTLED_MS: u64 = 3500;

/// R47: who was subscribed when the server went down is notified when it is up again, unless the
/// SUBSCRIBE that began it has been carried out once more by then, and so another dialog has taken
/// its place (R20, R46).
pub(crate) fn recovery_tells_everybody(evidence: &Evidence<'_>) -> Found {
    let grants = grants(evidence, Method::Subscribe);
    let mut found = Vec::new();
    for (dialog, notifies) in super::dialogs::dialogs(evidence) {
        for (boot, life) in evidence.lives.server.iter().enumerate().skip(1) {
            let (from, until) = (life.from_ms, life.from_ms + SETTLED_MS);
            let next = notifies.partition_point(|notify| notify.boot <= boot);
            let Some(last) = next.checked_sub(1).map(|at| notifies[at]) else { continue };
            let told = notifies.get(next).is_some_and(|notify| notify.at_ms <= until);
            let heard = evidence.exchanges.of(last.place).heard(&evidence.letters);
            let until_f = last.at_ms + PATIENCE_MS;
            let well =
                heard.is_some_and(|(at_ms, status)| status < 300 && at_ms < from.min(until_f));
            let mut of = grants.get(&*dialog.0).into_iter().flatten();
            let grant = of.rfind(|grant| grant.sent_ms < from);
            let lasts = grant.is_some_and(|grant| grant.seconds > 0 && until < grant.lasts_ms());
            let live = last.phase != Phase::Terminated && last.boot == boot;
            let quiet = evidence.lives.serves(from, until) && !evidence.lives.clock_is_odd();
            let ended = evidence.lives.stopped_in(last.at_ms, from) || evidence.leaves(last, until);
            let ended = ended || until >= evidence.record.ended_ms;
            let due = live && well && lasts && quiet && !ended;
            if due && !told && !was_replaced(evidence, last, until) {
                found.push((
                    until,
                    format!("nothing is heard of {} after", super::dialogs::whose(last)),
                ));
            }
        }
    }
    found
}

/// Whether a SUBSCRIBE that knows no dialog was carried out after a NOTIFY: the dialog that its
/// Call-ID had is dropped silently (R20).
fn was_replaced(evidence: &Evidence<'_>, last: &Notify, until_ms: u64) -> bool {
    let letters = &evidence.letters;
    evidence.exchanges.asked(letters).any(|(exchange, _, request)| {
        let done = exchange.success(letters).filter(|place| *place > last.place);
        is_first(request)
            && request.call_id() == Ok(&last.dialog.0)
            && done.is_some_and(|place| letters[place].at_ms <= until_ms)
    })
}

#[cfg(test)]
mod tests;
