//! `search`, `replay` and `shrink`: our own fault finder on the command line.

use super::{PROGRAM, seeds};
use crate::coverage::{Coverage, Row, baseline};
use crate::replay;
use crate::search::{Found, Progress, Search, search};
use crate::shrink::Budget;
use crate::tell;
use clap::Args;
use presently::failure::Failure;
use std::fmt::Write as _;
use std::io::{IsTerminal, Write as _};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

#[derive(Args, Debug)]
pub(super) struct SearchArgs {
    /// Seeds to play, the last one included.
    #[arg(long, value_name = "A..B", default_value = "1..1000", value_parser = seeds)]
    seeds: RangeInclusive<u64>,
    /// Stop after so many minutes.
    #[arg(long, value_name = "N")]
    minutes: Option<u64>,
    /// How many seeds at once.
    #[arg(long, value_name = "N", default_value_t = 2)]
    threads: usize,
    /// Write a capsule of each failure there.
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// Fail if a row or race that this file lists is not come to any more.
    #[arg(long, value_name = "FILE")]
    coverage: Option<PathBuf>,
    /// Write the rows and races that were come to into that file instead.
    #[arg(long, requires = "coverage")]
    write_coverage: bool,
    /// Write the hash of every seed's run there, a line each: equal programs write equal files.
    #[arg(long, value_name = "FILE")]
    hashes: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(super) struct ReplayArgs {
    /// The capsule.
    #[arg(value_name = "CAPSULE")]
    file: PathBuf,
    /// Write what the run leaves behind there, as `run --out` does.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(super) struct ShrinkArgs {
    /// The capsule.
    #[arg(value_name = "CAPSULE")]
    file: PathBuf,
    /// Where to write the smaller one, instead of over the old one.
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
}

/// A line that replaces the one before; on stderr, so that results can be piped, and only for
/// people.
fn line(text: &str) {
    if !std::io::stderr().is_terminal() {
        return;
    }
    // Whoever watched may have gone.
    let _ = write!(std::io::stderr(), "\r\x1b[K{text}");
}

pub(super) fn look(args: &SearchArgs) -> ExitCode {
    let wanted = Search {
        seeds: *args.seeds.start()..args.seeds.end().saturating_add(1),
        limit: args.minutes.map(|minutes| Duration::from_secs(60 * minutes)),
        threads: args.threads,
        budget: Budget::default(),
        keep: args.keep.clone(),
    };
    let report = search(&wanted, &|progress| match progress {
        Progress::Seeds { done, failed, simulated, took } => {
            let took = took.as_secs_f64().max(f64::MIN_POSITIVE);
            let (rate, speed) = (done as f64 / took, simulated.as_secs_f64() / took);
            line(&format!(
                "{done} seeds, {failed} failed; {rate:.1} seeds/s, {speed:.0} simulated seconds a \
                 second"
            ));
        }
        Progress::Shrinking { seed, shrink } => {
            line(&format!("seed {seed} failed: {} steps left", shrink.steps));
        }
    });
    line("");
    let mut text: String = report.found.iter().map(describe).collect();
    let (seeds, failed) = (report.seeds, report.found.len());
    let (rate, speed) = (report.seeds_per_second(), report.speed());
    let _ = writeln!(
        text,
        "{seeds} seeds, {failed} failed; {rate:.1} seeds/s, {speed:.0} simulated seconds a second"
    );
    text += &covered(&report.coverage);
    tell::say(&text);
    if let Err(why) = write_hashes(args, &report.hashes) {
        return Failure::work(why).report(PROGRAM);
    }
    match held_against(args, &report.coverage) {
        Ok(lost) if lost.is_empty() => ExitCode::from(u8::from(failed > 0)),
        Ok(lost) => Failure::work(format!("not come to any more: {lost}")).report(PROGRAM),
        Err(why) => Failure::usage(why).report(PROGRAM),
    }
}

/// Writes a line for each seed, if that is asked for.
fn write_hashes(args: &SearchArgs, hashes: &[(u64, u64)]) -> Result<(), String> {
    let Some(path) = &args.hashes else { return Ok(()) };
    let lines: String = hashes.iter().map(|(seed, hash)| format!("{seed} {hash:016x}\n")).collect();
    std::fs::write(path, lines)
        .map_err(|error| format!("--hashes {}: cannot be written: {error}", path.display()))
}

/// How many rows and races were come to, and which never.
fn covered(coverage: &Coverage) -> String {
    let missing = coverage.missing();
    let (all, reached) = (Row::ALL.len(), Row::ALL.len() - missing.len());
    let mut text = format!("{reached} of {all} rows and races were come to");
    if !missing.is_empty() {
        text += "; never:";
    }
    text.push('\n');
    for row in missing {
        let _ = writeln!(text, "  {:<12} {}", row.id(), row.words());
    }
    text
}

/// The rows that the file of former ones has and this search has not, in words.
fn held_against(args: &SearchArgs, coverage: &Coverage) -> Result<String, String> {
    let Some(path) = &args.coverage else { return Ok(String::new()) };
    let name = path.display();
    if args.write_coverage {
        std::fs::write(path, baseline::write(coverage))
            .map_err(|error| format!("--coverage {name}: cannot be written: {error}"))?;
        return Ok(String::new());
    }
    let former = std::fs::read_to_string(path)
        .map_err(|error| format!("--coverage {name}: cannot be read: {error}"))?;
    let lost = baseline::lost(&former, coverage).map_err(|why| format!("{name}: {why}"))?;
    let lost: Vec<String> =
        lost.iter().map(|row| format!("{} {}", row.id(), row.words())).collect();
    Ok(lost.join("; "))
}

fn describe(found: &Found) -> String {
    let mut text = format!("seed {}\n", found.seed);
    for violation in &found.violations {
        let _ = writeln!(text, "  {violation}");
    }
    let left = found.capsule.plan.steps.len();
    let _ = writeln!(text, "  {left} of {} steps are enough; removed:", found.steps);
    for removed in &found.removed {
        let _ = writeln!(text, "    {removed}");
    }
    match (&found.path, &found.unkept) {
        (Some(path), _) => drop(writeln!(text, "  kept in {}", path.display())),
        (None, Some(why)) => drop(writeln!(text, "  not kept: {why}")),
        (None, None) => {}
    }
    text
}

pub(super) fn again(args: &ReplayArgs) -> ExitCode {
    let replay = match replay::replay(&args.file) {
        Ok(replay) => replay,
        Err(why) => return Failure::usage(why.to_string()).report(PROGRAM),
    };
    let mut text = String::new();
    for verdict in replay.verdicts.iter().filter(|verdict| !verdict.held) {
        let _ = writeln!(text, "not held: {}; {}", verdict.expectation.text, verdict.instead);
    }
    for failure in replay.failures.iter().filter(|failure| failure.what != replay::EXPECTATION) {
        let _ = writeln!(text, "{}", failure.why);
    }
    text += &replay.summary();
    tell::say(&text);
    let plan = &replay.capsule.plan;
    let kept = args.out.as_ref().map(|out| crate::run::leave(out, plan, &replay.verdicts));
    match kept {
        Some(Err(why)) => Failure::work(why).report(PROGRAM),
        Some(Ok(())) | None => ExitCode::from(u8::from(replay.fails())),
    }
}

pub(super) fn smaller(args: &ShrinkArgs) -> ExitCode {
    let shrunk = replay::shrink(&args.file, Budget::default(), &|progress| {
        line(&format!("{} of {} plays, {} steps", progress.plays, progress.most, progress.steps));
    });
    line("");
    let (capsule, shrunk) = match shrunk {
        Ok(Some(shrunk)) => shrunk,
        Ok(None) => return Failure::work("the capsule does not fail").report(PROGRAM),
        Err(why) => return Failure::usage(why.to_string()).report(PROGRAM),
    };
    if let Err(why) = capsule.write(args.to.as_ref().unwrap_or(&args.file)) {
        return Failure::work(why.to_string()).report(PROGRAM);
    }
    let mut text = format!("{} steps are left; removed:\n", capsule.plan.steps.len());
    for removed in &shrunk.removed {
        let _ = writeln!(text, "  {removed}");
    }
    tell::say(&text);
    ExitCode::SUCCESS
}
