//! Races of direct media (R78–R93), as far as the scenes beside this file do not show them: R78
//! and R90 are the four checks nobody answers, R83 the copy of a finished flow's check and the
//! success nobody waits for, R85 the blocked speaker, R88 the outdated access, R89 the strangers.

use super::door_table::{access, carol};
use super::*;
use crate::agent::Package;
use crate::agent::wire::{Check, Info};
use crate::body::winfo::{Cause, Status};

const CAROL: &str = "192.0.2.30:40000";

/// Somebody's check at bob's door, and bob's answer to it.
fn check_of(pair: &mut Pair, who: &Aor, sid: u64, from: &str) -> Result<Info, u16> {
    let (key_id, token) = access(&pair.bob, who).expect("bob has published his secret");
    let info = Info { receives: false, srtp: true, pt: 0, kind: 1, ssrc: 9, nonce: [9; 8] };
    let bytes = Check { transaction: 5, key_id, sid, info }.write(&token);
    pair.bob.say(Command::MediaPacket { port: BOB_PORT, from: address(from), bytes });
    let (to, answer) = pair.bob.packets.last().expect("bob answers");
    assert_eq!(*to, address(from));
    let answer = wire::Reply::read(answer, &token).expect("an answer");
    pair.listen();
    pair.letters.clear();
    answer.outcome
}

fn decide(pair: &mut Pair, who: Aor, verdict: Verdict) {
    pair.bob.say(Command::Decide { watcher: who, verdict: Some(verdict) });
    // One PUBLISH at a time: the rules may have waited for the answer to another one.
    for _ in 0..2 {
        for publish in pair.bob.requests() {
            pair.bob.answer(&publish, 200, &[(Name::SipEtag, "p9"), (Name::Expires, "3600")]);
        }
    }
    pair.listen();
}

/// R79: the port is somebody else's now, who does not know alice.
#[test]
fn a_port_that_is_another_user_s_now_gets_no_media() {
    let mut pair = Pair::new();
    pair.press();
    pair.bob = listening_bob(9, false);
    pair.settle();
    pair.pass(secs(12));
    pair.settle();
    assert_eq!(pair.last(), ("alice", FlowPhase::Stopped, Some(StopReason::Unauthorised)));
    assert!(pair.streams.is_empty());
    pair.agrees();
}

/// R80.
#[test]
fn of_two_who_start_at_once_the_first_is_heard_and_the_other_is_told_busy() {
    let mut pair = Pair::new();
    decide(&mut pair, carol(), ALLOW);
    pair.press();
    assert!(check_of(&mut pair, &carol(), 3, CAROL).is_ok());
    assert_eq!(published(&mut pair.bob).mode, Mode::Busy);
    pair.pass(Duration::from_millis(200));
    pair.settle();
    assert_eq!(pair.last(), ("alice", FlowPhase::Stopped, Some(StopReason::Busy)));
    assert_eq!(pair.streams.last().map(|stream| stream.remote), Some(address(CAROL)));
}

/// R82.
#[test]
fn a_lost_success_is_said_again_and_nobody_is_told_twice() {
    let mut pair = Pair::new();
    pair.press();
    let (_, check) = pair.letters.remove(0);
    pair.carry(true, check);
    let (_, lost) = pair.letters.remove(0);
    pair.pass(Duration::from_millis(200));
    let (_, check) = pair.letters.remove(0);
    pair.carry(true, check);
    assert_eq!(pair.letters, [(false, lost)], "to the letter");
    pair.settle();
    let both = [("bob", FlowPhase::Streaming, None), ("alice", FlowPhase::Streaming, None)];
    assert_eq!(pair.told[1..], both);
    pair.agrees();
}

/// R83: the BYE for a success that nobody waits for is as secret as the flow would have been.
#[test]
fn a_late_success_is_answered_with_a_bye_that_bob_can_believe() {
    let mut pair = Pair::new();
    pair.press();
    let (_, check) = pair.letters.remove(0);
    pair.alice.say(Command::StopFlow { flow: FlowId(1) });
    pair.carry(true, check);
    let (_, success) = pair.letters.remove(0);
    let elsewhere = address("192.0.2.66:50000");
    let bytes = success.clone();
    pair.alice.say(Command::MediaPacket { port: ALICE_PORT, from: elsewhere, bytes });
    assert!(pair.alice.events().iter().all(|event| !matches!(event, Event::MediaBye { .. })));
    let from = address("192.0.2.20:50000");
    pair.alice.say(Command::MediaPacket { port: ALICE_PORT, from, bytes: success });
    let heard = pair.streams[0].keys.map(|(sends, hears)| (hears, sends));
    let bye = pair.alice.events().into_iter().find_map(|event| match event {
        Event::MediaBye { to, keys, .. } => Some((to, keys)),
        _ => None,
    });
    assert!(heard.is_some());
    assert_eq!(bye, Some((from, heard)));
}

