//! Calls by INVITE (M6; RFC 3261 §15, RFC 3264).

use super::rig::*;
use crate::agent::negotiation::{Abilities, Ability, Flow, answer, offer};
use crate::agent::{CallId, CallPhase, Command, Event};
use crate::body::pidf::Codec;
use crate::body::sdp::{Description, Direction, Origin, SDP};
use crate::message::{Message, Method, Name, Request, Response, Writer};
use bytes::Bytes;

pub(super) fn codecs() -> Vec<Codec> {
    vec![Codec { pt: 0, rtpmap: "PCMU/8000".into(), fmtp: None }]
}

pub(super) fn abilities(host: u8) -> Abilities {
    let audio = Ability {
        media: "audio".into(),
        port: 40_000,
        codecs: codecs(),
        direction: Direction::SendRecv,
        key: None,
        plain: true,
    };
    Abilities { address: [192, 0, 2, host].into(), streams: vec![audio] }
}

pub(super) fn origin() -> Origin {
    let (username, session, address) = ("bob".into(), "7".into(), "192.0.2.20".into());
    Origin { username, session, version: 1, address }
}

pub(super) fn bobs_offer() -> Description {
    offer(&abilities(20), origin())
}

pub(super) fn scene() -> Scene {
    let mut scene = Scene::online();
    scene.config.media = vec![("audio".into(), codecs())];
    scene
}

/// Alice calls; her INVITE.
pub(super) fn called(scene: &mut Scene) -> Request {
    scene.say(Command::Call { target: bob(), abilities: abilities(10) });
    scene.expect(Method::Invite)
}

/// A 200 of bob's phone to an INVITE, in the dialog with this tag.
pub(super) fn ok(invite: &Request, tag: &str) -> Bytes {
    let theirs = Description::parse(&invite.body()).expect("alice offers");
    let mut reply =
        crate::message::Reply::new(invite, "192.0.2.10:5060".parse().unwrap(), 200, tag);
    reply.header(Name::Contact, &format!("<sip:bob@{BOB_HOST}>"));
    let said = answer(&theirs, &abilities(20), origin()).answer;
    reply.into_writer().finish_with(SDP, &said.write())
}

/// Alice calls and bob answers.
pub(super) fn up() -> (Scene, Request) {
    let mut scene = scene();
    let invite = called(&mut scene);
    let ok = ok(&invite, "b1");
    scene.hear(ok);
    scene.expect(Method::Ack);
    (scene, invite)
}

/// A request of bob's phone in the dialog of `invite`.
pub(super) fn of_bob(invite: &Request, method: &str, cseq: u32) -> Writer {
    let call_id = invite.call_id().unwrap().to_owned();
    let mine = invite.from().unwrap().tag().unwrap().to_owned();
    let branch = format!("z9hG4bKbob{cseq}{method}");
    let mut writer = Writer::request_text(method, "sip:alice@192.0.2.10:5060");
    writer.format(Name::Via, format_args!("SIP/2.0/UDP {BOB_HOST};branch={branch};rport"));
    writer.number(Name::MaxForwards, 70);
    writer.header(Name::From, "<sip:bob@example.org>;tag=b1");
    writer.format(Name::To, format_args!("<sip:alice@example.org>;tag={mine}"));
    writer.header(Name::CallId, &call_id);
    writer.format(Name::CSeq, format_args!("{cseq} {method}"));
    writer.header(Name::Contact, &format!("<sip:bob@{BOB_HOST}>"));
    writer
}

/// Bob calls; what his INVITE says beside what every request says.
pub(super) fn rung(scene: &mut Scene, body: Option<&Description>) -> Bytes {
    let contact = format!("<sip:bob@{BOB_HOST}>");
    let writer = scene.draft_request("INVITE", "call-of-bob", &[(Name::Contact, &contact)]);
    let bytes = match body {
        Some(body) => writer.finish_with(SDP, &body.write()),
        None => writer.finish(),
    };
    scene.hear(bytes.clone());
    bytes
}

