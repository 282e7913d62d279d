//! Asking, refreshing, ending, trying again (M15; bug museum §1 row 12).

use super::rig::*;
use crate::agent::{Command, Event, Package, SubscriptionPhase};
use crate::body::pidf::Basic;
use crate::message::{Method, Name};

fn phases(scene: &mut Scene) -> Vec<SubscriptionPhase> {
    let events = scene.events().into_iter();
    events
        .filter_map(|event| match event {
            Event::Subscription { phase, .. } => Some(phase),
            _ => None,
        })
        .collect()
}

fn active() -> (Scene, Notifier) {
    let mut scene = Scene::online();
    let mut dialog = scene.watch(bob(), Package::Presence);
    scene.answer(&dialog.subscribe, 200, &[(Name::Expires, "600")]);
    scene.notify(&mut dialog, "active;expires=600", Body::Presence(Basic::Open));
    scene.forget();
    (scene, dialog)
}

#[test]
fn a_subscribe_names_event_accept_and_contact() {
    let mut scene = Scene::online();
    let dialog = scene.watch(bob(), Package::Winfo);
    let subscribe = &dialog.subscribe;
    assert_eq!(subscribe.uri(), "sip:bob@example.org");
    assert_eq!(subscribe.event().unwrap().package, "presence.winfo");
    assert_eq!(subscribe.event().unwrap().id, None);
    assert_eq!(subscribe.first(Name::Accept), Some("application/watcherinfo+xml"));
    assert_eq!(subscribe.first(Name::Contact), Some("<sip:alice@192.0.2.10:5060>"));
    assert_eq!(subscribe.seconds(Name::Expires), Some(3600));
}

/// P31: whatever came first, the dialog is the same.
#[test]
fn notify_before_200_and_after_it_lead_to_the_same_dialog() {
    let dialog_of = |early: bool| {
        let mut scene = Scene::online();
        let mut dialog = scene.watch(bob(), Package::Presence);
        let subscribe = dialog.subscribe.clone();
        if !early {
            scene.answer(&subscribe, 200, &[(Name::Expires, "600")]);
        }
        scene.notify(&mut dialog, "active;expires=600", Body::Presence(Basic::Open));
        if early {
            scene.answer(&subscribe, 200, &[(Name::Expires, "600")]);
        }
        let usage = scene.agent.subscriptions.usages.values().next().unwrap().clone();
        (usage.dialog().cloned().unwrap(), usage.deadline())
    };
    assert_eq!(dialog_of(true), dialog_of(false));
}

#[test]
fn a_refresh_goes_into_the_dialog_and_a_notify_does_not_restart_its_timer() {
    let (mut scene, mut dialog) = active();
    for _ in 0..50 {
        scene.pass(secs(10));
        let left = 600 - 10 * u64::from(dialog.cseq);
        let state = format!("active;expires={left}");
        scene.notify(&mut dialog, &state, Body::None);
    }
    scene.pass(secs(40));
    let refresh = scene.expect(Method::Subscribe);
    assert_eq!(refresh.to().unwrap().tag(), Some("pa"));
    assert_eq!(refresh.uri(), "sip:bob@192.0.2.1:5060", "the notifier's contact");
    assert_eq!(refresh.seconds(Name::Expires), Some(3600), "what was asked, never 0");
    assert!(refresh.cseq().unwrap().number > dialog.subscribe.cseq().unwrap().number);
    assert_eq!(refresh.event().unwrap().package, "presence");
    scene.expect_silence();
}

