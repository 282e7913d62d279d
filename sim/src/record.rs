//! What happened in a run: every datagram with its fate, every event a user was told, every step
//! of the plan. All that is shown or judged is read off this value.

use crate::plan::{DeviceName, Party, Step};
use bytes::Bytes;
use presently_engine::agent;
use presently_engine::server::Tables;
use presently_net::media::Id;
use siphasher::sip::SipHasher13;
use std::collections::VecDeque;
use std::hash::{Hash, Hasher};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// What became of a datagram.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Fate {
    /// It arrives so many ms after it was sent.
    Arrives {
        /// The time on the way.
        after_ms: u64,
        /// Whether a byte of it was changed on the way.
        corrupted: bool,
        /// Whether it is the second copy.
        copy: bool,
    },
    /// The network lost it.
    Lost,
    /// The way was cut.
    Cut,
    /// It was larger than what passes.
    TooLarge,
    /// Nobody had that address when it arrived.
    NobodyThere,
}

/// Something that happened.
#[derive(Clone, PartialEq, Debug)]
pub enum What {
    /// A datagram was sent, and what becomes of it. A copy has an entry of its own.
    Datagram {
        /// From where, as the receiver sees it.
        from: SocketAddr,
        /// To where.
        to: SocketAddr,
        /// What was sent.
        bytes: Bytes,
        /// What becomes of it.
        fate: Fate,
    },
    /// A user was told something.
    Told {
        /// On which device.
        device: DeviceName,
        /// What.
        event: agent::Event,
    },
    /// The first packet of a stream of a device left, or was played.
    Stream {
        /// Which device.
        device: DeviceName,
        /// Which stream.
        name: Id,
        /// Played, not sent.
        played: bool,
    },
    /// A step of the plan was taken.
    Step(Step),
    /// Somebody's process ended by itself or could not start.
    Trouble {
        /// Whose.
        party: Party,
        /// Why.
        why: String,
    },
}

/// Something that happened, and when.
#[derive(Clone, PartialEq, Debug)]
pub struct Entry {
    /// Milliseconds since the start.
    pub at_ms: u64,
    /// What.
    pub what: What,
}

/// The server's tables at a moment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Snapshot {
    /// Milliseconds since the start.
    pub at_ms: u64,
    /// PIT, PST, WT and WST of all shards; none while the server is down.
    pub tables: Option<Tables>,
}

/// Everything that happened, in order.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Record {
    /// In the order in which it happened.
    pub entries: Vec<Entry>,
    /// Who has which address.
    pub addresses: Vec<(Party, SocketAddr)>,
    /// When the run ended.
    pub ended_ms: u64,
    /// The server's tables at the end; of a server that does not run, none.
    pub tables_at_end: Option<Tables>,
    /// The tables whenever a look found them changed; empty for who did not look. Nothing that
    /// happened, so no part of the hash.
    pub tables: Vec<Snapshot>,
}

impl Record {
    /// A number that two runs share only if everything in them happened alike.
    pub fn hash(&self) -> u64 {
        let mut hasher = SipHasher13::new();
        for entry in &self.entries {
            entry.at_ms.hash(&mut hasher);
            match &entry.what {
                What::Datagram { from, to, bytes, fate } => {
                    (from, to, bytes, fate).hash(&mut hasher);
                }
                What::Told { device, event } => {
                    device.hash(&mut hasher);
                    format!("{event:?}").hash(&mut hasher);
                }
                What::Stream { device, name, played } => {
                    (device, name, played).hash(&mut hasher);
                }
                What::Step(step) => format!("{step:?}").hash(&mut hasher),
                What::Trouble { party, why } => (party, why).hash(&mut hasher),
            }
        }
        format!("{:?}", self.tables_at_end).hash(&mut hasher);
        hasher.finish()
    }

    /// What the users were told, in order.
    pub fn told(&self) -> impl Iterator<Item = (u64, &DeviceName, &agent::Event)> {
        self.entries.iter().filter_map(|entry| match &entry.what {
            What::Told { device, event } => Some((entry.at_ms, device, event)),
            What::Datagram { .. } | What::Stream { .. } | What::Step(_) | What::Trouble { .. } => {
                None
            }
        })
    }
}

