//! The rounds: every operation, every server, one after the other.

use super::child::Program;
use super::machine::Machine;
use super::operation::{Length, Meanwhile, OPERATIONS, Operation, Step, named};
use super::options::Options;
use super::processors::{Confined, Half};
use super::report::{Comparison, Measured, Round};
use super::target::{KAMAILIO_PACKAGES, Server, Target, Tools};
use super::{DOMAIN, Failure, PASSWORD, Stop, page};
use crate::load::Report;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// How long a run may take beyond what it measures: its setting up, and the last to be given up.
const PATIENCE: Duration = Duration::from_secs(600);

/// What `presence-load storm` says when the server may be restarted.
const READY: &str = "ready for the restart";

/// Seconds of the same load before a timed measurement.
const WARM_UP: u32 = 1;

/// What a quick run divides counts by.
const QUICK: u64 = 10;

/// Does what the command line says.
pub(crate) fn run(options: &Options, stop: &Stop) -> Result<(), Failure> {
    if options.list {
        list();
        return Ok(());
    }
    let (operations, targets) = (operations(options)?, targets(options)?);
    let mut comparison = Comparison::read(&options.out)?;
    if !options.rewrite {
        let tools = tools(options)?;
        if tools.kamailio.is_none() {
            eprintln!("peers: without Kamailio, only our columns: {KAMAILIO_PACKAGES}");
        }
        let has_kamailio = tools.kamailio.is_some();
        let targets: Vec<Target> =
            targets.into_iter().filter(|target| has_kamailio || !target.is_kamailio()).collect();
        comparison.machine = Machine::look(&tools);
        comparison.settings = super::report::Settings::of(options);
        measure_all(options, &operations, &targets, &tools, stop, &mut comparison)?;
        comparison.write(&options.out)?;
    }
    page::write(&options.out, &comparison)?;
    println!("{}", page::text(&comparison));
    Ok(())
}

fn list() {
    println!("operations:");
    for operation in OPERATIONS {
        println!("  {:<20} {}", operation.name, operation.title);
    }
    println!("servers:");
    for target in Target::ALL {
        println!("  {:<20} {}", target.name(), target.title());
    }
}

fn operations(options: &Options) -> Result<Vec<&'static Operation>, Failure> {
    if options.only.is_empty() {
        return Ok(OPERATIONS.iter().collect());
    }
    let find = |name: &String| {
        let unknown = || Failure::new(format!("--only {name}: not an operation; see --list"));
        named(name).ok_or_else(unknown)
    };
    options.only.iter().map(find).collect()
}

fn targets(options: &Options) -> Result<Vec<Target>, Failure> {
    if options.servers.is_empty() {
        return Ok(Target::ALL.to_vec());
    }
    let find = |name: &String| {
        let unknown = || Failure::new(format!("--servers {name}: not a server; see --list"));
        Target::ALL.into_iter().find(|target| target.name() == name).ok_or_else(unknown)
    };
    options.servers.iter().map(find).collect()
}

/// Finds the programs: ours beside this one, Kamailio on the PATH.
fn tools(options: &Options) -> Result<Tools, Failure> {
    let beside = || -> Option<PathBuf> { Some(std::env::current_exe().ok()?.parent()?.to_owned()) };
    let folder = options.bin.clone().or_else(beside).unwrap_or_default();
    let ours = |name: &str| {
        let program = folder.join(name);
        let missing = || {
            Failure::new(format!(
                "{} is missing: cargo build --release --bin presence-server && cargo build \
                 --release -p presently-benches --bins",
                program.display()
            ))
        };
        if program.exists() { Ok(program.clone()) } else { Err(missing()) }
    };
    let path = std::env::var_os("PATH").unwrap_or_default();
    let sbin = ["/usr/sbin".into(), "/usr/local/sbin".into()];
    let kamailio = std::env::split_paths(&path)
        .chain(sbin)
        .map(|folder| folder.join("kamailio"))
        .find(|program| program.exists());
    Ok(Tools {
        presence_server: ours("presence-server")?,
        presence_load: ours("presence-load")?,
        kamailio,
    })
}

