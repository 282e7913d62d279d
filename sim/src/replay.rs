//! What can be done with a capsule: play it again, and make it smaller.

use crate::capsule::{self, Capsule, Failure, Unread};
use crate::judge::{Verdict, judge};
use crate::oracle::{self, Violation};
use crate::plan::{Act, Plan, Weather};
use crate::record::Record;
use crate::search::{self, DETERMINISM, Trial};
use crate::shrink::{self, Budget, Progress, Shrunk};
use crate::world;
use std::path::Path;

/// What a [`Failure`] of one of the plan's own expectations is called; its `why` is the
/// expectation's text.
pub const EXPECTATION: &str = "expectation";

/// A capsule that was played again.
#[derive(Clone, Debug)]
pub struct Replay {
    /// The capsule.
    pub capsule: Capsule,
    /// The run, and what the oracle says.
    pub trial: Trial,
    /// What became of the plan's expectations.
    pub verdicts: Vec<Verdict>,
    /// What fails today.
    pub failures: Vec<Failure>,
    /// Whether the run was the same, byte for byte; `None` if another engine wrote the capsule.
    pub same: Option<bool>,
}

/// What a replay says about the engine of today.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// Nothing failed, and nothing fails.
    Holds,
    /// What failed is mended, and nothing else fails.
    Mended,
    /// What failed fails again.
    FailsAgain,
    /// What failed, if anything did, holds; but something else fails.
    FailsOtherwise,
}

impl Replay {
    /// What came of it.
    pub fn outcome(&self) -> Outcome {
        let again = |failure: &Failure| has_failed(failure, &self.verdicts, &self.trial.violations);
        if self.capsule.failed.iter().any(again) {
            return Outcome::FailsAgain;
        }
        match (self.failures.is_empty(), self.capsule.failed.is_empty()) {
            (true, true) => Outcome::Holds,
            (true, false) => Outcome::Mended,
            (false, _) => Outcome::FailsOtherwise,
        }
    }

    /// Whether anything fails today.
    pub fn fails(&self) -> bool {
        matches!(self.outcome(), Outcome::FailsAgain | Outcome::FailsOtherwise)
    }

    /// What came of it, for people.
    pub fn summary(&self) -> String {
        let outcome = match self.outcome() {
            Outcome::Holds => "It held, and it holds.",
            Outcome::Mended => "What failed then is mended: everything holds.",
            Outcome::FailsAgain => "It fails as it did.",
            Outcome::FailsOtherwise if self.capsule.failed.is_empty() => {
                "It held, and now it fails."
            }
            Outcome::FailsOtherwise => "What failed then holds, but something else fails.",
        };
        let (then, now) = (&self.capsule.engine, capsule::ENGINE);
        let run = match self.same {
            Some(true) => "The same run, byte for byte.".to_owned(),
            Some(false) => format!(
                "Another run than that of the capsule, though both are of engine {now}: the \
                 program has changed since."
            ),
            None => format!(
                "The capsule is of engine {then}, this is {now}: how far the runs are alike says \
                 nothing."
            ),
        };
        format!("{outcome}\n{run}\n")
    }
}

/// The capsule of a run.
pub fn capsule(plan: &Plan, record: &Record) -> Capsule {
    let failed = failures(plan, &judge(plan, record), &oracle::examine(plan, record));
    Capsule::new(plan, record, failed)
}

/// What fails. A plan with expectations is judged by them, one without by the oracle; whether it
/// can be repeated is asked of each.
fn failures(plan: &Plan, verdicts: &[Verdict], violations: &[Violation]) -> Vec<Failure> {
    let fallen = verdicts.iter().filter(|verdict| !verdict.held).map(|verdict| {
        let why = verdict.expectation.text.clone();
        Failure { what: EXPECTATION.into(), why }
    });
    let counts = |one: &&Violation| plan.expectations.is_empty() || one.property == DETERMINISM;
    let violations: Vec<Violation> = violations.iter().filter(counts).cloned().collect();
    fallen.chain(search::failures(&violations)).collect()
}

/// Plays a capsule again, twice.
///
/// # Errors
/// The capsule is not understood, or its plan cannot be played.
pub fn replay(path: &Path) -> Result<Replay, Unread> {
    let capsule = Capsule::read(path)?;
    let trial = search::examine(&capsule.plan).map_err(Unread::Broken)?;
    let verdicts = judge(&capsule.plan, &trial.record);
    let failures = failures(&capsule.plan, &verdicts, &trial.violations);
    let same = format!("{:016x}", trial.record.hash()) == capsule.hash;
    let same = capsule.is_of_this_engine().then_some(same);
    Ok(Replay { capsule, trial, verdicts, failures, same })
}

/// Makes a capsule smaller: the capsule of the smallest plan that fails as this one does, and what
/// was removed. `None`: it does not fail (any more).
///
/// # Errors
/// The capsule is not understood, or its plan cannot be played.
pub fn shrink(
    path: &Path,
    budget: Budget,
    tell: &dyn Fn(Progress),
) -> Result<Option<(Capsule, Shrunk)>, Unread> {
    let before = replay(path)?;
    let failed = before.capsule.failed.iter();
    let mut failed =
        failed.filter(|one| has_failed(one, &before.verdicts, &before.trial.violations));
    let Some(first) = failed.next() else { return Ok(None) };
    let plan = &before.capsule.plan;
    // An expectation that faults break has to hold without them: else nothing at all is enough.
    let sound = first.what == EXPECTATION && !fails(&without_faults(plan), first);
    let alike = |plan: &Plan| fails(plan, first) && !(sound && fails(&without_faults(plan), first));
    let shrunk = shrink::shrink(plan, budget, &alike, tell);
    let record = world::play(&shrunk.plan).map_err(Unread::Broken)?;
    let capsule = Capsule::new(&shrunk.plan, &record, vec![first.clone()]);
    Ok(Some((capsule, shrunk)))
}

fn has_failed(failure: &Failure, verdicts: &[Verdict], violations: &[Violation]) -> bool {
    match &*failure.what {
        EXPECTATION => {
            verdicts.iter().any(|verdict| !verdict.held && verdict.expectation.text == failure.why)
        }
        property => violations.iter().any(|one| one.property == property),
    }
}

fn fails(plan: &Plan, failure: &Failure) -> bool {
    let played = if failure.what == DETERMINISM {
        search::examine(plan).map(|trial| (trial.record, trial.violations))
    } else {
        world::play(plan).map(|record| {
            let violations = oracle::examine(plan, &record);
            (record, violations)
        })
    };
    played.is_ok_and(|(record, violations)| has_failed(failure, &judge(plan, &record), &violations))
}

/// The plan in good weather, in which only users act.
fn without_faults(plan: &Plan) -> Plan {
    let mut calm = Plan { network: Weather::default(), ..plan.clone() };
    calm.steps.retain(|step| matches!(step.act, Act::Login(_) | Act::Order(..)));
    calm
}

#[cfg(test)]
mod tests;
