//! The server's side: RFC 3261 §22, RFC 7616 §3.3 to §4, RFC 8760 §2.3 to §2.6.

use presently_engine::digest::{Algorithm, Client};
use presently_engine::message::{Message, Method, Name, Reply, Response};
use presently_engine::mint::Secret;
use presently_engine::server::User;
use presently_tests::phone::Head;
use presently_tests::world::SERVER;
use presently_tests::{Phone, Stage, stage};
use std::time::Duration;

const BOB: &str = "sip:bob@example.org";
const SECRET: Secret = Secret::new(*b"a phone's secret");

/// A phone that knows its password.
struct Owner {
    phone: Phone,
    client: Client,
    password: String,
}

impl Owner {
    fn new(user: &str, port: u16) -> Self {
        let (phone, password) = (Phone::new(user, port), format!("{user}'s password"));
        Self { phone, client: Client::default(), password }
    }

    /// Writes a request with credentials for the challenge it knows.
    fn write(&mut self, method: &str, uri: &str, call: &str) -> String {
        let (user, password) = (self.phone.user.clone(), self.password.clone());
        let proof = self.client.authorize(&SECRET, &user, &password, method, uri, b"");
        let proof = proof.map(|value| format!("Authorization: {value}"));
        let extra: Vec<&str> = proof.iter().map(String::as_str).collect();
        let to = if method == "REGISTER" { Phone::aor(&user) } else { uri.to_owned() };
        let head = Head { to: &to, to_tag: None, tag: "t", call_id: call, extra: &extra };
        self.phone.write(method, uri, &head, ("", ""))
    }

    /// Asks, answers the challenge, and returns the request that was let in with its text.
    fn send(&mut self, stage: &mut Stage, method: &str, uri: &str) -> String {
        self.client = Client::default();
        let call = format!("{}-{}", method.to_lowercase(), self.phone.addr.port());
        let bare = self.write(method, uri, &call);
        stage.packet(self.phone.addr, bare);
        let challenge = stage.response(self.phone.addr);
        let challenged = self.client.challenged(&challenge, Algorithm::Md5, false);
        assert_eq!(challenged, Ok(()), "{method}: {}", challenge.status());
        let proven = self.write(method, uri, &call);
        stage.packet(self.phone.addr, proven.clone());
        proven
    }

    fn register(&mut self, stage: &mut Stage) {
        self.send(stage, "REGISTER", "sip:example.org");
        assert_eq!(stage.response(self.phone.addr).status(), 200);
    }
}

fn pair() -> (Stage, Owner, Owner) {
    let mut stage = Stage::new(stage::config_with_digest(&["alice", "bob"]));
    let (alice, mut bob) = (Owner::new("alice", 5080), Owner::new("bob", 5070));
    bob.register(&mut stage);
    (stage, alice, bob)
}

/// RFC 3261 §22, §22.4, RFC 8760 §2.6.
#[test]
fn basic_is_neither_asked_for_nor_taken() {
    let mut stage = Stage::new(stage::config_with_digest(&["alice", "bob"]));
    let mut alice = Phone::new("alice", 5080);
    // alice:alice's password
    let basic = "Authorization: Basic YWxpY2U6YWxpY2UncyBwYXNzd29yZA==";
    for (method, status, name) in
        [("SUBSCRIBE", 401, Name::WwwAuthenticate), ("OPTIONS", 407, Name::ProxyAuthenticate)]
    {
        let line = basic.replace(
            "Authorization",
            ["Authorization", "Proxy-Authorization"][usize::from(status == 407)],
        );
        let answer = alice.ask(&mut stage, method, "bob", &["Event: presence", &line], ("", ""));
        assert_eq!(answer.status(), status);
        let asked: Vec<_> = answer.lines(name).collect();
        assert!(!asked.is_empty() && asked.iter().all(|line| line.starts_with("Digest ")));
    }
}

