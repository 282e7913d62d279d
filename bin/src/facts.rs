//! What is worth saying about a message beside its first line, in words that fit into a ladder.
//!
//! Says that there are credentials, never what they are.

use presently_engine::body::pidf::{Basic, Pidf};
use presently_engine::body::presrules::{AUTH_POLICY, Rules};
use presently_engine::body::winfo::{WATCHERINFO, WatcherInfo};
use presently_engine::message::{Contacts, Headers, Message, Method, Name, Request, Response};

/// The first line as the ladder shows it.
pub fn first_line(message: &Message) -> String {
    match message {
        Message::Request(request) => format!("{} {}", request.method_text(), request.uri()),
        Message::Response(response) => {
            let method = response.cseq().map_or("?", |cseq| cseq.method);
            format!("{} {} ({method})", response.status(), response.reason())
        }
    }
}

/// The facts, each short enough for a line of its own.
pub fn of(message: &Message) -> Vec<String> {
    match message {
        Message::Request(request) => of_request(request),
        Message::Response(response) => of_response(response),
    }
}

fn of_request(request: &Request) -> Vec<String> {
    let mut facts = Vec::new();
    if let Some(event) = request.event() {
        facts.push(format!("Event: {}", event.package));
    }
    if let Some(state) = request.subscription_state() {
        let reason = state.reason.map(|reason| format!(";reason={reason}")).unwrap_or_default();
        facts.push(format!("Subscription-State: {}{reason}", state.state));
    }
    if request.subscription_state().is_none() {
        facts.extend(request.seconds(Name::Expires).map(|span| format!("Expires: {span}")));
    }
    facts.extend(request.first(Name::SipIfMatch).map(|_| "SIP-If-Match".to_owned()));
    let credentials = [Name::Authorization, Name::ProxyAuthorization];
    facts.extend(credentials.iter().find_map(|name| request.first(*name)).map(credentials_fact));
    facts.extend(request.first(Name::DmStored).map(|_| "DM-Stored: yes".to_owned()));
    facts.extend(of_body(request));
    if request.method() == Method::Message {
        facts.push(format!("{:?}", String::from_utf8_lossy(&request.body())));
    }
    facts
}

fn of_response(response: &Response) -> Vec<String> {
    let mut facts = Vec::new();
    let challenges = [Name::WwwAuthenticate, Name::ProxyAuthenticate];
    let challenges = challenges.iter().flat_map(|name| response.lines(*name));
    let algorithms: Vec<&str> =
        challenges.filter_map(|challenge| parameter(challenge, "algorithm")).collect();
    if !algorithms.is_empty() {
        facts.push(format!("Digest {}", algorithms.join(" or ")));
    }
    if let Ok(Contacts::List(bindings)) = response.contacts()
        && response.cseq().is_ok_and(|cseq| cseq.method == "REGISTER")
    {
        let span = bindings.first().and_then(|binding| binding.params.raw("expires"));
        facts.push(format!("bindings: {}, expires={}", bindings.len(), span.unwrap_or("-")));
    }
    facts.extend(response.seconds(Name::Expires).map(|span| format!("Expires: {span}")));
    facts.extend(response.seconds(Name::MinExpires).map(|span| format!("Min-Expires: {span}")));
    facts.extend(response.first(Name::SipEtag).map(|etag| format!("SIP-ETag: {etag}")));
    facts
}

fn credentials_fact(value: &str) -> String {
    let of = |name| parameter(value, name).unwrap_or("-");
    format!("digest {} {}", of("algorithm"), of("qop"))
}

fn of_body(headers: &Headers) -> Vec<String> {
    let Some(kind) = headers.content_type() else { return vec![] };
    let body = headers.body();
    if kind.is(WATCHERINFO) {
        return WatcherInfo::parse(&body).map(|document| of_winfo(&document)).unwrap_or_default();
    }
    if kind.is(AUTH_POLICY) {
        return Rules::parse(&body).map(|rules| of_rules(&rules)).unwrap_or_default();
    }
    Pidf::parse(&body).map(|document| of_pidf(&document)).unwrap_or_default()
}

fn of_winfo(document: &WatcherInfo) -> Vec<String> {
    let form = if document.full { "full" } else { "partial" };
    let mut facts = vec![format!("version {} {form}", document.version)];
    let watchers = document.lists.iter().flat_map(|list| &list.watchers);
    facts.extend(watchers.map(|watcher| {
        let who = user_of(&watcher.uri);
        format!("{who} {}/{}", watcher.status.as_str(), watcher.event.as_str())
    }));
    facts
}

fn of_rules(rules: &Rules) -> Vec<String> {
    let decided = rules.verdicts.iter();
    decided
        .map(|(watcher, verdict)| format!("{} {}", verdict.handling.as_str(), watcher.user()))
        .collect()
}

fn of_pidf(document: &Pidf) -> Vec<String> {
    let mut facts = Vec::new();
    for tuple in &document.tuples {
        facts.extend(tuple.basic.map(|basic| match basic {
            Basic::Open => "open".to_owned(),
            Basic::Closed => "closed".to_owned(),
        }));
        facts.extend(tuple.notes.iter().map(|note| format!("{:?}", note.text)));
        facts.extend(
            tuple.offer.iter().map(|offer| {
                format!("{} {}", offer.media, crate::ua::report::mode_name(offer.mode))
            }),
        );
    }
    facts.extend(document.notes.iter().map(|note| format!("{:?}", note.text)));
    if document.tuples.is_empty() {
        facts.push("no tuple".to_owned());
    }
    facts
}

/// The user part of a SIP URI, for a picture that has room for a name only.
pub fn user_of(uri: &str) -> &str {
    let rest = uri.split_once(':').map_or(uri, |(_, rest)| rest);
    rest.split_once('@').map_or(rest, |(user, _)| user)
}

/// The value of a digest parameter, without quotes. Good enough for a picture of our own messages.
fn parameter<'a>(value: &'a str, name: &str) -> Option<&'a str> {
    let (_, parameters) = value.split_once(' ')?;
    let mut pairs = parameters.split(',').filter_map(|pair| pair.trim().split_once('='));
    let (_, found) = pairs.find(|(key, _)| key.eq_ignore_ascii_case(name))?;
    Some(found.trim_matches('"'))
}
