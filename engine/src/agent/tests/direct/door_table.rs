//! M22 as a table: the receiving side against what watchers, strangers, the owner and time do.

use super::super::rig::*;
use super::*;
use crate::agent::wire::{Check, Info};

const ALICE: &str = "192.0.2.10:40000";

fn name(scene: &Scene) -> String {
    scene.agent.direct.door_name().into()
}

pub(super) fn carol() -> Aor {
    aor("sip:carol@example.org")
}

/// A check with the access that the presence agent gives to somebody.
fn check(scene: &mut Scene, who: &Aor, sid: u64, pt: u8, from: &str) {
    let Some((key_id, token)) = access(scene, who) else { return };
    write(scene, &key_id, &token, sid, pt, from);
}

/// Key id and token of somebody, from the first secret that was published.
pub(super) fn access(scene: &Scene, who: &Aor) -> Option<(Box<str>, Box<str>)> {
    let publish = scene.log.iter().filter(|one| one.method() == Method::Publish);
    let mut offers = publish
        .filter_map(|one| Pidf::parse(&one.body()).ok()?.tuples.into_iter().find_map(|t| t.offer));
    let access = offers.find_map(|offer| offer.access_for(who, "bob-desk-audio", 0))?;
    Some((access.key_id, access.token))
}

fn write(scene: &mut Scene, key_id: &str, token: &str, sid: u64, pt: u8, from: &str) {
    send(scene, 5, (key_id, token), (sid, pt), from);
}

/// Alice asks anew, since her address has changed.
fn moved(scene: &mut Scene) {
    let Some((key_id, token)) = access(scene, &alice()) else { return };
    send(scene, 6, (&key_id, &token), (1, 0), "192.0.2.10:40999");
}

fn send(
    scene: &mut Scene,
    transaction: u128,
    (key_id, token): (&str, &str),
    (sid, pt): (u64, u8),
    from: &str,
) {
    let info = Info { receives: false, srtp: true, pt, kind: 1, ssrc: 9, nonce: [9; 8] };
    let check = Check { transaction, key_id: key_id.into(), sid, info };
    let bytes = check.write(token);
    scene.say(Command::MediaPacket { port: BOB_PORT, from: address(from), bytes });
}

/// So many times 20 s later, while media is heard and the presence agent answers, a check with the
/// access of the beginning.
fn later(scene: &mut Scene, times: u8) {
    for _ in 0..times {
        scene.pass(secs(20));
        scene.say(Command::MediaHeard { flow: FlowId(1) });
        answer_publish(scene);
    }
    scene.forget();
    check(scene, &alice(), 1, 0, ALICE);
}

fn answer_publish(scene: &mut Scene) {
    let last = scene.last(Method::Publish).expect("bob has published");
    scene.answer(&last, 200, &[(Name::SipEtag, "p1"), (Name::Expires, "3600")]);
}

fn decide(scene: &mut Scene, who: Aor, verdict: Option<Verdict>) {
    scene.say(Command::Decide { watcher: who, verdict });
}

fn closed() -> Scene {
    let mut scene = listening();
    scene.say(super::offer(Mode::Off));
    answer_publish(&mut scene);
    scene
}

fn listening() -> Scene {
    let mut scene = listening_bob(1, true);
    decide(&mut scene, carol(), Some(ALLOW));
    let rules = scene.find(Method::Publish);
    scene.answer(&rules, 200, &[(Name::SipEtag, "r2")]);
    scene
}

fn bound() -> Scene {
    let mut scene = listening();
    check(&mut scene, &alice(), 1, 0, ALICE);
    answer_publish(&mut scene);
    scene
}

/// Alice was heard, and has said BYE.
fn listening_again() -> Scene {
    let mut scene = bound();
    scene.say(Command::MediaBye { flow: FlowId(1) });
    answer_publish(&mut scene);
    scene
}

const BLOCK: Verdict = Verdict { handling: Handling::Block, direct: false };
const POLITE: Verdict = Verdict { handling: Handling::PoliteBlock, direct: false };
const MUTE: Verdict = Verdict { handling: Handling::Allow, direct: false };

const EVENTS: [EventRow; 26] = [
    ("user offers", |s| s.say(super::offer(Mode::Ready))),
    ("user is busy", |s| s.say(super::offer(Mode::Busy))),
    ("user withdraws", |s| s.say(super::offer(Mode::Off))),
    ("user stops the flow", |s| s.say(Command::StopFlow { flow: FlowId(1) })),
    ("user logs out", |s| s.say(Command::Logout)),
    ("check", |s| check(s, &alice(), 1, 0, ALICE)),
    ("check from elsewhere", moved),
    ("copy from elsewhere", |s| check(s, &alice(), 1, 0, "192.0.2.10:40999")),
    ("check, another sid", |s| check(s, &alice(), 2, 0, ALICE)),
    ("another sid after 2 s", |s| {
        s.pass(secs(2));
        check(s, &alice(), 2, 0, ALICE);
    }),
    ("check of another watcher", |s| check(s, &carol(), 3, 0, "192.0.2.30:40000")),
    ("while the user is busy", |s| {
        s.say(super::offer(Mode::Busy));
        check(s, &alice(), 2, 0, ALICE);
    }),
    ("check, another codec", |s| check(s, &alice(), 1, 96, ALICE)),
    ("check, unknown key", |s| write(s, "unknown", "guessed", 4, 0, ALICE)),
    ("check, bad integrity", |s| {
        let Some((key_id, _)) = access(s, &alice()) else { return };
        write(s, &key_id, "guessed", 4, 0, ALICE);
    }),
    ("noise", |s| {
        let (from, bytes) = (address(ALICE), Bytes::from_static(&[0; 40]));
        s.say(Command::MediaPacket { port: BOB_PORT, from, bytes });
    }),
    ("media is heard", |s| s.say(Command::MediaHeard { flow: FlowId(1) })),
    ("RTCP BYE", |s| s.say(Command::MediaBye { flow: FlowId(1) })),
    ("block", |s| decide(s, alice(), Some(BLOCK))),
    ("block, then check", |s| {
        decide(s, alice(), Some(BLOCK));
        check(s, &alice(), 2, 0, ALICE);
    }),
    ("polite block", |s| decide(s, alice(), Some(POLITE))),
    ("allow, but not direct", |s| decide(s, alice(), Some(MUTE))),
    ("ask again", |s| decide(s, alice(), None)),
    ("30 s pass", |s| s.pass(secs(30))),
    ("epoch over, then check", |s| later(s, 31)),
    ("grace over, then check", |s| later(s, 34)),
];

#[test]
fn every_event_in_every_state_of_the_receiver() {
    let states: [StateRow; 4] = [
        ("Closed", closed),
        ("Listening", listening),
        ("Bound", bound),
        ("Listening", listening_again),
    ];
    insta::assert_snapshot!("m22_receiving", table(&states, &EVENTS, name));
}
