//! A capsule: one file that holds a run, so that anybody can see it again.
//!
//! It refuses what it does not understand. A plan that was understood by half would play another
//! run and prove nothing.

use crate::plan::Plan;
use crate::record::Record;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;
use std::path::Path;

/// The format this version reads and writes.
pub const FORMAT: u32 = 1;

/// The engine this program was built with.
pub const ENGINE: &str = env!("CARGO_PKG_VERSION");

/// Something that failed in a run.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// The property of behaviour §5.2, e.g. `P5`; `expectation` for one of the plan's own.
    pub what: String,
    /// What was seen, for people.
    pub why: String,
}

/// A run, and what failed in it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Capsule {
    /// [`FORMAT`].
    pub format: u32,
    /// [`ENGINE`] of the program that wrote it.
    pub engine: String,
    /// [`Record::hash`] of the run, sixteen hexadecimal digits; sameness byte for byte.
    pub hash: String,
    /// What failed; nothing, if the run held.
    pub failed: Vec<Failure>,
    /// The run, its seed inside.
    pub plan: Plan,
}

/// Why a capsule was not read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Unread {
    /// The file could not be read or written.
    File(String),
    /// It is no JSON, or a field is missing or of another type; with line and column.
    Broken(String),
    /// It has another format.
    Format(u64),
    /// It says something that this version does not know.
    Unknown(String),
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(why) => f.write_str(why),
            Self::Broken(why) => write!(f, "not a capsule: {why}"),
            Self::Format(found) => {
                write!(f, "capsule format {found}; this version reads format {FORMAT} only")
            }
            Self::Unknown(place) => {
                write!(f, "the capsule says `{place}`, which this version does not know")
            }
        }
    }
}

impl std::error::Error for Unread {}

impl Capsule {
    /// The capsule of a run.
    pub fn new(plan: &Plan, record: &Record, failed: Vec<Failure>) -> Self {
        let hash = format!("{:016x}", record.hash());
        Self { format: FORMAT, engine: ENGINE.into(), hash, failed, plan: plan.clone() }
    }

    /// Reads a capsule's text.
    ///
    /// # Errors
    /// [`Unread`] says what it does not understand, and where.
    pub fn parse(text: &str) -> Result<Self, Unread> {
        let broken = |why: serde_json::Error| Unread::Broken(why.to_string());
        let value: Value = serde_json::from_str(text).map_err(broken)?;
        if value.get("kind").and_then(Value::as_str) == Some("presence-check capsule") {
            let why = "it is one of presence-check; try `presence-check replay FILE`";
            return Err(Unread::Broken(why.to_owned()));
        }
        let format = value.get("format").and_then(Value::as_u64);
        if let Some(other) = format.filter(|format| *format != u64::from(FORMAT)) {
            return Err(Unread::Format(other));
        }
        let capsule: Self = serde_json::from_str(text).map_err(broken)?;
        // Not every part of a plan refuses what it does not know by itself.
        let known = serde_json::to_value(&capsule).map_err(broken)?;
        match stranger(&value, &known, "") {
            Some(place) => Err(Unread::Unknown(place)),
            None => Ok(capsule),
        }
    }

    /// The capsule's text.
    pub fn text(&self) -> String {
        let text = serde_json::to_string_pretty(self);
        text.expect("a capsule has only string keys and finite numbers") + "\n"
    }

    /// Reads a capsule from a file.
    ///
    /// # Errors
    /// The file cannot be read, or see [`Capsule::parse`].
    pub fn read(path: &Path) -> Result<Self, Unread> {
        let text = std::fs::read_to_string(path)
            .map_err(|why| Unread::File(format!("{} cannot be read: {why}", path.display())))?;
        Self::parse(&text)
    }

    /// Writes the capsule into a file.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), Unread> {
        std::fs::write(path, self.text())
            .map_err(|why| Unread::File(format!("{} cannot be written: {why}", path.display())))
    }

    /// Whether the engine that wrote this is the one of this program. Runs of two engines are not
    /// compared: the point of a mended engine is that it runs otherwise.
    pub fn is_of_this_engine(&self) -> bool {
        self.engine == ENGINE
    }
}

/// The path of the first thing in `found` that did not survive being read.
fn stranger(found: &Value, known: &Value, path: &str) -> Option<String> {
    match (found, known) {
        (Value::Object(found), Value::Object(known)) => found.iter().find_map(|(key, value)| {
            let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            match known.get(key) {
                Some(known) => stranger(value, known, &path),
                None => Some(path),
            }
        }),
        (Value::Array(found), Value::Array(known)) => {
            let mut pairs = found.iter().zip(known).enumerate();
            pairs.find_map(|(at, (found, known))| stranger(found, known, &format!("{path}[{at}]")))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
