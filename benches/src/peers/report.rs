//! All that was measured, as it is kept in `report.json`, and the figures in it.

use super::Failure;
use super::goal::{Figure, Of};
use super::machine::Machine;
use super::options::Options;
use super::target::{SHARED, Target, WORKERS};
use crate::load::Report;
use crate::load::report::Share;
use presently_engine::body::pidf::timestamp;
use presently_net::Clock;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// The file's name in the folder of the report.
const FILE: &str = "report.json";

/// Everything.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Comparison {
    /// Where it was measured.
    pub machine: Machine,
    /// How the servers and the load were set.
    pub settings: Settings,
    /// What came out, by operation.
    pub operations: BTreeMap<String, Measured>,
}

/// How the servers and the load were set.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Settings {
    /// Requests outstanding at a time.
    pub concurrency: u32,
    /// Measured seconds of a timed operation.
    pub seconds: u32,
    /// Receiving processes of Kamailio.
    pub kamailio_workers: u32,
    /// Its shared memory at most, MB.
    pub kamailio_shared_mb: u32,
}

impl Settings {
    pub(crate) fn of(options: &Options) -> Self {
        Self {
            concurrency: options.concurrency,
            seconds: options.seconds(),
            kamailio_workers: WORKERS,
            kamailio_shared_mb: SHARED,
        }
    }
}

/// One operation, all servers in the same rounds.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Measured {
    /// When it began, UTC.
    pub date: String,
    /// Each server's rounds.
    pub servers: BTreeMap<Target, Vec<Round>>,
}

impl Measured {
    pub(crate) fn now() -> Self {
        Self { date: timestamp(Clock::new().now()), servers: BTreeMap::new() }
    }
}

/// One server in one round.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Round {
    /// What `presence-load` reported, by step.
    Done {
        /// Those reports.
        steps: BTreeMap<String, Report>,
    },
    /// It came to nothing.
    Failed {
        /// Why.
        failed: String,
    },
}

/// A figure of all rounds.
#[derive(Clone, Copy, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Spread {
    pub median: f64,
    pub least: f64,
    pub most: f64,
}

impl Spread {
    /// Of some figures; `None` of none.
    pub fn of(mut figures: Vec<f64>) -> Option<Self> {
        figures.retain(|figure| figure.is_finite());
        figures.sort_by(f64::total_cmp);
        let (least, most) = (*figures.first()?, *figures.last()?);
        let (low, high) = (figures[(figures.len() - 1) / 2], figures[figures.len() / 2]);
        Some(Self { median: f64::midpoint(low, high), least, most })
    }
}

impl Comparison {
    /// What the folder has already; nothing yet is no error.
    pub(crate) fn read(folder: &Path) -> Result<Self, Failure> {
        let path = folder.join(FILE);
        let Ok(text) = fs::read_to_string(&path) else { return Ok(Self::default()) };
        let wrong = |error| Failure::new(format!("{}: {error}", path.display()));
        serde_json::from_str(&text).map_err(wrong)
    }

    pub(crate) fn write(&self, folder: &Path) -> Result<(), Failure> {
        let path = folder.join(FILE);
        let wrong = |error: String| Failure::new(format!("{}: {error}", path.display()));
        let text = self.lines().map_err(|error| wrong(error.to_string()))?;
        let written = fs::create_dir_all(folder).and_then(|()| fs::write(&path, text));
        written.map_err(|error| wrong(error.to_string()))
    }

    /// JSON with a line for each run, so that a change of one shows as that.
    fn lines(&self) -> serde_json::Result<String> {
        let (machine, settings) = (&self.machine, &self.settings);
        let mut out = format!(
            "{{\n\"machine\":{},\n\"settings\":{},\n\"operations\":{{",
            serde_json::to_string(machine)?,
            serde_json::to_string(settings)?
        );
        for (number, (name, measured)) in self.operations.iter().enumerate() {
            let comma = if number == 0 { "" } else { "," };
            let date = serde_json::to_string(&measured.date)?;
            out += &format!("{comma}\n\"{name}\":{{\"date\":{date},\"servers\":{{");
            for (number, (target, rounds)) in measured.servers.iter().enumerate() {
                let comma = if number == 0 { "" } else { "," };
                let lines = rounds.iter().map(serde_json::to_string);
                let lines = lines.collect::<Result<Vec<_>, _>>()?.join(",\n");
                out += &format!("{comma}\n\"{}\":[\n{lines}]", target.name());
            }
            out += "}}";
        }
        out += "}}\n";
        Ok(out)
    }

