//! `presence-ua` as a process: orders in, JSON events out.

use super::process::Process;
use super::{PASSWORD, PATIENCE, aor};
use serde_json::Value;
use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// Fields of an event and their values.
type Fields<'a> = &'a [(&'a str, &'a str)];

/// One user at a terminal.
pub(crate) struct Agent {
    name: String,
    process: Process,
    seen: Vec<Value>,
}

impl Agent {
    /// Starts an agent and waits until it is registered.
    pub(crate) fn login(name: &str, server: SocketAddr) -> Self {
        Self::login_with(name, server, &[])
    }

    /// The same with more on its command line.
    pub(crate) fn login_with(name: &str, server: SocketAddr, more: &[&str]) -> Self {
        Self::login_where(name, server, more, &[])
    }

    /// The same where the environment has more.
    pub(crate) fn login_where(
        name: &str,
        server: SocketAddr,
        more: &[&str],
        environment: &[(&str, &Path)],
    ) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_presence-ua"));
        command.args(["--json", "--aor", &aor(name), "--server", &server.to_string()]);
        command.args(more).envs(environment.iter().copied());
        command.env("PRESENCE_PASSWORD", PASSWORD).stdin(Stdio::piped());
        let process = Process::start(&mut command);
        let mut agent = Self { name: name.to_owned(), process, seen: Vec::new() };
        agent.until("registered", &[]);
        agent
    }

    /// Types one line.
    pub(crate) fn order(&mut self, line: &str) {
        let input = self.process.child().stdin.as_mut().expect("stdin is open");
        writeln!(input, "{line}").expect("the agent takes orders");
    }

    /// Waits for an event with these fields; what comes before it is passed over.
    pub(crate) fn until(&mut self, event: &str, fields: Fields<'_>) -> Value {
        let until = Instant::now() + PATIENCE;
        loop {
            let told = self.next(until, || format!("{event} {fields:?}"));
            if is(&told, event, fields) {
                return told;
            }
        }
    }

    /// Waits for all of these events, in whatever order they come.
    pub(crate) fn all_within(&mut self, patience: Duration, wanted: &[(&str, Fields<'_>)]) {
        let until = Instant::now() + patience;
        let mut missing = wanted.to_vec();
        while !missing.is_empty() {
            let told = self.next(until, || format!("{missing:?}"));
            missing.retain(|(event, fields)| !is(&told, event, fields));
        }
    }

    /// The next event.
    fn next(&mut self, until: Instant, what: impl FnOnce() -> String) -> Value {
        let line = match self.process.line(until) {
            Ok(line) => line,
            Err(error) => {
                panic!("{} waits for {}: {error}; it saw {:#?}", self.name, what(), self.seen)
            }
        };
        let told: Value = serde_json::from_str(&line).expect("every line is a JSON object");
        self.seen.push(told.clone());
        told
    }

    /// How many events with these fields have been seen.
    pub(crate) fn count(&self, event: &str, fields: Fields<'_>) -> usize {
        self.seen.iter().filter(|told| is(told, event, fields)).count()
    }

    /// `kill -9`.
    pub(crate) fn kill(mut self) {
        self.process.kill();
    }

    /// Ends the input and waits for the orderly logout.
    pub(crate) fn logout(mut self) -> ExitStatus {
        drop(self.process.child().stdin.take());
        self.process.ended(PATIENCE)
    }
}

fn is(told: &Value, event: &str, fields: Fields<'_>) -> bool {
    told["event"] == event && fields.iter().all(|(name, value)| text(&told[name]) == *value)
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