/// Bob's ACK or BYE to alice's answer.
pub(super) fn reaction(ok: &Response, method: &str, cseq: u32) -> Writer {
    let mut writer = Writer::request_text(method, "sip:alice@192.0.2.10:5060");
    let branch = format!("z9hG4bKreact{cseq}{method}");
    writer.format(Name::Via, format_args!("SIP/2.0/UDP {BOB_HOST};branch={branch};rport"));
    writer.number(Name::MaxForwards, 70);
    writer.header(Name::From, ok.first(Name::From).unwrap());
    writer.header(Name::To, ok.first(Name::To).unwrap());
    writer.header(Name::CallId, ok.call_id().unwrap());
    writer.format(Name::CSeq, format_args!("{cseq} {method}"));
    writer
}

/// Phase, flows and status of the last thing that was told about a call.
pub(super) fn told(scene: &mut Scene) -> (CallPhase, Vec<Flow>, Option<u16>) {
    let calls = scene.events().into_iter().filter_map(|event| match event {
        Event::Call { phase, flows, status, .. } => Some((phase, flows, status)),
        _ => None,
    });
    calls.last().expect("something about a call")
}

pub(super) fn id(scene: &mut Scene) -> CallId {
    let call = scene.events().into_iter().find_map(|event| match event {
        Event::Call { call, .. } => Some(call),
        _ => None,
    });
    call.expect("a call")
}

/// Bob calls, and it rings.
pub(super) fn ringing() -> Scene {
    let mut scene = scene();
    rung(&mut scene, Some(&bobs_offer()));
    scene
}

/// Bob called, and alice has answered; her 200.
pub(super) fn answered() -> (Scene, Response) {
    let mut scene = ringing();
    assert_eq!(scene.expect_status(), 180);
    let call = id(&mut scene);
    scene.say(Command::Answer { call, abilities: abilities(10) });
    let ok = scene.expect_answer();
    (scene, ok)
}

mod m6 {
    use super::*;

    fn name(scene: &Scene) -> String {
        scene.agent.calls.state_name().into()
    }

    fn calling() -> Scene {
        let mut scene = scene();
        called(&mut scene);
        scene
    }

    fn cancelling() -> Scene {
        let mut scene = calling();
        answer_invite(&mut scene, 180);
        scene.say(Command::Hangup { call: CallId(1) });
        scene
    }

    fn unacknowledged() -> Scene {
        let (mut scene, invite) = up();
        let body = bobs_offer().write();
        let reinvite = of_bob(&invite, "INVITE", 1).finish_with(SDP, &body);
        scene.hear_from(BOB_HOST, reinvite);
        scene
    }

    fn parting() -> Scene {
        let mut scene = unacknowledged();
        scene.say(Command::Hangup { call: CallId(1) });
        scene
    }

    fn asking() -> Scene {
        let (mut scene, _) = up();
        scene.say(Command::Hold { call: CallId(1), hold: true });
        scene
    }

    fn collided() -> Scene {
        let mut scene = asking();
        answer_invite(&mut scene, 491);
        scene
    }

    fn leaving() -> Scene {
        let (mut scene, _) = up();
        scene.say(Command::Hangup { call: CallId(1) });
        scene
    }

    fn answer_invite(scene: &mut Scene, status: u16) {
        let Some(invite) = scene.last(Method::Invite) else { return };
        if status == 200 {
            let bytes = ok(&invite, "b1");
            return scene.hear(bytes);
        }
        scene.answer(&invite, status, &[]);
    }

    /// Bob's request in the dialog of the last INVITE, ours or his.
    fn in_dialog(scene: &mut Scene, method: &str, cseq: u32) {
        let body = bobs_offer().write();
        let writer = match (scene.last(Method::Invite), scene.agent.calls.state_name()) {
            (Some(invite), _) => of_bob(&invite, method, cseq),
            (None, _) => return,
        };
        let bytes = match method {
            "INVITE" => writer.finish_with(SDP, &body),
            _ => writer.finish(),
        };
        scene.hear_from(BOB_HOST, bytes);
    }

