//! How many keywords of RFC 2119 each section of an RFC has, counted in the RFC's own text. Counted
//! once and kept as `census.toml`, because the texts are not ours to ship.

use std::collections::BTreeMap;

/// MUSTs and SHOULDs by section.
pub type Counts = BTreeMap<String, (u32, u32)>;

/// Reads the census that is kept beside the lists, by RFC.
///
/// # Errors
/// A file that cannot be read, or is no census.
pub fn load() -> Result<BTreeMap<u32, Counts>, String> {
    let by_name: BTreeMap<String, Counts> = super::read(&super::folder().join("census.toml"))?;
    let number = |name: String| name.trim_start_matches("rfc").parse().map_err(|_| name.clone());
    by_name.into_iter().map(|(name, counts)| Ok((number(name)?, counts))).collect()
}

/// Counts an RFC's text (the plain one, with page breaks). Sections without a keyword are left out.
pub fn count(text: &str) -> Counts {
    let mut counts = Counts::new();
    let mut section = "0".to_owned();
    for line in text.lines().map(|line| line.trim_start_matches('\u{c}')) {
        if is_page_break(line) {
            continue;
        }
        if let Some(next) = heading(line).filter(|next| follows(&section, next)) {
            section = next;
            continue;
        }
        let words = || line.split(|c: char| !c.is_ascii_alphanumeric());
        let must = words().filter(|word| ["MUST", "SHALL", "REQUIRED"].contains(word)).count();
        let should = words().filter(|word| ["SHOULD", "RECOMMENDED"].contains(word)).count();
        if must + should > 0 {
            let sum = counts.entry(section.clone()).or_default();
            sum.0 += must as u32;
            sum.1 += should as u32;
        }
    }
    counts
}

fn is_page_break(line: &str) -> bool {
    let line = line.trim_end();
    line.ends_with(']') && line.contains("[Page ")
        || line.starts_with("RFC ")
            && line.len() > 60
            && line[line.len() - 4..].parse::<u32>().is_ok()
}

/// The number of a heading: `4.2.2.  Title` or `Appendix A. Title` at the margin. A line of a table
/// of contents has dots before the page.
fn heading(line: &str) -> Option<String> {
    if line.contains("...") || line.contains(". . ") {
        return None;
    }
    let line = line.strip_prefix("Appendix ").unwrap_or(line);
    let (number, title) = line.split_once(' ')?;
    let number = number.trim_end_matches(['.', ':']);
    let plain = number.split('.').enumerate().all(|(depth, part)| {
        part.parse::<u32>().is_ok() || depth == 0 && part.len() == 1 && ("A".."[").contains(&part)
    });
    (plain && title.trim_start().starts_with(|c: char| !c.is_lowercase()))
        .then(|| number.to_owned())
}

/// Whether a heading can come next: `4.2` is followed by `4.2.1`, `4.3` or `5`, an appendix by
/// anything later. Numbers at the margin that are no headings do not.
fn follows(section: &str, next: &str) -> bool {
    let before: Vec<&str> = section.split('.').collect();
    let after: Vec<&str> = next.split('.').collect();
    let depth = after.len() - 1;
    if after[0].parse::<u32>().is_err() {
        return depth == 0 || after[0] == before[0];
    }
    let Ok(last) = after[depth].parse::<u32>() else { return false };
    if depth > before.len() || before.get(..depth) != after.get(..depth) {
        return false;
    }
    let previous = before.get(depth).map_or(Ok(0), |part| part.parse::<u32>());
    // A number may be skipped: RFC 3261 has no §8.1.3 before §8.1.3.1 in some renderings.
    previous.is_ok_and(|previous| last == previous + 1 || last == previous + 2)
}

#[cfg(test)]
mod tests;
