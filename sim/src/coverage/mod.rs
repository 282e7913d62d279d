//! Which rows of the state machines and which races a run came to, read off the record.
//!
//! The engine is not asked: a row counts when its messages were on the wire or its event reached a
//! user. So the same list can be held against any server's traffic. Rows that leave no trace
//! outside (pacing, a copy that a transaction absorbs) are not in the list; tables and models have
//! them.

pub mod baseline;
mod rows;
mod told;
mod wire;

pub use rows::Row;

use crate::record::Record;
use std::collections::BTreeMap;

/// How often each row was come to.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Coverage(BTreeMap<Row, u64>);

impl Coverage {
    /// The coverage of one run.
    pub fn of(record: &Record) -> Self {
        let mut coverage = Self::default();
        wire::read(record, &mut coverage);
        told::read(record, &mut coverage);
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
