//! The sound card, by cpal: `sound`, or `sound:NAME` for one of several.
//!
//! The card calls from a thread and by a clock of its own; a [ring](super::ring) lies between it
//! and whoever asks every 20 ms. Codecs' rates are converted by whoever asks, as for every device.

use super::ring::{Inlet, Outlet, Slips, ring};
use super::{Sink, Source};
use crate::audio::tick_samples;
use cpal::traits::{DeviceTrait, HostTrait, StreamTrait};
use cpal::{
    BufferSize, Device, Error, ErrorKind, FromSample, Sample, SampleFormat, SizedSample, Stream,
    StreamConfig, SupportedBufferSize, SupportedStreamConfig, SupportedStreamConfigRange,
};
use std::io;
use std::time::Duration;

/// Samples a second, if the card has a choice: all our codecs' rates divide it.
const RATE: u32 = 48_000;
/// How long a card may take to open.
const PATIENCE: Duration = Duration::from_secs(3);
/// Most devices that an error names.
const NAMED: usize = 8;

/// What a card hears.
pub(super) struct Microphone {
    name: Box<str>,
    _stream: Stream,
    rate: u32,
    outlet: Outlet,
}

/// What a card says.
pub(super) struct Loudspeaker {
    name: Box<str>,
    _stream: Stream,
    rate: u32,
    inlet: Inlet,
}

impl Microphone {
    /// Opens a card to record from, the usual one if it has no name.
    ///
    /// # Errors
    /// One line for a person.
    pub(super) fn open(card: &str) -> io::Result<Self> {
        Self::begin(card).map_err(|error| explain(card, &error))
    }

    fn begin(card: &str) -> Result<Self, Error> {
        let device = find(card, true)?;
        let usual = device.default_input_config();
        let (config, format) = settle(device.supported_input_configs()?, 1, usual)?;
        let (inlet, outlet) = ring(config.sample_rate);
        let stream = match format {
            SampleFormat::I16 => record::<i16>(&device, config, inlet),
            SampleFormat::I32 => record::<i32>(&device, config, inlet),
            SampleFormat::F32 => record::<f32>(&device, config, inlet),
            other => Err(strange(other)),
        }?;
        stream.play()?;
        Ok(Self { name: card.into(), _stream: stream, rate: config.sample_rate, outlet })
    }
}

impl Loudspeaker {
    /// Opens a card to play to, the usual one if it has no name.
    ///
    /// # Errors
    /// One line for a person.
    pub(super) fn open(card: &str) -> io::Result<Self> {
        Self::begin(card).map_err(|error| explain(card, &error))
    }

    fn begin(card: &str) -> Result<Self, Error> {
        let device = find(card, false)?;
        let usual = device.default_output_config();
        let (config, format) = settle(device.supported_output_configs()?, 2, usual)?;
        let (inlet, outlet) = ring(config.sample_rate);
        let stream = match format {
            SampleFormat::I16 => play::<i16>(&device, config, outlet),
            SampleFormat::I32 => play::<i32>(&device, config, outlet),
            SampleFormat::F32 => play::<f32>(&device, config, outlet),
            other => Err(strange(other)),
        }?;
        stream.play()?;
        Ok(Self { name: card.into(), _stream: stream, rate: config.sample_rate, inlet })
    }
}

impl Source for Microphone {
    fn rate(&self) -> u32 {
        self.rate
    }

    fn pull(&mut self, samples: &mut Vec<i16>) -> bool {
        self.outlet.take(tick_samples(self.rate), |sample| samples.push(sample));
        true
    }
}

impl Sink for Loudspeaker {
    fn rate(&self) -> u32 {
        self.rate
    }

    fn push(&mut self, samples: &[i16]) {
        self.inlet.push(samples.iter().copied());
    }
}

impl Drop for Microphone {
    fn drop(&mut self) {
        say_slips("recorded from", &self.name, self.outlet.slips());
    }
}

impl Drop for Loudspeaker {
    fn drop(&mut self) {
        say_slips("played to", &self.name, self.inlet.slips());
    }
}

fn say_slips(what: &str, card: &str, Slips { inserted, dropped }: Slips) {
    tracing::info!(card, inserted, dropped, "{what} the sound card");
}

