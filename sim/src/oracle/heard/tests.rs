//! Voices that should not be heard.

use crate::oracle::rig::*;
use crate::plan::Act;
use crate::record::{Entry, Fate, Record, What};
use presently_engine::agent::{Event, FlowId, FlowPhase, StopReason, Way};
use presently_engine::message::Aor;
use presently_net::media::Id;

/// What bob was told when somebody was heard, or not any more.
fn heard(record: &Record, wanted: FlowPhase) -> Vec<usize> {
    events(
        record,
        "bob",
        |event| matches!(event, Event::Flow { way: Way::In, phase, .. } if *phase == wanted),
    )
}

/// carol, whom bob never allowed, is heard for a second.
fn let_carol_in(record: &mut Record) {
    let (first, last) =
        (heard(record, FlowPhase::Streaming)[0], heard(record, FlowPhase::Stopped)[0]);
    for (at, at_ms) in [(first, 30_000), (last, 31_000)] {
        let What::Told { event, .. } = &record.entries[at].what else { panic!("an event") };
        let mut event = event.clone();
        if let Event::Flow { flow, peer, .. } = &mut event {
            (*flow, *peer) = (FlowId(77), Aor::new("carol", "example.org"));
        }
        tell(record, at_ms, "bob", event);
    }
}

#[test]
fn somebody_never_allowed_is_found() {
    let (plan, mut record) = spoken();
    let_carol_in(&mut record);
    assert_eq!(broken(&plan, &record), ["P27"]);
}

#[test]
fn who_is_spoken_to_may_speak_back() {
    let (plan, mut record) = spoken();
    let_carol_in(&mut record);
    let out = events(&record, "bob", |event| {
        matches!(event, Event::Flow { way: Way::Out, phase: FlowPhase::Streaming, .. })
    });
    let What::Told { event, .. } = &record.entries[out[0]].what else { panic!("an event") };
    let (mut begins, mut ends) = (event.clone(), event.clone());
    for (event, over) in [(&mut begins, false), (&mut ends, true)] {
        let Event::Flow { flow, peer, phase, stream, reason, .. } = event else { panic!("a flow") };
        (*flow, *peer) = (FlowId(78), Aor::new("carol", "example.org"));
        if over {
            (*phase, *stream, *reason) = (FlowPhase::Stopped, None, Some(StopReason::User));
        }
    }
    tell(&mut record, 29_000, "bob", begins);
    tell(&mut record, 31_500, "bob", ends);
    // He was never ordered to, but that is another matter.
    assert_eq!(broken(&plan, &record), ["P29"]);
}

#[test]
fn a_voice_after_the_block_is_found() {
    let (plan, mut record) = spoken();
    let last = *heard(&record, FlowPhase::Stopped).last().expect("it ends by the block");
    assert_eq!(record.entries[last].at_ms, 45_000, "at once");
    postpone(&mut record, last, 45_001);
    assert_eq!(broken(&plan, &record), ["P27"]);
}

/// The same, had bob blocked her on another device.
#[test]
fn a_voice_after_watcher_information_told_of_the_block_is_found() {
    let (mut plan, mut record) = spoken();
    plan.steps.retain(|step| !matches!(&step.act, Act::Order(_, line) if line == "block alice"));
    assert!(!broken(&plan, &record).contains(&"P27"));
    let last = *heard(&record, FlowPhase::Stopped).last().expect("it ends by the block");
    postpone(&mut record, last, 46_000);
    assert!(broken(&plan, &record).contains(&"P27"));
}

#[test]
fn a_sound_of_nobody_is_found() {
    let (plan, mut record) = spoken();
    let what = What::Stream { device: device("bob"), name: Id::Direct(FlowId(9)), played: true };
    record.entries.push(Entry { at_ms: record.ended_ms, what });
    assert_eq!(broken(&plan, &record), ["P27"]);
}

#[test]
fn a_sound_that_never_came_is_found() {
    let (plan, mut record) = spoken();
    for at in packets(&record, "alice", 0x80, 0..20_000) {
        if let What::Datagram { fate, .. } = &mut record.entries[at].what {
            *fate = Fate::Lost;
        }
    }
    assert_eq!(broken(&plan, &record), ["P27"]);
}

#[test]
fn a_speaker_who_goes_on_after_the_block_is_found() {
    let (plan, mut record) = spoken();
    let spoken = packets(&record, "alice", 0x80, 44_000..45_000);
    let late = again(&mut record, spoken[0], 8000);
    assert_eq!(broken(&plan, &record), ["P28", "P47"]);
    // Had the network lost something between the two, she might not know.
    if let What::Datagram { fate, .. } = &mut record.entries[late].what {
        *fate = Fate::Lost;
    }
    assert_eq!(broken(&plan, &record), ["P28"]);
}

#[test]
fn somebody_blocked_who_is_heard_at_the_end_is_found() {
    let (plan, mut record) = spoken();
    let last = *heard(&record, FlowPhase::Stopped).last().expect("it ends by the block");
    record.entries.remove(last);
    assert_eq!(broken(&plan, &record), ["P27", "P47", "P53"]);
}
