use super::*;

fn packet() -> Packet {
    Packet {
        marker: true,
        payload_type: 8,
        sequence: 0xfffe,
        timestamp: 0x0102_0304,
        ssrc: 0xdead_beef,
        payload: Bytes::from_static(b"media"),
    }
}

#[test]
fn a_packet_is_written_octet_by_octet_as_figure_1_draws_it() {
    let mut datagram = Vec::new();
    packet().write(&mut datagram);
    let header = [0x80, 0x88, 0xff, 0xfe, 1, 2, 3, 4, 0xde, 0xad, 0xbe, 0xef];
    assert_eq!(datagram, [&header[..], b"media"].concat());
}

#[test]
fn what_was_written_is_read_again() {
    let mut datagram = Vec::new();
    packet().write(&mut datagram);
    assert_eq!(Packet::parse(&datagram.into()), Ok(packet()));
}

#[test]
fn sources_extension_and_padding_are_skipped() {
    let datagram = [
        // V=2 P X CC=2, PT 0
        &[0xb2, 0, 0, 7, 0, 0, 0, 1, 0, 0, 0, 2][..],
        &[0, 0, 0, 3, 0, 0, 0, 4],
        // An extension of one word.
        &[0xbe, 0xde, 0, 1, 9, 9, 9, 9],
        b"media",
        &[0, 0, 3],
    ]
    .concat();
    let read = Packet::parse(&datagram.into()).expect("well-formed");
    assert_eq!((read.sequence, read.ssrc, &read.payload[..]), (7, 2, &b"media"[..]));
}

#[test]
fn lengths_over_the_end_and_other_versions_are_refused() {
    let cases: &[&[u8]] = &[
        b"",
        &[0x80],
        &[0x80, 0, 0, 7, 0, 0, 0, 1, 0, 0, 0],
        &[0x40, 0, 0, 7, 0, 0, 0, 1, 0, 0, 0, 2],
        // Fifteen sources that are not there.
        &[0x8f, 0, 0, 7, 0, 0, 0, 1, 0, 0, 0, 2],
        // Padding of more than there is.
        &[0xa0, 0, 0, 7, 0, 0, 0, 1, 0, 0, 0, 2, 9],
        // An extension that does not end.
        &[0x90, 0, 0, 7, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0xff, 0xff],
    ];
    for case in cases {
        assert_eq!(Packet::parse(&Bytes::copy_from_slice(case)), Err(Malformed), "{case:x?}");
    }
}

#[test]
fn no_octets_make_the_reader_panic() {
    let mut dice = crate::rtp::rig::Dice::new(1);
    for _ in 0..100_000 {
        let length = dice.below(40);
        let mut octets: Vec<u8> = (0..length).map(|_| dice.below(256) as u8).collect();
        if let Some(first) = octets.first_mut() {
            *first = *first & 0x3f | 0x80;
        }
        if let Ok(packet) = Packet::parse(&octets.clone().into()) {
            assert!(packet.payload.len() + Packet::HEADER <= octets.len());
        }
    }
}

#[test]
fn the_first_octets_say_what_a_datagram_is() {
    let cases: &[(&[u8], Kind)] = &[
        (&[], Kind::Unknown),
        (&[0x80], Kind::Unknown),
        (&[0, 1], Kind::Stun),
        (&[3, 1], Kind::Stun),
        (&[4, 1], Kind::Unknown),
        (&[22, 254], Kind::Dtls),
        (&[0x80, 0], Kind::Rtp),
        (&[0x80, 0x80], Kind::Rtp),
        (&[0x80, 191], Kind::Rtp),
        (&[0x80, 192], Kind::Rtcp),
        (&[0x81, 203], Kind::Rtcp),
        (&[0x81, 223], Kind::Rtcp),
        (&[0x81, 224], Kind::Rtp),
        (&[192, 0], Kind::Unknown),
    ];
    for (octets, kind) in cases {
        assert_eq!(Kind::of(octets), *kind, "{octets:x?}");
    }
}
