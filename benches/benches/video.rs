//! What one picture of 640×480 costs on its way: coded, packed, unpacked, decoded, and the whole
//! receiver. The pattern moves, so that no picture is like the one before.
//!
//! `cargo bench -p presently-benches --bench video` (`--features h264` for H.264 beside JPEG)

use criterion::{Criterion, criterion_group, criterion_main};
use presently_net::video::pattern::Pattern;
use presently_net::video::stream::{PAYLOAD_LIMIT, Pair, codec, timestamp};
use presently_net::video::{Packet, Picture, VideoReceiver};
use std::hint::black_box;
use std::time::Duration;

#[cfg(feature = "h264")]
const CODECS: [&str; 2] = ["JPEG/90000", "H264/90000"];
#[cfg(not(feature = "h264"))]
const CODECS: [&str; 1] = ["JPEG/90000"];
/// How many pictures go round.
const PICTURES: u32 = 60;

fn pair(rtpmap: &str) -> Pair {
    codec(rtpmap, Some("profile-level-id=42e01f;packetization-mode=1")).expect("it is built in")
}

/// When a picture is taken, of thirty a second.
fn taken(number: usize) -> Duration {
    Duration::from_micros(33_333) * number as u32
}

fn stages(criterion: &mut Criterion, name: &str, pictures: &[Picture]) {
    let mut group = criterion.benchmark_group(format!("vga_frame_{name}"));
    let (mut coder, mut packetizer) = pair(name);
    // Every other picture is coded on what the one before left, so all stages go round in order.
    let frames: Vec<_> = (pictures.iter().enumerate())
        .map(|(number, picture)| coder.encode(picture, number == 0, taken(number)).expect("coded"))
        .collect();
    let payloads: Vec<Vec<Vec<u8>>> = (frames.iter())
        .map(|frame| packetizer.pack(frame, PAYLOAD_LIMIT).expect("packed"))
        .map(|payloads| payloads.into_iter().map(|payload| payload.octets).collect())
        .collect();
    let octets: usize = frames.iter().map(Vec::len).sum();
    let packets: usize = payloads.iter().map(Vec::len).sum();
    println!(
        "{name}: {} octets, {} packets a frame",
        octets / frames.len(),
        packets / frames.len()
    );
    let mut number = 0;
    let mut next = || {
        number += 1;
        number
    };
    group.bench_function("encode", |bench| {
        bench.iter(|| {
            let number = next();
            let picture = &pictures[number % pictures.len()];
            black_box(coder.encode(picture, false, taken(number)).expect("coded"))
        });
    });
    group.bench_function("pack", |bench| {
        bench.iter(|| {
            let frame = &frames[next() % frames.len()];
            black_box(packetizer.pack(frame, PAYLOAD_LIMIT).expect("packed"))
        });
    });
    group.bench_function("unpack", |bench| {
        bench.iter(|| {
            let payloads = &payloads[next() % payloads.len()];
            black_box(packetizer.unpack(payloads).expect("unpacked"))
        });
    });
    let mut number = 0;
    group.bench_function("decode", |bench| {
        bench.iter(|| {
            number += 1;
            black_box(coder.decode(&frames[(number - 1) % frames.len()]).expect("decoded"))
        });
    });
    let (mut receiver, mut number, mut sequence) = (VideoReceiver::new(pair(name)), 0, 0u16);
    group.bench_function("receive", |bench| {
        bench.iter(|| {
            let (now, payloads) = (taken(number), &payloads[number % payloads.len()]);
            number += 1;
            for (place, payload) in payloads.iter().enumerate() {
                let marker = place + 1 == payloads.len();
                let packet = Packet { payload, timestamp: timestamp(now), sequence, marker };
                sequence = sequence.wrapping_add(1);
                black_box(receiver.receive(packet, now));
            }
        });
    });
    assert_eq!(receiver.received().shown, number as u64, "every picture was shown");
    group.finish();
}

fn video(criterion: &mut Criterion) {
    let pattern = Pattern::new(640, 480);
    let mut number = 0;
    criterion.bench_function("vga_pattern", |bench| {
        bench.iter(|| {
            number += 1;
            black_box(pattern.picture(number))
        });
    });
    let pictures: Vec<_> = (0..PICTURES).map(|number| pattern.picture(number)).collect();
    for name in CODECS {
        stages(criterion, name, &pictures);
    }
}

criterion_group!(benches, video);
criterion_main!(benches);
