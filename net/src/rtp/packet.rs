//! One RTP packet (RFC 3550 §5.1), and what a datagram on a media port can be (RFC 7983).

#[cfg(test)]
mod tests;

use bytes::Bytes;
use rtp_types::{RtpPacket, RtpPacketBuilder};
use std::fmt;

/// What a datagram on a media port is, by its first octets (RFC 7983 §7, RFC 5761 §4).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[allow(missing_docs)]
pub enum Kind {
    Stun,
    Dtls,
    Rtp,
    Rtcp,
    Unknown,
}

impl Kind {
    /// Looks at no more than two octets.
    pub fn of(datagram: &[u8]) -> Self {
        match datagram {
            [0..=3, ..] => Self::Stun,
            [20..=63, ..] => Self::Dtls,
            // RFC 5761 §4: with the marker bit these would be the payload types 64 to 95.
            [128..=191, 192..=223, ..] => Self::Rtcp,
            [128..=191, _, ..] => Self::Rtp,
            _ => Self::Unknown,
        }
    }
}

/// Octets that are no packet.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Malformed;

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not well-formed")
    }
}

impl std::error::Error for Malformed {}

/// An RTP packet. CSRC list, header extension and padding are skipped when one is read, and never
/// written.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Packet {
    /// What it means is up to the payload format; for audio the start of a talkspurt.
    pub marker: bool,
    /// Seven bits.
    pub payload_type: u8,
    /// One more with every packet.
    pub sequence: u16,
    /// When the first octet of the payload was sampled, by the clock of the payload format.
    pub timestamp: u32,
    /// Who sends.
    pub ssrc: u32,
    /// The media, still a part of the datagram it came in.
    pub payload: Bytes,
}

impl Packet {
    /// Octets of the header we write.
    pub const HEADER: usize = 12;

    /// Reads a datagram.
    ///
    /// # Errors
    /// A wrong version, or lengths that reach over the end.
    pub fn parse(datagram: &Bytes) -> Result<Self, Malformed> {
        let packet = RtpPacket::parse(datagram).map_err(|_| Malformed)?;
        let start = packet.payload_offset();
        Ok(Self {
            marker: packet.marker_bit(),
            payload_type: packet.payload_type(),
            sequence: packet.sequence_number(),
            timestamp: packet.timestamp(),
            ssrc: packet.ssrc(),
            payload: datagram.slice(start..start + packet.payload_len()),
        })
    }

    /// Appends the packet as it is sent.
    pub fn write(&self, datagram: &mut Vec<u8>) {
        RtpPacketBuilder::<&[u8], &[u8]>::new()
            .marker_bit(self.marker)
            .payload_type(self.payload_type & 0x7f)
            .sequence_number(self.sequence)
            .timestamp(self.timestamp)
            .ssrc(self.ssrc)
            .payload(&self.payload[..])
            .write_into_vec(datagram)
            .expect(
                "seven bits of payload type, no padding and no extension can always be written",
            );
    }
}
