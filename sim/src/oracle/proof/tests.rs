//! Doctored proofs.

use crate::oracle::rig::*;

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