/// R26, P15: a NOTIFY shortens the subscription and never lengthens it by itself.
#[test]
fn expires_of_a_notify_only_shortens_unless_a_refresh_is_out() {
    let (mut scene, mut dialog) = active();
    scene.notify(&mut dialog, "active;expires=3000", Body::None);
    assert_eq!(scene.agent.tables(scene.now).buddies[0].expires, Some(600));
    scene.notify(&mut dialog, "active;expires=100", Body::None);
    assert_eq!(scene.agent.tables(scene.now).buddies[0].expires, Some(100));
    scene.pass(secs(60));
    let refresh = scene.expect(Method::Subscribe);
    scene.notify(&mut dialog, "active;expires=600", Body::None);
    assert_eq!(scene.agent.tables(scene.now).buddies[0].expires, Some(600));
    scene.answer(&refresh, 200, &[(Name::Expires, "300")]);
    assert_eq!(scene.agent.tables(scene.now).buddies[0].expires, Some(300));
}

/// RFC 6665 §4.1.3: what "pending" says of the expiry counts as much as what "active" says.
#[test]
fn expires_of_a_pending_notify_shortens_as_well() {
    let mut scene = Scene::online();
    let mut dialog = scene.watch(bob(), Package::Presence);
    scene.answer(&dialog.subscribe, 200, &[(Name::Expires, "600")]);
    scene.notify(&mut dialog, "pending;expires=600", Body::None);
    scene.notify(&mut dialog, "pending;expires=100", Body::None);
    assert_eq!(scene.agent.tables(scene.now).buddies[0].expires, Some(100));
}

/// RFC 6665 §4.1.3: "terminated" has no expiry, whatever is written beside it.
#[test]
fn expires_of_a_terminal_notify_means_nothing() {
    let (mut scene, mut dialog) = active();
    scene.notify(&mut dialog, "terminated;reason=rejected;expires=500", Body::None);
    assert_eq!(phases(&mut scene), [SubscriptionPhase::Terminated]);
    assert_eq!(scene.notify(&mut dialog, "active;expires=500", Body::None), 481);
    scene.pass(secs(4000));
    scene.expect_silence();
}

/// RFC 6665 §4.1.2.2.
#[test]
fn some_answers_to_a_refresh_end_the_subscription_and_others_do_not() {
    let fatal = [404, 405, 410, 416, 480, 481, 482, 483, 484, 485, 489, 501, 604];
    for status in fatal.into_iter().chain([400, 403, 408, 486, 500, 503, 600, 603]) {
        let (mut scene, _) = active();
        scene.pass(secs(540));
        let refresh = scene.expect(Method::Subscribe);
        scene.answer(&refresh, status, &[]);
        let ended = phases(&mut scene) == [SubscriptionPhase::Terminated];
        assert_eq!(ended, fatal.contains(&status), "{status}");
        scene.pass(secs(2));
        if ended {
            let again = scene.expect(Method::Subscribe);
            assert_ne!(again.call_id(), refresh.call_id(), "{status}");
            assert_ne!(again.from().unwrap().tag(), refresh.from().unwrap().tag(), "{status}");
        }
    }
}

/// RFC 6665 §8.3.1, §4.1.2.2: a 202 is a 200; after a 204 nobody waits for a NOTIFY.
#[test]
fn success_is_success_whatever_its_number() {
    for (status, waits) in [(200, true), (202, true), (204, false)] {
        let (mut scene, _) = active();
        scene.pass(secs(540));
        let refresh = scene.expect(Method::Subscribe);
        scene.answer(&refresh, status, &[(Name::Expires, "600")]);
        assert_eq!(scene.agent.tables(scene.now).buddies[0].expires, Some(600), "{status}");
        scene.pass(secs(33));
        let ended = phases(&mut scene).contains(&SubscriptionPhase::Terminated);
        assert_eq!(ended, waits, "{status}: no NOTIFY came");
    }
    let mut scene = Scene::online();
    let mut dialog = scene.watch(bob(), Package::Presence);
    scene.answer(&dialog.subscribe, 202, &[(Name::Expires, "100")]);
    scene.notify(&mut dialog, "active", Body::None);
    assert_eq!(scene.agent.tables(scene.now).buddies[0].expires, Some(100));
}

