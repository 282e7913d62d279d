use super::*;
use crate::video::jpeg::{JpegCodec, Sampling};
use crate::video::pattern::{Pattern, number};
use crate::video::picture::Picture;
use crate::video::stream::VideoCodec;
use proptest::prelude::*;
use std::time::Duration;

const NOW: Duration = Duration::ZERO;

fn jpeg(codec: &mut JpegCodec, width: u16, height: u16) -> Vec<u8> {
    codec.encode(&Pattern::new(width, height).picture(77), true, NOW).unwrap()
}

fn octets(payloads: Vec<Payload>) -> Vec<Vec<u8>> {
    payloads.into_iter().map(|payload| payload.octets).collect()
}

/// Where the quantization table header of a first packet begins.
const TABLES: usize = header::MAIN;

#[test]
fn a_frame_goes_through_payloads_unchanged() {
    for (limit, restarts) in [(1200, 0), (200, 0), (65_000, 0), (1200, 20)] {
        let mut codec = JpegCodec::new(60).with_restarts(restarts);
        let frame = jpeg(&mut codec, 320, 240);
        let payloads = JpegPacketizer::default().pack(&frame, limit).unwrap();
        assert!(payloads.iter().all(|payload| payload.octets.len() <= limit));
        let markers: Vec<_> = payloads.iter().map(|payload| payload.marker).collect();
        assert_eq!(markers.iter().filter(|&&marker| marker).count(), 1);
        assert_eq!(markers.last(), Some(&true));
        let first = Fragment::parse(&payloads[0].octets).unwrap();
        assert_eq!((first.form.q, first.form.width, first.form.height), (60, 40, 30));
        let again = JpegPacketizer::default().unpack(&octets(payloads)).unwrap();
        assert_eq!(codec.decode(&again).unwrap(), codec.decode(&frame).unwrap());
        assert_eq!(file::read(&again).unwrap(), file::read(&frame).unwrap());
    }
}

#[test]
fn all_sizes_of_the_payload_format_go_through() {
    for (width, height) in [(128, 32), (136, 40), (2040, 2040)] {
        let mut codec = JpegCodec::new(20);
        let frame = jpeg(&mut codec, width, height);
        let mut packetizer = JpegPacketizer::default();
        let payloads = octets(packetizer.pack(&frame, 1200).unwrap());
        let picture = codec.decode(&packetizer.unpack(&payloads).unwrap()).unwrap().unwrap();
        assert_eq!((picture.width(), picture.height()), (width, height));
        assert_eq!(number(&picture), Some(77));
    }
    for (width, height) in [(2048, 480), (324, 240), (320, 4), (640, 2056)] {
        let fault =
            JpegCodec::new(20).encode(&Picture::grey(width, height), true, NOW).unwrap_err();
        assert_eq!(fault.expected, "sides of 8 to 2040, multiples of 8");
    }
}

#[test]
fn tables_that_no_q_computes_go_in_band() {
    let mut codec = JpegCodec::new(60);
    let file = jpeg(&mut codec, 320, 240);
    let (mut head, scan) = file::read(&file).unwrap();
    head.tables[0][0] = 3;
    let frame = file::write(&head, scan);
    let payloads = octets(JpegPacketizer::default().pack(&frame, 300).unwrap());
    let first = Fragment::parse(&payloads[0]).unwrap();
    assert_eq!((first.form.q, payloads[0].len()), (255, 300));
    assert_eq!(first.tables, InBand::Tables(Box::new(head.tables)));
    assert_eq!(Fragment::parse(&payloads[1]).unwrap().tables, InBand::Absent);
    let again = JpegPacketizer::default().unpack(&payloads).unwrap();
    assert_eq!(file::read(&again).unwrap(), (head, scan));
    let fault = JpegPacketizer::default().pack(&frame, 140).unwrap_err();
    assert_eq!(
        fault.to_string(),
        "at octet 0: expected room for headers and data in a payload, found 140"
    );
}

