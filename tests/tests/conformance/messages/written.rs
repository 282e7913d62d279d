//! What we write: rules that hold for every message of a busy day.

use super::said::{Said, all, everything};
use presently_engine::message::{Method, Name, NameAddr, Params, Uri};
use presently_tests::stage::DAWN;
use presently_tests::world::SERVER;
use std::collections::BTreeSet;

/// RFC 3261 §7.
#[test]
fn every_line_ends_with_crlf_and_an_empty_line_ends_the_head() {
    everything(|said| {
        let (head, _) = said.text().split_once("\r\n\r\n").expect("an empty line");
        let bare = head.replace("\r\n", "");
        !bare.contains(['\r', '\n']) && head.lines().all(|line| !line.is_empty())
    });
}

/// RFC 3261 §7.1.
#[test]
fn every_start_line_names_the_version_in_upper_case_and_a_clean_uri() {
    everything(|said| {
        let line = said.lines().split("\r\n").next().expect("a start line");
        let words: Vec<_> = line.split(' ').collect();
        match said.request_uri() {
            Some(uri) => {
                let unclean = |letter: char| letter.is_ascii_control() || "<> \"".contains(letter);
                words.len() == 3 && words[2] == "SIP/2.0" && !uri.contains(unclean)
            }
            None => words[0] == "SIP/2.0",
        }
    });
}

/// RFC 3261 §7.4.1, §7.4.2, §20.14, §20.15: length and type of a body, no chunks, no encodings.
#[test]
fn a_body_has_length_and_type_and_no_body_has_length_zero() {
    everything(|said| {
        let body = said.head().body();
        let length: Option<usize> =
            said.head().first(Name::ContentLength).and_then(|length| length.parse().ok());
        let typed = said.head().first(Name::ContentType).is_some();
        length == Some(body.len())
            && typed != body.is_empty()
            && said.head().first(Name::ContentEncoding).is_none()
            && said.head().other("Transfer-Encoding").is_none()
    });
}

/// RFC 3261 §18.1.1, §20.42.
#[test]
fn every_request_has_its_senders_address_and_the_cookie_in_its_via() {
    let mut branches = BTreeSet::new();
    everything(|said| {
        let via = said.head().via().expect("a Via");
        let branch = via.branch.unwrap_or("");
        said.status() > 0
            || via.sent_by == said.by.to_string()
                && branch.starts_with("z9hG4bK")
                && branch.len() > 7
    });
    for said in all().iter().filter(|said| said.status() == 0 && said.method() != "ACK") {
        let via = said.head().via().expect("a Via");
        let number = said.head().cseq().expect("a CSeq").number;
        branches.insert((said.by, via.branch.map(str::to_owned), number, said.method().to_owned()));
    }
    let names: BTreeSet<_> = branches.iter().map(|(_, branch, ..)| branch).collect();
    assert_eq!(names.len(), branches.len(), "one branch, one request");
}

fn has_no_twins<'a>(names: impl Iterator<Item = &'a str>) -> bool {
    let mut seen = BTreeSet::new();
    names.into_iter().all(|name| seen.insert(name.to_ascii_lowercase()))
}

/// RFC 3261 §7.3.1: in values of headers; RFC 3261 §19.1.1: in URIs.
#[test]
fn no_parameter_comes_twice_in_one_value() {
    let with_params = [Name::Via, Name::Event, Name::SubscriptionState, Name::ContentType];
    let addresses = [Name::From, Name::To, Name::Contact, Name::Route, Name::RecordRoute];
    everything(|said| {
        let plain = with_params.into_iter().flat_map(|name| said.head().list(name));
        let plain = plain.map(|value| value.split_once(';').map_or("", |(_, params)| params));
        let addressed = addresses.into_iter().flat_map(|name| said.head().list(name));
        let addressed = addressed.map(|value| NameAddr::parse(value).expect("an address").params.0);
        let in_uris = said.uris().into_iter().map(|uri| Uri::parse(uri).expect("a URI").params);
        let mut all = plain.chain(addressed).chain(in_uris);
        all.all(|params| has_no_twins(Params(params).iter().map(|(name, _)| name)))
    });
}

/// RFC 3261 §20, §20.10, §20.20, §20.31: whatever the URI contains, it stands in brackets.
#[test]
fn every_address_stands_in_angle_brackets() {
    let names = [Name::From, Name::To, Name::Contact, Name::Route, Name::RecordRoute];
    everything(|said| {
        // From and To of an answer are the asker's own words.
        let names = names
            .iter()
            .filter(|name| said.status() == 0 || !matches!(name, Name::From | Name::To));
        let mut values = names.flat_map(|name| said.head().list(*name));
        values.all(|value| value == "*" || value.contains('<') && value.contains('>'))
    });
}

