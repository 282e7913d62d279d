//! What we read: RFC 3261 §7 and §20, where somebody acts on it.

use super::codes::Desk;
use presently_engine::agent::{Command, Event, Package};
use presently_engine::message::{Aor, Message, Method, Name, Reply};
use presently_tests::phone::{Head, pidf};
use presently_tests::world::SERVER;
use presently_tests::{Phone, Stage, stage};
use std::time::Duration;

const BOB: &str = "sip:bob@example.org";

/// Headers of responses only.
const OF_RESPONSES: [&str; 7] = [
    "WWW-Authenticate: Digest realm=\"x\", nonce=\"y\"",
    "Authentication-Info: nextnonce=\"z\"",
    "Unsupported: timer",
    "Min-Expires: 9999",
    "Retry-After: 3600",
    "SIP-ETag: abc",
    "Warning: 399 x \"y\"",
];

/// RFC 3261 §7.3.2: the request counts as if they were not there.
#[test]
fn headers_of_responses_are_ignored_in_requests() {
    let answers = [&[][..], &OF_RESPONSES].map(|strange| {
        let mut stage = Stage::new(stage::config());
        let mut alice = Phone::new("alice", 5080);
        let ask = |alice: &mut Phone, stage: &mut Stage, method, line, body| {
            let extra = [&[line, "Expires: 600"], strange].concat();
            let answer = alice.ask(stage, method, "alice", &extra, body);
            (answer.status(), answer.first(Name::Expires).map(str::to_owned))
        };
        let document = pidf("alice", "in");
        let body = ("application/pidf+xml", &*document);
        let published = ask(&mut alice, &mut stage, "PUBLISH", "Event: presence", body);
        let subscribed = ask(&mut alice, &mut stage, "SUBSCRIBE", "Event: presence", ("", ""));
        (published, subscribed, alice.told(&mut stage).pidf())
    });
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0].1.0, 200);
}

/// RFC 3261 §7.3.2 and §20: nor do headers of requests count in answers, or such as are not
/// applicable to the method.
#[test]
fn headers_of_requests_are_ignored_in_responses() {
    let strange = [
        (Name::MaxForwards, "0"),
        (Name::Event, "weather"),
        (Name::SubscriptionState, "terminated"),
        (Name::Route, "<sip:192.0.2.66;lr>"),
        (Name::Authorization, "Digest realm=\"x\""),
        (Name::Expires, "1"),
    ];
    let servers = [&[][..], &strange].map(|strange| {
        let mut stage = Stage::new(stage::config());
        let mut alice = Phone::new("alice", 5080);
        alice.watch(&mut stage, "alice", "presence", 600);
        let notify = alice.told_quietly(&mut stage).request;
        let mut reply = Reply::new(&notify, SERVER, 200, "a");
        for (name, value) in strange {
            reply.header(*name, value);
        }
        stage.packet(alice.addr, reply.into_writer().finish());
        stage.server
    });
    assert_eq!(servers[0], servers[1]);
}

