//! The part of a record that explains why somebody did not see what was expected.

use crate::plan::Party;
use crate::record::{Entry, Record, What};
use crate::report::line::line;
use presently_engine::message::Message;
use std::net::SocketAddr;

/// The last messages until a moment that went from or to users and are about some methods.
pub(super) fn last(
    record: &Record,
    users: &[&str],
    methods: &[&str],
    until_ms: u64,
    count: usize,
) -> Vec<String> {
    let concerns = |address: &SocketAddr| {
        let mut owners = record.addresses.iter().filter(|(_, known)| known == address);
        owners.any(|(owner, _)| match owner {
            Party::Server => false,
            Party::Device(device) => users.contains(&&*device.user),
        })
    };
    let matters = |entry: &&Entry| match &entry.what {
        What::Datagram { from, to, bytes, .. } => {
            (concerns(from) || concerns(to))
                && Message::parse(bytes.clone())
                    .is_ok_and(|message| methods.contains(&method(&message)))
        }
        What::Told { .. } | What::Stream { .. } | What::Step(_) | What::Trouble { .. } => false,
    };
    let before = record.entries.partition_point(|entry| entry.at_ms <= until_ms);
    let last = record.entries[..before].iter().rev().filter(matters).take(count);
    let mut lines: Vec<String> = last.filter_map(|entry| line(entry, record)).collect();
    lines.reverse();
    lines
}

/// What went wrong with processes until a moment.
pub(super) fn troubles(record: &Record, until_ms: u64) -> Vec<(u64, String)> {
    let all = record.entries.iter().take_while(|entry| entry.at_ms <= until_ms);
    let all = all.filter_map(|entry| match &entry.what {
        What::Trouble { party, why } => Some((entry.at_ms, format!("{party}: {why}"))),
        What::Datagram { .. } | What::Told { .. } | What::Stream { .. } | What::Step(_) => None,
    });
    all.collect()
}

fn method(message: &Message) -> &str {
    match message {
        Message::Request(request) => request.method_text(),
        Message::Response(response) => response.cseq().map_or("?", |cseq| cseq.method),
    }
}
