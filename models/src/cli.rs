//! The command line of `presence-check` (decisions §4): exit code 0 if everything holds, 1 if a
//! law is broken, a model is vacuous or a run was not finished, 2 for wrong usage.

mod files;
mod tell;

use clap::{Args, Parser, Subcommand, ValueEnum};
use presently_models::catalogue::{Depth, plans};
use presently_models::certificate::Certificate;
use presently_models::explore;
use presently_models::gauge::parse_memory;
use presently_models::plan::Plan;
use presently_models::run::{Limits, Report, check_shipped};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

const EXAMPLES: &str = "\
Examples:
  presence-check
      Every model at its quick budget: seconds.
  presence-check --budget ci --certificate certificate.json
      The gate of every change: minutes; what was checked of which engine goes into the file.
  presence-check C2c C3a --budget deep --memory 12G
      Two models as far as they go.
  presence-check list
      The models, their bounds and their properties in plain words.
  presence-check C2a --explore 127.0.0.1:3000
      A model in the browser: deliver, drop, copy, fire timers, crash, by clicking.
  presence-check replay C2a-P2-NoDocBeforeApproval.json
      Walks a counterexample again and says whether the law is still broken.
  presence-check verify certificate.json --with \"$(presence-server --version)\"
      Whether a server's engine is the one that was checked.

Exit codes: 0 everything holds; 1 a property is broken, was never put to the test, or a run was cut
short by time, states or memory; 2 wrong usage.";

/// Explores the state machines that ship, exhaustively within stated bounds.
#[derive(Parser, Debug)]
#[command(
    name = "presence-check",
    version = presently_engine::VERSION,
    after_help = EXAMPLES,
    args_conflicts_with_subcommands = true,
    disable_help_subcommand = true,
    max_term_width = 100
)]
struct Cli {
    #[command(subcommand)]
    verb: Option<Verb>,
    #[command(flatten)]
    run: RunArgs,
}

#[derive(Args, Debug)]
struct RunArgs {
    /// Models to check, by name; all of the budget if none is given
    #[arg(value_name = "MODEL")]
    models: Vec<String>,
    /// How much to explore
    #[arg(long, value_enum, default_value_t = Budget::Quick)]
    budget: Budget,
    /// Print one JSON object for each model instead of a table
    #[arg(long)]
    json: bool,
    /// Write what was checked of which engine, as JSON
    #[arg(long, value_name = "FILE")]
    certificate: Option<PathBuf>,
    /// Where the capsules of counterexamples go
    #[arg(long, value_name = "DIR", default_value = ".")]
    keep: PathBuf,
    /// Give a model up when the process has taken so much memory [default: quick 2G, ci 6G]
    #[arg(long, value_name = "AMOUNT", value_parser = parse_memory)]
    memory: Option<u64>,
    /// Give a model up after so many seconds [default: quick 60, ci 300]
    #[arg(long, value_name = "SECONDS")]
    time: Option<u64>,
    /// Give a model up after so many states, known ones counted again
    /// [default: quick 2000000, ci 20000000]
    #[arg(long, value_name = "N")]
    states: Option<usize>,
    /// Threads [default: one for each processor]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..))]
    threads: Option<u8>,
    /// Serve one model to a browser
    #[arg(long, value_name = "HOST:PORT", conflicts_with_all = ["json", "certificate"])]
    explore: Option<SocketAddr>,
    /// Let --explore listen where others can reach it, who then need no password
    #[arg(long, requires = "explore")]
    anybody: bool,
}

#[derive(Subcommand, Debug)]
enum Verb {
    /// Show the models, their bounds and properties in plain words
    List,
    /// Walk capsules again and say whether their laws are still broken
    Replay {
        /// Capsules that presence-check wrote
        #[arg(required = true, value_name = "CAPSULE")]
        files: Vec<PathBuf>,
        /// Say what came of it, without the ladder
        #[arg(long)]
        brief: bool,
    },
    /// Say whether a certificate covers an engine
    Verify {
        /// The certificate
        #[arg(value_name = "CERTIFICATE")]
        file: PathBuf,
        /// What another program says with --version [default: this program's engine]
        #[arg(long, value_name = "TEXT")]
        with: Option<String>,
    },
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
    fn name(self) -> &'static str {
        match self {
            Self::Quick => "quick",
            Self::Ci => "ci",
            Self::Deep => "deep",
        }
    }

    fn depth(self) -> Depth {
        match self {
            Self::Quick => Depth::Quick,
            Self::Ci => Depth::Ci,
            Self::Deep => Depth::Deep,
        }
    }
}

