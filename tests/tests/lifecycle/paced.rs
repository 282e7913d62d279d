//! Pacing: what waits for the gap, what does not, and what has become of it meanwhile.

use super::{aor, decide, scene};
use presently_engine::Input;
use presently_engine::body::presrules::{Handling, Verdict};
use presently_engine::server::Command;
use presently_tests::{Phone, Stage};
use std::time::Duration;

const GAP: Duration = Duration::from_secs(5);

fn timers(stage: &Stage) -> usize {
    let sizes = stage.server.sizes();
    sizes.iter().find(|(name, _)| *name == "timers").expect("a size").1
}

/// Bob offers direct media, or does not any more.
fn offer(stage: &mut Stage, bob: &mut Phone, mode: &str) {
    let body = format!(
        "<presence xmlns='urn:ietf:params:xml:ns:pidf' \
         xmlns:dm='urn:uuid:670680a7-af31-46e0-a5e5-33737d9b2f61' entity='sip:bob@example.org'>\
         <tuple id='desk'><status><basic>open</basic>\
         <dm:direct-media version='1' seq='17' device='bob-desk'><dm:media>audio</dm:media>\
         <dm:port>40000</dm:port><dm:codec pt='0'>PCMU/8000</dm:codec>\
         <dm:direct_mode>{mode}</dm:direct_mode>\
         <dm:candidate type='host' addr='192.0.2.20' port='40000'/><dm:srtp>token</dm:srtp>\
         <dm:secret epoch='5' expires='600'>mI2lqkZ0mJm0h9sZ8m0nq3Wm4nXxk1l0u2Y7b1q5c9A\
         </dm:secret></dm:direct-media></status></tuple></presence>"
    );
    let content = ("application/pidf+xml", body.as_str());
    assert_eq!(bob.ask(stage, "PUBLISH", "bob", &["Event: presence"], content).status(), 200);
}

#[test]
fn what_is_told_ahead_of_its_turn_leaves_no_timer() {
    let (mut stage, mut alice, mut bob) = scene();
    stage.config.default_policy = Handling::Allow;
    stage.config.notify_gap = GAP;
    let watch = alice.watch(&mut stage, "bob", "presence", 600);
    alice.told(&mut stage);
    stage.pass(Duration::from_secs(1));
    bob.publish(&mut stage, "here", None);
    stage.silent(alice.addr);
    let waiting = timers(&stage);
    alice.renew(&mut stage, &watch, 600);
    assert_eq!(alice.told(&mut stage).pidf().tuples.len(), 1);
    assert_eq!(timers(&stage), waiting - 1);
    stage.pass(Duration::from_secs(20));
    stage.silent(alice.addr);
}

/// P43: who may use an offer hears at once that it is withdrawn, everybody else in turn.
#[test]
fn a_withdrawn_offer_is_urgent_only_for_whom_it_was_shown_to() {
    let (mut stage, mut alice, mut bob) = scene();
    let mut carol = Phone::new("carol", 5090);
    stage.config.notify_gap = GAP;
    bob.register(&mut stage, 600);
    decide(&mut stage, "alice", Some(Handling::Allow));
    let verdict = Some(Verdict { handling: Handling::Allow, direct: false });
    let (presentity, watcher) = (aor("bob"), aor("carol"));
    stage.input(Input::Command(Command::Decide { presentity, watcher, verdict }));
    offer(&mut stage, &mut bob, "ready");
    for phone in [&mut alice, &mut carol] {
        phone.watch(&mut stage, "bob", "presence", 600);
    }
    assert!(alice.told(&mut stage).pidf().is_ready());
    assert!(!carol.told(&mut stage).pidf().has_offer());
    stage.pass(Duration::from_secs(1));
    offer(&mut stage, &mut bob, "off");
    assert!(!alice.told(&mut stage).pidf().is_ready());
    stage.silent(carol.addr);
    stage.pass(Duration::from_secs(1));
    offer(&mut stage, &mut bob, "ready");
    stage.silent(alice.addr);
    stage.pass(GAP);
    assert!(alice.told(&mut stage).pidf().is_ready());
}

/// A watcher that came and went within the gap is nobody's news, and the next one is.
#[test]
fn a_watcher_nobody_heard_of_leaves_no_notify_owed() {
    let (mut stage, mut alice, mut bob) = scene();
    stage.config.notify_gap = GAP;
    bob.watch(&mut stage, "bob", "presence.winfo", 600);
    assert_eq!(bob.told(&mut stage).winfo_line(), "v0 full []");
    stage.pass(Duration::from_secs(1));
    alice.watch(&mut stage, "bob", "presence", 600);
    alice.told(&mut stage);
    decide(&mut stage, "alice", Some(Handling::Block));
    alice.told(&mut stage);
    stage.pass(GAP);
    stage.silent(bob.addr);
    Phone::new("carol", 5090).watch(&mut stage, "bob", "presence", 600);
    stage.pass(GAP);
    assert_eq!(bob.told(&mut stage).winfo_line(), "v1 partial [carol pending/subscribe]");
}
