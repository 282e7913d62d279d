//! Direct media between two agents (M21, M22; behaviour §6): alice speaks, bob listens. What the
//! presence agent would do between them is done by the scenes.

mod door_table;
mod early;
mod paper;
mod paper_table;
mod races;
mod replay;
mod reply;
mod sending_table;

use super::rig::*;
use crate::agent::{Command, DirectStream, Event, FlowId, FlowPhase, StopReason, Way, wire};
use crate::body::pidf::{Basic, Codec, Mode, Offer, Pidf};
use crate::body::presrules::{Handling, Verdict};
use crate::message::{Aor, Method, Name, Request};
use crate::mint::Secret;
use bytes::Bytes;
use std::net::SocketAddr;
use std::time::Duration;

const ALICE_PORT: u16 = 40_000;
const BOB_PORT: u16 = 50_000;
const ALLOW: Verdict = Verdict { handling: Handling::Allow, direct: true };

/// Two agents and the way between their media ports.
pub(super) struct Pair {
    alice: Scene,
    bob: Scene,
    dialog: Notifier,
    /// The flow's events on both sides, in their order.
    told: Vec<(&'static str, FlowPhase, Option<StopReason>)>,
    streams: Vec<DirectStream>,
    /// Checks and answers on the way: whether to bob, and octets.
    letters: Vec<(bool, Bytes)>,
    byes: Vec<&'static str>,
    /// From where each of them was last answered.
    answered_from: [Option<SocketAddr>; 2],
    /// Whether bob has spoken up, too.
    both: bool,
    /// Whether alice may send something before the answer.
    early: bool,
}

/// P27: who is heard is allowed now, or is answered while the user speaks to it. P28: media goes
/// only where an answer came from. P30: it is of a codec that the other side has named.
fn judge(scene: &Scene, way: Way, peer: &Aor, stream: &DirectStream, answered: Option<SocketAddr>) {
    let agent = &scene.agent;
    let mut known = agent.subscriptions.offers.iter();
    match way {
        Way::In => {
            let rejected = agent.subscriptions.rejected(&scene.config.aor);
            let allowed = agent.decisions.hears(std::iter::empty(), &rejected).contains(peer);
            let answers = agent.direct.sending_name() == "Streaming";
            assert!(allowed || (answers && !agent.decisions.refuses(peer)));
        }
        Way::Out => {
            assert_eq!(Some(stream.remote), answered);
            let offered = known.any(|(_, _, known)| known.offer.codecs.contains(&stream.codec));
            assert!(offered || pcmu().contains(&stream.codec));
        }
    }
}

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn pcmu() -> Vec<Codec> {
    vec![Codec { pt: 0, rtpmap: "PCMU/8000".into(), fmtp: None }]
}

/// Bob, registered at a presence agent that keeps secrets; every start of his has another one.
fn listening_bob(start: u8, allows: bool) -> Scene {
    let mut scene = Scene::new();
    scene.config.aor = bob();
    scene.config.contact = BOB_HOST.into();
    scene.config.device = "bob-desk".into();
    scene.config.secret = Secret::new([start; 16]);
    let mut scene = scene.log_in(&[(Name::Supported, "dm1")]);
    if allows {
        scene.say(Command::Decide { watcher: alice(), verdict: Some(ALLOW) });
        let rules = scene.expect(Method::Publish);
        scene.answer(&rules, 200, &[(Name::SipEtag, "r1")]);
    }
    scene.say(offer(Mode::Ready));
    published(&mut scene);
    scene
}

fn offer(mode: Mode) -> Command {
    let codecs = vec![(0, "PCMU/8000").into()];
    Command::SetOffer { media: "audio".into(), port: BOB_PORT, codecs, mode }
}

/// Answers the PUBLISH that is out; the offer in it.
fn published(scene: &mut Scene) -> Offer {
    let publish = scene.find(Method::Publish);
    scene.answer(&publish, 200, &[(Name::SipEtag, "p1"), (Name::Expires, "3600")]);
    offer_in(&publish)
}

/// Logs out and in; the PUBLISH that is out then, which offers as before.
fn logged_in_again(scene: &mut Scene) -> Request {
    scene.say(Command::Logout);
    scene.pass(secs(2));
    scene.say(Command::Login);
    let register = scene.last(Method::Register).expect("a new registration");
    scene.answer(&register, 200, &[(Name::Expires, "1000000"), (Name::Supported, "dm1")]);
    let publish = scene.last(Method::Publish).expect("a new publication");
    assert_eq!(offer_in(&publish).mode, Mode::Ready);
    publish
}

fn offer_in(publish: &Request) -> Offer {
    let document = Pidf::parse(&publish.body()).expect("a document");
    document.tuples.into_iter().find_map(|tuple| tuple.offer).expect("an offer")
}

impl Pair {
    fn new() -> Self {
        let bob = listening_bob(1, true);
        let (alice, dialog) = super::offers::watching();
        let (told, streams, letters, byes) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let (answered_from, both, early) = ([None; 2], false, false);
        let mut pair =
            Self { alice, bob, dialog, told, streams, letters, byes, answered_from, both, early };
        pair.show();
        pair
    }

