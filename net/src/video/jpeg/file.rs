//! The headers of a JPEG file, as far as RFC 2435 can carry such a file.
//!
//! Baseline, 8 bits, three components in one interleaved scan, the usual Huffman tables. A file
//! of any other kind is refused with the offset of what is different.

use super::tables::{HUFFMAN, Table, Tables};
use super::{LONGEST_SIDE, Sampling};
use crate::video::fault::Fault;
use std::borrow::Cow;

/// What a file says before its scan, beyond what all of them share.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Head {
    /// Width.
    pub width: u16,
    /// Height.
    pub height: u16,
    /// Sampling of chroma.
    pub sampling: Sampling,
    /// MCUs between restart markers.
    pub restart: Option<u16>,
    /// Quantization tables of luma and chroma.
    pub tables: Tables,
}

/// Reads a file: its head and its scan, without the marker that ends it.
///
/// # Errors
/// It is not a file of the one form, or the scan is not whole.
pub fn read(file: &[u8]) -> Result<(Head, &[u8]), Fault> {
    if !file.starts_with(&[0xFF, 0xD8]) {
        return Err(Fault::new(0, "the start of a JPEG image", hex(file)));
    }
    let (mut found, mut at) = (Found::default(), 2);
    loop {
        let (marker, body) = segment(file, at)?;
        let start = at + 4;
        match marker {
            0xDB => found.quantization(body, start)?,
            0xC0 => found.frame(body, start)?,
            0xC4 => huffman(body, start)?,
            0xDD => found.restart_interval(body, start)?,
            0xDA => {
                let head = found.scan(body, start, at)?;
                let scan = &file[start + body.len()..];
                let end = scan_end(scan, head.restart.is_some()).map_err(|fault| Fault {
                    at: fault.at + (start + body.len()) as u64,
                    ..fault
                })?;
                return Ok((head, &scan[..end]));
            }
            // Application data and comments.
            0xE0..=0xEF | 0xFE => {}
            _ => return Err(Fault::new(at, "a baseline JPEG image", format_args!("{marker:#X}"))),
        }
        at = start + body.len();
    }
}

/// A file from its head and its scan.
pub fn write(head: &Head, scan: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(scan.len() + 1024);
    out.extend([0xFF, 0xD8]);
    for (number, table) in (0..).zip(&head.tables) {
        let wide = table.iter().any(|&value| value > 255);
        let (id, length) = if wide { (0x10 | number, 131u16) } else { (number, 67) };
        out.extend([0xFF, 0xDB]);
        out.extend(length.to_be_bytes());
        out.push(id);
        match wide {
            true => out.extend(table.iter().flat_map(|value| value.to_be_bytes())),
            false => out.extend(table.iter().map(|&value| value as u8)),
        }
    }
    if let Some(interval) = head.restart {
        out.extend([0xFF, 0xDD, 0, 4]);
        out.extend(interval.to_be_bytes());
    }
    out.extend([0xFF, 0xC0, 0, 17, 8]);
    out.extend(head.height.to_be_bytes());
    out.extend(head.width.to_be_bytes());
    out.extend([3, 1, head.sampling.factors(), 0, 2, 0x11, 1, 3, 0x11, 1]);
    write_huffman(&mut out);
    out.extend([0xFF, 0xDA, 0, 12, 3, 1, 0, 2, 0x11, 3, 0x11, 0, 63, 0]);
    out.extend(scan);
    out.extend([0xFF, 0xD9]);
    out
}

/// The Huffman tables that everybody has, as segments.
fn write_huffman(out: &mut Vec<u8>) {
    for table in &HUFFMAN {
        out.extend([0xFF, 0xC4]);
        out.extend((19 + table.symbols.len() as u16).to_be_bytes());
        out.push(table.id);
        out.extend(table.lengths);
        out.extend(table.symbols);
    }
}

/// A file of any form with the usual Huffman tables, if it has none: Motion JPEG of cameras
/// leaves them out.
pub fn with_huffman(file: &[u8]) -> Cow<'_, [u8]> {
    let mut at = 2;
    while let Ok((marker, body)) = segment(file, at) {
        match marker {
            0xC4 => break,
            0xDA => {
                let mut out = file[..at].to_vec();
                write_huffman(&mut out);
                out.extend(&file[at..]);
                return out.into();
            }
            _ => at += 4 + body.len(),
        }
    }
    file.into()
}

/// Where the data of a scan ends: before the first marker that does not belong into it, or at the
/// end of what is there.
///
/// # Errors
/// A restart marker where none may be.
pub fn scan_end(scan: &[u8], restarts: bool) -> Result<usize, Fault> {
    let mut at = 0;
    while let Some(place) = scan[at..].iter().position(|&octet| octet == 0xFF) {
        at += place;
        // Any number of these may stand before a marker, to fill.
        let filling = scan[at..].iter().take_while(|&&octet| octet == 0xFF).count();
        match scan.get(at + filling) {
            Some(0xD0..=0xD7) if !restarts => {
                return Err(Fault::new(at, "a scan without restart markers", hex(&scan[at..])));
            }
            Some(0 | 0xD0..=0xD7) => at += filling + 1,
            Some(_) | None => return Ok(at),
        }
    }
    Ok(scan.len())
}

