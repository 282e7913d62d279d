//! A world in virtual time: the real server value, real agent values, and a network between them.
//!
//! The world carries datagrams with a fixed delay, keeps a ladder of everything that was sent, and
//! can be told to lose, copy or cut. A scene commands users and waits for what they see.

use crate::stage::{DAWN, DOMAIN, config_with_digest};
use bytes::Bytes;
use presently_engine::agent::{self, Agent};
use presently_engine::body::presrules::{Handling, Verdict};
use presently_engine::digest::NonceKey;
use presently_engine::message::{Aor, Message};
use presently_engine::mint::Secret;
use presently_engine::server::{Config, Event, Record, Server};
use presently_engine::{Input, Instant, Machine, Output, Peer};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

/// The server's socket.
pub const SERVER: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1)), 5060);

/// A datagram on its way.
#[derive(Clone, Debug)]
struct Flying {
    from: SocketAddr,
    to: SocketAddr,
    bytes: Bytes,
}

/// One line of the ladder.
#[derive(Clone, Debug)]
pub struct Rung {
    /// When it was sent.
    pub at: Instant,
    /// By whom.
    pub from: SocketAddr,
    /// To whom.
    pub to: SocketAddr,
    /// The message.
    pub message: Message,
    /// Whether the network lost it.
    pub lost: bool,
}

/// One agent and what its user has seen.
pub struct User {
    /// Its configuration.
    pub config: agent::Config,
    agent: Agent,
    seen: Vec<agent::Event>,
    marked: usize,
}

/// What the network does to a datagram.
pub type Fate = Box<dyn FnMut(SocketAddr, SocketAddr, &Message) -> Carried>;

/// How often a datagram arrives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Carried {
    /// Once.
    Once,
    /// Never.
    Lost,
    /// Twice.
    Twice,
}

/// The world.
pub struct World {
    /// The server.
    pub server: Server,
    /// Its configuration.
    pub config: Config,
    /// Virtual time.
    pub now: Instant,
    /// Everything sent so far.
    pub ladder: Vec<Rung>,
    /// Durable rows of the server.
    pub rows: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Events of the server.
    pub events: Vec<Event>,
    users: BTreeMap<SocketAddr, User>,
    names: BTreeMap<String, SocketAddr>,
    flying: BTreeMap<(Instant, u64), Flying>,
    sent: u64,
    fate: Fate,
    delay: Duration,
}

impl World {
    /// A server with digest and one agent for each name, none of them logged in.
    pub fn new(names: &[&str]) -> Self {
        let mut world = Self {
            server: Server::default(),
            config: config_with_digest(names),
            now: DAWN,
            ladder: Vec::new(),
            rows: BTreeMap::new(),
            events: Vec::new(),
            users: BTreeMap::new(),
            names: BTreeMap::new(),
            flying: BTreeMap::new(),
            sent: 0,
            fate: Box::new(|_, _, _| Carried::Once),
            delay: Duration::from_millis(10),
        };
        for (index, name) in (0u16..).zip(names) {
            world.add_user(name, 6000 + index);
        }
        world
    }

    /// One more device for a user.
    pub fn add_user(&mut self, name: &str, port: u16) -> SocketAddr {
        let addr = SocketAddr::from(([198, 51, 100, 7], port));
        let mut key = [0; 16];
        key[..2].copy_from_slice(&port.to_be_bytes());
        let config = agent::Config::new(
            Aor::new(name, DOMAIN),
            &format!("{name}'s password"),
            Peer::new(SERVER),
            addr,
            Secret::new(key),
            &format!("{name}-{port}"),
        );
        let user = User { config, agent: Agent::default(), seen: Vec::new(), marked: 0 };
        self.users.insert(addr, user);
        self.names.entry(name.to_owned()).or_insert(addr);
        addr
    }

    /// Socket of a user's first device.
    pub fn addr(&self, name: &str) -> SocketAddr {
        self.names[name]
    }

