//! What a run leaves behind for people and programs: a page, a capture, the record as lines, the
//! verdicts for CI and the capsule. Equal records give equal files, byte for byte.

mod html;
mod jsonl;
mod junit;
pub mod line;
mod pcap;
mod spans;
mod words;

use crate::chance::Chance;
use crate::judge::{Verdict, looker};
use crate::network;
use crate::plan::{Act, Claim, Party, Plan, When};
use crate::record::{Entry, Fate, Record, What};
use crate::replay;
use bytes::Bytes;
use std::io;
use std::net::SocketAddr;
use std::path::Path;

/// Writes `report.html`, `trace.pcap`, `trace.jsonl`, `junit.xml` and `capsule.json` into a folder,
/// which is made if it is not there.
///
/// # Errors
/// The folder or a file that cannot be written.
pub fn write(dir: &Path, plan: &Plan, record: &Record, verdicts: &[Verdict]) -> io::Result<()> {
    std::fs::create_dir_all(dir)?;
    std::fs::write(dir.join("report.html"), html::page(plan, record, verdicts)?)?;
    std::fs::write(dir.join("trace.pcap"), pcap::write(&arrivals(record, plan.seed)))?;
    std::fs::write(dir.join("trace.jsonl"), jsonl::write(record, plan.seed)?)?;
    std::fs::write(dir.join("junit.xml"), junit::write(plan, record, verdicts))?;
    std::fs::write(dir.join("capsule.json"), replay::capsule(plan, record).text())
}

/// A datagram as its receiver got it.
struct Arrival {
    at_ms: u64,
    from: SocketAddr,
    to: SocketAddr,
    bytes: Bytes,
}

/// Every datagram that somebody got, in the order in which they were sent.
fn arrivals(record: &Record, seed: u64) -> Vec<Arrival> {
    let marked = record.entries.iter().enumerate();
    let arrived = marked.filter_map(|(mark, entry)| match &entry.what {
        What::Datagram { from, to, bytes, fate: Fate::Arrives { after_ms, corrupted, .. } } => {
            let bytes = match corrupted {
                true => arrived(bytes, mark, seed),
                false => bytes.clone(),
            };
            Some(Arrival { at_ms: entry.at_ms + after_ms, from: *from, to: *to, bytes })
        }
        What::Datagram { .. }
        | What::Told { .. }
        | What::Stream { .. }
        | What::Step(_)
        | What::Trouble { .. } => None,
    });
    arrived.collect()
}

/// What a corrupted datagram was when it arrived; `mark` is its place in the record.
fn arrived(bytes: &Bytes, mark: usize, seed: u64) -> Bytes {
    network::corrupt(Chance::new(seed), bytes, mark)
}

/// A step in words, with whom it is about.
fn step_text(act: &Act) -> String {
    match words::act(act) {
        (Some(party), text) => format!("{party}: {text}"),
        (None, text) => text,
    }
}

/// What a verdict says, for people.
fn outcome(verdict: &Verdict) -> String {
    let at = verdict.at_ms.map(words::seconds);
    match (verdict.held, verdict.expectation.when, at) {
        (true, When::Never { .. }, _) => "never happened".to_owned(),
        (true, _, Some(at)) => format!("came true at {at} s"),
        (true, _, None) => "held".to_owned(),
        (false, When::Never { .. }, Some(at)) => {
            format!(
                "happened at {at} s: {} {}",
                looker(&verdict.expectation.claim),
                verdict.instead
            )
        }
        (false, _, _) => {
            format!("instead, {} {}", looker(&verdict.expectation.claim), verdict.instead)
        }
    }
}

/// The last lines that mattered to a verdict: datagrams of the one who looks and of the one who is
/// looked at, up to the moment that decided.
fn last_messages(verdict: &Verdict, record: &Record, most: usize) -> Vec<String> {
    let until = moment(verdict, record);
    let theirs = |entry: &&Entry| match &entry.what {
        What::Datagram { from, to, .. } => [from, to].into_iter().any(|address| {
            let party = words::party(*address, record);
            party.is_some_and(|party| matters(party, &verdict.expectation.claim))
        }),
        What::Told { .. } | What::Stream { .. } | What::Step(_) | What::Trouble { .. } => false,
    };
    let before = record.entries.partition_point(|entry| entry.at_ms <= until);
    let mut last: Vec<&Entry> =
        record.entries[..before].iter().rev().filter(theirs).take(most).collect();
    last.reverse();
    last.into_iter().filter_map(|entry| line::line(entry, record)).collect()
}

/// The moment that decided, or the last one that was looked at.
fn moment(verdict: &Verdict, record: &Record) -> u64 {
    let last = match verdict.expectation.when {
        When::Within { until_ms, .. } => until_ms.min(record.ended_ms),
        When::Eventually | When::Never { .. } => record.ended_ms,
    };
    verdict.at_ms.unwrap_or(last)
}

/// Whether a party has to do with a claim.
fn matters(party: &Party, claim: &Claim) -> bool {
    let Party::Device(device) = party else { return false };
    let whom = match claim {
        Claim::Sees { whom, .. }
        | Claim::Subscribed { whom, .. }
        | Claim::Offer { whom, .. }
        | Claim::Hears { whom, .. }
        | Claim::Calls { whom, .. } => Some(whom),
        Claim::Watchers { .. } | Claim::Messages { .. } | Claim::Registered { .. } => None,
    };
    device == looker(claim) || whom == Some(&device.user)
}

#[cfg(test)]
mod tests;
