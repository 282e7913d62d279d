//! The command line of `presence-sim`.

mod find;
mod measure;

use crate::plan::Plan;
use crate::run;
use crate::scenario::{self, HELP};
use clap::{Args, Parser, Subcommand, ValueEnum};
use presently::failure::Failure;
use std::io::Write;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const PROGRAM: &str = "presence-sim";

const EXAMPLES: &str = "\
Examples:
  presence-sim run sim/scenarios/approval.toml
      Plays a scenario in virtual time and says what every user saw, or did not see.
  presence-sim run sim/scenarios/*.toml --seeds 1..20
      Plays each with twenty seeds, that is twenty different fates of the same story.
  presence-sim replay /tmp/report/capsule.json
      Plays the very run again that --out has written, whatever has become of its scenario.
  presence-sim measure --runs 1000 --out /tmp/measurement
      From the press of the button to the first packet, by INVITE and directly, as table and plot.
  presence-sim help scenario
      How a scenario file is written.

Equal files and seeds give equal runs, byte for byte, on every machine.
Exit codes: 0 everything was seen, 1 something was not, 2 wrong usage or a wrong scenario file.";

/// Simulated users, network and server: play a scenario, get a verdict.
#[derive(Parser, Debug)]
#[command(
    name = "presence-sim",
    version = presently_engine::VERSION,
    after_help = EXAMPLES,
    disable_help_subcommand = true,
    max_term_width = 100
)]
struct Cli {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand, Debug)]
enum Action {
    /// Play scenarios and judge them.
    Run(RunArgs),
    /// Look for faults of our own: plans from seeds, judged by the oracle.
    Search(find::SearchArgs),
    /// Play a capsule again.
    Replay(find::ReplayArgs),
    /// Make the plan of a capsule as small as it goes while it fails.
    Shrink(find::ShrinkArgs),
    /// Measure how long calls take to be heard, by INVITE and directly, and what they cost.
    Measure(measure::MeasureArgs),
    /// Explain something at length.
    Help {
        /// What.
        topic: Topic,
    },
}

#[derive(Clone, Copy, ValueEnum, Debug)]
enum Topic {
    /// How a scenario file is written.
    Scenario,
}

#[derive(Args, Debug)]
struct RunArgs {
    /// Scenario files (TOML).
    #[arg(required = true, value_name = "SCENARIO.toml")]
    files: Vec<PathBuf>,
    /// The seed, instead of the file's.
    #[arg(long, value_name = "N", conflicts_with = "seeds")]
    seed: Option<u64>,
    /// Many seeds, the last one included.
    #[arg(long, value_name = "A..B", value_parser = seeds)]
    seeds: Option<RangeInclusive<u64>>,
    /// Write report.html, junit.xml, trace.pcap, trace.jsonl and capsule.json there: of one run
    /// into the folder itself, of each scenario into a folder of its name, of many seeds the first
    /// that failed.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

fn seeds(text: &str) -> Result<RangeInclusive<u64>, String> {
    let wrong = || "must be like 1..20".to_owned();
    let (first, last) = text.split_once("..").ok_or_else(wrong)?;
    let first = first.parse().map_err(|_| wrong())?;
    let last = last.trim_start_matches('=').parse().map_err(|_| wrong())?;
    match first <= last {
        true => Ok(first..=last),
        false => Err("must not end before it begins".to_owned()),
    }
}

/// Runs `presence-sim` with the arguments of this process.
pub fn main() -> ExitCode {
    let cli = match presently::usage::parse::<Cli>(PROGRAM) {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    match cli.action {
        Action::Run(args) => play(&args),
        Action::Search(args) => find::look(&args),
        Action::Replay(args) => find::again(&args),
        Action::Shrink(args) => find::smaller(&args),
        Action::Measure(args) => measure::make(&args),
        Action::Help { topic: Topic::Scenario } => {
            // Whoever reads it may have gone.
            let _ = write!(std::io::stdout(), "{HELP}");
            ExitCode::SUCCESS
        }
    }
}

fn play(args: &RunArgs) -> ExitCode {
    let mut plans = Vec::new();
    let mut wrong = false;
    for path in &args.files {
        match load(path) {
            Ok(plan) => plans.push((path.clone(), plan)),
            Err(why) => {
                let _ = writeln!(std::io::stderr(), "{why}\n");
                wrong = true;
            }
        }
    }
    if wrong {
        return Failure::usage("nothing was played; see presence-sim help scenario")
            .report(PROGRAM);
    }
    if let Some(seed) = args.seed {
        plans.iter_mut().for_each(|(_, plan)| plan.seed = seed);
    }
    match run::all(&plans, args.seeds.clone(), args.out.as_deref()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(why) => Failure::work(why).report(PROGRAM),
    }
}

/// Reads a scenario file. The error is for people, as it is.
fn load(path: &Path) -> Result<Plan, String> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("{PROGRAM}: {name}: cannot be read: {error}"))?;
    scenario::read(&name, &text).map_err(|mistakes| mistakes.to_string())
}
