//! Load for a SIP server over UDP, and what it cost: `presence-load`.
//!
//! [`options`] says what a run is and [`report`] what came out; between them, from the inside out:

pub mod options;
pub mod report;

pub use options::{Options, Scenario};
pub use report::Report;
