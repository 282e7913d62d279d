//! Pictures to H.264 frames and back, by OpenH264.

use super::{Parameters, units};
use crate::video::fault::Fault;
use crate::video::picture::Picture;
use crate::video::stream::{PAYLOAD_LIMIT, VideoCodec};
use openh264::decoder::{DecodedYUV, Decoder, DecoderConfig};
use openh264::encoder::{
    BitRate, Encoder, EncoderConfig, FrameRate, IntraFramePeriod, Profile, RateControlMode,
    VuiConfig,
};
use openh264::formats::YUVSource;
use openh264::{OpenH264API, Timestamp};
use std::time::Duration;

/// Bits a second aimed at.
const BIT_RATE: u32 = 800_000;
/// Most octets that are given to the decoder at once.
const LONGEST_FRAME: usize = 4 << 20;

/// Codes a picture as what changed since the one before.
pub struct H264Codec {
    parameters: Parameters,
    encoder: Encoder,
    decoder: Decoder,
    /// Whether the decoder was told what the offer said.
    told: bool,
}

impl H264Codec {
    /// A codec for a stream with these parameters.
    ///
    /// # Errors
    /// The library does not start.
    pub fn new(parameters: &Parameters) -> Result<Self, Fault> {
        let failed = |error| Fault::new(0, "a codec that starts", error);
        let mut config = EncoderConfig::new()
            .bitrate(BitRate::from_bps(BIT_RATE))
            .max_frame_rate(FrameRate::from_hz(30.0))
            .rate_control_mode(RateControlMode::Bitrate)
            .profile(Profile::Baseline)
            .intra_frame_period(IntraFramePeriod::from_num_frames(0))
            .scene_change_detect(false)
            .num_threads(1)
            .vui(VuiConfig::bt601().full_range(true));
        if parameters.packetization_mode == 0 {
            config = config.max_slice_len(PAYLOAD_LIMIT as u32 - 100);
        }
        let api = OpenH264API::from_source;
        Ok(Self {
            parameters: parameters.clone(),
            encoder: Encoder::with_api_config(api(), config).map_err(failed)?,
            decoder: Decoder::with_api_config(api(), DecoderConfig::new()).map_err(failed)?,
            told: false,
        })
    }

    /// Tells the decoder the parameter sets of the offer, once.
    fn tell_parameter_sets(&mut self) {
        if !std::mem::replace(&mut self.told, true) {
            for set in &self.parameters.parameter_sets {
                // A set that is no good shows when a frame needs it.
                let _ = self.decoder.decode(&[&[0, 0, 0, 1], &set[..]].concat());
            }
        }
    }
}

impl VideoCodec for H264Codec {
    fn encode(&mut self, picture: &Picture, key: bool, now: Duration) -> Result<Vec<u8>, Fault> {
        let (width, height) = (picture.width(), picture.height());
        let odd = width % 2 != 0 || height % 2 != 0 || width < 16 || height < 16;
        if odd || !self.parameters.takes(width, height) {
            let found = format_args!("{width}×{height}");
            return Err(Fault::new(0, "even sides within the level of the receiver", found));
        }
        if key {
            self.encoder.force_intra_frame();
        }
        let failed = |error| Fault::new(0, "a picture that can be coded", error);
        let taken = Timestamp::from_millis(now.as_millis().min(1 << 62) as u64);
        Ok(self.encoder.encode_at(&Planes(picture), taken).map_err(failed)?.to_vec())
    }

    fn decode(&mut self, frame: &[u8]) -> Result<Option<Picture>, Fault> {
        if frame.len() > LONGEST_FRAME {
            return Err(Fault::new(LONGEST_FRAME, "the end of the frame", frame.len()));
        }
        self.tell_parameter_sets();
        if units(frame).next().is_none() {
            return Err(Fault::short(frame.len(), "a NAL unit"));
        }
        match self.decoder.decode(frame) {
            Ok(Some(decoded)) => copy(&decoded).map(Some),
            Ok(None) => Ok(None),
            Err(error) => Err(Fault::new(frame.len(), "a frame that can be decoded", error)),
        }
    }

    fn stands_alone(&self) -> bool {
        false
    }
}

/// The decoder's picture without the gaps at the ends of its rows.
fn copy(decoded: &DecodedYUV<'_>) -> Result<Picture, Fault> {
    let ((width, height), strides) = (decoded.dimensions(), decoded.strides());
    let (Ok(columns), Ok(rows)) = (u16::try_from(width), u16::try_from(height)) else {
        return Err(Fault::new(0, "sides under 65536", format_args!("{width}×{height}")));
    };
    let mut samples = Vec::with_capacity(width * height * 3 / 2);
    let planes = [
        (decoded.y(), strides.0, width, height),
        (decoded.u(), strides.1, width.div_ceil(2), height.div_ceil(2)),
        (decoded.v(), strides.2, width.div_ceil(2), height.div_ceil(2)),
    ];
    for (plane, stride, width, height) in planes {
        for row in plane.chunks(stride.max(1)).take(height) {
            samples.extend(row.iter().take(width));
        }
    }
    Picture::new(columns, rows, samples)
}

/// A picture as the encoder reads it.
struct Planes<'a>(&'a Picture);

impl YUVSource for Planes<'_> {
    fn dimensions(&self) -> (usize, usize) {
        (self.0.width().into(), self.0.height().into())
    }

    fn strides(&self) -> (usize, usize, usize) {
        let chroma = self.0.chroma_size().0.into();
        (self.0.width().into(), chroma, chroma)
    }

    fn y(&self) -> &[u8] {
        self.0.planes()[0]
    }

    fn u(&self) -> &[u8] {
        self.0.planes()[1]
    }

    fn v(&self) -> &[u8] {
        self.0.planes()[2]
    }
}

#[cfg(test)]
mod tests;
