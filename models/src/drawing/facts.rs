//! What is worth saying about a letter, in words that fit into a ladder.

use super::user_of;
use crate::wire::{Content, Letter};
use presently_engine::body::pidf::{Basic, Pidf};
use presently_engine::body::presrules::{AUTH_POLICY, Rules};
use presently_engine::body::winfo::{WATCHERINFO, WatcherInfo};
use presently_engine::message::{Headers, Message, Method, Name};

/// What a letter is: method or status, package, CSeq. It stays the same when the engine changes
/// what the letter says.
pub(crate) fn title(message: &Message) -> String {
    match message {
        Message::Request(request) => {
            let event = request.event().map(|event| format!(" {}", event.package));
            let number = request.cseq().map_or(0, |cseq| cseq.number);
            format!("{}{} {number}", request.method_text(), event.unwrap_or_default())
        }
        Message::Response(response) => {
            let cseq = response.cseq().map(|cseq| format!("{} {}", cseq.method, cseq.number));
            format!("{} to {}", response.status(), cseq.unwrap_or_default())
        }
    }
}

/// What else a letter says, each fact a few words.
pub(super) fn of(letter: &Letter) -> Vec<String> {
    let message = match &letter.content {
        Content::Sip(message) => message,
        Content::Media(_) => return Vec::new(),
    };
    let headers = message.headers();
    let mut facts = Vec::new();
    let mut header = |label: &str, name: Name| {
        facts.extend(headers.first(name).map(|value| format!("{label}{value}")));
    };
    header("", Name::SubscriptionState);
    header("Expires ", Name::Expires);
    header("ETag ", Name::SipEtag);
    header("If-Match ", Name::SipIfMatch);
    let is_digest = headers.first(Name::Authorization).is_some();
    facts.extend(is_digest.then(|| "with digest".to_owned()));
    let is_challenge = headers.first(Name::WwwAuthenticate).is_some();
    facts.extend(is_challenge.then(|| "challenge".to_owned()));
    if let Message::Request(request) = message {
        facts.extend(body(headers));
        if request.method() == Method::Message {
            facts.push(format!("“{}”", String::from_utf8_lossy(&request.body())));
        }
    }
    facts
}

fn body(headers: &Headers) -> Vec<String> {
    let Some(kind) = headers.content_type() else { return Vec::new() };
    let body = headers.body();
    if kind.is(WATCHERINFO) {
        return WatcherInfo::parse(&body).map(|document| winfo(&document)).unwrap_or_default();
    }
    if kind.is(AUTH_POLICY) {
        return Rules::parse(&body).map(|rules| decisions(&rules)).unwrap_or_default();
    }
    Pidf::parse(&body).map(|document| pidf(&document)).unwrap_or_default()
}

fn winfo(document: &WatcherInfo) -> Vec<String> {
    let form = if document.full { "full" } else { "partial" };
    let mut facts = vec![format!("v{} {form}", document.version)];
    let watchers = document.lists.iter().flat_map(|list| &list.watchers);
    facts.extend(watchers.map(|watcher| {
        let (who, status) = (user_of(&watcher.uri), watcher.status.as_str());
        format!("{who} {status} ({})", watcher.event.as_str())
    }));
    facts
}

fn decisions(rules: &Rules) -> Vec<String> {
    let verdicts = rules.verdicts.iter();
    verdicts
        .map(|(watcher, verdict)| format!("{} {}", verdict.handling.as_str(), watcher.user()))
        .collect()
}

/// What a presence document shows.
pub(super) fn pidf(document: &Pidf) -> Vec<String> {
    let mut facts = Vec::new();
    for tuple in &document.tuples {
        facts.extend(tuple.basic.map(|basic| match basic {
            Basic::Open => "open".to_owned(),
            Basic::Closed => "closed".to_owned(),
        }));
        facts.extend(tuple.notes.iter().map(|note| format!("“{}”", note.text)));
    }
    facts.extend(document.notes.iter().map(|note| format!("“{}”", note.text)));
    if facts.is_empty() {
        facts.push("nothing".to_owned());
    }
    facts
}
