//! What cameras give, as a [`Picture`]: YUYV, and JPEG as in Motion JPEG.

#[cfg(test)]
mod tests;

use crate::video::fault::Fault;
use crate::video::jpeg::file::with_huffman;
use crate::video::jpeg::{JpegCodec, QUALITY};
use crate::video::picture::{LONGEST_SIDE, Picture};
use crate::video::stream::VideoCodec;

/// How a camera writes its pictures down.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Form {
    /// Two pixels in four octets, Y U Y V; Y from 16 to 235, U and V from 16 to 240 (BT.601).
    Yuyv,
    /// A JPEG file for each, perhaps without Huffman tables.
    Jpeg,
}

/// Reads the pictures of a camera.
#[derive(Debug)]
pub(super) struct Frames {
    form: Form,
    width: u16,
    height: u16,
    /// Octets from one row to the next.
    stride: usize,
    jpeg: JpegCodec,
}

impl Frames {
    /// For pictures of this size.
    ///
    /// # Errors
    /// A size that is too large, or no size of this form.
    pub(super) fn new(
        form: Form,
        (width, height): (u32, u32),
        stride: usize,
    ) -> Result<Self, Fault> {
        let side =
            |side: u32| u16::try_from(side).ok().filter(|it| (1..=LONGEST_SIDE).contains(it));
        let odd = form == Form::Yuyv && !width.is_multiple_of(2);
        let (Some(width), Some(height), false) = (side(width), side(height), odd) else {
            let found = format_args!("{width}×{height}");
            return Err(Fault::new(0, "sides of 1 to 4096, an even width", found));
        };
        // Some drivers leave out what can be known.
        let stride = stride.max(2 * usize::from(width));
        Ok(Self { form, width, height, stride, jpeg: JpegCodec::new(QUALITY).lenient() })
    }

    /// Width and height.
    pub(super) fn size(&self) -> (u16, u16) {
        (self.width, self.height)
    }

    /// One picture.
    ///
    /// # Errors
    /// It is not whole.
    pub(super) fn picture(&mut self, octets: &[u8]) -> Result<Picture, Fault> {
        match self.form {
            Form::Yuyv => self.yuyv(octets),
            Form::Jpeg => {
                let decoded = self.jpeg.decode(&with_huffman(octets))?;
                decoded.ok_or_else(|| Fault::short(octets.len(), "a picture"))
            }
        }
    }

    fn yuyv(&self, octets: &[u8]) -> Result<Picture, Fault> {
        let (columns, rows) = (usize::from(self.width), usize::from(self.height));
        // The last row may lack its gap.
        if octets.len() < self.stride * (rows - 1) + 2 * columns {
            return Err(Fault::short(octets.len(), "all rows"));
        }
        let mut picture = Picture::grey(self.width, self.height);
        let [luma, u, v] = picture.planes_mut();
        let rows = octets.chunks(self.stride).map(|row| &row[..2 * columns]);
        for (out, row) in luma.chunks_exact_mut(columns).zip(rows.clone()) {
            for (sample, pixel) in out.iter_mut().zip(row.chunks_exact(2)) {
                *sample = widened(pixel[0], 16, 219);
            }
        }
        let rows: Vec<&[u8]> = rows.collect();
        let chroma = u.chunks_exact_mut(columns / 2).zip(v.chunks_exact_mut(columns / 2));
        for ((u, v), pair) in chroma.zip(rows.chunks(2)) {
            // The last row of an odd height stands alone.
            let (upper, lower) = (pair[0], pair[pair.len() - 1]);
            let quads = upper.chunks_exact(4).zip(lower.chunks_exact(4));
            for ((u, v), (upper, lower)) in u.iter_mut().zip(v).zip(quads) {
                *u = widened(upper[1].midpoint(lower[1]), 128, 224);
                *v = widened(upper[3].midpoint(lower[3]), 128, 224);
            }
        }
        Ok(picture)
    }
}

/// From the narrow range of BT.601 to the full one that pictures have here. What is `still` stays,
/// as black does, or grey.
fn widened(sample: u8, still: i32, steps: i32) -> u8 {
    let kept = if still == 16 { 0 } else { still };
    let wide = (i32::from(sample) - still) * 255;
    let rounded = (wide + wide.signum() * steps / 2) / steps;
    (rounded + kept).clamp(0, 255) as u8
}
