//! The jitter buffer: packets come unevenly, in any order, twice or not at all; frames leave
//! evenly.
//!
//! A moment of the media is played when nearly every packet would have come: the delay follows
//! what the last few seconds measured. When a packet is missing the buffer says
//! [`Playout::Conceal`]. If nothing else waits either, the packet may only be late: time stands
//! still for a frame and the delay grows. A delay that has become too long is given back where a
//! frame is lost anyway, or one frame a second.
//!
//! Timestamps decide, not sequence numbers, so packets may be of any length.

#[cfg(test)]
mod tests;

use super::{time, units};
use bytes::Bytes;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// Arrivals that are remembered: five seconds of 20 ms.
const WINDOW: usize = 250;
/// Of so many in a hundred arrivals is waited for.
const PATIENCE: usize = 97;
/// Most packets that wait.
const MOST: usize = 256;
/// Frames after which there is nothing left to conceal with.
const CONCEALED: u32 = 5;
/// A packet that is this far from its time is of another timeline.
const STRANGE: Duration = Duration::from_secs(2);
/// Packets of another timeline in a row that make it the timeline.
const STRANGERS: u32 = 3;
/// Pulls for which a delay is too long before it is given back.
const TOO_LONG: u32 = 50;

/// What happened to a packet that was put in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Placed {
    /// It will be played.
    Kept,
    /// Its moment is over.
    Late,
    /// It waits here already.
    Duplicate,
    /// Too many wait.
    Full,
    /// It is of another timeline.
    Strange,
}

/// What to play.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Playout {
    /// Nothing has begun.
    Wait,
    /// This payload.
    Frame(Bytes),
    /// What may have been there: a frame is missing.
    Conceal,
    /// Nothing has come for so long that nothing can be made up.
    Silence,
}

/// What a buffer has seen.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Counts {
    /// Frames given out.
    pub played: u64,
    /// Frames that were missing.
    pub concealed: u64,
    /// Packets that came too late.
    pub late: u64,
    /// Frames that were left out to shorten the delay.
    pub skipped: u64,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Waiting {
    payload: Bytes,
    duration: i64,
}

/// A jitter buffer. See the module.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct JitterBuffer {
    clock_rate: u32,
    /// Units of one frame played.
    frame: i64,
    /// Least delay in units.
    least: i64,
    packets: BTreeMap<i64, Waiting>,
    /// Timestamp of what is played next.
    position: Option<i64>,
    /// Timestamp of the last arrival, without wraps.
    last: Option<i64>,
    /// Arrival less timestamp of the last packets.
    transits: VecDeque<i64>,
    /// The smallest of them, and the one of which few are above.
    fastest: i64,
    slow: i64,
    inserted: usize,
    missing: u32,
    strangers: u32,
    too_long: u32,
    counts: Counts,
}

impl JitterBuffer {
    /// A buffer of media with this clock, which is asked for `frame` at a time and holds every
    /// packet back for at least `least`.
    pub fn new(clock_rate: u32, frame: Duration, least: Duration) -> Self {
        Self {
            clock_rate,
            frame: units(frame, clock_rate).max(1),
            least: units(least, clock_rate),
            packets: BTreeMap::new(),
            position: None,
            last: None,
            transits: VecDeque::new(),
            fastest: 0,
            slow: 0,
            inserted: 0,
            missing: 0,
            strangers: 0,
            too_long: 0,
            counts: Counts::default(),
        }
    }

    /// What was seen so far.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// How long a packet that came at once is held back.
    pub fn delay(&self) -> Duration {
        time(u64::try_from(self.due() - self.fastest).unwrap_or(0), self.clock_rate)
    }

    /// Arrival less timestamp that is waited for.
    fn due(&self) -> i64 {
        self.slow.max(self.fastest + self.least)
    }

