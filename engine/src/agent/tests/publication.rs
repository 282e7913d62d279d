//! PUBLISH (M12, X4, K15).

use super::rig::*;
use crate::agent::{Command, Event};
use crate::body::pidf::{Basic, Mode, Pidf};
use crate::message::{Method, Name, Request};

const DM1: (Name, &str) = (Name::Supported, "dm1");

fn ok(scene: &mut Scene, request: &Request, etag: &str) {
    scene.answer(request, 200, &[(Name::SipEtag, etag), (Name::Expires, "600")]);
}

fn document(request: &Request) -> Pidf {
    Pidf::parse(&request.body()).unwrap()
}

fn offer_audio(scene: &mut Scene, mode: Mode) {
    let codecs = vec![(0, "PCMU/8000").into()];
    scene.say(Command::SetOffer { media: "audio".into(), port: 40_000, codecs, mode });
}

#[test]
fn the_document_names_device_state_contact_and_note() {
    let mut scene = Scene::online();
    scene.say(Command::SetPresence { basic: Basic::Open, note: Some("at my desk".into()) });
    let publish = scene.expect(Method::Publish);
    assert_eq!(publish.uri(), "sip:alice@example.org");
    assert_eq!(publish.event().unwrap().package, "presence");
    assert_eq!(publish.first(Name::SipIfMatch), None);
    let document = document(&publish);
    assert_eq!(&*document.entity, "sip:alice@example.org");
    let [tuple] = &document.tuples[..] else { panic!("one tuple: {document:?}") };
    assert_eq!(&*tuple.id, "alice-desk");
    assert_eq!(tuple.basic, Some(Basic::Open));
    assert_eq!(tuple.contact.as_deref(), Some("sip:alice@192.0.2.10:5060"));
    assert_eq!(&*tuple.notes[0].text, "at my desk");
    assert!(tuple.timestamp.is_some());
    ok(&mut scene, &publish, "e1");
    assert_eq!(scene.events(), [Event::Published { etag: "e1".into(), expires: 600 }]);
}

#[test]
fn a_refresh_has_the_newest_etag_and_no_body() {
    let mut scene = Scene::online();
    scene.open();
    let publish = scene.expect(Method::Publish);
    ok(&mut scene, &publish, "e1");
    scene.pass(secs(540));
    let refresh = scene.expect(Method::Publish);
    assert_eq!(refresh.first(Name::SipIfMatch), Some("e1"));
    assert!(refresh.body().is_empty());
    ok(&mut scene, &refresh, "e2");
    scene.open();
    assert_eq!(scene.expect(Method::Publish).first(Name::SipIfMatch), Some("e2"));
}

/// R32, bug museum §1 row 2.
#[test]
fn changes_while_a_publish_is_out_are_sent_once_and_after_it() {
    let mut scene = Scene::online();
    scene.open();
    let publish = scene.expect(Method::Publish);
    for note in ["one", "two", "three"] {
        scene.say(Command::SetPresence { basic: Basic::Closed, note: Some(note.into()) });
    }
    scene.expect_silence();
    ok(&mut scene, &publish, "e1");
    let latest = scene.expect(Method::Publish);
    assert_eq!(latest.first(Name::SipIfMatch), Some("e1"));
    assert_eq!(&*document(&latest).tuples[0].notes[0].text, "three");
    scene.expect_silence();
}

/// R31.
#[test]
fn an_etag_the_server_forgot_leads_to_an_initial_publication() {
    let mut scene = Scene::online();
    scene.open();
    let publish = scene.expect(Method::Publish);
    ok(&mut scene, &publish, "e1");
    scene.pass(secs(540));
    let refresh = scene.expect(Method::Publish);
    scene.answer(&refresh, 412, &[]);
    let initial = scene.expect(Method::Publish);
    assert_eq!(initial.first(Name::SipIfMatch), None);
    assert!(!initial.body().is_empty());
}

#[test]
fn a_server_that_answers_412_to_everything_is_asked_ever_slower() {
    let mut scene = Scene::online();
    scene.open();
    let publish = scene.expect(Method::Publish);
    ok(&mut scene, &publish, "e1");
    scene.open();
    let mut sent = 0;
    for _ in 0..600 {
        for request in scene.requests() {
            sent += 1;
            scene.answer(&request, 412, &[]);
        }
        scene.pass(secs(1));
    }
    assert!((8..=20).contains(&sent), "{sent} PUBLISH in ten minutes");
}

