//! stateright's `Model`, once: real `Server` and `Agent` values, a network, stored rows, budgets.
//!
//! Time is *ordered* as a rule: it stands still while letters travel, and passes only on an empty
//! network, to the earliest deadline and on until somebody says something. Long waits (refresh,
//! expiry, giving up) have a budget. Where a plan says *any*, every node has a clock of its own,
//! and its next timer may fire at any moment. Nothing hashed is a clock value (`print.rs`).

use crate::cast::{home, reborn};
use crate::gauge::Gauge;
use crate::ghost::{Ghost, Rows};
use crate::law::{Album, Code, Law};
use crate::plan::{Budget, Clocks, Plan, UserId};
use crate::print::{Held, print};
use crate::recall::Memory;
use crate::step::Step;
use crate::wire::{Letter, Wire};
use presently_engine::agent::{self, Agent};
use presently_engine::message::{Method, Name};
use presently_engine::server::{Command, Config, Event, Record, Server, Tables};
use presently_engine::{Instant, Machine};
use stateright::{Model, Property};
use std::fmt::Debug;
use std::hash::{Hash, Hasher};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// The server's socket.
pub const SERVER: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1)), 5060);
/// The attacker's socket.
pub const ATTACKER: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 66)), 5066);
/// When models begin: 2026-05-04T09:30:00Z.
pub const DAWN: Instant = Instant::from_millis(1_777_887_000_000);
/// A wait that is longer than anything a transaction does (64·T1 and then some) costs budget.
pub const LONG: Duration = Duration::from_secs(40);

/// A machine that stands where the server does: the shipped one, or in tests one with a fault.
pub trait Serves:
    Machine<Config = Config, Command = Command, Event = Event, Record = Record>
    + Clone
    + Hash
    + Debug
    + Default
    + Send
    + Sync
    + 'static
{
    /// Made from stored rows.
    fn recover(config: &Config, now: Instant, rows: Vec<Record>) -> Self;
    /// The tables of the server inside.
    fn tables(&self, now: Instant) -> Tables;
    /// How many transactions it has.
    fn transactions(&self) -> usize;
}

impl Serves for Server {
    fn recover(config: &Config, now: Instant, rows: Vec<Record>) -> Self {
        Self::recover(config, now, rows)
    }

    fn tables(&self, now: Instant) -> Tables {
        self.tables(now)
    }

    fn transactions(&self) -> usize {
        let sizes = self.sizes().into_iter();
        sizes.filter(|(what, _)| what.ends_with("_transactions")).map(|(_, size)| size).sum()
    }
}

/// One state.
#[derive(Clone, Debug)]
pub struct World<S> {
    /// The server's clock; everybody's where time is ordered.
    pub(crate) now: Instant,
    /// How often the server was started again.
    pub(crate) boot: u8,
    pub(crate) server: Held<S>,
    pub(crate) agents: Vec<Held<Agent>>,
    /// Devices that were switched off, by bit.
    pub(crate) absent: u8,
    /// How often the agent that may crash was started again.
    pub(crate) lives: u8,
    pub(crate) wire: Wire,
    pub(crate) rows: Held<Rows>,
    /// Requests with credentials that the attacker has seen.
    pub(crate) loot: Vec<Arc<Letter>>,
    pub(crate) left: Budget,
    pub(crate) ghost: Ghost,
    /// Laws broken on the way here.
    pub(crate) broken: Vec<Law>,
    pub(crate) print: u64,
    /// The server's tables; follows from `server`.
    pub(crate) tables: Arc<Tables>,
    /// What was said in the last step, for ladders; not part of the state.
    pub(crate) said: Vec<Said>,
}

/// One line of a ladder.
#[derive(Clone, Debug)]
pub enum Said {
    /// A letter left.
    Sent(Arc<Letter>),
    /// The server made something durable.
    Stored(Arc<str>),
    /// A user was told something.
    Told(UserId, Arc<str>),
}

