//! URIs where somebody acts on them: RFC 3261 §19.1.1 to §19.1.5.

use presently_engine::agent::Command;
use presently_engine::message::{Aor, Method, Uri, UriError};
use presently_tests::phone::Head;
use presently_tests::{Phone, Stage, World, stage};

/// Registers a contact, sends it a request of this method through the server and returns the
/// Request-URI that arrives.
fn relayed(contact: &str, method: &str) -> String {
    let mut stage = Stage::new(stage::config());
    let (mut alice, mut bob) = (Phone::new("alice", 5080), Phone::new("bob", 5070));
    let to = Phone::aor("bob");
    let line = format!("Contact: {contact}");
    let head = Head { to: &to, to_tag: None, tag: "t", call_id: "c", extra: &[&line] };
    let text = bob.write("REGISTER", "sip:example.org", &head, ("", ""));
    let own = format!("Contact: <sip:bob@{}>\r\n", bob.addr);
    assert!(text.contains(&own));
    stage.packet(bob.addr, text.replace(&own, ""));
    assert_eq!(stage.response(bob.addr).status(), 200);
    let head = Head { to: &to, to_tag: None, tag: "a", call_id: "d", extra: &[] };
    let text = alice.write(method, &to, &head, ("text/plain", "hello"));
    stage.packet(alice.addr, text);
    let request = stage.request(bob.addr);
    assert_eq!(request.method(), Method::of(method));
    request.uri().to_owned()
}

/// RFC 3261 §19.1.5: what a URI says about the way and about things we do not know stays.
#[test]
fn a_request_formed_from_a_contact_keeps_its_parameters() {
    let uri = "sip:bob@198.51.100.7:5070;transport=udp;user=phone;ob;color=blue";
    assert_eq!(relayed(&format!("<{uri}>"), "MESSAGE"), uri);
    assert_eq!(relayed(&format!("<{uri}>"), "INVITE"), uri);
}

/// RFC 3261 §19.1.5 and §19.1.1: a Request-URI has neither `method` nor headers; with them the
/// request would be no valid one.
#[test]
fn a_request_formed_from_a_contact_leaves_method_and_headers_out() {
    let plain = "sip:bob@198.51.100.7:5070;ob";
    for contact in [
        "<sip:bob@198.51.100.7:5070;method=INVITE;ob>",
        "<sip:bob@198.51.100.7:5070;ob?Subject=lunch&Priority=urgent>",
        "<sip:bob@198.51.100.7:5070;ob;Method=MESSAGE?Subject=lunch>",
    ] {
        assert_eq!(relayed(contact, "MESSAGE"), plain, "{contact}");
        assert_eq!(relayed(contact, "INVITE"), plain, "{contact}");
    }
}

/// The same where a subscriber's Contact becomes the Request-URI of a NOTIFY.
#[test]
fn a_notify_to_a_contact_with_method_and_headers_is_a_valid_request() {
    let mut stage = Stage::new(stage::config());
    let mut alice = Phone::new("alice", 5080);
    let to = Phone::aor("alice");
    let extra = ["Event: presence", "Expires: 600"];
    let head = Head { to: &to, to_tag: None, tag: "t", call_id: "c", extra: &extra };
    let text = alice.write("SUBSCRIBE", &to, &head, ("", ""));
    let given = "sip:alice@198.51.100.7:5080;method=BYE;x=y?Subject=z";
    let text =
        text.replace("Contact: <sip:alice@198.51.100.7:5080>", &format!("Contact: <{given}>"));
    stage.packet(alice.addr, text);
    assert_eq!(alice.told(&mut stage).request.uri(), "sip:alice@198.51.100.7:5080;x=y");
}

/// RFC 3261 §19.1.1.
#[test]
fn a_parameter_nobody_knows_changes_nothing() {
    let mut stage = Stage::new(stage::config());
    let mut alice = Phone::new("alice", 5080);
    for uri in ["sip:bob@example.org;color=blue;flag", "sip:bob@example.org;x=%20%00"] {
        let extra = ["Event: presence", "Expires: 600"];
        let head = Head { to: uri, to_tag: None, tag: "t", call_id: uri, extra: &extra };
        let text = alice
            .write("SUBSCRIBE", uri, &head, ("", ""))
            .replace(&format!("Call-ID: {uri}"), &format!("Call-ID: {}", uri.len()));
        stage.packet(alice.addr, text);
        assert_eq!(stage.response(alice.addr).status(), 200, "{uri}");
    }
}

