//! Publication at the event state compositor: RFC 3903 §6, §7, §9 and §14. The documents that are
//! published are the matter of `publish/pidf.rs` (RFC 3863).

mod pidf;

use presently_engine::body::presrules::Handling;
use presently_engine::digest::{Algorithm, Client};
use presently_engine::message::{Message, Method, Name, Response};
use presently_engine::mint::Secret;
use presently_engine::server::User;
use presently_tests::phone::{Head, pidf};
use presently_tests::{Phone, Stage, World, stage, world};
use std::collections::BTreeSet;
use std::time::Duration;

const PIDF: &str = "application/pidf+xml";
const EVENT: &str = "Event: presence";

/// Alice, whom bob allows, watches bob; nothing is published yet.
fn household() -> (Stage, Phone, Phone) {
    let mut stage = Stage::new(stage::config());
    stage.config.default_policy = Handling::Allow;
    let (mut alice, bob) = (Phone::new("alice", 5080), Phone::new("bob", 5070));
    alice.watch(&mut stage, "bob", "presence", 86_400);
    alice.told(&mut stage);
    (stage, alice, bob)
}

/// Bob PUBLISHes with these lines and this note, or without body.
fn publish(stage: &mut Stage, bob: &mut Phone, lines: &[&str], note: Option<&str>) -> Response {
    let body = note.map(|note| pidf("bob", note));
    let body = body.as_deref().map_or(("", ""), |body| (PIDF, body));
    bob.ask(stage, "PUBLISH", "bob", lines, body)
}

fn etag(answer: &Response) -> String {
    assert_eq!(answer.status(), 200);
    let tags: Vec<&str> = answer.lines(Name::SipEtag).collect();
    assert_eq!(tags.len(), 1, "one entity-tag");
    tags[0].to_owned()
}

fn if_match(tag: &str) -> String {
    format!("SIP-If-Match: {tag}")
}

/// The notes of everything published, in the order of the table.
fn notes(stage: &Stage) -> Vec<String> {
    stage.server.tables(stage.now).pit.iter().map(|row| row.note.clone()).collect()
}

/// RFC 3903 §6: both headers mean nothing here, whatever stands in them.
#[test]
fn record_route_and_contact_of_a_publish_mean_nothing() {
    let (mut stage, mut alice, mut bob) = household();
    let route = "Record-Route: <sip:edge.example.net;lr>";
    for contact in ["Contact: <sip:bob@203.0.113.9>;expires=0", "Contact: mailto:bob@example.net"] {
        let answer = publish(&mut stage, &mut bob, &[EVENT, route, contact], Some("here"));
        let tag = etag(&answer);
        assert_eq!(answer.first(Name::RecordRoute), None);
        assert_eq!(answer.first(Name::Contact), None);
        let told = alice.told(&mut stage);
        assert_eq!(&*told.pidf().tuples[0].notes[0].text, "here");
        assert_eq!(told.request.first(Name::Route), None);
        let gone = publish(&mut stage, &mut bob, &[EVENT, "Expires: 0", &if_match(&tag)], None);
        assert_eq!((gone.status(), gone.first(Name::RecordRoute)), (200, None));
        alice.told(&mut stage);
    }
}

/// RFC 3903 §6: what came first has been carried out whole when the next is looked at.
#[test]
fn publications_are_carried_out_in_the_order_they_came() {
    let (mut stage, mut alice, mut bob) = household();
    let tag = etag(&bob.publish(&mut stage, "zero", None));
    assert_eq!(bob.publish(&mut stage, "one", Some(&tag)).status(), 200);
    assert_eq!(bob.publish(&mut stage, "two", Some(&tag)).status(), 412, "the tag was replaced");
    let mut tablet = Phone::new("bob", 5071);
    tablet.publish(&mut stage, "three", None);
    // Two devices say something about the same tuple: the later one counts.
    let mut last = alice.told(&mut stage);
    while stage.waiting(alice.addr) > 0 {
        last = alice.told(&mut stage);
    }
    assert_eq!(&*last.pidf().tuples[0].notes[0].text, "three");
}

