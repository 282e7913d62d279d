//! The record for programs: one JSON object a line, one line an entry, in the order of the record.
//!
//! Every object has `at_ms` and `kind`: `datagram`, `told`, `stream`, `step` or `trouble`. Octets
//! of a datagram are `text` where they are UTF-8, else `base64`; what a corrupted one was when it
//! arrived is `arrived`, in the same form.

use super::words;
use crate::plan::{DeviceName, Step};
use crate::record::{Entry, Fate, Record, What};
use crate::server::DOMAIN;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use presently::ua::Report;
use presently_engine::agent::Event;
use presently_engine::message::Aor;
use serde::Serialize;
use std::fmt::Write;
use std::net::SocketAddr;

/// A datagram's line. Fields come in this order.
#[derive(Serialize)]
struct Datagram {
    at_ms: u64,
    kind: &'static str,
    from: String,
    to: String,
    from_address: SocketAddr,
    to_address: SocketAddr,
    fate: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    arrives_ms: Option<u64>,
    #[serde(skip_serializing_if = "is_false")]
    copy: bool,
    #[serde(skip_serializing_if = "is_false")]
    corrupted: bool,
    #[serde(flatten)]
    octets: Octets,
    #[serde(skip_serializing_if = "Option::is_none")]
    arrived: Option<Octets>,
}

/// Text where it is text.
#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Octets {
    Text(String),
    Base64(String),
}

impl Octets {
    fn of(bytes: &[u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::Text(text.to_owned()),
            Err(_) => Self::Base64(STANDARD.encode(bytes)),
        }
    }
}

#[derive(Serialize)]
struct Taken<'a> {
    at_ms: u64,
    kind: &'static str,
    text: String,
    act: &'a crate::plan::Act,
}

#[derive(Serialize)]
struct Streaming {
    at_ms: u64,
    kind: &'static str,
    device: String,
    text: String,
    played: bool,
}

#[derive(Serialize)]
struct Trouble<'a> {
    at_ms: u64,
    kind: &'static str,
    party: String,
    why: &'a str,
}

/// All lines.
pub(super) fn write(record: &Record, seed: u64) -> serde_json::Result<String> {
    let mut text = String::new();
    for (mark, entry) in record.entries.iter().enumerate() {
        if let Some(line) = line(mark, entry, record, seed)? {
            text.push_str(&line);
            text.push('\n');
        }
    }
    Ok(text)
}

fn line(
    mark: usize,
    entry: &Entry,
    record: &Record,
    seed: u64,
) -> serde_json::Result<Option<String>> {
    let at_ms = entry.at_ms;
    let line = match &entry.what {
        What::Datagram { from, to, bytes, fate } => {
            let (arrives_ms, corrupted, copy) = match *fate {
                Fate::Arrives { after_ms, corrupted, copy } => {
                    (Some(at_ms + after_ms), corrupted, copy)
                }
                Fate::Lost | Fate::Cut | Fate::TooLarge | Fate::NobodyThere => (None, false, false),
            };
            let arrived = corrupted.then(|| Octets::of(&super::arrived(bytes, mark, seed)));
            serde_json::to_string(&Datagram {
                at_ms,
                kind: "datagram",
                from: words::who(*from, record),
                to: words::who(*to, record),
                from_address: *from,
                to_address: *to,
                fate: fate_name(*fate),
                arrives_ms,
                copy,
                corrupted,
                octets: Octets::of(bytes),
                arrived,
            })
        }
        What::Told { device, event } => return told(at_ms, device, event),
        What::Stream { device, name, played } => serde_json::to_string(&Streaming {
            at_ms,
            kind: "stream",
            device: device.to_string(),
            text: words::stream(*name, *played),
            played: *played,
        }),
        What::Step(Step { act, .. }) => {
            let text = super::step_text(act);
            serde_json::to_string(&Taken { at_ms, kind: "step", text, act })
        }
        What::Trouble { party, why } => serde_json::to_string(&Trouble {
            at_ms,
            kind: "trouble",
            party: party.to_string(),
            why,
        }),
    };
    line.map(Some)
}

/// What a user was told; nothing for what only the media ports are told.
fn told(at_ms: u64, device: &DeviceName, event: &Event) -> serde_json::Result<Option<String>> {
    let own = Aor::new(&device.user, DOMAIN);
    let Some(report) = Report::of(event, &own) else { return Ok(None) };
    let mut text = format!("{{\"at_ms\":{at_ms},\"kind\":\"told\",\"device\":");
    text.push_str(&serde_json::to_string(&device.to_string())?);
    // Writing to a String cannot fail.
    let _ = write!(text, ",\"event\":\"{}\"", report.name);
    for (name, value) in &report.fields {
        let _ = write!(text, ",\"{name}\":{value}");
    }
    text.push('}');
    Ok(Some(text))
}

fn fate_name(fate: Fate) -> &'static str {
    match fate {
        Fate::Arrives { .. } => "arrives",
        Fate::Lost => "lost",
        Fate::Cut => "cut",
        Fate::TooLarge => "too-large",
        Fate::NobodyThere => "nobody-there",
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands references")]
fn is_false(value: &bool) -> bool {
    !value
}
