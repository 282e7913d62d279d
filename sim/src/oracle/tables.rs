//! The server's tables at every moment at which they were looked at: nothing is in them that has no
//! reason (P1, P21, P42), and what is undecided ends (P50).

use super::evidence::Evidence;
use super::expiry::{Grant, grants};
use super::lives::user_of;
use presently_engine::body::winfo::Status;
use presently_engine::message::{Method, Name};
use presently_engine::server::Tables;
use std::collections::{BTreeMap, BTreeSet};

type Found = Vec<(u64, String)>;

/// How long the last words of something may take: the grace (K3), the terminal NOTIFY (Timer F) and
/// what recovery is spread over.
const LAST_WORDS_MS: u64 = 5000 + 32_000 + 4000;
/// Most undecided rows of one watcher (K6).
const MOST_UNDECIDED: usize = 8;

/// Every look at the tables: when, and what was there.
fn looks<'a>(evidence: &'a Evidence<'_>) -> impl Iterator<Item = (u64, &'a Tables)> {
    let during = evidence.record.tables.iter();
    let during = during.filter_map(|look| Some((look.at_ms, look.tables.as_ref()?)));
    let end = evidence.record.tables_at_end.as_ref();
    during.chain(end.map(|tables| (evidence.record.ended_ms, tables)))
}

/// P21: every subscription in the tables was granted, and its time is not over for long; every
/// watcher that is not undecided has one; every publication has an entity-tag that was given.
pub(super) fn every_row_has_a_reason(evidence: &Evidence<'_>) -> Found {
    let subscribed = grants(evidence, Method::Subscribe);
    let published = grants(evidence, Method::Publish);
    let tags: BTreeMap<&str, &Grant<'_>> = published
        .values()
        .flatten()
        .filter_map(|grant| {
            let answer = &evidence.letters[grant.place];
            Some((answer.message.headers().first(Name::SipEtag)?, grant))
        })
        .collect();
    let mut found = Vec::new();
    for (at_ms, tables) in looks(evidence) {
        if !evidence.lives.serves(at_ms.saturating_sub(LAST_WORDS_MS), at_ms) {
            continue;
        }
        let lasts = |grant: &&Grant<'_>| {
            at_ms <= grant.sent_ms + u64::from(grant.seconds) * 1000 + LAST_WORDS_MS
        };
        for row in tables.pst.iter().chain(&tables.wst) {
            let granted =
                subscribed.get(&*row.callid).is_some_and(|of| of.iter().any(|it| lasts(&it)));
            if !granted && !evidence.lives.clock_is_odd() {
                found.push((at_ms, format!("{} is still subscribed to {}", row.from, row.target)));
            }
        }
        for row in tables.pit.iter().filter(|row| !row.etag.is_empty()) {
            if !tags.get(&*row.etag).is_some_and(lasts) && !evidence.lives.clock_is_odd() {
                found.push((at_ms, format!("{} is still published", row.entity)));
            }
        }
        found.extend(orphans(tables).into_iter().map(|what| (at_ms, what)));
    }
    found.dedup_by(|one, other| one.1 == other.1);
    found
}

/// Watchers that are pending or active without a subscription, and undecided ones without end.
fn orphans(tables: &Tables) -> Vec<String> {
    let held: BTreeSet<(&str, &str)> =
        tables.pst.iter().map(|row| (&*row.target, &*row.from)).collect();
    let mut undecided: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let mut found = Vec::new();
    for row in &tables.wt {
        let live = [Status::Pending, Status::Active].map(Status::as_str).contains(&&*row.status);
        if live && !held.contains(&(&*row.target, &*row.watcher)) {
            found.push(format!("{} is {} without a subscription", row.watcher, row.status));
        }
        if [Status::Pending, Status::Waiting].map(Status::as_str).contains(&&*row.status) {
            *undecided.entry((&*row.target, &*row.watcher)).or_default() += 1;
        }
    }
    let many = undecided.iter().filter(|(_, count)| **count > MOST_UNDECIDED);
    found.extend(many.map(|((_, watcher), count)| format!("{watcher} has {count} undecided rows")));
    found
}

/// P50: who waits for the owner without a subscription does not wait for longer than K5.
pub(super) fn undecided_ends(evidence: &Evidence<'_>) -> Found {
    let subscribed = grants(evidence, Method::Subscribe);
    let giveup_ms = evidence.plan.server.giveup_ms;
    let mut found = Vec::new();
    for (at_ms, tables) in looks(evidence) {
        let waiting = tables.wt.iter().filter(|row| row.status == Status::Waiting.as_str());
        for row in waiting {
            let (owner, watcher) = (user_of(&row.target), user_of(&row.watcher));
            let theirs = subscribed.values().flatten().filter(|grant| {
                let of = |address: &str| user_of(address) == owner;
                grant.sent_ms <= at_ms
                    && of(grant.request.to().map(|to| to.uri).unwrap_or_default())
                    && grant.request.from().is_ok_and(|from| user_of(from.uri) == watcher)
            });
            let last = theirs.map(|grant| grant.sent_ms + u64::from(grant.seconds) * 1000).max();
            let until = last.unwrap_or(0) + LAST_WORDS_MS + giveup_ms;
            let served = evidence.lives.serves(until.min(at_ms), at_ms);
            if until < at_ms && served && !evidence.lives.clock_is_odd() {
                found.push((at_ms, format!("{watcher} still waits for {owner}")));
            }
        }
    }
    found.dedup_by(|one, other| one.1 == other.1);
    found
}

#[cfg(test)]
mod tests;
