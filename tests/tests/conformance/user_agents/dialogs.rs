//! Dialogs from both ends: RFC 3261 §12.1 and §12.2.

use super::talk::Talk;
use bytes::Bytes;
use presently_engine::Peer;
use presently_engine::agent::{Command, Package};
use presently_engine::dialog::Dialog;
use presently_engine::message::{Message, Method, Name, Reply, Request, Response};
use presently_engine::mint::Id;
use presently_engine::slot::Slot;
use presently_engine::transaction::Branch;
use presently_tests::phone::Head;
use presently_tests::stage::{self, DOMAIN};
use presently_tests::{Phone, Stage, Told};
use std::net::SocketAddr;
use std::time::Duration;

const NONE: (&str, &str) = ("", "");
const STATE: &str = "Event: presence\r\nSubscription-State: active;expires=3600\r\n\
                     Contact: <sip:bob@192.0.2.1:5060>\r\n";

/// SUBSCRIBEs to bob with these further lines.
fn subscribe(stage: &mut Stage, alice: &mut Phone, extra: &[&str]) -> Response {
    let bob = Phone::aor("bob");
    let lines = [&["Event: presence", "Expires: 600"], extra].concat();
    let head = Head { to: &bob, to_tag: None, tag: "a1", call_id: "call", extra: &lines };
    let text = alice.write("SUBSCRIBE", &bob, &head, NONE);
    stage.packet(alice.addr, text);
    stage.response(alice.addr)
}

fn values(message: &Request, name: Name) -> Vec<&str> {
    message.list(name).collect()
}

#[test]
fn a_200_to_subscribe_repeats_record_route_and_the_notify_follows_it() {
    let mut stage = Stage::new(stage::config());
    let mut alice = Phone::new("alice", 6000);
    let routes = ["<sip:198.51.100.7:7777;lr;x=1>;y=\"2\"", "<sip:mid.example;lr>"];
    let lines = [format!("Record-Route: {}, {}", routes[0], routes[1])];
    let last = "Record-Route: <sip:far.example;lr;unheard=of>";
    let answer = subscribe(&mut stage, &mut alice, &[&lines[0], last]);
    let expected = [routes[0], routes[1], "<sip:far.example;lr;unheard=of>"];
    assert_eq!(answer.list(Name::RecordRoute).collect::<Vec<_>>(), expected);
    assert_eq!(answer.first(Name::Contact), Some("<sip:bob@192.0.2.1:5060>"));

    let router = SocketAddr::from(([198, 51, 100, 7], 7777));
    let notify = stage.request(router);
    assert_eq!(notify.uri(), format!("sip:alice@{}", alice.addr));
    assert_eq!(values(&notify, Name::Route), expected);
    let (from, to) = (notify.from().expect("a From"), notify.to().expect("a To"));
    assert_eq!((from.uri, to.uri), ("sip:bob@example.org", "sip:alice@example.org"));
    assert_eq!(from.tag(), answer.to().expect("a To").tag());
    assert_eq!((to.tag(), notify.call_id()), (Some("a1"), Ok("call")));
    let cseq = notify.cseq().expect("a CSeq");
    assert_eq!((cseq.number, cseq.method), (1, "NOTIFY"));
}

#[test]
fn a_strict_router_gets_the_notify_in_its_own_name_at_its_own_address() {
    let mut stage = Stage::new(stage::config());
    let mut alice = Phone::new("alice", 6000);
    let line = "Record-Route: <sip:198.51.100.7:7777;method=INVITE;x=1>, <sip:mid.example;lr>";
    subscribe(&mut stage, &mut alice, &[line]);
    let notify = stage.request(SocketAddr::from(([198, 51, 100, 7], 7777)));
    assert_eq!(notify.uri(), "sip:198.51.100.7:7777;x=1");
    let contact = format!("<sip:alice@{}>", alice.addr);
    assert_eq!(values(&notify, Name::Route), ["<sip:mid.example;lr>", &contact]);
}

#[test]
fn without_record_route_there_is_no_route_and_the_contact_is_the_target() {
    let mut stage = Stage::new(stage::config());
    let mut alice = Phone::new("alice", 6000);
    let answer = subscribe(&mut stage, &mut alice, &[]);
    assert_eq!(answer.first(Name::RecordRoute), None);
    let notify = alice.told(&mut stage).request;
    assert_eq!(notify.uri(), format!("sip:alice@{}", alice.addr));
    assert_eq!(notify.first(Name::Route), None);
}

