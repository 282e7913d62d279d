//! What a replay says of a capsule of this engine, of another, and of a run that held.

use super::*;
use crate::scenario;

/// alice logs in, which is expected, or that she does not.
fn kept(expected: &str) -> Capsule {
    let text = format!(
        "title = \"t\"\nuser = [{{ name = \"alice\" }}]\n\
         timeline = '''\n0s alice login\nexpect {expected} within 5s\n'''\n"
    );
    let plan = scenario::read("t.toml", &text).expect("a scenario");
    let record = world::play(&plan).expect("a run");
    capsule(&plan, &record)
}

fn replayed(capsule: &Capsule) -> Replay {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("capsule.json");
    capsule.write(&path).expect("written");
    replay(&path).expect("understood")
}

const SAME: &str = "The same run, byte for byte.\n";

#[test]
fn a_run_that_held_holds_again() {
    let again = replayed(&kept("alice is registered"));
    assert_eq!(again.outcome(), Outcome::Holds);
    assert!(!again.fails());
    assert_eq!(again.summary(), format!("It held, and it holds.\n{SAME}"));
}

#[test]
fn a_run_that_failed_fails_again() {
    let capsule = kept("alice sees alice open");
    assert_eq!(capsule.failed.len(), 1);
    let again = replayed(&capsule);
    assert_eq!(again.summary(), format!("It fails as it did.\n{SAME}"));
    assert!(again.fails());
}

#[test]
fn what_fails_now_and_did_not_is_a_failure() {
    let held = Capsule { failed: vec![], ..kept("alice sees alice open") };
    let again = replayed(&held);
    assert_eq!(again.summary(), format!("It held, and now it fails.\n{SAME}"));
    let failed = vec![Failure { what: "P5".into(), why: "a word after the last".into() }];
    let otherwise = replayed(&Capsule { failed, ..held });
    let summary = otherwise.summary();
    assert_eq!(summary, format!("What failed then holds, but something else fails.\n{SAME}"));
    assert!(again.fails() && otherwise.fails());
}

/// The corpus: what a former engine did wrong, this one does otherwise.
#[test]
fn runs_of_two_engines_are_not_compared() {
    let failed = vec![Failure { what: "P5".into(), why: "a word after the last".into() }];
    let (engine, hash) = ("0.0.9".to_owned(), "0".repeat(16));
    let old = Capsule { engine, hash, failed, ..kept("alice is registered") };
    let again = replayed(&old);
    assert_eq!((again.same, again.outcome(), again.fails()), (None, Outcome::Mended, false));
    let summary = again.summary();
    assert!(summary.starts_with("What failed then is mended: everything holds.\n"), "{summary}");
    assert!(summary.contains("The capsule is of engine 0.0.9, this is "), "{summary}");
}

#[test]
fn another_run_of_the_same_engine_is_told_as_such() {
    let capsule = Capsule { hash: "0".repeat(16), ..kept("alice is registered") };
    let again = replayed(&capsule);
    assert_eq!(again.same, Some(false));
    assert!(again.summary().contains("Another run than that of the capsule"));
    assert!(!again.fails(), "what holds holds, however it went");
}
