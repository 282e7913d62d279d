//! What a user runs: `presence-server` and `presence-ua`.
//!
//! [`server`] and [`ua`] are the two programs, [`demo`] is the server's `--demo`. The rest is
//! shared: one way to read settings (`config`), one way to fail (`failure`, `usage`). Nothing
//! here decides about the protocol, and nothing here touches a packet.

mod config;
mod demo;
mod failure;
mod logging;
mod nearest;
pub mod server;
mod signals;
pub mod ua;
mod usage;

use failure::Failure;

/// The runtime of a program.
fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    let built = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    built.map_err(|error| Failure::work(format!("the runtime cannot start: {error}")))
}
