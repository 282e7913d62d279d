//! C2 and C4: the life of a subscription.

use super::{
    ALICE, ALWAYS, BOB, DECIDE, Depth, LEAVE, PUBLISH, WATCH, WINFO, base, decisions, leave,
    publish, purses, two_watchers, watch, wish,
};
use crate::law::Sight;
use crate::plan::{Budget, Clocks, Plan};
use presently_engine::agent::Package;

pub(super) fn plans(depth: Depth) -> Vec<Plan> {
    let mut plans =
        vec![c2a(), c2b(depth), c2c(depth), c2e(depth), c2f(depth), c2g(depth), c2i(), c4(depth)];
    if depth > Depth::Quick {
        plans.insert(3, c2d(depth));
        plans.insert(7, c2h());
    }
    plans
}

fn c2a() -> Plan {
    let mut plan = base("C2a", "one watcher, one decision, a perfect network", &["alice", "bob"]);
    plan.wishes.push(wish(BOB, WATCH, "watches alice", watch("alice", Package::Presence)));
    plan.wishes.extend(decisions("bob"));
    plan.budget.wishes = purses(&[(WATCH, 1), (DECIDE, 1)]);
    plan.sights = vec![Sight::Pending, Sight::Active, Sight::Rejected, Sight::NotifyBefore200];
    plan
}

fn c2b(depth: Depth) -> Plan {
    let mut plan = c2a();
    plan.name = "C2b";
    plan.says =
        "the same with a publication, a device that vanishes, and time for things to expire";
    plan.wishes.push(wish(ALICE, PUBLISH, "publishes r1", publish("r1")));
    plan.budget.wishes[usize::from(PUBLISH)] = 1;
    plan.budget.departures = 1;
    plan.budget.jumps = if depth == Depth::Quick { 1 } else { 2 };
    plan.sights.extend([Sight::Waiting, Sight::Expired]);
    plan
}

fn c2c(depth: Depth) -> Plan {
    let mut plan = c2b(depth);
    plan.name = "C2c";
    plan.says = "the same with an owner who watches her watchers, and one lost letter";
    plan.linger = true;
    plan.prelude.push((ALICE, watch("alice", Package::Winfo)));
    plan.budget.drops = 1;
    if depth < Depth::Deep {
        plan.budget.departures = 0;
        plan.budget.jumps = u8::from(depth == Depth::Ci);
        plan.sights = vec![Sight::Active, Sight::Rejected];
    }
    plan.laws.extend(WINFO);
    plan.sights.extend([Sight::Retransmitted, Sight::PartialDocument]);
    plan
}

fn c2d(depth: Depth) -> Plan {
    let mut plan = c2c(depth);
    plan.name = "C2d";
    plan.says = "one watcher, one decision, its owner watching; a letter lost and a letter copied";
    plan.budget = Budget { drops: 1, copies: 1, wishes: plan.budget.wishes, ..Budget::default() };
    plan.budget.jumps = u8::from(depth == Depth::Deep);
    plan.sights = vec![Sight::Active, Sight::Retransmitted, Sight::CopyAbsorbed];
    plan
}

fn c2e(depth: Depth) -> Plan {
    let mut plan = c2d(depth);
    plan.name = "C2e";
    plan.says = "the same with a watcher that refreshes or leaves";
    plan.wishes.push(wish(BOB, LEAVE, "asks again", watch("alice", Package::Presence)));
    plan.wishes.push(wish(BOB, LEAVE, "leaves", leave("alice")));
    plan.budget.wishes = purses(&[(WATCH, 1), (DECIDE, 1), (LEAVE, 1)]);
    plan.budget.copies = u8::from(depth > Depth::Quick);
    plan.budget.jumps = u8::from(depth == Depth::Deep);
    plan.sights = vec![Sight::Active, Sight::Retransmitted, Sight::Refreshed, Sight::Waiting];
    plan
}

fn c2f(depth: Depth) -> Plan {
    let mut plan = c2c(depth);
    plan.name = "C2f";
    plan.says = "two decisions about one watcher, a publication, and a NOTIFY answered 500";
    plan.budget = Budget { refusals: 1, ..Budget::default() };
    plan.budget.drops = u8::from(depth > Depth::Quick);
    plan.budget.wishes = purses(&[(WATCH, 1), (DECIDE, 2), (PUBLISH, 1)]);
    plan.sights = vec![
        Sight::Active,
        Sight::Rejected,
        Sight::BackToPending,
        Sight::FullAfterFailure,
        Sight::PartialDocument,
    ];
    plan
}

fn c2g(depth: Depth) -> Plan {
    let mut plan = c2c(depth);
    plan.name = "C2g";
    plan.says = "a network cut for longer than any transaction: half-open dialogs, a second one";
    plan.budget = Budget { outages: 1, jumps: 1, ..Budget::default() };
    plan.budget.wishes = purses(&[(WATCH, 1), (DECIDE, 1)]);
    if depth == Depth::Deep {
        plan.budget.jumps = 2;
        plan.budget.wishes[usize::from(PUBLISH)] = 1;
    }
    plan.sights = vec![Sight::HalfOpen, Sight::Lost481, Sight::NewGeneration];
    plan
}

fn c2h() -> Plan {
    let mut plan = c2a();
    plan.name = "C2h";
    plan.says = "a watcher that leaves undecided, waits, and comes back; its owner watching";
    plan.prelude.push((ALICE, watch("alice", Package::Winfo)));
    plan.wishes.push(wish(BOB, LEAVE, "leaves", leave("alice")));
    plan.budget.wishes = purses(&[(WATCH, 2), (DECIDE, 1), (LEAVE, 1)]);
    plan.linger = true;
    plan.budget.drops = 1;
    plan.laws.extend(WINFO);
    plan.sights = vec![
        Sight::Waiting,
        Sight::GiveupByResubscribe,
        Sight::WaitingDecided,
        Sight::NewGeneration,
        Sight::PartialDocument,
    ];
    plan
}

/// Assumed: while a client still repeats a request, the server's clock does not run 64·T1 ahead.
/// With one firing it cannot. With two it can: after Timer J (32 s) the server has forgotten a
/// SUBSCRIBE that its client, for whom 0.5 s have passed, sends again; the copy is a new request,
/// begins the same dialog anew, and P6 is broken by the second NOTIFY 1. RFC 3261 §17.2.2 builds
/// on clocks that agree about 64·T1; without that only digest refuses such a copy (C6, P24).
fn c2i() -> Plan {
    let mut plan = c2a();
    plan.name = "C2i";
    plan.says = "one watcher, one decision, and timers that fire at any moment: every clock drifts";
    plan.linger = true;
    plan.clocks = Clocks::Any;
    plan.budget.fires = 1;
    plan.laws = ALWAYS.to_vec();
    plan.sights = vec![Sight::Pending, Sight::Active, Sight::Rejected, Sight::Retransmitted];
    plan
}

fn c4(depth: Depth) -> Plan {
    let mut plan = two_watchers("C4", "two watchers, nobody watching them");
    plan.linger = true;
    plan.sights = vec![Sight::Active, Sight::Rejected, Sight::Pending];
    if depth > Depth::Quick {
        plan.budget.drops = 1;
        plan.budget.copies = 1;
        plan.budget.jumps = 1;
        plan.sights.extend([Sight::Retransmitted, Sight::CopyAbsorbed]);
    }
    plan
}
