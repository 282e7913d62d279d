//! Watcher information: ids (P10) and convergence (P46).

use super::ending::{ROUND_MS, Shown};
use super::evidence::{Evidence, Origin, Phase};
use crate::plan::DeviceName;
use presently_engine::agent::{Package, SubscriptionPhase};
use presently_engine::body::winfo::{Status, WatcherInfo};
use presently_engine::message::Method;
use presently_engine::server::Tables;
use std::collections::{BTreeMap, BTreeSet};

type Found = Vec<(u64, String)>;

/// Within this time an owner is told of what changed.
const TELLING_MS: u64 = 5000;

/// Rows by owner and id: watcher and status.
type Rows<'a> = BTreeMap<(&'a str, Box<str>), (Box<str>, Status)>;

/// P10: an id that was reported terminated never lives again, and no two watchers share one.
pub(super) fn ids_are_never_reused(evidence: &Evidence<'_>) -> Found {
    let mut known = Rows::new();
    let mut found = Vec::new();
    for notify in evidence.notifies.iter().filter(|notify| notify.winfo) {
        let Ok(document) = WatcherInfo::parse(&notify.body) else { continue };
        for row in document.lists.into_iter().flat_map(|list| list.watchers) {
            let id = row.id.clone();
            let Some((uri, status)) =
                known.insert((&notify.owner, row.id), (row.uri.clone(), row.status))
            else {
                continue;
            };
            if status == Status::Terminated && row.status != Status::Terminated {
                found.push((notify.at_ms, format!("row {id} of {uri} lives again")));
            }
            if uri != row.uri {
                found.push((notify.at_ms, format!("row {id} is {uri} and {}", row.uri)));
            }
        }
    }
    found
}

/// The server's rows of an owner that are not terminated: watcher and status.
fn truth(tables: &Tables, owner: &str) -> Vec<(String, String)> {
    let theirs = tables.wt.iter().filter(|row| super::lives::user_of(&row.target) == owner);
    let live = theirs.filter(|row| row.status != Status::Terminated.as_str());
    let mut rows: Vec<_> =
        live.map(|row| (super::lives::user_of(&row.watcher), row.status.clone())).collect();
    rows.sort();
    rows
}

/// P46: an owner that looks sees the table as it is.
pub(super) fn owner_knows_the_table(evidence: &Evidence<'_>) -> Found {
    let Some(tables) =
        evidence.record.tables_at_end.as_ref().filter(|_| evidence.lives.ends_calm())
    else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for (device, since) in evidence.lives.present() {
        let shown = Shown::since(evidence, device, since);
        let own = (Package::Winfo, device.user.clone());
        if shown.phases.get(&own) != Some(&SubscriptionPhase::Active) {
            continue;
        }
        let mut late = given_up_at_the_end(evidence, &device.user);
        late.extend(held_back(evidence, device));
        let told = |mut rows: Vec<(String, String)>| {
            rows.retain(|(watcher, _)| !late.contains(&**watcher));
            rows
        };
        let (seen, real) = (shown.view.rows(&device.user), truth(tables, &device.user));
        let (seen, real) = (told(seen), told(real));
        if seen != real {
            let what = format!("{device} sees watchers {seen:?}, the server has {real:?}");
            found.push((evidence.record.ended_ms, what));
        }
    }
    found
}

/// The undecided watchers of an owner that may be given up so late that the owner has not been
/// told yet. They wait since their dialog began or ended.
fn given_up_at_the_end<'a>(evidence: &'a Evidence<'_>, owner: &str) -> BTreeSet<&'a str> {
    let server = &evidence.plan.server;
    let end = evidence.record.ended_ms;
    let late = end.saturating_sub(server.notify_gap_ms + TELLING_MS)..=end + TELLING_MS;
    let mut begun = BTreeSet::new();
    let theirs = evidence.notifies.iter().filter(|notify| !notify.winfo && notify.owner == owner);
    let given_up = theirs.filter(|notify| {
        let counts = begun.insert(&notify.dialog) || notify.phase == Phase::Terminated;
        counts && late.contains(&(notify.at_ms + server.giveup_ms))
    });
    given_up.map(|notify| &*notify.watcher).collect()
}

