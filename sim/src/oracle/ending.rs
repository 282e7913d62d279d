//! What must be so when all has become quiet: P48, P49, P54, P55, and that nothing broke.

use super::evidence::{Evidence, Origin};
use crate::judge::view::View;
use crate::plan::{Act, DeviceName, Party};
use crate::record::What;
use presently_engine::agent::{Event, Package, SubscriptionPhase};
use presently_engine::body::presrules::Handling;
use std::collections::{BTreeMap, BTreeSet};

type Found = Vec<(u64, String)>;

/// The last part of a run, in which only refreshes are under way.
const QUIET_MS: u64 = 96_000;

/// A calm network carries a request, its answer and what follows in this time.
pub(super) const ROUND_MS: u64 = 1000;

/// What a device shows at the end.
pub(super) struct Shown {
    pub(super) view: View,
    pub(super) phases: BTreeMap<(Package, String), SubscriptionPhase>,
    /// Subscriptions that began anew so late that the answer may still be under way.
    begun: BTreeSet<(Package, String)>,
    registered_ms: Option<u64>,
}

impl Shown {
    /// Folds what the user was told since the device started.
    pub(super) fn since(evidence: &Evidence<'_>, device: &DeviceName, since_ms: u64) -> Self {
        let mut shown = Self {
            view: View::default(),
            phases: BTreeMap::new(),
            begun: BTreeSet::new(),
            registered_ms: None,
        };
        for (at, event) in evidence.told_since(device, since_ms) {
            shown.view.follow(event);
            match event {
                Event::Subscription { target, package, phase, .. } => {
                    let key = (*package, target.user().to_owned());
                    let late = at + ROUND_MS > evidence.record.ended_ms;
                    if late && *phase == SubscriptionPhase::Trying {
                        shown.begun.insert(key.clone());
                    }
                    shown.phases.insert(key, *phase);
                }
                Event::Registered { .. } => shown.registered_ms = Some(at),
                _ => {}
            }
        }
        shown
    }
}

/// The notes that the devices of a user have published and not taken back.
fn published(evidence: &Evidence<'_>, owner: &str) -> BTreeSet<String> {
    let devices = evidence.lives.present().filter(|(name, _)| name.user == owner);
    let notes = devices.filter_map(|(name, since)| {
        let orders = evidence.plan.steps.iter().rev().filter(|step| step.at_ms >= since);
        let mut lines = orders.filter_map(|step| match &step.act {
            Act::Order(device, line) if device == name => line.strip_prefix("presence "),
            _ => None,
        });
        let (_, note) = lines.next()?.split_once(' ')?;
        Some(note.trim().to_owned())
    });
    notes.collect()
}

/// P48: who is allowed sees what was published last, and nothing else; who is politely blocked
/// sees nothing of it; and whoever wants to watch and was never blocked does watch.
pub(super) fn watchers_see_the_newest(evidence: &Evidence<'_>) -> Found {
    let end = evidence.record.ended_ms;
    let mut found = Vec::new();
    if !evidence.lives.ends_calm() {
        return found;
    }
    for (device, since) in evidence.lives.present() {
        let shown = Shown::since(evidence, device, since);
        for ((package, owner), phase) in &shown.phases {
            let key = (*package, owner.clone());
            let fresh = *phase == SubscriptionPhase::Trying && shown.begun.contains(&key);
            if *package != Package::Presence || fresh || !wants(evidence, device, since, owner) {
                continue;
            }
            let blocked = evidence.decisions.ever(owner, &device.user, Handling::Block);
            let verdict = evidence.decisions.certain(owner, &device.user, end);
            // Nobody decided for too long (RFC 6665 §4.1.3).
            let given_up = evidence.plan.server.giveup_ms < end
                && evidence.decisions.ever(owner, &device.user, Handling::Confirm);
            let right = match verdict {
                None => true,
                Some(Handling::Block) => *phase == SubscriptionPhase::Terminated,
                Some(_) if *phase == SubscriptionPhase::Terminated => blocked || given_up,
                Some(Handling::Confirm) => *phase == SubscriptionPhase::Pending,
                Some(Handling::Allow | Handling::PoliteBlock) => {
                    *phase == SubscriptionPhase::Active
                }
            };
            if !right {
                let what = format!("{device} is {phase:?} with {owner}, who thinks {verdict:?}");
                found.push((end, what));
            }
            if *phase == SubscriptionPhase::Active {
                let seen = notes(&shown, owner);
                let wanted = match verdict {
                    Some(Handling::Allow) => published(evidence, owner),
                    Some(Handling::PoliteBlock) => BTreeSet::new(),
                    Some(Handling::Block | Handling::Confirm) | None => continue,
                };
                if seen != wanted {
                    let what = format!("{device} sees {owner} {seen:?}, published is {wanted:?}");
                    found.push((end, what));
                }
            }
        }
    }
    found
}

