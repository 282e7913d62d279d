//! What every owner decided, and what the server may therefore believe at a moment.
//!
//! A decision takes effect somewhere between its order and its confirmation; one that was never
//! confirmed may have taken effect or not. So the answer is a set.

use super::lives::Lives;
use crate::plan::{Act, DeviceName, Plan};
use crate::record::{Entry, Fate, Record, What};
use presently_engine::agent::Event;
use presently_engine::body::presrules::Handling;

/// One decision of an owner.
struct Decision {
    device: DeviceName,
    /// When the device that made it had started.
    life_ms: u64,
    watcher: String,
    handling: Option<Handling>,
    at_ms: u64,
    /// When and how the user was told.
    told: Option<(u64, u16)>,
    /// Whether the network changed an octet of anything between the order and the answer.
    damaged: bool,
}

impl Decision {
    fn was_confirmed_by(&self, at_ms: u64) -> bool {
        self.told.is_some_and(|(told, status)| status == 200 && told <= at_ms)
    }

    /// A request that was refused because the network changed it may come through as a copy.
    fn was_refused(&self) -> bool {
        self.told.is_some_and(|(_, status)| status >= 300 && status != 401) && !self.damaged
    }

    /// Whether it may have taken effect in a time.
    fn may_begin(&self, from_ms: u64, until_ms: u64) -> bool {
        let over = |(_, status): &(u64, u16)| *status != 0 && !(*status >= 300 && self.damaged);
        let told = self.told.filter(over).map_or(u64::MAX, |told| told.0);
        self.at_ms <= until_ms && told >= from_ms
    }

    /// Whether it was over for sure before `later` began.
    fn precedes(&self, later: &Self) -> bool {
        let same = self.device == later.device && self.life_ms == later.life_ms;
        // One device makes its decisions one after the other, under a lock.
        (same && self.at_ms <= later.at_ms)
            || self.told.is_some_and(|(told, status)| status == 200 && told < later.at_ms)
    }
}

/// All decisions of a run, in order.
pub(crate) struct Decisions {
    made: Vec<Decision>,
    default: Handling,
}

impl Decisions {
    pub(crate) fn new(plan: &Plan, record: &Record, lives: &Lives) -> Self {
        let damaged: Vec<u64> = record.entries.iter().filter_map(damaged_ms).collect();
        let mut made = Vec::new();
        for step in &plan.steps {
            let Act::Order(device, line) = &step.act else { continue };
            let Some(life) = lives.of(device, step.at_ms) else { continue };
            let Some((watcher, handling)) = decision(line) else { continue };
            let (device, life_ms) = (device.clone(), life.from_ms);
            let at_ms = step.at_ms;
            made.push(Decision {
                device,
                life_ms,
                watcher,
                handling,
                at_ms,
                told: None,
                damaged: false,
            });
        }
        for (at, device, event) in record.told() {
            let Event::Decided { watcher, status } = event else { continue };
            // The answers of a device come in the order of its decisions.
            let asked = made.iter_mut().find(|one| {
                one.told.is_none()
                    && one.device == *device
                    && one.watcher == watcher.user()
                    && lives.of(device, at).is_some_and(|life| life.from_ms == one.life_ms)
            });
            if let Some(asked) = asked {
                asked.told = Some((at, *status));
                asked.damaged = damaged.iter().any(|at_ms| (asked.at_ms..=at).contains(at_ms));
            }
        }
        Self { made, default: crate::server::policy(&plan.server.default_policy) }
    }

    /// What the server may think of a watcher at a moment.
    pub(crate) fn possible(&self, owner: &str, watcher: &str, at_ms: u64) -> Vec<Handling> {
        let about: Vec<&Decision> = self
            .made
            .iter()
            .filter(|one| one.device.user == owner && one.watcher == watcher && one.at_ms <= at_ms)
            .collect();
        let confirmed: Vec<usize> =
            (0..about.len()).filter(|at| about[*at].was_confirmed_by(at_ms)).collect();
        let standing = (0..about.len()).filter(|at| {
            let later = |other: &&usize| **other > *at && about[*at].precedes(about[**other]);
            !about[*at].was_refused() && !confirmed.iter().any(|other| later(&other))
        });
        let of = |decision: &Decision| decision.handling.unwrap_or(self.default);
        let mut possible: Vec<Handling> = standing.map(|at| of(about[at])).collect();
        if confirmed.is_empty() {
            possible.push(self.default);
        }
        possible
    }

    /// What the server must think, if there is only one such thing.
    pub(crate) fn certain(&self, owner: &str, watcher: &str, at_ms: u64) -> Option<Handling> {
        let possible = self.possible(owner, watcher, at_ms);
        let first = *possible.first()?;
        possible.iter().all(|one| *one == first).then_some(first)
    }

    /// Whether an owner may have thought so of a watcher at any time.
    pub(crate) fn ever(&self, owner: &str, watcher: &str, handling: Handling) -> bool {
        let about = |one: &&Decision| one.device.user == owner && one.watcher == watcher;
        self.default == handling
            || self.made.iter().filter(about).any(|one| one.handling == Some(handling))
    }

