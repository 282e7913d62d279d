//! Sound without a clock: codecs, concealment of what was lost, conversion of rates, devices.
//!
//! Samples are 16 bits with a sign, one channel. A [`Codec`] turns 20 ms of them, or as much as the
//! other side wishes, into a payload and back; a [`Recorder`] makes payloads of what a [`Source`]
//! gives, a [`Player`] turns what comes from the network into an even stream for a [`Sink`]. Both
//! are asked in time by somebody who has a clock; nothing here has one.

pub mod conceal;
pub mod device;
pub mod g711;
pub mod g722;
#[cfg(feature = "opus")]
pub mod opus;
pub mod player;
pub mod recorder;
pub mod resample;

pub use conceal::Concealer;
pub use device::{Sink, Source};
pub use player::{Played, Player};
pub use recorder::Recorder;
pub use resample::Resampler;

use crate::rtp::Malformed;
use std::fmt;
use std::time::Duration;

/// How much sound is one packet and one tick of a device.
pub const TICK: Duration = Duration::from_millis(20);

/// How much sound is in a packet that we send, at least and at most.
pub const SHORTEST_FRAME: Duration = Duration::from_millis(10);
/// See [`SHORTEST_FRAME`].
pub const LONGEST_FRAME: Duration = Duration::from_millis(60);

/// Samples of one tick.
pub fn tick_samples(rate: u32) -> usize {
    rate as usize / 50
}

/// Turns samples into payloads and back (RFC 3551 §4).
pub trait Codec: Send + fmt::Debug {
    /// Samples a second.
    fn rate(&self) -> u32;

    /// Units of RTP timestamps a second; not always the same (RFC 3551 §4.5.2).
    fn clock_rate(&self) -> u32 {
        self.rate()
    }

    /// Whether a payload may last so long, of the multiples of 10 ms up to [`LONGEST_FRAME`].
    fn fits(&self, _frame: Duration) -> bool {
        true
    }

    /// Appends the payload of a frame, of 20 ms or any length that fits.
    fn encode(&mut self, samples: &[i16], payload: &mut Vec<u8>);

    /// Appends the samples of a payload.
    ///
    /// # Errors
    /// It is no payload of this codec.
    fn decode(&mut self, payload: &[u8], samples: &mut Vec<i16>) -> Result<(), Malformed>;

    /// How long a payload lasts, in units of timestamps.
    fn duration(&self, payload: &[u8]) -> u32;

    /// Appends what may have been in a lost payload of 20 ms, if the codec knows a way of its own.
    fn conceal(&mut self, _samples: &mut Vec<i16>) -> bool {
        false
    }
}

/// What this build can encode and decode, as `a=rtpmap` says it, best first.
pub const RTPMAPS: &[&str] = &[
    #[cfg(feature = "opus")]
    "opus/48000/2",
    "G722/8000",
    "PCMU/8000",
    "PCMA/8000",
];

/// The codec of an `a=rtpmap` (X7: name in any case, rate and channels equal), if we have it.
pub fn codec(rtpmap: &str) -> Option<Box<dyn Codec>> {
    let known = RTPMAPS.iter().find(|known| known.eq_ignore_ascii_case(mono(rtpmap)))?;
    match *known {
        "PCMU/8000" => Some(Box::new(g711::Pcmu)),
        "PCMA/8000" => Some(Box::new(g711::Pcma)),
        #[cfg(feature = "opus")]
        "opus/48000/2" => Some(Box::new(opus::Opus::new()?)),
        "G722/8000" => Some(Box::new(g722::G722::new())),
        _ => None,
    }
}

/// One channel need not be said (RFC 8866 §6.6).
fn mono(rtpmap: &str) -> &str {
    rtpmap.strip_suffix("/1").unwrap_or(rtpmap)
}

#[cfg(test)]
pub(crate) mod rig;
#[cfg(test)]
mod tests;
