use super::*;
use crate::audio::rig::{correlation, loudness, melody};

#[test]
fn what_is_said_is_heard_in_a_twentieth_of_the_octets() {
    let said = melody(RATE, 2);
    let mut codec = Opus::new().expect("libopus");
    let (mut heard, mut octets) = (Vec::new(), 0);
    for frame in said.chunks(tick_samples(RATE)) {
        let mut payload = Vec::new();
        codec.encode(frame, &mut payload);
        assert_eq!(codec.duration(&payload), 960);
        codec.decode(&payload, &mut heard).expect("Opus");
        octets += payload.len();
    }
    assert_eq!(heard.len(), said.len());
    let (alike, delay) = correlation(&said, &heard, 1000);
    // Opus keeps what is heard, not the shape of the wave.
    assert!(alike > 0.85, "{alike} at {delay}");
    assert!(octets < said.len() * 2 / 20, "{octets}");
}

#[test]
fn a_lost_payload_is_made_up_and_what_is_no_payload_is_refused() {
    let said = melody(RATE, 1);
    let mut codec = Opus::new().expect("libopus");
    let mut heard = Vec::new();
    for frame in said.chunks(960).take(20) {
        let mut payload = Vec::new();
        codec.encode(frame, &mut payload);
        codec.decode(&payload, &mut heard).expect("Opus");
    }
    let mut made_up = Vec::new();
    assert!(codec.conceal(&mut made_up));
    assert_eq!(made_up.len(), 960);
    assert!(loudness(&made_up) > loudness(&heard[18 * 960..]) / 4.0);
    // A count of frames without any.
    assert_eq!(codec.decode(&[3, 0], &mut heard), Err(Malformed));
    assert_eq!(codec.duration(&[]), 0);
}
