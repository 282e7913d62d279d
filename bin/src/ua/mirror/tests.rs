use super::*;
use presently_engine::body::pidf::{Basic, Pidf};
use presently_engine::body::winfo::Cause;
use presently_engine::message::Aor;

fn bob() -> Aor {
    Aor::parse("sip:bob@example.org").expect("an address")
}

fn tables(mirror: &Mirror) -> Value {
    serde_json::from_str(&mirror.report().to_json(0)).expect("an object")
}

fn subscription(package: Package, phase: SubscriptionPhase) -> Event {
    Event::Subscription { target: bob(), package, phase, reason: None, expires: Some(60) }
}

fn watcher(status: Status) -> Event {
    let (id, uri) = ("w1".into(), "sip:carol@example.org".into());
    Event::Watcher { resource: bob(), id, uri, status, cause: Cause::Subscribe, name: None }
}

#[test]
fn what_is_watched_and_who_watches_shows_under_the_papers_names() {
    let mut mirror = Mirror::default();
    let document = Pidf::simple("pres:bob@example.org", "t1", Basic::Open);
    mirror.follow(&subscription(Package::Presence, SubscriptionPhase::Active));
    mirror.follow(&Event::Presence { aor: bob(), document });
    mirror.follow(&subscription(Package::Winfo, SubscriptionPhase::Active));
    mirror.follow(&watcher(Status::Pending));
    let tables = tables(&mirror);
    assert_eq!(tables["PIT"][0]["id"], "t1");
    assert_eq!(tables["PIT"][0]["entity"], "sip:bob@example.org");
    assert_eq!(tables["PST"][0]["expire"], 60);
    assert_eq!(tables["WT"][0]["watcher"], "sip:carol@example.org");
    assert_eq!(tables["WST"][0]["state"], "active");
}

#[test]
fn what_has_ended_is_gone() {
    let mut mirror = Mirror::default();
    let document = Pidf::simple("pres:bob@example.org", "t1", Basic::Open);
    mirror.follow(&Event::Presence { aor: bob(), document });
    mirror.follow(&watcher(Status::Active));
    mirror.follow(&watcher(Status::Terminated));
    assert_eq!(tables(&mirror)["WT"], json!([]));
    mirror.follow(&subscription(Package::Presence, SubscriptionPhase::Terminated));
    assert_eq!(tables(&mirror)["PIT"], json!([]));
    mirror.follow(&watcher(Status::Active));
    mirror.follow(&subscription(Package::Winfo, SubscriptionPhase::Terminated));
    assert_eq!(tables(&mirror)["WT"], json!([]));
}
