//! P1 and P42: a stranger without a password changes nothing, however much it sends.
//!
//! A server that works for alice and bob is given 100 000 requests of every method from many
//! sources: without credentials, with wrong passwords, with nonces nobody issued, with what was
//! captured from alice, and with noise. Afterwards the server is the same value as before.

use presently_engine::digest::{Algorithm, Client};
use presently_engine::message::Response;
use presently_engine::mint::Secret;
use presently_engine::{Input, Machine, Output, Peer};
use presently_tests::phone::pidf;
use presently_tests::{Phone, Stage, stage};
use std::net::SocketAddr;
use std::time::Duration;

const REQUESTS: u32 = 100_000;
const METHODS: [&str; 14] = [
    "REGISTER",
    "SUBSCRIBE",
    "PUBLISH",
    "MESSAGE",
    "NOTIFY",
    "INVITE",
    "OPTIONS",
    "BYE",
    "CANCEL",
    "ACK",
    "INFO",
    "UPDATE",
    "REFER",
    "PING",
];
/// A challenge names two algorithms and repeats the head of the request: this much may an answer
/// be larger than what it answers (R27).
const CHALLENGE: usize = 512;

/// A phone that knows its password.
struct Owner {
    phone: Phone,
    client: Client,
}

impl Owner {
    fn new(user: &str, port: u16) -> Self {
        Self { phone: Phone::new(user, port), client: Client::default() }
    }

    /// Asks, is challenged, and asks again.
    fn ask(
        &mut self,
        stage: &mut Stage,
        method: &str,
        target: &str,
        lines: &[&str],
        body: (&str, &str),
    ) -> Response {
        let challenge = self.phone.ask(stage, method, target, lines, body);
        assert!(matches!(challenge.status(), 401 | 407), "{method} is challenged");
        self.client.challenged(&challenge, Algorithm::Md5, false).expect("a good challenge");
        let user = self.phone.user.clone();
        let password = format!("{user}'s password");
        let secret = Secret::new(*b"a phone's secret");
        let (uri, text) = (Phone::aor(target), body.1.as_bytes());
        let value = self.client.authorize(&secret, &user, &password, method, &uri, text);
        let proof = format!("Authorization: {}", value.expect("it was challenged"));
        let lines = [lines, &[&proof]].concat();
        let answer = self.phone.ask(stage, method, target, &lines, body);
        assert_eq!(answer.status(), 200, "{method}");
        answer
    }
}

/// A server at work: bob is registered, published and looks at his watchers, alice waits for him.
fn at_work() -> Stage {
    let mut stage = Stage::new(stage::config_with_digest(&["alice", "bob"]));
    let (mut alice, mut bob) = (Owner::new("alice", 6000), Owner::new("bob", 5070));
    let none = ("", "");
    bob.ask(&mut stage, "REGISTER", "bob", &["Expires: 3600"], none);
    let document = pidf("bob", "at my desk");
    let lines = ["Event: presence", "Expires: 3600"];
    bob.ask(&mut stage, "PUBLISH", "bob", &lines, ("application/pidf+xml", &document));
    bob.ask(&mut stage, "SUBSCRIBE", "bob", &["Event: presence.winfo", "Expires: 3600"], none);
    bob.phone.told(&mut stage);
    alice.ask(&mut stage, "SUBSCRIBE", "bob", &["Event: presence", "Expires: 3600"], none);
    alice.phone.told(&mut stage);
    bob.phone.told(&mut stage);
    // Every transaction is forgotten.
    stage.pass(Duration::from_secs(40));
    stage.lose_mail();
    stage
}

/// The stranger: what it sends next, and whether it guesses a password with it.
struct Stranger {
    count: u32,
    /// A nonce the server issued, for guesses that reach the password.
    nonce: String,
}

impl Stranger {
    fn source(&self) -> SocketAddr {
        let [_, b, c, d] = self.count.wrapping_mul(2_654_435_761).to_be_bytes();
        SocketAddr::from(([10, b, c, d], 5060 + u16::from(d)))
    }

    fn credentials(&self) -> String {
        let bad = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
        let nonce = match self.count % 16 {
            3 => "Zm9yZ2VkIG5vbmNlIG9mIG5vYm9keQ",
            5 => &self.nonce,
            _ => return String::new(),
        };
        format!(
            "Authorization: Digest username=\"alice\", realm=\"example.org\", nonce=\"{nonce}\", \
             uri=\"sip:bob@example.org\", response=\"{bad}\", algorithm=SHA-256, cnonce=\"c\", \
             qop=auth, nc=00000001\r\n"
        )
    }

