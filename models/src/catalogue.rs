//! The models, by their names in behaviour §5.4. Bounds are small on purpose: every run ends.

use crate::cast::DOMAIN;
use crate::law::{Law, Sight};
use crate::plan::{Budget, Plan, UserId, Wish};
use presently_engine::agent::{Command, Package};
use presently_engine::body::pidf::Basic;
use presently_engine::body::presrules::{Handling, Verdict};
use presently_engine::message::Aor;
use std::time::Duration;

/// How much may be explored.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Depth {
    /// Seconds: what a developer waits for.
    Quick,
    /// Minutes: the gate of every change.
    Ci,
    /// As long as it takes.
    Deep,
}

const ALICE: UserId = 0;
const BOB: UserId = 1;
const CAROL: UserId = 2;

/// Purses of wishes.
const WATCH: u8 = 0;
const DECIDE: u8 = 1;
const PUBLISH: u8 = 2;
const LEAVE: u8 = 3;
const COME: u8 = 4;

/// Every model that a budget runs, smallest first.
pub fn plans(depth: Depth) -> Vec<Plan> {
    let mut plans = vec![
        c2a(),
        c2b(depth),
        c2c(depth),
        c2e(depth),
        c2f(depth),
        c2g(depth),
        c3a(),
        c3f(depth),
        c5a(depth),
        c5b(),
        c6a(depth),
        c6b(depth),
        c8(depth),
    ];
    if depth > Depth::Quick {
        plans.extend([c2d(depth), c3b()]);
    }
    plans
}

fn aor(name: &str) -> Aor {
    Aor::new(name, DOMAIN)
}

fn publish(note: &str) -> Command {
    Command::SetPresence { basic: Basic::Open, note: Some(note.into()) }
}

fn watch(target: &str, package: Package) -> Command {
    Command::Subscribe { target: aor(target), package, expires: None }
}

fn decide(watcher: &str, handling: Option<Handling>) -> Command {
    let verdict = handling.map(|handling| Verdict { handling, direct: false });
    Command::Decide { watcher: aor(watcher), verdict }
}

fn wish(user: UserId, purse: u8, says: &'static str, command: Command) -> Wish {
    Wish { user, purse, says, command }
}

/// Allow, block and back to asking, about one watcher.
fn decisions(watcher: &str) -> [Wish; 3] {
    [
        wish(ALICE, DECIDE, "allows a watcher", decide(watcher, Some(Handling::Allow))),
        wish(ALICE, DECIDE, "blocks a watcher", decide(watcher, Some(Handling::Block))),
        wish(ALICE, DECIDE, "goes back to asking", decide(watcher, None)),
    ]
}

/// Laws of every model with subscriptions.
const SUBSCRIPTION: &[Law] = &[
    Law::NoDocBeforeApproval,
    Law::NoEarlyExpiry,
    Law::BoundedState,
    Law::DialogFromNotify,
    Law::FsmConforms,
    Law::TerminalLast,
    Law::ContentNeverBack,
    Law::OneInFlight,
    Law::IdNeverReused,
    Law::DecisionOnce,
    Law::PolicySurvives,
    Law::OneRecordPerDialog,
    Law::ResubscribeOnce,
    Law::CSeqSendMonotone,
    Law::PendingIsBlind,
    Law::WatcherConverges,
    Law::NoStuck,
    Law::RecoverEqualsLive,
];

/// Laws of watcher information.
const WINFO: &[Law] = &[Law::VersionChain, Law::SelfViewIsolation, Law::WinfoConverges];

fn base(name: &'static str, says: &'static str, users: &'static [&'static str]) -> Plan {
    let login = (0..).zip(users).map(|(user, _)| (user, Command::Login));
    let mut prelude: Vec<_> = login.collect();
    prelude.push((ALICE, publish("r0")));
    Plan {
        name,
        says,
        users,
        digest: false,
        linger: false,
        prelude,
        wishes: Vec::new(),
        budget: Budget::default(),
        expires: [7200, 3600, 600],
        giveup: Duration::from_secs(1200),
        replay_records: None,
        laws: SUBSCRIPTION.to_vec(),
        sights: Vec::new(),
    }
}

