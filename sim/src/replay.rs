//! What can be done with a capsule: play it again, and make it smaller.

use crate::capsule::{Capsule, Failure, Unread};
use crate::judge::{Verdict, judge};
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
    /// What to know before trusting the rest: another engine wrote it.
    pub warning: Option<String>,
    /// The run, and what the oracle says.
    pub trial: Trial,
    /// What became of the plan's expectations.
    pub verdicts: Vec<Verdict>,
    /// Whether the run was the same, byte for byte.
    pub same: bool,
}

impl Replay {
    /// Whether what failed in the capsule fails again.
    pub fn fails_again(&self) -> bool {
        let failed = |failure: &Failure| has_failed(failure, &self.trial, &self.verdicts);
        self.capsule.failed.iter().any(failed)
    }
}

/// The capsule of a run, if something failed in it: an expectation or a property.
pub fn capsule(plan: &Plan, record: &Record) -> Option<Capsule> {
    let fallen = judge(plan, record).into_iter().filter(|verdict| !verdict.held);
    let fallen = fallen.map(|verdict| {
        let why = verdict.expectation.text;
        Failure { what: EXPECTATION.into(), why }
    });
    let violations = search::failures(&crate::oracle::examine(plan, record));
    let failed: Vec<Failure> = fallen.chain(violations).collect();
    (!failed.is_empty()).then(|| Capsule::new(plan, record, failed))
}

/// Plays a capsule again, twice.
///
/// # Errors
/// The capsule is not understood, or its plan cannot be played.
pub fn replay(path: &Path) -> Result<Replay, Unread> {
    let capsule = Capsule::read(path)?;
    let trial = search::examine(&capsule.plan).map_err(Unread::Broken)?;
    let verdicts = judge(&capsule.plan, &trial.record);
    let same = format!("{:016x}", trial.record.hash()) == capsule.hash;
    Ok(Replay { warning: capsule.warning(), capsule, trial, verdicts, same })
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
    let mut failed = failed.filter(|one| has_failed(one, &before.trial, &before.verdicts));
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

fn has_failed(failure: &Failure, trial: &Trial, verdicts: &[Verdict]) -> bool {
    match &*failure.what {
        EXPECTATION => {
            verdicts.iter().any(|verdict| !verdict.held && verdict.expectation.text == failure.why)
        }
        property => trial.violations.iter().any(|one| one.property == property),
    }
}

fn fails(plan: &Plan, failure: &Failure) -> bool {
    let trial = if failure.what == DETERMINISM {
        search::examine(plan)
    } else {
        world::play(plan).map(|record| {
            let violations = crate::oracle::examine(plan, &record);
            Trial { record, violations }
        })
    };
    trial.is_ok_and(|trial| has_failed(failure, &trial, &judge(plan, &trial.record)))
}

/// The plan in good weather, in which only users act.
fn without_faults(plan: &Plan) -> Plan {
    let mut calm = Plan { network: Weather::default(), ..plan.clone() };
    calm.steps.retain(|step| matches!(step.act, Act::Login(_) | Act::Order(..)));
    calm
}
