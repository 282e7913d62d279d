use super::fixture::{config, peer};
use super::*;
use crate::digest::Algorithm;
use crate::digest::fixture::{BOOT, Phone, param, request};
use std::time::Duration;

const REGISTRAR: &str = "sip:example.org";
const PHONE: &str = "192.0.2.7:5062";

/// One gate, one clock, one source.
struct Scene {
    config: Config,
    gate: Gate,
    now: Instant,
    out: Out,
}

impl Scene {
    fn new() -> Self {
        let now = BOOT + Duration::from_secs(1);
        Self { config: config(), gate: Gate::default(), now, out: Vec::new() }
    }

    fn admit(&mut self, request: &Request) -> Option<Proven> {
        self.admit_from(PHONE, request, false)
    }

    fn admit_from(&mut self, source: &str, request: &Request, proxy: bool) -> Option<Proven> {
        let Self { config, gate, now, out } = self;
        out.clear();
        gate.admit(config, *now, out, peer(source), request, proxy, Qop::Auth)
    }

    /// What the last request was answered with, and where the answer went.
    fn answer(&self) -> (String, Peer) {
        let [Output::Transmit { to, bytes }, Output::Event(Event::Answered { user: None, .. })] =
            &self.out[..]
        else {
            panic!("not one stateless answer: {:?}", self.out)
        };
        (String::from_utf8(bytes.to_vec()).expect("text"), *to)
    }

    fn status(&self) -> u16 {
        self.answer().0[8..11].parse().expect("a status")
    }

    /// A nonce, as a phone gets it.
    fn nonce(&mut self) -> String {
        assert_eq!(self.admit(&request("REGISTER", REGISTRAR, "", "")), None);
        param(&self.answer().0, "nonce").to_owned()
    }
}

/// A request whose From and To are replaced.
fn speaking_as(request: &Request, from: &str, to: &str) -> Request {
    let text = String::from_utf8(request.bytes().to_vec()).expect("text");
    let text = text.replace("From: <sip:alice@example.org>", &format!("From: <{from}>"));
    let text = text.replace("To: <sip:alice@example.org>", &format!("To: <{to}>"));
    match crate::message::Message::parse(text.into()) {
        Ok(crate::message::Message::Request(request)) => request,
        other => panic!("not a request: {other:?}"),
    }
}

fn alice() -> Aor {
    Aor::new("alice", "example.org")
}

#[test]
fn a_stranger_is_asked_and_leaves_no_trace() {
    let mut scene = Scene::new();
    let stranger = request("REGISTER", REGISTRAR, "", "");
    assert_eq!(scene.admit(&stranger), None);
    let (text, to) = scene.answer();
    assert_eq!(to, peer(PHONE));
    insta::assert_snapshot!("challenge", text.replace('\r', ""));
    assert_eq!(scene.admit(&stranger), None);
    assert_eq!(scene.answer().0, text, "a copy gets the same answer");
    assert_eq!(scene.gate, Gate::default());
}

#[test]
fn a_proxy_asks_with_407_and_takes_either_header() {
    let mut scene = Scene::new();
    let invite = request("INVITE", "sip:bob@example.org", "", "");
    assert_eq!(scene.admit_from(PHONE, &invite, true), None);
    let (text, _) = scene.answer();
    assert!(text.starts_with("SIP/2.0 407 "), "{text}");
    let phone = Phone::alice(param(&text, "nonce"));
    assert!(text.contains("Proxy-Authenticate: Digest"));
    let invite = phone.request("INVITE", "sip:bob@example.org", "");
    let proven = Proven { user: alice(), info: None };
    assert_eq!(scene.admit_from(PHONE, &invite, true), Some(proven));
}

#[test]
fn the_right_password_opens_the_gate_once_per_count() {
    let mut scene = Scene::new();
    let phone = Phone::alice(&scene.nonce());
    let proven = Proven { user: alice(), info: None };
    assert_eq!(scene.admit(&phone.register()), Some(proven));
    assert!(scene.out.is_empty());
    assert_eq!(scene.admit(&phone.register()), None, "a replay");
    assert!(scene.answer().0.contains("stale=true"));
}

#[test]
fn who_proves_to_be_alice_may_speak_for_alice_only() {
    let (alice, bob) = ("sip:alice@example.org", "sip:bob@example.org");
    for (from, to, method, admitted) in [
        (alice, alice, "REGISTER", true),
        (bob, alice, "REGISTER", false),
        (alice, bob, "REGISTER", false),
        (alice, bob, "SUBSCRIBE", true),
        (bob, alice, "SUBSCRIBE", false),
        ("sip:alice@example.com", alice, "SUBSCRIBE", false),
        ("tel:+1234", alice, "SUBSCRIBE", false),
        ("sip:%61lice@EXAMPLE.org", alice, "REGISTER", true),
        ("sips:alice@example.org", alice, "REGISTER", true),
    ] {
        let mut scene = Scene::new();
        let phone = Phone::alice(&scene.nonce());
        let request = speaking_as(&phone.request(method, REGISTRAR, ""), from, to);
        assert_eq!(scene.admit(&request).is_some(), admitted, "{method} {from} {to}");
        if !admitted {
            assert_eq!(scene.status(), 403);
        }
    }
}

#[test]
fn a_name_with_its_domain_is_the_same_account_where_a_password_is_at_hand() {
    let mut scene = Scene::new();
    scene.config.users = Users { anyone: Some("wonderland".into()), ..Users::default() };
    let phone = Phone { user: "alice@example.org", ..Phone::alice(&scene.nonce()) };
    let proven = Proven { user: alice(), info: None };
    assert_eq!(scene.admit(&phone.register()), Some(proven));
    let mut scene = Scene::new();
    let phone = Phone { user: "alice@example.org", ..Phone::alice(&scene.nonce()) };
    assert_eq!(scene.admit(&phone.register()), None);
    assert_eq!(scene.status(), 401);
}

