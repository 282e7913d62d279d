//! The ends of a flow of pictures: a camera, and a screen.

#[cfg(test)]
mod tests;

use super::ends::{Capture, Captured, Piece, Render, Rendered};
use crate::rtp::Packet;
use crate::video::stream::{CLOCK, Pair, timestamp};
use crate::video::{self, Frame, Picture, Rate, VideoReceiver, VideoSender};
use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

/// A frame has many packets: so many leave at once, and the next after a pause, so that no queue
/// on the way has to hold a whole frame.
const BURST: usize = 8;
const PAUSE: Duration = Duration::from_millis(1);
/// How long a picture is held back, so that the next is not late.
const DELAY: Duration = Duration::from_millis(60);
/// How often it is looked whether something that is missing has to be given up.
const LOOK: Duration = Duration::from_millis(20);
/// Most pictures that wait to be shown; more of them are a burst after a standstill.
const MOST_WAITING: usize = 32;

/// Pictures that are sent.
pub struct Camera {
    source: Box<dyn video::Source>,
    sender: VideoSender,
    rate: Rate,
    number: u64,
    due: Duration,
    waiting: VecDeque<Piece>,
}

impl fmt::Debug for Camera {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Camera").field("number", &self.number).finish_non_exhaustive()
    }
}

impl Camera {
    /// What a source gives, coded and packed.
    pub fn new(source: Box<dyn video::Source>, pair: Pair) -> Self {
        let (rate, sender) = (source.rate(), VideoSender::new(pair));
        Self { source, sender, rate, number: 0, due: Duration::ZERO, waiting: VecDeque::new() }
    }

    /// Takes the next picture; false if there is none any more.
    fn shoot(&mut self, sending: bool) -> bool {
        let at = self.rate.due(self.number);
        self.number += 1;
        if !sending {
            // Who comes back needs a whole picture.
            self.sender.want_key();
            return true;
        }
        let picture = match self.source.pull() {
            Ok(Some(picture)) => picture,
            Ok(None) => return false,
            Err(why) => {
                tracing::warn!(%why, "the camera failed");
                return false;
            }
        };
        let payloads = self.sender.encode(&picture, at).unwrap_or_else(|why| {
            tracing::warn!(%why, "a picture cannot be sent");
            Vec::new()
        });
        let media_time = timestamp(at);
        self.waiting.extend(payloads.into_iter().map(|one| Piece {
            media_time,
            marker: one.marker,
            is_event: false,
            payload: one.octets.into(),
        }));
        true
    }
}

impl Capture for Camera {
    fn due(&self) -> Duration {
        self.due
    }

    fn capture(&mut self, sending: bool) -> Captured {
        if self.waiting.is_empty() && !self.shoot(sending) {
            return Captured::Over;
        }
        let pieces = self.waiting.drain(..BURST.min(self.waiting.len())).collect();
        self.due = match self.waiting.is_empty() {
            true => self.rate.due(self.number),
            false => self.due + PAUSE,
        };
        Captured::Pieces(pieces)
    }

    fn picture_wanted(&mut self) {
        self.sender.want_key();
    }

    fn bandwidth(&self) -> u32 {
        2000
    }
}

/// Pictures that are shown.
pub struct Screen {
    receiver: VideoReceiver,
    sink: Box<dyn video::Sink>,
    /// Timestamp of a picture, and when it is shown.
    anchor: Option<(u32, Duration)>,
    waiting: VecDeque<(Duration, Picture)>,
    next_look: Option<Duration>,
    shown: u64,
    skipped: u64,
}

impl fmt::Debug for Screen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Screen").field("shown", &self.shown).finish_non_exhaustive()
    }
}

impl Screen {
    /// What a codec unpacks, onto a sink.
    pub fn new(pair: Pair, sink: Box<dyn video::Sink>) -> Self {
        Self {
            receiver: VideoReceiver::new(pair),
            sink,
            anchor: None,
            waiting: VecDeque::new(),
            next_look: None,
            shown: 0,
            skipped: 0,
        }
    }

    /// Gives every picture its time: as far behind the first as its timestamp says.
    fn plan(&mut self, now: Duration, frames: Vec<Frame>) {
        for Frame { timestamp, picture } in frames {
            let (first, at) = *self.anchor.get_or_insert((timestamp, now + DELAY));
            let ticks = timestamp.wrapping_sub(first).cast_signed();
            let micros = u64::from(ticks.unsigned_abs()) * 1_000_000 / u64::from(CLOCK);
            let shift = Duration::from_micros(micros);
            let due = if ticks < 0 { at.saturating_sub(shift) } else { at + shift };
            // Late, or of another clock: what follows is measured from here.
            let due = match due < now || due > now + 10 * DELAY {
                true => {
                    self.anchor = Some((timestamp, now + DELAY));
                    now
                }
                false => due,
            };
            if self.waiting.len() >= MOST_WAITING {
                self.waiting.pop_front();
                self.skipped += 1;
            }
            self.waiting.push_back((due, picture));
        }
    }
}

impl Render for Screen {
    fn insert(&mut self, now: Duration, packet: &Packet) {
        let packet = video::Packet {
            payload: &packet.payload,
            timestamp: packet.timestamp,
            sequence: packet.sequence,
            marker: packet.marker,
        };
        let frames = self.receiver.receive(packet, now);
        self.plan(now, frames);
        self.next_look.get_or_insert(now + LOOK);
    }

    fn due(&self) -> Option<Duration> {
        let picture = self.waiting.front().map(|(due, _)| *due);
        picture.into_iter().chain(self.next_look).min()
    }

    fn render(&mut self, now: Duration) {
        let frames = self.receiver.poll(now);
        self.plan(now, frames);
        while let Some((_, picture)) = self.waiting.pop_front_if(|(due, _)| *due <= now) {
            if let Err(why) = self.sink.push(&picture) {
                tracing::warn!(%why, "the screen failed");
            }
            self.shown += 1;
        }
        if self.next_look.is_some_and(|look| look <= now) {
            self.next_look = (self.receiver.held() > 0).then_some(now + LOOK);
        }
    }

    fn wants_picture(&mut self, now: Duration) -> bool {
        self.receiver.request_key(now)
    }

    fn rendered(&self) -> Rendered {
        let received = self.receiver.received();
        Rendered {
            played: self.shown,
            concealed: received.damaged + received.refused + received.passed_over,
            late: received.late,
            skipped: self.skipped,
            delay: DELAY,
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        if let Err(why) = self.sink.finish() {
            tracing::warn!(%why, "the recording is not complete");
        }
    }
}
