//! Between a sound card and a flow: each has a clock of its own, and neither waits for the other.
//!
//! Samples stand in a ring. It is left alone until a little is there, so that neither side has to
//! come in time to the sample. If the side that takes is the faster one, the ring is empty some
//! time, and silence is put in; if the other one is, it becomes too full, and what is oldest is
//! left out. Both are counted.

#[cfg(test)]
mod tests;

use rtrb::{Consumer, Producer, RingBuffer};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// So much has to be there before any of it is taken: two ticks.
const BEGIN: Duration = Duration::from_millis(40);
/// So much may be there; what is more is left out down to the beginning. Cards come with up to
/// 100 ms at once.
const MOST: Duration = Duration::from_millis(200);
/// So much fits in.
const ROOM: Duration = Duration::from_millis(400);

/// What had to be made up or left out, in samples.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Slips {
    /// Silence, since nothing was there.
    pub(super) inserted: u64,
    /// Sound, since too much was there.
    pub(super) dropped: u64,
}

#[derive(Debug, Default)]
struct Counters {
    inserted: AtomicU64,
    dropped: AtomicU64,
}

/// Where samples are put in.
#[derive(Debug)]
pub(super) struct Inlet {
    samples: Producer<i16>,
    counters: Arc<Counters>,
}

/// Where they are taken out.
#[derive(Debug)]
pub(super) struct Outlet {
    samples: Consumer<i16>,
    counters: Arc<Counters>,
    flowing: bool,
    begin: usize,
    most: usize,
}

/// A ring for so many samples a second.
pub(super) fn ring(rate: u32) -> (Inlet, Outlet) {
    let samples = |span: Duration| (u64::from(rate) * span.as_millis() as u64 / 1000) as usize;
    let (producer, consumer) = RingBuffer::new(samples(ROOM));
    let counters = Arc::new(Counters::default());
    let outlet = Outlet {
        samples: consumer,
        counters: counters.clone(),
        flowing: false,
        begin: samples(BEGIN),
        most: samples(MOST),
    };
    (Inlet { samples: producer, counters }, outlet)
}

impl Counters {
    fn slips(&self) -> Slips {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Slips { inserted: of(&self.inserted), dropped: of(&self.dropped) }
    }
}

fn count(counter: &AtomicU64, samples: usize) {
    counter.fetch_add(samples as u64, Ordering::Relaxed);
}

impl Inlet {
    /// Puts samples in; what finds no room is lost.
    pub(super) fn push(&mut self, samples: impl IntoIterator<Item = i16>) {
        let lost = samples.into_iter().filter(|sample| self.samples.push(*sample).is_err()).count();
        count(&self.counters.dropped, lost);
    }

    /// What was made up and left out so far.
    pub(super) fn slips(&self) -> Slips {
        self.counters.slips()
    }
}

impl Outlet {
    /// Takes so many samples, and silence for those that are not there.
    pub(super) fn take(&mut self, wanted: usize, mut put: impl FnMut(i16)) {
        let here = self.samples.slots();
        if here > self.most {
            let surplus = here.saturating_sub(self.begin.max(wanted));
            for _ in 0..surplus {
                let _ = self.samples.pop();
            }
            count(&self.counters.dropped, surplus);
        }
        self.flowing |= here >= self.begin.max(wanted);
        let mut missing = 0;
        for _ in 0..wanted {
            let sample = if self.flowing { self.samples.pop().ok() } else { None };
            missing += usize::from(sample.is_none());
            put(sample.unwrap_or_default());
        }
        // Who has run dry waits again until a little is there.
        self.flowing &= missing == 0;
        count(&self.counters.inserted, missing);
    }

    /// What was made up and left out so far.
    pub(super) fn slips(&self) -> Slips {
        self.counters.slips()
    }
}
