//! A model as data: who takes part, what they may do, and how often things may go wrong.

use crate::law::{Law, Sight};
pub use crate::pair::Pair;
use presently_engine::agent::Command;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Index of a user in [`Plan::users`].
pub type UserId = u8;

/// What a user may do at any moment, as often as its purse allows.
#[derive(Clone, Debug)]
pub struct Wish {
    /// Who.
    pub user: UserId,
    /// Which purse pays; wishes that share one are alternatives.
    pub purse: u8,
    /// In words.
    pub says: &'static str,
    /// The command.
    pub command: Command,
}

/// How time passes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Clocks {
    /// One clock; it stands still while letters travel and goes to the earliest deadline.
    #[default]
    Ordered,
    /// A clock for every node, none bound to another: its next timer may fire at any moment.
    /// Covers every drift, delay and stall; for laws that hold always, not for quiet states.
    Any,
}

/// How often each kind of thing may still happen.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Budget {
    /// Letters lost.
    pub drops: u8,
    /// Letters copied by the network.
    pub copies: u8,
    /// Jumps over a long time: refresh, expiry, giving up.
    pub jumps: u8,
    /// NOTIFYs answered 500 in the receiver's stead.
    pub refusals: u8,
    /// Times a user's network is cut for longer than any transaction lives.
    pub outages: u8,
    /// Devices that are switched off for good.
    pub departures: u8,
    /// Crashes of the server.
    pub crashes: u8,
    /// Captured requests sent again under a new branch.
    pub replays: u8,
    /// Captured requests sent with a changed digest.
    pub forgeries: u8,
    /// Crashes of an agent, which is started again at once.
    pub reboots: u8,
    /// Timers that fire, where every node has its own clock.
    pub fires: u8,
    /// Commands, by purse.
    pub wishes: [u8; 6],
}

impl Budget {
    /// Everything together.
    pub(crate) fn sum(&self) -> usize {
        let Self { drops, copies, jumps, refusals, outages, departures, crashes, .. } = *self;
        let faults = [drops, copies, jumps, refusals, outages, departures, crashes];
        let rest = [self.replays, self.forgeries, self.reboots, self.fires];
        faults.iter().chain(&rest).chain(&self.wishes).map(|count| usize::from(*count)).sum()
    }
}

/// A model.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Its name in behaviour §5.4.
    pub name: &'static str,
    /// What it is about, in plain words.
    pub says: &'static str,
    /// Names of the users.
    pub users: &'static [&'static str],
    /// Whether the server asks for digest.
    pub digest: bool,
    /// Whether finished transactions remember copies; needed wherever letters are lost or copied.
    pub linger: bool,
    /// How time passes.
    pub clocks: Clocks,
    /// What happened before the model begins, one after the other on a perfect network.
    pub prelude: Vec<(UserId, Command)>,
    /// What may happen.
    pub wishes: Vec<Wish>,
    /// How often.
    pub budget: Budget,
    /// Seconds that agents ask for: register, publish, subscribe.
    pub expires: [u32; 3],
    /// How long an undecided watcher is kept (K5).
    pub giveup: Duration,
    /// Replay records of digest that the server keeps.
    pub replay_records: Option<usize>,
    /// Whether the server runs in three shards.
    pub sharded: bool,
    /// A wait from here on costs budget, and what is further away is no unrest.
    pub long: Duration,
    /// Whose agent may crash, and what its user does when it is started again.
    pub again: Option<(UserId, Vec<Command>)>,
    /// Whether agents can be called by INVITE.
    pub calls: bool,
    /// C1: not a world but two transaction tables.
    pub pair: Option<Pair>,
    /// What must hold.
    pub laws: Vec<Law>,
    /// What must be seen.
    pub sights: Vec<Sight>,
}

impl Plan {
    /// How often what may happen.
    pub(crate) fn bounded(&self) -> Budget {
        self.pair.as_ref().map_or(self.budget, |pair| pair.budget)
    }

    /// The bounds in a line, for the table.
    pub fn bounds(&self) -> String {
        let budget = self.bounded();
        let counts = [
            (u64::from(budget.drops), "lost"),
            (u64::from(budget.copies), "copied"),
            (u64::from(budget.refusals), "answered 500"),
            (u64::from(budget.outages), "outages"),
            (u64::from(budget.departures), "gone devices"),
            (u64::from(budget.crashes), "crashes"),
            (u64::from(budget.reboots), "restarts of an agent"),
            (u64::from(budget.replays), "replays"),
            (u64::from(budget.forgeries), "forgeries"),
            (u64::from(budget.jumps), "long waits"),
            (u64::from(budget.fires), "timers at any moment"),
            (budget.wishes.iter().map(|count| u64::from(*count)).sum(), "commands"),
        ];
        let parts = counts.iter().filter(|(count, _)| *count > 0);
        let parts: Vec<String> = parts.map(|(count, what)| format!("{count} {what}")).collect();
        let who = match &self.pair {
            Some(pair) if pair.invite => "INVITE client and server".to_owned(),
            Some(_) => "non-INVITE client and server".to_owned(),
            None => format!("{} users", self.users.len()),
        };
        format!("{who}; {}", parts.join(", "))
    }
}
