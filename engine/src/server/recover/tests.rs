use super::*;

#[test]
fn few_are_told_within_three_seconds_and_a_million_at_a_pace() {
    assert_eq!(span(0), 3000);
    assert_eq!(span(30_000), 3000);
    assert_eq!(span(1_000_000), 100_000);
}
