//! From one rate of samples to another: a windowed sinc in as many phases as the ratio has.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::f64::consts::PI;

/// Zero crossings of the filter on either side.
const CROSSINGS: usize = 12;

/// A stream of samples on its way from one rate to another.
#[derive(Clone, PartialEq, Debug)]
pub struct Resampler {
    /// Reduced ratio: `up` samples out for `down` samples in.
    up: usize,
    down: usize,
    /// Filters, one for each phase; empty if nothing is to be done.
    phases: Vec<Vec<f32>>,
    phase: usize,
    window: VecDeque<f32>,
}

impl Resampler {
    /// From so many samples a second to so many.
    pub fn new(from: u32, to: u32) -> Self {
        let common = gcd(from.max(1), to.max(1));
        let (up, down) = ((to.max(1) / common) as usize, (from.max(1) / common) as usize);
        if up == down {
            return Self { up, down, phases: Vec::new(), phase: 0, window: VecDeque::new() };
        }
        // Nothing above half of the lower rate may pass.
        let cutoff = (up as f64 / down as f64).min(1.0) * 0.92;
        let half = (CROSSINGS as f64 / cutoff).ceil() as usize;
        let phases = (0..up).map(|phase| filter(phase as f64 / up as f64, half, cutoff)).collect();
        // Full from the beginning: each block in gives its block out.
        let window = vec![0.0; 2 * half - 1].into();
        Self { up, down, phases, phase: 0, window }
    }

    /// Takes samples and appends what they become.
    pub fn push(&mut self, samples: &[i16], out: &mut Vec<i16>) {
        if self.phases.is_empty() {
            out.extend_from_slice(samples);
            return;
        }
        for sample in samples {
            self.window.push_back(f32::from(*sample));
            while self.phase < self.up {
                let filter = &self.phases[self.phase];
                let sum: f32 = self.window.iter().zip(filter).map(|(x, h)| x * h).sum();
                out.push(sum.round() as i16);
                self.phase += self.down;
            }
            self.phase -= self.up;
            self.window.pop_front();
        }
    }
}

/// The taps for a sample that lies `offset` after the one in the middle.
fn filter(offset: f64, half: usize, cutoff: f64) -> Vec<f32> {
    let taps = (0..2 * half).map(|index| {
        let x = index as f64 - (half as f64 - 1.0) - offset;
        let window = 0.5 + 0.5 * (PI * x / half as f64).cos();
        let sinc = if x == 0.0 { 1.0 } else { (PI * cutoff * x).sin() / (PI * cutoff * x) };
        cutoff * sinc * window
    });
    let taps: Vec<f64> = taps.collect();
    let sum: f64 = taps.iter().sum();
    taps.into_iter().map(|tap| (tap / sum) as f32).collect()
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}
