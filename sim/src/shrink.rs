//! Makes a plan smaller while it goes on failing: steps, faults, users, bad weather and settings
//! are taken away, time is shortened. Chance is drawn by purpose, so what is left keeps its fate.

use crate::plan::{Act, DeviceName, Party, Plan, ServerPlan, Step, Weather};
use std::collections::BTreeMap;

/// How much work goes into one plan.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Budget {
    /// Most plays.
    pub plays: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self { plays: 1000 }
    }
}

/// How far it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Progress {
    /// Plays so far.
    pub plays: usize,
    /// Most plays.
    pub most: usize,
    /// Steps left.
    pub steps: usize,
    /// Users left.
    pub users: usize,
}

/// What became of a plan.
#[derive(Clone, PartialEq, Debug)]
pub struct Shrunk {
    /// The smallest plan that was found to fail.
    pub plan: Plan,
    /// What was removed, one line each.
    pub removed: Vec<String>,
    /// How many plays it took.
    pub plays: usize,
}

/// Makes a plan smaller as long as it `fails`. `tell` hears about every play.
pub fn shrink(
    plan: &Plan,
    budget: Budget,
    fails: &dyn Fn(&Plan) -> bool,
    tell: &dyn Fn(Progress),
) -> Shrunk {
    let mut work = Work { plan: plan.clone(), budget, fails, tell, plays: 0 };
    loop {
        let before = work.plan.clone();
        work.users();
        work.steps();
        work.devices();
        work.weather();
        work.settings();
        work.idle_time();
        work.duration();
        if work.plan == before || work.is_spent() {
            break;
        }
    }
    let removed = differences(plan, &work.plan);
    Shrunk { plan: work.plan, removed, plays: work.plays }
}

struct Work<'a> {
    plan: Plan,
    budget: Budget,
    fails: &'a dyn Fn(&Plan) -> bool,
    tell: &'a dyn Fn(Progress),
    plays: usize,
}

impl Work<'_> {
    fn is_spent(&self) -> bool {
        self.plays >= self.budget.plays
    }

    /// Takes a smaller plan over if it still fails.
    fn attempt(&mut self, smaller: Plan) -> bool {
        if smaller == self.plan || self.is_spent() {
            return false;
        }
        self.plays += 1;
        let fails = (self.fails)(&smaller);
        if fails {
            self.plan = smaller;
        }
        (self.tell)(Progress {
            plays: self.plays,
            most: self.budget.plays,
            steps: self.plan.steps.len(),
            users: self.plan.users.len(),
        });
        fails
    }

    /// Removes users with all that they do and all that is said of them.
    fn users(&mut self) {
        for name in self.plan.users.iter().map(|user| user.name.clone()).collect::<Vec<_>>() {
            let mut smaller = self.plan.clone();
            smaller.users.retain(|user| user.name != name);
            smaller.steps.retain(|step| !speaks_of(&step.act, &name));
            self.attempt(smaller);
        }
    }

    /// Removes steps, first in large pieces, then one by one.
    fn steps(&mut self) {
        let mut piece = self.plan.steps.len().div_ceil(2);
        while piece > 0 {
            let mut from = 0;
            while from < self.plan.steps.len() {
                let mut smaller = self.plan.clone();
                let until = (from + piece).min(smaller.steps.len());
                smaller.steps.drain(from..until);
                if !self.attempt(smaller) {
                    from += piece;
                }
            }
            piece = if piece == 1 { 0 } else { piece.div_ceil(2) };
        }
    }

    /// Leaves users one device.
    fn devices(&mut self) {
        for at in 0..self.plan.users.len() {
            for device in self.plan.users[at].devices.clone() {
                if self.plan.users[at].devices.len() < 2 {
                    continue;
                }
                let mut smaller = self.plan.clone();
                smaller.users[at].devices.retain(|one| *one != device);
                let gone = DeviceName { user: smaller.users[at].name.clone(), device };
                smaller.steps.retain(|step| !is_of(&step.act, &gone));
                self.attempt(smaller);
            }
        }
    }

    /// Makes the weather good: all of it, or one kind after the other, everywhere.
    fn weather(&mut self) {
        let calm = Weather::default();
        let kinds: [fn(&mut Weather); 7] = [
            |weather| *weather = Weather::default(),
            |weather| weather.loss = 0.0,
            |weather| weather.duplicate = 0.0,
            |weather| weather.reorder = 0.0,
            |weather| weather.corrupt = 0.0,
            |weather| weather.jitter_ms = 0,
            |weather| weather.latency_ms = Weather::default().latency_ms,
        ];
        for better in kinds {
            let mut smaller = self.plan.clone();
            better(&mut smaller.network);
            self.attempt(smaller);
        }
        for at in 0..self.plan.steps.len() {
            for better in kinds {
                let mut smaller = self.plan.clone();
                match &mut smaller.steps[at].act {
                    Act::Weather(weather) if *weather != calm => better(weather),
                    _ => break,
                }
                self.attempt(smaller);
            }
        }
    }

    /// Puts the server's and the users' settings back.
    fn settings(&mut self) {
        let usual = ServerPlan::default();
        let server = self.plan.server.clone();
        let simpler = [
            usual.clone(),
            ServerPlan { default_policy: usual.default_policy.clone(), ..server.clone() },
            ServerPlan { notify_gap_ms: usual.notify_gap_ms, ..server.clone() },
            ServerPlan { shards: usual.shards, ..server.clone() },
            ServerPlan { giveup_ms: usual.giveup_ms, ..server },
        ];
        for server in simpler {
            let smaller = Plan { server, ..self.plan.clone() };
            self.attempt(smaller);
        }
        for at in 0..self.plan.users.len() {
            let mut smaller = self.plan.clone();
            smaller.users[at].nat = false;
            self.attempt(smaller);
        }
    }

    /// Brings steps closer together: each pause is halved as long as that goes.
    fn idle_time(&mut self) {
        for at in 0..self.plan.steps.len() {
            loop {
                let before = at.checked_sub(1).map_or(0, |before| self.plan.steps[before].at_ms);
                let pause = self.plan.steps[at].at_ms.saturating_sub(before);
                if pause < 2000 {
                    break;
                }
                let mut smaller = self.plan.clone();
                for step in &mut smaller.steps[at..] {
                    step.at_ms -= pause / 2;
                }
                smaller.duration_ms = smaller.duration_ms.saturating_sub(pause / 2);
                if !self.attempt(smaller) {
                    break;
                }
            }
        }
    }

    /// Ends the timeline earlier.
    fn duration(&mut self) {
        let last = self.plan.steps.iter().map(|step| step.at_ms).max().unwrap_or(0);
        while self.plan.duration_ms > last {
            let half = last + (self.plan.duration_ms - last) / 2;
            let smaller = Plan { duration_ms: half, ..self.plan.clone() };
            if !self.attempt(smaller) {
                break;
            }
        }
    }
}