    const STATES: [StateRow; 9] = [
        ("Calling", calling),
        ("Cancelling", cancelling),
        ("Ringing", ringing),
        ("Up", || up().0),
        ("Up, no ACK yet", unacknowledged),
        ("Over, no ACK yet", parting),
        ("Up, re-INVITE out", asking),
        ("Up, collided", collided),
        ("Leaving", leaving),
    ];
    const EVENTS: [EventRow; 16] = [
        ("user hangs up", |scene| scene.say(Command::Hangup { call: CallId(1) })),
        ("user answers", |scene| {
            scene.say(Command::Answer { call: CallId(1), abilities: abilities(10) });
        }),
        ("user holds", |scene| scene.say(Command::Hold { call: CallId(1), hold: true })),
        ("user calls somebody", |scene| {
            scene.say(Command::Call { target: bob(), abilities: abilities(10) });
        }),
        ("180 to INVITE", |scene| answer_invite(scene, 180)),
        ("200 to INVITE", |scene| answer_invite(scene, 200)),
        ("486 to INVITE", |scene| answer_invite(scene, 486)),
        ("481 to INVITE", |scene| answer_invite(scene, 481)),
        ("491 to INVITE", |scene| answer_invite(scene, 491)),
        ("200 to BYE", |scene| {
            if let Some(bye) = scene.last(Method::Bye) {
                scene.answer(&bye, 200, &[]);
            }
        }),
        ("ACK", |scene| in_dialog(scene, "ACK", 1)),
        ("re-INVITE", |scene| in_dialog(scene, "INVITE", 2)),
        ("BYE", |scene| in_dialog(scene, "BYE", 3)),
        ("another INVITE", |scene| {
            rung(scene, Some(&bobs_offer()));
        }),
        ("5 s pass", |scene| scene.pass(secs(5))),
        ("201 s pass", |scene| scene.pass(secs(201))),
    ];

    #[test]
    fn every_event_in_every_state_of_a_call() {
        insta::assert_snapshot!("m6_call", table(&STATES, &EVENTS, name));
    }
}

#[test]
fn a_call_rings_is_answered_and_ends() {
    let mut scene = scene();
    let invite = called(&mut scene);
    assert_eq!(told(&mut scene).0, CallPhase::Calling);
    assert_eq!(invite.uri(), "sip:bob@example.org");
    assert_eq!(invite.first(Name::Contact), Some("<sip:alice@192.0.2.10:5060>"));
    scene.answer(&invite, 100, &[]);
    assert!(scene.events().is_empty(), "100 says nothing to people");
    scene.answer(&invite, 180, &[]);
    assert_eq!(told(&mut scene).0, CallPhase::Ringing);

    let answer = ok(&invite, "b1");
    scene.hear(answer);
    let ack = scene.expect(Method::Ack);
    assert_eq!(ack.uri(), format!("sip:bob@{BOB_HOST}"));
    assert_eq!(ack.cseq().unwrap().number, invite.cseq().unwrap().number);
    let (phase, flows, _) = told(&mut scene);
    assert_eq!(phase, CallPhase::Up);
    assert_eq!(flows[0].to, Some("192.0.2.20:40000".parse().unwrap()));

    scene.say(Command::Hangup { call: CallId(1) });
    assert_eq!(told(&mut scene).0, CallPhase::Ended);
    let bye = scene.expect(Method::Bye);
    assert_eq!(bye.cseq().unwrap().number, 2);
    assert_eq!(bye.first(Name::ProxyAuthorization), None, "our proof is for our server");
    scene.answer(&bye, 200, &[]);
    assert_eq!(scene.agent.sizes().calls, 0);
}

