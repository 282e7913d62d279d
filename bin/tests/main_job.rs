//! The main job with real processes over loopback UDP: traces T1, T10 and T11 of the behaviour.

mod support;

use serde_json::json;
use std::path::PathBuf;
use support::{Agent, Process, Server, finish, program, write_users};
use tempfile::TempDir;

struct House {
    folder: TempDir,
    users: PathBuf,
}

impl House {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let users = folder.path().join("users.toml");
        write_users(&users, &[("alice", "wonderland"), ("bob", "pineapple")]);
        Self { folder, users }
    }

    fn server(&self, listen: &str) -> Server {
        let mut command = program("presence-server");
        command.args(["--domain", "example.org", "--notify-gap", "0", "--listen", listen]);
        command.arg("--users").arg(&self.users);
        command.arg("--data").arg(self.folder.path().join("data"));
        Server::ready(command)
    }
}

/// Alice watches bob, who has allowed it.
fn approved(server: &Server) -> (Agent, Agent) {
    let mut bob = Agent::registered("bob", "pineapple", &server.address);
    bob.say("presence open at the beach");
    bob.say("winfo");
    bob.event("subscription", &[("package", json!("presence.winfo")), ("state", json!("active"))]);

    let mut alice = Agent::registered("alice", "wonderland", &server.address);
    alice.say("watch bob");
    alice.event("subscription", &[("state", json!("pending"))]);
    let alices = json!("sip:alice@example.org");
    let pending = bob.event("watcher", &[("uri", alices.clone()), ("status", json!("pending"))]);
    assert_eq!(pending["cause"], "subscribe");

    bob.say("allow alice");
    bob.event("decided", &[("status", json!(200))]);
    let active = bob.event("watcher", &[("uri", alices), ("status", json!("active"))]);
    assert_eq!((&active["cause"], &active["id"]), (&json!("approved"), &pending["id"]));
    alice.event("subscription", &[("state", json!("active"))]);
    alice.event("presence", &[("basic", json!("open")), ("note", json!("at the beach"))]);
    (alice, bob)
}

#[test]
fn a_watcher_waits_for_approval_then_sees_every_change() {
    let house = House::new();
    let server = house.server("udp:127.0.0.1:0");
    let (mut alice, mut bob) = approved(&server);

    bob.say("presence closed gone fishing");
    alice.event("presence", &[("basic", json!("closed")), ("note", json!("gone fishing"))]);
    bob.say("presence open");
    bob.say("offer audio ready");
    let offer = alice.event("offer", &[("media", json!("audio")), ("mode", json!("ready"))]);
    assert_eq!(offer["usable_codec"], "G722/8000");
    bob.say("offer audio off");
    alice.event("offer", &[("media", json!("audio")), ("mode", json!("off"))]);

    alice.say("message bob are you there?");
    bob.event("message", &[("text", json!("are you there?")), ("stored", json!(false))]);
    alice.event("message-status", &[("state", json!("delivered"))]);

    alice.say("unwatch bob");
    alice.event("subscription", &[("state", json!("terminated")), ("reason", json!("timeout"))]);
    bob.event("watcher", &[("status", json!("terminated")), ("cause", json!("timeout"))]);
    alice.leave();
    bob.leave();
}

#[test]
fn blocking_ends_the_watching_and_polite_blocking_hides_it() {
    let house = House::new();
    let server = house.server("udp:127.0.0.1:0");
    let (mut alice, mut bob) = approved(&server);
    bob.say("polite alice");
    alice.event("presence", &[("basic", json!("closed"))]);
    bob.say("block alice");
    alice.event("subscription", &[("state", json!("terminated")), ("reason", json!("rejected"))]);
}

#[test]
fn a_message_to_somebody_who_is_away_waits_and_is_shown_once() {
    let house = House::new();
    let server = house.server("udp:127.0.0.1:0");
    let mut alice = Agent::registered("alice", "wonderland", &server.address);
    alice.say("message bob see you tomorrow");
    alice.event("message-status", &[("state", json!("stored")), ("status", json!(202))]);

    let mut bob = Agent::registered("bob", "pineapple", &server.address);
    bob.event("message", &[("text", json!("see you tomorrow")), ("stored", json!(true))]);
    bob.leave();
    let mut bob = Agent::registered("bob", "pineapple", &server.address);
    bob.say("message bob to myself");
    let next = bob.event("message", &[]);
    assert_eq!(next["text"], "to myself");
}

#[test]
fn after_a_crash_of_the_server_everybody_finds_back() {
    let house = House::new();
    let mut server = house.server("udp:127.0.0.1:0");
    let (mut alice, mut bob) = approved(&server);
    server.process.crash();
    let server = house.server(&format!("udp:{}", server.address));

    // Any request meets the challenge of the new boot; then everything is asked for anew.
    alice.say("message bob still there?");
    bob.event("message", &[("text", json!("still there?"))]);
    bob.say("presence open after the storm");
    alice.event("presence", &[("note", json!("after the storm"))]);
    drop(server);
}

