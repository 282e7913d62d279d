use super::{is_datetime, timestamp};
use crate::time::Instant;
use proptest::prelude::*;

#[test]
fn known_instants_are_written_as_rfc_3339() {
    for (ms, text) in [
        (0, "1970-01-01T00:00:00.000Z"),
        (951_782_400_000, "2000-02-29T00:00:00.000Z"),
        (951_868_799_999, "2000-02-29T23:59:59.999Z"),
        (951_868_800_000, "2000-03-01T00:00:00.000Z"),
        (1_709_164_800_000, "2024-02-29T00:00:00.000Z"),
        (1_777_887_012_001, "2026-05-04T09:30:12.001Z"),
        (4_107_542_399_000, "2100-02-28T23:59:59.000Z"),
        (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
        (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
    ] {
        assert_eq!(timestamp(Instant::from_millis(ms)), text);
    }
}

#[test]
fn the_end_of_time_is_written_without_a_panic() {
    assert!(timestamp(Instant::from_millis(u64::MAX)).ends_with('Z'));
}

#[test]
fn times_of_rfc_3339_are_told_from_other_text() {
    for good in [
        "2005-10-27T16:49:29Z",
        "2001-10-27T16:49:29.5Z",
        "2005-05-30T12:00:00+05:00",
        "2005-05-30T12:00:00.123456-00:30",
        "2005-05-30T12:00:00",
    ] {
        assert!(is_datetime(good), "{good}");
    }
    for bad in [
        "",
        "yesterday",
        "2005-10-27",
        "2005-10-27 16:49:29Z",
        "2005-10-27t16:49:29z",
        "2005-10-27T16:49:29.Z",
        "2005-10-27T16:49:29+0500",
        "2005-10-27T16:49:29Zx",
        "éééééééééééééééééééé",
    ] {
        assert!(!is_datetime(bad), "{bad}");
    }
}

proptest! {
    #[test]
    fn later_instants_have_greater_timestamps(
        ms in 0u64..253_402_300_799_999,
        step in 1u64..10_000_000_000,
    ) {
        let later = (ms + step).min(253_402_300_799_999);
        let (a, b) = (timestamp(Instant::from_millis(ms)), timestamp(Instant::from_millis(later)));
        prop_assert!(a < b || later == ms);
        prop_assert!(is_datetime(&a));
    }
}
