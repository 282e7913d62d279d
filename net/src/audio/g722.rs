//! G.722 at 64 kbit/s (RFC 3551 §4.5.2): 16,000 samples a second, and a clock of 8000, for a
//! mistake in RFC 1890 was kept.

#[cfg(test)]
mod tests;

use super::Codec;
use crate::rtp::Malformed;
use ezk_g722::libg722::{Bitrate, decoder::Decoder, encoder::Encoder};
use std::fmt;

/// Both directions of one stream.
pub struct G722 {
    encoder: Encoder,
    decoder: Decoder,
}

impl G722 {
    /// Both at the start.
    pub fn new() -> Self {
        Self {
            encoder: Encoder::new(Bitrate::Mode1_64000, false, false),
            decoder: Decoder::new(Bitrate::Mode1_64000, false, false),
        }
    }
}

impl Default for G722 {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for G722 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("G722").finish_non_exhaustive()
    }
}

impl Codec for G722 {
    fn rate(&self) -> u32 {
        16_000
    }

    fn clock_rate(&self) -> u32 {
        8000
    }

    fn encode(&mut self, samples: &[i16], payload: &mut Vec<u8>) {
        // Two samples are one octet; half a pair would be read over the end.
        let pairs = samples.len() / 2 * 2;
        payload.extend(self.encoder.encode(&samples[..pairs]));
    }

    fn decode(&mut self, payload: &[u8], samples: &mut Vec<i16>) -> Result<(), Malformed> {
        samples.extend(self.decoder.decode(payload));
        Ok(())
    }

    fn duration(&self, payload: &[u8]) -> u32 {
        payload.len() as u32
    }
}
