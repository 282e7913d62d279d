//! What an office does all day, in the proportions that `--help` names.

use super::message;
use super::register::registrations;
use super::subscribe;
use crate::load::Nanos;
use crate::load::bench::{Bench, Next, Source};
use crate::load::client::{Client, Deed, Outcome};
use crate::load::crowd::Package;
use crate::load::report::Report;
use presently::failure::Failure;
use std::collections::VecDeque;

/// Watchers of each user.
const WATCHERS: u32 = 10;

/// What somebody does.
#[derive(Clone, Copy)]
enum Habit {
    Register,
    Refresh,
    Publish,
    Write,
    Come,
    Go,
}

/// How many operations of a hundred are of each kind. As many go as come, so that a server that
/// forgets whom it should keeps its size.
const MIX: [(Habit, usize); 6] = [
    (Habit::Register, 40),
    (Habit::Refresh, 30),
    (Habit::Publish, 15),
    (Habit::Write, 9),
    (Habit::Come, 3),
    (Habit::Go, 3),
];

/// Everybody is registered, published and watched by ten others when it begins.
pub(crate) fn day(bench: &mut Bench) -> Result<Report, Failure> {
    bench.watches_memory = true;
    let users = bench.options.crowd().max(2);
    bench.prepare("registering", registrations(users))?;
    bench.prepare("publishing", (0..users).map(|user| Deed::Publish { user }))?;
    let dialogs = subscribe::add(&mut bench.client, users, users * WATCHERS);
    bench.prepare("subscribing", dialogs.clone().map(|dialog| Deed::Subscribe { dialog }))?;
    let mut office = Office {
        users,
        turn: 0,
        met: users * WATCHERS,
        at_phone: (0..users).collect(),
        at_desk: (0..users).collect(),
        at_keyboard: (0..users).collect(),
        watching: dialogs.collect(),
        writer: Box::new(message::writer(users)),
    };
    bench.measure(&mut office)
}

/// Who is free to do what.
struct Office {
    users: u32,
    turn: usize,
    /// Subscriptions there have been so far.
    met: u32,
    at_phone: VecDeque<u32>,
    at_desk: VecDeque<u32>,
    at_keyboard: VecDeque<u32>,
    watching: VecDeque<u32>,
    writer: Box<dyn FnMut(u32) -> Deed>,
}

impl Office {
    /// The habit whose turn it is: kinds are spread over a hundred turns, so that each hundred has
    /// exactly the mix and no kind comes in a row.
    fn habit(&mut self) -> Habit {
        // 37 and 100 have no common divisor: a hundred turns are a hundred places.
        let place = self.turn * 37 % 100;
        self.turn += 1;
        let mut end = 0;
        let found = MIX.iter().find(|(_, share)| {
            end += share;
            place < end
        });
        found.map_or(Habit::Register, |(habit, _)| *habit)
    }
}

impl Source for Office {
    fn next(&mut self, client: &mut Client, _now: Nanos) -> Next {
        let deed = match self.habit() {
            Habit::Register => self.at_phone.pop_front().map(|user| Deed::Register { user }),
            Habit::Refresh => self.watching.pop_front().map(|dialog| Deed::Subscribe { dialog }),
            Habit::Publish => self.at_desk.pop_front().map(|user| Deed::Publish { user }),
            Habit::Write => self.at_keyboard.pop_front().map(&mut *self.writer),
            Habit::Come => {
                let (watcher, presentity) = subscribe::pair(self.met, self.users);
                self.met += 1;
                let dialog = client.dialog(watcher, presentity, Package::Presence);
                Some(Deed::Subscribe { dialog })
            }
            Habit::Go => self.watching.pop_front().map(|dialog| Deed::End { dialog }),
        };
        deed.map_or(Next::Wait, Next::Begin)
    }

    fn ended(&mut self, client: &mut Client, outcome: &Outcome) {
        match outcome.deed {
            Deed::Register { user } => self.at_phone.push_back(user),
            Deed::Publish { user } => self.at_desk.push_back(user),
            Deed::Message { from, .. } => self.at_keyboard.push_back(from),
            Deed::Subscribe { dialog } if client.dialogs[dialog as usize].remote.is_some() => {
                self.watching.push_back(dialog);
            }
            Deed::Subscribe { .. }
            | Deed::End { .. }
            | Deed::Unregister { .. }
            | Deed::Unpublish { .. }
            | Deed::Echo { .. } => {}
        }
    }
}