#[test]
fn the_ack_repeats_the_credentials_of_the_invite() {
    let mut scene = scene();
    let first = called(&mut scene);
    let challenge = "Digest realm=\"example.org\", qop=\"auth\", algorithm=SHA-256, nonce=\"n\"";
    scene.answer(&first, 407, &[(Name::ProxyAuthenticate, challenge)]);
    assert_eq!(scene.expect(Method::Ack).cseq().unwrap().number, 1, "of the refusal");
    let second = scene.expect(Method::Invite);
    let proof = second.first(Name::ProxyAuthorization).expect("credentials");
    let answer = ok(&second, "b1");
    scene.hear(answer);
    let ack = scene.expect(Method::Ack);
    assert_eq!(ack.first(Name::ProxyAuthorization), Some(proof));
    assert_eq!(ack.cseq().unwrap().number, 2);
}

#[test]
fn a_refusal_ends_it() {
    let mut scene = scene();
    let invite = called(&mut scene);
    scene.answer(&invite, 486, &[]);
    let (phase, _, status) = told(&mut scene);
    assert_eq!((phase, status), (CallPhase::Ended, Some(486)));
    assert_eq!(scene.agent.sizes().calls, 0);
}

#[test]
fn who_hangs_up_early_cancels() {
    let mut scene = scene();
    let invite = called(&mut scene);
    scene.answer(&invite, 180, &[]);
    scene.say(Command::Hangup { call: CallId(1) });
    assert_eq!(told(&mut scene).0, CallPhase::Ended);
    let cancel = scene.expect(Method::Cancel);
    scene.answer(&cancel, 200, &[]);
    scene.answer(&invite, 487, &[]);
    scene.expect(Method::Ack);
    assert!(scene.events().is_empty(), "the user knows");
    assert_eq!(scene.agent.sizes().calls, 0);
}

#[test]
fn a_cancel_that_crosses_the_answer_becomes_a_bye() {
    let mut scene = scene();
    let invite = called(&mut scene);
    scene.answer(&invite, 180, &[]);
    scene.say(Command::Hangup { call: CallId(1) });
    scene.expect(Method::Cancel);
    assert_eq!(told(&mut scene).0, CallPhase::Ended);
    let answer = ok(&invite, "b1");
    scene.hear(answer);
    scene.expect(Method::Ack);
    scene.expect(Method::Bye);
    assert!(scene.events().is_empty(), "it ended once");
}

#[test]
fn a_cancelled_invite_is_not_tried_again() {
    let mut scene = scene();
    let invite = called(&mut scene);
    scene.answer(&invite, 100, &[]);
    scene.say(Command::Hangup { call: CallId(1) });
    scene.expect(Method::Cancel);
    let challenge = "Digest realm=\"example.org\", qop=\"auth\", algorithm=SHA-256, nonce=\"n\"";
    scene.answer(&invite, 407, &[(Name::ProxyAuthenticate, challenge)]);
    scene.expect(Method::Ack);
    scene.expect_silence();
    assert_eq!(scene.agent.sizes().calls, 0);
}

#[test]
fn a_lost_ack_is_sent_again_to_the_letter() {
    let (mut scene, invite) = up();
    let answer = ok(&invite, "b1");
    scene.forget();
    scene.hear(answer);
    let repeated = scene.repeated();
    assert!(matches!(&*repeated, [Message::Request(ack)] if ack.method() == Method::Ack));
    assert!(scene.events().is_empty());
}

#[test]
fn a_second_phone_that_answers_is_thanked_and_sent_home() {
    let (mut scene, invite) = up();
    scene.forget();
    let other = ok(&invite, "b2");
    scene.hear(other);
    assert_eq!(scene.expect(Method::Ack).to().unwrap().tag(), Some("b2"));
    let bye = scene.expect(Method::Bye);
    assert_eq!(bye.to().unwrap().tag(), Some("b2"));
    scene.answer(&bye, 200, &[]);
    assert!(scene.events().is_empty(), "the call with the first phone goes on");
    assert_eq!(scene.agent.sizes().calls, 1);
}

