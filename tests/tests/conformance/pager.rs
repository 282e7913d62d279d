//! Pager messages: RFC 3428.

use presently_engine::agent::{Command, Event, MessagePhase};
use presently_engine::message::{Aor, Message, Method, Name, Request, Response};
use presently_tests::phone::pidf;
use presently_tests::{Carried, Phone, Stage, World, stage, world};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

const TEXT: &str = "text/plain";
/// RFC 3428 §8.
const MOST: usize = 1300;

fn send(world: &mut World, from: &str, to: &str, text: &str, ticket: u64) {
    let target = Aor::new(to, stage::DOMAIN);
    world.command(from, Command::SendMessage { target, text: text.into(), ticket });
}

/// Where the message with this number stood, in order.
fn phases(world: &World, name: &str, number: u64) -> Vec<MessagePhase> {
    let phase = |event: &Event| match event {
        Event::MessageStatus { ticket, phase, .. } if *ticket == number => Some(*phase),
        _ => None,
    };
    world.seen(name).iter().filter_map(phase).collect()
}

/// Every MESSAGE that left `from`.
fn messages(world: &World, from: SocketAddr) -> Vec<Request> {
    let sent = world.ladder.iter().filter(|rung| rung.from == from);
    let messages = sent.filter_map(|rung| match &rung.message {
        Message::Request(request) if request.method() == Method::Message => Some(request.clone()),
        Message::Request(_) | Message::Response(_) => None,
    });
    messages.collect()
}

/// Every answer to a MESSAGE that anybody sent.
fn answers(world: &World) -> Vec<Response> {
    let answers = world.ladder.iter().filter_map(|rung| match &rung.message {
        Message::Response(response)
            if response.cseq().is_ok_and(|cseq| cseq.method == "MESSAGE") =>
        {
            Some(response.clone())
        }
        Message::Request(_) | Message::Response(_) => None,
    });
    answers.collect()
}

/// Alice writes to bob, who is there, and to carol, who comes later.
fn an_evening() -> World {
    let mut world = World::new(&["alice", "bob", "carol"]);
    world.login(&["alice", "bob"]);
    send(&mut world, "alice", "bob", "one", 1);
    send(&mut world, "alice", "bob", "two", 2);
    send(&mut world, "alice", "carol", "three", 3);
    world.pass(Duration::from_secs(20));
    world.login(&["carol"]);
    world.pass(Duration::from_secs(20));
    world
}

/// RFC 3428 §2 and §4: every message stands alone, from agent and from store.
#[test]
fn messages_make_no_dialog_and_have_no_contact() {
    let world = an_evening();
    let sent = messages(&world, world.addr("alice"));
    let texts: BTreeSet<_> = sent.iter().map(|request| request.body()).collect();
    assert_eq!(texts.len(), 3, "{}", world.drawing());
    let calls: BTreeSet<_> = sent.iter().map(|request| request.call_id().unwrap_or("")).collect();
    assert_eq!(calls.len(), 3, "one Call-ID for each message");
    for request in sent.iter().chain(&messages(&world, world::SERVER)) {
        assert_eq!(request.first(Name::Contact), None);
        assert_eq!(request.to().expect("a To").tag(), None, "outside of any dialog");
        assert!(request.content_type().expect("a type").is(TEXT));
        assert!(request.first(Name::Date).is_some());
        for header in [Name::Route, Name::RecordRoute] {
            assert_eq!(request.first(header), None);
        }
        for address in [request.from(), request.to()] {
            assert!(address.expect("an address").uri.starts_with("sip:"));
        }
        assert!(request.uri().starts_with("sip:"));
    }
    assert!(!messages(&world, world::SERVER).is_empty());
}

