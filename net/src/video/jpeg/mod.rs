//! Motion JPEG: every picture a JPEG file of the one form that RFC 2435 knows.
//!
//! [`codec`] makes and reads such files, [`packetizer`] cuts them into payloads and puts payloads
//! together into a file again. [`header`] is the payload's headers, [`mod@file`] the
//! file's, [`tables`] what both leave out because everybody has it.

pub mod codec;
pub mod file;
pub mod header;
pub mod packetizer;
pub mod tables;

pub use codec::JpegCodec;
pub use packetizer::JpegPacketizer;

/// Quality of what we send, as the Q of RFC 2435 §4.2.
pub const QUALITY: u8 = 70;
/// The longest side that the payload format can say: 255 blocks of eight.
pub const LONGEST_SIDE: u16 = 2040;

/// Chroma of a frame beside its luma (RFC 2435 §4.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sampling {
    /// Half as wide: types 0 and 64.
    Wide,
    /// Half as wide and half as high: types 1 and 65.
    Quarter,
}

impl Sampling {
    /// The type without restart markers.
    pub fn kind(self) -> u8 {
        match self {
            Self::Wide => 0,
            Self::Quarter => 1,
        }
    }

    /// Sampling factors of the luma component, as a frame header has them.
    pub fn factors(self) -> u8 {
        match self {
            Self::Wide => 0x21,
            Self::Quarter => 0x22,
        }
    }

    /// The fewest octets a scan of this size can have: per block the shortest code of a DC
    /// difference and of the end of block, in bits 2 + 4 for luma and 2 + 2 for chroma.
    pub fn shortest_scan(self, width: u16, height: u16) -> usize {
        let (rows, bits) = match self {
            Self::Wide => (8, 2 * 6 + 2 * 4),
            Self::Quarter => (16, 4 * 6 + 2 * 4),
        };
        (usize::from(width.div_ceil(16)) * usize::from(height.div_ceil(rows)) * bits).div_ceil(8)
    }
}
