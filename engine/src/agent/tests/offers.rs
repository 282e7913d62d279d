//! Offers of others (M23, X3).

use super::rig::*;
use crate::agent::{Event, Package};
use crate::body::pidf::{Access, Basic, Candidate, Codec, Mode, Offer, Pidf};
use crate::message::Name;

fn offer(seq: u32, mode: Mode) -> Offer {
    Offer {
        version: 1,
        seq,
        device: Some("bob-desk".into()),
        media: "audio".into(),
        port: 40_000,
        codecs: vec![Codec { pt: 0, rtpmap: "PCMU/8000".into(), fmtp: None }],
        mode,
        candidates: vec![Candidate {
            kind: "host".into(),
            addr: "192.0.2.20".into(),
            port: 40_000,
        }],
        srtp: Some("token".into()),
        fingerprint: None,
        secret: None,
        access: Some(Access {
            token: "2hYpVt8mTgk0oY8wq7rZ1w".into(),
            key_id: "Qm9iLWtpZC0x".into(),
            epoch: 5,
            expires: 540,
        }),
    }
}

fn document(offer: Option<Offer>) -> Pidf {
    let mut document = Pidf::simple("sip:bob@example.org", "bob-audio", Basic::Open);
    document.tuples[0].offer = offer;
    document
}

pub(super) fn watching() -> (Scene, Notifier) {
    let mut scene = Scene::online();
    let mut dialog = scene.watch(bob(), Package::Presence);
    scene.answer(&dialog.subscribe, 200, &[(Name::Expires, "3600")]);
    scene.notify(&mut dialog, "active;expires=3600", Body::None);
    scene.forget();
    (scene, dialog)
}

fn show(scene: &mut Scene, dialog: &mut Notifier, document: &Pidf) {
    assert_eq!(scene.notify(dialog, "active;expires=3600", Body::Document(document)), 200);
}

fn modes(scene: &mut Scene) -> Vec<Option<Mode>> {
    let events = scene.events().into_iter();
    events
        .filter_map(|event| match event {
            Event::Offer { mode, .. } => Some(mode),
            _ => None,
        })
        .collect()
}

#[test]
fn an_offer_appears_with_what_is_needed_to_use_it() {
    let (mut scene, mut dialog) = watching();
    show(&mut scene, &mut dialog, &document(Some(offer(1, Mode::Ready))));
    let events = scene.events();
    let offer = events.iter().find(|event| matches!(event, Event::Offer { .. }));
    let expected = Event::Offer {
        aor: bob(),
        tuple: "bob-audio".into(),
        media: "audio".into(),
        address: Some("192.0.2.20:40000".into()),
        codecs: vec!["PCMU/8000".into()],
        mode: Some(Mode::Ready),
    };
    assert_eq!(offer, Some(&expected));
    assert_eq!(scene.agent.tables(scene.now).offers.len(), 1);
}

#[test]
fn only_what_the_user_sees_is_told_again() {
    let (mut scene, mut dialog) = watching();
    for (seq, mode) in [(1, Mode::Ready), (2, Mode::Ready), (3, Mode::Busy), (4, Mode::Off)] {
        show(&mut scene, &mut dialog, &document(Some(offer(seq, mode))));
    }
    assert_eq!(modes(&mut scene), [Mode::Ready, Mode::Busy, Mode::Off].map(Some));
}

#[test]
fn a_lower_seq_of_the_same_epoch_is_old_news() {
    let (mut scene, mut dialog) = watching();
    show(&mut scene, &mut dialog, &document(Some(offer(9, Mode::Ready))));
    show(&mut scene, &mut dialog, &document(Some(offer(8, Mode::Busy))));
    assert_eq!(modes(&mut scene), [Some(Mode::Ready)]);
    let mut restarted = offer(1, Mode::Busy);
    restarted.access.as_mut().unwrap().epoch = 6;
    show(&mut scene, &mut dialog, &document(Some(restarted)));
    assert_eq!(modes(&mut scene), [Some(Mode::Busy)]);
}

/// X3.
#[test]
fn what_lacks_a_part_of_ready_is_off() {
    let spoil: [fn(&mut Offer); 2] =
        [|offer| offer.access = None, |offer| offer.candidates.clear()];
    for spoil in spoil {
        let (mut scene, mut dialog) = watching();
        let mut offer = offer(1, Mode::Ready);
        spoil(&mut offer);
        show(&mut scene, &mut dialog, &document(Some(offer)));
        assert_eq!(modes(&mut scene), [Some(Mode::Off)]);
    }
}

#[test]
fn an_offer_goes_with_its_tuple_its_access_and_its_subscription() {
    let ends: [fn(&mut Scene, &mut Notifier); 6] = [
        |scene, dialog| show(scene, dialog, &document(None)),
        |scene, dialog| {
            let mut closed = document(Some(offer(2, Mode::Ready)));
            closed.tuples[0].basic = Some(Basic::Closed);
            show(scene, dialog, &closed);
        },
        |scene, _| scene.pass(secs(540)),
        |scene, dialog| {
            scene.notify(dialog, "pending", Body::None);
        },
        |scene, dialog| {
            scene.notify(dialog, "terminated;reason=rejected", Body::None);
        },
        |scene, _| scene.pass(secs(3700)),
    ];
    for end in ends {
        let (mut scene, mut dialog) = watching();
        show(&mut scene, &mut dialog, &document(Some(offer(1, Mode::Ready))));
        scene.events();
        end(&mut scene, &mut dialog);
        assert_eq!(modes(&mut scene), [None]);
        assert_eq!(scene.agent.sizes().offers, 0);
    }
}

/// M23 as a table: what an offer known as ready turns into.
#[test]
fn table_of_the_offer_cache() {
    let name = |scene: &Scene| match &scene.agent.tables(scene.now).offers[..] {
        [] => "None".to_owned(),
        [row] => format!("Known({:?})", row.mode),
        _ => "several".to_owned(),
    };
    fn known(mode: Mode) -> Scene {
        let (mut scene, mut dialog) = watching();
        show(&mut scene, &mut dialog, &document(Some(offer(5, mode))));
        scene.notifier = Some(dialog);
        scene
    }
    fn see(scene: &mut Scene, state: &str, document: Option<Pidf>) {
        let mut dialog = scene.notifier.take().unwrap();
        let body = document.as_ref().map_or(Body::None, Body::Document);
        scene.notify(&mut dialog, state, body);
        scene.notifier = Some(dialog);
    }
    let text = table(
        &[
            ("None", || {
                let (mut scene, dialog) = watching();
                scene.notifier = Some(dialog);
                scene
            }),
            ("Known(Ready)", || known(Mode::Ready)),
            ("Known(Busy)", || known(Mode::Busy)),
            ("Known(Off)", || known(Mode::Off)),
        ],
        &[
            ("ready, newer", |s| see(s, "active", Some(document(Some(offer(6, Mode::Ready)))))),
            ("busy, newer", |s| see(s, "active", Some(document(Some(offer(6, Mode::Busy)))))),
            ("off, newer", |s| see(s, "active", Some(document(Some(offer(6, Mode::Off)))))),
            ("ready, older", |s| see(s, "active", Some(document(Some(offer(4, Mode::Ready)))))),
            ("document without offer", |s| see(s, "active", Some(document(None)))),
            ("NOTIFY without body", |s| see(s, "active", None)),
            ("pending", |s| see(s, "pending", None)),
            ("rejected", |s| see(s, "terminated;reason=rejected", None)),
            ("access over", |s| s.pass(secs(540))),
        ],
        name,
    );
    insta::assert_snapshot!(text);
}
