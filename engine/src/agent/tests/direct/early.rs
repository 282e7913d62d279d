//! Early media (X9): what may leave before the check is answered, and when nothing may.

use super::*;
use crate::agent::DirectPolicy;

/// Bob offers without SRTP if `plain`; alice may send so many packets early.
fn pair(early_packets: u8, plain: bool) -> Pair {
    let mut pair = Pair::new();
    pair.early = true;
    pair.alice.config.direct = DirectPolicy { early_packets, ..DirectPolicy::default() };
    pair.bob.config.direct = DirectPolicy { plain, ..DirectPolicy::default() };
    pair.bob.say(offer(Mode::Ready));
    published(&mut pair.bob);
    pair.show();
    pair
}

/// The packets that alice may send before any answer, if she may send some.
fn budget(pair: &mut Pair) -> Option<u8> {
    pair.press();
    assert_eq!(pair.letters.len(), 1, "the check leaves all the same");
    assert!(pair.told.iter().all(|told| told.1 == FlowPhase::Checking));
    let early = pair.streams.pop()?;
    assert_eq!((early.remote, early.keys), (address("192.0.2.20:50000"), None));
    early.budget
}

#[test]
fn some_packets_may_leave_with_the_check_and_the_rest_after_the_answer() {
    let mut pair = pair(3, true);
    assert_eq!(budget(&mut pair), Some(3));
    pair.settle();
    let [at_bob, at_alice] = &*pair.streams else { panic!("{:?}", pair.streams) };
    assert_eq!(at_bob.keys.or(at_alice.keys), None);
    assert_eq!((at_bob.budget, at_alice.budget), (None, None));
    assert_eq!(at_bob.remote_ssrc, at_alice.ssrc);
}

#[test]
fn nothing_leaves_early_unless_configured_and_never_more_than_ten() {
    assert_eq!(budget(&mut pair(0, true)), None);
    assert_eq!(budget(&mut pair(200, true)), Some(10));
}

#[test]
fn nothing_leaves_early_with_srtp() {
    assert_eq!(budget(&mut pair(3, false)), None);
}

#[test]
fn nothing_leaves_early_to_an_offer_older_than_a_minute() {
    let mut fresh = pair(3, true);
    fresh.pass(secs(60));
    assert_eq!(budget(&mut fresh), Some(3));
    let mut stale = pair(3, true);
    stale.pass(secs(61));
    assert_eq!(budget(&mut stale), None);
}

#[test]
fn nothing_leaves_early_to_where_the_other_side_has_moved() {
    let mut pair = pair(3, true);
    pair.press();
    pair.streams.clear();
    pair.bob.say(Command::SetOffer {
        media: "audio".into(),
        port: BOB_PORT + 2,
        codecs: vec![(0, "PCMU/8000").into()],
        mode: Mode::Ready,
    });
    published(&mut pair.bob);
    pair.show();
    assert_eq!(pair.letters.len(), 2, "the new address is asked");
    assert!(pair.streams.is_empty());
}
