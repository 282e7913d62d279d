//! C1: transactions.

use super::{Depth, WATCH, base, purses};
use crate::law::{Law, Sight};
use crate::plan::{Budget, Clocks, Pair, Plan};

pub(super) fn plans(depth: Depth) -> Vec<Plan> {
    vec![c1a(), c1b(depth), c1c(depth), c1d(depth)]
}

/// Two transaction tables instead of a world.
fn pair(name: &'static str, says: &'static str, invite: bool, answers: &'static [u16]) -> Plan {
    let mut plan = base(name, says, &[]);
    plan.prelude.clear();
    let mut budget = Budget { drops: 2, copies: 2, ..Budget::default() };
    // An INVITE can be cancelled.
    budget.wishes = purses(&[(WATCH, u8::from(invite))]);
    plan.pair = Some(Pair { invite, answers, clocks: Clocks::Ordered, budget });
    plan.laws = vec![Law::TuOnce, Law::NonInviteDiscipline, Law::LossRepaired];
    plan.sights = vec![Sight::Retransmitted, Sight::CopyAbsorbed];
    if invite {
        plan.sights.push(Sight::Cancelled);
    }
    plan
}

fn c1a() -> Plan {
    let says = "a request and its answer; the server's user also tries 180 and 408";
    pair("C1a", says, false, &[180, 408, 200])
}

fn c1b(depth: Depth) -> Plan {
    let says = "INVITE: ringing, accepted or busy, cancelled";
    let mut plan = pair("C1b", says, true, &[180, 200, 486]);
    if let (Depth::Quick, Some(pair)) = (depth, &mut plan.pair) {
        pair.budget.copies = 1;
    }
    plan
}

/// The same with clocks that know nothing of each other: any timer at any moment.
fn at_any_time(mut plan: Plan, fires: u8) -> Plan {
    plan.pair = plan.pair.map(|mut pair| {
        pair.clocks = Clocks::Any;
        pair.budget.fires = fires;
        pair
    });
    plan.laws = vec![Law::TuOnce, Law::NonInviteDiscipline];
    plan
}

fn c1c(depth: Depth) -> Plan {
    let mut plan = at_any_time(c1a(), if depth == Depth::Quick { 4 } else { 5 });
    plan.name = "C1c";
    plan.says = "C1a, with timers that fire at any moment";
    plan
}

fn c1d(depth: Depth) -> Plan {
    let fires = match depth {
        Depth::Quick => 1,
        Depth::Ci => 2,
        Depth::Deep => 3,
    };
    let mut plan = at_any_time(c1b(depth), fires);
    plan.name = "C1d";
    plan.says = "C1b, with timers that fire at any moment";
    plan
}
