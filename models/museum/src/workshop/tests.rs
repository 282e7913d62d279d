use super::*;
use crate::root;

/// Both are built into one directory: a planted engine must not pass for the real one.
#[test]
fn no_package_of_the_copy_has_the_version_of_ours() {
    let ours = format!("version = \"{}\"", env!("CARGO_PKG_VERSION"));
    let read = |file: &str| std::fs::read_to_string(root().join(file)).expect("a file of ours");
    let manifest = renumbered(&read("Cargo.toml"));
    assert!(!manifest.lines().any(|line| line == ours) && manifest.contains(PLANTED));
    let (before, after) = (read("Cargo.lock"), renumbered(&read("Cargo.lock")));
    let is_ours = |text: &str| text.matches("\nname = \"presently").count();
    assert_eq!(after.matches(PLANTED).count(), is_ours(&before));
    assert_eq!(after.lines().count(), before.lines().count());
}
