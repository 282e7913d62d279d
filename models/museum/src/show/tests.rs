//! What is run, and when it is not as it should be.

use super::*;

fn search(quarter: bool) -> Job {
    let hunter = Hunter::Search { property: "P48".into(), quarter };
    Job { exhibit: Some("leak".into()), hunter }
}

fn found(killer: &str, steps: usize, whole: usize) -> Outcome {
    Outcome { killed_by: Some(killer.into()), steps, whole, ..Outcome::default() }
}

#[test]
fn every_hunter_runs_and_so_does_every_model_without_fault() {
    let text = "title = 't'\nstory = 's'\nmodel = 'C2a'\nlaw = 'L'\nsearch = 'P48'\n";
    let exhibit: Exhibit = toml::from_str(text).expect("an exhibit");
    let jobs = jobs(&[&exhibit], true);
    let sound = jobs.iter().filter(|job| job.exhibit.is_none()).count();
    assert_eq!((jobs.len(), sound), (4, 2));
}

#[test]
fn a_fault_that_survives_or_is_found_by_something_else_is_told() {
    let survived = Outcome { count: 7, ..Outcome::default() };
    assert_eq!(judge(&search(false), &survived).as_deref(), Some("survives 7 seeds"));
    let other = judge(&search(false), &found("P6", 1, 9)).expect("another property");
    assert!(other.starts_with("was found by P6, not by P48"), "{other}");
    assert_eq!(judge(&search(false), &found("P48", 9, 9)), None);
}

#[test]
fn a_capsule_of_more_than_a_quarter_is_told_where_that_counts() {
    assert_eq!(judge(&search(true), &found("P48", 10, 40)), None);
    let large = judge(&search(true), &found("P48", 11, 40));
    assert_eq!(large.as_deref(), Some("11 of 40 steps are left after 0 s"));
}

#[test]
fn something_found_without_any_fault_is_told() {
    let sound = Job { exhibit: None, ..search(false) };
    assert_eq!(judge(&sound, &Outcome::default()), None);
    assert!(judge(&sound, &found("P48", 1, 2)).is_some());
    let vacuous = Outcome { told: "VACUOUS sActive".into(), ..Outcome::default() };
    assert_eq!(judge(&sound, &vacuous).as_deref(), Some("without any fault: VACUOUS sActive"));
}
