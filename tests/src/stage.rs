//! A stage for scenes: one server value, phones that speak raw SIP, virtual time.
//!
//! Nothing is mocked: phones write datagrams, the server's engine answers with datagrams, and the
//! stage carries them. A scene reads as a ladder; what it asserts is what a phone would see.

use bytes::Bytes;
use presently_engine::body::presrules::Handling;
use presently_engine::digest::{NonceKey, NonceLimits};
use presently_engine::message::{Message, Request, Response};
use presently_engine::mint::Secret;
use presently_engine::server::{
    Authentication, Config, Event, Limits, Listener, Record, Server, User, Users,
};
use presently_engine::transaction::Timing;
use presently_engine::{Input, Instant, Machine, Output, Peer};
use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

/// When scenes begin: 2026-05-04T09:30:00Z.
pub const DAWN: Instant = Instant::from_millis(1_777_887_000_000);
/// The domain of every scene.
pub const DOMAIN: &str = "example.org";

/// A configuration for scenes: no digest, every user exists, changes are told at once.
pub fn config() -> Config {
    Config {
        domain: DOMAIN.into(),
        listeners: vec![Listener { sent_by: "192.0.2.1:5060".into() }],
        secret: Secret::new(*b"scenes are seeds"),
        nonce_key: NonceKey::new([7; 32], 0xb007, DAWN),
        nonces: NonceLimits::default(),
        authentication: Authentication::None,
        users: Users { open: true, ..Users::default() },
        default_policy: Handling::Confirm,
        notify_gap: Duration::ZERO,
        timing: Timing::default(),
        limits: Limits::default(),
        legacy_cpim: true,
        legacy_cpim_elements: false,
        record_route: false,
    }
}

/// The same with digest for these users; the password of `alice` is `alice's password`.
pub fn config_with_digest(names: &[&str]) -> Config {
    let mut config = config();
    config.authentication = Authentication::Digest;
    config.users.open = false;
    for name in names {
        let password = format!("{name}'s password");
        let user = User::from_password(name, DOMAIN, &password);
        config.users.insert(name, user);
    }
    config
}

/// The server and everybody who talks to it.
pub struct Stage {
    /// The value under test.
    pub server: Server,
    /// Its configuration.
    pub config: Config,
    /// Virtual time.
    pub now: Instant,
    /// Every durable fact so far, by row: what a restart would read.
    pub rows: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Events of the server since they were last taken.
    pub events: Vec<Event>,
    mail: BTreeMap<SocketAddr, VecDeque<Message>>,
}

impl Stage {
    /// An empty server at dawn.
    pub fn new(config: Config) -> Self {
        Self {
            server: Server::default(),
            config,
            now: DAWN,
            rows: BTreeMap::new(),
            events: Vec::new(),
            mail: BTreeMap::new(),
        }
    }

    /// Hands one input in and carries the outputs away.
    pub fn input(&mut self, input: Input<presently_engine::server::Command>) {
        let mut out = Vec::new();
        self.server.handle(&self.config, self.now, input, &mut out);
        for output in out {
            match output {
                Output::Record(record) => self.store(&record),
                Output::Transmit { to, bytes } => self.deliver(to.addr, bytes),
                Output::Event(event) => self.events.push(event),
            }
        }
    }

    fn store(&mut self, record: &Record) {
        match record.value() {
            Some(value) => self.rows.insert(record.key(), value),
            None => self.rows.remove(&record.key()),
        };
    }

    fn deliver(&mut self, to: SocketAddr, bytes: Bytes) {
        let message = Message::parse(bytes).expect("the server sends valid SIP");
        self.mail.entry(to).or_default().push_back(message);
    }

    /// A datagram arrives.
    pub fn packet(&mut self, from: SocketAddr, bytes: impl Into<Bytes>) {
        self.input(Input::Packet { from: Peer::new(from), bytes: bytes.into() });
    }

    /// The next message for `at`, if any came.
    pub fn next(&mut self, at: SocketAddr) -> Option<Message> {
        self.mail.get_mut(&at)?.pop_front()
    }

    /// The next response for `at`; requests that came before it stay where they are.
    pub fn response(&mut self, at: SocketAddr) -> Response {
        match self.take(at, |message| matches!(message, Message::Response(_))) {
            Some(Message::Response(response)) => response,
            _ => panic!("expected a response at {at}, there is {:?}", self.mail.get(&at)),
        }
    }

    /// The next request for `at`; responses that came before it stay where they are.
    pub fn request(&mut self, at: SocketAddr) -> Request {
        match self.take(at, |message| matches!(message, Message::Request(_))) {
            Some(Message::Request(request)) => request,
            _ => panic!("expected a request at {at}, there is {:?}", self.mail.get(&at)),
        }
    }

    fn take(&mut self, at: SocketAddr, wanted: impl Fn(&Message) -> bool) -> Option<Message> {
        let mail = self.mail.get_mut(&at)?;
        let place = mail.iter().position(wanted)?;
        mail.remove(place)
    }

    /// Nothing is waiting for `at`.
    pub fn silent(&mut self, at: SocketAddr) {
        if let Some(message) = self.next(at) {
            let text = String::from_utf8_lossy(message.headers().bytes()).into_owned();
            panic!("expected silence at {at}, got:\n{text}");
        }
    }

    /// Everything still on its way is lost.
    pub fn lose_mail(&mut self) {
        self.mail.clear();
    }

    /// Everything on its way to `at` is lost.
    pub fn lose_mail_of(&mut self, at: SocketAddr) {
        self.mail.remove(&at);
    }

    /// How many messages wait for `at`.
    pub fn waiting(&self, at: SocketAddr) -> usize {
        self.mail.get(&at).map_or(0, VecDeque::len)
    }

    /// Time passes; every deadline on the way fires at its own time.
    pub fn pass(&mut self, span: Duration) {
        let end = self.now + span;
        while let Some(at) = self.server.deadline().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.input(Input::Tick);
        }
        self.now = end;
    }

    /// Power is cut and comes back after `outage`: what was durable is all that is left.
    pub fn crash(&mut self, outage: Duration) {
        self.now = self.now + outage;
        self.mail.clear();
        let boot = self.config.nonce_key.boot() + 1;
        self.config.nonce_key = NonceKey::new([boot as u8; 32], boot, self.now);
        let rows = self.rows.values().map(|row| Record::decode(row).expect("rows read back"));
        self.server = Server::recover(&self.config, self.now, rows.collect());
    }
}
