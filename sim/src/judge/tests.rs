use super::*;
use crate::plan::{Act, ServerPlan, Step, UserPlan, Weather};
use crate::world::play;

fn device(user: &str) -> DeviceName {
    DeviceName { user: user.into(), device: String::new() }
}

pub(crate) fn order(at_ms: u64, user: &str, line: &str) -> Step {
    Step { at_ms, act: Act::Order(device(user), line.into()) }
}

fn sees(when: When, basic: &str) -> Expectation {
    let (watcher, whom) = (device("alice"), "bob".to_owned());
    let claim = Claim::Sees { watcher, whom, basic: basic.into(), note: None };
    Expectation { text: format!("alice sees bob {basic}"), when, claim }
}

/// Somebody without anything special.
pub(crate) fn user(name: &str) -> UserPlan {
    UserPlan { name: name.into(), devices: Vec::new(), refresh: 3600, nat: false, paper: false }
}

/// bob publishes at 1 s, alice watches him at 2 s, he allows it at 5 s.
pub(crate) fn morning() -> Plan {
    let login = |user: &str| Step { at_ms: 0, act: Act::Login(device(user)) };
    Plan {
        title: "a morning".into(),
        story: String::new(),
        seed: 1,
        duration_ms: 20_000,
        server: ServerPlan::default(),
        users: vec![user("alice"), user("bob")],
        network: Weather::default(),
        steps: vec![
            login("alice"),
            login("bob"),
            order(1000, "bob", "winfo"),
            order(1000, "bob", "presence open at my desk"),
            order(2000, "alice", "watch bob"),
            order(5000, "bob", "allow alice"),
        ],
        expectations: Vec::new(),
    }
}

fn judged(plan: &Plan) -> Vec<Verdict> {
    judge(plan, &play(plan).expect("a plan that can be played"))
}

#[test]
fn what_is_expected_is_found_when_it_happens() {
    let mut plan = morning();
    let within = |from_ms, until_ms| When::Within { from_ms, until_ms };
    plan.expectations = vec![
        sees(within(5000, 7000), "open"),
        sees(within(0, 4999), "open"),
        sees(When::Eventually, "open"),
        sees(When::Never { from_ms: 0 }, "closed"),
        sees(When::Never { from_ms: 0 }, "open"),
    ];
    let verdicts = judged(&plan);
    let held: Vec<bool> = verdicts.iter().map(|verdict| verdict.held).collect();
    assert_eq!(held, [true, false, true, true, false], "{verdicts:#?}");
    assert!((5000..5200).contains(&verdicts[0].at_ms.expect("it came true")));
    assert_eq!(verdicts[1].instead, "sees bob nothing “pending”");
    assert_eq!(verdicts[4].at_ms, verdicts[0].at_ms);
}

#[test]
fn equal_plans_give_equal_records_and_other_seeds_others() {
    let mut plan = morning();
    plan.network = Weather { jitter_ms: 30, loss: 0.1, duplicate: 0.1, ..Weather::default() };
    let first = play(&plan).expect("a run");
    let second = play(&plan).expect("a run");
    assert_eq!(first.hash(), second.hash());
    plan.seed = 2;
    assert_ne!(first.hash(), play(&plan).expect("a run").hash());
}

#[test]
fn what_was_known_goes_with_its_subscription_and_with_the_program() {
    let mut plan = morning();
    plan.steps.extend([
        order(8000, "bob", "block alice"),
        order(11_000, "bob", "winfo 0"),
        Step { at_ms: 14_000, act: Act::Crash(Party::Device(device("bob"))) },
    ]);
    let within = |from_ms, until_ms| When::Within { from_ms, until_ms };
    let claimed = |when, claim| Expectation { text: "claimed".into(), when, claim };
    let rows = |rows: &[(&str, &str)]| {
        let rows = rows.iter().map(|(who, status)| ((*who).into(), (*status).into())).collect();
        Claim::Watchers { owner: device("bob"), rows }
    };
    let registered = |registered| Claim::Registered { device: device("bob"), registered };
    plan.expectations = vec![
        sees(within(8000, 9000), "nothing"),
        sees(When::Never { from_ms: 9000 }, "open"),
        claimed(within(5000, 6000), rows(&[("alice", "active")])),
        claimed(within(11_000, 12_000), rows(&[])),
        claimed(within(13_000, 13_000), registered(true)),
        claimed(within(14_000, 14_000), registered(false)),
    ];
    let verdicts = judged(&plan);
    assert!(verdicts.iter().all(|verdict| verdict.held), "{verdicts:#?}");
}
