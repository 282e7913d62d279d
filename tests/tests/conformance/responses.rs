//! Where answers go, and which answers to other requests than INVITE there are: RFC 3581, RFC 4320.

use presently_engine::agent::{Command, Package};
use presently_engine::message::{Message, Method, Name, Request, Response};
use presently_engine::server::Listener;
use presently_engine::{Input, Machine, Output, Peer};
use presently_tests::phone::Head;
use presently_tests::{Phone, Stage, World, stage, world};
use std::net::SocketAddr;
use std::time::Duration;

/// A phone's own idea of where it is, behind a NAT.
const INSIDE: &str = "10.0.0.5:5060";

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Alice's request to bob as it leaves the NAT: her Via names an address nobody can reach.
fn from_inside(alice: &mut Phone, method: &str, call_id: &str, extra: &[&str]) -> String {
    let to = Phone::aor("bob");
    let head = Head { to: &to, to_tag: None, tag: "a1", call_id, extra };
    alice.write(method, &to, &head, ("", "")).replacen(&alice.addr.to_string(), INSIDE, 1)
}

fn top_via(response: &Response) -> &str {
    response.first(Name::Via).expect("a Via")
}

/// A registered bob, and alice whose packets come from another address than they say.
fn behind_a_nat() -> (Stage, Phone, Phone) {
    let mut stage = Stage::new(stage::config());
    let (mut bob, mut alice) = (Phone::new("bob", 5070), Phone::new("alice", 40_001));
    alice.addr = SocketAddr::from(([203, 0, 113, 9], 40_001));
    assert_eq!(bob.register(&mut stage, 3600).status(), 200);
    (stage, alice, bob)
}

/// RFC 3581 §4: every kind of answer (refused without state, given, relayed, repeated, provisional)
/// goes to the address and port the request came from, and says so in the Via.
#[test]
fn an_answer_returns_to_where_the_request_came_from() {
    let (mut stage, mut alice, bob) = behind_a_nat();
    let noted = |answer: &Response| {
        let via = top_via(answer);
        assert!(via.starts_with(&format!("SIP/2.0/UDP {INSIDE};")), "{via}");
        assert!(via.contains(";rport=40001") && via.contains(";received=203.0.113.9"), "{via}");
    };
    let refused = from_inside(&mut alice, "SUBSCRIBE", "c1", &["Event: dialog"]);
    stage.packet(alice.addr, refused);
    let answer = stage.response(alice.addr);
    assert_eq!(answer.status(), 489);
    noted(&answer);

    let given = from_inside(&mut alice, "SUBSCRIBE", "c2", &["Event: presence"]);
    for _ in 0..2 {
        stage.packet(alice.addr, given.clone());
        let answer = stage.response(alice.addr);
        assert_eq!(answer.status(), 200);
        noted(&answer);
    }
    stage.lose_mail();

    let relayed = from_inside(&mut alice, "OPTIONS", "c3", &[]);
    stage.packet(alice.addr, relayed);
    let asked = stage.request(bob.addr);
    stage.pass(seconds(4));
    let trying = stage.response(alice.addr);
    assert_eq!(trying.status(), 100);
    noted(&trying);
    bob.answer(&mut stage, &asked, 200);
    let answer = stage.response(alice.addr);
    assert_eq!((answer.status(), answer.vias().count()), (200, 1));
    noted(&answer);
}

/// RFC 3581 §4: `received` stands beside `rport` even where it says nothing new.
#[test]
fn received_stands_beside_rport_even_if_it_equals_the_sender() {
    let mut stage = Stage::new(stage::config());
    let mut alice = Phone::new("alice", 5080);
    let answer = alice.ask(&mut stage, "SUBSCRIBE", "bob", &["Event: presence"], ("", ""));
    let via = top_via(&answer);
    assert!(via.contains("198.51.100.7:5080"), "{via}");
    assert!(via.contains(";rport=5080") && via.contains(";received=198.51.100.7"), "{via}");
}

/// RFC 3581 §4: of several listeners, the one that heard the request answers: with a refusal, with
/// an answer, with that of another, and with what timers send.
#[test]
fn an_answer_leaves_by_the_listener_that_heard_the_request() {
    let (mut stage, mut alice, bob) = behind_a_nat();
    let listener = |sent_by: &str| Listener { sent_by: sent_by.into() };
    stage.config.listeners = vec![listener("192.0.2.1:5060"), listener("192.0.2.1:5070")];
    let by = Peer { addr: alice.addr, listener: 1 };
    let mut left = Vec::new();
    let mut handle = |stage: &mut Stage, input| -> Option<Request> {
        let mut out = Vec::new();
        stage.server.handle(&stage.config, stage.now, input, &mut out);
        let mut relayed = None;
        for output in out {
            let Output::Transmit { to, bytes } = output else { continue };
            match Message::parse(bytes).expect("valid SIP") {
                Message::Response(answer) if to.addr == by.addr => {
                    left.push((answer.status(), to.listener));
                }
                Message::Request(request) if to.addr == bob.addr => relayed = Some(request),
                Message::Request(_) | Message::Response(_) => {}
            }
        }
        relayed
    };
    let packet = |from, text: String| Input::Packet { from, bytes: text.into() };
    let refused = from_inside(&mut alice, "SUBSCRIBE", "c1", &["Event: dialog"]);
    handle(&mut stage, packet(by, refused));
    let asked = from_inside(&mut alice, "OPTIONS", "c2", &[]);
    let asked = handle(&mut stage, packet(by, asked)).expect("it is relayed");
    stage.now = stage.now + seconds(4);
    handle(&mut stage, Input::Tick);
    let server = SocketAddr::from(([192, 0, 2, 1], 5060));
    let reply = presently_engine::message::Reply::new(&asked, server, 200, "b1");
    let bytes = reply.into_writer().finish();
    handle(&mut stage, Input::Packet { from: Peer::new(bob.addr), bytes });
    assert_eq!(left, [(489, 1), (100, 1), (200, 1)]);
}

