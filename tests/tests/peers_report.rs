//! The report of `peers`: figures, goals and page, from runs that were made up.

use presently_benches::load::Report;
use presently_benches::load::report::{FanOut, Latency, Server};
use presently_benches::peers::{
    Against, Comparison, Figure, GOALS, Measured, Of, Round, Spread, Target, between, text,
};
use std::collections::BTreeMap;

fn done(report: Report) -> Round {
    Round::Done { steps: BTreeMap::from([(String::new(), report)]) }
}

/// A run in which an operation cost the server so much.
fn cost(us: f64) -> Round {
    let server = Server { cpu_us_per_operation: us, ..Server::default() };
    done(Report { server: Some(server), ..Report::default() })
}

/// REGISTER refreshes of Kamailio and of ours in memory, each in some rounds.
fn refreshes(kamailio: &[f64], ours: &[f64]) -> Comparison {
    let rounds = |costs: &[f64]| costs.iter().copied().map(cost).collect();
    let servers = BTreeMap::from([
        (Target::KamailioMemory, rounds(kamailio)),
        (Target::PresentlyMemory, rounds(ours)),
    ]);
    let measured = Measured { servers, ..Measured::default() };
    let operations = BTreeMap::from([("register-refresh".to_owned(), measured)]);
    Comparison { operations, ..Comparison::default() }
}

const REFRESH: Figure = Figure { operation: "register-refresh", step: "", of: Of::Cpu };

#[test]
fn a_figure_is_the_median_of_its_rounds() {
    let comparison = refreshes(&[7.0, 9.0, 6.0], &[3.0, 5.0]);
    let spread = comparison.figure(Target::KamailioMemory, REFRESH);
    assert_eq!(spread, Some(Spread { median: 7.0, least: 6.0, most: 9.0 }));
    let spread = comparison.figure(Target::PresentlyMemory, REFRESH);
    assert_eq!(spread, Some(Spread { median: 4.0, least: 3.0, most: 5.0 }));
    assert_eq!(comparison.figure(Target::PresentlyDurable, REFRESH), None);
}

#[test]
fn a_round_that_failed_is_no_figure_and_is_told() {
    let mut comparison = refreshes(&[7.0], &[]);
    let measured = comparison.operations.get_mut("register-refresh").unwrap();
    let failed = Round::Failed { failed: "kamailio did not become ready".into() };
    measured.servers.get_mut(&Target::KamailioMemory).unwrap().push(failed);
    let spread = comparison.figure(Target::KamailioMemory, REFRESH);
    assert_eq!(spread, Some(Spread { median: 7.0, least: 7.0, most: 7.0 }));
    let line = "- register-refresh, Kamailio, round 2: kamailio did not become ready";
    assert!(text(&comparison).contains(line));
}

#[test]
fn a_goal_is_a_ratio_to_the_other_server_of_the_same_run() {
    let goal = GOALS.iter().find(|goal| goal.title == "REGISTER refresh").unwrap();
    assert_eq!(goal.against, Against::Server(Target::KamailioMemory));
    let reached = goal.verdict(&refreshes(&[8.0], &[3.6]), Target::PresentlyMemory).unwrap();
    assert!(reached.reached && (reached.measured - 0.45).abs() < 1e-9);
    let missed = goal.verdict(&refreshes(&[8.0], &[3.7]), Target::PresentlyMemory).unwrap();
    assert!(!missed.reached);
    assert_eq!(goal.verdict(&refreshes(&[], &[3.7]), Target::PresentlyMemory), None);
    assert_eq!(goal.verdict(&refreshes(&[8.0], &[3.6]), Target::PresentlyDurable), None);
}

#[test]
fn two_shards_must_carry_at_least_so_much_more() {
    let goal = GOALS.iter().find(|goal| goal.figure.operation == "shards-publish").unwrap();
    let rate = |rate| vec![done(Report { rate, ..Report::default() })];
    let two = |one: f64, two: f64| {
        let servers =
            BTreeMap::from([(Target::OneShard, rate(one)), (Target::TwoShards, rate(two))]);
        let measured = Measured { servers, ..Measured::default() };
        let operations = BTreeMap::from([(goal.figure.operation.to_owned(), measured)]);
        let comparison = Comparison { operations, ..Comparison::default() };
        goal.verdict(&comparison, Target::TwoShards).unwrap().reached
    };
    assert!(two(10_000.0, 17_000.0));
    assert!(!two(10_000.0, 16_900.0));
}

#[test]
fn the_last_of_a_thousand_notifies_is_found_among_the_numbers_of_watchers() {
    let fan_out = |watchers, p50| FanOut {
        watchers,
        last_ms: Latency { p50, ..Latency::default() },
        ..FanOut::default()
    };
    let report = Report { fan_out: vec![fan_out(1, 0.5), fan_out(10, 0.75)], ..Report::default() };
    let steps = BTreeMap::from([("few".to_owned(), report)]);
    let servers = BTreeMap::from([(Target::PresentlyMemory, vec![Round::Done { steps }])]);
    let measured = Measured { servers, ..Measured::default() };
    let operations = BTreeMap::from([("publish".to_owned(), measured)]);
    let comparison = Comparison { operations, ..Comparison::default() };
    let last = |watchers| {
        let of = Of::LastNotify(watchers);
        let figure = Figure { operation: "publish", step: "few", of };
        comparison.figure(Target::PresentlyMemory, figure).map(|spread| spread.median)
    };
    assert_eq!((last(1), last(10), last(100)), (Some(0.5), Some(0.75), None));
}

#[test]
fn what_was_lost_or_sent_twice_is_in_the_page() {
    let report = Report {
        timeouts: 2,
        unexpected: BTreeMap::from([("503".to_owned(), 7)]),
        ..Report::default()
    };
    let servers = BTreeMap::from([(Target::PresentlyDurable, vec![done(report)])]);
    let measured = Measured { servers, ..Measured::default() };
    let operations = BTreeMap::from([("message".to_owned(), measured)]);
    let comparison = Comparison { operations, ..Comparison::default() };
    let line = "- message, durable, round 1: 2 without an answer, 7 × 503";
    assert!(text(&comparison).contains(line));
}

#[test]
fn only_what_is_between_the_markers_is_written_anew() {
    let page = "# Title\n<!-- peers -->\nold\n<!-- end of peers -->\nend\n";
    let anew = between(page, "new\n").unwrap();
    assert_eq!(anew, "# Title\n<!-- peers -->\nnew\n<!-- end of peers -->\nend\n");
    assert_eq!(between(&anew, "new\n").as_deref(), Some(anew.as_str()));
    assert_eq!(between("# Title\n", "new\n"), None);
}

#[test]
fn the_report_in_the_repository_is_what_its_page_says() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../benches/peers");
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    let comparison: Comparison = serde_json::from_str(&read("report.json")).unwrap();
    let page = read("README.md");
    assert_eq!(between(&page, &text(&comparison)), Some(page), "peers --rewrite writes it");
}
