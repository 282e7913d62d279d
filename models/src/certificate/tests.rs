use super::*;
use crate::catalogue::{Depth, plans};
use crate::run::{Limits, check};
use presently_engine::server::Server;
use std::time::Duration;

#[test]
fn dates_are_those_of_the_calendar() {
    assert_eq!(date(0), "1970-01-01T00:00:00Z");
    assert_eq!(date(951_782_399), "2000-02-28T23:59:59Z");
    assert_eq!(date(951_782_400), "2000-02-29T00:00:00Z");
    assert_eq!(date(1_735_689_599), "2024-12-31T23:59:59Z");
    assert_eq!(date(1_777_887_000), "2026-05-04T09:30:00Z");
    assert_eq!(date(4_107_542_400), "2100-03-01T00:00:00Z");
}

fn checked(limits: Limits) -> Report {
    let plan = plans(Depth::Quick).into_iter().find(|plan| plan.name == "C2a").expect("C2a");
    check::<Server>(plan, limits, &mut |_| {})
}

fn limits() -> Limits {
    Limits {
        states: 100_000,
        time: Duration::from_secs(60),
        threads: 1,
        shortening: 10_000,
        memory: None,
    }
}

#[test]
fn what_was_checked_is_written_and_read_again() {
    let report = checked(limits());
    let written = Certificate::new("quick", &["C2a"], &[report], 0);
    assert_eq!(Certificate::parse(&written.text()), Ok(written.clone()));
    assert_eq!((written.engine.as_str(), written.budget.as_str()), (SOURCE_HASH, "quick"));
    let model = &written.models[0];
    assert_eq!((model.verdict.as_str(), model.complete), ("holds", true));
    assert!(model.held.contains(&"P2 NoDocBeforeApproval".to_owned()), "{:?}", model.held);
    assert!(model.seen.contains(&"sPending".to_owned()), "{:?}", model.seen);
    assert!(model.states > 50 && written.states == model.states);
    assert_eq!(written.covers(SOURCE_HASH), Ok(()));
}

#[test]
fn another_engine_is_not_covered() {
    let written = Certificate::new("quick", &["C2a"], &[checked(limits())], 0);
    let other = "0".repeat(64);
    let void = written.covers(&other).expect_err("another engine");
    assert_eq!(
        void.to_string(),
        format!("engine {SOURCE_HASH} was checked, this is engine {other}")
    );
}

#[test]
fn an_unfinished_run_certifies_nothing() {
    let report = checked(Limits { states: 20, ..limits() });
    let written = Certificate::new("quick", &["C2a"], &[report], 0);
    assert!(!written.holds);
    let void = written.covers(SOURCE_HASH).expect_err("unfinished");
    assert_eq!(void.to_string(), "not everything holds: C2a UNFINISHED: out of states");
}

#[test]
fn a_part_of_the_models_is_no_whole() {
    let written = Certificate::new("ci", &["C2a", "C2b"], &[checked(limits())], 0);
    assert_eq!(written.covers(SOURCE_HASH), Err(Void::LeftOut(vec!["C2b".to_owned()])));
}

#[test]
fn other_files_are_refused_by_name() {
    let text = Certificate::new("quick", &[], &[], 0).text();
    let refused = |text: &str| Certificate::parse(text).expect_err("refused").to_string();
    assert!(refused("{").starts_with("not a certificate: EOF"));
    assert!(refused(&text.replace(KIND, "bill")).ends_with("it says it is a bill"));
    let newer = text.replace("\"format\": 1", "\"format\": 2");
    assert!(refused(&newer).ends_with("format 2; this version reads format 1 only"));
    let more = text.replace("\"format\"", "\"also\": 1, \"format\"");
    assert!(refused(&more).contains("unknown field `also`"), "{}", refused(&more));
}

#[test]
fn the_engine_is_found_in_what_a_program_says_of_itself() {
    let line = format!("presence-server {VERSION}\n");
    assert_eq!(engine_in(&line), Some(SOURCE_HASH));
    assert_eq!(engine_in("presence-server 0.1.0"), None);
    assert_eq!(engine_in("presence-server 0.1.0 (engine 12)"), None);
}