/// RFC 3903 §6 step 1.
#[test]
fn nobody_of_that_name_is_404() {
    let (mut stage, _alice, mut bob) = household();
    stage.config.users.open = false;
    stage.config.users.named.insert("bob".into(), User::default());
    let body = pidf("nobody", "here");
    let lines = [EVENT, "SIP-If-Match: two, tags", "Expires: 5"];
    let answer = bob.ask(&mut stage, "PUBLISH", "nobody", &lines, ("text/plain", &body));
    assert_eq!(answer.status(), 404);
    assert_eq!(answer.first(Name::SipEtag), None);
    assert!(notes(&stage).is_empty());
}

/// RFC 3903 §6 step 2: nothing else of the request is looked at.
#[test]
fn without_a_package_we_know_it_is_489() {
    let (mut stage, alice, mut bob) = household();
    for event in [None, Some("Event: dialog"), Some("Event: presence.winfo"), Some("Event: ")] {
        for rest in [&["SIP-If-Match: two, tags"][..], &["Expires: 5"], &[]] {
            let lines: Vec<&str> = event.into_iter().chain(rest.iter().copied()).collect();
            let answer = publish(&mut stage, &mut bob, &lines, Some("here"));
            assert_eq!(answer.status(), 489, "{lines:?}");
            let known: Vec<&str> = answer.list(Name::AllowEvents).collect();
            assert!(known.contains(&"presence"), "{known:?}");
        }
    }
    assert!(notes(&stage).is_empty());
    stage.silent(alice.addr);
}

/// RFC 3903 §6 step 3.
#[test]
fn an_if_match_is_one_token_that_we_gave_for_this_resource() {
    let (mut stage, _alice, mut bob) = household();
    let tag = etag(&bob.publish(&mut stage, "here", None));
    let mut alice = Phone::new("alice", 5080);
    let foreign = etag(&alice.publish(&mut stage, "me", None));
    let two = format!("{tag}, {tag}");
    for (value, status) in [
        (&*two, 400),
        ("", 400),
        ("\"quoted\"", 400),
        ("never-issued", 412),
        ("*", 412),
        ("0000000000000000", 412),
        (&foreign, 412),
    ] {
        // A 423 or a 415 would come later in the order of the steps.
        for rest in ["Expires: 5", "Expires: 600"] {
            let lines = [EVENT, rest, &if_match(value)];
            let answer = bob.ask(&mut stage, "PUBLISH", "bob", &lines, ("text/plain", "x"));
            assert_eq!(answer.status(), status, "{value} {rest}");
        }
    }
    let twice = [EVENT, &if_match(&tag), &if_match(&tag)];
    assert_eq!(publish(&mut stage, &mut bob, &twice, Some("there")).status(), 400);
    // A tag of bob's rules is none of his presence.
    let rules = etag(&bob.decide(&mut stage, &[("alice", "allow")], None));
    let lines = [EVENT, &if_match(&rules)];
    assert_eq!(publish(&mut stage, &mut bob, &lines, Some("there")).status(), 412);
    assert_eq!(notes(&stage), ["me", "here"]);
}

/// RFC 3903 §6 step 4, and §4.2: granted is at most what was asked for.
#[test]
fn expires_is_what_is_asked_for_and_a_default_without() {
    let (mut stage, _alice, mut bob) = household();
    stage.config.limits.pub_default = 1234;
    let limits = (stage.config.limits.pub_min, stage.config.limits.pub_max);
    assert_eq!(limits, (60, 3600));
    let asked = ["Expires: 60", "Expires: 3600", "Expires: 999999"];
    for (asked, granted) in asked.iter().zip([60, 3600, 3600]) {
        let answer = publish(&mut stage, &mut bob, &[EVENT, asked], Some("here"));
        assert_eq!((answer.status(), answer.seconds(Name::Expires)), (200, Some(granted)));
    }
    let answer = publish(&mut stage, &mut bob, &[EVENT], Some("here"));
    assert_eq!(answer.seconds(Name::Expires), Some(1234));
    let tag = etag(&answer);
    let refreshed = publish(&mut stage, &mut bob, &[EVENT, &if_match(&tag)], None);
    assert_eq!(refreshed.seconds(Name::Expires), Some(1234));
    let brief = publish(&mut stage, &mut bob, &[EVENT, "Expires: 59"], Some("here"));
    assert_eq!((brief.status(), brief.seconds(Name::MinExpires)), (423, Some(60)));
    assert_eq!(brief.first(Name::SipEtag), None);
}

