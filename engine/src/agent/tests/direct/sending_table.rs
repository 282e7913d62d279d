//! M21 as a table: the sending side against what the other side, the presence agent and the user
//! do. "none" is Idle and Offered: whether there is an offer is M23's business.

use super::super::rig::*;
use super::*;
use crate::agent::wire::{Check, Info};
use crate::body::pidf::{Access, Candidate};

pub(super) const TOKEN: &str = "2hYpVt8mTgk0oY8wq7rZ1w";
pub(super) const BOB: &str = "192.0.2.20:40000";

fn name(scene: &Scene) -> String {
    scene.agent.direct.sending_name().into()
}

pub(super) fn offer(seq: u32, mode: Mode, port: u16, epoch: u32) -> Offer {
    let codec = |pt, name: &str| Codec { pt, rtpmap: name.into(), fmtp: None };
    let key_id = format!("key-of-{epoch}").into();
    Offer {
        version: 1,
        seq,
        device: Some("bob-desk".into()),
        media: "audio".into(),
        port,
        codecs: vec![codec(0, "PCMU/8000"), codec(8, "PCMA/8000")],
        mode,
        candidates: vec![Candidate { kind: "host".into(), addr: "192.0.2.20".into(), port }],
        srtp: Some("token".into()),
        fingerprint: None,
        secret: None,
        access: Some(Access { token: TOKEN.into(), key_id, epoch, expires: 540 }),
    }
}

pub(super) fn show(scene: &mut Scene, offer: Option<Offer>) {
    let mut document = Pidf::simple("sip:bob@example.org", "bob-desk-audio", Basic::Open);
    document.tuples[0].offer = offer;
    notify(scene, "active;expires=3600", Body::Document(&document));
}

pub(super) fn notify(scene: &mut Scene, state: &str, body: Body<'_>) {
    let Some(mut dialog) = scene.notifier.take() else { return };
    scene.notify(&mut dialog, state, body);
    scene.notifier = Some(dialog);
}

pub(super) fn press(scene: &mut Scene) {
    let codec = |pt, name: &str| Codec { pt, rtpmap: name.into(), fmtp: None };
    let codecs = vec![codec(0, "PCMU/8000"), codec(8, "PCMA/8000")];
    let (target, media) = (bob(), "audio".into());
    scene.say(Command::Direct { target, media, port: ALICE_PORT, codecs, hears: false });
}

/// Bob's answer to the last check; none if there never was one.
pub(super) fn reply(scene: &mut Scene, from: &str, token: Option<&str>, status: u16) {
    let checks = scene.packets.iter().rev();
    let Some(check) = checks.filter_map(|(_, bytes)| Check::read(bytes)).next() else { return };
    let info = Info { ssrc: 7, nonce: [7; 8], ..check.info };
    let bytes = match (status, token) {
        (200, token) => check.accept(token.unwrap_or("guessed"), address(from), info),
        (status, token) => check.refuse(token, status),
    };
    scene.say(Command::MediaPacket { port: ALICE_PORT, from: address(from), bytes });
}

pub(super) fn offered() -> Scene {
    let (mut scene, dialog) = super::super::offers::watching();
    scene.notifier = Some(dialog);
    show(&mut scene, Some(offer(1, Mode::Ready, 40_000, 5)));
    scene
}

fn checking() -> Scene {
    let mut scene = offered();
    press(&mut scene);
    scene
}

fn refreshing() -> Scene {
    let mut scene = checking();
    reply(&mut scene, BOB, None, 401);
    reply(&mut scene, BOB, None, 401);
    scene
}

fn streaming() -> Scene {
    let mut scene = checking();
    reply(&mut scene, BOB, Some(TOKEN), 200);
    scene
}

/// Streams, and the question for consent is out.
fn asking() -> Scene {
    let mut scene = streaming();
    scene.pass(secs(6));
    scene
}

/// Bob is marked for the paper's form.
pub(super) fn marked() -> Scene {
    let mut scene = offered();
    scene.say(Command::Mark { peer: bob(), paper: true });
    scene
}

