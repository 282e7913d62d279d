//! Scenes of the clock and of the table of deadlines.

use super::*;
use proptest::prelude::*;

fn at(ms: u64) -> Instant {
    Instant::from_millis(ms)
}

#[test]
fn time_stops_at_both_ends_instead_of_wrapping() {
    assert_eq!(at(5) - Duration::from_secs(1), at(0));
    assert_eq!(Instant::NEVER + Duration::from_secs(1), Instant::NEVER);
    assert_eq!(at(0) + Duration::MAX, Instant::NEVER);
    assert_eq!(at(5).since(at(7)), Duration::ZERO);
    assert_eq!(at(1999).seconds_since(at(0)), 1);
    assert_eq!(Instant::NEVER.seconds_since(at(0)), u32::MAX);
}

#[test]
fn timers_fire_in_the_order_of_time_and_then_of_names() {
    let mut timers = Timers::default();
    timers.arm("late", at(30));
    timers.arm("zebra", at(20));
    timers.arm("ant", at(20));
    assert_eq!(timers.next(), Some(at(20)));
    assert_eq!(timers.pop_due(at(19)), None);
    assert_eq!(timers.pop_due(at(20)), Some("ant"));
    assert_eq!(timers.pop_due(at(20)), Some("zebra"));
    assert_eq!(timers.pop_due(at(20)), None);
    assert_eq!(timers.len(), 1);
}

#[test]
fn arming_again_replaces_and_stopping_forgets() {
    let mut timers = Timers::default();
    timers.arm("refresh", at(10));
    timers.arm("refresh", at(40));
    assert_eq!(timers.at(&"refresh"), Some(at(40)));
    assert_eq!(timers.pop_due(at(39)), None);
    timers.stop(&"refresh");
    timers.stop(&"refresh");
    assert!(timers.is_empty());
    assert_eq!(timers.next(), None);
}

#[derive(Clone, Debug)]
enum Step {
    Arm(u8, u64),
    Stop(u8),
    Pop(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..6u8, 0..20u64).prop_map(|(key, ms)| Step::Arm(key, ms)),
        (0..6u8).prop_map(Step::Stop),
        (0..20u64).prop_map(Step::Pop),
    ]
}

proptest! {
    /// The two trees agree with a plain list, after any history.
    #[test]
    fn timers_are_a_list_of_deadlines(steps in proptest::collection::vec(step(), 0..40)) {
        let mut timers = Timers::default();
        let mut list: Vec<(Instant, u8)> = Vec::new();
        for step in steps {
            match step {
                Step::Arm(key, ms) => {
                    timers.arm(key, at(ms));
                    list.retain(|(_, known)| *known != key);
                    list.push((at(ms), key));
                }
                Step::Stop(key) => {
                    timers.stop(&key);
                    list.retain(|(_, known)| *known != key);
                }
                Step::Pop(ms) => {
                    let due = list.iter().filter(|(when, _)| *when <= at(ms)).min().copied();
                    prop_assert_eq!(timers.pop_due(at(ms)), due.map(|(_, key)| key));
                    list.retain(|entry| Some(*entry) != due);
                }
            }
            list.sort();
            let armed: Vec<(Instant, u8)> = timers.iter().map(|(when, key)| (when, *key)).collect();
            prop_assert_eq!(&armed, &list);
            prop_assert_eq!(timers.len(), list.len());
            for key in 0..6 {
                let when = list.iter().find(|(_, known)| *known == key).map(|(when, _)| *when);
                prop_assert_eq!(timers.at(&key), when);
            }
        }
    }
}
