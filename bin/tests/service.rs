//! The server as its operator sees it: signals, users, pages.

mod support;

use serde_json::{Value, json};
use std::time::{Duration, Instant};
use support::{Agent, Server, program, write_users};

#[test]
fn without_arguments_it_keeps_data_and_says_how_to_add_a_user() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("p.toml");
    std::fs::write(&config, "listen = \"udp:127.0.0.1:0\"").expect("written");
    let mut command = program("presence-server");
    command.current_dir(folder.path()).args(["--config", "p.toml"]);
    let mut server = Server::ready(command);
    let advice = server.process.line("advice", |line| line.starts_with("no users yet"));
    assert!(advice.contains("presence-server user hash sip:alice@localhost"), "{advice}");
    server.process.signal("TERM");
    assert_eq!(server.process.wait().code(), Some(0));
    assert!(folder.path().join("presence-data").is_dir());
}

#[test]
fn every_listener_is_in_the_ready_line() {
    let server = Server::start(&["--memory", "--listen", "udp:[::1]:0"]);
    let ready = &server.process.heard[0];
    assert!(ready.contains(" udp:127.0.0.1:") && ready.contains(" udp:[::1]:"), "{ready}");
    assert!(!ready.contains(":0 ") && !ready.ends_with(":0"), "{ready}");
}

#[test]
fn both_signals_end_it_well_and_a_second_one_at_once() {
    for name in ["TERM", "INT"] {
        let mut server = Server::start(&["--memory"]);
        server.process.signal(name);
        assert_eq!(server.process.wait().code(), Some(0), "{name}");
    }
    let folder = tempfile::tempdir().expect("a folder");
    let users = folder.path().join("users.toml");
    write_users(&users, &[("alice", "a")]);
    let mut server = Server::start(&["--memory", "--users", &users.to_string_lossy()]);
    // A subscriber that does not answer keeps the farewell waiting.
    let mut alice = Agent::registered("alice", "a", &server.address);
    alice.say("winfo");
    alice.event("subscription", &[("state", json!("active"))]);
    alice.process.crash();
    let begun = Instant::now();
    server.process.signal("TERM");
    server.process.line("the farewell", |line| line.starts_with("stopping"));
    server.process.signal("TERM");
    assert_eq!(server.process.wait().code(), Some(0));
    assert!(begun.elapsed() < Duration::from_secs(4), "the farewell alone takes five seconds");
}

#[test]
fn subscribers_are_told_that_the_server_goes() {
    let folder = tempfile::tempdir().expect("a folder");
    let users = folder.path().join("users.toml");
    write_users(&users, &[("alice", "a")]);
    let mut server = Server::start(&["--memory", "--users", &users.to_string_lossy()]);
    let mut alice = Agent::registered("alice", "a", &server.address);
    alice.say("winfo");
    alice.event("subscription", &[("state", json!("active"))]);
    server.process.signal("TERM");
    alice.event("subscription", &[("reason", json!("deactivated"))]);
    assert_eq!(server.process.wait().code(), Some(0));
}

#[test]
fn users_are_read_again_on_sighup_and_a_wrong_file_changes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let users = folder.path().join("users.toml");
    write_users(&users, &[("alice", "a")]);
    let flags = ["--memory", "--users", &users.to_string_lossy(), "--admin", "127.0.0.1:0"];
    let server = Server::start(&flags);
    let mut bob = Agent::start("bob", "b", &server.address);
    bob.event("register-failed", &[("status", json!(401))]);
    assert_eq!(bob.process.end().code(), Some(1), "never registered");

    write_users(&users, &[("bob", "b")]);
    server.process.signal("HUP");
    until(|| {
        let mut bob = Agent::start("bob", "b", &server.address);
        bob.process.end().code() == Some(0)
    });
    std::fs::write(&users, "[[user]]\nname = 3").expect("written");
    server.process.signal("HUP");
    Agent::registered("bob", "b", &server.address).leave();
    let mut alice = Agent::start("alice", "a", &server.address);
    alice.event("register-failed", &[("status", json!(401))]);
}

#[test]
fn operators_see_health_metrics_and_tables() {
    let folder = tempfile::tempdir().expect("a folder");
    let users = folder.path().join("users.toml");
    write_users(&users, &[("alice", "a"), ("bob", "b")]);
    let flags = ["--memory", "--users", &users.to_string_lossy(), "--admin", "127.0.0.1:0"];
    let server = Server::start(&flags);
    assert_eq!(server.page("/healthz"), "ok\n");
    let mut alice = Agent::registered("alice", "a", &server.address);
    alice.say("presence open here");
    alice.event("published", &[]);
    alice.say("watch bob");
    alice.event("subscription", &[("state", json!("pending"))]);
    alice.say("winfo");
    alice.event("subscription", &[("state", json!("active"))]);

    let metrics = server.page("/metrics");
    assert!(metrics.contains("# TYPE presently_requests_answered_total counter"), "{metrics}");
    let registered = "presently_requests_answered_total{method=\"REGISTER\",status=\"200\"} 1";
    assert!(metrics.contains(registered), "{metrics}");
    assert!(metrics.contains("presently_size{of=\"bindings\"} 1"), "{metrics}");
    let every_sample_is_described = metrics
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.split(['{', ' ']).next().unwrap_or_default())
        .all(|name| metrics.contains(&format!("# HELP {name} ")));
    assert!(every_sample_is_described, "{metrics}");

    let tables: Value = serde_json::from_str(&server.page("/tables.json")).expect("JSON");
    assert_eq!(tables["PIT"][0]["note"], "here");
    assert_eq!(tables["PIT"][0]["status"], "open");
    assert_eq!(tables["PST"][0]["target"], "sip:bob@example.org");
    assert_eq!(tables["PST"][0]["from"], "sip:alice@example.org");
    assert_eq!(tables["WT"][0]["watcher"], "sip:alice@example.org");
    assert_eq!(tables["WT"][0]["status"], "pending");
    assert_eq!(tables["WST"][0]["from"], "sip:alice@example.org");
}

#[test]
fn a_laboratory_may_let_everybody_in() {
    let server = Server::start(&["--memory", "--insecure-no-auth"]);
    Agent::registered("whoever", "whatever", &server.address).leave();

    let folder = tempfile::tempdir().expect("a folder");
    let users = folder.path().join("users.toml");
    write_users(&users, &[("*", "one for all")]);
    let server = Server::start(&["--memory", "--users", &users.to_string_lossy()]);
    Agent::registered("whoever", "one for all", &server.address).leave();
    let mut stranger = Agent::start("whoever", "whatever", &server.address);
    stranger.event("register-failed", &[("status", json!(401))]);
}

#[test]
fn six_is_as_good_as_four() {
    let mut command = program("presence-server");
    command.args(["--domain", "example.org", "--memory", "--insecure-no-auth"]);
    command.args(["--listen", "udp:[::1]:0"]);
    let server = Server::ready(command);
    assert!(server.address.starts_with("[::1]:"), "{}", server.address);
    let mut alice = Agent::registered("alice", "any", &server.address);
    alice.say("watch alice");
    alice.event("subscription", &[("state", json!("active"))]);
    alice.leave();
}

/// Repeats `attempt` until it succeeds.
fn until(attempt: impl Fn() -> bool) {
    assert!((0..50).any(|_| attempt()), "never succeeded");
}
