use super::*;

const SECRET: Secret = Secret::new([5; 16]);

fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

/// Tries wrong passwords, ten a second; the tenths of a second that were answered.
fn answered(
    failures: &mut Failures,
    source: &str,
    user: &str,
    tenths: std::ops::Range<u64>,
) -> Vec<u64> {
    tenths
        .filter(|tenth| {
            let now = Instant::from_millis(1_000_000 + tenth * 100);
            failures.answers(&SECRET, now, ip(source), user)
        })
        .collect()
}

#[test]
fn after_five_failures_one_answer_a_second() {
    let mut failures = Failures::default();
    let answered = answered(&mut failures, "192.0.2.7", "alice", 0..40);
    assert_eq!(answered, [0, 1, 2, 3, 4, 14, 24, 34]);
}

#[test]
fn a_source_that_tries_many_users_and_a_user_tried_from_many_sources_are_both_slow() {
    let mut failures = Failures::default();
    let users = ["a", "b", "c", "d", "e"];
    for user in users {
        assert_eq!(answered(&mut failures, "192.0.2.7", user, 0..1), [0]);
    }
    assert_eq!(answered(&mut failures, "192.0.2.7", "f", 0..1), []);
    assert_eq!(answered(&mut failures, "192.0.2.8", "f", 0..1), [0]);
    let mut failures = Failures::default();
    for host in 1..=5 {
        assert_eq!(answered(&mut failures, &format!("192.0.2.{host}"), "alice", 0..1), [0]);
    }
    assert_eq!(answered(&mut failures, "192.0.2.6", "alice", 0..1), []);
    assert_eq!(answered(&mut failures, "192.0.2.6", "bob", 0..1), [0]);
}

#[test]
fn an_ipv6_host_cannot_hide_in_its_own_network() {
    let mut failures = Failures::default();
    for host in 1..=5 {
        let source = format!("2001:db8::{host}");
        assert_eq!(answered(&mut failures, &source, &format!("user{host}"), 0..1), [0]);
    }
    assert_eq!(answered(&mut failures, "2001:db8::6", "user6", 0..1), []);
    assert_eq!(answered(&mut failures, "2001:db8:0:1::6", "user6", 0..1), [0]);
}

#[test]
fn failures_are_forgotten_after_a_quiet_minute() {
    let mut failures = Failures::default();
    answered(&mut failures, "192.0.2.7", "alice", 0..5);
    assert_eq!(
        answered(&mut failures, "192.0.2.7", "alice", 604..620),
        [604, 605, 606, 607, 608, 618]
    );
}
