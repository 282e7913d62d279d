//! From the store back to the machines of all shards.
//!
//! One thread reads the rows, and each shard puts its own machine together beside it as they come:
//! a restart takes as long as the slower of the two, and needs no memory for rows that wait.

use crate::clock::Clock;
use crate::router::shard_of;
use crate::service::Sharded;
use crate::store::{Durable, Store};
use std::io;
use std::panic::resume_unwind;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

/// Rows that are handed to a shard in one go, and how many such portions may wait for it.
const PORTION: usize = 512;
const WAITING: usize = 8;

/// Reads every row and makes the machines, in the order of their shards.
///
/// The error names the row that cannot be read.
pub(crate) fn recover<M: Sharded, S: Store>(
    store: &S,
    config: &M::Config,
    clock: Clock,
    shards: usize,
) -> io::Result<Vec<M>> {
    thread::scope(|scope| {
        let (mut portions, mut builders) = (Vec::new(), Vec::new());
        for _ in 0..shards {
            let (sender, receiver) = sync_channel(WAITING);
            let records = receiver.into_iter().flatten();
            builders.push(scope.spawn(move || M::recover(config, records, || clock.now())));
            portions.push(Portions { waiting: Vec::new(), sender });
        }
        let read = read::<M, S>(store, portions);
        // They end when there is nobody left who could send them something.
        let machines = builders.into_iter().map(|builder| builder.join());
        let machines = machines.map(|made| made.unwrap_or_else(|panic| resume_unwind(panic)));
        let machines = machines.collect();
        read.map(|()| machines)
    })
}

/// The rows of one shard on their way to it.
struct Portions<R> {
    waiting: Vec<R>,
    sender: SyncSender<Vec<R>>,
}

impl<R> Portions<R> {
    fn add(&mut self, record: R) {
        self.waiting.push(record);
        if self.waiting.len() == PORTION {
            self.hand_over();
        }
    }

    fn hand_over(&mut self) {
        // Whoever is gone has panicked, and is asked why when it is joined.
        let _ = self.sender.send(std::mem::take(&mut self.waiting));
    }
}

/// Gives each record to the shard that owns its slot.
fn read<M: Sharded, S: Store>(store: &S, mut shards: Vec<Portions<M::Record>>) -> io::Result<()> {
    let count = shards.len();
    store.load(&mut |key, value| {
        let record = M::Record::read(value).ok_or_else(|| {
            let row = String::from_utf8_lossy(key);
            let line = format!("row {row:?} is damaged or was written by another version");
            io::Error::new(io::ErrorKind::InvalidData, line)
        })?;
        shards[shard_of(M::slot(&record), count)].add(record);
        Ok(())
    })?;
    shards.iter_mut().for_each(Portions::hand_over);
    Ok(())
}
