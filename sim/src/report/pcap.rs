//! The run as a capture: every datagram that arrived, as it arrived, when it arrived.
//!
//! This is what a probe in front of every receiver would have seen. A datagram that was lost, cut,
//! too large or sent to nobody is not in it; one that was corrupted is there with its changed
//! byte; one that was doubled is there twice; one that was held back is after those that overtook
//! it. Sources are those that the receiver sees, that is, behind the translator of addresses.
//!
//! Classic pcap, link type 101 (raw IP), microseconds: <https://wiki.wireshark.org/Development/LibpcapFileFormat>.

use super::Arrival;
use crate::server::DAWN;
use std::net::{Ipv4Addr, SocketAddr};

const MAGIC_MICROSECONDS: u32 = 0xa1b2_c3d4;
const LINKTYPE_RAW: u32 = 101;
/// Longest packet: IPv4's total length has sixteen bits.
const SNAPLEN: usize = 65_535;
const IP_HEADER: usize = 20;
const UDP_HEADER: usize = 8;
const PROTOCOL_UDP: u8 = 17;

/// The capture file.
pub(super) fn write(arrivals: &[Arrival]) -> Vec<u8> {
    let mut file = Vec::new();
    file.extend(MAGIC_MICROSECONDS.to_le_bytes());
    file.extend(2_u16.to_le_bytes());
    file.extend(4_u16.to_le_bytes());
    // Offset of the time zone, and accuracy: both are always 0.
    file.extend([0; 8]);
    file.extend((SNAPLEN as u32).to_le_bytes());
    file.extend(LINKTYPE_RAW.to_le_bytes());
    let mut in_order: Vec<_> = arrivals.iter().collect();
    in_order.sort_by_key(|arrival| arrival.at_ms);
    for (number, arrival) in (1_u16..=u16::MAX).cycle().zip(in_order) {
        let Some(packet) = packet(arrival, number) else { continue };
        let at_ms = DAWN.as_millis() + arrival.at_ms;
        // Seconds since 1970 have 32 bits in this format, enough until 2106.
        file.extend(u32::try_from(at_ms / 1000).unwrap_or(u32::MAX).to_le_bytes());
        file.extend(((at_ms % 1000) as u32 * 1000).to_le_bytes());
        let length = (packet.len() as u32).to_le_bytes();
        file.extend(length);
        file.extend(length);
        file.extend(packet);
    }
    file
}

/// The datagram with its UDP and IPv4 headers (RFC 768, RFC 791); none if it does not fit.
fn packet(arrival: &Arrival, identification: u16) -> Option<Vec<u8>> {
    let (SocketAddr::V4(from), SocketAddr::V4(to)) = (arrival.from, arrival.to) else {
        return None;
    };
    let payload = &arrival.bytes;
    let udp_length = u16::try_from(UDP_HEADER + payload.len()).ok()?;
    let total = u16::try_from(IP_HEADER + usize::from(udp_length)).ok()?;
    let mut packet = Vec::with_capacity(usize::from(total));
    packet.extend([0x45, 0]);
    packet.extend(total.to_be_bytes());
    packet.extend(identification.to_be_bytes());
    // Not a fragment, and not to be fragmented; 64 hops left; the checksum comes below.
    packet.extend([0x40, 0, 64, PROTOCOL_UDP, 0, 0]);
    packet.extend(from.ip().octets());
    packet.extend(to.ip().octets());
    let header_sum = folded(sum(&packet));
    packet[10..12].copy_from_slice(&header_sum.to_be_bytes());
    packet.extend(from.port().to_be_bytes());
    packet.extend(to.port().to_be_bytes());
    packet.extend(udp_length.to_be_bytes());
    packet.extend([0, 0]);
    packet.extend_from_slice(payload);
    let pseudo = pseudo_header(*from.ip(), *to.ip(), udp_length);
    let udp_sum = match folded(pseudo + sum(&packet[IP_HEADER..])) {
        // Zero would say that there is no checksum (RFC 768).
        0 => u16::MAX,
        sum => sum,
    };
    packet[IP_HEADER + 6..IP_HEADER + 8].copy_from_slice(&udp_sum.to_be_bytes());
    Some(packet)
}

fn pseudo_header(from: Ipv4Addr, to: Ipv4Addr, length: u16) -> u64 {
    sum(&from.octets()) + sum(&to.octets()) + u64::from(PROTOCOL_UDP) + u64::from(length)
}

/// The words of sixteen bits, summed; a last odd byte is the upper half of a word.
fn sum(bytes: &[u8]) -> u64 {
    let word = |pair: &[u8]| u64::from(pair[0]) << 8 | u64::from(*pair.get(1).unwrap_or(&0));
    bytes.chunks(2).map(word).sum()
}

/// The one's complement of the one's complement sum (RFC 1071).
fn folded(mut sum: u64) -> u16 {
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}