/// RFC 3261 §19.1.1: no multicast, no `sips` over UDP.
#[test]
fn no_uri_has_a_ttl_or_a_secure_scheme() {
    everything(|said| {
        let uris = said.uris();
        let read = uris.into_iter().map(|uri| Uri::parse(uri).expect("a URI"));
        let mut ours = read.filter(|_| said.status() == 0);
        ours.all(|uri| !uri.secure && uri.param("ttl").is_none() && uri.param("maddr").is_none())
    });
}

/// RFC 3261 §20, tables 2 and 3, with those of RFC 3265, RFC 3428 and RFC 3903: who has to have
/// what.
#[test]
fn every_message_has_the_headers_that_are_mandatory_for_it() {
    everything(|said| {
        let has = |name: Name| said.head().first(name).is_some_and(|value| !value.is_empty());
        let always = [Name::Via, Name::From, Name::To, Name::CallId, Name::CSeq];
        let more: &[Name] = match (said.status(), said.method()) {
            (0, "SUBSCRIBE") => &[Name::MaxForwards, Name::Contact, Name::Event],
            (0, "NOTIFY") => {
                &[Name::MaxForwards, Name::Contact, Name::Event, Name::SubscriptionState]
            }
            (0, "PUBLISH") => &[Name::MaxForwards, Name::Event],
            (0, _) => &[Name::MaxForwards],
            (200..300, "SUBSCRIBE") => &[Name::Contact, Name::Expires],
            (200..300, "PUBLISH") => &[Name::Expires, Name::SipEtag],
            (401, _) => &[Name::WwwAuthenticate],
            (405, _) => &[Name::Allow],
            (407, _) => &[Name::ProxyAuthenticate],
            (420, _) => &[Name::Unsupported],
            (423, _) => &[Name::MinExpires],
            (489, _) => &[Name::AllowEvents],
            _ => &[],
        };
        always.iter().chain(more).all(|name| has(*name))
    });
}

/// A row of the tables: header, where it may be, and methods for which it may not.
type Place = (Name, &'static str, &'static str);

/// Of the headers that we write, those that are not allowed everywhere.
const PLACES: &[Place] = &[
    (Name::Accept, "R", "ACK CANCEL MESSAGE"),
    (Name::Accept, "2xx", "ACK BYE CANCEL SUBSCRIBE NOTIFY PUBLISH MESSAGE"),
    (Name::Accept, "415", "ACK CANCEL"),
    (Name::AcceptEncoding, "R", "ACK CANCEL MESSAGE"),
    (Name::AcceptEncoding, "415", "ACK CANCEL"),
    (Name::Allow, "R", "ACK CANCEL"),
    (Name::Allow, "r", "ACK CANCEL"),
    (Name::AllowEvents, "R", "ACK CANCEL"),
    (Name::AllowEvents, "2xx", "ACK CANCEL"),
    (Name::AllowEvents, "489", "ACK CANCEL"),
    (Name::AuthenticationInfo, "2xx", "ACK CANCEL"),
    (Name::Authorization, "R", ""),
    (Name::Contact, "R", "BYE CANCEL MESSAGE PUBLISH"),
    (Name::Contact, "2xx", "ACK BYE CANCEL MESSAGE PUBLISH"),
    (Name::ContentType, "R", "CANCEL"),
    (Name::ContentType, "r", "CANCEL"),
    (Name::Event, "R", "ACK CANCEL REGISTER MESSAGE OPTIONS INVITE"),
    (Name::Expires, "R", "ACK BYE CANCEL OPTIONS NOTIFY"),
    (Name::Expires, "2xx", "ACK BYE CANCEL OPTIONS NOTIFY MESSAGE"),
    (Name::MaxForwards, "R", ""),
    (Name::MinExpires, "423", ""),
    (Name::ProxyAuthenticate, "407", "ACK CANCEL"),
    (Name::ProxyAuthorization, "R", "CANCEL"),
    (Name::RetryAfter, "5xx", "ACK"),
    (Name::Route, "R", ""),
    (Name::SipEtag, "2xx", "REGISTER SUBSCRIBE NOTIFY MESSAGE OPTIONS INVITE"),
    (Name::SipIfMatch, "R", "REGISTER SUBSCRIBE NOTIFY MESSAGE OPTIONS INVITE"),
    (Name::SubscriptionState, "R", "REGISTER SUBSCRIBE PUBLISH MESSAGE OPTIONS INVITE"),
    (Name::Supported, "R", "ACK"),
    (Name::Supported, "2xx", "ACK"),
    (Name::Unsupported, "420", "ACK CANCEL"),
    (Name::Warning, "r", "ACK"),
    (Name::WwwAuthenticate, "401", "ACK CANCEL"),
];