/// RFC 3903 §6 step 5.
#[test]
fn a_body_of_another_type_is_415_and_none_at_all_400() {
    let (mut stage, alice, mut bob) = household();
    let document = pidf("bob", "here");
    for kind in ["text/plain", "application/xml", "multipart/signed", "application/auth-policy+xml"]
    {
        let answer = bob.ask(&mut stage, "PUBLISH", "bob", &[EVENT], (kind, &document));
        assert_eq!(answer.status(), 415, "{kind}");
        assert!(answer.list(Name::Accept).any(|known| known == PIDF));
    }
    assert_eq!(publish(&mut stage, &mut bob, &[EVENT], None).status(), 400);
    assert_eq!(publish(&mut stage, &mut bob, &[EVENT, "Expires: 0"], None).status(), 400);
    assert!(notes(&stage).is_empty());
    stage.silent(alice.addr);
}

/// RFC 3903 §6 steps 5 and 6. A body beside Expires 0 should not be (RFC 3903 §4.5); whoever sends
/// one wants to be gone all the same.
#[test]
fn expires_0_removes_at_once_and_stores_nothing() {
    for body in [None, Some("bye")] {
        let (mut stage, mut alice, mut bob) = household();
        let tag = etag(&bob.publish(&mut stage, "here", None));
        alice.told(&mut stage);
        let gone = publish(&mut stage, &mut bob, &[EVENT, "Expires: 0", &if_match(&tag)], body);
        assert_eq!(gone.seconds(Name::Expires), Some(0));
        let new = etag(&gone);
        assert!(notes(&stage).is_empty(), "{body:?}");
        assert!(alice.told(&mut stage).pidf().tuples[0].notes.is_empty());
        for tag in [tag, new] {
            let lines = [EVENT, &if_match(&tag)];
            assert_eq!(publish(&mut stage, &mut bob, &lines, Some("back")).status(), 412);
        }
        stage.crash(Duration::from_secs(1));
        assert!(notes(&stage).is_empty(), "nor after a restart");
    }
    let (mut stage, alice, mut bob) = household();
    let answer = publish(&mut stage, &mut bob, &[EVENT, "Expires: 0"], Some("never"));
    assert_eq!(answer.seconds(Name::Expires), Some(0));
    etag(&answer);
    assert!(notes(&stage).is_empty());
    stage.silent(alice.addr);
}

/// RFC 3903 §6: a refused PUBLISH leaves everything as it was, also what it had got right so far.
#[test]
fn a_publish_is_carried_out_whole_or_not_at_all() {
    let (mut stage, mut alice, mut bob) = household();
    let tag = etag(&bob.publish(&mut stage, "here", None));
    alice.told(&mut stage);
    stage.pass(Duration::from_secs(60));
    let (server, rows) = (stage.server.clone(), stage.rows.clone());
    let own = if_match(&tag);
    let large = pidf("bob", &"x".repeat(stage.config.limits.publication_size));
    let good = pidf("bob", "there");
    for (lines, kind, body) in [
        (&[EVENT, &own][..], "text/plain", &*good),
        (&[EVENT, &own], PIDF, "<presence"),
        (&[EVENT, &own], PIDF, &large),
        (&[EVENT, &own, "Expires: 5"], PIDF, &good),
        (&[EVENT, &own, "Content-Encoding: gzip"], PIDF, &good),
        (&[EVENT, "Expires: 0", &own], PIDF, "<presence"),
    ] {
        let answer = bob.ask(&mut stage, "PUBLISH", "bob", lines, (kind, body));
        assert!((400..500).contains(&answer.status()), "{lines:?}: {}", answer.status());
        stage.silent(alice.addr);
        assert_eq!(stage.rows, rows, "{lines:?}");
        let tables = server.tables(stage.now);
        assert_eq!(stage.server.tables(stage.now), tables, "{lines:?}");
    }
    assert_eq!(bob.publish(&mut stage, "there", Some(&tag)).status(), 200, "the tag still counts");
}

