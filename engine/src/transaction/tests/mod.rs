//! Scenes of the transaction layer in virtual time. [`World`] is one machine's table; what it
//! sends is collected with the time at which it was sent.

mod client_scenes;
mod endings;
mod invite_scenes;
mod keys;
mod loss;
mod machines;
mod server_scenes;
mod size;

use super::*;
use crate::message::{Message, Reply};
use crate::mint::Id;
use crate::slot::Slot;
use std::time::Duration;

pub(super) const SECRET: Secret = Secret::new([7; 16]);

/// A server far away.
pub(super) fn far() -> Peer {
    Peer::new("192.0.2.9:5060".parse().unwrap())
}

/// A client nearby.
pub(super) fn near() -> Peer {
    Peer::new("198.51.100.1:5061".parse().unwrap())
}

pub(super) fn branch(id: u64) -> Branch {
    Branch { slot: Slot(0xabc), id: Id(id) }
}

pub(super) fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

type Out = Vec<Output<(), ()>>;

pub(super) struct World {
    pub(super) tx: Transactions<&'static str>,
    pub(super) timing: Timing,
    pub(super) now: Instant,
    /// Milliseconds since the beginning, and what was sent then.
    pub(super) sent: Vec<(u64, Peer, Bytes)>,
    /// What timers meant to the transaction user.
    pub(super) told: Vec<(u64, Fired<&'static str>)>,
}

const BEGINNING: Instant = Instant::from_millis(1_000_000);

impl World {
    pub(super) fn new() -> Self {
        Self {
            tx: Transactions::default(),
            timing: Timing::default(),
            now: BEGINNING,
            sent: Vec::new(),
            told: Vec::new(),
        }
    }

    fn elapsed(&self) -> u64 {
        self.now.as_millis() - BEGINNING.as_millis()
    }

    fn note(&mut self, out: Out) {
        for output in out {
            let Output::Transmit { to, bytes } = output else { panic!("only packets") };
            self.sent.push((self.elapsed(), to, bytes));
        }
    }

    /// Lets time pass, and every timer fire at its time.
    pub(super) fn wait(&mut self, span: Duration) {
        let end = self.now + span;
        while let Some(at) = self.tx.deadline().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            let mut out = Out::new();
            match self.tx.fire(&self.timing, self.now, &mut out) {
                Some(Fired::Quiet) => {}
                Some(fired) => self.told.push((self.elapsed(), fired)),
                None => panic!("a deadline that has come fires"),
            }
            self.note(out);
        }
        self.now = end;
    }

    pub(super) fn arrive(&mut self, request: &Request) -> Arrival {
        let mut out = Out::new();
        let arrival = self.tx.absorb(&SECRET, &self.timing, self.now, request, &mut out);
        self.note(out);
        arrival
    }

    /// A new request arrives, and its transaction is opened.
    pub(super) fn open(&mut self, request: &Request) -> ServerKey {
        let Arrival::New(key) = self.arrive(request) else { panic!("a new request") };
        self.tx.open(&SECRET, &self.timing, self.now, key, near(), request);
        key
    }

    pub(super) fn answer(&mut self, request: &Request, key: ServerKey, status: u16) {
        let bytes = Reply::new(request, near().addr, status, "t").into_writer().finish();
        let mut out = Out::new();
        self.tx.respond(&self.timing, self.now, key, status, bytes, &mut out);
        self.note(out);
    }

    pub(super) fn send(&mut self, id: u64, request: &Request, owner: &'static str) {
        let (method, bytes) = (request.method(), request.bytes().clone());
        let mut out = Out::new();
        self.tx.send(&self.timing, self.now, branch(id), method, far(), bytes, owner, &mut out);
        self.note(out);
    }

    pub(super) fn receive(&mut self, request: &Request, status: u16) -> Option<&'static str> {
        let bytes = Reply::new(request, near().addr, status, "t").into_writer().finish();
        let Ok(Message::Response(response)) = Message::parse(bytes) else { panic!("a response") };
        let mut out = Out::new();
        let owner = self.tx.receive(&self.timing, self.now, &response, &mut out);
        self.note(out);
        owner
    }

    pub(super) fn cancel(&mut self, id: u64) {
        let mut out = Out::new();
        self.tx.cancel(&self.timing, self.now, branch(id), &mut out);
        self.note(out);
    }

    /// When something was sent, and its first word or, of a response, its status.
    pub(super) fn log(&self) -> Vec<(u64, String)> {
        self.sent.iter().map(|(at, _, bytes)| (*at, kind(bytes))).collect()
    }

    /// When something was sent.
    pub(super) fn times(&self) -> Vec<u64> {
        self.sent.iter().map(|(at, _, _)| *at).collect()
    }

    pub(super) fn states(&self) -> Vec<&'static str> {
        let servers = self.tx.servers().map(|(_, state)| state);
        servers.chain(self.tx.clients().map(|(_, state, _)| state)).collect()
    }
}

fn kind(bytes: &Bytes) -> String {
    match Message::parse(bytes.clone()) {
        Ok(Message::Request(request)) => request.method_text().to_owned(),
        Ok(Message::Response(response)) => response.status().to_string(),
        Err(malformed) => panic!("{malformed:?}"),
    }
}

pub(super) fn parse(text: &str) -> Request {
    let text = text.replace('\n', "\r\n");
    match Message::parse(Bytes::from(text)) {
        Ok(Message::Request(request)) => request,
        other => panic!("{other:?}"),
    }
}

/// A request with this method and branch, number 7 of its Call-ID.
pub(super) fn request(method: &str, branch: &str) -> Request {
    with_via(method, &format!("SIP/2.0/UDP host.example:5061;branch={branch};rport"), "")
}

/// A request with this top Via and this To tag.
pub(super) fn with_via(method: &str, via: &str, to_tag: &str) -> Request {
    let number_of = if method == "ACK" || method == "CANCEL" { "INVITE" } else { method };
    let to_tag = if to_tag.is_empty() { String::new() } else { format!(";tag={to_tag}") };
    parse(&format!(
        "{method} sip:bob@example.org SIP/2.0\nVia: {via}\nMax-Forwards: 70\n\
         Route: <sip:edge.example.org;lr>\nFrom: <sip:alice@example.org>;tag=a1\n\
         To: <sip:bob@example.org>{to_tag}\nCall-ID: {number_of}-call\nCSeq: 7 {method}\n\
         Content-Length: 0\n\n"
    ))
}

/// A request of ours, with our branch.
pub(super) fn ours(method: &str, id: u64) -> Request {
    request(method, &branch(id).to_string())
}
