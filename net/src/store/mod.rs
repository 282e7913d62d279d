//! Durable rows: what was acknowledged survives `kill -9` (decisions §2.4, R47).
//!
//! A store keeps opaque rows, a key and a value each. Writing is in batches: a commit returns when
//! its whole batch is durable, and the batches of several shards share one flush. Reading happens
//! once, at start. A store that failed to write once never says yes again: the caller must stop,
//! because nobody can tell any more what the disk will remember.
//!
//! Beside the rows a store keeps two facts about itself: the [`Secret`] of all derived identity,
//! made at first start, and the number of the present boot.

mod disk;
mod memory;
mod volatile;

pub use disk::DiskStore;
pub use memory::MemoryStore;
pub use volatile::Volatile;

use presently_engine::mint::Secret;
use presently_engine::{agent, server};
use std::future::Future;
use std::io;

/// A put of one row, or its deletion.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    /// Which row.
    pub key: Vec<u8>,
    /// What it holds from now on; `None` deletes it.
    pub value: Option<Vec<u8>>,
}

/// Takes the key and the value of a row that is read back.
pub type Visit<'a> = dyn FnMut(&[u8], &[u8]) -> io::Result<()> + 'a;

/// Where rows are kept.
pub trait Store: Send + Sync + 'static {
    /// The key of derived identity, the same at every start on the same data.
    fn secret(&self) -> Secret;

    /// How often this data has been opened, this time included.
    fn boot(&self) -> u64;

    /// Whether anything is kept. Rows for a store that keeps nothing are not even written.
    fn keeps(&self) -> bool {
        true
    }

    /// Shows every row in the order of the keys; the first error of `visit` ends it.
    fn load(&self, visit: &mut Visit<'_>) -> io::Result<()>;

    /// Makes a batch durable, all or nothing. Of several rows with one key the last counts.
    fn commit(&self, batch: Vec<Row>) -> impl Future<Output = io::Result<()>> + Send;
}

/// A record that becomes a row of a [`Store`].
pub trait Durable: Sized + Send + 'static {
    /// The row.
    fn row(&self) -> Row;

    /// The record of a row that was read back; `None` if the row is damaged.
    fn read(value: &[u8]) -> Option<Self>;
}

impl Durable for server::Record {
    fn row(&self) -> Row {
        Row { key: self.key(), value: self.value() }
    }

    fn read(value: &[u8]) -> Option<Self> {
        Self::decode(value).ok()
    }
}

impl Durable for agent::Record {
    fn row(&self) -> Row {
        match *self {}
    }

    fn read(_: &[u8]) -> Option<Self> {
        None
    }
}

/// Entropy from the operating system (a store's secret, the nonce key of a boot).
pub fn entropy<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|error| io::Error::other(format!("no entropy from the system: {error}")))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests;