/// RFC 3903 §6 step 6: no entity-tag comes twice, over every operation, device and restart.
#[test]
fn every_publication_gets_an_entity_tag_never_given_before() {
    let (mut stage, _alice, mut bob) = household();
    let mut seen = BTreeSet::new();
    let mut fresh = |tag: &str| assert!(seen.insert(tag.to_owned()), "{tag} twice");
    for _ in 0..2 {
        let mut tag = etag(&bob.publish(&mut stage, "here", None));
        fresh(&tag);
        for (note, seconds) in [(Some("there"), 600), (None, 600), (Some("here"), 60), (None, 0)] {
            let lines = [EVENT, &format!("Expires: {seconds}"), &if_match(&tag)];
            tag = etag(&publish(&mut stage, &mut bob, &lines, note));
            fresh(&tag);
        }
        fresh(&etag(&publish(&mut stage, &mut bob, &[EVENT, "Expires: 0"], Some("x"))));
        stage.crash(Duration::ZERO);
        // The phone begins anew too: the same Call-IDs, tags, branches and CSeqs as before.
        bob = Phone::new("bob", 5070);
    }
}

/// Two devices that name and number their requests alike, in the same millisecond.
#[test]
fn devices_that_number_alike_still_get_tags_of_their_own() {
    let (mut stage, _alice, _) = household();
    let to = Phone::aor("bob");
    let tags: BTreeSet<String> = [5070, 5071]
        .map(|port| {
            let mut device = Phone::new("bob", port);
            let tag = format!("t{port}");
            let extra = [EVENT];
            let head = Head { to: &to, to_tag: None, tag: &tag, call_id: "1", extra: &extra };
            let text = device.write("PUBLISH", &to, &head, (PIDF, &pidf("bob", "here")));
            stage.packet(device.addr, text);
            etag(&stage.response(device.addr))
        })
        .into();
    assert_eq!(tags.len(), 2);
    assert_eq!(notes(&stage).len(), 2, "neither replaced the other");
    for tag in &tags {
        let lines = [EVENT, &if_match(tag)];
        let answer = publish(&mut stage, &mut Phone::new("bob", 5072), &lines, None);
        assert_eq!(answer.status(), 200, "both are live");
    }
}

/// RFC 3903 §7.
#[test]
fn options_name_the_method_and_the_packages() {
    let (mut stage, _alice, mut bob) = household();
    let to = "sip:example.org";
    let head = Head { to, to_tag: None, tag: "o", call_id: "options", extra: &[] };
    let text = bob.write("OPTIONS", to, &head, ("", ""));
    stage.packet(bob.addr, text);
    let answer = stage.response(bob.addr);
    assert_eq!(answer.status(), 200);
    assert!(answer.list(Name::Allow).any(|method| method == "PUBLISH"));
    assert!(answer.list(Name::AllowEvents).any(|package| package == "presence"));
}

/// RFC 3903 §9: who publishes too much is told when to come again.
#[test]
fn too_many_publications_are_pushed_back() {
    let (mut stage, _alice, mut bob) = household();
    stage.config.limits.publications = 2;
    let tag = etag(&bob.publish(&mut stage, "one", None));
    etag(&bob.publish(&mut stage, "two", None));
    let answer = bob.publish(&mut stage, "three", None);
    assert_eq!(answer.status(), 503);
    assert!(answer.seconds(Name::RetryAfter).is_some_and(|seconds| seconds > 0));
    assert_eq!(bob.publish(&mut stage, "one again", Some(&tag)).status(), 200, "no new one");
}

