//! Looks for faults: makes plans from seeds, plays each twice, holds the oracle against it, and
//! keeps what fails as a capsule, made as small as it goes.

mod generate;

pub use generate::plan;

use crate::capsule::{Capsule, Failure, Unread};
use crate::coverage::Coverage;
use crate::oracle::evidence::Evidence;
use crate::oracle::{self, Violation};
use crate::plan::Plan;
use crate::record::Record;
use crate::shrink::{self, Budget};
use crate::world;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The property that equal plans give equal records.
pub const DETERMINISM: &str = "P59";

/// What is looked at.
#[derive(Clone, Debug)]
pub struct Search {
    /// The seeds.
    pub seeds: Range<u64>,
    /// How long to look at most.
    pub limit: Option<Duration>,
    /// How many seeds at once.
    pub threads: usize,
    /// How much work goes into making one failure smaller.
    pub budget: Budget,
    /// Where capsules are kept.
    pub keep: Option<PathBuf>,
}

/// How far a search is.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Progress {
    /// So many seeds are done, so many of them failed.
    Seeds {
        /// Done.
        done: u64,
        /// Failed.
        failed: u64,
        /// Simulated time of all plays so far.
        simulated: Duration,
        /// Time it took so far.
        took: Duration,
    },
    /// A failure is made smaller.
    Shrinking {
        /// Whose.
        seed: u64,
        /// How far.
        shrink: shrink::Progress,
    },
}

/// A seed that failed.
#[derive(Clone, Debug)]
pub struct Found {
    /// The seed.
    pub seed: u64,
    /// Everything that did not hold in the plan as it was made.
    pub violations: Vec<Violation>,
    /// Steps of that plan.
    pub steps: usize,
    /// The smallest plan that fails in the same way.
    pub capsule: Capsule,
    /// What was removed, one line each.
    pub removed: Vec<String>,
    /// Where the capsule is kept.
    pub path: Option<PathBuf>,
    /// Why it could not be kept.
    pub unkept: Option<Unread>,
}

/// What a search came to.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Seeds played, each twice.
    pub seeds: u64,
    /// Simulated time of all plays.
    pub simulated: Duration,
    /// Time it took.
    pub took: Duration,
    /// Failures, by seed.
    pub found: Vec<Found>,
    /// [`Record::hash`] of every seed's first play, by seed.
    pub hashes: Vec<(u64, u64)>,
    /// Which rows of the machines and which races all of them came to.
    pub coverage: Coverage,
}

impl Report {
    /// Seeds a second.
    pub fn seeds_per_second(&self) -> f64 {
        self.seeds as f64 / self.took.as_secs_f64().max(f64::MIN_POSITIVE)
    }

    /// Simulated seconds for one second.
    pub fn speed(&self) -> f64 {
        self.simulated.as_secs_f64() / self.took.as_secs_f64().max(f64::MIN_POSITIVE)
    }
}

/// How much longer than its limit a search goes on to make a failure smaller.
const GRACE: Duration = Duration::from_secs(60);

/// What a plan came to.
#[derive(Clone, Debug)]
pub struct Trial {
    /// The record of the first play.
    pub record: Record,
    /// What did not hold.
    pub violations: Vec<Violation>,
    /// Which rows and races it came to.
    pub coverage: Coverage,
}

/// Plays a plan twice and judges it.
///
/// # Errors
/// The plan cannot be played.
pub fn examine(plan: &Plan) -> Result<Trial, String> {
    let record = world::play(plan)?;
    let again = world::play(plan)?;
    let evidence = Evidence::new(plan, &record);
    let (mut violations, coverage) = (oracle::weigh(&evidence), Coverage::seen_in(&evidence));
    drop(evidence);
    if let Some(at_ms) = first_difference(&record, &again) {
        let what = "the same plan went otherwise the second time".to_owned();
        violations.push(Violation { property: DETERMINISM, at_ms, what });
    }
    Ok(Trial { record, violations, coverage })
}

/// When two records part.
fn first_difference(one: &Record, other: &Record) -> Option<u64> {
    if one.hash() == other.hash() {
        return None;
    }
    let mut pairs = one.entries.iter().zip(&other.entries);
    let parted = pairs.find(|(one, other)| one != other).map(|(one, _)| one.at_ms);
    Some(parted.unwrap_or(one.ended_ms))
}

