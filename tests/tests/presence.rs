//! Scenes of presence and watcher information at the presence agent: behaviour §7, M13–M16.

use presently_engine::body::pidf::Basic;
use presently_tests::{Phone, Stage, stage};
use std::time::Duration;

fn stage_with(watchers: &[&str]) -> (Stage, Phone, Vec<Phone>) {
    let stage = Stage::new(stage::config());
    let phones = (0u16..).zip(watchers).map(|(i, name)| Phone::new(name, 6000 + i)).collect();
    (stage, Phone::new("bob", 5070), phones)
}

/// T1: subscribe, wait, approval, presence, expiry; the owner sees every step.
#[test]
fn approval() {
    let (mut stage, mut bob, mut phones) = stage_with(&["alice"]);
    let alice = &mut phones[0];
    bob.publish(&mut stage, "at my desk", None);
    bob.watch(&mut stage, "bob", "presence.winfo", 7200);
    assert_eq!(bob.told(&mut stage).winfo_line(), "v0 full []");

    alice.watch(&mut stage, "bob", "presence", 600);
    let pending = alice.told(&mut stage);
    assert_eq!(pending.state, "pending");
    assert!(pending.pidf().tuples.is_empty());
    assert_eq!(bob.told(&mut stage).winfo_line(), "v1 partial [alice pending/subscribe]");

    assert_eq!(bob.decide(&mut stage, &[("alice", "allow")], None).status(), 200);
    let active = alice.told(&mut stage);
    assert_eq!(active.state, "active");
    assert_eq!(&*active.pidf().tuples[0].notes[0].text, "at my desk");
    assert_eq!(bob.told(&mut stage).winfo_line(), "v2 partial [alice active/approved]");

    stage.pass(Duration::from_secs(605));
    let over = alice.told(&mut stage);
    assert_eq!((over.state.as_str(), over.reason.as_deref()), ("terminated", Some("timeout")));
    assert_eq!(bob.told(&mut stage).winfo_line(), "v3 partial [alice terminated/timeout]");
    stage.silent(alice.addr);
    stage.silent(bob.addr);
}

/// T2: a subscription that nobody approves waits; the decision ends the waiting, and the next
/// SUBSCRIBE is active at once.
#[test]
fn expiry_unapproved() {
    let (mut stage, mut bob, mut phones) = stage_with(&["alice"]);
    let alice = &mut phones[0];
    bob.watch(&mut stage, "bob", "presence.winfo", 7200);
    bob.told(&mut stage);
    alice.watch(&mut stage, "bob", "presence", 600);
    assert_eq!(alice.told(&mut stage).state, "pending");
    assert_eq!(bob.told(&mut stage).winfo_line(), "v1 partial [alice pending/subscribe]");

    stage.pass(Duration::from_secs(605));
    let over = alice.told(&mut stage);
    assert_eq!((over.state.as_str(), over.reason.as_deref()), ("terminated", Some("timeout")));
    let waiting = bob.told(&mut stage);
    assert_eq!(waiting.winfo_line(), "v2 partial [alice waiting/timeout]");

    bob.decide(&mut stage, &[("alice", "allow")], None);
    assert_eq!(bob.told(&mut stage).winfo_line(), "v3 partial [alice terminated/approved]");
    stage.silent(alice.addr);

    alice.watch(&mut stage, "bob", "presence", 600);
    assert_eq!(alice.told(&mut stage).state, "active");
    let again = bob.told(&mut stage);
    assert_eq!(again.winfo_line(), "v4 partial [alice active/subscribe]");
    assert_ne!(
        again.winfo().lists[0].watchers[0].id,
        waiting.winfo().lists[0].watchers[0].id,
        "a WT id is never reused (P10)"
    );
}

