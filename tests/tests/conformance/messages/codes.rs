//! What statuses and warnings oblige us to: RFC 3261 §20.43 and §21.

use super::said::all;
use presently_engine::agent::{self, Agent, Command, Event, Package};
use presently_engine::body::pidf::Basic;
use presently_engine::message::{Aor, Message, Method, Name, Reply, Request, Response};
use presently_engine::mint::Secret;
use presently_engine::{Input, Instant, Machine, Output, Peer};
use presently_tests::phone::Head;
use presently_tests::stage::DAWN;
use presently_tests::world::SERVER;
use presently_tests::{Phone, Stage, stage};
use std::net::SocketAddr;
use std::time::Duration;

/// One agent, and a server that says what the scene wants.
#[derive(Clone)]
pub(crate) struct Desk {
    pub(crate) agent: Agent,
    config: agent::Config,
    now: Instant,
    /// What it sent, and when, oldest first.
    pub(crate) sent: Vec<(Instant, Request)>,
    /// What it answered.
    pub(crate) answers: Vec<Response>,
    /// What its user saw.
    pub(crate) seen: Vec<Event>,
}

impl Desk {
    /// Somebody who is not logged in.
    pub(crate) fn new() -> Self {
        let addr = SocketAddr::from(([198, 51, 100, 7], 6000));
        let config = agent::Config::new(
            Aor::new("alice", "example.org"),
            "wonderland",
            Peer::new(SERVER),
            addr,
            Secret::new([3; 16]),
            "desk",
        );
        let (sent, answers, seen) = (Vec::new(), Vec::new(), Vec::new());
        Self { agent: Agent::default(), config, now: DAWN, sent, answers, seen }
    }

    /// The same, logged in.
    pub(crate) fn online() -> Self {
        let mut desk = Self::new();
        desk.say(Command::Login);
        let register = desk.last(Method::Register);
        desk.answer(&register, 200, &[(Name::Expires, "3600")]);
        desk
    }

    pub(crate) fn say(&mut self, command: Command) {
        self.input(Input::Command(command));
    }

    pub(crate) fn packet(&mut self, bytes: bytes::Bytes) {
        self.input(Input::Packet { from: Peer::new(SERVER), bytes });
    }

    fn input(&mut self, input: Input<Command>) {
        let mut out = Vec::new();
        self.agent.handle(&self.config, self.now, input, &mut out);
        for output in out {
            match output {
                Output::Record(record) => match record {},
                Output::Event(event) => self.seen.push(event),
                Output::Transmit { bytes, .. } => match Message::parse(bytes) {
                    Ok(Message::Request(request)) => self.sent.push((self.now, request)),
                    Ok(Message::Response(response)) => self.answers.push(response),
                    Err(why) => panic!("an agent sends valid SIP: {why:?}"),
                },
            }
        }
    }

    /// The latest request of this method.
    pub(crate) fn last(&self, method: Method) -> Request {
        let of_method = self.sent.iter().rev().find(|(_, request)| request.method() == method);
        of_method.expect("it was sent").1.clone()
    }

    /// An answer of the server.
    pub(crate) fn reply(&self, request: &Request, status: u16, more: &[(Name, &str)]) -> String {
        let source: SocketAddr = self.config.contact.parse().expect("an address");
        let mut reply = Reply::new(request, source, status, "server");
        for (name, value) in more {
            reply.header(*name, value);
        }
        String::from_utf8(reply.into_writer().finish().to_vec()).expect("text")
    }

    /// The server answers.
    pub(crate) fn answer(&mut self, request: &Request, status: u16, more: &[(Name, &str)]) {
        let reply = self.reply(request, status, more);
        self.packet(reply.into());
    }

    pub(crate) fn pass(&mut self, span: Duration) {
        let end = self.now + span;
        while let Some(at) = self.agent.deadline().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.input(Input::Tick);
        }
        self.now = end;
    }

    /// When it sent what since `from`.
    fn ladder(&self, from: usize) -> Vec<(Instant, Method, u32)> {
        let line = |(at, request): &(Instant, Request)| {
            (*at, request.method(), request.cseq().expect("a CSeq").number)
        };
        self.sent[from..].iter().map(line).collect()
    }
}

/// An agent whose every kind of request is waiting for its answer.
fn busy() -> (Desk, Vec<Request>) {
    let mut desk = Desk::online();
    let bob = Aor::new("bob", "example.org");
    desk.say(Command::SetPresence { basic: Basic::Open, note: None });
    let (target, package) = (bob.clone(), Package::Presence);
    desk.say(Command::Subscribe { target, package, expires: None });
    desk.say(Command::SendMessage { target: bob, text: "hi".into(), ticket: 1 });
    let methods = [Method::Publish, Method::Subscribe, Method::Message];
    let waiting = methods.map(|method| desk.last(method)).to_vec();
    (desk, waiting)
}