#[test]
fn a_script_waits_for_events_and_ends_with_an_orderly_logout() {
    let house = House::new();
    let server = house.server("udp:127.0.0.1:0");
    let mut command = program("presence-ua");
    command.args(["--aor", "sip:alice@example.org", "--server", &server.address]);
    command.env("PRESENCE_PASSWORD", "wonderland");
    let script = "wait registered 10\npresence open\nwait published 10\nwacth bob\ncall bob audio\n\
                  wait call state=ended 10\nwatch bob\nwait subscription state=pending 10\n\
                  tables\nquit\nnot read any more\n";
    let output = finish(command, script);
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(0), "{told}");
    for expected in [
        "registered aor=sip:alice@example.org",
        "published etag=",
        "error what=wacth why=\"there is no such command; did you mean watch?\"",
        "call id=1 peer=sip:bob@example.org state=ended status=480",
        "subscription target=sip:bob@example.org package=presence state=pending",
        "tables PST=",
        "logged-out",
    ] {
        assert!(told.lines().any(|line| line.starts_with(expected)), "{expected}\n{told}");
    }
    assert!(!told.contains("not read"), "{told}");
}

#[test]
fn a_wait_in_vain_is_an_error_and_the_exit_code() {
    let house = House::new();
    let server = house.server("udp:127.0.0.1:0");
    let mut command = program("presence-ua");
    command.args(["--json", "--aor", "sip:alice@example.org", "--server", &server.address]);
    command.env("PRESENCE_PASSWORD", "wonderland");
    let output = finish(command, "wait message 0.2\n");
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(told.contains("\"what\":\"wait message\""), "{told}");
    assert!(told.contains("\"event\":\"logged-out\""), "{told}");
}

#[test]
fn a_wrong_password_is_told_and_is_the_exit_code() {
    let house = House::new();
    let server = house.server("udp:127.0.0.1:0");
    let mut mallory = Agent::start("alice", "guess", &server.address);
    let failed = mallory.event("register-failed", &[]);
    assert_eq!((&failed["status"], &failed["retry_ms"]), (&json!(401), &json!(null)));
    assert_eq!(mallory.process.end().code(), Some(1));
}

#[test]
fn an_interrupt_logs_out_as_well() {
    let house = House::new();
    let server = house.server("udp:127.0.0.1:0");
    for signal in ["INT", "TERM"] {
        let mut alice = Agent::registered("alice", "wonderland", &server.address);
        alice.process.signal(signal);
        alice.event("logged-out", &[]);
        assert_eq!(alice.process.wait().code(), Some(0));
    }
}

#[test]
fn the_demo_plays_the_main_job_and_keeps_serving() {
    let mut command = program("presence-server");
    command.args(["--demo", "--listen", "udp:127.0.0.1:0"]);
    let mut demo = Process::start(command);
    let ready = demo.line("ready", |line| line.starts_with("ready "));
    demo.line("the end", |line| line.starts_with("The main job is done"));
    let played = demo.heard.join("\n");
    for seen in [
        "401 Unauthorized (REGISTER)",
        "digest SHA-256 auth-int",
        "Subscription-State: pending",
        "version 1 partial",
        "alice pending/subscribe",
        "bob sees: decided watcher=sip:alice@localhost status=200",
        "alice sees: presence aor=sip:bob@localhost basic=open note=\"in a meeting\"",
        "alice sees: offer aor=sip:bob@localhost",
        "202 Accepted (MESSAGE)",
        "DM-Stored: yes",
        "Subscription-State: terminated;reason=timeout",
        "the tables are as before",
    ] {
        assert!(played.contains(seen), "{seen}\n{played}");
    }
    assert!(!played.contains('\u{1b}'), "colour is for terminals");

    let address = ready.split("udp:").nth(1).expect("a listener");
    let mut guest = program("presence-ua");
    guest.args(["--aor", "sip:carol@localhost", "--server", address]);
    guest.env("PRESENCE_PASSWORD", "christmas");
    assert_eq!(finish(guest, "wait registered 10\n").status.code(), Some(0));
    demo.signal("TERM");
    assert_eq!(demo.wait().code(), Some(0));
}

#[test]
fn a_demo_on_kept_data_plays_again() {
    let folder = tempfile::tempdir().expect("a folder");
    for _ in 0..2 {
        let mut command = program("presence-server");
        command.args(["--demo", "--listen", "udp:127.0.0.1:0", "--data"]).arg(folder.path());
        let mut demo = Process::start(command);
        demo.line("the end", |line| line.starts_with("The main job is done"));
        demo.signal("INT");
        assert_eq!(demo.wait().code(), Some(0));
    }
}

#[test]
fn decisions_of_one_run_last_over_the_next() {
    let house = House::new();
    let server = house.server("udp:127.0.0.1:0");
    for decision in ["allow alice", "block carol"] {
        let mut bob = Agent::registered("bob", "pineapple", &server.address);
        bob.say(decision);
        // The end of input waits for the decision.
        bob.leave();
    }
    let mut alice = Agent::registered("alice", "wonderland", &server.address);
    alice.say("watch bob");
    alice.event("subscription", &[("state", json!("active"))]);
}
