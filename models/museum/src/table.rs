//! The table of the README: what found each exhibit, without anything that differs from one machine
//! to the next.

use crate::exhibit::{Exhibit, Hunter, Unfit};
use crate::show::Shown;
use std::path::Path;

const README: &str = "models/museum/README.md";
const BEGIN: &str = "<!-- written by presence-museum --write-table -->\n";
const END: &str = "<!-- end of the table -->";

/// The head of the table.
const HEAD: &str = "| exhibit | story | killed by | tool | states or seeds | steps |\n\
                    | --- | --- | --- | --- | --- | --- |\n";

/// A number with its thousands apart.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.char_indices() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// One row of the table; `None` of a run without fault.
pub fn row(exhibits: &[Exhibit], shown: &Shown) -> Option<String> {
    let name = shown.job.exhibit.as_ref()?;
    let exhibit = exhibits.iter().find(|exhibit| exhibit.name == *name)?;
    let (title, story) = (&exhibit.title, &exhibit.story);
    let outcome = shown.outcome.clone().unwrap_or_default();
    let killer = outcome.killed_by.as_deref().unwrap_or("nothing");
    let rest = match &shown.job.hunter {
        Hunter::Model { model, .. } => {
            let about = if outcome.shortest { "" } else { "≤ " };
            let count = grouped(outcome.count);
            format!("{killer} | model {model} | {count} states | {about}{} |", outcome.steps)
        }
        Hunter::Search { .. } => {
            let seeds = if outcome.count == 1 { "seed" } else { "seeds" };
            let (count, steps) = (grouped(outcome.count), outcome.steps);
            format!("{killer} | search | {count} {seeds} | {steps} of {} |", outcome.whole)
        }
        Hunter::Test { file, name } => format!("`{name}` | test, `{file}` | – | – |"),
    };
    Some(format!("| `{name}` {title} | {story} | {rest}"))
}

/// The whole table.
pub fn table(exhibits: &[Exhibit], shown: &[Shown]) -> String {
    let rows = shown.iter().filter_map(|one| row(exhibits, one));
    rows.fold(HEAD.to_owned(), |table, row| table + &row + "\n")
}

/// The table as the README has it.
///
/// # Errors
/// There is none.
pub fn kept(root: &Path) -> Result<String, Unfit> {
    let text = read(root)?;
    let (_, rest) = text.split_once(BEGIN).ok_or_else(missing)?;
    let (table, _) = rest.split_once(END).ok_or_else(missing)?;
    Ok(table.to_owned())
}

/// Puts a table into the README.
///
/// # Errors
/// There is no place for it, or it cannot be written.
pub fn write(root: &Path, table: &str) -> Result<(), Unfit> {
    let text = read(root)?;
    let (before, rest) = text.split_once(BEGIN).ok_or_else(missing)?;
    let (_, after) = rest.split_once(END).ok_or_else(missing)?;
    let text = [before, BEGIN, table, END, after].concat();
    std::fs::write(root.join(README), text).map_err(|error| Unfit(format!("{README}: {error}")))
}

/// The rows that one table has and the other has not.
pub fn differences(kept: &str, found: &str) -> Vec<String> {
    let only = |here: &str, there: &str, mark: char| -> Vec<String> {
        let there: Vec<&str> = there.lines().collect();
        let rows = here.lines().filter(|row| !there.contains(row));
        rows.map(|row| format!("{mark} {row}")).collect()
    };
    [only(kept, found, '-'), only(found, kept, '+')].concat()
}

fn read(root: &Path) -> Result<String, Unfit> {
    std::fs::read_to_string(root.join(README)).map_err(|error| Unfit(format!("{README}: {error}")))
}

fn missing() -> Unfit {
    Unfit(format!("{README} has no place for the table"))
}

#[cfg(test)]
mod tests;
