//! How agent and server take requests and write answers, and CANCEL: RFC 3261 §8.2 and §9.

use super::talk::Talk;
use presently_engine::message::{Message, Method, Name, Reply, Request, Response};
use presently_tests::phone::{Head, pidf};
use presently_tests::stage;
use presently_tests::{Phone, Stage};
use std::net::SocketAddr;
use std::time::Duration;

const NONE: (&str, &str) = ("", "");
const KNOWN: [&str; 14] = [
    "REGISTER",
    "SUBSCRIBE",
    "PUBLISH",
    "MESSAGE",
    "OPTIONS",
    "INVITE",
    "ACK",
    "BYE",
    "CANCEL",
    "UPDATE",
    "INFO",
    "PRACK",
    "REFER",
    "NOTIFY",
];

fn values(response: &Response, name: Name) -> Vec<&str> {
    response.list(name).collect()
}

#[test]
fn allow_names_the_methods_that_are_served_and_all_others_get_405() {
    let mut talk = Talk::online();
    let options = talk.ask("OPTIONS", "", "");
    for method in KNOWN.into_iter().filter(|method| *method != "ACK") {
        let answer = talk.ask(method, "", "");
        let served = values(&options, Name::Allow).contains(&method);
        assert_eq!(answer.status() != 405, served, "{method}: {}", answer.status());
        if !served {
            assert_eq!(answer.first(Name::Allow), options.first(Name::Allow), "{method}");
        }
    }
}

#[test]
fn the_server_names_its_methods_and_refuses_notify_with_405() {
    let mut stage = Stage::new(stage::config());
    let mut phone = Phone::new("alice", 5080);
    let refused = phone.ask(&mut stage, "NOTIFY", "carol", &["Event: presence"], NONE);
    assert_eq!(refused.status(), 405);
    let allowed: Vec<String> =
        values(&refused, Name::Allow).into_iter().map(str::to_owned).collect();
    for method in KNOWN.into_iter().filter(|method| *method != "ACK") {
        let answer = phone.ask(&mut stage, method, "carol", &["Event: presence"], NONE);
        let served = allowed.iter().any(|one| one == method);
        assert_eq!(![405, 501].contains(&answer.status()), served, "{method}");
        assert_eq!(served, method != "NOTIFY", "{method}");
    }
}

#[test]
fn headers_that_nobody_defined_are_ignored() {
    let strange = ["X-Mood: ;;,\"", "Recieved: yesterday", "P-Nothing: <<>"];
    let mut talk = Talk::online();
    let lines = strange.map(|line| format!("{line}\r\n")).concat();
    assert_eq!(talk.ask("OPTIONS", &lines, "").status(), 200);
    let text = format!("{lines}Content-Type: text/plain\r\n");
    assert_eq!(talk.ask("MESSAGE", &text, "hello").status(), 200);

    let mut stage = Stage::new(stage::config());
    let mut bob = Phone::new("bob", 5070);
    let lines = [strange[0], strange[1], strange[2], "Event: presence", "Expires: 600"];
    assert_eq!(bob.ask(&mut stage, "REGISTER", "bob", &lines, NONE).status(), 200);
    assert_eq!(bob.ask(&mut stage, "SUBSCRIBE", "bob", &lines, NONE).status(), 200);
    let body = pidf("bob", "here");
    let body = ("application/pidf+xml", &*body);
    assert_eq!(bob.ask(&mut stage, "PUBLISH", "bob", &lines, body).status(), 200);
}

/// A SUBSCRIBE of alice's to bob, as text.
fn subscribe(alice: &mut Phone, extra: &[&str]) -> String {
    let bob = Phone::aor("bob");
    let lines = [&["Event: presence", "Expires: 600"], extra].concat();
    let head = Head { to: &bob, to_tag: None, tag: "a1", call_id: "call", extra: &lines };
    alice.write("SUBSCRIBE", &bob, &head, NONE)
}

