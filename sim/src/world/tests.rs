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
    UserPlan { name: name.into(), devices: Vec::new(), refresh: 3600, nat, paper: false }
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
        What::Told { .. } | What::Stream { .. } | What::Step(_) | What::Trouble { .. } => None,
    });
    assert_eq!(fates.next(), Some((10, Fate::Cut)));
    assert!(fates.filter(|(at, _)| *at < 5000).all(|(_, fate)| fate == Fate::Cut));
}

/// alice watches bob, and everything lasts a minute.
fn watching(more: Vec<Step>) -> Plan {
    let order = |at_ms, user: &str, line: &str| {
        let act = Act::Order(device(user), line.into());
        Step { at_ms, act }
    };
    let mut steps = vec![
        Step { at_ms: 0, act: Act::Login(device("alice")) },
        Step { at_ms: 0, act: Act::Login(device("bob")) },
        order(1000, "bob", "presence open here"),
        order(2000, "alice", "watch bob"),
    ];
    steps.extend(more);
    let mut users = vec![user("alice", false), user("bob", false)];
    users.iter_mut().for_each(|user| user.refresh = 60);
    let server = ServerPlan { default_policy: "allow".into(), ..ServerPlan::default() };
    Plan { server, duration_ms: 100_000, ..plan(users, steps) }
}

/// When the server sent what.
fn said_by_server(record: &Record) -> Vec<(u64, String)> {
    let said = record.entries.iter().filter_map(|entry| match &entry.what {
        What::Datagram { from, bytes, .. } if *from == server::ADDRESS => {
            Some((entry.at_ms, String::from_utf8_lossy(bytes).into_owned()))
        }
        What::Datagram { .. }
        | What::Told { .. }
        | What::Stream { .. }
        | What::Step(_)
        | What::Trouble { .. } => None,
    });
    said.collect()
}

#[test]
fn a_server_that_stalls_says_nothing_and_then_finds_what_was_sent_in_time() {
    let stall = Step { at_ms: 50_000, act: Act::Stall(Party::Server, 20_000) };
    let record = play(&watching(vec![stall])).expect("a run");
    let sent = record.entries.iter().filter(|entry| {
        let asked = matches!(&entry.what, What::Datagram { to, fate: Fate::Arrives { .. }, .. }
            if *to == server::ADDRESS);
        asked && (50_000..70_000).contains(&entry.at_ms)
    });
    assert!(sent.count() >= 3, "everything is refreshed meanwhile");
    let said = said_by_server(&record);
    assert!(said.iter().all(|(at, _)| !(50_000..70_000).contains(at)), "it stood still");
    let answers = said.iter().filter(|(at, text)| *at == 70_000 && text.starts_with("SIP/2.0 200"));
    assert!(answers.count() >= 3, "all of it is answered at once");
    // All of it ran out at about 62 s, and was refreshed before that.
    assert!(said.iter().all(|(_, text)| !text.contains("terminated")), "{said:#?}");
}

/// What is granted after a stall lasts as long as the answer says; what is sent after it waits as
/// long for an answer as ever, and its copies are known.
#[test]
fn what_a_server_does_when_it_catches_up_begins_then_and_not_when_it_fell_asleep() {
    for seed in 0..5 {
        let stall = Step { at_ms: 30_000, act: Act::Stall(Party::Server, 45_000) };
        let mut plan = watching(vec![stall]);
        plan.duration_ms = 300_000;
        plan.seed = seed;
        plan.network.latency_ms = 200;
        let said = said_by_server(&play(&plan).expect("a run"));
        let lost = said.iter().filter(|(at, text)| {
            // What clients gave up meanwhile they begin anew, until then.
            let refused = text.starts_with("SIP/2.0 412") || text.starts_with("SIP/2.0 481");
            *at > 90_000 && (refused || text.contains("terminated"))
        });
        assert_eq!(lost.collect::<Vec<_>>(), Vec::<&(u64, String)>::new(), "seed {seed}");
    }
}

