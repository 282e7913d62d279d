use super::*;
use proptest::prelude::*;

#[test]
fn dates_are_written_as_rfc_1123_wants_them() {
    for (seconds, text) in [
        (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
        (951_782_399, "Mon, 28 Feb 2000 23:59:59 GMT"),
        (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
        (1_289_690_940, "Sat, 13 Nov 2010 23:29:00 GMT"),
        (1_735_689_599, "Tue, 31 Dec 2024 23:59:59 GMT"),
        (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"),
    ] {
        assert_eq!(Date::of(Instant::from_millis(seconds * 1000)).as_str(), text);
    }
}

#[test]
fn dates_are_written_and_read() {
    for (millis, text) in [
        (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
        (951_782_400_000, "Tue, 29 Feb 2000 00:00:00 GMT"),
        (1_289_690_940_000, "Sat, 13 Nov 2010 23:29:00 GMT"),
        (1_709_251_199_000, "Thu, 29 Feb 2024 23:59:59 GMT"),
        (4_107_542_400_000, "Mon, 01 Mar 2100 00:00:00 GMT"),
    ] {
        assert_eq!(Date::of(Instant::from_millis(millis)).as_str(), text);
        assert_eq!(Date::read(text), Some(Instant::from_millis(millis)));
    }
    for text in [
        "",
        "now",
        "Sat, 13 Nov 2010 23:29:00",
        "Sat, 32 Nov 2010 23:29:00 GMT",
        "Sat, 13 Nov 1969 23:29:00 GMT",
        "Sat, 13 Nov 99999999999999999999 23:29:00 GMT",
        "Sat, 13 Nov 2010 +3:29:00 GMT",
        "Sat, 13 Nov 2010 23:29:00:00 GMT",
        "Sat, 00 Nov 2010 23:29:00 GMT",
    ] {
        assert_eq!(Date::read(text), None, "{text}");
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read(seconds in 0_u64..200_000_000_000) {
        let at = Instant::from_millis(seconds * 1000);
        prop_assert_eq!(Date::read(Date::of(at).as_str()), Some(at));
    }
}
