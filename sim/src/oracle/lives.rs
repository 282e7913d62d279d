//! Who ran when, as the plan's steps have it, and since when there is calm.

use crate::plan::{Act, DeviceName, Party, Plan, Weather};
use crate::record::{Record, What};
use std::collections::BTreeMap;

/// After this much time a server that stood still has caught up.
pub(crate) const CATCHING_UP_MS: u64 = 1000;

/// A time during which something ran.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Life {
    pub(crate) from_ms: u64,
    /// `None`: it still runs at the end.
    pub(crate) until_ms: Option<u64>,
    /// When the user logged out.
    pub(crate) left_ms: Option<u64>,
}

impl Life {
    fn new(from_ms: u64) -> Self {
        Self { from_ms, until_ms: None, left_ms: None }
    }

    pub(crate) fn covers(&self, at_ms: u64) -> bool {
        self.from_ms <= at_ms && self.until_ms.is_none_or(|until| at_ms <= until)
    }
}

/// Everybody's lives.
pub(crate) struct Lives {
    pub(crate) server: Vec<Life>,
    pub(crate) devices: BTreeMap<DeviceName, Vec<Life>>,
    /// When the disk synced again: until then the server stood still, and then it caught up, in a
    /// time of its own (R52).
    released_ms: Vec<u64>,
    /// When the disk did not sync, or failed, and a while after, in which the server catches up.
    held_ms: Vec<(u64, u64)>,
    /// When devices stood still.
    stalls_ms: Vec<(DeviceName, u64, u64)>,
    /// When the server was stopped in order.
    stopped_ms: Vec<u64>,
    odd_clock: bool,
    /// Since when nothing disturbs; `None` if the run ends disturbed.
    calm_from_ms: Option<u64>,
    ended_ms: u64,
    /// How much calm heals everything.
    enough_ms: u64,
    /// How far the wall clock of the server is ahead, and how far it was when the server started.
    ahead_ms: (i64, i64),
}

impl Lives {
    pub(crate) fn new(plan: &Plan, record: &Record) -> Self {
        let refresh = plan.users.iter().map(|user| u64::from(user.refresh)).max().unwrap_or(0);
        let mut lives = Self {
            server: vec![Life::new(0)],
            devices: BTreeMap::new(),
            released_ms: Vec::new(),
            held_ms: held(plan),
            stalls_ms: Vec::new(),
            stopped_ms: Vec::new(),
            odd_clock: plan
                .steps
                .iter()
                .any(|step| matches!(step.act, Act::Stall(..) | Act::ClockStep(..))),
            calm_from_ms: None,
            ended_ms: record.ended_ms,
            // Everything is refreshed once, and what fails is tried again (behaviour §5.2).
            enough_ms: refresh * 1000 + 3 * 64 * 500,
            ahead_ms: (0, 0),
        };
        let mut failing = false;
        let mut ends = own_ends(record).into_iter().peekable();
        for (taken, step) in plan.steps.iter().enumerate() {
            while let Some((_, at_ms)) = ends.next_if(|(after, _)| *after <= taken) {
                lives.end_server(at_ms);
            }
            lives.take(step.at_ms, &step.act);
            if let Act::FailDisk(fails) = step.act {
                failing = fails;
            }
        }
        ends.for_each(|(_, at_ms)| lives.end_server(at_ms));
        lives.calm_from_ms = calm_from(plan, record).filter(|_| {
            lives.server.last().is_some_and(|life| life.until_ms.is_none()) && !failing
        });
        lives
    }

