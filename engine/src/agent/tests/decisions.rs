//! Decisions about watchers (D11, R17, R18).

use super::rig::*;
use crate::agent::{Command, Event};
use crate::body::presrules::{AUTH_POLICY, Handling, Rules, Verdict};
use crate::message::{Method, Name, Request};

const ALLOW: Verdict = Verdict { handling: Handling::Allow, direct: true };
const BLOCK: Verdict = Verdict { handling: Handling::Block, direct: false };

fn decide(scene: &mut Scene, verdict: Option<Verdict>) {
    scene.say(Command::Decide { watcher: bob(), verdict });
}

fn rules(request: &Request) -> Rules {
    Rules::parse(&request.body()).unwrap()
}

fn decided(scene: &mut Scene) -> Vec<u16> {
    let events = scene.events().into_iter();
    events
        .filter_map(|event| match event {
            Event::Decided { status, .. } => Some(status),
            _ => None,
        })
        .collect()
}

#[test]
fn a_decision_is_a_publication_of_rules() {
    let mut scene = Scene::online();
    decide(&mut scene, Some(ALLOW));
    let publish = scene.expect(Method::Publish);
    assert_eq!(publish.event().unwrap().package, "x-presrules");
    assert!(publish.content_type().unwrap().is(AUTH_POLICY));
    assert_eq!(publish.first(Name::SipIfMatch), None);
    assert_eq!(rules(&publish).verdicts.get(&bob()), Some(&ALLOW));
    scene.answer(&publish, 200, &[(Name::SipEtag, "r1"), (Name::Expires, "3600")]);
    assert_eq!(decided(&mut scene), [200]);
    assert_eq!(scene.agent.tables(scene.now).rules.verdicts.get(&bob()), Some(&ALLOW));
    scene.pass(secs(10_000));
    scene.expect_silence();
}

/// R17: each is applied, in order, one at a time.
#[test]
fn fast_decisions_are_sent_one_after_the_other() {
    let mut scene = Scene::online();
    for verdict in [Some(ALLOW), Some(BLOCK), None] {
        decide(&mut scene, verdict);
    }
    for (etag, verdict) in [("r1", Some(ALLOW)), ("r2", Some(BLOCK)), ("r3", None)] {
        let publish = scene.expect(Method::Publish);
        scene.expect_silence();
        assert_eq!(rules(&publish).verdicts.get(&bob()).copied(), verdict);
        scene.answer(&publish, 200, &[(Name::SipEtag, etag)]);
    }
    assert_eq!(decided(&mut scene), [200, 200, 200]);
}

/// R18: the rules another device made are kept, the decision comes on top.
#[test]
fn a_conflict_takes_over_the_current_rules_and_tries_again() {
    let mut scene = Scene::online();
    decide(&mut scene, Some(ALLOW));
    let publish = scene.expect(Method::Publish);
    let eve = aor("sip:eve@example.org");
    let mut current = Rules::default();
    current.verdicts.insert(eve.clone(), BLOCK);
    conflict(&mut scene, &publish, &current, "r7");
    let again = scene.expect(Method::Publish);
    assert_eq!(again.first(Name::SipIfMatch), Some("r7"));
    assert_eq!(rules(&again).verdicts.get(&eve), Some(&BLOCK));
    assert_eq!(rules(&again).verdicts.get(&bob()), Some(&ALLOW));
    scene.answer(&again, 200, &[(Name::SipEtag, "r8")]);
    assert_eq!(decided(&mut scene), [200]);
}

fn conflict(scene: &mut Scene, request: &Request, current: &Rules, etag: &str) {
    let writer = scene.draft_answer(request, 412, &[(Name::SipEtag, etag)]);
    scene.hear(writer.finish_with(AUTH_POLICY, &current.write()));
}

#[test]
fn endless_conflicts_are_given_up() {
    let mut scene = Scene::online();
    decide(&mut scene, Some(ALLOW));
    let mut tries = 0;
    while let Some(publish) = scene.requests().pop() {
        tries += 1;
        conflict(&mut scene, &publish, &Rules::default(), &format!("r{tries}"));
    }
    assert_eq!(tries, 4);
    assert_eq!(decided(&mut scene), [412]);
}

#[test]
fn a_bare_412_drops_the_etag_and_tries_once_without() {
    let mut scene = Scene::online();
    decide(&mut scene, Some(ALLOW));
    let publish = scene.expect(Method::Publish);
    scene.answer(&publish, 200, &[(Name::SipEtag, "r1")]);
    decide(&mut scene, Some(BLOCK));
    let publish = scene.expect(Method::Publish);
    assert_eq!(publish.first(Name::SipIfMatch), Some("r1"));
    scene.answer(&publish, 412, &[]);
    let publish = scene.expect(Method::Publish);
    assert_eq!(publish.first(Name::SipIfMatch), None);
    scene.answer(&publish, 412, &[]);
    scene.expect_silence();
    assert_eq!(decided(&mut scene), [200, 412]);
}

#[test]
fn a_refused_decision_is_told_and_not_remembered() {
    let mut scene = Scene::online();
    decide(&mut scene, Some(BLOCK));
    let publish = scene.expect(Method::Publish);
    scene.answer(&publish, 489, &[]);
    decide(&mut scene, Some(ALLOW));
    scene.expect(Method::Publish);
    scene.lose_server();
    assert_eq!(decided(&mut scene), [489, 0]);
    assert!(scene.agent.tables(scene.now).rules.verdicts.is_empty());
}

#[test]
fn messages_of_a_blocked_user_vanish_silently() {
    let mut scene = Scene::online();
    decide(&mut scene, Some(BLOCK));
    let publish = scene.expect(Method::Publish);
    scene.answer(&publish, 200, &[(Name::SipEtag, "r1")]);
    scene.forget();
    let writer = scene.draft_request("MESSAGE", "m1", &[]);
    scene.hear(writer.finish_with("text/plain", b"hi"));
    assert_eq!(scene.expect_status(), 200);
    assert_eq!(scene.events(), []);
}
