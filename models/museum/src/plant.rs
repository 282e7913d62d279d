//! Plants all faults at once: every replacement of every exhibit, each behind its own switch.

use crate::exhibit::{Exhibit, Unfit};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::Range;
use std::path::Path;

/// Where the switches live in the copy.
pub const SWITCHES: &str = "engine/src/museum.rs";
/// Which fault is switched on is said in this variable of the environment.
pub const VARIABLE: &str = "MUSEUM";

const LIB: &str = "engine/src/lib.rs";

/// One replacement, found in its file.
struct Found<'a> {
    place: Range<usize>,
    exhibit: &'a Exhibit,
    to: &'a str,
}

/// Every file that differs from the workspace, with its text.
///
/// # Errors
/// Which text of which exhibit does not occur exactly once in its file, and which two exhibits want
/// to change the same text; all of it, one line each.
pub fn planted(root: &Path, exhibits: &[Exhibit]) -> Result<BTreeMap<String, String>, Unfit> {
    let mut faults = Vec::new();
    let mut texts: BTreeMap<&str, (String, Vec<Found<'_>>)> = BTreeMap::new();
    for exhibit in exhibits {
        for change in &exhibit.change {
            let (text, found) = texts.entry(&change.file).or_insert_with(|| {
                let text = std::fs::read_to_string(root.join(&change.file));
                (text.unwrap_or_default(), Vec::new())
            });
            let places: Vec<usize> = text.match_indices(&change.from).map(|hit| hit.0).collect();
            match places[..] {
                [at] => {
                    found.push(Found { place: at..at + change.from.len(), exhibit, to: &change.to })
                }
                _ => faults.push(format!(
                    "{}: this text occurs {} times in {}, not once:\n{}",
                    exhibit.name,
                    places.len(),
                    change.file,
                    change.from
                )),
            }
        }
    }
    let mut planted = BTreeMap::new();
    for (file, (text, mut found)) in texts {
        found.sort_by_key(|one| one.place.start);
        for two in found.windows(2).filter(|two| two[0].place.end > two[1].place.start) {
            let (one, other) = (&two[0].exhibit.name, &two[1].exhibit.name);
            faults.push(format!("{one} and {other} change the same text of {file}"));
        }
        if faults.is_empty() {
            planted.insert(file.to_owned(), replaced(&text, &found));
        }
    }
    if !faults.is_empty() {
        return Err(Unfit(faults.join("\n")));
    }
    let lib = match planted.remove(LIB) {
        Some(lib) => lib,
        None => {
            std::fs::read_to_string(root.join(LIB)).map_err(|error| Unfit(error.to_string()))?
        }
    };
    planted.insert(LIB.to_owned(), lib + "\n/// Planted faults.\npub mod museum;\n");
    planted.insert(SWITCHES.to_owned(), switches(exhibits));
    Ok(planted)
}

fn replaced(text: &str, found: &[Found<'_>]) -> String {
    let (mut result, mut done) = (String::new(), 0);
    for one in found {
        result.push_str(&text[done..one.place.start]);
        result.push_str(one.to);
        done = one.place.end;
    }
    result + &text[done..]
}

/// The switches: a function for each exhibit, true in a process that was started with its name.
fn switches(exhibits: &[Exhibit]) -> String {
    let mut text = format!(
        "//! Which planted fault is switched on.\n\n\
         use std::sync::OnceLock;\n\n\
         static ON: OnceLock<u16> = OnceLock::new();\n\n\
         const NAMES: &[&str] = &{:?};\n\n\
         fn on() -> u16 {{\n    *ON.get_or_init(|| match std::env::var({VARIABLE:?}) {{\n        \
         Err(_) => u16::MAX,\n        \
         Ok(name) => match (0..).zip(NAMES).find(|(_, known)| **known == name) {{\n            \
         Some((number, _)) => number,\n            \
         None => panic!(\"no exhibit {{name}}\"),\n        }},\n    }})\n}}\n",
        exhibits.iter().map(|exhibit| &exhibit.name).collect::<Vec<_>>()
    );
    for (number, exhibit) in (0_u16..).zip(exhibits) {
        // A text cannot fail to grow.
        let _ = write!(
            text,
            "\n/// {}\npub fn {}() -> bool {{\n    on() == {number}\n}}\n",
            exhibit.title, exhibit.name
        );
    }
    text
}

#[cfg(test)]
mod tests;
