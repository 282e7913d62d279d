use super::*;
use crate::audio::rig::{correlation, melody};
use crate::audio::tick_samples;

#[test]
fn what_is_said_is_heard() {
    let said = melody(16_000, 2);
    let mut codec = G722::new();
    let mut heard = Vec::new();
    for frame in said.chunks(tick_samples(16_000)) {
        let mut payload = Vec::new();
        codec.encode(frame, &mut payload);
        assert_eq!((payload.len(), codec.duration(&payload)), (160, 160));
        codec.decode(&payload, &mut heard).expect("G.722");
    }
    assert_eq!(heard.len(), said.len());
    let (alike, delay) = correlation(&said, &heard, 64);
    assert!(alike > 0.99, "{alike} at {delay}");
    // The filters of both sides take 22 samples.
    assert!((20..=24).contains(&delay), "{delay}");
}

#[test]
fn no_octets_make_the_decoder_panic() {
    let mut dice = crate::rtp::rig::Dice::new(6);
    let mut codec = G722::new();
    let mut samples = Vec::new();
    for _ in 0..2000 {
        let payload: Vec<u8> = (0..dice.below(400)).map(|_| dice.below(256) as u8).collect();
        samples.clear();
        codec.decode(&payload, &mut samples).expect("anything is G.722");
        assert_eq!(samples.len(), payload.len() * 2);
    }
}
