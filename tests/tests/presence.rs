//! Scenes of presence and watcher information at the presence agent: behaviour §7, M13–M16.

use presently_tests::{Phone, Stage, stage};
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);

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

    alice.watch(&mut stage, "bob", "presence", 3600);
    let pending = alice.told(&mut stage);
    assert_eq!(pending.state, "pending");
    assert!(pending.pidf().tuples.is_empty());
    assert_eq!(bob.told(&mut stage).winfo_line(), "v1 partial [alice pending/subscribe]");

    assert_eq!(bob.decide(&mut stage, &[("alice", "allow")], None).status(), 200);
    let active = alice.told(&mut stage);
    assert_eq!(active.state, "active");
    assert_eq!(&*active.pidf().tuples[0].notes[0].text, "at my desk");
    assert_eq!(bob.told(&mut stage).winfo_line(), "v2 partial [alice active/approved]");

    stage.pass(HOUR + Duration::from_secs(5));
    let over = alice.told(&mut stage);
    assert_eq!((over.state.as_str(), over.reason.as_deref()), ("terminated", Some("timeout")));
    assert_eq!(bob.told(&mut stage).winfo_line(), "v3 partial [alice terminated/timeout]");
    stage.silent(alice.addr);
    stage.silent(bob.addr);
}
