use super::super::tests::{start, step, village};
use super::*;
use presently_engine::server::Server;

/// A path through a village, drawn.
fn drawn(village: &Village<Server>, steps: &[&[&str]]) -> (Scene, String) {
    let mut states = vec![start(village)];
    let mut actions = Vec::new();
    for words in steps {
        let (action, after) = step(village, states.last().expect("a state"), words);
        actions.push(Some(action));
        states.push(after);
    }
    actions.push(None);
    let path: Vec<_> = states.iter().zip(actions).collect();
    let scene = Scene::new(village, &path);
    let svg = scene.svg();
    (scene, svg)
}

const WATCH: &[&str] = &["bob watches alice"];
const ASK: &[&str] = &["deliver bob", "SUBSCRIBE"];

fn fates(scene: &Scene) -> Vec<(&str, Fate)> {
    scene.arrows.iter().map(|arrow| (arrow.title.as_str(), arrow.fate)).collect()
}

#[test]
fn arrows_are_the_real_messages_from_where_they_left_to_where_they_came() {
    let (scene, svg) = drawn(&village("C2a"), &[WATCH, ASK, &["deliver", "NOTIFY presence 1"]]);
    assert_eq!(scene.people, ["alice", "server", "bob"]);
    assert_eq!(
        fates(&scene),
        [
            ("SUBSCRIBE presence 1", Fate::Arrived),
            ("200 to SUBSCRIBE 1", Fate::UnderWay),
            ("NOTIFY presence 1", Fate::Arrived),
            ("200 to NOTIFY 1", Fate::UnderWay),
        ]
    );
    assert!(svg.contains("SUBSCRIBE sip:alice@example.org SIP/2.0\r\n"), "the text of the message");
    assert!(svg.contains("PST bob→alice: pending, NOTIFY 1"), "the server's tables");
    assert!(svg.contains("presence of alice: pending"), "the agent's");
    assert_eq!(svg.matches("marker-end").count(), 2, "two that arrived");
}

#[test]
fn what_is_lost_and_what_is_sent_again_is_drawn_as_such() {
    let village = village("C2c");
    let (scene, svg) = drawn(&village, &[WATCH, &["drop bob", "SUBSCRIBE"], &["timer"], ASK]);
    let ask = "SUBSCRIBE presence 1";
    assert_eq!(&fates(&scene)[..2], [(ask, Fate::Lost), (ask, Fate::Arrived)]);
    assert!(scene.steps[1].is_trouble && svg.contains("stroke:#dc2626"));
}

#[test]
fn a_copy_is_an_arrow_of_its_own() {
    let village = village("C5b");
    let steps: &[&[&str]] =
        &[&["alice logs in"], &["copy", "REGISTER 1"], &["deliver", "REGISTER"]];
    let (scene, svg) = drawn(&village, steps);
    let fates: Vec<Fate> = scene.arrows.iter().take(2).map(|arrow| arrow.fate).collect();
    assert_eq!(fates, [Fate::Arrived, Fate::UnderWay]);
    assert!(svg.contains("alice → server: REGISTER 1"), "what is under way is listed");
}

#[test]
fn a_device_that_is_switched_off_loses_its_letters() {
    let (scene, svg) = drawn(&village("C2b"), &[WATCH, &["bob's device is switched off"]]);
    assert_eq!(fates(&scene), [("SUBSCRIBE presence 1", Fate::Lost)]);
    assert!(svg.contains(">switched off<"));
}

#[test]
fn text_is_escaped_for_xml() {
    assert_eq!(escape("<a href=\"x\">&"), "&lt;a href=&quot;x&quot;&gt;&amp;");
    let (_, svg) = drawn(&village("C2a"), &[WATCH]);
    assert!(svg.contains("To: &lt;sip:alice@example.org&gt;"), "{svg}");
}

#[test]
fn long_words_are_shortened() {
    assert_eq!(shortened("abc", 3), "abc");
    assert_eq!(shortened("abcd", 3), "ab…");
}
