use super::*;
use crate::audio::rig::{Said, melody};
use crate::audio::{RTPMAPS, codec};

const MS: Duration = Duration::from_millis(1);

fn recorder(rtpmap: &str, said: &[i16], frame: u32) -> Recorder {
    let mut recorder = Recorder::new(Box::new(Said::new(8000, said)), codec(rtpmap).expect("one"));
    recorder.set_frame(frame * MS);
    recorder
}

#[test]
fn a_payload_holds_as_much_as_is_wished_in_every_codec() {
    let said = melody(8000, 1);
    for rtpmap in RTPMAPS {
        let codec = codec(rtpmap).expect("it is listed");
        let clock = codec.clock_rate();
        for frame in [10, 20, 40, 60] {
            let mut recorder = recorder(rtpmap, &said, frame);
            assert_eq!(recorder.frame(), frame * MS, "{rtpmap}");
            let first: Vec<Recorded> = (0..3).filter_map(|_| recorder.record()).collect();
            let times: Vec<u32> = first.iter().map(|one| one.media_time).collect();
            let units = clock / 1000 * frame;
            assert_eq!(times, [0, units, 2 * units], "{rtpmap} {frame}");
            assert!(first.iter().all(|one| codec.duration(&one.payload) == units));
        }
    }
}

#[test]
fn what_a_codec_has_not_becomes_the_next_shorter_that_it_has() {
    let lengths = |rtpmap| [1, 15, 25, 30, 50, 200].map(|it| recorder(rtpmap, &[], it).frame());
    assert_eq!(lengths("PCMU/8000"), [10, 10, 20, 30, 50, 60].map(|it| it * MS));
    #[cfg(feature = "opus")]
    assert_eq!(lengths("opus/48000/2"), [10, 10, 20, 20, 40, 60].map(|it| it * MS));
}

/// However it is cut, nothing is lost and nothing comes twice.
#[test]
fn payloads_of_every_length_hold_the_same_sound() {
    let said = melody(8000, 1);
    let mut whole = Vec::new();
    codec("PCMU/8000").expect("PCMU").encode(&said, &mut whole);
    for frame in [10, 20, 30, 40, 50, 60] {
        let mut recorder = recorder("PCMU/8000", &said, frame);
        let payloads = std::iter::from_fn(|| recorder.record().map(|one| one.payload));
        let heard: Vec<u8> = payloads.flatten().collect();
        assert_eq!(heard[..whole.len()], whole, "{frame} ms");
        // Silence fills up the last one.
        assert!(heard.len() - whole.len() < 8 * frame as usize, "{frame} ms");
    }
}
