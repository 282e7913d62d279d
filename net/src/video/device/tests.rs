use super::*;
use crate::video::pattern::number;

#[test]
fn the_pattern_goes_through_a_file_unchanged() {
    let folder = tempfile::tempdir().unwrap();
    let file = format!("y4m:{}", folder.path().join("p.y4m").display());
    let mut pattern = source("pattern:320x240@25").unwrap();
    let mut out = sink(&file, pattern.rate()).unwrap();
    for _ in 0..3 {
        out.push(&pattern.pull().unwrap().unwrap()).unwrap();
    }
    out.finish().unwrap();
    let mut back = source(&file).unwrap();
    assert_eq!(back.rate(), Rate { pictures: 25, seconds: 1 });
    let numbers: Vec<_> =
        std::iter::from_fn(|| back.pull().unwrap()).map(|picture| number(&picture)).collect();
    assert_eq!(numbers, [Some(0), Some(1), Some(2)]);
}

#[test]
fn png_files_are_numbered_from_one() {
    let folder = tempfile::tempdir().unwrap();
    let mut out = sink(&format!("png:{}", folder.path().display()), Rate::default()).unwrap();
    for _ in 0..2 {
        out.push(&Picture::grey(8, 8)).unwrap();
    }
    out.finish().unwrap();
    let mut names: Vec<_> =
        folder.path().read_dir().unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["000001.png", "000002.png"]);
}

#[test]
fn what_does_not_open_says_why() {
    let told = |name: &str| match source(name) {
        Err(error) => error.to_string(),
        Ok(_) => panic!("{name} opened"),
    };
    assert_eq!(told("webcam"), "webcam: pictures come from pattern, y4m:FILE, camera or null");
    for form in ["640", "640x", "64x64", "640x480@0", "640x480@500", "9999x480"] {
        let name = format!("pattern:{form}");
        assert_eq!(told(&name), format!("{name}: say it like pattern:640x480@15"));
    }
    assert!(told("y4m:/no/such/file").starts_with("y4m:/no/such/file: No such file"));
    let Err(error) = sink("pattern", Rate::default()) else { panic!("a pattern takes nothing") };
    assert_eq!(error.to_string(), "pattern: pictures go to y4m:FILE, png:DIR or null");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("no.y4m");
    std::fs::write(&path, "YUV4MPEG2 W4 H4 C422\n").unwrap();
    let told = told(&format!("y4m:{}", path.display()));
    assert!(told.ends_with("at octet 16: expected C420, 8 bits, found \"C422\""), "{told}");
}

#[test]
fn pictures_are_due_by_their_number_and_do_not_drift() {
    let rate = Rate::new(30_000, 1001).unwrap();
    assert_eq!(rate.due(0), Duration::ZERO);
    assert_eq!(rate.due(30_000), Duration::from_secs(1001));
    assert_eq!(Rate::new(241, 1), None);
    assert_eq!(Rate::new(1, 2), None);
    assert_eq!(Rate::new(1, 0), None);
}
