//! What is left of a plan, and what is said of the rest.

use super::*;
use crate::search;
use std::cell::{Cell, RefCell};

#[test]
fn what_is_left_is_what_the_failure_needs() {
    let plan = search::plan(3);
    let wants = |plan: &Plan| {
        let line = |wanted: &str| {
            plan.steps.iter().any(|step| matches!(&step.act, Act::Order(_, line) if line == wanted))
        };
        line("watch bob") && line("winfo")
    };
    assert!(wants(&plan), "seed 3 has both");
    let told = RefCell::new(Vec::new());
    let shrunk =
        shrink(&plan, Budget::default(), &wants, &|progress| told.borrow_mut().push(progress));
    assert!(wants(&shrunk.plan));
    assert_eq!(shrunk.plan.steps.len(), 2);
    assert!(shrunk.plan.network == Weather::default() && shrunk.plan.users.len() <= 2);
    assert!(shrunk.plan.duration_ms < 5000, "{}", shrunk.plan.duration_ms);
    assert!(shrunk.removed.iter().any(|line| line.starts_with("users: ")), "{:?}", shrunk.removed);
    assert!(shrunk.removed.iter().any(|line| line.starts_with("steps of users: ")));
    let told = told.into_inner();
    assert_eq!(told.len(), shrunk.plays);
    assert!(told.windows(2).all(|two| two[0].steps >= two[1].steps));
}

#[test]
fn a_budget_is_kept() {
    let plays = Cell::new(0);
    let fails = |_: &Plan| {
        plays.set(plays.get() + 1);
        false
    };
    let plan = search::plan(3);
    let shrunk = shrink(&plan, Budget { plays: 10 }, &fails, &|_| {});
    assert_eq!((shrunk.plan, shrunk.plays, plays.get()), (plan, 10, 10));
    assert_eq!(shrunk.removed, Vec::<String>::new());
}
