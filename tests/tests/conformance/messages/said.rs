//! Everything our server and our agents say on a busy day, for rules that hold for all of it.
//!
//! Two agents and the server play the whole of presence and paging with digest; then raw phones
//! provoke every refusal the server has. What a peer wrote and the server only passes on is left
//! out: it is not ours.

use presently_engine::agent::{Command, Event, Package};
use presently_engine::body::pidf::{Basic, Mode};
use presently_engine::body::presrules::Handling;
use presently_engine::message::{Aor, Headers, Message, Name, Uri};
use presently_tests::phone::{Head, pidf};
use presently_tests::world::SERVER;
use presently_tests::{Phone, Stage, World, stage};
use std::net::SocketAddr;
use std::time::Duration;

/// One message that one of us wrote.
pub(crate) struct Said {
    /// The socket it was sent from.
    pub(crate) by: SocketAddr,
    /// The message.
    pub(crate) message: Message,
}

impl Said {
    /// The datagram as text.
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(self.head().bytes()).expect("we write UTF-8")
    }

    /// Its head, whichever kind it is.
    pub(crate) fn head(&self) -> &Headers {
        self.message.headers()
    }

    /// The head as text, up to the empty line.
    pub(crate) fn lines(&self) -> &str {
        self.text().split_once("\r\n\r\n").expect("a head ends with an empty line").0
    }

    /// The method it is about.
    pub(crate) fn method(&self) -> &str {
        self.head().cseq().expect("a CSeq").method
    }

    /// The status; 0 of a request.
    pub(crate) fn status(&self) -> u16 {
        match &self.message {
            Message::Request(_) => 0,
            Message::Response(response) => response.status(),
        }
    }

    /// The Request-URI, of a request.
    pub(crate) fn request_uri(&self) -> Option<&str> {
        match &self.message {
            Message::Request(request) => Some(request.uri()),
            Message::Response(_) => None,
        }
    }

    /// The Request-URI of a request, and every `sip:` URI in headers that hold one.
    pub(crate) fn uris(&self) -> Vec<&str> {
        let names = [Name::From, Name::To, Name::Contact, Name::Route, Name::RecordRoute];
        let values = names.into_iter().flat_map(|name| self.head().list(name));
        let inside = values.filter(|value| *value != "*").map(|value| {
            let (_, rest) = value.split_once('<').unwrap_or(("", value));
            rest.split('>').next().unwrap_or(rest)
        });
        let inside = inside.filter(|uri| Uri::parse(uri).is_ok());
        self.request_uri().into_iter().chain(inside).collect()
    }
}

/// Checks every message that we say.
#[track_caller]
pub(crate) fn everything(rule: impl Fn(&Said) -> bool) {
    let wrong: Vec<_> = all().into_iter().filter(|said| !rule(said)).collect();
    if let Some(first) = wrong.first() {
        panic!("{} messages break the rule, the first is\n{}", wrong.len(), first.text());
    }
}

/// All of it.
pub(crate) fn all() -> Vec<Said> {
    let mut said = by_world();
    said.extend(by_server_to_strangers());
    said.extend(by_server_in_calls());
    said
}

fn open(world: &mut World, name: &str, note: &str) {
    let note = Some(note.into());
    world.command(name, Command::SetPresence { basic: Basic::Open, note });
    world.until(name, |event| matches!(event, Event::Published { .. }));
}

fn send(world: &mut World, from: &str, to: &str, text: &str) {
    let target = Aor::new(to, "example.org");
    world.command(from, Command::SendMessage { target, text: text.into(), ticket: 1 });
    world.pass(Duration::from_secs(2));
}

