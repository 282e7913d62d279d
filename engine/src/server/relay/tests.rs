//! Scenes of the proxy.

mod copies;
mod strict;
mod table;

use super::rig::{Rig, message, peer, to_bob};
use crate::message::{Method, Name, Request};
use crate::server::relay::Outcome;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

fn invite() -> Request {
    to_bob("INVITE", 1, "", "offer")
}

fn cancel() -> Request {
    to_bob("CANCEL", 1, "", "")
}

#[test]
fn a_message_is_relayed_and_its_answer_returned() {
    let mut rig = Rig::new(&["desk"]);
    rig.alice(&message(1, "hello"));
    rig.answer("desk", Method::Message, 200);
    insta::assert_snapshot!(rig.ladder());
    assert_eq!(rig.relays.len(), 0);
    assert!(rig.timers.is_empty());
    let answer = &rig.answers[0];
    assert_eq!(answer.vias().count(), 1);
    assert_eq!(answer.via().unwrap().branch, Some("z9hG4bK-a1"));
}

#[test]
fn one_device_that_takes_a_message_is_enough() {
    for order in [["desk", "cell"], ["cell", "desk"]] {
        let mut rig = Rig::new(&["desk", "cell"]);
        rig.alice(&message(1, "hello"));
        for device in order {
            let status = if device == "desk" { 200 } else { 480 };
            rig.answer(device, Method::Message, status);
        }
        rig.wait(60 * SECOND);
        assert_eq!(rig.finals(), [200]);
        assert_eq!(rig.inbox.len(), 0);
        assert_eq!(rig.relays.len(), 0);
    }
}

#[test]
fn of_two_200_to_a_message_only_the_first_is_forwarded() {
    let mut rig = Rig::new(&["desk", "cell"]);
    rig.alice(&message(1, "hello"));
    rig.answer("cell", Method::Message, 200);
    rig.answer("desk", Method::Message, 200);
    assert_eq!(rig.finals(), [200]);
}

#[test]
fn a_forked_invite_rings_everywhere_and_the_first_answer_ends_the_others() {
    let mut rig = Rig::new(&["desk", "cell", "tablet"]);
    rig.alice(&invite());
    rig.answer("desk", Method::Invite, 180);
    rig.answer("cell", Method::Invite, 486);
    rig.answer("tablet", Method::Invite, 180);
    rig.answer("desk", Method::Invite, 200);
    rig.answer("tablet", Method::Cancel, 200);
    rig.answer("tablet", Method::Invite, 487);
    insta::assert_snapshot!(rig.ladder());
    assert_eq!(rig.finals(), [200]);
    assert!(!rig.has("cell", Method::Cancel), "it has answered already");
    assert!(!rig.has("desk", Method::Cancel), "it is the one that answered");
    assert_eq!(rig.relays.len(), 0);
    assert!(rig.timers.is_empty());
}

#[test]
fn both_200_of_a_forked_invite_reach_the_caller_and_so_do_their_copies() {
    let mut rig = Rig::new(&["desk", "cell"]);
    rig.alice(&invite());
    rig.answer("desk", Method::Invite, 200);
    rig.answer("cell", Method::Invite, 200);
    rig.answer("desk", Method::Invite, 200);
    let tags: Vec<_> = rig.answers.iter().map(|answer| answer.to().unwrap().tag()).collect();
    assert_eq!(tags, [Some("desk"), Some("cell"), Some("desk")]);
}

#[test]
fn cancel_is_passed_to_every_branch_that_has_not_answered() {
    let mut rig = Rig::new(&["desk", "cell"]);
    rig.alice(&invite());
    rig.answer("desk", Method::Invite, 180);
    rig.alice(&cancel());
    assert!(rig.has("desk", Method::Cancel));
    assert!(!rig.has("cell", Method::Cancel), "CANCEL waits for a provisional");
    rig.answer("desk", Method::Invite, 487);
    rig.answer("cell", Method::Invite, 180);
    assert!(rig.has("cell", Method::Cancel));
    rig.answer("cell", Method::Invite, 487);
    insta::assert_snapshot!(rig.ladder());
    assert_eq!(rig.finals(), [487]);
    assert_eq!(rig.relays.len(), 0);
}

#[test]
fn a_200_that_crosses_the_cancel_wins() {
    let mut rig = Rig::new(&["desk"]);
    rig.alice(&invite());
    rig.answer("desk", Method::Invite, 180);
    rig.alice(&cancel());
    rig.answer("desk", Method::Invite, 200);
    assert_eq!(rig.finals(), [200]);
    rig.wait(60 * SECOND);
    assert_eq!(rig.finals(), [200]);
}