/// RFC 3581 §3: what we send asks for `rport` without giving it a value, and names in its Via the
/// very socket it leaves from: the answer arrives, whichever of the two rules a server follows.
#[test]
fn our_requests_ask_for_rport_and_name_the_socket_they_leave_from() {
    let mut world = World::new(&["alice", "bob"]);
    world.login(&["alice", "bob"]);
    world.watch("alice", "bob", Package::Presence, 600);
    let target = presently_engine::message::Aor::new("bob", stage::DOMAIN);
    world.command("alice", Command::SendMessage { target, text: "hi".into(), ticket: 1 });
    world.pass(seconds(5));
    let mut seen = std::collections::BTreeSet::new();
    for rung in &world.ladder {
        let Message::Request(request) = &rung.message else { continue };
        let via = request.first(Name::Via).expect("a Via");
        let mut params = via.split(';').map(str::trim);
        assert_eq!(params.next(), Some(&*format!("SIP/2.0/UDP {}", rung.from)), "{via}");
        assert!(params.any(|param| param == "rport"), "{via}");
        seen.insert((rung.from == world::SERVER, request.method()));
    }
    for expected in [(false, Method::Message), (true, Method::Message), (true, Method::Notify)] {
        assert!(seen.contains(&expected), "{expected:?} in {seen:?}");
    }
}

/// Alice asks bob's phone something that passes through the proxy.
fn asked(method: &str) -> (Stage, Phone, Phone, Request) {
    let mut stage = Stage::new(stage::config());
    let (mut alice, mut bob) = (Phone::new("alice", 5080), Phone::new("bob", 5070));
    assert_eq!(bob.register(&mut stage, 86_400).status(), 200);
    let to = Phone::aor("bob");
    let head = Head { to: &to, to_tag: None, tag: "a1", call_id: "c1", extra: &[] };
    let text = alice.write(method, &to, &head, ("", ""));
    stage.packet(alice.addr, text);
    let request = stage.request(bob.addr);
    (stage, alice, bob, request)
}

/// RFC 4320 §4.1: a phone may say what it likes, no provisional answer but our own 100 goes back,
/// and that not before Timer E of the client has reached T2.
#[test]
fn a_provisional_answer_to_a_non_invite_is_a_late_100_or_nothing() {
    for method in ["MESSAGE", "OPTIONS", "INFO"] {
        let (mut stage, alice, bob, request) = asked(method);
        for status in [100, 180, 183, 199] {
            bob.answer(&mut stage, &request, status);
        }
        stage.pass(Duration::from_millis(3499));
        stage.silent(alice.addr);
        stage.pass(Duration::from_millis(1));
        assert_eq!(stage.response(alice.addr).status(), 100, "{method}");
        stage.silent(alice.addr);
        bob.answer(&mut stage, &request, 182);
        stage.silent(alice.addr);
        bob.answer(&mut stage, &request, 200);
        assert_eq!(stage.response(alice.addr).status(), 200);
        stage.silent(alice.addr);
    }
}

/// RFC 4320 §4.1: whoever answers at once sends no 100.
#[test]
fn an_answer_in_time_has_no_100_before_it() {
    let (mut stage, alice, bob, request) = asked("OPTIONS");
    stage.pass(Duration::from_millis(3499));
    bob.answer(&mut stage, &request, 200);
    assert_eq!(stage.response(alice.addr).status(), 200);
    stage.pass(seconds(60));
    stage.silent(alice.addr);
}

/// RFC 4320 §4.2: silence stays silence, and a 408 of somebody else goes no further.
#[test]
fn a_non_invite_never_gets_a_408() {
    for answers in [false, true] {
        let (mut stage, alice, bob, request) = asked("OPTIONS");
        if answers {
            bob.answer(&mut stage, &request, 408);
        }
        stage.pass(seconds(120));
        assert_eq!(stage.response(alice.addr).status(), 100);
        stage.silent(alice.addr);
    }
}

/// RFC 4320 §4.2: what comes after the transaction is over is not forwarded, nor is what belongs
/// to none.
#[test]
fn a_late_or_stray_answer_is_not_forwarded() {
    let (mut stage, alice, bob, request) = asked("OPTIONS");
    stage.pass(seconds(40));
    assert_eq!(stage.response(alice.addr).status(), 100);
    bob.answer(&mut stage, &request, 200);
    stage.silent(alice.addr);

    let (mut stage, alice, bob, request) = asked("MESSAGE");
    bob.answer(&mut stage, &request, 200);
    assert_eq!(stage.response(alice.addr).status(), 200);
    stage.pass(seconds(40));
    for status in [200, 486] {
        bob.answer(&mut stage, &request, status);
    }
    stage.silent(alice.addr);
    let mut forged = request.bytes().to_vec();
    let branch = request.via().expect("a Via").branch.expect("a branch").to_owned();
    let at = forged.windows(branch.len()).position(|it| it == branch.as_bytes()).expect("it");
    forged[at + branch.len() - 1] ^= 1;
    let Ok(Message::Request(forged)) = Message::parse(forged.into()) else { panic!("a request") };
    bob.answer(&mut stage, &forged, 200);
    stage.silent(alice.addr);
}
