//! What became of runs, for people: what was expected, what was seen instead, and the messages
//! that mattered.

mod message;

use crate::judge::{Verdict, looker};
use crate::plan::{Claim, When};
use crate::run::{Outcome, Tally, stem};
use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

/// How many messages are shown for a fallen expectation.
const SHOWN: usize = 6;

/// Says something on stdout.
pub(crate) fn say(text: &str) {
    use std::io::Write;
    let mut output = std::io::stdout().lock();
    // Whoever reads it may have gone; the exit code says it too.
    let _ = write!(output, "{text}").and_then(|()| output.flush());
}

/// One run. `alone`: every expectation is listed, not only those that fell.
pub(crate) fn outcome(path: &Path, outcome: &Outcome, alone: bool) -> String {
    let mut text = headline(path, outcome);
    if alone {
        for verdict in seen(&outcome.verdicts) {
            let at = match (verdict.expectation.when, verdict.at_ms) {
                (When::Within { .. }, Some(at)) => format!("  at {}", moment(at)),
                _ => String::new(),
            };
            line(&mut text, format_args!("  ok      {}{at}", verdict.expectation.text));
        }
    }
    text.push_str(&failures(path, outcome));
    text
}

/// Each line of the scenario that held as a whole, by the first verdict about it.
fn seen(verdicts: &[Verdict]) -> impl Iterator<Item = &Verdict> {
    let same = |one: &Verdict, other: &Verdict| {
        let (one, other) = (&one.expectation, &other.expectation);
        one.text == other.text && looker(&one.claim) == looker(&other.claim)
    };
    verdicts.iter().enumerate().filter_map(move |(index, verdict)| {
        let first = !verdicts[..index].iter().any(|before| same(before, verdict));
        let fell = verdicts.iter().any(|other| same(other, verdict) && !other.held);
        (first && !fell).then_some(verdict)
    })
}

fn headline(path: &Path, outcome: &Outcome) -> String {
    let state = if outcome.held() { "ok    " } else { "FAILED" };
    let held = outcome.verdicts.iter().filter(|verdict| verdict.held).count();
    format!(
        "{state}  {:<24} {held} of {} expectations, seed {}, {} s in {:.2} s (×{:.0})\n",
        stem(path),
        outcome.verdicts.len(),
        outcome.plan.seed,
        outcome.simulated_ms() / 1000,
        outcome.took.as_secs_f64(),
        speed(outcome.simulated_ms(), outcome.took),
    )
}

fn failures(path: &Path, outcome: &Outcome) -> String {
    let mut text = String::new();
    if let Err(why) = &outcome.record {
        line(&mut text, format_args!("\n  {}: cannot be played: {why}", path.display()));
    }
    for verdict in outcome.verdicts.iter().filter(|verdict| !verdict.held) {
        text.push_str(&failure(outcome, verdict));
    }
    if !outcome.held() {
        let (path, seed) = (path.display(), outcome.plan.seed);
        line(&mut text, format_args!("\n  again      presence-sim run {path} --seed {seed}\n"));
    }
    text
}

fn failure(outcome: &Outcome, verdict: &Verdict) -> String {
    let mut text = String::new();
    let claim = &verdict.expectation.claim;
    let ended = outcome.simulated_ms();
    let (when, until) = match verdict.expectation.when {
        When::Within { from_ms, until_ms } if from_ms == until_ms => {
            (format!("at {}", moment(from_ms)), until_ms)
        }
        When::Within { from_ms, until_ms } => {
            (format!("from {} through {}", moment(from_ms), moment(until_ms)), until_ms)
        }
        When::Eventually => (format!("at the end, {}", moment(ended)), ended),
        When::Never { from_ms } => {
            let broken = verdict.at_ms.unwrap_or(ended);
            let when = format!("from {} on; broken at {}", moment(from_ms), moment(broken));
            (when, broken)
        }
    };
    line(&mut text, format_args!("\n  expected   {}", verdict.expectation.text));
    line(&mut text, format_args!("  when       {when}"));
    line(&mut text, format_args!("  instead    {} {}", looker(claim), shortened(&verdict.instead)));
    let Ok(record) = &outcome.record else { return text };
    let messages = message::last(record, &parties(claim), methods(claim), until, SHOWN);
    if messages.is_empty() {
        line(&mut text, format_args!("  messages   none that could matter"));
    }
    for (index, message) in messages.iter().enumerate() {
        let head = if index == 0 { "messages" } else { "" };
        line(&mut text, format_args!("  {head:<9} {message}"));
    }
    for (at, why) in message::troubles(record, until) {
        line(&mut text, format_args!("  trouble    {} {why}", moment(at)));
    }
    text
}

/// The users whose messages matter for a claim.
fn parties(claim: &Claim) -> Vec<&str> {
    let mut users = vec![&*looker(claim).user];
    match claim {
        Claim::Sees { whom, .. }
        | Claim::Subscribed { whom, .. }
        | Claim::Offer { whom, .. }
        | Claim::Hears { whom, .. }
        | Claim::Calls { whom, .. } => {
            users.push(whom);
        }
        Claim::Watchers { rows, .. } => users.extend(rows.iter().map(|(watcher, _)| &**watcher)),
        Claim::Messages { .. } | Claim::Registered { .. } => {}
    }
    users
}

/// The methods that matter for a claim.
fn methods(claim: &Claim) -> &'static [&'static str] {
    match claim {
        Claim::Sees { .. } | Claim::Subscribed { .. } | Claim::Offer { .. } => {
            &["SUBSCRIBE", "NOTIFY", "PUBLISH"]
        }
        Claim::Watchers { .. } => &["SUBSCRIBE", "NOTIFY"],
        Claim::Hears { .. } | Claim::Calls { .. } => &["INVITE", "BYE", "NOTIFY"],
        Claim::Messages { .. } => &["MESSAGE"],
        Claim::Registered { .. } => &["REGISTER"],
    }
}

/// A line for each scenario, and what fell first in each.
pub(crate) fn table(tallies: &[Tally]) -> String {
    let mut text =
        format!("{:<26} {:>5} {:>7}  first failure   speed\n", "scenario", "ok", "failed");
    for tally in tallies {
        let seed = tally.first.as_ref().map(|first| format!("seed {}", first.plan.seed));
        let seed = seed.unwrap_or_else(|| "-".to_owned());
        let speed = speed(tally.simulated_ms, tally.took);
        let (name, held, failed) = (stem(&tally.path), tally.held, tally.failed);
        line(&mut text, format_args!("{name:<26} {held:>5} {failed:>7}  {seed:<15} ×{speed:.0}"));
    }
    for tally in tallies {
        if let Some(first) = &tally.first {
            line(&mut text, format_args!(""));
            text.push_str(&headline(&tally.path, first));
            text.push_str(&failures(&tally.path, first));
        }
    }
    text
}

/// A list of everybody in a large office helps nobody.
fn shortened(text: &str) -> String {
    const LONGEST: usize = 240;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn line(text: &mut String, what: std::fmt::Arguments<'_>) {
    // Writing into a string does not fail.
    let _ = writeln!(text, "{what}");
}

/// Simulated seconds in one second.
fn speed(simulated_ms: u64, took: Duration) -> f64 {
    simulated_ms as f64 / 1000.0 / took.as_secs_f64().max(0.000_001)
}

/// A moment of the run.
fn moment(ms: u64) -> String {
    format!("{}.{:03} s", ms / 1000, ms % 1000)
}