#[test]
fn a_request_that_comes_by_two_ways_is_processed_once() {
    let mut stage = Stage::new(stage::config());
    let mut alice = Phone::new("alice", 6000);
    let text = subscribe(&mut alice, &[]);
    stage.packet(alice.addr, text.clone());
    assert_eq!(stage.response(alice.addr).status(), 200);
    alice.told(&mut stage);
    stage.packet(alice.addr, text.replace("branch=z9hG4bK", "branch=z9hG4bKother"));
    assert_eq!(stage.response(alice.addr).status(), 482);
    stage.silent(alice.addr);
}

#[test]
fn what_is_required_and_not_understood_is_named_in_unsupported() {
    let mut stage = Stage::new(stage::config());
    let mut alice = Phone::new("alice", 6000);
    let before = stage.server.clone();
    let text = subscribe(&mut alice, &["Require: eventlist, teleport", "Require: dance"]);
    stage.packet(alice.addr, text);
    let refused = stage.response(alice.addr);
    assert_eq!(refused.status(), 420);
    assert_eq!(values(&refused, Name::Unsupported), ["eventlist", "teleport", "dance"]);
    assert!(stage.server == before, "a refused request changes nothing");
}

/// A call from alice to bob that requires an extension of bob's phone.
struct Call {
    stage: Stage,
    alice: Phone,
    bob: Phone,
    invite: String,
    offered: Request,
}

impl Call {
    fn begin() -> Self {
        let mut stage = Stage::new(stage::config());
        let (mut alice, mut bob) = (Phone::new("alice", 5080), Phone::new("bob", 5070));
        assert_eq!(bob.register(&mut stage, 600).status(), 200);
        let (to, extra) = (Phone::aor("bob"), ["Require: 100rel"]);
        let head = Head { to: &to, to_tag: None, tag: "a1", call_id: "call-1", extra: &extra };
        let invite = alice.write("INVITE", &to, &head, NONE);
        stage.packet(alice.addr, invite.clone());
        let offered = stage.request(bob.addr);
        assert_eq!(offered.first(Name::Require), Some("100rel"));
        Self { stage, alice, bob, invite, offered }
    }

    fn bob_says(&mut self, request: &Request, status: u16) {
        let server = SocketAddr::from(([192, 0, 2, 1], 5060));
        let reply = Reply::new(request, server, status, "b1");
        self.stage.packet(self.bob.addr, reply.into_writer().finish());
    }

    fn alice_says(&mut self, method: &str) {
        self.stage.packet(self.alice.addr, self.invite.replace("INVITE", method));
    }
}

/// What RFC 3261 §9.1 and §17.1.1.3 want equal in a CANCEL or ACK and its INVITE.
fn assert_belongs_to(request: &Request, invite: &Request) {
    assert_eq!(request.uri(), invite.uri());
    for name in [Name::CallId, Name::From] {
        assert_eq!(request.first(name), invite.first(name));
    }
    let (cseq, of_invite) = (request.cseq().expect("a CSeq"), invite.cseq().expect("a CSeq"));
    assert_eq!((cseq.number, cseq.method), (of_invite.number, request.method_text()));
    assert_eq!(request.vias().count(), 1);
    assert_eq!(request.list(Name::Via).next(), invite.list(Name::Via).next());
    assert_eq!(request.first(Name::Require).or(request.first(Name::ProxyRequire)), None);
}

