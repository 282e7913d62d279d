//! An agent of alice's, and a server of which the scene says every word.

use bytes::Bytes;
use presently_engine::agent::{Command, Event, MessagePhase, Package};
use presently_engine::body::pidf::Basic;
use presently_engine::message::{Aor, Message, Method, Name, Reply, Request, Response};
use presently_engine::{Input, Peer};
use presently_tests::stage::DOMAIN;
use presently_tests::world::SERVER;
use presently_tests::{Carried, World};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

/// Where alice's agent listens.
pub(super) const ALICE: &str = "sip:alice@198.51.100.7:6000";

/// The conversation.
pub(super) struct Talk {
    pub(super) world: World,
    read: usize,
    heard: usize,
    seen: BTreeSet<Bytes>,
    said: u32,
}

impl Talk {
    /// An agent that did nothing yet.
    pub(super) fn new() -> Self {
        let mut world = World::new(&["alice"]);
        world.network(|_, _, _| Carried::Lost);
        Self { world, read: 0, heard: 0, seen: BTreeSet::new(), said: 0 }
    }

    /// An agent that is registered for as long as it takes.
    pub(super) fn online() -> Self {
        let mut talk = Self::new();
        talk.command(Command::Login);
        let register = talk.request(Method::Register);
        talk.answer(&register, 200, &[(Name::Expires, "1000000")]);
        talk.told();
        talk
    }

    pub(super) fn bob() -> Aor {
        Aor::new("bob", DOMAIN)
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.world.addr("alice")
    }

    pub(super) fn command(&mut self, command: Command) {
        self.world.command("alice", command);
    }

    /// Makes the agent send a request of this method, and returns it.
    pub(super) fn provoke(&mut self, method: Method) -> Request {
        let (target, text) = (Self::bob(), "hi".into());
        match method {
            Method::Register => self.command(Command::Login),
            Method::Publish => {
                self.command(Command::SetPresence { basic: Basic::Open, note: None });
            }
            Method::Subscribe => {
                let package = Package::Presence;
                self.command(Command::Subscribe { target, package, expires: None });
            }
            Method::Message => self.command(Command::SendMessage { target, text, ticket: 1 }),
            other => panic!("an agent sends no {}", other.as_str()),
        }
        self.request(method)
    }

    /// The next message of the agent's that is no copy of an earlier one.
    fn message(&mut self) -> Option<Message> {
        while let Some(rung) = self.world.ladder.get(self.read) {
            self.read += 1;
            if self.seen.insert(rung.message.headers().bytes().clone()) {
                return Some(rung.message.clone());
            }
        }
        None
    }

    /// The agent's next request, if it has sent one.
    pub(super) fn next(&mut self) -> Option<Request> {
        match self.message()? {
            Message::Request(request) => Some(request),
            Message::Response(response) => panic!("an answer came first: {response:?}"),
        }
    }

    /// The agent's next request, which has to be of this method.
    pub(super) fn request(&mut self, method: Method) -> Request {
        let next = self.next().unwrap_or_else(|| panic!("no {} came", method.as_str()));
        assert_eq!(next.method(), method);
        next
    }

    /// Waits for the agent's next request, which has to be of this method; at most two hours.
    pub(super) fn wait(&mut self, method: Method) -> Request {
        for _ in 0..7200 {
            if let Some(request) = self.next() {
                assert_eq!(request.method(), method);
                return request;
            }
            self.world.pass(Duration::from_secs(1));
        }
        panic!("no {} came", method.as_str());
    }

    /// The agent's answer to what it was just sent.
    pub(super) fn response(&mut self) -> Response {
        match self.message() {
            Some(Message::Response(response)) => response,
            other => panic!("an answer was due, not {other:?}"),
        }
    }

    /// Nothing more was sent, or only copies.
    pub(super) fn silent(&mut self) {
        if let Some(message) = self.message() {
            panic!("{}", String::from_utf8_lossy(message.headers().bytes()));
        }
    }