fn measure_all(
    options: &Options,
    operations: &[&'static Operation],
    targets: &[Target],
    tools: &Tools,
    stop: &Stop,
    comparison: &mut Comparison,
) -> Result<(), Failure> {
    let mut fresh: BTreeMap<&str, Measured> = BTreeMap::new();
    for round in 0..options.rounds() {
        for operation in operations.iter().filter(|one| round == 0 || !one.once) {
            let mut turn: Vec<Target> =
                operation.targets.iter().copied().filter(|one| targets.contains(one)).collect();
            // Another one begins in each round.
            let first = round as usize % turn.len().max(1);
            turn.rotate_left(first);
            for target in turn {
                let began = Instant::now();
                let result = measure(options, operation, target, tools, stop);
                let result = match result {
                    Err(failure) if failure.stopped => return Err(failure),
                    Err(failure) => Round::Failed { failed: failure.to_string() },
                    Ok(steps) => Round::Done { steps },
                };
                say(round, operation, target, &result, began.elapsed());
                let measured = fresh.entry(operation.name).or_insert_with(Measured::now);
                measured.servers.entry(target).or_default().push(result);
            }
            // What there is so far, should the rest not come to its end.
            if let Some(measured) = fresh.get(operation.name) {
                comparison.operations.insert(operation.name.to_owned(), measured.clone());
            }
            comparison.write(&options.out)?;
        }
    }
    Ok(())
}

/// A line for somebody who waits.
fn say(round: u32, operation: &Operation, target: Target, result: &Round, took: Duration) {
    let what = match result {
        Round::Failed { failed } => format!("FAILED: {failed}"),
        Round::Done { steps } => {
            let steps = steps.iter().map(|(name, report)| format!("{name:<8} {}", line(report)));
            let steps: Vec<String> = steps.collect();
            steps.join("\n    ")
        }
    };
    let (name, server, took) = (operation.name, target.name(), took.as_secs_f64());
    eprintln!("round {} {name} {server} ({took:.0} s)\n    {what}", round + 1);
}

fn line(report: &Report) -> String {
    let mut line = String::new();
    if let Some(server) = &report.server {
        line += &format!(
            "{:.2} µs CPU ({:.2} in the kernel), {} MB, ",
            server.cpu_us_per_operation,
            server.system_us,
            server.pss_kib.after / 1024
        );
    }
    line += &format!(
        "{:.0}/s, p50 {:.3} ms, p99 {:.3} ms, generator {:.2} µs",
        report.rate,
        report.latency_ms.p50,
        report.latency_ms.p99,
        report.generator.cpu_us_per_operation
    );
    for fan_out in &report.fan_out {
        line += &format!(
            "; {} watchers: {:.2} µs a NOTIFY, last after {:.2} ms",
            fan_out.watchers, fan_out.cpu_us_per_notify, fan_out.last_ms.p50
        );
    }
    let complaints = super::report::complaints(report);
    if !complaints.is_empty() {
        line += &format!(" [{}]", complaints.join(", "));
    }
    line
}

/// One operation of one server that is started for it.
fn measure(
    options: &Options,
    operation: &Operation,
    target: Target,
    tools: &Tools,
    stop: &Stop,
) -> Result<BTreeMap<String, Report>, Failure> {
    let on = |half| operation.apart.then(|| Confined::to(half)).transpose();
    let its_own = on(Half::Server)?;
    let mut server = Server::start(target, operation.digest, tools, stop)?;
    drop(its_own);
    let _its_own = on(Half::Generator)?;
    let mut reports = BTreeMap::new();
    for step in operation.steps {
        let mut command = order(options, step, &server, tools);
        if let Meanwhile::AfterPeak(peak) = step.meanwhile {
            let peak = reports.get(peak).map_or(0.0, |report: &Report| report.rate);
            command.args(["--peak", &peak.to_string()]);
        }
        let report = load(command, step, &mut server, stop)?;
        reports.insert(step.name.to_owned(), report);
    }
    Ok(reports)
}

/// One run of `presence-load`.
fn order(options: &Options, step: &Step, server: &Server, tools: &Tools) -> Command {
    let mut command = Command::new(&tools.presence_load);
    command.arg(step.scenario).args(["--target", &server.address.to_string()]);
    command.args(["--domain", DOMAIN, "--password", PASSWORD, "--no-progress"]);
    command.args(step.arguments);
    if step.meanwhile != Meanwhile::Restart {
        command.arg("--pid").arg(server.pid().to_string());
    }
    let seconds = options.seconds().to_string();
    match step.length {
        Length::Timed => {
            command.args(["--seconds", &seconds, "--warm-up", &WARM_UP.to_string()]);
            command.args(["--concurrency", &options.concurrency.to_string()]);
        }
        Length::Count(count) => {
            let count = if options.quick { (count / QUICK).max(1) } else { count };
            command.args(["--count", &count.to_string()]);
        }
    }
    command
}

fn load(
    mut command: Command,
    step: &Step,
    server: &mut Server,
    stop: &Stop,
) -> Result<Report, Failure> {
    let folder = tempfile::tempdir();
    let folder = folder.map_err(|error| Failure::new(format!("a folder: {error}")))?;
    let (json, log) = (folder.path().join("report.json"), folder.path().join("log"));
    command.arg("--json").arg(&json);
    let mut program = Program::start("presence-load", &mut command, &log)?;
    if step.meanwhile == Meanwhile::Restart {
        program.wait_until(stop, PATIENCE, |program| program.has_said(READY))?;
        server.restart(stop)?;
    }
    program.finish(stop, PATIENCE)?;
    let mut report = read(&json)?;
    // Points for the plots of another program.
    report.curve.clear();
    report.timeline.clear();
    Ok(report)
}

fn read(json: &Path) -> Result<Report, Failure> {
    let text = fs::read_to_string(json).map_err(|error| error.to_string());
    let report = text.and_then(|text| serde_json::from_str(&text).map_err(|e| e.to_string()));
    report.map_err(|error| Failure::new(format!("presence-load's report: {error}")))
}
