//! What parsing found out about the headers everybody asks for, so that nobody finds out again.
//!
//! Offsets are relative to the value of the header's first line. Only well-formed messages have
//! marks; for others each question is answered from the text.

use super::{CSeq, Host, NameAddr, Params, Via};
use std::net::IpAddr;

/// A piece of a value.
#[derive(Clone, Copy, Debug)]
struct Piece {
    start: u16,
    end: u16,
}

impl Piece {
    /// Where `piece`, a slice of `value`, lies in it.
    fn of(value: &str, piece: &str) -> Self {
        let start = (piece.as_ptr() as usize).wrapping_sub(value.as_ptr() as usize);
        // An empty constant lies nowhere; any empty piece does as well.
        let start = if piece.is_empty() { 0 } else { start };
        Self { start: start as u16, end: (start + piece.len()) as u16 }
    }

    fn of_value(self, value: &str) -> &str {
        &value[usize::from(self.start)..usize::from(self.end)]
    }
}

/// The marks of one message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Marks {
    pub(crate) via: ViaMarks,
    pub(crate) from: AddressMarks,
    pub(crate) to: AddressMarks,
    pub(crate) cseq: CSeqMarks,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct ViaMarks {
    transport: Piece,
    host: HostMark,
    sent_by: Piece,
    port: Option<u16>,
    branch: Option<Piece>,
    rport: Option<Piece>,
    params: Piece,
}

#[derive(Clone, Copy, Debug)]
enum HostMark {
    Name(Piece),
    Ip(IpAddr),
}

impl ViaMarks {
    pub(crate) fn of(value: &str, via: &Via<'_>) -> Self {
        Self {
            transport: Piece::of(value, via.transport),
            host: match via.host {
                Host::Name(name) => HostMark::Name(Piece::of(value, name)),
                Host::Ip(address) => HostMark::Ip(address),
            },
            sent_by: Piece::of(value, via.sent_by),
            port: via.port,
            branch: via.branch.map(|branch| Piece::of(value, branch)),
            rport: via.rport.map(|rport| Piece::of(value, rport)),
            params: Piece::of(value, via.params.0),
        }
    }

    pub(crate) fn read<'a>(&self, value: &'a str) -> Via<'a> {
        Via {
            transport: self.transport.of_value(value),
            host: match self.host {
                HostMark::Name(name) => Host::Name(name.of_value(value)),
                HostMark::Ip(address) => Host::Ip(address),
            },
            sent_by: self.sent_by.of_value(value),
            port: self.port,
            branch: self.branch.map(|branch| branch.of_value(value)),
            rport: self.rport.map(|rport| rport.of_value(value)),
            params: Params(self.params.of_value(value)),
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct AddressMarks {
    display: Piece,
    uri: Piece,
    params: Piece,
    tag: Option<Piece>,
}

impl AddressMarks {
    pub(crate) fn of(value: &str, address: &NameAddr<'_>) -> Self {
        Self {
            display: Piece::of(value, address.display),
            uri: Piece::of(value, address.uri),
            params: Piece::of(value, address.params.0),
            tag: address.tag.map(|tag| Piece::of(value, tag)),
        }
    }

    pub(crate) fn read<'a>(&self, value: &'a str) -> NameAddr<'a> {
        NameAddr {
            display: self.display.of_value(value),
            uri: self.uri.of_value(value),
            params: Params(self.params.of_value(value)),
            tag: self.tag.map(|tag| tag.of_value(value)),
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct CSeqMarks {
    number: u32,
    method: Piece,
}

impl CSeqMarks {
    pub(crate) fn of(value: &str, cseq: &CSeq<'_>) -> Self {
        Self { number: cseq.number, method: Piece::of(value, cseq.method) }
    }

    pub(crate) fn read<'a>(&self, value: &'a str) -> CSeq<'a> {
        CSeq { number: self.number, method: self.method.of_value(value) }
    }
}
