//! What an answered request costs for the 32 s that its answer is kept.

use super::super::servers::Servers;
use std::mem::size_of;

/// A tree of the standard library holds 11 entries a node, behind 16 bytes of links. Keys in
/// random order fill two thirds of it, keys in rising order six of eleven.
fn bytes_an_entry(entry: usize, filled: f64) -> f64 {
    let node = 11 * entry + 16;
    node as f64 / filled
}

#[test]
fn an_answered_request_costs_at_most_200_bytes_beside_its_answer() {
    let (entry, place) = Servers::FINISHED_BYTES;
    let allocator = size_of::<[usize; 2]>() as f64;
    // A line has room for as many more as are in it, at most.
    let total = bytes_an_entry(entry, 7.3) + 2.0 * place as f64 + allocator;
    assert!(total <= 200.0, "{total}");
}
