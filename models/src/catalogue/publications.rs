//! C5: publications and registrations.

use super::{ALICE, BOB, COME, Depth, LEAVE, PUBLISH, base, publish, purses, watch, wish};
use crate::law::{Law, Sight};
use crate::plan::{Budget, Clocks, Plan};
use presently_engine::agent::{Command, Package};

pub(super) fn plans(depth: Depth) -> Vec<Plan> {
    vec![c5a(depth), c5b(), c5c(depth), c5d(depth), c5e(depth)]
}

const LAWS: &[Law] = &[
    Law::EtagDiscipline,
    Law::RegisterAtomic,
    Law::CSeqSendMonotone,
    Law::RoutesToOwner,
    Law::NoChatter,
    Law::NoStuck,
    Law::RecoverEqualsLive,
];

fn c5a(depth: Depth) -> Plan {
    let says = "publications: letters lost, a network cut for long, a restart, a long wait";
    let mut plan = base("C5a", says, &["alice"]);
    plan.linger = true;
    plan.wishes = vec![
        wish(ALICE, PUBLISH, "publishes r1", publish("r1")),
        wish(ALICE, PUBLISH, "publishes r2", publish("r2")),
        wish(ALICE, LEAVE, "logs out", Command::Logout),
    ];
    plan.budget = Budget { outages: 1, crashes: 1, ..Budget::default() };
    plan.budget.wishes = purses(&[(PUBLISH, 2), (LEAVE, u8::from(depth == Depth::Deep))]);
    plan.budget.drops = u8::from(depth > Depth::Quick);
    plan.budget.jumps = u8::from(depth > Depth::Quick);
    plan.laws = LAWS.to_vec();
    plan.sights = vec![Sight::StaleTag, Sight::Restarted, Sight::Retransmitted];
    plan
}

fn c5b() -> Plan {
    let mut plan = base("C5b", "registrations: requests copied and overtaken", &["alice"]);
    plan.wishes = vec![
        wish(ALICE, COME, "logs in", Command::Login),
        wish(ALICE, LEAVE, "logs out", Command::Logout),
    ];
    plan.prelude.clear();
    plan.linger = true;
    plan.budget = Budget { copies: 2, ..Budget::default() };
    plan.budget.wishes = purses(&[(COME, 3), (LEAVE, 2)]);
    plan.laws = vec![
        Law::RegisterAtomic,
        Law::LogoutUnbinds,
        Law::CSeqSendMonotone,
        Law::NoChatter,
        Law::NoStuck,
    ];
    plan.sights = vec![Sight::LoggedOut, Sight::CopyAbsorbed];
    plan
}

fn c5c(depth: Depth) -> Plan {
    let says = "publications, letters lost, and time for things to expire";
    let mut plan = base("C5c", says, &["alice"]);
    plan.linger = true;
    plan.wishes = vec![
        wish(ALICE, PUBLISH, "publishes r1", publish("r1")),
        wish(ALICE, PUBLISH, "publishes r2", publish("r2")),
        wish(ALICE, LEAVE, "logs out", Command::Logout),
    ];
    plan.budget = Budget { drops: 1, jumps: 1, ..Budget::default() };
    plan.budget.drops += u8::from(depth > Depth::Quick);
    let publications = if depth == Depth::Quick { 2 } else { 3 };
    plan.budget.wishes = purses(&[(PUBLISH, publications), (LEAVE, 1)]);
    plan.laws = LAWS.to_vec();
    plan.sights = vec![Sight::Withdrawn, Sight::Retransmitted];
    plan
}

fn c5d(depth: Depth) -> Plan {
    let says = "two devices of one user, who also looks at herself: one document of both";
    let mut plan = base("C5d", says, &["alice", "alice"]);
    plan.prelude.push((ALICE, watch("alice", Package::Presence)));
    plan.wishes = vec![
        wish(ALICE, PUBLISH, "publishes r1", publish("r1")),
        wish(BOB, COME, "publishes r2 on her other device", publish("r2")),
        wish(BOB, LEAVE, "logs out there", Command::Logout),
    ];
    plan.linger = true;
    plan.budget.drops = u8::from(depth > Depth::Quick);
    plan.budget.wishes = purses(&[(PUBLISH, 1), (COME, 1), (LEAVE, 1)]);
    plan.laws = [LAWS, &[Law::OneTuplePerId, Law::WatcherConverges, Law::OneInFlight]].concat();
    plan.sights = vec![Sight::Withdrawn];
    plan
}

/// A copy that comes after its transaction is forgotten is carried out, unless its CSeq says that
/// another REGISTER has overtaken it (RFC 3261 §10.3 step 7).
fn c5e(depth: Depth) -> Plan {
    let mut plan = c5b();
    plan.name = "C5e";
    plan.says = "C5b, with timers that fire at any moment: copies older than their transactions";
    plan.clocks = Clocks::Any;
    plan.budget = Budget { copies: 1, fires: 2, ..Budget::default() };
    plan.budget.fires += u8::from(depth > Depth::Quick);
    plan.budget.wishes = purses(&[(COME, 2), (LEAVE, 1)]);
    plan.laws = vec![Law::RegisterAtomic, Law::CSeqSendMonotone];
    plan.sights = vec![Sight::LoggedOut, Sight::Retransmitted, Sight::CopyAbsorbed];
    plan
}
