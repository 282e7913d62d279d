//! One sender as a receiver knows it (RFC 3550 appendix A.1, A.3, A.8): which sequence numbers are
//! believed, how many packets were lost, how unevenly they come.
//!
//! Names and steps are those of the appendix.

#[cfg(test)]
mod tests;

use super::{Report, units};
use std::time::Duration;

/// Largest step forward that is a loss and not a new start.
const MAX_DROPOUT: u16 = 3000;
/// Largest step backward that is a late packet.
const MAX_MISORDER: u16 = 100;
/// Packets in sequence before an unknown sender is believed.
const MIN_SEQUENTIAL: u32 = 2;
/// One wrap of the sequence number.
const RTP_SEQ_MOD: u32 = 1 << 16;

/// State of one sender.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Source {
    max_seq: u16,
    cycles: u32,
    base_seq: u32,
    /// One after the last number that made no sense; above 16 bits if there is none.
    bad_seq: u32,
    probation: u32,
    received: u32,
    expected_prior: u32,
    received_prior: u32,
    transit: Option<i64>,
    /// Times 16.
    jitter: u64,
}

impl Source {
    /// A sender that others have vouched for: its first packet counts.
    pub fn announced(seq: u16) -> Self {
        let mut source = Self {
            max_seq: seq,
            cycles: 0,
            base_seq: 0,
            bad_seq: 0,
            probation: 0,
            received: 0,
            expected_prior: 0,
            received_prior: 0,
            transit: None,
            jitter: 0,
        };
        source.init_seq(seq);
        source
    }

    /// A sender that nobody announced: it has to send two packets in sequence first.
    pub fn unknown(seq: u16) -> Self {
        let mut source = Self::announced(seq);
        source.max_seq = seq.wrapping_sub(1);
        source.probation = MIN_SEQUENTIAL;
        source
    }

    fn init_seq(&mut self, seq: u16) {
        self.base_seq = seq.into();
        self.max_seq = seq;
        self.bad_seq = RTP_SEQ_MOD + 1;
        self.cycles = 0;
        self.received = 0;
        self.received_prior = 0;
        self.expected_prior = 0;
    }

    /// Takes a sequence number; `None` if the packet does not count. The answer is the number with
    /// the wraps before it.
    pub fn update_seq(&mut self, seq: u16) -> Option<u32> {
        let udelta = seq.wrapping_sub(self.max_seq);
        if self.probation > 0 {
            if udelta != 1 {
                self.probation = MIN_SEQUENTIAL - 1;
                self.max_seq = seq;
                return None;
            }
            self.probation -= 1;
            self.max_seq = seq;
            if self.probation > 0 {
                return None;
            }
            self.init_seq(seq);
        } else if udelta < MAX_DROPOUT {
            if seq < self.max_seq {
                self.cycles = self.cycles.wrapping_add(RTP_SEQ_MOD);
            }
            self.max_seq = seq;
        } else if udelta <= 0u16.wrapping_sub(MAX_MISORDER) {
            if u32::from(seq) != self.bad_seq {
                self.bad_seq = u32::from(seq.wrapping_add(1));
                return None;
            }
            // Two in sequence: the other side started anew without telling us.
            self.init_seq(seq);
        }
        self.received = self.received.wrapping_add(1);
        Some(self.extended(seq))
    }

    /// A late packet belongs to the wrap before if its number is above the highest.
    fn extended(&self, seq: u16) -> u32 {
        let cycles =
            if seq > self.max_seq { self.cycles.wrapping_sub(RTP_SEQ_MOD) } else { self.cycles };
        cycles.wrapping_add(seq.into())
    }

    /// Highest sequence number with its wraps.
    pub fn highest(&self) -> u32 {
        self.cycles.wrapping_add(self.max_seq.into())
    }

    /// Whether it is believed.
    pub fn is_valid(&self) -> bool {
        self.probation == 0
    }

    /// Packets that came, late and doubled ones included.
    pub fn received(&self) -> u32 {
        self.received
    }

    fn expected(&self) -> u32 {
        self.highest().wrapping_sub(self.base_seq).wrapping_add(1)
    }

    /// Packets lost since the beginning, less than none if some came twice (appendix A.3).
    pub fn lost(&self) -> i32 {
        self.expected().wrapping_sub(self.received) as i32
    }

    /// Takes the arrival of a packet into the interarrival jitter (appendix A.8).
    pub fn arrived(&mut self, now: Duration, timestamp: u32, clock_rate: u32) {
        let transit = units(now, clock_rate) - i64::from(timestamp);
        if let Some(before) = self.transit.replace(transit) {
            // Timestamps wrap, and so does their difference to the time.
            let d = u64::from((transit.wrapping_sub(before) as i32).unsigned_abs());
            self.jitter = self.jitter + d - ((self.jitter + 8) >> 4);
        }
    }

    /// Interarrival jitter in units of the media's clock.
    pub fn jitter(&self) -> u32 {
        u32::try_from(self.jitter >> 4).unwrap_or(u32::MAX)
    }

    /// What is said of it in a report. The fraction counts from here again.
    pub fn report(&mut self, ssrc: u32, last_report: u32, delay: u32) -> Report {
        let expected = self.expected();
        let expected_interval = expected.wrapping_sub(self.expected_prior);
        let received_interval = self.received.wrapping_sub(self.received_prior);
        self.expected_prior = expected;
        self.received_prior = self.received;
        let lost = i64::from(expected_interval) - i64::from(received_interval);
        let fraction = if expected_interval == 0 || lost <= 0 {
            0
        } else {
            (lost << 8) / i64::from(expected_interval)
        };
        Report {
            ssrc,
            fraction_lost: u8::try_from(fraction).unwrap_or(u8::MAX),
            lost: self.lost().clamp(-0x80_0000, 0x7f_ffff),
            highest: self.highest(),
            jitter: self.jitter(),
            last_report,
            delay,
        }
    }
}
