//! The return direction (X13) and two who start at once (R81): alice speaks to bob, bob to alice.

use super::*;
use crate::agent::wire::{Check, Info};
use crate::agent::{Package, direct::ReplyKey};

const BOB: &str = "192.0.2.20:50000";

impl Pair {
    /// Alice streams to bob and would hear him.
    fn open_hearted() -> Self {
        let mut pair = Self::new();
        pair.speak(true);
        pair.settle();
        pair.agrees();
        pair.both = true;
        pair.told.clear();
        pair
    }

    fn bob_presses(&mut self) {
        let (target, media) = (alice(), "audio".into());
        let direct =
            Command::Direct { target, media, port: BOB_PORT, codecs: pcmu(), hears: false };
        self.bob.say(direct);
        self.listen();
    }

    /// Both speak.
    fn talking() -> Self {
        let mut pair = Self::open_hearted();
        pair.bob_presses();
        pair.settle();
        let both = [("alice", FlowPhase::Streaming, None), ("bob", FlowPhase::Streaming, None)];
        assert_eq!(pair.told[1..], both);
        pair.told.clear();
        pair
    }

    /// What was told since the last look: who, and why it ended.
    fn ends(&mut self) -> Vec<(&'static str, Option<StopReason>)> {
        self.told.drain(..).map(|(who, _, why)| (who, why)).collect()
    }
}

#[test]
fn who_is_heard_may_speak_back_without_watching_anybody() {
    let mut pair = Pair::open_hearted();
    pair.bob.forget();
    pair.bob_presses();
    assert_eq!(pair.last(), ("bob", FlowPhase::Checking, None));
    pair.settle();
    let both = [("alice", FlowPhase::Streaming, None), ("bob", FlowPhase::Streaming, None)];
    assert_eq!(pair.told[1..], both);
    pair.bob.expect_silence();
    let [_, forth, at_alice, at_bob] = &*pair.streams else { panic!("{:?}", pair.streams) };
    assert_eq!(at_bob.remote, address("192.0.2.10:40000"));
    assert_eq!((at_alice.port, at_alice.remote), (ALICE_PORT, address(BOB)));
    assert_eq!((at_bob.ssrc, at_bob.remote_ssrc), (at_alice.remote_ssrc, at_alice.ssrc));
    assert_eq!(at_bob.codec, forth.codec);
    let (sends, hears) = at_bob.keys.expect("SRTP");
    assert_eq!(at_alice.keys, Some((hears, sends)));
    assert_ne!(forth.keys, at_bob.keys, "no key is used twice");
}

#[test]
fn nobody_speaks_back_to_one_who_would_not_hear() {
    let mut pair = Pair::streaming();
    let (target, media) = (alice(), "audio".into());
    pair.bob.say(Command::Direct { target, media, port: BOB_PORT, codecs: pcmu(), hears: true });
    let events = pair.bob.events();
    assert!(events.iter().any(|event| matches!(event, Event::Error { .. })), "{events:?}");
    assert!(!events.iter().any(|event| matches!(event, Event::MediaPacket { .. })));
}

#[test]
fn a_reply_is_taken_from_the_bound_address_only() {
    let mut pair = Pair::open_hearted();
    pair.bob_presses();
    let (_, check) = pair.letters.remove(0);
    for (from, status) in [("192.0.2.66:50000", "403"), (BOB, "ok")] {
        pair.alice.forget();
        let (from, bytes) = (address(from), check.clone());
        pair.alice.say(Command::MediaPacket { port: ALICE_PORT, from, bytes });
        assert!(pair.alice.trace().starts_with(status));
    }
}

#[test]
fn a_reply_to_a_flow_that_never_was_is_a_stranger_s() {
    let mut pair = Pair::open_hearted();
    let info = Info { receives: false, srtp: true, pt: 0, kind: 1, ssrc: 9, nonce: [9; 8] };
    for token in ["", "guessed", "2hYpVt8mTgk0oY8wq7rZ1w"] {
        let ReplyKey { key_id, token } = ReplyKey::of(token, 4711);
        let bytes = Check { transaction: 5, key_id, sid: 6, info }.write(&token);
        pair.alice.forget();
        pair.alice.say(Command::MediaPacket { port: ALICE_PORT, from: address(BOB), bytes });
        assert_eq!(pair.alice.trace(), "401");
    }
}

