//! A certificate: what was checked of which engine, and what came of it.

use crate::run::Report;
use presently_engine::{SOURCE_HASH, VERSION};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The format this version reads and writes.
pub const FORMAT: u32 = 1;

/// What kind of file this is.
pub const KIND: &str = "presence-check certificate";

/// What a run of models showed.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// [`KIND`].
    pub kind: String,
    /// [`FORMAT`].
    pub format: u32,
    /// [`SOURCE_HASH`] of the engine that was checked.
    pub engine: String,
    /// Version of the program that checked.
    pub version: String,
    /// When, in UTC.
    pub date: String,
    /// How much was to be explored: quick, ci or deep.
    pub budget: String,
    /// Models of that budget that were left out.
    pub left_out: Vec<String>,
    /// Different states of all models together.
    pub states: usize,
    /// Whether everything holds.
    pub holds: bool,
    /// One by one.
    pub models: Vec<Checked>,
}

/// What one model showed.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checked {
    /// Its name.
    pub model: String,
    /// How often each kind of thing could happen.
    pub bounds: String,
    /// Different states.
    pub states: usize,
    /// Steps.
    pub steps: usize,
    /// Longest way.
    pub depth: usize,
    /// How long it took.
    pub seconds: f64,
    /// Properties that held in every state that was reached.
    pub held: Vec<String>,
    /// Sights that were seen.
    pub seen: Vec<String>,
    /// Whether everything within the bounds was explored.
    pub complete: bool,
    /// What came of it.
    pub verdict: String,
}

/// Why a certificate says nothing about an engine.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Void {
    /// It is no certificate.
    Broken(String),
    /// It is about another engine: which, and which was asked about.
    Engine(String, String),
    /// Something did not hold: the models and their verdicts.
    Fell(Vec<String>),
    /// Not every model of the budget was checked.
    LeftOut(Vec<String>),
}

impl fmt::Display for Void {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Broken(why) => write!(f, "not a certificate: {why}"),
            Self::Engine(checked, asked) => {
                write!(f, "engine {checked} was checked, this is engine {asked}")
            }
            Self::Fell(models) => write!(f, "not everything holds: {}", models.join(", ")),
            Self::LeftOut(models) => write!(f, "not checked: {}", models.join(", ")),
        }
    }
}

impl std::error::Error for Void {}

impl Certificate {
    /// The certificate of these runs. `whole`: names of all models of the budget; `now`: seconds
    /// since 1970-01-01, UTC.
    pub fn new(budget: &str, whole: &[&str], reports: &[Report], now: u64) -> Self {
        let ran = |name: &str| reports.iter().any(|report| report.model == name);
        let left_out = whole.iter().filter(|name| !ran(name)).map(|name| (*name).to_owned());
        Self {
            kind: KIND.to_owned(),
            format: FORMAT,
            engine: SOURCE_HASH.to_owned(),
            version: VERSION.split(' ').next().unwrap_or(VERSION).to_owned(),
            date: date(now),
            budget: budget.to_owned(),
            left_out: left_out.collect(),
            states: reports.iter().map(|report| report.unique).sum(),
            holds: !reports.iter().any(Report::failed),
            models: reports.iter().map(Checked::new).collect(),
        }
    }

    /// Reads a certificate's text.
    ///
    /// # Errors
    /// It is none, or of another format.
    pub fn parse(text: &str) -> Result<Self, Void> {
        let read: Self = serde_json::from_str(text).map_err(|why| Void::Broken(why.to_string()))?;
        if read.kind != KIND {
            return Err(Void::Broken(format!("it says it is a {}", read.kind)));
        }
        if read.format != FORMAT {
            return Err(Void::Broken(format!(
                "format {}; this version reads format {FORMAT} only",
                read.format
            )));
        }
        Ok(read)
    }

    /// The certificate's text.
    pub fn text(&self) -> String {
        let text = serde_json::to_string_pretty(self);
        text.expect("a certificate has only string keys and finite numbers") + "\n"
    }

    /// Whether it shows that everything holds for this engine.
    ///
    /// # Errors
    /// [`Void`] says why it does not.
    pub fn covers(&self, engine: &str) -> Result<(), Void> {
        if self.engine != engine {
            return Err(Void::Engine(self.engine.clone(), engine.to_owned()));
        }
        let fell: Vec<String> = self
            .models
            .iter()
            .filter(|checked| checked.verdict != "holds")
            .map(|checked| format!("{} {}", checked.model, checked.verdict))
            .collect();
        if !fell.is_empty() || !self.holds {
            return Err(Void::Fell(fell));
        }
        if !self.left_out.is_empty() || self.models.is_empty() {
            return Err(Void::LeftOut(self.left_out.clone()));
        }
        Ok(())
    }
}

impl Checked {
    fn new(report: &Report) -> Self {
        let broken = report.broken.as_ref().map(|broken| broken.law);
        let held = report.laws.iter().filter(|law| Some(**law) != broken);
        let seen = report.sights.iter().filter(|sight| !report.missing.contains(sight));
        Self {
            model: report.model.to_owned(),
            bounds: report.bounds.clone(),
            states: report.unique,
            steps: report.generated,
            depth: report.depth,
            seconds: (report.time.as_secs_f64() * 10.0).round() / 10.0,
            held: held.map(|law| law.name().to_owned()).collect(),
            seen: seen.map(|sight| sight.name().to_owned()).collect(),
            complete: report.complete,
            verdict: report.verdict().to_owned(),
        }
    }
}

/// The engine that a program names with `--version`.
pub fn engine_in(version: &str) -> Option<&str> {
    let (_, rest) = version.split_once("(engine ")?;
    let (hash, _) = rest.split_once(')')?;
    let is_hash = hash.len() == 64 && hash.bytes().all(|it| it.is_ascii_hexdigit());
    is_hash.then_some(hash)
}

/// A moment in UTC as RFC 3339 writes it.
fn date(seconds: u64) -> String {
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    let (year, month, day) = civil(days);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// The Gregorian date of a day since 1970-01-01, counted in years that begin in March, so that the
/// leap day is the last.
fn civil(days: u64) -> (u64, u64, u64) {
    // Days since 0000-03-01; an era is 400 years.
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (era * 400 + year + next, month, day)
}

#[cfg(test)]
mod tests;