impl RunArgs {
    fn limits(&self) -> Limits {
        let (states, seconds, memory) = match self.budget {
            Budget::Quick => (2_000_000, 60, Some(2 << 30)),
            Budget::Ci => (20_000_000, 300, Some(6 << 30)),
            Budget::Deep => (usize::MAX, 7 * 86_400, None),
        };
        let all = || std::thread::available_parallelism().map_or(1, usize::from);
        Limits {
            states: self.states.unwrap_or(states),
            time: Duration::from_secs(self.time.unwrap_or(seconds)),
            threads: self.threads.map_or_else(all, usize::from),
            shortening: 400_000,
            memory: self.memory.or(memory),
        }
    }

    /// The models that were asked for.
    fn chosen(&self) -> Result<Vec<Plan>, String> {
        let known = plans(self.budget.depth());
        if self.models.is_empty() {
            return Ok(known);
        }
        let everything = plans(Depth::Deep);
        let called = |name: &str, plan: &Plan| plan.name.eq_ignore_ascii_case(name);
        let mut names = self.models.iter();
        if let Some(name) = names.find(|name| !everything.iter().any(|it| called(name, it))) {
            let names: Vec<&str> = everything.iter().map(|plan| plan.name).collect();
            return Err(format!("there is no model {name}; there are {}", names.join(", ")));
        }
        // A model called by name that this budget leaves out is taken as the smallest that has it.
        let larger = [Depth::Ci, Depth::Deep].into_iter().flat_map(plans);
        let mut chosen: Vec<Plan> = Vec::new();
        for plan in known.into_iter().chain(larger) {
            let again = chosen.iter().any(|had| had.name == plan.name);
            if !again && self.models.iter().any(|name| called(name, &plan)) {
                chosen.push(plan);
            }
        }
        Ok(chosen)
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
    let done = match &cli.verb {
        Some(Verb::List) => {
            tell::list();
            Ok(ExitCode::SUCCESS)
        }
        Some(Verb::Replay { files, brief }) => files::replay(files, *brief),
        Some(Verb::Verify { file, with }) => files::verify(file, with.as_deref()),
        None => match cli.run.explore {
            Some(at) => browse(&cli.run, at),
            None => run(&cli.run),
        },
    };
    done.unwrap_or_else(|why| {
        tell::error(&why);
        ExitCode::from(2)
    })
}

fn run(args: &RunArgs) -> Result<ExitCode, String> {
    let chosen = args.chosen()?;
    if let Some(file) = &args.certificate {
        // Nothing is checked for minutes and then not written; and an old one is void from now on.
        files::write(file, "")?;
    }
    let limits = args.limits();
    let mut reports: Vec<Report> = Vec::new();
    for plan in chosen {
        let name = plan.name;
        let report = check_shipped(plan, limits, &mut |at| tell::progress(name, at));
        tell::clear();
        let capsule = report.broken.as_ref().and_then(|broken| broken.capsule.as_ref());
        let capsule = capsule.map(|capsule| files::keep(&args.keep, capsule)).transpose()?;
        if args.json {
            tell::say(&format!("{}\n", tell::json(&report, capsule.as_deref())));
        } else {
            tell::report(&report, capsule.as_deref());
        }
        reports.push(report);
    }
    if !args.json {
        tell::table(&reports);
    }
    if let Some(file) = &args.certificate {
        let whole = plans(args.budget.depth());
        let whole: Vec<&str> = whole.iter().map(|plan| plan.name).collect();
        let name = args.budget.name();
        let certificate = Certificate::new(name, &whole, &reports, files::now());
        files::write(file, &certificate.text())?;
    }
    Ok(ExitCode::from(u8::from(reports.iter().any(Report::failed))))
}

/// Serves a model to a browser until the process is ended.
fn browse(args: &RunArgs, at: SocketAddr) -> Result<ExitCode, String> {
    let plan = match (args.models.len(), args.chosen()?.pop()) {
        (1, Some(plan)) => plan,
        _ => return Err("--explore takes one model, like: C2a --explore 127.0.0.1:3000".to_owned()),
    };
    if !at.ip().is_loopback() && !args.anybody {
        return Err(format!("--explore {at}: others can reach that; say --anybody if they may"));
    }
    let name = plan.name;
    let ready = move |at| tell::say(&format!("ready: {name} at http://{at}/\n"));
    let Err(why) = explore::serve_shipped(plan, at, ready);
    Err(format!("--explore {at}: {why}"))
}
