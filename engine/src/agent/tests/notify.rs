//! Notifications: matching, order, bodies (M15; RFC 6665 §4.1.3; bug museum §1 rows 12, 13).

use super::rig::*;
use crate::agent::{Command, Event, Package, SubscriptionPhase};
use crate::body::pidf::Basic;
use crate::message::{Method, Name};

fn active() -> (Scene, Notifier) {
    let mut scene = Scene::online();
    let mut dialog = scene.watch(bob(), Package::Presence);
    scene.answer(&dialog.subscribe, 200, &[(Name::Expires, "600")]);
    scene.notify(&mut dialog, "active;expires=600", Body::Presence(Basic::Open));
    scene.forget();
    (scene, dialog)
}

/// R1.
#[test]
fn a_notify_before_the_200_is_welcome() {
    let mut scene = Scene::online();
    let mut dialog = scene.watch(bob(), Package::Presence);
    assert_eq!(scene.notify(&mut dialog, "active;expires=600", Body::Presence(Basic::Open)), 200);
    scene.answer(&dialog.subscribe, 200, &[(Name::Expires, "600")]);
    scene.pass(secs(100));
    scene.expect_silence();
    assert_eq!(scene.agent.tables(scene.now).buddies[0].phase, SubscriptionPhase::Active);
}

/// R10, P6.
#[test]
fn an_older_notify_in_a_new_transaction_is_refused_and_its_content_ignored() {
    let (mut scene, mut dialog) = active();
    dialog.cseq = 6;
    assert_eq!(scene.notify(&mut dialog, "active", Body::Presence(Basic::Closed)), 200);
    scene.events();
    for cseq in [6, 3] {
        dialog.cseq = cseq - 1;
        assert_eq!(scene.notify(&mut dialog, "active", Body::Presence(Basic::Open)), 500);
    }
    assert_eq!(scene.events(), []);
}

#[test]
fn a_copy_of_a_notify_gets_the_same_answer_and_is_shown_once() {
    let (mut scene, mut dialog) = active();
    dialog.cseq += 1;
    let notify = scene.draft_notify(&dialog, "active", Body::Presence(Basic::Closed));
    scene.hear(notify.clone());
    assert_eq!(scene.expect_status(), 200);
    scene.hear(notify);
    assert!(scene.is_unanswered(), "the copy got the very same bytes");
    assert_eq!(scene.events().len(), 1);
}

/// P6: the last document of a subscription that the user ended may come after the first one of
/// the next, and must not take its place.
#[test]
fn a_subscription_that_was_left_shows_nothing_any_more() {
    let (mut scene, mut left) = active();
    scene.say(Command::Unsubscribe { target: bob(), package: Package::Presence });
    let goodbye = scene.expect(Method::Subscribe);
    scene.answer(&goodbye, 200, &[(Name::Expires, "0")]);
    let mut next = scene.watch(bob(), Package::Presence);
    scene.answer(&next.subscribe, 200, &[(Name::Expires, "600")]);
    scene.notify(&mut next, "active;expires=600", Body::Presence(Basic::Open));
    scene.events();
    let last = "terminated;reason=timeout";
    assert_eq!(scene.notify(&mut left, last, Body::Presence(Basic::Closed)), 200);
    let shown = |event: &Event| matches!(event, Event::Presence { .. });
    assert!(!scene.events().iter().any(shown));
}

#[test]
fn a_notify_of_no_subscription_is_refused() {
    let (mut scene, dialog) = active();
    let mut other = dialog.clone();
    other.tag = "elsewhere";
    assert_eq!(scene.notify(&mut other, "active", Body::None), 481, "another From tag");
    let with_id = |scene: &mut Scene| {
        let mut writer = scene.notify_head(&dialog, 9);
        writer.header(Name::Event, "presence;id=7");
        writer.header(Name::SubscriptionState, "active");
        scene.hear(writer.finish());
        scene.expect_status()
    };
    assert_eq!(with_id(&mut scene), 481, "another id");
}