/// Headers that may be anywhere, and those of our own extension.
const ANYWHERE: &[Name] = &[
    Name::Via,
    Name::From,
    Name::To,
    Name::CallId,
    Name::CSeq,
    Name::ContentLength,
    Name::Date,
    Name::UserAgent,
    Name::DmMessageId,
    Name::DmStored,
];

fn may_have(said: &Said, name: Name) -> bool {
    let is_there = |place: &str| match (place, said.status()) {
        ("R", status) => status == 0,
        ("r", status) => status > 0,
        ("2xx", status) => (200..300).contains(&status),
        ("5xx", status) => (500..600).contains(&status),
        (exactly, status) => exactly.parse() == Ok(status),
    };
    ANYWHERE.contains(&name)
        || PLACES.iter().any(|(known, place, not_for)| {
            *known == name
                && is_there(place)
                && not_for.split(' ').all(|method| method != said.method())
        })
}

/// RFC 3261 §20.
#[test]
fn no_message_has_a_header_that_is_not_applicable_to_it() {
    everything(|said| said.head().iter().all(|(name, _, _)| may_have(said, name)));
}

/// RFC 3261 §20.5.
#[test]
fn allow_names_every_method_that_is_understood() {
    let lists = all().into_iter().filter_map(|said| {
        let list = said.head().first(Name::Allow)?.to_owned();
        Some((said.by == SERVER, list))
    });
    let lists: BTreeSet<(bool, String)> = lists.collect();
    assert_eq!(lists.len(), 2, "one of the server, one of the agents: {lists:?}");
    for (by_server, list) in lists {
        let named: Vec<Method> = list.split(',').map(|one| Method::of(one.trim())).collect();
        let expected = match by_server {
            true => "REGISTER SUBSCRIBE PUBLISH MESSAGE OPTIONS INVITE ACK BYE CANCEL",
            false => "INVITE ACK CANCEL BYE OPTIONS NOTIFY MESSAGE",
        };
        assert!(expected.split(' ').all(|one| named.contains(&Method::of(one))), "{list}");
    }
}

/// RFC 3261 §20.32: a UAC may require only what is on the standards track; we require nothing.
#[test]
fn nothing_is_required_of_anybody() {
    everything(|said| {
        let names = [Name::Require, Name::ProxyRequire];
        names.into_iter().all(|name| said.head().first(name).is_none())
    });
}

/// RFC 3261 §21.4.15: every refused extension is named, and nothing else.
#[test]
fn a_bad_extension_is_named() {
    let all = all();
    let refused: Vec<_> = all.iter().filter(|said| said.status() == 420).collect();
    let named = |said: &&Said| said.head().first(Name::Unsupported).map(str::to_owned);
    let named: BTreeSet<_> = refused.iter().filter_map(named).collect();
    assert_eq!(named, BTreeSet::from(["path, teleport".to_owned(), "x".to_owned()]));
}

/// RFC 3261 §21.4.13.
#[test]
fn a_refused_body_is_answered_with_what_would_be_read() {
    let all = all();
    let refused = all.iter().filter(|said| said.status() == 415);
    let lists: BTreeSet<_> = refused
        .map(|said| {
            let list = |name| said.head().first(name).map(str::to_owned);
            (list(Name::Accept), list(Name::AcceptEncoding))
        })
        .collect();
    let types = |list: &str| (Some(list.to_owned()), None);
    let expected = BTreeSet::from([
        types("application/pidf+xml, application/cpim-pidf+xml"),
        types("application/auth-policy+xml"),
        (None, Some("identity".to_owned())),
    ]);
    assert_eq!(lists, expected);
}

/// RFC 3261 §19.3: each dialog has a tag of its own at either end, of at least 32 random bits.
#[test]
fn every_tag_is_new_and_long() {
    let tags: Vec<String> = {
        let all = all();
        let mut dialogs = BTreeSet::new();
        let subscribes = all.iter().filter(|said| said.method() == "SUBSCRIBE");
        for said in subscribes.filter(|said| (200..300).contains(&said.status())) {
            let head = said.head();
            let tag = |value: &NameAddr<'_>| value.tag().unwrap_or("").to_owned();
            let to = tag(&head.to().expect("a To"));
            dialogs.insert((head.call_id().expect("a Call-ID").to_owned(), to.clone()));
            assert_ne!(tag(&head.from().expect("a From")), to);
        }
        dialogs.into_iter().map(|(_, tag)| tag).collect()
    };
    assert!(tags.len() > 3, "{tags:?}");
    assert!(tags.iter().all(|tag| tag.len() == 16 && u64::from_str_radix(tag, 16).is_ok()));
    let different: BTreeSet<_> = tags.iter().collect();
    assert_eq!(different.len(), tags.len(), "{tags:?} at {DAWN:?}");
}
