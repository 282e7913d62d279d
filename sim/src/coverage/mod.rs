//! Which rows of the state machines and which races a run came to, read off the record.
//!
//! The engine is not asked: a row counts when its messages were on the wire or its event reached a
//! user. So the same list can be held against any server's traffic. What cannot be seen or cannot
//! happen here is in [`BEYOND`] with its reason; every row and every race is in one of the two.

pub mod baseline;
mod beyond;
mod calls;
mod messages;
mod notifications;
mod proof;
mod requests;
mod rows;
mod subscriptions;
mod told;

pub use beyond::{BEYOND, every_id};
pub use rows::Row;

use crate::oracle::evidence::Evidence;
use crate::plan::Plan;
use crate::record::Record;
use std::collections::BTreeMap;

/// How often each row was come to.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Coverage(BTreeMap<Row, u64>);

impl Coverage {
    /// The coverage of one run of a plan.
    pub fn of(plan: &Plan, record: &Record) -> Self {
        Self::seen_in(&Evidence::new(plan, record))
    }

    /// The same for evidence that is there already.
    pub(crate) fn seen_in(evidence: &Evidence<'_>) -> Self {
        let mut coverage = Self::default();
        for read in [
            requests::read,
            proof::read,
            subscriptions::read,
            notifications::read,
            messages::read,
            calls::read,
            told::read,
        ] {
            read(evidence, &mut coverage);
        }
        coverage
    }

    /// Adds another run's.
    pub fn add(&mut self, other: &Self) {
        for (row, count) in &other.0 {
            *self.0.entry(*row).or_default() += count;
        }
    }

    /// How often a row was come to.
    pub fn count(&self, row: Row) -> u64 {
        self.0.get(&row).copied().unwrap_or(0)
    }

    /// The rows that were never come to.
    pub fn missing(&self) -> Vec<Row> {
        Row::ALL.iter().copied().filter(|row| self.count(*row) == 0).collect()
    }

    /// Notes that a row was come to.
    fn reach(&mut self, row: Row) {
        *self.0.entry(row).or_default() += 1;
    }
}

#[cfg(test)]
mod tests;
