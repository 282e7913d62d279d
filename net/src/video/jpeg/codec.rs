//! Pictures to JPEG files and back.

use super::LONGEST_SIDE;
use crate::video::fault::Fault;
use crate::video::picture::Picture;
use crate::video::stream::VideoCodec;
use jpeg_encoder::{Encoder, ImageBuffer, JpegColorType, SamplingFactor};
use std::time::Duration;
use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

/// Codes every picture for itself.
#[derive(Clone, Debug)]
pub struct JpegCodec {
    quality: u8,
    restart: u16,
    strict: bool,
    /// Samples of the picture decoded last, Y, U and V in turn at full size.
    full: Vec<u8>,
}

impl JpegCodec {
    /// A codec of this quality, 1 to 99: the Q of RFC 2435 §4.2.
    pub fn new(quality: u8) -> Self {
        Self { quality: quality.clamp(1, 99), restart: 0, strict: true, full: Vec::new() }
    }

    /// With restart markers after so many MCUs.
    pub fn with_restarts(mut self, interval: u16) -> Self {
        self.restart = interval;
        self
    }

    /// One that decodes what it can of a frame with faults, as cameras make them.
    pub fn lenient(mut self) -> Self {
        self.strict = false;
        self
    }
}

impl VideoCodec for JpegCodec {
    fn encode(&mut self, picture: &Picture, _key: bool, _now: Duration) -> Result<Vec<u8>, Fault> {
        let (width, height) = (picture.width(), picture.height());
        for side in [width, height] {
            if side % 8 != 0 || side > LONGEST_SIDE {
                let found = format_args!("{width}×{height}");
                return Err(Fault::new(0, "sides of 8 to 2040, multiples of 8", found));
            }
        }
        let mut out = Vec::with_capacity(picture.samples().len() / 8);
        let mut encoder = Encoder::new(&mut out, self.quality);
        encoder.set_sampling_factor(SamplingFactor::R_4_2_0);
        encoder.set_restart_interval(self.restart);
        match encoder.encode_image(Rows(picture)) {
            Ok(()) => Ok(out),
            Err(error) => Err(Fault::new(0, "a picture that can be coded", error)),
        }
    }

    fn decode(&mut self, frame: &[u8]) -> Result<Option<Picture>, Fault> {
        let options = DecoderOptions::default()
            .set_strict_mode(self.strict)
            .set_max_width(LONGEST_SIDE.into())
            .set_max_height(LONGEST_SIDE.into())
            .jpeg_set_out_colorspace(ColorSpace::YCbCr);
        let mut decoder = JpegDecoder::new_with_options(ZCursor::new(frame), options);
        let fault = |error| Fault::new(frame.len(), "a frame that can be decoded", error);
        decoder.decode_headers().map_err(fault)?;
        let (Some((width, height)), Some(length)) =
            (decoder.dimensions(), decoder.output_buffer_size())
        else {
            return Err(Fault::new(0, "a frame with a size", "none"));
        };
        if length != 3 * width * height {
            return Err(Fault::new(0, "a frame of three components", length));
        }
        self.full.resize(length, 0);
        decoder.decode_into(&mut self.full).map_err(fault)?;
        // Both are at most 2040.
        Ok(Some(quarter(width as u16, height as u16, &self.full)))
    }

    fn stands_alone(&self) -> bool {
        true
    }
}

/// Halves the chroma of samples that have it at full size.
fn quarter(width: u16, height: u16, full: &[u8]) -> Picture {
    let mut picture = Picture::grey(width, height);
    let columns = usize::from(width);
    let across = usize::from(picture.chroma_size().0);
    let [luma, u, v] = picture.planes_mut();
    for (sample, triple) in luma.iter_mut().zip(full.chunks_exact(3)) {
        *sample = triple[0];
    }
    let rows = full.chunks(2 * 3 * columns);
    for ((pair, u), v) in rows.zip(u.chunks_exact_mut(across)).zip(v.chunks_exact_mut(across)) {
        let (upper, lower) = pair.split_at(3 * columns);
        // The last row of an odd height stands alone.
        let lower = if lower.is_empty() { upper } else { lower };
        for (place, (u, v)) in u.iter_mut().zip(v).enumerate() {
            let (left, right) = (6 * place, (6 * place + 3).min(3 * columns - 3));
            let mean = |plane: usize| {
                let four = [upper[left + plane], upper[right + plane]]
                    .into_iter()
                    .chain([lower[left + plane], lower[right + plane]]);
                ((four.map(u16::from).sum::<u16>() + 2) / 4) as u8
            };
            (*u, *v) = (mean(1), mean(2));
        }
    }
    picture
}

/// Rows of a picture with chroma at full size, which the encoder halves again without a loss.
struct Rows<'a>(&'a Picture);

impl ImageBuffer for Rows<'_> {
    fn get_jpeg_color_type(&self) -> JpegColorType {
        JpegColorType::Ycbcr
    }

    fn width(&self) -> u16 {
        self.0.width()
    }

    fn height(&self) -> u16 {
        self.0.height()
    }

    fn fill_buffers(&self, row: u16, buffers: &mut [Vec<u8>; 4]) {
        let (width, row) = (usize::from(self.0.width()), usize::from(row));
        let across = usize::from(self.0.chroma_size().0);
        let [luma, u, v] = self.0.planes();
        buffers[0].extend(&luma[row * width..(row + 1) * width]);
        for (buffer, plane) in buffers[1..].iter_mut().zip([u, v]) {
            let samples = &plane[row / 2 * across..(row / 2 + 1) * across];
            buffer.extend(samples.iter().flat_map(|&sample| [sample, sample]).take(width));
        }
    }
}

#[cfg(test)]
mod tests;
