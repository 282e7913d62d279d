//! The server under fire: scripted callers, bent datagrams and noise, with and without digest.
//!
//! Oracles: no panic; whoever has not proven a password changes nothing and gets at most one
//! packet (P1, P42); every size stays below what users and limits allow (P21); every datagram
//! that leaves is valid SIP; the same inputs give the same outputs (P59).

mod caller;

use crate::{Bend, bent};
use bytes::Bytes;
use caller::Caller;
use libfuzzer_sys::arbitrary::{self, Arbitrary};
use presently_engine::body::presrules::{Handling, Verdict};
use presently_engine::digest::NonceKey;
use presently_engine::message::{Aor, Message, Reply, Request};
use presently_engine::server::{Authentication, Command, Config, Event, Record, Server, User};
use presently_engine::{Input, Instant, Machine, Output, Peer};
use presently_tests::stage::{DAWN, DOMAIN, config, config_with_digest};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

/// Who has an account.
const USERS: [&str; 3] = ["alice", "bob", "carol"];
/// Phones: two of alice, one of each other user, and a stranger without an account.
const PHONES: [&str; 5] = ["alice", "alice", "bob", "carol", "mallory"];
/// More would only make a run slow.
const STEPS: usize = 120;
const STATUS: [u16; 14] = [200, 200, 200, 202, 100, 180, 302, 401, 403, 408, 481, 486, 500, 603];

/// One thing that happens.
#[derive(Arbitrary, Clone, Debug)]
pub enum Step {
    /// A phone asks.
    Ask {
        /// Which phone.
        phone: u8,
        /// What for.
        what: What,
        /// Whether it knows its password.
        proof: Proof,
        /// Whether the datagram was bent on its way out.
        bend: Option<Bend>,
    },
    /// A phone answers the oldest request it has not answered.
    Answer {
        /// Which phone.
        phone: u8,
        /// Index into the statuses.
        status: u8,
        /// Whether the answer is bent.
        bend: Option<Bend>,
    },
    /// Noise from somewhere.
    Noise {
        /// From whose address.
        phone: u8,
        /// What.
        bytes: Vec<u8>,
    },
    /// A captured datagram comes again, perhaps changed, from elsewhere.
    Replay {
        /// Which of the datagrams so far.
        nth: u8,
        /// From whose address.
        phone: u8,
        /// Changed how.
        bend: Option<Bend>,
    },
    /// Time passes.
    Pass {
        /// Quarters of a second.
        quarters: u16,
    },
    /// The owner decides outside SIP.
    Decide {
        /// Who decides, about whom, how.
        who: (u8, u8, u8),
    },
    /// An account is deleted.
    Remove {
        /// Whose.
        user: u8,
    },
    /// The transport says that a phone is gone.
    Lost {
        /// Which.
        phone: u8,
    },
    /// Power is cut.
    Crash,
}

/// What a phone asks for.
#[derive(Arbitrary, Clone, Debug)]
#[allow(missing_docs)]
pub enum What {
    Register { expires: u16, star: bool },
    Subscribe { target: u8, winfo: bool, expires: u16 },
    Renew { nth: u8, expires: u16 },
    Publish { expires: u16, tag: bool, offer: bool, body: Option<Vec<u8>> },
    Rules { handling: [u8; 3], tag: bool, body: Option<Vec<u8>> },
    Message { target: u8, text: Vec<u8> },
    Invite { target: u8 },
    Follow { nth: u8, method: u8 },
    Other { target: u8, method: u8 },
}

/// What a phone knows.
#[derive(Arbitrary, Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)]
pub enum Proof {
    Right,
    Wrong,
    None,
}

type Outputs = Vec<Output<Record, Event>>;

/// Plays the steps.
pub fn perform(digest: bool, paced: bool, steps: &[Step]) {
    let mut yard = Yard::new(digest, paced);
    for step in steps.iter().take(STEPS) {
        yard.step(step);
    }
    yard.replay_log();
}

/// The server, its phones, and what is known about both.
struct Yard {
    server: Server,
    config: Config,
    now: Instant,
    rows: BTreeMap<Vec<u8>, Vec<u8>>,
    callers: Vec<Caller>,
    /// Requests of the server that wait for an answer, by phone.
    owed: Vec<Vec<Request>>,
    /// Every datagram that a phone sent.
    captured: Vec<Bytes>,
    /// Everything since the last crash, to be played again (P59).
    log: Vec<(Instant, Input<Command>)>,
    told: Outputs,
    begun: Server,
    /// Whether the datagram being handled is no SIP: a 400 to it copies what it can, and may lack
    /// what was missing.
    noise: bool,
}

fn address(phone: usize) -> SocketAddr {
    let port = 5080 + u16::try_from(phone).expect("a few phones");
    SocketAddr::from(([198, 51, 100, 7], port))
}

