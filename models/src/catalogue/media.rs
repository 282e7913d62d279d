//! C7: direct media between agents, and calls by INVITE.

use super::{
    ALICE, ALWAYS, BOB, CAROL, COME, DECIDE, Depth, LEAVE, WATCH, aor, base, publish, purses,
    watch, wish,
};
use crate::cast::{MEDIA, codecs};
use crate::law::{Law, Sight};
use crate::plan::Plan;
use presently_engine::agent::negotiation::{Abilities, Ability};
use presently_engine::agent::{CallId, Command, FlowId, Package};
use presently_engine::body::pidf::Mode;
use presently_engine::body::presrules::{Handling, Verdict};
use presently_engine::body::sdp::Direction;
use std::time::Duration;

/// Longer than what repairs a loss (200 ms, 500 ms), shorter than the shortest wait for consent
/// (4 s, K14), which therefore costs budget: flows would go on for ever.
const LONG: Duration = Duration::from_secs(4);

pub(super) fn plans(depth: Depth) -> Vec<Plan> {
    vec![
        c7a(depth),
        c7b(depth),
        c7c(depth),
        c7d(depth),
        c7e(depth),
        c7f(depth),
        c7g(depth),
        c7h(depth),
    ]
}

fn offer(port: u16, mode: Mode) -> Command {
    Command::SetOffer { media: "audio".into(), port, codecs: codecs(), mode }
}

fn speak(target: &str, port: u16, hears: bool) -> Command {
    Command::Direct { target: aor(target), media: "audio".into(), port, codecs: codecs(), hears }
}

fn let_speak(watcher: &str, handling: Handling, direct: bool) -> Command {
    Command::Decide { watcher: aor(watcher), verdict: Some(Verdict { handling, direct }) }
}

/// Alice offers to hear bob, who watches her.
fn c7(name: &'static str, says: &'static str) -> Plan {
    let mut plan = base(name, says, &["alice", "bob"]);
    plan.long = LONG;
    plan.linger = true;
    plan.prelude.push((ALICE, watch("alice", Package::Winfo)));
    plan.prelude.push((ALICE, let_speak("bob", Handling::Allow, true)));
    plan.prelude.push((ALICE, offer(MEDIA, Mode::Ready)));
    plan.prelude.push((BOB, watch("alice", Package::Presence)));
    plan.wishes = vec![wish(BOB, WATCH, "speaks to alice", speak("alice", MEDIA + 10, false))];
    plan.budget.wishes = purses(&[(WATCH, 1)]);
    plan.laws = [ALWAYS, ON_MEDIA].concat();
    plan.sights = vec![Sight::FlowHeard];
    plan
}

/// Laws of every model with direct media.
const ON_MEDIA: &[Law] = &[
    Law::NoOfferLeak,
    Law::PlayOnlyApproved,
    Law::NoUnvalidatedMedia,
    Law::CodecAgreed,
    Law::FlowAgreement,
    Law::WatcherConverges,
    Law::SubscribeResolves,
    Law::NoChatter,
    Law::NoStuck,
];

/// Bob and alice stop the first flow that there is.
fn stops(plan: &mut Plan) {
    let stop = || Command::StopFlow { flow: FlowId(1) };
    plan.wishes.push(wish(BOB, LEAVE, "stops his first flow", stop()));
    plan.wishes.push(wish(ALICE, LEAVE, "stops her first flow", stop()));
    plan.budget.wishes[usize::from(LEAVE)] = 1;
}

fn c7a(depth: Depth) -> Plan {
    let mut plan = c7("C7a", "one who speaks and one who hears, until one of them stops");
    stops(&mut plan);
    if depth > Depth::Quick {
        plan.budget.wishes[usize::from(WATCH)] = 2;
        (plan.budget.drops, plan.budget.copies, plan.budget.jumps) = (1, 1, 1);
    }
    if depth == Depth::Deep {
        plan.budget.drops = 2;
    }
    plan.sights.extend([Sight::FlowStoppedByUser, Sight::FlowStoppedByPeer, Sight::LateSuccessBye]);
    plan
}

fn c7b(depth: Depth) -> Plan {
    let mut plan = c7("C7b", "the one who hears thinks better of it while the other speaks");
    let offers = if depth == Depth::Quick { DECIDE } else { LEAVE };
    let decides = [
        wish(ALICE, DECIDE, "blocks bob", let_speak("bob", Handling::Block, false)),
        wish(ALICE, DECIDE, "would not hear bob", let_speak("bob", Handling::Allow, false)),
        wish(ALICE, DECIDE, "would hear bob", let_speak("bob", Handling::Allow, true)),
        wish(ALICE, offers, "withdraws her offer", offer(MEDIA, Mode::Off)),
    ];
    plan.wishes.extend(decides);
    plan.budget.wishes = purses(&[(WATCH, 1), (DECIDE, 1), (LEAVE, 1)]);
    if depth > Depth::Quick {
        (plan.budget.drops, plan.budget.copies) = (1, 1);
    }
    if depth == Depth::Deep {
        plan.budget.wishes = purses(&[(WATCH, 2), (DECIDE, 2), (LEAVE, 1)]);
    }
    plan.sights.extend([Sight::FlowRefused, Sight::FlowWithdrawn, Sight::FlowStoppedByPeer]);
    plan
}

/// The old port is closed, the old secret forgotten: bob meets silence or 401 until he is told.
fn c7c(depth: Depth) -> Plan {
    let says = "the one who hears is started again, at another port, with new secrets";
    let mut plan = c7("C7c", says);
    let port = offer(MEDIA + 1, Mode::Ready);
    let again = [Command::Login, publish("r0"), watch("alice", Package::Winfo), port];
    plan.again = Some((ALICE, again.to_vec()));
    plan.budget.reboots = 1;
    plan.budget.drops = u8::from(depth > Depth::Quick);
    plan.budget.copies = u8::from(depth == Depth::Deep);
    plan.budget.jumps = u8::from(depth == Depth::Deep);
    plan.sights.push(Sight::FlowMoved);
    plan
}