    fn take(&mut self, at: u64, act: &Act) {
        match act {
            Act::Login(name) | Act::Start(Party::Device(name)) => {
                let lives = self.devices.entry(name.clone()).or_default();
                // Who logs in again without a new start does what was ordered since the logout.
                if let Some(life) = lives.last_mut().filter(|life| life.until_ms.is_none())
                    && let Some(left) = life.left_ms
                {
                    life.until_ms = Some(left);
                    lives.push(Life::new(left));
                }
                if lives.last().is_none_or(|life| life.until_ms.is_some()) {
                    lives.push(Life::new(at));
                }
            }
            Act::Crash(Party::Device(name)) => {
                if let Some(life) = self.running_mut(name) {
                    life.until_ms = Some(at);
                }
            }
            Act::Order(name, line) if matches!(line.trim(), "quit" | "exit") => {
                if let Some(life) = self.running_mut(name) {
                    life.left_ms = life.left_ms.or(Some(at));
                }
            }
            Act::Start(Party::Server) => {
                if self.server.last().is_none_or(|life| life.until_ms.is_some()) {
                    self.server.push(Life::new(at));
                    // What is kept until some time of the clock is kept for longer if that goes
                    // back.
                    let (ahead, before) = self.ahead_ms;
                    self.enough_ms += u64::try_from(before - ahead).unwrap_or(0);
                    self.ahead_ms = (ahead, ahead);
                }
            }
            Act::Crash(Party::Server) | Act::Stop => {
                if *act == Act::Stop {
                    self.stopped_ms.push(at);
                }
                self.end_server(at);
            }
            // Who stood still catches up, as after a disk that did.
            Act::Stall(party, ms) => {
                self.released_ms.push(at + ms);
                if let Party::Device(name) = party {
                    self.stalls_ms.push((name.clone(), at, at + ms));
                }
            }
            Act::ClockStep(Party::Server, by_ms) => self.ahead_ms.0 += by_ms,
            Act::Order(..)
            | Act::ClockStep(Party::Device(_), _)
            | Act::Cut { .. }
            | Act::Mend
            | Act::Weather(_)
            | Act::Rebind(_)
            | Act::HoldDisk(true)
            | Act::FailDisk(_)
            | Act::Replay(_)
            | Act::Flood(_) => {}
            Act::HoldDisk(false) => self.released_ms.push(at),
        }
    }

    /// The server ends, unless it has before.
    fn end_server(&mut self, at_ms: u64) {
        if let Some(life) = self.server.last_mut() {
            life.until_ms = life.until_ms.or(Some(at_ms));
        }
    }

    fn running_mut(&mut self, name: &DeviceName) -> Option<&mut Life> {
        self.devices.get_mut(name)?.last_mut().filter(|life| life.until_ms.is_none())
    }

    /// The life of a device that a moment lies in.
    pub(crate) fn of(&self, name: &DeviceName, at_ms: u64) -> Option<&Life> {
        self.devices.get(name)?.iter().rev().find(|life| life.covers(at_ms))
    }

    /// Devices that run to the end, and since when; those that logged out are not among them.
    pub(crate) fn present(&self) -> impl Iterator<Item = (&DeviceName, u64)> {
        self.devices.iter().filter_map(|(name, lives)| {
            let last = lives.last()?;
            (last.until_ms.is_none() && last.left_ms.is_none()).then_some((name, last.from_ms))
        })
    }

    /// How often the server had started by then.
    pub(crate) fn boots_by(&self, at_ms: u64) -> usize {
        self.server.iter().filter(|life| life.from_ms <= at_ms).count()
    }

    /// Whether the server started, or ended, in a time.
    pub(crate) fn server_changed(&self, from_ms: u64, until_ms: u64) -> bool {
        self.server.iter().any(|life| {
            let within = |at: u64| (from_ms..=until_ms).contains(&at);
            (life.from_ms > 0 && within(life.from_ms)) || life.until_ms.is_some_and(within)
        })
    }

    /// Whether the server or a device started in a time.
    pub(crate) fn somebody_started(&self, from_ms: u64, until_ms: u64) -> bool {
        let mut lives = self.server.iter().chain(self.devices.values().flatten());
        lives.any(|life| (from_ms..=until_ms).contains(&life.from_ms))
    }

    /// Whether the server caught up after it had stood still.
    pub(crate) fn caught_up(&self, from_ms: u64, until_ms: u64) -> bool {
        self.released_ms.iter().any(|at| (from_ms..=until_ms).contains(at))
    }

    /// Whether the server was stopped in order by some moment.
    pub(crate) fn stopped_by(&self, at_ms: u64) -> bool {
        self.stopped_in(0, at_ms)
    }

    /// Whether the server was stopped in order in a time.
    pub(crate) fn stopped_in(&self, from_ms: u64, until_ms: u64) -> bool {
        self.stopped_ms.iter().any(|at| (from_ms..=until_ms).contains(at))
    }

    /// Whether the server runs all through a time and its disk does not hold it up.
    pub(crate) fn serves(&self, from_ms: u64, until_ms: u64) -> bool {
        let runs = self.server.iter().any(|life| {
            life.from_ms <= from_ms && life.until_ms.is_none_or(|until| until > until_ms)
        });
        let held = self.held_ms.iter().any(|(from, until)| *from <= until_ms && from_ms <= *until);
        runs && !held
    }

    /// Whether the server runs at a moment.
    pub(crate) fn serves_at(&self, at_ms: u64) -> bool {
        self.server.iter().any(|life| life.covers(at_ms))
    }