/// A phone's answer to the challenge in `refused`.
fn proof(client: &mut Client, user: &str, method: &str, target: &str, body: &str) -> String {
    let password = format!("{user}'s password");
    let secret = Secret::new(*b"a phone's secret");
    let uri = Phone::aor(target);
    let value = client.authorize(&secret, user, &password, method, &uri, body.as_bytes());
    format!("Authorization: {}", value.expect("it was challenged"))
}

/// RFC 3903 §14.1, §14.2: nobody publishes without having proven to be the owner.
#[test]
fn only_the_proven_owner_publishes() {
    let mut stage = Stage::new(stage::config_with_digest(&["alice", "bob"]));
    for (user, status) in [("alice", 403), ("bob", 200)] {
        let mut phone = Phone::new(user, 6000);
        let body = pidf("bob", "here");
        let before = stage.server.clone();
        let refused = phone.ask(&mut stage, "PUBLISH", "bob", &[EVENT], (PIDF, &body));
        assert_eq!((refused.status(), refused.first(Name::SipEtag)), (401, None));
        assert!(refused.first(Name::WwwAuthenticate).is_some_and(|it| it.starts_with("Digest ")));
        assert!(stage.server == before, "an unproven request leaves no trace");
        let mut client = Client::default();
        client.challenged(&refused, Algorithm::Md5, false).expect("a good challenge");
        let proof = proof(&mut client, user, "PUBLISH", "bob", &body);
        let answer = phone.ask(&mut stage, "PUBLISH", "bob", &[EVENT, &proof], (PIDF, &body));
        assert_eq!(answer.status(), status);
    }
    assert_eq!(notes(&stage), ["here"]);
}

/// RFC 3903 §14.4: with `auth-int`, a body that was changed on the way is refused.
#[test]
fn a_document_changed_on_the_way_is_refused() {
    let mut stage = Stage::new(stage::config_with_digest(&["bob"]));
    let mut bob = Phone::new("bob", 6000);
    let (mine, forged) = (pidf("bob", "here"), pidf("bob", "gone"));
    let refused = bob.ask(&mut stage, "PUBLISH", "bob", &[EVENT], (PIDF, &mine));
    let mut client = Client::default();
    client.challenged(&refused, Algorithm::Md5, false).expect("a good challenge");
    let proof = proof(&mut client, "bob", "PUBLISH", "bob", &mine);
    assert!(proof.contains("qop=auth-int"));
    let answer = bob.ask(&mut stage, "PUBLISH", "bob", &[EVENT, &proof], (PIDF, &forged));
    assert_eq!(answer.status(), 401);
    assert!(notes(&stage).is_empty());
}

/// RFC 3903 §14.1 and §14.3, between agent and server: the agent proves itself, and its PUBLISH,
/// captured and sent again once its transaction is forgotten, is not carried out a second time.
#[test]
fn a_captured_publish_cannot_be_replayed() {
    let mut world = World::new(&["bob"]);
    world.login(&["bob"]);
    let say = |world: &mut World, note: &str| {
        let (basic, note) = (presently_engine::body::pidf::Basic::Open, Some(note.into()));
        world.command("bob", presently_engine::agent::Command::SetPresence { basic, note });
        let published =
            |event: &_| matches!(event, presently_engine::agent::Event::Published { .. });
        world.until("bob", published);
    };
    say(&mut world, "at home");
    let captured = world.ladder.iter().rev().find_map(|rung| match &rung.message {
        Message::Request(request) if request.method() == Method::Publish => Some(request.clone()),
        _ => None,
    });
    let captured = captured.expect("bob published");
    assert!(captured.first(Name::Authorization).is_some());
    say(&mut world, "away");
    world.pass(Duration::from_secs(60));
    let before = world.server.tables(world.now);
    let thief = std::net::SocketAddr::from(([203, 0, 113, 66], 5060));
    world.transmit(thief, world::SERVER, captured.bytes().clone());
    world.pass(Duration::from_secs(1));
    let Some(Message::Response(answer)) = world.ladder.last().map(|rung| &rung.message) else {
        panic!("an answer: {}", world.drawing());
    };
    assert_eq!(answer.status(), 401);
    assert_eq!(world.server.tables(world.now), before);
}
