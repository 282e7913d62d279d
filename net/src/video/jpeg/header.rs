//! The headers at the beginning of a payload (RFC 2435 §3.1).

use super::Sampling;
use super::tables::Tables;
use crate::video::fault::Fault;

/// Octets of the main header.
pub const MAIN: usize = 8;
/// Octets of the restart marker header.
pub const RESTART: usize = 4;
/// Octets of the quantization table header, without tables.
pub const QUANTIZATION: usize = 4;
/// Restart count of a frame that has to be put together before it is decoded (RFC 2435 §3.1.7).
pub const WHOLE_FRAME: u16 = 0x3FFF;
/// A frame is shorter than this.
pub const LONGEST_FRAME: usize = 1 << 24;

/// What must be the same in every packet of a frame (RFC 2435 §3.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Form {
    /// Sampling of chroma; with `restart` it is the type.
    pub sampling: Sampling,
    /// MCUs between restart markers.
    pub restart: Option<u16>,
    /// The Q.
    pub q: u8,
    /// Width in blocks of eight.
    pub width: u8,
    /// Height in blocks of eight.
    pub height: u8,
}

/// Tables that came with the first packet of a frame.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum InBand {
    /// This packet has no place for tables.
    Absent,
    /// It says that the tables of this Q are known.
    Known,
    /// Here they are.
    Tables(Box<Tables>),
}

/// One payload, read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fragment<'a> {
    /// What it shares with the others of its frame.
    pub form: Form,
    /// Where its data stands in the frame.
    pub offset: usize,
    /// Tables.
    pub tables: InBand,
    /// A part of the scan.
    pub data: &'a [u8],
}

impl<'a> Fragment<'a> {
    /// Reads a payload.
    ///
    /// # Errors
    /// It is malformed, or of a type or Q that is not defined.
    pub fn parse(payload: &'a [u8]) -> Result<Self, Fault> {
        let Some((main, mut data)) = payload.split_first_chunk::<MAIN>() else {
            return Err(Fault::short(payload.len(), "a main header of 8 octets"));
        };
        let [specific, high, middle, low, kind, q, width, height] = *main;
        let offset = u32::from_be_bytes([0, high, middle, low]) as usize;
        let sampling = match kind & !64 {
            0 => Sampling::Wide,
            1 => Sampling::Quarter,
            _ => return Err(Fault::new(4, "type 0, 1, 64 or 65", kind)),
        };
        // 1 to 3 are fields of interlaced video; other values have no meaning (RFC 2435 §3.1.1).
        if (1..=3).contains(&specific) {
            return Err(Fault::new(0, "a progressive frame (0)", specific));
        }
        if q == 0 || (100..128).contains(&q) {
            return Err(Fault::new(5, "a Q of 1 to 99 or 128 to 255", q));
        }
        for (at, side) in [(6, width), (7, height)] {
            if side == 0 {
                return Err(Fault::new(at, "a side of 1 to 255 blocks", side));
            }
        }
        let mut restart = None;
        if kind & 64 != 0 {
            let Some((header, rest)) = data.split_first_chunk::<RESTART>() else {
                return Err(Fault::short(payload.len(), "a restart marker header of 4 octets"));
            };
            let interval = u16::from_be_bytes([header[0], header[1]]);
            if interval == 0 {
                return Err(Fault::new(MAIN, "a restart interval that is not zero", interval));
            }
            (restart, data) = (Some(interval), rest);
        }
        let mut tables = InBand::Absent;
        if q >= 128 && offset == 0 {
            (tables, data) = parse_tables(payload, payload.len() - data.len(), q)?;
        }
        if offset + data.len() > LONGEST_FRAME {
            return Err(Fault::new(1, "a fragment that ends within 2^24 octets", offset));
        }
        let form = Form { sampling, restart, q, width, height };
        Ok(Self { form, offset, tables, data })
    }

