//! What a row names as evidence, looked up in the sources: the tests there are, and the sections
//! that tests cite.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The workspace.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a member of a workspace").to_path_buf()
}

/// Every file below a folder with this extension, in order.
///
/// # Errors
/// A folder that cannot be read.
pub fn files(folder: &Path, extension: &str) -> Result<Vec<PathBuf>, String> {
    let mut found = Vec::new();
    let entries = fs::read_dir(folder).map_err(|why| format!("{}: {why}", folder.display()))?;
    for entry in entries {
        let path = entry.map_err(|why| format!("{}: {why}", folder.display()))?.path();
        if path.is_dir() && !path.ends_with("target") {
            found.extend(files(&path, extension)?);
        } else if path.extension().is_some_and(|it| it == extension) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// The sources of the workspace by their name from its root.
///
/// # Errors
/// A folder or file that cannot be read.
pub fn sources() -> Result<BTreeMap<String, String>, String> {
    let mut found = BTreeMap::new();
    for member in ["engine", "net", "bin", "sim", "models", "tests"] {
        let folder = root().join(member);
        if !folder.exists() {
            continue;
        }
        for path in files(&folder, "rs")? {
            let text =
                fs::read_to_string(&path).map_err(|why| format!("{}: {why}", path.display()))?;
            let name = path.strip_prefix(root()).expect("below the root");
            found.insert(name.to_string_lossy().into_owned(), text);
        }
    }
    Ok(found)
}

/// The functions of a source that `cargo test` runs.
pub fn tests_of(source: &str) -> BTreeSet<&str> {
    let mut found = BTreeSet::new();
    let mut is_test = false;
    for line in source.lines().map(str::trim_start) {
        if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
            is_test = true;
        } else if let Some(place) = line.find("fn ").filter(|_| is_test) {
            let name = line[place + 3..].split(|c: char| !c.is_alphanumeric() && c != '_').next();
            found.extend(name);
            is_test = false;
        }
    }
    found
}

/// The sections that the comments of a source cite, as (RFC, section): `RFC 6665 §4.2.2`.
pub fn citations(source: &str) -> BTreeSet<(u32, String)> {
    let mut found = BTreeSet::new();
    for (place, _) in source.match_indices("RFC ") {
        let mut words = source[place + 4..].splitn(3, ' ');
        let number = words.next().and_then(|word| word.parse().ok());
        let section = words.next().and_then(|word| word.strip_prefix('§'));
        if let (Some(number), Some(section)) = (number, section) {
            let end = section.find(|c: char| !c.is_ascii_alphanumeric() && c != '.');
            let section = section[..end.unwrap_or(section.len())].trim_end_matches('.');
            found.insert((number, section.to_owned()));
        }
    }
    found
}

/// Whether a source is made of tests.
pub fn is_test_source(name: &str) -> bool {
    name.ends_with("/tests.rs") || name.contains("/tests/")
}
