//! The lists of requirements hold together: every keyword of the RFCs has a row, every row has a
//! status, every named test exists, and every section that a test cites is listed.

use presently_tests::conformance::{self, EVERY_SHOULD, Rfc, census, evidence};
use std::collections::BTreeMap;

fn lists() -> BTreeMap<u32, Rfc> {
    conformance::load().unwrap_or_else(|why| panic!("{why}"))
}

fn report(rule: &str, faults: &[String]) {
    assert!(faults.is_empty(), "{rule}: {}\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn every_row_has_one_status() {
    let mut faults = Vec::new();
    for (number, rfc) in lists() {
        for (path, row) in &rfc.rows {
            if let Err(why) = row.status() {
                let file = path.file_name().unwrap_or_default().to_string_lossy();
                let what = &row.requirement;
                faults.push(format!("{file}: RFC {number} §{}: {what}: {why}", row.section));
            }
        }
    }
    report("rows without a status", &faults);
}

#[test]
fn every_keyword_of_the_rfcs_has_a_row() {
    let lists = lists();
    let mut faults = Vec::new();
    for (number, sections) in census::load().unwrap_or_else(|why| panic!("{why}")) {
        let Some(rfc) = lists.get(&number) else {
            faults.push(format!("RFC {number} has no list"));
            continue;
        };
        for (section, (must, should)) in sections {
            let counted = rfc.accounted(&section);
            let should = if EVERY_SHOULD.contains(&number) { should } else { counted.1 };
            if counted != (must, should) && !rfc.excludes(&section) {
                let expected = format!("{must} MUST and {should} SHOULD");
                faults.push(format!("RFC {number} §{section}: {expected}, rows for {counted:?}"));
            }
        }
    }
    report("sections whose rows are too few or too many", &faults);
}

#[test]
fn every_named_test_exists() {
    let sources = evidence::sources().unwrap_or_else(|why| panic!("{why}"));
    let mut faults = Vec::new();
    for (number, rfc) in lists() {
        for (_, row) in &rfc.rows {
            for test in &row.tests {
                let found = test.split_once("::").is_some_and(|(file, name)| {
                    sources.get(file).is_some_and(|text| evidence::tests_of(text).contains(name))
                });
                if !found {
                    faults.push(format!("RFC {number} §{}: no test {test}", row.section));
                }
            }
        }
    }
    report("tests that do not exist (file::function)", &faults);
}

#[test]
fn every_cited_section_is_listed() {
    let lists = lists();
    let mut faults = Vec::new();
    for (name, text) in evidence::sources().unwrap_or_else(|why| panic!("{why}")) {
        if !evidence::is_test_source(&name) {
            continue;
        }
        for (number, section) in evidence::citations(&text) {
            if lists.get(&number).is_some_and(|rfc| !rfc.knows(&section)) {
                faults.push(format!("{name}: RFC {number} §{section}"));
            }
        }
    }
    report("sections that tests cite and no list has", &faults);
}

/// Read off the lists, and shown where people look first.
#[test]
fn readme_has_the_table() {
    let (begin, end) = ("<!-- conformance -->\n", "<!-- end of conformance -->");
    let readme = std::fs::read_to_string(evidence::root().join("README.md")).expect("README.md");
    let shown = readme.split_once(begin).and_then(|(_, rest)| rest.split_once(end));
    let table = conformance::render(&lists());
    assert_eq!(shown.expect("its place in README.md").0, table, "put this table there:\n{table}");
}