/// T3: a fetch by a stranger leaves a waiting record; the real SUBSCRIBE replaces it, and one
/// document tells of both rows.
#[test]
fn fetch_by_a_stranger() {
    let (mut stage, mut bob, mut phones) = stage_with(&["alice"]);
    let alice = &mut phones[0];
    bob.watch(&mut stage, "bob", "presence.winfo", 7200);
    bob.told(&mut stage);
    alice.watch(&mut stage, "bob", "presence", 0);
    let fetched = alice.told(&mut stage);
    assert_eq!(
        (fetched.state.as_str(), fetched.reason.as_deref()),
        ("terminated", Some("timeout"))
    );
    assert!(fetched.pidf().tuples.is_empty(), "undecided watchers see nothing (P39)");
    assert_eq!(bob.told(&mut stage).winfo_line(), "v1 partial [alice waiting/timeout]");

    alice.watch(&mut stage, "bob", "presence", 600);
    alice.told(&mut stage);
    let both = bob.told(&mut stage).winfo_line();
    assert_eq!(both, "v2 partial [alice pending/subscribe, alice terminated/giveup]");
}

/// T4: everybody but the owner sees only its own rows, and others' events leave no trace (D9).
#[test]
fn self_view() {
    let (mut stage, mut bob, mut phones) = stage_with(&["alice", "carol"]);
    let [alice, carol] = &mut phones[..] else { unreachable!() };
    carol.watch(&mut stage, "bob", "presence.winfo", 7200);
    assert_eq!(carol.told(&mut stage).winfo_line(), "v0 full []");
    carol.watch(&mut stage, "bob", "presence", 600);
    assert_eq!(carol.told(&mut stage).state, "pending");
    assert_eq!(carol.told(&mut stage).winfo_line(), "v1 partial [carol pending/subscribe]");

    alice.watch(&mut stage, "bob", "presence", 600);
    alice.told(&mut stage);
    bob.decide(&mut stage, &[("alice", "allow")], None);
    alice.told(&mut stage);
    stage.silent(carol.addr);
}

/// T5: a 500 to a winfo NOTIFY makes the next document full (D6).
#[test]
fn full_document_after_a_500() {
    let (mut stage, mut bob, mut phones) = stage_with(&["alice"]);
    let alice = &mut phones[0];
    bob.watch(&mut stage, "bob", "presence.winfo", 7200);
    bob.told(&mut stage);
    alice.watch(&mut stage, "bob", "presence", 600);
    alice.told(&mut stage);
    bob.told(&mut stage);
    bob.decide(&mut stage, &[("alice", "allow")], None);
    alice.told(&mut stage);
    let lost = bob.told_and(&mut stage, 500);
    assert_eq!(lost.winfo_line(), "v2 partial [alice active/approved]");
    stage.silent(bob.addr);
    stage.pass(Duration::from_secs(1));
    assert_eq!(bob.told(&mut stage).winfo_line(), "v3 full [alice active/approved]");
}

/// T12: a client of 2003 gets the media type and namespace of 2003 (D23).
#[test]
fn legacy_format() {
    let (mut stage, _bob, mut phones) = stage_with(&["alice"]);
    stage.config.default_policy = presently_engine::body::presrules::Handling::Allow;
    let alice = &mut phones[0];
    let extra = ["Event: presence", "Accept: application/cpim-pidf+xml"];
    assert_eq!(alice.ask(&mut stage, "SUBSCRIBE", "bob", &extra, ("", "")).status(), 200);
    let told = alice.told(&mut stage);
    let kind = told.request.content_type().expect("a body").essence.to_owned();
    assert_eq!(kind, "application/cpim-pidf+xml");
    let text = String::from_utf8(told.body.to_vec()).expect("UTF-8");
    assert!(text.contains("\"urn:ietf:params:xml:ns:cpim-pidf\""), "{text}");
}

