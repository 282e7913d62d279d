//! Holds the expectations against the record: when somebody saw what was claimed, and what instead.
//!
//! What a device shows is folded from the events its user was told, moment by moment; the judge
//! looks at nothing else, no table of the server and no datagram. A program that crashes shows
//! nothing any more.

pub(crate) mod view;

use crate::plan::{Act, Claim, DeviceName, Expectation, Party, Plan, Step, When};
use crate::record::{Entry, Record, What};
use view::View;

/// What became of an expectation.
#[derive(Clone, PartialEq, Debug)]
pub struct Verdict {
    /// What was expected.
    pub expectation: Expectation,
    /// Whether it held.
    pub held: bool,
    /// The moment that decided, ms: when it came true, or when a `never` was broken.
    pub at_ms: Option<u64>,
    /// What was seen at last, for people.
    pub instead: String,
}

/// Judges every expectation of a plan, in their order.
pub fn judge(plan: &Plan, record: &Record) -> Vec<Verdict> {
    plan.expectations.iter().map(|expectation| verdict(expectation, record)).collect()
}

fn verdict(expectation: &Expectation, record: &Record) -> Verdict {
    let device = looker(&expectation.claim);
    let claim = &expectation.claim;
    let mut view = View::default();
    let (from, until) = match expectation.when {
        When::Within { from_ms, until_ms } => (from_ms, until_ms),
        When::Eventually => (record.ended_ms, record.ended_ms),
        When::Never { from_ms } => (from_ms, record.ended_ms),
    };
    // The view as it stands when the window opens is the first moment that counts.
    let theirs = |entry: &&Entry| match &entry.what {
        What::Told { device: whose, .. } | What::Stream { device: whose, .. } => whose == device,
        What::Step(Step { act: Act::Crash(Party::Device(whose)), .. }) => whose == device,
        What::Datagram { .. } | What::Step(_) | What::Trouble { .. } => false,
    };
    let mut moments = record.entries.iter().filter(theirs).peekable();
    while let Some(entry) = moments.next_if(|entry| entry.at_ms <= from) {
        follow(&mut view, entry);
    }
    let mut seen = view.shows(claim).then_some(from);
    while let Some(entry) = moments.next_if(|entry| seen.is_none() && entry.at_ms <= until) {
        follow(&mut view, entry);
        seen = view.shows(claim).then_some(entry.at_ms);
    }
    let never = matches!(expectation.when, When::Never { .. });
    Verdict {
        expectation: expectation.clone(),
        held: seen.is_some() != never,
        at_ms: seen,
        instead: view.describe(claim),
    }
}

fn follow(view: &mut View, entry: &Entry) {
    match &entry.what {
        What::Told { event, .. } => view.follow(event),
        What::Stream { name, played, .. } => view.streams(*name, *played),
        What::Step(_) => view.close(),
        What::Datagram { .. } | What::Trouble { .. } => {}
    }
}

/// Whose view a claim is about.
pub(crate) fn looker(claim: &Claim) -> &DeviceName {
    match claim {
        Claim::Sees { watcher, .. }
        | Claim::Subscribed { watcher, .. }
        | Claim::Offer { watcher, .. } => watcher,
        Claim::Watchers { owner, .. } => owner,
        Claim::Messages { reader, .. } => reader,
        Claim::Hears { listener, .. } => listener,
        Claim::Registered { device, .. } | Claim::Calls { device, .. } => device,
    }
}

#[cfg(test)]
pub(crate) mod tests;
