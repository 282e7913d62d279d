//! PCMU and PCMA: ITU-T G.711, RFC 3551 §4.5.14. One octet a sample, 8000 a second.

#[cfg(test)]
mod tests;

use super::Codec;
use crate::rtp::Malformed;

/// Added before the segment of µ-law is looked for.
const BIAS: i32 = 132;
/// Above that µ-law has no code.
const CLIP: i32 = 32_635;

/// µ-law.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Pcmu;

/// A-law.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Pcma;

/// A sample as µ-law.
pub fn to_ulaw(sample: i16) -> u8 {
    let sign = if sample < 0 { 0x80 } else { 0 };
    let magnitude = i32::from(sample).abs().min(CLIP) + BIAS;
    // The position of the highest bit, 7 to 14, is the segment.
    let segment = 24 - magnitude.leading_zeros();
    let step = magnitude >> (segment + 3) & 0x0f;
    !(sign | (segment as u8) << 4 | step as u8)
}

/// µ-law as a sample.
pub fn from_ulaw(code: u8) -> i16 {
    let code = !code;
    let segment = code >> 4 & 7;
    let magnitude = (((i32::from(code & 0x0f) << 3) + BIAS) << segment) - BIAS;
    (if code & 0x80 != 0 { -magnitude } else { magnitude }) as i16
}

/// A sample as A-law.
pub fn to_alaw(sample: i16) -> u8 {
    // Negative numbers go from −1 and not from 0, so that both halves have as many.
    let (sign, magnitude) = if sample < 0 { (0, !sample >> 3) } else { (0x80, sample >> 3) };
    // The two lowest segments have steps of one size.
    let segment = 11u32.saturating_sub((magnitude as u16).leading_zeros());
    let step = magnitude >> segment.max(1) & 0x0f;
    (sign | (segment as u8) << 4 | step as u8) ^ 0x55
}

/// A-law as a sample.
pub fn from_alaw(code: u8) -> i16 {
    let code = code ^ 0x55;
    let segment = code >> 4 & 7;
    let step = i16::from(code & 0x0f) << 4;
    let magnitude = match segment {
        0 => step + 8,
        _ => (step + 0x108) << (segment - 1),
    };
    if code & 0x80 != 0 { magnitude } else { -magnitude }
}

impl Codec for Pcmu {
    fn rate(&self) -> u32 {
        8000
    }

    fn encode(&mut self, samples: &[i16], payload: &mut Vec<u8>) {
        payload.extend(samples.iter().map(|sample| to_ulaw(*sample)));
    }

    fn decode(&mut self, payload: &[u8], samples: &mut Vec<i16>) -> Result<(), Malformed> {
        samples.extend(payload.iter().map(|code| from_ulaw(*code)));
        Ok(())
    }

    fn duration(&self, payload: &[u8]) -> u32 {
        payload.len() as u32
    }
}

impl Codec for Pcma {
    fn rate(&self) -> u32 {
        8000
    }

    fn encode(&mut self, samples: &[i16], payload: &mut Vec<u8>) {
        payload.extend(samples.iter().map(|sample| to_alaw(*sample)));
    }

    fn decode(&mut self, payload: &[u8], samples: &mut Vec<i16>) -> Result<(), Malformed> {
        samples.extend(payload.iter().map(|code| from_alaw(*code)));
        Ok(())
    }

    fn duration(&self, payload: &[u8]) -> u32 {
        payload.len() as u32
    }
}
