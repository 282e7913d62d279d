//! Doctored proofs.

use crate::oracle::rig::*;
use crate::plan::{Act, Party, Step};
use crate::record::{Entry, What};

/// What alice asks with credentials, and the 200 to it.
const ALICE: [&str; 3] = ["SUBSCRIBE sip:bob", "sip:alice@example.org", "Authorization: "];

#[test]
fn service_for_somebody_elses_credentials_is_found() {
    let (plan, mut record) = played();
    let asked = datagrams(&record, &ALICE)[0];
    edit(&mut record, asked, "username=\"alice\"", "username=\"carol\"");
    assert_eq!(broken(&plan, &record), ["P1"]);
}

#[test]
fn a_notify_that_nobody_asked_for_is_found() {
    let (plan, mut record) = played();
    let asked = datagrams(&record, &ALICE);
    let mut place = 0;
    record.entries.retain(|_| {
        place += 1;
        !asked.contains(&(place - 1))
    });
    assert!(broken(&plan, &record).contains(&"P1"));
}

#[test]
fn a_count_that_proves_twice_is_found() {
    let (plan, mut record) = played();
    let second = datagrams(&record, &["sip:alice@example.org", "nc=00000002"])[0];
    edit(&mut record, second, "nc=00000002", "nc=00000001");
    let broken = broken(&plan, &record);
    assert!(["M8", "P23"].iter().all(|id| broken.contains(id)), "{broken:?}");
}

#[test]
fn a_nonce_that_the_server_never_gave_is_found() {
    let (plan, mut record) = played();
    let asked = datagrams(&record, &ALICE)[0];
    edit(&mut record, asked, "nonce=\"", "nonce=\"x");
    assert_eq!(broken(&plan, &record), ["P23"]);
}

#[test]
fn a_replay_that_is_carried_out_is_found() {
    let (plan, mut record) = played();
    let answer = datagrams(&record, &["SIP/2.0 200 OK", " PUBLISH\r\n"])[0];
    again(&mut record, answer, 40_000);
    assert!(broken(&plan, &record).contains(&"P24"));
}

#[test]
fn two_answers_to_one_stranger_are_found() {
    let (plan, mut record) = played();
    let challenge = datagrams(&record, &["SIP/2.0 401 Unauthorized"])[0];
    again(&mut record, challenge, 100);
    assert_eq!(broken(&plan, &record), ["P42"]);
}

#[test]
fn a_challenge_to_who_has_proven_it_is_found() {
    let (plan, mut record) = played();
    let last = *datagrams(&record, &["SIP/2.0 200 OK", " REGISTER\r\n"]).last().expect("a refresh");
    edit(&mut record, last, "200 OK", "401 Unauthorized");
    assert!(broken(&plan, &record).contains(&"M7"));
}

#[test]
fn a_server_that_ended_by_itself_forgot_its_nonces() {
    let mut plan = morning();
    let steps = [(26_000, Act::FailDisk(true)), (33_500, Act::FailDisk(false))];
    plan.steps.extend(steps.map(|(at_ms, act)| Step { at_ms, act }));
    plan.steps.push(Step { at_ms: 33_600, act: Act::Start(Party::Server) });
    let mut record = crate::world::play(&plan).expect("a run");
    let ended = |entry: &&Entry| matches!(entry.what, What::Trouble { .. });
    let ended = record.entries.iter().find(ended).expect("an end of its own").at_ms;
    let challenges = datagrams(&record, &["SIP/2.0 401 Unauthorized", "stale=true"]);
    assert!(!challenges.is_empty(), "it started anew after {ended}");
    assert!(!broken(&plan, &record).contains(&"M7"));
    let last = *datagrams(&record, &["SIP/2.0 200 OK", " REGISTER\r\n"]).last().expect("a refresh");
    edit(&mut record, last, "200 OK", "401 Unauthorized");
    assert!(broken(&plan, &record).contains(&"M7"), "the nonces of the new life are good");
}