/// A day with agents: presence, winfo, offers, decisions, messages, a crash, a wrong password.
fn by_world() -> Vec<Said> {
    let mut world = World::new(&["alice", "bob", "carol"]);
    world.login(&["bob", "alice"]);
    open(&mut world, "bob", "at my desk");
    let codecs = vec![(0, "PCMU/8000").into()];
    let offer = Command::SetOffer { media: "audio".into(), port: 7000, codecs, mode: Mode::Ready };
    world.command("bob", offer);
    world.watch("bob", "bob", Package::Winfo, 600);
    world.watch("alice", "bob", Package::Presence, 600);
    world.pass(Duration::from_secs(5));
    world.decide("bob", "alice", Some(Handling::Allow));
    world.pass(Duration::from_secs(5));
    send(&mut world, "alice", "bob", "lunch, \"at\" <noon>; ok?");
    send(&mut world, "alice", "carol", "call me");
    world.login(&["carol"]);
    world.command("carol", Command::Fetch { target: Aor::new("bob", "example.org") });
    world.pass(Duration::from_secs(1200));
    world.crash_server(Duration::from_secs(1));
    world.pass(Duration::from_secs(4000));
    world.decide("bob", "alice", Some(Handling::Block));
    world.pass(Duration::from_secs(5));
    send(&mut world, "alice", "bob", "are you there?");
    world.config.users.insert("carol", presently_engine::server::User::default());
    world.pass(Duration::from_secs(4000));
    world.command("bob", Command::Logout);
    world.pass(Duration::from_secs(60));
    let relayed = |message: &Message| message.headers().vias().count() > 1;
    let ladder = world.ladder.into_iter().filter(|rung| !relayed(&rung.message));
    ladder.map(|rung| Said { by: rung.from, message: rung.message }).collect()
}

/// Method, Request-URI, header lines, type and body, and the status of the answer.
type Strange =
    (&'static str, &'static str, &'static [&'static str], (&'static str, &'static str), u16);

/// Requests that the server refuses, one for each refusal it has, and some that it serves.
const STRANGE: &[Strange] = &[
    ("OPTIONS", "sip:192.0.2.1", &[], ("", ""), 200),
    ("REGISTER", "sip:example.org", &["Contact: <sip:bob@198.51.100.9>"], ("", ""), 200),
    ("REGISTER", "sip:example.org", &["Expires: 10"], ("", ""), 423),
    ("REGISTER", "sip:example.org", &["Require: path, teleport"], ("", ""), 420),
    ("SUBSCRIBE", BOB, &["Event: weather"], ("", ""), 489),
    ("SUBSCRIBE", BOB, &[], ("", ""), 489),
    ("SUBSCRIBE", BOB, &["Event: presence", "Expires: 10"], ("", ""), 423),
    ("SUBSCRIBE", BOB, &["Event: presence", "Accept: text/plain"], ("", ""), 406),
    ("SUBSCRIBE", BOB, &["Event: presence", "Expires: 600"], ("", ""), 200),
    ("SUBSCRIBE", ALICE, &["Event: presence.winfo", "Expires: 600"], ("", ""), 200),
    ("PUBLISH", ALICE, &["Event: presence"], ("text/plain", "busy"), 415),
    ("PUBLISH", ALICE, &["Event: presence", "Content-Encoding: gzip"], (PIDF, "zzz"), 415),
    ("PUBLISH", ALICE, &["Event: presence"], (PIDF, "<presence>"), 400),
    ("PUBLISH", ALICE, &["Event: presence", "SIP-If-Match: gone"], ("", ""), 412),
    ("PUBLISH", ALICE, &["Event: x-presrules"], ("text/plain", "no"), 415),
    ("PUBLISH", BOB, &["Event: presence"], (PIDF, "<presence/>"), 403),
    ("NOTIFY", BOB, &["Event: presence"], ("", ""), 405),
    ("DANCE", "sip:example.org", &[], ("", ""), 501),
    ("OPTIONS", "tel:+49301234", &[], ("", ""), 416),
    ("OPTIONS", "sip:bob@elsewhere.example", &[], ("", ""), 403),
    ("OPTIONS", "sip:nobody@example.org", &[], ("", ""), 480),
    ("INVITE", "sip:nobody@example.org", &["Proxy-Require: x"], ("", ""), 420),
    ("MESSAGE", "sip:nobody@example.org", &[], ("text/plain", "hello"), 202),
    ("OPTIONS", "sip:bob@example.org?a=b", &[], ("", ""), 400),
];
const ALICE: &str = "sip:alice@example.org";
const BOB: &str = "sip:bob@example.org";
const PIDF: &str = "application/pidf+xml";

