//! `presence-server` as a process, in a house that stays when it is killed.

use super::process::{Ended, Process};
use super::{DOMAIN, PASSWORD, PATIENCE};
use serde_json::Value;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// What outlives a server: its folder, configuration, data and port.
pub(crate) struct House {
    folder: TempDir,
    port: u16,
}

impl House {
    /// A house for a server with this in its configuration, notifying without a gap. Everybody
    /// has an account.
    pub(crate) fn new(sections: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let config = format!(
            "domain = \"{DOMAIN}\"\nusers = \"users.toml\"\ndata = \"data\"\nnotify_gap = 0\n\
             admin = \"127.0.0.1:0\"\nshards = 2\n{sections}"
        );
        let users = format!("[[user]]\nname = \"*\"\npassword = \"{PASSWORD}\"\n");
        fs::write(folder.path().join("server.toml"), config).expect("the configuration");
        fs::write(folder.path().join("users.toml"), users).expect("the users");
        Self { folder, port: 0 }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The command that starts a server here.
    pub(crate) fn command(&self) -> Command {
        self.command_on(self.port)
    }

    /// The same on another port.
    pub(crate) fn command_on(&self, port: u16) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_presence-server"));
        command.env_remove("RUST_LOG");
        command.arg("--config").arg(self.folder.path().join("server.toml"));
        command.arg("--listen").arg(format!("udp:127.0.0.1:{port}"));
        command
    }

    /// Starts a server: the first one on a free port, the others on the port of the first.
    pub(crate) fn open(&mut self) -> Server {
        let log = self.folder.path().join("server.log");
        let errors = OpenOptions::new().create(true).append(true).open(&log).expect("a log file");
        let server = Server::start(&mut self.command(), errors, log);
        self.port = server.address.port();
        server
    }

    /// Starts a server that may refuse to; then what it said.
    pub(crate) fn try_open(&self) -> Result<Server, Ended> {
        let log = self.folder.path().join("try.log");
        let errors = File::create(&log).expect("a log file");
        let mut command = self.command();
        command.stdin(Stdio::null()).stderr(Stdio::from(errors));
        let mut process = Process::start(&mut command);
        match process.line(Instant::now() + PATIENCE) {
            Ok(ready) => Ok(Server::ready(process, &ready, log)),
            Err(_) => Err(Ended {
                code: process.ended(PATIENCE).code(),
                stdout: Vec::new(),
                stderr: fs::read_to_string(&log).expect("UTF-8 on stderr"),
            }),
        }
    }
}

/// A server that said that it is ready.
pub(crate) struct Server {
    process: Process,
    pub(crate) address: SocketAddr,
    admin: SocketAddr,
    log: PathBuf,
}

impl Server {
    fn start(command: &mut Command, errors: File, log: PathBuf) -> Self {
        let level = std::env::var("RUST_LOG").unwrap_or_else(|_| "info".to_owned());
        command.env("RUST_LOG", level).stdin(Stdio::null()).stderr(Stdio::from(errors));
        let process = Process::start(command);
        let until = Instant::now() + PATIENCE;
        let ready = loop {
            match process.line(until) {
                Ok(line) if line.starts_with("ready ") => break line,
                Ok(_) => {}
                Err(error) => panic!("no ready line: {error}\n{}", tail(&log)),
            }
        };
        Self::ready(process, &ready, log)
    }

    fn ready(process: Process, line: &str, log: PathBuf) -> Self {
        let word = |prefix: &str| -> SocketAddr {
            let found = line.split(' ').find_map(|word| word.strip_prefix(prefix));
            found.unwrap_or_else(|| panic!("{prefix} in {line}")).parse().expect("an address")
        };
        Self { address: word("udp:"), admin: word("admin:http://"), process, log }
    }

    /// The four tables.
    pub(crate) fn tables(&self) -> Value {
        serde_json::from_str(&self.page("/tables.json")).expect("tables are JSON")
    }

    /// How much there is of something that can grow.
    pub(crate) fn size(&self, of: &str) -> u64 {
        let page = self.page("/metrics");
        let name = format!("presently_size{{of=\"{of}\"}} ");
        let value = page.lines().find_map(|line| line.strip_prefix(&name));
        value.unwrap_or_else(|| panic!("{name} in {page}")).parse().expect("a number")
    }

    /// Asks again and again until `found` is content with what `look` sees.
    pub(crate) fn until<T>(&self, look: impl Fn(&Self) -> T, found: impl Fn(&T) -> bool) -> T {
        let until = Instant::now() + PATIENCE;
        loop {
            let seen = look(self);
            if found(&seen) {
                return seen;
            }
            assert!(Instant::now() < until, "it never came about\n{}", tail(&self.log));
            std::thread::park_timeout(Duration::from_millis(20));
        }
    }

    fn page(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(self.admin).expect("admin listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        write!(stream, "GET {path} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n")
            .expect("a request");
        let mut text = String::new();
        stream.read_to_string(&mut text).expect("a page");
        let (head, body) = text.split_once("\r\n\r\n").expect("a head and a body");
        assert!(head.starts_with("HTTP/1.1 200"), "{path}: {head}");
        body.to_owned()
    }

    /// `kill -9`.
    pub(crate) fn kill(mut self) {
        self.process.kill();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the server's last words:\n{}", tail(&self.log));
        }
    }
}

/// The last lines of a log.
fn tail(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(60)..].join("\n")
}
