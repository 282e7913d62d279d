//! The ends of a flow of pictures: an eye that captures, a screen that shows.
//!
//! Pictures leave when the clock says so, and are shown as far apart as they were captured: one
//! that comes early waits for its time. One that comes late is shown at once, and those after it
//! wait as long, a little less each time.

#[cfg(test)]
mod tests;

use super::ends::{Capture, Captured, Ends, Piece, Render, Rendered};
use crate::rtp;
use crate::video::{self, Frame, Rate, VideoReceiver, VideoSender, stream};
use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::time::Duration;

/// Kilobits a second of pictures, for the pace of reports.
const BANDWIDTH: u32 = 2000;
/// How often holes are looked at.
const LOOK: Duration = Duration::from_millis(20);
/// A picture that would have to wait for longer is of another timeline.
const LONGEST_WAIT: Duration = Duration::from_millis(500);
/// The part of a wait that is given back with each picture.
const GIVEN_BACK: u32 = 32;
/// Most pictures that wait.
const MOST: usize = 64;

impl Ends {
    /// Pictures, with devices by name (see [`video::device`]); no name, no such end.
    ///
    /// # Errors
    /// One line for a person: no such codec, or a device that does not open.
    pub fn video(
        rtpmap: &str,
        fmtp: Option<&str>,
        source: Option<&str>,
        sink: Option<&str>,
    ) -> io::Result<Self> {
        let codec = || {
            let why = |fault| io::Error::other(format!("no codec for {rtpmap}: {fault}"));
            stream::codec(rtpmap, fmtp).map_err(why)
        };
        let capture = match source {
            Some(name) => {
                let source = video::source(name).map_err(io::Error::other)?;
                Some(Box::new(Eye::new(source, VideoSender::new(codec()?))) as _)
            }
            None => None,
        };
        let render = match sink {
            Some(name) => {
                let sink = video::sink(name, Rate::default()).map_err(io::Error::other)?;
                Some(Box::new(Screen::new(sink, VideoReceiver::new(codec()?))) as _)
            }
            None => None,
        };
        Ok(Self { capture, render })
    }
}

/// Pictures that are sent.
pub struct Eye {
    source: Box<dyn video::Source>,
    sender: VideoSender,
    pictures: u64,
}

impl fmt::Debug for Eye {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Eye").field("pictures", &self.pictures).finish_non_exhaustive()
    }
}

impl Eye {
    /// What a source gives, coded and packed.
    pub fn new(source: Box<dyn video::Source>, sender: VideoSender) -> Self {
        Self { source, sender, pictures: 0 }
    }
}

impl Capture for Eye {
    fn due(&self) -> Duration {
        self.source.rate().due(self.pictures)
    }

    fn capture(&mut self, sending: bool) -> Captured {
        let at = self.due();
        self.pictures += 1;
        if !sending {
            // Who comes back needs a whole picture.
            self.sender.want_key();
            return Captured::Pieces(Vec::new());
        }
        let Ok(Some(picture)) = self.source.pull() else { return Captured::Over };
        // A picture that cannot be coded is left out; the next one may do.
        let payloads = self.sender.encode(&picture, at).unwrap_or_default();
        let media_time = stream::timestamp(at);
        let piece = |payload: stream::Payload| Piece {
            media_time,
            marker: payload.marker,
            is_event: false,
            payload: payload.octets.into(),
        };
        Captured::Pieces(payloads.into_iter().map(piece).collect())
    }

    fn picture_wanted(&mut self) {
        self.sender.want_key();
    }

    fn bandwidth(&self) -> u32 {
        BANDWIDTH
    }
}

/// Pictures that are shown.
pub struct Screen {
    sink: Box<dyn video::Sink>,
    receiver: VideoReceiver,
    waiting: VecDeque<(Duration, Frame)>,
    pace: Option<Pace>,
    look: Option<Duration>,
    shown: u64,
}

impl fmt::Debug for Screen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Screen").field("shown", &self.shown).finish_non_exhaustive()
    }
}

/// When a picture is shown: this long after the first one was captured.
#[derive(Clone, Copy, Debug)]
struct Pace {
    /// Timestamp of the picture before.
    timestamp: u32,
    /// When that one was due.
    due: Duration,
}

impl Pace {
    /// When a picture that is whole now is due.
    fn next(self, now: Duration, timestamp: u32) -> Duration {
        let since = timestamp.wrapping_sub(self.timestamp);
        let due = self.due + rtp::time(since.into(), stream::CLOCK);
        match due.checked_sub(now) {
            Some(early) if early < LONGEST_WAIT => due - early / GIVEN_BACK,
            Some(_) | None => now,
        }
    }
}

impl Screen {
    /// What is received, to a sink.
    pub fn new(sink: Box<dyn video::Sink>, receiver: VideoReceiver) -> Self {
        let waiting = VecDeque::new();
        Self { sink, receiver, waiting, pace: None, look: None, shown: 0 }
    }

    fn queue(&mut self, now: Duration, frames: Vec<Frame>) {
        for frame in frames {
            let timestamp = frame.timestamp;
            let due = self.pace.map_or(now, |pace| pace.next(now, timestamp));
            self.pace = Some(Pace { timestamp, due });
            self.waiting.push_back((due, frame));
            if self.waiting.len() > MOST {
                self.waiting.pop_front();
            }
        }
    }
}

impl Render for Screen {
    fn insert(&mut self, now: Duration, packet: &rtp::Packet) {
        let packet = video::Packet {
            payload: &packet.payload,
            timestamp: packet.timestamp,
            sequence: packet.sequence,
            marker: packet.marker,
        };
        let frames = self.receiver.receive(packet, now);
        self.queue(now, frames);
        self.look.get_or_insert(now + LOOK);
    }

    fn due(&self) -> Option<Duration> {
        let picture = self.waiting.front().map(|(due, _)| *due);
        picture.into_iter().chain(self.look).min()
    }

    fn render(&mut self, now: Duration) {
        if self.look.is_some_and(|look| look <= now) {
            self.look = Some(now + LOOK);
            let frames = self.receiver.poll(now);
            self.queue(now, frames);
        }
        while let Some((_, frame)) = self.waiting.pop_front_if(|(due, _)| *due <= now) {
            // A full disk must not end a call.
            let _ = self.sink.push(&frame.picture);
            self.shown += 1;
        }
    }

    fn wants_picture(&mut self, now: Duration) -> bool {
        self.receiver.request_key(now)
    }

    fn rendered(&self) -> Rendered {
        let received = self.receiver.received();
        let waited = self.waiting.front().zip(self.waiting.back());
        Rendered {
            played: self.shown,
            concealed: received.damaged,
            late: received.late,
            skipped: received.passed_over,
            delay: waited.map(|(first, last)| last.0.saturating_sub(first.0)).unwrap_or_default(),
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // Nobody is left who could be told.
        let _ = self.sink.finish();
    }
}
