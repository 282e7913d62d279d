use super::*;
use crate::audio::rig::loudness;
use std::f64::consts::TAU;

fn sine(rate: u32, hertz: f64) -> Vec<i16> {
    let step = TAU * hertz / f64::from(rate);
    (0..rate).map(|index| ((f64::from(index) * step).sin() * 10_000.0) as i16).collect()
}

/// How much of a sound is a tone of this height, whatever its phase.
fn purity(samples: &[i16], rate: u32, hertz: f64) -> f64 {
    let step = TAU * hertz / f64::from(rate);
    // Whole periods only.
    let period = f64::from(rate) / hertz;
    let samples = &samples[..((samples.len() as f64 / period).floor() * period) as usize];
    let (mut re, mut im, mut all) = (0.0, 0.0, 0.0);
    for (index, sample) in samples.iter().enumerate() {
        let (x, angle) = (f64::from(*sample), index as f64 * step);
        (re, im, all) = (re + x * angle.cos(), im + x * angle.sin(), all + x * x);
    }
    2.0 * (re * re + im * im) / (samples.len() as f64 * all)
}

fn convert(samples: &[i16], from: u32, to: u32) -> Vec<i16> {
    let mut resampler = Resampler::new(from, to);
    let mut out = Vec::new();
    for tick in samples.chunks(from as usize / 50) {
        let before = out.len();
        resampler.push(tick, &mut out);
        assert_eq!(out.len() - before, to as usize / 50, "a tick in, a tick out");
    }
    out
}

#[test]
fn a_tone_stays_the_tone_at_every_rate() {
    for (from, to) in
        [(8000, 16_000), (16_000, 8000), (48_000, 8000), (8000, 48_000), (44_100, 16_000)]
    {
        let heard = convert(&sine(from, 440.0), from, to);
        let pure = purity(&heard[1000..], to, 440.0);
        assert!(pure > 0.9995, "{from} → {to}: {pure}");
        let loud = loudness(&heard[1000..]) / loudness(&sine(to, 440.0));
        assert!((0.98..1.02).contains(&loud), "{from} → {to}: {loud}");
    }
}

#[test]
fn what_the_lower_rate_cannot_carry_does_not_come_back_as_another_tone() {
    let heard = convert(&sine(48_000, 5000.0), 48_000, 8000);
    // The beginning is a step and has every tone in it.
    assert!(loudness(&heard[100..]) < 10.0, "{}", loudness(&heard[100..]));
}

#[test]
fn equal_rates_change_nothing() {
    let said = sine(8000, 440.0);
    assert_eq!(convert(&said, 8000, 8000), said);
}
