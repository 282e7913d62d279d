//! What RFC 3261 §14.1, §15 asks of calls in the corners: order, copies, and who may say what when.

use super::calls::*;
use super::rig::*;
use crate::agent::negotiation::answer;
use crate::agent::{CallId, CallPhase, Command};
use crate::body::sdp::{Description, Direction, SDP};
use crate::message::{Method, Name};

/// §13.2.1: the first description is the answer, whatever copies of the 2xx say.
#[test]
fn a_copy_of_the_answer_that_says_something_else_changes_nothing() {
    let (mut scene, invite) = up();
    scene.forget();
    let copy = String::from_utf8(ok(&invite, "b1").to_vec()).expect("text");
    scene.hear(copy.replace("40000", "50000").into());
    assert_eq!(scene.repeated().len(), 1, "the ACK again");
    assert!(scene.events().is_empty(), "the flows stay as they are");
}

/// §12.1.2, §13.2.2.4: the route set comes from the 2xx, for its ACK and for what follows.
#[test]
fn the_routes_of_the_2xx_are_those_of_the_call() {
    let mut scene = scene();
    let invite = called(&mut scene);
    scene.answer(&invite, 180, &[(Name::RecordRoute, "<sip:192.0.2.1:5070;lr>")]);
    let theirs = Description::parse(&invite.body()).expect("alice offers");
    let routes = "<sip:192.0.2.2;lr>, <sip:192.0.2.1;lr>";
    let mut reply = scene.draft_answer(&invite, 200, &[(Name::RecordRoute, routes)]);
    reply.header(Name::Contact, &format!("<sip:bob@{BOB_HOST}>"));
    let said = answer(&theirs, &abilities(20), origin()).answer;
    scene.hear(reply.finish_with(SDP, &said.write()));
    let ack = scene.expect(Method::Ack);
    let routes: Vec<&str> = ack.list(Name::Route).collect();
    assert_eq!(routes.join(", "), "<sip:192.0.2.1;lr>, <sip:192.0.2.2;lr>");
    assert_eq!(ack.uri(), format!("sip:bob@{BOB_HOST}"));
    assert_eq!(ack.first(Name::Require), None, "§8.2.2.3");
    scene.say(Command::Hangup { call: CallId(1) });
    assert_eq!(scene.expect(Method::Bye).list(Name::Route).count(), routes.len());
}

/// §13.3.1.1: one dialog, however often it rings, and no description in it.
#[test]
fn every_provisional_answer_names_the_same_dialog() {
    let mut scene = scene();
    rung(&mut scene, Some(&bobs_offer()));
    let first = scene.expect_answer();
    assert!(first.body().is_empty());
    let tag = first.to().unwrap().tag().map(str::to_owned);
    assert!(tag.is_some());
    scene.forget();
    scene.pass(secs(61));
    for again in scene.repeated() {
        assert_eq!(again.headers().to().unwrap().tag().map(str::to_owned), tag);
    }
    scene.pass(secs(120));
    assert_eq!(scene.expect_answer().to().unwrap().tag().map(str::to_owned), tag);
}

/// §14.1: one INVITE at a time.
#[test]
fn a_change_waits_for_the_change_before_it() {
    let (mut scene, _) = up();
    scene.forget();
    let hold = Command::Hold { call: CallId(1), hold: true };
    scene.say(hold.clone());
    scene.expect(Method::Invite);
    scene.say(hold.clone());
    scene.expect_silence();

    let (mut scene, _) = answered();
    scene.say(hold);
    scene.expect_silence();
}

/// §14.1: what was agreed on stays when a change is refused.
#[test]
fn a_refused_change_changes_nothing() {
    let (mut scene, _) = up();
    scene.forget();
    scene.say(Command::Hold { call: CallId(1), hold: true });
    let invite = scene.expect(Method::Invite);
    scene.answer(&invite, 488, &[]);
    scene.expect(Method::Ack);
    let calls = scene.events();
    assert!(!calls.iter().any(|event| matches!(event, crate::agent::Event::Call { .. })));
    scene.say(Command::Hangup { call: CallId(1) });
    scene.expect(Method::Bye);
}

/// §14.2: a second INVITE before the first is through.
#[test]
fn an_invite_on_top_of_another_is_sent_away_for_a_while() {
    let (mut scene, first) = answered();
    let change = |cseq| reaction(&first, "INVITE", cseq).finish_with(SDP, &bobs_offer().write());
    scene.hear_from(BOB_HOST, change(2));
    let answer = scene.expect_answer();
    assert_eq!(answer.status(), 500);
    assert!(answer.seconds(Name::RetryAfter).is_some_and(|wait| wait <= 10));

    let mut scene = ringing();
    let ringing = scene.expect_answer();
    let change = reaction(&ringing, "INVITE", 2).finish_with(SDP, &bobs_offer().write());
    scene.hear_from(BOB_HOST, change);
    let answer = scene.expect_answer();
    assert_eq!((answer.status(), answer.seconds(Name::RetryAfter).is_some()), (500, true));
}

