//! The store on disk: fjall, one committer thread, one flush for whatever has queued up.
//!
//! A folder holds `PRESENTLY` (what it is, and whether its making was finished), `lock` (held
//! while a server uses it) and `rows` (the database). A folder that holds anything else and no
//! `PRESENTLY` is somebody else's and is left alone.

use super::{Row, Store, Visit, entropy};
use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode};
use presently_engine::mint::Secret;
use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::thread::{self, JoinHandle};
use tokio::sync::{mpsc, oneshot};

const MARKER: &str = "PRESENTLY";
const DRAFT: &str = "PRESENTLY.new";
const MAKING: &str = "presently store 1, being made\n";
const MADE: &str = "presently store 1\n";

/// Jobs that share one flush at most. A shard waits for its commit, so this many shards.
const GROUP: usize = 1024;

/// Rows in a folder. Dropping it writes nothing more and frees the folder.
pub struct DiskStore {
    folder: PathBuf,
    secret: Secret,
    boot: u64,
    rows: Keyspace,
    jobs: Option<mpsc::Sender<Job>>,
    committer: Option<JoinHandle<()>>,
    /// Held for as long as the store lives; the last field to be dropped.
    _lock: File,
}

impl fmt::Debug for DiskStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DiskStore").field("folder", &self.folder).finish_non_exhaustive()
    }
}

struct Job {
    batch: Vec<Row>,
    done: oneshot::Sender<io::Result<()>>,
}

impl DiskStore {
    /// Opens the store in `folder`, making it if it is not there.
    ///
    /// The error is one line for a person and names the folder.
    pub fn open(folder: &Path) -> io::Result<Self> {
        Self::open_or_make(folder).map_err(|error| {
            let line = format!("cannot use the data folder {}: {error}", folder.display());
            io::Error::new(error.kind(), line)
        })
    }

    fn open_or_make(folder: &Path) -> io::Result<Self> {
        let (lock, is_new) = claim(folder)?;
        let database = Database::builder(folder.join("rows")).open().map_err(damaged)?;
        let rows = keyspace(&database, "rows")?;
        let meta = keyspace(&database, "meta")?;
        let (secret, boot) = begin_boot(&database, &meta, is_new)?;
        finish(folder)?;
        let (jobs, queue) = mpsc::channel(GROUP);
        let keep = rows.clone();
        let committer = thread::Builder::new()
            .name("presently-commit".into())
            .spawn(move || commit_in_groups(&database, &keep, queue))?;
        Ok(Self {
            folder: folder.to_owned(),
            secret,
            boot,
            rows,
            jobs: Some(jobs),
            committer: Some(committer),
            _lock: lock,
        })
    }

    fn stopped(&self) -> io::Error {
        io::Error::other(format!("the writer of {} has ended", self.folder.display()))
    }
}

impl Store for DiskStore {
    fn secret(&self) -> Secret {
        self.secret.clone()
    }

    fn boot(&self) -> u64 {
        self.boot
    }

    fn load(&self, visit: &mut Visit<'_>) -> io::Result<()> {
        for row in self.rows.iter() {
            let (key, value) = row.into_inner().map_err(damaged)?;
            visit(&key, &value)?;
        }
        Ok(())
    }

    async fn commit(&self, batch: Vec<Row>) -> io::Result<()> {
        let (done, answer) = oneshot::channel();
        let jobs = self.jobs.as_ref().ok_or_else(|| self.stopped())?;
        jobs.send(Job { batch, done }).await.map_err(|_| self.stopped())?;
        answer.await.map_err(|_| self.stopped())?
    }
}

impl Drop for DiskStore {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(committer) = self.committer.take() {
            // A committer that panicked has nothing left to finish.
            let _ = committer.join();
        }
    }
}

/// Locks a folder that is ours, new, or was never finished; tells whether its rows are to be made.
fn claim(folder: &Path) -> io::Result<(File, bool)> {
    fs::create_dir_all(folder)?;
    if marker(folder)?.is_none() && !fs::read_dir(folder)?.all(is_ours) {
        return Err(refuse("it holds files that are not Presently's"));
    }
    let lock = File::create(folder.join("lock"))?;
    lock.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => in_use(),
        TryLockError::Error(error) => error,
    })?;
    match marker(folder)?.as_deref() {
        Some(MADE) => Ok((lock, false)),
        None | Some(MAKING) => begin(folder).map(|()| (lock, true)),
        Some(_) => Err(refuse("it was written by another version")),
    }
}

