//! A model as data: who takes part, what they may do, and how often things may go wrong.

use crate::law::{Law, Sight};
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
    /// Commands, by purse.
    pub wishes: [u8; 6],
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
    /// What must hold.
    pub laws: Vec<Law>,
    /// What must be seen.
    pub sights: Vec<Sight>,
}

impl Plan {
    /// The bounds in a line, for the table.
    pub fn bounds(&self) -> String {
        let budget = &self.budget;
        let counts = [
            (u64::from(budget.drops), "lost"),
            (u64::from(budget.copies), "copied"),
            (u64::from(budget.refusals), "answered 500"),
            (u64::from(budget.outages), "outages"),
            (u64::from(budget.departures), "gone devices"),
            (u64::from(budget.crashes), "crashes"),
            (u64::from(budget.replays), "replays"),
            (u64::from(budget.forgeries), "forgeries"),
            (u64::from(budget.jumps), "long waits"),
            (budget.wishes.iter().map(|count| u64::from(*count)).sum(), "commands"),
        ];
        let parts = counts.iter().filter(|(count, _)| *count > 0);
        let parts: Vec<String> = parts.map(|(count, what)| format!("{count} {what}")).collect();
        format!("{} users; {}", self.users.len(), parts.join(", "))
    }
}