/// Bug museum §3: linphone-sdk 16, 109.
#[test]
fn a_notify_without_event_is_489_with_the_packages_we_know() {
    let (mut scene, dialog) = active();
    for event in [None, Some("dialog")] {
        let mut writer = scene.notify_head(&dialog, 9);
        if let Some(event) = event {
            writer.header(Name::Event, event);
        }
        writer.header(Name::SubscriptionState, "active");
        scene.hear(writer.finish());
        let answer = scene.expect_answer();
        assert_eq!(answer.status(), 489);
        assert_eq!(answer.first(Name::AllowEvents), Some("presence, presence.winfo"));
    }
}

#[test]
fn a_body_of_another_type_is_415_and_changes_nothing() {
    let (mut scene, mut dialog) = active();
    let body = Body::Raw("text/plain", "rejected");
    dialog.cseq += 1;
    let notify = scene.draft_notify(&dialog, "terminated;reason=rejected", body);
    scene.hear(notify);
    let answer = scene.expect_answer();
    assert_eq!(answer.status(), 415);
    assert!(answer.first(Name::Accept).unwrap().contains("application/pidf+xml"));
    assert_eq!(scene.agent.tables(scene.now).buddies[0].phase, SubscriptionPhase::Active);
}

#[test]
fn a_document_nobody_can_read_is_acknowledged_and_the_last_one_kept() {
    let (mut scene, mut dialog) = active();
    let body = Body::Raw("application/pidf+xml", "<presence");
    assert_eq!(scene.notify(&mut dialog, "active", body), 200);
    assert!(matches!(scene.events()[..], [Event::Error { .. }]));
    let document = scene.agent.tables(scene.now).buddies[0].document.clone().unwrap();
    assert_eq!(document.tuples[0].basic, Some(Basic::Open));
}

#[test]
fn no_body_keeps_the_document() {
    let (mut scene, mut dialog) = active();
    assert_eq!(scene.notify(&mut dialog, "active;expires=500", Body::None), 200);
    assert!(scene.agent.tables(scene.now).buddies[0].document.is_some());
}

/// T12.
#[test]
fn the_type_of_2003_is_understood() {
    let (mut scene, mut dialog) = active();
    let text = "<?xml version=\"1.0\"?><presence xmlns=\"urn:ietf:params:xml:ns:cpim-pidf:\" \
                entity=\"sip:bob@example.org\"><tuple id=\"a\"><status><basic>closed</basic>\
                </status></tuple></presence>";
    let body = Body::Raw("application/cpim-pidf+xml", text);
    assert_eq!(scene.notify(&mut dialog, "active", body), 200);
    let [Event::Presence { document, .. }] = &scene.events()[..] else { panic!() };
    assert_eq!(document.tuples[0].basic, Some(Basic::Closed));
}

/// D8.
#[test]
fn permission_withdrawn_drops_the_document() {
    let (mut scene, mut dialog) = active();
    scene.notify(&mut dialog, "pending;expires=500", Body::None);
    assert!(scene.agent.tables(scene.now).buddies[0].document.is_none());
    let events = scene.events();
    let pending = SubscriptionPhase::Pending;
    assert!(matches!(events[..], [Event::Subscription { phase, .. }] if phase == pending));
    scene.notify(&mut dialog, "active", Body::Presence(Basic::Open));
    assert_eq!(scene.agent.tables(scene.now).buddies[0].phase, SubscriptionPhase::Active);
}

/// R22.
#[test]
fn a_forked_presence_subscription_keeps_its_first_dialog() {
    let mut scene = Scene::online();
    let mut first = scene.watch(bob(), Package::Presence);
    let mut second = Notifier { tag: "pb", ..first.clone() };
    assert_eq!(scene.notify(&mut first, "active;expires=600", Body::None), 200);
    assert_eq!(scene.notify(&mut second, "active;expires=600", Body::None), 481);
    assert_eq!(scene.notify(&mut first, "active;expires=600", Body::None), 200);
}

/// RFC 6665 §4.1.2.4: until Timer N other notifiers may answer the same SUBSCRIBE, then no more.
#[test]
fn after_timer_n_a_notify_creates_no_dialog() {
    for package in [Package::Presence, Package::Winfo] {
        let mut scene = Scene::online();
        let mut late = scene.watch(bob(), package);
        scene.pass(secs(32));
        assert_eq!(scene.notify(&mut late, "active;expires=600", Body::None), 481, "the first");
    }
    let mut scene = Scene::online();
    let mut first = scene.watch(bob(), Package::Winfo);
    let mut second = Notifier { tag: "pb", ..first.clone() };
    let mut third = Notifier { tag: "pc", ..first.clone() };
    scene.notify(&mut first, "active;expires=600", Body::None);
    scene.answer(&first.subscribe, 200, &[(Name::Expires, "600")]);
    scene.pass(secs(31));
    assert_eq!(scene.notify(&mut second, "active;expires=600", Body::None), 200, "in time");
    scene.pass(secs(2));
    assert_eq!(scene.notify(&mut third, "active;expires=600", Body::None), 481, "too late");
    assert_eq!(scene.notify(&mut second, "active;expires=600", Body::None), 200);
}