/// RFC 3428 §7: of agent, proxy and store.
#[test]
fn a_2xx_to_a_message_has_neither_body_nor_contact() {
    let world = an_evening();
    let answers = answers(&world);
    let statuses: BTreeSet<u16> = answers.iter().map(|answer| answer.status()).collect();
    assert!(statuses.is_superset(&[200, 202].into()), "{statuses:?}");
    for answer in answers.iter().filter(|answer| answer.status() / 100 == 2) {
        assert!(answer.body().is_empty());
        assert_eq!(answer.first(Name::ContentType), None);
        assert_eq!(answer.first(Name::Contact), None);
    }
}

/// RFC 3428 §4 and §7: what a 200 and a 202 say, and what they do not say.
#[test]
fn a_200_is_delivered_and_a_202_is_stored_and_stays_so() {
    use MessagePhase::{Delivered, Queued, Sending, Stored};
    let world = an_evening();
    assert_eq!(phases(&world, "alice", 1), [Queued, Sending, Delivered]);
    assert_eq!(phases(&world, "alice", 3), [Queued, Sending, Stored]);
    let got = world.seen("carol").iter().filter(|event| matches!(event, Event::Message { .. }));
    assert_eq!(got.count(), 1, "that it came is not alice's to know");
}

/// RFC 3428 §4 and §6: two devices may have it though one answer came, and the sender treats what
/// comes later, from either, like anything else.
#[test]
fn one_answer_says_nothing_about_other_devices() {
    let mut world = World::new(&["alice", "bob"]);
    let tablet = world.add_user("bob", 7001);
    world.login(&["alice", "bob"]);
    world.input_user(tablet, presently_engine::Input::Command(Command::Login));
    world.pass(Duration::from_secs(5));
    send(&mut world, "alice", "bob", "to both", 1);
    send(&mut world, "alice", "bob", "to both again", 2);
    world.pass(Duration::from_secs(20));
    let of = |to: SocketAddr| {
        let came = world.ladder.iter().filter(|rung| rung.to == to && rung.from == world::SERVER);
        let messages = came.filter(|rung| match &rung.message {
            Message::Request(request) => request.method() == Method::Message,
            Message::Response(_) => false,
        });
        messages.count()
    };
    assert_eq!((of(world.addr("bob")), of(tablet)), (2, 2), "{}", world.drawing());
    for number in [1, 2] {
        let last = phases(&world, "alice", number);
        assert_eq!(last.last(), Some(&MessagePhase::Delivered));
        assert_eq!(last.len(), 3, "told once");
    }
    let finals = world.ladder.iter().filter(|rung| match &rung.message {
        Message::Response(answer) => {
            rung.to == world.addr("alice")
                && answer.status() == 200
                && answer.cseq().is_ok_and(|cseq| cseq.method == "MESSAGE")
        }
        Message::Request(_) => false,
    });
    assert_eq!(finals.count(), 2, "one for each message");
}

/// RFC 3428 §8: nothing above 1300 bytes leaves, not even when a challenge or the way through the
/// store has made it longer than it was.
#[test]
fn no_message_is_larger_than_1300_bytes() {
    let mut largest = [0, 0];
    for length in (300..1300).step_by(7) {
        let mut world = World::new(&["alice", "bob"]);
        world.login(&["alice"]);
        send(&mut world, "alice", "bob", &"x".repeat(length), 1);
        world.pass(Duration::from_secs(2));
        let phase = phases(&world, "alice", 1).pop();
        assert!(matches!(phase, Some(MessagePhase::Stored | MessagePhase::Failed)), "{phase:?}");
        world.login(&["bob"]);
        world.pass(Duration::from_secs(5));
        for (most, from) in largest.iter_mut().zip([world.addr("alice"), world::SERVER]) {
            for request in messages(&world, from) {
                assert!(request.bytes().len() <= MOST, "{} bytes", request.bytes().len());
                *most = request.bytes().len().max(*most);
            }
        }
        let shown = world.seen("bob").iter().any(|event| matches!(event, Event::Message { .. }));
        assert_eq!(shown, phase == Some(MessagePhase::Stored), "{length} bytes");
    }
    assert!(largest[0] > MOST - 8, "the limit was reached: {largest:?}");
}