/// Whether a step is of a user, or names the user.
fn speaks_of(act: &Act, user: &str) -> bool {
    let is = |name: &DeviceName| name.user == user;
    let is_party = |party: &Party| matches!(party, Party::Device(name) if is(name));
    match act {
        Act::Login(name) => is(name),
        Act::Order(name, line) => is(name) || line.split_whitespace().any(|word| word == user),
        Act::Crash(party)
        | Act::Start(party)
        | Act::Replay(party)
        | Act::Stall(party, _)
        | Act::ClockStep(party, _) => is_party(party),
        Act::Cut { from, to, .. } => is_party(from) || is_party(to),
        Act::Rebind(name) => name == user,
        Act::Stop
        | Act::Mend
        | Act::Weather(_)
        | Act::HoldDisk(_)
        | Act::FailDisk(_)
        | Act::Flood(_) => false,
    }
}

/// Whether a step is of a device.
fn is_of(act: &Act, device: &DeviceName) -> bool {
    let is_party = |party: &Party| matches!(party, Party::Device(name) if name == device);
    match act {
        Act::Login(name) | Act::Order(name, _) => name == device,
        Act::Crash(party)
        | Act::Start(party)
        | Act::Replay(party)
        | Act::Stall(party, _)
        | Act::ClockStep(party, _) => is_party(party),
        Act::Cut { from, to, .. } => is_party(from) || is_party(to),
        Act::Rebind(_)
        | Act::Stop
        | Act::Mend
        | Act::Weather(_)
        | Act::HoldDisk(_)
        | Act::FailDisk(_)
        | Act::Flood(_) => false,
    }
}

/// Whether a step is a fault rather than something that a user does.
fn is_fault(step: &Step) -> bool {
    !matches!(step.act, Act::Login(_) | Act::Order(..))
}

/// What a smaller plan does not have, in words.
fn differences(before: &Plan, after: &Plan) -> Vec<String> {
    let mut lines = Vec::new();
    let gone: Vec<&str> = before
        .users
        .iter()
        .filter(|user| after.users.iter().all(|left| left.name != user.name))
        .map(|user| &*user.name)
        .collect();
    if !gone.is_empty() {
        lines.push(format!("users: {}", gone.join(", ")));
    }
    let count =
        |plan: &Plan, fault: bool| plan.steps.iter().filter(|step| is_fault(step) == fault).count();
    for (fault, word) in [(false, "steps of users"), (true, "faults and repairs")] {
        let (had, has) = (count(before, fault), count(after, fault));
        if has < had {
            lines.push(format!("{word}: {} of {had}", had - has));
        }
    }
    if before.network != after.network {
        lines.push("bad weather".to_owned());
    }
    if before.server != after.server {
        lines.push("settings of the server".to_owned());
    }
    let nat = |plan: &Plan| -> BTreeMap<String, bool> {
        plan.users.iter().map(|user| (user.name.clone(), user.nat)).collect()
    };
    let (had, has) = (nat(before), nat(after));
    let freed: Vec<&str> = has
        .iter()
        .filter(|(name, nat)| !**nat && had.get(*name) == Some(&true))
        .map(|(name, _)| &**name)
        .collect();
    if !freed.is_empty() {
        lines.push(format!("translators before: {}", freed.join(", ")));
    }
    if after.duration_ms < before.duration_ms {
        let (had, has) = (before.duration_ms / 1000, after.duration_ms / 1000);
        lines.push(format!("time: {} of {had} s", had - has));
    }
    lines
}

#[cfg(test)]
mod tests;
