use super::*;
use presently_engine::time::Timers;
use std::time::Duration;

const DAWN: Instant = Instant::from_millis(1_777_887_000_000);

#[test]
fn equal_situations_at_different_times_have_one_fingerprint() {
    let hour = Duration::from_secs(3600);
    let at = |start: Instant| {
        let mut timers = Timers::default();
        timers.arm(1, start + hour);
        timers.arm(2, Instant::NEVER);
        (timers, Instant::default(), 7_u64)
    };
    assert_eq!(print(&at(DAWN), DAWN), print(&at(DAWN + hour), DAWN + hour));
    assert_ne!(print(&at(DAWN), DAWN), print(&at(DAWN), DAWN + hour));
}

#[test]
fn counters_are_not_taken_for_times() {
    let later = DAWN + Duration::from_millis(1);
    assert_eq!(print(&DAWN.as_millis(), DAWN), print(&DAWN.as_millis(), later));
    assert_ne!(print(&DAWN.as_millis(), DAWN), print(&later.as_millis(), DAWN));
}
