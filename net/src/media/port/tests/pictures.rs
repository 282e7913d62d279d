//! Pictures from one port to another.

use crate::media::pictures::{Camera, Screen};
use crate::media::port::{Order, Out, Port};
use crate::media::rig::direct;
use crate::media::{Chance, Ends, Id};
use crate::rtp::rig::Link;
use crate::video::{self, DeviceError, Picture, stream};
use bytes::Bytes;
use presently_engine::agent::FlowId;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const MS: Duration = Duration::from_millis(1);
const WATCH: Id = Id::Direct(FlowId(1));

/// A screen that remembers what it showed, and when.
#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Vec<Picture>>>);

impl video::Sink for Memory {
    fn push(&mut self, picture: &Picture) -> Result<(), DeviceError> {
        self.0.lock().expect("no test panics with it").push(picture.clone());
        Ok(())
    }

    fn finish(&mut self) -> Result<(), DeviceError> {
        Ok(())
    }
}

/// A moving pattern from one port to another; what was shown, and when each came.
fn watch(link: &mut Link<(bool, Bytes)>, seconds: u32) -> (Vec<Picture>, Vec<u128>) {
    let (alice, bob) = ("192.0.2.1:40000", "192.0.2.2:50000");
    let [alice, bob]: [SocketAddr; 2] = [alice, bob].map(|one| one.parse().expect("an address"));
    let (mut out_stream, mut into) = direct(alice, bob, (11, 22), None);
    let jpeg = || stream::codec("JPEG/90000", None).expect("it is built in");
    for stream in [&mut out_stream, &mut into] {
        stream.codec.rtpmap = "JPEG/90000".into();
        (stream.codec.pt, stream.heard) = (26, vec![26]);
    }
    let memory = Memory::default();
    let source = video::source("pattern:160x120@15").expect("a pattern");
    let camera = Camera::new(source, jpeg());
    let screen = Screen::new(jpeg(), Box::new(memory.clone()));
    let chance = Chance { ssrc: 0, sequence: 65_000, timestamp: u32::MAX - 1000, dice: 1 };
    let mut ports = [Port::new(1 << 33, "alice"), Port::new(1 << 33, "bob")];
    let ends = [
        (out_stream, Ends { capture: Some(Box::new(camera)), render: None }),
        (into, Ends { capture: None, render: Some(Box::new(screen)) }),
    ];
    let mut out = Vec::new();
    for (port, (stream, ends)) in ports.iter_mut().zip(ends) {
        let order = Order::Start(WATCH, Box::new(stream), ends, chance);
        port.order(Duration::ZERO, order, &mut out);
    }
    let mut shown = Vec::new();
    for ms in 0..seconds * 1000 {
        let now = ms * MS;
        for (_, (to_bob, bytes)) in link.take(now) {
            let (from, at) = if to_bob { (alice, 1) } else { (bob, 0) };
            ports[at].receive(now, from, &bytes, &mut out);
        }
        for port in &mut ports {
            if port.due().is_some_and(|due| due <= now) {
                port.run(now, &mut out);
            }
        }
        for one in out.drain(..) {
            match one {
                Out::Send { to, bytes, .. } => link.put(now, (to == bob, bytes)),
                Out::Tell(..) => {}
            }
        }
        let count = memory.0.lock().expect("no test panics with it").len();
        shown.resize(count, now.as_millis());
    }
    let pictures = memory.0.lock().expect("no test panics with it").clone();
    (pictures, shown)
}

#[test]
fn the_pattern_arrives_as_good_as_it_was_and_evenly() {
    let mut link = Link::new(1);
    link.jitter = 15 * MS;
    let (pictures, shown) = watch(&mut link, 3);
    let mut source = video::source("pattern:160x120@15").expect("a pattern");
    for (index, picture) in pictures.iter().enumerate() {
        let said = source.pull().expect("a pattern").expect("it has no end");
        let quality = said.psnr(picture).expect("of one size");
        assert!(quality > 30.0, "picture {index}: {quality} dB");
    }
    assert!((42..=45).contains(&pictures.len()), "{}", pictures.len());
    // A fifteenth of a second apart, however they came.
    let apart = shown.windows(2).map(|pair| pair[1] - pair[0]).skip(5);
    let (least, most) = apart.fold((u128::MAX, 0), |(a, b), ms| (a.min(ms), b.max(ms)));
    assert!(least >= 55 && most <= 80, "{least} to {most} ms");
}

#[test]
fn after_a_loss_the_picture_is_back_within_a_second() {
    let mut link = Link::new(2);
    link.loss = 2;
    let (pictures, shown) = watch(&mut link, 8);
    assert!(pictures.len() > 60, "{}", pictures.len());
    let apart = shown.windows(2).map(|pair| pair[1] - pair[0]);
    assert!(apart.max() < Some(1000), "{shown:?}");
}