#[test]
fn a_device_that_stalls_takes_its_orders_later() {
    let order = Act::Order(device("alice"), "message bob lunch".into());
    let steps = vec![
        Step { at_ms: 10_000, act: Act::Stall(Party::Device(device("alice")), 9000) },
        // Within the first, and over before it.
        Step { at_ms: 11_000, act: Act::Stall(Party::Device(device("alice")), 1000) },
        Step { at_ms: 13_000, act: order },
    ];
    let record = play(&watching(steps)).expect("a run");
    let read = record.told().find_map(|(at, device, event)| match event {
        presently_engine::agent::Event::Message { .. } => Some((at, device.user.clone())),
        _ => None,
    });
    let (at, reader) = read.expect("the message comes");
    assert_eq!(reader, "bob");
    assert!((19_000..20_000).contains(&at), "{at}");
}

#[test]
fn a_program_that_starts_anew_does_not_stall() {
    let steps = vec![
        Step { at_ms: 10_000, act: Act::Stall(Party::Server, 60_000) },
        Step { at_ms: 11_000, act: Act::Crash(Party::Server) },
        Step { at_ms: 12_000, act: Act::Start(Party::Server) },
    ];
    let said = said_by_server(&play(&watching(steps)).expect("a run"));
    assert!(said.iter().any(|(at, _)| (12_000..20_000).contains(at)), "{said:#?}");
}

/// R53: who runs does not notice; who starts lives in the new time.
#[test]
fn a_jump_of_the_clock_is_found_by_the_next_start_only() {
    let hour = 3_600_000;
    let jump = Step { at_ms: 20_000, act: Act::ClockStep(Party::Server, hour) };
    let without_steps = |plan: &Plan| {
        let mut record = play(plan).expect("a run");
        record.entries.retain(|entry| !matches!(entry.what, What::Step(_)));
        record
    };
    let calm = without_steps(&watching(vec![]));
    assert_eq!(without_steps(&watching(vec![jump.clone()])), calm);
    let restart = vec![
        Step { at_ms: 30_000, act: Act::Crash(Party::Server) },
        Step { at_ms: 31_000, act: Act::Start(Party::Server) },
    ];
    let stamped = |steps: Vec<Step>| {
        let order = Act::Order(device("bob"), "presence closed later".into());
        let steps = steps.into_iter().chain([Step { at_ms: 90_000, act: order }]);
        let said = said_by_server(&play(&watching(steps.collect())).expect("a run"));
        let (_, last) = said.into_iter().rfind(|(_, text)| text.contains("later")).expect("a note");
        let (_, rest) = last.split_once("<timestamp>").expect("a timestamp");
        rest.split_once('<').expect("its end").0.to_owned()
    };
    let right = stamped(restart.clone());
    let ahead = stamped([vec![jump], restart].concat());
    assert!(right.starts_with("2026-05-04T09:31:30"), "{right}");
    assert!(ahead.starts_with("2026-05-04T10:31:30"), "{ahead}");
}

#[test]
fn a_server_that_a_full_disk_ended_can_be_started_again() {
    let steps = vec![
        Step { at_ms: 10_000, act: Act::FailDisk(true) },
        Step { at_ms: 60_000, act: Act::FailDisk(false) },
        Step { at_ms: 61_000, act: Act::Start(Party::Server) },
    ];
    let record = play(&watching(steps)).expect("a run");
    let troubles = record.entries.iter().filter(|entry| matches!(entry.what, What::Trouble { .. }));
    assert_eq!(troubles.count(), 1, "its first commit ended it");
    let said = said_by_server(&record);
    assert!(said.iter().any(|(at, text)| *at > 61_000 && text.starts_with("NOTIFY")), "{said:#?}");
}

#[test]
fn the_run_goes_on_while_a_server_stops() {
    let steps = vec![
        Step { at_ms: 10_000, act: Act::Stall(Party::Server, 60_000) },
        Step { at_ms: 11_000, act: Act::Stop },
        Step { at_ms: 12_000, act: Act::Crash(Party::Device(device("alice"))) },
        Step { at_ms: 13_000, act: Act::Start(Party::Server) },
    ];
    let record = play(&watching(steps)).expect("a run");
    let late = record.entries.iter().filter(|entry| match &entry.what {
        What::Step(step) => step.at_ms != entry.at_ms,
        What::Datagram { .. } | What::Told { .. } | What::Stream { .. } | What::Trouble { .. } => {
            false
        }
    });
    assert_eq!(late.count(), 0);
    let said = said_by_server(&record);
    assert!(said.iter().any(|(at, _)| (13_000..20_000).contains(at)), "{said:#?}");
}
