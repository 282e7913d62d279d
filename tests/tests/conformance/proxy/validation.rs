//! What is checked before a request is forwarded, and where it goes (RFC 3261 §16.3 to §16.5).

use super::{SDP, answer, line, second_phone, to_bob};
use presently_engine::message::{Method, Name};
use presently_tests::Phone;
use presently_tests::phone::Head;

#[test]
fn a_refusal_by_the_proxy_is_the_answer_of_a_uas() {
    let (mut stage, mut alice, bob) = line();
    let text = to_bob(&mut alice, "INVITE", &[]).replace("Max-Forwards: 70", "Max-Forwards: 0");
    stage.packet(alice.addr, text);
    let refusal = stage.response(alice.addr);
    assert_eq!(refusal.status(), 483);
    assert!(refusal.to().expect("a To").tag().is_some());
    assert_eq!(refusal.from().expect("a From").tag(), Some("a1"));
    assert_eq!(refusal.first(Name::CallId), Some("call-1"));
    assert_eq!(refusal.first(Name::CSeq), Some("2 INVITE"));
    assert_eq!(refusal.via().expect("a Via").branch, Some("z9hG4bK-alice-2-5080"));
    stage.silent(bob.addr);
}

#[test]
fn a_request_out_of_hops_goes_no_further_and_one_with_a_hop_left_does() {
    for method in ["INVITE", "MESSAGE", "OPTIONS", "BYE", "PING"] {
        let (mut stage, mut alice, bob) = line();
        let text = to_bob(&mut alice, method, &[]);
        stage.packet(alice.addr, text.replace("Max-Forwards: 70", "Max-Forwards: 0"));
        assert_eq!(stage.response(alice.addr).status(), 483, "{method}");
        stage.silent(bob.addr);
        stage.packet(alice.addr, text.replace("Max-Forwards: 70", "Max-Forwards: 1"));
        assert_eq!(stage.request(bob.addr).seconds(Name::MaxForwards), Some(0));
    }
}

#[test]
fn what_forwarding_needs_has_to_be_well_formed_and_nothing_else() {
    let (mut stage, mut alice, bob) = line();
    let good = to_bob(&mut alice, "INVITE", &["Date: yesterday, or so", "X-Odd: ", "Subject: x"]);
    for (part, broken, status) in [
        ("INVITE sip:bob@example.org SIP", "INVITE sip:b ob@example.org SIP", 400),
        ("INVITE sip:bob@example.org SIP", "INVITE <sip:bob@example.org> SIP", 400),
        ("INVITE sip:bob@example.org SIP", "INVITE nntp:bob SIP", 416),
        ("INVITE sip:bob@example.org SIP", "INVITE sips:bob@example.org SIP", 416),
        ("Max-Forwards: 70", "Max-Forwards: many", 400),
        ("Subject: x", "Route: nonsense", 400),
        ("Subject: x", "Route: <sip:192.0.2.1;lr>, <sip:>", 400),
        ("CSeq: 2 INVITE", "CSeq: 2 BYE", 400),
    ] {
        let text = good.replace(part, broken);
        assert_ne!(text, good);
        stage.packet(alice.addr, text);
        assert_eq!(stage.response(alice.addr).status(), status, "{broken}");
        stage.silent(bob.addr);
    }
    stage.packet(alice.addr, good);
    let sent = stage.request(bob.addr);
    assert_eq!(sent.first(Name::Date), Some("yesterday, or so"));
    assert_eq!(sent.other("X-Odd"), Some(""));
}