/// RFC 3261 §20: a header that is not applicable to a request is ignored by its receiver.
#[test]
fn headers_that_are_not_applicable_to_a_request_are_ignored() {
    let strange = ["Subscription-State: terminated", "Record-Route: <sip:192.0.2.66;lr>"];
    let strange = [&strange[..], &["Reply-To: <sip:x@y.org>", "Subject: z"]].concat();
    let mut stage = Stage::new(stage::config());
    let mut alice = Phone::new("alice", 5080);
    let document = pidf("alice", "in");
    let extra = [&["Event: presence"], &strange[..]].concat();
    // Every request of this phone has a Contact, which a PUBLISH and a MESSAGE must not have.
    let body = ("application/pidf+xml", &*document);
    assert_eq!(alice.ask(&mut stage, "PUBLISH", "alice", &extra, body).status(), 200);
    let text = ("text/plain", "hello");
    assert_eq!(alice.ask(&mut stage, "MESSAGE", "bob", &strange, text).status(), 202);

    // Expires is not for NOTIFY: the subscription has the time that its state says.
    let mut desk = Desk::online();
    let (target, package) = (Aor::new("bob", "example.org"), Package::Presence);
    desk.say(Command::Subscribe { target, package, expires: None });
    let subscribe = desk.last(Method::Subscribe);
    desk.answer(&subscribe, 200, &[(Name::Expires, "600"), (Name::Contact, "<sip:192.0.2.1>")]);
    let identity = |name| subscribe.first(name).expect("identity").to_owned();
    let notify = format!(
        "NOTIFY sip:alice@198.51.100.7:6000 SIP/2.0\r\nVia: SIP/2.0/UDP {SERVER};branch=z9hG4bKn\r\n\
         Max-Forwards: 70\r\nFrom: <{BOB}>;tag=server\r\nTo: {}\r\nCall-ID: {}\r\n\
         CSeq: 1 NOTIFY\r\nContact: <sip:192.0.2.1>\r\nEvent: presence\r\n\
         Subscription-State: active;expires=600\r\nExpires: 0\r\nContent-Length: 0\r\n\r\n",
        identity(Name::From),
        identity(Name::CallId),
    );
    desk.packet(notify.into());
    let sent = desk.sent.len();
    desk.pass(Duration::from_secs(200));
    assert_eq!(desk.sent.len(), sent, "nothing has run out");
    let ended = desk.seen.iter().any(|event| {
        matches!(event, Event::Subscription { phase, .. }
        if *phase == presently_engine::agent::SubscriptionPhase::Terminated)
    });
    assert!(!ended);
}

/// RFC 3261 §7.3.3 and §20: every name in its short form.
#[test]
fn a_request_in_short_forms_is_served() {
    let mut stage = Stage::new(stage::config());
    let mut alice = Phone::new("alice", 5080);
    let to = Phone::aor("bob");
    let extra = ["o: presence", "Expires: 600", "k: path", "u: presence"];
    let head = Head { to: &to, to_tag: None, tag: "t", call_id: "c", extra: &extra };
    let mut text = alice.write("SUBSCRIBE", &to, &head, ("", ""));
    let short = [("Via", "v"), ("From", "f"), ("To", "t"), ("Call-ID", "i"), ("Contact", "m")];
    for (long, short) in short.into_iter().chain([("Content-Length", "l")]) {
        text = text.replace(&format!("\r\n{long}:"), &format!("\r\n{short}:"));
    }
    stage.packet(alice.addr, text);
    let answer = stage.response(alice.addr);
    assert_eq!((answer.status(), answer.first(Name::Expires)), (200, Some("600")));
    assert_eq!(alice.told(&mut stage).state, "pending");
}

/// RFC 3261 §7.3.1: a list is the same over lines and in one line.
#[test]
fn a_list_may_be_in_one_line_or_in_many() {
    let contacts =
        ["<sip:bob@198.51.100.9:1>", "<sip:bob@198.51.100.9:2>;q=0.5", "sip:bob@[::1]:3"];
    let [a, b, c] = contacts;
    let forms = [
        format!("Contact: {a}, {b}, {c}\r\n"),
        format!("Contact: {a}\r\nContact: {b}\r\nm: {c}\r\n"),
        format!("Contact: {a},{b}\r\nContact:\r\n  {c}\r\n"),
        format!("m: {a}\r\nCONTACT:{b}\t,\t{c}\r\n"),
    ];
    let bound: Vec<_> = forms
        .into_iter()
        .map(|lines| {
            let mut stage = Stage::new(stage::config());
            let mut bob = Phone::new("bob", 5070);
            let head = Head { to: BOB, to_tag: None, tag: "t", call_id: "c", extra: &[] };
            let text = bob.write("REGISTER", "sip:example.org", &head, ("", ""));
            let own = format!("Contact: <sip:bob@{}>\r\n", bob.addr);
            stage.packet(bob.addr, text.replace(&own, &lines));
            let answer = stage.response(bob.addr);
            let mut bound: Vec<_> = answer.list(Name::Contact).map(str::to_owned).collect();
            bound.sort();
            bound
        })
        .collect();
    assert_eq!(bound[0].len(), 3, "{bound:?}");
    assert!(bound.iter().all(|one| *one == bound[0]), "{bound:#?}");
}

