//! The agent's side: RFC 3261 §22, RFC 7616 §3.3–3.5, RFC 8760 §2.4.

use crate::messages::codes::Desk;
use presently_engine::agent::{Command, Event};
use presently_engine::message::{Aor, Method, Name, Request};

const DIGEST: &str =
    "Digest realm=\"example.org\", nonce=\"n1\", algorithm=SHA-256, qop=\"auth-int,auth\"";

/// Logged in with a challenge of our own registrar.
fn at_home() -> Desk {
    let mut desk = Desk::new();
    desk.say(Command::Login);
    let register = desk.last(Method::Register);
    desk.answer(&register, 401, &[(Name::WwwAuthenticate, DIGEST)]);
    let register = desk.last(Method::Register);
    desk.answer(&register, 200, &[(Name::Expires, "3600")]);
    desk
}

fn send(desk: &mut Desk, text: &str) -> Request {
    let target = Aor::new("bob", "example.org");
    desk.say(Command::SendMessage { target, text: text.into(), ticket: 1 });
    desk.last(Method::Message)
}

/// What the agent answers to a challenge of its registrar with these lines.
fn proof_of(lines: &[&str]) -> Option<String> {
    let mut desk = Desk::new();
    desk.say(Command::Login);
    let bare = desk.last(Method::Register);
    let lines: Vec<_> = lines.iter().map(|line| (Name::WwwAuthenticate, *line)).collect();
    desk.answer(&bare, 401, &lines);
    desk.last(Method::Register).first(Name::Authorization).map(str::to_owned)
}

/// RFC 3261 §22, RFC 8760 §2.6: Basic is answered by nothing; RFC 7616 §5.6, RFC 8760 §2.4: beside
/// something stronger it is passed over, as is whatever else is not understood.
#[test]
fn the_strongest_scheme_is_answered_and_basic_never() {
    let basic = "Basic realm=\"example.org\"";
    assert_eq!(proof_of(&[basic]), None);
    assert_eq!(proof_of(&["Bearer realm=\"example.org\""]), None);
    let unknown = DIGEST.replace("SHA-256", "SHA-512-256").replace("n1", "n0");
    for lines in [&[basic, DIGEST][..], &[&unknown, basic, DIGEST], &["Bearer abc", DIGEST]] {
        let proof = proof_of(lines).expect("credentials");
        assert!(proof.starts_with("Digest ") && proof.contains("nonce=\"n1\""), "{proof}");
    }
}

/// RFC 7616 §3.3: of several qualities the unknown ones are ignored; RFC 7616 §3.4, RFC 8760 §2.6:
/// the one that is sent was offered.
#[test]
fn the_quality_sent_is_one_of_those_offered() {
    for (offered, sent) in [
        ("auth-int,auth", "qop=auth-int,"),
        ("auth,auth-int", "qop=auth-int,"),
        ("auth", "qop=auth,"),
        ("auth-conf, auth ,token", "qop=auth,"),
        ("auth-int", "qop=auth-int,"),
    ] {
        let proof = proof_of(&[&DIGEST.replace("auth-int,auth", offered)]).expect("credentials");
        assert!(proof.contains(sent), "{offered}: {proof}");
    }
    assert_eq!(proof_of(&[&DIGEST.replace("auth-int,auth", "auth-conf")]), None);
}

/// RFC 3261 §22.4 item 8.
#[test]
fn without_a_qop_nothing_is_counted() {
    let old = "Digest realm=\"example.org\", nonce=\"n1\"";
    let proof = proof_of(&[old]).expect("credentials");
    assert!(["qop", "cnonce", "nc"].iter().all(|name| !proof.contains(&format!("{name}="))));
}

/// RFC 7616 §3.8 and §3.3: a 407 is answered with Proxy-Authorization, for every target of that
/// proxy, whatever `domain` says.
#[test]
fn a_proxy_is_answered_in_its_own_header_and_domain_is_ignored() {
    let mut desk = at_home();
    let bare = send(&mut desk, "hi");
    let asked = format!("{}, domain=\"sip:nobody@elsewhere.example\"", DIGEST.replace("n1", "p1"));
    desk.answer(&bare, 407, &[(Name::ProxyAuthenticate, &asked)]);
    let proven = desk.last(Method::Message);
    assert_eq!(proven.cseq().expect("a CSeq").number, bare.cseq().expect("a CSeq").number + 1);
    let proof = proven.first(Name::ProxyAuthorization).expect("credentials");
    assert!(proof.contains("nonce=\"p1\""), "{proof}");
    assert_eq!(proven.first(Name::Authorization), None);
    desk.answer(&proven, 200, &[]);
    let next = send(&mut desk, "again");
    assert!(next.first(Name::ProxyAuthorization).is_some_and(|line| line.contains("nc=00000002")));
}

/// RFC 3261 §22.3: what was asked for by somebody further on is neither answered with our password
/// nor remembered.
#[test]
fn a_challenge_from_beyond_our_server_is_not_answered_and_changes_nothing() {
    for (status, name) in [(401, Name::WwwAuthenticate), (407, Name::ProxyAuthenticate)] {
        let mut desk = at_home();
        let first = send(&mut desk, "hi");
        desk.answer(&first, 407, &[(Name::ProxyAuthenticate, &DIGEST.replace("n1", "p1"))]);
        let proven = desk.last(Method::Message);
        let trap = "Digest realm=\"mallory.example\", nonce=\"m\", qop=\"auth\", opaque=\"other\"";
        let before = desk.sent.len();
        desk.answer(&proven, status, &[(name, trap)]);
        assert_eq!(desk.sent.len(), before, "{status}: mallory gets no digest to guess at");
        assert!(desk.seen.iter().all(|event| !matches!(event, Event::ServerRestarted)));
        let next = send(&mut desk, "again");
        let proof = next.first(Name::ProxyAuthorization).expect("credentials for our own proxy");
        assert!(
            proof.contains("realm=\"example.org\"") && proof.contains("nonce=\"p1\""),
            "{proof}"
        );
        desk.pass(std::time::Duration::from_secs(3600));
        let refresh = desk.last(Method::Register);
        let proof = refresh.first(Name::Authorization).expect("credentials for our registrar");
        assert!(
            proof.contains("realm=\"example.org\"") && proof.contains("nonce=\"n1\""),
            "{proof}"
        );
    }
}
