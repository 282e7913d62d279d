//! Pictures from a stranger: whatever comes in packets or as a frame, no panic and no growth.

use presently_net::video::jpeg::{JpegPacketizer, file};
use presently_net::video::stream::codec;
use presently_net::video::{Packet, Packetizer, VideoReceiver};
use std::time::Duration;

/// Most octets that a receiver may hold of what this fuzzer can send.
const MOST_HELD: usize = 1 << 20;

/// A course of packets, and the same octets as a file to be packed.
pub fn jpeg(data: &[u8]) {
    packets(data);
    let mut packetizer = JpegPacketizer::default();
    let Ok((head, scan)) = file::read(data) else { return };
    let Ok(payloads) = packetizer.pack(data, 200) else { return };
    let payloads: Vec<_> = payloads.into_iter().map(|payload| payload.octets).collect();
    // A scan that is too short for its picture is sent as it is, but not taken.
    if let Ok(again) = packetizer.unpack(&payloads) {
        assert_eq!(file::read(&again), Ok((head, scan)));
    }
}

/// Every packet is a step: how its sequence number goes on, its timestamp and marker, whether it
/// has the header of a real stream, and how long it is.
fn packets(mut data: &[u8]) {
    let Ok(pair) = codec("JPEG/90000", None) else { return };
    let mut receiver = VideoReceiver::new(pair);
    let (mut sequence, mut now, mut offset) = (0u16, Duration::ZERO, 0u32);
    while let Some((&[step, control, length], rest)) = data.split_first_chunk::<3>() {
        let (body, rest) = rest.split_at(rest.len().min(usize::from(length)));
        data = rest;
        sequence = sequence.wrapping_add_signed(i16::from(step as i8));
        now += Duration::from_millis(u64::from(control >> 6) * 30);
        let (timestamp, marker) = (u32::from(control & 3), control & 4 != 0);
        let mut payload = body.to_vec();
        if control & 8 != 0 {
            let [_, high, middle, low] = offset.to_be_bytes();
            let kind = control >> 4 & 1;
            payload = [&[0, high, middle, low, kind, 70, 2, 2][..], body].concat();
        }
        offset = if marker { 0 } else { offset + body.len() as u32 };
        for frame in
            receiver.receive(Packet { payload: &payload, timestamp, sequence, marker }, now)
        {
            assert!(frame.picture.width() <= 2040 && frame.picture.height() <= 2040);
        }
        assert!(receiver.held() < MOST_HELD);
    }
}
