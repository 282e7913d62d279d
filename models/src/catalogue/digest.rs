//! C6: digest, with an attacker who copies, changes and repeats.

use super::{ALICE, BOB, COME, Depth, PUBLISH, WATCH, base, publish, purses, watch, wish};
use crate::law::{Law, Sight};
use crate::plan::{Budget, Plan};
use presently_engine::agent::{Command, Package};

pub(super) fn plans(depth: Depth) -> Vec<Plan> {
    vec![c6a(depth), c6b(depth), c6c(depth)]
}

fn c6a(depth: Depth) -> Plan {
    let says = "digest: requests on one nonce overtake each other; an attacker repeats and forges";
    let mut plan = base("C6a", says, &["alice", "bob"]);
    plan.digest = true;
    plan.wishes = vec![
        wish(ALICE, PUBLISH, "publishes r1", publish("r1")),
        wish(ALICE, WATCH, "watches bob", watch("bob", Package::Presence)),
        wish(BOB, COME, "publishes", publish("r5")),
    ];
    plan.budget = Budget { replays: 1, forgeries: 1, ..Budget::default() };
    // To watch again is to ask again inside the dialog.
    plan.budget.wishes = purses(&[(PUBLISH, 1), (WATCH, 2)]);
    if depth == Depth::Deep {
        plan.budget.replays = 2;
        plan.budget.wishes[usize::from(COME)] = 1;
    }
    plan.laws = vec![
        Law::NoStateBeforeAuth,
        Law::ExecuteAtMostOnce,
        Law::ReplayInert,
        Law::NonceDomain,
        Law::FailureFree,
        Law::EtagDiscipline,
        Law::CSeqSendMonotone,
        Law::AuthTerminates,
        Law::RoutesToOwner,
        Law::NoChatter,
        Law::NoStuck,
    ];
    plan.sights =
        vec![Sight::ReplayRejected, Sight::ReorderedNc, Sight::Stale, Sight::ForgeryRefused];
    plan
}

fn c6b(depth: Depth) -> Plan {
    let mut plan = c6a(depth);
    plan.name = "C6b";
    plan.says = "digest across a restart: nonces and requests of the boot before";
    plan.users = &["alice"];
    plan.prelude = vec![(ALICE, Command::Login)];
    plan.wishes = vec![wish(ALICE, PUBLISH, "publishes r1", publish("r1"))];
    plan.budget = Budget { replays: 1, crashes: 1, ..Budget::default() };
    plan.budget.replays += u8::from(depth > Depth::Quick);
    plan.budget.wishes = purses(&[(PUBLISH, 1)]);
    plan.sights = vec![Sight::ReplayRejected, Sight::Stale, Sight::Restarted];
    plan
}

fn c6c(depth: Depth) -> Plan {
    let mut plan = c6a(depth);
    plan.name = "C6c";
    plan.says = "digest with room for one replay record: every proof of bob's evicts alice's";
    plan.replay_records = Some(1);
    plan.budget.replays = 1;
    plan.budget.forgeries = 0;
    plan.budget.wishes =
        purses(&[(PUBLISH, 1), (WATCH, u8::from(depth > Depth::Quick)), (COME, 1)]);
    // Every request finds its record evicted and its nonce below the floor.
    plan.sights = vec![Sight::ReplayRejected, Sight::Stale];
    plan
}