/// RFC 3261 §22.1, §22.3; RFC 7616 §3.8: 401 where the server is the end, 407 where it passes on.
#[test]
fn the_role_decides_between_401_and_407() {
    let mut stage = Stage::new(stage::config_with_digest(&["alice", "bob"]));
    let mut alice = Phone::new("alice", 5080);
    for method in ["INVITE", "MESSAGE", "OPTIONS", "BYE", "INFO"] {
        let answer = alice.ask(&mut stage, method, "bob", &[], ("", ""));
        assert_eq!(answer.status(), 407, "{method}");
        assert!(answer.first(Name::ProxyAuthenticate).is_some_and(|line| line.contains("nonce=")));
        assert_eq!(answer.first(Name::WwwAuthenticate), None);
    }
    for method in ["SUBSCRIBE", "PUBLISH"] {
        let answer = alice.ask(&mut stage, method, "alice", &["Event: presence"], ("", ""));
        assert_eq!(answer.status(), 401, "{method}");
        assert!(answer.first(Name::WwwAuthenticate).is_some_and(|line| line.contains("nonce=")));
        assert_eq!(answer.first(Name::ProxyAuthenticate), None);
    }
    assert_eq!(alice.register(&mut stage, 600).status(), 401);
}

/// RFC 3261 §22.1: the ACK of a call that was let in passes, with its INVITE's credentials and
/// without any.
#[test]
fn an_ack_is_never_challenged() {
    let (mut stage, mut alice, bob) = pair();
    let invite = alice.send(&mut stage, "INVITE", BOB);
    let offered = stage.request(bob.phone.addr);
    let mut reply = Reply::new(&offered, SERVER, 200, "b1");
    reply.header(Name::Contact, "<sip:bob@198.51.100.7:5070>");
    stage.packet(bob.phone.addr, reply.into_writer().finish());
    assert_eq!(stage.response(alice.phone.addr).status(), 200);
    let ack = invite.replace("INVITE sip:bob@example.org", "ACK sip:bob@198.51.100.7:5070");
    let ack = ack.replace(" INVITE\r\n", " ACK\r\n").replace(BOB, &format!("{BOB}>;tag=b1"));
    let ack = ack.replace("tag=b1>", "tag=b1").replacen("z9hG4bK", "z9hG4bKack", 1);
    assert!(ack.contains("Authorization: Digest"));
    let without: Vec<_> =
        ack.split_inclusive("\r\n").filter(|line| !line.starts_with("Authorization")).collect();
    for ack in [ack.clone(), without.concat().replacen("z9hG4bK", "z9hG4bK2", 1)] {
        stage.packet(alice.phone.addr, ack);
        assert_eq!(stage.request(bob.phone.addr).method(), Method::Ack);
        stage.silent(alice.phone.addr);
    }
}

/// RFC 3261 §22.1.
#[test]
fn a_cancel_is_never_challenged() {
    let (mut stage, mut alice, bob) = pair();
    let invite = alice.send(&mut stage, "INVITE", BOB);
    let offered = stage.request(bob.phone.addr);
    bob.phone.answer(&mut stage, &offered, 180);
    assert_eq!(stage.response(alice.phone.addr).status(), 180);
    let lines = invite.split_inclusive("\r\n").filter(|line| !line.starts_with("Authorization"));
    stage.packet(alice.phone.addr, lines.collect::<String>().replace("INVITE", "CANCEL"));
    assert_eq!(stage.response(alice.phone.addr).status(), 200);
    assert_eq!(stage.request(bob.phone.addr).method(), Method::Cancel);
    let (mut stage, mut alice, _bob) = pair();
    let stray = alice.write("CANCEL", BOB, "nothing");
    stage.packet(alice.phone.addr, stray);
    assert_eq!(stage.response(alice.phone.addr).status(), 481, "and one for nothing neither");
}

/// What alice gets when bob's phone answers her OPTIONS with this status and these lines.
fn answered(status: u16, lines: &[(Name, &str)]) -> Response {
    let (mut stage, mut alice, bob) = pair();
    alice.send(&mut stage, "OPTIONS", BOB);
    let offered = stage.request(bob.phone.addr);
    let mut reply = Reply::new(&offered, SERVER, status, "b1");
    for (name, value) in lines {
        reply.header(*name, value);
    }
    stage.packet(bob.phone.addr, reply.into_writer().finish());
    stage.response(alice.phone.addr)
}