/// RFC 3261 §19.1.2: what has to be escaped and is not makes no URI.
#[test]
fn what_is_not_escaped_is_no_uri() {
    for text in [
        "sip:a b@example.org",
        "sip:a\u{1}b@example.org",
        "sip:a\"b@example.org",
        "sip:a<b>@example.org",
        "sip:a#b@example.org",
        "sip:a[b]@example.org",
        "sip:example.org;x=a b",
        "sip:example.org;x=a,b",
        "sip:example.org;x=a?b c=d",
        "sip:example.org?subject=a b",
        "sip:example.org?subject=a,b",
        "sip:example.org?subject=a;b",
        "sip:example.org?subject=a=b",
    ] {
        assert_eq!(Uri::parse(text).err(), Some(UriError::Syntax), "{text}");
    }
}

/// RFC 3261 §19.1.2: `%` is no part of a host, and is not undone to please anybody.
#[test]
fn an_escaped_host_is_no_host() {
    for text in ["sip:bob@example%2Eorg", "sip:bob@%65xample.org", "sip:%65xample.org"] {
        assert_eq!(Uri::parse(text).err(), Some(UriError::Syntax), "{text}");
    }
}

/// RFC 3261 §19.1.2, §25.1: names with characters that a URI reserves are escaped by us, and undone
/// at the far end.
#[test]
fn a_name_with_reserved_characters_is_escaped_when_we_write_it() {
    for (name, user) in
        [("a b@c", "a%20b%40c"), ("#1[2]", "%231%5B2%5D"), ("+49;ext=1", "+49;ext=1")]
    {
        let aor = Aor::new(name, "example.org");
        assert_eq!(aor.as_str(), format!("sip:{user}@example.org"));
        assert_eq!(Uri::parse(aor.as_str()).map(|uri| uri.user), Ok(Some(user)));
        assert_eq!(aor.name(), name);
    }
    let mut world = World::new(&["alice", "Jäsøn #1"]);
    world.login(&["alice", "Jäsøn #1"]);
    let target = Aor::new("Jäsøn #1", "example.org");
    world.command("alice", Command::SendMessage { target, text: "hi".into(), ticket: 1 });
    world.until("Jäsøn #1", |event| {
        matches!(event, presently_engine::agent::Event::Message { text, .. } if &**text == "hi")
    });
    let mut uris = world.ladder.iter().filter_map(|rung| match &rung.message {
        presently_engine::message::Message::Request(request) => Some(request.uri()),
        presently_engine::message::Message::Response(_) => None,
    });
    let expected = "sip:J%C3%A4s%C3%B8n%20%231@";
    assert!(uris.any(|uri| uri.starts_with(expected)), "{}", world.drawing());
}

/// RFC 3261 §19.1.5: a contact of which no valid request can be formed is refused, and nothing is
/// ever sent to it.
#[test]
fn a_contact_that_makes_no_request_is_refused() {
    for contact in ["<tel:+49301234>", "<sip:@198.51.100.7>", "<sip:bob@host%2Eorg>", "<sip:>"] {
        let mut stage = Stage::new(stage::config());
        let mut bob = Phone::new("bob", 5070);
        let to = Phone::aor("bob");
        let own = format!("Contact: <sip:bob@{}>", bob.addr);
        for (method, uri) in [("REGISTER", "sip:example.org"), ("SUBSCRIBE", &to)] {
            let extra = ["Event: presence"];
            let head = Head { to: &to, to_tag: None, tag: "t", call_id: method, extra: &extra };
            let text = bob.write(method, uri, &head, ("", ""));
            stage.packet(bob.addr, text.replace(&own, &format!("Contact: {contact}")));
            assert_eq!(stage.response(bob.addr).status(), 400, "{method} {contact}");
        }
        assert_eq!(stage.rows.len(), 0);
        stage.silent(bob.addr);
    }
}

/// The same for a message that was kept until its receiver came.
#[test]
fn a_kept_message_leaves_method_and_headers_of_the_contact_out() {
    let mut stage = Stage::new(stage::config());
    let (mut alice, mut bob) = (Phone::new("alice", 5080), Phone::new("bob", 5070));
    let answer = alice.ask(&mut stage, "MESSAGE", "bob", &[], ("text/plain", "hello"));
    assert_eq!(answer.status(), 202);
    let to = Phone::aor("bob");
    let head = Head { to: &to, to_tag: None, tag: "t", call_id: "c", extra: &[] };
    let text = bob.write("REGISTER", "sip:example.org", &head, ("", ""));
    let given = format!("sip:bob@{};method=INVITE;ob?Subject=x", bob.addr);
    stage.packet(bob.addr, text.replace(&format!("sip:bob@{}", bob.addr), &given));
    stage.pass(std::time::Duration::from_secs(2));
    assert_eq!(stage.request(bob.addr).uri(), format!("sip:bob@{};ob", bob.addr));
}
