//! Scenes of the message store.

mod table;

use super::{Verdict, too_large};
use crate::message::{Method, Name, Request};
use crate::server::relay::rig::{Rig, bob, message, request, to_bob};
use crate::time::Date;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_secs(86_400);

/// The same message in a transaction of its own, as a sender retries.
fn again(first: &Request, number: u32) -> Request {
    let text = String::from_utf8_lossy(first.bytes());
    request(
        &text.replace("z9hG4bK-a", &format!("z9hG4bK-again{number}")).replace(
            &format!("CSeq: {}", first.cseq().unwrap().number),
            &format!("CSeq: {number}"),
        ),
    )
}

#[test]
fn a_message_for_nobody_is_kept_and_delivered_at_the_next_registration() {
    let mut rig = Rig::new(&[]);
    rig.alice(&message(1, "hello"));
    rig.bind("desk");
    let got = rig.got("desk", Method::Message);
    insta::assert_snapshot!(String::from_utf8_lossy(got.bytes()).replace("\r\n", "\n"));
    rig.answer("desk", Method::Message, 200);
    rig.bind("desk");
    insta::assert_snapshot!(rig.ladder());
    assert_eq!(rig.inbox.len(), 0);
    assert!(rig.rows.is_empty());
}

#[test]
fn the_row_is_in_the_list_of_effects_before_the_202() {
    let mut rig = Rig::new(&[]);
    rig.alice(&message(1, "hello"));
    let ladder = rig.ladder();
    let row = ladder.find("row \"hello\"").expect("a row");
    assert!(row < ladder.find("202").expect("a 202"), "{ladder}");
}

#[test]
fn a_200_that_is_lost_doubles_nothing_but_the_packet() {
    let mut rig = Rig::new(&[]);
    rig.alice(&message(1, "hello"));
    rig.bind("desk");
    let first = rig.got("desk", Method::Message).bytes().clone();
    rig.wait(SECOND);
    assert_eq!(*rig.got("desk", Method::Message).bytes(), first, "a retransmission");
    rig.answer("desk", Method::Message, 200);
    assert_eq!(rig.inbox.len(), 0);
}

#[test]
fn a_retry_of_a_kept_message_is_answered_202_and_not_kept_twice() {
    let mut rig = Rig::new(&[]);
    rig.alice(&message(1, "hello"));
    rig.alice(&again(&message(1, "hello"), 2));
    assert_eq!(rig.finals(), [202, 202]);
    assert_eq!(rig.inbox.len(), 1);
    rig.bind("desk");
    rig.answer("desk", Method::Message, 200);
    rig.alice(&again(&message(1, "hello"), 3));
    assert_eq!(rig.finals(), [202, 202, 202], "done within K12");
    assert_eq!(rig.inbox.len(), 0);
    rig.unbind("desk");
    rig.wait(DAY);
    rig.alice(&again(&message(1, "hello"), 4));
    assert_eq!(rig.inbox.len(), 1, "K12 is over");
}

#[test]
fn without_a_message_id_call_id_and_cseq_tell_messages_apart() {
    let mut rig = Rig::new(&[]);
    rig.alice(&to_bob("MESSAGE", 1, "", "one"));
    let copy = String::from_utf8_lossy(to_bob("MESSAGE", 1, "", "one").bytes())
        .replace("z9hG4bK-a1", "z9hG4bK-other");
    rig.alice(&request(&copy));
    assert_eq!(rig.inbox.len(), 1);
    rig.alice(&to_bob("MESSAGE", 2, "", "two"));
    assert_eq!(rig.inbox.len(), 2);
}

#[test]
fn after_a_crash_a_retry_meets_the_row_that_was_written_before_the_202() {
    let mut rig = Rig::new(&[]);
    rig.alice(&message(1, "hello"));
    rig.crash();
    rig.alice(&again(&message(1, "hello"), 2));
    assert_eq!(rig.inbox.len(), 1);
    assert_eq!(rig.finals(), [202, 202]);
}

#[test]
fn after_a_crash_between_delivery_and_delete_the_device_can_see_the_copy() {
    let mut rig = Rig::new(&[]);
    rig.alice(&message(1, "hello"));
    rig.bind("desk");
    let first = rig.got("desk", Method::Message).clone();
    rig.crash();
    rig.bind("desk");
    let second = rig.got("desk", Method::Message);
    for name in [Name::DmMessageId, Name::CallId, Name::CSeq, Name::From] {
        assert_eq!(first.first(name), second.first(name));
    }
    rig.answer("desk", Method::Message, 200);
    assert!(rig.rows.is_empty());
}

