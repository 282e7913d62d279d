//! From a source to payloads: 20 ms of sound, at the codec's rate, encoded.

use super::{Codec, Resampler, Source, TICK};
use crate::rtp::units;
use bytes::Bytes;

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
    tick: u32,
    media_time: u32,
    marker: bool,
    pulled: Vec<i16>,
    samples: Vec<i16>,
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
            tick: units(TICK, codec.clock_rate()) as u32,
            source,
            codec,
            media_time: 0,
            marker: true,
            pulled: Vec::new(),
            samples: Vec::new(),
        }
    }

    /// The next 20 ms; `None` when the source has no more.
    pub fn record(&mut self) -> Option<Recorded> {
        self.pulled.clear();
        self.samples.clear();
        if !self.source.pull(&mut self.pulled) {
            self.pause();
            return None;
        }
        self.resampler.push(&self.pulled, &mut self.samples);
        let mut payload = Vec::new();
        self.codec.encode(&self.samples, &mut payload);
        let recorded = Recorded {
            media_time: self.media_time,
            marker: std::mem::take(&mut self.marker),
            payload: payload.into(),
        };
        self.media_time = self.media_time.wrapping_add(self.tick);
        Some(recorded)
    }

    /// Lets 20 ms pass in which nothing is sent; the source is not asked.
    pub fn pause(&mut self) {
        self.media_time = self.media_time.wrapping_add(self.tick);
        self.marker = true;
    }
}
