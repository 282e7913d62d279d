//! The measurement the paper never made: how long it takes from the press of a button until the
//! first packet is on its way, there, and heard, by INVITE and without (behaviour §6.11); and what
//! either way costs in messages.
//!
//! A call is one run of its own in virtual time ([`laboratory`]): the server, agents, phones and
//! media that ship, on a network with the three delays of §6.11. All chance comes from the seed,
//! so equal wishes give equal figures, byte for byte.

mod laboratory;
pub mod plot;
pub mod prediction;
pub mod price;
pub mod table;

use crate::chance::Chance;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;

pub use laboratory::Times;
pub use price::Price;

/// How somebody speaks to somebody.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Case {
    /// By INVITE, with a nonce of the proxy that still counts.
    Invite,
    /// The nonce has run out: 407 first.
    Challenged,
    /// The same, and none of the codecs of the first INVITE is known there: 488, a second INVITE.
    Mismatch,
    /// Directly, after a check (the default).
    Checked,
    /// Directly, with early media (K16) beside the check. Without SRTP.
    Early,
    /// As the paper has it: what the tuple says is enough (the `paper` profile).
    Paper,
}

impl Case {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Invite, Self::Challenged, Self::Mismatch, Self::Checked, Self::Early, Self::Paper];

    /// For tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Invite => "INVITE",
            Self::Challenged => "INVITE, 407",
            Self::Mismatch => "INVITE, 407, 488",
            Self::Checked => "direct, checked",
            Self::Early => "direct, early",
            Self::Paper => "direct, paper",
        }
    }

    /// Whether there is no INVITE.
    pub fn is_direct(self) -> bool {
        match self {
            Self::Invite | Self::Challenged | Self::Mismatch => false,
            Self::Checked | Self::Early | Self::Paper => true,
        }
    }
}

/// One-way delays, ms (behaviour §6.11).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Delays {
    /// Between caller and server.
    pub a: u64,
    /// Between server and callee.
    pub b: u64,
    /// Between caller and callee.
    pub d: u64,
}

impl Delays {
    /// The sets of behaviour §6.11: a city, a callee that is far away, a proxy that is.
    pub const SETS: [Self; 3] = [
        Self { a: 10, b: 10, d: 15 },
        Self { a: 20, b: 100, d: 100 },
        Self { a: 100, b: 100, d: 20 },
    ];

    /// For tables.
    pub fn name(self) -> String {
        format!("a {}, b {}, d {}", self.a, self.b, self.d)
    }
}

/// Calls of each kind of which all is kept.
const FIRST: usize = 5;

/// Shares of datagrams that are lost, in percent.
pub const LOSSES: [u32; 3] = [0, 1, 5];

/// Numbers of watchers of the callee for which messages are counted.
pub const WATCHERS: [usize; 6] = [0, 1, 2, 5, 10, 20];

/// What is to be measured.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wish {
    /// Where chance comes from.
    pub seed: u64,
    /// Calls of each kind.
    pub runs: u64,
    /// Which kinds.
    pub cases: Vec<Case>,
    /// On which networks.
    pub delays: Vec<Delays>,
    /// With which losses, in percent.
    pub losses: Vec<u32>,
    /// With how many watchers messages are counted.
    pub watchers: Vec<usize>,
}

impl Wish {
    /// Everything.
    pub fn new(seed: u64, runs: u64) -> Self {
        Self {
            seed,
            runs,
            cases: Case::ALL.to_vec(),
            delays: Delays::SETS.to_vec(),
            losses: LOSSES.to_vec(),
            watchers: WATCHERS.to_vec(),
        }
    }

    /// Every kind of call, in the order of the table.
    fn kinds(&self) -> Vec<Kind> {
        let mut kinds = Vec::new();
        for &delays in &self.delays {
            for &case in &self.cases {
                kinds.extend(self.losses.iter().map(|&loss| Kind { case, delays, loss }));
            }
        }
        kinds
    }
}

/// A kind of call.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Kind {
    /// How.
    pub case: Case,
    /// On which network.
    pub delays: Delays,
    /// Percent of all datagrams that are lost from the press on.
    pub loss: u32,
}

/// Of so many in a hundred calls it took no longer, ms. `None`: they did not come to it at all.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Spread {
    pub p50: Option<u64>,
    pub p95: Option<u64>,
    pub p99: Option<u64>,
}

impl Spread {
    /// Of times in any order; who never came to it was slower than all.
    pub fn of(times: impl Iterator<Item = Option<u64>>) -> Self {
        let mut times: Vec<u64> = times.map(|time| time.unwrap_or(u64::MAX)).collect();
        times.sort_unstable();
        // The smallest that so many are not above.
        let rank = |percent: usize| {
            let place = (times.len() * percent).div_ceil(100).saturating_sub(1);
            times.get(place).copied().filter(|time| *time != u64::MAX)
        };
        Self { p50: rank(50), p95: rank(95), p99: rank(99) }
    }
}

