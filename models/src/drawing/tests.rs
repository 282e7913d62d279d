use super::*;
use crate::catalogue::{Depth, plans};
use crate::world::{Action, World};
use presently_engine::server::Server;
use stateright::Model;

pub(super) fn village(name: &str) -> Village<Server> {
    let plan = plans(Depth::Quick).into_iter().find(|plan| plan.name == name);
    Village::new(plan.expect("a model of the catalogue"))
}

pub(super) fn start(village: &Village<Server>) -> World<Server> {
    village.init_states().pop().expect("a beginning")
}

/// Takes the only step whose description has all of these words.
pub(super) fn step(
    village: &Village<Server>,
    world: &World<Server>,
    words: &[&str],
) -> (Action, World<Server>) {
    let mut actions = Vec::new();
    village.actions(world, &mut actions);
    let fits = |action: &Action| {
        let says = village.describe(world, *action);
        words.iter().all(|word| says.contains(word))
    };
    let fitting: Vec<Action> = actions.into_iter().filter(fits).collect();
    let [action] = fitting.as_slice() else { panic!("{} steps with {words:?}", fitting.len()) };
    (*action, village.next_state(world, *action).expect("a step that is possible"))
}

/// The first steps of a watcher, drawn.
fn drawn(village: &Village<Server>, steps: &[&[&str]]) -> String {
    let mut world = start(village);
    let mut text = village.head(&world);
    for (number, words) in (1..).zip(steps) {
        let (action, after) = step(village, &world, words);
        text.push_str(&village.draw(number, &world, action, &after));
        world = after;
    }
    text
}

const PENDING: &[&[&str]] = &[&["bob watches alice"], &["deliver bob", "SUBSCRIBE"], &["NOTIFY"]];

#[test]
fn a_ladder_has_a_column_for_everybody_and_both_ends_after_each_step() {
    let text = drawn(&village("C2a"), PENDING);
    let expected = include_str!("tests/ladder.txt");
    assert_eq!(text, expected, "\n{text}");
}

#[test]
fn the_attacker_has_a_column_of_its_own() {
    let village = village("C6a");
    let text = drawn(&village, &[&["alice publishes r1"], &["repeats", "PUBLISH"]]);
    let names: Vec<&str> = text.lines().next().expect("names").split_whitespace().collect();
    assert_eq!(names, ["alice", "server", "bob", "attacker"]);
    let arrow = text.lines().find(|line| line.contains("◀─ PUBLISH"));
    // From the last column, across bob's, to the server's.
    let arrow = arrow.expect("what the attacker sends");
    assert_eq!(arrow.split('│').nth(2).map(|part| part.chars().count()), Some(59), "{text}");
}

#[test]
fn a_deed_is_found_again_in_its_state() {
    for name in ["C2c", "C5b", "C6a", "C8"] {
        let village = village(name);
        let mut world = start(&village);
        for turn in 0..12 {
            let mut actions = Vec::new();
            village.actions(&world, &mut actions);
            for action in &actions {
                let deed = village.deed(&world, *action);
                assert_eq!(village.find(&world, &deed), Ok(*action), "{name} {}", deed.does);
            }
            let next = actions.iter().cycle().skip(turn).take(actions.len());
            let Some(after) = next.filter_map(|it| village.next_state(&world, *it)).next() else {
                break;
            };
            world = after;
        }
    }
}

#[test]
fn a_deed_that_is_not_possible_is_refused_with_what_is() {
    let village = village("C2a");
    let world = start(&village);
    let find = |does: &str, which| village.find(&world, &Deed { does: does.into(), which });
    let why = find("bob flies", 0).expect_err("he cannot").to_string();
    assert!(why.starts_with("“bob flies” is not possible here; possible: alice allows"), "{why}");
    let why = find("bob watches alice", 1).expect_err("only once").to_string();
    assert!(why.starts_with("“bob watches alice” is not possible here (2 times)"), "{why}");
}

#[test]
fn a_timer_says_whose_it_is_but_its_name_does_not() {
    let village = village("C2b");
    let world = start(&village);
    assert_eq!(village.deed(&world, Action::Wait).does, "fire the next timer");
    let says = village.describe(&world, Action::Wait);
    assert!(says.starts_with("fire the next timer: ") && says.ends_with("a long wait"), "{says}");
}