    /// Lets `fate` decide about every datagram from now on.
    pub fn network(
        &mut self,
        fate: impl FnMut(SocketAddr, SocketAddr, &Message) -> Carried + 'static,
    ) {
        self.fate = Box::new(fate);
    }

    /// The network behaves again.
    pub fn calm(&mut self) {
        self.network(|_, _, _| Carried::Once);
    }

    /// A user wants something.
    pub fn command(&mut self, name: &str, command: agent::Command) {
        self.input_user(self.addr(name), Input::Command(command));
    }

    /// Logs users in and waits until they are registered.
    pub fn login(&mut self, names: &[&str]) {
        for name in names {
            self.command(name, agent::Command::Login);
            self.until(name, |event| matches!(event, agent::Event::Registered { .. }));
        }
    }

    /// The owner decides.
    pub fn decide(&mut self, owner: &str, watcher: &str, handling: Option<Handling>) {
        let verdict = handling.map(|handling| Verdict { handling, direct: true });
        let watcher = Aor::new(watcher, DOMAIN);
        self.command(owner, agent::Command::Decide { watcher, verdict });
    }

    /// Subscribes `name` to `target`.
    pub fn watch(&mut self, name: &str, target: &str, package: agent::Package, seconds: u32) {
        let target = Aor::new(target, DOMAIN);
        let expires = Some(seconds);
        self.command(name, agent::Command::Subscribe { target, package, expires });
    }

    /// Runs until `name` sees a new event that `wanted` accepts; at most a minute.
    pub fn until(&mut self, name: &str, wanted: impl Fn(&agent::Event) -> bool) -> agent::Event {
        self.within(name, Duration::from_secs(60), wanted)
    }

    /// Runs until `name` sees a new event that `wanted` accepts.
    pub fn within(
        &mut self,
        name: &str,
        limit: Duration,
        wanted: impl Fn(&agent::Event) -> bool,
    ) -> agent::Event {
        let addr = self.addr(name);
        let end = self.now + limit;
        loop {
            let user = self.users.get_mut(&addr).expect("a user of the scene");
            let fresh = &user.seen[user.marked..];
            if let Some(place) = fresh.iter().position(&wanted) {
                let event = fresh[place].clone();
                user.marked += place + 1;
                return event;
            }
            if !self.step(end) {
                panic!("{name} did not see it; saw {:#?}\n{}", self.seen(name), self.drawing());
            }
        }
    }

    /// Everything a user has seen.
    pub fn seen(&self, name: &str) -> &[agent::Event] {
        &self.users[&self.addr(name)].seen
    }

    /// Forgets what a user has seen so far: `until` looks at what comes after.
    pub fn turn_page(&mut self, name: &str) {
        let addr = self.addr(name);
        let user = self.users.get_mut(&addr).expect("a user of the scene");
        user.marked = user.seen.len();
    }

    /// Lets time pass.
    pub fn pass(&mut self, span: Duration) {
        let end = self.now + span;
        while self.step(end) {}
        self.now = end;
    }

    /// The next thing that happens, if it happens by `end`.
    fn step(&mut self, end: Instant) -> bool {
        let arrival = self.flying.keys().next().map(|(at, _)| *at);
        let deadlines = self.users.values().filter_map(|user| user.agent.deadline());
        let due = deadlines.chain(self.server.deadline()).chain(arrival).min();
        let Some(at) = due.filter(|at| *at <= end) else { return false };
        self.now = self.now.max(at);
        if arrival.is_some_and(|arrival| arrival <= self.now) {
            let (_, flying) = self.flying.pop_first().expect("it was just seen");
            self.arrive(flying);
        } else {
            self.tick();
        }
        true
    }

    fn tick(&mut self) {
        if self.server.deadline().is_some_and(|at| at <= self.now) {
            self.input_server(Input::Tick);
        }
        let due = |user: &User| user.agent.deadline().is_some_and(|at| at <= self.now);
        let ready: Vec<SocketAddr> =
            self.users.iter().filter(|(_, user)| due(user)).map(|(addr, _)| *addr).collect();
        for addr in ready {
            self.input_user(addr, Input::Tick);
        }
    }

