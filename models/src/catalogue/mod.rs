//! The models, by their names in behaviour §5.4. Bounds are small on purpose: every run ends.

mod allowed;
mod digest;
mod media;
mod pager;
mod pairs;
mod publications;
mod subscriptions;
mod winfo;

use crate::cast::DOMAIN;
use crate::law::Law;
use crate::plan::{Budget, Clocks, Plan, UserId, Wish};
use crate::world::LONG;
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

/// Every model that a budget runs, family by family.
pub fn plans(depth: Depth) -> Vec<Plan> {
    let families = [
        pairs::plans,
        subscriptions::plans,
        allowed::plans,
        winfo::plans,
        publications::plans,
        digest::plans,
        pager::plans,
        media::plans,
    ];
    families.iter().flat_map(|family| family(depth)).collect()
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

fn leave(target: &str) -> Command {
    Command::Unsubscribe { target: aor(target), package: Package::Presence }
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

/// Laws of every model with subscriptions, which hold in every state.
const ALWAYS: &[Law] = &[
    Law::NoDocBeforeApproval,
    Law::NoEarlyExpiry,
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
    Law::DialogFromNotify,
    Law::PendingIsBlind,
    Law::NoGhost,
    Law::OneTuplePerId,
    Law::RoutesToOwner,
    Law::RecoverEqualsLive,
];

/// Laws of quiet states and of whole runs.
const IN_THE_END: &[Law] = &[
    Law::WatcherConverges,
    Law::SubscribeResolves,
    Law::BoundedState,
    Law::NoChatter,
    Law::NoStuck,
];

/// Laws of watcher information.
const WINFO: &[Law] =
    &[Law::VersionChain, Law::SelfViewIsolation, Law::PartialMinimal, Law::WinfoConverges];

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
        clocks: Clocks::Ordered,
        prelude,
        wishes: Vec::new(),
        budget: Budget::default(),
        expires: [7200, 3600, 600],
        giveup: Duration::from_secs(1200),
        replay_records: None,
        sharded: false,
        long: LONG,
        again: None,
        calls: false,
        pair: None,
        laws: [ALWAYS, IN_THE_END].concat(),
        sights: Vec::new(),
    }
}

/// Bob and carol, who may watch alice, and a decision of hers about bob.
fn two_watchers(name: &'static str, says: &'static str) -> Plan {
    let mut plan = base(name, says, &["alice", "bob", "carol"]);
    plan.wishes.push(wish(BOB, WATCH, "watches alice", watch("alice", Package::Presence)));
    plan.wishes.push(wish(CAROL, COME, "watches alice", watch("alice", Package::Presence)));
    plan.wishes.extend(decisions("bob"));
    plan.budget.wishes = purses(&[(WATCH, 1), (COME, 1), (DECIDE, 1)]);
    plan
}

fn purses(counts: &[(u8, u8)]) -> [u8; 6] {
    let mut purses = [0; 6];
    for (purse, count) in counts {
        purses[usize::from(*purse)] = *count;
    }
    purses
}