#[test]
fn a_cancelled_branch_that_stays_silent_counts_as_487() {
    let mut rig = Rig::new(&["desk"]);
    rig.alice(&invite());
    rig.answer("desk", Method::Invite, 180);
    rig.alice(&cancel());
    rig.wait(31 * SECOND);
    assert_eq!(rig.finals(), []);
    rig.wait(SECOND);
    assert_eq!(rig.finals().first(), Some(&487));
    assert_eq!(rig.relays.len(), 0);
}

#[test]
fn a_decline_for_all_cancels_the_others_and_is_the_answer() {
    let mut rig = Rig::new(&["desk", "cell"]);
    rig.alice(&invite());
    rig.answer("cell", Method::Invite, 180);
    rig.answer("desk", Method::Invite, 603);
    assert_eq!(rig.finals(), []);
    rig.answer("cell", Method::Invite, 487);
    assert_eq!(rig.finals(), [603]);
}

#[test]
fn an_invite_that_rings_for_ever_is_cancelled_by_timer_c() {
    let mut rig = Rig::new(&["desk"]);
    rig.alice(&invite());
    rig.answer("desk", Method::Invite, 180);
    rig.wait(170 * SECOND);
    rig.answer("desk", Method::Invite, 180);
    rig.wait(170 * SECOND);
    assert!(!rig.has("desk", Method::Cancel), "a provisional starts Timer C anew");
    rig.wait(11 * SECOND);
    assert!(rig.has("desk", Method::Cancel));
    rig.wait(32 * SECOND);
    assert_eq!(rig.finals().first(), Some(&408));
    assert_eq!(rig.relays.len(), 0);
    assert!(rig.timers.is_empty());
}

#[test]
fn an_invite_that_nobody_answers_gets_408() {
    let mut rig = Rig::new(&["desk", "cell"]);
    rig.alice(&invite());
    rig.wait(32 * SECOND);
    assert_eq!(rig.finals().first(), Some(&408));
}

#[test]
fn the_best_answer_is_chosen_when_all_branches_have_failed() {
    for (desk, cell, best) in [
        (486, 603, 603),
        (486, 302, 302),
        (404, 500, 404),
        (404, 420, 420),
        (486, 408, 486),
        (503, 500, 500),
        (503, 503, 500),
    ] {
        let mut rig = Rig::new(&["desk", "cell"]);
        rig.alice(&invite());
        rig.answer("desk", Method::Invite, desk);
        rig.answer("cell", Method::Invite, cell);
        assert_eq!(rig.finals(), [best], "of {desk} and {cell}");
    }
}

#[test]
fn the_challenges_of_all_branches_reach_the_caller() {
    let mut rig = Rig::new(&["desk", "cell"]);
    rig.alice(&invite());
    let desk = [(Name::WwwAuthenticate, "Digest realm=\"desk\", nonce=\"1\"")];
    let cell = [(Name::ProxyAuthenticate, "Digest realm=\"cell\", nonce=\"2\"")];
    rig.answer_with("desk", Method::Invite, 401, &desk);
    rig.answer_with("cell", Method::Invite, 407, &cell);
    let answer = rig.answers.last().unwrap();
    assert_eq!(answer.status(), 401);
    assert_eq!(answer.first(Name::WwwAuthenticate), Some(desk[0].1));
    assert_eq!(answer.first(Name::ProxyAuthenticate), Some(cell[0].1));
    assert_eq!(answer.vias().count(), 1);
}

#[test]
fn a_request_other_than_invite_never_gets_408() {
    let mut rig = Rig::new(&["desk"]);
    rig.alice(&to_bob("OPTIONS", 1, "", ""));
    rig.answer("desk", Method::Options, 408);
    rig.wait(60 * SECOND);
    assert_eq!(rig.finals(), []);
    assert_eq!(rig.relays.len(), 0);
}

#[test]
fn a_branch_that_cannot_be_reached_counts_as_503() {
    let mut rig = Rig::new(&["desk"]);
    rig.alice(&to_bob("OPTIONS", 1, "", ""));
    rig.lose("desk");
    assert_eq!(rig.finals(), [500]);
    assert_eq!(rig.relays.len(), 0);
}

#[test]
fn a_lost_ack_does_not_spoil_the_answer_of_its_branch() {
    let mut rig = Rig::new(&["desk", "cell"]);
    rig.alice(&invite());
    rig.answer("desk", Method::Invite, 486);
    rig.lose("desk");
    rig.answer("cell", Method::Invite, 404);
    assert_eq!(rig.finals(), [486]);
}

#[test]
fn a_request_for_somebody_without_devices_gets_480() {
    let mut rig = Rig::new(&[]);
    rig.alice(&invite());
    assert_eq!(rig.finals(), [480]);
}

