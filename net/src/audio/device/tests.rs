use super::*;
use crate::audio::rig::{loudness, melody};

fn all(source: &mut dyn Source) -> Vec<i16> {
    let mut samples = Vec::new();
    while source.pull(&mut samples) && samples.len() < 1_000_000 {}
    samples
}

fn why(error: Option<io::Error>) -> String {
    error.expect("an error").to_string()
}

#[test]
fn a_wav_file_comes_back_as_it_was_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let name = format!("wav:{}", folder.path().join("said.wav").display());
    let said = melody(16_000, 1);
    let mut file = sink(&name, 16_000).expect("created");
    assert_eq!(file.rate(), 16_000);
    said.chunks(320).for_each(|tick| file.push(tick));
    drop(file);
    let mut file = source(&name).expect("opened");
    assert_eq!((file.rate(), all(&mut *file)), (16_000, said));
}

#[test]
fn a_file_can_be_read_while_it_is_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let name = format!("wav:{}", folder.path().join("said.wav").display());
    let mut file = sink(&name, 8000).expect("created");
    for _ in 0..60 {
        file.push(&[7; 160]);
    }
    assert_eq!(all(&mut *source(&name).expect("opened")), [7; 8000]);
}

#[test]
fn stereo_is_mixed_other_widths_are_scaled_and_the_last_tick_is_filled_up() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("stereo.wav");
    let spec = hound::WavSpec {
        channels: 2,
        sample_rate: 8000,
        bits_per_sample: 24,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(&path, spec).expect("created");
    for _ in 0..100 {
        writer.write_sample(1000 << 8).expect("left");
        writer.write_sample(3000 << 8).expect("right");
    }
    writer.finalize().expect("written");
    let mut file = WavSource::open(&path).expect("opened");
    assert_eq!(all(&mut file), [[2000; 100].as_slice(), &[0; 60]].concat());
}

#[test]
fn a_tone_is_as_high_as_it_says_and_has_no_seams() {
    let mut tone = source("tone:500").expect("a tone");
    let mut samples = Vec::new();
    for _ in 0..50 {
        assert!(tone.pull(&mut samples));
    }
    let crossings = samples.windows(2).filter(|pair| pair[0] < 0 && pair[1] >= 0).count();
    assert!((499..=501).contains(&crossings), "{crossings}");
    assert!((loudness(&samples) - 8000.0 / 2f64.sqrt()).abs() < 20.0);
    let steepest = samples.windows(2).map(|pair| (pair[1] - pair[0]).abs()).max();
    assert!(steepest < Some(1600), "{steepest:?}");
}

#[test]
fn silence_has_no_end() {
    let mut null = source("null").expect("null");
    let mut samples = Vec::new();
    assert!(null.pull(&mut samples));
    assert_eq!(samples, [0; 160]);
}

#[test]
fn what_there_is_not_is_said_in_a_line() {
    assert_eq!(
        why(source("microphone").err()),
        "no device microphone: known are tone, tone:HZ, wav:FILE, sound, null"
    );
    assert_eq!(why(source("tone:9000").err()), "no device tone:9000: a tone has 20 to 4000 Hz");
    let missing = why(source("wav:/nowhere/at/all.wav").err());
    assert!(missing.starts_with("cannot read /nowhere/at/all.wav: "), "{missing}");
    let refused = why(sink("wav:/nowhere/at/all.wav", 8000).err());
    assert!(refused.starts_with("cannot write /nowhere/at/all.wav: "), "{refused}");
    assert!(sink("tone", 8000).is_err());
}
