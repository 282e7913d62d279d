//! How challenges, credentials and their confirmation are written: rules for all of a busy day.

use crate::messages::said::{Said, all, everything};
use presently_engine::message::{Message, Name};
use std::collections::BTreeMap;

/// Name and value, quotes included, of every parameter after the scheme.
fn params(line: &str) -> BTreeMap<String, String> {
    let list = line.strip_prefix("Digest ").unwrap_or(line);
    let mut found = BTreeMap::new();
    for param in list.split(", ") {
        let (name, value) = param.split_once('=').expect("name=value");
        let before = found.insert(name.to_owned(), value.to_owned());
        assert_eq!(before, None, "{line}");
    }
    found
}

fn is_quoted(value: &str) -> bool {
    value.len() >= 2 && value.starts_with('"') && value.ends_with('"')
}

/// Whether of these parameters the first are quoted and the others are not, where they are given.
fn is_written_right(line: &str, quoted: &[&str], bare: &[&str]) -> bool {
    let params = params(line);
    let get = |name: &&str| params.get(*name);
    quoted.iter().filter_map(get).all(|value| is_quoted(value))
        && bare.iter().filter_map(get).all(|value| !is_quoted(value))
        && params.keys().all(|name| quoted.contains(&&**name) || bare.contains(&&**name))
}

fn lines<'a>(said: &'a Said, names: &'a [Name]) -> impl Iterator<Item = &'a str> {
    names.iter().flat_map(|name| said.head().lines(*name))
}

const CHALLENGES: &[Name] = &[Name::WwwAuthenticate, Name::ProxyAuthenticate];
const CREDENTIALS: &[Name] = &[Name::Authorization, Name::ProxyAuthorization];

/// RFC 7616 §3.3; RFC 8760 §2.6: no Basic, always a qop.
#[test]
fn challenges_are_written_as_the_grammar_wants() {
    let (quoted, bare) = (["realm", "domain", "nonce", "opaque", "qop"], ["stale", "algorithm"]);
    everything(|said| {
        lines(said, CHALLENGES).all(|line| {
            line.starts_with("Digest ")
                && line.matches("Digest ").count() == 1
                && is_written_right(line, &quoted, &bare)
                && params(line).contains_key("qop")
        })
    });
    let all = all();
    let stale = all.iter().flat_map(|said| lines(said, CHALLENGES)).filter(|l| l.contains("stale"));
    assert!(stale.count() > 0, "a nonce went stale that day");
}

/// RFC 7616 §3.4; RFC 3261 §22.4 and RFC 8760 §2.6 item 2: `uri` in quotes.
#[test]
fn credentials_are_written_as_the_grammar_wants() {
    let quoted = ["username", "realm", "nonce", "uri", "response", "cnonce", "opaque"];
    let bare = ["algorithm", "qop", "nc"];
    everything(|said| {
        lines(said, CREDENTIALS).all(|line| {
            let params = params(line);
            line.starts_with("Digest ")
                && is_written_right(line, &quoted, &bare)
                && ["cnonce", "nc", "qop", "uri"].iter().all(|name| params.contains_key(*name))
                && params["nc"].len() == 8
        })
    });
    let all = all();
    let sent = all.iter().filter(|said| lines(said, CREDENTIALS).count() > 0);
    assert!(sent.count() > 10);
}

/// RFC 7616 §3.4.6: what is signed is what is asked.
#[test]
fn the_digest_uri_is_the_request_uri() {
    everything(|said| {
        lines(said, CREDENTIALS).all(|line| {
            let uri = params(line)["uri"].clone();
            Some(uri.trim_matches('"')) == said.request_uri()
        })
    });
}

/// RFC 7616 §3.5.
#[test]
fn confirmations_are_written_as_the_grammar_wants() {
    let (quoted, bare) = (["nextnonce", "rspauth", "cnonce"], ["qop", "nc"]);
    everything(|said| {
        lines(said, &[Name::AuthenticationInfo]).all(|line| {
            let params = params(line);
            let together = ["rspauth", "cnonce", "nc", "qop"].map(|name| params.contains_key(name));
            is_written_right(line, &quoted, &bare)
                && (together == [true; 4] || together == [false; 4])
                && params.get("nc").is_none_or(|nc| {
                    nc.len() == 8 && nc.bytes().all(|digit| digit.is_ascii_hexdigit())
                })
        })
    });
    let all = all();
    let confirmed = all.iter().filter(|said| said.head().first(Name::AuthenticationInfo).is_some());
    assert!(confirmed.count() > 0);
}

/// RFC 7616 §3.5: a confirmation repeats `cnonce` and `nc` of the very request it confirms.
#[test]
fn a_confirmation_is_about_its_own_request() {
    let all = all();
    let mut asked = BTreeMap::new();
    let mut confirmed = 0;
    for said in &all {
        let head = said.head();
        let key = (
            head.call_id().expect("a Call-ID").to_owned(),
            head.cseq().expect("a CSeq").number,
            said.method().to_owned(),
        );
        match &said.message {
            Message::Request(_) => {
                if let Some(line) = lines(said, CREDENTIALS).next() {
                    let params = params(line);
                    asked.insert(key, (params["cnonce"].clone(), params["nc"].clone()));
                }
            }
            Message::Response(_) => {
                let info = head.first(Name::AuthenticationInfo).map(params);
                if let Some(info) = info.filter(|info| info.contains_key("nc")) {
                    let pair = (info["cnonce"].clone(), info["nc"].clone());
                    assert_eq!(asked.get(&key), Some(&pair), "{}", said.text());
                    confirmed += 1;
                }
            }
        }
    }
    assert!(confirmed > 0);
}
