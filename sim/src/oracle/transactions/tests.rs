//! Doctored answers.

use crate::oracle::rig::*;

#[test]
fn a_provisional_answer_at_once_is_found() {
    let (plan, mut record) = played();
    let answers = datagrams(&record, &["SIP/2.0 200 OK", " PUBLISH\r\n"]);
    edit(&mut record, answers[0], "200 OK", "100 Trying");
    // The device goes on as if it had been answered.
    assert_eq!(broken(&plan, &record), ["P19", "P32"]);
    edit(&mut record, answers[0], "100 Trying", "408 Request Timeout");
    assert_eq!(broken(&plan, &record), ["P19", "P32"]);
}

#[test]
fn another_answer_to_the_same_request_is_found() {
    let (plan, mut record) = played();
    let answers = datagrams(&record, &["SIP/2.0 200 OK", " PUBLISH\r\n"]);
    let copy = again(&mut record, answers[0], 1000);
    assert_eq!(broken(&plan, &record), [""; 0]);
    edit(&mut record, copy, "SIP-ETag: ", "SIP-ETag: 0");
    assert_eq!(broken(&plan, &record), ["P18"]);
}

#[test]
fn more_time_than_was_asked_for_is_found() {
    let (plan, mut record) = played();
    let answers = datagrams(&record, &["SIP/2.0 200 OK", " SUBSCRIBE\r\n", "Expires: 60\r\n"]);
    edit(&mut record, answers[0], "Expires: 60\r\n", "Expires: 61\r\n");
    assert_eq!(broken(&plan, &record), ["P15"]);
}
