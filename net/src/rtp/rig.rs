//! What tests of media share: dice, and a link that loses, delays, doubles and reorders.

use std::time::Duration;

/// Numbers that are a function of their seed (splitmix64).
#[derive(Clone, Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn throw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.throw() % bound
    }

    pub(crate) fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

/// One way of a network: what is put in comes out later, or not.
#[derive(Clone, Debug)]
pub(crate) struct Link<T> {
    pub(crate) dice: Dice,
    pub(crate) delay: Duration,
    /// Up to so much more, evenly.
    pub(crate) jitter: Duration,
    pub(crate) loss: u64,
    pub(crate) twice: u64,
    on_the_way: Vec<(Duration, T)>,
}

impl<T: Clone> Link<T> {
    pub(crate) fn new(seed: u64) -> Self {
        let dice = Dice::new(seed);
        let delay = Duration::from_millis(20);
        Self { dice, delay, jitter: Duration::ZERO, loss: 0, twice: 0, on_the_way: Vec::new() }
    }

    pub(crate) fn put(&mut self, now: Duration, what: T) {
        if self.dice.chance(self.loss) {
            return;
        }
        for _ in 0..=u8::from(self.dice.chance(self.twice)) {
            let most = self.jitter.as_micros() as u64 + 1;
            let jitter = Duration::from_micros(self.dice.below(most));
            self.on_the_way.push((now + self.delay + jitter, what.clone()));
        }
    }

    /// What has arrived by now, in the order of its arrival.
    pub(crate) fn take(&mut self, now: Duration) -> Vec<(Duration, T)> {
        let (mut here, away) = self.on_the_way.drain(..).partition(|(at, _)| *at <= now);
        self.on_the_way = away;
        let here: &mut Vec<(Duration, T)> = &mut here;
        here.sort_by_key(|(at, _)| *at);
        std::mem::take(here)
    }
}
