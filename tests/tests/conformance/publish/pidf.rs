//! Presence documents as they are published and as watchers get them: RFC 3863.

use super::{EVENT, PIDF, household};
use presently_engine::agent::{Command, Event, Package};
use presently_engine::body::pidf::{Basic, Mode, Pidf};
use presently_engine::message::{Message, Method, Name};
use presently_tests::{Phone, Stage, World};
use std::time::Duration;

const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
                    <presence xmlns=\"urn:ietf:params:xml:ns:pidf\"";

/// Bob publishes a document that begins with `declaration` and contains `inside`.
fn publish(stage: &mut Stage, bob: &mut Phone, kind: &str, declaration: &str, inside: &str) -> u16 {
    let document = format!(
        "{declaration}<presence xmlns=\"urn:ietf:params:xml:ns:pidf\" \
         entity=\"sip:bob@example.org\">{inside}</presence>"
    );
    bob.ask(stage, "PUBLISH", "bob", &[EVENT], (kind, &document)).status()
}

fn text(body: &[u8]) -> String {
    String::from_utf8(body.to_vec()).expect("UTF-8")
}

/// Every presence document that an agent published or a watcher got in a day of two agents: with
/// offers, decisions, pending and polite blocks.
fn a_day_of_documents() -> Vec<String> {
    let mut world = World::new(&["alice", "bob", "carol"]);
    world.login(&["alice", "bob", "carol"]);
    for name in ["alice", "carol"] {
        world.watch(name, "bob", Package::Presence, 3600);
    }
    world.pass(Duration::from_secs(1));
    world.decide("bob", "alice", Some(presently_engine::body::presrules::Handling::Allow));
    world.decide("bob", "carol", Some(presently_engine::body::presrules::Handling::PoliteBlock));
    let codecs = vec![(0, "PCMU/8000").into()];
    let offer =
        Command::SetOffer { media: "audio".into(), port: 40_000, codecs, mode: Mode::Ready };
    world.command("bob", offer);
    let note = Some("Grüße <&> 안녕".into());
    world.command("bob", Command::SetPresence { basic: Basic::Open, note });
    world.until("alice", |event| match event {
        Event::Presence { document, .. } => document.has_offer(),
        _ => false,
    });
    world.pass(Duration::from_secs(1500));
    world.command("bob", Command::Logout);
    world.pass(Duration::from_secs(60));
    let documents = world.ladder.iter().filter_map(|rung| match &rung.message {
        Message::Request(request) => {
            let carried = request.content_type().is_some_and(|kind| kind.is(PIDF));
            carried.then(|| text(&request.body()))
        }
        Message::Response(_) => None,
    });
    documents.collect()
}

/// RFC 3863 §4.1, §4.1.1, §4.2.2 and §7.
#[test]
fn every_document_is_declared_utf_8_pidf_about_its_owner() {
    let documents = a_day_of_documents();
    assert!(documents.len() > 8, "{}", documents.len());
    assert!(documents.iter().any(|document| document.contains("Grüße &lt;&amp;&gt; 안녕")));
    assert!(documents.iter().any(|document| document.contains("direct-media")));
    for document in &documents {
        assert!(document.starts_with(HEAD), "{document}");
        assert!(document.contains(" entity=\"sip:bob@example.org\">"), "{document}");
        let namespaces = document.split("xmlns").skip(1);
        for namespace in namespaces {
            let uri = namespace.split('"').nth(1).expect("a quoted value");
            let absolute = uri.split_once(':').is_some_and(|(scheme, _)| {
                scheme.starts_with(|c: char| c.is_ascii_alphabetic())
                    && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
            });
            assert!(absolute && !uri.contains('#'), "{uri}");
        }
        Pidf::parse(document.as_bytes()).expect("what is sent can be read");
    }
}

/// RFC 3863 §4.1.2, §4.1.3 and §4.2.3: no tuple without an id of its own and a status that says
/// something.
#[test]
fn every_tuple_has_an_id_of_its_own_and_a_status() {
    let mut tuples = 0;
    for text in a_day_of_documents() {
        assert!(!text.contains("<status></status>"), "{text}");
        assert_eq!(text.matches("<status>").count(), text.matches("<tuple").count());
        assert!(!text.contains("mustUnderstand"), "{text}");
        let document = Pidf::parse(text.as_bytes()).expect("a document");
        let mut ids: Vec<_> = document.tuples.iter().map(|tuple| &tuple.id).collect();
        tuples += ids.len();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), document.tuples.len(), "{text}");
        assert!(document.tuples.iter().all(|tuple| !tuple.id.is_empty()), "{text}");
        assert!(document.tuples.iter().all(|tuple| tuple.basic.is_some()), "{text}");
    }
    assert!(tuples > 8, "{tuples}");
}

