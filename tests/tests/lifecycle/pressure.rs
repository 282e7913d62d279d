//! Who is let in first while there is more to do than can be done, and what the others are told.

use super::scene;
use presently_engine::message::{Message, Name};
use presently_engine::{Input, Machine, Output, Peer};
use presently_tests::Stage;

/// A request of alice's as it comes in.
fn ask(start: &str, branch: u32, headers: &str) -> Input<presently_engine::server::Command> {
    let method = start.split(' ').next().expect("a method");
    let to = if headers.contains("To:") { "" } else { "To: <sip:alice@example.org>\r\n" };
    let text = format!(
        "{start} SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bK{branch}\r\n\
         From: <sip:alice@example.org>;tag=1\r\n{to}Call-ID: pressure-{branch}\r\n\
         CSeq: 1 {method}\r\nMax-Forwards: 70\r\n\
         Contact: <sip:alice@192.0.2.9:5060>\r\n{headers}Content-Length: 0\r\n\r\n"
    );
    let message = Message::parse(text.into()).expect("valid SIP");
    Input::Message { from: Peer::new(([192, 0, 2, 9], 5060).into()), message }
}

const REGISTER: &str = "REGISTER sip:example.org";
const SUBSCRIBE: &str = "SUBSCRIBE sip:bob@example.org";
const PUBLISH: &str = "PUBLISH sip:alice@example.org";

fn is_beginning(stage: &Stage, start: &str, headers: &str) -> bool {
    stage.server.is_beginning(&stage.config, &ask(start, 1, headers))
}

/// The status and Retry-After of everybody who is turned away.
fn turn_away(stage: &mut Stage, input: Input<presently_engine::server::Command>) -> (u16, u32) {
    let mut out = Vec::new();
    stage.server.turn_away(&stage.config, stage.now, input, &mut out);
    let answers = out.into_iter().filter_map(|output| match output {
        Output::Transmit { bytes, .. } => Some(bytes),
        Output::Record(_) | Output::Event(_) => None,
    });
    let answers: Vec<_> = answers.collect();
    assert_eq!(answers.len(), 1);
    let Ok(Message::Response(answer)) = Message::parse(answers[0].clone()) else {
        panic!("not an answer: {answers:?}")
    };
    (answer.status(), answer.seconds(Name::RetryAfter).unwrap_or(0))
}

#[test]
fn what_keeps_something_alive_or_ends_it_is_no_beginning() {
    let (mut stage, _, _) = scene();
    let dialog = "To: <sip:bob@example.org>;tag=2\r\nEvent: presence\r\n";
    assert!(is_beginning(&stage, SUBSCRIBE, "Event: presence\r\n"));
    assert!(!is_beginning(&stage, SUBSCRIBE, dialog));
    assert!(is_beginning(&stage, PUBLISH, "Event: presence\r\n"));
    assert!(!is_beginning(&stage, PUBLISH, "Event: presence\r\nSIP-If-Match: 7\r\n"));
    assert!(is_beginning(&stage, "MESSAGE sip:bob@example.org", ""));
    assert!(!is_beginning(&stage, "ACK sip:bob@example.org", ""));
    assert!(!is_beginning(&stage, "CANCEL sip:bob@example.org", ""));

    assert!(is_beginning(&stage, REGISTER, ""), "alice is nowhere yet");
    stage.input(ask(REGISTER, 2, ""));
    assert!(!is_beginning(&stage, REGISTER, ""), "she is bound, so she refreshes or leaves");
}

#[test]
fn who_is_turned_away_leaves_nothing_and_comes_again_when_others_do_not() {
    let (mut stage, _, _) = scene();
    let mut seconds = Vec::new();
    for one in 0..50 {
        let (status, later) = turn_away(&mut stage, ask(SUBSCRIBE, one, "Event: presence\r\n"));
        assert_eq!(status, 503);
        seconds.push(later);
    }
    seconds.sort_unstable();
    seconds.dedup();
    assert!(seconds.len() > 5 && seconds.iter().all(|one| (4..16).contains(one)), "{seconds:?}");
    assert!(stage.server.tables(stage.now).pst.is_empty());
    assert!(stage.rows.is_empty());
    assert_eq!(stage.server.deadline(), None, "no transaction is kept");
}

#[test]
fn a_copy_of_what_was_answered_gets_that_answer() {
    let (mut stage, _, _) = scene();
    stage.input(ask(REGISTER, 1, ""));
    assert_eq!(stage.response(([192, 0, 2, 9], 5060).into()).status(), 200);
    let (status, later) = turn_away(&mut stage, ask(REGISTER, 1, ""));
    assert_eq!((status, later), (200, 0));
}
