//! What people are told about a wrong scenario file: where, what, and what was expected.

use presently_sim::scenario;
use std::path::Path;

#[test]
fn every_mistake_is_told_with_its_place_and_what_was_expected() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wrong");
    let entries = std::fs::read_dir(&folder).expect("the folder of wrong scenarios");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    assert!(paths.len() >= 15, "{paths:?}");
    for path in paths {
        let name = path.file_name().expect("a file").to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).expect("a file that can be read");
        let mistakes = scenario::read(&name, &text).expect_err(&name);
        insta::assert_snapshot!(name, mistakes.to_string());
    }
}