/// RFC 6665 §4.1.4: the 200 may be another notifier's; the NOTIFY says who we talk to.
#[test]
fn the_dialog_is_that_of_the_notify_whatever_tag_the_200_had() {
    let mut scene = Scene::online();
    let mut dialog = scene.watch(bob(), Package::Presence);
    scene.answer(&dialog.subscribe, 200, &[(Name::Expires, "600")]);
    let forked = "the tag of the 200 is srv, that of the NOTIFY pa";
    assert_eq!(scene.notify(&mut dialog, "active;expires=600", Body::None), 200, "{forked}");
    scene.pass(secs(540));
    assert_eq!(scene.expect(Method::Subscribe).to().unwrap().tag(), Some("pa"));
}

/// RFC 6665 §8.2.1: one event type a message, compared byte by byte.
#[test]
fn an_event_is_one_and_is_compared_byte_by_byte() {
    let (mut scene, dialog) = active();
    for events in [&["Presence"][..], &["presence", "presence"], &["presence, presence.winfo"]] {
        let mut writer = scene.notify_head(&dialog, 9);
        for event in events {
            writer.header(Name::Event, event);
        }
        writer.header(Name::SubscriptionState, "active");
        scene.hear(writer.finish());
        assert_eq!(scene.expect_status(), 489, "{events:?}");
    }
}

/// RFC 6665 §4.4.1: the route set comes from the NOTIFY, in its order.
#[test]
fn the_route_of_a_refresh_comes_from_the_notify() {
    let mut scene = Scene::online();
    let dialog = scene.watch(bob(), Package::Presence);
    let mut writer = scene.notify_head(&dialog, 1);
    writer.header(Name::RecordRoute, "<sip:p1.example.org;lr>");
    writer.header(Name::RecordRoute, "<sip:p2.example.org;lr>");
    writer.header(Name::Event, "presence");
    writer.header(Name::SubscriptionState, "active;expires=600");
    scene.hear(writer.finish());
    scene.answer(&dialog.subscribe, 200, &[(Name::Expires, "600")]);
    scene.pass(secs(540));
    let refresh = scene.expect(Method::Subscribe);
    let routes: Vec<_> = refresh.list(Name::Route).collect();
    assert_eq!(routes, ["<sip:p1.example.org;lr>", "<sip:p2.example.org;lr>"]);
}

/// RFC 3261 §16.6: what a proxy put into Record-Route is good for that dialog alone.
#[test]
fn the_route_of_a_dialog_is_used_nowhere_else() {
    let mut scene = Scene::online();
    let dialog = scene.watch(bob(), Package::Presence);
    let mut writer = scene.notify_head(&dialog, 1);
    writer.header(Name::RecordRoute, "<sip:p1.example.org;lr>");
    writer.header(Name::Event, "presence");
    writer.header(Name::SubscriptionState, "active;expires=600");
    scene.hear(writer.finish());
    scene.answer(&dialog.subscribe, 200, &[(Name::Expires, "600")]);
    scene.pass(secs(540));
    let refresh = scene.expect(Method::Subscribe);
    assert!(refresh.first(Name::Route).is_some());
    scene.answer(&refresh, 481, &[]);
    scene.pass(secs(60));
    let anew = scene.find(Method::Subscribe);
    assert_ne!(anew.call_id(), refresh.call_id());
    assert_eq!(anew.first(Name::Route), None);
}

#[test]
fn a_notify_without_subscription_state_is_a_bad_request() {
    let (mut scene, dialog) = active();
    let mut writer = scene.notify_head(&dialog, 9);
    writer.header(Name::Event, "presence");
    scene.hear(writer.finish());
    assert_eq!(scene.expect_status(), 400);
}