/// R4, P17: it ends once and begins again once, in whatever order the news arrive.
#[test]
fn a_refresh_that_crosses_the_expiry_starts_one_new_subscription() {
    for notify_first in [false, true] {
        let (mut scene, mut dialog) = active();
        scene.pass(secs(540));
        let refresh = scene.expect(Method::Subscribe);
        if notify_first {
            let status = scene.notify(&mut dialog, "terminated;reason=timeout", Body::None);
            assert_eq!(status, 200);
        }
        scene.answer(&refresh, 481, &[]);
        if !notify_first {
            let status = scene.notify(&mut dialog, "terminated;reason=timeout", Body::None);
            assert_eq!(status, 481);
        }
        scene.pass(secs(2));
        let again = scene.expect(Method::Subscribe);
        assert_eq!(again.to().unwrap().tag(), None);
        assert_ne!(again.call_id(), dialog.subscribe.call_id());
        scene.expect_silence();
        let ended = SubscriptionPhase::Terminated;
        assert_eq!(phases(&mut scene), [ended, SubscriptionPhase::Trying]);
    }
}

#[test]
fn a_refresh_that_fails_otherwise_keeps_the_subscription_until_it_runs_out() {
    let (mut scene, _) = active();
    scene.pass(secs(540));
    let refresh = scene.expect(Method::Subscribe);
    scene.answer(&refresh, 503, &[(Name::RetryAfter, "10")]);
    scene.pass(secs(10));
    let again = scene.expect(Method::Subscribe);
    assert_eq!(again.to().unwrap().tag(), Some("pa"));
    scene.answer(&again, 500, &[]);
    assert_eq!(phases(&mut scene), []);
    scene.pass(secs(60));
    assert!(phases(&mut scene).contains(&SubscriptionPhase::Terminated));
}

/// P22, P49.
#[test]
fn without_a_notify_a_subscription_fails_after_64_t1() {
    let mut scene = Scene::online();
    let dialog = scene.watch(bob(), Package::Presence);
    scene.answer(&dialog.subscribe, 200, &[(Name::Expires, "600")]);
    scene.events();
    scene.pass(secs(31));
    assert_eq!(phases(&mut scene), []);
    scene.pass(secs(1));
    assert_eq!(phases(&mut scene), [SubscriptionPhase::Terminated]);
    scene.pass(secs(5));
    scene.expect(Method::Subscribe);
}

#[test]
fn a_refresh_without_notify_begins_anew() {
    let (mut scene, _) = active();
    scene.pass(secs(540));
    let refresh = scene.expect(Method::Subscribe);
    scene.answer(&refresh, 200, &[(Name::Expires, "600")]);
    scene.pass(secs(34));
    let again = scene.expect(Method::Subscribe);
    assert_eq!(again.to().unwrap().tag(), None);
}

/// R5.
#[test]
fn an_unsubscribe_that_crosses_a_notify_answers_until_the_terminal_one() {
    let (mut scene, mut dialog) = active();
    scene.say(Command::Unsubscribe { target: bob(), package: Package::Presence });
    let end = scene.expect(Method::Subscribe);
    assert_eq!(end.seconds(Name::Expires), Some(0));
    let crossing = Body::Presence(Basic::Closed);
    assert_eq!(scene.notify(&mut dialog, "active;expires=500", crossing), 200);
    scene.answer(&end, 200, &[(Name::Expires, "0")]);
    assert_eq!(scene.notify(&mut dialog, "terminated;reason=timeout", Body::None), 200);
    assert_eq!(phases(&mut scene), [SubscriptionPhase::Terminated]);
    assert_eq!(scene.notify(&mut dialog, "terminated;reason=timeout", Body::None), 481);
    scene.pass(secs(4000));
    scene.expect_silence();
    assert_eq!(scene.agent.sizes().subscriptions, 0);
}