#[test]
fn tables_of_a_static_q_are_kept_for_the_frames_that_come_without() {
    let mut codec = JpegCodec::new(60);
    let file = jpeg(&mut codec, 128, 32);
    let (mut head, scan) = file::read(&file).unwrap();
    head.tables[0][0] = 3;
    let frame = file::write(&head, scan);
    let mut with = octets(JpegPacketizer::default().pack(&frame, 60_000).unwrap());
    assert_eq!(with.len(), 1);
    with[0][5] = 130;
    // The same frame, but the header says that its tables are known.
    let mut without = with.clone();
    without[0].drain(TABLES + 4..TABLES + 4 + 128);
    without[0][TABLES + 3] = 0;
    let mut packetizer = JpegPacketizer::default();
    let fault = packetizer.unpack(&without).unwrap_err();
    assert_eq!(fault.to_string(), "at octet 5: expected a Q whose tables came before, found 130");
    packetizer.unpack(&with).unwrap();
    assert_eq!(file::read(&packetizer.unpack(&without).unwrap()).unwrap(), (head, scan));
    without[0][5] = 131;
    assert!(packetizer.unpack(&without).is_err());
}

#[test]
fn wide_chroma_is_received() {
    // A grey picture of type 0: every block is "no difference, end of block".
    // Luma 00 1010, chroma 00 00: 20 bits an MCU, two of them.
    let scan = [0b0010_1000, 0b1010_0000, 0b0000_0010, 0b1000_1010, 0b0000_0000];
    let mut payload = vec![0, 0, 0, 0, Sampling::Wide.kind(), 50, 4, 1];
    payload.extend(scan);
    let frame = JpegPacketizer::default().unpack(&[payload]).unwrap();
    let picture = JpegCodec::new(50).decode(&frame).unwrap().unwrap();
    assert_eq!(picture, Picture::grey(32, 8));
}

#[test]
fn fragments_of_different_frames_do_not_mix() {
    let frame = jpeg(&mut JpegCodec::new(60), 320, 240);
    let whole = octets(JpegPacketizer::default().pack(&frame, 1000).unwrap());
    let told = |change: fn(&mut Vec<Vec<u8>>)| {
        let mut payloads = whole.clone();
        change(&mut payloads);
        JpegPacketizer::default().unpack(&payloads).unwrap_err().to_string()
    };
    assert_eq!(told(Vec::clear), "at octet 0: expected a payload, found the end");
    assert_eq!(
        told(|payloads| payloads[2][6] = 41),
        "at octet 4: expected the form of the frame's first packet, found type, Q, width and \
         height [1, 60, 41, 30]"
    );
    assert_eq!(
        told(|payloads| drop(payloads.remove(1))),
        "at octet 1: expected a fragment that follows the one before, found 1984 after 992 octets"
    );
    assert_eq!(
        told(|payloads| drop(payloads.remove(0))),
        "at octet 1: expected a fragment that follows the one before, found 992 after 0 octets"
    );
    // One packet that claims a large picture.
    let claim = vec![vec![0, 0, 0, 0, 1, 60, 255, 255, 1, 2, 3]];
    assert_eq!(
        JpegPacketizer::default().unpack(&claim).unwrap_err().to_string(),
        "at octet 3: expected a scan as long as its picture needs, found its end"
    );
}

proptest! {
    /// Whatever the scan says: a picture or a fault, never a panic.
    #[test]
    fn any_scan_is_decoded_or_refused(
        scan in prop::collection::vec(any::<u8>(), 0..600),
        kind in prop_oneof![Just(0u8), Just(1), Just(64), Just(65)],
        q in prop_oneof![1..100u8, Just(255)],
        width in 1..5u8, height in 1..5u8,
    ) {
        let mut payload = vec![0, 0, 0, 0, kind, q, width, height];
        if kind & 64 != 0 {
            payload.extend([0, 1, 0xFF, 0xFF]);
        }
        if q == 255 {
            payload.extend([0, 0, 0, 128]);
            payload.extend([1; 128]);
        }
        payload.extend(scan);
        if let Ok(frame) = JpegPacketizer::default().unpack(&[payload]) {
            let _ = JpegCodec::new(50).decode(&frame);
        }
    }

    /// A real frame, bent somewhere behind its headers.
    #[test]
    fn a_bent_frame_is_decoded_or_refused(
        at in any::<prop::sample::Index>(), with in any::<[u8; 3]>(), cut in 1..1200usize,
    ) {
        let frame = jpeg(&mut JpegCodec::new(60).with_restarts(5), 128, 64);
        let mut payloads = octets(JpegPacketizer::default().pack(&frame, 1200).unwrap());
        let place = at.get(&payloads).len();
        let payload = &mut payloads[0];
        let start = place % (payload.len() - 3);
        payload[start..start + 3].copy_from_slice(&with);
        payload.truncate(cut);
        if let Ok(frame) = JpegPacketizer::default().unpack(&payloads) {
            let _ = JpegCodec::new(50).decode(&frame);
        }
    }
}