/// An offer of the paper's form, without a secret (behaviour §6.10).
const OPEN_OFFER: &str = "<presence xmlns='urn:ietf:params:xml:ns:pidf' \
     xmlns:dm='urn:uuid:670680a7-af31-46e0-a5e5-33737d9b2f61' entity='sip:bob@example.org'>\
     <tuple id='desk'><status><basic>open</basic>\
     <dm:direct-media version='1' seq='17'><dm:media>audio</dm:media>\
     <dm:port>40000</dm:port><dm:codec pt='0'>PCMU/8000</dm:codec>\
     <dm:direct_mode>ready</dm:direct_mode>\
     <dm:candidate type='host' addr='192.0.2.20' port='40000'/><dm:srtp>none</dm:srtp>\
     </dm:direct-media></status></tuple></presence>";

/// The NOTIFY that a watcher gets which accepts this type.
fn shown(stage: &mut Stage, watcher: &mut Phone, accept: &str) -> String {
    let accept = format!("Accept: {accept}");
    let extra = ["Event: presence", accept.as_str()];
    assert!(watcher.ask(stage, "SUBSCRIBE", "bob", &extra, ("", "")).status() < 300);
    String::from_utf8(watcher.told(stage).body.to_vec()).expect("UTF-8")
}

/// P3, X5: an offer without a secret has the same readers as any other. The paper's own elements
/// are for who reads the old format, if the operator wants that.
#[test]
fn an_offer_without_a_secret_is_for_approved_watchers_alone() {
    let (mut stage, mut bob, mut phones) = stage_with(&["alice", "carol", "dora"]);
    bob.register(&mut stage, 3600);
    let rules = [("alice", "allow"), ("carol", "polite-block")];
    assert_eq!(bob.decide(&mut stage, &rules, None).status(), 200);
    let content = ("application/pidf+xml", OPEN_OFFER);
    assert_eq!(bob.ask(&mut stage, "PUBLISH", "bob", &["Event: presence"], content).status(), 200);
    for elements in [false, true] {
        stage.config.legacy_cpim_elements = elements;
        let text = shown(&mut stage, &mut phones[0], "application/cpim-pidf+xml");
        assert!(text.contains("<dm:direct_mode>ready</dm:direct_mode>"), "{text}");
        assert!(!text.contains("access"), "{text}");
        let paper = "<port xmlns=\"\">40000</port><codec xmlns=\"\">PCMU</codec>";
        assert_eq!(text.contains(paper), elements, "{text}");
        let text = shown(&mut stage, &mut phones[0], "application/pidf+xml");
        assert!(text.contains(">ready<") && !text.contains(paper), "{text}");
        for other in [1, 2] {
            let text = shown(&mut stage, &mut phones[other], "application/cpim-pidf+xml");
            let told =
                ["40000", "direct", "ready", "PCMU"].iter().find(|word| text.contains(**word));
            assert_eq!(told, None, "{text}");
        }
    }
}

/// A presentity that publishes nothing is open while it has a binding. Its watchers hear of that
/// once, not at every refresh of the binding.
#[test]
fn a_document_nobody_published_follows_the_bindings() {
    let (mut stage, mut bob, mut phones) = stage_with(&["alice"]);
    stage.config.default_policy = presently_engine::body::presrules::Handling::Allow;
    let alice = &mut phones[0];
    alice.watch(&mut stage, "bob", "presence", 86_400);
    let basic = |told: presently_tests::Told| told.pidf().tuples[0].basic;
    assert_eq!(basic(alice.told(&mut stage)), Some(Basic::Closed));
    bob.register(&mut stage, 600);
    assert_eq!(basic(alice.told(&mut stage)), Some(Basic::Open));
    bob.register(&mut stage, 600);
    let mut other = Phone::new("bob", 5071);
    other.register(&mut stage, 3600);
    stage.silent(alice.addr);
    stage.pass(Duration::from_secs(606));
    stage.silent(alice.addr);
    stage.pass(Duration::from_secs(3000));
    assert_eq!(basic(alice.told(&mut stage)), Some(Basic::Closed));
}
