//! What a forwarded copy says (P45, RFC 3261 §16.6, RFC 5393).

use super::super::rewrite::Plan;
use super::super::rig::{Rig, SERVER, bob, message, peer, request, to_bob};
use crate::message::{Method, Name, Request};
use crate::server::relay::{Target, arrived_by_route};
use crate::slot::Slot;
use crate::transaction::Branch;

fn copy(rig: &Rig, request: &Request) -> Request {
    let plan = Plan::initial(&rig.config, request);
    let target = Target { uri: "sip:bob@192.0.2.11:5060", peer: peer("desk") };
    let branch = plan.branch(&rig.config, Slot::of_aor(&bob()), request, target.uri);
    let bytes = plan.copy(&rig.config, request, peer("alice"), &target, branch, 60);
    super::super::rig::request(std::str::from_utf8(&bytes).unwrap())
}

#[test]
fn the_copy_differs_in_what_a_proxy_may_change_and_in_nothing_else() {
    let mut rig = Rig::new(&["desk"]);
    rig.alice(&to_bob(
        "MESSAGE",
        1,
        "Route: <sip:192.0.2.100:5060;lr>\n\
         Proxy-Authorization: Digest username=\"alice\", realm=\"example.org\", nonce=\"n\"\n\
         X-Unknown: kept\n",
        "hello",
    ));
    let copy = rig.got("desk", Method::Message);
    insta::assert_snapshot!(String::from_utf8_lossy(copy.bytes()).replace("\r\n", "\n"));
    assert_eq!(
        Branch::parse(copy.via().unwrap().branch.unwrap()).unwrap().slot,
        Slot::of_aor(&bob())
    );
}

#[test]
fn max_forwards_goes_down_and_is_added_when_absent() {
    let rig = Rig::new(&[]);
    let hops = |text: &str| {
        let text =
            String::from_utf8_lossy(message(1, "x").bytes()).replace("Max-Forwards: 70\r\n", text);
        copy(&rig, &request(&text)).seconds(Name::MaxForwards)
    };
    assert_eq!(hops("Max-Forwards: 70\r\n"), Some(69));
    assert_eq!(hops("Max-Forwards: 1\r\n"), Some(0));
    assert_eq!(hops(""), Some(70));
}

#[test]
fn our_own_routes_are_taken_off_whatever_they_call_us() {
    let rig = Rig::new(&[]);
    for (route, rest) in [
        ("<sip:192.0.2.100:5060;lr>", vec![]),
        ("<sip:192.0.2.100;lr>", vec![]),
        ("<sip:example.org;lr>", vec![]),
        ("<sip:EXAMPLE.org:5060;lr>", vec![]),
        ("<sip:192.0.2.100;lr>, <sip:198.51.100.1;lr>", vec![]),
        ("<sip:192.0.2.100;lr>, <sip:other.org;lr>", vec!["<sip:other.org;lr>"]),
        (
            "<sip:192.0.2.100;lr>, <sip:198.51.100.1;lr>, <sip:other.org;lr>, <sip:192.0.2.100;lr>",
            vec!["<sip:other.org;lr>", "<sip:192.0.2.100;lr>"],
        ),
        ("<sip:other.org;lr>", vec!["<sip:other.org;lr>"]),
        ("<sip:192.0.2.100:5062;lr>", vec!["<sip:192.0.2.100:5062;lr>"]),
    ] {
        let request = to_bob("MESSAGE", 1, &format!("Route: {route}\n"), "x");
        let copy = copy(&rig, &request);
        assert_eq!(copy.list(Name::Route).collect::<Vec<_>>(), rest, "{route}");
        assert_eq!(arrived_by_route(&rig.config, &request), rest.first() != Some(&route));
    }
}

#[test]
fn credentials_for_our_realm_go_no_further_and_others_do() {
    let rig = Rig::new(&[]);
    let ours = "Digest username=\"alice\", Realm=\"example.org\", nonce=\"n\"";
    let other = "Digest username=\"alice\", realm=\"example.org.uk\", nonce=\"n\"";
    for name in ["Authorization", "Proxy-Authorization"] {
        let both = to_bob("MESSAGE", 1, &format!("{name}: {ours}\n{name}: {other}\n"), "x");
        let copy = copy(&rig, &both);
        assert_eq!(copy.lines(Name::of(name)).collect::<Vec<_>>(), [other]);
    }
    let foreign = to_bob("MESSAGE", 1, &format!("Authorization: {other}\n"), "x");
    assert_eq!(copy(&rig, &foreign).first(Name::Authorization), Some(other));
}

#[test]
fn record_route_is_for_initial_invites_and_only_where_configured() {
    let mut rig = Rig::new(&[]);
    let invite = to_bob("INVITE", 1, "Record-Route: <sip:edge.org;lr>\n", "offer");
    assert_eq!(copy(&rig, &invite).list(Name::RecordRoute).count(), 1);
    rig.config.record_route = true;
    let ours = format!("<sip:{SERVER};lr>");
    let routes = copy(&rig, &invite);
    let routes: Vec<_> = routes.list(Name::RecordRoute).collect();
    assert_eq!(routes, [ours.as_str(), "<sip:edge.org;lr>"]);
    assert_eq!(copy(&rig, &message(1, "x")).list(Name::RecordRoute).count(), 0);
}

