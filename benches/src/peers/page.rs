//! The figures as a page: README.md between its markers, and the pictures beside it.

use super::goal::{Against, Figure, GOALS, Goal, Of};
use super::operation::{OPERATIONS, Operation};
use super::report::{Comparison, Round, Spread, complaints};
use super::target::Target;
use super::target::Target::{
    Echo, KamailioMemory, KamailioSqlite, PresentlyDurable, PresentlyMemory,
};
use super::{Failure, plot};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

const BEGIN: &str = "<!-- peers -->";
const END: &str = "<!-- end of peers -->";

/// A load average from which on the figures are not those of an idle machine.
const BUSY: f64 = 1.0;

/// Writes into a text, which never fails.
macro_rules! put {
    ($out:expr, $($arguments:tt)*) => {
        let _ = writeln!($out, $($arguments)*);
    };
}

/// Writes README.md between its markers, or anew, and the pictures.
pub(crate) fn write(folder: &Path, comparison: &Comparison) -> Result<(), Failure> {
    let path = folder.join("README.md");
    let kept = fs::read_to_string(&path).unwrap_or_else(|_| format!("{BEGIN}\n{END}\n"));
    let page = between(&kept, &text(comparison))
        .ok_or_else(|| Failure::new(format!("{}: has no {BEGIN} before {END}", path.display())))?;
    save(&path, &page)?;
    save(&folder.join("cpu.svg"), &plot::cpu(comparison))?;
    save(&folder.join("fan-out.svg"), &plot::fan_out(comparison))
}

fn save(path: &Path, text: &str) -> Result<(), Failure> {
    fs::write(path, text).map_err(|error| Failure::new(format!("{}: {error}", path.display())))
}

/// `page` with `text` between its markers; `None` if it has none.
pub fn between(page: &str, text: &str) -> Option<String> {
    let (before, rest) = page.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n{text}{END}{after}"))
}

/// The tables.
pub fn text(comparison: &Comparison) -> String {
    let mut out = String::new();
    head(&mut out, comparison);
    goals(&mut out, comparison);
    costs(&mut out, comparison);
    speeds(&mut out, comparison);
    fan_out(&mut out, comparison);
    memory(&mut out, comparison);
    shards(&mut out, comparison);
    pressure(&mut out, comparison);
    troubles(&mut out, comparison);
    out
}

fn head(out: &mut String, comparison: &Comparison) {
    let (machine, settings) = (&comparison.machine, &comparison.settings);
    let kamailio = match machine.kamailio.is_empty() {
        true => "no Kamailio",
        false => &machine.kamailio,
    };
    put!(
        out,
        "{} × {}, {:.0} GB, Linux {}, files on {}; {}; {}; {} requests at a time; {} s a \
         measurement; load average {} when the last part of it began.\n",
        machine.processors,
        machine.processor,
        machine.memory_mb as f64 / 1000.0,
        machine.kernel,
        machine.files,
        machine.presently,
        kamailio,
        settings.concurrency,
        settings.seconds,
        machine.load
    );
    if machine.load.parse().is_ok_and(|load: f64| load >= BUSY) {
        put!(
            out,
            "**Others were busy on this machine meanwhile: costs are higher and rates lower than \
             on an idle one, for all servers.**\n"
        );
    }
}

fn goals(out: &mut String, comparison: &Comparison) {
    put!(out, "### Goals\n");
    put!(out, "| what | held against | | ours | | ratio | goal | |");
    put!(out, "|---|---|---|---|---|---|---|---|");
    for goal in GOALS {
        for (target, bound) in goal.bounds {
            put!(out, "{}", verdict(comparison, goal, *target, *bound));
        }
    }
    put!(out, "");
}

