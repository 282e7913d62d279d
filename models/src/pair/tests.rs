use super::ends::{Action, Exchange};
use super::words::walk;
use crate::capsule::{Capsule, Ending};
use crate::catalogue::{Depth, plans};
use crate::law::Law;
use crate::laws::Judges;
use crate::plan::Plan;
use crate::run::{Limits, check_shipped};
use stateright::Model;

fn c1a() -> Plan {
    plans(Depth::Quick).into_iter().find(|plan| plan.name == "C1a").expect("C1a")
}

/// A network that loses everything is beyond what P51 promises to repair: with enough losses
/// allowed the law is broken, and the way there is written down and walked again.
#[test]
fn a_way_that_breaks_a_law_is_walked_again_from_its_words() {
    let mut plan = c1a();
    plan.pair.as_mut().expect("an exchange").budget.drops = 40;
    let exchange = Exchange::of(&plan).expect("an exchange");
    let mut ends = exchange.init_states().pop().expect("a beginning");
    let mut deeds = Vec::new();
    let mut step = |ends: &mut super::Ends, action| {
        deeds.push(exchange.deed(ends, action));
        *ends = exchange.next_state(ends, action).expect("a step");
    };
    let request = ends.wire.iter().next().expect("the request").0.print;
    step(&mut ends, Action::Deliver(request));
    step(&mut ends, Action::Answer(200));
    while exchange.judges(&ends, Law::LossRepaired) {
        let next = ends.wire.iter().next().map(|(letter, _)| letter.print);
        step(&mut ends, next.map_or(Action::Wait, Action::Drop));
    }
    let capsule = Capsule::new(&plan, Law::LossRepaired, deeds.clone());
    let read = Capsule::parse(&capsule.text()).expect("what was written");
    let again = read.walk_shipped().expect("a model of this version");
    assert_eq!(again.ending, Ending::Broken(Law::LossRepaired, deeds.len()));
    assert!(again.ladder.contains("drop server → client: 200 to MESSAGE 1"), "{}", again.ladder);
    assert!(again.ladder.contains("its user was told that nobody answers"), "{}", again.ladder);
}

#[test]
fn what_is_not_possible_ends_the_walk_with_what_is() {
    let plan = c1a();
    let deed = crate::drawing::Deed { does: "the client's user cancels".to_owned(), which: 0 };
    let walk = walk(&plan, &[deed]).expect("an exchange");
    let Ending::Differs(0, unfound) = walk.ending else { panic!("{:?}", walk.ending) };
    assert!(unfound.possible.contains(&"deliver client → server: MESSAGE 1".to_owned()));
}

#[test]
fn a_run_that_breaks_a_law_leaves_a_capsule() {
    let mut plan = plans(Depth::Quick).into_iter().find(|it| it.name == "C1c").expect("C1c");
    // Where any timer fires at any moment, the client may give up before its letter arrives.
    plan.laws = vec![Law::LossRepaired];
    let pair = plan.pair.as_mut().expect("an exchange");
    (pair.answers, pair.budget.drops, pair.budget.copies, pair.budget.fires) = (&[200], 0, 0, 12);
    let limits = Limits {
        states: 2_000_000,
        time: std::time::Duration::from_secs(300),
        threads: 1,
        shortening: 0,
        memory: None,
    };
    let broken = check_shipped(plan, limits, &mut |_| {}).broken.expect("a broken law");
    let capsule = broken.capsule.expect("a capsule");
    assert_eq!(capsule.steps.len(), broken.steps);
}
