//! A picture: three planes of 8-bit samples, chroma halved both ways (I420), without gaps.
//!
//! Samples are BT.601 of full range, as JFIF has them. Nothing here converts between ranges.

use super::fault::Fault;

/// The longest side that is handled.
pub const LONGEST_SIDE: u16 = 4096;

/// Planes Y, U and V, one after the other, rows without padding.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    width: u16,
    height: u16,
    samples: Vec<u8>,
}

impl Picture {
    /// From the samples of all three planes.
    ///
    /// # Errors
    /// A side of zero or over [`LONGEST_SIDE`], or not as many samples as the size asks for.
    pub fn new(width: u16, height: u16, samples: Vec<u8>) -> Result<Self, Fault> {
        let sides = 1..=LONGEST_SIDE;
        if !sides.contains(&width) || !sides.contains(&height) {
            return Err(Fault::new(0, "sides of 1 to 4096", format_args!("{width}×{height}")));
        }
        if samples.len() != samples_of(width, height) {
            return Err(Fault::new(
                samples.len(),
                "exactly the samples of three planes",
                format_args!("{} for {width}×{height}", samples.len()),
            ));
        }
        Ok(Self { width, height, samples })
    }

    /// A grey picture to be painted on. The sides are brought into the limits.
    pub fn grey(width: u16, height: u16) -> Self {
        let (width, height) = (width.clamp(1, LONGEST_SIDE), height.clamp(1, LONGEST_SIDE));
        Self { width, height, samples: vec![128; samples_of(width, height)] }
    }

    /// Width of the luma plane.
    pub fn width(&self) -> u16 {
        self.width
    }

    /// Height of the luma plane.
    pub fn height(&self) -> u16 {
        self.height
    }

    /// Width and height of a chroma plane.
    pub fn chroma_size(&self) -> (u16, u16) {
        (self.width.div_ceil(2), self.height.div_ceil(2))
    }

    /// All samples, planes one after the other.
    pub fn samples(&self) -> &[u8] {
        &self.samples
    }

    /// Y, U and V.
    pub fn planes(&self) -> [&[u8]; 3] {
        let (luma, chroma) = self.plane_lengths();
        let (y, uv) = self.samples.split_at(luma);
        let (u, v) = uv.split_at(chroma);
        [y, u, v]
    }

    /// Y, U and V, to be written.
    pub fn planes_mut(&mut self) -> [&mut [u8]; 3] {
        let (luma, chroma) = self.plane_lengths();
        let (y, uv) = self.samples.split_at_mut(luma);
        let (u, v) = uv.split_at_mut(chroma);
        [y, u, v]
    }

    fn plane_lengths(&self) -> (usize, usize) {
        let (width, height) = self.chroma_size();
        (
            usize::from(self.width) * usize::from(self.height),
            usize::from(width) * usize::from(height),
        )
    }

    /// Fills a rectangle with one colour; what lies outside the picture is left out.
    pub fn fill(&mut self, left: usize, top: usize, size: (usize, usize), colour: [u8; 3]) {
        let sides = [(usize::from(self.width), usize::from(self.height), 1), {
            let (width, height) = self.chroma_size();
            (usize::from(width), usize::from(height), 2)
        }];
        for (plane, (samples, colour)) in self.planes_mut().into_iter().zip(colour).enumerate() {
            let (width, height, step) = sides[plane.min(1)];
            let (from, to) = ((left / step).min(width), (left + size.0).div_ceil(step).min(width));
            let rows = (top / step).min(height)..(top + size.1).div_ceil(step).min(height);
            for row in rows {
                samples[row * width + from..row * width + to].fill(colour);
            }
        }
    }

    /// Peak signal-to-noise ratio over all samples, in decibels; infinite for equal pictures,
    /// nothing for pictures of different size.
    pub fn psnr(&self, other: &Self) -> Option<f64> {
        if (self.width, self.height) != (other.width, other.height) {
            return None;
        }
        let squares: u64 = (self.samples.iter().zip(&other.samples))
            .map(|(a, b)| u64::from(a.abs_diff(*b)).pow(2))
            .sum();
        let mean = squares as f64 / self.samples.len() as f64;
        Some(10.0 * (255.0 * 255.0 / mean).log10())
    }
}

impl std::fmt::Debug for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Picture {}×{}", self.width, self.height)
    }
}

/// How many samples a picture of that size has.
pub fn samples_of(width: u16, height: u16) -> usize {
    let chroma = usize::from(width.div_ceil(2)) * usize::from(height.div_ceil(2));
    usize::from(width) * usize::from(height) + 2 * chroma
}

#[cfg(test)]
mod tests;
