//! What an agent sends and how it takes the answers: RFC 3261 §8.1.1 to §8.1.3.

use super::talk::{ALICE, Talk};
use presently_engine::agent::{Command, Event, MessagePhase, Package, SubscriptionPhase};
use presently_engine::body::pidf::Basic;
use presently_engine::body::presrules::Handling;
use presently_engine::message::{Contacts, Message, Method, Name, Request, Uri};
use presently_engine::{Input, Peer};
use presently_tests::stage::{self, DOMAIN};
use presently_tests::world::SERVER;
use presently_tests::{Phone, Stage, World};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

const SENT: [Method; 4] = [Method::Register, Method::Publish, Method::Subscribe, Method::Message];

/// Everything two agents do in an evening, each request once: who sent it, where to, and what.
fn evening() -> Vec<(SocketAddr, SocketAddr, Request)> {
    let mut world = World::new(&["alice", "bob"]);
    world.login(&["alice", "bob"]);
    let open = Command::SetPresence { basic: Basic::Open, note: Some("here".into()) };
    world.command("bob", open);
    world.watch("bob", "bob", Package::Winfo, 3600);
    world.watch("alice", "bob", Package::Presence, 600);
    world.until("bob", |event| matches!(event, Event::Watcher { .. }));
    world.decide("bob", "alice", Some(Handling::Allow));
    let active = SubscriptionPhase::Active;
    world.until(
        "alice",
        |event| matches!(event, Event::Subscription { phase, .. } if *phase == active),
    );
    for ticket in 1..=3 {
        let target = Talk::bob();
        world.command("alice", Command::SendMessage { target, text: "hi".into(), ticket });
    }
    world.until("alice", |event| match event {
        Event::MessageStatus { ticket, phase, .. } => {
            *ticket == 3 && *phase == MessagePhase::Delivered
        }
        _ => false,
    });
    world.command("alice", Command::Fetch { target: Talk::bob() });
    world.pass(Duration::from_secs(7200));
    for name in ["alice", "bob"] {
        world.command(name, Command::Logout);
        world.until(name, |event| *event == Event::LoggedOut);
    }
    let mut seen = BTreeSet::new();
    let sent = world.ladder.iter().filter_map(|rung| match &rung.message {
        Message::Request(request) => Some((rung.from, rung.to, request.clone())),
        Message::Response(_) => None,
    });
    sent.filter(|(from, _, request)| seen.insert((*from, request.bytes().clone()))).collect()
}

/// The requests that begin no dialog and belong to none, and those that begin one.
fn outside(
    evening: &[(SocketAddr, SocketAddr, Request)],
) -> Vec<&(SocketAddr, SocketAddr, Request)> {
    let is_outside = |request: &Request| request.to().expect("a To").tag().is_none();
    evening.iter().filter(|(from, _, request)| *from != SERVER && is_outside(request)).collect()
}

#[test]
fn every_request_has_what_every_request_needs() {
    let evening = evening();
    let methods: BTreeSet<_> = evening.iter().map(|(_, _, one)| one.method().as_str()).collect();
    let all = ["MESSAGE", "NOTIFY", "PUBLISH", "REGISTER", "SUBSCRIBE"];
    assert_eq!(methods.into_iter().collect::<Vec<_>>(), all);
    for (from, _, request) in &evening {
        let six = [Name::To, Name::From, Name::CSeq, Name::CallId, Name::MaxForwards, Name::Via];
        for name in six {
            assert_eq!(request.lines(name).count().min(1), 1, "{name:?} in {request:?}");
        }
        let hops = if *from == SERVER && request.method() == Method::Message { 69 } else { 70 };
        assert_eq!(request.seconds(Name::MaxForwards), Some(hops));
        let cseq = request.cseq().expect("a CSeq");
        assert_eq!(cseq.method, request.method_text());
        assert!(cseq.number < 1 << 31);
        assert!(request.from().expect("a From").tag().is_some());
        assert!(Uri::parse(request.to().expect("a To").uri).is_ok(), "a SIP URI");
        for name in [Name::Require, Name::ProxyRequire] {
            assert_eq!(request.first(name), None);
        }
    }
}

#[test]
fn a_via_names_sip_2_0_and_a_branch_that_no_other_request_has() {
    let mut branches = BTreeSet::new();
    for (from, _, request) in evening() {
        assert!(request.first(Name::Via).is_some_and(|via| via.starts_with("SIP/2.0/UDP ")));
        let via = request.via().expect("a Via");
        let branch = via.branch.expect("a branch").to_owned();
        assert!(branch.starts_with("z9hG4bK"), "{branch}");
        assert!(branches.insert((from, branch)), "{request:?}");
    }
}

#[test]
fn outside_of_a_dialog_to_has_no_tag_and_a_call_id_is_for_one_purpose() {
    let evening = evening();
    let mut purposes = BTreeMap::new();
    let mut messages = BTreeSet::new();
    for (from, _, request) in outside(&evening) {
        let call_id = request.call_id().expect("a Call-ID");
        let event = request.first(Name::Event).unwrap_or("");
        let purpose = (*from, request.method(), request.uri(), event);
        let known = purposes.entry(call_id).or_insert(purpose);
        assert_eq!(*known, purpose, "{call_id} is used for two purposes");
        if request.method() == Method::Message {
            messages.insert(call_id);
        }
    }
    assert_eq!(messages.len(), 3, "three messages, three Call-IDs");
    assert!(purposes.keys().all(|call_id| call_id.len() >= 32), "128 bits that nobody guesses");
    // What is in a dialog has the Call-ID of the SUBSCRIBE that began it, whoever sends it.
    let inside = evening.iter().filter(|(_, _, one)| one.to().expect("a To").tag().is_some());
    for (_, _, request) in inside {
        assert!(purposes.contains_key(request.call_id().expect("a Call-ID")), "{request:?}");
    }
}

