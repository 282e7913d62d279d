//! JPEG files to RFC 2435 payloads and back.

use super::file::{self, Head};
use super::header::{self, Form, Fragment, InBand, LONGEST_FRAME};
use super::tables::{Tables, computed, q_of};
use crate::video::fault::Fault;
use crate::video::stream::{Packetizer, Payload};
use std::collections::BTreeMap;

/// Cuts files into payloads and puts payloads together.
#[derive(Clone, Default, Debug)]
pub struct JpegPacketizer {
    /// The Q that the tables sent last have, so that it need not be looked for.
    sent: Option<(Tables, u8)>,
    /// Tables that came in band, by their Q of 128 to 254 (RFC 2435 §3.1.8).
    known: BTreeMap<u8, Box<Tables>>,
}

impl JpegPacketizer {
    /// The Q to send these tables with: the one they are computed from, or 255 and in band.
    fn q(&mut self, tables: &Tables) -> u8 {
        match &self.sent {
            Some((sent, q)) if sent == tables => *q,
            _ => {
                let q = q_of(tables).unwrap_or(255);
                self.sent = Some((*tables, q));
                q
            }
        }
    }

    /// The tables of a frame.
    fn tables(&mut self, q: u8, sent: &InBand) -> Result<Tables, Fault> {
        match sent {
            InBand::Tables(tables) => {
                if q < 255 {
                    self.known.insert(q, tables.clone());
                }
                Ok(**tables)
            }
            InBand::Known => match self.known.get(&q) {
                Some(tables) => Ok(**tables),
                None => Err(Fault::new(5, "a Q whose tables came before", q)),
            },
            InBand::Absent => {
                computed(q).ok_or_else(|| Fault::new(5, "a Q with tables that are computed", q))
            }
        }
    }
}

impl Packetizer for JpegPacketizer {
    fn pack(&mut self, frame: &[u8], limit: usize) -> Result<Vec<Payload>, Fault> {
        let (head, scan) = file::read(frame)?;
        if scan.len() >= LONGEST_FRAME {
            return Err(Fault::new(scan.len(), "a scan under 2^24 octets", scan.len()));
        }
        let q = self.q(&head.tables);
        let form = Form {
            sampling: head.sampling,
            restart: head.restart,
            q,
            width: (head.width / 8) as u8,
            height: (head.height / 8) as u8,
        };
        let in_band = if q < 128 { 0 } else { header::length_of(&head.tables) };
        let Some(room) = limit.checked_sub(form.overhead() + in_band).filter(|&room| room > 0)
        else {
            return Err(Fault::new(0, "room for headers and data in a payload", limit));
        };
        let (mut payloads, mut offset) = (Vec::new(), 0);
        let mut tables =
            if q < 128 { InBand::Absent } else { InBand::Tables(Box::new(head.tables)) };
        let mut room = room;
        loop {
            let data = &scan[offset..scan.len().min(offset + room)];
            let fragment = Fragment { form, offset, tables, data };
            offset += data.len();
            let marker = offset == scan.len();
            payloads.push(Payload { octets: fragment.write(), marker });
            if marker {
                return Ok(payloads);
            }
            (tables, room) = (InBand::Absent, limit - form.overhead());
        }
    }

    fn unpack(&mut self, payloads: &[Vec<u8>]) -> Result<Vec<u8>, Fault> {
        let Some(first) = payloads.first() else {
            return Err(Fault::short(0, "a payload"));
        };
        let first = Fragment::parse(first)?;
        let mut scan = Vec::with_capacity(payloads.iter().map(Vec::len).sum());
        for payload in payloads {
            let fragment = Fragment::parse(payload)?;
            if fragment.form != first.form {
                return Err(Fault::new(4, "the form of the frame's first packet", Shown(payload)));
            }
            if fragment.offset != scan.len() {
                let found = format_args!("{} after {} octets", fragment.offset, scan.len());
                return Err(Fault::new(1, "a fragment that follows the one before", found));
            }
            scan.extend(fragment.data);
        }
        let tables = self.tables(first.form.q, &first.tables)?;
        let Form { sampling, restart, .. } = first.form;
        let (width, height) = first.form.size();
        let end = file::scan_end(&scan, restart.is_some())?;
        // A short scan that claims a large picture would be cheap to send and dear to decode.
        if end < sampling.shortest_scan(width, height) {
            return Err(Fault::new(end, "a scan as long as its picture needs", "its end"));
        }
        Ok(file::write(&Head { width, height, sampling, restart, tables }, &scan[..end]))
    }

    fn begins(&self, payload: &[u8]) -> bool {
        payload.get(1..4) == Some(&[0, 0, 0])
    }

    fn is_key(&self, _frame: &[u8]) -> bool {
        true
    }
}

/// Type, Q and size of a payload, to be shown.
struct Shown<'a>(&'a [u8]);

impl std::fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let octets = self.0.get(4..8).unwrap_or(&[]);
        write!(f, "type, Q, width and height {octets:?}")
    }
}

#[cfg(test)]
mod tests;
