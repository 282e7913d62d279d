//! The four tables before and after a step, and the tables of both ends in quiet states.

use super::{Ghost, Notes, Rows};
use crate::law::{Law, Sight};
use crate::print::mark;
use crate::recall::Move;
use presently_engine::Instant;
use presently_engine::agent;
use presently_engine::body::presrules::Handling;
use presently_engine::body::winfo::Cause;
use presently_engine::message::Aor;
use presently_engine::server::{Package, Record, SubscriptionTableRow, Tables, WatcherTableRow};
use std::collections::{BTreeMap, BTreeSet};

/// Every arc of RFC 3857 §4.7.1 figure 1, with the one of RFC 5025 §3.2.1 (D8): from, to, event.
const ARCS: &[(&str, &str, &str)] = &[
    ("init", "pending", "subscribe"),
    ("init", "active", "subscribe"),
    ("init", "waiting", "timeout"),
    ("pending", "active", "approved"),
    ("pending", "waiting", "timeout"),
    ("pending", "terminated", "rejected"),
    ("pending", "terminated", "deactivated"),
    ("pending", "terminated", "probation"),
    ("pending", "terminated", "giveup"),
    ("pending", "terminated", "noresource"),
    ("active", "pending", "subscribe"),
    ("active", "terminated", "rejected"),
    ("active", "terminated", "deactivated"),
    ("active", "terminated", "probation"),
    ("active", "terminated", "timeout"),
    ("active", "terminated", "noresource"),
    ("waiting", "terminated", "rejected"),
    ("waiting", "terminated", "approved"),
    ("waiting", "terminated", "giveup"),
    ("waiting", "terminated", "noresource"),
];

fn by_id(tables: &Tables) -> BTreeMap<&str, &WatcherTableRow> {
    tables.wt.iter().map(|row| (row.id.as_str(), row)).collect()
}

/// How the watcher table changed in a step of the server.
pub(crate) fn moves(before: &Tables, after: &Tables) -> Vec<Move> {
    let (old, new) = (by_id(before), by_id(after));
    let mut moves = Vec::new();
    for (id, row) in &new {
        let was = old.get(id);
        let (from, to) = (was.map_or("init", |row| row.status.as_str()), row.status.as_str());
        if from == to && was.is_some_and(|old| old.event == row.event) {
            continue;
        }
        let freed = from == "init" && to == "terminated";
        // Two rows with one id are one too few.
        let single = new.len() == after.wt.len();
        let lawful = single && (freed || ARCS.contains(&(from, to, row.event.as_str())));
        let (from, to) = (from.to_owned(), to.to_owned());
        moves.push(Move { id: mark(id), from, to, event: row.event.clone(), lawful });
    }
    // What nobody had been told of is freed at once.
    for (id, row) in old.iter().filter(|(id, _)| !new.contains_key(*id)) {
        let (from, to) = (row.status.clone(), String::new());
        moves.push(Move { id: mark(id), from, to, event: row.event.clone(), lawful: true });
    }
    moves
}

impl Ghost {
    /// The watcher table changed in a step of the server, which a SUBSCRIBE caused or not.
    pub(crate) fn watchers_moved(
        &mut self,
        notes: &mut Notes<'_>,
        moves: &[Move],
        by_subscribe: bool,
    ) {
        for row in moves {
            notes.demand(Law::FsmConforms, row.lawful);
            see_arc(notes, row);
            let ended = row.to == "terminated" || row.to.is_empty();
            notes.demand(Law::IdNeverReused, ended || !self.gone.get().contains(&row.id));
            if ended {
                self.gone.change(|gone| gone.insert(row.id));
            }
            let replaced = row.from == "waiting" && ended && by_subscribe;
            notes.saw(Sight::GiveupByResubscribe, replaced);
        }
    }
}

impl Ghost {
    /// Something ends because time has passed. A subscription may end before its own time is over
    /// (P14) only by a NOTIFY that nobody answered.
    pub(crate) fn ran_out(
        &mut self,
        notes: &mut Notes<'_>,
        now: Instant,
        rows: &Rows,
        record: &Record,
    ) {
        if let Record::Withdrawn(_, etag) = record {
            self.access.change(|access| access.ran_out(mark(&etag.to_string())));
        }
        let Record::Ended(_, id, Cause::Timeout) = record else { return };
        let Some(Record::Subscribed(_, _, row)) = rows.get(&record.key()) else { return };
        let unanswered = self.is_unanswered(mark(&id.to_string()), now);
        notes.demand(Law::NoEarlyExpiry, row.expires <= now || unanswered);
    }
}

