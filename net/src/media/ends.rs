//! The ends of a flow: what is captured here to be sent, and where what comes is rendered.
//!
//! Both are asked when they say they are due, by the clock and never because a packet came.

use super::pictures::{Camera, Screen};
use crate::audio::{self, Codec, Played, Player, Recorder, TICK};
use crate::rtp::Packet;
use crate::rtp::dtmf::Dial;
use crate::video::{self, Rate};
use bytes::Bytes;
use std::fmt;
use std::time::Duration;

/// A payload to send.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Piece {
    /// Units of timestamps since the flow began.
    pub media_time: u32,
    /// The marker bit.
    pub marker: bool,
    /// A telephone event instead of media.
    pub is_event: bool,
    /// The payload.
    pub payload: Bytes,
}

/// What a capture gave.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Captured {
    /// Payloads to send now; perhaps none.
    Pieces(Vec<Piece>),
    /// There is nothing any more.
    Over,
}

/// Where media comes from.
pub trait Capture: Send {
    /// When it is to be asked next, after the flow began.
    fn due(&self) -> Duration;

    /// What is due. While nothing is to be sent (hold), time passes and nothing is captured.
    fn capture(&mut self, sending: bool) -> Captured;

    /// Presses keys of a telephone.
    fn dial(&mut self, _keys: &str) {}

    /// The other side needs a whole picture.
    fn picture_wanted(&mut self) {}

    /// The other side would like packets of so much sound (RFC 8866 §6.4, `a=ptime`).
    fn frame_wanted(&mut self, _frame: Duration) {}

    /// Kilobits a second, with headers.
    fn bandwidth(&self) -> u32;
}

/// What became of what came.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Rendered {
    /// Frames or pictures that came and were played.
    pub played: u64,
    /// Frames that were made up, or pictures that were lost.
    pub concealed: u64,
    /// Packets that came after their time.
    pub late: u64,
    /// Frames left out to shorten the delay.
    pub skipped: u64,
    /// How long what comes is held back.
    pub delay: Duration,
}

/// Where media goes to.
pub trait Render: Send {
    /// Takes a packet that is believed.
    fn insert(&mut self, now: Duration, packet: &Packet);

    /// When it is to be asked next; nothing is before the first packet.
    fn due(&self) -> Option<Duration>;

    /// Plays what is due.
    fn render(&mut self, now: Duration);

    /// Whether a whole picture has to be asked for; says yes once for each time it should be.
    fn wants_picture(&mut self, _now: Duration) -> bool {
        false
    }

    /// What was done so far.
    fn rendered(&self) -> Rendered;
}

/// The two ends of a flow on our side. Without a capture nothing is sent, without a render nothing
/// is played; receiving never opens a capture (X12), for whoever starts a flow gives it both.
#[derive(Default)]
pub struct Ends {
    /// What is sent.
    pub capture: Option<Box<dyn Capture>>,
    /// What plays.
    pub render: Option<Box<dyn Render>>,
}

impl fmt::Debug for Ends {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ends")
            .field("captures", &self.capture.is_some())
            .field("renders", &self.render.is_some())
            .finish()
    }
}

impl Ends {
    /// Sound, with devices by name (see [`audio::device`]); no name, no such end.
    ///
    /// # Errors
    /// One line for a person: no such codec, or a device that does not open.
    pub fn audio(rtpmap: &str, source: Option<&str>, sink: Option<&str>) -> std::io::Result<Self> {
        let codec = || {
            let why = || std::io::Error::other(format!("no codec for {rtpmap}"));
            audio::codec(rtpmap).ok_or_else(why)
        };
        let capture = match source {
            Some(name) => Some(Box::new(Voice::new(audio::device::source(name)?, codec()?)) as _),
            None => None,
        };
        let render = match sink {
            Some(name) => {
                let codec = codec()?;
                let sink = audio::device::sink(name, codec.rate())?;
                Some(Box::new(Ear::new(codec, sink)) as _)
            }
            None => None,
        };
        Ok(Self { capture, render })
    }