/// The card with this name.
fn find(card: &str, hears: bool) -> Result<Device, Error> {
    let host = cpal::default_host();
    let found = match card {
        "" if hears => host.default_input_device(),
        "" => host.default_output_device(),
        name => host.devices()?.find(|device| {
            let is_its_id = device.id().is_ok_and(|id| id.id() == name);
            is_its_id || device.description().is_ok_and(|told| told.name() == name)
        }),
    };
    found.ok_or_else(|| Error::new(ErrorKind::DeviceNotAvailable))
}

/// Of what a card can do, what is nearest to what we have: 16 bits, [`RATE`], so many channels.
fn settle(
    configs: impl Iterator<Item = SupportedStreamConfigRange>,
    channels: u16,
    usual: Result<SupportedStreamConfig, Error>,
) -> Result<(StreamConfig, SampleFormat), Error> {
    const FORMATS: [SampleFormat; 3] = [SampleFormat::I16, SampleFormat::F32, SampleFormat::I32];
    let rank = |config: &SupportedStreamConfigRange| {
        let format = FORMATS.iter().position(|format| *format == config.sample_format())?;
        Some((config.channels().abs_diff(channels), format))
    };
    let fits = |config: &SupportedStreamConfigRange| {
        (config.min_sample_rate()..=config.max_sample_rate()).contains(&RATE)
            && rank(config).is_some()
    };
    let chosen = match configs.filter(fits).min_by_key(rank) {
        Some(config) => config.with_sample_rate(RATE),
        None => usual?,
    };
    let mut config = chosen.config();
    // A period of a tick, so that little waits in the card.
    let tick = tick_samples(config.sample_rate) as u32;
    config.buffer_size = match chosen.buffer_size() {
        SupportedBufferSize::Range { min, max } if (*min..=*max).contains(&tick) => {
            BufferSize::Fixed(tick)
        }
        SupportedBufferSize::Range { .. } | SupportedBufferSize::Unknown => BufferSize::Default,
    };
    Ok((config, chosen.sample_format()))
}

/// All channels as one, into the ring.
fn record<T>(device: &Device, config: StreamConfig, mut inlet: Inlet) -> Result<Stream, Error>
where
    T: SizedSample,
    i16: FromSample<T>,
{
    let channels = usize::from(config.channels.max(1));
    let one = |frame: &[T]| {
        let sum: i32 = frame.iter().map(|sample| i32::from(i16::from_sample(*sample))).sum();
        (sum / frame.len() as i32) as i16
    };
    let came = move |samples: &[T], _: &_| inlet.push(samples.chunks_exact(channels).map(one));
    device.build_input_stream(config, came, complain, Some(PATIENCE))
}

/// Out of the ring, the same on all channels.
fn play<T>(device: &Device, config: StreamConfig, mut outlet: Outlet) -> Result<Stream, Error>
where
    T: SizedSample + FromSample<i16>,
{
    let channels = usize::from(config.channels.max(1));
    let wanted = move |samples: &mut [T], _: &_| {
        let mut frames = samples.chunks_exact_mut(channels);
        outlet.take(frames.len(), |sample| {
            if let Some(frame) = frames.next() {
                frame.fill(T::from_sample(sample));
            }
        });
    };
    device.build_output_stream(config, wanted, complain, Some(PATIENCE))
}

/// What goes wrong while it runs.
fn complain(error: Error) {
    match error.kind() {
        // The ring has silence for that.
        ErrorKind::Xrun | ErrorKind::RealtimeDenied => tracing::debug!(%error, "sound card"),
        _ => tracing::warn!(%error, "sound card"),
    }
}

fn strange(format: SampleFormat) -> Error {
    Error::with_message(ErrorKind::UnsupportedConfig, format!("samples of {format}"))
}

/// Names the card, what is wrong, and what may be named instead.
fn explain(card: &str, error: &Error) -> io::Error {
    let name = if card.is_empty() { "sound".to_owned() } else { format!("sound:{card}") };
    let devices = cpal::default_host().devices();
    let known: Vec<String> = devices
        .into_iter()
        .flatten()
        .filter_map(|device| Some(format!("sound:{}", device.id().ok()?.id())))
        .take(NAMED)
        .collect();
    let remedy = match known.is_empty() {
        true => "there is no sound card; wav:FILE or null need none".to_owned(),
        false => format!("there are {}; wav:FILE and null need no card", known.join(", ")),
    };
    io::Error::other(format!("no device {name}: {error} ({remedy})"))
}
