use super::*;
use crate::audio::rig::{correlation, longest_gap, loudness, melody};

const RATE: u32 = 8000;
const FRAME: usize = 160;

/// Plays a sound without the frames that are lost.
fn play(said: &[i16], lost: impl Fn(usize) -> bool) -> Vec<i16> {
    let mut concealer = Concealer::new(RATE);
    let mut heard = Vec::new();
    for (index, frame) in said.chunks_exact(FRAME).enumerate() {
        if lost(index) {
            concealer.missing(FRAME, &mut heard);
        } else {
            let mut frame = frame.to_vec();
            concealer.good(&mut frame);
            heard.extend(frame);
        }
    }
    heard
}

#[test]
fn without_loss_nothing_is_changed() {
    let said = melody(RATE, 1);
    assert_eq!(play(&said, |_| false), said);
}

#[test]
fn a_lost_frame_is_filled_with_something_like_it() {
    let said = melody(RATE, 2);
    for lost in 10..90 {
        let heard = play(&said, |index| index == lost);
        let place = lost * FRAME..(lost + 1) * FRAME;
        let (alike, _) = correlation(&said[place.clone()], &heard[place.clone()], 0);
        assert!(alike > 0.8, "frame {lost}: {alike}");
        let loud = loudness(&heard[place.clone()]) / loudness(&said[place]);
        assert!((0.5..1.5).contains(&loud), "frame {lost}: {loud}");
    }
}

#[test]
fn there_is_no_click_at_either_end_of_a_gap() {
    let said = melody(RATE, 2);
    let steepest = |samples: &[i16]| {
        let steps = samples.windows(2).map(|pair| i32::from(pair[0]) - i32::from(pair[1]));
        steps.map(i32::abs).max().expect("samples")
    };
    let usual = steepest(&said);
    for lost in 10..90 {
        let heard = play(&said, |index| index == lost || index == lost + 1);
        let steep = steepest(&heard);
        assert!(f64::from(steep) < f64::from(usual) * 1.1, "frame {lost}: {steep} of {usual}");
    }
}

#[test]
fn a_gap_fades_out_and_is_silent_after_sixty_milliseconds() {
    let said = melody(RATE, 1);
    let heard = play(&said, |index| index >= 20);
    assert!(loudness(&heard[20 * FRAME..21 * FRAME]) > 1000.0);
    assert!(heard[20 * FRAME + 60 * 8..].iter().all(|sample| *sample == 0));
}

#[test]
fn every_second_frame_lost_leaves_no_hole() {
    let said = melody(RATE, 2);
    assert!(longest_gap(&play(&said, |index| index % 2 == 1), RATE) <= 5);
}

#[test]
fn what_is_missing_from_the_beginning_is_silence() {
    let mut heard = Vec::new();
    let mut concealer = Concealer::new(RATE);
    concealer.missing(FRAME, &mut heard);
    concealer.good(&mut [100; FRAME]);
    assert_eq!(heard, [0; FRAME]);
}
