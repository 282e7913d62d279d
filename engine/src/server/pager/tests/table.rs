//! M19 as a table: every state of the store, every event.

use crate::message::Method;
use crate::server::relay::rig::{Rig, bob, message};
use std::fmt::Write as _;
use std::time::Duration;

const STATES: [&str; 4] = ["Empty", "Stored", "Delivering", "Done"];
const EVENTS: [&str; 13] = [
    "MESSAGE",
    "same MESSAGE",
    "Bound",
    "200",
    "603",
    "415",
    "404",
    "480",
    "500",
    "Timeout",
    "Expires",
    "late 200",
    "K12",
];

fn store_in(state: &str) -> Rig {
    let mut rig = Rig::new(&[]);
    if state != "Empty" {
        rig.alice(&message(1, "one"));
    }
    if matches!(state, "Delivering" | "Done") {
        rig.bind("desk");
    }
    if state == "Done" {
        rig.answer("desk", Method::Message, 200);
    }
    rig.unbind("desk");
    rig.ladder();
    rig.answers.clear();
    rig
}

/// The row of the first message: known from its mark, whatever became of it.
fn first_mark(rig: &Rig) -> crate::mint::Id {
    let alice = crate::message::Aor::new("alice", "example.org");
    crate::server::pager::mark(&rig.config, &alice, &message(1, "one"))
}

fn happen(rig: &mut Rig, event: &str) {
    let row = rig.inbox.rows.keys().next().copied().unwrap_or(crate::mint::Id(1));
    let mark = first_mark(rig);
    match event {
        "MESSAGE" => rig.alice(&message(2, "two")),
        "same MESSAGE" => rig.alice(&super::again(&message(1, "one"), 7)),
        "Bound" => rig.bind("desk"),
        "Timeout" => {
            rig.with(|cx, _, inbox, bindings| inbox.on_answer(cx, &bob(), row, None, bindings));
        }
        "Expires" => rig.with(|cx, _, inbox, _| inbox.on_expired(cx, &bob(), row)),
        "late 200" => rig.with(|cx, _, inbox, _| inbox.received(cx, &bob(), mark)),
        "K12" => rig.wait(Duration::from_secs(86_400)),
        status => {
            let status = Some(status.parse().unwrap());
            rig.with(|cx, _, inbox, bindings| inbox.on_answer(cx, &bob(), row, status, bindings));
        }
    }
}

fn state_of(rig: &Rig) -> &'static str {
    match (&rig.inbox.delivery, rig.inbox.len(), rig.inbox.marks.len()) {
        (Some(_), ..) => "Delivering",
        (None, 1.., _) => "Stored",
        (None, 0, 1..) => "Done",
        (None, 0, 0) => "Empty",
    }
}

#[test]
fn every_state_and_every_event() {
    let mut table = "state      | event        | next       | rows | answer\n".to_owned();
    for state in STATES {
        for event in EVENTS {
            let mut rig = store_in(state);
            happen(&mut rig, event);
            let (next, rows, answers) = (state_of(&rig), rig.inbox.len(), rig.finals());
            writeln!(table, "{state:<11}| {event:<13}| {next:<11}| {rows:<5}| {answers:?}")
                .unwrap();
        }
    }
    insta::assert_snapshot!(table);
}