    fn arrive(&mut self, flying: Flying) {
        let Flying { from, to, bytes } = flying;
        let from = Peer::new(from);
        if to == SERVER {
            self.input_server(Input::Packet { from, bytes });
        } else if self.users.contains_key(&to) {
            self.input_user(to, Input::Packet { from, bytes });
        }
    }

    /// Hands one input to the server.
    pub fn input_server(&mut self, input: Input<presently_engine::server::Command>) {
        let mut out = Vec::new();
        self.server.handle(&self.config, self.now, input, &mut out);
        for output in out {
            match output {
                Output::Record(record) => match record.value() {
                    Some(value) => {
                        self.rows.insert(record.key(), value);
                    }
                    None => {
                        self.rows.remove(&record.key());
                    }
                },
                Output::Transmit { to, bytes } => self.transmit(SERVER, to.addr, bytes),
                Output::Event(event) => self.events.push(event),
            }
        }
    }

    /// Hands one input to an agent.
    pub fn input_user(&mut self, addr: SocketAddr, input: Input<agent::Command>) {
        let user = self.users.get_mut(&addr).expect("a user of the scene");
        let mut out = Vec::new();
        user.agent.handle(&user.config, self.now, input, &mut out);
        for output in out {
            match output {
                Output::Record(record) => match record {},
                Output::Transmit { to, bytes } => self.transmit(addr, to.addr, bytes),
                Output::Event(event) => {
                    let user = self.users.get_mut(&addr).expect("a user of the scene");
                    user.seen.push(event);
                }
            }
        }
    }

    /// Sends a datagram into the network.
    pub fn transmit(&mut self, from: SocketAddr, to: SocketAddr, bytes: Bytes) {
        let message = Message::parse(bytes.clone()).expect("our own messages are valid SIP");
        let carried = (self.fate)(from, to, &message);
        let lost = carried == Carried::Lost;
        self.ladder.push(Rung { at: self.now, from, to, message, lost });
        let copies = match carried {
            Carried::Once => 1,
            Carried::Lost => 0,
            Carried::Twice => 2,
        };
        for copy in 0..copies {
            self.sent += 1;
            let at = self.now + self.delay * (copy + 1);
            let flying = Flying { from, to, bytes: bytes.clone() };
            self.flying.insert((at, self.sent), flying);
        }
    }

    /// Power is cut at the server and comes back after `outage`.
    pub fn crash_server(&mut self, outage: Duration) {
        self.flying.retain(|_, flying| flying.to != SERVER);
        let end = self.now + outage;
        self.server = Server::default();
        while self.step(end) {}
        self.now = end;
        self.flying.retain(|_, flying| flying.to != SERVER);
        let boot = self.config.nonce_key.boot() + 1;
        self.config.nonce_key = NonceKey::new([boot as u8; 32], boot, self.now);
        let rows = self.rows.values().map(|row| Record::decode(row).expect("rows read back"));
        self.server = Server::recover(&self.config, self.now, rows.collect());
    }

    /// Name of a socket's owner.
    pub fn name(&self, addr: SocketAddr) -> String {
        if addr == SERVER {
            return "server".to_owned();
        }
        let user = self.users.get(&addr).map(|user| user.config.aor.user().to_owned());
        user.unwrap_or_else(|| addr.to_string())
    }

    /// The ladder as text, one message a line.
    pub fn drawing(&self) -> String {
        let lines = self.ladder.iter().map(|rung| {
            let ms = rung.at.since(DAWN).as_millis();
            let text = String::from_utf8_lossy(rung.message.headers().bytes()).into_owned();
            let line = text.lines().next().unwrap_or("").to_owned();
            let lost = if rung.lost { "  (lost)" } else { "" };
            format!(
                "{ms:>8} {:>7} → {:<7} {line}{lost}\n",
                self.name(rung.from),
                self.name(rung.to)
            )
        });
        lines.collect()
    }
}