    /// What the presence agent makes of bob's offer for alice.
    fn show(&mut self) {
        let publish = self.bob.last(Method::Publish).expect("bob has published");
        let mut offer = offer_in(&publish);
        offer.access = offer.access_for(&alice(), "bob-desk-audio", 0);
        offer.secret = None;
        let mut document = Pidf::simple("sip:bob@example.org", "bob-desk-audio", Basic::Open);
        document.tuples[0].offer = Some(offer);
        let state = "active;expires=3600";
        self.alice.notify(&mut self.dialog, state, Body::Document(&document));
        self.listen();
    }

    fn press(&mut self) {
        self.speak(false);
    }

    /// Alice presses, and would hear bob or not.
    fn speak(&mut self, hears: bool) {
        let (target, media) = (bob(), "audio".into());
        let codecs = pcmu();
        self.alice.say(Command::Direct { target, media, port: ALICE_PORT, codecs, hears });
        self.listen();
    }

    /// Takes over what both have said, which has to be right at any moment.
    fn listen(&mut self) {
        let answered = self.answered_from;
        let sides = [("alice", &mut self.alice), ("bob", &mut self.bob)];
        for ((who, scene), answered) in sides.into_iter().zip(answered) {
            for event in scene.events() {
                match event {
                    Event::Flow { phase, stream, reason, way, peer, .. } => {
                        // P29: receiving makes nobody speak.
                        assert!(
                            self.both || way == if who == "alice" { Way::Out } else { Way::In }
                        );
                        let late = |stream: &&DirectStream| stream.budget.is_none();
                        assert!(self.early || stream.iter().all(|stream| late(&stream)));
                        if let Some(stream) = stream.as_ref().filter(late) {
                            judge(scene, way, &peer, stream, answered);
                        }
                        self.told.push((who, phase, reason));
                        self.streams.extend(stream);
                    }
                    Event::MediaPacket { bytes, .. } => self.letters.push((who == "alice", bytes)),
                    Event::MediaBye { .. } => self.byes.push(who),
                    _ => {}
                }
            }
        }
    }

    /// Carries one datagram over.
    fn carry(&mut self, to_bob: bool, bytes: Bytes) {
        let (scene, port, from) = match to_bob {
            true => (&mut self.bob, BOB_PORT, "192.0.2.10:40000"),
            false => (&mut self.alice, ALICE_PORT, "192.0.2.20:50000"),
        };
        if wire::Reply::transaction(&bytes).is_some() {
            self.answered_from[usize::from(to_bob)] = Some(address(from));
        }
        scene.say(Command::MediaPacket { port, from: address(from), bytes });
        self.listen();
    }

    /// P53: alice streams if and only if bob hears her.
    fn agrees(&self) {
        let streams = self.alice.agent.direct.sending_name() == "Streaming";
        let heard = self.bob.agent.direct.door_name() == "Bound";
        assert_eq!(streams, heard, "{:?}", self.told);
    }

    /// Carries everything over until nothing is on the way.
    fn settle(&mut self) {
        while !self.letters.is_empty() {
            let (to_bob, bytes) = self.letters.remove(0);
            self.carry(to_bob, bytes);
        }
    }

    /// The same, but alice sees bob's answers come from there.
    fn settle_from(&mut self, from: &str) {
        while !self.letters.is_empty() {
            let (to_bob, bytes) = self.letters.remove(0);
            if to_bob {
                self.carry(true, bytes);
                continue;
            }
            let from = address(from);
            self.alice.say(Command::MediaPacket { port: ALICE_PORT, from, bytes });
            self.listen();
        }
    }

