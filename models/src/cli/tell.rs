//! What is said: a line while a run goes on, what it showed, and the table at the end.

use presently_engine::SOURCE_HASH;
use presently_models::catalogue::{Depth, plans};
use presently_models::plan::Plan;
use presently_models::run::{Progress, Report};
use serde_json::{Value, json};
use std::io::{IsTerminal, Write, stderr, stdout};
use std::path::Path;

/// Width of the line that is written over and over.
const LINE: usize = 98;

/// Says something on stdout. Whoever reads it may have gone; the exit code says it too.
pub(super) fn say(text: &str) {
    let _ = stdout().write_all(text.as_bytes()).and_then(|()| stdout().flush());
}

/// Says what is wrong.
pub(super) fn error(why: &str) {
    let _ = writeln!(stderr(), "presence-check: {why}");
}

/// The line that shows that something is going on; only on a terminal.
pub(super) fn progress(name: &str, at: Progress) {
    if stderr().is_terminal() {
        let text: String = line(name, at).chars().take(LINE).collect();
        let _ = write!(stderr(), "\r{text:<LINE$}");
    }
}

/// Takes it away.
pub(super) fn clear() {
    if stderr().is_terminal() {
        let _ = write!(stderr(), "\r{:<LINE$}\r", "");
    }
}

fn line(name: &str, at: Progress) -> String {
    let seconds = at.time.as_secs_f64();
    let rate = at.unique as f64 / seconds.max(0.001);
    let memory = at.memory.map(|bytes| format!(", {} MB", bytes >> 20)).unwrap_or_default();
    format!(
        "{name}: {} states, {rate:.0} states/s, depth {}, {} queued{memory}, {seconds:.0} s",
        at.unique, at.depth, at.queue
    )
}

/// What a run showed, in a line, and how a law was broken.
pub(super) fn report(report: &Report, capsule: Option<&Path>) {
    let mut text = String::new();
    if let Some(broken) = &report.broken {
        let shortest = if broken.shortest { "; there is no shorter way" } else { "" };
        text.push_str(&format!(
            "{}: {} is broken after {} steps{shortest}\n     {}\n\n{}\n",
            report.model,
            broken.law,
            broken.steps,
            broken.law.says(),
            broken.ladder
        ));
    }
    if let Some(file) = capsule {
        let file = file.display();
        text.push_str(&format!("Walk it again: presence-check replay {file}\n"));
    }
    for sight in &report.missing {
        text.push_str(&format!("{}: {sight} was never seen: {}\n", report.model, sight.says()));
    }
    text.push_str(&format!("{}: {}, {} states\n", report.model, report.verdict(), report.unique));
    say(&text);
}

/// All runs: model, bounds, states, time, properties, verdict.
pub(super) fn table(reports: &[Report]) {
    let width = reports.iter().map(|report| report.bounds.chars().count()).max().unwrap_or(0);
    let mut text = format!(
        "\n{:<6} {:<width$} {:>10} {:>6} {:>8} {:>7} {:>7}  verdict\n",
        "model", "bounds", "states", "depth", "time", "laws", "sights"
    );
    for report in reports {
        let (laws, sights) = (report.laws.len(), report.sights.len());
        text.push_str(&format!(
            "{:<6} {:<width$} {:>10} {:>6} {:>6.1} s {:>7} {:>7}  {}\n",
            report.model,
            report.bounds,
            report.unique,
            report.depth,
            report.time.as_secs_f64(),
            format!("{}/{laws}", report.held()),
            format!("{}/{sights}", sights - report.missing.len()),
            report.verdict()
        ));
    }
    let states: usize = reports.iter().map(|report| report.unique).sum();
    let seconds: f64 = reports.iter().map(|report| report.time.as_secs_f64()).sum();
    let failed = reports.iter().filter(|report| report.failed()).count();
    let verdict = match failed {
        0 => "everything holds".to_owned(),
        some => format!("{some} of {} do not hold", reports.len()),
    };
    let models = reports.len();
    text.push_str(&format!(
        "{models} models, {states} states, {seconds:.1} s, engine {}: {verdict}\n",
        &SOURCE_HASH[..12]
    ));
    say(&text);
}

/// A run for machines.
pub(super) fn json(report: &Report, capsule: Option<&Path>) -> Value {
    let broken = report.broken.as_ref().map(|broken| {
        json!({
            "law": broken.law.name(),
            "steps": broken.steps,
            "shortest": broken.shortest,
            "ladder": broken.ladder,
            "capsule": capsule.map(|file| file.display().to_string()),
        })
    });
    let laws: Vec<&str> = report.laws.iter().map(|law| law.name()).collect();
    let sights: Vec<&str> = report.sights.iter().map(|sight| sight.name()).collect();
    let missing: Vec<&str> = report.missing.iter().map(|sight| sight.name()).collect();
    json!({
        "engine": SOURCE_HASH,
        "model": report.model,
        "bounds": report.bounds,
        "states": report.unique,
        "steps": report.generated,
        "depth": report.depth,
        "seconds": report.time.as_secs_f64(),
        "memory": report.memory,
        "complete": report.complete,
        "cut": report.cut.map(|cut| cut.says()),
        "laws": laws,
        "held": report.held(),
        "sights": sights,
        "broken": broken,
        "missing": missing,
        "verdict": report.verdict(),
    })
}

/// Every model in plain words.
pub(super) fn list() {
    let [quick, ci] = [plans(Depth::Quick), plans(Depth::Ci)];
    let mut text = String::new();
    for plan in plans(Depth::Deep) {
        text.push_str(&format!("{}  {}\n", plan.name, plan.says));
        let at = |plans: &[Plan]| plans.iter().find(|it| it.name == plan.name).map(Plan::bounds);
        let bounds = [("quick", at(&quick)), ("ci", at(&ci)), ("deep", Some(plan.bounds()))];
        for (budget, bounds) in bounds {
            let bounds = bounds.unwrap_or_else(|| "left out".to_owned());
            text.push_str(&format!("     {budget:<10}{bounds}\n"));
        }
        for law in &plan.laws {
            text.push_str(&format!("     always    {law}: {}\n", law.says()));
        }
        for sight in &plan.sights {
            text.push_str(&format!("     sometimes {sight}: {}\n", sight.says()));
        }
        text.push('\n');
    }
    say(&text);
}
