//! What the user is told: an event of the agent as one line of text or one JSON object.
//!
//! Field names are those of behaviour §0.3. The JSON object is the event; the text line is read
//! off the same fields, so neither form knows more than the other.

mod talk;

use presently_engine::agent::{Event, MessagePhase, Package, SubscriptionPhase};
use presently_engine::body::pidf::{Basic, Mode, Note, Pidf, Tuple};
use presently_engine::message::Aor;
use serde_json::{Value, json};
use std::fmt::Write;

/// Every `event` value there is.
pub(crate) const NAMES: [&str; 18] = [
    "registered",
    "register-failed",
    "server-restarted",
    "logged-out",
    "published",
    "presence",
    "offer",
    "subscription",
    "watcher",
    "decided",
    "message",
    "message-status",
    "call",
    "flow",
    "media",
    "tables",
    "help",
    "error",
];

/// An event as it is told: its name and its fields in the order in which they are shown.
#[derive(Clone, PartialEq, Debug)]
pub struct Report {
    /// The event's name.
    pub name: &'static str,
    /// Field names and values.
    pub fields: Vec<(&'static str, Value)>,
}

/// A report with these fields, named as they are written here.
macro_rules! report {
    ($name:literal, $($field:ident = $value:expr),*) => {
        $crate::ua::report::Report {
            name: $name,
            fields: vec![$((stringify!($field), serde_json::json!($value))),*],
        }
    };
}
use report;

impl Report {
    /// Something the user should know and nothing else says.
    pub fn error(what: &str, why: &str) -> Self {
        report!("error", what = what, why = why)
    }

    /// The report of an event of `own`'s agent; `None` for one that is meant for the media ports.
    pub fn of(event: &Event, own: &Aor) -> Option<Self> {
        Some(match event {
            Event::Registered { expires } => {
                report!("registered", aor = own.as_str(), expires = expires)
            }
            Event::RegisterFailed { status, reason, retry_ms } => report!(
                "register-failed",
                aor = own.as_str(),
                status = status,
                reason = reason,
                retry_ms = retry_ms
            ),
            Event::ServerRestarted => report!("server-restarted",),
            Event::LoggedOut => report!("logged-out",),
            Event::Published { etag, expires } => {
                report!("published", etag = etag, expires = expires)
            }
            Event::Presence { aor, document } => presence(aor, document),
            Event::Offer { aor, tuple, media, address, codecs, mode } => report!(
                "offer",
                aor = aor.as_str(),
                tuple = tuple,
                media = media,
                mode = mode.map_or("gone", mode_name),
                address = address,
                port = address.as_deref().and_then(port),
                codecs = codecs,
                usable_codec = codecs.iter().find(|codec| super::media::is_known(media, codec))
            ),
            Event::Subscription { target, package, phase, reason, expires } => report!(
                "subscription",
                target = target.as_str(),
                package = package_name(*package),
                state = phase_name(*phase),
                reason = reason,
                expires = expires
            ),
            Event::Watcher { resource, id, uri, status, cause, name } => report!(
                "watcher",
                resource = resource.as_str(),
                id = id,
                uri = uri,
                status = status.as_str(),
                cause = cause.as_str(),
                name = name
            ),
            Event::Decided { watcher, status } => {
                report!("decided", watcher = watcher.as_str(), status = status)
            }
            Event::Message { .. }
            | Event::MessageStatus { .. }
            | Event::Call { .. }
            | Event::Flow { .. }
            | Event::MediaPacket { .. }
            | Event::MediaWelcome { .. }
            | Event::MediaBye { .. } => return talk::report(event),
            Event::Error { what, why } => Self::error(what, why),
        })
    }

    /// The value of a field as `wait` compares it: text without quotes.
    pub fn field(&self, name: &str) -> Option<String> {
        let (_, value) = self.fields.iter().find(|(field, _)| *field == name)?;
        Some(match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        })
    }