#[test]
fn a_method_nobody_knows_is_forwarded_like_any_other() {
    let (mut stage, mut alice, bob) = line();
    let other = second_phone(&mut stage);
    stage.packet(alice.addr, to_bob(&mut alice, "PING", &["X-New: feature"]));
    for phone in [&bob, &other] {
        let sent = stage.request(phone.addr);
        assert_eq!(sent.method_text(), "PING");
        assert_eq!(sent.other("X-New"), Some("feature"));
        assert_eq!(sent.seconds(Name::MaxForwards), Some(69));
        answer(&mut stage, phone, &sent, 501);
    }
    let refusal = stage.response(alice.addr);
    assert_eq!((refusal.status(), refusal.vias().count()), (501, 1));
}

#[test]
fn a_request_that_comes_by_two_ways_is_forwarded_twice() {
    let (mut stage, mut alice, bob) = line();
    let first = to_bob(&mut alice, "INVITE", &[]);
    let second = first.replace("z9hG4bK-alice-2", "z9hG4bK-other-way");
    stage.packet(alice.addr, first);
    stage.packet(alice.addr, second);
    let branches = [stage.request(bob.addr), stage.request(bob.addr)]
        .map(|sent| sent.via().expect("a Via").branch.expect("a branch").to_owned());
    assert_ne!(branches[0], branches[1]);
    stage.silent(alice.addr);
}

#[test]
fn a_feature_required_of_the_proxy_is_refused_by_name() {
    let (mut stage, mut alice, bob) = line();
    let required = ["Proxy-Require: teleport, 100rel", "Require: only-for-bob"];
    stage.packet(alice.addr, to_bob(&mut alice, "INVITE", &required));
    let refusal = stage.response(alice.addr);
    assert_eq!(refusal.status(), 420);
    let unsupported: Vec<_> = refusal.list(Name::Unsupported).collect();
    assert_eq!(unsupported, ["teleport", "100rel"]);
    stage.silent(bob.addr);
    stage.packet(alice.addr, to_bob(&mut alice, "INVITE", &required[1..]));
    assert_eq!(stage.request(bob.addr).first(Name::Require), Some("only-for-bob"));
}

#[test]
fn a_strict_routers_request_goes_where_its_last_route_says() {
    let (mut stage, mut alice, bob) = line();
    let contact = format!("<sip:bob@{}>", bob.addr);
    let route = format!("Route: {contact}");
    let to = Phone::aor("bob");
    let head = Head { to: &to, to_tag: Some("b1"), tag: "a1", call_id: "call-1", extra: &[&route] };
    stage.packet(alice.addr, alice.write("BYE", "sip:192.0.2.1:5060;lr", &head, ("", "")));
    let sent = stage.request(bob.addr);
    assert_eq!(sent.uri(), contact.trim_matches(['<', '>']));
    assert_eq!(sent.first(Name::Route), None);
    answer(&mut stage, &bob, &sent, 200);
    assert_eq!(stage.response(alice.addr).status(), 200);
}

#[test]
fn a_maddr_of_ours_changes_nothing_and_another_one_is_not_followed() {
    for (uri, status) in [
        ("sip:bob@example.org;maddr=192.0.2.1", None),
        ("sip:bob@example.org:5060;transport=udp;maddr=example.org", None),
        ("sip:bob@example.org;maddr=203.0.113.9", Some(403)),
        ("sip:bob@example.org:5062;maddr=192.0.2.1", Some(403)),
    ] {
        let (mut stage, mut alice, bob) = line();
        let text = to_bob(&mut alice, "INVITE", &[]);
        stage.packet(alice.addr, text.replace("sip:bob@example.org SIP", &format!("{uri} SIP")));
        match status {
            Some(status) => assert_eq!(stage.response(alice.addr).status(), status, "{uri}"),
            None => {
                assert_eq!(stage.request(bob.addr).uri(), format!("sip:bob@{}", bob.addr), "{uri}");
            }
        }
        stage.silent(bob.addr);
        stage.silent("203.0.113.9:5060".parse().expect("an address"));
    }
}

