use super::*;

#[test]
fn what_phones_send_is_read() {
    let read =
        Parameters::parse("profile-level-id=42801F; packetization-mode=1; max-br=5000").unwrap();
    assert_eq!((read.profile_level_id, read.packetization_mode), ([0x42, 0x80, 0x1F], 1));
    let ours = Parameters::parse(OURS).unwrap();
    assert_eq!(ours.most_macroblocks(), (3600, 108_000));
    assert!(ours.takes(1280, 720) && ours.takes(640, 480));
    assert!(!ours.takes(1920, 1080) && !ours.takes(4096, 16));
}

#[test]
fn what_is_not_said_is_baseline_of_level_one() {
    let read = Parameters::parse("").unwrap();
    assert_eq!((read.profile_level_id, read.packetization_mode), ([0x42, 0, 10], 0));
    assert!(read.takes(176, 144) && !read.takes(320, 240));
    // Level 1b: level 11 with constraint_set3.
    assert!(!Parameters::parse("profile-level-id=42f00b").unwrap().takes(320, 240));
    assert!(Parameters::parse("profile-level-id=42e00b").unwrap().takes(320, 240));
}

#[test]
fn parameter_sets_come_out_of_base64() {
    let read = Parameters::parse("sprop-parameter-sets=Z0IACpZTBYmI,aMljiA==").unwrap();
    let kinds: Vec<_> = read.parameter_sets.iter().map(|set| kind(set)).collect();
    assert_eq!(kinds, [SPS, PPS]);
}

#[test]
fn a_fault_says_where_it_is_and_what_was_expected() {
    let told = |fmtp| Parameters::parse(fmtp).unwrap_err().to_string();
    assert_eq!(
        told("profile-level-id=42e0"),
        "at octet 0: expected a profile-level-id of 6 hexadecimal digits, found 42e0"
    );
    assert_eq!(
        told("profile-level-id=640028"),
        "at octet 0: expected the baseline profile (42), found 640028"
    );
    assert_eq!(
        told("profile-level-id=42e01f; packetization-mode=2"),
        "at octet 25: expected packetization-mode 0 or 1, found 2"
    );
    assert_eq!(
        told("sprop-parameter-sets=!!"),
        "at octet 0: expected up to 8 parameter sets in base64, found !!"
    );
}