#[test]
fn the_reply_ends_with_the_flow_that_it_answers() {
    let mut pair = Pair::talking();
    pair.alice.say(Command::StopFlow { flow: FlowId(1) });
    pair.listen();
    let ends = [("alice", Some(StopReason::User)), ("alice", Some(StopReason::Withdrawn))];
    assert_eq!(pair.ends(), ends);
    assert_eq!(pair.byes, ["alice", "alice"]);
    pair.bob.say(Command::MediaBye { flow: FlowId(1) });
    pair.listen();
    let ends = [("bob", Some(StopReason::Peer)), ("bob", Some(StopReason::Withdrawn))];
    assert_eq!(pair.ends(), ends);
    assert_eq!(pair.bob.agent.sizes().flows + pair.alice.agent.sizes().flows, 0);
    assert!(!pair.alice.agent.direct.listens(), "the door that was nobody's business is gone");
}

#[test]
fn both_ways_live_by_consent() {
    let mut pair = Pair::talking();
    for _ in 0..20 {
        pair.pass(secs(6));
        pair.settle();
    }
    assert!(pair.told.is_empty(), "{:?}", pair.told);
    pair.pass(secs(31));
    assert_eq!(pair.ends().len(), 4);
}

#[test]
fn whom_the_user_decides_against_is_not_heard_even_as_an_answer() {
    let mut pair = Pair::talking();
    let block = Verdict { handling: Handling::Block, direct: false };
    pair.alice.say(Command::Decide { watcher: bob(), verdict: Some(block) });
    pair.listen();
    assert_eq!(pair.ends(), [("alice", Some(StopReason::Refused))]);
    assert_eq!(pair.byes, ["alice"]);
    pair.pass(secs(6));
    pair.settle();
    assert_eq!(pair.ends(), [("bob", Some(StopReason::Refused))], "403");
}

#[test]
fn a_reply_may_end_and_begin_again() {
    let mut pair = Pair::talking();
    pair.bob.say(Command::StopFlow { flow: FlowId(2) });
    pair.alice.say(Command::MediaBye { flow: FlowId(2) });
    pair.listen();
    assert_eq!(pair.ends().len(), 2);
    pair.bob_presses();
    pair.settle();
    assert_eq!(pair.last(), ("bob", FlowPhase::Streaming, None));
}

#[test]
fn what_is_offered_while_a_reply_is_heard_is_busy() {
    let mut pair = Pair::talking();
    offering_alice(&mut pair);
    let publish = pair.alice.last(Method::Publish).expect("alice has published");
    assert_eq!(offer_in(&publish).mode, Mode::Busy);
    pair.listen();
    assert!(pair.told.is_empty());
    pair.alice.say(Command::SetOffer {
        media: "audio".into(),
        port: ALICE_PORT,
        codecs: vec![(0, "PCMU/8000").into()],
        mode: Mode::Off,
    });
    pair.listen();
    assert!(pair.told.is_empty(), "withdrawn is the offer, not the answer");
}

/// Alice offers, too, at a presence agent that keeps secrets.
fn offering_alice(pair: &mut Pair) {
    let codecs = vec![(0, "PCMU/8000").into()];
    let media = "audio".into();
    pair.alice.say(Command::SetOffer { media, port: ALICE_PORT, codecs, mode: Mode::Ready });
    let headers = [(Name::SipEtag, "a1"), (Name::Expires, "3600"), (Name::Supported, "dm1")];
    for _ in 0..2 {
        let publish = pair.alice.last(Method::Publish).expect("alice publishes");
        pair.alice.answer(&publish, 200, &headers);
    }
}

/// R81: each has the other's offer, and both press before anything arrives.
#[test]
fn two_who_start_at_once_have_two_flows_on_the_same_pair_of_ports() {
    let mut pair = Pair::new();
    pair.both = true;
    pair.alice.say(Command::Decide { watcher: bob(), verdict: Some(ALLOW) });
    let rules = pair.alice.find(Method::Publish);
    pair.alice.answer(&rules, 200, &[(Name::SipEtag, "r1")]);
    offering_alice(&mut pair);
    let mut dialog = pair.bob.watch(alice(), Package::Presence);
    pair.bob.answer(&dialog.subscribe, 200, &[(Name::Expires, "3600")]);
    let mut offer = offer_in(&pair.alice.last(Method::Publish).expect("alice has published"));
    offer.access = offer.access_for(&bob(), "alice-desk-audio", 0);
    offer.secret = None;
    let mut document = Pidf::simple("sip:alice@example.org", "alice-desk-audio", Basic::Open);
    document.tuples[0].offer = Some(offer);
    pair.bob.notify(&mut dialog, "active;expires=3600", Body::Document(&document));
    pair.listen();
    pair.press();
    pair.bob_presses();
    pair.settle();
    let streaming = pair.told.iter().filter(|(_, phase, _)| *phase == FlowPhase::Streaming);
    assert_eq!(streaming.count(), 4);
    let ends: std::collections::BTreeSet<_> =
        pair.streams.iter().map(|stream| (stream.port, stream.remote)).collect();
    assert_eq!(ends.len(), 2, "one pair of ports, seen from both ends");
}
