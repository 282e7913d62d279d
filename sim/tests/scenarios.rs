//! Every scenario that ships holds with several fates, and every run of it can be repeated.

use presently_sim::judge::judge;
use presently_sim::plan::Plan;
use presently_sim::scenario;
use presently_sim::world::play;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

const SEEDS: [u64; 3] = [1, 2, 3];

fn shipped() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let entries = std::fs::read_dir(folder).expect("the folder of scenarios");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths
}

fn name(path: &Path) -> String {
    path.file_name().expect("a file").to_string_lossy().into_owned()
}

fn read(path: &Path) -> Plan {
    let text = std::fs::read_to_string(path).expect("a file that can be read");
    scenario::read(&name(path), &text).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

/// Plays a plan twice and returns what is wrong with that.
fn faults(name: &str, plan: &Plan) -> Vec<String> {
    let first = play(plan).expect("a plan that can be played");
    let fallen = judge(plan, &first).into_iter().filter(|verdict| !verdict.held);
    let mut faults: Vec<String> = fallen
        .map(|verdict| {
            let (text, instead) = (verdict.expectation.text, verdict.instead);
            format!("{name}, seed {}: {text}: {instead}", plan.seed)
        })
        .collect();
    let second = play(plan).expect("a plan that can be played");
    if first.hash() != second.hash() {
        faults.push(format!("{name}, seed {}: two runs differ", plan.seed));
    }
    faults
}

#[test]
fn every_shipped_scenario_holds_with_every_seed_and_repeats_itself() {
    let with_each_seed = |path: &PathBuf| {
        let plan = read(path);
        // A file that has a seed of its own has it because something happens with it.
        let own = Some(plan.seed).filter(|seed| !SEEDS.contains(seed));
        let seeds = SEEDS.into_iter().chain(own);
        let job = |seed| (name(path), Plan { seed, ..plan.clone() });
        seeds.map(job).collect::<Vec<_>>()
    };
    let jobs: Vec<(String, Plan)> = shipped().iter().flat_map(with_each_seed).collect();
    let next = AtomicUsize::new(0);
    let work = || {
        let mut found = Vec::new();
        while let Some((name, plan)) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
            found.extend(faults(name, plan));
        }
        found
    };
    let found: Vec<String> = std::thread::scope(|scope| {
        let threads = [scope.spawn(work), scope.spawn(work)];
        threads.into_iter().flat_map(|thread| thread.join().expect("no panic")).collect()
    });
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn at_least_thirteen_stories_ship_and_each_expects_something() {
    let paths = shipped();
    assert!(paths.len() >= 13, "{paths:?}");
    for path in paths {
        let plan = read(&path);
        assert!(!plan.story.is_empty(), "{path:?} tells no story");
        assert!(plan.expectations.len() >= 6, "{path:?} expects too little");
        let text = std::fs::read_to_string(&path).expect("a file that can be read");
        assert!(text.starts_with("# "), "{path:?} begins without a comment");
    }
}

/// A scenario that holds whatever the server does would prove nothing.
#[test]
fn a_server_that_lets_everybody_in_is_found_out() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    for name in ["approval.toml", "rejection.toml", "restart-in-approval.toml", "replay.toml"] {
        let mut plan = read(&folder.join(name));
        plan.server.default_policy = "allow".into();
        assert!(!faults(name, &plan).is_empty(), "{name} did not notice");
    }
}

#[test]
fn a_network_that_stays_broken_is_found_out() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    for path in shipped() {
        let mut plan = read(&folder.join(name(&path)));
        plan.network.loss = 1.0;
        assert!(!faults(&name(&path), &plan).is_empty(), "{path:?} did not notice");
    }
}
