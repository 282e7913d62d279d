//! RTP without sockets (RFC 3550): packets, control packets, a session, a jitter buffer, SRTP,
//! DTMF.
//!
//! Everything here is a plain value: octets in, values out. The time is handed in as the duration
//! since any fixed moment, and so is whatever has to be random (SSRC, first sequence number, first
//! timestamp, dice), so that a simulation plays it in virtual time and every run can be repeated.
//!
//! Read first: RFC 3550 §5, §6 and appendix A.

pub mod dtmf;
pub mod jitter;
pub mod packet;
#[cfg(test)]
pub(crate) mod rig;
pub mod rtcp;
pub mod session;
pub mod source;
pub mod srtp;

pub use jitter::{JitterBuffer, Placed, Playout};
pub use packet::{Kind, Malformed, Packet};
pub use rtcp::{Part, Report, SenderInfo};
pub use session::{Notice, Refusal, Session, Start, Statistics};
pub use source::Source;
pub use srtp::{MasterKey, Srtp, Unproved};

use std::time::Duration;

/// A duration in units of a clock, rounded down.
pub(crate) fn units(time: Duration, clock_rate: u32) -> i64 {
    let units = time.as_nanos() * u128::from(clock_rate) / 1_000_000_000;
    i64::try_from(units).unwrap_or(i64::MAX)
}

/// Units of a clock as a duration.
pub(crate) fn time(units: u64, clock_rate: u32) -> Duration {
    let rate = u64::from(clock_rate.max(1));
    let rest = (units % rate) * 1_000_000_000 / rate;
    Duration::from_secs(units / rate) + Duration::from_nanos(rest)
}
