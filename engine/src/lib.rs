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
