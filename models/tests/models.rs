//! Every model at its quick budget: all laws hold, everything was explored, all sights were seen.

use presently_models::catalogue::{Depth, plans};
use presently_models::run::{Limits, Report, check_shipped};
use std::time::Duration;

const LIMITS: Limits = Limits {
    states: 20_000_000,
    time: Duration::from_secs(600),
    threads: 2,
    shortening: 100_000,
    memory: None,
};

/// Models that take seconds even without optimisation.
const SMALL: &[&str] = &["C2a"];

fn explored(wanted: impl Fn(&str) -> bool) -> Vec<Report> {
    let plans = plans(Depth::Quick).into_iter().filter(|plan| wanted(plan.name));
    plans.map(|plan| check_shipped(plan, LIMITS, &mut |_| {})).collect()
}

fn all_hold(reports: &[Report]) {
    for report in reports {
        let ladder = report.broken.as_ref().map_or("", |broken| &broken.ladder);
        let missing: Vec<_> = report.missing.iter().map(|sight| sight.name()).collect();
        assert_eq!(report.verdict(), "holds", "{}: missing {missing:?}\n{ladder}", report.model);
    }
}

#[test]
fn small_models_hold() {
    let reports = explored(|name| SMALL.contains(&name));
    assert_eq!(reports.len(), SMALL.len());
    all_hold(&reports);
}

#[test]
#[cfg_attr(debug_assertions, ignore = "minutes without optimisation: run it with --release")]
fn all_quick_models_hold() {
    all_hold(&explored(|_| true));
}

#[test]
fn a_run_is_repeated_state_by_state() {
    let once = || explored(|name| name == "C2a").pop().expect("the model");
    let (first, second) = (once(), once());
    assert_eq!((first.unique, first.generated), (second.unique, second.generated));
}
