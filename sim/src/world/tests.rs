//! A run takes no time of the machine that it runs on.

use super::*;
use crate::plan::{ServerPlan, UserPlan, Weather};
use crate::record::Fate;

fn device(user: &str) -> DeviceName {
    DeviceName { user: user.into(), device: String::new() }
}

fn plan(users: Vec<UserPlan>, steps: Vec<Step>) -> Plan {
    Plan {
        title: "a run".into(),
        story: String::new(),
        seed: 1,
        duration_ms: 5000,
        server: ServerPlan::default(),
        users,
        network: Weather::default(),
        steps,
        expectations: Vec::new(),
    }
}

fn user(name: &str, nat: bool) -> UserPlan {
    UserPlan { name: name.into(), devices: Vec::new(), refresh: 3600, nat }
}

#[test]
fn a_run_begins_at_zero_however_long_it_takes_to_set_it_up() {
    let names: Vec<String> = (0..300).map(|number| format!("user{number}")).collect();
    let users = names.iter().map(|name| user(name, false)).collect();
    let login = Step { at_ms: 0, act: Act::Login(device("user0")) };
    let record = play(&plan(users, vec![login])).expect("a run");
    assert_eq!(record.entries[0].at_ms, 0);
    assert_eq!(record.ended_ms, 101_000);
}

#[test]
fn a_cut_separates_a_user_behind_a_translator_too() {
    let cut = Act::Cut { from: Party::Server, to: Party::Device(device("carol")), both: true };
    let steps =
        vec![Step { at_ms: 0, act: cut }, Step { at_ms: 10, act: Act::Login(device("carol")) }];
    let record = play(&plan(vec![user("carol", true)], steps)).expect("a run");
    let mut fates = record.entries.iter().filter_map(|entry| match &entry.what {
        What::Datagram { fate, .. } => Some((entry.at_ms, *fate)),
        What::Told { .. } | What::Step(_) | What::Trouble { .. } => None,
    });
    assert_eq!(fates.next(), Some((10, Fate::Cut)));
    assert!(fates.filter(|(at, _)| *at < 5000).all(|(_, fate)| fate == Fate::Cut));
}