/// What calls of one kind came to.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Cell {
    /// Which kind.
    #[serde(flatten)]
    pub kind: Kind,
    /// When the first packet should be there, by §6.11, without loss.
    pub predicted: u64,
    /// From the press until the first packet left.
    pub sent: Spread,
    /// From the press until the first packet was there.
    pub arrived: Spread,
    /// From the press until the first packet was played.
    pub played: Spread,
    /// Calls that never came to it within [`laboratory::PATIENCE`].
    pub failed: u64,
    /// The first few calls, which can be made again without all the others.
    pub first: Vec<Times>,
}

/// What was measured.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Measurement {
    /// Where chance came from.
    pub seed: u64,
    /// Calls of each kind.
    pub runs: u64,
    /// A row of the table each.
    pub cells: Vec<Cell>,
    /// What a call costs.
    pub prices: Vec<Price>,
}

impl Measurement {
    /// The figures of a kind of call.
    pub fn cell(&self, kind: Kind) -> Option<&Cell> {
        self.cells.iter().find(|cell| cell.kind == kind)
    }
}

/// A piece of work, and what it came to.
enum Job {
    Call(Kind, u64),
    Count(price::Way, usize),
}

enum Done {
    Call(Times),
    Count(Option<Price>),
}

/// Measures, on every processor. `tell` hears how many of how many runs are done.
///
/// # Errors
/// A run that could not be made at all.
pub fn measure(wish: &Wish, mut tell: impl FnMut(usize, usize)) -> Result<Measurement, String> {
    let kinds = wish.kinds();
    let calls = kinds.iter().flat_map(|kind| (0..wish.runs).map(|run| Job::Call(*kind, run)));
    let counts = price::Way::ALL
        .iter()
        .flat_map(|way| wish.watchers.iter().map(|watchers| Job::Count(*way, *watchers)));
    let jobs: Vec<Job> = calls.chain(counts).collect();
    let done = work(wish.seed, &jobs, &mut tell)?;
    let mut times: BTreeMap<Kind, Vec<Times>> = BTreeMap::new();
    let mut prices = Vec::new();
    for (job, done) in jobs.iter().zip(done) {
        match (job, done) {
            (Job::Call(kind, _), Done::Call(one)) => times.entry(*kind).or_default().push(one),
            (Job::Count(..), Done::Count(price)) => prices.extend(price),
            (Job::Call(..), Done::Count(_)) | (Job::Count(..), Done::Call(_)) => {}
        }
    }
    let cell = |kind: &Kind| cell(*kind, times.get(kind).map_or(&[], Vec::as_slice));
    let cells = kinds.iter().map(cell).collect();
    Ok(Measurement { seed: wish.seed, runs: wish.runs, cells, prices })
}

fn cell(kind: Kind, times: &[Times]) -> Cell {
    Cell {
        kind,
        predicted: prediction::arrival(kind.case, kind.delays),
        sent: Spread::of(times.iter().map(|one| one.sent)),
        arrived: Spread::of(times.iter().map(|one| one.arrived)),
        played: Spread::of(times.iter().map(|one| one.played)),
        failed: times.iter().filter(|one| one.played.is_none()).count() as u64,
        first: times.iter().take(FIRST).copied().collect(),
    }
}

/// Does jobs on every processor; what they came to is in the order of the jobs.
fn work(seed: u64, jobs: &[Job], tell: &mut dyn FnMut(usize, usize)) -> Result<Vec<Done>, String> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(jobs.len());
    let next = AtomicUsize::new(0);
    let (sender, finished) = channel();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            let (sender, next) = (sender.clone(), &next);
            scope.spawn(move || {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(job) = jobs.get(number) else { return };
                    // Nobody listens any more only if something went wrong.
                    if sender.send((number, one(seed, job))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        let mut all = BTreeMap::new();
        for (number, done) in finished {
            all.insert(number, done?);
            tell(all.len(), jobs.len());
        }
        Ok(all.into_values().collect())
    })
}

/// One job. The seed of a run has nothing to do with the kind of call, so that all kinds meet the
/// same luck.
fn one(seed: u64, job: &Job) -> Result<Done, String> {
    match job {
        Job::Call(kind, run) => {
            let seed = Chance::new(seed).number("run", run);
            laboratory::call(*kind, seed).map(Done::Call)
        }
        Job::Count(way, watchers) => price::count(*way, *watchers, seed).map(Done::Count),
    }
}

#[cfg(test)]
mod tests;
