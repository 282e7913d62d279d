//! Our server beside its peers: Kamailio and a bare echo, measured in the same run.
//!
//! Each operation is measured for every server in turn, in rounds, so that whatever else the
//! machine does meets all of them alike. A server is started anew for each measurement, on a free
//! port of loopback with a temporary folder; the load is `presence-load`, a program of its own.

mod child;
mod goal;
mod machine;
mod operation;
mod options;
mod page;
mod plot;
mod processors;
mod report;
mod run;
mod target;

use clap::Parser;
use std::fmt;
use std::process::ExitCode;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

pub use goal::{Against, Figure, GOALS, Goal, Of, Verdict};
pub use machine::Machine;
pub use page::{between, text};
pub use report::{Comparison, Measured, Round, Settings, Spread};
pub use target::Target;

/// The domain of every server measured.
pub const DOMAIN: &str = "presence.test";

/// The password of every account.
pub(crate) const PASSWORD: &str = "secret";

/// Why a measurement, or all of them, came to nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    why: String,
    /// Whether the user asked for the end.
    stopped: bool,
}

impl Failure {
    pub(crate) fn new(why: impl Into<String>) -> Self {
        Self { why: why.into(), stopped: false }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

impl std::error::Error for Failure {}

/// Whether the user has asked for the end. Everybody who waits, waits here, so that all that was
/// started is dropped, and so ended, in order.
#[derive(Clone, Default, Debug)]
pub(crate) struct Stop(Arc<(Mutex<bool>, Condvar)>);

impl Stop {
    /// Listens for SIGINT and SIGTERM from now on.
    fn listen() -> Result<Self, Failure> {
        let stop = Self::default();
        let told = stop.clone();
        let wrong = |error: std::io::Error| Failure::new(format!("signals: {error}"));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(wrong)?;
        let signals = {
            let _inside = runtime.enter();
            use tokio::signal::unix::{SignalKind, signal};
            (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
        };
        let (mut interrupt, mut terminate) = (signals.0.map_err(wrong)?, signals.1.map_err(wrong)?);
        thread::spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    biased;
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                }
            });
            let (asked, changed) = &*told.0;
            *asked.lock().unwrap_or_else(PoisonError::into_inner) = true;
            changed.notify_all();
        });
        Ok(stop)
    }

    /// Waits for a while; an error as soon as the end was asked for.
    pub(crate) fn pause(&self, span: Duration) -> Result<(), Failure> {
        let (asked, changed) = &*self.0;
        let asked = asked.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = changed.wait_timeout_while(asked, span, |asked| !*asked);
        let (asked, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if *asked { Err(Failure { why: "stopped".into(), stopped: true }) } else { Ok(()) }
    }
}

/// The program `peers`.
pub fn main() -> ExitCode {
    let options = options::Options::parse();
    match Stop::listen().and_then(|stop| run::run(&options, &stop)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("peers: {failure}");
            ExitCode::from(1)
        }
    }
}
