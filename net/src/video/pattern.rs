//! The test picture: bars, ramps that move, a square that wanders, and the number of the frame as
//! a bar code that survives compression, so that code sees a frame that is missing, frozen or old.

use super::picture::Picture;

/// Bits of the number.
const NUMBER_BITS: u32 = 24;
/// Cells of the code: the number and eight bits of check.
const CELLS: usize = 32;
/// Rows of the code, from the top.
const CODE_ROWS: usize = 16;
/// The narrowest picture whose number can be read.
pub const NARROWEST: u16 = 128;

/// Colours of the bars: grey, yellow, cyan, green, magenta, red, blue, at three quarters.
const BARS: [[u8; 3]; 7] = [
    [180, 128, 128],
    [162, 44, 142],
    [131, 156, 44],
    [112, 72, 58],
    [84, 184, 198],
    [65, 100, 212],
    [35, 212, 114],
];

/// A source of test pictures of one size.
#[derive(Clone, Debug)]
pub struct Pattern {
    backdrop: Picture,
}

impl Pattern {
    /// Pictures of this size, brought into what the pattern needs: at least 128×32.
    pub fn new(width: u16, height: u16) -> Self {
        let mut backdrop = Picture::grey(width.max(NARROWEST), height.max(2 * CODE_ROWS as u16));
        let (width, height) = (usize::from(backdrop.width()), usize::from(backdrop.height()));
        for (bar, colour) in BARS.into_iter().enumerate() {
            let (left, right) = (bar * width / BARS.len(), (bar + 1) * width / BARS.len());
            let size = (right - left, height * 2 / 3 - CODE_ROWS);
            backdrop.fill(left, CODE_ROWS, size, colour);
        }
        Self { backdrop }
    }

    /// The picture with this number; of the number the low 24 bits count.
    pub fn picture(&self, number: u32) -> Picture {
        let mut picture = self.backdrop.clone();
        let (width, height) = (usize::from(picture.width()), usize::from(picture.height()));
        let step = number as usize;
        let ramps = height * 2 / 3;
        let rows = picture.planes_mut()[0][ramps * width..].chunks_exact_mut(width);
        for (row, samples) in rows.enumerate() {
            for (column, sample) in samples.iter_mut().enumerate() {
                // A triangle wave: a ramp without an edge.
                let phase = (column + 2 * row + 3 * step) % 256;
                *sample = 64 + if phase < 128 { phase } else { 255 - phase } as u8;
            }
        }
        let side = (height / 6).min(width / 4);
        let (across, down) = (width - side, (height * 2 / 3 - CODE_ROWS).saturating_sub(side));
        let (left, top) = (swing(4 * step, across), CODE_ROWS + swing(3 * step, down));
        picture.fill(left & !1, top & !1, (side, side), [235, 128, 128]);
        self.write_number(&mut picture, number);
        picture
    }

    fn write_number(&self, picture: &mut Picture, number: u32) {
        let word = code(number);
        let width = usize::from(picture.width());
        for cell in 0..CELLS {
            let luma = if word >> (CELLS - 1 - cell) & 1 == 1 { 235 } else { 16 };
            let (left, right) = (cell * width / CELLS, (cell + 1) * width / CELLS);
            for row in picture.planes_mut()[0].chunks_exact_mut(width).take(CODE_ROWS) {
                row[left..right].fill(luma);
            }
        }
    }
}

/// The number in a picture of the pattern, if its check is right.
pub fn number(picture: &Picture) -> Option<u32> {
    let width = usize::from(picture.width());
    if picture.width() < NARROWEST || usize::from(picture.height()) < CODE_ROWS {
        return None;
    }
    let mut word = 0u32;
    for cell in 0..CELLS {
        let (left, right) = (cell * width / CELLS, (cell + 1) * width / CELLS);
        // The middle of the cell: its edges are blurred.
        let columns = left + (right - left) / 4..right - (right - left) / 4;
        let rows = picture.planes()[0].chunks_exact(width).take(CODE_ROWS - 4).skip(4);
        let (mut sum, mut count) = (0, 0);
        for sample in rows.flat_map(|row| &row[columns.clone()]) {
            sum += u32::from(*sample);
            count += 1;
        }
        word = word << 1 | u32::from(sum > 126 * count);
    }
    let number = word >> 8;
    (code(number) == word).then_some(number)
}

/// The number and its check: CRC-8 (x⁸ + x² + x + 1), begun with ones so that black is no number.
fn code(number: u32) -> u32 {
    let number = number & ((1 << NUMBER_BITS) - 1);
    let mut check = 0xFFu8;
    for octet in &number.to_be_bytes()[1..] {
        check ^= octet;
        for _ in 0..8 {
            check = if check & 0x80 != 0 { check << 1 ^ 0x07 } else { check << 1 };
        }
    }
    number << 8 | u32::from(check)
}

/// Back and forth between 0 and `span`.
fn swing(step: usize, span: usize) -> usize {
    if span == 0 {
        return 0;
    }
    let phase = step % (2 * span);
    if phase < span { phase } else { 2 * span - phase }
}

#[cfg(test)]
mod tests;