#[test]
fn a_subscriber_of_old_without_a_tag_is_served() {
    let mut stage = Stage::new(stage::config());
    let mut alice = Phone::new("alice", 6000);
    let bob = Phone::aor("bob");
    let extra = ["Event: presence", "Expires: 600"];
    let head = Head { to: &bob, to_tag: None, tag: "a1", call_id: "call", extra: &extra };
    let text = alice.write("SUBSCRIBE", &bob, &head, NONE).replace(";tag=a1", "");
    stage.packet(alice.addr, text);
    assert_eq!(stage.response(alice.addr).status(), 200);
    let notify = alice.told(&mut stage).request;
    assert_eq!(notify.first(Name::To), Some(format!("<sip:alice@{DOMAIN}>").as_str()));
}

/// A subscription of an hour, refreshed and told of changes: the dialog stays what it was, and
/// the numbers of both sides rise by one.
#[test]
fn a_dialog_keeps_its_state_as_long_as_it_lasts() {
    let mut stage = Stage::new(stage::config());
    let (mut alice, mut bob) = (Phone::new("alice", 6000), Phone::new("bob", 5070));
    bob.decide(&mut stage, &[("alice", "allow")], None);
    let watch = alice.watch(&mut stage, "bob", "presence", 600);
    let mut told: Vec<Told> = vec![alice.told(&mut stage)];
    let mut etag = None;
    for round in 0..12 {
        let answer = bob.publish(&mut stage, &format!("note {round}"), etag.as_deref());
        etag = answer.first(Name::SipEtag).map(str::to_owned);
        told.push(alice.told(&mut stage));
        stage.pass(Duration::from_secs(300));
        assert_eq!(alice.renew(&mut stage, &watch, 600).status(), 200);
        told.push(alice.told(&mut stage));
    }
    let numbers: Vec<u32> = told.iter().map(|one| one.cseq).collect();
    assert_eq!(numbers, (1..=25).collect::<Vec<_>>());
    for name in [Name::From, Name::To, Name::CallId] {
        assert!(told.iter().all(|one| one.request.first(name) == told[0].request.first(name)));
    }
    assert!(told.iter().all(|one| one.request.uri() == told[0].request.uri()));
}

#[test]
fn a_subscribers_requests_follow_the_notify_that_made_the_dialog() {
    let mut talk = Talk::online();
    let first = talk.provoke(Method::Subscribe);
    let routes = "Record-Route: <sip:near.example;lr;x=1>, <sip:far.example;lr>\r\n";
    let lines = STATE.replace("bob@192.0.2.1:5060", "bob@192.0.2.40");
    assert_eq!(talk.notify(&first, 77, &format!("{lines}{routes}")).status(), 200);
    talk.answer(&first, 200, &[(Name::Expires, "3600")]);
    let second = talk.wait(Method::Subscribe);
    assert_eq!(second.uri(), "sip:bob@192.0.2.40");
    assert_eq!(values(&second, Name::Route), ["<sip:near.example;lr;x=1>", "<sip:far.example;lr>"]);
    assert_eq!(second.first(Name::From), first.first(Name::From));
    let to = second.to().expect("a To");
    assert_eq!((to.uri, to.tag()), ("sip:bob@example.org", Some("pa")));
    assert_eq!(second.call_id(), first.call_id());
    let number = |one: &Request| one.cseq().expect("a CSeq").number;
    assert_eq!(number(&second), number(&first) + 1);
    let challenge = "Digest realm=\"example.org\", qop=\"auth\", algorithm=SHA-256, nonce=\"n1\"";
    talk.answer(&second, 401, &[(Name::WwwAuthenticate, challenge)]);
    let third = talk.request(Method::Subscribe);
    assert_eq!(number(&third), number(&first) + 2);
    talk.answer(&third, 200, &[(Name::Expires, "3600")]);
    let (target, package) = (Talk::bob(), Package::Presence);
    talk.command(Command::Unsubscribe { target, package });
    let last = talk.request(Method::Subscribe);
    assert_eq!((number(&last), last.seconds(Name::Expires)), (number(&first) + 3, Some(0)));
}