impl<S> PartialEq for World<S> {
    fn eq(&self, other: &Self) -> bool {
        self.print == other.print
    }
}

impl<S> Hash for World<S> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.print);
    }
}

/// What can happen next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    /// A letter arrives.
    Deliver(u64),
    /// A letter arrives at the server, which crashes right after storing so many of the rows this
    /// causes; nothing after that leaves.
    CrashIn(u64, u8),
    /// A letter is lost.
    Drop(u64),
    /// A letter is copied.
    Copy(u64),
    /// A NOTIFY is answered 500 in the receiver's stead.
    Refuse(u64),
    /// A user does what the plan lets it do.
    Wish(u8),
    /// Time passes until somebody says something.
    Wait,
    /// The next timer of the server (0) or a user's agent (from 1 on) fires, at any moment.
    Fire(u8),
    /// A user's network is cut for 64·T1 and a bit.
    Outage(UserId),
    /// A device is switched off for good.
    Depart(UserId),
    /// The server loses power and comes back at once.
    Crash,
    /// An agent crashes and is started again at once.
    Reboot(UserId),
    /// The attacker sends a captured request under a new branch.
    Replay(u64),
    /// The attacker sends a captured request with a changed digest.
    Forge(u64),
}

/// A plan with everything that does not change while it is explored.
#[derive(Debug)]
pub struct Village<S> {
    /// The plan.
    pub plan: Plan,
    /// Configuration of the server, by boot.
    pub(crate) configs: Vec<Config>,
    pub(crate) agents: Vec<agent::Config>,
    /// Those of the agent that may crash, by how often it did.
    pub(crate) reborn: Vec<agent::Config>,
    pub(crate) sockets: Vec<SocketAddr>,
    /// What was seen so far.
    pub album: Arc<Album>,
    pub(crate) gauge: Arc<Gauge>,
    /// Laws of the plan.
    pub(crate) code: Code,
    pub(crate) memory: Memory<S>,
    /// Requests that the prelude took.
    pub(crate) before: usize,
    start: Option<World<S>>,
}

impl<S: Serves> Village<S> {
    /// The village of a plan, its prelude played.
    pub fn new(plan: Plan) -> Self {
        let (configs, agents, sockets) = crate::cast::cast(&plan);
        let (lives, prelude) = (1..=plan.budget.reboots, plan.prelude.clone());
        let again = plan.again.as_ref().map(|(user, _)| usize::from(*user));
        let again = again.map(|user| lives.map(|life| reborn(&agents[user], life)).collect());
        let reborn: Vec<agent::Config> = again.unwrap_or_default();
        let left = plan.budget;
        let code = Code::of(&plan.laws);
        let (album, gauge, memory) = (Arc::default(), Arc::default(), Memory::new());
        let (before, start) = (0, None);
        let mut village = Self {
            plan,
            configs,
            agents,
            reborn,
            sockets,
            album,
            gauge,
            code,
            memory,
            before,
            start,
        };
        let mut world = village.empty();
        for (user, command) in prelude {
            let mut step = Step::new(&village, &world);
            step.wish(user, &command);
            step.rest();
            world = step.done();
        }
        // What the prelude showed does not count.
        village.album = Arc::new(Album::default());
        assert!(
            world.broken.is_empty(),
            "the prelude of {}: {:?}",
            village.plan.name,
            world.broken
        );
        world.left = left;
        world.said.clear();
        world.seal();
        village.before = world.ghost.requests();
        village.start = Some(world);
        village
    }

    fn empty(&self) -> World<S> {
        let server = Held::new(S::default(), DAWN);
        let agents = self.agents.iter().map(|_| Held::new(Agent::default(), DAWN)).collect();
        World {
            now: DAWN,
            boot: 0,
            server,
            agents,
            absent: 0,
            lives: 0,
            wire: Wire::default(),
            rows: Held::new(Rows::new(), DAWN),
            loot: Vec::new(),
            left: Budget::default(),
            ghost: Ghost::default(),
            broken: Vec::new(),
            print: 0,
            tables: Arc::new(Tables::default()),
            said: Vec::new(),
        }
    }

