//! The store in memory: for tests, and for simulated disks that misbehave.
//!
//! Clones share one disk, so a simulation keeps a clone while the server that used it crashes.
//! The disk has a written tail that is not yet synced; a crash loses as much of it as is asked.

use super::{Row, Store, Visit, entropy};
use presently_engine::mint::Secret;
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// Rows that live as long as the process, and a disk that can be told to misbehave.
#[derive(Clone, Debug)]
pub struct MemoryStore {
    secret: Secret,
    disk: Arc<Mutex<Disk>>,
    /// Whether commits may finish; see [`MemoryStore::hold`].
    open: Arc<watch::Sender<bool>>,
}

#[derive(Debug, Default)]
struct Disk {
    boot: u64,
    durable: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Batches that were written but not synced, with the number of their commit.
    tail: VecDeque<(u64, Vec<Row>)>,
    begun: u64,
    synced: u64,
    delay: Duration,
    failing: Option<io::ErrorKind>,
}

impl MemoryStore {
    /// An empty store with fresh entropy.
    pub fn new() -> io::Result<Self> {
        Ok(Self::with_secret(Secret::new(entropy()?)))
    }

    /// An empty store with a chosen secret (simulation, tests).
    pub fn with_secret(secret: Secret) -> Self {
        let disk = Disk { boot: 1, ..Disk::default() };
        Self { secret, disk: Arc::new(Mutex::new(disk)), open: Arc::new(watch::Sender::new(true)) }
    }

    /// From now on a commit is written but not synced, and so does not return.
    pub fn hold(&self) {
        self.open.send_replace(false);
    }

    /// Lets held commits be synced, in the order in which they were written.
    pub fn release(&self) {
        self.open.send_replace(true);
    }

    /// How long every later commit takes.
    pub fn delay(&self, each: Duration) {
        self.disk().delay = each;
    }

    /// Lets every later commit fail, or work again.
    pub fn fail(&self, with: Option<io::ErrorKind>) {
        self.disk().failing = with;
    }

    /// The machine loses power: of the unsynced tail the first `kept` batches reached the disk,
    /// the rest is gone and its commits fail. The next user of the disk is the next boot.
    pub fn crash(&self, kept: usize) {
        let mut disk = self.disk();
        let kept = kept.min(disk.tail.len());
        let through = kept.checked_sub(1).map(|last| disk.tail[last].0);
        if let Some(through) = through {
            disk.sync(through);
        }
        disk.tail.clear();
        disk.boot += 1;
    }

    /// Every durable row.
    pub fn rows(&self) -> BTreeMap<Vec<u8>, Vec<u8>> {
        self.disk().durable.clone()
    }

    /// How many commits have been asked for and how many of them are durable.
    pub fn commits(&self) -> (u64, u64) {
        let disk = self.disk();
        (disk.begun, disk.synced)
    }

    fn disk(&self) -> MutexGuard<'_, Disk> {
        // Every change of the disk is complete before anything in it can panic.
        self.disk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Disk {
    fn write(&mut self, batch: Vec<Row>) -> u64 {
        self.begun += 1;
        self.tail.push_back((self.begun, batch));
        self.begun
    }

    /// Syncs the tail through commit `number`, which is what one flush does.
    fn sync(&mut self, number: u64) {
        while self.tail.front().is_some_and(|(written, _)| *written <= number) {
            let Some((written, batch)) = self.tail.pop_front() else { return };
            for Row { key, value } in batch {
                match value {
                    Some(value) => self.durable.insert(key, value),
                    None => self.durable.remove(&key),
                };
            }
            self.synced = written;
        }
    }
}

impl Store for MemoryStore {
    fn secret(&self) -> Secret {
        self.secret.clone()
    }

    fn boot(&self) -> u64 {
        self.disk().boot
    }

    fn load(&self, visit: &mut Visit<'_>) -> io::Result<()> {
        self.rows().iter().try_for_each(|(key, value)| visit(key, value))
    }

    async fn commit(&self, batch: Vec<Row>) -> io::Result<()> {
        let (boot, number, delay) = {
            let mut disk = self.disk();
            if let Some(kind) = disk.failing {
                return Err(io::Error::new(kind, format!("simulated disk: {kind}")));
            }
            (disk.boot, disk.write(batch), disk.delay)
        };
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        // The sender lives in `self`, so the wait ends only by a release.
        let _ = self.open.subscribe().wait_for(|open| *open).await;
        let mut disk = self.disk();
        if disk.boot != boot {
            return Err(io::Error::other("simulated disk: power was lost before the sync"));
        }
        disk.sync(number);
        Ok(())
    }
}
