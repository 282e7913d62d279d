//! What a user runs: `presence-server` and `presence-ua`.
//!
//! [`server`] and [`ua`] are the two programs, [`demo`] is the server's `--demo`. The rest is
//! shared: one way to read settings (`config`), one way to fail (`failure`, `usage`), one way to
//! say what a message is about ([`facts`]), one way to draw figures ([`picture`]). Nothing here
//! decides about the protocol, and nothing here touches a packet.

mod config;
mod demo;
pub mod facts;
pub mod failure;
mod logging;
pub mod nearest;
pub mod picture;
pub mod server;
mod signals;
pub mod ua;
pub mod usage;

use failure::Failure;

/// Says a line on stdout, at once. Whoever reads it may have gone; that is no reason to stop.
fn say(line: impl std::fmt::Display) {
    use std::io::Write;
    let mut output = std::io::stdout().lock();
    let _ = writeln!(output, "{line}").and_then(|()| output.flush());
}

/// The runtime of a program: on every processor, or on this thread alone, where things happen in
/// the order in which they are seen.
fn runtime(threads: Threads) -> Result<tokio::runtime::Runtime, Failure> {
    let mut builder = match threads {
        Threads::One => tokio::runtime::Builder::new_current_thread(),
        Threads::All => tokio::runtime::Builder::new_multi_thread(),
    };
    let built = builder.enable_all().build();
    built.map_err(|error| Failure::work(format!("the runtime cannot start: {error}")))
}

/// How many threads a program runs on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Threads {
    One,
    All,
}