#[test]
fn an_answer_that_does_not_fit_ends_it_with_bye() {
    let mut scene = scene();
    let invite = called(&mut scene);
    let mut reply = scene.draft_answer(&invite, 200, &[]);
    reply.header(Name::Contact, &format!("<sip:bob@{BOB_HOST}>"));
    scene.hear(reply.finish());
    scene.expect(Method::Ack);
    scene.expect(Method::Bye);
    assert_eq!(told(&mut scene).0, CallPhase::Ended);
}

#[test]
fn the_other_side_hangs_up() {
    let (mut scene, invite) = up();
    let bye = of_bob(&invite, "BYE", 1).finish();
    scene.hear_from(BOB_HOST, bye);
    assert_eq!(scene.expect_status(), 200);
    assert_eq!(told(&mut scene).0, CallPhase::Ended);
    let late = of_bob(&invite, "BYE", 2).finish();
    scene.hear_from(BOB_HOST, late);
    assert_eq!(scene.expect_status(), 481);
}

#[test]
fn somebody_calls_and_the_user_answers() {
    let (mut scene, ok) = answered();
    assert_eq!(ok.status(), 200);
    let said = Description::parse(&ok.body()).expect("an answer");
    assert_eq!(said.streams[0].port, 40_000);
    let (phase, flows, _) = told(&mut scene);
    assert_eq!((phase, flows.len()), (CallPhase::Up, 1));

    scene.pass(secs(1));
    assert!(!scene.repeated().is_empty(), "the 200 is sent until it is acknowledged");
    scene.hear_from(BOB_HOST, reaction(&ok, "ACK", 1).finish());
    scene.pass(secs(60));
    assert!(scene.repeated().is_empty());
    scene.hear_from(BOB_HOST, reaction(&ok, "BYE", 2).finish());
    assert_eq!(scene.expect_status(), 200);
}

#[test]
fn without_an_ack_the_call_ends() {
    let (mut scene, _) = answered();
    scene.pass(secs(33));
    assert_eq!(told(&mut scene).0, CallPhase::Ended);
    scene.expect(Method::Bye);
}

#[test]
fn a_caller_without_an_offer_gets_ours() {
    let mut scene = scene();
    rung(&mut scene, None);
    let call = id(&mut scene);
    scene.say(Command::Answer { call, abilities: abilities(10) });
    assert_eq!(scene.expect_status(), 180);
    let ok = scene.expect_answer();
    assert!(scene.events().is_empty(), "nothing flows before the answer is there");
    let ours = Description::parse(&ok.body()).expect("an offer");
    let theirs = answer(&ours, &abilities(20), origin()).answer;
    scene.hear_from(BOB_HOST, reaction(&ok, "ACK", 1).finish_with(SDP, &theirs.write()));
    let (phase, flows, _) = told(&mut scene);
    assert_eq!((phase, flows[0].to), (CallPhase::Up, Some("192.0.2.20:40000".parse().unwrap())));
}

#[test]
fn what_cannot_be_is_refused_with_its_reason() {
    let refused = |alter: &dyn Fn(&mut Scene), description: Description| {
        let mut scene = scene();
        alter(&mut scene);
        rung(&mut scene, Some(&description));
        let answer = scene.expect_answer();
        (answer.status(), answer.first(Name::Warning).is_some())
    };
    let nothing = |_: &mut Scene| {};
    let mut other = bobs_offer();
    other.streams[0].codecs[0].rtpmap = "L16/44100".into();
    other.streams[0].codecs[0].pt = 96;
    assert_eq!(refused(&nothing, other), (488, true));
    let deaf = |scene: &mut Scene| scene.config.media.clear();
    assert_eq!(refused(&deaf, bobs_offer()), (480, false), "nobody is at home");
    let engaged = |scene: &mut Scene| {
        called(scene);
        scene.forget();
    };
    assert_eq!(refused(&engaged, bobs_offer()), (486, false));
}

