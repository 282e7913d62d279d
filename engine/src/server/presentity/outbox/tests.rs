use super::*;
use std::fmt::Write;

const GAP: Duration = Duration::from_secs(5);
const NOW: Instant = Instant::from_millis(100_000);

fn outbox(state: State, last_ms_ago: Option<u64>) -> Outbox {
    let last = last_ms_ago.map(|ago| NOW - Duration::from_millis(ago));
    Outbox { state, last, excepted: None }
}

/// M14 as a table: what every event does in every state, one second after the last NOTIFY.
#[test]
fn every_state_against_every_event() {
    let states = [
        State::Idle,
        State::Paced,
        State::InFlight { again: None },
        State::InFlight { again: Some(Urgency::Paced) },
        State::InFlight { again: Some(Urgency::Forced) },
        State::Ending,
        State::Draining,
        State::Dead,
    ];
    let events = [
        Happening::Dirty(Urgency::Paced),
        Happening::Dirty(Urgency::Withdrawn),
        Happening::Dirty(Urgency::Forced),
        Happening::GapOver,
        Happening::Delivered,
        Happening::Undelivered(Duration::from_secs(9)),
        Happening::Lost,
        Happening::End,
    ];
    let mut table = String::new();
    for state in states {
        writeln!(table, "{state:?}").expect("a string");
        for event in events {
            let mut outbox = outbox(state, Some(1000));
            let act = match outbox.on(event, NOW, GAP) {
                Act::Wait(at) => format!("Wait {} ms", at.since(NOW).as_millis()),
                other => format!("{other:?}"),
            };
            writeln!(
                table,
                "  {:<20} {:<36} {act}",
                format!("{event:?}"),
                format!("{:?}", outbox.state)
            )
            .expect("a string");
        }
    }
    insta::assert_snapshot!(table);
}

/// P43: two paced NOTIFYs are at least K4 apart; a forced one is not held back.
#[test]
fn pacing_holds_back_only_what_is_not_forced() {
    let mut fresh = outbox(State::Idle, None);
    assert_eq!(fresh.on(Happening::Dirty(Urgency::Paced), NOW, GAP), Act::Send);
    assert_eq!(fresh.on(Happening::Delivered, NOW, GAP), Act::Rest);
    let wait = Act::Wait(NOW + GAP);
    assert_eq!(fresh.on(Happening::Dirty(Urgency::Paced), NOW, GAP), wait);
    assert_eq!(fresh.on(Happening::Dirty(Urgency::Forced), NOW, GAP), Act::Send);
}

/// P43: a withdrawn offer goes ahead of its turn once per K4, not more often.
#[test]
fn a_withdrawn_offer_jumps_the_queue_once() {
    let mut outbox = outbox(State::Idle, Some(1));
    assert_eq!(outbox.on(Happening::Dirty(Urgency::Withdrawn), NOW, GAP), Act::Send);
    outbox.on(Happening::Delivered, NOW, GAP);
    let wait = Act::Wait(NOW + GAP);
    assert_eq!(outbox.on(Happening::Dirty(Urgency::Withdrawn), NOW, GAP), wait);
    assert_eq!(outbox.on(Happening::GapOver, NOW + GAP, GAP), Act::Send);
}

/// P43: that holds, too, for an offer that is withdrawn while something else waits for the gap.
#[test]
fn a_withdrawn_offer_jumps_the_queue_only_if_none_just_did() {
    for (ago, act) in [(1, Act::Rest), (4999, Act::Rest), (5000, Act::Send)] {
        let mut outbox = outbox(State::Paced, Some(ago));
        outbox.excepted = Some(NOW - Duration::from_millis(ago));
        assert_eq!(outbox.on(Happening::Dirty(Urgency::Withdrawn), NOW, GAP), act, "{ago} ms");
    }
}

/// P5, P7: while one NOTIFY is outstanding nothing is sent, and the terminal one is the last.
#[test]
fn the_terminal_notify_waits_for_the_outstanding_one() {
    let mut outbox = outbox(State::InFlight { again: Some(Urgency::Forced) }, Some(1));
    assert_eq!(outbox.on(Happening::End, NOW, GAP), Act::Rest);
    assert_eq!(outbox.on(Happening::Dirty(Urgency::Forced), NOW, GAP), Act::Rest);
    assert_eq!(outbox.on(Happening::Delivered, NOW, GAP), Act::SendTerminal);
    assert_eq!(outbox.on(Happening::Dirty(Urgency::Forced), NOW, GAP), Act::Rest);
    assert_eq!(outbox.on(Happening::Delivered, NOW, GAP), Act::Free);
}