/// RFC 3863 §4.1 and §7, XML 1.0 §4.3.3: UTF-8, told or not.
#[test]
fn utf_8_is_read_however_it_is_announced() {
    let tuple = "<tuple id='t'><status><basic>open</basic></status><note>안녕</note></tuple>";
    for (kind, declaration) in [
        (PIDF, "<?xml version='1.0' encoding='UTF-8'?>"),
        (PIDF, "<?xml version='1.0' encoding='utf-8' standalone='yes'?>"),
        (PIDF, "<?xml version='1.0'?>"),
        (PIDF, ""),
        (PIDF, "\u{feff}"),
        ("application/pidf+xml;charset=UTF-8", "<?xml version='1.0'?>"),
        ("application/pidf+xml; charset=\"utf-8\"", ""),
    ] {
        let (mut stage, mut alice, mut bob) = household();
        assert_eq!(publish(&mut stage, &mut bob, kind, declaration, tuple), 200, "{declaration}");
        assert_eq!(&*alice.told(&mut stage).pidf().tuples[0].notes[0].text, "안녕");
    }
    let (mut stage, _alice, mut bob) = household();
    let latin = "<?xml version='1.0' encoding='ISO-8859-1'?>";
    assert_eq!(publish(&mut stage, &mut bob, PIDF, latin, tuple), 400);
}

/// RFC 3863 §4.1.2.
#[test]
fn tuples_of_two_devices_are_told_apart_by_their_ids() {
    let (mut stage, mut alice, mut bob) = household();
    let tuple = |id: &str, basic: &str| {
        format!("<tuple id='{id}'><status><basic>{basic}</basic></status></tuple>")
    };
    let mut tablet = Phone::new("bob", 5071);
    let both = tuple("a", "open") + &tuple("b", "closed");
    assert_eq!(publish(&mut stage, &mut bob, PIDF, "", &both), 200);
    alice.told(&mut stage);
    assert_eq!(publish(&mut stage, &mut tablet, PIDF, "", &tuple("b", "open")), 200);
    let seen = alice.told(&mut stage).pidf();
    let seen: Vec<_> = seen.tuples.iter().map(|tuple| (&*tuple.id, tuple.basic)).collect();
    assert_eq!(seen, [("a", Some(Basic::Open)), ("b", Some(Basic::Open))]);
    let nameless = "<tuple><status><basic>open</basic></status></tuple>";
    assert_eq!(publish(&mut stage, &mut bob, PIDF, "", nameless), 400);
    stage.silent(alice.addr);
}

/// RFC 3863 §4.1.5: what is no priority counts as none, and the contact stays.
#[test]
fn a_priority_out_of_range_is_ignored() {
    for (priority, kept) in [
        ("0", true),
        ("0.021", true),
        ("1.000", true),
        ("1.5", false),
        ("-1", false),
        ("high", false),
    ] {
        let (mut stage, mut alice, mut bob) = household();
        let tuple = format!(
            "<tuple id='t'><status><basic>open</basic></status>\
             <contact priority='{priority}'>sip:bob@192.0.2.7</contact></tuple>"
        );
        assert_eq!(publish(&mut stage, &mut bob, PIDF, "", &tuple), 200);
        let tuple = &alice.told(&mut stage).pidf().tuples[0];
        assert_eq!(tuple.contact.as_deref(), Some("sip:bob@192.0.2.7"));
        assert_eq!(tuple.priority.as_deref(), kept.then_some(priority));
    }
}

/// RFC 3863 §4.1.6: a note is text for people; the language it is in stays with it.
#[test]
fn a_note_is_no_status_and_keeps_its_language() {
    let (mut stage, mut alice, mut bob) = household();
    let tuple = "<tuple id='t'><status><basic>open</basic></status>\
                 <note xml:lang='en'>closed</note><note xml:lang='fr'>absent</note></tuple>\
                 <note>offline</note>";
    assert_eq!(publish(&mut stage, &mut bob, PIDF, "", tuple), 200);
    let document = alice.told(&mut stage).pidf();
    assert_eq!(document.tuples[0].basic, Some(Basic::Open));
    let languages: Vec<_> =
        document.tuples[0].notes.iter().map(|note| note.lang.as_deref()).collect();
    assert_eq!(languages, [Some("en"), Some("fr")]);
    let empty = "<tuple id='t'><status/><note>open</note></tuple>";
    let mut tablet = Phone::new("bob", 5071);
    assert_eq!(publish(&mut stage, &mut tablet, PIDF, "", empty), 200);
    assert_eq!(alice.told(&mut stage).pidf().tuples[0].basic, None, "a note says nothing");
}