    /// The user behind a socket, of SIP or of media.
    pub(crate) fn user_at(&self, socket: SocketAddr) -> Option<UserId> {
        let socket = home(socket);
        let place = self.sockets.iter().position(|known| *known == socket)?;
        UserId::try_from(place).ok()
    }

    /// A media port of a user.
    pub(crate) fn media_at(&self, user: UserId, port: u16) -> SocketAddr {
        SocketAddr::new(self.sockets[usize::from(user)].ip(), port)
    }

    /// The configuration that an agent runs with.
    pub(crate) fn agent_config(&self, user: UserId, lives: u8) -> &agent::Config {
        let reborn = self.plan.again.as_ref().filter(|(who, _)| *who == user && lives > 0);
        let reborn = reborn.and_then(|_| self.reborn.get(usize::from(lives) - 1));
        reborn.unwrap_or(&self.agents[usize::from(user)])
    }

    /// The configuration the server runs with.
    pub(crate) fn config(&self, boot: u8) -> &Config {
        self.configs.get(usize::from(boot)).unwrap_or(&self.configs[0])
    }
}

impl<S: Serves> World<S> {
    /// The same before anything has happened: what was said and broken before is left behind.
    pub(crate) fn after_this(&self) -> Self {
        Self {
            now: self.now,
            boot: self.boot,
            server: self.server.clone(),
            agents: self.agents.clone(),
            absent: self.absent,
            lives: self.lives,
            wire: self.wire.clone(),
            rows: self.rows.clone(),
            loot: self.loot.clone(),
            left: self.left,
            ghost: self.ghost.clone(),
            broken: self.broken.clone(),
            print: 0,
            tables: Arc::clone(&self.tables),
            said: Vec::new(),
        }
    }

    /// Computes the fingerprint of the whole from those of the parts.
    pub(crate) fn seal(&mut self) {
        let nodes = (&self.server, &self.agents, &self.rows, self.absent, self.boot);
        let nodes = (nodes, self.lives);
        let loot: Vec<u64> = self.loot.iter().map(|letter| letter.print).collect();
        let rest = (self.left, &self.ghost, &self.broken, &self.wire, loot);
        self.print = print(&(nodes, rest), self.now);
    }

    /// Whether all nodes and the network are as they were in `other`.
    fn rests(&self, other: &Self) -> bool {
        let agents = self.agents.iter().zip(&other.agents);
        self.server.print() == other.server.print()
            && agents.into_iter().all(|(one, two)| one.print() == two.print())
            && self.rows.print() == other.rows.print()
            && self.absent == other.absent
            && self.wire.prints().eq(other.wire.prints())
    }

    /// The earliest deadline of all.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let agents = self.agents.iter().filter_map(|agent| agent.get().deadline());
        agents.chain(self.server.get().deadline()).min()
    }

    /// Quiet (behaviour §5.1): nothing under way, nothing outstanding, only soft state left.
    pub fn is_quiet(&self, plan: &Plan) -> bool {
        self.wire.is_empty() && self.deadline().is_none_or(|at| at.since(self.now) >= plan.long)
    }

    /// Whether nothing is under way.
    pub(crate) fn network_is_empty(&self) -> bool {
        self.wire.is_empty()
    }

    /// How much of a budget was spent: the number of things that came from outside.
    pub(crate) fn happened(&self, budget: Budget) -> usize {
        budget.sum() - self.left.sum()
    }

    /// Whether a device is switched off.
    pub(crate) fn is_absent(&self, user: UserId) -> bool {
        self.absent & 1 << user != 0
    }

    /// Laws broken on the way here.
    pub fn broken(&self) -> &[Law] {
        &self.broken
    }
}

impl<S: Serves> Model for Village<S> {
    type State = World<S>;
    type Action = Action;

    fn init_states(&self) -> Vec<World<S>> {
        self.start.iter().cloned().collect()
    }