/// R84: with all three lost, bob's door is free after 30 s, not earlier.
#[test]
fn a_lost_bye_frees_the_door_after_thirty_seconds() {
    let mut pair = Pair::streaming();
    pair.alice.say(Command::StopFlow { flow: FlowId(1) });
    pair.pass(Duration::from_millis(29_999));
    assert_eq!(pair.last(), ("alice", FlowPhase::Stopped, Some(StopReason::User)));
    pair.pass(Duration::from_millis(1));
    assert_eq!(pair.last(), ("bob", FlowPhase::Stopped, Some(StopReason::Consent)));
    pair.agrees();
}

/// R86: in either order of check and news.
#[test]
fn an_offer_withdrawn_while_a_check_is_on_the_way_stops_the_sender() {
    let mut pair = Pair::new();
    pair.press();
    pair.bob.say(offer(Mode::Off));
    pair.settle();
    assert_eq!(pair.last(), ("alice", FlowPhase::Checking, None), "bob says nothing at all");
    pair.show();
    assert_eq!(pair.last(), ("alice", FlowPhase::Stopped, Some(StopReason::Withdrawn)));
    pair.agrees();
}

/// R87: no NOTIFY brings newer access, no PUBLISH is answered, and both go on.
#[test]
fn a_call_outlives_its_presence_server_its_access_and_its_epoch() {
    let mut pair = Pair::streaming();
    for _ in 0..150 {
        pair.pass(secs(6));
        pair.settle();
        pair.bob.say(Command::MediaHeard { flow: FlowId(1) });
    }
    assert!(pair.told.is_empty(), "{:?}", pair.told);
    pair.agrees();
    pair.alice.say(Command::StopFlow { flow: FlowId(1) });
    pair.press();
    assert!(pair.letters.is_empty(), "the access is over, so nothing new begins");
}

/// K15: at no time is a watcher without access that bob takes.
#[test]
fn the_next_secret_is_published_before_the_last_one_ends() {
    let mut pair = Pair::new();
    let first = offer_in(&pair.bob.last(Method::Publish).expect("bob has published"));
    pair.pass(secs(570));
    let next = published(&mut pair.bob);
    let epoch = |offer: &Offer| offer.secret.as_ref().map(|secret| secret.epoch);
    assert!(epoch(&next) > epoch(&first));
    // The presence agent has not told alice yet.
    pair.pass(secs(29));
    pair.press();
    pair.settle();
    assert_eq!(pair.last(), ("alice", FlowPhase::Streaming, None));
}

/// Bob's watcher information, in which alice is active.
fn bob_looks_who_watches(pair: &mut Pair) -> Notifier {
    let mut dialog = pair.bob.watch(bob(), Package::Winfo);
    pair.bob.answer(&dialog.subscribe, 200, &[(Name::Expires, "3600")]);
    let active = Body::Winfo(0, true, &[("alice", Status::Active, Cause::Approved)]);
    pair.bob.notify(&mut dialog, "active;expires=3600", active);
    dialog
}

/// R85: bob had allowed alice here, and blocks her on another device; watcher information tells.
#[test]
fn who_was_blocked_on_another_device_is_not_heard_once_that_is_known() {
    for told in [(Status::Terminated, Cause::Rejected), (Status::Pending, Cause::Subscribe)] {
        let mut pair = Pair::new();
        let mut dialog = bob_looks_who_watches(&mut pair);
        pair.press();
        pair.settle();
        pair.told.clear();
        let gone = Body::Winfo(1, false, &[("alice", told.0, told.1)]);
        pair.bob.notify(&mut dialog, "active;expires=3600", gone);
        pair.listen();
        let refused = ("bob", FlowPhase::Stopped, Some(StopReason::Refused));
        assert_eq!(pair.told[0], refused, "{told:?}");
        let refused = ("alice", FlowPhase::Stopped, Some(StopReason::Refused));
        pair.pass(secs(6));
        pair.settle();
        assert_eq!(pair.last(), refused);
        pair.told.clear();
        pair.press();
        pair.settle();
        assert_eq!(pair.last(), refused, "nor does bob let her in again");
        // She may watch again, and so be heard.
        let again = Body::Winfo(2, false, &[("alice", Status::Active, Cause::Approved)]);
        pair.bob.notify(&mut dialog, "active;expires=3600", again);
        pair.press();
        pair.settle();
        assert_eq!(pair.last(), ("alice", FlowPhase::Streaming, None), "{told:?}");
    }
}