/// RFC 3863 §4.1.7: every tuple has the time of its document, no two documents the same, also if
/// they follow each other within a millisecond or if the publishers' clocks stand still.
#[test]
fn every_document_has_a_time_of_its_own_in_the_form_of_rfc_3339() {
    let (mut stage, mut alice, mut bob) = household();
    let mut last = String::new();
    for round in 0..20 {
        let tuple = |id: &str| {
            format!(
                "<tuple id='{id}'><status><basic>open</basic></status><note>{round}</note>\
                 <timestamp>2026-05-04t09:30:00z</timestamp></tuple>"
            )
        };
        let mut device = Phone::new("bob", 6000 + round);
        let both = tuple("a") + &tuple("b");
        assert_eq!(publish(&mut stage, &mut device, PIDF, "", &both), 200);
        let document = alice.told(&mut stage).pidf();
        let times: Vec<&str> =
            document.tuples.iter().filter_map(|tuple| tuple.timestamp.as_deref()).collect();
        assert_eq!(times.len(), 2, "every tuple has one");
        for time in &times {
            assert!(*time > last.as_str(), "{time} after {last}");
            let form: String =
                time.chars().map(|c| if c.is_ascii_digit() { 'd' } else { c }).collect();
            assert_eq!(form, "dddd-dd-ddTdd:dd:dd.dddZ");
        }
        times[0].clone_into(&mut last);
    }
    stage.pass(Duration::from_secs(1));
    bob.publish(&mut stage, "later", None);
    assert!(alice.told(&mut stage).pidf().tuples.iter().all(|it| it.timestamp.is_some()));
}

/// RFC 3863 §4.2.3 and §4.3.3: what nobody here knows is no part of what is known, whatever its
/// contents look like; it is passed on to those who may know it.
#[test]
fn what_is_not_recognised_is_ignored_with_all_it_contains() {
    let (mut stage, mut alice, mut bob) = household();
    let inside = "<tuple id='t'>\
        <status><basic>open</basic>\
          <x:mood xmlns:x='urn:x' x:mustUnderstand='1'><basic>closed</basic></x:mood>\
          <unheard><basic>closed</basic></unheard></status>\
        <x:more xmlns:x='urn:x'><contact>sip:mallory@example.net</contact></x:more>\
        <contact>sip:bob@192.0.2.7</contact></tuple>\
        <x:group xmlns:x='urn:x'>\
          <tuple id='u'><status><basic>open</basic></status></tuple></x:group>\
        <unheard><tuple id='v'><status><basic>open</basic></status></tuple></unheard>";
    assert_eq!(publish(&mut stage, &mut bob, PIDF, "", inside), 200);
    let told = alice.told(&mut stage);
    let document = told.pidf();
    let [tuple] = &document.tuples[..] else { panic!("one tuple: {document:?}") };
    assert_eq!((&*tuple.id, tuple.basic), ("t", Some(Basic::Open)));
    assert_eq!(tuple.contact.as_deref(), Some("sip:bob@192.0.2.7"));
    assert_eq!((tuple.status_extra.len(), tuple.extra.len(), document.extra.len()), (1, 1, 1));
    assert!(text(&told.body).contains("mustUnderstand=\"1\""));
    assert!(!text(&told.body).contains("unheard"));
}

/// RFC 3863 §4.2: the direct-media block says nothing about `basic`, whoever sees it and whoever
/// does not.
#[test]
fn our_extension_leaves_basic_alone() {
    let mut world = World::new(&["alice", "bob"]);
    world.login(&["alice", "bob"]);
    for (basic, shown) in [(Basic::Open, "open"), (Basic::Closed, "closed")] {
        world.command("bob", Command::SetPresence { basic, note: None });
        let codecs = vec![(0, "PCMU/8000").into()];
        let (media, mode) = ("audio".into(), Mode::Ready);
        world.command("bob", Command::SetOffer { media, port: 40_000, codecs, mode });
        world.pass(Duration::from_secs(5));
        let published = world.ladder.iter().rev().find_map(|rung| match &rung.message {
            Message::Request(request) if request.method() == Method::Publish => Some(request),
            _ => None,
        });
        let body = published.expect("bob published").body();
        let document = Pidf::parse(&body).expect("a document");
        assert!(document.has_offer());
        assert!(document.tuples.iter().all(|tuple| tuple.basic == Some(basic)));
        assert_eq!(text(&body).matches("<basic>").count(), document.tuples.len());
        assert!(text(&body).contains(&format!("<status><basic>{shown}</basic>")));
        assert_eq!(published.expect("it").first(Name::Event), Some("presence"));
    }
}
