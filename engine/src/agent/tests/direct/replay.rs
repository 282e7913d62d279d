//! Checks that somebody has recorded and repeats (K17): as long as their credential could begin a
//! flow they are told that theirs is over, and nothing follows from them.

use super::super::rig::*;
use super::door_table::access;
use super::*;
use crate::agent::wire::{Check, Info, Reply};

/// Bob hears alice's check again; what he says, and that nothing follows.
fn replay(pair: &mut Pair, check: &Bytes) -> Option<Result<Info, u16>> {
    let (_, token) = access(&pair.bob, &alice()).expect("bob has published his secret");
    pair.bob.forget();
    let (from, bytes) = (address("192.0.2.10:40000"), check.clone());
    let before = pair.bob.packets.len();
    pair.bob.say(Command::MediaPacket { port: BOB_PORT, from, bytes });
    assert_eq!(pair.bob.agent.direct.len(), 0, "no door is bound");
    assert!(pair.bob.requests().is_empty(), "and nobody is told that it is busy");
    let said = pair.bob.packets.get(before)?;
    Some(Reply::read(&said.1, &token).expect("an answer").outcome)
}

/// Alice has spoken to bob and stopped; her check was recorded.
fn recorded() -> (Pair, Bytes) {
    let mut pair = Pair::new();
    pair.press();
    let (_, check) = pair.letters[0].clone();
    pair.settle();
    published(&mut pair.bob);
    pair.alice.say(Command::StopFlow { flow: FlowId(1) });
    pair.bob.say(Command::MediaBye { flow: FlowId(1) });
    published(&mut pair.bob);
    pair.listen();
    (pair, check)
}

#[test]
fn a_recorded_check_opens_nothing_as_long_as_its_token_is_taken() {
    let (mut pair, check) = recorded();
    for _ in 0..8 {
        assert_eq!(replay(&mut pair, &check), Some(Err(410)), "{:?}", pair.bob.now);
        pair.pass(secs(65));
    }
    // The next epoch has begun; this is the grace of the one before.
    pair.pass(secs(55));
    published(&mut pair.bob);
    assert_eq!(replay(&mut pair, &check), Some(Err(410)));
    pair.pass(secs(60));
    assert_eq!(replay(&mut pair, &check), Some(Err(401)), "a stranger's");
}

/// The presence agent is gone, and no new secret can be published: the old one ends all the same.
#[test]
fn a_token_is_not_taken_for_longer_because_no_new_one_can_be_published() {
    let (mut pair, check) = recorded();
    for _ in 0..11 {
        assert_eq!(replay(&mut pair, &check), Some(Err(410)));
        pair.pass(secs(60));
    }
    assert_eq!(replay(&mut pair, &check), Some(Err(401)));
}

/// Whatever closes a door, the next one knows what is over.
#[test]
fn a_recorded_check_opens_no_other_door_of_the_same_epoch() {
    let (mut pair, check) = recorded();
    pair.bob.say(offer(Mode::Off));
    published(&mut pair.bob);
    pair.pass(secs(65));
    assert_eq!(replay(&mut pair, &check), None, "nobody listens");
    pair.bob.say(offer(Mode::Ready));
    published(&mut pair.bob);
    assert_eq!(replay(&mut pair, &check), Some(Err(410)));
    let publish = logged_in_again(&mut pair.bob);
    pair.bob.answer(&publish, 200, &[(Name::SipEtag, "p2"), (Name::Expires, "3600")]);
    assert_eq!(replay(&mut pair, &check), Some(Err(410)));
}

/// A revoked watcher that is allowed again has not got rid of what it said before.
#[test]
fn who_was_blocked_and_is_allowed_again_repeats_nothing() {
    let (mut pair, check) = recorded();
    let block = Verdict { handling: Handling::Block, direct: false };
    for (verdict, status) in [(block, 403), (ALLOW, 410)] {
        pair.bob.say(Command::Decide { watcher: alice(), verdict: Some(verdict) });
        let rules = pair.bob.last(Method::Publish).expect("bob decides");
        pair.bob.answer(&rules, 200, &[(Name::SipEtag, "r3")]);
        assert_eq!(replay(&mut pair, &check), Some(Err(status)));
    }
}

/// X13: the same for who speaks back, whose credential is the flow it answers.
#[test]
fn a_recorded_reply_opens_nothing_while_the_flow_it_answers_streams() {
    let mut pair = Pair::new();
    pair.speak(true);
    pair.settle();
    pair.both = true;
    let (target, media) = (alice(), "audio".into());
    pair.bob.say(Command::Direct { target, media, port: BOB_PORT, codecs: pcmu(), hears: false });
    pair.listen();
    let (_, check) = pair.letters[0].clone();
    pair.settle();
    pair.bob.say(Command::StopFlow { flow: FlowId(2) });
    pair.alice.say(Command::MediaBye { flow: FlowId(2) });
    pair.listen();
    for _ in 0..12 {
        pair.pass(secs(6));
        pair.settle();
    }
    pair.told.clear();
    pair.alice.forget();
    let (from, bytes) = (address("192.0.2.20:50000"), check);
    pair.alice.say(Command::MediaPacket { port: ALICE_PORT, from, bytes });
    assert_eq!(pair.alice.trace(), "410");
}

/// The bound: a peer begins so many flows in an epoch, and what it streams goes on.
#[test]
fn who_begins_too_many_flows_begins_no_more_until_the_next_epoch() {
    let mut scene = listening_bob(1, true);
    let (key_id, token) = access(&scene, &alice()).expect("bob has published his secret");
    let ask = |scene: &mut Scene, sid: u64| {
        let info = Info { receives: false, srtp: true, pt: 0, kind: 1, ssrc: 9, nonce: [9; 8] };
        let check = Check { transaction: 5, key_id: key_id.clone(), sid, info };
        let (from, bytes) = (address("192.0.2.10:40000"), check.write(&token));
        scene.say(Command::MediaPacket { port: BOB_PORT, from, bytes });
        let (_, said) = scene.packets.last().expect("bob answers");
        Reply::read(said, &token).expect("an answer").outcome.map(|_| ())
    };
    for sid in 1..=256 {
        assert_eq!(ask(&mut scene, sid), Ok(()), "{sid}");
        assert_eq!(ask(&mut scene, sid), Ok(()), "its consent");
        scene.say(Command::StopFlow { flow: FlowId(sid) });
    }
    assert_eq!(ask(&mut scene, 257), Err(486));
    for sid in [1, 128, 256] {
        assert_eq!(ask(&mut scene, sid), Err(410), "none is forgotten");
    }
    scene.pass(secs(575));
    published(&mut scene);
    let publish = scene.last(Method::Publish).expect("the next secret");
    let next = offer_in(&publish).access_for(&alice(), "bob-desk-audio", 0).expect("access");
    let info = Info { receives: false, srtp: true, pt: 0, kind: 1, ssrc: 9, nonce: [9; 8] };
    let check = Check { transaction: 5, key_id: next.key_id, sid: 257, info };
    let (from, bytes) = (address("192.0.2.10:40000"), check.write(&next.token));
    scene.say(Command::MediaPacket { port: BOB_PORT, from, bytes });
    assert_eq!(scene.agent.direct.door_name(), "Bound");
}
