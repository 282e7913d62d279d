//! The survivors that are known, each with the reason why it may live.

use crate::list::Mutant;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

#[derive(Deserialize)]
struct Survivor {
    file: String,
    mutant: String,
    #[serde(default = "once")]
    times: usize,
    reason: String,
}

fn once() -> usize {
    1
}

/// The list.
#[derive(Default, Deserialize)]
pub(crate) struct Known {
    #[serde(default)]
    survivor: Vec<Survivor>,
}

impl Known {
    pub(crate) fn read(path: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let known: Self = toml::from_str(&text).map_err(|error| format!("survivors: {error}"))?;
        match known.survivor.iter().find(|one| one.reason.trim().is_empty()) {
            Some(one) => Err(format!("no reason for {}: {}", one.file, one.mutant)),
            None => Ok(known),
        }
    }

    /// Tells of survivors that nobody listed and, if `all` mutants were hunted, of listed ones
    /// that did not survive. Whether there were none of either kind.
    pub(crate) fn judge(&self, survivors: &[&Mutant], all: bool) -> bool {
        let mut left: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for one in &self.survivor {
            *left.entry((&one.file, &one.mutant)).or_default() += one.times;
        }
        let mut fine = true;
        for mutant in survivors {
            match left.get_mut(&(&*mutant.file, mutant.what())) {
                Some(times) if *times > 0 => *times -= 1,
                Some(_) | None => {
                    println!("survived: {}", mutant.name);
                    fine = false;
                }
            }
        }
        for ((file, mutant), times) in left.iter().filter(|(_, times)| all && **times > 0) {
            println!("listed, but {times} of them did not survive: {file}: {mutant}");
            fine = false;
        }
        fine
    }
}
