//! REGISTER and logout (M10).

use super::rig::*;
use crate::agent::cx::refresh_after;
use crate::agent::{Command, Event, Package};
use crate::message::{Method, Name};
use std::time::Duration;

#[test]
fn login_registers_the_contact_with_the_configured_server() {
    let mut scene = Scene::new();
    scene.say(Command::Login);
    let register = scene.expect(Method::Register);
    assert_eq!(register.uri(), "sip:example.org");
    assert_eq!(register.seconds(Name::Expires), Some(3600));
    assert_eq!(register.first(Name::Contact), Some("<sip:alice@192.0.2.10:5060>"));
    assert!(register.via().unwrap().params.raw("rport").is_some());
    assert_eq!(register.first(Name::UserAgent), Some("Presently/0.1"));
    scene.answer(&register, 200, &[(Name::Contact, "<sip:alice@192.0.2.10:5060>;expires=600")]);
    assert_eq!(scene.events(), [Event::Registered { expires: 600 }]);
    assert_eq!(scene.agent.tables(scene.now).registered, Some(600));
}

#[test]
fn the_expiry_of_our_own_contact_counts_among_many() {
    let mut scene = Scene::new();
    scene.say(Command::Login);
    let register = scene.expect(Method::Register);
    let others =
        "<sip:alice@198.51.100.9:5060>;expires=30, <sip:alice@192.0.2.10:5060>;expires=900";
    scene.answer(&register, 200, &[(Name::Contact, others), (Name::Expires, "77")]);
    assert_eq!(scene.events(), [Event::Registered { expires: 900 }]);
}

#[test]
fn a_refresh_keeps_call_id_and_tag_and_raises_cseq() {
    let mut scene = Scene::new();
    scene.say(Command::Login);
    let first = scene.expect(Method::Register);
    scene.answer(&first, 200, &[(Name::Expires, "600")]);
    scene.pass(secs(540));
    let second = scene.expect(Method::Register);
    assert_eq!(second.call_id(), first.call_id());
    assert_eq!(second.from().unwrap().tag(), first.from().unwrap().tag());
    assert!(second.cseq().unwrap().number > first.cseq().unwrap().number);
}

#[test]
fn the_refresh_rule_leaves_time_for_a_lost_request() {
    for (granted, seconds) in [(60, 30), (100, 60), (300, 260), (3600, 3240), (0, 0)] {
        assert_eq!(refresh_after(granted), secs(seconds), "refresh({granted})");
    }
}

#[test]
fn an_interval_too_brief_is_raised_once() {
    let mut scene = Scene::new();
    scene.config.register_expires = 10;
    scene.say(Command::Login);
    let brief = scene.expect(Method::Register);
    scene.answer(&brief, 423, &[(Name::MinExpires, "60")]);
    let longer = scene.expect(Method::Register);
    assert_eq!(longer.seconds(Name::Expires), Some(60));
    assert_eq!(longer.call_id(), brief.call_id());
    scene.answer(&longer, 423, &[(Name::MinExpires, "120")]);
    scene.expect_silence();
    assert!(matches!(scene.events()[..], [Event::RegisterFailed { status: 423, .. }]));
}

#[test]
fn a_silent_server_is_asked_again_and_again_ever_slower() {
    let mut scene = Scene::new();
    scene.say(Command::Login);
    let mut waits = Vec::new();
    for _ in 0..9 {
        scene.expect(Method::Register);
        scene.lose_server();
        match scene.events()[..] {
            [Event::RegisterFailed { status: 0, retry_ms: Some(wait), .. }] => waits.push(wait),
            ref other => panic!("{other:?}"),
        }
        scene.pass(Duration::from_millis(*waits.last().unwrap()));
    }
    let least = [1, 2, 4, 8, 16, 32, 60, 60, 60].map(|seconds| seconds * 1000);
    for (wait, least) in waits.iter().zip(least) {
        assert!((least..=least * 3 / 2).contains(wait), "{waits:?}");
    }
}

#[test]
fn logout_takes_everything_back_and_then_says_so() {
    let mut scene = Scene::online();
    scene.open();
    let publish = scene.expect(Method::Publish);
    scene.answer(&publish, 200, &[(Name::SipEtag, "e1"), (Name::Expires, "3600")]);
    let mut bob = scene.watch(bob(), Package::Presence);
    scene.notify(&mut bob, "active;expires=3600", Body::None);
    scene.answer(&bob.subscribe, 200, &[(Name::Expires, "3600")]);
    scene.forget();

    scene.say(Command::Logout);
    let (remove, end, leave) =
        (scene.find(Method::Publish), scene.find(Method::Subscribe), scene.find(Method::Register));
    for request in [&remove, &end, &leave] {
        assert_eq!(request.seconds(Name::Expires), Some(0));
    }
    assert_eq!(remove.first(Name::SipIfMatch), Some("e1"));
    scene.answer(&remove, 200, &[(Name::SipEtag, "e2"), (Name::Expires, "0")]);
    scene.answer(&end, 200, &[(Name::Expires, "0")]);
    scene.answer(&leave, 200, &[]);
    assert!(!scene.events().contains(&Event::LoggedOut), "the last NOTIFY is still to come");
    scene.notify(&mut bob, "terminated;reason=timeout", Body::None);
    assert_eq!(scene.events().last(), Some(&Event::LoggedOut));
    scene.pass(secs(120));
    scene.expect_silence();
    assert_eq!(scene.agent.sizes().timers, 0);
    assert_eq!(scene.agent.sizes().transactions, (0, 0));
}