    /// One datagram.
    fn next(&mut self) -> String {
        self.count += 1;
        let count = self.count;
        let method = METHODS[count as usize % METHODS.len()];
        let event = ["presence", "presence.winfo", "x-presrules", "dialog"][count as usize % 4];
        let tag = if count.is_multiple_of(5) { ";tag=00112233445566" } else { "" };
        let uri = match method {
            "REGISTER" => "sip:example.org",
            _ => ["sip:bob@example.org", "sip:alice@192.0.2.1", "sip:x@elsewhere.net"]
                [count as usize % 3],
        };
        let body = "<presence entity=\"sip:bob@example.org\"/>";
        let text = format!(
            "{method} {uri} SIP/2.0\r\n\
             Via: SIP/2.0/UDP {};branch=z9hG4bK{count};rport\r\nMax-Forwards: 70\r\n\
             From: <sip:alice@example.org>;tag=f{count}\r\nTo: <sip:bob@example.org>{tag}\r\n\
             Call-ID: c{count}\r\nCSeq: {count} {method}\r\n\
             Contact: <sip:alice@{}>\r\nEvent: {event}\r\nExpires: 3600\r\n{}\
             Content-Type: application/pidf+xml\r\nContent-Length: {}\r\n\r\n{body}",
            self.source(),
            self.source(),
            self.credentials(),
            body.len(),
        );
        match count % 32 {
            7 => text.replace("CSeq:", "CSeq"),
            11 => text[..text.len() / 2].to_owned(),
            13 => format!("SIP/2.0 200 OK\r\n{}", text.split_once("\r\n").expect("a head").1),
            17 => "\0\u{7f}noise".repeat(count as usize % 40),
            _ => text,
        }
    }
}

/// Hands one datagram of a stranger in; how many packets came back.
fn suffer(stage: &mut Stage, from: SocketAddr, text: String) -> usize {
    let (asked, mut out) = (text.len(), Vec::new());
    let input = Input::Packet { from: Peer::new(from), bytes: text.into() };
    stage.server.handle(&stage.config, stage.now, input, &mut out);
    let mut answers = 0;
    for output in out {
        match output {
            Output::Record(record) => panic!("a stranger made a record: {record:?}"),
            Output::Transmit { to, bytes } => {
                assert_eq!(to.addr.ip(), from.ip(), "an answer goes where the request came from");
                assert!(bytes.len() <= asked + CHALLENGE, "{} for {asked} bytes", bytes.len());
                answers += 1;
            }
            Output::Event(_) => {}
        }
    }
    assert!(answers <= 1, "one datagram, {answers} answers");
    answers
}

#[test]
fn a_hundred_thousand_requests_of_strangers_change_nothing() {
    let mut stage = at_work();
    let nonce = {
        let challenge = Phone::new("alice", 6001).ask(&mut stage, "MESSAGE", "bob", &[], ("", ""));
        let line = challenge.first(presently_engine::message::Name::ProxyAuthenticate);
        let (_, rest) = line.expect("a challenge").split_once("nonce=\"").expect("a nonce");
        rest.split('"').next().expect("its end").to_owned()
    };
    let (before, rows) = (stage.server.clone(), stage.rows.clone());
    let tables = stage.server.tables(stage.now);
    let began = stage.now;
    let mut stranger = Stranger { count: 0, nonce };
    let mut answers = 0;
    for _ in 0..REQUESTS {
        let text = stranger.next();
        answers += suffer(&mut stage, stranger.source(), text);
        stage.now = stage.now + Duration::from_millis(1);
    }
    assert_eq!(stage.server.sizes(), before.sizes());
    assert_eq!(stage.rows, rows);
    assert_eq!(stage.server.tables(began), tables);
    println!("{REQUESTS} requests of strangers, {answers} answers, nothing changed");
}

/// Without guesses at a password not even the table that slows down guessing is touched: the
/// server is the same value, transactions included.
#[test]
fn strangers_without_credentials_leave_the_server_equal() {
    let mut stage = at_work();
    let before = stage.server.clone();
    let mut stranger = Stranger { count: 0, nonce: String::new() };
    for _ in 0..10_000 {
        let text = stranger.next();
        if !text.contains("Authorization") {
            suffer(&mut stage, stranger.source(), text);
        }
    }
    assert!(stage.server == before, "something changed");
}
