//! What tests of sound share: something to say, and how much two sounds are alike.

use super::{Source, tick_samples};
use crate::rtp::rig::Dice;
use std::collections::VecDeque;
use std::f64::consts::TAU;

/// A sound as a source.
pub(crate) struct Said(u32, VecDeque<i16>);

impl Said {
    pub(crate) fn new(rate: u32, samples: &[i16]) -> Self {
        Self(rate, samples.to_vec().into())
    }
}

impl Source for Said {
    fn rate(&self) -> u32 {
        self.0
    }

    fn pull(&mut self, samples: &mut Vec<i16>) -> bool {
        let tick = tick_samples(self.0).min(self.1.len());
        samples.extend(self.1.drain(..tick));
        tick > 0
    }
}

/// Something like speech: voiced with a pitch that moves, three formants, syllables.
pub(crate) fn melody(rate: u32, seconds: u32) -> Vec<i16> {
    let mut phase = 0.0;
    let mut dice = Dice::new(9);
    (0..rate * seconds)
        .map(|index| {
            let t = f64::from(index) / f64::from(rate);
            phase += TAU * (140.0 + 30.0 * (TAU * 0.7 * t).sin()) / f64::from(rate);
            let voice = (1..8).map(|n| (f64::from(n) * phase).sin() / f64::from(n)).sum::<f64>();
            let syllable = 0.65 + 0.35 * (TAU * 3.0 * t).sin();
            let noise = dice.below(200) as f64 - 100.0;
            (voice * syllable * 6000.0 + noise) as i16
        })
        .collect()
}

/// The greatest normalized correlation of two sounds, and how much later the second is.
pub(crate) fn correlation(said: &[i16], heard: &[i16], most: usize) -> (f64, usize) {
    let at = |delay: usize| {
        let pairs = said.iter().zip(heard.get(delay..).unwrap_or_default());
        let (mut xy, mut xx, mut yy) = (0.0, 0.0, 0.0);
        for (x, y) in pairs {
            let (x, y) = (f64::from(*x), f64::from(*y));
            (xy, xx, yy) = (xy + x * y, xx + x * x, yy + y * y);
        }
        if xx * yy == 0.0 { 0.0 } else { xy / (xx * yy).sqrt() }
    };
    (0..=most)
        .map(|delay| (at(delay), delay))
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .expect("a delay of nothing at least")
}

/// Root of the mean square.
pub(crate) fn loudness(samples: &[i16]) -> f64 {
    let sum: f64 = samples.iter().map(|sample| f64::from(*sample).powi(2)).sum();
    (sum / samples.len().max(1) as f64).sqrt()
}

/// The longest stretch that is near silence, in milliseconds.
pub(crate) fn longest_gap(samples: &[i16], rate: u32) -> u32 {
    let step = rate as usize / 200;
    let mut longest = 0;
    let mut run = 0;
    for piece in samples.chunks(step) {
        run = if loudness(piece) < 150.0 { run + 5 } else { 0 };
        longest = longest.max(run);
    }
    longest
}
