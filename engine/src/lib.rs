//! Presently's engine: a SIP presence server and user agent as plain values.

pub mod agent;
pub mod body;
pub mod dialog;
pub mod digest;
pub mod machine;
pub mod message;
pub mod mint;
pub mod server;
pub mod slot;
pub mod time;
pub mod transaction;

pub use machine::{Input, Machine, Output, Peer};
pub use time::Instant;

/// SHA-256 over the source of this engine without its tests, 64 hexadecimal digits: two programs
/// that say the same were built from the same engine.
pub const SOURCE_HASH: &str = env!("PRESENTLY_SOURCE_HASH");

/// What every program says of itself with `--version`: the version and [`SOURCE_HASH`].
pub const VERSION: &str = env!("PRESENTLY_VERSION");
