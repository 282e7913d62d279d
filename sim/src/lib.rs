//! `presence-sim`: the real server, the real agents and the real driver in virtual time, with every
//! fault a network and a machine can make, judged by what users see.
//!
//! A [`plan::Plan`] is everything a run is: users, network, timeline, expectations, seed. [`world`]
//! plays it and returns a [`record::Record`]; [`judge`] holds the expectations against it, and
//! [`report`] shows it. Equal
//! plans give equal records, byte for byte, in any process.
//!
//! Nothing is modelled twice: the sockets are ours ([`network`]), all that is behind them is what
//! ships. Virtual time is tokio's paused clock, which jumps to the next thing that happens.

pub mod capsule;
pub mod chance;
pub mod cli;
pub mod coverage;
mod host;
pub mod judge;
pub mod measure;
pub mod network;
pub mod oracle;
pub mod plan;
pub mod record;
pub mod replay;
pub mod report;
mod run;
pub mod scenario;
pub mod search;
mod server;
pub mod shrink;
mod tell;
mod user;
pub mod world;