    fn pass(&mut self, span: Duration) {
        self.alice.pass(span);
        self.bob.pass(span);
        self.listen();
    }

    fn last(&self) -> (&'static str, FlowPhase, Option<StopReason>) {
        *self.told.last().expect("something about a flow")
    }

    /// Alice streams to bob.
    fn streaming() -> Self {
        let mut pair = Self::new();
        pair.press();
        pair.settle();
        assert_eq!(pair.last(), ("alice", FlowPhase::Streaming, None));
        pair.agrees();
        pair.told.clear();
        pair
    }
}

#[test]
fn a_press_a_check_an_answer_and_media_may_flow() {
    let mut pair = Pair::new();
    pair.press();
    assert_eq!(pair.last(), ("alice", FlowPhase::Checking, None));
    assert_eq!(pair.letters.len(), 1, "one check and no media");
    pair.settle();
    let both = [("bob", FlowPhase::Streaming, None), ("alice", FlowPhase::Streaming, None)];
    assert_eq!(pair.told[1..], both);
    let [at_bob, at_alice] = &*pair.streams else { panic!("{:?}", pair.streams) };
    assert_eq!(at_alice.remote, address("192.0.2.20:50000"));
    assert_eq!(at_bob.remote, address("192.0.2.10:40000"));
    assert_eq!((at_alice.ssrc, at_alice.remote_ssrc), (at_bob.remote_ssrc, at_bob.ssrc));
    let (sends, hears) = at_alice.keys.expect("SRTP");
    assert_eq!(at_bob.keys, Some((hears, sends)), "both have the same keys, the other way round");
    assert_ne!(sends, hears);
}

#[test]
fn who_is_heard_is_busy_and_then_free_again() {
    let mut pair = Pair::streaming();
    assert_eq!(published(&mut pair.bob).mode, Mode::Busy);
    pair.alice.say(Command::StopFlow { flow: FlowId(1) });
    pair.listen();
    assert_eq!(pair.last(), ("alice", FlowPhase::Stopped, Some(StopReason::User)));
    assert_eq!(pair.byes, ["alice"]);
    pair.bob.say(Command::MediaBye { flow: FlowId(1) });
    pair.listen();
    assert_eq!(pair.last(), ("bob", FlowPhase::Stopped, Some(StopReason::Peer)));
    assert_eq!(published(&mut pair.bob).mode, Mode::Ready);
    assert_eq!(pair.bob.agent.sizes().flows + pair.alice.agent.sizes().flows, 0);
}

#[test]
fn an_owner_who_is_busy_hears_nobody_new_and_goes_on_with_whom_it_hears() {
    let mut pair = Pair::new();
    pair.bob.say(offer(Mode::Busy));
    pair.press();
    pair.settle();
    assert_eq!(pair.last(), ("alice", FlowPhase::Stopped, Some(StopReason::Busy)));
    // Now it becomes busy while it hears.
    let mut pair = Pair::streaming();
    pair.bob.say(offer(Mode::Busy));
    for _ in 0..10 {
        pair.pass(secs(6));
        pair.settle();
    }
    assert!(pair.told.is_empty());
    pair.bob.say(Command::MediaBye { flow: FlowId(1) });
    assert_eq!(published(&mut pair.bob).mode, Mode::Busy, "nobody is heard, but busy it is");
}

#[test]
fn what_is_offered_anew_while_somebody_is_heard_stays_taken() {
    let mut pair = Pair::streaming();
    published(&mut pair.bob);
    pair.bob.say(offer(Mode::Ready));
    assert_eq!(published(&mut pair.bob).mode, Mode::Busy);
    pair.listen();
    assert!(pair.told.is_empty());
}

#[test]
fn who_was_heard_at_logout_does_not_take_the_next_login_s_place() {
    let mut pair = Pair::streaming();
    published(&mut pair.bob);
    logged_in_again(&mut pair.bob);
}

#[test]
fn nobody_answers_four_checks_and_the_offer_is_not_believed() {
    let mut pair = Pair::new();
    pair.press();
    pair.pass(Duration::from_millis(2999));
    assert_eq!(pair.letters.len(), 4);
    let first = pair.letters[0].clone();
    assert!(pair.letters.iter().all(|letter| *letter == first), "it is the same check");
    pair.pass(Duration::from_millis(2));
    assert_eq!(pair.last(), ("alice", FlowPhase::Stopped, Some(StopReason::Unreachable)));
    assert_eq!(pair.letters.len(), 4, "a victim's address draws four checks and no more");
    pair.press();
    assert_eq!(pair.letters.len(), 4, "the offer is suspect");
    pair.pass(secs(60));
    pair.press();
    assert_eq!(pair.letters.len(), 5);
}

#[test]
fn consent_keeps_a_flow_alive_and_silence_ends_it() {
    let mut pair = Pair::streaming();
    for _ in 0..20 {
        pair.pass(secs(6));
        pair.settle();
    }
    assert!(pair.told.is_empty());
    pair.pass(secs(31));
    let ends: Vec<_> = pair.told.iter().map(|(who, _, why)| (*who, *why)).collect();
    assert_eq!(ends, [("alice", Some(StopReason::Consent)), ("bob", Some(StopReason::Consent))]);
}

#[test]
fn who_is_blocked_is_not_heard_from_that_moment_on() {
    let mut pair = Pair::streaming();
    let block = Verdict { handling: Handling::Block, direct: false };
    pair.bob.say(Command::Decide { watcher: alice(), verdict: Some(block) });
    pair.listen();
    assert_eq!(pair.last(), ("bob", FlowPhase::Stopped, Some(StopReason::Refused)));
    assert_eq!(pair.byes, ["bob"]);
    // Should the BYE be lost: the next question for consent is answered 403.
    pair.pass(secs(6));
    pair.settle();
    assert_eq!(pair.last(), ("alice", FlowPhase::Stopped, Some(StopReason::Refused)));
}

#[test]
fn the_end_of_the_subscription_ends_the_flow_unless_it_only_ran_out() {
    let mut pair = Pair::streaming();
    pair.alice.notify(&mut pair.dialog, "terminated;reason=timeout", Body::None);
    pair.listen();
    assert!(pair.told.is_empty(), "consent alone governs");
    let mut pair = Pair::streaming();
    pair.alice.notify(&mut pair.dialog, "terminated;reason=rejected", Body::None);
    pair.listen();
    assert_eq!(pair.last(), ("alice", FlowPhase::Stopped, Some(StopReason::Withdrawn)));
}

#[test]
fn another_flow_of_the_same_peer_waits_until_it_is_quiet() {
    let mut pair = Pair::streaming();
    pair.alice.say(Command::StopFlow { flow: FlowId(1) });
    pair.listen();
    // The BYE is lost, and another flow of the same peer comes too soon.
    pair.bob.say(Command::MediaHeard { flow: FlowId(1) });
    pair.press();
    pair.settle();
    assert_eq!(pair.last(), ("alice", FlowPhase::Stopped, Some(StopReason::Busy)));
    pair.pass(secs(2));
    pair.press();
    pair.settle();
    assert_eq!(pair.last(), ("alice", FlowPhase::Streaming, None), "quiet for two seconds");
}

#[test]
fn a_finished_flow_does_not_come_back_with_a_copy_of_its_check() {
    let mut pair = Pair::new();
    pair.press();
    let (_, check) = pair.letters[0].clone();
    pair.settle();
    pair.bob.say(Command::MediaBye { flow: FlowId(1) });
    pair.listen();
    pair.told.clear();
    pair.carry(true, check);
    assert!(pair.told.is_empty());
    assert_eq!(pair.letters.len(), 1, "410");
}

#[test]
fn strangers_hear_five_refusals_a_second_and_nothing_is_bound() {
    let mut pair = Pair::new();
    pair.press();
    let (_, check) = pair.letters.remove(0);
    let mut forged = check.to_vec();
    let at = forged.len() - 20;
    forged[at] ^= 1;
    for _ in 0..100 {
        pair.carry(true, forged.clone().into());
    }
    assert_eq!(pair.letters.len(), 0, "a wrong fingerprint is noise");
    // Bob started again, and alice's token is nobody's.
    pair.bob = listening_bob(2, false);
    for _ in 0..100 {
        pair.carry(true, check.clone());
    }
    assert_eq!(pair.letters.len(), 5);
    assert!(pair.letters.iter().all(|(_, bytes)| bytes.len() * 2 <= check.len() * 3));
    assert!(pair.streams.is_empty());
}

#[test]
fn outdated_access_is_refreshed_once_and_tried_again() {
    let mut pair = Pair::new();
    pair.press();
    pair.bob = listening_bob(2, true);
    // Nobody can prove a 401, so the second one counts.
    pair.settle();
    assert_eq!(pair.last().1, FlowPhase::Checking);
    pair.pass(Duration::from_millis(200));
    pair.settle();
    let refresh = pair.alice.find(Method::Subscribe);
    pair.alice.answer(&refresh, 200, &[(Name::Expires, "3600")]);
    pair.show();
    pair.settle();
    assert_eq!(pair.last(), ("alice", FlowPhase::Streaming, None));
}

#[test]
fn without_a_common_codec_there_is_nothing_to_check() {
    let mut pair = Pair::new();
    let codecs = vec![Codec { pt: 9, rtpmap: "G722/8000".into(), fmtp: None }];
    let (target, media) = (bob(), "audio".into());
    pair.alice.say(Command::Direct { target, media, port: ALICE_PORT, codecs, hears: false });
    pair.listen();
    assert_eq!(pair.last(), ("alice", FlowPhase::Stopped, Some(StopReason::Codec)));
    assert!(pair.letters.is_empty());
}

/// A codec with parameters.
fn with(pt: u8, rtpmap: &str, fmtp: &str) -> Codec {
    Codec { fmtp: Some(fmtp.into()), ..(pt, rtpmap).into() }
}

/// Bob offers this codec, alice knows that one, and presses.
fn offered_and_known(theirs: Codec, ours: Codec) -> Pair {
    let mut pair = Pair::new();
    let (media, mode) = ("audio".into(), Mode::Ready);
    pair.bob.say(Command::SetOffer { media, port: BOB_PORT, codecs: vec![theirs], mode });
    published(&mut pair.bob);
    pair.show();
    let (target, media) = (bob(), "audio".into());
    let codecs = vec![ours];
    pair.alice.say(Command::Direct { target, media, port: ALICE_PORT, codecs, hears: false });
    pair.listen();
    pair.settle();
    pair
}

#[test]
fn who_speaks_keeps_to_the_parameters_of_the_offer() {
    let opus = with(111, "opus/48000/2", "useinbandfec=1");
    let pair = offered_and_known(opus.clone(), (96, "opus/48000/2").into());
    assert_eq!(pair.last(), ("alice", FlowPhase::Streaming, None));
    let codecs: Vec<&Codec> = pair.streams.iter().map(|stream| &stream.codec).collect();
    assert_eq!(codecs, [&opus, &opus], "at both ends");
}

/// RFC 6184 §8.2.2: another packetization mode is another codec.
#[test]
fn a_packetization_that_is_not_ours_is_no_common_codec() {
    let pieces = with(97, "H264/90000", "profile-level-id=42e01f;packetization-mode=1");
    let whole = with(97, "H264/90000", "profile-level-id=42e01f");
    let pair = offered_and_known(pieces.clone(), whole);
    assert_eq!(pair.last(), ("alice", FlowPhase::Stopped, Some(StopReason::Codec)));
    let pair = offered_and_known(pieces.clone(), pieces);
    assert_eq!(pair.last(), ("alice", FlowPhase::Streaming, None));
}

#[test]
fn an_offer_that_is_withdrawn_closes_the_door() {
    let mut pair = Pair::streaming();
    pair.bob.say(offer(Mode::Off));
    pair.listen();
    assert_eq!(pair.last(), ("bob", FlowPhase::Stopped, Some(StopReason::Withdrawn)));
    assert_eq!(pair.byes, ["bob"]);
}

#[test]
fn the_other_side_of_a_nat_may_change_its_port() {
    let mut pair = Pair::streaming();
    pair.pass(secs(6));
    let (_, consent) = pair.letters.remove(0);
    let from = address("192.0.2.10:40999");
    pair.bob.say(Command::MediaPacket { port: BOB_PORT, from, bytes: consent });
    pair.listen();
    assert_eq!(pair.streams.last().map(|stream| stream.remote), Some(from));
}

#[test]
fn a_success_after_the_user_gave_up_is_answered_with_a_bye() {
    let mut pair = Pair::new();
    pair.press();
    let (_, check) = pair.letters.remove(0);
    pair.alice.say(Command::StopFlow { flow: FlowId(1) });
    pair.listen();
    pair.carry(true, check);
    pair.settle();
    assert_eq!(pair.byes, ["alice"]);
}