/// §14.2: asked for an offer within a call, we offer what is agreed on.
#[test]
fn an_offer_within_the_call_overlaps_with_what_flows() {
    let (mut scene, invite) = up();
    scene.forget();
    scene.hear_from(BOB_HOST, of_bob(&invite, "INVITE", 1).finish());
    let ok = scene.expect_answer();
    let offer = Description::parse(&ok.body()).expect("an offer");
    let before = Description::parse(&invite.body()).expect("the first offer");
    assert_eq!(offer.streams[0].codecs, before.streams[0].codecs);
    assert_eq!((offer.streams[0].port, offer.origin.version), (40_000, 2));
    let mut held = answer(&offer, &abilities(20), origin()).answer;
    held.streams[0].direction = Direction::SendOnly;
    let ack = of_bob(&invite, "ACK", 1).finish_with(SDP, &held.write());
    scene.hear_from(BOB_HOST, ack);
    assert_eq!(told(&mut scene).1[0].direction, Direction::RecvOnly);
}

/// §15: before the ACK a callee says no BYE; the user is rid of the call at once.
#[test]
fn who_answers_and_hangs_up_at_once_waits_for_the_ack() {
    let (mut scene, ok) = answered();
    scene.say(Command::Hangup { call: CallId(1) });
    assert_eq!(told(&mut scene).0, CallPhase::Ended);
    scene.expect_silence();
    scene.hear_from(BOB_HOST, reaction(&ok, "ACK", 1).finish());
    let bye = scene.expect(Method::Bye);
    scene.answer(&bye, 200, &[]);
    assert!(scene.events().is_empty(), "it ended once");
    assert_eq!(scene.agent.sizes().calls, 0);

    let (mut scene, _) = answered();
    scene.say(Command::Hangup { call: CallId(1) });
    told(&mut scene);
    scene.pass(secs(33));
    scene.expect(Method::Bye);
    assert!(scene.events().is_empty(), "nor when no ACK came");
}

/// §15: in an early dialog the callee has no BYE, only a refusal.
#[test]
fn who_does_not_want_to_answer_refuses() {
    let mut scene = scene();
    rung(&mut scene, Some(&bobs_offer()));
    scene.forget();
    let call = CallId(1);
    scene.say(Command::Hangup { call });
    assert_eq!(scene.expect_status(), 486);
    assert_eq!(scene.agent.sizes().calls, 0);
}

/// §15.1.1: the dialog is over, whatever becomes of the BYE.
#[test]
fn a_bye_without_a_good_answer_ends_the_call_all_the_same() {
    for status in [481, 408] {
        let (mut scene, _) = up();
        scene.forget();
        scene.say(Command::Hangup { call: CallId(1) });
        let bye = scene.expect(Method::Bye);
        scene.answer(&bye, status, &[]);
        assert_eq!(scene.agent.sizes().calls, 0, "{status}");
    }
    let (mut scene, _) = up();
    scene.forget();
    scene.say(Command::Hangup { call: CallId(1) });
    scene.pass(secs(33));
    assert_eq!(scene.agent.sizes().calls, 0, "no answer");
}

/// §15.1.2: a BYE in the early dialog is answered, and so is the INVITE that waits.
#[test]
fn a_bye_before_the_answer_ends_the_invite_too() {
    let mut scene = scene();
    rung(&mut scene, Some(&bobs_offer()));
    let ringing = scene.expect_answer();
    scene.hear_from(BOB_HOST, reaction(&ringing, "BYE", 2).finish());
    let mut statuses = [scene.expect_status(), scene.expect_status()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 487]);
    assert_eq!(told(&mut scene).0, CallPhase::Ended);
}

/// §12.2.1.1: the BYE of somebody whose change is not answered yet has a number of its own; with
/// that of the change it would be refused, and the other side would stay in the call.
#[test]
fn who_hangs_up_before_a_hold_is_answered_says_so_under_the_next_number() {
    let (mut scene, _) = up();
    scene.forget();
    scene.say(Command::Hold { call: CallId(1), hold: true });
    let change = scene.expect(Method::Invite);
    scene.say(Command::Hangup { call: CallId(1) });
    let bye = scene.expect(Method::Bye);
    let number = |request: &crate::message::Request| request.cseq().unwrap().number;
    assert_eq!(number(&bye), number(&change) + 1);
    let late = ok(&change, "b1");
    scene.hear(late);
    assert_eq!(number(&scene.expect(Method::Ack)), number(&change));
    scene.expect_silence();
}

/// §13.2.2.4: a copy of the answer to a call that is over is acknowledged, and ended no second
/// time.
#[test]
fn a_copy_of_the_answer_after_the_end_is_only_acknowledged() {
    let (mut scene, invite) = up();
    scene.say(Command::Hangup { call: CallId(1) });
    let bye = scene.expect(Method::Bye);
    for answered in [false, true] {
        if answered {
            scene.answer(&bye, 200, &[]);
        }
        scene.forget();
        let copy = ok(&invite, "b1");
        scene.hear(copy);
        assert_eq!(scene.expect(Method::Ack).cseq().unwrap().number, 1);
        scene.expect_silence();
    }
    assert_eq!(scene.agent.sizes().calls, 0);
}
