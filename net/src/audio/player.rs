//! From packets to an even stream: jitter buffer, codec, concealment, rate of the sink.

#[cfg(test)]
mod tests;

use super::{Codec, Concealer, Resampler, TICK, tick_samples};
use crate::rtp::jitter::Counts;
use crate::rtp::{JitterBuffer, Packet, Placed, Playout};
use std::collections::VecDeque;
use std::time::Duration;

/// Least time a packet is held back: one frame, which covers what a busy host adds.
const LEAST_DELAY: Duration = TICK;
/// Longest payload that is sound, as a part of a second.
const LONGEST: u32 = 5;

/// What the 20 ms are that were given out.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Played {
    /// Nothing has come yet.
    Nothing,
    /// Nothing comes any more, for now.
    Silence,
    /// At least a part is made up.
    Concealed,
    /// All of it came.
    Sound,
}

/// A codec and what makes its packets a stream.
#[derive(Debug)]
pub struct Player {
    codec: Box<dyn Codec>,
    buffer: JitterBuffer,
    concealer: Concealer,
    resampler: Resampler,
    needed: usize,
    ready: VecDeque<i16>,
    decoded: Vec<i16>,
    converted: Vec<i16>,
}

impl Player {
    /// Plays what a codec packed for a sink with so many samples a second.
    pub fn new(codec: Box<dyn Codec>, rate: u32) -> Self {
        Self {
            buffer: JitterBuffer::new(codec.clock_rate(), TICK, LEAST_DELAY),
            concealer: Concealer::new(codec.rate()),
            resampler: Resampler::new(codec.rate(), rate),
            needed: tick_samples(rate),
            ready: VecDeque::new(),
            decoded: Vec::new(),
            converted: Vec::new(),
            codec,
        }
    }

    /// Puts a packet in that a session has believed.
    pub fn insert(&mut self, now: Duration, packet: &Packet) -> Placed {
        let duration = self.codec.duration(&packet.payload);
        if duration > self.codec.clock_rate() / LONGEST {
            return Placed::Strange;
        }
        self.buffer.insert(now, packet.timestamp, duration, packet.payload.clone())
    }

    /// What was seen so far.
    pub fn counts(&self) -> Counts {
        self.buffer.counts()
    }

    /// How long a packet that came at once is held back.
    pub fn delay(&self) -> Duration {
        self.buffer.delay()
    }

    /// Appends the next 20 ms, if anything has begun.
    pub fn play(&mut self, now: Duration, samples: &mut Vec<i16>) -> Played {
        let mut played = Played::Sound;
        while self.ready.len() < self.needed {
            let next = self.pull(now);
            if next == Played::Nothing {
                return Played::Nothing;
            }
            played = played.min(next);
        }
        samples.extend(self.ready.drain(..self.needed));
        played
    }

    fn pull(&mut self, now: Duration) -> Played {
        self.decoded.clear();
        let played = match self.buffer.pull(now) {
            Playout::Wait if self.ready.is_empty() => return Played::Nothing,
            Playout::Wait | Playout::Silence => {
                self.conceal();
                Played::Silence
            }
            Playout::Conceal => {
                self.conceal();
                Played::Concealed
            }
            Playout::Frame(payload) => match self.codec.decode(&payload, &mut self.decoded) {
                Ok(()) if !self.decoded.is_empty() => {
                    self.concealer.good(&mut self.decoded);
                    Played::Sound
                }
                Ok(()) | Err(_) => {
                    self.decoded.clear();
                    self.conceal();
                    Played::Concealed
                }
            },
        };
        self.converted.clear();
        self.resampler.push(&self.decoded, &mut self.converted);
        self.ready.extend(&self.converted);
        played
    }

    fn conceal(&mut self) {
        if !self.codec.conceal(&mut self.decoded) {
            self.concealer.missing(tick_samples(self.codec.rate()), &mut self.decoded);
        }
    }
}
