//! REGISTER: of newcomers, again, and with digest in its two costs.

use super::ring::Ring;
use crate::load::Nanos;
use crate::load::bench::{Bench, Next, Source};
use crate::load::client::{Client, Deed};
use crate::load::report::Report;
use presently::failure::Failure;

/// Users who were never seen before, until there are no more.
pub(crate) fn new(bench: &mut Bench) -> Result<Report, Failure> {
    let users = bench.options.users.unwrap_or(u32::MAX);
    bench.measure(&mut Newcomers { next: 0, users })
}

struct Newcomers {
    next: u32,
    users: u32,
}

impl Source for Newcomers {
    fn next(&mut self, _client: &mut Client, _now: Nanos) -> Next {
        if self.next == self.users {
            return Next::Over;
        }
        self.next += 1;
        Next::Begin(Deed::Register { user: self.next - 1 })
    }
}

/// Registered users. Those who were challenged use their nonce on.
pub(crate) fn refresh(bench: &mut Bench) -> Result<Report, Failure> {
    let users = bench.options.crowd();
    bench.prepare("registering", registrations(users))?;
    bench.measure(&mut Ring::new(0..users, |user| Deed::Register { user }))
}

/// Registered users who forget what they were told: 401 each time.
pub(crate) fn challenged(bench: &mut Bench) -> Result<Report, Failure> {
    bench.client.house.forgets_nonces = true;
    refresh(bench)
}

/// Everybody, once.
pub(crate) fn registrations(users: u32) -> impl Iterator<Item = Deed> {
    (0..users).map(|user| Deed::Register { user })
}
