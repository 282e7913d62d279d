//! Scenes of derived identity.

use super::*;
use proptest::prelude::*;

const SECRET: Secret = Secret::new([1; 16]);

#[test]
fn the_same_cause_gives_the_same_id_and_any_other_a_different_one() {
    let id = SECRET.derive64(Label::Tag, &[b"call", b"alice"]);
    assert_eq!(SECRET.derive64(Label::Tag, &[b"call", b"alice"]), id);
    assert_ne!(SECRET.derive64(Label::Branch, &[b"call", b"alice"]), id);
    assert_ne!(SECRET.derive64(Label::Tag, &[b"callalice"]), id);
    assert_ne!(SECRET.derive64(Label::Tag, &[b"calla", b"lice"]), id);
    assert_ne!(SECRET.derive64(Label::Tag, &[b"call", b"alice", b""]), id);
    assert_ne!(Secret::new([2; 16]).derive64(Label::Tag, &[b"call", b"alice"]), id);
}

/// Restarted and duplicated servers must mint the same ids, so they never change.
#[test]
fn derived_ids_are_the_same_in_every_version() {
    let id = SECRET.derive64(Label::EntityTag, &[b"sip:alice@example.org", b"7"]);
    assert_eq!(id.to_string(), "09322da46da7445e");
}

#[test]
fn a_secret_does_not_show_itself() {
    assert_eq!(format!("{SECRET:?}"), "Secret(…)");
}

#[test]
fn only_what_we_would_print_reads_back() {
    for text in ["", "123456789abcdef", "+123456789abcdef", "0123456789ABCDEF", "0123456789abcdef0"]
    {
        assert_eq!(Id::parse(text), None, "{text}");
    }
    assert_eq!(Id::parse("é23456789abcdef"), None);
}

proptest! {
    #[test]
    fn an_id_reads_back(value: u64) {
        let id = Id(value);
        prop_assert_eq!(Id::parse(&id.to_string()), Some(id));
        prop_assert_eq!(id.to_string(), format!("{value:016x}"));
        prop_assert_eq!(format!("{id:?}"), format!("{value:016x}"));
    }
}
