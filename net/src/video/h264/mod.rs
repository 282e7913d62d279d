//! H.264, constrained baseline, by OpenH264 (feature `h264`).
//!
//! [`codec`] makes and reads Annex B streams, [`packetizer`] carries their NAL units as RFC 6184
//! says, [`parameters`] is what an offer says about both.

pub mod codec;
pub mod packetizer;
pub mod parameters;

pub use codec::H264Codec;
pub use packetizer::H264Packetizer;
pub use parameters::Parameters;

/// NAL units of an Annex B stream: what stands between start codes.
pub fn units(stream: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = after_start_code(stream);
    std::iter::from_fn(move || {
        let unit = rest?;
        let end = unit.windows(3).position(|three| three == [0, 0, 1]);
        rest = end.map(|end| &unit[end + 3..]);
        // The zero before a start code of four octets is not the unit's, nor are zeros behind it.
        let mut unit = &unit[..end.unwrap_or(unit.len())];
        while let Some((0, less)) = unit.split_last() {
            unit = less;
        }
        Some(unit)
    })
    .filter(|unit| !unit.is_empty())
}

fn after_start_code(stream: &[u8]) -> Option<&[u8]> {
    let start = stream.windows(3).position(|three| three == [0, 0, 1])?;
    Some(&stream[start + 3..])
}

/// Type of a NAL unit (RFC 6184 §1.3).
pub fn kind(unit: &[u8]) -> u8 {
    unit.first().map_or(0, |octet| octet & 31)
}

/// Slice of an IDR picture.
pub const IDR: u8 = 5;
/// Sequence parameter set.
pub const SPS: u8 = 7;
/// Picture parameter set.
pub const PPS: u8 = 8;
/// Access unit delimiter.
pub const DELIMITER: u8 = 9;
