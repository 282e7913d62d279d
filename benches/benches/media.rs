//! What media costs: a packet of somebody unknown, a packet that counts, 20 ms of each codec, SRTP,
//! and a second of a flow. A flow both ways costs under one percent of a core if its second costs
//! under 10 ms.
//!
//! `cargo bench -p presently-benches --bench media`

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use presently_engine::agent::{DirectStream, FlowId, Way};
use presently_engine::body::pidf::Codec;
use presently_net::audio::{Player, RTPMAPS, TICK, codec, device, tick_samples};
use presently_net::media::ends::{Ear, Voice};
use presently_net::media::{Chance, Ends, Id, Order, Out, Port, Stream};
use presently_net::rtp::{MasterKey, Packet, Srtp, rtcp};
use std::hint::black_box;
use std::net::SocketAddr;
use std::time::Duration;

const KEYS: (MasterKey, MasterKey) = ([1; 30], [2; 30]);

fn address(host: u8, port: u16) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, host], port))
}

fn packet(sequence: u16) -> Packet {
    Packet {
        marker: false,
        payload_type: 0,
        sequence,
        timestamp: u32::from(sequence) * 160,
        ssrc: 11,
        payload: vec![0x55; 160].into(),
    }
}

fn octets(packet: &Packet) -> Vec<u8> {
    let mut octets = Vec::new();
    packet.write(&mut octets);
    octets
}

/// One side of a direct PCMU flow with somebody.
fn stream(way: Way, remote: SocketAddr, keys: Option<(MasterKey, MasterKey)>) -> Stream {
    let (ssrc, remote_ssrc) = if way == Way::Out { (11, 22) } else { (22, 11) };
    let codec = Codec { pt: 0, rtpmap: "PCMU/8000".into(), fmtp: None };
    let (port, budget) = (40_000, None);
    Stream::direct(&DirectStream { port, remote, codec, ssrc, remote_ssrc, keys, budget }, way)
}

fn pcmu() -> Box<dyn presently_net::audio::Codec> {
    codec("PCMU/8000").expect("it is built in")
}

fn ear() -> Ends {
    let sink = device::sink("null", 8000).expect("it is always there");
    Ends { capture: None, render: Some(Box::new(Ear::new(pcmu(), sink))) }
}

fn voice() -> Ends {
    let source = device::source("tone").expect("it is always there");
    Ends { capture: Some(Box::new(Voice::new(source, pcmu()))), render: None }
}

/// A port that listens to so many.
fn listening(flows: u8, keys: Option<(MasterKey, MasterKey)>) -> Port {
    let mut port = Port::new(1 << 40, "bench");
    let mut out = Vec::new();
    for flow in 1..=flows {
        let stream = stream(Way::In, address(flow, 40_000), keys);
        let chance = Chance { ssrc: 0, sequence: 0, timestamp: 0, dice: 0 };
        let id = Id::Direct(FlowId(flow.into()));
        port.order(Duration::ZERO, Order::Start(id, Box::new(stream), ear(), chance), &mut out);
    }
    port
}

/// What anybody can make us do.
fn strangers(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("strangers");
    group.throughput(Throughput::Elements(1));
    let rtp = octets(&packet(1));
    let bye = rtcp::write(&[rtcp::Part::Bye { sources: vec![11] }]);
    let mut out = Vec::new();
    for flows in [1, 8] {
        let mut port = listening(flows, Some(KEYS));
        for (what, datagram) in [("rtp", &rtp[..]), ("bye", &bye), ("noise", &[0xff; 172])] {
            let from = address(66, 666);
            group.bench_function(format!("{what} to a port of {flows}"), |bench| {
                bench.iter(|| port.receive(TICK, from, black_box(datagram), &mut out));
            });
        }
    }
    // The most that somebody can cost who can write the bound address into its packets.
    let mut port = listening(1, Some(KEYS));
    group.bench_function("forged srtp from the bound address", |bench| {
        bench.iter(|| port.receive(TICK, address(1, 40_000), black_box(&rtp), &mut out));
    });
    assert_eq!(out, []);
    group.finish();
}