#[test]
fn an_account_with_one_algorithm_only_is_served_with_that_one() {
    let mut scene = Scene::new();
    let user = scene.config.users.named.get_mut("alice").expect("alice");
    user.sha256 = None;
    let phone = Phone::alice(&scene.nonce());
    assert_eq!(scene.admit(&phone.register()), None);
    let phone = Phone { algorithm: Algorithm::Md5, ..phone };
    assert!(scene.admit(&phone.register()).is_some());
}

#[test]
fn unreadable_credentials_are_answered_with_the_reason() {
    let mut scene = Scene::new();
    let broken = "Authorization: Digest realm=\"example.org\", nc=1\r\n";
    assert_eq!(scene.admit(&request("REGISTER", REGISTRAR, broken, "")), None);
    let (text, _) = scene.answer();
    assert!(text.starts_with("SIP/2.0 400 digest without username\r\n"), "{text}");
}

#[test]
fn without_authentication_from_is_believed_if_it_is_ours() {
    let mut scene = Scene::new();
    scene.config.authentication = Authentication::None;
    let plain = request("SUBSCRIBE", "sip:bob@example.org", "", "");
    let proven = Proven { user: alice(), info: None };
    assert_eq!(scene.admit(&plain), Some(proven));
    for from in ["sip:mallory@example.org", "sip:alice@example.com", "sip:example.org"] {
        let foreign = speaking_as(&plain, from, "sip:bob@example.org");
        assert_eq!(scene.admit(&foreign), None, "{from}");
        assert_eq!(scene.status(), 403);
    }
}

#[test]
fn an_ack_is_never_answered() {
    let mut out = Vec::new();
    let ack = request("ACK", "sip:bob@example.org", "", "");
    refuse(&config(), &mut out, peer(PHONE), &ack, 404, &[]);
    assert_eq!(out, []);
    let bye = request("BYE", "sip:bob@example.org", "", "");
    refuse(&config(), &mut out, peer(PHONE), &bye, 405, &[(Name::Allow, "MESSAGE")]);
    let [Output::Transmit { bytes, .. }, Output::Event(_)] = &out[..] else { panic!("{out:?}") };
    let text = String::from_utf8(bytes.to_vec()).expect("text");
    assert!(text.starts_with("SIP/2.0 405 ") && text.contains("Allow: MESSAGE\r\n"), "{text}");
}

#[test]
fn guessing_gets_slow_and_the_right_password_passes_all_the_same() {
    let mut scene = Scene::new();
    let right = Phone::alice(&scene.nonce());
    let guess = Phone { password: "guess", ..right.clone() };
    for _ in 0..5 {
        assert_eq!(scene.admit(&guess.register()), None);
        assert_eq!(scene.status(), 401);
    }
    assert_eq!(scene.admit(&guess.register()), None);
    assert!(
        matches!(&scene.out[..], [Output::Event(Event::Refused { .. })]),
        "the sixth within a second is not answered: {:?}",
        scene.out
    );
    assert!(scene.admit(&right.register()).is_some());
    scene.now = scene.now + Duration::from_secs(1);
    assert_eq!(scene.admit(&guess.register()), None);
    assert_eq!(scene.status(), 401, "one answer a second");
}

#[test]
fn the_state_does_not_grow_with_unproven_requests() {
    let mut scene = Scene::new();
    let nonce = scene.nonce();
    let stranger = request("REGISTER", REGISTRAR, "", "");
    let guess = Phone { password: "guess", ..Phone::alice(&nonce) }.register();
    scene.admit(&guess);
    let size = format!("{:?}", scene.gate).matches("Slot {").count();
    for host in 0..10_000_u32 {
        let source = format!("10.{}.{}.1:5060", host >> 8 & 255, host & 255);
        assert_eq!(scene.admit_from(&source, &stranger, host % 2 == 0), None);
        assert_eq!(scene.admit_from(&source, &guess, false), None);
    }
    assert_eq!(scene.gate.len(), 0);
    assert_eq!(format!("{:?}", scene.gate).matches("Slot {").count(), size);
}

#[test]
fn the_challenge_is_not_much_larger_than_what_phones_send() {
    let mut scene = Scene::new();
    // The shape of what a phone sends first: Contact, Expires, Allow, User-Agent.
    let extra = "Contact: <sip:alice-0x5591cf1ddc40@192.0.2.7:5062>;expires=3600;\
                 +sip.instance=\"<urn:uuid:9a9f8e3c-4a5b-4b5e-8a4b-3f1d8f7a2c61>\"\r\n\
                 User-Agent: baresip v1.0.0 (x86_64/linux)\r\n\
                 Allow: INVITE,ACK,BYE,CANCEL,OPTIONS,NOTIFY,SUBSCRIBE,INFO,MESSAGE,REFER\r\n\
                 Supported: gruu,outbound,path\r\n";
    let register = request("REGISTER", REGISTRAR, extra, "");
    scene.admit(&register);
    let (sent, received) = (scene.answer().0.len(), register.bytes().len());
    assert!(4 * sent <= 5 * received, "{sent} bytes in answer to {received}");
}

#[test]
fn a_deleted_account_cannot_be_replayed_when_it_comes_back() {
    let mut scene = Scene::new();
    let phone = Phone::alice(&scene.nonce());
    assert!(scene.admit(&phone.register()).is_some());
    let Scene { config, gate, .. } = &mut scene;
    gate.forget(config, &alice());
    assert_eq!(scene.gate.len(), 0);
    assert_eq!(scene.admit(&phone.register()), None);
    assert!(scene.answer().0.contains("stale=true"));
}