/// RFC 3261 §7.3.1, §20.7, §20.28: what a client sends to others stays as it wrote it.
#[test]
fn credentials_for_others_stay_in_lines_of_their_own() {
    let mut stage = Stage::new(stage::config());
    let (mut alice, mut bob) = (Phone::new("alice", 5080), Phone::new("bob", 5070));
    bob.register(&mut stage, 600);
    let lines = [
        "Authorization: Digest username=\"a\", realm=\"one.example\", nonce=\"1\"",
        "Proxy-Authorization: Digest username=\"a\", realm=\"two.example\", nonce=\"2\"",
        "authorization:Digest username=\"a\",realm=\"three.example\",nonce=\"3\"",
        "Proxy-Authorization: Digest username=\"a\", realm=\"four.example\", nonce=\"4\"",
    ];
    let own = "Proxy-Authorization: Digest username=\"alice\", realm=\"example.org\", nonce=\"5\"";
    for extra in [lines.to_vec(), [&lines[..], &[own]].concat()] {
        let call = format!("call-{}", extra.len());
        let head = Head { to: BOB, to_tag: None, tag: "t", call_id: &call, extra: &extra };
        let text = alice.write("OPTIONS", BOB, &head, ("", ""));
        stage.packet(alice.addr, text);
        let relayed = stage.request(bob.addr);
        for (name, realms) in [
            (Name::Authorization, ["one.example", "three.example"]),
            (Name::ProxyAuthorization, ["two.example", "four.example"]),
        ] {
            let found: Vec<_> = relayed.lines(name).collect();
            assert_eq!(found.len(), 2, "{found:?}");
            assert!(
                found.iter().zip(realms).all(|(line, realm)| line.contains(realm)),
                "{found:?}"
            );
        }
    }
}

/// RFC 3261 §20.5: who does not say what it can do can do everything.
#[test]
fn a_phone_without_allow_is_sent_what_there_is() {
    let mut stage = Stage::new(stage::config());
    let (mut alice, mut bob) = (Phone::new("alice", 5080), Phone::new("bob", 5070));
    bob.register(&mut stage, 600);
    bob.watch(&mut stage, "bob", "presence.winfo", 600);
    assert_eq!(bob.told(&mut stage).request.method(), Method::Notify);
    let to = Phone::aor("bob");
    for method in ["MESSAGE", "INVITE", "OPTIONS", "INFO"] {
        let head = Head { to: &to, to_tag: None, tag: "t", call_id: method, extra: &[] };
        let text = alice.write(method, &to, &head, ("text/plain", "hello"));
        stage.packet(alice.addr, text);
        assert_eq!(stage.request(bob.addr).method(), Method::of(method));
    }
}

/// RFC 3261 §20: without angle brackets the parameters belong to the header.
#[test]
fn a_parameter_outside_of_brackets_is_not_the_uris() {
    let mut stage = Stage::new(stage::config());
    let mut bob = Phone::new("bob", 5070);
    let head = Head { to: BOB, to_tag: None, tag: "t", call_id: "c", extra: &[] };
    let text = bob.write("REGISTER", "sip:example.org", &head, ("", ""));
    let own = format!("Contact: <sip:bob@{}>", bob.addr);
    stage.packet(bob.addr, text.replace(&own, "Contact: sip:bob@198.51.100.7:5070;expires=120"));
    let answer = stage.response(bob.addr);
    let bound: Vec<_> = answer.list(Name::Contact).collect();
    assert_eq!(bound, ["<sip:bob@198.51.100.7:5070>;expires=120"]);
}

