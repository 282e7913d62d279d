//! One owner for everything that belongs together.

use super::Slot;
use crate::message::{Aor, Message};
use crate::mint::Id;
use crate::transaction::Branch;

fn message(start: &str, to: &str, branch: &str, method: &str) -> Message {
    let text = format!(
        "{start}\r\nVia: SIP/2.0/UDP a.org;branch={branch}\r\nFrom: <sip:carol@x.org>;tag=1\r\n\
         To: {to}\r\nCall-ID: c\r\nCSeq: 1 {method}\r\n\r\n"
    );
    Message::parse(text.into()).expect("a message")
}

fn request(method: &str, uri: &str, to: &str) -> Slot {
    Slot::route(&message(&format!("{method} {uri} SIP/2.0"), to, "z9hG4bKx", method))
}

#[test]
fn all_that_concerns_alice_meets_in_one_slot() {
    let alice = Slot::of_aor(&Aor::new("alice", "x.org"));
    assert_eq!(request("PUBLISH", "sip:alice@x.org", "<sip:bob@x.org>"), alice);
    assert_eq!(request("SUBSCRIBE", "sips:%61lice@X.org:5060;gr=1", "<sip:bob@x.org>"), alice);
    assert_eq!(request("REGISTER", "sip:x.org", "\"A\" <sip:alice@x.org>"), alice);
    assert_ne!(request("REGISTER", "sip:alice@x.org", "<sip:bob@x.org>"), alice);
    assert_eq!(Slot::of_user("%61lice"), alice);
}

#[test]
fn a_strict_router_does_not_hide_whom_a_request_is_for() {
    let slot = |uri: &str, route: &str| {
        request("BYE", uri, &format!("<sip:x@x.org>;tag=1\r\nRoute: <sip:c@x.org;lr>, {route}"))
    };
    let alice = Slot::of_user("alice");
    assert_eq!(slot("sip:192.0.2.1:5060;lr", "<sip:alice@192.0.2.7>"), alice);
    assert_eq!(slot("sip:192.0.2.1:5060;lr", "<sip:192.0.2.7>"), Slot::of_user(""));
    assert_eq!(slot("sip:192.0.2.1:5060", "<sip:alice@192.0.2.7>"), Slot::of_user(""));
    assert_eq!(slot("sip:alice@192.0.2.1:5060;lr", "<sip:bob@192.0.2.7>"), alice);
}

#[test]
fn what_concerns_nobody_has_a_slot_too() {
    let nobody = Slot::of_user("");
    assert_eq!(request("OPTIONS", "sip:x.org", "<sip:bob@x.org>"), nobody);
    assert_eq!(request("OPTIONS", "tel:+4930", "<sip:bob@x.org>"), nobody);
    assert_eq!(request("REGISTER", "sip:x.org", "isbn:2983792873"), nobody);
}

#[test]
fn an_answer_returns_to_the_slot_in_our_branch() {
    let branch = Branch { slot: Slot(0xabc), id: Id(7) }.to_string();
    let answer = |branch: &str| {
        Slot::route(&message("SIP/2.0 200 OK", "<sip:b@x.org>;tag=2", branch, "NOTIFY"))
    };
    assert_eq!(answer(&branch), Slot(0xabc));
    assert_eq!(answer("z9hG4bKforeign"), Slot::default());
}

#[test]
fn every_slot_is_below_the_count() {
    for user in 0..1000 {
        assert!(Slot::of_user(&user.to_string()).0 < Slot::COUNT);
    }
    let wild = Branch { slot: Slot(0xfff), id: Id(1) };
    assert!(Branch::parse(&wild.to_string()).is_some_and(|branch| branch.slot.0 < Slot::COUNT));
}
