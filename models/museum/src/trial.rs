//! One model or one search, in this process: with whatever fault the environment switched on.

use crate::exhibit;
use presently_engine::server::Server;
use presently_models::law::Law;
use presently_models::run::{Limits, check};
use presently_sim::search::{Search, search};
use presently_sim::shrink::Budget;
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};

/// After so much time a fault has survived.
pub const PATIENCE: Duration = Duration::from_secs(100);

/// One thread: then the states that are seen before the fault are the same every time.
const LIMITS: Limits =
    Limits { states: 3_000_000, time: PATIENCE, memory: None, threads: 1, shortening: 60_000 };

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

/// Plays seeds from 1 on until one violates something, and makes its plan smaller with at most so
/// many plays.
pub fn seeds(most: Option<u64>, plays: usize) -> Outcome {
    let began = Instant::now();
    let mut outcome = Outcome::default();
    for seed in 1..=most.unwrap_or(u64::MAX) {
        if began.elapsed() >= PATIENCE {
            break;
        }
        let budget = Budget { plays };
        let wanted = Search { seeds: seed..seed + 1, limit: None, threads: 1, budget, keep: None };
        outcome.count = seed;
        if let Some(found) = search(&wanted, &|_| {}).found.first() {
            let first = &found.violations[0];
            outcome.killed_by = Some(first.property.to_owned());
            outcome.steps = found.capsule.plan.steps.len();
            outcome.whole = found.steps;
            let left = found.capsule.plan.steps.iter().map(|step| format!("\n  {step:?}"));
            outcome.told = format!("seed {seed}: {first}{}", left.collect::<String>());
            break;
        }
    }
    outcome.seconds = began.elapsed().as_secs_f64();
    outcome
}