#[test]
fn after_silence_the_etag_is_not_trusted() {
    let mut scene = Scene::online();
    scene.open();
    let publish = scene.expect(Method::Publish);
    ok(&mut scene, &publish, "e1");
    scene.open();
    scene.expect(Method::Publish);
    scene.lose_server();
    scene.pass(secs(2));
    assert_eq!(scene.expect(Method::Publish).first(Name::SipIfMatch), None);
}

/// X4: a presence agent that does not know the extension would hand the secret to everybody.
#[test]
fn no_secret_and_no_readiness_before_the_server_announced_dm1() {
    let mut scene = Scene::online();
    offer_audio(&mut scene, Mode::Ready);
    let publish = scene.expect(Method::Publish);
    let offer = document(&publish).tuples[1].offer.clone().unwrap();
    assert_eq!((offer.mode, offer.secret), (Mode::Off, None));
    ok(&mut scene, &publish, "e1");
    scene.expect_silence();
    scene.open();
    let publish = scene.expect(Method::Publish);
    scene.answer(&publish, 200, &[(Name::SipEtag, "e2"), (Name::Expires, "300"), DM1]);
    let publish = scene.expect(Method::Publish);
    let document = document(&publish);
    assert_eq!(&*document.tuples[1].id, "alice-desk-audio");
    let offer = document.tuples[1].offer.clone().unwrap();
    assert_eq!(offer.mode, Mode::Ready);
    assert_eq!((&*offer.candidates[0].addr, offer.candidates[0].port), ("192.0.2.10", 40_000));
    assert_eq!(offer.srtp.as_deref(), Some("token"));
    let secret = offer.secret.unwrap();
    assert_eq!((secret.text.len(), secret.expires), (43, 600));
}

fn with_dm1() -> Scene {
    let mut scene = Scene::new();
    scene.config.register_expires = 1_000_000;
    scene.say(Command::Login);
    let register = scene.expect(Method::Register);
    scene.answer(&register, 200, &[(Name::Expires, "1000000"), DM1]);
    scene.forget();
    scene
}

/// X4 after D21: the server that came back may be another one.
#[test]
fn a_restarted_server_gets_no_secret_before_it_announced_dm1_again() {
    let mut scene = with_dm1();
    offer_audio(&mut scene, Mode::Ready);
    let publish = scene.expect(Method::Publish);
    scene.challenge(&publish, "n1", "boot1", false);
    let publish = scene.expect(Method::Publish);
    assert!(document(&publish).tuples[1].offer.clone().unwrap().secret.is_some());
    ok(&mut scene, &publish, "e1");
    scene.open();
    let publish = scene.expect(Method::Publish);
    scene.challenge(&publish, "n2", "boot2", true);
    let publish = scene.expect(Method::Publish);
    ok(&mut scene, &publish, "e2");
    scene.forget();
    scene.pass(secs(1));
    let offer = document(&scene.find(Method::Publish)).tuples[1].offer.clone().unwrap();
    assert_eq!((offer.mode, offer.secret), (Mode::Off, None));
}

#[test]
fn every_epoch_has_its_own_secret() {
    let mut scene = with_dm1();
    offer_audio(&mut scene, Mode::Ready);
    let publish = scene.expect(Method::Publish);
    let first = document(&publish).tuples[1].offer.clone().unwrap();
    scene.answer(&publish, 200, &[(Name::SipEtag, "e1"), (Name::Expires, "3600")]);
    scene.pass(secs(569));
    scene.expect_silence();
    scene.pass(secs(1));
    let publish = scene.expect(Method::Publish);
    assert_eq!(publish.first(Name::SipIfMatch), Some("e1"));
    let second = document(&publish).tuples[1].offer.clone().unwrap();
    assert!(second.seq > first.seq);
    let (first, second) = (first.secret.unwrap(), second.secret.unwrap());
    assert!(second.epoch > first.epoch);
    assert_ne!(second.text, first.text);
}

