//! The rows that were reached before, as a file: a row that is lost is a scene that no longer
//! happens, and CI has to say so.

use super::{Coverage, Row};
use std::fmt::Write;

const HEAD: &str = "\
# Rows and races that the search of CI comes to; written by
# presence-sim search --coverage FILE --write-coverage.
# A row that is listed and not come to any more fails the search.
";

/// The rows of a coverage as a file, in the order of the list.
pub fn write(coverage: &Coverage) -> String {
    let mut text = HEAD.to_owned();
    for row in Row::ALL.iter().filter(|row| coverage.count(**row) > 0) {
        writeln!(text, "{row:?}").expect("a String takes all");
    }
    text
}

/// The rows that a file has and a coverage has not.
///
/// # Errors
/// A line that names no row.
pub fn lost(file: &str, coverage: &Coverage) -> Result<Vec<Row>, String> {
    let mut lost = Vec::new();
    for (number, line) in (1..).zip(file.lines()) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let row = Row::ALL.iter().find(|row| format!("{row:?}") == line);
        let row = row.ok_or_else(|| format!("line {number}: `{line}` is no row; see --help"))?;
        if coverage.count(*row) == 0 {
            lost.push(*row);
        }
    }
    Ok(lost)
}
