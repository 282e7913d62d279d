//! Mutation testing of the lifecycle code: is there a mutant that models, tests and simulation let
//! live?
//!
//! cargo-mutants says which mutants there are. Here they are all planted in one build, and each
//! is switched on in processes of its own, which takes minutes instead of hours.

mod forge;
mod hunt;
mod list;
mod plant;
mod survivors;

use forge::{Forge, Make};
use hunt::{Fate, Suite, hunt};
use list::Mutant;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use survivors::Known;

/// What is built and what hunts then, the quickest first: each stage gets what the one before it
/// let live.
const STAGES: &[(&[Make], &[Suite])] = &[(TESTS, TEST_SUITES), (TOOLS, TOOL_SUITES)];

const TESTS: &[Make] = &[
    &["test", "--no-run", "-p", "presently-engine", "--lib"],
    &["test", "--no-run", "-p", "presently-tests", "--tests"],
];

const TOOLS: &[Make] = &[&["build", "-p", "presently-models", "-p", "presently-sim", "--bins"]];

const fn suite(
    kind: &'static str,
    program: &'static str,
    folder: &'static str,
    arguments: &'static [&'static str],
) -> Suite {
    Suite { kind, program, folder, arguments }
}

const TEST_SUITES: &[Suite] = &[
    suite("engine", "presently-engine", "engine", &["--skip", "body::", "--skip", "message::"]),
    suite("scenes", "presence", "tests", &[]),
    suite("scenes", "lifecycle", "tests", &[]),
    suite("scenes", "subscription-table", "tests", &[]),
    suite("scenes", "publication-table", "tests", &[]),
    suite("scenes", "winfo-table", "tests", &[]),
    suite("scenes", "traces", "tests", &[]),
    suite("scenes", "conformance", "tests", &[]),
    suite("scenes", "properties", "tests", &[]),
];

const TOOL_SUITES: &[Suite] = &[
    suite("simulation", "presence-sim", ".", &["search", "--seeds", "1..150", "--threads", "1"]),
    suite("models", "presence-check", ".", &["C2a", "C5a"]),
];

fn main() -> ExitCode {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    match run(&wanted) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(why) => {
            eprintln!("{why}");
            ExitCode::from(2)
        }
    }
}

/// Whether every survivor is known.
fn run(wanted: &[String]) -> Result<bool, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).ok_or("no workspace")?;
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    let place = target.unwrap_or_else(|| root.join("target")).join("planted");
    let all = list::mutants(root)?;
    let mut forge = Forge::new(root, &place)?;
    forge.prepare(&all)?;
    let told = format!("{} planted, {} do not compile", forge.planted.len(), forge.unviable.len());
    eprintln!("{told}");
    let asked = |mutant: &&Mutant| {
        wanted.is_empty() || wanted.iter().any(|part| mutant.name.contains(&**part))
    };
    let chosen: Vec<&Mutant> = all.iter().filter(asked).collect();
    let numbers: Vec<u32> = chosen
        .iter()
        .map(|mutant| mutant.number)
        .filter(|number| forge.planted.contains(number))
        .collect();
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let mut fates = BTreeMap::new();
    for (makes, suites) in STAGES {
        let programs = forge.build(makes)?;
        let left: Vec<u32> = numbers
            .iter()
            .copied()
            .filter(|number| !matches!(fates.get(number), Some(Fate::Caught(_))))
            .collect();
        fates.extend(hunt(&forge.tree, suites, &programs, &left, workers)?);
        note(&place, &chosen, &forge.unviable, &fates)?;
    }
    report(&chosen, &forge.unviable, &fates);
    let survivors =
        chosen.iter().filter(|mutant| fates.get(&mutant.number) == Some(&Fate::Survived));
    let known = Known::read(&root.join("tests/mutants/survivors.toml"))?;
    Ok(known.judge(&survivors.copied().collect::<Vec<_>>(), wanted.is_empty()))
}

/// What became of each, for whoever wants to look.
fn note(
    place: &Path,
    chosen: &[&Mutant],
    unviable: &BTreeSet<u32>,
    fates: &BTreeMap<u32, Fate>,
) -> Result<(), String> {
    let line = |mutant: &&Mutant| {
        let fate = match fates.get(&mutant.number) {
            Some(fate) => format!("{fate:?}"),
            None if unviable.contains(&mutant.number) => "does not compile".to_owned(),
            None => "not planted".to_owned(),
        };
        format!("{fate}\t{}\t{}\n", mutant.number, mutant.name)
    };
    let text: String = chosen.iter().map(line).collect();
    std::fs::write(place.join("fates.txt"), text).map_err(|error| error.to_string())
}

fn report(chosen: &[&Mutant], unviable: &BTreeSet<u32>, fates: &BTreeMap<u32, Fate>) {
    let viable = chosen.iter().filter(|mutant| !unviable.contains(&mutant.number)).count();
    println!("{} mutants, {viable} of them compile", chosen.len());
    for mutant in chosen {
        if !unviable.contains(&mutant.number) && !fates.contains_key(&mutant.number) {
            println!("not planted: {}", mutant.name);
        }
    }
    let mut counts: BTreeMap<Fate, usize> = BTreeMap::new();
    for fate in fates.values() {
        *counts.entry(*fate).or_default() += 1;
    }
    for (fate, count) in &counts {
        let share = 100.0 * *count as f64 / viable.max(1) as f64;
        let what = match fate {
            Fate::Caught(kind) => format!("caught by {kind}"),
            Fate::Survived => "survived".to_owned(),
        };
        println!("{what:<24} {count:>5} {share:>6.1} %");
    }
}