    /// Pictures, with devices by name (see [`video::device`]); no name, no such end.
    ///
    /// # Errors
    /// One line for a person: no such codec, or a device that does not open.
    pub fn video(
        rtpmap: &str,
        fmtp: Option<&str>,
        source: Option<&str>,
        sink: Option<&str>,
    ) -> std::io::Result<Self> {
        let codec =
            || video::stream::codec(rtpmap, fmtp).map_err(|why| other(&format!("codec: {why}")));
        let capture = match source {
            Some(name) => {
                let source = video::source(name).map_err(|why| other(&why))?;
                Some(Box::new(Camera::new(source, codec()?)) as _)
            }
            None => None,
        };
        let render = match sink {
            Some(name) => {
                let sink = video::sink(name, Rate::default()).map_err(|why| other(&why))?;
                Some(Box::new(Screen::new(codec()?, sink)) as _)
            }
            None => None,
        };
        Ok(Self { capture, render })
    }
}

fn other(why: &dyn fmt::Display) -> std::io::Error {
    std::io::Error::other(why.to_string())
}

/// A sound that is sent.
#[derive(Debug)]
pub struct Voice {
    recorder: Recorder,
    dial: Dial,
    due: Duration,
    /// The timestamp that belongs to it.
    media_time: u32,
}

impl Voice {
    /// What a source gives, packed by a codec.
    pub fn new(source: Box<dyn audio::Source>, codec: Box<dyn Codec>) -> Self {
        let recorder = Recorder::new(source, codec);
        Self { recorder, dial: Dial::default(), due: Duration::ZERO, media_time: 0 }
    }
}

impl Capture for Voice {
    fn due(&self) -> Duration {
        self.due
    }

    fn capture(&mut self, sending: bool) -> Captured {
        let (media_time, duration) = (self.media_time, self.recorder.duration());
        self.due += self.recorder.frame();
        self.media_time = media_time.wrapping_add(duration);
        if self.dial.is_busy() && sending {
            self.recorder.pause();
            let sent = self.dial.tick(media_time, duration as u16);
            let piece = sent.map(|(media_time, marker, payload)| Piece {
                media_time,
                marker,
                is_event: true,
                payload,
            });
            return Captured::Pieces(piece.into_iter().collect());
        }
        if !sending {
            self.recorder.pause();
            return Captured::Pieces(Vec::new());
        }
        match self.recorder.record() {
            Some(one) => Captured::Pieces(vec![Piece {
                media_time: one.media_time,
                marker: one.marker,
                is_event: false,
                payload: one.payload,
            }]),
            None => Captured::Over,
        }
    }

    fn dial(&mut self, keys: &str) {
        self.dial.press(keys);
    }

    fn frame_wanted(&mut self, frame: Duration) {
        self.recorder.set_frame(frame);
    }

    fn bandwidth(&self) -> u32 {
        80
    }
}

/// A sound that is heard.
pub struct Ear {
    player: Player,
    sink: Box<dyn audio::Sink>,
    due: Option<Duration>,
    samples: Vec<i16>,
}

impl fmt::Debug for Ear {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ear").field("player", &self.player).finish_non_exhaustive()
    }
}

impl Ear {
    /// What a codec unpacks, into a sink.
    pub fn new(codec: Box<dyn Codec>, sink: Box<dyn audio::Sink>) -> Self {
        let player = Player::new(codec, sink.rate());
        Self { player, sink, due: None, samples: Vec::new() }
    }
}

impl Render for Ear {
    fn insert(&mut self, now: Duration, packet: &Packet) {
        self.player.insert(now, packet);
        // The first tick is where the first packet is due; from then on the clock decides.
        self.due.get_or_insert(now + TICK);
    }

    fn due(&self) -> Option<Duration> {
        self.due
    }

    fn render(&mut self, now: Duration) {
        self.samples.clear();
        if self.player.play(now, &mut self.samples) != Played::Nothing {
            self.sink.push(&self.samples);
        }
        self.due = Some(now + TICK);
    }

    fn rendered(&self) -> Rendered {
        let counts = self.player.counts();
        Rendered {
            played: counts.played,
            concealed: counts.concealed,
            late: counts.late,
            skipped: counts.skipped,
            delay: self.player.delay(),
        }
    }
}
