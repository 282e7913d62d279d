//! What machines did, remembered: `handle` is a pure function of the machine, the time and the
//! input, so the same turn is taken once however many worlds it is taken in.
//!
//! This is no shortcut past the engine: an entry is found by the fingerprints by which states are
//! told apart anyway. A full table forgets, and then the machine is asked again.

use crate::print::Held;
use crate::wire::Letter;
use presently_engine::agent::{self, Agent};
use presently_engine::message::Aor;
use presently_engine::server::{Record, Tables};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// A key and its value, or nothing yet.
type Place<T> = Mutex<Option<(u64, Arc<T>)>>;

/// A table of fixed size from keys to values.
pub(crate) struct Recall<T> {
    places: Vec<Place<T>>,
}

/// Its size is all there is to see.
impl<T> fmt::Debug for Recall<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Recall({} places)", self.places.len())
    }
}

impl<T> Recall<T> {
    /// A table with so many places.
    pub(crate) fn new(places: usize) -> Self {
        Self { places: (0..places).map(|_| Mutex::new(None)).collect() }
    }

    /// The value of a key, remembered or made.
    pub(crate) fn get(&self, key: u64, make: impl FnOnce() -> T) -> Arc<T> {
        let place = &self.places[(key % self.places.len() as u64) as usize];
        // A thread that panicked stored nothing or a whole value.
        let lock = || place.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((had, value)) = &*lock()
            && *had == key
        {
            return Arc::clone(value);
        }
        let value = Arc::new(make());
        *lock() = Some((key, Arc::clone(&value)));
        value
    }
}

/// One thing that the server did.
#[derive(Clone, Debug)]
pub(crate) enum Made {
    /// A row, with its fingerprint.
    Record(Box<Record>, u64, Arc<str>),
    /// A letter.
    Letter(Arc<Letter>),
    /// An event: somebody has to know that something happened.
    Event,
}

/// What the server did with an input.
#[derive(Debug)]
pub(crate) struct ServerTurn<S> {
    pub(crate) after: Held<S>,
    pub(crate) tables: Arc<Tables>,
    /// How the watcher table changed.
    pub(crate) moves: Vec<Move>,
    pub(crate) made: Vec<Made>,
    /// Whether it was dealt with now; a copy only gets its old answer.
    pub(crate) fresh: bool,
    /// Whether a proven user's request was answered.
    pub(crate) executed: bool,
    /// Who proved to have asked.
    pub(crate) proven: Option<Aor>,
}

/// A row of the watcher table changed.
#[derive(Clone, Debug)]
pub(crate) struct Move {
    pub(crate) id: u64,
    /// Before; `init` if it is new.
    pub(crate) from: String,
    /// After; empty if it is not in the table any more.
    pub(crate) to: String,
    pub(crate) event: String,
    /// Whether it is an arc of the machine.
    pub(crate) lawful: bool,
}

/// What an agent did with an input.
#[derive(Debug)]
pub(crate) struct AgentTurn {
    pub(crate) after: Held<Agent>,
    pub(crate) made: Vec<Told>,
}

/// One thing that an agent did.
#[derive(Clone, Debug)]
pub(crate) enum Told {
    Letter(Arc<Letter>),
    Event(Box<agent::Event>, Arc<str>),
}

/// Everything remembered in a village.
#[derive(Debug)]
pub(crate) struct Memory<S> {
    pub(crate) server: Recall<ServerTurn<S>>,
    pub(crate) agents: Recall<AgentTurn>,
    pub(crate) rows: Recall<Held<crate::ghost::Rows>>,
    /// Whether a server made from the rows is the living one.
    pub(crate) recovers: Recall<bool>,
}

impl<S> Memory<S> {
    /// Large enough for what a depth-first search comes back to; small enough for a laptop.
    pub(crate) fn new() -> Self {
        const PLACES: usize = 1 << 14;
        Self {
            server: Recall::new(PLACES),
            agents: Recall::new(PLACES),
            rows: Recall::new(PLACES),
            recovers: Recall::new(2 * PLACES),
        }
    }
}
