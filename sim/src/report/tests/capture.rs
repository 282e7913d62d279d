//! The capture, read by a reader that shares nothing with its writer.

use super::*;

/// A packet as a reader of the file finds it.
#[derive(Debug, PartialEq)]
struct Packet {
    micros: u64,
    from: SocketAddr,
    to: SocketAddr,
    payload: Vec<u8>,
}

fn u16_at(bytes: &[u8], place: usize) -> u16 {
    u16::from_be_bytes([bytes[place], bytes[place + 1]])
}

fn u32_le(bytes: &[u8], place: usize) -> u32 {
    u32::from_le_bytes(bytes[place..place + 4].try_into().expect("four bytes"))
}

/// Adds up as a receiver does: with the checksum in it, the sum of all words is all ones
/// (RFC 1071).
fn adds_up(bytes: &[u8]) -> bool {
    let mut padded = bytes.to_vec();
    padded.resize(bytes.len().next_multiple_of(2), 0);
    let mut sum = 0_u16;
    for word in padded.chunks_exact(2) {
        let (added, carry) = sum.overflowing_add(u16::from_be_bytes([word[0], word[1]]));
        sum = added + u16::from(carry);
    }
    sum == 0xffff
}

fn read(mut file: &[u8]) -> Vec<Packet> {
    assert_eq!(&file[..4], [0xd4, 0xc3, 0xb2, 0xa1], "little-endian, microseconds");
    assert_eq!(&file[4..8], [2, 0, 4, 0], "version 2.4");
    assert_eq!(u32_le(file, 20), 101, "LINKTYPE_RAW");
    file = &file[24..];
    let mut packets = Vec::new();
    while !file.is_empty() {
        let (seconds, micros) = (u32_le(file, 0), u32_le(file, 4));
        let (kept, length) = (u32_le(file, 8) as usize, u32_le(file, 12) as usize);
        assert_eq!(kept, length, "nothing is cut off");
        packets.push(Packet {
            micros: u64::from(seconds) * 1_000_000 + u64::from(micros),
            ..dissect(&file[16..16 + kept])
        });
        file = &file[16 + kept..];
    }
    packets
}

fn dissect(packet: &[u8]) -> Packet {
    assert_eq!(packet[0], 0x45, "IPv4, twenty octets of header");
    assert_eq!(usize::from(u16_at(packet, 2)), packet.len());
    assert_eq!(packet[9], 17, "UDP");
    assert!(adds_up(&packet[..20]), "the header's checksum");
    let (addresses, udp) = (&packet[12..20], &packet[20..]);
    assert_eq!(usize::from(u16_at(udp, 4)), udp.len());
    assert_ne!(u16_at(udp, 6), 0, "there is a checksum");
    let length = u16_at(udp, 4).to_be_bytes();
    let covered = [addresses, &[0, 17], &length, udp].concat();
    assert!(adds_up(&covered), "the datagram's checksum");
    let end = |ip: &[u8], port| {
        let ip: [u8; 4] = ip.try_into().expect("four octets");
        SocketAddr::new(ip.into(), port)
    };
    Packet {
        micros: 0,
        from: end(&addresses[..4], u16_at(udp, 0)),
        to: end(&addresses[4..], u16_at(udp, 2)),
        payload: udp[8..].to_vec(),
    }
}

#[test]
fn the_capture_has_what_arrived_when_it_arrived_and_nothing_else() {
    let (plan, record) = small();
    let packets = read(&pcap::write(&arrivals(&record, plan.seed)));
    let micros: Vec<u64> = packets.iter().map(|packet| packet.micros).collect();
    let dawn = 1_777_887_000_000_000;
    assert_eq!(micros, [dawn + 10_000, dawn + 30_000, dawn + 40_000]);
    assert_eq!(packets[0].from, at("198.51.100.1:5060"));
    assert_eq!(packets[0].to, at("192.0.2.1:5060"));
    assert!(packets[0].payload.starts_with(b"REGISTER sip:example.org SIP/2.0\r\n"));
    assert_eq!(packets[1].to, at("203.0.113.66:1024"));
    assert_eq!(packets[1].payload, b"\xff\x00");
    let sent = b"\r\n\r\n";
    assert_eq!(packets[2].payload.len(), sent.len());
    let changed = packets[2].payload.iter().zip(sent).filter(|(got, sent)| got != sent).count();
    assert_eq!(changed, 1, "the corrupted one is as it arrived");
}

#[test]
fn a_capture_of_bad_weather_is_in_the_order_of_arrival() {
    let plan = rainy();
    let record = play(&plan).expect("a run");
    let arrived = arrivals(&record, plan.seed);
    let packets = read(&pcap::write(&arrived));
    assert_eq!(packets.len(), arrived.len());
    assert!(packets.is_sorted_by_key(|packet| packet.micros));
    assert!(!arrived.is_sorted_by_key(|arrival| arrival.at_ms), "nobody was overtaken");
}

#[test]
fn every_length_has_a_right_checksum_and_what_is_no_datagram_is_left_out() {
    let arrival = |bytes: Vec<u8>| Arrival {
        at_ms: 0,
        from: at("255.255.255.255:65535"),
        to: at("0.0.0.0:0"),
        bytes: bytes.into(),
    };
    let mut odd: Vec<Arrival> = (0..64).map(|length| arrival(vec![0xff; length])).collect();
    odd.push(arrival(vec![1; 65_507]));
    assert_eq!(read(&pcap::write(&odd)).len(), 65);
    assert!(read(&pcap::write(&[arrival(vec![1; 65_508])])).is_empty());
}
