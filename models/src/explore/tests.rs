use super::*;
use crate::catalogue::{Depth, plans};

fn plan(name: &str) -> Plan {
    let plan = plans(Depth::Quick).into_iter().find(|plan| plan.name == name);
    plan.expect("a model of the catalogue")
}

fn explored(name: &str) -> Explored<Village<Server>> {
    Explored(Village::new(plan(name)))
}

fn choices<M: Pictured>(model: &Explored<M>, state: &View<M::State>) -> Vec<Choice<M::Action>> {
    let mut choices = Vec::new();
    model.actions(state, &mut choices);
    choices
}

#[test]
fn what_can_happen_is_said_in_words() {
    let model = explored("C2c");
    let state = model.init_states().pop().expect("a beginning");
    let watch = choices(&model, &state).swap_remove(0);
    assert_eq!(model.format_action(&watch), "bob watches alice");
    let after = model.next_state(&state, watch).expect("a step");
    let said: Vec<String> =
        choices(&model, &after).iter().map(|choice| model.format_action(choice)).collect();
    for words in ["deliver bob → server: SUBSCRIBE presence 1", "drop bob → server: SUBSCRIBE"]
    {
        assert!(said.iter().any(|it| it.starts_with(words)), "{words}: {said:?}");
    }
}

#[test]
fn a_step_says_what_came_of_it_and_a_state_shows_everybody_and_the_letters() {
    let model = explored("C2a");
    let state = model.init_states().pop().expect("a beginning");
    let watch = choices(&model, &state).swap_remove(0);
    let outcome = model.format_step(&state, watch.clone()).expect("an outcome");
    assert!(outcome.contains("SUBSCRIBE presence 1"), "{outcome}");
    let after = model.next_state(&state, watch).expect("a step");
    let shown = format!("{after:?}");
    for words in ["server\n", "bob\n", "Under way", "SUBSCRIBE sip:alice@example.org SIP/2.0"] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    assert_ne!(shown, format!("{state:?}"));
}

#[test]
fn every_path_has_a_picture() {
    let model = explored("C2a");
    let states = model.init_states();
    let first = states.first().expect("a beginning");
    let watch = choices(&model, first).swap_remove(0);
    let path = Path::from_actions(&model, first.clone(), [&watch]).expect("a path");
    let svg = model.as_svg(path).expect("a picture");
    assert!(svg.starts_with("<svg") && svg.ends_with("</svg>") && svg.contains("SUBSCRIBE"));
}

#[test]
fn the_laws_are_judged_as_in_a_run() {
    let model = explored("C2a");
    let state = model.init_states().pop().expect("a beginning");
    let properties = model.properties();
    assert_eq!(properties.len(), model.0.plan.laws.len());
    assert!(properties.iter().all(|law| (law.condition)(&model, &state)));
}

#[test]
fn two_transactions_have_a_page_like_everybody() {
    let model = Explored(Exchange::of(&plan("C1b")).expect("an exchange"));
    let mut state = model.init_states().pop().expect("a beginning");
    let first = state.clone();
    let way = [
        "deliver client → server: INVITE 1",
        "the server's user answers 200",
        "deliver server → client: 200 to INVITE 1",
    ];
    let mut path = Vec::new();
    for words in way {
        let possible = choices(&model, &state);
        let said: Vec<&str> = possible.iter().map(|choice| choice.says.as_str()).collect();
        let place = said.iter().position(|says| *says == words);
        path.push(possible[place.unwrap_or_else(|| panic!("{words}: {said:?}"))].clone());
        state = model.next_state(&state, path[path.len() - 1].clone()).expect("a step");
    }
    assert!(format!("{state:?}").contains("its user was told 200"), "{state:?}");
    let path = Path::from_actions(&model, first, &path).expect("a path");
    let svg = model.as_svg(path).expect("a picture");
    for words in ["INVITE sip:bob@example.org SIP/2.0", "is told 200", "ACK 1", "client"] {
        assert!(svg.contains(words), "{words}: {svg}");
    }
}

#[test]
fn an_address_that_is_taken_is_an_error() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let at = taken.local_addr().expect("its address");
    let why = serve_shipped(plan("C2a"), at, |_| {}).expect_err("it is taken");
    assert!(why.contains("in use"), "{why}");
}