fn see_arc(notes: &Notes<'_>, row: &Move) {
    let arc = (row.from.as_str(), row.to.as_str(), row.event.as_str());
    notes.saw(Sight::Pending, arc == ("init", "pending", "subscribe"));
    notes.saw(Sight::Active, arc == ("pending", "active", "approved"));
    notes.saw(Sight::Rejected, arc.1 == "terminated" && arc.2 == "rejected");
    notes.saw(Sight::BackToPending, arc == ("active", "pending", "subscribe"));
    notes.saw(Sight::Waiting, arc == ("pending", "waiting", "timeout"));
    notes.saw(Sight::WaitingDecided, arc == ("waiting", "terminated", "approved"));
}

/// A subscription ends; its row may be gone at once.
pub(crate) fn ended(notes: &Notes<'_>, rows: &Rows, record: &Record) {
    let Record::Ended(_, _, cause) = record else { return };
    let was = rows.get(&record.key());
    let active = was.is_some_and(|row| {
        matches!(row, Record::Subscribed(_, _, row)
            if row.active && row.package == Package::Presence)
    });
    notes.saw(Sight::Expired, active && *cause == Cause::Timeout);
}

/// The state of a watcher's rows after a decision about it (P12).
pub(crate) fn decided(notes: &mut Notes<'_>, before: &Tables, after: &Tables, record: &Record) {
    let Record::Decided(owner, watcher, verdict) = record else { return };
    let about =
        |row: &&WatcherTableRow| row.target == owner.as_str() && row.watcher == watcher.as_str();
    let undecided = |row: &WatcherTableRow| row.status == "pending" || row.status == "waiting";
    let settles = verdict.is_some_and(|verdict| !matches!(verdict.handling, Handling::Confirm));
    let left = after.wt.iter().filter(about).any(undecided);
    notes.demand(Law::DecisionOnce, !(settles && left));
    // A freed row was waiting: what ended it is not in the table any more.
    let waited = before.wt.iter().filter(about).any(|row| row.status == "waiting");
    notes.saw(Sight::WaitingDecided, settles && waited);
    let rejects = verdict.is_some_and(|verdict| verdict.handling == Handling::Block);
    notes.saw(Sight::Rejected, rejects && before.wt.iter().any(|row| about(&row)));
}

/// Whether no two live records are about the same dialog (P16).
pub(crate) fn one_record_per_dialog(rows: &Rows) -> bool {
    let mut seen = BTreeSet::new();
    rows.values().all(|row| match row {
        Record::Subscribed(aor, _, row) => seen.insert((
            aor.clone(),
            row.package,
            row.watcher.clone(),
            row.dialog.call_id.clone(),
            row.dialog.remote_tag.clone(),
            row.event_id.clone(),
        )),
        _ => true,
    })
}

/// Whether a subscriber's table of watchers of `target` is the server's (P46).
pub(crate) fn winfo_agrees(
    server: &Tables,
    user: &agent::Tables,
    from: &Aor,
    target: &str,
) -> bool {
    let visible = |row: &&WatcherTableRow| row.target == target && row.status != "terminated";
    let own = |row: &&WatcherTableRow| target == from.as_str() || row.watcher == from.as_str();
    let truth: BTreeSet<_> = server
        .wt
        .iter()
        .filter(visible)
        .filter(own)
        .map(|row| (row.id.as_str(), row.status.as_str(), row.event.as_str()))
        .collect();
    let told: BTreeSet<_> = user
        .watchers
        .iter()
        .filter(|row| *row.resource == *target)
        .map(|row| (&*row.id, row.status.as_str(), row.event.as_str()))
        .collect();
    truth == told
}

/// Whether two servers have the same live rows, numbers reserved ahead aside.
pub(crate) fn same_tables(one: &Tables, other: &Tables) -> bool {
    let live = |row: &&SubscriptionTableRow| !row.state.starts_with("terminated");
    let subscription = |row: &SubscriptionTableRow| {
        let ends = (row.target.clone(), row.from.clone(), row.contact.clone());
        (row.sub_id.clone(), ends, row.callid.clone(), row.state.clone(), row.remaining)
    };
    let subscriptions = |rows: &[SubscriptionTableRow]| -> BTreeSet<_> {
        rows.iter().filter(live).map(subscription).collect()
    };
    let watchers = |tables: &Tables| -> BTreeSet<_> {
        let rows = tables.wt.iter().filter(|row| row.status != "terminated");
        rows.map(|row| (row.id.clone(), row.watcher.clone(), row.status.clone(), row.event.clone()))
            .collect()
    };
    let tuples = |tables: &Tables| -> BTreeSet<_> {
        let rows = tables.pit.iter();
        rows.map(|row| (row.entity.clone(), row.id.clone(), row.status.clone(), row.note.clone()))
            .collect()
    };
    subscriptions(&one.pst) == subscriptions(&other.pst)
        && subscriptions(&one.wst) == subscriptions(&other.wst)
        && watchers(one) == watchers(other)
        && tuples(one) == tuples(other)
}
