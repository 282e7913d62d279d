//! `presence-check` as a user starts it.

use presently_engine::{SOURCE_HASH, VERSION};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn check(arguments: &[&str]) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_presence-check"));
    program.args(arguments).output().expect("presence-check starts")
}

fn words(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("text");
    (text(&output.stdout), text(&output.stderr))
}

/// Starts it, expects this exit code, and returns what it said on stdout.
fn said(code: i32, arguments: &[&str]) -> String {
    let output = check(arguments);
    let (out, err) = words(&output);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}\n{out}\n{err}");
    out
}

/// The same for what it complains about.
fn complained(code: i32, arguments: &[&str]) -> String {
    let output = check(arguments);
    let (out, err) = words(&output);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}\n{out}\n{err}");
    err
}

fn sources(folder: &Path, root: &Path, found: &mut Vec<(String, PathBuf)>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.strip_prefix(root).expect("inside").to_str().expect("text").to_owned();
        if path.is_dir() && !name.ends_with("tests") {
            sources(&path, root, found);
        } else if name.ends_with(".rs") && !name.ends_with("/tests.rs") {
            found.push((name, path));
        }
    }
}

#[test]
fn the_engine_is_named_by_its_source_as_it_is_now() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../engine/src");
    let mut files = Vec::new();
    sources(&root, &root, &mut files);
    files.sort();
    assert!(files.len() > 50 && files.iter().any(|(name, _)| name == "server/hall.rs"));
    let mut hash = Sha256::new();
    for (name, path) in files {
        let content = std::fs::read(path).expect("a source file");
        hash.update(format!("{name}\0{}\0", content.len()));
        hash.update(content);
    }
    let hash: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(SOURCE_HASH, hash);
}

#[test]
fn it_says_which_engine_it_checks() {
    assert_eq!(said(0, &["--version"]), format!("presence-check {VERSION}\n"));
    assert!(VERSION.contains(SOURCE_HASH));
}

#[test]
fn a_run_ends_with_a_table() {
    let table = said(0, &["C2a"]);
    let row = table.lines().find(|line| line.starts_with("C2a  ")).expect("a row");
    assert!(row.ends_with("holds") && row.contains("2 users; 2 commands"), "{row}");
    let last = table.lines().last().expect("a last line");
    assert!(last.ends_with("everything holds") && last.contains(&SOURCE_HASH[..12]), "{last}");
}

#[test]
fn machines_get_an_object_for_each_model() {
    let text = said(0, &["C2a", "--json"]);
    let report: Value = serde_json::from_str(text.trim()).expect("one object");
    assert_eq!(report["model"], "C2a");
    assert_eq!(report["verdict"], "holds");
    assert_eq!(report["complete"], true);
    assert_eq!(report["engine"], SOURCE_HASH);
    assert_eq!(report["held"], report["laws"].as_array().expect("laws").len());
    assert!(report["states"].as_u64() > Some(50));
}

#[test]
fn a_run_that_is_cut_short_fails_and_says_why() {
    for (limit, why) in [("--states", "states"), ("--memory", "memory"), ("--time", "time")] {
        let least = if limit == "--memory" { "1K" } else { "1" };
        let limits = if limit == "--time" { ["--time", "0"] } else { [limit, least] };
        let text = said(1, &["C2c", limits[0], limits[1], "--threads", "1"]);
        assert!(text.contains(&format!("C2c: UNFINISHED: out of {why}, ")), "{text}");
        let last = text.lines().last().expect("a last line");
        assert!(last.ends_with("1 of 1 do not hold"), "{last}");
    }
}

#[test]
fn a_certificate_covers_the_engine_that_was_checked_and_no_other() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("certificate.json");
    let path = file.to_str().expect("text");
    said(0, &["C2a", "--certificate", path]);
    // A part of the models is written down as a part.
    let part = complained(1, &["verify", path]);
    assert!(part.contains("not checked: ") && part.contains(" C2b, "), "{part}");
    let text = std::fs::read_to_string(&file).expect("the certificate");
    let mut whole: Value = serde_json::from_str(&text).expect("JSON");
    assert!(whole["date"].as_str().expect("a date").ends_with('Z'));
    whole["left_out"] = Value::Array(Vec::new());
    std::fs::write(&file, whole.to_string()).expect("written");
    let server = format!("presence-server {VERSION}");
    for with in [&["verify", path][..], &["verify", path, "--with", &server]] {
        let covered = said(0, with);
        assert!(covered.starts_with(&format!("engine {SOURCE_HASH} was checked on ")), "{covered}");
    }
    let other = server.replace(SOURCE_HASH, &"0".repeat(64));
    let void = complained(1, &["verify", path, "--with", &other]);
    assert!(void.contains("was checked, this is engine 000000"), "{void}");
    assert!(complained(2, &["verify", path, "--with", "1.0"]).contains("--version"));
}

#[test]
fn a_capsule_is_walked_again() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let file = corpus.join("a-login-overtaken-by-its-logout.json");
    let text = said(0, &["replay", file.to_str().expect("text")]);
    assert!(text.contains("  2. alice logs out"), "{text}");
    let last = text.lines().last().expect("a last line");
    assert!(last.contains("M10 LogoutUnbinds held"), "{last}");
    let toml = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    let refused = complained(2, &["replay", toml.to_str().expect("text")]);
    assert!(refused.contains("Cargo.toml: not a capsule"), "{refused}");
}

#[test]
fn the_models_are_listed_in_plain_words() {
    let text = said(0, &["list"]);
    let words = [
        "C2a  one watcher, one decision, a perfect network",
        "     quick     2 users; 2 commands",
        "     always    P2 NoDocBeforeApproval: presence of X is written for W only while",
        "     sometimes sPending: a watcher waits for the owner",
        "     quick     left out",
    ];
    for word in words {
        assert!(text.contains(word), "{word}\n{text}");
    }
}

#[test]
fn wrong_usage_is_named() {
    let unknown = complained(2, &["C99"]);
    assert!(
        unknown.contains("there is no model C99; there are ") && unknown.contains("C2a, "),
        "{unknown}"
    );
    assert!(complained(2, &["--memory", "lots"]).contains("like 6G"));
    let open = complained(2, &["C2a", "--explore", "192.0.2.1:3000"]);
    assert!(open.contains("others can reach that; say --anybody if they may"), "{open}");
    let all = complained(2, &["--explore", "127.0.0.1:0"]);
    assert!(all.contains("--explore takes one model"), "{all}");
    let nowhere = complained(2, &["C2a", "--certificate", "/nowhere/at/all.json"]);
    assert!(nowhere.contains("/nowhere/at/all.json cannot be written"), "{nowhere}");
}