/// R6.
#[test]
fn an_unsubscribe_whose_terminal_notify_is_lost_ends_all_the_same() {
    let (mut scene, _) = active();
    scene.say(Command::Unsubscribe { target: bob(), package: Package::Presence });
    let end = scene.expect(Method::Subscribe);
    scene.answer(&end, 200, &[(Name::Expires, "0")]);
    scene.pass(secs(32));
    assert_eq!(phases(&mut scene), [SubscriptionPhase::Terminated]);
    assert_eq!(scene.agent.sizes().subscriptions, 0);
}

#[test]
fn an_unsubscribe_before_the_first_notify_is_said_as_soon_as_there_is_a_dialog() {
    let mut scene = Scene::online();
    let mut dialog = scene.watch(bob(), Package::Presence);
    scene.say(Command::Unsubscribe { target: bob(), package: Package::Presence });
    scene.expect_silence();
    scene.notify(&mut dialog, "pending;expires=600", Body::None);
    scene.expect_silence();
    scene.answer(&dialog.subscribe, 200, &[(Name::Expires, "600")]);
    let end = scene.expect(Method::Subscribe);
    assert_eq!((end.seconds(Name::Expires), end.to().unwrap().tag()), (Some(0), Some("pa")));
}

/// R7.
#[test]
fn a_fetch_shows_the_document_and_is_over() {
    let mut scene = Scene::online();
    scene.say(Command::Fetch { target: bob() });
    let subscribe = scene.expect(Method::Subscribe);
    assert_eq!(subscribe.seconds(Name::Expires), Some(0));
    let mut dialog = Notifier { subscribe, tag: "pa", cseq: 0 };
    scene.answer(&dialog.subscribe, 200, &[(Name::Expires, "0")]);
    let document = Body::Presence(Basic::Open);
    assert_eq!(scene.notify(&mut dialog, "terminated;reason=timeout", document), 200);
    let events = scene.events();
    assert!(events.iter().any(|event| matches!(event, Event::Presence { .. })));
    scene.pass(secs(4000));
    scene.expect_silence();
    assert_eq!(scene.agent.sizes().subscriptions, 0);
}

/// Whoever watches goes on watching, whatever a look beside it comes to.
#[test]
fn a_fetch_of_somebody_who_is_watched_says_nothing_of_the_subscription() {
    let (mut scene, mut watched) = active();
    for answered in [true, false] {
        scene.say(Command::Fetch { target: bob() });
        let subscribe = scene.expect(Method::Subscribe);
        assert_eq!(subscribe.seconds(Name::Expires), Some(0));
        let mut look = Notifier { subscribe, tag: "look", cseq: 0 };
        if answered {
            let document = Body::Presence(Basic::Closed);
            assert_eq!(scene.notify(&mut look, "terminated;reason=timeout", document), 200);
        } else {
            scene.answer(&look.subscribe, 503, &[]);
        }
        let events = scene.events();
        let shown = events.iter().any(|event| matches!(event, Event::Presence { .. }));
        let told = events.iter().any(|event| matches!(event, Event::Subscription { .. }));
        assert_eq!((shown, told), (answered, false));
    }
    assert_eq!(scene.agent.sizes().subscriptions, 1);
    let document = Body::Presence(Basic::Open);
    assert_eq!(scene.notify(&mut watched, "active;expires=500", document), 200);
}

#[test]
fn the_reason_of_an_end_decides_when_it_is_tried_again() {
    let hour = 3600;
    for (end, earliest, latest) in [
        ("terminated;reason=deactivated", 0, 2),
        ("terminated;reason=\"timeout\"", 0, 2),
        ("terminated;reason=probation;retry-after=200", 200, 202),
        ("terminated;reason=probation", 60, 62),
        ("terminated;reason=giveup;retry-after=200", 200, 202),
        ("terminated;reason=giveup", 60, 62),
        ("terminated;reason=expired", 30, 32),
        ("terminated", 30, 32),
        ("terminated;retry-after=5", 5, 7),
        ("terminated;reason=expired;retry-after=90", 90, 92),
        ("terminated;reason=rejected", hour, hour),
        ("terminated;reason=noresource", hour, hour),
        ("terminated;reason=invariant;retry-after=5", hour, hour),
    ] {
        let (mut scene, mut dialog) = active();
        scene.notify(&mut dialog, end, Body::None);
        scene.pass(secs(earliest).saturating_sub(secs(1)));
        scene.expect_silence();
        scene.pass(secs(latest - earliest + 1));
        assert_eq!(scene.requests().len(), usize::from(earliest < hour), "{end}");
    }
}

