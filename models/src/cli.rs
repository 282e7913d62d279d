//! The command line of `presence-check` (decisions §4): exit code 0 if everything holds, 1 if a
//! law is broken or a model is vacuous, 2 for wrong usage.

use clap::{Parser, Subcommand, ValueEnum};
use presently_models::catalogue::{Depth, plans};
use presently_models::plan::Plan;
use presently_models::run::{Limits, Progress, Report, check_shipped};
use std::io::{IsTerminal, Write, stderr};
use std::process::ExitCode;
use std::time::Duration;

/// Explores the state machines that ship, exhaustively within stated bounds.
#[derive(Parser, Debug)]
#[command(name = "presence-check", version, about, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    verb: Option<Verb>,
    /// Models to check, by name; all of the budget if none is given
    #[arg(value_name = "MODEL")]
    models: Vec<String>,
    /// How much to explore
    #[arg(long, value_enum, default_value_t = Budget::Quick)]
    budget: Budget,
    /// Print one JSON object for each model instead of a table
    #[arg(long)]
    json: bool,
}

#[derive(Subcommand, Debug)]
enum Verb {
    /// Shows the models, their bounds, laws and sights in plain words
    List,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
enum Budget {
    /// Seconds
    Quick,
    /// Minutes: the gate of every change
    Ci,
    /// As long as it takes
    Deep,
}

impl Budget {
    fn depth(self) -> Depth {
        match self {
            Self::Quick => Depth::Quick,
            Self::Ci => Depth::Ci,
            Self::Deep => Depth::Deep,
        }
    }

    fn limits(self) -> Limits {
        let (states, seconds) = match self {
            Self::Quick => (2_000_000, 60),
            Self::Ci => (20_000_000, 300),
            Self::Deep => (usize::MAX, 7 * 86_400),
        };
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        Limits { states, time: Duration::from_secs(seconds), threads, shortening: 400_000 }
    }
}

/// Reads the arguments and does what they say.
pub(crate) fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Without a terminal there is nobody to tell.
            let _ = error.print();
            return ExitCode::from(u8::from(error.use_stderr()) * 2);
        }
    };
    let known = plans(cli.budget.depth());
    match cli.verb {
        Some(Verb::List) => {
            list(&plans(Depth::Deep));
            ExitCode::SUCCESS
        }
        None => run(&cli, known),
    }
}

fn run(cli: &Cli, known: Vec<Plan>) -> ExitCode {
    let everything = plans(Depth::Deep);
    let names: Vec<&str> = known.iter().map(|plan| plan.name).collect();
    let called = |name: &str, plan: &Plan| plan.name.eq_ignore_ascii_case(name);
    let stranger = cli.models.iter().find(|name| !everything.iter().any(|it| called(name, it)));
    if let Some(name) = stranger {
        let names: Vec<&str> = everything.iter().map(|plan| plan.name).collect();
        eprintln!("presence-check: there is no model {name}; there are {}", names.join(", "));
        return ExitCode::from(2);
    }
    let wanted = |plan: &Plan| cli.models.iter().any(|name| called(name, plan));
    // A model called by name that this budget leaves out is taken as the smallest that has it.
    let larger = [Depth::Ci, Depth::Deep].into_iter().flat_map(plans);
    let mut chosen: Vec<Plan> = Vec::new();
    for plan in known.into_iter().chain(larger) {
        let again = chosen.iter().any(|had| had.name == plan.name);
        let meant = if cli.models.is_empty() { names.contains(&plan.name) } else { wanted(&plan) };
        if meant && !again {
            chosen.push(plan);
        }
    }
    let limits = cli.budget.limits();
    let reports: Vec<Report> = chosen
        .into_iter()
        .map(|plan| {
            let name = plan.name;
            let report = check_shipped(plan, limits, &mut |progress| line(name, progress));
            clear();
            if cli.json {
                println!("{}", json(&report));
            } else {
                tell(&report);
                println!("{}: {}, {} states", report.model, report.verdict(), report.unique);
            }
            report
        })
        .collect();
    if !cli.json {
        table(&reports);
    }
    ExitCode::from(u8::from(reports.iter().any(Report::failed)))
}

/// The line that shows that something is going on; only on a terminal.
fn line(name: &str, at: Progress) {
    if !stderr().is_terminal() {
        return;
    }
    let rate = at.generated as f64 / at.time.as_secs_f64().max(0.001);
    let text = format!(
        "{name}: {} states, {} steps, {rate:.0} steps/s, depth {}, {:.0} s",
        at.unique,
        at.generated,
        at.depth,
        at.time.as_secs_f64()
    );
    let _ = write!(stderr(), "\r{text:<78}");
}

fn clear() {
    if stderr().is_terminal() {
        let _ = write!(stderr(), "\r{:<78}\r", "");
    }
}

fn tell(report: &Report) {
    if let Some(broken) = &report.broken {
        let shortest = if broken.shortest { ", and there is no shorter way" } else { "" };
        println!(
            "{}: {} is broken after {} steps{shortest}:",
            report.model, broken.law, broken.steps
        );
        println!("       ({})", broken.law.says());
        println!("{}", broken.ladder);
    }
    for sight in &report.missing {
        println!("{}: {sight} was never seen: {}", report.model, sight.says());
    }
}

fn table(reports: &[Report]) {
    println!(
        "{:<6} {:>10} {:>11} {:>6} {:>8} {:>5}  verdict",
        "model", "states", "steps", "depth", "time", "laws"
    );
    for report in reports {
        println!(
            "{:<6} {:>10} {:>11} {:>6} {:>6.1} s {:>5}  {}",
            report.model,
            report.unique,
            report.generated,
            report.depth,
            report.time.as_secs_f64(),
            report.laws.len() - usize::from(report.broken.is_some()),
            report.verdict()
        );
        println!("       {}", report.bounds);
    }
}

fn json(report: &Report) -> serde_json::Value {
    let broken = report.broken.as_ref().map(|broken| {
        serde_json::json!({
            "law": broken.law.name(),
            "steps": broken.steps,
            "shortest": broken.shortest,
            "ladder": broken.ladder,
        })
    });
    let laws: Vec<&str> = report.laws.iter().map(|law| law.name()).collect();
    let missing: Vec<&str> = report.missing.iter().map(|sight| sight.name()).collect();
    serde_json::json!({
        "model": report.model,
        "bounds": report.bounds,
        "states": report.unique,
        "steps": report.generated,
        "depth": report.depth,
        "seconds": report.time.as_secs_f64(),
        "complete": report.complete,
        "laws": laws,
        "broken": broken,
        "missing": missing,
        "verdict": report.verdict(),
    })
}

fn list(plans: &[Plan]) {
    for plan in plans {
        println!("{}  {}", plan.name, plan.says);
        println!("     bounds: {}", plan.bounds());
        for law in &plan.laws {
            println!("     always {law}: {}", law.says());
        }
        for sight in &plan.sights {
            println!("     sometimes {sight}: {}", sight.says());
        }
        println!();
    }
}
