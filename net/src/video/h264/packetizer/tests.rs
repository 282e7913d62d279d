use super::*;
use crate::video::h264::parameters::OURS;
use proptest::prelude::*;

fn packetizer() -> H264Packetizer {
    H264Packetizer::new(&Parameters::parse(OURS).unwrap())
}

fn octets(payloads: Vec<Payload>) -> Vec<Vec<u8>> {
    payloads.into_iter().map(|payload| payload.octets).collect()
}

fn refused(payloads: &[&[u8]]) -> String {
    let payloads: Vec<_> = payloads.iter().map(|payload| payload.to_vec()).collect();
    packetizer().unpack(&payloads).unwrap_err().to_string()
}

#[test]
fn units_fit_into_packets_whole_or_in_pieces() {
    // SPS with a start code of three octets, PPS with four, an IDR slice of 25 octets.
    let mut frame = vec![0, 0, 1, 0x67, 1, 2, 0, 0, 0, 1, 0x68, 3, 0, 0, 1, 0x65];
    frame.extend(1..25);
    let payloads = packetizer().pack(&frame, 12).unwrap();
    let markers: Vec<_> = payloads.iter().map(|payload| payload.marker).collect();
    assert_eq!(markers, [false, false, false, false, true]);
    let payloads = octets(payloads);
    assert_eq!(payloads[..2], [vec![0x67, 1, 2], vec![0x68, 3]]);
    // FU indicator with the importance of the unit, FU header with start, none, end.
    let heads: Vec<_> = payloads[2..].iter().map(|payload| (payload[0], payload[1])).collect();
    assert_eq!(heads, [(0x7C, 0x85), (0x7C, 0x05), (0x7C, 0x45)]);
    let again = packetizer().unpack(&payloads).unwrap();
    assert!(units(&again).eq(units(&frame)));
    assert!(packetizer().is_key(&again));
    assert!(packetizer().begins(&payloads[0]) && !packetizer().begins(&payloads[1]));
}

#[test]
fn aggregates_are_taken_apart() {
    let payload = vec![0x78, 0, 3, 0x67, 1, 2, 0, 2, 0x68, 3];
    assert!(packetizer().begins(&payload));
    let frame = packetizer().unpack(&[payload]).unwrap();
    assert_eq!(frame, [0, 0, 0, 1, 0x67, 1, 2, 0, 0, 0, 1, 0x68, 3]);
}

#[test]
fn without_pieces_a_long_unit_is_refused() {
    let mut single = H264Packetizer::new(&Parameters::parse("").unwrap());
    let frame = [&[0, 0, 1, 0x65][..], &[7; 30]].concat();
    assert_eq!(
        single.pack(&frame, 20).unwrap_err().to_string(),
        "at octet 0: expected NAL units that fit a payload, found 31 with a limit of 20"
    );
    assert_eq!(
        single.pack(&[1, 2, 3], 20).unwrap_err().to_string(),
        "at octet 3: expected a NAL unit, found the end"
    );
}

#[test]
fn a_fault_says_where_it_is_and_what_was_expected() {
    let cases: [(&[&[u8]], &str); 8] = [
        (&[&[]], "at octet 0: expected a NAL unit of type 1 to 24 or 28, found 0"),
        (&[&[30, 1]], "at octet 0: expected a NAL unit of type 1 to 24 or 28, found 30"),
        (&[&[28]], "at octet 1: expected an FU header, found the end"),
        (&[&[28, 0x05, 1]], "at octet 1: expected pieces from the first to the last, found 5"),
        (&[&[28, 0xC5, 1]], "at octet 1: expected pieces from the first to the last, found 197"),
        (
            &[&[28, 0x85, 1], &[0x67, 1]],
            "at octet 0: expected the next piece of a NAL unit (28), found 7",
        ),
        (&[&[28, 0x85, 1]], "at octet 1: expected the last piece of a NAL unit, found the end"),
        (
            &[&[24, 0, 1, 0x67, 0, 9, 0x68]],
            "at octet 4: expected the size of a NAL unit, and the unit, found 3",
        ),
    ];
    for (payloads, fault) in cases {
        assert_eq!(refused(payloads), fault);
    }
}

proptest! {
    #[test]
    fn any_payloads_are_read_or_refused(
        payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..6),
    ) {
        let length: usize = payloads.iter().map(|payload| payload.len() + 4).sum();
        if let Ok(frame) = packetizer().unpack(&payloads) {
            // An aggregate of empty units cannot be: a unit has a type.
            prop_assert!(frame.len() <= 2 * length);
        }
    }

    #[test]
    fn any_units_come_back(
        units in prop::collection::vec(prop::collection::vec(1..=255u8, 1..60), 1..6),
        limit in 3..50usize,
    ) {
        let frame: Vec<u8> = (units.iter())
            .flat_map(|unit| [&[0, 0, 1, unit[0] & 0xE0 | (1 + unit[0] % 23)], &unit[1..]].concat())
            .collect();
        let payloads = packetizer().pack(&frame, limit).unwrap();
        prop_assert!(payloads.iter().all(|payload| payload.octets.len() <= limit));
        let again = packetizer().unpack(&octets(payloads)).unwrap();
        prop_assert!(super::units(&again).eq(super::units(&frame)));
    }
}