#[test]
fn a_cancel_is_made_of_its_invite_and_follows_a_provisional_answer() {
    let mut call = Call::begin();
    call.alice_says("CANCEL");
    let ours = call.stage.response(call.alice.addr);
    assert_eq!(ours.status(), 200, "Require in a CANCEL is ignored");
    call.stage.pass(Duration::from_secs(1));
    while let Some(copy) = call.stage.next(call.bob.addr) {
        let Message::Request(copy) = copy else { panic!("{copy:?}") };
        assert_eq!(copy.bytes(), call.offered.bytes(), "nothing but copies before a provisional");
    }
    let offered = call.offered.clone();
    call.bob_says(&offered, 180);
    let cancel = call.stage.request(call.bob.addr);
    assert_eq!(cancel.method(), Method::Cancel);
    assert_belongs_to(&cancel, &offered);
    assert_eq!(cancel.first(Name::To), offered.first(Name::To));
    call.bob_says(&cancel, 200);
    call.bob_says(&offered, 487);
    let ack = call.stage.request(call.bob.addr);
    assert_eq!(ack.method(), Method::Ack);
    assert_belongs_to(&ack, &offered);
}

#[test]
fn a_require_in_the_ack_of_a_failure_is_ignored() {
    let mut call = Call::begin();
    let offered = call.offered.clone();
    call.bob_says(&offered, 486);
    assert_eq!(call.stage.response(call.alice.addr).status(), 486);
    call.alice_says("ACK");
    call.stage.pass(Duration::from_secs(32));
    call.stage.silent(call.alice.addr);

    let mut talk = Talk::online();
    let invite = talk.write("INVITE", "Require: teleport\r\n", "");
    talk.hear(invite.clone());
    assert_eq!(talk.response().status(), 420);
    talk.hear(invite.replace("INVITE", "CANCEL"));
    assert_eq!(talk.response().status(), 200, "in an agent too, and in its CANCEL");
    talk.hear(invite.replace("INVITE", "ACK"));
    let sent = talk.world.ladder.len();
    talk.world.pass(Duration::from_secs(32));
    assert_eq!(talk.world.ladder.len(), sent, "the ACK ended the copies of the 420");
}

#[test]
fn an_agent_refuses_bodies_it_cannot_read_and_says_which_it_can() {
    let mut talk = Talk::online();
    let png = talk.ask("MESSAGE", "Content-Type: image/png\r\n", "PNG");
    assert_eq!(png.status(), 415);
    for accepted in values(&png, Name::Accept) {
        let line = format!("Content-Type: {accepted}\r\n");
        assert_eq!(talk.ask("MESSAGE", &line, "hello").status(), 200, "{accepted}");
    }
    let coded = "Content-Type: text/plain\r\nContent-Encoding: gzip\r\n";
    let gzip = talk.ask("MESSAGE", coded, "\u{1f}squeezed");
    assert_eq!(gzip.status(), 415);
    assert_eq!(gzip.first(Name::AcceptEncoding), Some("identity"));
    assert_eq!(talk.ask("MESSAGE", &coded.replace("gzip", "identity"), "hi").status(), 200);
}

#[test]
fn an_agent_refuses_documents_it_cannot_read_and_says_which_it_can() {
    let mut talk = Talk::online();
    let subscribe = talk.provoke(Method::Subscribe);
    let (state, body) = ("Event: presence\r\nSubscription-State: active\r\n", "Content-Type");
    let dialog = "Contact: <sip:bob@192.0.2.1:5060>\r\n";
    let wrong = [state, dialog, body, ": text/html\r\n"].concat();
    let refused = talk.notify_with(&subscribe, 1, &wrong, "<p>");
    assert_eq!(refused.status(), 415);
    assert_eq!(refused.first(Name::Accept), subscribe.first(Name::Accept));
    let coded = [state, dialog, "Content-Encoding: gzip\r\n", body, ": application/pidf+xml\r\n"];
    let refused = talk.notify_with(&subscribe, 2, &coded.concat(), "<p>");
    assert_eq!(refused.status(), 415);
    assert_eq!(refused.first(Name::AcceptEncoding), Some("identity"));
}

