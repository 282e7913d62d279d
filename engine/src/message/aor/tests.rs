//! One identity has one spelling.

use super::{Aor, canonical_user};
use crate::message::UriError;
use proptest::prelude::*;

fn aor(text: &str) -> String {
    Aor::parse(text).unwrap_or_else(|error| panic!("{text}: {error}")).to_string()
}

#[test]
fn spellings_of_one_user_meet() {
    for text in [
        "sip:alice@example.org",
        "SIP:alice@EXAMPLE.org",
        "sips:alice@example.org",
        "sip:%61lice@example.org",
        "sip:%61%6c%69%63%65@example.org:5060;transport=udp?a=b",
        "sip:alice:secret@example.org",
    ] {
        assert_eq!(aor(text), "sip:alice@example.org", "{text}");
    }
}

#[test]
fn different_users_stay_different() {
    assert_eq!(aor("sip:Alice@example.org"), "sip:Alice@example.org");
    assert_eq!(aor("sip:a%00b@example.org"), "sip:a%00b@example.org");
    assert_eq!(aor("sip:a%40b@example.org"), "sip:a%40b@example.org");
    assert_eq!(aor("sip:a%3bb@example.org"), "sip:a%3Bb@example.org");
    assert_eq!(aor("sip:a;b@example.org"), "sip:a;b@example.org");
    assert_eq!(aor("sip:m%c3%bcller@example.org"), "sip:m%C3%BCller@example.org");
}

#[test]
fn addresses_may_be_domains() {
    let aor = Aor::parse("sip:alice@[2001:DB8:0::1]:5070").unwrap();
    assert_eq!((aor.user(), aor.domain()), ("alice", "[2001:db8::1]"));
    assert_eq!(Aor::parse("sip:bob@192.0.2.1").unwrap().domain(), "192.0.2.1");
}

#[test]
fn a_user_is_needed_and_a_scheme_of_ours() {
    assert_eq!(Aor::parse("sip:example.org"), Err(UriError::Syntax));
    assert_eq!(Aor::parse("tel:+4930123456"), Err(UriError::Scheme));
    assert_eq!(Aor::parse("alice@example.org"), Err(UriError::Syntax));
}

#[test]
fn names_of_people_become_users() {
    assert_eq!(Aor::new("alice", "Example.ORG").as_str(), "sip:alice@example.org");
    assert_eq!(Aor::new("al ice@home", "x.org").as_str(), "sip:al%20ice%40home@x.org");
    assert_eq!(Aor::new("100%", "x.org").as_str(), "sip:100%25@x.org");
    assert_eq!(Aor::new("müller", "x.org"), Aor::parse("sip:m%C3%BCller@x.org").unwrap());
    assert_eq!(Aor::new("%61lice", "x.org").user(), "alice");
}

#[test]
fn it_is_stored_as_a_string_and_checked_on_the_way_back() {
    let aor = Aor::new("alice", "example.org");
    let stored = postcard::to_allocvec(&aor).unwrap();
    assert_eq!(stored, postcard::to_allocvec("sip:alice@example.org").unwrap());
    assert_eq!(postcard::from_bytes::<Aor>(&stored).unwrap(), aor);
    let garbage = postcard::to_allocvec("no address").unwrap();
    assert!(postcard::from_bytes::<Aor>(&garbage).is_err());
}

proptest! {
    #[test]
    fn canonical_is_canonical(user in "\\PC{1,20}", domain in "[a-zA-Z][a-zA-Z0-9-]{0,10}") {
        let aor = Aor::new(&user, &domain);
        prop_assert_eq!(&Aor::parse(aor.as_str()).unwrap(), &aor);
        prop_assert_eq!(&Aor::new(aor.user(), aor.domain()), &aor);
        let canonical = canonical_user(&user).into_owned();
        prop_assert_eq!(aor.user().as_bytes(), &canonical[..]);
    }
}
