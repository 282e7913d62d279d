//! SUBSCRIBE to presence: new, again, the end; each with its NOTIFY.

use super::ring::Ring;
use crate::load::Nanos;
use crate::load::bench::{Bench, Limits, Next, Source};
use crate::load::client::{Client, Deed};
use crate::load::crowd::Package;
use crate::load::report::Report;
use presently::failure::Failure;
use std::ops::Range;

/// Subscriptions there are where they are set up beforehand and nobody said how many.
const USUAL: u32 = 10_000;

/// Subscriptions that were never there before.
pub(crate) fn new(bench: &mut Bench) -> Result<Report, Failure> {
    let users = bench.options.crowd();
    bench.measure(&mut Newcomers { users, next: 0 })
}

/// Subscriptions that are there, again and again.
pub(crate) fn refresh(bench: &mut Bench) -> Result<Report, Failure> {
    // The number is of subscriptions; how long they are refreshed is a matter of time.
    let count = bench.options.count.take();
    let dialogs = many(bench, count)?;
    bench.measure(&mut Ring::new(dialogs, |dialog| Deed::Subscribe { dialog }))
}

/// The end of subscriptions, until there are no more.
pub(crate) fn end(bench: &mut Bench) -> Result<Report, Failure> {
    let dialogs = many(bench, bench.options.count)?;
    let mut ends = Ending(dialogs);
    let limits = match bench.options.seconds {
        Some(_) => Limits::span(bench.options.span()),
        None => Limits::default(),
    };
    let pace = bench.options.pace();
    bench.measure_within(&mut ends, pace, limits)
}

/// Sets subscriptions up.
fn many(bench: &mut Bench, count: Option<u64>) -> Result<Range<u32>, Failure> {
    let count = count.map_or(USUAL, |count| count.min(u32::MAX.into()) as u32);
    let users = bench.options.crowd();
    let dialogs = add(&mut bench.client, users, count);
    bench.prepare("subscribing", dialogs.clone().map(|dialog| Deed::Subscribe { dialog }))?;
    Ok(dialogs)
}

/// Adds subscriptions nobody has asked for yet.
pub(crate) fn add(client: &mut Client, users: u32, count: u32) -> Range<u32> {
    let first = client.dialogs.len() as u32;
    for number in first..first + count {
        let (watcher, presentity) = pair(number, users);
        client.dialog(watcher, presentity, Package::Presence);
    }
    first..first + count
}

/// Who watches whom: everybody the next one, then everybody the one after that, and so on, so that
/// watchers are spread evenly and no pair comes twice before all have come.
pub(crate) fn pair(number: u32, users: u32) -> (u32, u32) {
    let (round, watcher) = (number / users, number % users);
    let step = 1 + round % users.saturating_sub(1).max(1);
    (watcher, ((u64::from(watcher) + u64::from(step)) % u64::from(users)) as u32)
}

/// A new subscription each time.
pub(crate) struct Newcomers {
    pub(crate) users: u32,
    pub(crate) next: u32,
}

impl Source for Newcomers {
    fn next(&mut self, client: &mut Client, _now: Nanos) -> Next {
        let (watcher, presentity) = pair(self.next, self.users);
        self.next += 1;
        Next::Begin(Deed::Subscribe {
            dialog: client.dialog(watcher, presentity, Package::Presence),
        })
    }
}

/// The end of one after the other.
pub(crate) struct Ending(pub(crate) Range<u32>);

impl Source for Ending {
    fn next(&mut self, _client: &mut Client, _now: Nanos) -> Next {
        self.0.next().map_or(Next::Over, |dialog| Next::Begin(Deed::End { dialog }))
    }
}
