//! What an onlooker remembers beside the engine, never inside it: enough to judge each step by the
//! laws that speak of more than one state (behaviour §5.1).

mod access;
mod flows;
mod notify;
mod rows;
mod server;
mod users;

use crate::law::{Album, Code, Law, Sight};
use crate::print::Held;
use presently_engine::Instant;
use presently_engine::server::Record;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
pub(crate) use users::Prompt;

pub(crate) use access::{Deed, Origin, registered};
pub(crate) use rows::{decided, ended, moves, one_record_per_dialog, same_tables, winfo_agrees};
pub(crate) use server::{born, comes_home, stored_at_home};

/// Durable rows by key.
pub(crate) type Rows = BTreeMap<Vec<u8>, Record>;

/// No transaction lives longer (64·T1).
pub(crate) const LIFE: Duration = Duration::from_secs(32);

/// Where an onlooker writes what it found.
pub(crate) struct Notes<'a> {
    pub(crate) laws: Code,
    pub(crate) album: &'a Album,
    pub(crate) broken: &'a mut Vec<Law>,
}

impl Notes<'_> {
    /// A law is broken unless `holds`.
    pub(crate) fn demand(&mut self, law: Law, holds: bool) {
        if !holds && self.laws.has(law) && !self.broken.contains(&law) {
            self.broken.push(law);
        }
    }

    /// A sight was seen if `seen`.
    pub(crate) fn saw(&self, sight: Sight, seen: bool) {
        if seen {
            self.album.note(sight);
        }
    }
}

/// The onlooker. Each part is shared between worlds until it changes.
#[derive(Clone, Hash, Debug, Default)]
pub(crate) struct Ghost {
    talks: Held<BTreeMap<u64, notify::Talk>>,
    /// SUBSCRIBEs that were accepted less than 64·T1 ago, and when.
    accepted: Held<BTreeMap<u64, Instant>>,
    /// Watcher rows that have ended.
    gone: Held<BTreeSet<u64>>,
    users: Held<users::Users>,
    access: Held<access::Access>,
    flows: Held<flows::Flows>,
}

impl Ghost {
    /// Time has passed.
    pub(crate) fn age(&mut self, now: Instant) {
        self.talks.age(now);
        self.accepted.age(now);
        if self.accepted.get().values().any(|at| *at + LIFE <= now) {
            self.accepted.change(|accepted| accepted.retain(|_, at| *at + LIFE > now));
        }
    }

    /// How many requests were sent so far, retransmissions not counted.
    pub(crate) fn requests(&self) -> usize {
        let talks = self.talks.get().values().map(notify::Talk::sent);
        talks.sum::<usize>() + self.users.get().requests()
    }
}