/// RFC 3428 §8: whatever the network does, a second message to somebody leaves only when the first
/// is over; another addressee does not wait.
#[test]
fn one_message_to_a_uri_is_pending_at_a_time() {
    let mut world = World::new(&["alice", "bob", "carol"]);
    world.login(&["alice", "bob", "carol"]);
    let mut lost = 0;
    let alice = world.addr("alice");
    world.network(move |_, to, message| match message {
        Message::Response(_) if to == alice && lost < 3 => {
            lost += 1;
            Carried::Lost
        }
        Message::Response(_) | Message::Request(_) => Carried::Once,
    });
    for number in 1..=3 {
        send(&mut world, "alice", "bob", "to bob", number);
    }
    send(&mut world, "alice", "carol", "to carol", 9);
    world.pass(Duration::from_secs(60));
    let mut pending: Option<(String, u32)> = None;
    let mut overtook = false;
    for rung in &world.ladder {
        match &rung.message {
            Message::Request(request)
                if rung.from == alice && request.method() == Method::Message =>
            {
                if request.uri().contains("carol") {
                    overtook |= pending.is_some();
                    continue;
                }
                let cseq = request.cseq().expect("a CSeq").number;
                let this = (request.call_id().expect("a Call-ID").to_owned(), cseq);
                assert!(pending.is_none() || pending == Some(this.clone()), "{}", world.drawing());
                pending = Some(this);
            }
            Message::Response(answer)
                if rung.to == alice
                    && !rung.lost
                    && answer.status() >= 200
                    && pending.as_ref().is_some_and(|(call, _)| answer.call_id() == Ok(call)) =>
            {
                pending = None;
            }
            Message::Request(_) | Message::Response(_) => {}
        }
    }
    assert!(overtook, "carol's did not wait for bob's");
    for number in 1..=3 {
        assert_eq!(phases(&world, "alice", number).last(), Some(&MessagePhase::Delivered));
    }
}

/// RFC 3428 §7: the store answers at once with 202, whatever the type of the body, and nothing is
/// said about the message being read.
#[test]
fn a_message_for_somebody_away_is_202_at_once() {
    let mut stage = Stage::new(stage::config());
    let mut alice = Phone::new("alice", 5080);
    for (kind, body) in [(TEXT, "lunch?"), ("message/cpim", "x"), ("application/x", "\u{1}")] {
        let answer = alice.ask(&mut stage, "MESSAGE", "bob", &[], (kind, body));
        assert_eq!(answer.status(), 202);
    }
    let document = pidf("bob", "here");
    let mut bob = Phone::new("bob", 5070);
    bob.ask(
        &mut stage,
        "PUBLISH",
        "bob",
        &["Event: presence"],
        ("application/pidf+xml", &document),
    );
    bob.register(&mut stage, 3600);
    for body in ["lunch?", "x", "\u{1}"] {
        let came = stage.request(bob.addr);
        assert_eq!((came.method(), came.body()), (Method::Message, body.into()));
        bob.answer(&mut stage, &came, 200);
    }
    stage.silent(alice.addr);
}

/// RFC 3428 §11.1: who sends proves who he is to the proxy, and cannot speak for somebody else.
#[test]
fn a_sender_is_challenged_by_the_proxy() {
    let mut stage = Stage::new(stage::config_with_digest(&["alice", "bob"]));
    let before = stage.server.clone();
    let answer = Phone::new("alice", 5080).ask(&mut stage, "MESSAGE", "bob", &[], (TEXT, "hi"));
    assert_eq!(answer.status(), 407);
    assert!(answer.first(Name::ProxyAuthenticate).is_some_and(|it| it.starts_with("Digest ")));
    assert!(stage.server == before, "nothing is kept for a stranger");
}