/// RFC 3261 §22.3, RFC 7616 §3.6, RFC 8760 §2.5: what others ask and confirm passes untouched and
/// in its order.
#[test]
fn challenges_and_confirmations_of_others_pass_as_they_are() {
    for (status, name) in [(401, Name::WwwAuthenticate), (407, Name::ProxyAuthenticate)] {
        let lines = [
            "Digest  realm=\"bob\",nonce=\"1\" , algorithm=SHA-512-256,qop=\"auth\"",
            "Digest realm=\"bob\", nonce=\"2\", algorithm=SHA-256, qop=\"auth\"",
            "Digest realm=\"bob\", nonce=\"3\", algorithm=MD5",
        ];
        let answer = answered(status, &lines.map(|line| (name, line)));
        assert_eq!(answer.status(), status);
        assert_eq!(answer.lines(name).collect::<Vec<_>>(), lines);
    }
    let info = (Name::AuthenticationInfo, "qop=auth,rspauth=\"x\" , cnonce=\"y\", nc=00000001");
    let answer = answered(200, &[info]);
    assert_eq!(answer.lines(info.0).collect::<Vec<_>>(), [info.1]);
}

/// RFC 8760 §2.5, RFC 3261 §22.3: of several devices that ask, all challenges come, each device's
/// in its own order.
#[test]
fn the_challenges_of_all_devices_come_in_their_order() {
    let (mut stage, mut alice, mut bob) = pair();
    let mut cell = Owner::new("bob", 5071);
    cell.register(&mut stage);
    bob.client = Client::default();
    alice.send(&mut stage, "OPTIONS", BOB);
    for (device, realm) in [(&bob, "desk"), (&cell, "cell")] {
        let offered = stage.request(device.phone.addr);
        let mut reply = Reply::new(&offered, SERVER, 407, realm);
        for algorithm in ["SHA-256", "MD5"] {
            let value = format!("Digest realm=\"{realm}\", nonce=\"1\", algorithm={algorithm}");
            reply.header(Name::ProxyAuthenticate, &value);
        }
        stage.packet(device.phone.addr, reply.into_writer().finish());
    }
    let answer = stage.response(alice.phone.addr);
    assert_eq!(answer.status(), 407);
    for realm in ["desk", "cell"] {
        let of_realm = answer.lines(Name::ProxyAuthenticate).filter(|line| line.contains(realm));
        let algorithms: Vec<_> =
            of_realm.filter_map(|line| line.split("algorithm=").nth(1)).collect();
        assert_eq!(algorithms, ["SHA-256", "MD5"], "{realm}");
    }
}

/// RFC 7616 §3.4.
#[test]
fn a_plain_and_an_extended_username_in_one_header_are_an_error() {
    let mut stage = Stage::new(stage::config_with_digest(&["alice", "bob"]));
    let mut alice = Owner::new("alice", 5080);
    alice.send(&mut stage, "REGISTER", "sip:example.org");
    assert_eq!(stage.response(alice.phone.addr).status(), 200);
    let right = alice.write("REGISTER", "sip:example.org", "REGISTER");
    let both = right.replace("Digest ", "Digest username*=UTF-8''alice, ");
    stage.packet(alice.phone.addr, both);
    assert_eq!(stage.response(alice.phone.addr).status(), 400);
    stage.packet(alice.phone.addr, right.replacen("z9hG4bK", "z9hG4bKx", 1));
    assert_eq!(stage.response(alice.phone.addr).status(), 200, "one of them alone was right");
}

