//! Keys of a telephone as events in RTP (RFC 4733 §2.3, §2.5): `telephone-event/8000`.
//!
//! [`Dial`] sends: a packet every tick with the same timestamp and a growing duration, and the last
//! one three times. [`Keys`] hears: each key once, however many of its packets come, in whatever
//! order.

#[cfg(test)]
mod tests;

use super::Malformed;
use bytes::Bytes;
use std::collections::VecDeque;

/// Keys by their event codes (RFC 4733 §3.2).
const KEYS: &[u8] = b"0123456789*#ABCD";
/// Ticks of a key pressed, of 20 ms each.
const PRESSED: u16 = 5;
/// Times the end of a key is said.
const ENDS: u16 = 3;
/// Ticks between two keys, after the last end.
const PAUSE: u16 = 2;
/// −10 dBm0.
const VOLUME: u8 = 10;

/// One packet of an event.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Event {
    /// Code of the event.
    pub event: u8,
    /// Whether it is over.
    pub end: bool,
    /// Power below 0 dBm0, 0 to 63.
    pub volume: u8,
    /// So far, in units of timestamps.
    pub duration: u16,
}

impl Event {
    /// Reads a payload.
    ///
    /// # Errors
    /// It is shorter than an event.
    pub fn parse(payload: &[u8]) -> Result<Self, Malformed> {
        let [event, flags, high, low] = *payload.first_chunk::<4>().ok_or(Malformed)?;
        Ok(Self {
            event,
            end: flags & 0x80 != 0,
            volume: flags & 0x3f,
            duration: u16::from_be_bytes([high, low]),
        })
    }

    /// Its payload.
    pub fn payload(&self) -> Bytes {
        let [high, low] = self.duration.to_be_bytes();
        let flags = if self.end { 0x80 } else { 0 } | self.volume & 0x3f;
        Bytes::copy_from_slice(&[self.event, flags, high, low])
    }

    /// The key, if it is one.
    pub fn key(&self) -> Option<char> {
        KEYS.get(usize::from(self.event)).map(|key| char::from(*key))
    }
}

/// Keys that are to be sent.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Dial {
    waiting: VecDeque<u8>,
    /// Event, media time of its beginning, ticks since.
    pressed: Option<(u8, u32, u16)>,
}

impl Dial {
    /// Adds keys: digits, `*`, `#`, `A` to `D`. Anything else, blanks for example, is left out.
    pub fn press(&mut self, keys: &str) {
        let codes = keys
            .bytes()
            .filter_map(|key| KEYS.iter().position(|known| *known == key.to_ascii_uppercase()));
        self.waiting.extend(codes.map(|code| code as u8));
    }

    /// Whether a tick has something to send. Sound is not sent then.
    pub fn is_busy(&self) -> bool {
        self.pressed.is_some() || !self.waiting.is_empty()
    }

    /// What to send in this tick of `units`, at `media_time`: the time of the event's beginning,
    /// whether it is the first packet of it, and the payload.
    pub fn tick(&mut self, media_time: u32, units: u16) -> Option<(u32, bool, Bytes)> {
        if self.pressed.is_none() {
            self.pressed = self.waiting.pop_front().map(|event| (event, media_time, 0));
        }
        let (event, begin, ticks) = self.pressed.as_mut()?;
        *ticks += 1;
        let (event, begin, ticks) = (*event, *begin, *ticks);
        if ticks >= PRESSED + ENDS - 1 + PAUSE {
            self.pressed = None;
        }
        if ticks > PRESSED + ENDS - 1 {
            return None;
        }
        let duration = ticks.min(PRESSED).saturating_mul(units);
        let event = Event { event, end: ticks >= PRESSED, volume: VOLUME, duration };
        Some((begin, ticks == 1, event.payload()))
    }
}

/// Keys that the other side presses.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Keys {
    /// Timestamp of the event heard last.
    last: Option<u32>,
}

impl Keys {
    /// Takes an event's packet; the key, if it was not heard before.
    pub fn receive(&mut self, timestamp: u32, payload: &[u8]) -> Option<char> {
        let event = Event::parse(payload).ok()?;
        // All packets of a key have its timestamp; older ones are late (RFC 4733 §2.5.1.2).
        let new = self.last.is_none_or(|last| (timestamp.wrapping_sub(last) as i32) > 0);
        if !new {
            return None;
        }
        self.last = Some(timestamp);
        event.key()
    }
}
