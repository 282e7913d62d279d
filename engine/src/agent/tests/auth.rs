//! Challenges (M8, K18, R66).

use super::rig::*;
use crate::agent::{Command, Event};
use crate::message::{Method, Name, Request};

fn credentials(request: &Request) -> Option<String> {
    request.first(Name::Authorization).map(str::to_owned)
}

fn nonce_count(request: &Request) -> u32 {
    let text = credentials(request).expect("credentials");
    let (_, rest) = text.split_once("nc=").expect("nc");
    u32::from_str_radix(&rest[..8], 16).unwrap()
}

#[test]
fn a_challenge_is_answered_in_the_same_call_with_the_next_cseq() {
    let mut scene = Scene::new();
    scene.say(Command::Login);
    let bare = scene.expect(Method::Register);
    assert_eq!(credentials(&bare), None);
    scene.challenge(&bare, "n1", "boot1", false);
    let proven = scene.expect(Method::Register);
    assert!(credentials(&proven).unwrap().contains("username=\"alice\""));
    assert_eq!(proven.call_id(), bare.call_id());
    assert_eq!(proven.from().unwrap().tag(), bare.from().unwrap().tag());
    assert_eq!(proven.cseq().unwrap().number, bare.cseq().unwrap().number + 1);
    assert_ne!(proven.via().unwrap().branch, bare.via().unwrap().branch);
}

#[test]
fn later_requests_bring_credentials_and_count_the_nonce() {
    let mut scene = Scene::new();
    scene.say(Command::Login);
    let bare = scene.expect(Method::Register);
    scene.challenge(&bare, "n1", "boot1", false);
    let register = scene.expect(Method::Register);
    scene.answer(&register, 200, &[(Name::Expires, "600")]);
    scene.open();
    let publish = scene.expect(Method::Publish);
    assert_eq!((nonce_count(&register), nonce_count(&publish)), (1, 2));
    assert!(credentials(&publish).unwrap().contains("qop=auth-int"));
}

#[test]
fn a_message_answers_the_proxy_and_not_the_registrar() {
    let mut scene = Scene::online();
    scene.say(Command::SendMessage { target: bob(), text: "hi".into(), ticket: 1 });
    let bare = scene.expect(Method::Message);
    let value = "Digest realm=\"example.org\", qop=\"auth-int,auth\", algorithm=SHA-256, \
                 nonce=\"p1\", opaque=\"boot1\"";
    scene.answer(&bare, 407, &[(Name::ProxyAuthenticate, value)]);
    let proven = scene.expect(Method::Message);
    assert!(proven.first(Name::ProxyAuthorization).is_some());
    assert_eq!(proven.first(Name::DmMessageId), bare.first(Name::DmMessageId));
    scene.answer(&proven, 200, &[]);
    scene.say(Command::SendMessage { target: bob(), text: "again".into(), ticket: 2 });
    assert!(scene.expect(Method::Message).first(Name::ProxyAuthorization).is_some());
}

/// R66, P56.
#[test]
fn a_server_that_always_calls_the_nonce_stale_is_asked_three_times() {
    let mut scene = Scene::new();
    scene.say(Command::Login);
    let mut tries = 0;
    for round in 0..10 {
        let Some(register) = scene.requests().pop() else { break };
        tries += 1;
        scene.challenge(&register, &format!("n{round}"), "boot1", round > 0);
    }
    assert_eq!(tries, 3, "1 + K18");
    assert!(matches!(scene.events()[..], [Event::RegisterFailed { status: 401, .. }]));
}

#[test]
fn a_wrong_password_is_not_tried_twice() {
    let mut scene = Scene::new();
    scene.say(Command::Login);
    let bare = scene.expect(Method::Register);
    scene.challenge(&bare, "n1", "boot1", false);
    let proven = scene.expect(Method::Register);
    scene.challenge(&proven, "n2", "boot1", false);
    scene.expect_silence();
    let events = scene.events();
    assert!(matches!(&events[0], Event::Error { why, .. } if why.contains("password")));
    let failed = &events[1];
    assert!(matches!(failed, Event::RegisterFailed { status: 401, retry_ms: None, .. }));
}

#[test]
fn credentials_of_an_older_nonce_refused_say_nothing_about_the_password() {
    let mut scene = Scene::new();
    scene.say(Command::Login);
    let bare = scene.expect(Method::Register);
    scene.challenge(&bare, "n1", "boot1", false);
    let register = scene.expect(Method::Register);
    scene.answer(&register, 200, &[(Name::Expires, "600")]);
    scene.open();
    scene.say(Command::Fetch { target: bob() });
    let (publish, fetch) = (scene.expect(Method::Publish), scene.expect(Method::Subscribe));
    scene.challenge(&publish, "n2", "boot1", true);
    scene.challenge(&fetch, "n3", "boot1", false);
    scene.expect(Method::Publish);
    let again = scene.expect(Method::Subscribe);
    assert!(credentials(&again).unwrap().contains("nonce=\"n3\""));
}

#[test]
fn md5_alone_is_refused_where_it_is_not_allowed() {
    let mut scene = Scene::new();
    scene.config.allow_md5 = false;
    scene.say(Command::Login);
    let bare = scene.expect(Method::Register);
    let value = "Digest realm=\"example.org\", qop=\"auth\", algorithm=MD5, nonce=\"n1\"";
    scene.answer(&bare, 401, &[(Name::WwwAuthenticate, value)]);
    scene.expect_silence();
    assert!(matches!(&scene.events()[0], Event::Error { why, .. } if why.contains("algorithm")));
}

/// A server that starts again and again has never looked at our password.
#[test]
fn nonces_that_only_got_old_are_no_refusal() {
    let mut scene = Scene::new();
    scene.say(Command::Login);
    let bare = scene.expect(Method::Register);
    scene.challenge(&bare, "n1", "boot1", false);
    for (nonce, boot) in [("n2", "boot2"), ("n3", "boot3")] {
        let register = scene.expect(Method::Register);
        scene.challenge(&register, nonce, boot, true);
    }
    scene.expect_silence();
    let failed = scene.events().into_iter().find_map(|event| match event {
        Event::RegisterFailed { status, retry_ms, .. } => Some((status, retry_ms.is_some())),
        _ => None,
    });
    assert_eq!(failed, Some((0, true)), "it will be tried again");
    scene.pass(secs(3));
    let again = scene.expect(Method::Register);
    scene.answer(&again, 200, &[(Name::Expires, "600")]);
    assert!(scene.events().iter().any(|event| matches!(event, Event::Registered { .. })));
}