    /// One JSON object on one line.
    pub fn to_json(&self, at_ms: u64) -> String {
        let mut line = format!("{{\"event\":\"{}\",\"at_ms\":{at_ms}", self.name);
        for (name, value) in &self.fields {
            // Writing to a String cannot fail.
            let _ = write!(line, ",\"{name}\":{value}");
        }
        line.push('}');
        line
    }

    /// One line of text: the event's name, then `field=value`. Absent fields are left out.
    pub fn to_text(&self) -> String {
        let mut line = self.name.to_owned();
        for (name, value) in &self.fields {
            if matches!(value, Value::Null) || value.as_array().is_some_and(Vec::is_empty) {
                continue;
            }
            // Writing to a String cannot fail.
            let _ = write!(line, " {name}={}", plain(value));
        }
        line
    }
}

/// A value in a text line: a bare word where that is unambiguous, else a JSON value. JSON escapes
/// every control character, so nobody else's text can move the reader's terminal.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) if is_word(text) => text.clone(),
        other => other.to_string().replace('\u{7f}', "\\u007f"),
    }
}

fn is_word(text: &str) -> bool {
    !text.is_empty()
        && text.chars().all(|c| !c.is_whitespace() && !c.is_control() && !"\"\\{}[]".contains(c))
}

fn presence(aor: &Aor, document: &Pidf) -> Report {
    let tuples: Vec<Value> = document.tuples.iter().map(tuple).collect();
    let open = document.tuples.iter().any(|tuple| tuple.basic == Some(Basic::Open));
    let known = document.tuples.iter().any(|tuple| tuple.basic.is_some());
    let basic = known.then_some(if open { "open" } else { "closed" });
    let of_tuples = document.tuples.iter().flat_map(|tuple| &tuple.notes);
    let note = of_tuples.chain(&document.notes).next().map(|note| &note.text);
    report!(
        "presence",
        aor = aor.as_str(),
        basic = basic,
        note = note,
        tuples = tuples,
        notes = notes(&document.notes)
    )
}

/// A tuple under the names of PIT. An offer's secret or token is never told.
pub(crate) fn tuple(tuple: &Tuple) -> Value {
    let mut value = json!({
        "id": tuple.id,
        "status": tuple.basic.map(basic_name),
        "contact": tuple.contact,
        "note": notes(&tuple.notes),
        "timestamp": tuple.timestamp,
    });
    if let Some(offer) = &tuple.offer {
        value["media"] = json!(offer.media);
        value["port"] = json!(offer.port);
        value["codec"] = json!(offer.codecs.iter().map(|codec| &codec.rtpmap).collect::<Vec<_>>());
        value["direct_mode"] = json!(mode_name(offer.mode));
    }
    value
}

/// The port of `host:port`.
fn port(address: &str) -> Option<u16> {
    address.rsplit_once(':')?.1.parse().ok()
}

fn notes(notes: &[Note]) -> Value {
    notes.iter().map(|note| json!(note.text)).collect()
}

pub(crate) fn basic_name(basic: Basic) -> &'static str {
    match basic {
        Basic::Open => "open",
        Basic::Closed => "closed",
    }
}

pub(crate) fn mode_name(mode: Mode) -> &'static str {
    match mode {
        Mode::Ready => "ready",
        Mode::Busy => "busy",
        Mode::Off => "off",
    }
}

pub(crate) fn package_name(package: Package) -> &'static str {
    match package {
        Package::Presence => "presence",
        Package::Winfo => "presence.winfo",
    }
}

pub(crate) fn phase_name(phase: SubscriptionPhase) -> &'static str {
    match phase {
        SubscriptionPhase::Trying => "trying",
        SubscriptionPhase::Pending => "pending",
        SubscriptionPhase::Active => "active",
        SubscriptionPhase::Terminated => "terminated",
    }
}

pub(crate) fn message_phase_name(phase: MessagePhase) -> &'static str {
    match phase {
        MessagePhase::Queued => "queued",
        MessagePhase::Sending => "sending",
        MessagePhase::Delivered => "delivered",
        MessagePhase::Stored => "stored",
        MessagePhase::Failed => "failed",
    }
}

#[cfg(test)]
mod tests;
