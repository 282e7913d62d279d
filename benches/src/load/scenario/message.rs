//! MESSAGE from one registered user to the next: there through the server, and its 200 back.

use super::register::registrations;
use super::ring::Ring;
use crate::load::bench::Bench;
use crate::load::client::Deed;
use crate::load::report::Report;
use presently::failure::Failure;

/// Everybody writes to everybody else in turn.
pub(crate) fn relay(bench: &mut Bench) -> Result<Report, Failure> {
    let users = bench.options.crowd().max(2);
    bench.prepare("registering", registrations(users))?;
    bench.measure(&mut Ring::new(0..users, writer(users)))
}

/// What `from` writes next, in a circle of `users`: to somebody else each time.
pub(crate) fn writer(users: u32) -> impl FnMut(u32) -> Deed {
    let mut sent: u64 = 0;
    move |from| {
        sent += 1;
        let users = u64::from(users);
        let step = 1 + sent % (users - 1).max(1);
        Deed::Message { from, to: ((u64::from(from) + step) % users) as u32 }
    }
}