/// The watchers whose rows changed since the last document that a device had, if the run ends
/// before the next one is due: documents are paced (M14), and each takes its time.
fn held_back<'a>(evidence: &'a Evidence<'_>, device: &DeviceName) -> BTreeSet<&'a str> {
    let end = evidence.record.ended_ms;
    let calls: BTreeSet<&str> = evidence
        .requests(|origin| origin == Origin::Device)
        .filter(|(letter, request)| {
            request.method() == Method::Subscribe && evidence.device(letter.from) == Some(device)
        })
        .filter_map(|(_, request)| request.call_id().ok())
        .collect();
    let has_come = |place: usize| {
        let came = evidence.exchanges.of(place).arrived(&evidence.letters);
        came.is_some_and(|came| came < end)
    };
    let documents = evidence.notifies.iter().filter(|notify| notify.winfo);
    let documents = documents.filter(|notify| calls.contains(&*notify.dialog.0));
    let last = documents.filter(|notify| has_come(notify.place)).map(|notify| notify.at_ms).max();
    let Some(last) = last else { return BTreeSet::new() };
    let next = last + evidence.plan.server.notify_gap_ms;
    let mut phases = BTreeMap::new();
    let theirs =
        evidence.notifies.iter().filter(|notify| !notify.winfo && notify.owner == device.user);
    let changed = theirs.filter(|notify| {
        let changes = phases.insert(&notify.dialog, notify.phase) != Some(notify.phase);
        changes && notify.at_ms >= last && notify.at_ms.max(next) + TELLING_MS > end
    });
    changed.map(|notify| &*notify.watcher).collect()
}

/// P46 and P22: the server's pending and active rows are the subscriptions that devices have.
pub(super) fn table_is_who_subscribed(evidence: &Evidence<'_>) -> Found {
    let Some(tables) =
        evidence.record.tables_at_end.as_ref().filter(|_| evidence.lives.ends_calm())
    else {
        return Vec::new();
    };
    let mut held: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    for (device, since) in evidence.lives.present() {
        for ((package, owner), phase) in Shown::since(evidence, device, since).phases {
            let status = match phase {
                SubscriptionPhase::Pending => "pending",
                SubscriptionPhase::Active => "active",
                SubscriptionPhase::Trying | SubscriptionPhase::Terminated => continue,
            };
            if package == Package::Presence {
                held.entry(owner).or_default().push((device.user.clone(), status.to_owned()));
            }
        }
    }
    let mut found = Vec::new();
    for owner in evidence.plan.users.iter().map(|user| &user.name) {
        let mut theirs = held.remove(owner).unwrap_or_default();
        theirs.sort();
        let mut rows = truth(tables, owner);
        rows.retain(|(_, status)| status != Status::Waiting.as_str());
        let late = on_the_way(evidence, owner);
        rows.retain(|(watcher, _)| !late.contains(&**watcher));
        theirs.retain(|(watcher, _)| !late.contains(&**watcher));
        if rows != theirs {
            let what = format!("watchers of {owner}: the server has {rows:?}, they {theirs:?}");
            found.push((evidence.record.ended_ms, what));
        }
    }
    found
}

/// The watchers of an owner to whom a NOTIFY that says something new is on its way when the run
/// ends.
fn on_the_way<'a>(evidence: &'a Evidence<'_>, owner: &str) -> BTreeSet<&'a str> {
    let end = evidence.record.ended_ms;
    let mut phases = BTreeMap::new();
    let theirs = evidence.notifies.iter().filter(|notify| !notify.winfo && notify.owner == owner);
    let late = theirs.filter(|notify| {
        let changes = phases.insert(&notify.dialog, notify.phase) != Some(notify.phase);
        let came = evidence.exchanges.of(notify.place).arrived(&evidence.letters);
        let late = notify.at_ms + ROUND_MS > end && came.is_none_or(|came| came >= end);
        changes && late
    });
    late.map(|notify| &*notify.watcher).collect()
}

#[cfg(test)]
mod tests;
