//! NAL units to RFC 6184 payloads and back: single NAL units, FU-A both ways, STAP-A received.

use super::{DELIMITER, IDR, Parameters, SPS, kind, units};
use crate::video::fault::Fault;
use crate::video::stream::{Packetizer, Payload};

/// A packet of several NAL units (RFC 6184 §5.7.1).
const STAP_A: u8 = 24;
/// A piece of a NAL unit (RFC 6184 §5.8).
const FU_A: u8 = 28;

/// Cuts frames into payloads and puts payloads together.
#[derive(Clone, Debug)]
pub struct H264Packetizer {
    /// Whether the receiver takes pieces of NAL units.
    pieces: bool,
}

impl H264Packetizer {
    /// For a stream with these parameters.
    pub fn new(parameters: &Parameters) -> Self {
        Self { pieces: parameters.packetization_mode == 1 }
    }
}

impl Packetizer for H264Packetizer {
    fn pack(&mut self, frame: &[u8], limit: usize) -> Result<Vec<Payload>, Fault> {
        let mut payloads = Vec::new();
        for unit in units(frame) {
            if unit.len() <= limit {
                payloads.push(Payload { octets: unit.to_vec(), marker: false });
                continue;
            }
            if !self.pieces || limit < 3 {
                let found = format_args!("{} with a limit of {limit}", unit.len());
                return Err(Fault::new(0, "NAL units that fit a payload", found));
            }
            let (header, body) = (unit[0], &unit[1..]);
            let count = body.len().div_ceil(limit - 2);
            for (number, piece) in body.chunks(limit - 2).enumerate() {
                let start = if number == 0 { 0x80 } else { 0 };
                let end = if number + 1 == count { 0x40 } else { 0 };
                let mut octets = Vec::with_capacity(piece.len() + 2);
                octets.extend([header & 0xE0 | FU_A, start | end | header & 31]);
                octets.extend(piece);
                payloads.push(Payload { octets, marker: false });
            }
        }
        match payloads.last_mut() {
            Some(last) => last.marker = true,
            None => return Err(Fault::short(frame.len(), "a NAL unit")),
        }
        Ok(payloads)
    }

    fn unpack(&mut self, payloads: &[Vec<u8>]) -> Result<Vec<u8>, Fault> {
        let length = payloads.iter().map(|payload| payload.len() + 4).sum();
        let mut out = Vec::with_capacity(length);
        // Whether a NAL unit has begun in pieces and has not ended.
        let mut open = false;
        for payload in payloads {
            let kind = kind(payload);
            if open && kind != FU_A {
                return Err(Fault::new(0, "the next piece of a NAL unit (28)", kind));
            }
            match (kind, &payload[..]) {
                (1..=23, unit) => append(&mut out, unit),
                (STAP_A, [_, rest @ ..]) => unpack_aggregate(&mut out, rest)?,
                (FU_A, [indicator, header, piece @ ..]) => {
                    let (start, end) = (header & 0x80 != 0, header & 0x40 != 0);
                    if start == open || start && end {
                        return Err(Fault::new(1, "pieces from the first to the last", header));
                    }
                    if start {
                        append(&mut out, &[indicator & 0xE0 | header & 31]);
                    }
                    out.extend(piece);
                    open = !end;
                }
                (FU_A, _) => return Err(Fault::short(payload.len(), "an FU header")),
                _ => return Err(Fault::new(0, "a NAL unit of type 1 to 24 or 28", kind)),
            }
        }
        match open {
            true => Err(Fault::short(payloads.len(), "the last piece of a NAL unit")),
            false => Ok(out),
        }
    }

    fn begins(&self, payload: &[u8]) -> bool {
        let first = match (kind(payload), payload) {
            (STAP_A, [_, _, _, unit @ ..]) => kind(unit),
            (kind, _) => kind,
        };
        matches!(first, SPS | DELIMITER)
    }

    fn is_key(&self, frame: &[u8]) -> bool {
        units(frame).any(|unit| kind(unit) == IDR)
    }
}

fn append(out: &mut Vec<u8>, unit: &[u8]) {
    out.extend([0, 0, 0, 1]);
    out.extend(unit);
}

fn unpack_aggregate(out: &mut Vec<u8>, mut rest: &[u8]) -> Result<(), Fault> {
    let length = rest.len();
    while !rest.is_empty() {
        let at = 1 + length - rest.len();
        let split = rest.split_first_chunk::<2>();
        let size = split.map(|(size, _)| usize::from(u16::from_be_bytes(*size)));
        let unit = split.zip(size).and_then(|((_, body), size)| body.split_at_checked(size));
        match unit {
            Some((unit, more)) if matches!(kind(unit), 1..=23) => {
                append(out, unit);
                rest = more;
            }
            _ => return Err(Fault::new(at, "the size of a NAL unit, and the unit", rest.len())),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
