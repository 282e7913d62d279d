//! `presence-sim` as people and CI meet it: what it prints and how it ends.

use std::path::Path;
use std::process::{Command, Output};

fn presence_sim(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_presence-sim"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).args(arguments);
    command.output().expect("presence-sim runs")
}

/// Without what differs from machine to machine.
fn stdout(output: &Output) -> String {
    let text = String::from_utf8(output.stdout.clone()).expect("text");
    let words = text.split_inclusive([' ', '\n']).scan("", |before, word| {
        let number = word.trim_end().parse::<f64>().is_ok();
        let varies = word.contains('×') || (*before == "in " && number);
        *before = word;
        let end = &word[word.trim_end().len()..];
        Some(if varies { format!("…{end}") } else { word.to_owned() })
    });
    words.collect()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("text")
}

#[test]
fn a_scenario_that_holds_lists_what_was_seen_and_ends_with_0() {
    let output = presence_sim(&["run", "scenarios/approval.toml"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    insta::assert_snapshot!(stdout(&output));
    assert_eq!(stderr(&output), "", "no progress is painted where there is no terminal");
}

#[test]
fn what_was_not_seen_is_told_with_what_was_seen_instead_and_the_last_messages() {
    let output = presence_sim(&["run", "tests/failing.toml"]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    insta::assert_snapshot!(stdout(&output));
}

#[test]
fn many_seeds_become_a_table_and_the_first_that_failed_is_told() {
    let files = ["scenarios/approval.toml", "tests/failing.toml"];
    let output = presence_sim(&["run", files[0], files[1], "--seeds", "3..5"]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let text = stdout(&output);
    let rows: Vec<Vec<&str>> =
        text.lines().take(3).map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[1], ["approval", "3", "0", "-", "…"]);
    assert_eq!(rows[2], ["failing", "0", "3", "seed", "3", "…"]);
    assert!(text.contains("presence-sim run tests/failing.toml --seed 3"), "{text}");
    assert!(!text.contains("--seed 4"), "{text}");
}

#[test]
fn a_wrong_file_or_usage_ends_with_2_before_anything_is_played() {
    for (arguments, said) in [
        (vec!["run", "scenarios/approval.toml", "tests/wrong/key.toml"], "did you mean timeline?"),
        (vec!["run", "no-such-file.toml"], "no-such-file.toml: cannot be read"),
        (vec!["run"], "SCENARIO.toml"),
        (vec!["run", "scenarios/approval.toml", "--seeds", "5"], "must be like 1..20"),
        (vec!["run", "scenarios/approval.toml", "--seeds", "5..1"], "must not end before"),
        (vec!["help", "scenaro"], "scenaro"),
    ] {
        let output = presence_sim(&arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert_eq!(stdout(&output), "", "{arguments:?}");
        assert!(stderr(&output).contains(said), "{arguments:?}: {}", stderr(&output));
    }
}

#[test]
fn help_scenario_prints_the_whole_language() {
    let output = presence_sim(&["help", "scenario"]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&output.stdout), presently_sim::scenario::HELP);
}

/// What a run leaves behind.
const LEFT: [&str; 5] = ["report.html", "junit.xml", "trace.pcap", "trace.jsonl", "capsule.json"];

#[test]
fn a_report_is_written_for_each_scenario_or_for_the_first_seed_that_failed() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().to_str().expect("text");
    let files = ["scenarios/approval.toml", "tests/failing.toml"];
    let output = presence_sim(&["run", files[0], files[1], "--seeds", "3..4", "--out", out]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(!folder.path().join("approval").exists(), "it held");
    let report = folder.path().join("failing");
    for name in LEFT {
        assert!(report.join(name).metadata().expect(name).len() > 0, "{name} is empty");
    }
    let taken = Path::new(out).join("taken");
    std::fs::write(&taken, "a file").expect("written");
    let taken = taken.to_str().expect("text");
    let output = presence_sim(&["run", "scenarios/approval.toml", "--out", taken]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("cannot be written"), "{}", stderr(&output));
}

#[test]
fn the_capsule_of_a_run_is_replayed_byte_for_byte_whether_it_held_or_failed() {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = |name: &str| folder.path().join(name).to_str().expect("text").to_owned();
    for (file, code, said) in [
        ("scenarios/approval.toml", 0, "It held, and it holds.\n"),
        ("tests/failing.toml", 1, "It fails as it did.\n"),
    ] {
        let (first, again) = (dir("first"), dir("again"));
        let output = presence_sim(&["run", file, "--out", &first]);
        assert_eq!(output.status.code(), Some(code), "{}", stderr(&output));
        let capsule = format!("{first}/capsule.json");
        let output = presence_sim(&["replay", &capsule, "--out", &again]);
        assert_eq!(output.status.code(), Some(code), "{}", stderr(&output));
        let text = stdout(&output);
        assert!(text.ends_with(&format!("{said}The same run, byte for byte.\n")), "{text}");
        for name in LEFT {
            let read = |dir: &str| std::fs::read(Path::new(dir).join(name)).expect(name);
            assert!(read(&first) == read(&again), "{name} differs");
        }
    }
}

#[test]
fn a_capsule_of_the_corpus_is_told_to_be_mended() {
    let output = presence_sim(&["replay", "corpus/left-while-the-server-restarted.json"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = stdout(&output);
    assert!(text.starts_with("What failed then is mended: everything holds.\n"), "{text}");
}

/// Equal seeds give equal runs in any process, however many threads it has.
#[test]
fn two_processes_write_the_same_hashes() {
    let folder = tempfile::tempdir().expect("a folder");
    let hashes = ["1", "2"].map(|threads| {
        let path = folder.path().join(threads);
        let name = path.to_str().expect("text");
        let output =
            presence_sim(&["search", "--seeds", "1..6", "--threads", threads, "--hashes", name]);
        assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
        std::fs::read_to_string(path).expect("the hashes")
    });
    let mut runs: Vec<&str> = hashes[0].lines().filter_map(|line| line.split(' ').nth(1)).collect();
    runs.sort_unstable();
    runs.dedup();
    assert_eq!(runs.len(), 6, "{}", hashes[0]);
    assert_eq!(hashes[0], hashes[1]);
}
