//! The Date header.

use crate::agent::date::{read, write};
use crate::time::Instant;
use proptest::prelude::*;

#[test]
fn known_dates_read_and_write() {
    for (text, seconds) in [
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
        ("Sat, 13 Nov 2010 23:29:00 GMT", 1_289_690_940),
        ("Thu, 29 Feb 2024 12:00:01 GMT", 1_709_208_001),
        ("Fri, 31 Dec 2100 23:59:59 GMT", 4_133_980_799),
    ] {
        let at = Instant::from_millis(seconds * 1000);
        assert_eq!(write(at), text);
        assert_eq!(read(text), Some(at));
    }
}

#[test]
fn nonsense_is_no_date() {
    for text in ["", "today", "Sat, 13 Foo 2010 23:29:00 GMT", "Sat, 99 Nov 2010 1:2:3 GMT"] {
        assert_eq!(read(text), None, "{text}");
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read(seconds in 0_u64..200_000_000_000) {
        let at = Instant::from_millis(seconds * 1000);
        prop_assert_eq!(read(&write(at)), Some(at));
    }
}
