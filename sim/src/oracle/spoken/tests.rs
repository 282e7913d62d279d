//! Media that goes where it should not, by nobody's word, or as nobody can play it.

use crate::oracle::rig::*;
use crate::plan::Act;
use crate::record::{Fate, Record, What};
use std::net::SocketAddr;

/// Everything that somebody sent from its media port in a time is lost, if it begins so.
fn lose(record: &mut Record, user: &str, octet: u8, time: std::ops::Range<u64>) {
    let lost = packets(record, user, octet, time);
    assert!(!lost.is_empty(), "nothing of {user} was lost");
    for at in lost {
        if let What::Datagram { fate, .. } = &mut record.entries[at].what {
            *fate = Fate::Lost;
        }
    }
}

#[test]
fn media_for_somebody_who_never_agreed_is_found() {
    let (plan, mut record) = spoken();
    let spoken = packets(&record, "alice", 0x80, 13_000..14_000);
    let copy = again(&mut record, spoken[0], 0);
    if let What::Datagram { to, .. } = &mut record.entries[copy].what {
        *to = SocketAddr::from(([203, 0, 113, 99], 4000));
    }
    assert_eq!(broken(&plan, &record), ["P28", "P30"]);
}

/// The answers to alice's checks never came.
#[test]
fn media_without_an_answer_to_the_check_is_found() {
    let (plan, mut record) = spoken();
    lose(&mut record, "bob", 1, 39_000..46_000);
    assert_eq!(broken(&plan, &record), ["P28"]);
}

#[test]
fn media_after_the_last_consent_is_found() {
    let (plan, mut record) = spoken();
    let answers = packets(&record, "bob", 1, 39_000..46_000);
    // As if she had spoken on, and asked nothing.
    let spoken = packets(&record, "alice", 0x80, 44_000..45_000);
    again(&mut record, spoken[0], 31_000);
    for at in events(&record, "alice", |event| {
        matches!(event, presently_engine::agent::Event::Flow { stream: None, .. })
    }) {
        if record.entries[at].at_ms > 44_000 {
            postpone(&mut record, at, 80_000);
            break;
        }
    }
    assert!(!answers.is_empty());
    assert_eq!(broken(&plan, &record), ["P28", "P47"]);
}

#[test]
fn media_of_a_call_for_an_address_that_no_description_names_is_found() {
    let (plan, mut record) = spoken();
    let answers = datagrams(&record, &["SIP/2.0 200 OK", "INVITE", "m=audio"]);
    for at in answers {
        edit(&mut record, at, "c=IN IP4 198.51.100.2", "c=IN IP4 198.51.100.9");
    }
    assert_eq!(broken(&plan, &record), ["P28"]);
}

#[test]
fn a_microphone_that_opens_because_somebody_is_heard_is_found() {
    let (plan, mut record) = spoken();
    let back = packets(&record, "bob", 0x80, 15_000..16_000);
    // He hears alice again, and reports on it and no more.
    let reports = packets(&record, "bob", 0x81, 41_000..45_000);
    let What::Datagram { bytes, .. } = record.entries[back[0]].what.clone() else {
        panic!("a datagram")
    };
    let copy = again(&mut record, reports[0], 0);
    if let What::Datagram { bytes: said, .. } = &mut record.entries[copy].what {
        *said = bytes;
    }
    assert_eq!(broken(&plan, &record), ["P29"]);
}

#[test]
fn speaking_without_an_order_is_found() {
    for line in ["direct bob audio", "direct alice audio", "call bob audio", "answer"] {
        let (mut plan, record) = spoken();
        plan.steps.retain(|step| !matches!(&step.act, Act::Order(_, order) if order == line));
        assert_eq!(broken(&plan, &record), ["P29"], "without `{line}`");
    }
}

#[test]
fn a_payload_type_that_was_not_offered_is_found() {
    // Of a direct flow, and of a call.
    for time in [13_000..14_000, 24_000..25_000] {
        let (plan, mut record) = spoken();
        let spoken = packets(&record, "alice", 0x80, time);
        if let What::Datagram { bytes, .. } = &mut record.entries[spoken[0]].what {
            let mut changed = bytes.to_vec();
            changed[1] = 77;
            *bytes = changed.into();
        }
        assert_eq!(broken(&plan, &record), ["P30"]);
    }
}

/// PCMU is in bob's offer, but alice's check said something else.
#[test]
fn a_payload_type_that_the_check_did_not_say_is_found() {
    let (plan, mut record) = spoken();
    let spoken = packets(&record, "alice", 0x80, 13_000..14_000);
    if let What::Datagram { bytes, .. } = &mut record.entries[spoken[0]].what {
        let mut changed = bytes.to_vec();
        assert_ne!(changed[1] & 0x7f, 0);
        changed[1] &= 0x80;
        *bytes = changed.into();
    }
    assert_eq!(broken(&plan, &record), ["P30"]);
}
