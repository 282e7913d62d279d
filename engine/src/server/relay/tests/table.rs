//! The relay's machine as a table: every state, every event.

use super::super::rig::{Rig, message, to_bob};
use crate::message::{Method, Request};
use crate::server::relay::Outcome;
use std::fmt::Write as _;

const EVENTS: [&str; 9] =
    ["180", "200", "302", "486", "603", "timeout", "unreachable", "timer", "cancel"];

/// A relay with two branches in a state, and the request it relays.
fn relay_in(state: &str) -> (Rig, Method) {
    let request: Request = match state {
        "Paging" | "Kept" => message(1, "hello"),
        "Asking" => to_bob("OPTIONS", 1, "", ""),
        _ => to_bob("INVITE", 1, "", "offer"),
    };
    let mut rig = Rig::new(&["desk", "cell"]);
    rig.alice(&request);
    let key = rig.key();
    match state {
        "Cancelling(Caller)" => {
            rig.answer("cell", Method::Invite, 180);
            rig.with(|cx, relays, _, _| relays.on_cancel(cx, key));
        }
        "Cancelling(Declined)" => {
            rig.answer("cell", Method::Invite, 180);
            rig.answer("desk", Method::Invite, 603);
        }
        "Kept" => {
            let outcome = rig.with(|cx, relays, _, _| relays.on_timer(cx, key));
            rig.settle(outcome);
        }
        _ => {}
    }
    rig.answers.clear();
    (rig, request.method())
}

/// Lets one event of a branch happen and says what came of it.
fn happen(rig: &mut Rig, device: &str, method: Method, event: &str) -> String {
    let (cancelled, kept) = (rig.has("cell", Method::Cancel), rig.inbox.len());
    let key = rig.key();
    let outcome = match event {
        "timer" => rig.with(|cx, relays, _, _| relays.on_timer(cx, key)),
        "cancel" => rig.with(|cx, relays, _, _| {
            relays.on_cancel(cx, key);
            Outcome::Settled
        }),
        "timeout" => rig.with(|cx, relays, _, _| {
            let branch = u16::from(device == "cell");
            relays.on_no_answer(cx, key, branch, super::super::NoAnswer::TimedOut)
        }),
        "unreachable" => {
            rig.lose(device);
            Outcome::Settled
        }
        status => {
            rig.answer(device, method, status.parse().unwrap());
            Outcome::Settled
        }
    };
    rig.settle(outcome);
    let mut said: Vec<String> =
        rig.answers.drain(..).map(|answer| answer.status().to_string()).collect();
    if !cancelled && rig.has("cell", Method::Cancel) {
        said.push("CANCEL".to_owned());
    }
    match rig.inbox.len().cmp(&kept) {
        std::cmp::Ordering::Greater => said.push("stored".to_owned()),
        std::cmp::Ordering::Less => said.push("deleted".to_owned()),
        std::cmp::Ordering::Equal => {}
    }
    said.push(rig.relays.state(key));
    said.join(" ")
}

#[test]
fn every_state_and_every_event() {
    let states =
        ["Inviting", "Cancelling(Caller)", "Cancelling(Declined)", "Paging", "Kept", "Asking"];
    let mut table = String::new();
    for state in states {
        for event in EVENTS {
            let (mut rig, method) = relay_in(state);
            let other = if state == "Cancelling(Declined)" { "cell" } else { "desk" };
            let first = happen(&mut rig, other, method, event);
            let (mut rig, method) = relay_in(state);
            if other == "desk" {
                happen(&mut rig, "cell", method, "486");
            }
            let last = happen(&mut rig, other, method, event);
            writeln!(table, "{state:<21}| {event:<11} | {first:<28} | {last}").unwrap();
        }
    }
    let head =
        "state                | event       | with another branch pending  | on the last branch\n";
    insta::assert_snapshot!(format!("{head}{table}"));
}