#[test]
fn what_begins_a_dialog_has_one_contact_with_a_sip_uri() {
    let evening = evening();
    let begins = |request: &Request| request.method() == Method::Subscribe;
    let begun: Vec<_> = outside(&evening).into_iter().filter(|(_, _, one)| begins(one)).collect();
    assert!(begun.len() >= 3);
    for (from, _, request) in begun {
        let Ok(Contacts::List(contacts)) = request.contacts() else { panic!("{request:?}") };
        let [contact] = contacts.as_slice() else { panic!("one Contact, not {contacts:?}") };
        let uri = Uri::parse(contact.uri).expect("a SIP URI");
        assert_eq!(contact.uri, format!("sip:{}@{from}", uri.user.expect("a user")));
    }
}

/// The agent's policy is an outbound server (RFC 3261 §8.1.2): nobody asks the DNS.
#[test]
fn what_is_outside_of_a_dialog_goes_to_the_server_that_is_configured() {
    for (_, to, request) in outside(&evening()) {
        assert_eq!(*to, SERVER, "{request:?}");
    }
}

#[test]
fn a_contact_is_good_outside_of_its_dialog_too() {
    let mut talk = Talk::online();
    let subscribe = talk.provoke(Method::Subscribe);
    assert_eq!(subscribe.first(Name::Contact), Some(format!("<{ALICE}>").as_str()));
    assert_eq!(talk.ask("OPTIONS", "", "").status(), 200);
    assert_eq!(talk.ask("MESSAGE", "Content-Type: text/plain\r\n", "hello").status(), 200);
}

/// What follows from one ending of a request: what the user is told, and what is sent next, when.
fn aftermath(method: Method, ending: impl Fn(&mut Talk, &Request)) -> String {
    let mut talk = if method == Method::Register { Talk::new() } else { Talk::online() };
    let request = talk.provoke(method);
    talk.told();
    ending(&mut talk, &request);
    let (told, next) = (talk.told(), talk.wait_for_another());
    format!("{told:?}, then {next:?}")
}

#[test]
fn silence_counts_as_408_and_an_unreachable_server_as_503() {
    for method in SENT {
        let silent = aftermath(method, |talk, _| talk.world.pass(Duration::from_secs(32)));
        let timeout = aftermath(method, |talk, request| talk.answer(request, 408, &[]));
        assert_eq!(silent, timeout, "{method:?}");
        assert!(silent.contains("Some"), "{method:?} is tried again: {silent}");
        let lost = aftermath(method, |talk, _| {
            let peer = Peer::new(SERVER);
            talk.world.input_user(talk.address(), Input::Lost { peer });
        });
        let unavailable = aftermath(method, |talk, request| talk.answer(request, 503, &[]));
        assert_eq!(lost, unavailable, "{method:?}");
    }
}

#[test]
fn an_unknown_final_status_counts_as_the_first_of_its_class() {
    let headers = [(Name::Expires, "600"), (Name::SipEtag, "e1")];
    for method in SENT {
        let mut classes = BTreeSet::new();
        for class in 2..=6 {
            let [known, unknown] = [class * 100, class * 100 + 99].map(|status| {
                aftermath(method, |talk, request| talk.answer(request, status, &headers))
            });
            assert_eq!(known, unknown, "{class}99 to {method:?}");
            classes.insert(known);
        }
        assert!(classes.len() >= 3, "success, failure and trouble differ: {classes:?}");
    }
}

#[test]
fn provisional_answers_of_every_status_keep_a_request_waiting() {
    for method in SENT {
        let plain = aftermath(method, |talk, request| talk.answer(request, 403, &[]));
        for status in [100, 183, 199] {
            let waited = aftermath(method, |talk, request| {
                talk.answer(request, status, &[]);
                assert_eq!(talk.told(), Vec::<String>::new());
                talk.answer(request, 403, &[]);
            });
            assert_eq!(waited, plain, "{status} to {method:?}");
        }
    }
}

/// What the server makes of an answer to its NOTIFY.
fn after_notify(status: u16) -> (usize, u16) {
    let mut stage = Stage::new(stage::config());
    let (mut alice, mut bob) = (Phone::new("alice", 6000), Phone::new("bob", 5070));
    let watch = alice.watch(&mut stage, "bob", "presence", 600);
    alice.told(&mut stage);
    bob.decide(&mut stage, &[("alice", "allow")], None);
    alice.told_and(&mut stage, status);
    stage.pass(Duration::from_millis(600));
    let again = stage.waiting(alice.addr);
    (again, alice.renew(&mut stage, &watch, 600).status())
}

#[test]
fn an_unknown_status_of_a_notify_counts_as_the_first_of_its_class() {
    for class in 2..=6 {
        let (known, unknown) = (after_notify(class * 100), after_notify(class * 100 + 99));
        assert_eq!(known, unknown, "{class}99");
    }
    assert_eq!(after_notify(200), (0, 200));
    assert_eq!(after_notify(500), (1, 200), "it is told once more");
    assert_eq!(after_notify(481), (0, 481), "a known one means what it says");
}

/// RFC 3261 §8.1.3.4 lets a client choose: the agent follows no redirection.
#[test]
fn a_redirection_is_a_failure_that_is_told_and_not_followed() {
    let contact = format!("<sip:alice@elsewhere.{DOMAIN}>");
    for method in SENT {
        let after = aftermath(method, |talk, request| {
            talk.answer(request, 302, &[(Name::Contact, &contact)]);
        });
        assert!(after.ends_with("None") && !after.starts_with("[]"), "{method:?}: {after}");
    }
}
