//! What an offer says of an H.264 stream (RFC 6184 §8.1): `profile-level-id`,
//! `packetization-mode`, parameter sets.

use super::{PPS, SPS, kind};
use crate::video::fault::Fault;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Constrained baseline, level 3.1: 1280×720 at 30 pictures a second. Every SIP phone has it.
pub const OURS: &str = "profile-level-id=42e01f;packetization-mode=1";

/// Most parameter sets that are taken from an offer, and most octets of each.
const MOST_SETS: usize = 8;
const LONGEST_SET: usize = 256;

/// Format parameters, read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Parameters {
    /// profile_idc, profile-iop and level_idc.
    pub profile_level_id: [u8; 3],
    /// 0: one NAL unit a packet; 1: FU-A and STAP-A too.
    pub packetization_mode: u8,
    /// Parameter sets that are not sent in the stream.
    pub parameter_sets: Vec<Vec<u8>>,
}

/// Level, macroblocks in a picture, macroblocks in a second (H.264 table A-1).
const LEVELS: [(u8, u32, u32); 16] = [
    (10, 99, 1485),
    (11, 396, 3000),
    (12, 396, 6000),
    (13, 396, 11_880),
    (20, 396, 11_880),
    (21, 792, 19_800),
    (22, 1620, 20_250),
    (30, 1620, 40_500),
    (31, 3600, 108_000),
    (32, 5120, 216_000),
    (40, 8192, 245_760),
    (41, 8192, 245_760),
    (42, 8704, 522_240),
    (50, 22_080, 589_824),
    (51, 36_864, 983_040),
    (52, 36_864, 2_073_600),
];

impl Parameters {
    /// Reads format parameters. What is not said has the default of RFC 6184 §8.1: baseline,
    /// level 1, one NAL unit a packet.
    ///
    /// # Errors
    /// A value is malformed, or of a profile or mode that is not spoken here.
    pub fn parse(fmtp: &str) -> Result<Self, Fault> {
        let mut read = Self {
            profile_level_id: [0x42, 0, 10],
            packetization_mode: 0,
            parameter_sets: Vec::new(),
        };
        let mut place = 0;
        for part in fmtp.split(';') {
            let at = place + part.len() - part.trim_start().len();
            place += part.len() + 1;
            let (name, value) = part.trim().split_once('=').unwrap_or((part.trim(), ""));
            let (name, value) = (name.trim().to_ascii_lowercase(), value.trim());
            match &*name {
                "profile-level-id" => read.profile_level_id = profile_level_id(at, value)?,
                "packetization-mode" => {
                    read.packetization_mode = match value {
                        "0" => 0,
                        "1" => 1,
                        _ => return Err(Fault::new(at, "packetization-mode 0 or 1", value)),
                    }
                }
                "sprop-parameter-sets" => read.parameter_sets = parameter_sets(at, value)?,
                _ => {}
            }
        }
        Ok(read)
    }

    /// The most macroblocks in a picture, and in a second.
    pub fn most_macroblocks(&self) -> (u32, u32) {
        let [_, constraints, level] = self.profile_level_id;
        // Level 1b has the picture of level 1 (RFC 6184 §8.1).
        let level = if level == 11 && constraints & 0x10 != 0 { 10 } else { level };
        let known = LEVELS.iter().rev().find(|(known, ..)| *known <= level).unwrap_or(&LEVELS[0]);
        (known.1, known.2)
    }

    /// Whether the receiver of these parameters takes pictures of this size.
    pub fn takes(&self, width: u16, height: u16) -> bool {
        let (width, height) = (u32::from(width.div_ceil(16)), u32::from(height.div_ceil(16)));
        let most = self.most_macroblocks().0;
        // A side is at most the root of eight times the size (H.264 §A.3.1).
        width * height <= most && width * width <= 8 * most && height * height <= 8 * most
    }
}

fn profile_level_id(at: usize, value: &str) -> Result<[u8; 3], Fault> {
    let number = u32::from_str_radix(value, 16).ok().filter(|_| value.len() == 6);
    let Some([_, profile, constraints, level]) = number.map(u32::to_be_bytes) else {
        return Err(Fault::new(at, "a profile-level-id of 6 hexadecimal digits", value));
    };
    // Baseline, or main and extended that promise to keep to it (constraint_set0).
    let baseline = profile == 66 || (matches!(profile, 77 | 88) && constraints & 0x80 != 0);
    match baseline {
        true => Ok([profile, constraints, level]),
        false => Err(Fault::new(at, "the baseline profile (42)", value)),
    }
}

fn parameter_sets(at: usize, value: &str) -> Result<Vec<Vec<u8>>, Fault> {
    let mut sets = Vec::new();
    for text in value.split(',').filter(|text| !text.is_empty()) {
        let set = STANDARD.decode(text.trim()).unwrap_or_default();
        let fits = matches!(kind(&set), SPS | PPS) && set.len() <= LONGEST_SET;
        if !fits || sets.len() == MOST_SETS {
            let found = text.chars().take(24).collect::<String>();
            return Err(Fault::new(at, "up to 8 parameter sets in base64", found));
        }
        sets.push(set);
    }
    Ok(sets)
}

#[cfg(test)]
mod tests;