/// RFC 3261 §20.12, §21.4.13: an encoding that is not undone is refused, and the answer says which
/// is taken.
#[test]
fn a_body_in_an_encoding_is_refused_by_agents_and_server() {
    let mut desk = Desk::online();
    let message = |encoding: &str, cseq: u32| {
        format!(
            "MESSAGE sip:alice@198.51.100.7:6000 SIP/2.0\r\nVia: SIP/2.0/UDP {SERVER};\
             branch=z9hG4bK{cseq}\r\nMax-Forwards: 70\r\nFrom: <{BOB}>;tag=b\r\n\
             To: <sip:alice@example.org>\r\nCall-ID: m{cseq}\r\nCSeq: {cseq} MESSAGE\r\n{encoding}\
             Content-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello"
        )
    };
    desk.packet(message("Content-Encoding: gzip\r\n", 1).into());
    desk.packet(message("e: deflate, gzip\r\n", 2).into());
    let shown = |desk: &Desk| {
        desk.seen.iter().filter(|event| matches!(event, Event::Message { .. })).count()
    };
    assert_eq!(shown(&desk), 0);
    for answer in &desk.answers {
        assert_eq!((answer.status(), answer.first(Name::AcceptEncoding)), (415, Some("identity")));
    }
    assert_eq!(desk.answers.len(), 2);
    desk.packet(message("Content-Encoding: identity\r\n", 3).into());
    assert_eq!(shown(&desk), 1);

    let mut stage = Stage::new(stage::config());
    let mut alice = Phone::new("alice", 5080);
    let rules = presently_tests::phone::ruleset(&[("bob", "allow")]);
    let document = pidf("alice", "in");
    for (event, kind, body) in [
        ("Event: presence", "application/pidf+xml", &document),
        ("Event: x-presrules", "application/auth-policy+xml", &rules),
    ] {
        let lines = [event, "Content-Encoding: gzip"];
        let answer = alice.ask(&mut stage, "PUBLISH", "alice", &lines, (kind, body));
        assert_eq!((answer.status(), answer.first(Name::AcceptEncoding)), (415, Some("identity")));
        let answer = alice.ask(&mut stage, "PUBLISH", "alice", &[event], (kind, body));
        assert_eq!(answer.status(), 200);
    }
}

/// RFC 3261 §20.32: Require is never overlooked, whoever the request is for.
#[test]
fn what_is_required_and_not_understood_is_refused() {
    let mut stage = Stage::new(stage::config());
    let mut alice = Phone::new("alice", 5080);
    let document = pidf("alice", "in");
    for (method, event, body) in [
        ("SUBSCRIBE", "Event: presence", ("", "")),
        ("SUBSCRIBE", "Event: presence.winfo", ("", "")),
        ("PUBLISH", "Event: presence", ("application/pidf+xml", &*document)),
        ("REGISTER", "Expires: 600", ("", "")),
    ] {
        let lines = [event, "Require: path", "Require: teleport ,gruu"];
        let uri = if method == "REGISTER" { "sip:example.org" } else { "sip:alice@example.org" };
        let to = Phone::aor("alice");
        let head = Head { to: &to, to_tag: None, tag: "t", call_id: method, extra: &lines };
        let text = alice.write(method, uri, &head, body);
        stage.packet(alice.addr, text);
        let answer = stage.response(alice.addr);
        let named = answer.first(Name::Unsupported);
        assert_eq!((answer.status(), named), (420, Some("path, teleport, gruu")), "{method}");
    }
    assert_eq!(stage.rows.len(), 0, "nothing was done");
    let request = "NOTIFY sip:alice@198.51.100.7:6000 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;\
                   branch=z9hG4bKq\r\nMax-Forwards: 70\r\nFrom: <sip:b@c.org>;tag=b\r\n\
                   To: <sip:alice@example.org>\r\nCall-ID: q\r\nCSeq: 1 NOTIFY\r\n\
                   Event: presence\r\nSubscription-State: active\r\nRequire: teleport\r\nContent-Length: 0\r\n\r\n";
    let mut desk = Desk::online();
    desk.packet(request.into());
    let answer = desk.answers.last().expect("an answer");
    assert_eq!((answer.status(), answer.first(Name::Unsupported)), (420, Some("teleport")));
}

/// RFC 3261 §25.1: what is not a token is quoted, and quotes are undone by whoever reads them.
#[test]
fn special_characters_are_quoted_by_us() {
    let text = presently_engine::message::quote("Bob \"the <builder>\", Jr; ok\\");
    let value = format!("{text} <{BOB}>;tag=1");
    let head = format!(
        "OPTIONS {BOB} SIP/2.0\r\nVia: SIP/2.0/UDP a.org;branch=z9hG4bK1\r\nFrom: {value}\r\n\
         To: <{BOB}>\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\n\r\n"
    );
    let Ok(Message::Request(request)) = Message::parse(head.into()) else { panic!("a request") };
    let from = request.from().expect("a From");
    assert_eq!((from.uri, from.tag()), (BOB, Some("1")));
    let name = presently_engine::message::unquote(from.display);
    assert_eq!(name, "Bob \"the <builder>\", Jr; ok\\");
}