/// Overtaken by the removal, the first REGISTER would bind us for two hours.
#[test]
fn logout_waits_for_the_answer_to_a_register_that_is_out() {
    let mut scene = Scene::new();
    scene.say(Command::Login);
    let register = scene.expect(Method::Register);
    scene.say(Command::Logout);
    scene.expect_silence();
    scene.answer(&register, 200, &[(Name::Expires, "600")]);
    let remove = scene.expect(Method::Register);
    assert_eq!(remove.seconds(Name::Expires), Some(0));
    assert!(remove.cseq().unwrap().number > register.cseq().unwrap().number);
    scene.answer(&remove, 200, &[]);
    assert_eq!(scene.events(), [Event::LoggedOut]);
}

/// A REGISTER of its own would leave the first one out, and no logout after it could recall that.
#[test]
fn a_login_during_the_logout_takes_up_the_register_that_is_out() {
    let mut scene = Scene::new();
    scene.say(Command::Login);
    let register = scene.expect(Method::Register);
    scene.say(Command::Logout);
    scene.say(Command::Login);
    scene.expect_silence();
    scene.answer(&register, 200, &[(Name::Expires, "600")]);
    assert_eq!(scene.events(), [Event::LoggedOut, Event::Registered { expires: 600 }]);
    scene.say(Command::Logout);
    let remove = scene.expect(Method::Register);
    assert_eq!(remove.seconds(Name::Expires), Some(0));
    scene.answer(&remove, 200, &[]);
    assert_eq!(scene.events(), [Event::LoggedOut]);
}

/// Sent again behind the removal, it would bind us for as long as it asks for.
#[test]
fn a_register_that_was_given_up_is_not_sent_again() {
    let mut scene = Scene::new();
    scene.say(Command::Login);
    scene.expect(Method::Register);
    scene.say(Command::Logout);
    assert_eq!(scene.agent.sizes().transactions, (0, 1));
    scene.pass(secs(2));
    assert_eq!(scene.events(), [Event::LoggedOut]);
    let remove = scene.expect(Method::Register);
    assert_eq!(remove.seconds(Name::Expires), Some(0));
    assert_eq!(scene.agent.sizes().transactions, (0, 1), "that of the removal");
}

#[test]
fn logout_does_not_wait_for_a_dead_server() {
    let mut scene = Scene::online();
    scene.open();
    scene.say(Command::Logout);
    scene.forget();
    scene.pass(secs(2));
    assert_eq!(scene.events(), [Event::LoggedOut]);
}

#[test]
fn logout_without_login_is_over_at_once() {
    let mut scene = Scene::new();
    scene.say(Command::Logout);
    assert_eq!(scene.events(), [Event::LoggedOut]);
    scene.expect_silence();
}

#[test]
fn a_second_login_brings_back_what_was_asked_for() {
    let mut scene = Scene::online();
    scene.open();
    scene.forget();
    let mut dialog = scene.watch(bob(), Package::Presence);
    scene.notify(&mut dialog, "active;expires=3600", Body::None);
    scene.say(Command::Logout);
    scene.pass(secs(3));
    scene.forget();
    scene.say(Command::Login);
    let register = scene.expect(Method::Register);
    scene.answer(&register, 200, &[(Name::Expires, "600")]);
    let publish = scene.find(Method::Publish);
    assert_eq!(publish.first(Name::SipIfMatch), None);
    assert_eq!(scene.find(Method::Subscribe).uri(), "sip:bob@example.org");
}

#[test]
fn what_is_wanted_before_login_waits_for_the_registration() {
    let mut scene = Scene::new();
    scene.open();
    scene.say(Command::Subscribe { target: bob(), package: Package::Winfo, expires: None });
    scene.say(Command::SendMessage { target: bob(), text: "hi".into(), ticket: 1 });
    scene.expect_silence();
    scene.say(Command::Login);
    let register = scene.expect(Method::Register);
    scene.expect_silence();
    scene.answer(&register, 200, &[(Name::Expires, "600")]);
    for method in [Method::Publish, Method::Subscribe, Method::Message] {
        scene.find(method);
    }
}

#[test]
fn a_new_address_renews_the_flow_of_every_subscription() {
    let mut scene = Scene::new();
    scene.say(Command::Login);
    let first = scene.expect(Method::Register);
    scene.answer(&first, 200, &[(Name::Expires, "600")]);
    let mut dialog = scene.watch(bob(), Package::Presence);
    scene.notify(&mut dialog, "active;expires=3600", Body::None);
    scene.answer(&dialog.subscribe, 200, &[(Name::Expires, "3600")]);
    scene.pass(secs(540));
    let second = scene.find(Method::Register);
    let rebound = "198.51.100.7:40000".parse().unwrap();
    let mut reply = crate::message::Reply::new(&second, rebound, 200, "srv");
    reply.number(Name::Expires, 600);
    scene.hear(reply.into_writer().finish());
    let refresh = scene.find(Method::Subscribe);
    assert_eq!(refresh.to().unwrap().tag(), Some("pa"), "in the dialog, not a new one");
}
