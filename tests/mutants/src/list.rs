//! The mutants, as cargo-mutants lists them.

use serde::Deserialize;
use std::path::Path;
use std::process::Command;

/// What a mutant does.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
pub(crate) enum Genre {
    /// The body of a function becomes a value.
    FnValue,
    /// Another operator.
    BinaryOperator,
    /// An operator is left out.
    UnaryOperator,
    /// A guard always or never holds.
    MatchArmGuard,
    /// An arm is left out.
    MatchArm,
    /// A field keeps the value of the struct it is based on.
    StructField,
}

#[derive(Clone, Debug, Deserialize)]
struct Place {
    line: usize,
    column: usize,
}

#[derive(Clone, Debug, Deserialize)]
struct Extent {
    start: Place,
}

/// One mutant.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Mutant {
    /// What switches it on.
    #[serde(skip)]
    pub(crate) number: u32,
    pub(crate) file: String,
    pub(crate) genre: Genre,
    /// `FILE:LINE:COLUMN: what is replaced`.
    pub(crate) name: String,
    pub(crate) replacement: String,
    span: Extent,
}

impl Mutant {
    /// Line and column, from 1.
    pub(crate) fn place(&self) -> (usize, usize) {
        (self.span.start.line, self.span.start.column)
    }

    /// What is replaced, without the place, which changes with every edit above it.
    pub(crate) fn what(&self) -> &str {
        self.name.splitn(4, ':').nth(3).unwrap_or(&self.name).trim()
    }
}

/// Every mutant of the files that `.cargo/mutants.toml` names, numbered from 1.
pub(crate) fn mutants(root: &Path) -> Result<Vec<Mutant>, String> {
    let mut command = Command::new("cargo");
    command.args(["mutants", "--list", "--json"]).current_dir(root);
    let output = command.output().map_err(|error| format!("cargo mutants: {error}"))?;
    if !output.status.success() {
        return Err(format!("cargo mutants: {}", String::from_utf8_lossy(&output.stderr)));
    }
    let mut list: Vec<Mutant> =
        serde_json::from_slice(&output.stdout).map_err(|error| format!("the list: {error}"))?;
    for (number, mutant) in (1..).zip(&mut list) {
        mutant.number = number;
    }
    Ok(list)
}
