//! A server that restarted (D21, R46, R48), and our own suspension (R52).

use super::rig::*;
use crate::agent::{Command, Event, Package, SubscriptionPhase};
use crate::body::pidf::Basic;
use crate::machine::Machine;
use crate::message::{Method, Name};
use crate::mint::Secret;

/// Registered with a challenge, published, watching bob.
fn settled() -> (Scene, Notifier) {
    let mut scene = Scene::new();
    scene.say(Command::Login);
    let bare = scene.expect(Method::Register);
    scene.challenge(&bare, "n1", "boot1", false);
    let register = scene.expect(Method::Register);
    scene.answer(&register, 200, &[(Name::Expires, "3600")]);
    scene.open();
    let publish = scene.expect(Method::Publish);
    scene.answer(&publish, 200, &[(Name::SipEtag, "e1"), (Name::Expires, "3600")]);
    let mut dialog = scene.watch(bob(), Package::Presence);
    scene.answer(&dialog.subscribe, 200, &[(Name::Expires, "3600")]);
    scene.notify(&mut dialog, "active;expires=3600", Body::Presence(Basic::Open));
    scene.forget();
    (scene, dialog)
}

/// R46: the first challenge of another boot renews everything within a second.
#[test]
fn another_boot_id_renews_everything_at_once() {
    let (mut scene, mut dialog) = settled();
    scene.open();
    let modify = scene.expect(Method::Publish);
    scene.challenge(&modify, "n2", "boot2", true);
    assert_eq!(scene.events(), [Event::ServerRestarted]);
    let again = scene.expect(Method::Publish);
    scene.answer(&again, 412, &[]);
    let initial = scene.expect(Method::Publish);
    scene.answer(&initial, 200, &[(Name::SipEtag, "f1"), (Name::Expires, "3600")]);
    scene.forget();

    scene.pass(secs(1));
    scene.find(Method::Register);
    // Over what the restarted server has, not beside it: nobody would take the older one back.
    assert_eq!(scene.find(Method::Publish).first(Name::SipIfMatch), Some("f1"));
    let subscribe = scene.find(Method::Subscribe);
    assert_eq!(subscribe.to().unwrap().tag(), None);
    assert_ne!(subscribe.call_id(), dialog.subscribe.call_id());
    scene.expect_silence();
    assert_eq!(scene.notify(&mut dialog, "active", Body::Presence(Basic::Closed)), 481);
    assert_eq!(scene.events().iter().filter(|e| **e == Event::ServerRestarted).count(), 0);
}

/// There is nobody left to say goodbye to, but somebody who waits to hear that it is over.
#[test]
fn what_was_being_left_when_the_server_restarted_is_told_as_ended() {
    let (mut scene, _) = settled();
    scene.say(Command::Unsubscribe { target: bob(), package: Package::Presence });
    scene.expect(Method::Subscribe);
    scene.open();
    let modify = scene.expect(Method::Publish);
    scene.challenge(&modify, "n2", "boot2", true);
    scene.events();
    scene.pass(secs(1));
    let ended = scene.events().into_iter().any(|event| {
        matches!(event, Event::Subscription { phase: SubscriptionPhase::Terminated, .. })
    });
    assert!(ended);
}

#[test]
fn the_same_boot_id_renews_nothing() {
    let (mut scene, _) = settled();
    scene.open();
    let modify = scene.expect(Method::Publish);
    scene.challenge(&modify, "n2", "boot1", true);
    scene.expect(Method::Publish);
    scene.pass(secs(5));
    let others = scene.requests();
    assert!(others.iter().all(|request| request.method() == Method::Publish), "{others:?}");
}

/// P55: a server whose opaque means nothing does not keep us busy.
#[test]
fn an_opaque_that_changes_every_time_is_followed_at_most_twice_a_minute() {
    let (mut scene, _) = settled();
    let mut registers = 0;
    scene.open();
    for round in 0..300 {
        for request in scene.requests() {
            registers += usize::from(request.method() == Method::Register);
            if round % 2 == 0 {
                scene.challenge(&request, &format!("m{round}"), &format!("o{round}"), true);
            }
        }
        scene.pass(secs(1));
    }
    assert!(registers <= 45, "{registers} REGISTER in five minutes");
}

#[test]
fn after_a_suspension_everything_is_checked_in_its_dialog() {
    let (mut scene, _) = settled();
    scene.stall(secs(3600 - 400));
    scene.find(Method::Register);
    assert_eq!(scene.find(Method::Publish).first(Name::SipIfMatch), Some("e1"));
    assert_eq!(scene.find(Method::Subscribe).to().unwrap().tag(), Some("pa"));
    scene.expect_silence();
}

#[test]
fn what_ran_out_during_a_suspension_begins_anew() {
    let (mut scene, _) = settled();
    scene.stall(secs(2 * 3600));
    scene.find(Method::Register);
    scene.pass(secs(2));
    assert_eq!(scene.find(Method::Subscribe).to().unwrap().tag(), None);
}

/// R48: a new start of the agent shares no identity with the old one.
#[test]
fn another_start_has_other_call_ids_and_tags() {
    let register = |key: u8| {
        let mut scene = Scene::new();
        scene.config.secret = Secret::new([key; 16]);
        scene.say(Command::Login);
        scene.expect(Method::Register)
    };
    let (first, second) = (register(1), register(2));
    assert_ne!(first.call_id(), second.call_id());
    assert_ne!(first.from().unwrap().tag(), second.from().unwrap().tag());
}

/// P59.
#[test]
fn the_same_story_gives_the_same_agent() {
    let (first, _) = settled();
    let (second, _) = settled();
    assert_eq!(first.agent, second.agent);
    assert_eq!(first.agent.deadline(), second.agent.deadline());
}
