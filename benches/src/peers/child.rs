//! Programs that this one starts: found by their ids, ended with it, whatever happens.

use super::{Failure, Stop};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs::{self, File};
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// How often somebody who waits looks again.
const LOOK: Duration = Duration::from_millis(20);

/// Lines of a log that a failure shows.
const TAIL: usize = 12;

/// A started program. Dropping it ends it and the processes it started.
#[derive(Debug)]
pub(crate) struct Program {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Program {
    /// Starts it with everything it says going into `log`.
    pub(crate) fn start(name: &str, command: &mut Command, log: &Path) -> Result<Self, Failure> {
        let wrong = |error: io::Error| Failure::new(format!("{name} did not start: {error}"));
        let out = File::create(log).map_err(wrong)?;
        let errors = out.try_clone().map_err(wrong)?;
        command.stdin(Stdio::null()).stdout(out).stderr(errors);
        let child = command.spawn().map_err(wrong)?;
        Ok(Self { name: name.to_owned(), child, log: log.to_owned() })
    }

    /// Whether it has said that.
    pub(crate) fn has_said(&self, words: &str) -> bool {
        fs::read(&self.log).is_ok_and(|said| String::from_utf8_lossy(&said).contains(words))
    }

    /// Its process; it may have started others.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until `is_ready` says so; the program must not end before that.
    pub(crate) fn wait_until(
        &mut self,
        stop: &Stop,
        patience: Duration,
        mut is_ready: impl FnMut(&Self) -> bool,
    ) -> Result<(), Failure> {
        let until = Instant::now() + patience;
        while !is_ready(self) {
            if let Some(status) = self.ended()? {
                return Err(self.fault(&format!("ended with {status} before it was ready")));
            }
            if Instant::now() >= until {
                return Err(self.fault("did not become ready"));
            }
            stop.pause(LOOK)?;
        }
        Ok(())
    }

    /// Waits for its end, which must be a good one.
    pub(crate) fn finish(mut self, stop: &Stop, patience: Duration) -> Result<(), Failure> {
        let until = Instant::now() + patience;
        loop {
            match self.ended()? {
                Some(status) if status.success() => return Ok(()),
                Some(status) => return Err(self.fault(&format!("ended with {status}"))),
                None if Instant::now() >= until => {
                    return Err(self.fault(&format!("still ran after {} s", patience.as_secs())));
                }
                None => {}
            }
            stop.pause(LOOK)?;
        }
    }

    fn ended(&mut self) -> Result<Option<ExitStatus>, Failure> {
        self.child.try_wait().map_err(|error| Failure::new(format!("{}: {error}", self.name)))
    }

    /// What went wrong, with the last that it said.
    fn fault(&self, what: &str) -> Failure {
        let said = fs::read(&self.log).unwrap_or_default();
        let said = String::from_utf8_lossy(&said);
        let lines: Vec<&str> = said.lines().collect();
        let last = &lines[lines.len().saturating_sub(TAIL)..];
        Failure::new(format!("{} {what}\n{}", self.name, last.join("\n")).trim_end().to_owned())
    }

    /// Ends it as a loss of power would, with the processes it started.
    pub(crate) fn end(&mut self) {
        let family = children_of(self.child.id());
        // An error here means that it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        for pid in family {
            if let Ok(pid) = i32::try_from(pid) {
                let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
            }
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.end();
    }
}

/// The processes whose parent is `parent`.
fn children_of(parent: u32) -> Vec<u32> {
    let Ok(processes) = fs::read_dir("/proc") else { return Vec::new() };
    let names = processes.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    names
        .filter_map(|name| name.parse().ok())
        .filter(|pid| parent_of(*pid) == Some(parent))
        .collect()
}

/// The fourth field of its `stat`; the second, in brackets, may contain anything.
fn parent_of(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    fields.split_ascii_whitespace().nth(1)?.parse().ok()
}

/// An address on loopback where nobody listened a moment ago.
pub(crate) fn free_address() -> Result<SocketAddr, Failure> {
    let socket = UdpSocket::bind(("127.0.0.1", 0));
    socket
        .and_then(|socket| socket.local_addr())
        .map_err(|error| Failure::new(format!("no free port on loopback: {error}")))
}

/// Asks a SIP server whether it is there, until it says anything at all.
#[derive(Debug)]
pub(crate) struct Knock {
    socket: UdpSocket,
    to: SocketAddr,
    asked: u32,
}

impl Knock {
    pub(crate) fn new(to: SocketAddr) -> Result<Self, Failure> {
        let open = || -> io::Result<UdpSocket> {
            let socket = UdpSocket::bind(("127.0.0.1", 0))?;
            socket.set_read_timeout(Some(LOOK))?;
            Ok(socket)
        };
        let socket = open().map_err(|error| Failure::new(format!("loopback: {error}")))?;
        Ok(Self { socket, to, asked: 0 })
    }

    /// One OPTIONS, and whether an answer came within a moment.
    pub(crate) fn is_answered(&mut self) -> bool {
        let Ok(from) = self.socket.local_addr() else { return false };
        self.asked += 1;
        let (number, domain) = (self.asked, super::DOMAIN);
        let options = format!(
            "OPTIONS sip:{domain} SIP/2.0\r\n\
             Via: SIP/2.0/UDP {from};branch=z9hG4bKknock{number};rport\r\n\
             Max-Forwards: 70\r\n\
             From: <sip:knock@{domain}>;tag=k\r\n\
             To: <sip:{domain}>\r\n\
             Call-ID: knock{number}@{from}\r\n\
             CSeq: 1 OPTIONS\r\n\
             Content-Length: 0\r\n\r\n"
        );
        let mut answer = [0; 2048];
        self.socket.send_to(options.as_bytes(), self.to).is_ok()
            && self.socket.recv_from(&mut answer).is_ok()
    }
}