#[test]
fn the_server_refuses_publications_it_cannot_read_and_says_which_it_can() {
    let mut stage = Stage::new(stage::config());
    let mut bob = Phone::new("bob", 5070);
    let event = ["Event: presence", "Expires: 600"];
    let refused = bob.ask(&mut stage, "PUBLISH", "bob", &event, ("text/html", "<p>"));
    assert_eq!(refused.status(), 415);
    let old = pidf("bob", "here").replace("ns:pidf", "ns:cpim-pidf:");
    let new = pidf("bob", "here");
    let documents = [("application/pidf+xml", new.as_str()), ("application/cpim-pidf+xml", &old)];
    assert_eq!(values(&refused, Name::Accept), documents.map(|(kind, _)| kind));
    for body in documents {
        assert_eq!(bob.ask(&mut stage, "PUBLISH", "bob", &event, body).status(), 200, "{}", body.0);
    }
    let coded = [event[0], event[1], "Content-Encoding: gzip"];
    let refused = bob.ask(&mut stage, "PUBLISH", "bob", &coded, ("application/pidf+xml", &new));
    assert_eq!(refused.status(), 415);
    assert_eq!(refused.first(Name::AcceptEncoding), Some("identity"));
}

/// RFC 3261 §8.2.3 would have it refused; see the list for why it is not.
#[test]
fn a_body_where_none_means_anything_is_ignored() {
    let mut stage = Stage::new(stage::config());
    let mut bob = Phone::new("bob", 5070);
    let filter = ("application/simple-filter+xml", "<filter-set/>");
    let event = ["Event: presence", "Expires: 600"];
    assert_eq!(bob.ask(&mut stage, "SUBSCRIBE", "bob", &event, filter).status(), 200);
}

#[test]
fn all_answers_to_one_request_have_one_to_tag() {
    let mut stage = Stage::new(stage::config());
    let mut alice = Phone::new("alice", 6000);
    let to = Phone::aor("bob");
    let head = Head { to: &to, to_tag: None, tag: "a1", call_id: "call-1", extra: &[] };
    let invite = alice.write("INVITE", &to, &head, NONE);
    stage.packet(alice.addr, invite.clone());
    let first = stage.response(alice.addr);
    assert_eq!(first.status(), 480, "nobody is there");
    assert!(first.to().expect("a To").tag().is_some());
    stage.pass(Duration::from_millis(600));
    stage.packet(alice.addr, invite);
    for _ in 0..2 {
        let copy = stage.response(alice.addr);
        assert_eq!(copy.first(Name::To), first.first(Name::To));
    }

    let mut talk = Talk::online();
    let options = talk.write("OPTIONS", "", "");
    talk.hear(options.clone());
    let first = talk.response();
    assert!(first.to().expect("a To").tag().is_some());
    talk.hear(options);
    let again = talk.world.ladder.last().expect("an answer");
    assert_eq!(again.message.headers().bytes(), first.bytes());
}

#[test]
fn who_is_challenged_costs_nothing_and_gets_one_answer_at_a_time() {
    let mut stage = Stage::new(stage::config_with_digest(&["alice", "bob"]));
    let before = stage.server.clone();
    let mut alice = Phone::new("alice", 6000);
    let to = Phone::aor("bob");
    let head = Head { to: &to, to_tag: None, tag: "a1", call_id: "call-1", extra: &[] };
    let invite = alice.write("INVITE", &to, &head, NONE);
    stage.packet(alice.addr, invite.clone());
    let challenge = stage.response(alice.addr);
    assert_eq!(challenge.status(), 407);
    assert!(challenge.to().expect("a To").tag().is_some());
    stage.pass(Duration::from_secs(60));
    stage.silent(alice.addr);
    stage.packet(alice.addr, invite.clone());
    let again = stage.response(alice.addr);
    assert_eq!((again.status(), again.first(Name::To)), (407, challenge.first(Name::To)));
    stage.packet(alice.addr, invite.replace("INVITE", "ACK"));
    stage.silent(alice.addr);
    stage.packet(alice.addr, invite.replace("INVITE", "CANCEL"));
    assert_eq!(stage.response(alice.addr).status(), 481, "never challenged");
    assert!(stage.server == before, "no state");
}
