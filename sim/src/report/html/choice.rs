//! What is drawn when all would be too much: the devices that the expectations are about, and of
//! their entries those that led to the first failure.

use super::super::{matters, moment, spans, words};
use crate::judge::Verdict;
use crate::plan::{Party, Plan};
use crate::record::{Entry, Record, What};

/// So many devices have a lifeline each.
const DEVICES: usize = 12;
/// The most entries that are drawn: more make a page that no browser likes.
const ENTRIES: usize = 4000;

/// What is drawn.
pub(super) struct Choice {
    /// Devices with a lifeline, in the plan's order.
    pub(super) devices: Vec<Party>,
    /// Devices without.
    pub(super) others: Vec<Party>,
    /// Places in the record of the entries that are drawn, ascending.
    pub(super) marks: Vec<usize>,
}

impl Choice {
    pub(super) fn of(plan: &Plan, record: &Record, verdicts: &[Verdict]) -> Self {
        let (devices, others) = devices(plan, verdicts);
        let entries = record.entries.iter().enumerate();
        let near = entries.filter(|(_, entry)| !concerns_only(&others, entry, record));
        let marks: Vec<usize> = near.map(|(mark, _)| mark).collect();
        let failed = verdicts.iter().filter(|verdict| !verdict.held);
        let decisive = failed.map(|verdict| moment(verdict, record)).min();
        let end = decisive.map_or(0, |at_ms| {
            // A little of what came after belongs to the picture.
            marks.partition_point(|mark| record.entries[*mark].at_ms <= at_ms) + ENTRIES / 10
        });
        let end = end.max(ENTRIES).min(marks.len());
        let marks = marks[end.saturating_sub(ENTRIES)..end].to_vec();
        Self { devices, others, marks }
    }
}

/// Those with a lifeline: of many, first the failed expectations' devices, then the others'.
fn devices(plan: &Plan, verdicts: &[Verdict]) -> (Vec<Party>, Vec<Party>) {
    let mut all = spans::parties(plan);
    all.retain(|party| *party != Party::Server);
    let rank = |party: &Party| {
        let about = |held: bool| {
            let theirs = |verdict: &&Verdict| matters(party, &verdict.expectation.claim);
            verdicts.iter().filter(|verdict| verdict.held == held).any(|verdict| theirs(&verdict))
        };
        (!about(false), !about(true))
    };
    let mut ranked: Vec<&Party> = all.iter().collect();
    ranked.sort_by_key(|party| rank(party));
    let chosen: Vec<Party> = ranked.into_iter().take(DEVICES).cloned().collect();
    all.into_iter().partition(|party| chosen.contains(party))
}

/// Whether an entry is only about devices without a lifeline.
fn concerns_only(others: &[Party], entry: &Entry, record: &Record) -> bool {
    let is_other = |party: &Party| others.contains(party);
    match &entry.what {
        What::Datagram { from, to, .. } => {
            let ends = [from, to].map(|address| words::party(*address, record));
            ends.into_iter().flatten().any(is_other)
        }
        What::Told { device, .. } | What::Stream { device, .. } => {
            is_other(&Party::Device(device.clone()))
        }
        What::Step(step) => words::act(&step.act).0.is_some_and(|party| is_other(&party)),
        What::Trouble { party, .. } => is_other(party),
    }
}
