//! A server with two rooms only, the relay and one inbox, and people who talk to it. What they
//! say and what happens is written down as a ladder, each distinct packet once.

use super::{NoAnswer, Outcome, Relays, Target, forward_ack};
use crate::digest::{NonceKey, NonceLimits};
use crate::machine::{Output, Peer};
use crate::message::{Aor, Message, Method, Name, Reply, Request, Response};
use crate::mint::Secret;
use crate::server::cx::{Ask, Cx};
use crate::server::pager::Inbox;
use crate::server::{Authentication, Config, Event, Limits, Listener, Owner, Record, Timer, Users};
use crate::time::{Instant, Timers};
use crate::transaction::{Arrival, Fired, ServerKey, Timing, Transactions};
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::Duration;

pub(in crate::server) const SERVER: &str = "192.0.2.100:5060";

/// Everybody in a scene: alice calls, bob has the devices, and `edge` is another proxy.
const PEOPLE: [(&str, &str); 5] = [
    ("alice", "192.0.2.1:5060"),
    ("desk", "192.0.2.11:5060"),
    ("cell", "192.0.2.12:5060"),
    ("tablet", "192.0.2.13:5060"),
    ("edge", "192.0.2.50:5070"),
];

pub(in crate::server) struct Rig {
    pub(in crate::server) config: Config,
    pub(in crate::server) now: Instant,
    pub(in crate::server) relays: Relays,
    pub(in crate::server) inbox: Inbox,
    pub(in crate::server) timers: Timers<Timer>,
    pub(in crate::server) transactions: Transactions<Owner>,
    pub(in crate::server) rows: Vec<Record>,
    bindings: Vec<(String, Peer)>,
    /// The latest request that each peer got, by method.
    got: BTreeMap<(Peer, Method), Request>,
    /// Every answer that alice got.
    pub(in crate::server) answers: Vec<Response>,
    key: Option<ServerKey>,
    seen: BTreeSet<(Peer, Bytes)>,
    ladder: String,
}

pub(in crate::server) fn peer(name: &str) -> Peer {
    let found = PEOPLE.iter().find(|(known, _)| *known == name);
    Peer::new(found.expect("one of the people").1.parse().expect("an address"))
}

fn name_of(peer: Peer) -> &'static str {
    let found = PEOPLE.iter().find(|(_, addr)| addr.parse() == Ok(peer.addr));
    found.map_or("somebody", |(name, _)| name)
}

pub(in crate::server) fn bob() -> Aor {
    Aor::new("bob", "example.org")
}

pub(in crate::server) fn request(text: &str) -> Request {
    let text = text.replace("\r\n", "\n").replace('\n', "\r\n");
    match Message::parse(Bytes::from(text)).expect("a well-formed message") {
        Message::Request(request) => request,
        Message::Response(_) => panic!("a request was wanted"),
    }
}

/// A request of alice's to bob, with CSeq `number` and further header lines.
pub(in crate::server) fn to_bob(method: &str, number: u32, more: &str, body: &str) -> Request {
    request(&format!(
        "{method} sip:bob@example.org SIP/2.0\n\
         Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK-a{number}\n\
         Max-Forwards: 70\n\
         From: \"Alice\" <sip:alice@example.org>;tag=al\n\
         To: <sip:bob@example.org>\n\
         Call-ID: call@alice\n\
         CSeq: {number} {method}\n\
         {more}Content-Type: text/plain\n\
         Content-Length: {}\n\
         \n\
         {body}",
        body.len()
    ))
}

pub(in crate::server) fn message(number: u32, body: &str) -> Request {
    to_bob("MESSAGE", number, &format!("DM-Message-ID: m{number}\n"), body)
}

impl Rig {
    /// A server with devices of bob's bound.
    pub(in crate::server) fn new(devices: &[&str]) -> Self {
        let listener = |sent_by: &str| Listener { sent_by: sent_by.into() };
        let now = Instant::from_millis(1_000_000_000_000);
        let config = Config {
            domain: "example.org".into(),
            listeners: vec![listener(SERVER), listener("198.51.100.1:5060")],
            secret: Secret::new([7; 16]),
            nonce_key: NonceKey::new([1; 32], 1, now),
            nonces: NonceLimits::default(),
            authentication: Authentication::None,
            users: Users::default(),
            default_policy: crate::body::presrules::Handling::Confirm,
            notify_gap: Duration::ZERO,
            timing: Timing::default(),
            limits: Limits::default(),
            legacy_cpim: false,
            legacy_cpim_elements: false,
            record_route: false,
        };
        let mut rig = Self {
            config,
            now,
            relays: Relays::default(),
            inbox: Inbox::default(),
            timers: Timers::default(),
            transactions: Transactions::default(),
            rows: Vec::new(),
            bindings: Vec::new(),
            got: BTreeMap::new(),
            answers: Vec::new(),
            key: None,
            seen: BTreeSet::new(),
            ladder: String::new(),
        };
        for device in devices {
            rig.add(device);
        }
        rig
    }

    pub(in crate::server) fn contact(device: &str) -> String {
        format!("sip:bob@{}", peer(device).addr)
    }