    /// Puts a packet in that lasts `duration` units.
    pub fn insert(
        &mut self,
        now: Duration,
        timestamp: u32,
        duration: u32,
        payload: Bytes,
    ) -> Placed {
        let at = match self.last {
            Some(last) => last + i64::from(timestamp.wrapping_sub(last as u32) as i32),
            None => i64::from(timestamp),
        };
        let transit = units(now, self.clock_rate) - at;
        if self.is_strange(transit) {
            self.strangers += 1;
            if self.strangers < STRANGERS {
                return Placed::Strange;
            }
            self.restart();
        }
        self.strangers = 0;
        self.last = Some(at);
        self.measure(transit);
        let duration = i64::from(duration.max(1));
        if self.position.is_some_and(|position| at + duration / 2 < position) {
            self.counts.late += 1;
            return Placed::Late;
        }
        if self.packets.contains_key(&at) {
            return Placed::Duplicate;
        }
        if self.packets.len() >= MOST {
            return Placed::Full;
        }
        self.packets.insert(at, Waiting { payload, duration });
        Placed::Kept
    }

    fn is_strange(&self, transit: i64) -> bool {
        let bound = units(STRANGE, self.clock_rate);
        !self.transits.is_empty() && (transit - self.fastest).abs() > bound
    }

    /// Forgets the timeline.
    fn restart(&mut self) {
        self.packets.clear();
        self.transits.clear();
        self.position = None;
        self.inserted = 0;
    }

    fn measure(&mut self, transit: i64) {
        if self.transits.len() == WINDOW {
            self.transits.pop_front();
        }
        self.transits.push_back(transit);
        self.inserted += 1;
        // A packet that is slower than all is learnt from at once, an even stream now and then.
        if self.inserted > 32 && !self.inserted.is_multiple_of(8) && transit <= self.due() {
            self.fastest = self.fastest.min(transit);
            return;
        }
        let mut sorted: Vec<i64> = self.transits.iter().copied().collect();
        let rank = (sorted.len() * PATIENCE / 100).min(sorted.len() - 1);
        let (lower, slow, _) = sorted.select_nth_unstable(rank);
        self.slow = *slow;
        self.fastest = lower.iter().copied().min().unwrap_or(*slow).min(*slow);
    }

    /// What to play now. To be asked each time a frame is over.
    pub fn pull(&mut self, now: Duration) -> Playout {
        let now = units(now, self.clock_rate);
        let first = self.packets.keys().next().copied();
        let position = match (self.position, first) {
            (Some(position), _) => position,
            (None, Some(first)) if now - first >= self.due() => first,
            (None, _) => return Playout::Wait,
        };
        self.position = Some(position);
        self.shorten(now);
        let position = self.position.unwrap_or(position);
        // How much later than necessary this moment is played.
        let lag = now - position - self.due();
        let Some((at, _)) = self.packets.first_key_value() else {
            return self.conceal(position);
        };
        if *at > position + self.frame / 2 {
            // Lost, for a later one is here.
            return self.conceal((position + self.frame).min(*at));
        }
        if lag <= -self.frame {
            // Too early: those that come in time for the new delay would come too late.
            return self.conceal(position);
        }
        let Some((at, packet)) = self.packets.pop_first() else { return Playout::Silence };
        self.position = Some(at + packet.duration);
        self.missing = 0;
        self.counts.played += 1;
        Playout::Frame(packet.payload)
    }

    /// Gives delay back: at once what lies before the next packet, a frame a second otherwise.
    fn shorten(&mut self, now: i64) {
        let (Some(mut position), Some(first)) = (self.position, self.packets.keys().next()) else {
            return;
        };
        let mut lag = now - position - self.due();
        let gap = (*first - position).min(lag);
        if gap >= self.frame {
            let whole = gap / self.frame * self.frame;
            position += whole;
            lag -= whole;
        }
        self.position = Some(position);
        if lag < 2 * self.frame {
            self.too_long = 0;
            return;
        }
        self.too_long += 1;
        let far = lag > units(STRANGE, self.clock_rate) / 4;
        if (self.too_long >= TOO_LONG || far)
            && let Some((at, packet)) = self.packets.pop_first()
        {
            self.too_long = 0;
            self.counts.skipped += 1;
            self.position = Some(position.max(at + packet.duration));
        }
    }

    fn conceal(&mut self, next: i64) -> Playout {
        self.position = Some(next);
        self.missing += 1;
        if self.missing > CONCEALED {
            return Playout::Silence;
        }
        self.counts.concealed += 1;
        Playout::Conceal
    }
}