/// Limits so small that a short course of events reaches them.
fn yard_config(digest: bool, paced: bool) -> Config {
    let mut config = if digest { config_with_digest(&USERS) } else { config() };
    config.users.open = false;
    for name in USERS {
        config.users.named.entry(name.into()).or_insert_with(User::default);
    }
    if paced {
        config.notify_gap = Duration::from_secs(5);
    }
    config.record_route = paced;
    config.nonces.table = 16;
    let limits = &mut config.limits;
    limits.waiting_per_watcher = 2;
    limits.waiting_per_presentity = 4;
    limits.subscriptions_per_presentity = 8;
    limits.subscriptions_per_watcher = 3;
    limits.bindings = 3;
    limits.publications = 3;
    limits.offline_quota = 4;
    limits.transactions = 48;
    limits.giveup_pending = Duration::from_secs(4000);
    limits.giveup_waiting = Duration::from_secs(4000);
    config
}

impl Yard {
    fn new(digest: bool, paced: bool) -> Self {
        Self {
            server: Server::default(),
            config: yard_config(digest, paced),
            now: DAWN,
            rows: BTreeMap::new(),
            callers: (0..PHONES.len()).map(|i| Caller::new(PHONES[i], address(i))).collect(),
            owed: vec![Vec::new(); PHONES.len()],
            captured: Vec::new(),
            log: Vec::new(),
            told: Vec::new(),
            begun: Server::default(),
            noise: false,
        }
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Ask { phone, what, proof, bend } => {
                self.ask(usize::from(*phone) % PHONES.len(), what, *proof, bend.as_ref());
            }
            Step::Answer { phone, status, bend } => {
                self.answer(usize::from(*phone) % PHONES.len(), *status, bend.as_ref());
            }
            Step::Noise { phone, bytes } => self.stranger(*phone, bytes.clone()),
            Step::Replay { nth, phone, bend } => {
                let count = self.captured.len().max(1);
                let Some(old) = self.captured.get(usize::from(*nth) % count) else { return };
                let bytes = bent(old.to_vec(), bend.as_ref());
                // Whoever captured a proven request first may still bend what digest leaves open.
                let from = Peer::new(address(usize::from(*phone) % PHONES.len()));
                self.arrive(from, bytes.into());
            }
            Step::Pass { quarters } => self.pass(Duration::from_millis(250) * u32::from(*quarters)),
            Step::Decide { who: (owner, watcher, handling) } => {
                let handlings = [
                    None,
                    Some(Handling::Allow),
                    Some(Handling::Block),
                    Some(Handling::PoliteBlock),
                    Some(Handling::Confirm),
                ];
                let handling = handlings[usize::from(*handling) % handlings.len()];
                let verdict = handling.map(|handling| Verdict { handling, direct: true });
                let (presentity, watcher) = (user(*owner), user(*watcher));
                self.input(Input::Command(Command::Decide { presentity, watcher, verdict }));
            }
            Step::Remove { user: who } => self.input(Input::Command(Command::Remove(user(*who)))),
            Step::Lost { phone } => {
                let peer = Peer::new(address(usize::from(*phone) % PHONES.len()));
                self.input(Input::Lost { peer });
            }
            Step::Crash => self.crash(),
        }
    }

    fn ask(&mut self, phone: usize, what: &What, proof: Proof, bend: Option<&Bend>) {
        let digest = self.config.authentication == Authentication::Digest;
        let text = self.callers[phone].write(what, proof);
        let bytes = bent(text.into_bytes(), bend);
        let from = address(phone);
        if digest && (proof != Proof::Right || PHONES[phone] == "mallory") {
            let follows = matches!(what, What::Follow { .. });
            return if follows { self.packet(from, bytes) } else { self.untrusted(from, bytes) };
        }
        self.packet(from, bytes);
        if self.callers[phone].take_challenge() {
            let again = self.callers[phone].write(what, proof);
            self.packet(from, bent(again.into_bytes(), bend));
        }
    }

    fn answer(&mut self, phone: usize, status: u8, bend: Option<&Bend>) {
        if self.owed[phone].is_empty() {
            return;
        }
        let request = self.owed[phone].remove(0);
        let server = SocketAddr::from(([192, 0, 2, 1], 5060));
        let status = STATUS[usize::from(status) % STATUS.len()];
        let reply = Reply::new(&request, server, status, "phone").into_writer().finish();
        self.packet(address(phone), bent(reply.to_vec(), bend));
    }

    /// A datagram of somebody who may know anything but a password.
    fn stranger(&mut self, phone: u8, bytes: Vec<u8>) {
        let from = address(usize::from(phone) % PHONES.len());
        match self.config.authentication {
            Authentication::Digest => self.untrusted(from, bytes),
            Authentication::None => self.packet(from, bytes),
        }
    }

    /// P1, P42: no record, no growth, at most one packet.
    fn untrusted(&mut self, from: SocketAddr, bytes: Vec<u8>) {
        self.input(Input::Tick);
        let (before, said) = (self.server.sizes(), self.told.len());
        self.packet(from, bytes);
        assert_eq!(self.server.sizes(), before, "a stranger changed something (P1, P42)");
        let new = self.told.get(said..).unwrap_or_default();
        let records = new.iter().filter(|output| matches!(output, Output::Record(_)));
        assert_eq!(records.count(), 0, "a stranger made a record (P1)");
        let packets = new.iter().filter(|output| matches!(output, Output::Transmit { .. }));
        assert!(packets.count() <= 1, "more than one answer to a stranger");
    }

    fn packet(&mut self, from: SocketAddr, bytes: Vec<u8>) {
        let bytes = Bytes::from(bytes);
        self.captured.push(bytes.clone());
        self.arrive(Peer::new(from), bytes);
    }

    fn arrive(&mut self, from: Peer, bytes: Bytes) {
        self.noise = Message::parse(bytes.clone()).is_err();
        self.input(Input::Packet { from, bytes });
        self.noise = false;
    }

    fn input(&mut self, input: Input<Command>) {
        let mut out = Vec::new();
        self.log.push((self.now, input.clone()));
        self.server.handle(&self.config, self.now, input, &mut out);
        for output in &out {
            match output {
                Output::Record(record) => match record.value() {
                    Some(value) => drop(self.rows.insert(record.key(), value)),
                    None => drop(self.rows.remove(&record.key())),
                },
                Output::Transmit { to, bytes } => self.deliver(to.addr, bytes.clone()),
                Output::Event(_) => {}
            }
        }
        self.told.extend(out);
        self.measure();
    }

    fn deliver(&mut self, to: SocketAddr, bytes: Bytes) {
        let message = match Message::parse(bytes) {
            Ok(message) => message,
            Err(_) if self.noise => return,
            Err(malformed) => panic!("what the server sends is valid SIP: {malformed:?}"),
        };
        let Some(phone) = (0..PHONES.len()).find(|phone| address(*phone) == to) else { return };
        match message {
            Message::Request(request) => {
                self.owed[phone].push(request);
                let surplus = self.owed[phone].len().saturating_sub(32);
                self.owed[phone].drain(..surplus);
            }
            Message::Response(response) => self.callers[phone].answered(&response),
        }
    }

    fn pass(&mut self, span: Duration) {
        let end = self.now + span;
        let mut before = None;
        while let Some(at) = self.server.deadline().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.input(Input::Tick);
            let after = self.server.deadline();
            assert!(before != Some((at, after)) || after != Some(at), "a deadline never fires");
            before = Some((at, after));
        }
        self.now = end;
    }

    fn crash(&mut self) {
        self.replay_log();
        let boot = self.config.nonce_key.boot() + 1;
        let seed = u8::try_from(boot % 251).expect("below 251");
        self.config.nonce_key = NonceKey::new([seed; 32], boot, self.now);
        let rows = self.rows.values().map(|row| Record::decode(row).expect("rows read back"));
        self.server = Server::recover(&self.config, self.now, rows.collect());
        self.begun = self.server.clone();
        self.measure();
    }

    /// P59: the same inputs, the same outputs, the same state.
    fn replay_log(&mut self) {
        let log = std::mem::take(&mut self.log);
        let told = std::mem::take(&mut self.told);
        if log.len() % 8 != 0 {
            return;
        }
        let (mut server, mut out) = (self.begun.clone(), Vec::new());
        for (now, input) in log {
            server.handle(&self.config, now, input, &mut out);
        }
        assert!(out == told, "equal inputs gave unequal outputs (P59)");
        assert!(server == self.server, "equal inputs gave unequal states (P59)");
    }

    /// P21: nothing grows beyond what users and limits allow.
    fn measure(&self) {
        let limits = &self.config.limits;
        let sizes: BTreeMap<&str, usize> = self.server.sizes().into_iter().collect();
        let users = USERS.len();
        // A fetch, and a subscription that ended, stay until their NOTIFY is answered or 32
        // seconds are over; meanwhile new ones come at the rate of R27.
        let rate = usize::try_from(limits.subscribe_rate).expect("a small number");
        let ending = users * rate * 33;
        let subscriptions = users * limits.subscriptions_per_presentity + ending;
        let bound = |name: &str| match name {
            "accounts" => users,
            "bindings" => users * limits.bindings,
            "publications" => users * limits.publications,
            "subscriptions" | "winfo_subscriptions" => subscriptions,
            "watchers" => subscriptions + users * limits.waiting_per_presentity + ending,
            "stored_messages" => users * limits.offline_quota,
            "server_transactions" => limits.transactions,
            "client_transactions" => 2 * subscriptions + limits.transactions * limits.bindings,
            "relays" => limits.transactions,
            "replay_records" => self.config.nonces.table,
            "timers" => 8 * subscriptions + 4 * limits.transactions,
            other => panic!("{other} has no bound"),
        };
        for (name, size) in sizes {
            assert!(size <= bound(name), "{name}: {size}, at most {} (P21)", bound(name));
        }
    }
}

fn user(index: u8) -> Aor {
    Aor::new(USERS[usize::from(index) % USERS.len()], DOMAIN)
}