fn verdict(comparison: &Comparison, goal: &Goal, target: Target, bound: f64) -> String {
    let against = match goal.against {
        Against::Itself => "–",
        Against::Server(server) | Against::Figure(server, _) => server.title(),
        Against::Own(_) => "itself",
    };
    let sign = if goal.at_least { "≥" } else { "≤" };
    let is_ratio = goal.against != Against::Itself;
    let times = if is_ratio { " ×" } else { "" };
    let number = |value: Option<f64>| value.map_or("–".into(), |value| round(value, goal.unit));
    let base = goal.base(comparison, target);
    let verdict = goal.verdict(comparison, target);
    let ratio = verdict.filter(|_| is_ratio).map(|verdict| format!("{:.2} ×", verdict.measured));
    let mark = match verdict {
        Some(verdict) if verdict.reached => "✓",
        Some(_) => "**✗**",
        None => "not measured",
    };
    format!(
        "| {} | {against} | {} | {} | {} | {} | {sign} {bound}{times} | {mark} |",
        goal.title,
        number(base),
        target.title(),
        number(verdict.map(|verdict| verdict.value)),
        ratio.unwrap_or_else(|| "–".into())
    )
}

/// A figure with as many digits as it deserves.
fn round(value: f64, unit: &str) -> String {
    let digits = match value.abs() {
        large if large >= 100.0 => 0,
        middle if middle >= 10.0 => 1,
        _ => 2,
    };
    let space = if unit.starts_with('/') || unit.is_empty() { "" } else { " " };
    format!("{value:.digits$}{space}{unit}")
}

fn cell(spread: Option<Spread>, unit: &str) -> String {
    spread.map_or("–".into(), |spread| round(spread.median, unit))
}

const COLUMNS: [Target; 4] = [KamailioMemory, KamailioSqlite, PresentlyMemory, PresentlyDurable];

fn figure(operation: &Operation, of: Of) -> Figure {
    Figure { operation: operation.name, step: "", of }
}

fn costs(out: &mut String, comparison: &Comparison) {
    put!(out, "### CPU of the server for one operation, µs\n");
    put!(out, "All its processes and threads; median of the rounds, least to most in brackets.\n");
    put!(
        out,
        "| operation | Kamailio | Kamailio, sqlite | `--memory` | durable | `--memory` ÷ Kamailio \
         | durable ÷ Kamailio | durable ÷ sqlite |"
    );
    put!(out, "|---|---|---|---|---|---|---|---|");
    for operation in OPERATIONS.iter().filter(|one| one.is_row()) {
        let of = |target| comparison.figure(target, figure(operation, Of::Cpu));
        let cells = COLUMNS.map(|target| spread(of(target)));
        let ratios = [
            (PresentlyMemory, KamailioMemory),
            (PresentlyDurable, KamailioMemory),
            (PresentlyDurable, KamailioSqlite),
        ];
        let ratios = ratios.map(|(ours, theirs)| match (of(ours), of(theirs)) {
            (Some(ours), Some(theirs)) => format!("{:.2}", ours.median / theirs.median),
            _ => "–".into(),
        });
        put!(out, "| {} | {} | {} |", operation.title, cells.join(" | "), ratios.join(" | "));
    }
    for operation in OPERATIONS.iter().filter(|one| one.targets.contains(&Echo)) {
        let echo = spread(comparison.figure(Echo, figure(operation, Of::Cpu)));
        put!(out, "| bare echo, {} | {echo} | | | | | | |", operation.title);
    }
    put!(out, "\n![CPU of the server for one operation](cpu.svg)\n");
}

fn spread(spread: Option<Spread>) -> String {
    spread.map_or("–".into(), |spread| {
        format!(
            "{} ({}–{})",
            round(spread.median, ""),
            round(spread.least, ""),
            round(spread.most, "")
        )
    })
}

fn speeds(out: &mut String, comparison: &Comparison) {
    put!(out, "### Operations a second, and p50 / p99 in ms\n");
    put!(out, "With one generator on the same processors; `g`: the server could have done more.\n");
    put!(out, "| operation | Kamailio | Kamailio, sqlite | `--memory` | durable |");
    put!(out, "|---|---|---|---|---|");
    for operation in OPERATIONS.iter().filter(|one| one.is_row()) {
        let cells = COLUMNS.map(|target| {
            let of = |of| comparison.figure(target, figure(operation, of));
            let (Some(rate), Some(p50), Some(p99)) = (of(Of::Rate), of(Of::P50), of(Of::P99))
            else {
                return "–".to_owned();
            };
            let mut reports = comparison.reports(target, operation.name, "");
            let is_short = reports.any(|report| report.generator.is_bottleneck);
            format!(
                "{:.0}{}, {} / {}",
                rate.median,
                if is_short { " `g`" } else { "" },
                round(p50.median, ""),
                round(p99.median, "")
            )
        });
        put!(out, "| {} | {} |", operation.title, cells.join(" | "));
    }
    put!(out, "");
}

