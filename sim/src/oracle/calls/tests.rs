//! Ends that know different things.

use crate::oracle::rig::*;
use crate::plan::{Act, Party, Step};
use crate::record::{Record, What};
use presently_engine::agent::{CallId, CallPhase, Event, FlowId, FlowPhase, Way};

fn told(record: &Record, user: &str, which: impl Fn(&Event) -> bool) -> Event {
    let at = events(record, user, which)[0];
    let What::Told { event, .. } = &record.entries[at].what else { panic!("an event") };
    event.clone()
}

#[test]
fn a_flow_that_only_one_end_knows_is_found() {
    for (user, wanted) in [("alice", Way::Out), ("bob", Way::In)] {
        let (plan, mut record) = spoken();
        let mut event = told(&record, user, |event| match event {
            Event::Flow { way, phase, .. } => (*way, *phase) == (wanted, FlowPhase::Streaming),
            _ => false,
        });
        if let Event::Flow { flow, .. } = &mut event {
            *flow = FlowId(50);
        }
        // Before the block, so that this is all that is wrong with it.
        tell(&mut record, 41_000, user, event);
        let broken = broken(&plan, &record);
        assert!(broken.contains(&"P53"), "{user}: {broken:?}");
    }
}

/// A call that is up at the end as far as alice was told.
fn unfinished(record: &mut Record) {
    let mut event = told(record, "alice", |event| {
        matches!(event, Event::Call { phase: CallPhase::Calling, .. })
    });
    for (at_ms, now) in [(20_000, CallPhase::Calling), (24_000, CallPhase::Up)] {
        if let Event::Call { call, phase, .. } = &mut event {
            (*call, *phase) = (CallId(50), now);
        }
        tell(record, at_ms, "alice", event.clone());
    }
}

#[test]
fn a_call_that_only_one_end_knows_is_found() {
    let (plan, mut record) = spoken();
    unfinished(&mut record);
    assert_eq!(broken(&plan, &record), ["M6"]);
}

#[test]
fn a_call_whose_other_end_died_or_was_not_heard_is_nobodys_fault() {
    let (mut plan, mut record) = spoken();
    unfinished(&mut record);
    let byes = datagrams(&record, &["BYE sip:alice"]);
    assert!(!byes.is_empty());
    let answers = datagrams(&record, &["SIP/2.0 ", " BYE\r\n"]);
    for at in answers.into_iter().rev() {
        record.entries.remove(at);
    }
    assert!(!broken(&plan, &record).contains(&"M6"));
    let (_, mut record) = spoken();
    unfinished(&mut record);
    plan.steps.push(Step { at_ms: 47_000, act: Act::Crash(Party::Device(device("bob"))) });
    assert!(!broken(&plan, &record).contains(&"M6"));
}

#[test]
fn a_phone_that_rings_for_ever_is_found() {
    let (plan, mut record) = spoken();
    let answered = events(&record, "bob", |event| {
        matches!(event, Event::Call { phase: CallPhase::Up | CallPhase::Ended, .. })
    });
    for at in answered.into_iter().rev() {
        record.entries.remove(at);
    }
    record.ended_ms += 60_000;
    assert!(broken(&plan, &record).contains(&"M6"));
}