    fn add(&mut self, device: &str) {
        let contact = Self::contact(device);
        if !self.bindings.iter().any(|(known, _)| *known == contact) {
            self.bindings.push((contact, peer(device)));
        }
    }

    /// A device of bob's registers or refreshes.
    pub(in crate::server) fn bind(&mut self, device: &str) {
        self.say(format_args!("{device}: binds"));
        self.add(device);
        self.with(|cx, _, inbox, bindings| inbox.on_bound(cx, &bob(), bindings));
    }

    pub(in crate::server) fn unbind(&mut self, device: &str) {
        let contact = Self::contact(device);
        self.bindings.retain(|(known, _)| *known != contact);
    }

    /// Alice sends a request.
    pub(in crate::server) fn alice(&mut self, request: &Request) {
        self.say(format_args!("alice: {} {}", request.method_text(), request.uri()));
        let (timing, secret) = (self.config.timing, self.config.secret.clone());
        let mut out = Vec::new();
        let arrival = self.transactions.absorb(&secret, &timing, self.now, request, &mut out);
        self.take(out);
        let from = peer("alice");
        let dialog = request.to().is_ok_and(|to| to.tag().is_some());
        match (arrival, request.method()) {
            (Arrival::Absorbed, _) => {}
            (_, Method::Ack) => {
                let forwarded = self.with(|cx, _, _, _| forward_ack(cx, request, from, None));
                assert!(forwarded, "the ACK had nowhere to go");
            }
            (_, Method::Cancel) => {
                let key = Transactions::<Owner>::key(&secret, request, Method::Invite);
                self.with(|cx, relays, _, _| relays.on_cancel(cx, key));
            }
            (Arrival::New(key) | Arrival::Ack(key), method) => {
                self.transactions.open(&secret, &timing, self.now, key, from, request);
                self.key = Some(key);
                let user = Aor::new("alice", "example.org");
                let ask = Ask { request, from, key, user, info: None };
                self.with(|cx, relays, inbox, bindings| match method {
                    _ if dialog => relays.forward_in_dialog(cx, &ask, None),
                    Method::Message => inbox.on_message(cx, relays, &ask, &bob(), bindings),
                    _ => relays.forward(cx, &ask, &bob(), bindings),
                });
            }
        }
    }

    /// A device answers the latest request of this method that it got.
    pub(in crate::server) fn answer(&mut self, device: &str, method: Method, status: u16) {
        self.answer_with(device, method, status, &[]);
    }

    pub(in crate::server) fn answer_with(
        &mut self,
        device: &str,
        method: Method,
        status: u16,
        headers: &[(Name, &str)],
    ) {
        let source = SERVER.parse().expect("an address");
        let mut reply = Reply::new(self.got(device, method), source, status, device);
        for (name, value) in headers {
            reply.header(*name, value);
        }
        let bytes = reply.into_writer().finish();
        self.say(format_args!("{device}: {status} {}", method.as_str()));
        self.respond(bytes);
    }

    pub(in crate::server) fn respond(&mut self, bytes: Bytes) {
        let Ok(Message::Response(response)) = Message::parse(bytes) else {
            panic!("a response was wanted")
        };
        let (timing, mut out) = (self.config.timing, Vec::new());
        let owner = self.transactions.receive(&timing, self.now, &response, &mut out);
        self.take(out);
        match owner {
            Some(Owner::Relay { key, branch }) => {
                let outcome =
                    self.with(|cx, relays, _, _| relays.on_response(cx, key, branch, &response));
                self.settle(outcome);
            }
            Some(Owner::Deliver { aor, id }) => self.with(|cx, _, inbox, bindings| {
                inbox.on_answer(cx, &aor, id, Some(response.status()), bindings);
            }),
            Some(Owner::Notify { .. } | Owner::Nobody) | None => {}
        }
    }

    /// The transport gives a device up.
    pub(in crate::server) fn lose(&mut self, device: &str) {
        self.say(format_args!("{device}: unreachable"));
        for owner in self.transactions.lost(peer(device)) {
            self.no_answer(owner, NoAnswer::Unreachable);
        }
    }

    fn no_answer(&mut self, owner: Owner, why: NoAnswer) {
        match owner {
            Owner::Relay { key, branch } => {
                let outcome =
                    self.with(|cx, relays, _, _| relays.on_no_answer(cx, key, branch, why));
                self.settle(outcome);
            }
            Owner::Deliver { aor, id } => self.with(|cx, _, inbox, bindings| {
                inbox.on_answer(cx, &aor, id, None, bindings);
            }),
            Owner::Notify { .. } | Owner::Nobody => {}
        }
    }

    /// Does with an outcome what the hall does.
    pub(in crate::server) fn settle(&mut self, outcome: Outcome) {
        self.with(|cx, _, inbox, bindings| match &outcome {
            Outcome::Settled => {}
            Outcome::Keep(message) => inbox.keep_unreached(cx, message, bindings),
            Outcome::Received { aor, mark } => inbox.received(cx, aor, *mark),
        });
    }