fn purses(counts: &[(u8, u8)]) -> [u8; 6] {
    let mut purses = [0; 6];
    for (purse, count) in counts {
        purses[usize::from(*purse)] = *count;
    }
    purses
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
    if depth == Depth::Quick {
        plan.budget.departures = 0;
        plan.budget.jumps = 0;
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
    plan.sights = vec![Sight::Active, Sight::Retransmitted, Sight::CopyAbsorbed];
    plan
}

fn c2e(depth: Depth) -> Plan {
    let mut plan = c2d(depth);
    plan.name = "C2e";
    plan.says = "the same with a watcher that refreshes or leaves";
    plan.wishes.push(wish(BOB, LEAVE, "asks again", watch("alice", Package::Presence)));
    let leave = Command::Unsubscribe { target: aor("alice"), package: Package::Presence };
    plan.wishes.push(wish(BOB, LEAVE, "leaves", leave));
    plan.budget.wishes = purses(&[(WATCH, 1), (DECIDE, 1), (LEAVE, 1)]);
    plan.budget.copies = u8::from(depth > Depth::Quick);
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
    if depth > Depth::Quick {
        plan.budget.jumps = 2;
        plan.budget.wishes[usize::from(PUBLISH)] = 1;
    }
    plan.sights = vec![Sight::HalfOpen, Sight::Lost481, Sight::NewGeneration];
    plan
}

fn c3a() -> Plan {
    let users = &["alice", "bob", "carol"];
    let mut plan = base("C3a", "two watchers, an owner who watches them, one decision", users);
    plan.prelude.push((ALICE, watch("alice", Package::Winfo)));
    plan.wishes.push(wish(BOB, WATCH, "watches alice", watch("alice", Package::Presence)));
    plan.wishes.push(wish(CAROL, COME, "watches alice", watch("alice", Package::Presence)));
    plan.wishes.extend(decisions("bob"));
    plan.budget.wishes = purses(&[(WATCH, 1), (COME, 1), (DECIDE, 1)]);
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

fn c3f(depth: Depth) -> Plan {
    let users = &["alice", "bob", "carol"];
    let says = "a watcher who also watches its own row, beside another watcher; decisions";
    let mut plan = base("C3f", says, users);
    plan.prelude.push((BOB, watch("alice", Package::Winfo)));
    plan.wishes.push(wish(BOB, WATCH, "watches alice", watch("alice", Package::Presence)));
    plan.wishes.push(wish(CAROL, COME, "watches alice", watch("alice", Package::Presence)));
    plan.wishes.extend(decisions("bob"));
    plan.budget.wishes = purses(&[(WATCH, 1), (COME, 1), (DECIDE, 1)]);
    plan.linger = depth > Depth::Quick;
    plan.budget.drops = u8::from(depth > Depth::Quick);
    plan.laws.extend(WINFO);
    plan.sights = vec![Sight::Active, Sight::Rejected, Sight::PartialDocument, Sight::SelfView];
    plan
}

fn c5a(depth: Depth) -> Plan {
    let says = "publications: a letter lost, a network cut for long, a restart";
    let mut plan = base("C5a", says, &["alice"]);
    plan.linger = true;
    plan.wishes = vec![
        wish(ALICE, PUBLISH, "publishes r1", publish("r1")),
        wish(ALICE, PUBLISH, "publishes r2", publish("r2")),
        wish(ALICE, LEAVE, "logs out", Command::Logout),
    ];
    plan.budget = Budget { outages: 1, crashes: 1, ..Budget::default() };
    plan.budget.wishes = purses(&[(PUBLISH, 2), (LEAVE, 1)]);
    if depth > Depth::Quick {
        plan.budget.drops = 1;
        plan.budget.jumps = 1;
    }
    plan.laws = vec![
        Law::EtagDiscipline,
        Law::RegisterAtomic,
        Law::CSeqSendMonotone,
        Law::NoStuck,
        Law::RecoverEqualsLive,
    ];
    plan.sights = vec![Sight::StaleTag, Sight::Withdrawn, Sight::Restarted, Sight::Retransmitted];
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
    plan.budget.wishes = purses(&[(COME, 3), (LEAVE, 1)]);
    plan.laws = vec![Law::RegisterAtomic, Law::LogoutUnbinds, Law::CSeqSendMonotone, Law::NoStuck];
    plan.sights = vec![Sight::LoggedOut, Sight::CopyAbsorbed];
    plan
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
    if depth > Depth::Quick {
        // One record: every proof of bob's evicts alice's.
        plan.replay_records = Some(1);
        plan.budget.wishes[usize::from(COME)] = 1;
    }
    plan.laws = vec![
        Law::NoStateBeforeAuth,
        Law::ExecuteAtMostOnce,
        Law::ReplayInert,
        Law::FailureFree,
        Law::EtagDiscipline,
        Law::CSeqSendMonotone,
        Law::NoStuck,
    ];
    plan.sights =
        vec![Sight::ReplayRejected, Sight::ReorderedNc, Sight::Stale, Sight::ForgeryRefused];
    if depth > Depth::Quick {
        // Every request finds its record evicted and its nonce below the floor.
        plan.sights = vec![Sight::ReplayRejected, Sight::Stale, Sight::ForgeryRefused];
    }
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

fn c8(depth: Depth) -> Plan {
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
