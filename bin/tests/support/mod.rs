//! Real processes for tests: started, listened to with a deadline, and never left behind.

#![allow(dead_code, reason = "every test program uses its own part of this")]

use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// Longer than anything that works takes, even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// A command of this package.
pub(crate) fn program(name: &str) -> Command {
    let path = match name {
        "presence-server" => env!("CARGO_BIN_EXE_presence-server"),
        "presence-ua" => env!("CARGO_BIN_EXE_presence-ua"),
        other => panic!("no program {other}"),
    };
    let mut command = Command::new(path);
    command.env_remove("RUST_LOG").env_remove("PRESENCE_PASSWORD");
    command
}

/// Runs a program to its end with `input`.
pub(crate) fn finish(mut command: Command, input: &str) -> Output {
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().expect("the program starts");
    let mut stdin = child.stdin.take().expect("stdin is piped");
    // A program that refuses to start does not read.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    child.wait_with_output().expect("the program ends")
}

/// Runs a program that must refuse to start: exit code 2 and one line, which is returned.
pub(crate) fn refusal(command: Command) -> String {
    let output = finish(command, "");
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "", "nothing is half started");
    stderr.trim_end().to_owned()
}

/// A running program whose stdout is read line by line.
pub(crate) struct Process {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
    /// Everything read so far, for the message of a failed test.
    pub(crate) heard: Vec<String>,
}

impl Process {
    pub(crate) fn start(mut command: Command) -> Self {
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = piped.spawn().expect("the program starts");
        let (sender, lines) = channel();
        let stdout = BufReader::new(child.stdout.take().expect("stdout is piped"));
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let stdin = child.stdin.take();
        Self { child, stdin, lines, heard: Vec::new() }
    }

    /// The next line of stdout that `fits`.
    pub(crate) fn line(&mut self, what: &str, fits: impl Fn(&str) -> bool) -> String {
        let until = Instant::now() + PATIENCE;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let Ok(line) = self.lines.recv_timeout(left) else {
                let _ = self.child.kill();
                let mut stderr = String::new();
                let read = self.child.stderr.take().map(|mut err| err.read_to_string(&mut stderr));
                panic!("no {what}; heard {:#?}\nstderr ({read:?}): {stderr}", self.heard);
            };
            self.heard.push(line.clone());
            if fits(&line) {
                return line;
            }
        }
    }

    /// Writes one line to stdin.
    pub(crate) fn say(&mut self, line: &str) {
        let stdin = self.stdin.as_mut().expect("stdin is open");
        writeln!(stdin, "{line}").and_then(|()| stdin.flush()).expect("the program listens");
    }

    /// Sends a signal, by name.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &id]).status().expect("kill runs");
        assert!(sent.success());
    }

    /// Ends stdin and waits for the end.
    pub(crate) fn end(&mut self) -> ExitStatus {
        self.stdin = None;
        self.wait()
    }

    /// Waits for the end, which closes stdout.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let until = Instant::now() + PATIENCE;
        loop {
            match self.lines.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(line) => self.heard.push(line),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("does not end; heard {:#?}", self.heard),
            }
        }
        self.child.wait().expect("the program can be waited for")
    }

    /// Ends at once, as a crash does.
    pub(crate) fn crash(&mut self) {
        self.child.kill().expect("the program can be killed");
        self.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A running server.
pub(crate) struct Server {
    pub(crate) process: Process,
    /// `HOST:PORT` of its first listener.
    pub(crate) address: String,
    /// `HOST:PORT` of its admin pages, if it serves them.
    pub(crate) admin: Option<String>,
}

impl Server {
    /// Starts a server for `example.org` on a free port.
    pub(crate) fn start(flags: &[&str]) -> Self {
        let mut command = program("presence-server");
        command.args(["--domain", "example.org", "--listen", "udp:127.0.0.1:0"]).args(flags);
        Self::ready(command)
    }

    /// Starts a server and waits until it is ready.
    pub(crate) fn ready(command: Command) -> Self {
        let mut process = Process::start(command);
        let line = process.line("ready", |line| line.starts_with("ready "));
        let word = |prefix: &str| {
            line.split(' ').find_map(|word| word.strip_prefix(prefix)).map(str::to_owned)
        };
        let address = word("udp:").expect("a listener");
        Self { process, address, admin: word("admin:http://") }
    }

    /// The body of an admin page.
    pub(crate) fn page(&self, path: &str) -> String {
        let address = self.admin.as_ref().expect("admin is on");
        let mut stream = std::net::TcpStream::connect(address).expect("admin listens");
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("admin reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("admin answers");
        let (head, body) = answer.split_once("\r\n\r\n").expect("an HTTP answer");
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        body.to_owned()
    }
}

/// A running user agent that tells JSON.
pub(crate) struct Agent {
    pub(crate) process: Process,
}

impl Agent {
    pub(crate) fn start(name: &str, password: &str, server: &str) -> Self {
        let mut command = program("presence-ua");
        command.args(["--json", "--aor", &format!("sip:{name}@example.org"), "--server", server]);
        command.env("PRESENCE_PASSWORD", password);
        Self { process: Process::start(command) }
    }

    /// Starts and waits for the registration.
    pub(crate) fn registered(name: &str, password: &str, server: &str) -> Self {
        let mut agent = Self::start(name, password, server);
        agent.event("registered", &[]);
        agent
    }

    /// Gives one command.
    pub(crate) fn say(&mut self, line: &str) {
        self.process.say(line);
    }

    /// The next event of that name with these values of fields.
    pub(crate) fn event(&mut self, name: &str, fields: &[(&str, Value)]) -> Value {
        let fits = |line: &str| {
            let event: Value = serde_json::from_str(line).expect("one JSON object a line");
            assert!(event["at_ms"].is_u64(), "{line}");
            event["event"] == name && fields.iter().all(|(field, value)| event[*field] == *value)
        };
        let line = self.process.line(&format!("{name} with {fields:?}"), fits);
        serde_json::from_str(&line).expect("was read before")
    }

    /// Ends the input: an orderly logout and exit code 0.
    pub(crate) fn leave(mut self) {
        let status = self.process.end();
        assert_eq!(status.code(), Some(0), "{:#?}", self.process.heard);
    }
}

/// Writes a users file with names and passwords.
pub(crate) fn write_users(path: &Path, users: &[(&str, &str)]) {
    let entry = |(name, password): &(&str, &str)| {
        format!("[[user]]\nname = \"{name}\"\npassword = \"{password}\"\n")
    };
    let text: String = users.iter().map(entry).collect();
    std::fs::write(path, text).expect("the users file is written");
}
