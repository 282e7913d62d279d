use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;

const LIFE: u64 = 300_000;

fn nonce(t: u64) -> Nonce {
    Nonce { t, r: 0 }
}

fn alice(nc: u32) -> Use<'static> {
    Use { user: "alice", algorithm: Algorithm::Sha256, nc: Some(nc) }
}

/// Spends in a table with room, at a time when nothing has expired.
fn spend(nonces: &mut Nonces, t: u64, nc: u32) -> bool {
    nonces.spend(nonce(t), &alice(nc), 64, 100, 0)
}

#[test]
fn requests_that_overtake_each_other_count_once_each() {
    let mut nonces = Nonces::default();
    assert!(spend(&mut nonces, 1, 1));
    assert!(spend(&mut nonces, 1, 3));
    assert!(spend(&mut nonces, 1, 2));
    for nc in 1..=3 {
        assert!(!spend(&mut nonces, 1, nc), "replay of nc {nc}");
    }
}

#[test]
fn a_count_below_the_window_is_a_replay_although_nobody_remembers_it() {
    let mut nonces = Nonces::default();
    assert!(spend(&mut nonces, 1, 100));
    assert!(spend(&mut nonces, 1, 37));
    assert!(!spend(&mut nonces, 1, 36));
    assert!(spend(&mut nonces, 1, u32::MAX));
    assert!(!spend(&mut nonces, 1, 101));
}

#[test]
fn a_nonce_belongs_to_its_first_user_and_algorithm() {
    let mut nonces = Nonces::default();
    assert!(spend(&mut nonces, 1, 1));
    let bob = Use { user: "bob", ..alice(2) };
    let weak = Use { algorithm: Algorithm::Md5, ..alice(2) };
    assert!(!nonces.spend(nonce(1), &bob, 64, 100, 0));
    assert!(!nonces.spend(nonce(1), &weak, 64, 100, 0));
    assert!(spend(&mut nonces, 1, 2), "the refused ones took no count");
}

#[test]
fn without_qop_a_nonce_serves_one_request() {
    let legacy = Use { nc: None, ..alice(0) };
    let mut nonces = Nonces::default();
    assert!(nonces.spend(nonce(1), &legacy, 64, 100, 0));
    assert!(!nonces.spend(nonce(1), &legacy, 64, 100, 0));
    assert!(!spend(&mut nonces, 1, u32::MAX));
    assert!(spend(&mut nonces, 2, 1));
    assert!(!nonces.spend(nonce(2), &legacy, 64, 100, 0));
}

#[test]
fn eviction_raises_a_floor_below_which_nothing_new_is_believed() {
    let mut nonces = Nonces::default();
    for t in [10, 20, 30] {
        assert!(nonces.spend(nonce(t), &alice(1), 64, 2, 0));
    }
    assert_eq!(nonces.len(), 2);
    // The record of 10 is gone; replaying it must not look like a first use.
    assert!(!nonces.spend(nonce(10), &alice(1), 64, 2, 0));
    assert!(!nonces.spend(nonce(5), &alice(1), 64, 2, 0));
    assert!(nonces.spend(nonce(20), &alice(2), 64, 2, 0), "records above the floor live on");
    assert!(nonces.spend(nonce(11), &alice(1), 64, 2, 0), "issued after the floor");
}

#[test]
fn records_of_nonces_too_old_to_be_used_make_room_first() {
    let mut nonces = Nonces::default();
    for t in [10, 20, LIFE] {
        assert!(spend(&mut nonces, t, 1));
    }
    assert!(nonces.spend(nonce(LIFE + 15), &alice(1), 64, 100, 15));
    let left: Vec<u64> = nonces.iter().map(|(t, _)| t).collect();
    assert_eq!(left, [20, LIFE, LIFE + 15]);
    assert_eq!(nonces.floor, None);
}

/// A nonce is good up to the very millisecond at which its life ends, and so is its record.
#[test]
fn the_record_of_a_nonce_that_is_just_old_enough_is_kept() {
    let mut nonces = Nonces::default();
    assert!(nonces.is_empty());
    assert!(spend(&mut nonces, 15, 1));
    assert!(!nonces.is_empty());
    assert!(nonces.spend(nonce(LIFE + 15), &alice(1), 64, 100, 15));
    assert!(!nonces.spend(nonce(15), &alice(1), 64, 100, 15), "a replay");
}

#[test]
fn a_forgotten_user_cannot_be_replayed_after_coming_back() {
    let mut nonces = Nonces::default();
    assert!(spend(&mut nonces, 10, 1));
    assert!(nonces.spend(nonce(5), &Use { user: "bob", ..alice(1) }, 64, 100, 0));
    nonces.forget(|user| user == "alice");
    assert!(!spend(&mut nonces, 10, 1));
    assert!(!spend(&mut nonces, 10, 2));
    assert!(nonces.spend(nonce(5), &Use { user: "bob", ..alice(2) }, 64, 100, 0));
}

proptest! {
    /// P23: whatever the order, the table size and the window, no (nonce, nc) is accepted twice.
    #[test]
    fn nothing_is_executed_twice(
        uses in prop::collection::vec((0_u64..12, 0_u32..160), 1..400),
        table in 1_usize..6, window in 1_u32..=64,
    ) {
        let mut nonces = Nonces::default();
        let mut executed = BTreeSet::new();
        for (t, nc) in uses {
            if nonces.spend(nonce(t), &alice(nc), window, table, 0) {
                prop_assert!(executed.insert((t, nc)), "nonce {} nc {} executed twice", t, nc);
            }
            prop_assert!(nonces.len() <= table);
        }
    }

    /// R62: within the window every order of different counts is accepted whole.
    #[test]
    fn any_order_within_the_window_is_accepted(
        order in Just((0_u32..64).collect::<Vec<_>>()).prop_shuffle(), base in 0_u32..1000,
    ) {
        let mut nonces = Nonces::default();
        for offset in order {
            prop_assert!(spend(&mut nonces, 1, base + offset));
        }
    }
}