/// What bob decides here is newer than what watcher information told before.
#[test]
fn who_is_allowed_here_is_heard_although_it_was_blocked_elsewhere_before() {
    let mut pair = Pair::new();
    let mut dialog = bob_looks_who_watches(&mut pair);
    let gone = Body::Winfo(1, false, &[("alice", Status::Terminated, Cause::Rejected)]);
    pair.bob.notify(&mut dialog, "active;expires=3600", gone);
    pair.bob.say(Command::Decide { watcher: alice(), verdict: Some(ALLOW) });
    pair.press();
    pair.settle();
    assert_eq!(pair.last(), ("alice", FlowPhase::Streaming, None));
}

/// R89: whoever has no key may be a watcher that bob does not know yet.
#[test]
fn strangers_make_bob_look_at_his_watchers_once_in_five_seconds() {
    let mut pair = Pair::new();
    let mut dialog = pair.bob.watch(bob(), Package::Winfo);
    pair.bob.answer(&dialog.subscribe, 200, &[(Name::Expires, "3600")]);
    let none: &[(&str, Status, Cause)] = &[];
    pair.bob.notify(&mut dialog, "active;expires=3600", Body::Winfo(0, true, none));
    let info = Info { receives: false, srtp: true, pt: 0, kind: 1, ssrc: 9, nonce: [9; 8] };
    let stranger = Check { transaction: 5, key_id: "unknown".into(), sid: 1, info };
    let (key_id, _) = access(&pair.bob, &alice()).expect("bob has published his secret");
    let forged = Check { key_id, ..stranger.clone() };
    pair.bob.forget();
    let from = address(CAROL);
    pair.bob.say(Command::MediaPacket { port: BOB_PORT, from, bytes: forged.write("guessed") });
    assert!(pair.bob.requests().is_empty(), "a known key with a wrong token is no news");
    for _ in 0..10 {
        let bytes = stranger.write("guessed");
        pair.bob.say(Command::MediaPacket { port: BOB_PORT, from, bytes });
    }
    let asked = pair.bob.requests();
    assert_eq!(asked.iter().filter(|one| one.method() == Method::Subscribe).count(), 1);
}

/// R90: nobody but the address that was asked can say yes.
#[test]
fn an_answer_from_another_address_opens_nothing() {
    let mut pair = Pair::new();
    pair.press();
    pair.settle_from("192.0.2.66:50000");
    assert_eq!(pair.last(), ("bob", FlowPhase::Streaming, None));
    assert_eq!(pair.alice.agent.direct.sending_name(), "Checking");
}

/// R91: whoever uses alice's token is alice, and ends with her.
#[test]
fn a_token_that_was_passed_on_speaks_in_its_owner_s_name_until_she_is_blocked() {
    let mut pair = Pair::new();
    assert!(check_of(&mut pair, &alice(), 7, CAROL).is_ok());
    assert_eq!(pair.last(), ("bob", FlowPhase::Streaming, None));
    decide(&mut pair, alice(), Verdict { handling: Handling::Block, direct: false });
    assert_eq!(pair.last(), ("bob", FlowPhase::Stopped, Some(StopReason::Refused)));
    assert_eq!(check_of(&mut pair, &alice(), 7, CAROL), Err(403));
    assert_eq!(check_of(&mut pair, &alice(), 8, CAROL), Err(403));
}

/// R92: what runs keeps its codec until bob's answer to the next question says otherwise.
#[test]
fn a_codec_that_is_offered_no_more_ends_the_flow_with_the_next_consent() {
    let mut pair = Pair::streaming();
    let codecs = vec![(0, "PCMA/8000").into()];
    pair.bob.say(Command::SetOffer {
        media: "audio".into(),
        port: BOB_PORT,
        codecs,
        mode: Mode::Ready,
    });
    pair.listen();
    assert!(pair.told.is_empty(), "the number is the same, the codec is not");
    pair.pass(secs(6));
    pair.settle();
    assert_eq!(pair.last(), ("alice", FlowPhase::Stopped, Some(StopReason::Codec)));
    assert_eq!(pair.byes, ["alice"]);
}

/// R85, P47: normally within one period of consent, at the latest after 30 s.
#[test]
fn whoever_is_blocked_stops_within_thirty_seconds_even_if_nothing_arrives() {
    let mut pair = Pair::streaming();
    decide(&mut pair, alice(), Verdict { handling: Handling::Block, direct: false });
    assert_eq!(pair.last(), ("bob", FlowPhase::Stopped, Some(StopReason::Refused)));
    pair.pass(secs(30));
    assert_eq!(pair.last(), ("alice", FlowPhase::Stopped, Some(StopReason::Consent)));
    pair.agrees();
}
