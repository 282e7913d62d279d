//! C3: watcher information, seen by the owner and by watchers themselves.

use super::{
    ALICE, BOB, COME, DECIDE, Depth, PUBLISH, WATCH, WINFO, publish, purses, two_watchers, watch,
    wish,
};
use crate::law::Sight;
use crate::plan::Plan;
use presently_engine::agent::Package;

pub(super) fn plans(depth: Depth) -> Vec<Plan> {
    let mut plans = vec![c3a(), c3f(depth), c3s(depth)];
    if depth > Depth::Quick {
        plans.insert(1, c3b());
    }
    if depth == Depth::Deep {
        plans.extend([c3c(), c3d(), c3e()]);
    }
    plans
}

fn c3a() -> Plan {
    let says = "two watchers, an owner who watches them, one decision";
    let mut plan = two_watchers("C3a", says);
    plan.prelude.push((ALICE, watch("alice", Package::Winfo)));
    plan.laws.extend(WINFO);
    plan.sights = vec![Sight::Active, Sight::Rejected, Sight::PartialDocument];
    plan
}

fn c3b() -> Plan {
    let mut plan = c3a();
    plan.name = "C3b";
    plan.says = "the same with a lost letter";
    plan.linger = true;
    plan.budget.drops = 1;
    plan.sights.push(Sight::Retransmitted);
    plan
}

fn c3c() -> Plan {
    let mut plan = c3b();
    plan.name = "C3c";
    plan.says = "the same with a lost letter and time for things to expire";
    plan.budget.jumps = 1;
    plan.budget.departures = 1;
    plan.sights.push(Sight::Expired);
    plan
}

fn c3d() -> Plan {
    let mut plan = c3a();
    plan.name = "C3d";
    plan.says = "two decisions, a publication, and time for things to expire";
    plan.wishes.push(wish(ALICE, PUBLISH, "publishes r1", publish("r1")));
    plan.budget.wishes = purses(&[(WATCH, 1), (COME, 1), (DECIDE, 2), (PUBLISH, 1)]);
    plan.budget.jumps = 1;
    plan.sights.push(Sight::BackToPending);
    plan
}

fn c3e() -> Plan {
    let mut plan = c3c();
    plan.name = "C3e";
    plan.says = "a letter lost and a letter copied, and time for things to expire";
    plan.budget.copies = 1;
    plan.sights.push(Sight::CopyAbsorbed);
    plan
}

fn c3f(depth: Depth) -> Plan {
    let says = "a watcher who also watches its own row, beside another watcher; decisions";
    let mut plan = two_watchers("C3f", says);
    plan.prelude.push((BOB, watch("alice", Package::Winfo)));
    plan.linger = depth > Depth::Quick;
    plan.budget.drops = u8::from(depth > Depth::Quick);
    plan.laws.extend(WINFO);
    plan.sights = vec![Sight::Active, Sight::Rejected, Sight::PartialDocument, Sight::SelfView];
    plan
}

fn c3s(depth: Depth) -> Plan {
    let mut plan = if depth == Depth::Deep { c3b() } else { c3a() };
    plan.name = "C3s";
    plan.says = "C3a on a server in three shards, each knowing only what is routed to it";
    plan.sharded = true;
    plan
}
