//! The whole (state × event) table of every machine, as text that a diff can be read in.

use super::super::step::{Step, Timer};
use super::super::{client, invite_client, invite_server, server};
use super::*;
use std::fmt::{Debug, Write};

const T: Timing = Timing {
    t1: Duration::from_millis(500),
    t2: Duration::from_secs(4),
    t4: Duration::from_secs(5),
    linger: true,
};

fn describe<S: Copy + Debug + PartialEq>(from: Option<S>, step: Step<S>) -> String {
    let quiet = step.send.is_none() && !step.tell && step.timer == Timer::Keep;
    if quiet && step.next == from {
        return "—".to_owned();
    }
    let next = step.next.map_or("Terminated".to_owned(), |next| format!("{next:?}"));
    let mut text = if step.next == from { "stays".to_owned() } else { next };
    if let Some(what) = step.send {
        write!(text, ", send {what:?}").unwrap();
    }
    if step.tell {
        text.push_str(", tell the user");
    }
    match step.timer {
        Timer::Keep => {}
        Timer::Stop if step.next.is_none() => {}
        Timer::Stop => text.push_str(", no timer"),
        Timer::After(span) => write!(text, ", timer {span:?}").unwrap(),
        Timer::Linger(span) => write!(text, ", linger {span:?}").unwrap(),
    }
    text
}

fn table<S: Copy + Debug + PartialEq, E: Copy + Debug>(
    start: Step<S>,
    states: &[S],
    events: &[E],
    step: impl Fn(S, E) -> Step<S>,
) -> String {
    let mut text = format!("start: {}\n", describe(None, start));
    for &state in states {
        write!(text, "\n{state:?}\n").unwrap();
        for &event in events {
            let outcome = describe(Some(state), step(state, event));
            writeln!(text, "    {:<12}{outcome}", format!("{event:?}")).unwrap();
        }
    }
    text
}

#[test]
fn m2_non_invite_client() {
    use client::{Event as E, State as S};
    let states =
        [S::Trying { e: T.t1 }, S::Trying { e: ms(2000) }, S::Trying { e: T.t2 }, S::Proceeding];
    let events = [E::E, E::F, E::Provisional, E::Final, E::Lost];
    insta::assert_snapshot!(table(S::start(&T), &states, &events, |s, e| s.step(&T, e)));
}

#[test]
fn m3_non_invite_server() {
    use server::{Event as E, State as S};
    let states = [S::Trying, S::Proceeding, S::Completed];
    let events = [E::Copy, E::W100, E::Final, E::Silence, E::J];
    insta::assert_snapshot!(table(S::start(&T), &states, &events, |s, e| s.step(&T, e)));
}

#[test]
fn m4_invite_client() {
    use invite_client::{Event as E, State as S};
    let states = [
        S::Calling { a: T.t1, cancel: false },
        S::Calling { a: T.t2, cancel: false },
        S::Calling { a: T.t1, cancel: true },
        S::Proceeding { cancelled: false },
        S::Proceeding { cancelled: true },
        S::Completed,
        S::Accepted,
    ];
    let events =
        [E::A, E::B, E::Provisional, E::Success, E::Failure, E::Lost, E::Cancel, E::D, E::M];
    insta::assert_snapshot!(table(S::start(&T), &states, &events, |s, e| s.step(&T, e)));
}

#[test]
fn m5_invite_server() {
    use invite_server::{Event as E, State as S};
    let states = [
        S::Proceeding { spoken: false },
        S::Proceeding { spoken: true },
        S::Completed { g: T.t1 },
        S::Completed { g: T.t2 },
        S::Confirmed,
        S::Accepted,
    ];
    let events =
        [E::Copy, E::W200, E::Provisional, E::Success, E::Failure, E::Ack, E::G, E::H, E::I, E::L];
    insta::assert_snapshot!(table(S::start(), &states, &events, |s, e| s.step(&T, e)));
}

#[test]
fn a_client_reaches_t2_after_three_and_a_half_seconds() {
    assert_eq!(T.w100(), ms(3500));
    assert_eq!(Timing { t1: ms(0), ..T }.w100(), ms(0));
    assert_eq!(Timing { t1: T.t2, ..T }.w100(), ms(0));
    assert_eq!(T.life(), ms(32_000));
}
