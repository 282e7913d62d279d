//! The fault finder as a whole: what is sound passes, what is planted is found and made small,
//! and what was found once is replayed for ever.

use presently_sim::plan::{Act, Claim, DeviceName, Expectation, Plan, When};
use presently_sim::record::{Record, What};
use presently_sim::replay::{Outcome, capsule, replay, shrink};
use presently_sim::search::{Search, plan, search};
use presently_sim::shrink::Budget;
use presently_sim::{oracle, world};
use std::cell::Cell;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

#[test]
fn a_dozen_seeds_hold_every_property() {
    let heard = AtomicU64::new(0);
    let budget = Budget { plays: 100 };
    let wanted = Search { seeds: 0..12, limit: None, threads: 2, budget, keep: None };
    let report = search(&wanted, &|_| {
        heard.fetch_add(1, Ordering::Relaxed);
    });
    let found: Vec<String> = report
        .found
        .iter()
        .flat_map(|found| found.violations.iter().map(|one| format!("seed {}: {one}", found.seed)))
        .collect();
    assert_eq!(found, Vec::<String>::new());
    assert_eq!((report.seeds, heard.into_inner()), (12, 12));
    assert!(report.simulated.as_secs() >= 12 * 2 * 690);
    assert!(report.speed() > report.seeds_per_second());
}

#[test]
fn plans_differ_by_seed_and_by_nothing_else() {
    assert_eq!(plan(5), plan(5));
    assert_ne!(plan(5).steps, plan(6).steps);
    let plans: Vec<Plan> = (0..60).map(plan).collect();
    // The swarm: some plans have it and some have not.
    let some = |which: fn(&Act) -> bool| {
        let has = |plan: &&Plan| plan.steps.iter().any(|step| which(&step.act));
        let with = plans.iter().filter(has).count();
        assert!((5..=58).contains(&with), "{with} of 60");
    };
    some(|act| matches!(act, Act::Stop));
    some(|act| matches!(act, Act::Crash(_)));
    some(|act| matches!(act, Act::Cut { .. }));
    some(|act| matches!(act, Act::Rebind(_)));
    some(|act| matches!(act, Act::Stall(..)));
    some(|act| matches!(act, Act::ClockStep(..)));
    some(|act| matches!(act, Act::Order(_, line) if line == "quit"));
    some(|act| matches!(act, Act::Order(_, line) if line.starts_with("offer")));
    some(|act| matches!(act, Act::Order(_, line) if line.starts_with("message")));
    some(|act| matches!(act, Act::Order(_, line) if line.starts_with("direct")));
    some(|act| matches!(act, Act::Order(_, line) if line.starts_with("call")));
    for plan in &plans {
        let agents: usize = plan.users.iter().map(|user| user.device_names().len()).sum();
        assert!((4..=8).contains(&agents), "{agents} agents");
        let last = plan.steps.iter().map(|step| step.at_ms + step.act.lasts_ms()).max();
        assert!(last <= Some(480_000), "{last:?}: there has to be calm at the end");
    }
    let gives_up = plans.iter().filter(|plan| plan.server.giveup_ms < 300_000).count();
    assert!((5..=55).contains(&gives_up), "{gives_up} of 60 give watchers up");
}

/// A server that numbers its last NOTIFYs wrongly.
fn doctored(mut record: Record) -> Record {
    for entry in &mut record.entries {
        if let What::Datagram { bytes, .. } = &mut entry.what {
            let text = String::from_utf8_lossy(bytes);
            if text.starts_with("NOTIFY") && text.contains("terminated;reason=timeout") {
                *bytes = text.replace("CSeq: ", "CSeq: 9").into();
            }
        }
    }
    record
}

#[test]
fn a_planted_fault_is_found_and_made_small() {
    let fails = |plan: &Plan| {
        let record = world::play(plan).map(doctored);
        let violations = record.map(|record| oracle::examine(plan, &record)).unwrap_or_default();
        violations.iter().any(|violation| violation.property == "P6")
    };
    let seed = (0..20).find(|seed| fails(&plan(*seed))).expect("one of twenty seeds finds it");
    let whole = plan(seed);
    let budget = Budget { plays: 90 };
    let shrunk = presently_sim::shrink::shrink(&whole, budget, &fails, &|_| {});
    let (left, had) = (shrunk.plan.steps.len(), whole.steps.len());
    assert!(fails(&shrunk.plan));
    assert!(left * 4 <= had, "{left} of {had} steps are left: {:#?}", shrunk.plan.steps);
}

/// eve is cut off while alice writes to her: the message that was due within a second is late.
#[test]
fn a_capsule_is_replayed_and_shrunk_to_what_breaks_the_expectation() {
    let device = |user: &str| DeviceName { user: user.into(), device: String::new() };
    let mut late = plan(2);
    late.network = presently_sim::plan::Weather { jitter_ms: 30, ..Default::default() };
    late.steps.retain(|step| matches!(step.act, Act::Login(_)));
    let cut = Act::Cut {
        from: presently_sim::plan::Party::Device(device("eve")),
        to: presently_sim::plan::Party::Server,
        both: true,
    };
    let steps = [
        (30_000, Act::Order(device("alice"), "watch bob".into())),
        (30_000, Act::Flood(3)),
        (31_000, cut),
        (32_000, Act::Order(device("alice"), "message eve lunch".into())),
        (39_000, Act::Mend),
    ];
    late.steps.extend(steps.map(|(at_ms, act)| presently_sim::plan::Step { at_ms, act }));
    late.duration_ms = 60_000;
    let text = "eve sees lunch within 5s";
    let claim = Claim::Messages { reader: device("eve"), text: "lunch".into(), count: 1 };
    let when = When::Within { from_ms: 32_000, until_ms: 37_000 };
    late.expectations = vec![Expectation { text: text.into(), when, claim }];

    let record = world::play(&late).expect("a run");
    let kept = capsule(&late, &record);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("capsule.json");
    kept.write(&path).expect("written");
    let again = replay(&path).expect("replayed");
    assert_eq!((again.same, again.outcome()), (Some(true), Outcome::FailsAgain));
    let plays = Cell::new(0);
    let small = shrink(&path, Budget { plays: 150 }, &|progress| plays.set(progress.plays));
    let (smaller, shrunk) = small.expect("understood").expect("it fails");
    assert_eq!(plays.get(), shrunk.plays);
    assert_eq!(smaller.failed[0].why, text);
    // Two come, one is cut off, one writes: without any of it the expectation holds or is absurd.
    let acts: Vec<&Act> = smaller.plan.steps.iter().map(|step| &step.act).collect();
    assert_eq!(acts.len(), 4, "{acts:#?}");
    assert!(acts.iter().any(|act| matches!(act, Act::Cut { .. })), "{acts:#?}");
}

/// What was found once: faults that are mended. None of them may come back.
#[test]
fn the_corpus_holds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let mut played = 0;
    for entry in std::fs::read_dir(folder).expect("the corpus") {
        let path = entry.expect("an entry").path();
        let again = replay(&path).expect("a capsule that is understood");
        assert_eq!(again.trial.violations, [], "{}", path.display());
        assert_eq!(again.outcome(), Outcome::Mended, "{}", path.display());
        played += 1;
    }
    assert!(played >= 4, "{played} capsules");
}