    /// One figure of one server over all rounds; `None` where it was not measured.
    pub fn figure(&self, target: Target, figure: Figure) -> Option<Spread> {
        let reports = self.reports(target, figure.operation, figure.step);
        Spread::of(reports.filter_map(|report| of(report, figure.of)).collect())
    }

    /// The reports of one step of one server.
    pub(crate) fn reports<'a>(
        &'a self,
        target: Target,
        operation: &str,
        step: &'a str,
    ) -> impl Iterator<Item = &'a Report> {
        let measured = self.operations.get(operation);
        let rounds = measured.and_then(|measured| measured.servers.get(&target));
        rounds.into_iter().flatten().filter_map(move |round| match round {
            Round::Done { steps } => steps.get(step),
            Round::Failed { .. } => None,
        })
    }
}

/// One figure of one run.
fn of(report: &Report, of: Of) -> Option<f64> {
    let server = report.server.as_ref();
    let to = |watchers: u32| report.fan_out.iter().find(move |one| one.watchers == watchers);
    let megabytes = |kib: u64| kib as f64 * 1024.0 / 1e6;
    match of {
        Of::Cpu => server.map(|server| server.cpu_us_per_operation),
        Of::Rate => Some(report.rate),
        Of::P50 => Some(report.latency_ms.p50),
        Of::P99 => Some(report.latency_ms.p99),
        Of::NotifyCpu(watchers) => to(watchers).map(|one| one.cpu_us_per_notify),
        Of::PublishCpu(watchers) => to(watchers).map(|one| one.cpu_us_per_publication),
        Of::LastNotify(watchers) => to(watchers).map(|one| one.last_ms.p50),
        Of::Memory => server.map(|server| megabytes(server.pss_kib.peak)),
        Of::IdleMemory => report.idle.map(|idle| megabytes(idle.pss_kib)),
        Of::IdleCpu => report.idle.map(|idle| 100.0 * idle.cores),
        Of::Goodput => report.overload.map(|overload| overload.goodput / overload.peak),
        Of::RefreshesServed => report.overload.map(|overload| percent(overload.refreshes)),
        Of::NewcomersServed => report.overload.map(|overload| percent(overload.newcomers)),
        Of::Rude => report.overload.map(|overload| overload.without_retry_after as f64),
        Of::Recovery => report.overload.map(|overload| overload.recovery_seconds.unwrap_or(NEVER)),
        Of::Away => report.storm.map(|storm| storm.away_ms / 1e3),
        Of::Told => report.storm.map(|storm| storm.last_ms / 1e3),
        Of::Storm => report.storm.map(|storm| storm.most_in_100_ms as f64),
        Of::Forgotten => report.storm.map(|storm| (storm.missing + report.timeouts) as f64),
    }
}

/// Not within the minute in which `presence-load` looks, s.
const NEVER: f64 = 60.0;

fn percent(share: Share) -> f64 {
    100.0 * share.served as f64 / share.offered.max(1) as f64
}

/// What went wrong in a run, in words; nothing when all is well.
pub(crate) fn complaints(report: &Report) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut some = |count: u64, what: &str| {
        if count > 0 {
            complaints.push(format!("{count} {what}"));
        }
    };
    some(report.timeouts, "without an answer");
    some(report.fan_out.iter().map(|fan_out| fan_out.missing).sum(), "NOTIFYs missing");
    for (status, count) in &report.unexpected {
        some(*count, &format!("× {status}"));
    }
    some(report.sent.retransmissions, "sent again");
    some(report.received.repeated, "received again");
    some(report.received.dropped, "dropped by the generator's socket");
    some(
        report.server.as_ref().map_or(0, |server| server.dropped),
        "dropped by the server's socket",
    );
    some(report.not_begun, "not begun in time");
    complaints
}