/// The marker at this place and what its segment holds.
fn segment(file: &[u8], at: usize) -> Result<(u8, &[u8]), Fault> {
    let Some(&[ff, marker, high, low]) = file.get(at..at + 4) else {
        return Err(Fault::short(file.len(), "a marker segment"));
    };
    if ff != 0xFF {
        return Err(Fault::new(at, "a marker", hex(&file[at..])));
    }
    let length = usize::from(u16::from_be_bytes([high, low]));
    match file.get(at + 4..at + 2 + length) {
        Some(body) => Ok((marker, body)),
        None => Err(Fault::new(at + 2, "a length that fits the file", length)),
    }
}

/// The first octets, to be shown.
fn hex(octets: &[u8]) -> String {
    match octets {
        [] => "the end".to_owned(),
        _ => octets.iter().take(2).map(|octet| format!("{octet:02X}")).collect(),
    }
}

/// Huffman tables must be the usual ones.
fn huffman(mut body: &[u8], start: usize) -> Result<(), Fault> {
    let length = body.len();
    while let Some((&id, rest)) = body.split_first() {
        let at = start + length - body.len();
        let usual = HUFFMAN.iter().find(|table| table.id == id);
        let tail = usual
            .and_then(|table| rest.strip_prefix(&table.lengths[..])?.strip_prefix(table.symbols));
        body = tail.ok_or_else(|| Fault::new(at, "the usual Huffman table", id))?;
    }
    Ok(())
}

/// A frame header.
struct FoundFrame {
    width: u16,
    height: u16,
    sampling: Sampling,
    /// Identifiers of the components.
    components: [u8; 3],
    /// Numbers of the tables of luma and chroma.
    tables: [u8; 2],
}

/// What was found before the scan.
#[derive(Default)]
struct Found {
    tables: [Option<Table>; 4],
    frame: Option<FoundFrame>,
    restart: Option<u16>,
}

impl Found {
    fn quantization(&mut self, mut body: &[u8], start: usize) -> Result<(), Fault> {
        let length = body.len();
        while let Some((&id, rest)) = body.split_first() {
            let at = start + length - body.len();
            let size = match id >> 4 {
                0 => 1,
                1 => 2,
                _ => return Err(Fault::new(at, "a precision of 0 or 1", id >> 4)),
            };
            let number = usize::from(id & 15);
            let (Some(slot), Some(octets)) = (self.tables.get_mut(number), rest.get(..64 * size))
            else {
                return Err(Fault::new(at, "a quantization table 0 to 3, whole", number));
            };
            let mut table = [0; 64];
            for (value, octets) in table.iter_mut().zip(octets.chunks_exact(size)) {
                *value = octets.iter().fold(0, |value, &octet| value << 8 | u16::from(octet));
            }
            if table.contains(&0) {
                return Err(Fault::new(at + 1, "quantizers that are not zero", 0));
            }
            *slot = Some(table);
            body = &rest[64 * size..];
        }
        Ok(())
    }

    fn frame(&mut self, body: &[u8], start: usize) -> Result<(), Fault> {
        let Ok(&[bits, h1, h2, w1, w2, 3, c1, factors, t1, c2, f2, t2, c3, f3, t3]) =
            <&[u8; 15]>::try_from(body)
        else {
            return Err(Fault::new(start, "a frame of three components", hex(body)));
        };
        if bits != 8 {
            return Err(Fault::new(start, "8 bits", bits));
        }
        let (width, height) = (u16::from_be_bytes([w1, w2]), u16::from_be_bytes([h1, h2]));
        for (at, side) in [(start + 1, height), (start + 3, width)] {
            if side == 0 || side % 8 != 0 || side > LONGEST_SIDE {
                return Err(Fault::new(at, "a side of 8 to 2040, a multiple of 8", side));
            }
        }
        let sampling = match (factors, f2, f3) {
            (0x21, 0x11, 0x11) => Sampling::Wide,
            (0x22, 0x11, 0x11) => Sampling::Quarter,
            _ => {
                let found = format_args!("{factors:02X} {f2:02X} {f3:02X}");
                return Err(Fault::new(start + 7, "sampling 21 11 11 or 22 11 11", found));
            }
        };
        if t2 != t3 {
            return Err(Fault::new(start + 14, "one table for both chroma components", t3));
        }
        let (components, tables) = ([c1, c2, c3], [t1, t2]);
        self.frame = Some(FoundFrame { width, height, sampling, components, tables });
        Ok(())
    }

    fn restart_interval(&mut self, body: &[u8], start: usize) -> Result<(), Fault> {
        let Ok(interval) = <[u8; 2]>::try_from(body) else {
            return Err(Fault::new(start, "a restart interval of 2 octets", body.len()));
        };
        self.restart = Some(u16::from_be_bytes(interval)).filter(|&interval| interval != 0);
        Ok(())
    }

    /// The head, when the scan begins.
    fn scan(self, body: &[u8], start: usize, at: usize) -> Result<Head, Fault> {
        let Some(frame) = self.frame else {
            return Err(Fault::new(at, "a frame header", "a scan"));
        };
        let FoundFrame { width, height, sampling, components: [c1, c2, c3], .. } = frame;
        if body != [3, c1, 0, c2, 0x11, c3, 0x11, 0, 63, 0] {
            return Err(Fault::new(start, "one baseline scan of all components", hex(body)));
        }
        let table = |number: u8| {
            let table = self.tables.get(usize::from(number)).copied().flatten();
            table.ok_or_else(|| Fault::new(at, "the quantization tables of the frame", number))
        };
        let tables = [table(frame.tables[0])?, table(frame.tables[1])?];
        Ok(Head { width, height, sampling, restart: self.restart, tables })
    }
}

#[cfg(test)]
mod tests;
