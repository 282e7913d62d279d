//! A datagram as one line of text: when, who to whom, what, and what became of it.

use super::words;
use crate::record::{Entry, Fate, Record, What};
use presently::facts;
use presently_engine::message::Message;

/// One line for a datagram; nothing for anything else. No control character of anybody's text
/// gets into it.
///
/// ```text
///    2.010  alice ──▶ server  SUBSCRIBE sip:bob@example.org  Event: presence, Expires: 3600
///    2.020  server ─✕ alice   202 Accepted (SUBSCRIBE)  lost
/// ```
pub fn line(entry: &Entry, record: &Record) -> Option<String> {
    let What::Datagram { from, to, bytes, fate } = &entry.what else { return None };
    let arrow = if matches!(fate, Fate::Arrives { .. }) { "──▶" } else { "─✕ " };
    let (from, to) = (words::who(*from, record), words::who(*to, record));
    let mut text = format!("{:>8}  {from} {arrow} {to}  ", words::seconds(entry.at_ms));
    match Message::parse(bytes.clone()) {
        Ok(message) => {
            text.push_str(&facts::first_line(&message));
            let facts = facts::of(&message);
            if !facts.is_empty() {
                text.push_str("  ");
                text.push_str(&facts.join(", "));
            }
        }
        Err(_) => text.push_str(&format!("({} bytes that are not SIP)", bytes.len())),
    }
    if let Some(fate) = words::fate(*fate) {
        text.push_str("  ");
        text.push_str(fate);
    }
    Some(text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect())
}