#[test]
fn after_a_crash_the_first_attempt_has_the_branch_of_the_one_before_whoever_came_meanwhile() {
    let mut rig = Rig::new(&[]);
    rig.alice(&message(1, "hello"));
    rig.bind("desk");
    let first = rig.got("desk", Method::Message).clone();
    rig.unbind("desk");
    rig.bind("cell");
    rig.crash();
    rig.bind("desk");
    let second = rig.got("desk", Method::Message);
    assert_eq!(second.bytes(), first.bytes());
    assert_ne!(rig.got("cell", Method::Message).first(Name::Via), first.first(Name::Via));
}

#[test]
fn messages_are_delivered_in_order_one_at_a_time() {
    let mut rig = Rig::new(&[]);
    for number in 1..=3 {
        rig.alice(&message(number, &format!("number {number}")));
    }
    rig.crash();
    rig.bind("desk");
    for number in 1..=3 {
        assert_eq!(rig.got("desk", Method::Message).body(), format!("number {number}"));
        assert_eq!(rig.transactions.clients().filter(|(.., owner)| owner.is_some()).count(), 1);
        rig.answer("desk", Method::Message, 200);
    }
    assert_eq!(rig.inbox.len(), 0);
}

#[test]
fn of_two_devices_one_that_takes_a_kept_message_is_enough() {
    let mut rig = Rig::new(&[]);
    rig.alice(&message(1, "one"));
    rig.alice(&message(2, "two"));
    rig.unbind("desk");
    rig.bind("desk");
    rig.answer("desk", Method::Message, 480);
    assert_eq!(rig.inbox.len(), 2);
    rig.bind("cell");
    assert!(rig.has("cell", Method::Message));
    rig.answer("desk", Method::Message, 480);
    rig.answer("cell", Method::Message, 200);
    assert_eq!(rig.got("cell", Method::Message).body(), "two");
    rig.answer("cell", Method::Message, 200);
    rig.answer("desk", Method::Message, 200);
    assert_eq!(rig.inbox.len(), 0);
}

#[test]
fn a_device_that_is_away_gets_its_messages_at_its_next_registration() {
    let mut rig = Rig::new(&[]);
    rig.alice(&message(1, "one"));
    rig.alice(&message(2, "two"));
    rig.bind("desk");
    rig.wait(33 * SECOND);
    assert_eq!(rig.inbox.len(), 2);
    rig.bind("desk");
    assert_eq!(rig.got("desk", Method::Message).cseq().unwrap().number, 2, "the second attempt");
    rig.answer("desk", Method::Message, 200);
    rig.answer("desk", Method::Message, 200);
    assert_eq!(rig.inbox.len(), 0);
}

#[test]
fn a_registration_during_a_delivery_that_fails_starts_another() {
    let mut rig = Rig::new(&[]);
    rig.alice(&message(1, "hello"));
    rig.bind("desk");
    rig.bind("cell");
    assert!(!rig.has("cell", Method::Message), "one outstanding");
    rig.wait(33 * SECOND);
    assert!(rig.has("cell", Method::Message));
    rig.answer("cell", Method::Message, 200);
    assert_eq!(rig.inbox.len(), 0);
    rig.wait(60 * SECOND);
}

#[test]
fn a_message_that_a_device_cannot_take_does_not_block_the_others() {
    let mut rig = Rig::new(&[]);
    for number in 1..=3 {
        rig.alice(&message(number, &format!("number {number}")));
    }
    rig.bind("desk");
    rig.answer("desk", Method::Message, 415);
    assert_eq!(rig.inbox.len(), 2, "refused for good");
    rig.answer("desk", Method::Message, 500);
    assert_eq!(rig.got("desk", Method::Message).body(), "number 3");
    rig.answer("desk", Method::Message, 603);
    assert_eq!(rig.inbox.len(), 1, "number 2 waits for the next registration");
}