#[test]
fn a_message_that_every_device_refuses_for_good_is_not_stored() {
    let mut rig = Rig::new(&["desk", "cell"]);
    rig.alice(&message(1, "<svg/>"));
    rig.answer("desk", Method::Message, 415);
    rig.answer("cell", Method::Message, 403);
    assert_eq!(rig.finals(), [415]);
    assert_eq!(rig.inbox.len(), 0);
}

#[test]
fn a_decline_of_a_message_is_forwarded_at_once() {
    let mut rig = Rig::new(&["desk", "cell"]);
    rig.alice(&message(1, "hello"));
    rig.answer("desk", Method::Message, 603);
    rig.answer("cell", Method::Message, 200);
    assert_eq!(rig.finals(), [603]);
    assert_eq!(rig.inbox.len(), 0);
}

#[test]
fn an_event_for_a_relay_that_is_over_does_nothing() {
    let mut rig = Rig::new(&["desk"]);
    rig.alice(&message(1, "hello"));
    rig.answer("desk", Method::Message, 200);
    let key = rig.key();
    let outcome = rig.with(|cx, relays, _, _| {
        relays.on_cancel(cx, key);
        relays.on_timer(cx, key)
    });
    assert_eq!(outcome, Outcome::Settled);
    assert_eq!(rig.finals(), [200]);
}

#[test]
fn requests_in_a_dialog_follow_the_route_and_the_ack_needs_no_transaction() {
    let mut rig = Rig::new(&[]);
    let desk = Rig::contact("desk");
    for method in ["ACK", "BYE"] {
        rig.alice(&super::rig::request(&format!(
            "{method} {desk} SIP/2.0\n\
             Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK-d{method}\n\
             Max-Forwards: 70\n\
             Route: <sip:192.0.2.100:5060;lr>\n\
             From: <sip:alice@example.org>;tag=al\n\
             To: <sip:bob@example.org>;tag=desk\n\
             Call-ID: call@alice\n\
             CSeq: 2 {method}\n\
             Content-Length: 0\n\n"
        )));
    }
    assert_eq!(rig.got("desk", Method::Ack).first(Name::Route), None);
    assert_eq!(rig.transactions.len().1, 1, "a client transaction for BYE, none for ACK");
    rig.answer("desk", Method::Bye, 200);
    insta::assert_snapshot!(rig.ladder());
    assert_eq!(rig.finals(), [200]);
}

#[test]
fn a_route_beyond_us_decides_before_the_request_uri() {
    let mut rig = Rig::new(&[]);
    rig.alice(&super::rig::request(
        "BYE sip:bob@192.0.2.11:5060 SIP/2.0\n\
         Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK-r\n\
         Max-Forwards: 70\n\
         Route: <sip:example.org;lr>, <sip:192.0.2.50:5070;lr>\n\
         From: <sip:alice@example.org>;tag=al\n\
         To: <sip:bob@example.org>;tag=desk\n\
         Call-ID: call@alice\n\
         CSeq: 2 BYE\n\
         Content-Length: 0\n\n",
    ));
    assert_eq!(rig.got("edge", Method::Bye).first(Name::Route), Some("<sip:192.0.2.50:5070;lr>"));
    assert!(!rig.has("desk", Method::Bye));
}

#[test]
fn a_dialog_whose_far_end_has_no_address_gets_404() {
    let mut rig = Rig::new(&[]);
    for target in
        ["sip:bob@phone.invalid", "sip:bob@192.0.2.100:5060", "sip:bob@192.0.2.11;transport=tcp"]
    {
        rig.answers.clear();
        rig.alice(&super::rig::request(&format!(
            "BYE {target} SIP/2.0\n\
             Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK-{}\n\
             Max-Forwards: 70\n\
             Route: <sip:192.0.2.100:5060;lr>\n\
             From: <sip:alice@example.org>;tag=al\n\
             To: <sip:bob@example.org>;tag=desk\n\
             Call-ID: call@alice\n\
             CSeq: 2 BYE\n\
             Content-Length: 0\n\n",
            target.len()
        )));
        assert_eq!(rig.finals(), [404], "{target}");
    }
}

#[test]
fn the_flow_of_a_binding_is_used_before_its_address() {
    let rig = Rig::new(&[]);
    let plan = super::rewrite::Plan::in_dialog(&rig.config, &invite());
    let known = Some(peer("edge"));
    assert_eq!(plan.next_hop(&rig.config, &invite(), peer("alice"), known), known);
    assert_eq!(plan.next_hop(&rig.config, &invite(), peer("alice"), None), None);
}