#[test]
fn the_answer_to_a_refresh_moves_the_target() {
    let mut talk = Talk::online();
    let first = talk.provoke(Method::Subscribe);
    assert_eq!(talk.notify(&first, 1, STATE).status(), 200);
    // The answer to the first SUBSCRIBE does not: the dialog is the NOTIFY's.
    let elsewhere = [(Name::Expires, "600"), (Name::Contact, "<sip:bob@192.0.2.66>")];
    talk.answer(&first, 200, &elsewhere);
    let second = talk.wait(Method::Subscribe);
    assert_eq!(second.uri(), "sip:bob@192.0.2.1:5060");
    talk.answer(&second, 200, &elsewhere);
    talk.notify(&first, 2, &STATE.replace("Contact: <sip:bob@192.0.2.1:5060>\r\n", ""));
    assert_eq!(talk.wait(Method::Subscribe).uri(), "sip:bob@192.0.2.66");
    let to = talk.world.ladder.last().expect("the SUBSCRIBE").to;
    assert_eq!(to, SocketAddr::from(([192, 0, 2, 66], 5060)));
}

#[test]
fn the_answer_to_a_notify_moves_the_target_and_a_crash_forgets_nothing() {
    let mut stage = Stage::new(stage::config());
    let (mut alice, mut bob) = (Phone::new("alice", 6000), Phone::new("bob", 5070));
    let mut moved = Phone::new("alice", 6001);
    alice.watch(&mut stage, "bob", "presence", 600);
    let notify = alice.told_quietly(&mut stage).request;
    let server = SocketAddr::from(([192, 0, 2, 1], 5060));
    let mut reply = Reply::new(&notify, server, 200, "phone");
    reply.header(Name::Contact, &format!("<sip:alice@{}>", moved.addr));
    stage.packet(alice.addr, reply.into_writer().finish());
    bob.decide(&mut stage, &[("alice", "allow")], None);
    let told = moved.told_quietly(&mut stage);
    assert_eq!(told.request.uri(), format!("sip:alice@{}", moved.addr));
    moved.answer(&mut stage, &told.request, 200);
    stage.crash(Duration::from_secs(1));
    stage.pass(Duration::from_secs(5));
    assert_eq!(moved.told_quietly(&mut stage).state, "active");
    stage.silent(alice.addr);
}

#[test]
fn what_belongs_to_no_dialog_is_481_and_what_comes_late_500() {
    let mut stage = Stage::new(stage::config());
    let mut alice = Phone::new("alice", 6000);
    let watch = alice.watch(&mut stage, "bob", "presence", 600);
    alice.told(&mut stage);
    let mut other = watch.clone();
    other.to_tag = "0011223344556677".into();
    assert_eq!(alice.renew(&mut stage, &other, 600).status(), 481);
    // Alice's phone skips three numbers; the next one is lower again.
    let mut late = Phone::new("alice", 6000);
    for _ in 0..3 {
        alice.ask(&mut stage, "OPTIONS", "carol", &[], NONE);
        late.ask(&mut stage, "OPTIONS", "carol", &[], NONE);
    }
    assert_eq!(alice.renew(&mut stage, &watch, 600).status(), 200);
    alice.told(&mut stage);
    assert_eq!(late.renew(&mut stage, &watch, 600).status(), 500);
    assert_eq!(alice.renew(&mut stage, &watch, 600).status(), 200, "nothing came of it");
    alice.told(&mut stage);
}

#[test]
fn an_agent_takes_notifications_of_its_dialogs_in_their_order() {
    let mut talk = Talk::online();
    let subscribe = talk.provoke(Method::Subscribe);
    assert_eq!(talk.notify(&subscribe, 40, STATE).status(), 200);
    assert_eq!(talk.notify(&subscribe, 39, STATE).status(), 500);
    assert_eq!(talk.notify(&subscribe, 45, STATE).status(), 200, "a gap is no fault");
    assert_eq!(talk.notify(&subscribe, 44, STATE).status(), 500);
    assert_eq!(talk.ask("NOTIFY", STATE, "").status(), 481);
    // A NOTIFY moves the target.
    let moved = STATE.replace("192.0.2.1:5060", "192.0.2.41");
    assert_eq!(talk.notify(&subscribe, 46, &moved).status(), 200);
    let (target, package) = (Talk::bob(), Package::Presence);
    talk.answer(&subscribe, 200, &[(Name::Expires, "3600")]);
    talk.command(Command::Unsubscribe { target, package });
    assert_eq!(talk.request(Method::Subscribe).uri(), "sip:bob@192.0.2.41");
}

