//! From packets to the payloads of whole frames: order restored, copies dropped, loss noticed.
//!
//! Frames come out in the order of their sequence numbers. Where a packet is missing, what comes
//! after it waits for [`PATIENCE`]; then the frame with the hole is given up, and so is every
//! frame whose beginning is not certain. What is held is bounded in octets and packets.

use std::collections::BTreeMap;
use std::time::Duration;

/// How long a missing packet is waited for.
pub const PATIENCE: Duration = Duration::from_millis(60);
/// Most packets held.
const MOST_PACKETS: usize = 4096;
/// Most octets held, with what each packet costs beside its payload.
const MOST_OCTETS: usize = 8 << 20;
/// What a held packet costs beside its payload.
const OVERHEAD: usize = 96;
/// A jump of the sequence number over this far is another stream (RFC 3550 §A.1).
const MAX_DROPOUT: u64 = 3000;

/// What an RTP packet says that matters here.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    /// The payload, without padding.
    pub payload: &'a [u8],
    /// Timestamp, 90 kHz.
    pub timestamp: u32,
    /// Sequence number.
    pub sequence: u16,
    /// Marker: the last packet of a frame.
    pub marker: bool,
}

/// What comes out.
#[derive(PartialEq, Eq, Debug)]
pub enum Outcome {
    /// All payloads of one frame, in order.
    Whole {
        /// Its timestamp.
        timestamp: u32,
        /// What its packets carried.
        payloads: Vec<Vec<u8>>,
    },
    /// Packets did not come, and frames were given up because of that.
    Broken {
        /// Packets that never came.
        packets: u64,
        /// Frames of which something came, and was thrown away.
        frames: u64,
    },
}

/// What became of a packet that came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Taken {
    /// It is held until its frame is whole.
    Held,
    /// It was here before.
    Copy,
    /// Its frame was given up or shown.
    Late,
}

#[derive(Clone)]
struct Held {
    timestamp: u32,
    marker: bool,
    arrived: Duration,
    payload: Vec<u8>,
}

/// The packets of a stream that are not yet frames.
#[derive(Clone, Default)]
pub struct Assembly {
    held: BTreeMap<u64, Held>,
    octets: usize,
    /// Highest sequence number, counted on over its wraps.
    highest: Option<u64>,
    /// The next packet in order.
    next: u64,
    /// From `next` up to here all packets are there, of one frame, without an end. So the packets
    /// of a long frame are not looked at again with each that comes.
    checked: u64,
    /// Whether `next` begins a frame for certain.
    trusted: bool,
    /// Timestamp of the frame given up last, so that its rest is not counted again.
    given_up: Option<u32>,
    /// Loss that is not told yet.
    lost: (u64, u64),
}

impl Assembly {
    /// Takes a packet in.
    pub fn push(&mut self, packet: Packet<'_>, now: Duration) -> Taken {
        let number = self.count_on(packet.sequence);
        if number < self.next {
            return Taken::Late;
        }
        if self.held.contains_key(&number) {
            return Taken::Copy;
        }
        self.octets += packet.payload.len() + OVERHEAD;
        let Packet { timestamp, marker, .. } = packet;
        let payload = packet.payload.to_vec();
        self.held.insert(number, Held { timestamp, marker, arrived: now, payload });
        if self.held.len() > MOST_PACKETS || self.octets > MOST_OCTETS {
            self.abandon();
        }
        Taken::Held
    }

    /// What is ready. Call it until it says nothing. `begins` tells whether a payload can only be
    /// the first of a frame.
    pub fn take(&mut self, now: Duration, begins: impl Fn(&[u8]) -> bool) -> Option<Outcome> {
        loop {
            let Some((&first, packet)) = self.held.first_key_value() else {
                return self.tell_loss();
            };
            if first > self.next {
                if self.still_patient(self.next, now) {
                    return self.tell_loss();
                }
                self.lost.0 += first - self.next;
                (self.next, self.trusted) = (first, false);
                continue;
            }
            let (timestamp, whole) = (packet.timestamp, begins(&packet.payload));
            if !self.trusted && !whole {
                self.skip_to_boundary(timestamp);
                continue;
            }
            match self.run(timestamp) {
                Run::Whole(end) => {
                    if let Some(loss) = self.tell_loss() {
                        return Some(loss);
                    }
                    self.trusted = true;
                    return Some(Outcome::Whole { timestamp, payloads: self.remove_to(end) });
                }
                Run::Open(missing) => {
                    if self.still_patient(missing, now) {
                        return self.tell_loss();
                    }
                    self.give_up(timestamp);
                    self.remove_to(missing);
                }
            }
        }
    }

