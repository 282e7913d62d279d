//! A bare RTP peer for pictures, to be held against other people's software: it knows no signalling
//! and no RTCP.
//!
//! `video send ADDRESS CODEC PICTURES SOURCE` sends a source at its own pace.
//! `video receive ADDRESS CODEC PICTURES SINK` shows what comes, until so many pictures came or
//! five seconds after the last packet; then it prints, for every picture, its number (if it is the
//! pattern's) and its likeness to the pattern. `video look SOURCE` prints the same of a file,
//! `video copy SOURCE PICTURES SINK` makes one.
//! CODEC is an rtpmap with fmtp: `JPEG/90000`, `H264/90000 packetization-mode=1`.

use presently_net::video::pattern::{Pattern, number};
use presently_net::video::stream::{Pair, codec, timestamp};
use presently_net::video::{Packet, Picture, Rate, VideoReceiver, VideoSender, sink, source};
use std::error::Error;
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::{Instant, sleep_until, timeout};

type Outcome = Result<(), Box<dyn Error>>;

#[tokio::main]
async fn main() -> Outcome {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let words: Vec<_> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["send", address, codec, count, device] => {
            send(address, pair(codec)?, count.parse()?, device).await
        }
        ["receive", address, codec, count, device] => {
            receive(address, pair(codec)?, count.parse()?, device).await
        }
        ["copy", from, count, to] => copy(from, count.parse()?, to),
        ["look", device] => look(device),
        _ => Err("video send|receive ADDRESS CODEC PICTURES DEVICE, video copy SOURCE PICTURES \
                  SINK, video look SOURCE"
            .into()),
    }
}

fn pair(name: &str) -> Result<Pair, Box<dyn Error>> {
    let (rtpmap, fmtp) = name.split_once(' ').unwrap_or((name, ""));
    Ok(codec(rtpmap, Some(fmtp))?)
}

async fn send(address: &str, pair: Pair, count: u64, device: &str) -> Outcome {
    let socket = UdpSocket::bind("127.0.0.1:0").await?;
    socket.connect(address).await?;
    let (mut sender, mut source) = (VideoSender::new(pair), source(device)?);
    let (began, mut sequence) = (Instant::now(), 0u16);
    for number in 0..count {
        let due = source.rate().due(number);
        sleep_until(began + due).await;
        let Some(picture) = source.pull()? else { break };
        // Who joins late gets a key frame every second.
        if number % 15 == 0 {
            sender.want_key();
        }
        for payload in sender.encode(&picture, due)? {
            let kind = 96 | if payload.marker { 0x80 } else { 0 };
            let mut packet = vec![0x80, kind];
            packet.extend(sequence.to_be_bytes());
            packet.extend(timestamp(due).to_be_bytes());
            packet.extend(0x1234_5678u32.to_be_bytes());
            packet.extend(payload.octets);
            // Nobody may listen any more.
            let _ = socket.send(&packet).await;
            sequence = sequence.wrapping_add(1);
        }
    }
    println!("{:?}", sender.sent());
    Ok(())
}

async fn receive(address: &str, pair: Pair, count: u64, device: &str) -> Outcome {
    let mut datagrams = listen(UdpSocket::bind(address).await?);
    let (mut receiver, mut sink) = (VideoReceiver::new(pair), sink(device, Rate::default())?);
    let (began, mut wait) = (Instant::now(), Duration::from_secs(30));
    let mut shown = Vec::new();
    println!("listening");
    while receiver.received().shown < count {
        let Ok(Some(datagram)) = timeout(wait, datagrams.recv()).await else { break };
        wait = Duration::from_secs(5);
        let Some((head, payload)) = datagram.split_first_chunk::<12>() else { continue };
        if head[0] != 0x80 || (64..96).contains(&(head[1] & 0x7F)) {
            continue;
        }
        let packet = Packet {
            payload,
            timestamp: u32::from_be_bytes([head[4], head[5], head[6], head[7]]),
            sequence: u16::from_be_bytes([head[2], head[3]]),
            marker: head[1] & 0x80 != 0,
        };
        for frame in receiver.receive(packet, began.elapsed()) {
            sink.push(&frame.picture)?;
            shown.push(frame.picture);
        }
    }
    sink.finish()?;
    // Comparing takes long, and packets do not wait.
    shown.iter().for_each(tell);
    println!("{:?}", receiver.received());
    Ok(())
}

/// What comes, however long it takes to look at it: the kernel keeps little.
fn listen(socket: UdpSocket) -> UnboundedReceiver<Vec<u8>> {
    let (put, taken) = unbounded_channel();
    tokio::spawn(async move {
        let mut room = vec![0; 65_536];
        while let Ok(length) = socket.recv(&mut room).await {
            if put.send(room[..length].to_vec()).is_err() {
                return;
            }
        }
    });
    taken
}

/// From a source to a sink, as fast as both can.
fn copy(from: &str, count: u64, to: &str) -> Outcome {
    let mut source = source(from)?;
    let mut sink = sink(to, source.rate())?;
    for _ in 0..count {
        let Some(picture) = source.pull()? else { break };
        sink.push(&picture)?;
    }
    Ok(sink.finish()?)
}

/// Says the same of the pictures of a file.
fn look(device: &str) -> Outcome {
    let mut source = source(device)?;
    while let Some(picture) = source.pull()? {
        tell(&picture);
    }
    Ok(())
}

fn tell(picture: &Picture) {
    let (width, height) = (picture.width(), picture.height());
    match number(picture) {
        Some(number) => {
            let original = Pattern::new(width, height).picture(number);
            let psnr = original.psnr(picture).unwrap_or(0.0);
            println!("{width}x{height} number {number} psnr {psnr:.1}");
        }
        None => println!("{width}x{height}"),
    }
}