/// What a start that died before its first marker may have left behind.
fn is_ours(entry: io::Result<fs::DirEntry>) -> bool {
    entry.is_ok_and(|entry| entry.file_name() == "lock" || entry.file_name() == DRAFT)
}

fn marker(folder: &Path) -> io::Result<Option<String>> {
    match fs::read(folder.join(MARKER)) {
        Ok(found) => Ok(Some(String::from_utf8_lossy(&found).into_owned())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Clears away a making that was never finished: nothing of it was ever acknowledged.
fn begin(folder: &Path) -> io::Result<()> {
    mark(folder, MAKING)?;
    match fs::remove_dir_all(folder.join("rows")) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn finish(folder: &Path) -> io::Result<()> {
    if marker(folder)?.as_deref() == Some(MADE) { Ok(()) } else { mark(folder, MADE) }
}

/// Replaces the marker in one step that is durable when this returns.
fn mark(folder: &Path, text: &str) -> io::Result<()> {
    let draft = folder.join(DRAFT);
    fs::write(&draft, text)?;
    File::open(&draft)?.sync_all()?;
    fs::rename(&draft, folder.join(MARKER))?;
    File::open(folder)?.sync_all()
}

/// Reads the secret, or makes that of a new store, and counts this boot.
fn begin_boot(database: &Database, meta: &Keyspace, is_new: bool) -> io::Result<(Secret, u64)> {
    let secret: [u8; 16] = match meta.get("secret").map_err(damaged)? {
        Some(kept) => kept[..].try_into().map_err(|_| refuse("its secret is damaged"))?,
        None if is_new => entropy()?,
        // The library takes a lost journal for an empty one; a store without secret never was.
        None => return Err(refuse("its rows are damaged (the secret is missing)")),
    };
    let boot = match meta.get("boot").map_err(damaged)? {
        Some(kept) => kept[..].try_into().map_err(|_| refuse("its boot count is damaged"))?,
        None => [0; 8],
    };
    let boot = u64::from_be_bytes(boot).wrapping_add(1);
    let mut batch = database.batch().durability(Some(PersistMode::SyncAll));
    batch.insert(meta, "secret", secret);
    batch.insert(meta, "boot", boot.to_be_bytes());
    batch.commit().map_err(damaged)?;
    Ok((Secret::new(secret), boot))
}

/// The committer: whatever is queued when it looks becomes one batch and one flush.
fn commit_in_groups(database: &Database, rows: &Keyspace, mut queue: mpsc::Receiver<Job>) {
    let mut failed: Option<String> = None;
    while let Some(first) = queue.blocking_recv() {
        let mut group = vec![first];
        while group.len() < GROUP {
            let Ok(job) = queue.try_recv() else { break };
            group.push(job);
        }
        let batches = group.iter_mut().map(|job| std::mem::take(&mut job.batch));
        let merged = merge(batches);
        if failed.is_none() {
            failed = write(database, rows, merged).err().map(|error| error.to_string());
        }
        for job in group {
            let answer = failed.clone().map_or(Ok(()), |why| Err(io::Error::other(why)));
            // A shard that is gone does not need the answer.
            let _ = job.done.send(answer);
        }
    }
}

/// One write per key: a batch has one sequence number, so a second one would not come "after".
fn merge(batches: impl Iterator<Item = Vec<Row>>) -> BTreeMap<Vec<u8>, Option<Vec<u8>>> {
    batches.flatten().map(|row| (row.key, row.value)).collect()
}

fn write(
    database: &Database,
    rows: &Keyspace,
    merged: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
) -> fjall::Result<()> {
    let mut batch = database.batch().durability(Some(PersistMode::SyncData));
    for (key, value) in merged {
        match value {
            Some(value) => batch.insert(rows, key, value),
            None => batch.remove(rows, key),
        }
    }
    batch.commit()
}

fn keyspace(database: &Database, name: &str) -> io::Result<Keyspace> {
    database.keyspace(name, KeyspaceCreateOptions::default).map_err(damaged)
}

fn refuse(why: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, why)
}

fn in_use() -> io::Error {
    io::Error::new(ErrorKind::ResourceBusy, "another server is using it")
}

/// The library's errors, in words: an error of the disk stays what it is.
fn damaged(error: fjall::Error) -> io::Error {
    match error {
        fjall::Error::Io(error) => error,
        fjall::Error::Locked => in_use(),
        other => {
            io::Error::new(ErrorKind::InvalidData, format!("its rows are damaged ({other:?})"))
        }
    }
}
