use super::super::tests::{PUBLICATION, any_document, read};
use super::super::{Note, Offer};
use super::*;
use proptest::collection::vec;
use proptest::prelude::*;

const BOB: &str = "sip:bob@example.org";

fn document(inside: &str) -> Pidf {
    read(&format!(
        "<presence xmlns='urn:ietf:params:xml:ns:pidf' xmlns:v='urn:v' entity='x'>\
         {inside}</presence>"
    ))
}

fn tuple(id: &str, basic: &str) -> String {
    format!("<tuple id='{id}'><status><basic>{basic}</basic></status></tuple>")
}

fn composed_of(documents: &[&Pidf]) -> Pidf {
    let published = |document| Published { document, bound: true };
    compose(BOB, &documents.iter().copied().map(published).collect::<Vec<_>>(), true)
}

#[test]
fn tuples_of_all_devices_stand_side_by_side() {
    let desk = document(&tuple("desk", "open"));
    let phone = document(&tuple("cell", "closed"));
    let both = composed_of(&[&desk, &phone]);
    let shown: Vec<_> = both.tuples.iter().map(|tuple| (&*tuple.id, tuple.basic)).collect();
    assert_eq!(shown, [("cell", Some(Basic::Closed)), ("desk", Some(Basic::Open))]);
    assert_eq!(&*both.entity, BOB);
}

#[test]
fn of_two_tuples_with_one_id_the_later_is_shown() {
    let ghost = document(&tuple("desk", "open"));
    let again = document(&tuple("desk", "closed"));
    assert_eq!(composed_of(&[&ghost, &again]).tuples, again.tuples);
    assert_eq!(composed_of(&[&again, &ghost]).tuples, ghost.tuples);
    let within = document(&(tuple("desk", "open") + &tuple("desk", "closed")));
    assert_eq!(composed_of(&[&within]).tuples, again.tuples);
}

#[test]
fn an_offer_of_an_unbound_device_is_off_and_keeps_no_secret() {
    let document = read(PUBLICATION);
    let bound = compose(BOB, &[Published { document: &document, bound: true }], true);
    assert_eq!(bound.tuples[0].offer, document.tuples[0].offer);
    let unbound = compose(BOB, &[Published { document: &document, bound: false }], true);
    let expected =
        Offer { mode: Mode::Off, secret: None, ..document.tuples[0].offer.clone().unwrap() };
    assert_eq!(unbound.tuples[0].offer, Some(expected));
}

#[test]
fn a_publisher_cannot_grant_access_itself() {
    let secret = "<dm:secret epoch=\"5\" expires=\"600\">\
                  mI2lqkZ0mJm0h9sZ8m0nq3Wm4nXxk1l0u2Y7b1q5c9A</dm:secret>";
    let access = "<dm:access epoch='5' key-id='k' expires='9'>2hYpVt8mTgk0oY8wq7rZ1w</dm:access>";
    let forged = read(&PUBLICATION.replace(secret, access));
    assert!(forged.tuples[0].offer.as_ref().is_some_and(|offer| offer.access.is_some()));
    let composed = composed_of(&[&forged]);
    assert!(composed.tuples[0].offer.as_ref().is_some_and(|offer| offer.access.is_none()));
}

#[test]
fn without_any_tuple_the_binding_speaks() {
    for (registered, basic) in [(true, Basic::Open), (false, Basic::Closed)] {
        let derived = compose(BOB, &[], registered);
        assert_eq!(derived, Pidf::simple(BOB, DERIVED_TUPLE, basic));
    }
    let note_only = document("<note>on holiday</note>");
    let composed = composed_of(&[&note_only]);
    assert_eq!(composed.notes, note_only.notes);
    assert_eq!(composed.tuples.len(), 1);
}

#[test]
fn notes_and_persons_of_all_devices_are_kept_once() {
    let one = document(
        "<note>away</note><note>busy</note><v:person id='p'>old</v:person><v:hint>same</v:hint>",
    );
    let other = document(
        "<note>away</note><w:person xmlns:w='urn:v' id='p'>new</w:person><v:hint>same</v:hint>\
         <v:person id='q'/>",
    );
    let both = composed_of(&[&one, &other]);
    let note = |text: &str| Note { lang: None, text: text.into() };
    assert_eq!(both.notes, [note("away"), note("busy")]);
    let expected: [Box<str>; 3] = [
        "<w:person xmlns:w=\"urn:v\" id=\"p\">new</w:person>".into(),
        "<v:person xmlns:v=\"urn:v\" id=\"q\"/>".into(),
        "<v:hint xmlns:v=\"urn:v\">same</v:hint>".into(),
    ];
    assert_eq!(both.extra, expected);
}

#[test]
fn a_new_timestamp_alone_is_no_change() {
    let document = read(PUBLICATION);
    let mut later = document.clone();
    later.stamp("2027-01-01T00:00:00.000Z");
    assert_eq!(composed_of(&[&document]), composed_of(&[&later]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// P44.
    #[test]
    fn no_id_occurs_twice(documents in vec(any_document(), 0..4)) {
        let composed = composed_of(&documents.iter().collect::<Vec<_>>());
        let ids: BTreeSet<_> = composed.tuples.iter().map(|tuple| &tuple.id).collect();
        prop_assert_eq!(ids.len(), composed.tuples.len());
        prop_assert!(!ids.is_empty());
    }

    /// P33: only the order of arrival of rival claims matters; documents that claim different
    /// things compose to the same in any order.
    #[test]
    fn the_order_of_unrelated_publications_does_not_matter(
        mut documents in vec(any_document(), 0..4).prop_shuffle(),
        turn in 0usize..4,
    ) {
        for (at, document) in documents.iter_mut().enumerate() {
            document.extra.clear();
            for tuple in &mut document.tuples {
                tuple.id = format!("{at}{}", tuple.id).into();
            }
        }
        let mut turned: Vec<_> = documents.iter().collect();
        let before = composed_of(&turned);
        let middle = turn.min(turned.len());
        turned.rotate_left(middle);
        prop_assert_eq!(composed_of(&turned), before);
    }

    #[test]
    fn composing_what_was_composed_changes_nothing(documents in vec(any_document(), 0..4)) {
        let once = composed_of(&documents.iter().collect::<Vec<_>>());
        prop_assert_eq!(composed_of(&[&once]), once);
    }

    #[test]
    fn composed_documents_read_back(documents in vec(any_document(), 0..3)) {
        let composed = composed_of(&documents.iter().collect::<Vec<_>>());
        let written = composed.write(super::super::Format::Pidf);
        prop_assert_eq!(Pidf::parse(&written).unwrap(), composed);
    }
}
