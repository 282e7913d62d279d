//! Opus (RFC 6716) by libopus, 48,000 samples a second, one channel (RFC 7587). Its rtpmap says two
//! channels whatever is in the packets, and its decoder makes one of what it gets.

#[cfg(test)]
mod tests;

use super::{Codec, tick_samples};
use crate::rtp::Malformed;
use opus::{Application, Bitrate, Channels, Decoder, Encoder};
use std::time::Duration;

const RATE: u32 = 48_000;
/// Longest packet (RFC 6716 §2.1.4), in samples.
const LONGEST: usize = 120 * 48;
/// Largest payload we make.
const ROOM: usize = 1275;
/// For one voice.
const BITS: i32 = 32_000;
/// Loss that forward error correction is made for.
const EXPECTED_LOSS: i32 = 5;

/// Both directions of one stream.
#[derive(Debug)]
pub struct Opus {
    encoder: Encoder,
    decoder: Decoder,
}

impl Opus {
    /// Both at the start; `None` if libopus has no memory for them.
    pub fn new() -> Option<Self> {
        let mut encoder = Encoder::new(RATE, Channels::Mono, Application::Voip).ok()?;
        encoder.set_bitrate(Bitrate::Bits(BITS)).ok()?;
        encoder.set_inband_fec(true).ok()?;
        encoder.set_packet_loss_perc(EXPECTED_LOSS).ok()?;
        Some(Self { encoder, decoder: Decoder::new(RATE, Channels::Mono).ok()? })
    }
}

impl Codec for Opus {
    fn rate(&self) -> u32 {
        RATE
    }

    /// RFC 6716 §2.1.4: there is no frame of 30 or 50 ms.
    fn fits(&self, frame: Duration) -> bool {
        matches!(frame.as_millis(), 10 | 20 | 40 | 60)
    }

    fn encode(&mut self, samples: &[i16], payload: &mut Vec<u8>) {
        let start = payload.len();
        payload.resize(start + ROOM, 0);
        let length = self.encoder.encode(samples, &mut payload[start..]).unwrap_or(0);
        payload.truncate(start + length);
    }

    fn decode(&mut self, payload: &[u8], samples: &mut Vec<i16>) -> Result<(), Malformed> {
        let start = samples.len();
        samples.resize(start + LONGEST, 0);
        let decoded = self.decoder.decode(payload, &mut samples[start..], false);
        samples.truncate(start + *decoded.as_ref().unwrap_or(&0));
        decoded.map(|_| ()).map_err(|_| Malformed)
    }

    fn duration(&self, payload: &[u8]) -> u32 {
        opus::packet::get_nb_samples(payload, RATE).map_or(0, |samples| samples as u32)
    }

    fn conceal(&mut self, samples: &mut Vec<i16>) -> bool {
        let start = samples.len();
        samples.resize(start + tick_samples(RATE), 0);
        let made_up = self.decoder.decode(&[], &mut samples[start..], false);
        samples.truncate(start + *made_up.as_ref().unwrap_or(&0));
        made_up.is_ok()
    }
}
