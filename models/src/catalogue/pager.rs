//! C8: messages to somebody who is not there.

use super::{ALICE, BOB, CAROL, COME, Depth, LEAVE, WATCH, aor, base, purses, wish};
use crate::law::{Law, Sight};
use crate::plan::{Budget, Plan};
use presently_engine::agent::Command;

pub(super) fn plans(depth: Depth) -> Vec<Plan> {
    vec![c8a(depth), c8b(depth)]
}

fn c8a(depth: Depth) -> Plan {
    let says = "a message to somebody who is not there; crashes at every stored row";
    let mut plan = base("C8", says, &["alice", "bob"]);
    plan.linger = true;
    plan.prelude = vec![(ALICE, Command::Login)];
    let text =
        |text: &str, ticket| Command::SendMessage { target: aor("bob"), text: text.into(), ticket };
    plan.wishes = vec![
        wish(ALICE, WATCH, "writes to bob", text("hello", 1)),
        wish(BOB, COME, "logs in", Command::Login),
        wish(BOB, LEAVE, "logs out", Command::Logout),
    ];
    plan.budget = Budget { drops: 1, crashes: 1, ..Budget::default() };
    plan.budget.copies = u8::from(depth > Depth::Quick);
    plan.budget.wishes = purses(&[(WATCH, 1), (COME, 1), (LEAVE, u8::from(depth > Depth::Quick))]);
    plan.laws = vec![
        Law::MessageShownOnce,
        Law::PromiseKept,
        Law::StoredDelivered,
        Law::CSeqSendMonotone,
        Law::RoutesToOwner,
        Law::NoChatter,
        Law::NoStuck,
    ];
    plan.sights = vec![
        Sight::Stored,
        Sight::StoredThenDelivered,
        Sight::DuplicateSuppressed,
        Sight::Restarted,
    ];
    plan
}

fn c8b(depth: Depth) -> Plan {
    let mut plan = c8a(depth);
    plan.name = "C8b";
    plan.says = "a message to a user with two devices, one of which comes late";
    plan.users = &["alice", "bob", "bob"];
    plan.prelude = vec![(ALICE, Command::Login), (BOB, Command::Login)];
    plan.wishes.truncate(1);
    plan.wishes.push(wish(CAROL, COME, "logs in on his other device", Command::Login));
    plan.wishes.push(wish(BOB, LEAVE, "logs out on his first device", Command::Logout));
    plan.budget = Budget { drops: 1, ..Budget::default() };
    plan.budget.copies = u8::from(depth > Depth::Quick);
    plan.budget.crashes = 1;
    plan.budget.wishes = purses(&[(WATCH, 1), (COME, 1), (LEAVE, 1)]);
    plan.sights = vec![
        Sight::Stored,
        Sight::StoredThenDelivered,
        Sight::DuplicateSuppressed,
        Sight::Restarted,
    ];
    plan
}