#[test]
fn an_invite_between_two_listeners_records_both_the_far_side_on_top() {
    let mut rig = Rig::new(&[]);
    rig.config.record_route = true;
    let invite = to_bob("INVITE", 1, "", "offer");
    let plan = Plan::initial(&rig.config, &invite);
    let far = crate::machine::Peer { listener: 1, ..peer("desk") };
    let target = Target { uri: "sip:bob@192.0.2.11", peer: far };
    let branch = plan.branch(&rig.config, Slot(1), &invite, target.uri);
    let bytes = plan.copy(&rig.config, &invite, peer("alice"), &target, branch, 60);
    let copy = request(std::str::from_utf8(&bytes).unwrap());
    let routes: Vec<_> = copy.list(Name::RecordRoute).collect();
    assert_eq!(routes, ["<sip:198.51.100.1:5060;lr>", "<sip:192.0.2.100:5060;lr>"]);
    assert_eq!(copy.via().unwrap().sent_by, "198.51.100.1:5060");
}

#[test]
fn the_source_is_noted_for_a_sender_behind_a_nat() {
    let rig = Rig::new(&[]);
    let text = String::from_utf8_lossy(message(1, "x").bytes())
        .replace("UDP 192.0.2.1:5060", "UDP 10.0.0.5:5060;rport;received=203.0.113.9");
    let copy = copy(&rig, &request(&text));
    let below = copy.vias().nth(1).unwrap().unwrap();
    assert_eq!(below.params.raw("received"), Some("192.0.2.1"));
    assert_eq!(below.params.raw("rport"), Some("5060"));
    assert_eq!(below.sent_by, "10.0.0.5:5060");
}

#[test]
fn a_request_that_comes_back_unchanged_is_a_loop() {
    let mut rig = Rig::new(&["desk"]);
    rig.alice(&message(1, "hello"));
    // The device sends it to bob's AOR again, as a proxy would that knows no better.
    let came = String::from_utf8_lossy(rig.got("desk", Method::Message).bytes())
        .replace("MESSAGE sip:bob@192.0.2.11:5060", "MESSAGE sip:bob@example.org")
        .replace(
            "Via: SIP/2.0/UDP 192.0.2.100",
            "Via: SIP/2.0/UDP 192.0.2.11;branch=z9hG4bK-d\nVia: SIP/2.0/UDP 192.0.2.100",
        );
    rig.alice(&request(&came));
    assert_eq!(rig.finals(), [482]);
}

#[test]
fn a_request_that_comes_back_for_somebody_else_is_a_spiral() {
    let mut rig = Rig::new(&["desk"]);
    rig.alice(&message(1, "hello"));
    let came = String::from_utf8_lossy(rig.got("desk", Method::Message).bytes())
        .replace("MESSAGE sip:bob@192.0.2.11:5060", "MESSAGE sip:carol@example.org");
    let plan = Plan::initial(&rig.config, &request(&came));
    assert!(!plan.is_loop(&rig.config, &request(&came)));
}

#[test]
fn breadth_is_shared_between_the_copies_and_its_end_is_440() {
    let mut rig = Rig::new(&["desk", "cell"]);
    rig.alice(&message(1, "hello"));
    assert_eq!(rig.got("desk", Method::Message).seconds(Name::MaxBreadth), Some(30));
    rig.alice(&to_bob("MESSAGE", 2, "Max-Breadth: 5\n", "x"));
    let copy = rig.got("cell", Method::Message);
    assert_eq!(copy.lines(Name::MaxBreadth).collect::<Vec<_>>(), ["2"]);
    rig.alice(&to_bob("MESSAGE", 3, "Max-Breadth: 1\n", "x"));
    assert_eq!(rig.finals(), [440]);
}

#[test]
fn copies_of_one_request_have_branches_of_their_own_and_a_retransmission_the_same() {
    let rig = Rig::new(&[]);
    let (one, two) = (message(1, "x"), message(2, "x"));
    let plan = Plan::initial(&rig.config, &one);
    let [desk, cell] = ["desk", "cell"].map(Rig::contact);
    let branch = |request: &Request, to: &str| {
        Plan::initial(&rig.config, request).branch(&rig.config, Slot(1), request, to)
    };
    assert_ne!(branch(&one, &desk), branch(&one, &cell));
    assert_ne!(branch(&one, &desk), branch(&two, &desk));
    assert_eq!(branch(&one, &desk), plan.branch(&rig.config, Slot(1), &message(1, "x"), &desk));
}

/// Otherwise the device would take what it had before the crash for the same request by another
/// path, and answer 482 to what it has shown.
#[test]
fn a_copy_that_is_forwarded_again_after_a_crash_has_its_branch_whoever_left_meanwhile() {
    let mut rig = Rig::new(&["desk", "cell"]);
    rig.alice(&message(1, "hello"));
    let branch = |rig: &Rig| {
        let copy = rig.got("cell", Method::Message);
        copy.via().unwrap().branch.unwrap().to_owned()
    };
    let before = branch(&rig);
    rig.crash();
    rig.unbind("desk");
    rig.alice(&message(1, "hello"));
    assert_eq!(branch(&rig), before);
}

/// A CANCEL or ACK that is forwarded without a transaction has the branch of its INVITE.
#[test]
fn the_branch_does_not_depend_on_the_method() {
    let rig = Rig::new(&[]);
    let [invite, cancel, ack] = ["INVITE", "CANCEL", "ACK"].map(|method| {
        let request = to_bob(method, 1, "", "");
        Plan::in_dialog(&rig.config, &request).branch(&rig.config, Slot(1), &request, "sip:x")
    });
    assert_eq!([cancel, ack], [invite, invite]);
}