/// P55: a notifier that accepts and ends at once is not chased.
#[test]
fn a_notifier_that_ends_every_subscription_is_asked_ever_slower() {
    let mut scene = Scene::online();
    scene.say(Command::Subscribe { target: bob(), package: Package::Presence, expires: None });
    let mut asked = 0;
    for _ in 0..600 {
        for subscribe in scene.requests() {
            asked += 1;
            let mut dialog = Notifier { subscribe, tag: "pa", cseq: 0 };
            scene.notify(&mut dialog, "active;expires=600", Body::None);
            scene.answer(&dialog.subscribe, 200, &[(Name::Expires, "600")]);
            scene.notify(&mut dialog, "terminated;reason=deactivated", Body::None);
        }
        scene.pass(secs(1));
    }
    assert!((5..=12).contains(&asked), "{asked} SUBSCRIBE in ten minutes");
}

#[test]
fn an_initial_refusal_is_final_or_not_by_its_status() {
    for (status, again) in [(403, false), (404, false), (489, false), (603, false), (480, true)] {
        let mut scene = Scene::online();
        let dialog = scene.watch(bob(), Package::Presence);
        scene.answer(&dialog.subscribe, status, &[]);
        assert!(phases(&mut scene).contains(&SubscriptionPhase::Terminated));
        scene.pass(secs(70));
        assert_eq!(scene.requests().len(), usize::from(again), "after {status}");
    }
}

#[test]
fn the_user_may_ask_again_after_a_rejection() {
    let (mut scene, mut dialog) = active();
    scene.notify(&mut dialog, "terminated;reason=rejected", Body::None);
    scene.watch(bob(), Package::Presence);
}

#[test]
fn subscribing_twice_refreshes_with_the_new_interval() {
    let (mut scene, _) = active();
    let command =
        Command::Subscribe { target: bob(), package: Package::Presence, expires: Some(120) };
    scene.say(command);
    let refresh = scene.expect(Method::Subscribe);
    assert_eq!(refresh.to().unwrap().tag(), Some("pa"));
    assert_eq!(refresh.seconds(Name::Expires), Some(120));
    assert_eq!(scene.agent.sizes().subscriptions, 1);
}

/// The old dialog may end long after the new one began; the user has one subscription.
#[test]
fn the_late_end_of_what_was_left_is_not_the_end_of_what_was_begun_again() {
    let (mut scene, _) = active();
    scene.say(Command::Unsubscribe { target: bob(), package: Package::Presence });
    let goodbye = scene.expect(Method::Subscribe);
    let mut dialog = scene.watch(bob(), Package::Presence);
    scene.answer(&dialog.subscribe, 200, &[(Name::Expires, "600")]);
    scene.notify(&mut dialog, "active;expires=600", Body::Presence(Basic::Open));
    assert_eq!(phases(&mut scene), [SubscriptionPhase::Trying, SubscriptionPhase::Active]);
    scene.answer(&goodbye, 481, &[]);
    assert_eq!(phases(&mut scene), []);
    scene.say(Command::Unsubscribe { target: bob(), package: Package::Presence });
    let goodbye = scene.expect(Method::Subscribe);
    scene.answer(&goodbye, 481, &[]);
    assert_eq!(phases(&mut scene), [SubscriptionPhase::Terminated]);
}