    /// The server answers.
    pub(super) fn answer(&mut self, request: &Request, status: u16, headers: &[(Name, &str)]) {
        let mut reply = Reply::new(request, self.address(), status, "srv");
        for (name, value) in headers {
            reply.header(*name, value);
        }
        self.hear(reply.into_writer().finish());
    }

    /// The server says that much.
    pub(super) fn hear(&mut self, bytes: impl Into<Bytes>) {
        let from = Peer::new(SERVER);
        let input = Input::Packet { from, bytes: bytes.into() };
        self.world.input_user(self.address(), input);
    }

    /// The server sends a request: method, To tag, further lines that end in line ends, body.
    pub(super) fn ask(&mut self, method: &str, lines: &str, body: &str) -> Response {
        let text = self.write(method, lines, body);
        self.hear(text);
        self.response()
    }

    /// The text of a request to the agent. It is outside of any dialog.
    pub(super) fn write(&mut self, method: &str, lines: &str, body: &str) -> String {
        self.said += 1;
        let (said, length) = (self.said, body.len());
        format!(
            "{method} {ALICE} SIP/2.0\r\nVia: SIP/2.0/UDP {SERVER};branch=z9hG4bKs{said}\r\n\
             Max-Forwards: 70\r\nFrom: <sip:bob@{DOMAIN}>;tag=b1\r\nTo: <sip:alice@{DOMAIN}>\r\n\
             Call-ID: s{said}\r\nCSeq: 1 {method}\r\n{lines}Content-Length: {length}\r\n\r\n{body}"
        )
    }

    /// A NOTIFY in the dialog of `subscribe`, with the server's tag `pa`.
    pub(super) fn notify(&mut self, subscribe: &Request, cseq: u32, lines: &str) -> Response {
        self.notify_with(subscribe, cseq, lines, "")
    }

    /// The same with a body.
    pub(super) fn notify_with(
        &mut self,
        subscribe: &Request,
        cseq: u32,
        lines: &str,
        body: &str,
    ) -> Response {
        let text = self.write("NOTIFY", lines, body);
        let tag = subscribe.from().expect("a From").tag().expect("a tag").to_owned();
        let call_id = subscribe.call_id().expect("a Call-ID");
        let text = text.replace(";tag=b1", ";tag=pa");
        let text = text.replace("alice@example.org>", &format!("alice@example.org>;tag={tag}"));
        let text =
            text.replace(&format!("Call-ID: s{}", self.said), &format!("Call-ID: {call_id}"));
        self.hear(text.replace("CSeq: 1 ", &format!("CSeq: {cseq} ")));
        self.response()
    }

    /// What the user was told since the last look, without statuses and texts.
    pub(super) fn told(&mut self) -> Vec<String> {
        let seen = self.world.seen("alice");
        let fresh = seen[self.heard..].iter().map(shape).collect();
        self.heard = seen.len();
        fresh
    }

    /// Whether the agent sends another request within five minutes, and when.
    pub(super) fn wait_for_another(&mut self) -> Option<(Duration, Method)> {
        let begun = self.world.now;
        for _ in 0..3000 {
            if let Some(request) = self.next() {
                return Some((self.world.now.since(begun), request.method()));
            }
            self.world.pass(Duration::from_millis(100));
        }
        None
    }
}

/// An event without what names the very status.
fn shape(event: &Event) -> String {
    match event {
        Event::RegisterFailed { retry_ms, .. } => format!("failed, retry {}", retry_ms.is_some()),
        Event::Subscription { phase, .. } => format!("{phase:?}"),
        Event::MessageStatus { phase, .. } if *phase == MessagePhase::Failed => "failed".into(),
        Event::MessageStatus { phase, .. } => format!("{phase:?}"),
        Event::Error { .. } => "error".into(),
        other => format!("{other:?}"),
    }
}
