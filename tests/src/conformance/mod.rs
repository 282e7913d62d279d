//! Conformance as a number: every requirement of the RFCs we implement, and what shows that we meet
//! it. The lists are `tests/conformance/**/*.toml`; this module reads them and judges them.
//!
//! A requirement is a row: the section, the RFC's keyword, who has to do it, what it says in our
//! words, and a status: the tests that show it, or why it does not apply, or why we deliberately do
//! otherwise. The census (`census.toml`) says how many keywords each section of the RFC's text has,
//! so that a row can not be forgotten unseen.
//!
//! What it refuses to do: judge whether a named test really shows what the row says. That is for
//! the reader; the table names the function.

pub mod census;
pub mod evidence;
mod table;

pub use table::{Totals, render};

use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

/// RFCs whose every SHOULD is a row too; of the others only the MUSTs are.
pub const EVERY_SHOULD: &[u32] = &[3428, 3856, 3857, 3858, 3863, 3903, 6665];

/// A keyword of RFC 2119; SHALL and REQUIRED are listed as what they mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub enum Keyword {
    /// MUST, SHALL, REQUIRED.
    #[serde(rename = "MUST")]
    Must,
    /// MUST NOT, SHALL NOT.
    #[serde(rename = "MUST NOT")]
    MustNot,
    /// SHOULD, RECOMMENDED.
    #[serde(rename = "SHOULD")]
    Should,
    /// SHOULD NOT, NOT RECOMMENDED.
    #[serde(rename = "SHOULD NOT")]
    ShouldNot,
    /// A requirement that the text states without a keyword; the census does not count it.
    #[serde(rename = "text")]
    Text,
}

impl Keyword {
    /// Whether the census counts it among the MUSTs.
    pub fn is_must(self) -> bool {
        matches!(self, Self::Must | Self::MustNot)
    }

    /// Whether the census counts it among the SHOULDs.
    pub fn is_should(self) -> bool {
        matches!(self, Self::Should | Self::ShouldNot)
    }
}

impl fmt::Display for Keyword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Must => "MUST",
            Self::MustNot => "MUST NOT",
            Self::Should => "SHOULD",
            Self::ShouldNot => "SHOULD NOT",
            Self::Text => "text",
        })
    }
}

/// One requirement.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// The section that states it, as `4.2.2`.
    pub section: String,
    /// How strongly.
    pub keyword: Keyword,
    /// How many keywords of the section the row accounts for.
    #[serde(default = "one")]
    pub count: u32,
    /// Who has to do it, in the RFC's word: notifier, UAC, registrar, document …
    pub role: String,
    /// What, in our own words.
    pub requirement: String,
    /// The tests that show it, as `file::function`.
    #[serde(default)]
    pub tests: Vec<String>,
    /// Why it does not apply to what we are.
    pub not_applicable: Option<String>,
    /// Why we deliberately do otherwise.
    pub deliberately_not: Option<String>,
}

fn one() -> u32 {
    1
}

/// What became of a requirement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// Tests show it.
    Tested,
    /// It does not apply, for a reason.
    NotApplicable,
    /// We do otherwise, for a reason.
    DeliberatelyNot,
}

impl Row {
    /// The status, or what is wrong with the row: exactly one of the three has to be given.
    pub fn status(&self) -> Result<Status, String> {
        let given = |reason: &Option<String>| reason.as_ref().is_some_and(|it| it.len() > 10);
        match (!self.tests.is_empty(), given(&self.not_applicable), given(&self.deliberately_not)) {
            (true, false, false) => Ok(Status::Tested),
            (false, true, false) => Ok(Status::NotApplicable),
            (false, false, true) => Ok(Status::DeliberatelyNot),
            (false, false, false) => Err("neither a test nor a reason".into()),
            _ => Err("more than one status".into()),
        }
    }
}

/// Sections whose keywords are no requirements on an implementation of ours.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Excluded {
    /// The sections; `23` stands for `23.1` and all below it too.
    pub sections: Vec<String>,
    /// Why.
    pub reason: String,
}

/// One file of requirements of one RFC; an RFC may have several files.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// The RFC's number.
    pub rfc: u32,
    /// Its title.
    pub title: String,
    /// What is left out as a whole.
    #[serde(default)]
    pub excluded: Vec<Excluded>,
    /// The requirements.
    #[serde(default, rename = "row")]
    pub rows: Vec<Row>,
}

/// All that is known of one RFC: its files joined.
#[derive(Debug, Clone, Default)]
pub struct Rfc {
    /// Its title.
    pub title: String,
    /// What is left out as a whole.
    pub excluded: Vec<Excluded>,
    /// The requirements, with the file that lists them.
    pub rows: Vec<(PathBuf, Row)>,
}

impl Rfc {
    /// Whether a section is left out as a whole.
    pub fn excludes(&self, section: &str) -> bool {
        self.excluded.iter().flat_map(|excluded| &excluded.sections).any(|prefix| {
            section
                .strip_prefix(&**prefix)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    }

    /// Whether the list knows the section: a row cites it, or it is left out for a reason.
    pub fn knows(&self, section: &str) -> bool {
        self.excludes(section) || self.rows.iter().any(|(_, row)| row.section == section)
    }

    /// How many MUSTs and SHOULDs of a section the rows account for.
    pub fn accounted(&self, section: &str) -> (u32, u32) {
        let mut sum = (0, 0);
        for (_, row) in self.rows.iter().filter(|(_, row)| row.section == section) {
            if row.keyword.is_must() {
                sum.0 += row.count;
            } else if row.keyword.is_should() {
                sum.1 += row.count;
            }
        }
        sum
    }
}

/// The folder with the lists.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance")
}

/// Reads every list.
///
/// # Errors
/// A file that cannot be read or is no list: the message names file, line and what was expected.
pub fn load() -> Result<BTreeMap<u32, Rfc>, String> {
    let mut rfcs: BTreeMap<u32, Rfc> = BTreeMap::new();
    for path in evidence::files(&folder(), "toml")? {
        if path.ends_with("census.toml") {
            continue;
        }
        let list: List = read(&path)?;
        let rfc = rfcs.entry(list.rfc).or_default();
        rfc.title = list.title;
        rfc.excluded.extend(list.excluded);
        rfc.rows.extend(list.rows.into_iter().map(|row| (path.clone(), row)));
    }
    Ok(rfcs)
}

fn read<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, String> {
    let text = std::fs::read_to_string(path).map_err(|why| format!("{}: {why}", path.display()))?;
    toml::from_str(&text).map_err(|why| format!("{}: {why}", path.display()))
}