/// The steps of `publish` with the numbers of watchers that each measures.
const FAN_OUT: [(&str, u32); 5] =
    [("few", 1), ("few", 10), ("100", 100), ("1000", 1000), ("10000", 10_000)];

const IN_MEMORY: [Target; 3] = [KamailioMemory, PresentlyMemory, PresentlyDurable];

/// One figure of `publish` for a number of watchers.
pub(crate) fn published(step: &'static str, of: Of) -> Figure {
    Figure { operation: "publish", step, of }
}

/// Each number of watchers with its figure of one server.
pub(crate) fn curve(comparison: &Comparison, target: Target, of: fn(u32) -> Of) -> Vec<(u32, f64)> {
    let points = FAN_OUT.into_iter().filter_map(|(step, watchers)| {
        let spread = comparison.figure(target, published(step, of(watchers)))?;
        Some((watchers, spread.median))
    });
    points.collect()
}

fn fan_out(out: &mut String, comparison: &Comparison) {
    put!(out, "### PUBLISH to many watchers\n");
    put!(out, "CPU of the server for each NOTIFY, µs, and ms to the last NOTIFY, p50.\n");
    put!(
        out,
        "| watchers | Kamailio, µs | `--memory`, µs | durable, µs | Kamailio, ms | `--memory`, ms \
         | durable, ms |"
    );
    put!(out, "|---|---|---|---|---|---|---|");
    let none = IN_MEMORY
        .map(|target| cell(comparison.figure(target, published("few", Of::PublishCpu(0))), ""));
    put!(out, "| 0 (the PUBLISH itself) | {} | | | |", none.join(" | "));
    for (step, watchers) in FAN_OUT {
        let of = |of: Of| {
            IN_MEMORY.map(|target| cell(comparison.figure(target, published(step, of)), ""))
        };
        let (cpu, last) = (of(Of::NotifyCpu(watchers)), of(Of::LastNotify(watchers)));
        put!(out, "| {watchers} | {} | {} |", cpu.join(" | "), last.join(" | "));
    }
    put!(out, "\n![A NOTIFY by the number of watchers](fan-out.svg)\n");
}

fn memory(out: &mut String, comparison: &Comparison) {
    put!(out, "### Memory (PSS), and a million subscriptions\n");
    put!(out, "| | Kamailio | `--memory` | durable |");
    put!(out, "|---|---|---|---|");
    let million = |step, of| Figure { operation: "million", step, of };
    let rows = [
        (
            "most during and after 100 000 SUBSCRIBEs at 20 000/s",
            Figure { operation: "burst", step: "", of: Of::Memory },
            "MB",
        ),
        ("memory with 10 000 subscriptions", million("hold-few", Of::IdleMemory), "MB"),
        ("CPU of a new SUBSCRIBE then", million("new-few", Of::Cpu), "µs"),
        ("most memory while 1 000 000 are made", million("hold", Of::Memory), "MB"),
        ("memory with 1 000 000, a minute later", million("idle", Of::IdleMemory), "MB"),
        ("CPU of a new SUBSCRIBE then", million("new", Of::Cpu), "µs"),
        ("idle CPU then", million("idle", Of::IdleCpu), "% of a core"),
    ];
    for (title, figure, unit) in rows {
        let cells = IN_MEMORY.map(|target| cell(comparison.figure(target, figure), unit));
        put!(out, "| {title} | {} |", cells.join(" | "));
    }
    put!(out, "");
}