fn notes(shown: &Shown, owner: &str) -> BTreeSet<String> {
    let tuples = shown.view.document(owner).map(|document| &document.tuples).into_iter().flatten();
    tuples.flat_map(|tuple| &tuple.notes).map(|note| note.text.to_string()).collect()
}

/// Whether the last order of a device about somebody's presence was to watch.
fn wants(evidence: &Evidence<'_>, device: &DeviceName, since_ms: u64, owner: &str) -> bool {
    let orders = evidence.plan.steps.iter().filter(|step| step.at_ms >= since_ms);
    let lines = orders.filter_map(|step| match &step.act {
        Act::Order(whose, line) if whose == device => Some(line),
        _ => None,
    });
    let about = lines.filter_map(|line| {
        let mut words = line.split_whitespace();
        let verb = words.next().filter(|verb| matches!(*verb, "watch" | "unwatch"))?;
        (super::lives::user_of(words.next()?) == owner).then_some(verb == "watch")
    });
    about.fold(false, |_, watches| watches)
}

/// P49: nobody waits for the first NOTIFY for ever.
pub(super) fn subscriptions_resolve(evidence: &Evidence<'_>) -> Found {
    let mut found = Vec::new();
    if !evidence.lives.ends_calm() {
        return found;
    }
    for (device, since) in evidence.lives.present() {
        let shown = Shown::since(evidence, device, since);
        for (key, phase) in &shown.phases {
            let (package, owner) = key;
            if *phase == SubscriptionPhase::Trying && !shown.begun.contains(key) {
                let what = format!("{device} still tries to reach {owner} for {package:?}");
                found.push((evidence.record.ended_ms, what));
            }
        }
    }
    found
}

/// P54: everybody who runs is registered, and registered again since the server started.
pub(super) fn all_registered(evidence: &Evidence<'_>) -> Found {
    let mut found = Vec::new();
    if !evidence.lives.ends_calm() {
        return found;
    }
    let started = evidence.lives.server.last().map_or(0, |life| life.from_ms);
    for (device, since) in evidence.lives.present() {
        let shown = Shown::since(evidence, device, since);
        let again = shown.registered_ms.is_some_and(|at| at >= started);
        if !shown.view.is_registered() || !again {
            let last = shown.registered_ms;
            let what = format!("{device} is not registered; it was at {last:?} ms at last");
            found.push((evidence.record.ended_ms, what));
        }
    }
    found
}

/// P55: in the end there are refreshes and nothing else. Ten requests for each thing that is
/// refreshed are more than any order of refreshes, challenges and NOTIFYs makes.
pub(super) fn quiet_at_last(evidence: &Evidence<'_>) -> Found {
    let Some(tables) =
        evidence.record.tables_at_end.as_ref().filter(|_| evidence.lives.ends_calm())
    else {
        return Vec::new();
    };
    let from = evidence.record.ended_ms.saturating_sub(QUIET_MS);
    let devices = evidence.lives.present().count();
    let shortest = evidence.plan.users.iter().map(|user| u64::from(user.refresh)).min();
    let refreshes = QUIET_MS / (shortest.unwrap_or(3600) * 500).max(1) + 1;
    let kept = 2 * devices + tables.pst.len() + tables.wst.len();
    let bound = kept * usize::try_from(refreshes).unwrap_or(1) * 4;
    let late = evidence.requests(|origin| origin != Origin::Stranger);
    let late: Vec<u64> =
        late.map(|(letter, _)| letter.at_ms).filter(|at_ms| *at_ms >= from).collect();
    match late.get(bound) {
        Some(at_ms) => {
            let what =
                format!("{} requests in the last {QUIET_MS} ms, {bound} are enough", late.len());
            vec![(*at_ms, what)]
        }
        None => Vec::new(),
    }
}

/// Nothing broke but what the plan broke: orders to a device that does not run, and a server
/// whose disk fails.
pub(super) fn no_trouble(evidence: &Evidence<'_>) -> Found {
    let mut found = Vec::new();
    let mut failing = false;
    for entry in &evidence.record.entries {
        match &entry.what {
            What::Step(step) => {
                if let Act::FailDisk(fails) = step.act {
                    failing = fails;
                }
            }
            What::Trouble { party, why } => {
                let planned = match party {
                    Party::Server => failing,
                    Party::Device(name) => evidence.lives.of(name, entry.at_ms).is_none(),
                };
                if !planned {
                    found.push((entry.at_ms, format!("{party}: {why}")));
                }
            }
            What::Datagram { .. } | What::Told { .. } | What::Stream { .. } => {}
        }
    }
    found
}

#[cfg(test)]
mod tests;