    /// Writes it as a payload.
    pub fn write(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.form.overhead() + 260 + self.data.len());
        let Form { sampling, restart, q, width, height } = self.form;
        let [_, high, middle, low] = (self.offset as u32).to_be_bytes();
        let kind = sampling.kind() | if restart.is_some() { 64 } else { 0 };
        out.extend([0, high, middle, low, kind, q, width, height]);
        if let Some(interval) = restart {
            out.extend(interval.to_be_bytes());
            // F and L are set.
            out.extend((0xC000 | WHOLE_FRAME).to_be_bytes());
        }
        match &self.tables {
            InBand::Absent => {}
            InBand::Known => out.extend([0; QUANTIZATION]),
            InBand::Tables(tables) => write_tables(tables, &mut out),
        }
        out.extend(self.data);
        out
    }
}

impl Form {
    /// Octets of the headers that every packet of the frame has.
    pub fn overhead(&self) -> usize {
        MAIN + if self.restart.is_some() { RESTART } else { 0 }
    }

    /// Width and height in samples.
    pub fn size(&self) -> (u16, u16) {
        (u16::from(self.width) * 8, u16::from(self.height) * 8)
    }
}

/// Octets of a header with these tables.
pub fn length_of(tables: &Tables) -> usize {
    QUANTIZATION + tables.iter().map(|table| if is_wide(table) { 128 } else { 64 }).sum::<usize>()
}

fn is_wide(table: &[u16; 64]) -> bool {
    table.iter().any(|&value| value > 255)
}

/// The quantization table header at `at` (RFC 2435 §3.1.8), and what comes after it.
fn parse_tables(payload: &[u8], at: usize, q: u8) -> Result<(InBand, &[u8]), Fault> {
    let Some((header, rest)) = payload[at..].split_first_chunk::<QUANTIZATION>() else {
        return Err(Fault::short(payload.len(), "a quantization table header of 4 octets"));
    };
    let [_, precision, high, low] = *header;
    let length = usize::from(u16::from_be_bytes([high, low]));
    if length == 0 {
        return match q {
            255 => Err(Fault::new(at + 2, "tables, because Q is 255", "a length of 0")),
            _ => Ok((InBand::Known, rest)),
        };
    }
    if length > rest.len() {
        let found = format_args!("{} for a length of {length}", rest.len());
        return Err(Fault::new(at + 2, "as many octets of tables as the length says", found));
    }
    let (data, rest) = rest.split_at(length);
    let (mut tables, mut place) = ([[0; 64]; 2], 0);
    for (number, table) in tables.iter_mut().enumerate() {
        let size = if precision >> number & 1 == 1 { 2 } else { 1 };
        let Some(octets) = data.get(place..place + 64 * size) else {
            return Err(Fault::new(at + 2, "the length of two tables", length));
        };
        for (index, (value, octets)) in table.iter_mut().zip(octets.chunks_exact(size)).enumerate()
        {
            *value = octets.iter().fold(0, |value, &octet| value << 8 | u16::from(octet));
            if *value == 0 {
                let at = at + QUANTIZATION + place + index * size;
                return Err(Fault::new(at, "a quantizer that is not zero", 0));
            }
        }
        place += 64 * size;
    }
    Ok((InBand::Tables(Box::new(tables)), rest))
}

fn write_tables(tables: &Tables, out: &mut Vec<u8>) {
    let precision = (0..2).filter(|&n| is_wide(&tables[n])).fold(0, |bits, n| bits | 1 << n);
    let length = (length_of(tables) - QUANTIZATION) as u16;
    out.extend([0, precision]);
    out.extend(length.to_be_bytes());
    for table in tables {
        match is_wide(table) {
            true => out.extend(table.iter().flat_map(|value| value.to_be_bytes())),
            false => out.extend(table.iter().map(|&value| value as u8)),
        }
    }
}

#[cfg(test)]
mod tests;
