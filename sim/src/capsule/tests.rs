//! What a capsule keeps, and what it refuses.

use super::*;
use crate::plan::{Act, DeviceName, Party, Step, UserPlan};

fn capsule() -> Capsule {
    let alice = DeviceName { user: "alice".into(), device: String::new() };
    let cut = Act::Cut { from: Party::Server, to: Party::Device(alice.clone()), both: true };
    let user =
        UserPlan { name: "alice".into(), devices: vec![], refresh: 60, nat: true, paper: false };
    let steps = vec![Step { at_ms: 0, act: Act::Login(alice) }, Step { at_ms: 7, act: cut }];
    let plan = Plan {
        title: "a cut".into(),
        story: String::new(),
        seed: u64::MAX,
        duration_ms: 10,
        server: Default::default(),
        users: vec![user],
        network: Default::default(),
        steps,
        expectations: vec![],
    };
    let failed = vec![Failure { what: "P5".into(), why: "a word after the last".into() }];
    Capsule::new(&plan, &Record::default(), failed)
}

#[test]
fn a_capsule_comes_back_from_its_file_as_it_was() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("one.json");
    capsule().write(&path).expect("written");
    assert_eq!(Capsule::read(&path), Ok(capsule()));
    assert!(capsule().is_of_this_engine());
}

#[test]
fn what_is_not_understood_is_refused_by_name() {
    let refused = |from: &str, to: &str| {
        let text = capsule().text();
        let changed = text.replacen(from, to, 1);
        assert_ne!(text, changed, "{from} is not in the capsule");
        Capsule::parse(&changed).expect_err("refused").to_string()
    };
    let format = refused("\"format\": 1", "\"format\": 2");
    assert_eq!(format, "capsule format 2; this version reads format 1 only");
    let deep = refused("\"both\": true", "\"both\": true, \"slowly\": 3");
    assert!(deep.contains("slowly"), "{deep}");
    let name = refused("\"device\": \"\"", "\"device\": \"\", \"colour\": \"red\"");
    let place = "plan.steps[0].act.Login.colour";
    assert_eq!(name, format!("the capsule says `{place}`, which this version does not know"));
    let top = refused("\"hash\"", "\"mood\": 1, \"hash\"");
    assert!(top.contains("unknown field `mood`") && top.contains("line"), "{top}");
    let missing = refused("\"hash\"", "\"hush\"");
    assert!(missing.contains("hush"), "{missing}");
    assert!(Capsule::parse("SUBSCRIBE").is_err());
}

#[test]
fn a_capsule_of_another_engine_is_read_and_known_as_such() {
    let old = Capsule { engine: "0.0.9".into(), ..capsule() };
    let read = Capsule::parse(&old.text()).expect("read");
    assert!(!read.is_of_this_engine());
}

#[test]
fn a_capsule_of_the_models_is_sent_to_its_own_program() {
    let text = "{\"kind\": \"presence-check capsule\", \"format\": 1}";
    let why = Capsule::parse(text).expect_err("another kind").to_string();
    assert!(why.ends_with("try `presence-check replay FILE`"), "{why}");
}