/// What an agent sends in the ten minutes after this answer to each of its requests.
fn after(status: u16, more: &[(Name, &str)]) -> Vec<Vec<(Instant, Method, u32)>> {
    let mut ladders = Vec::new();
    let mut login = Desk::new();
    login.say(Command::Login);
    let register = login.last(Method::Register);
    for (desk, request) in [(login, register)].into_iter().chain({
        let (desk, waiting) = busy();
        waiting.into_iter().map(move |request| (desk.clone(), request)).collect::<Vec<_>>()
    }) {
        let mut desk = desk;
        let from = desk.sent.len();
        desk.answer(&request, status, more);
        desk.pass(Duration::from_secs(600));
        ladders.push(desk.ladder(from));
    }
    ladders
}

/// RFC 3261 §21.5.4.
#[test]
fn an_agent_takes_503_without_retry_after_for_500() {
    assert_eq!(after(503, &[]), after(500, &[]));
    assert_ne!(after(503, &[(Name::RetryAfter, "77")]), after(500, &[]));
}

/// RFC 3261 §21.5.4: the server as notifier, and as proxy.
#[test]
fn the_server_takes_503_without_retry_after_for_500() {
    let notified = |status| {
        let mut stage = Stage::new(stage::config());
        let (mut alice, mut bob) = (Phone::new("alice", 5080), Phone::new("bob", 5070));
        bob.publish(&mut stage, "in", None);
        alice.watch(&mut stage, "bob", "presence", 600);
        alice.told_and(&mut stage, status);
        bob.publish(&mut stage, "out", None);
        let mut told = Vec::new();
        while let Some(Message::Request(request)) = stage.next(alice.addr) {
            told.push(request.bytes().clone());
        }
        (stage.server.tables(stage.now), told)
    };
    assert_eq!(notified(503), notified(500));
    let relayed = |status| {
        let mut stage = Stage::new(stage::config());
        let (mut alice, mut bob) = (Phone::new("alice", 5080), Phone::new("bob", 5070));
        bob.register(&mut stage, 600);
        let head = Head { to: BOB, to_tag: None, tag: "t", call_id: "c", extra: &[] };
        let text = alice.write("OPTIONS", BOB, &head, ("", ""));
        stage.packet(alice.addr, text);
        let offered = stage.request(bob.addr);
        bob.answer(&mut stage, &offered, status);
        stage.response(alice.addr).status()
    };
    assert_eq!((relayed(503), relayed(500)), (500, 500));
}
const BOB: &str = "sip:bob@example.org";

/// RFC 3261 §20.43: a warning is for people.
#[test]
fn a_warning_is_not_acted_upon() {
    let warning = [(Name::Warning, "399 example.org \"register again at 192.0.2.66\"")];
    for status in [403, 500] {
        assert_eq!(after(status, &warning), after(status, &[]), "{status}");
    }
}

/// RFC 3261 §21.3.3: a redirection counts once, if at all; nobody remembers it.
#[test]
fn a_temporary_move_is_not_remembered() {
    let moved = (Name::Contact, "<sip:bob@192.0.2.66>");
    let (mut desk, waiting) = busy();
    let message = waiting.last().expect("a MESSAGE");
    desk.answer(message, 302, &[moved]);
    let target = Aor::new("bob", "example.org");
    desk.say(Command::SendMessage { target, text: "again".into(), ticket: 2 });
    assert_eq!(desk.last(Method::Message).uri(), BOB);
    assert_ne!(desk.last(Method::Message).body(), message.body());

    let mut stage = Stage::new(stage::config());
    let (mut alice, mut bob) = (Phone::new("alice", 5080), Phone::new("bob", 5070));
    bob.register(&mut stage, 600);
    for call in ["one", "two"] {
        let head = Head { to: BOB, to_tag: None, tag: "t", call_id: call, extra: &[] };
        let text = alice.write("OPTIONS", BOB, &head, ("", ""));
        stage.packet(alice.addr, text);
        let offered = stage.request(bob.addr);
        assert_eq!(offered.uri(), "sip:bob@198.51.100.7:5070", "{call}");
        let mut reply = Reply::new(&offered, SERVER, 302, "b");
        reply.header(moved.0, moved.1);
        stage.packet(bob.addr, reply.into_writer().finish());
        let answer = stage.response(alice.addr);
        assert_eq!((answer.status(), answer.first(moved.0)), (302, Some(moved.1)));
    }
}

/// RFC 3261 §21.3.4, §21.4.16, §21.4.23: statuses that nothing of ours gives.
#[test]
fn nobody_is_sent_elsewhere_and_no_extension_is_demanded() {
    let given: Vec<u16> = all().iter().map(|said| said.status()).collect();
    assert!(given.iter().all(|status| ![301, 302, 305, 380, 421, 485].contains(status)));
}