#[test]
fn the_request_uri_is_canonicalised_before_bindings_are_looked_up() {
    for uri in ["sip:%62o%62@EXAMPLE.org", "sip:bob@example.org:5060;x=1", "SIP:bob@example.org"] {
        let (mut stage, mut alice, bob) = line();
        let text = to_bob(&mut alice, "INVITE", &[]);
        stage.packet(alice.addr, text.replace("sip:bob@example.org SIP", &format!("{uri} SIP")));
        assert_eq!(stage.request(bob.addr).uri(), format!("sip:bob@{}", bob.addr), "{uri}");
    }
}

#[test]
fn a_target_is_tried_once_however_often_it_was_registered() {
    let (mut stage, mut alice, mut bob) = line();
    assert_eq!(bob.register(&mut stage, 600).status(), 200);
    let to = Phone::aor("bob");
    let head = Head { to: &to, to_tag: None, tag: "r", call_id: "other", extra: &[] };
    let again = bob.write("REGISTER", "sip:example.org", &head, ("", ""));
    stage.packet(bob.addr, again.replace("<sip:bob@198", "<SIP:%62ob@198"));
    assert_eq!(stage.response(bob.addr).status(), 200);
    stage.packet(alice.addr, to_bob(&mut alice, "INVITE", &[]));
    assert_eq!(stage.request(bob.addr).method(), Method::Invite);
    stage.silent(bob.addr);
}

/// Somebody else's resource has one target, itself, and that only by a route through us.
#[test]
fn a_foreign_request_uri_is_neither_looked_up_nor_changed() {
    let (mut stage, mut alice, bob) = line();
    let other = second_phone(&mut stage);
    let to = "sip:bob@203.0.113.9";
    let head = Head { to, to_tag: None, tag: "a1", call_id: "call-1", extra: &[] };
    stage.packet(alice.addr, alice.write("INVITE", to, &head, SDP));
    assert_eq!(stage.response(alice.addr).status(), 403);
    let route = ["Route: <sip:192.0.2.1:5060;lr>"];
    let head = Head { extra: &route, ..head };
    stage.packet(alice.addr, alice.write("INVITE", to, &head, SDP));
    let sent = stage.request("203.0.113.9:5060".parse().expect("an address"));
    assert_eq!(sent.uri(), to);
    stage.silent(bob.addr);
    stage.silent(other.addr);
}

#[test]
fn no_branch_is_added_after_a_decline() {
    let (mut stage, mut alice, bob) = line();
    let other = second_phone(&mut stage);
    stage.packet(alice.addr, to_bob(&mut alice, "INVITE", &[]));
    let (here, there) = (stage.request(bob.addr), stage.request(other.addr));
    answer(&mut stage, &other, &there, 180);
    answer(&mut stage, &bob, &here, 603);
    let mut third = Phone::new("bob", 5072);
    assert_eq!(third.register(&mut stage, 600).status(), 200);
    assert_eq!(stage.request(other.addr).method(), Method::Cancel);
    answer(&mut stage, &other, &there, 487);
    assert_eq!([(); 2].map(|()| stage.response(alice.addr).status()), [180, 603]);
    stage.silent(third.addr);
}

/// A sips contact asks for TLS, and nothing for it goes out without.
#[test]
fn a_sips_contact_is_not_reached_over_udp() {
    let (mut stage, mut alice, bob) = line();
    let mut secure = Phone::new("bob", 5071);
    let to = Phone::aor("bob");
    let head = Head { to: &to, to_tag: None, tag: "r", call_id: "other", extra: &[] };
    let text = secure.write("REGISTER", "sip:example.org", &head, ("", ""));
    stage.packet(secure.addr, text.replace("<sip:bob@198", "<SIPS:bob@198"));
    assert_eq!(stage.response(secure.addr).status(), 200);
    for method in ["INVITE", "MESSAGE"] {
        stage.packet(alice.addr, to_bob(&mut alice, method, &[]));
        assert_eq!(stage.request(bob.addr).method_text(), method);
        stage.silent(secure.addr);
    }
}
