//! REGISTER from both ends: RFC 3261 §10.2 and §10.3.

use super::talk::{ALICE, Talk};
use presently_engine::agent::Command;
use presently_engine::message::{Method, Name, Response};
use presently_tests::phone::Head;
use presently_tests::stage::{self, DOMAIN};
use presently_tests::{Phone, Stage};
use std::time::Duration;

const CHALLENGE: &str =
    "Digest realm=\"example.org\", qop=\"auth\", algorithm=SHA-256, nonce=\"n1\"";
const RECORDS: &str = "<sip:192.0.2.99;lr>, <sip:old.example;x=1>";

/// A REGISTER of `phone` for the account that `to` names.
fn register(
    stage: &mut Stage,
    phone: &mut Phone,
    to: &str,
    call: &str,
    extra: &[&str],
) -> Response {
    let head = Head { to, to_tag: None, tag: "r1", call_id: call, extra };
    let text = phone.write("REGISTER", &format!("sip:{DOMAIN}"), &head, ("", ""));
    // Every phone binds its own address unless a scene says otherwise.
    let own = format!("Contact: <sip:{}@{}>\r\n", phone.user, phone.addr);
    let contacts = extra.iter().filter(|line| line.starts_with("Contact")).count();
    stage.packet(phone.addr, if contacts > 0 { text.replacen(&own, "", 1) } else { text });
    stage.response(phone.addr)
}

fn bound(response: &Response) -> Vec<String> {
    let listed = response.list(Name::Contact);
    listed.map(|one| one.split(['<', '>']).nth(1).expect("a URI").to_owned()).collect()
}

#[test]
fn a_register_names_the_domain_and_the_address_of_record() {
    let mut talk = Talk::new();
    let register = talk.provoke(Method::Register);
    assert_eq!(register.uri(), format!("sip:{DOMAIN}"), "no user part");
    let aor = format!("sip:alice@{DOMAIN}");
    assert_eq!(register.to().expect("a To").uri, aor);
    assert_eq!(register.from().expect("a From").uri, aor);
    assert!(register.call_id().is_ok() && register.cseq().is_ok());
    assert_eq!(register.first(Name::Contact), Some(format!("<{ALICE}>").as_str()));
}

/// Challenges, refreshes, a server that stays silent, a logout before the answer: every REGISTER
/// has the next number.
#[test]
fn the_cseq_of_register_rises_by_exactly_one() {
    let mut talk = Talk::new();
    let first = talk.provoke(Method::Register);
    talk.answer(&first, 401, &[(Name::WwwAuthenticate, CHALLENGE)]);
    let proven = talk.request(Method::Register);
    talk.answer(&proven, 200, &[(Name::Expires, "600")]);
    let refresh = talk.wait(Method::Register);
    let retry = talk.wait(Method::Register);
    let stale = CHALLENGE.replace("\"n1\"", "\"n2\", stale=true");
    talk.answer(&retry, 401, &[(Name::WwwAuthenticate, &stale)]);
    let again = talk.request(Method::Register);
    // What is out may still bind us, so the removal waits for its answer.
    talk.command(Command::Logout);
    talk.silent();
    talk.answer(&again, 200, &[(Name::Expires, "600")]);
    let logout = talk.request(Method::Register);
    assert_eq!(logout.seconds(Name::Expires), Some(0));
    talk.command(Command::Login);
    let login = talk.request(Method::Register);
    let all = [first, proven, refresh, retry, again, logout, login];
    for pair in all.windows(2) {
        let number = |at: usize| pair[at].cseq().expect("a CSeq").number;
        assert_eq!(number(1), number(0) + 1);
        assert_eq!(pair[1].call_id(), pair[0].call_id());
    }
}

#[test]
fn no_register_leaves_while_one_is_unanswered() {
    let mut talk = Talk::new();
    let register = talk.provoke(Method::Register);
    talk.command(Command::Login);
    talk.world.pass(Duration::from_secs(31));
    talk.silent();
    talk.answer(&register, 200, &[(Name::Expires, "600")]);
    talk.command(Command::Login);
    talk.request(Method::Register);
}

#[test]
fn record_route_means_nothing_to_who_registers() {
    let mut talk = Talk::new();
    let register = talk.provoke(Method::Register);
    talk.answer(&register, 200, &[(Name::Expires, "600"), (Name::RecordRoute, RECORDS)]);
    for method in [Method::Subscribe, Method::Message] {
        assert_eq!(talk.provoke(method).first(Name::Route), None);
    }
    talk.world.pass(Duration::from_secs(33));
    while let Some(request) = talk.next() {
        assert_eq!(request.first(Name::Route), None);
    }
}

#[test]
fn record_route_means_nothing_to_the_registrar() {
    let mut stage = Stage::new(stage::config());
    let (mut alice, mut bob) = (Phone::new("alice", 6000), Phone::new("bob", 5070));
    let line = format!("Record-Route: {RECORDS}");
    let answer = register(&mut stage, &mut bob, &Phone::aor("bob"), "call", &[&line]);
    assert_eq!((answer.status(), answer.first(Name::RecordRoute)), (200, None));
    let to = Phone::aor("bob");
    let head = Head { to: &to, to_tag: None, tag: "a1", call_id: "call-1", extra: &[] };
    let options = alice.write("OPTIONS", &to, &head, ("", ""));
    stage.packet(alice.addr, options);
    assert_eq!(stage.request(bob.addr).first(Name::Route), None, "straight to its address");
}

