//! One model or one search, in this process: with whatever fault the environment switched on.

use crate::exhibit;
use presently_engine::server::Server;
use presently_models::law::Law;
use presently_models::run::{Limits, check};
use presently_sim::plan::Plan;
use presently_sim::shrink::{self, Budget};
use presently_sim::{oracle, search, world};
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};

/// After so much time a fault has survived.
pub const PATIENCE: Duration = Duration::from_secs(100);

/// One thread: then the states that are seen before the fault are the same every time.
const LIMITS: Limits =
    Limits { states: 3_000_000, time: PATIENCE, threads: 1, shortening: 60_000, memory: None };

/// Seeds that have to hold when no fault is on.
pub const SOUND_SEEDS: u64 = 40;

/// What came of it.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Outcome {
    /// The property that was broken first.
    pub killed_by: Option<String>,
    /// States of the model, or seeds of the search, until then.
    pub count: u64,
    /// Steps of the counterexample, or of the shrunk plan.
    pub steps: usize,
    /// A model's: whether there is no shorter one.
    pub shortest: bool,
    /// A search's: steps of the plan as it was made.
    pub whole: usize,
    /// How long it took.
    pub seconds: f64,
    /// What was seen, for people.
    pub told: String,
}

/// Explores a model, for one law or for all of its own.
///
/// # Errors
/// There is no such model or law.
pub fn model(name: &str, law: Option<&str>) -> Result<Outcome, String> {
    let mut plan = exhibit::plan(name).ok_or_else(|| format!("there is no model {name}"))?;
    if let Some(wanted) = law {
        let law: Law = exhibit::law(wanted).ok_or_else(|| format!("there is no law {wanted}"))?;
        plan.laws = vec![law];
        // The fault may well be in the way of what is seen otherwise.
        plan.sights.clear();
    }
    let report = check::<Server>(plan, LIMITS, &mut |_| {});
    let missing: Vec<&str> = report.missing.iter().map(|sight| sight.name()).collect();
    let broken = report.broken.as_ref();
    let told = match broken {
        Some(broken) => broken.ladder.clone(),
        None => format!("{} {}", report.verdict(), missing.join(" ")).trim_end().to_owned(),
    };
    Ok(Outcome {
        killed_by: broken.map(|broken| broken.law.name().to_owned()),
        count: report.unique as u64,
        steps: broken.map_or(0, |broken| broken.steps),
        shortest: broken.is_some_and(|broken| broken.shortest),
        whole: 0,
        seconds: report.time.as_secs_f64(),
        told,
    })
}

/// Plays seeds from 1 on until one violates the property, and makes its plan smaller with at most
/// so many plays.
pub fn hunt(property: &str, plays: usize) -> Outcome {
    let began = Instant::now();
    let mut outcome = Outcome::default();
    while began.elapsed() < PATIENCE {
        outcome.count += 1;
        let plan = search::plan(outcome.count);
        let violations = world::play(&plan).map(|record| oracle::examine(&plan, &record));
        let violations = violations.unwrap_or_default();
        let Some(found) = violations.iter().find(|one| one.property == property) else { continue };
        let fails = |smaller: &Plan| search::violated(smaller, property);
        let small = shrink::shrink(&plan, Budget { plays }, &fails, &|_| {}).plan;
        outcome.killed_by = Some(property.to_owned());
        (outcome.steps, outcome.whole) = (small.steps.len(), plan.steps.len());
        let left = small.steps.iter().map(|step| format!("\n  {step:?}"));
        outcome.told = format!("seed {}: {found}{}", outcome.count, left.collect::<String>());
        break;
    }
    outcome.seconds = began.elapsed().as_secs_f64();
    outcome
}

/// Whether one seed violates a property.
pub fn seed(property: &str, seed: u64) -> Outcome {
    let killed_by = search::violated(&search::plan(seed), property).then(|| property.to_owned());
    Outcome { killed_by, count: seed, ..Outcome::default() }
}

/// Plays the first seeds, each twice, and says what is violated.
pub fn seeds() -> Outcome {
    let began = Instant::now();
    let mut outcome = Outcome::default();
    for seed in 1..=SOUND_SEEDS {
        outcome.count = seed;
        let trial = search::examine(&search::plan(seed));
        let violations = trial.map(|trial| trial.violations).unwrap_or_default();
        if let Some(found) = violations.first() {
            outcome.killed_by = Some(found.property.to_owned());
            outcome.told = format!("seed {seed}: {found}");
            break;
        }
    }
    outcome.seconds = began.elapsed().as_secs_f64();
    outcome
}