    fn actions(&self, world: &World<S>, actions: &mut Vec<Action>) {
        // What is broken stays broken: nothing behind it is of interest.
        if !self.gauge.expand() || !world.broken.is_empty() {
            return;
        }
        let left = &world.left;
        for (letter, copies) in world.wire.iter() {
            let print = letter.print;
            actions.push(Action::Deliver(print));
            if left.drops > 0 && !letter.is_bye() {
                actions.push(Action::Drop(print));
            }
            if left.copies > 0 && copies == 1 {
                actions.push(Action::Copy(print));
            }
            if left.refusals > 0 && is_notify(letter) {
                actions.push(Action::Refuse(print));
            }
            if left.crashes > 0 && letter.to == SERVER {
                actions.extend((0..3).map(|after| Action::CrashIn(print, after)));
            }
        }
        for (place, wish) in (0_u8..).zip(&self.plan.wishes) {
            if left.wishes[usize::from(wish.purse)] > 0 && !world.is_absent(wish.user) {
                actions.push(Action::Wish(place));
            }
        }
        self.disasters(world, actions);
        if self.plan.clocks == Clocks::Any {
            return self.timers(world, actions);
        }
        let wait = world.deadline().map(|at| at.since(world.now));
        if world.wire.is_empty() && wait.is_some_and(|wait| wait < self.plan.long || left.jumps > 0)
        {
            actions.push(Action::Wait);
        }
    }

    fn next_state(&self, world: &World<S>, action: Action) -> Option<World<S>> {
        let mut step = Step::new(self, world);
        step.act(action)?;
        let next = step.done();
        // A letter is used up in any case; a wish or wait that changed nothing did not happen.
        let idle = matches!(action, Action::Wish(_) | Action::Wait | Action::Fire(_))
            && next.rests(world)
            && next.broken == world.broken;
        (!idle).then_some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        self.plan.laws.iter().map(|law| crate::laws::property(*law)).collect()
    }

    fn format_action(&self, action: &Action) -> String {
        format!("{action:?}")
    }
}

impl<S: Serves> Village<S> {
    /// Every node whose next timer may fire.
    fn timers(&self, world: &World<S>, actions: &mut Vec<Action>) {
        if world.left.fires == 0 {
            return;
        }
        let server = world.server.get().deadline();
        let agents = world.agents.iter().map(|agent| agent.get().deadline());
        let armed = (0..).zip(std::iter::once(server).chain(agents));
        actions.extend(armed.filter(|(_, at)| at.is_some()).map(|(node, _)| Action::Fire(node)));
    }

    fn disasters(&self, world: &World<S>, actions: &mut Vec<Action>) {
        let left = &world.left;
        let users = (0..).zip(&self.sockets).filter(|(user, _)| !world.is_absent(*user));
        for (user, socket) in users {
            let alone =
                world.wire.iter().all(|(letter, _)| letter.from == *socket || letter.to == *socket);
            if left.outages > 0 && alone {
                actions.push(Action::Outage(user));
            }
            // Owners stay; it is watchers that vanish.
            if left.departures > 0 && user > 0 {
                actions.push(Action::Depart(user));
            }
        }
        if left.crashes > 0 {
            actions.push(Action::Crash);
        }
        if let Some((user, _)) = self.plan.again.as_ref().filter(|_| left.reboots > 0) {
            actions.push(Action::Reboot(*user));
        }
        for letter in &world.loot {
            if left.replays > 0 {
                actions.push(Action::Replay(letter.print));
            }
            if left.forgeries > 0 {
                actions.push(Action::Forge(letter.print));
            }
        }
    }
}

fn is_notify(letter: &Letter) -> bool {
    letter.asks(Method::Notify)
}

/// Whether the attacker can use a letter: a request that carries a digest.
pub(crate) fn is_proven(letter: &Letter) -> bool {
    let proof = letter.request().and_then(|request| request.first(Name::Authorization));
    letter.to == SERVER && proof.is_some()
}