#[test]
fn registers_are_processed_as_they_come_and_each_for_itself() {
    let mut stage = Stage::new(stage::config());
    let (mut alice, mut bob) = (Phone::new("alice", 6000), Phone::new("bob", 5070));
    let (of_alice, of_bob) = (Phone::aor("alice"), Phone::aor("bob"));
    let expires = ["Expires: 600", "Expires: 1200", "Expires: 900"];
    for (call, expires) in ["one", "two", "three"].into_iter().zip(expires) {
        assert_eq!(register(&mut stage, &mut bob, &of_bob, call, &[expires]).status(), 200);
        // In between, somebody else and somebody who is refused.
        register(&mut stage, &mut alice, &of_alice, call, &["Expires: 60"]);
        let star = ["Contact: *", "Expires: 60"];
        assert_eq!(register(&mut stage, &mut bob, &of_bob, call, &star).status(), 400);
    }
    let listed = register(&mut stage, &mut bob, &of_bob, "one", &["Contact:"]);
    let last = format!("<sip:bob@{}>;expires=900", bob.addr);
    assert_eq!(listed.list(Name::Contact).collect::<Vec<_>>(), [last], "the last one counts");
}

#[test]
fn an_account_of_somebody_else_is_403_and_none_of_ours_404() {
    let mut stage = Stage::new(stage::config());
    let mut alice = Phone::new("alice", 6000);
    for (to, status) in [
        ("sip:bob@example.org", 403),
        ("sip:alice@elsewhere.net", 404),
        ("sip:example.org", 404),
        ("sip:alice@example.org", 200),
    ] {
        let rows = stage.rows.len();
        let answer = register(&mut stage, &mut alice, to, "call", &["Expires: 600"]);
        assert_eq!(answer.status(), status, "{to}");
        assert_eq!(stage.rows.len() > rows, status == 200, "{to}");
    }
}

#[test]
fn one_account_may_be_spelled_in_many_ways() {
    let mut stage = Stage::new(stage::config());
    let mut alice = Phone::new("alice", 6000);
    let spellings = [
        "sip:alice@example.org",
        "sip:%61lic%65@example.org",
        "sip:alice@example.org;user=phone",
        "sip:alice@EXAMPLE.org;transport=udp;x=1",
    ];
    for (port, to) in (7001..).zip(spellings) {
        let contact = format!("Contact: <sip:alice@198.51.100.7:{port}>");
        assert_eq!(register(&mut stage, &mut alice, to, "call", &[&contact]).status(), 200, "{to}");
    }
    let listed = register(&mut stage, &mut alice, spellings[0], "call", &["Contact:"]);
    let mut contacts = bound(&listed);
    contacts.sort();
    let ports = 7001..=7004;
    let expected: Vec<_> = ports.map(|port| format!("sip:alice@198.51.100.7:{port}")).collect();
    assert_eq!(contacts, expected);
}

#[test]
fn what_the_registrar_writes_the_proxy_reads() {
    let mut stage = Stage::new(stage::config());
    let (mut alice, mut bob) = (Phone::new("alice", 6000), Phone::new("bob", 5070));
    let to = Phone::aor("bob");
    let mut options = |stage: &mut Stage, call: &str| {
        let head = Head { to: &to, to_tag: None, tag: "a1", call_id: call, extra: &[] };
        let text = alice.write("OPTIONS", &to, &head, ("", ""));
        stage.packet(alice.addr, text);
    };
    bob.register(&mut stage, 600);
    options(&mut stage, "bound");
    assert_eq!(stage.request(bob.addr).uri(), format!("sip:bob@{}", bob.addr));
    bob.register(&mut stage, 0);
    options(&mut stage, "after");
    assert_eq!(stage.response(alice.addr).status(), 480);
    stage.silent(bob.addr);
}

#[test]
fn logout_names_its_own_contact() {
    let mut talk = Talk::new();
    let register = talk.provoke(Method::Register);
    talk.answer(&register, 200, &[(Name::Expires, "600")]);
    talk.command(Command::Logout);
    let logout = talk.request(Method::Register);
    assert_eq!(logout.list(Name::Contact).collect::<Vec<_>>(), [format!("<{ALICE}>")]);
    assert_eq!(logout.seconds(Name::Expires), Some(0));
}

#[test]
fn a_registrar_refuses_what_it_does_not_support() {
    let mut stage = Stage::new(stage::config());
    let mut bob = Phone::new("bob", 5070);
    let answer = register(&mut stage, &mut bob, &Phone::aor("bob"), "call", &["Require: gruu"]);
    assert_eq!((answer.status(), answer.first(Name::Unsupported)), (420, Some("gruu")));
    assert!(stage.rows.is_empty());
}

#[test]
fn a_star_stands_alone() {
    let mut stage = Stage::new(stage::config());
    let mut bob = Phone::new("bob", 5070);
    bob.register(&mut stage, 600);
    let own = "Contact: <sip:bob@198.51.100.7:5070>";
    for lines in [["Contact: *", own, "Expires: 0"], [own, "Contact: *", "Expires: 0"]] {
        let answer = register(&mut stage, &mut bob, &Phone::aor("bob"), "other", &lines);
        assert_eq!(answer.status(), 400);
        assert_eq!(stage.rows.len(), 1);
    }
    let star = ["Contact: *", "Expires: 0"];
    let answer = register(&mut stage, &mut bob, &Phone::aor("bob"), "other", &star);
    assert_eq!(answer.status(), 200);
    assert!(stage.rows.is_empty());
}