    /// Lets time pass, deadline by deadline.
    pub(in crate::server) fn wait(&mut self, span: Duration) {
        self.say(format_args!("+{span:?}"));
        let end = self.now + span;
        loop {
            let next = [self.transactions.deadline(), self.timers.next()].into_iter().flatten();
            let Some(next) = next.min().filter(|next| *next <= end) else { break };
            self.now = self.now.max(next);
            self.fire();
        }
        self.now = end;
    }

    fn fire(&mut self) {
        let (timing, mut out) = (self.config.timing, Vec::new());
        while let Some(fired) = self.transactions.fire(&timing, self.now, &mut out) {
            self.take(std::mem::take(&mut out));
            if let Fired::Timeout(owner) = fired {
                self.no_answer(owner, NoAnswer::TimedOut);
            }
        }
        self.take(out);
        while let Some(timer) = self.timers.pop_due(self.now) {
            match timer {
                Timer::Relay(key) => {
                    let outcome = self.with(|cx, relays, _, _| relays.on_timer(cx, key));
                    self.settle(outcome);
                }
                Timer::Kept(aor, id) => {
                    self.with(|cx, _, inbox, _| inbox.on_expired(cx, &aor, id));
                }
                Timer::Dedupe(_, mark) => self.inbox.on_dedupe_over(mark),
                other => panic!("{other:?} belongs to no room of this rig"),
            }
        }
    }

    /// Everything volatile is lost, then the rows are read back.
    pub(in crate::server) fn crash(&mut self) {
        self.say(format_args!("-- crash --"));
        self.relays = Relays::default();
        self.transactions = Transactions::default();
        self.timers = Timers::default();
        self.inbox = Inbox::default();
        for row in &self.rows {
            self.inbox.apply(row);
        }
        self.inbox.rearm(&mut self.timers, &bob());
    }

    pub(in crate::server) fn with<T>(
        &mut self,
        act: impl FnOnce(&mut Cx<'_>, &mut Relays, &mut Inbox, &[Target<'_>]) -> T,
    ) -> T {
        let mut out = Vec::new();
        let targets: Vec<Target<'_>> =
            self.bindings.iter().map(|(uri, peer)| Target { uri, peer: *peer }).collect();
        let mut cx = Cx {
            now: self.now,
            config: &self.config,
            timers: &mut self.timers,
            transactions: &mut self.transactions,
            out: &mut out,
        };
        let result = act(&mut cx, &mut self.relays, &mut self.inbox, &targets);
        self.take(out);
        result
    }

    fn take(&mut self, out: Vec<Output<Record, Event>>) {
        for output in out {
            match output {
                Output::Transmit { to, bytes } => self.transmitted(to, bytes),
                Output::Record(record) => self.recorded(record),
                Output::Event(_) => {}
            }
        }
    }

    fn transmitted(&mut self, to: Peer, bytes: Bytes) {
        let first = self.seen.insert((to, bytes.clone()));
        let who = name_of(to);
        match Message::parse(bytes).expect("we send well-formed messages") {
            Message::Request(request) => {
                if first {
                    let again =
                        if request.first(Name::DmStored).is_some() { ", stored" } else { "" };
                    let body = String::from_utf8_lossy(&request.body()).into_owned();
                    let line = format!("{} {}{again}", request.method_text(), request.uri());
                    self.say(format_args!("        -> {who}: {line} {body:?}"));
                }
                self.got.insert((to, request.method()), request);
            }
            Message::Response(response) => {
                if first {
                    self.say(format_args!("        -> {who}: {}", response.status()));
                }
                self.answers.push(response);
            }
        }
    }

    fn recorded(&mut self, record: Record) {
        let key = record.key();
        self.rows.retain(|row| row.key() != key);
        match &record {
            Record::Kept(_, kept) => {
                let body = String::from_utf8_lossy(&kept.body).into_owned();
                self.say(format_args!("        row {body:?}"));
                self.rows.push(record);
            }
            _ => self.say(format_args!("        row deleted")),
        }
    }

    /// The latest request of a method that a device got.
    pub(in crate::server) fn got(&self, device: &str, method: Method) -> &Request {
        self.got.get(&(peer(device), method)).expect("the device got such a request")
    }

    /// Whether a device got a request of this method.
    pub(in crate::server) fn has(&self, device: &str, method: Method) -> bool {
        self.got.contains_key(&(peer(device), method))
    }

    /// The server transaction of alice's latest request.
    pub(in crate::server) fn key(&self) -> ServerKey {
        self.key.expect("alice sent something")
    }

    /// Final statuses alice got for requests of a method.
    pub(in crate::server) fn finals(&self) -> Vec<u16> {
        self.answers.iter().map(|answer| answer.status()).filter(|status| *status >= 200).collect()
    }

    fn say(&mut self, line: std::fmt::Arguments<'_>) {
        writeln!(self.ladder, "{line}").expect("a string takes everything");
    }

    /// What happened since the last call.
    pub(in crate::server) fn ladder(&mut self) -> String {
        std::mem::take(&mut self.ladder)
    }
}
