//! What moves the media of one user agent: [`Media`] with its devices.

use super::media::Devices;
use super::phone::{Sight, Studio};
use bytes::Bytes;
use presently_engine::agent::StreamKeys;
use presently_engine::body::sdp::Direction;
use presently_net::media::{Begun, Ends, Happening, Id, Knock, Media, Setup, Stream, Stun};
use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use tokio::sync::mpsc::{Receiver, UnboundedReceiver};

/// Opens a port with whatever carries datagrams here.
pub type Opener = Box<dyn FnMut(&mut Media) -> io::Result<u16> + Send>;

/// Draws a random number.
pub type Dice = Box<dyn FnMut() -> u64 + Send>;

/// Media on the devices of a user agent.
pub struct Desk {
    media: Media,
    happenings: UnboundedReceiver<Happening>,
    stun: Receiver<Stun>,
    knocks: Receiver<Knock>,
    devices: Devices,
    open: Opener,
    dice: Dice,
}

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Desk").field("media", &self.media).finish_non_exhaustive()
    }
}

impl Desk {
    /// No port is open yet. Real sockets and the host's random numbers.
    pub fn new(setup: Setup, devices: Devices) -> Self {
        let dice = || getrandom::u64().expect("the host has random numbers");
        Self::with(setup, devices, Box::new(|media| media.open(None)), Box::new(dice))
    }

    /// The same with other sockets and other dice.
    pub fn with(setup: Setup, devices: Devices, open: Opener, dice: Dice) -> Self {
        let Begun { media, happenings, stun, knocks } = Media::begin(setup);
        Self { media, happenings, stun, knocks, devices, open, dice }
    }

    /// The devices of a stream. A direct flow goes one way, and only that way has a device; a call
    /// may change its directions.
    fn ends(&self, id: Id, media: &str, stream: &Stream) -> io::Result<Ends> {
        let direction = match id {
            Id::Call(..) => Direction::SendRecv,
            Id::Direct(_) => stream.direction,
        };
        let Devices { audio_in, audio_out, video_in, video_out } = &self.devices;
        let (source, sink) = match media {
            "video" => (video_in, video_out),
            _ => (audio_in, audio_out),
        };
        let (source, sink) = (source.name(), sink.name());
        let (source, sink) =
            (direction.sends().then_some(&*source), direction.receives().then_some(&*sink));
        let codec = &stream.codec;
        match media {
            "video" => Ends::video(&codec.rtpmap, codec.fmtp.as_deref(), source, sink),
            _ => Ends::audio(&codec.rtpmap, source, sink),
        }
    }
}

impl Studio for Desk {
    fn open(&mut self) -> io::Result<u16> {
        (self.open)(&mut self.media)
    }

    fn close(&mut self, port: u16) {
        tokio::spawn(self.media.close(port));
    }

    fn start(&mut self, id: Id, media: &str, stream: Stream) -> io::Result<()> {
        let ends = self.ends(id, media, &stream)?;
        self.media.start(id, stream, ends)
    }

    fn change(&mut self, id: Id, stream: Stream) {
        self.media.change(id, stream);
    }

    fn stop(&mut self, id: Id, bye: bool) {
        self.media.stop(id, bye);
    }

    fn dial(&mut self, id: Id, keys: &str) {
        self.media.dial(id, keys);
    }

    fn send(&mut self, port: u16, to: SocketAddr, bytes: Bytes) {
        self.media.send(port, to, bytes);
    }

    fn welcome(&mut self, port: u16, from: BTreeSet<IpAddr>) {
        self.media.welcome(port, from);
    }

    fn bye(&mut self, port: u16, to: SocketAddr, ssrc: u32, keys: Option<StreamKeys>) {
        self.media.bye(port, to, ssrc, keys);
    }

    fn key(&mut self) -> [u8; 30] {
        let mut key = [0; 30];
        for part in key.chunks_mut(8) {
            part.copy_from_slice(&(self.dice)().to_be_bytes()[..part.len()]);
        }
        key
    }

    async fn sight(&mut self) -> Sight {
        tokio::select! {
            biased;
            Some(happening) = self.happenings.recv() => Sight::Stream(happening),
            Some(knock) = self.knocks.recv() => Sight::Knock(knock),
            Some(stun) = self.stun.recv() => Sight::Stun(stun),
            else => std::future::pending().await,
        }
    }

    async fn finish(&mut self) {
        self.media.finish().await;
    }
}