/// So many datagrams of media does somebody keep who listens.
const LISTENED: usize = 500;

/// Most entries of one simulated second. A run in which more happens has run away: somebody
/// answers without end, perhaps without letting time pass.
const MOST_A_SECOND: usize = 100_000;

/// The record while it is written. Clones write into the same.
#[derive(Clone, Debug, Default)]
pub struct Recorder {
    record: Arc<Mutex<Record>>,
    ran_away: Arc<Notify>,
    progress: Progress,
}

/// How far a run has come, for whoever waits for it on another thread.
#[derive(Clone, Debug, Default)]
pub struct Progress(Arc<AtomicU64>);

impl Progress {
    /// Simulated milliseconds since the start.
    pub fn ms(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Recorder {
    /// An empty record that tells how far it has come.
    pub fn telling(progress: Progress) -> Self {
        Self { progress, ..Self::default() }
    }

    /// Adds an entry.
    pub fn add(&self, at_ms: u64, what: What) {
        self.progress.0.store(at_ms, Ordering::Relaxed);
        let mut record = self.lock();
        let before = record.entries.len().checked_sub(MOST_A_SECOND);
        if before.is_some_and(|before| record.entries[before].at_ms + 1000 > at_ms) {
            self.ran_away.notify_one();
        }
        record.entries.push(Entry { at_ms, what });
    }

    /// Waits until more happens in a second than can be meant.
    pub async fn ran_away(&self) {
        self.ran_away.notified().await;
    }

    /// The number of the next entry, to be changed later.
    pub fn mark(&self) -> usize {
        self.lock().entries.len()
    }

    /// What happened since an entry had this number.
    pub fn since(&self, mark: usize) -> Vec<Entry> {
        self.lock().entries.get(mark..).unwrap_or_default().to_vec()
    }

    /// Changes the fate of a datagram that was told too early.
    pub fn amend(&self, mark: usize, new: Fate) {
        if let Some(Entry { what: What::Datagram { fate, .. }, .. }) =
            self.lock().entries.get_mut(mark)
        {
            *fate = new;
        }
    }

    /// Notes the tables if they are not as they were; time alone does not change them.
    pub fn tables(&self, at_ms: u64, tables: Option<Tables>) {
        let seen = &mut self.lock().tables;
        let last = seen.last().map(|snapshot| timeless(&snapshot.tables));
        if last.is_none_or(|last| last != timeless(&tables)) {
            seen.push(Snapshot { at_ms, tables });
        }
    }

    /// Notes who has an address.
    pub fn address(&self, party: Party, address: SocketAddr) {
        self.lock().addresses.push((party, address));
    }

    /// The datagrams that came from a party so far; of its media only the last ones.
    pub fn sent_by(&self, party: &Party) -> Vec<(SocketAddr, Bytes)> {
        let record = self.lock();
        let theirs: Vec<SocketAddr> = record
            .addresses
            .iter()
            .filter(|(owner, _)| owner == party)
            .map(|(_, it)| *it)
            .collect();
        let mut sent: Vec<(SocketAddr, Bytes)> = Vec::new();
        let mut media = VecDeque::new();
        for entry in &record.entries {
            let What::Datagram { from, to, bytes, .. } = &entry.what else { continue };
            if theirs.contains(from) {
                sent.push((*to, bytes.clone()));
            } else if theirs.first().is_some_and(|own| own.ip() == from.ip()) {
                // Its other ports; translators have an address of their own.
                if media.len() == LISTENED {
                    media.pop_front();
                }
                media.push_back((*to, bytes.clone()));
            }
        }
        sent.extend(media);
        sent
    }

    /// Ends the record.
    pub fn finish(self, ended_ms: u64, tables: Option<Tables>) -> Record {
        let mut record = std::mem::take(&mut *self.lock());
        record.ended_ms = ended_ms;
        record.tables_at_end = tables;
        record
    }

    fn lock(&self) -> MutexGuard<'_, Record> {
        // One thread writes; a panic of it ends the run anyway.
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The tables without the seconds that subscriptions have left.
fn timeless(tables: &Option<Tables>) -> Option<Tables> {
    let mut tables = tables.clone()?;
    for row in tables.pst.iter_mut().chain(&mut tables.wst) {
        row.remaining = 0;
    }
    Some(tables)
}
