use super::*;
use crate::plan::{Act, Claim, DeviceName, Party, Step};

/// A scenario of alice, bob with two devices and three workers, with these lines.
fn with(timeline: &str) -> Plan {
    let text = format!(
        "title = \"t\"\n\
         user = [{{ name = \"alice\", nat = true }}, {{ name = \"bob\", devices = [\"desk\", \"phone\"] }}]\n\
         crowd = [{{ name = \"worker\", count = 3 }}]\n\
         network = {{ latency = \"30ms\", loss = 0.1 }}\n\
         timeline = '''\n{timeline}'''\n"
    );
    read("t.toml", &text).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

fn device(name: &str) -> DeviceName {
    let (user, device) = name.split_once('/').unwrap_or((name, ""));
    DeviceName { user: user.into(), device: device.into() }
}

fn party(name: &str) -> Party {
    Party::Device(device(name))
}

fn whens(plan: &Plan) -> Vec<When> {
    plan.expectations.iter().map(|expectation| expectation.when).collect()
}

#[test]
fn a_user_with_several_devices_stands_for_all_of_them() {
    let plan = with("1s bob login\n+500ms bob/phone crash\n");
    let step = |at_ms, act| Step { at_ms, act };
    assert_eq!(
        plan.steps,
        [
            step(1000, Act::Login(device("bob/desk"))),
            step(1000, Act::Login(device("bob/phone"))),
            step(1500, Act::Crash(party("bob/phone"))),
        ]
    );
    assert_eq!(plan.duration_ms, 6500, "five seconds behind the last line");
}

#[test]
fn a_cut_is_one_way_or_both_for_every_device() {
    let plan = with("0s cut bob to server\n0s cut server from alice\n");
    let cuts: Vec<_> = plan.steps.into_iter().map(|step| step.act).collect();
    let cut = |from, to, both| Act::Cut { from, to, both };
    assert_eq!(
        cuts,
        [
            cut(party("bob/desk"), Party::Server, false),
            cut(party("bob/phone"), Party::Server, false),
            cut(Party::Server, party("alice"), true),
        ]
    );
}

#[test]
fn weather_changes_what_is_named_and_clears_to_what_the_network_is() {
    let plan = with("0s weather loss=0.5\n1s weather jitter=1s\n2s weather clear\n");
    let at = |step: &Step| match &step.act {
        Act::Weather(weather) => (weather.latency_ms, weather.jitter_ms, weather.loss),
        other => panic!("{other:?}"),
    };
    let told: Vec<_> = plan.steps.iter().map(at).collect();
    assert_eq!(told, [(30, 0, 0.5), (30, 1000, 0.5), (30, 0, 0.1)]);
}

#[test]
fn a_line_about_a_crowd_is_a_line_for_each_spread_over_time() {
    let plan = with("10s every worker over 3s watch worker{n+1}\n");
    let told: Vec<_> =
        plan.steps.iter().map(|step| (step.at_ms, format!("{:?}", step.act))).collect();
    let order = |at: u64, who: &str, whom: &str| {
        (at, format!("{:?}", Act::Order(device(who), format!("watch {whom}"))))
    };
    let expected = [
        order(10_000, "worker1", "worker2"),
        order(11_000, "worker2", "worker3"),
        order(12_000, "worker3", "worker1"),
    ];
    assert_eq!(told, expected);
}

#[test]
fn spread_lines_are_taken_in_the_order_of_time() {
    let plan = with("10s every worker over 3s login\n11s bob/desk login\n");
    let times: Vec<u64> = plan.steps.iter().map(|step| step.at_ms).collect();
    assert_eq!(times, [10_000, 11_000, 11_000, 12_000]);
}

#[test]
fn what_somebody_says_may_have_the_words_of_the_language() {
    let said = "message alice every worker over 3s expects [\"nothing\"]";
    let plan = with(&format!("0s bob/desk {said}\n"));
    assert_eq!(plan.steps[0].act, Act::Order(device("bob/desk"), said.into()));
}

#[test]
fn an_expectation_has_the_time_of_the_line_above() {
    let plan = with(
        "2s alice login\n\
         expect alice is registered within 3s\n\
         expect alice is registered\n\
         never alice sees bob open\n\
         eventually alice is registered\n\
         7s expect alice is not registered\n",
    );
    assert_eq!(
        whens(&plan),
        [
            When::Within { from_ms: 2000, until_ms: 5000 },
            When::Within { from_ms: 2000, until_ms: 2000 },
            When::Never { from_ms: 2000 },
            When::Eventually,
            When::Within { from_ms: 7000, until_ms: 7000 },
        ]
    );
    assert_eq!(plan.expectations[0].text, "expect alice is registered within 3s");
}

#[test]
fn a_number_of_messages_also_says_that_there_is_never_one_more() {
    let plan = with("2s alice login\nexpect exactly one message \"a b\" at alice within 1s\n");
    let claim = |count| Claim::Messages { reader: device("alice"), text: "a b".into(), count };
    let told: Vec<_> =
        plan.expectations.into_iter().map(|found| (found.when, found.claim)).collect();
    let expected = [
        (When::Within { from_ms: 2000, until_ms: 3000 }, claim(1)),
        (When::Never { from_ms: 0 }, claim(2)),
    ];
    assert_eq!(told, expected);
}

#[test]
fn watchers_are_a_list_in_any_order() {
    let plan =
        with("0s bob login\nexpect bob/desk's watchers are [ worker2 pending,alice active ]\n");
    let row = |who: &str, status: &str| (who.to_owned(), status.to_owned());
    let rows = vec![row("alice", "active"), row("worker2", "pending")];
    assert_eq!(plan.expectations[0].claim, Claim::Watchers { owner: device("bob/desk"), rows });
}

#[test]
fn a_mistake_behind_escapes_and_folded_lines_is_where_it_was_written() {
    let text = "title = \"t\"\r\nuser = [{ name = \"alice\" }]\r\n\
                timeline = \"\"\"\\\r\n   0s alice message alice \\\"\\u00fc\\t\\\"\r\n\
                1s ali\\u0063e watch \\\r\n  nobody\"\"\"\r\n";
    let mistakes = read("t.toml", text).expect_err("there is no nobody");
    let [mistake] = &*mistakes.0 else { panic!("{mistakes}") };
    assert_eq!((mistake.line, mistake.column), (6, 3), "{mistake}");
}

#[test]
fn nobody_in_the_cast_can_be_called_by_a_full_address() {
    let plan = with("0s alice watch nobody@example.org\n0s alice message sip:x@y.example hello\n");
    assert_eq!(plan.steps.len(), 2);
}

#[test]
fn the_example_of_the_help_is_a_scenario_and_the_readme_has_the_help() {
    let example: String = HELP
        .lines()
        .skip_while(|line| !line.starts_with("  title"))
        .take_while(|line| !line.starts_with("FILE"))
        .map(|line| format!("{}\n", line.strip_prefix("  ").unwrap_or(line)))
        .collect();
    let plan = read("help", &example).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    assert_eq!((plan.title.as_str(), plan.expectations.len()), ("lunch", 9));
    let readme = include_str!("../../README.md");
    assert!(readme.contains(HELP), "sim/README.md must have scenario/help.txt as it is");
}

#[test]
fn a_machine_stalls_or_its_clock_jumps() {
    let plan =
        with("1s server stalls 1.5s\n1s server clock -90s\n2s bob stalls 1m\n2s alice clock +1h\n");
    let acts: Vec<_> = plan.steps.into_iter().map(|step| step.act).collect();
    assert_eq!(
        acts,
        [
            Act::Stall(Party::Server, 1500),
            Act::ClockStep(Party::Server, -90_000),
            Act::Stall(party("bob/desk"), 60_000),
            Act::Stall(party("bob/phone"), 60_000),
            Act::ClockStep(party("alice"), 3_600_000),
        ]
    );
    assert_eq!(plan.duration_ms, 67_000, "five seconds behind the end of the stall");
}