#[test]
fn being_closed_forces_offers_off_until_open_again() {
    let mut scene = with_dm1();
    offer_audio(&mut scene, Mode::Ready);
    let mut publish = scene.expect(Method::Publish);
    for (basic, mode) in [(Basic::Closed, Mode::Off), (Basic::Open, Mode::Ready)] {
        ok(&mut scene, &publish, "e");
        scene.say(Command::SetPresence { basic, note: None });
        publish = scene.expect(Method::Publish);
        let offer = document(&publish).tuples[1].offer.clone().unwrap();
        assert_eq!(offer.mode, mode);
        assert_eq!(offer.secret.is_some(), mode == Mode::Ready);
    }
    offer_audio(&mut scene, Mode::Off);
    ok(&mut scene, &publish, "e");
    let publish = scene.expect(Method::Publish);
    assert_eq!(document(&publish).tuples[1].offer.clone().unwrap().mode, Mode::Off);
}

#[test]
fn an_impossible_offer_is_refused_with_a_reason() {
    let mut scene = with_dm1();
    let codecs = vec![(0, "PCMU/8000").into()];
    let mode = Mode::Ready;
    scene.say(Command::SetOffer { media: "audio".into(), port: 80, codecs, mode });
    assert!(matches!(&scene.events()[..], [Event::Error { why, .. }] if why.contains("1024")));
    scene.expect_silence();
}

/// RFC 3903 §4: one PUBLISH to a Request-URI at a time, whatever its package.
#[test]
fn a_decision_and_a_publication_are_never_out_together() {
    let mut scene = Scene::online();
    let decide = |scene: &mut Scene| scene.say(Command::Decide { watcher: bob(), verdict: None });
    let package = |request: &Request| request.event().unwrap().package.to_owned();
    scene.open();
    let publish = scene.expect(Method::Publish);
    decide(&mut scene);
    scene.open();
    scene.challenge(&publish, "n1", "boot1", false);
    let publish = scene.expect(Method::Publish);
    scene.expect_silence();
    ok(&mut scene, &publish, "e1");
    let decision = scene.expect(Method::Publish);
    assert_eq!(package(&decision), "x-presrules");
    scene.expect_silence();
    scene.answer(&decision, 200, &[(Name::SipEtag, "r1")]);
    let publish = scene.expect(Method::Publish);
    assert_eq!(package(&publish), "presence");
    decide(&mut scene);
    scene.expect_silence();
    scene.lose_server();
    assert_eq!(package(&scene.expect(Method::Publish)), "x-presrules");
    scene.expect_silence();
}

#[test]
fn what_waits_behind_a_publication_is_forgotten_with_the_login() {
    let mut scene = Scene::online();
    scene.open();
    let publish = scene.expect(Method::Publish);
    ok(&mut scene, &publish, "e1");
    scene.say(Command::Decide { watcher: bob(), verdict: None });
    let decision = scene.expect(Method::Publish);
    scene.say(Command::Logout);
    scene.find(Method::Register);
    scene.expect_silence();
    scene.answer(&decision, 200, &[(Name::SipEtag, "r1")]);
    let remove = scene.expect(Method::Publish);
    assert_eq!(remove.seconds(Name::Expires), Some(0));
    scene.pass(secs(3));
    assert_eq!(scene.events().last(), Some(&Event::LoggedOut));
    scene.answer(&remove, 200, &[(Name::SipEtag, "e2")]);
    scene.expect_silence();
}

/// RFC 3903 §4.2–§4.5, table 1: what a PUBLISH for each purpose has and what it has not.
#[test]
fn every_operation_has_the_headers_and_the_body_that_belong_to_it() {
    let mut scene = Scene::online();
    scene.open();
    let initial = scene.expect(Method::Publish);
    ok(&mut scene, &initial, "e1");
    scene.pass(secs(540));
    let refresh = scene.expect(Method::Publish);
    ok(&mut scene, &refresh, "e2");
    scene.open();
    let modify = scene.expect(Method::Publish);
    ok(&mut scene, &modify, "e3");
    scene.say(Command::Logout);
    let remove = scene.find(Method::Publish);
    for (request, etag, body, removes) in [
        (&initial, None, true, false),
        (&refresh, Some("e1"), false, false),
        (&modify, Some("e2"), true, false),
        (&remove, Some("e3"), false, true),
    ] {
        assert_eq!(request.uri(), "sip:alice@example.org");
        assert_eq!(request.lines(Name::Event).collect::<Vec<_>>(), ["presence"]);
        assert_eq!(request.list(Name::SipIfMatch).collect::<Vec<_>>(), Vec::from_iter(etag));
        assert_eq!(!request.body().is_empty(), body);
        assert_eq!(request.content_type().is_some(), body);
        assert_eq!(request.seconds(Name::Expires) == Some(0), removes);
        assert_eq!(request.to().unwrap().tag(), None);
    }
}

