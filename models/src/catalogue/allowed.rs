//! C2 and C4 with permission from the beginning: what a watcher is shown for as long as it stays,
//! while others fall silent, and after the server was away.

use super::{ALICE, BOB, CAROL, Depth, PUBLISH, WINFO, base, decide, publish, purses, watch, wish};
use crate::law::{Law, Sight};
use crate::plan::{Budget, Plan};
use presently_engine::agent::Package;
use presently_engine::body::presrules::Handling;

pub(super) fn plans(depth: Depth) -> Vec<Plan> {
    vec![c2k(depth), c2r(depth), c4b(depth)]
}

/// Watchers who are allowed and subscribed, and an owner who publishes.
fn allowed(
    name: &'static str,
    says: &'static str,
    users: &'static [&'static str],
    publications: u8,
) -> Plan {
    let mut plan = base(name, says, users);
    for (user, name) in (BOB..).zip(&users[1..]) {
        plan.prelude.push((ALICE, decide(name, Some(Handling::Allow))));
        plan.prelude.push((user, watch("alice", Package::Presence)));
    }
    plan.wishes = vec![
        wish(ALICE, PUBLISH, "publishes r1", publish("r1")),
        wish(ALICE, PUBLISH, "publishes that she is away", publish("away")),
    ];
    plan.budget.wishes = purses(&[(PUBLISH, publications)]);
    plan.linger = true;
    plan
}

/// Registrations last shorter than subscriptions: there is something to wait for in the middle of
/// one, and a NOTIFY can come long after the last SUBSCRIBE.
fn c2k(depth: Depth) -> Plan {
    let says = "a watcher who stays for long: documents come, and it asks again in time";
    let mut plan = allowed("C2k", says, &["alice", "bob"], 2);
    plan.expires = [500, 3600, 600];
    plan.budget.jumps = if depth == Depth::Quick { 4 } else { 6 };
    plan.laws.extend([Law::NeverLonger, Law::ToldAtOnce]);
    plan.sights = vec![Sight::Refreshed];
    plan
}

fn c2r(depth: Depth) -> Plan {
    let says = "a watcher, an owner who watches her watchers, and a restart between any two rows";
    let mut plan = allowed("C2r", says, &["alice", "bob"], 1);
    plan.prelude.push((ALICE, watch("alice", Package::Winfo)));
    plan.wishes.extend(super::decisions("bob"));
    plan.budget = Budget { crashes: 1, wishes: plan.budget.wishes, ..Budget::default() };
    plan.budget.wishes[usize::from(super::DECIDE)] = 1;
    plan.budget.drops = u8::from(depth > Depth::Quick);
    plan.laws.extend(WINFO);
    plan.sights = vec![Sight::Restarted, Sight::Rejected, Sight::BackToPending];
    plan
}

fn c4b(depth: Depth) -> Plan {
    let says = "two watchers with permission, and one whose device is gone: the other is told";
    let mut plan = allowed("C4b", says, &["alice", "bob", "carol"], 2);
    plan.wishes.push(wish(CAROL, super::LEAVE, "leaves", super::leave("alice")));
    plan.budget.departures = 1;
    plan.budget.drops = u8::from(depth > Depth::Quick);
    plan.budget.wishes[usize::from(super::LEAVE)] = 1;
    plan.laws.push(Law::ToldAtOnce);
    plan.sights = vec![Sight::Retransmitted];
    plan
}