    /// Whether the server may have thought so of a watcher at some moment of a time.
    pub(crate) fn at_some_time(
        &self,
        owner: &str,
        watcher: &str,
        handling: Handling,
        from_ms: u64,
        until_ms: u64,
    ) -> bool {
        let decided = self.made.iter().any(|one| {
            one.device.user == owner
                && one.watcher == watcher
                && (from_ms..=until_ms).contains(&one.at_ms)
                && one.handling.unwrap_or(self.default) == handling
        });
        decided || self.possible(owner, watcher, from_ms).contains(&handling)
    }

    /// Whether some decision about the watcher of a NOTIFY may have taken effect since a moment.
    pub(crate) fn changed_about(&self, notify: &super::evidence::Notify, from_ms: u64) -> bool {
        let theirs = self
            .made
            .iter()
            .filter(|one| one.device.user == notify.owner && one.watcher == notify.watcher);
        theirs.into_iter().any(|one| one.may_begin(from_ms, notify.at_ms))
    }

    /// Whether a device of an owner may drop what a watcher writes in a time, since the watcher is
    /// blocked or was so when the device looked last.
    pub(crate) fn may_drop(&self, owner: &str, watcher: &str, from_ms: u64, until_ms: u64) -> bool {
        let about: Vec<&Decision> = self
            .made
            .iter()
            .filter(|one| one.device.user == owner && one.watcher == watcher)
            .collect();
        let blocks =
            |one: &&&Decision| one.handling == Some(Handling::Block) && one.at_ms <= until_ms;
        let taken_back = |block: &Decision| {
            about.iter().any(|one| {
                one.handling != Some(Handling::Block)
                    && one.was_confirmed_by(from_ms)
                    && one.at_ms > block.at_ms
                    && (&one.device, one.life_ms) == (&block.device, block.life_ms)
            })
        };
        about.iter().filter(blocks).any(|block| !taken_back(block))
            || self.at_some_time(owner, watcher, Handling::Block, from_ms, until_ms)
    }

    /// Decisions not to let somebody watch, or not to let it see: on which device, about whom, and
    /// when.
    pub(crate) fn refusals(&self) -> impl Iterator<Item = (&DeviceName, &str, u64)> {
        let against = self
            .made
            .iter()
            .filter(|one| matches!(one.handling, Some(Handling::Block | Handling::PoliteBlock)));
        against.map(|one| (&one.device, &*one.watcher, one.at_ms))
    }

    /// Whether a device may have decided about a watcher in a time, or its decision may not have
    /// been through yet.
    pub(crate) fn made_on(
        &self,
        device: &DeviceName,
        watcher: &str,
        from_ms: u64,
        until_ms: u64,
    ) -> bool {
        let same = |one: &&Decision| one.device == *device && one.watcher == watcher;
        self.made.iter().filter(same).any(|one| one.may_begin(from_ms, until_ms))
    }

    /// When the user of a device decides next on it, about anybody.
    pub(crate) fn next_on(&self, device: &DeviceName, after_ms: u64) -> Option<u64> {
        let theirs = self.made.iter().filter(|one| one.device == *device);
        theirs.map(|one| one.at_ms).filter(|at_ms| *at_ms >= after_ms).min()
    }

    /// Until when a device's decision about a watcher counts that was made at a moment: until the
    /// next one of any device, or until its user was told that it came to nothing.
    pub(crate) fn stands_until(&self, device: &DeviceName, watcher: &str, at_ms: u64) -> u64 {
        let same = |one: &&Decision| one.device.user == device.user && one.watcher == watcher;
        let is_it = |one: &Decision| one.device == *device && one.at_ms == at_ms;
        let ends = self.made.iter().filter(same).filter_map(|one| match is_it(one) {
            true => one.told.filter(|(_, status)| *status >= 300 || *status == 0).map(|it| it.0),
            // One from before that takes effect later is a later one.
            false => one.may_begin(at_ms, u64::MAX).then_some(one.at_ms.max(at_ms)),
        });
        ends.min().unwrap_or(u64::MAX)
    }

    /// Whether some decision of an owner may have taken effect in a time.
    pub(crate) fn changed(&self, owner: &str, from_ms: u64, until_ms: u64) -> bool {
        let theirs = self.made.iter().filter(|one| one.device.user == owner);
        theirs.into_iter().any(|one| one.may_begin(from_ms, until_ms))
    }
}

/// When a datagram was sent that arrives damaged.
fn damaged_ms(entry: &Entry) -> Option<u64> {
    let What::Datagram { fate: Fate::Arrives { corrupted: true, .. }, .. } = &entry.what else {
        return None;
    };
    Some(entry.at_ms)
}

/// A line that decides: about whom, and how.
fn decision(line: &str) -> Option<(String, Option<Handling>)> {
    let mut words = line.split_whitespace();
    let handling = match words.next()? {
        "allow" => Some(Handling::Allow),
        "block" => Some(Handling::Block),
        "polite" => Some(Handling::PoliteBlock),
        "ask" => None,
        _ => return None,
    };
    Some((super::lives::user_of(words.next()?), handling))
}

#[cfg(test)]
mod tests;