pub(super) fn without_access(seq: u32) -> Offer {
    Offer { access: None, srtp: Some("none".into()), ..offer(seq, Mode::Ready, 40_000, 5) }
}

/// Speaks in the paper's form: there is nothing to check.
pub(super) fn plain() -> Scene {
    let mut scene = marked();
    show(&mut scene, Some(without_access(2)));
    press(&mut scene);
    scene.forget();
    scene
}

/// The same, since nobody answered.
pub(super) fn unanswered() -> Scene {
    let mut scene = marked();
    press(&mut scene);
    scene.pass(secs(3));
    scene.forget();
    scene
}

fn stopped() -> Scene {
    let mut scene = checking();
    scene.say(Command::StopFlow { flow: FlowId(1) });
    scene
}

const EVENTS: [EventRow; 30] = [
    ("user presses direct", press),
    ("user stops", |s| s.say(Command::StopFlow { flow: FlowId(1) })),
    ("success", |s| reply(s, BOB, Some(TOKEN), 200)),
    ("success from elsewhere", |s| reply(s, "192.0.2.66:40000", Some(TOKEN), 200)),
    ("success, not proven", |s| reply(s, BOB, None, 200)),
    ("401", |s| reply(s, BOB, None, 401)),
    ("401 twice", |s| {
        reply(s, BOB, None, 401);
        reply(s, BOB, None, 401);
    }),
    ("401 once in a round", |s| {
        reply(s, BOB, None, 401);
        s.pass(secs(3));
    }),
    ("403", |s| reply(s, BOB, Some(TOKEN), 403)),
    ("403, not proven", |s| reply(s, BOB, None, 403)),
    ("410", |s| reply(s, BOB, Some(TOKEN), 410)),
    ("486", |s| reply(s, BOB, Some(TOKEN), 486)),
    ("488", |s| reply(s, BOB, Some(TOKEN), 488)),
    ("488 to each codec", |s| {
        reply(s, BOB, Some(TOKEN), 488);
        reply(s, BOB, Some(TOKEN), 488);
    }),
    ("offer turns busy", |s| show(s, Some(offer(2, Mode::Busy, 40_000, 5)))),
    ("offer turns off", |s| show(s, Some(offer(2, Mode::Off, 40_000, 5)))),
    ("offer gone", |s| show(s, None)),
    ("offer of another port", |s| show(s, Some(offer(2, Mode::Ready, 40_002, 5)))),
    ("offer with new access", |s| show(s, Some(offer(2, Mode::Ready, 40_000, 6)))),
    ("offer without access", |s| show(s, Some(without_access(3)))),
    ("mark taken back", |s| s.say(Command::Mark { peer: bob(), paper: false })),
    ("subscription pending", |s| notify(s, "pending", Body::None)),
    ("subscription rejected", |s| notify(s, "terminated;reason=rejected", Body::None)),
    ("subscription timed out", |s| notify(s, "terminated;reason=timeout", Body::None)),
    ("RTCP BYE", |s| s.say(Command::MediaBye { flow: FlowId(1) })),
    ("port unreachable", |s| s.say(Command::MediaUnreachable { flow: FlowId(1) })),
    ("port unreachable 3 times", |s| {
        for _ in 0..3 {
            s.say(Command::MediaUnreachable { flow: FlowId(1) });
        }
    }),
    ("200 ms pass", |s| s.pass(Duration::from_millis(200))),
    ("8 s pass", |s| s.pass(secs(8))),
    ("30 s pass", |s| s.pass(secs(30))),
];

#[test]
fn every_event_in_every_state_of_the_sender() {
    let states: [StateRow; 8] = [
        ("none", offered),
        ("Checking", checking),
        ("Refreshing", refreshing),
        ("Streaming", streaming),
        ("Streaming", asking),
        ("Plain", plain),
        ("Plain", unanswered),
        ("Stopped", stopped),
    ];
    insta::assert_snapshot!("m21_sending", table(&states, &EVENTS, name));
}
