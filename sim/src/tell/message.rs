//! One datagram of a record in one line: when, from whom to whom, what it said, what became of it.

use crate::plan::Party;
use crate::record::{Fate, Record, What};
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
    let mut lines = Vec::new();
    for entry in record.entries.iter().rev().skip_while(|entry| entry.at_ms > until_ms) {
        let What::Datagram { from, to, bytes, fate } = &entry.what else { continue };
        let concerns = [from, to].iter().any(|address| belongs(record, **address, users));
        let Ok(message) = Message::parse(bytes.clone()) else { continue };
        if lines.len() < count && concerns && methods.contains(&method(&message)) {
            let (from, to) = (name(record, *from), name(record, *to));
            let at = format!("{}.{:03}", entry.at_ms / 1000, entry.at_ms % 1000);
            let way = format!("{from} → {to}");
            lines.push(format!("{at:>8}  {way:<18} {}  {}", said(&message), became(*fate)));
        }
    }
    lines.reverse();
    lines
}

/// What went wrong with processes until a moment.
pub(super) fn troubles(record: &Record, until_ms: u64) -> Vec<(u64, String)> {
    let all = record.entries.iter().take_while(|entry| entry.at_ms <= until_ms);
    let all = all.filter_map(|entry| match &entry.what {
        What::Trouble { party, why } => Some((entry.at_ms, format!("{party}: {why}"))),
        What::Datagram { .. } | What::Told { .. } | What::Step(_) => None,
    });
    all.collect()
}

fn belongs(record: &Record, address: SocketAddr, users: &[&str]) -> bool {
    let mut owners = record.addresses.iter().filter(|(_, known)| *known == address);
    owners.any(|(owner, _)| match owner {
        Party::Server => false,
        Party::Device(device) => users.contains(&&*device.user),
    })
}

fn name(record: &Record, address: SocketAddr) -> String {
    let owner = record.addresses.iter().find(|(_, known)| *known == address);
    owner.map_or_else(|| format!("stranger {address}"), |(party, _)| party.to_string())
}

fn method(message: &Message) -> &str {
    match message {
        Message::Request(request) => request.method_text(),
        Message::Response(response) => response.cseq().map_or("?", |cseq| cseq.method),
    }
}

fn said(message: &Message) -> String {
    match message {
        Message::Response(response) => {
            format!("{} {} ({})", response.status(), response.reason(), method(message))
        }
        Message::Request(request) => {
            let event = request.event().map(|event| format!(" Event: {}", event.package));
            let state = request.subscription_state().map(|state| {
                let reason = state.reason.map(|reason| format!(";reason={reason}"));
                format!(", {}{}", state.state, reason.unwrap_or_default())
            });
            let parts = [event, state].into_iter().flatten().collect::<String>();
            format!("{}{parts}", request.method_text())
        }
    }
}

fn became(fate: Fate) -> String {
    match fate {
        Fate::Arrives { after_ms, corrupted, copy } => {
            let copy = if copy { ", a copy" } else { "" };
            let corrupted = if corrupted { ", CORRUPTED" } else { "" };
            format!("arrives after {after_ms} ms{copy}{corrupted}")
        }
        Fate::Lost => "LOST".to_owned(),
        Fate::Cut => "CUT".to_owned(),
        Fate::TooLarge => "TOO LARGE".to_owned(),
        Fate::NobodyThere => "NOBODY THERE".to_owned(),
    }
}
