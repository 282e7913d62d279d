//! The receiver in the paper's form as a table, and what its scenes are made of: bob listens
//! without a secret, has marked alice, allows her, and is told where she is.

use super::super::rig::*;
use super::door_table::carol;
use super::*;
use crate::agent::Package;
use crate::body::pidf::Candidate;

/// Alice's media port, as she publishes it.
pub(super) const ALICE: &str = "192.0.2.10:40000";
const BLOCK: Verdict = Verdict { handling: Handling::Block, direct: false };
const MUTE: Verdict = Verdict { handling: Handling::Allow, direct: false };

fn name(scene: &Scene) -> String {
    scene.agent.direct.door_name().into()
}

/// Bob before he offers anything.
pub(super) fn bob_of_the_paper() -> Scene {
    let mut scene = Scene::new();
    scene.config.aor = bob();
    scene.config.contact = BOB_HOST.into();
    scene.config.device = "bob-desk".into();
    scene.config.direct.paper = [alice(), carol()].into();
    scene.config.direct.paper_offers = true;
    let mut scene = scene.log_in(&[(Name::Supported, "dm1")]);
    for watcher in [alice(), carol()] {
        decide(&mut scene, watcher, Some(ALLOW));
    }
    scene
}

pub(super) fn decide(scene: &mut Scene, watcher: Aor, verdict: Option<Verdict>) {
    scene.say(Command::Decide { watcher, verdict });
    answer_all(scene);
}

/// The presence agent takes whatever was published.
pub(super) fn answer_all(scene: &mut Scene) {
    for publish in scene.requests() {
        if publish.method() == Method::Publish {
            scene.answer(&publish, 200, &[(Name::SipEtag, "p1"), (Name::Expires, "3600")]);
        }
    }
}

/// Somebody's presence: an open tuple with this contact and, if it is one, this candidate.
pub(super) fn whereabouts(who: &str, contact: &str, candidate: Option<&str>) -> Pidf {
    let entity = format!("sip:{who}@example.org");
    let mut document = Pidf::simple(&entity, "desk-audio", Basic::Open);
    document.tuples[0].contact = Some(format!("sip:{who}@{contact}").into());
    document.tuples[0].offer = candidate.map(|text| {
        let place: SocketAddr = address(text);
        let (addr, port) = (place.ip().to_string().into(), place.port());
        let candidates = vec![Candidate { kind: "host".into(), addr, port }];
        Offer { candidates, port, ..super::sending_table::without_access(1) }
    });
    document
}

/// Bob watches somebody and is told where it is.
pub(super) fn watch(scene: &mut Scene, who: &str, document: &Pidf) -> Notifier {
    let mut dialog = scene.watch(aor(&format!("sip:{who}@example.org")), Package::Presence);
    scene.answer(&dialog.subscribe, 200, &[(Name::Expires, "3600")]);
    scene.notify(&mut dialog, "active;expires=3600", Body::Document(document));
    dialog
}

pub(super) fn knock(scene: &mut Scene, from: &str, ssrc: u32, pt: u8) {
    scene.say(Command::MediaKnock { port: BOB_PORT, from: address(from), ssrc, pt });
}

fn told(scene: &mut Scene, document: &Pidf) {
    notify(scene, "active;expires=3600", Body::Document(document));
}

fn notify(scene: &mut Scene, state: &str, body: Body<'_>) {
    let Some(mut dialog) = scene.notifier.take() else { return };
    scene.notify(&mut dialog, state, body);
    scene.notifier = Some(dialog);
}

pub(super) fn closed() -> Scene {
    let mut scene = bob_of_the_paper();
    scene.notifier = Some(watch(&mut scene, "alice", &whereabouts("alice", "192.0.2.10", None)));
    scene.forget();
    scene
}

pub(super) fn listening() -> Scene {
    let mut scene = closed();
    scene.say(super::offer(Mode::Ready));
    answer_all(&mut scene);
    scene
}

pub(super) fn bound() -> Scene {
    let mut scene = listening();
    knock(&mut scene, ALICE, 9, 0);
    answer_all(&mut scene);
    scene
}

/// Alice was heard, and has said BYE.
fn listening_again() -> Scene {
    let mut scene = bound();
    scene.say(Command::MediaBye { flow: FlowId(1) });
    answer_all(&mut scene);
    scene.forget();
    scene
}

const EVENTS: [EventRow; 25] = [
    ("user offers", |s| s.say(super::offer(Mode::Ready))),
    ("user is busy", |s| s.say(super::offer(Mode::Busy))),
    ("user withdraws", |s| s.say(super::offer(Mode::Off))),
    ("user stops the flow", |s| s.say(Command::StopFlow { flow: FlowId(1) })),
    ("user logs out", |s| s.say(Command::Logout)),
    ("alice speaks", |s| knock(s, ALICE, 9, 0)),
    ("alice, another stream", |s| knock(s, ALICE, 10, 0)),
    ("another stream after 2 s", |s| {
        s.pass(secs(2));
        knock(s, ALICE, 10, 0);
    }),
    ("alice, another port", |s| knock(s, "192.0.2.10:40999", 9, 0)),
    ("another host", |s| knock(s, "192.0.2.66:40000", 9, 0)),
    ("another codec", |s| knock(s, ALICE, 9, 8)),
    ("while the user is busy", |s| {
        s.say(super::offer(Mode::Busy));
        knock(s, ALICE, 10, 0);
    }),
    ("a check", |s| {
        let bytes = wire::Check {
            transaction: 5,
            key_id: "guessed".into(),
            sid: 1,
            info: wire::Info {
                receives: false,
                srtp: false,
                pt: 0,
                kind: 1,
                ssrc: 9,
                nonce: [9; 8],
            },
        };
        let (from, bytes) = (address(ALICE), bytes.write("guessed"));
        s.say(Command::MediaPacket { port: BOB_PORT, from, bytes });
    }),
    ("media is heard", |s| s.say(Command::MediaHeard { flow: FlowId(1) })),
    ("RTCP BYE", |s| s.say(Command::MediaBye { flow: FlowId(1) })),
    ("block", |s| s.say(Command::Decide { watcher: alice(), verdict: Some(BLOCK) })),
    ("allow, but not direct", |s| s.say(Command::Decide { watcher: alice(), verdict: Some(MUTE) })),
    ("ask again", |s| s.say(Command::Decide { watcher: alice(), verdict: None })),
    ("mark taken back", |s| s.say(Command::Mark { peer: alice(), paper: false })),
    ("alice is elsewhere", |s| told(s, &whereabouts("alice", "192.0.2.11", None))),
    ("alice is closed", |s| {
        let mut document = whereabouts("alice", "192.0.2.10", None);
        document.tuples[0].basic = Some(Basic::Closed);
        told(s, &document);
    }),
    ("alice does not say where", |s| notify(s, "pending", Body::None)),
    ("bob is not told any more", |s| notify(s, "terminated;reason=timeout", Body::None)),
    ("29 s pass", |s| s.pass(secs(29))),
    ("30 s pass", |s| s.pass(secs(30))),
];

#[test]
fn every_event_in_every_state_of_the_receiver_of_the_paper() {
    let states: [StateRow; 4] = [
        ("Closed", closed),
        ("Listening", listening),
        ("Bound", bound),
        ("Listening", listening_again),
    ];
    insta::assert_snapshot!("m22_paper", table(&states, &EVENTS, name));
}