/// What the server says to one strange request, its answer first.
fn to_strange(case: &Strange) -> Vec<Said> {
    let (method, uri, extra, body, _) = *case;
    let mut stage = Stage::new(stage::config());
    let mut alice = Phone::new("alice", 5080);
    let to = if method == "REGISTER" { ALICE } else { uri };
    let head = Head { to, to_tag: None, tag: "t", call_id: "c", extra };
    let text = alice.write(method, uri, &head, body);
    stage.packet(alice.addr, text);
    let answer = Message::Response(stage.response(alice.addr));
    let rest = std::iter::from_fn(|| stage.next(alice.addr));
    [answer].into_iter().chain(rest).map(|message| Said { by: SERVER, message }).collect()
}

fn by_server_to_strangers() -> Vec<Said> {
    let mut said: Vec<_> = STRANGE.iter().flat_map(to_strange).collect();
    let mut stage = Stage::new(stage::config_with_digest(&["alice"]));
    let mut alice = Phone::new("alice", 5080);
    let document = pidf("alice", "in");
    let extra = ["Event: presence"];
    for (method, user) in [("PUBLISH", "alice"), ("INVITE", "bob"), ("MESSAGE", "bob")] {
        let answer = alice.ask(&mut stage, method, user, &extra, (PIDF, &document));
        assert!(matches!(answer.status(), 401 | 407), "{method}");
        said.push(Said { by: SERVER, message: Message::Response(answer) });
    }
    said
}

/// What the server says for itself in two calls: 100, ACK, CANCEL and the 200 to CANCEL.
fn by_server_in_calls() -> Vec<Said> {
    let mut stage = Stage::new(stage::config());
    let (mut alice, mut bob) = (Phone::new("alice", 5080), Phone::new("bob", 5070));
    bob.register(&mut stage, 600);
    let mut said = Vec::new();
    for (call, status) in [("busy", 486), ("ringing", 180)] {
        let head = Head { to: BOB, to_tag: None, tag: "t", call_id: call, extra: &[] };
        let invite = alice.write("INVITE", BOB, &head, ("", ""));
        stage.packet(alice.addr, invite.clone());
        let offered = stage.request(bob.addr);
        stage.pass(Duration::from_millis(300));
        bob.answer(&mut stage, &offered, status);
        if status < 200 {
            stage.packet(alice.addr, invite.replace("INVITE", "CANCEL"));
        }
        for (addr, wanted) in [(alice.addr, &[100, 200][..]), (bob.addr, &[0])] {
            while let Some(message) = stage.next(addr) {
                let one = Said { by: SERVER, message };
                if wanted.contains(&one.status()) && one.head().vias().count() == 1 {
                    said.push(one);
                }
            }
        }
    }
    said
}

#[test]
fn every_strange_request_gets_its_own_answer() {
    for case in STRANGE {
        assert_eq!(to_strange(case)[0].status(), case.4, "{} {} {:?}", case.0, case.1, case.2);
    }
}

#[test]
fn a_busy_day_has_every_method_and_many_answers() {
    let said = all();
    let methods = ["REGISTER", "SUBSCRIBE", "NOTIFY", "PUBLISH", "MESSAGE", "ACK", "CANCEL"];
    for method in methods {
        let requests = said.iter().filter(|said| said.status() == 0 && said.method() == method);
        assert!(requests.count() > 0, "{method}");
    }
    for status in
        [100, 200, 202, 400, 401, 403, 405, 406, 407, 412, 415, 416, 420, 423, 480, 489, 501]
    {
        assert!(said.iter().any(|said| said.status() == status), "{status}");
    }
    assert!(said.iter().any(|said| said.by == SERVER && said.method() == "NOTIFY"));
}