#[test]
fn a_device_that_registers_while_the_others_are_tried_gets_the_message() {
    let mut rig = Rig::new(&["desk"]);
    rig.alice(&message(1, "hello"));
    rig.wait(3 * SECOND);
    rig.bind("cell");
    assert!(!rig.has("cell", Method::Message));
    rig.wait(5 * SECOND);
    assert_eq!(rig.finals(), [202]);
    assert!(rig.has("cell", Method::Message), "not only at its next registration");
    rig.answer("cell", Method::Message, 200);
    assert_eq!(rig.inbox.len(), 0);
}

#[test]
fn a_dead_device_that_is_still_bound_holds_a_message_up_for_8_seconds() {
    let mut rig = Rig::new(&["desk"]);
    rig.alice(&message(1, "hello"));
    rig.wait(7 * SECOND);
    assert_eq!(rig.finals(), []);
    rig.wait(SECOND);
    assert_eq!(rig.finals(), [202]);
    assert_eq!(rig.inbox.len(), 1);
    rig.wait(30 * SECOND);
    assert_eq!(rig.finals(), [202]);
    assert_eq!(rig.inbox.len(), 1);
    assert_eq!(rig.relays.len(), 0);
}

#[test]
fn a_late_200_deletes_the_stored_copy() {
    let mut rig = Rig::new(&["desk"]);
    rig.alice(&message(1, "hello"));
    rig.wait(9 * SECOND);
    assert_eq!(rig.inbox.len(), 1);
    rig.answer("desk", Method::Message, 200);
    insta::assert_snapshot!(rig.ladder());
    assert_eq!(rig.finals(), [202]);
    assert!(rig.rows.is_empty());
    rig.bind("desk");
    assert_eq!(rig.got("desk", Method::Message).first(Name::DmStored), None);
    assert_eq!(rig.relays.len(), 0);
}

#[test]
fn a_full_store_says_480() {
    let mut rig = Rig::new(&[]);
    rig.config.limits.offline_quota = 2;
    for number in 1..=3 {
        rig.alice(&message(number, "x"));
    }
    assert_eq!(rig.finals(), [202, 202, 480]);
    assert_eq!(rig.inbox.len(), 2);
}

#[test]
fn that_somebody_types_is_told_at_once_or_never() {
    let typing = |number| {
        let plain = to_bob("MESSAGE", number, "", "<isComposing/>");
        let text = String::from_utf8_lossy(plain.bytes());
        request(&text.replace("text/plain", "application/im-iscomposing+xml"))
    };
    let mut rig = Rig::new(&[]);
    rig.alice(&typing(1));
    assert_eq!(rig.finals(), [480]);
    rig.bind("desk");
    rig.alice(&typing(2));
    rig.answer("desk", Method::Message, 503);
    assert_eq!(rig.finals(), [480, 480]);
    assert_eq!(rig.inbox.len(), 0);
    assert!(rig.rows.is_empty());
}

#[test]
fn a_message_lives_until_its_expires_and_no_longer() {
    let mut rig = Rig::new(&[]);
    rig.alice(&to_bob("MESSAGE", 1, "Expires: 0\n", "x"));
    assert_eq!(rig.finals(), [480], "already expired");
    rig.alice(&to_bob("MESSAGE", 2, "Expires: 60\n", "x"));
    rig.wait(59 * SECOND);
    assert_eq!(rig.inbox.len(), 1);
    rig.wait(SECOND);
    assert_eq!(rig.inbox.len(), 0);
    assert!(rig.rows.is_empty());
    rig.alice(&message(3, "x"));
    rig.wait(7 * DAY);
    assert_eq!(rig.inbox.len(), 0, "K11");
}

#[test]
fn expires_counts_from_the_date_of_the_message_before_and_after_storing() {
    let mut rig = Rig::new(&[]);
    let sent = rig.now - 100 * SECOND;
    let headers = |expires| format!("Date: {}\nExpires: {expires}\n", Date::of(sent).as_str());
    rig.alice(&to_bob("MESSAGE", 1, &headers(100), "x"));
    assert_eq!(rig.finals(), [480]);
    rig.alice(&to_bob("MESSAGE", 2, &headers(160), "x"));
    rig.wait(30 * SECOND);
    rig.bind("desk");
    let got = rig.got("desk", Method::Message);
    assert_eq!(got.first(Name::Date), Some(Date::of(sent).as_str()));
    assert_eq!(got.seconds(Name::Expires), Some(160));
    rig.wait(40 * SECOND);
    assert_eq!(rig.inbox.len(), 0);
}