#[test]
fn a_body_that_is_no_session_is_refused() {
    for (kind, body, status) in [("text/plain", "hi", 415), (SDP, "hello", 400)] {
        let mut scene = scene();
        let contact = format!("<sip:bob@{BOB_HOST}>");
        let draft = scene.draft_request("INVITE", "call-of-bob", &[(Name::Contact, &contact)]);
        scene.hear(draft.finish_with(kind, body.as_bytes()));
        assert_eq!(scene.expect_status(), status, "{kind}");
    }
}

#[test]
fn a_caller_who_gives_up_cancels() {
    let mut scene = scene();
    let invite = rung(&mut scene, Some(&bobs_offer()));
    scene.forget();
    let invite = String::from_utf8(invite.to_vec()).expect("text");
    scene.hear(invite.replace("INVITE", "CANCEL").into());
    let statuses = [scene.expect_status(), scene.expect_status()];
    assert_eq!(statuses, [200, 487]);
    assert_eq!(told(&mut scene).0, CallPhase::Ended);
}

#[test]
fn nobody_answers_for_three_minutes() {
    let mut scene = scene();
    rung(&mut scene, Some(&bobs_offer()));
    scene.forget();
    scene.pass(secs(61));
    assert!(!scene.repeated().is_empty(), "it rings on, and says so");
    scene.pass(secs(120));
    assert_eq!(scene.expect_status(), 480);
    assert_eq!(told(&mut scene).0, CallPhase::Ended);
}

#[test]
fn hold_and_back() {
    let (mut scene, _) = up();
    scene.forget();
    for (hold, direction) in [(true, Direction::SendOnly), (false, Direction::SendRecv)] {
        scene.say(Command::Hold { call: CallId(1), hold });
        let invite = scene.expect(Method::Invite);
        let said = Description::parse(&invite.body()).expect("an offer");
        assert_eq!(said.streams[0].direction, direction);
        assert_eq!(said.origin.version, if hold { 2 } else { 3 });
        let answer = ok(&invite, "b1");
        scene.hear(answer);
        scene.expect(Method::Ack);
        assert_eq!(told(&mut scene).1[0].direction, direction);
    }
}

#[test]
fn two_changes_that_meet_are_both_tried_again() {
    let (mut scene, invite) = up();
    scene.forget();
    scene.say(Command::Hold { call: CallId(1), hold: true });
    let ours = scene.expect(Method::Invite);
    let theirs = of_bob(&invite, "INVITE", 1).finish_with(SDP, &bobs_offer().write());
    scene.hear_from(BOB_HOST, theirs);
    assert_eq!(scene.expect_status(), 491);
    scene.answer(&ours, 491, &[]);
    scene.expect(Method::Ack);
    scene.pass(std::time::Duration::from_millis(2000));
    scene.expect_silence();
    scene.pass(secs(2));
    scene.expect(Method::Invite);
}

#[test]
fn the_other_side_changes_something() {
    let (mut scene, invite) = up();
    scene.forget();
    let mut held = bobs_offer();
    held.streams[0].direction = Direction::SendOnly;
    let theirs = of_bob(&invite, "INVITE", 1).finish_with(SDP, &held.write());
    scene.hear_from(BOB_HOST, theirs);
    let ok = scene.expect_answer();
    let said = Description::parse(&ok.body()).expect("an answer");
    assert_eq!(said.streams[0].direction, Direction::RecvOnly);
    assert_eq!(told(&mut scene).1[0].direction, Direction::RecvOnly);
    let old = of_bob(&invite, "BYE", 1).finish();
    scene.hear_from(BOB_HOST, old);
    assert_eq!(scene.expect_status(), 500, "a CSeq that was used is out of order");
}

#[test]
fn logging_out_hangs_up() {
    let (mut scene, _) = up();
    scene.forget();
    scene.say(Command::Logout);
    let bye = scene.find(Method::Bye);
    assert_eq!(told(&mut scene).0, CallPhase::Ended);
    scene.answer(&bye, 200, &[]);
    assert_eq!(scene.agent.sizes().calls, 0);
}
