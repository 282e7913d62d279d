//! `measure`: how long calls take and what they cost, on the command line.

use super::PROGRAM;
use crate::measure::{Measurement, Wish, measure, plot, table};
use crate::tell;
use clap::Args;
use clap::builder::RangedU64ValueParser;
use presently::failure::Failure;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// How often the bar is painted, and how wide it is.
const PAINTED_EVERY: Duration = Duration::from_millis(100);
const WIDTH: usize = 30;

#[derive(Args, Debug)]
pub(super) struct MeasureArgs {
    /// Calls of each kind.
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = positive())]
    runs: u64,
    /// Where chance comes from.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Print the figures as JSON instead of tables.
    #[arg(long)]
    json: bool,
    /// Write table.md, latency.svg, messages.svg and figures.json there.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

fn positive() -> RangedU64ValueParser {
    RangedU64ValueParser::new().range(1..)
}

pub(super) fn make(args: &MeasureArgs) -> ExitCode {
    match made(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => Failure::work(why).report(PROGRAM),
    }
}

fn made(args: &MeasureArgs) -> Result<(), String> {
    let mut bar = Bar::new();
    let measurement = measure(&Wish::new(args.seed, args.runs), |done, all| bar.paint(done, all));
    bar.wipe();
    let measurement = measurement?;
    if let Some(folder) = &args.out {
        write(folder, &measurement)?;
    }
    match args.json {
        true => tell::say(&figures(&measurement)?),
        false => tell::say(&table::text(&measurement)),
    }
    Ok(())
}

fn write(folder: &Path, measurement: &Measurement) -> Result<(), String> {
    let wrong = |path: &Path, error| format!("{}: cannot be written: {error}", path.display());
    std::fs::create_dir_all(folder).map_err(|error| wrong(folder, error))?;
    for (name, text) in [
        ("table.md", table::markdown(measurement)),
        ("latency.svg", plot::latency(measurement)),
        ("messages.svg", plot::messages(measurement)),
        ("figures.json", figures(measurement)?),
    ] {
        let path = folder.join(name);
        std::fs::write(&path, text).map_err(|error| wrong(&path, error))?;
    }
    Ok(())
}

fn figures(measurement: &Measurement) -> Result<String, String> {
    let text = serde_json::to_string_pretty(measurement).map_err(|why| why.to_string())?;
    Ok(text + "\n")
}

/// A bar on the terminal; nothing if stderr is none.
struct Bar {
    terminal: bool,
    started: Instant,
    painted: Option<Instant>,
}

impl Bar {
    fn new() -> Self {
        let terminal = std::io::stderr().is_terminal();
        Self { terminal, started: Instant::now(), painted: None }
    }

    fn paint(&mut self, done: usize, all: usize) {
        let recent = self.painted.is_some_and(|at| at.elapsed() < PAINTED_EVERY);
        if !self.terminal || recent {
            return;
        }
        self.painted = Some(Instant::now());
        let full = WIDTH * done / all.max(1);
        let spent = self.started.elapsed().as_secs_f64();
        let left = spent / done.max(1) as f64 * all.saturating_sub(done) as f64;
        // Whoever watched may have gone.
        let _ = write!(
            std::io::stderr(),
            "\r\x1b[K[{}{}] {done} of {all} calls, {left:.0} s left",
            "#".repeat(full),
            "·".repeat(WIDTH - full),
        );
    }

    fn wipe(&mut self) {
        if self.painted.take().is_some() {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}