/// RFC 3903 §4: a Record-Route makes no route set.
#[test]
fn a_record_route_in_the_answer_means_nothing() {
    let mut scene = Scene::online();
    scene.open();
    let publish = scene.expect(Method::Publish);
    let route = (Name::RecordRoute, "<sip:edge.example.net;lr>");
    scene.answer(&publish, 200, &[(Name::SipEtag, "e1"), (Name::Expires, "600"), route]);
    scene.open();
    let modify = scene.expect(Method::Publish);
    assert_eq!(modify.first(Name::Route), None);
    assert_eq!(modify.uri(), "sip:alice@example.org");
}

/// RFC 3903 §5: the tag that was refused is not sent again, not even after a failure in between.
#[test]
fn a_412_discards_its_entity_tag() {
    let mut scene = Scene::online();
    scene.open();
    let publish = scene.expect(Method::Publish);
    ok(&mut scene, &publish, "e1");
    scene.open();
    let modify = scene.expect(Method::Publish);
    scene.answer(&modify, 412, &[]);
    let initial = scene.expect(Method::Publish);
    assert_eq!((initial.first(Name::SipIfMatch), initial.body().is_empty()), (None, false));
    scene.answer(&initial, 503, &[]);
    scene.expect_silence();
    scene.pass(secs(3));
    let again = scene.expect(Method::Publish);
    assert_eq!((again.first(Name::SipIfMatch), again.body().is_empty()), (None, false));
}

/// RFC 3903 §4.2: a tag that may still be good is tried before anything is published beside it.
#[test]
fn an_etag_that_may_still_be_good_is_tried_first() {
    let mut scene = Scene::online();
    scene.open();
    let publish = scene.expect(Method::Publish);
    ok(&mut scene, &publish, "e1");
    scene.open();
    let modify = scene.expect(Method::Publish);
    scene.answer(&modify, 500, &[]);
    scene.pass(secs(2));
    assert_eq!(scene.expect(Method::Publish).first(Name::SipIfMatch), Some("e1"));
}

/// RFC 3903 §10.4: watchers recognise a tuple by its id.
#[test]
fn a_tuple_keeps_its_id_over_every_change() {
    let mut scene = with_dm1();
    let ids = |request: &Request| {
        document(request).tuples.iter().map(|tuple| tuple.id.clone()).collect::<Vec<_>>()
    };
    offer_audio(&mut scene, Mode::Ready);
    let publish = scene.expect(Method::Publish);
    let first = ids(&publish);
    assert_eq!(first.len(), 2);
    ok(&mut scene, &publish, "e1");
    scene.say(Command::SetPresence { basic: Basic::Closed, note: Some("out".into()) });
    let modify = scene.expect(Method::Publish);
    assert_eq!(ids(&modify), first);
    scene.answer(&modify, 412, &[]);
    assert_eq!(ids(&scene.expect(Method::Publish)), first);
}

/// RFC 3863 §4.1.7: successive documents never have the same time, however fast the user is.
#[test]
fn no_two_states_are_published_with_one_time() {
    let mut scene = with_dm1();
    offer_audio(&mut scene, Mode::Ready);
    let publish = scene.expect(Method::Publish);
    scene.challenge(&publish, "n1", "boot1", false);
    let publish = scene.expect(Method::Publish);
    scene.say(Command::SetPresence { basic: Basic::Open, note: Some("here".into()) });
    ok(&mut scene, &publish, "e1");
    let modify = scene.expect(Method::Publish);
    let time = |request: &Request| document(request).tuples[0].timestamp.clone().unwrap();
    assert!(time(&modify) > time(&publish));
    // A server that restarted is told without the secret: that is another document too.
    scene.challenge(&modify, "n2", "boot2", true);
    let modify = scene.expect(Method::Publish);
    ok(&mut scene, &modify, "e2");
    scene.forget();
    scene.pass(secs(1));
    assert!(time(&scene.find(Method::Publish)) > time(&modify));
}