fn shards(out: &mut String, comparison: &Comparison) {
    put!(out, "### One shard and two\n");
    put!(
        out,
        "The generator works on the same processors. The ceiling is what two processors could \
         carry if they did nothing but the work of server and generator, without ever waiting: no \
         number of shards gets beyond it.\n"
    );
    put!(
        out,
        "| operation | one, /s | two, /s | two ÷ one | one, µs | two, µs | generator, µs | \
         the machine's ceiling ÷ one |"
    );
    put!(out, "|---|---|---|---|---|---|---|---|");
    for operation in OPERATIONS.iter().filter(|one| one.targets.contains(&Target::TwoShards)) {
        let of = |target, of| comparison.figure(target, figure(operation, of));
        let rates = [Target::OneShard, Target::TwoShards].map(|target| of(target, Of::Rate));
        let costs = [Target::OneShard, Target::TwoShards].map(|target| of(target, Of::Cpu));
        let ratio = match rates {
            [Some(one), Some(two)] => format!("{:.2}", two.median / one.median),
            _ => "–".into(),
        };
        let reports = comparison.reports(Target::TwoShards, operation.name, "");
        let generators: Vec<_> = reports.map(|report| report.generator).collect();
        let mean = |of: fn(&crate::load::report::Generator) -> f64| {
            Spread::of(generators.iter().map(of).collect())
        };
        let generator = mean(|generator| generator.cpu_us_per_operation);
        let ceiling = match (costs[1], generator, rates[0]) {
            (Some(cost), Some(generator), Some(one)) => {
                Some(2e6 / (cost.median + generator.median) / one.median)
            }
            _ => None,
        };
        put!(
            out,
            "| {} | {} | {} | {ratio} | {} | {} | {} | {} |",
            operation.title,
            cell(rates[0], ""),
            cell(rates[1], ""),
            cell(costs[0], ""),
            cell(costs[1], ""),
            cell(generator, ""),
            ceiling.map_or("–".into(), |ceiling| format!("{ceiling:.2}"))
        );
    }
    put!(out, "");
}

fn pressure(out: &mut String, comparison: &Comparison) {
    put!(out, "### Under pressure\n");
    put!(out, "| | `--memory` | durable |");
    put!(out, "|---|---|---|");
    let overload = |of| Figure { operation: "overload", step: "", of };
    let restart = |of| Figure { operation: "restart", step: "", of };
    let peak = Figure { operation: "overload", step: "peak", of: Of::Rate };
    let rows = [
        ("new SUBSCRIBEs a second that it carries: the peak", peak, "/s"),
        ("three times that for a minute: goodput", overload(Of::Goodput), "× the peak"),
        ("refreshes of those who were in, served", overload(Of::RefreshesServed), "%"),
        ("newcomers served", overload(Of::NewcomersServed), "%"),
        ("503 without Retry-After", overload(Of::Rude), ""),
        ("back to normal after", overload(Of::Recovery), "s"),
        ("most memory", overload(Of::Memory), "MB"),
        ("killed and restarted with 1 000 000 subscriptions: silent for", restart(Of::Away), "s"),
        ("everybody told after another", restart(Of::Told), "s"),
        ("most NOTIFYs of that in 0.1 s", restart(Of::Storm), ""),
        ("never told, or a request timed out", restart(Of::Forgotten), ""),
    ];
    for (title, figure, unit) in rows {
        let cells = [PresentlyMemory, PresentlyDurable]
            .map(|target| cell(comparison.figure(target, figure), unit));
        put!(out, "| {title} | {} |", cells.join(" | "));
    }
    put!(out, "");
}

/// What was lost, refused, sent again, or did not come to an end.
fn troubles(out: &mut String, comparison: &Comparison) {
    let mut lines = Vec::new();
    for operation in OPERATIONS {
        let Some(measured) = comparison.operations.get(operation.name) else { continue };
        for (target, rounds) in &measured.servers {
            for (number, round) in (1..).zip(rounds) {
                let said = match round {
                    Round::Failed { failed } => failed.lines().next().unwrap_or("").to_owned(),
                    Round::Done { steps } => {
                        let said: Vec<String> = steps.values().flat_map(complaints).collect();
                        said.join(", ")
                    }
                };
                if !said.is_empty() {
                    let (name, server) = (operation.name, target.title());
                    lines.push(format!("- {name}, {server}, round {number}: {said}"));
                }
            }
        }
    }
    put!(out, "### Losses\n");
    if lines.is_empty() {
        lines.push("None: no answer and no NOTIFY was missing, and nothing was sent twice.".into());
    }
    put!(out, "{}\n", lines.join("\n"));
}
