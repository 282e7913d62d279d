use super::*;

const NOON: Instant = Instant::from_millis(1_700_000_000_000);

#[tokio::test(start_paused = true)]
async fn time_is_the_start_plus_what_has_passed() {
    let clock = Clock::starting_at(NOON);
    assert_eq!(clock.now(), NOON);
    tokio::time::advance(Duration::from_millis(1500)).await;
    assert_eq!(clock.now(), NOON + Duration::from_millis(1500));
}

#[tokio::test(start_paused = true)]
async fn a_sleep_ends_when_its_instant_has_come_and_not_before() {
    let clock = Clock::starting_at(NOON);
    let at = NOON + Duration::from_millis(32_000);
    clock.sleep_until(at).await;
    assert_eq!(clock.now(), at);
    clock.sleep_until(NOON).await;
    assert_eq!(clock.now(), at, "what has passed is not waited for");
}

#[tokio::test(start_paused = true)]
async fn the_end_of_time_is_waited_for_in_days() {
    let clock = Clock::starting_at(NOON);
    clock.sleep_until(Instant::from_millis(u64::MAX)).await;
    assert_eq!(clock.now().since(NOON), LONGEST_WAIT);
}