    /// When a device that stands still at a moment has done what was due then; `None` if it does
    /// not stand still. Stalls may follow each other without a pause.
    pub(crate) fn catches_up(&self, name: &DeviceName, at_ms: u64) -> Option<u64> {
        let until = |at_ms: u64| {
            let theirs = self
                .stalls_ms
                .iter()
                .filter(|(who, from, until)| who == name && (*from..*until).contains(&at_ms));
            theirs.map(|(_, _, until)| *until).max()
        };
        let end = std::iter::successors(until(at_ms), |at_ms| until(*at_ms)).last();
        end.map(|end| end + CATCHING_UP_MS)
    }

    /// Whether the plan turns clocks or lets processes stand still, so that nothing can be said of
    /// when something runs out.
    pub(crate) fn clock_is_odd(&self) -> bool {
        self.odd_clock
    }

    /// Whether the run ends with so much calm that everybody agrees again.
    pub(crate) fn ends_calm(&self) -> bool {
        self.calm_from_ms.is_some_and(|from| self.ended_ms.saturating_sub(from) >= self.enough_ms)
    }
}

/// When the server ended by itself, or did not start: after how many steps, and at what time. On a
/// disk that fails it lives until the first thing that it has to keep.
fn own_ends(record: &Record) -> Vec<(usize, u64)> {
    let mut taken = 0;
    let mut ends = Vec::new();
    for entry in &record.entries {
        match &entry.what {
            What::Step(_) => taken += 1,
            What::Trouble { party: Party::Server, .. } => ends.push((taken, entry.at_ms)),
            What::Trouble { .. }
            | What::Told { .. }
            | What::Stream { .. }
            | What::Datagram { .. } => {}
        }
    }
    ends
}

/// When the disk was held or failed or the server stood still, and a while after.
fn held(plan: &Plan) -> Vec<(u64, u64)> {
    let mut held: Vec<(u64, u64)> = Vec::new();
    // A disk that syncs again may still be full.
    let (mut stuck, mut full) = (None, None);
    for step in &plan.steps {
        match step.act {
            Act::HoldDisk(true) => stuck = stuck.or(Some(step.at_ms)),
            Act::FailDisk(true) => full = full.or(Some(step.at_ms)),
            Act::Stall(Party::Server, ms) => {
                held.push((step.at_ms, step.at_ms + ms + CATCHING_UP_MS));
            }
            Act::HoldDisk(false) => {
                held.extend(stuck.take().map(|from| (from, step.at_ms + CATCHING_UP_MS)));
            }
            Act::FailDisk(false) => {
                held.extend(full.take().map(|from| (from, step.at_ms + CATCHING_UP_MS)));
            }
            _ => {}
        }
    }
    held.extend(stuck.into_iter().chain(full).map(|from| (from, u64::MAX)));
    held
}

/// The last disturbance: a step, or what the steps left behind until the end of the timeline.
/// `None`: the disk is still held, or the server ended by itself.
fn calm_from(plan: &Plan, record: &Record) -> Option<u64> {
    let (mut weather, mut cut, mut held) = (plan.network.clone(), false, false);
    for step in &plan.steps {
        match &step.act {
            Act::Weather(new) => weather = new.clone(),
            Act::Cut { .. } => cut = true,
            Act::Mend => cut = false,
            Act::HoldDisk(hold) => held = *hold,
            Act::Login(_)
            | Act::Order(..)
            | Act::Crash(_)
            | Act::Start(_)
            | Act::Stop
            | Act::Stall(..)
            | Act::ClockStep(..)
            | Act::Rebind(_)
            | Act::FailDisk(_)
            | Act::Replay(_)
            | Act::Flood(_) => {}
        }
    }
    // Whoever starts a server that has ended by itself has to clear it away first.
    let cleared = plan
        .steps
        .iter()
        .rev()
        .find(|step| step.act == Act::Stop || step.act == Act::Crash(Party::Server));
    let trouble = record
        .entries
        .iter()
        .rev()
        .find(|entry| matches!(&entry.what, What::Trouble { party: Party::Server, .. }));
    let dead =
        trouble.is_some_and(|trouble| cleared.is_none_or(|cleared| cleared.at_ms < trouble.at_ms));
    let rough = cut || weather != Weather { latency_ms: weather.latency_ms, ..Weather::default() };
    let last = plan.steps.iter().map(|step| step.at_ms + step.act.lasts_ms()).max().unwrap_or(0);
    match (held || dead, rough) {
        (true, _) => None,
        (false, true) => Some(last.max(plan.duration_ms)),
        (false, false) => Some(last),
    }
}

/// The user an order names: `bob`, `bob@example.org` or `sip:bob@example.org`.
pub(crate) fn user_of(word: &str) -> String {
    presently::facts::user_of(word).to_owned()
}