fn c7d(depth: Depth) -> Plan {
    let mut plan = c7("C7d", "two who offer to hear each other start at once");
    plan.prelude.push((BOB, watch("bob", Package::Winfo)));
    plan.prelude.push((BOB, let_speak("alice", Handling::Allow, true)));
    plan.prelude.push((BOB, offer(MEDIA + 10, Mode::Ready)));
    plan.prelude.push((ALICE, watch("bob", Package::Presence)));
    both_speak(&mut plan, depth);
    plan
}

/// Alice is no watcher of bob's: she may speak for as long as he does, and says he would hear.
fn c7f(depth: Depth) -> Plan {
    let mut plan = c7("C7f", "the one who is heard hears the other side in turn (X13)");
    both_speak(&mut plan, depth);
    plan.wishes.push(wish(BOB, DECIDE, "blocks alice", let_speak("alice", Handling::Block, false)));
    plan.budget.wishes[usize::from(DECIDE)] = 1;
    plan.sights.push(Sight::FlowRefused);
    plan.sights.extend((depth > Depth::Quick).then_some(Sight::FlowWithdrawn));
    plan
}

fn both_speak(plan: &mut Plan, depth: Depth) {
    plan.wishes = vec![
        wish(BOB, WATCH, "speaks to alice", speak("alice", MEDIA + 10, true)),
        wish(ALICE, COME, "speaks to bob", speak("bob", MEDIA, true)),
    ];
    plan.budget.wishes = purses(&[(WATCH, 1), (COME, 1)]);
    if depth > Depth::Quick {
        stops(plan);
        plan.budget.drops = 1;
    }
    plan.sights.push(Sight::BothFlows);
}

/// There is one door: who comes second is told so, or comes again.
fn c7g(depth: Depth) -> Plan {
    let mut plan = c7("C7g", "two who want to speak to one");
    plan.users = &["alice", "bob", "carol"];
    plan.prelude.insert(2, (CAROL, Command::Login));
    plan.prelude.push((ALICE, let_speak("carol", Handling::Allow, true)));
    plan.prelude.push((CAROL, watch("alice", Package::Presence)));
    plan.wishes.push(wish(CAROL, COME, "speaks to alice", speak("alice", MEDIA + 20, false)));
    plan.budget.wishes[usize::from(COME)] = 1;
    if depth > Depth::Quick {
        stops(&mut plan);
        plan.budget.drops = 1;
    }
    plan.sights.push(Sight::FlowBusy);
    plan
}

/// Everything a phone can do, here and there.
fn abilities(port: u16) -> Abilities {
    let audio = Ability {
        media: "audio".into(),
        port,
        codecs: codecs(),
        direction: Direction::SendRecv,
        key: None,
        plain: true,
    };
    Abilities { address: [198, 51, 100, 7].into(), streams: vec![audio] }
}

fn c7e(depth: Depth) -> Plan {
    let mut plan =
        base("C7e", "a call: answered, cancelled and hung up, all at once", &["alice", "bob"]);
    let call = CallId(1);
    plan.calls = true;
    plan.linger = true;
    let hangup = || Command::Hangup { call };
    plan.wishes = vec![
        wish(
            BOB,
            WATCH,
            "calls alice",
            Command::Call { target: aor("alice"), abilities: abilities(MEDIA + 10) },
        ),
        wish(ALICE, DECIDE, "answers", Command::Answer { call, abilities: abilities(MEDIA) }),
        wish(ALICE, COME, "hangs up", hangup()),
        wish(BOB, LEAVE, "hangs up", hangup()),
    ];
    plan.budget.wishes = purses(&[(WATCH, 1), (DECIDE, 1), (COME, 1), (LEAVE, 1)]);
    plan.budget.drops = u8::from(depth > Depth::Quick);
    plan.budget.copies = u8::from(depth > Depth::Quick);
    // It rings for three minutes, and is said to after each.
    plan.budget.jumps = if depth == Depth::Deep { 3 } else { 0 };
    plan.laws = ON_CALLS.to_vec();
    plan.sights = vec![Sight::CallUp];
    plan
}

/// Both put each other on hold: their re-INVITEs meet (RFC 3261 §14.1).
fn c7h(depth: Depth) -> Plan {
    let mut plan = c7e(depth);
    (plan.name, plan.says) =
        ("C7h", "a call that is up: both hold, take back and hang up, at once");
    let begun = std::mem::take(&mut plan.wishes);
    let begun = begun.into_iter().take(2).map(|wish| (wish.user, wish.command));
    plan.prelude.extend(begun);
    let call = CallId(1);
    let hold = || Command::Hold { call, hold: true };
    plan.wishes = vec![
        wish(BOB, WATCH, "holds", hold()),
        wish(ALICE, DECIDE, "holds", hold()),
        wish(ALICE, COME, "hangs up", Command::Hangup { call }),
    ];
    plan.budget.wishes = purses(&[(WATCH, 1), (DECIDE, 1), (COME, 1)]);
    plan.budget.copies = 0;
    plan.budget.jumps = 0;
    plan.sights = vec![Sight::CallUp];
    plan
}

/// Laws of every model with calls.
const ON_CALLS: &[Law] =
    &[Law::CallsAgree, Law::CSeqSendMonotone, Law::BoundedState, Law::NoChatter, Law::NoStuck];
