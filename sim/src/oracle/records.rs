//! Rows of watchers: which state follows which and for what cause (P4), who may see them (P9), and
//! what a partial document holds (P11).

use super::dialogs::{dialogs, whose};
use super::evidence::{Evidence, Notify};
use super::lives::user_of;
use presently_engine::body::presrules::Handling;
use presently_engine::body::winfo::{Cause, Status, Watcher, WatcherInfo};
use std::collections::{BTreeMap, BTreeSet};

type Found = Vec<(u64, String)>;

/// Every row of every document of watcher information, in the order in which they were built.
fn rows<'a>(evidence: &'a Evidence<'_>) -> impl Iterator<Item = (&'a Notify, Watcher)> {
    let winfo = evidence.notifies.iter().filter(|notify| notify.winfo);
    let documents =
        winfo.filter_map(|notify| Some((notify, WatcherInfo::parse(&notify.body).ok()?)));
    documents.flat_map(|(notify, document)| {
        let watchers = document.lists.into_iter().flat_map(|list| list.watchers);
        watchers.map(move |row| (notify, row))
    })
}

/// P4: a status has a cause that leads to it, and every two states that follow each other are
/// joined by arcs of RFC 3857 §4.7.1, or by active → pending (D8). States between two documents are
/// not seen, so the arcs may be several; each needs its reason.
pub(super) fn arcs_conform(evidence: &Evidence<'_>) -> Found {
    let mut known: BTreeMap<(&str, Box<str>), (Status, u64)> = BTreeMap::new();
    let mut found = Vec::new();
    for (notify, row) in rows(evidence) {
        let key = (&*notify.owner, row.id.clone());
        let before = known.insert(key, (row.status, notify.at_ms));
        let since_ms = before.map_or(0, |(_, at_ms)| at_ms);
        let watcher = user_of(&row.uri);
        let thinks = Thoughts { evidence, owner: &notify.owner, watcher: &watcher, since_ms };
        let before = before.map(|(status, _)| status);
        if before == Some(row.status) && row.status != Status::Terminated {
            continue;
        }
        if !(leads(row.status, row.event) && follows(before, &row, notify.at_ms, &thinks)) {
            let (status, event) = (row.status.as_str(), row.event.as_str());
            let from = before.map_or("nothing", Status::as_str);
            let what = format!("{watcher} of {} goes from {from} to {status}", notify.owner);
            found.push((notify.at_ms, format!("{what}, {event}")));
        }
    }
    found
}

/// Whether figure 1 of RFC 3857 has an arc into the status with this cause.
fn leads(status: Status, cause: Cause) -> bool {
    match status {
        Status::Pending => cause == Cause::Subscribe,
        Status::Active => matches!(cause, Cause::Subscribe | Cause::Approved),
        Status::Waiting => cause == Cause::Timeout,
        Status::Terminated => cause != Cause::Subscribe,
    }
}

/// What an owner may have thought of a watcher since a moment.
struct Thoughts<'a> {
    evidence: &'a Evidence<'a>,
    owner: &'a str,
    watcher: &'a str,
    since_ms: u64,
}

impl Thoughts<'_> {
    fn any(&self, of: &[Handling], until_ms: u64) -> bool {
        let decisions = &self.evidence.decisions;
        of.iter().any(|one| {
            decisions.at_some_time(self.owner, self.watcher, *one, self.since_ms, until_ms)
        })
    }
}

/// Whether there is a reason for every arc that leads from the status before to a row.
fn follows(before: Option<Status>, row: &Watcher, until_ms: u64, thinks: &Thoughts<'_>) -> bool {
    let approved = || thinks.any(&[Handling::Allow, Handling::PoliteBlock], until_ms);
    let stops = || thinks.evidence.lives.stopped_by(until_ms);
    match (row.status, row.event) {
        _ if before == Some(Status::Terminated) => row.status == Status::Terminated,
        // Waiting ends; only another SUBSCRIBE begins anew, with another id.
        (Status::Pending | Status::Active, _) if before == Some(Status::Waiting) => false,
        (Status::Active, _) => approved(),
        (Status::Terminated, Cause::Rejected) => thinks.any(&[Handling::Block], until_ms),
        (Status::Terminated, Cause::Approved) => approved(),
        (Status::Terminated, Cause::Deactivated) => stops() || before.is_some(),
        // Who is not approved waits when the time is up (D7).
        (Status::Terminated, Cause::Timeout) => before == Some(Status::Active) || approved(),
        // Whoever was active and gives up has been asked about again before.
        (Status::Terminated, Cause::Giveup) | (Status::Waiting, _) => {
            before != Some(Status::Active) || thinks.any(&[Handling::Confirm], until_ms)
        }
        (Status::Pending, _) => thinks.any(&[Handling::Confirm], until_ms),
        (Status::Terminated, Cause::Probation | Cause::Noresource | Cause::Subscribe) => false,
    }
}

/// P9: who looks at somebody else's watchers sees rows about themselves.
pub(super) fn self_view_is_of_oneself(evidence: &Evidence<'_>) -> Found {
    let foreign = rows(evidence).filter(|(notify, row)| {
        notify.watcher != notify.owner && user_of(&row.uri) != notify.watcher
    });
    foreign
        .map(|(notify, row)| (notify.at_ms, format!("{} shows {}", whose(notify), row.uri)))
        .collect()
}

/// P11: a partial document says of a row that it is over only if the row was reported before, it
/// says something at all, and a full one has no such row.
pub(super) fn partial_is_minimal(evidence: &Evidence<'_>) -> Found {
    let mut found = Vec::new();
    for notifies in dialogs(evidence).values() {
        let mut known: BTreeSet<Box<str>> = BTreeSet::new();
        let mut boot = 0;
        for notify in notifies.iter().filter(|notify| notify.winfo) {
            let Ok(document) = WatcherInfo::parse(&notify.body) else { continue };
            let rows: Vec<Watcher> =
                document.lists.into_iter().flat_map(|list| list.watchers).collect();
            if document.full || boot != notify.boot {
                known.clear();
                boot = notify.boot;
            }
            let ended = notify.phase == super::evidence::Phase::Terminated;
            if rows.is_empty() && !document.full && !ended {
                found.push((notify.at_ms, format!("{} says nothing", whose(notify))));
            }
            for row in rows {
                let over = row.status == Status::Terminated;
                if over && !known.remove(&row.id) {
                    let what = format!("{} ends {}, which it never had", whose(notify), row.uri);
                    found.push((notify.at_ms, what));
                } else if !over {
                    known.insert(row.id);
                }
            }
        }
    }
    found
}

#[cfg(test)]
mod tests;