/// RFC 7616 §4: names and passwords of any letters.
#[test]
fn names_and_passwords_may_have_any_letters() {
    for (name, password) in [
        ("Jäsøn Doe", "Secret, or not?é"),
        ("алиса", "пароль с пробелом"),
        ("アリス", "🔑 \\ \" ;"),
        ("a\u{301}b", "e\u{301}"),
        ("o'hara+1=2&x;y?z/", "colons: are : fine"),
    ] {
        let mut config = stage::config_with_digest(&["bob"]);
        config.users.insert(name, User::from_password(name, "example.org", password));
        let mut stage = Stage::new(config);
        let aor = presently_engine::message::Aor::new(name, "example.org");
        let mut phone = Phone::new(aor.user(), 5080);
        let mut client = Client::default();
        let mut statuses = Vec::new();
        for (method, call) in [("REGISTER", "1"), ("REGISTER", "2"), ("SUBSCRIBE", "3")] {
            let uri = if method == "REGISTER" { "sip:example.org" } else { aor.as_str() };
            let proof = client.authorize(&SECRET, name, password, method, uri, b"");
            let proof =
                proof.map_or("X-Nothing: 1".into(), |value| format!("Authorization: {value}"));
            let extra = ["Event: presence", &*proof];
            let head =
                Head { to: aor.as_str(), to_tag: None, tag: "t", call_id: call, extra: &extra };
            // The phone of these scenes puts its user into its branch, which takes no such letters.
            let text = phone.write(method, uri, &head, ("", ""));
            let branch = format!("z9hG4bK-{}", aor.user());
            stage.packet(phone.addr, text.replace(&branch, "z9hG4bK-x"));
            let answer = stage.response(phone.addr);
            if answer.status() == 401 {
                client.challenged(&answer, Algorithm::Sha256, false).expect("a challenge");
            }
            statuses.push(answer.status());
        }
        assert_eq!(statuses, [401, 200, 200], "{name}");
    }
}

/// RFC 3261 §22.4: to a client without qop nothing is confirmed with it.
#[test]
fn an_old_client_gets_no_new_confirmation() {
    let mut config = stage::config_with_digest(&["alice"]);
    config.nonces.legacy_no_qop = true;
    for old in [false, true] {
        let mut stage = Stage::new(config.clone());
        let mut alice = Owner::new("alice", 5080);
        let bare = alice.write("REGISTER", "sip:example.org", "1");
        stage.packet(alice.phone.addr, bare);
        let challenge = stage.response(alice.phone.addr);
        let text = String::from_utf8(challenge.bytes().to_vec()).expect("text");
        let text = if old { text.replace(", qop=\"auth,auth-int\"", "") } else { text };
        let Ok(Message::Response(challenge)) = Message::parse(text.into()) else { panic!() };
        alice.client.challenged(&challenge, Algorithm::Md5, false).expect("a challenge");
        stage.pass(Duration::from_secs(200));
        let proven = alice.write("REGISTER", "sip:example.org", "1");
        assert_eq!(proven.contains("qop="), !old);
        stage.packet(alice.phone.addr, proven);
        let answer = stage.response(alice.phone.addr);
        assert_eq!(answer.status(), 200);
        let info = answer.first(Name::AuthenticationInfo).expect("the nonce is past its half");
        for name in ["qop=", "rspauth=", "cnonce=", "nc="] {
            assert_eq!(info.contains(name), !old, "{info}");
        }
    }
}

/// RFC 7616 §3.4.6, RFC 8760 §2.6 item 6: a digest is good for what it was made for.
#[test]
fn credentials_for_another_resource_are_refused() {
    let (mut stage, mut alice, bob) = pair();
    alice.send(&mut stage, "OPTIONS", BOB);
    let offered = stage.request(bob.phone.addr);
    bob.phone.answer(&mut stage, &offered, 200);
    stage.response(alice.phone.addr);
    let for_carol = alice.write("OPTIONS", "sip:carol@example.org", "elsewhere");
    let moved = for_carol
        .replace("OPTIONS sip:carol@example.org", "OPTIONS sip:bob@example.org")
        .replace("To: <sip:carol@example.org>", "To: <sip:bob@example.org>");
    stage.packet(alice.phone.addr, moved);
    assert_eq!(stage.response(alice.phone.addr).status(), 400);
    stage.silent(bob.phone.addr);
}