/// The text of a request in a dialog.
fn written(dialog: &mut Dialog, method: Method) -> String {
    let branch = Branch { slot: Slot::default(), id: Id(5) };
    let bytes = dialog.request(method, branch, "192.0.2.10:5060").finish();
    String::from_utf8(bytes.to_vec()).expect("text")
}

fn response(lines: &str) -> Response {
    let text = format!(
        "SIP/2.0 200 OK\nVia: SIP/2.0/UDP 192.0.2.10;branch=z9hG4bK1\n\
         From: <sip:alice@example.org>;tag=00000000000000a1\nCall-ID: call\nCSeq: 70 INVITE\n\
         Contact: <sip:bob@192.0.2.20:7000>\n{lines}Content-Length: 0\n\n"
    );
    match Message::parse(Bytes::from(text.replace('\n', "\r\n"))) {
        Ok(Message::Response(response)) => response,
        other => panic!("{other:?}"),
    }
}

fn called(lines: &str) -> Dialog {
    let peer = Peer::new(SocketAddr::from(([192, 0, 2, 20], 7000)));
    Dialog::from_response(&response(lines), peer, Id(0xa1)).expect("a dialog")
}

#[test]
fn a_callers_dialog_is_made_of_its_request_and_the_answer() {
    let routes = "Record-Route: <sip:far.example;lr;x=1>\nRecord-Route: <sip:near.example;lr>\n";
    let mut dialog = called(&format!("To: <sip:bob@example.org>;tag=b1\n{routes}"));
    assert_eq!((&*dialog.call_id, &*dialog.remote_tag), ("call", "b1"));
    assert_eq!(dialog.local_tag, Id(0xa1));
    assert_eq!((dialog.local_cseq, dialog.remote_cseq), (70, None));
    assert_eq!(&*dialog.remote_target, "sip:bob@192.0.2.20:7000");
    let bye = written(&mut dialog, Method::Bye);
    let expected = "Route: <sip:near.example;lr>\r\nRoute: <sip:far.example;lr;x=1>\r\n\
                    From: <sip:alice@example.org>;tag=00000000000000a1\r\n\
                    To: <sip:bob@example.org>;tag=b1\r\nCall-ID: call\r\nCSeq: 71 BYE\r\n";
    assert!(bye.starts_with("BYE sip:bob@192.0.2.20:7000 SIP/2.0\r\n"), "{bye}");
    assert!(bye.contains(expected), "{bye}");
}

#[test]
fn an_answer_without_record_route_or_tag_makes_a_dialog_without() {
    let mut dialog = called("To: <sip:bob@example.org>\n");
    assert!(dialog.routes.is_empty());
    let bye = written(&mut dialog, Method::Bye);
    assert!(bye.contains("\r\nTo: <sip:bob@example.org>\r\n") && !bye.contains("Route"), "{bye}");
}

#[test]
fn only_the_peer_of_a_dialog_can_move_it_and_a_nat_stays_where_it_is() {
    let to = "To: <sip:bob@example.org>;tag=b1\n";
    let at = |contact: &str, tag: &str| {
        let text = response(&to.replace("b1", tag));
        let text = String::from_utf8(text.bytes().to_vec()).expect("text");
        match Message::parse(Bytes::from(text.replace("bob@192.0.2.20:7000", contact))) {
            Ok(Message::Response(response)) => response,
            other => panic!("{other:?}"),
        }
    };
    let mut dialog = called(to);
    let before = dialog.clone();
    assert!(!dialog.retarget(&at("bob@192.0.2.30", "b2")), "another fork");
    assert!(!dialog.retarget(&at("bob@192.0.2.20:7000", "b1")), "nothing new");
    assert_eq!(dialog, before);
    assert!(dialog.retarget(&at("bob@192.0.2.30", "b1")));
    assert_eq!(dialog.peer.addr, SocketAddr::from(([192, 0, 2, 30], 5060)));

    let mut behind =
        Dialog { peer: Peer::new(SocketAddr::from(([203, 0, 113, 1], 999))), ..before };
    assert!(behind.retarget(&at("bob@10.0.0.9", "b1")));
    assert_eq!(&*behind.remote_target, "sip:bob@10.0.0.9");
    assert_eq!(behind.peer.addr, SocketAddr::from(([203, 0, 113, 1], 999)));
}
