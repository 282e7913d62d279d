//! Where sound comes from and where it goes: a tone, silence, WAV files, nothing.
//!
//! A device is asked for 20 ms, or given 20 ms, whenever a clock somewhere else says so; it waits
//! for nothing. Devices are named by a line of text: `tone`, `tone:880`, `wav:FILE`, `null`, and
//! with feature `sound` also `sound` and `sound:NAME`.

#[cfg(feature = "sound")]
mod card;
#[cfg(feature = "sound")]
mod ring;
mod wav;

#[cfg(test)]
mod tests;

pub use wav::{WavSink, WavSource};

use super::tick_samples;
use std::f64::consts::TAU;
use std::io;
use std::path::Path;

/// Where sound comes from.
pub trait Source: Send {
    /// Samples a second.
    fn rate(&self) -> u32;

    /// Appends 20 ms; `false` if there is nothing any more.
    fn pull(&mut self, samples: &mut Vec<i16>) -> bool;
}

/// Where sound goes.
pub trait Sink: Send {
    /// Samples a second.
    fn rate(&self) -> u32;

    /// Takes 20 ms.
    fn push(&mut self, samples: &[i16]);
}

/// Opens a source by its name.
///
/// # Errors
/// One line for a person.
pub fn source(name: &str) -> io::Result<Box<dyn Source>> {
    match name.split_once(':').unwrap_or((name, "")) {
        ("tone", "") => Ok(Box::new(Tone::new(440.0))),
        ("tone", hertz) => match hertz.parse() {
            Ok(hertz) if (20.0..=4000.0).contains(&hertz) => Ok(Box::new(Tone::new(hertz))),
            _ => Err(unknown(name, "a tone has 20 to 4000 Hz")),
        },
        ("null", "") => Ok(Box::new(Null)),
        ("wav", file) if !file.is_empty() => Ok(Box::new(WavSource::open(Path::new(file))?)),
        #[cfg(feature = "sound")]
        ("sound", card) => Ok(Box::new(card::Microphone::open(card)?)),
        #[cfg(not(feature = "sound"))]
        ("sound", _) => Err(unknown(name, NO_SOUND)),
        _ => Err(unknown(name, "known are tone, tone:HZ, wav:FILE, sound, null")),
    }
}

/// Opens a sink by its name. A WAV file gets `rate`, which should be the codec's.
///
/// # Errors
/// One line for a person.
pub fn sink(name: &str, rate: u32) -> io::Result<Box<dyn Sink>> {
    match name.split_once(':').unwrap_or((name, "")) {
        ("null", "") => Ok(Box::new(Null)),
        ("wav", file) if !file.is_empty() => Ok(Box::new(WavSink::create(Path::new(file), rate)?)),
        #[cfg(feature = "sound")]
        ("sound", card) => Ok(Box::new(card::Loudspeaker::open(card)?)),
        #[cfg(not(feature = "sound"))]
        ("sound", _) => Err(unknown(name, NO_SOUND)),
        _ => Err(unknown(name, "known are wav:FILE, sound, null")),
    }
}

#[cfg(not(feature = "sound"))]
const NO_SOUND: &str = "this is a build without sound cards; build with --features sound";

fn unknown(name: &str, what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, format!("no device {name}: {what}"))
}

/// Silence as a source, the bin as a sink.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Null;

impl Source for Null {
    fn rate(&self) -> u32 {
        8000
    }

    fn pull(&mut self, samples: &mut Vec<i16>) -> bool {
        samples.resize(samples.len() + tick_samples(8000), 0);
        true
    }
}

impl Sink for Null {
    fn rate(&self) -> u32 {
        8000
    }

    fn push(&mut self, _: &[i16]) {}
}

/// A tone without end.
#[derive(Clone, PartialEq, Debug)]
pub struct Tone {
    step: f64,
    phase: f64,
}

impl Tone {
    const RATE: u32 = 16_000;

    /// A tone of so many Hertz.
    pub fn new(hertz: f64) -> Self {
        Self { step: TAU * hertz / f64::from(Self::RATE), phase: 0.0 }
    }
}

impl Source for Tone {
    fn rate(&self) -> u32 {
        Self::RATE
    }

    fn pull(&mut self, samples: &mut Vec<i16>) -> bool {
        samples.extend((0..tick_samples(Self::RATE)).map(|_| {
            let sample = (self.phase.sin() * 8000.0) as i16;
            self.phase = (self.phase + self.step) % TAU;
            sample
        }));
        true
    }
}