#[test]
fn what_belongs_to_the_body_is_stored_with_it() {
    let mut rig = Rig::new(&[]);
    rig.alice(&to_bob("MESSAGE", 1, "e: gzip\nContent-Language: ko\nX-Other: no\n", "zipped"));
    rig.crash();
    rig.bind("desk");
    let got = rig.got("desk", Method::Message);
    assert_eq!(got.first(Name::ContentEncoding), Some("gzip"));
    assert_eq!(got.other("Content-Language"), Some("ko"));
    assert_eq!(got.other("X-Other"), None);
    assert!(matches!(got.contacts(), Ok(crate::message::Contacts::None)));
}

#[test]
fn rows_survive_their_own_format() {
    let mut rig = Rig::new(&[]);
    rig.alice(&message(1, "hello"));
    let row = rig.rows[0].value().unwrap();
    assert_eq!(crate::server::Record::decode(&row).as_ref(), Ok(&rig.rows[0]));
}

#[test]
fn ids_rise_even_when_time_stands_still_and_after_a_restart() {
    let mut rig = Rig::new(&[]);
    rig.alice(&message(1, "one"));
    rig.alice(&message(2, "two"));
    rig.crash();
    rig.alice(&message(3, "three"));
    let ids: Vec<_> = rig.inbox.rows.keys().copied().collect();
    let bodies: Vec<_> = rig.inbox.rows.values().map(|row| row.kept.body.clone()).collect();
    assert!(ids.is_sorted());
    assert_eq!(bodies, ["one", "two", "three"]);
}

#[test]
fn what_is_remembered_of_finished_messages_has_a_limit() {
    let mut rig = Rig::new(&[]);
    rig.config.limits.offline_quota = 1;
    for number in 1..=100 {
        rig.alice(&to_bob("MESSAGE", number, "Expires: 1\n", "x"));
        rig.wait(2 * SECOND);
    }
    assert_eq!(rig.inbox.marks.len(), super::DONE_PER_ROW);
    assert_eq!(rig.inbox.done.len(), super::DONE_PER_ROW);
    assert_eq!(rig.timers.len(), super::DONE_PER_ROW);
    rig.wait(DAY);
    assert!(rig.inbox.is_empty());
    assert!(rig.timers.is_empty());
}

#[test]
fn an_account_that_goes_takes_its_messages_with_it() {
    let mut rig = Rig::new(&[]);
    rig.alice(&message(1, "one"));
    rig.alice(&message(2, "two"));
    rig.bind("desk");
    rig.answer("desk", Method::Message, 200);
    rig.with(|cx, _, inbox, _| inbox.remove_all(cx, &bob()));
    assert!(rig.inbox.is_empty());
    assert!(rig.rows.is_empty());
    assert!(rig.timers.is_empty());
    rig.answer("desk", Method::Message, 200);
    assert!(rig.inbox.is_empty());
}

#[test]
fn a_message_above_k10_is_too_large() {
    let rig = Rig::new(&[]);
    let limit = rig.config.limits.message_size;
    let overhead = message(1, "").bytes().len() + 3;
    assert!(!too_large(&rig.config, &message(1, &"x".repeat(limit - overhead))));
    assert!(too_large(&rig.config, &message(1, &"x".repeat(limit))));
    assert!(!too_large(&rig.config, &to_bob("INVITE", 1, "", &"x".repeat(limit))));
}

#[test]
fn verdicts_of_every_class() {
    let verdicts = [
        (Some(200), Verdict::Done),
        (Some(202), Verdict::Done),
        (Some(600), Verdict::Done),
        (Some(400), Verdict::Refused),
        (Some(403), Verdict::Refused),
        (Some(415), Verdict::Refused),
        (Some(302), Verdict::NotNow),
        (Some(404), Verdict::NotNow),
        (Some(486), Verdict::NotNow),
        (Some(500), Verdict::NotNow),
        (Some(480), Verdict::Away),
        (Some(503), Verdict::Away),
        (None, Verdict::Away),
    ];
    for (status, verdict) in verdicts {
        assert_eq!(Verdict::of(status), verdict, "{status:?}");
    }
}
