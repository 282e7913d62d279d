//! From a source to payloads: 20 ms of sound, or as much as is wished, at the codec's rate.

#[cfg(test)]
mod tests;

use super::{Codec, LONGEST_FRAME, Resampler, SHORTEST_FRAME, Source, TICK};
use crate::rtp::units;
use bytes::Bytes;
use std::time::Duration;

/// One payload with its place in the stream.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Recorded {
    /// Units of timestamps since the beginning.
    pub media_time: u32,
    /// First of a talkspurt (RFC 3551 §4.1).
    pub marker: bool,
    /// The payload.
    pub payload: Bytes,
}

/// A source and the codec that packs it.
pub struct Recorder {
    source: Box<dyn Source>,
    codec: Box<dyn Codec>,
    resampler: Resampler,
    /// How much sound is in a payload.
    frame: Duration,
    media_time: u32,
    marker: bool,
    pulled: Vec<i16>,
    /// At the codec's rate; a device gives 20 ms, which may be more than a payload takes.
    samples: Vec<i16>,
    over: bool,
}

impl std::fmt::Debug for Recorder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recorder").field("codec", &self.codec).finish_non_exhaustive()
    }
}

impl Recorder {
    /// Records from a source with a codec.
    pub fn new(source: Box<dyn Source>, codec: Box<dyn Codec>) -> Self {
        Self {
            resampler: Resampler::new(source.rate(), codec.rate()),
            frame: TICK,
            source,
            codec,
            media_time: 0,
            marker: true,
            pulled: Vec::new(),
            samples: Vec::new(),
            over: false,
        }
    }

    /// How much sound is in a payload.
    pub fn frame(&self) -> Duration {
        self.frame
    }

    /// Units of timestamps in a payload.
    pub fn duration(&self) -> u32 {
        units(self.frame, self.codec.clock_rate()) as u32
    }

    /// Makes payloads so long, or of the next shorter length that the codec has.
    pub fn set_frame(&mut self, wanted: Duration) {
        let step = SHORTEST_FRAME;
        let wanted = wanted.clamp(step, LONGEST_FRAME);
        let steps = (wanted.as_nanos() / step.as_nanos()) as u32;
        let fits = (1..=steps).rev().map(|steps| steps * step).find(|one| self.codec.fits(*one));
        self.frame = fits.unwrap_or(TICK);
    }

    /// The next payload; `None` when the source has no more.
    pub fn record(&mut self) -> Option<Recorded> {
        let wanted = units(self.frame, self.codec.rate()) as usize;
        while self.samples.len() < wanted && !self.over {
            self.pulled.clear();
            self.over = !self.source.pull(&mut self.pulled);
            self.resampler.push(&self.pulled, &mut self.samples);
        }
        if self.samples.is_empty() {
            self.pause();
            return None;
        }
        // What is left at the end is filled up with silence.
        self.samples.resize(self.samples.len().max(wanted), 0);
        let mut payload = Vec::new();
        self.codec.encode(&self.samples[..wanted], &mut payload);
        self.samples.drain(..wanted);
        let recorded = Recorded {
            media_time: self.media_time,
            marker: std::mem::take(&mut self.marker),
            payload: payload.into(),
        };
        self.media_time = self.media_time.wrapping_add(self.duration());
        Some(recorded)
    }

    /// Lets the time of a payload pass in which nothing is sent; the source is not asked.
    pub fn pause(&mut self) {
        self.media_time = self.media_time.wrapping_add(self.duration());
        self.marker = true;
    }
}
