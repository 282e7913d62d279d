//! What to play where a packet is missing (ITU-T G.711 appendix I): the last pitch period again and
//! again, softer and softer, and a short fade back into what comes after.
//!
//! The appendix delays everything by 3.75 ms to fade into the made-up sound as well; here the jump
//! there is levelled out over a quarter of a period instead, and nothing is delayed.

#[cfg(test)]
mod tests;

/// Longest and shortest pitch period, ms.
const PERIODS_MS: (usize, usize) = (15, 5);
/// History kept: two of the longest periods and as much to compare, ms.
const HISTORY_MS: usize = 50;
/// What is compared to find the period, ms.
const COMPARED_MS: usize = 20;
/// Made-up sound is full for so long, ms.
const FULL_MS: usize = 10;
/// And gone after so long, ms.
const GONE_MS: usize = 60;
/// Least fade back, ms.
const FADE_MS: usize = 5;

/// Follows a stream of samples and makes up what is missing in it.
#[derive(Clone, PartialEq, Debug)]
pub struct Concealer {
    /// Samples a millisecond.
    ms: usize,
    history: Vec<i16>,
    /// What is being made up: the period that repeats, and how much of it was used.
    made: Option<Made>,
}

#[derive(Clone, PartialEq, Debug)]
struct Made {
    period: Vec<i16>,
    /// Samples made up so far.
    used: usize,
    /// The jump at the seam, which is levelled out.
    step: f32,
}

impl Concealer {
    /// For a stream of so many samples a second.
    pub fn new(rate: u32) -> Self {
        Self { ms: (rate as usize / 1000).max(1), history: Vec::new(), made: None }
    }

    /// Takes samples that came, before they are played: after a gap their beginning is faded in.
    pub fn good(&mut self, samples: &mut [i16]) {
        if let Some(mut made) = self.made.take() {
            let gap_ms = made.used / self.ms;
            // The longer the gap, the slower (appendix I.2.7): 4 ms more for each 10 ms.
            let fade = self.ms * (FADE_MS + (gap_ms / 10).min(2) * 4);
            let fade = fade.min(samples.len());
            for (index, sample) in samples[..fade].iter_mut().enumerate() {
                let old = f32::from(made.next(self.ms));
                let share = (index + 1) as f32 / (fade + 1) as f32;
                *sample = (old + (f32::from(*sample) - old) * share) as i16;
            }
        }
        self.remember(samples);
    }

    /// Appends so many samples that may have been there.
    pub fn missing(&mut self, count: usize, samples: &mut Vec<i16>) {
        let mut made = self.made.take().unwrap_or_else(|| self.begin());
        samples.extend((0..count).map(|_| made.next(self.ms)));
        self.made = Some(made);
    }

    fn remember(&mut self, samples: &[i16]) {
        self.history.extend_from_slice(samples);
        let most = self.ms * HISTORY_MS;
        if self.history.len() > most {
            self.history.drain(..self.history.len() - most);
        }
    }

    fn begin(&self) -> Made {
        let length = self.period();
        let end = self.history.len();
        if end <= length {
            return Made { period: vec![0], used: 0, step: 0.0 };
        }
        let period = self.history[end - length..].to_vec();
        let step = f32::from(self.history[end - 1]) - f32::from(self.history[end - 1 - length]);
        Made { period, used: 0, step }
    }

    /// The lag at which the last samples are most like those before (appendix I.2.2): first in
    /// steps of an eighth of a millisecond, then exactly.
    fn period(&self) -> usize {
        let (longest, shortest) = (self.ms * PERIODS_MS.0, self.ms * PERIODS_MS.1);
        let compared = self.ms * COMPARED_MS;
        if self.history.len() < longest + compared {
            return longest;
        }
        let stride = (self.ms / 8).max(1);
        let best = |lags: &mut dyn Iterator<Item = usize>, stride: usize| {
            lags.map(|lag| (self.likeness(lag, compared, stride), lag))
                .max_by(|a, b| a.0.total_cmp(&b.0))
                .map_or(longest, |(_, lag)| lag)
        };
        let rough = best(&mut (shortest..=longest).step_by(stride), stride);
        let near = rough.saturating_sub(stride).max(shortest)..=(rough + stride).min(longest);
        best(&mut { near }, 1)
    }

    fn likeness(&self, lag: usize, compared: usize, stride: usize) -> f32 {
        let end = self.history.len();
        let now = &self.history[end - compared..];
        let before = &self.history[end - compared - lag..end - lag];
        let (mut product, mut energy) = (0.0f32, 1.0f32);
        for (x, y) in now.iter().zip(before).step_by(stride) {
            let (x, y) = (f32::from(*x), f32::from(*y));
            product += x * y;
            energy += y * y;
        }
        product / energy.sqrt()
    }
}

impl Made {
    fn next(&mut self, ms: usize) -> i16 {
        let level = (self.period.len() / 4).max(1);
        let left = 1.0 - self.used as f32 / level as f32;
        let step = if left > 0.0 { self.step * left } else { 0.0 };
        let sample = f32::from(self.period[self.used % self.period.len()]) + step;
        let (full, gone) = (ms * FULL_MS, ms * GONE_MS);
        let gain = match self.used {
            used if used < full => 1.0,
            used if used < gone => (gone - used) as f32 / (gone - full) as f32,
            _ => 0.0,
        };
        self.used += 1;
        // `as` keeps within 16 bits.
        (sample * gain) as i16
    }
}
