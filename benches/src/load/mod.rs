//! Load for a SIP server over UDP, and what it cost: `presence-load`.
//!
//! [`options`] says what a run is and [`report`] what came out. Between them, from the inside out:
//!
//! - `wire`, `login`, `crowd`: requests as templates, answers as far as we look at them, who asks;
//! - `client`: all users as one value that is told what to do and handed what comes, without socket
//!   and clock, with the timers of RFC 3261 §17.1.2.2;
//! - `line`, `meter`: the socket, and what the kernel accounts to processes;
//! - `bench`: the loop that joins these in real time, closed or open, and measures;
//! - `scenario`: what is done to the server, one small script each;
//! - `table`, `plot`: the report for people.

mod bench;
mod client;
mod crowd;
mod line;
mod login;
mod meter;
pub mod options;
pub mod plot;
pub mod report;
mod scenario;
mod table;
mod tally;
mod timers;
mod wire;

pub use options::{Options, Scenario};
pub use report::Report;

use bench::Bench;
use presently::failure::Failure;
use std::path::Path;
use std::process::ExitCode;

const PROGRAM: &str = "presence-load";

/// Nanoseconds since the run began.
type Nanos = u64;

/// The program.
pub fn main() -> ExitCode {
    let options = match presently::usage::parse::<Options>(PROGRAM) {
        Ok(options) => options,
        Err(code) => return code,
    };
    match work(options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(PROGRAM),
    }
}

fn work(options: Options) -> Result<(), Failure> {
    if options.scenario == Scenario::ServeEcho {
        return scenario::serve_echo(options.listen);
    }
    let (json, svg) = (options.json.clone(), options.svg.clone());
    let report = run(options)?;
    if let Some(path) = svg {
        save(&path, &plot::of(&report))?;
    }
    match json.as_deref() {
        Some(path) if path == Path::new("-") => println!("{}", text(&report)?),
        Some(path) => {
            save(path, &format!("{}\n", text(&report)?))?;
            print!("{}", table::of(&report));
        }
        None => print!("{}", table::of(&report)),
    }
    Ok(())
}

/// Plays a scenario and says what came out.
pub fn run(options: Options) -> Result<Report, Failure> {
    scenario::play(&mut Bench::new(options.checked()?)?)
}

fn text(report: &Report) -> Result<String, Failure> {
    serde_json::to_string(report).map_err(|error| Failure::work(error.to_string()))
}

fn save(path: &Path, text: &str) -> Result<(), Failure> {
    std::fs::write(path, text)
        .map_err(|error| Failure::work(format!("{}: {error}", path.display())))
}