/// Looks at every seed of a search. `tell` hears how it goes, from several threads.
pub fn search(search: &Search, tell: &(dyn Fn(Progress) + Sync)) -> Report {
    let begun = Instant::now();
    let (next, played) = (AtomicU64::new(search.seeds.start), AtomicU64::new(0));
    let simulated = AtomicU64::new(0);
    let found: Mutex<Vec<Found>> = Mutex::new(Vec::new());
    let coverage: Mutex<Coverage> = Mutex::default();
    let hashes: Mutex<Vec<(u64, u64)>> = Mutex::default();
    let lock = || found.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let work = || {
        while search.limit.is_none_or(|limit| begun.elapsed() < limit) {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= search.seeds.end {
                return;
            }
            let (failed, trial) = look(seed, search, begun, tell);
            // Each seed is played twice.
            let ms = 2 * trial.record.ended_ms;
            let ms = simulated.fetch_add(ms, Ordering::Relaxed) + ms;
            let simulated = Duration::from_millis(ms);
            coverage.lock().unwrap_or_else(std::sync::PoisonError::into_inner).add(&trial.coverage);
            let hash = (seed, trial.record.hash());
            hashes.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(hash);
            lock().extend(failed);
            let done = played.fetch_add(1, Ordering::Relaxed) + 1;
            let (failed, took) = (lock().len() as u64, begun.elapsed());
            tell(Progress::Seeds { done, failed, simulated, took });
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..search.threads.max(1) {
            scope.spawn(work);
        }
    });
    let mut found = std::mem::take(&mut *lock());
    found.sort_by_key(|found| found.seed);
    let mut hashes = hashes.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    hashes.sort_unstable();
    Report {
        seeds: played.into_inner(),
        simulated: Duration::from_millis(simulated.into_inner()),
        took: begun.elapsed(),
        found,
        hashes,
        coverage: coverage.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner),
    }
}

/// One seed: what failed, if something did, and what happened.
fn look(
    seed: u64,
    search: &Search,
    begun: Instant,
    tell: &(dyn Fn(Progress) + Sync),
) -> (Option<Found>, Trial) {
    let plan = plan(seed);
    let trial = match examine(&plan) {
        Ok(trial) => trial,
        // A plan of ours that cannot be played is a fault of ours.
        Err(what) => {
            let violations = vec![Violation { property: "plan", at_ms: 0, what }];
            Trial { record: Record::default(), violations, coverage: Coverage::default() }
        }
    };
    let Some(first) = trial.violations.first().cloned() else { return (None, trial) };
    let told = |shrink| tell(Progress::Shrinking { seed, shrink });
    let in_time = || search.limit.is_none_or(|limit| begun.elapsed() < limit + GRACE);
    let fails = |plan: &Plan| in_time() && violated(plan, first.property);
    let shrunk = shrink::shrink(&plan, search.budget, &fails, &told);
    let (smallest, violations) = match examine(&shrunk.plan) {
        Ok(again) => (again.record, again.violations),
        Err(_) => (trial.record.clone(), trial.violations.clone()),
    };
    let capsule = Capsule::new(&shrunk.plan, &smallest, failures(&violations));
    let mut found = Found {
        seed,
        violations: trial.violations.clone(),
        steps: plan.steps.len(),
        capsule,
        removed: shrunk.removed,
        path: None,
        unkept: None,
    };
    if let Some(folder) = &search.keep {
        let path = folder.join(format!("{}-{seed}.json", first.property));
        // What goes wrong here is told when the capsule is written.
        let _ = std::fs::create_dir_all(folder);
        match found.capsule.write(&path) {
            Ok(()) => found.path = Some(path),
            Err(why) => found.unkept = Some(why),
        }
    }
    (Some(found), trial)
}

/// Whether a plan violates a property; once is enough unless it is about playing twice.
pub fn violated(plan: &Plan, property: &str) -> bool {
    let violations = if property == DETERMINISM {
        examine(plan).map(|trial| trial.violations)
    } else {
        world::play(plan).map(|record| oracle::examine(plan, &record))
    };
    violations.is_ok_and(|all| all.iter().any(|one| one.property == property))
}

/// Violations as a capsule keeps them.
pub fn failures(violations: &[Violation]) -> Vec<Failure> {
    let failure = |one: &Violation| Failure { what: one.property.into(), why: one.to_string() };
    violations.iter().map(failure).collect()
}