fn codecs(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("20_ms");
    for rtpmap in RTPMAPS {
        let mut codec = codec(rtpmap).expect("it is listed");
        let mut tone = device::source("tone").expect("it is always there");
        let mut samples = Vec::new();
        for _ in 0..5 {
            tone.pull(&mut samples);
        }
        samples.truncate(tick_samples(codec.rate()));
        let (mut payload, mut heard) = (Vec::new(), Vec::new());
        group.bench_function(format!("encode {rtpmap}"), |bench| {
            bench.iter(|| {
                payload.clear();
                codec.encode(black_box(&samples), &mut payload);
            });
        });
        group.bench_function(format!("decode {rtpmap}"), |bench| {
            bench.iter(|| {
                heard.clear();
                codec.decode(black_box(&payload), &mut heard)
            });
        });
        let mut player = Player::new(codec, 8000);
        group.bench_function(format!("conceal {rtpmap}"), |bench| {
            let mut first = packet(0);
            first.payload = payload.clone().into();
            player.insert(Duration::ZERO, &first);
            bench.iter(|| {
                heard.clear();
                player.play(TICK, &mut heard)
            });
        });
    }
    group.finish();
}

fn packets(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("packet");
    let one = packet(1);
    let plain = octets(&one);
    group.bench_function("write", |bench| {
        bench.iter_batched_ref(
            || Vec::with_capacity(200),
            |datagram| black_box(&one).write(datagram),
            BatchSize::SmallInput,
        );
    });
    let datagram = plain.clone().into();
    group.bench_function("parse", |bench| bench.iter(|| Packet::parse(black_box(&datagram))));
    let mut sender = Srtp::new(&KEYS.0, &KEYS.1);
    group.bench_function("srtp protect", |bench| {
        bench.iter_batched_ref(
            || plain.clone(),
            |datagram| sender.protect(datagram),
            BatchSize::SmallInput,
        );
    });
    let (mut sender, mut sequence) = (Srtp::new(&KEYS.0, &KEYS.1), 0u16);
    let mut receiver = Srtp::new(&KEYS.1, &KEYS.0);
    group.bench_function("srtp unprotect", |bench| {
        bench.iter_batched_ref(
            || {
                sequence = sequence.wrapping_add(1);
                let mut datagram = octets(&packet(sequence));
                sender.protect(&mut datagram);
                datagram
            },
            |datagram| receiver.unprotect(datagram),
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

/// A second of a flow both ways at both ends: four times what one direction costs at one end.
fn second(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("a_second_of_pcmu");
    for (name, keys) in [("plain", None), ("srtp", Some(KEYS))] {
        let mut ports = [Port::new(1 << 40, "alice"), Port::new(1 << 40, "bob")];
        let ways = [(Way::Out, address(2, 40_000)), (Way::In, address(1, 40_000))];
        let id = Id::Direct(FlowId(1));
        let mut out = Vec::new();
        for (port, (way, remote)) in ports.iter_mut().zip(ways) {
            let keys = if way == Way::In { keys.map(|(a, b)| (b, a)) } else { keys };
            let ends = if way == Way::In { ear() } else { voice() };
            let chance = Chance { ssrc: 0, sequence: 0, timestamp: 0, dice: 0 };
            let order = Order::Start(id, Box::new(stream(way, remote, keys)), ends, chance);
            port.order(Duration::ZERO, order, &mut out);
        }
        let mut now = Duration::ZERO;
        group.bench_function(format!("one way, both ends, {name}"), |bench| {
            bench.iter(|| {
                for _ in 0..50 {
                    now += TICK;
                    ports[0].run(now, &mut out);
                    for one in out.drain(..) {
                        if let Out::Send { bytes, .. } = one {
                            ports[1].receive(now, address(1, 40_000), &bytes, &mut Vec::new());
                        }
                    }
                    ports[1].run(now, &mut out);
                    out.clear();
                }
            });
        });
    }
    group.finish();
}

criterion_group!(benches, strangers, codecs, packets, second);
criterion_main!(benches);