    /// Octets held, for tests and for whoever watches memory.
    pub fn octets(&self) -> usize {
        self.octets
    }

    /// The sequence number without wraps. A jump forgets all that is held.
    fn count_on(&mut self, sequence: u16) -> u64 {
        let Some(highest) = self.highest else {
            // Room below, so that what was overtaken at the start is late and not negative.
            let number = u64::from(sequence) + (1 << 16);
            (self.highest, self.next, self.trusted) = (Some(number), number, false);
            return number;
        };
        let ahead = sequence.wrapping_sub(highest as u16) as i16;
        let number = highest.saturating_add_signed(i64::from(ahead));
        if number > highest + MAX_DROPOUT || number + MAX_DROPOUT < highest {
            self.abandon();
            (self.highest, self.next) = (Some(number), number);
            return number;
        }
        self.highest = Some(highest.max(number));
        number
    }

    /// Whether this missing packet may still come: nothing behind it has waited too long.
    fn still_patient(&self, missing: u64, now: Duration) -> bool {
        let behind = self.held.range(missing..).next();
        behind.is_none_or(|(_, packet)| now.saturating_sub(packet.arrived) < PATIENCE)
    }

    /// How far the packets from `next` on go together.
    fn run(&mut self, timestamp: u32) -> Run {
        let mut expected = self.next.max(self.checked);
        for (&number, packet) in self.held.range(expected..) {
            if number != expected {
                break;
            }
            // A frame without marker ends where the next begins.
            if packet.timestamp != timestamp {
                return Run::Whole(number);
            }
            expected = number + 1;
            if packet.marker {
                return Run::Whole(expected);
            }
        }
        self.checked = expected;
        Run::Open(expected)
    }

    /// Throws packets of this timestamp away, up to the end of their frame or the next hole.
    fn skip_to_boundary(&mut self, timestamp: u32) {
        self.give_up(timestamp);
        match self.run(timestamp) {
            Run::Whole(end) => {
                self.remove_to(end);
                self.trusted = true;
            }
            Run::Open(missing) => {
                self.remove_to(missing);
            }
        }
    }

    /// Counts a frame as given up, once.
    fn give_up(&mut self, timestamp: u32) {
        if self.given_up != Some(timestamp) {
            self.given_up = Some(timestamp);
            self.lost.1 += 1;
        }
        self.trusted = false;
    }

    /// Takes out what is before this number.
    fn remove_to(&mut self, end: u64) -> Vec<Vec<u8>> {
        let rest = self.held.split_off(&end);
        let taken = std::mem::replace(&mut self.held, rest);
        self.next = end;
        let payloads: Vec<_> = taken.into_values().map(|packet| packet.payload).collect();
        self.octets -= payloads.iter().map(|payload| payload.len() + OVERHEAD).sum::<usize>();
        payloads
    }

    /// Forgets all that is held: it is too much, or of another stream.
    fn abandon(&mut self) {
        let mut last = None;
        for packet in self.held.values() {
            if last != Some(packet.timestamp) && self.given_up != Some(packet.timestamp) {
                self.lost.1 += 1;
            }
            last = Some(packet.timestamp);
        }
        self.given_up = last.or(self.given_up);
        self.held.clear();
        (self.octets, self.checked) = (0, 0);
        self.next = self.highest.map_or(0, |highest| highest + 1);
        self.trusted = false;
    }

    fn tell_loss(&mut self) -> Option<Outcome> {
        let (packets, frames) = std::mem::take(&mut self.lost);
        (packets + frames > 0).then_some(Outcome::Broken { packets, frames })
    }
}

/// How far packets in a row go.
enum Run {
    /// A frame ends before this number.
    Whole(u64),
    /// It has no end yet; this number is missing.
    Open(u64),
}

#[cfg(test)]
mod tests;
