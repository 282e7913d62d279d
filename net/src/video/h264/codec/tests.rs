use super::*;
use crate::video::h264::parameters::OURS;
use crate::video::h264::{PPS, SPS, kind};
use crate::video::pattern::{Pattern, number};

const NOW: Duration = Duration::ZERO;

/// When a picture was taken, of thirty a second.
fn at(number: u32) -> Duration {
    Duration::from_millis(33 * u64::from(number))
}

fn codec(fmtp: &str) -> H264Codec {
    H264Codec::new(&Parameters::parse(fmtp).unwrap()).unwrap()
}

#[test]
fn the_pattern_survives() {
    for (width, height) in [(320, 240), (640, 480)] {
        let (pattern, mut codec) = (Pattern::new(width, height), codec(OURS));
        for wanted in 0..30 {
            let picture = pattern.picture(wanted);
            let frame = codec.encode(&picture, false, at(wanted)).unwrap();
            let back = codec.decode(&frame).unwrap().unwrap();
            assert_eq!(number(&back), Some(wanted));
            let psnr = picture.psnr(&back).unwrap();
            assert!(psnr > 30.0, "{psnr} dB, picture {wanted} at {width}×{height}");
        }
    }
}

#[test]
fn a_key_frame_comes_when_it_is_asked_for_and_stands_alone() {
    let (pattern, mut sender) = (Pattern::new(320, 240), codec(OURS));
    let kinds = |frame: &[u8]| units(frame).map(kind).collect::<Vec<_>>();
    for wanted in 0..5 {
        let frame = sender.encode(&pattern.picture(wanted), wanted == 3, at(wanted)).unwrap();
        match wanted {
            0 | 3 => assert_eq!(kinds(&frame), [SPS, PPS, 5]),
            _ => assert_eq!(kinds(&frame), [1]),
        }
        if wanted == 3 {
            let back = codec(OURS).decode(&frame).unwrap().unwrap();
            assert_eq!(number(&back), Some(3));
        }
    }
}

#[test]
fn without_pieces_slices_fit_a_payload() {
    let mut codec = codec("profile-level-id=42e01f");
    let frame = codec.encode(&Pattern::new(640, 480).picture(1), true, NOW).unwrap();
    assert!(units(&frame).all(|unit| unit.len() <= PAYLOAD_LIMIT));
    assert!(units(&frame).count() > 3);
    assert_eq!(number(&codec.decode(&frame).unwrap().unwrap()), Some(1));
}

#[test]
fn pictures_over_the_level_or_of_odd_sides_are_refused() {
    let mut codec = codec(OURS);
    for (width, height) in [(1920, 1080), (321, 240), (8, 8)] {
        let fault = codec.encode(&Picture::grey(width, height), false, NOW).unwrap_err();
        assert_eq!(fault.expected, "even sides within the level of the receiver");
    }
    assert!(codec.encode(&Picture::grey(1280, 720), false, NOW).is_ok());
}

#[test]
fn what_is_no_frame_is_refused() {
    let mut codec = codec(OURS);
    assert!(codec.decode(&[]).is_err());
    assert!(codec.decode(&[1, 2, 3]).is_err());
    assert!(!matches!(codec.decode(&[0, 0, 0, 1, 0x65, 1, 2, 3]), Ok(Some(_))));
}

#[test]
fn parameter_sets_of_the_offer_are_used() {
    use base64::Engine;
    let frame = codec(OURS).encode(&Pattern::new(320, 240).picture(8), true, NOW).unwrap();
    let sets: Vec<_> = units(&frame)
        .filter(|unit| matches!(kind(unit), SPS | PPS))
        .map(|unit| base64::engine::general_purpose::STANDARD.encode(unit))
        .collect();
    let slice = units(&frame).find(|unit| kind(unit) == 5).unwrap();
    let bare = [&[0, 0, 0, 1], slice].concat();
    assert!(!matches!(codec(OURS).decode(&bare), Ok(Some(_))));
    let mut told = codec(&format!("{OURS};sprop-parameter-sets={}", sets.join(",")));
    assert_eq!(number(&told.decode(&bare).unwrap().unwrap()), Some(8));
}
