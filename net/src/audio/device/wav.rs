//! WAV files, read and written.

use crate::audio::device::{Sink, Source};
use crate::audio::tick_samples;
use hound::{SampleFormat, WavReader, WavSpec, WavWriter};
use std::fs::File;
use std::io::{self, BufReader, BufWriter};
use std::path::Path;

fn explain(what: &str, path: &Path, error: &hound::Error) -> io::Error {
    let kind = match error {
        hound::Error::IoError(error) => error.kind(),
        _ => io::ErrorKind::InvalidData,
    };
    io::Error::new(kind, format!("cannot {what} {}: {error}", path.display()))
}

/// A file that is played from its beginning to its end, once. The channels are mixed.
pub struct WavSource {
    reader: WavReader<BufReader<File>>,
}

impl std::fmt::Debug for WavSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WavSource").field("spec", &self.reader.spec()).finish()
    }
}

impl WavSource {
    /// Opens a file of whole or floating samples, 8000 to 192,000 a second.
    ///
    /// # Errors
    /// One line for a person.
    pub fn open(path: &Path) -> io::Result<Self> {
        let reader = WavReader::open(path).map_err(|error| explain("read", path, &error))?;
        let rate = reader.spec().sample_rate;
        if !(8000..=192_000).contains(&rate) || !rate.is_multiple_of(50) {
            let why = format!("cannot read {}: {rate} samples a second", path.display());
            return Err(io::Error::new(io::ErrorKind::InvalidData, why));
        }
        Ok(Self { reader })
    }

    /// The next sample, all channels as one. What cannot be read is the end.
    fn next(&mut self) -> Option<i16> {
        let WavSpec { channels, bits_per_sample, sample_format, .. } = self.reader.spec();
        let mut sum = 0.0;
        for _ in 0..channels {
            sum += match sample_format {
                SampleFormat::Float => self.reader.samples::<f32>().next()?.ok()? * 32_767.0,
                SampleFormat::Int => {
                    let sample = self.reader.samples::<i32>().next()?.ok()? as f32;
                    sample * (16.0 - f32::from(bits_per_sample)).exp2()
                }
            };
        }
        Some((sum / f32::from(channels.max(1))) as i16)
    }
}

impl Source for WavSource {
    fn rate(&self) -> u32 {
        self.reader.spec().sample_rate
    }

    fn pull(&mut self, samples: &mut Vec<i16>) -> bool {
        let end = samples.len() + tick_samples(self.rate());
        let before = samples.len();
        while samples.len() < end {
            match self.next() {
                Some(sample) => samples.push(sample),
                None if samples.len() == before => return false,
                None => samples.resize(end, 0),
            }
        }
        true
    }
}

/// A file of 16 bits, one channel. Its header is brought up to date every second, so that a
/// process that is killed leaves a file that can be read.
pub struct WavSink {
    writer: WavWriter<BufWriter<File>>,
    unsaved: usize,
}

impl std::fmt::Debug for WavSink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WavSink").field("spec", &self.writer.spec()).finish()
    }
}

impl WavSink {
    /// Creates or overwrites a file.
    ///
    /// # Errors
    /// One line for a person.
    pub fn create(path: &Path, rate: u32) -> io::Result<Self> {
        let spec = WavSpec {
            channels: 1,
            sample_rate: rate,
            bits_per_sample: 16,
            sample_format: SampleFormat::Int,
        };
        let mut writer =
            WavWriter::create(path, spec).map_err(|error| explain("write", path, &error))?;
        writer.flush().map_err(|error| explain("write", path, &error))?;
        Ok(Self { writer, unsaved: 0 })
    }
}

impl Sink for WavSink {
    fn rate(&self) -> u32 {
        self.writer.spec().sample_rate
    }

    fn push(&mut self, samples: &[i16]) {
        // A full disk must not end a call; the file is as long as it could be.
        let _ = samples.iter().try_for_each(|sample| self.writer.write_sample(*sample));
        self.unsaved += samples.len();
        if self.unsaved >= self.rate() as usize {
            self.unsaved = 0;
            let _ = self.writer.flush();
        }
    }
}
