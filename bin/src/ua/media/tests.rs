use super::*;

fn refused(rule: &Rule<Device>, device: &str) -> bool {
    rule.flag("--audio-in", device).is_err()
}

#[test]
fn sound_is_a_tone_a_file_or_silence() {
    let input = Device::audio_in();
    assert_eq!(input.flag("", "null"), Ok(Device::Null));
    assert_eq!(input.flag("", "tone"), Ok(Device::Tone { hertz: 440 }));
    assert_eq!(input.flag("", "tone:1000"), Ok(Device::Tone { hertz: 1000 }));
    for wrong in ["", "tone:", "tone:5", "tone:x", "wav:", "pattern", "hw:0", "null:1"] {
        assert!(refused(&input, wrong), "{wrong}");
    }
    assert!(refused(&input, "tone:9000"), "nobody hears that in a call");
    assert!(refused(&Device::audio_out(), "tone"), "nothing can be played to a tone");
}

#[test]
fn pictures_are_a_pattern_a_file_a_folder_or_none() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().to_path_buf();
    let png = format!("png:{}", path.display());
    assert_eq!(Device::video_in().flag("", "pattern"), Ok(Device::Pattern));
    assert_eq!(Device::video_out().flag("", &png), Ok(Device::Png { folder: path }));
    assert!(refused(&Device::video_in(), &png), "a folder is no camera");
    assert!(refused(&Device::video_out(), "pattern"), "a pattern is no screen");
    assert!(refused(&Device::video_in(), "y4m:/no/such/file.y4m"));
}

/// Whether it is there is seen when it is opened.
#[test]
fn sound_cards_and_cameras_are_of_builds_that_have_them() {
    let sound = |rule: Rule<Device>, name| rule.flag("", name).ok();
    let card = |card: &str| cfg!(feature = "sound").then(|| Device::Sound { card: card.into() });
    assert_eq!(sound(Device::audio_in(), "sound"), card(""));
    assert_eq!(sound(Device::audio_out(), "sound:hw:CARD=0,DEV=0"), card("hw:CARD=0,DEV=0"));
    assert!(refused(&Device::audio_in(), "sound:"));
    let camera =
        |path: &str| cfg!(feature = "camera").then(|| Device::Camera { path: path.into() });
    assert_eq!(sound(Device::video_in(), "camera"), camera("/dev/video0"));
    assert_eq!(sound(Device::video_in(), "camera:/dev/video7"), camera("/dev/video7"));
    assert!(refused(&Device::video_out(), "camera"), "a camera is no screen");
}

#[test]
fn a_file_must_be_there_to_record_from_and_its_folder_to_play_to() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("a.wav");
    let device = format!("wav:{}", file.display());
    assert!(refused(&Device::audio_in(), &device));
    assert!(!refused(&Device::audio_out(), &device));
    std::fs::write(&file, b"RIFF").expect("written");
    assert!(!refused(&Device::audio_in(), &device));
    assert!(refused(&Device::audio_out(), "wav:/no/such/folder/a.wav"));
}

#[test]
fn codecs_come_in_the_order_they_are_named_in() {
    let some = Repertoire::rule().flag("--codecs", "pcma,G722").expect("known codecs");
    let names =
        |codecs: Vec<Codec>| codecs.iter().map(|one| one.rtpmap.clone()).collect::<Vec<_>>();
    assert_eq!(names(some.codecs("audio")), ["PCMA/8000".into(), "G722/8000".into()]);
    assert_eq!(names(some.codecs("video")), [] as [Box<str>; 0]);
    let in_calls = ["PCMA/8000", "G722/8000", "telephone-event/8000"].map(Box::from);
    assert_eq!(names(some.codecs_of_calls("audio")), in_calls);
    let kinds: Vec<Box<str>> = some.kinds().into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(kinds, ["audio".into()], "no video codec, no video");
    assert!(Repertoire::rule().flag("--codecs", "PCMU,MP3").is_err());
    assert!(Repertoire::rule().flag("--codecs", "").is_err());
}

/// RFC 6184 §8.2.2: the two ways to cut it into packets are two codecs.
#[cfg(feature = "h264")]
#[test]
fn pictures_in_h264_go_in_pieces_or_whole() {
    let some = Repertoire::parse("H264").expect("it is built in");
    let fmtps: Vec<_> = some.codecs("video").into_iter().map(|one| one.fmtp).collect();
    let [pieces, whole] =
        ["profile-level-id=42e01f;packetization-mode=1", "profile-level-id=42e01f"];
    assert_eq!(fmtps, [Some(pieces.into()), Some(whole.into())]);
}
