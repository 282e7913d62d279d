//! What is spoken: flows and calls as users are told of them, and races of INVITE (R57, R58, R68).

use super::requests::Asked;
use super::{Coverage, Row};
use crate::oracle::evidence::{Evidence, Letter, Origin};
use crate::oracle::exchanges::Credentials;
use presently_engine::agent::{Event, FlowPhase, StopReason, Way};
use presently_engine::message::{Method, Response};
use std::collections::BTreeMap;

pub(super) fn read(evidence: &Evidence<'_>, coverage: &mut Coverage) {
    flows(evidence, coverage);
    for call in evidence.media.calls.iter().filter(|call| call.up_ms.is_some()) {
        coverage.reach(Row::CallUp);
        if call.ended_ms < u64::MAX {
            coverage.reach(Row::CallEnded);
        }
    }
    races(evidence, coverage);
}

fn flows(evidence: &Evidence<'_>, coverage: &mut Coverage) {
    let spoken = evidence.media.stretches.iter().filter(|one| one.way == Some(Way::Out));
    for one in spoken {
        coverage.reach(Row::Spoken);
        let heard = evidence.media.incoming().any(|heard| {
            heard.device == one.device && heard.peer == one.peer && heard.covers(one.from_ms)
        });
        if heard {
            coverage.reach(Row::SpokenBack);
        }
    }
    for (_, _, event) in evidence.record.told() {
        let Event::Flow { way, phase: FlowPhase::Stopped, reason: Some(why), .. } = event else {
            continue;
        };
        match (way, why) {
            (Way::In, StopReason::Refused) => coverage.reach(Row::SpeakerRefused),
            (Way::Out, StopReason::Busy) => coverage.reach(Row::SpeakerBusy),
            (Way::Out, StopReason::Withdrawn) => coverage.reach(Row::SpeakerWithdrawn),
            (Way::Out, StopReason::Unreachable) => coverage.reach(Row::SpeakerUnreachable),
            (_, StopReason::Consent) => coverage.reach(Row::SpeakerUnheard),
            (Way::In | Way::Out, _) => {}
        }
    }
}

fn races(evidence: &Evidence<'_>, coverage: &mut Coverage) {
    let mut cancelled: BTreeMap<&str, u64> = BTreeMap::new();
    for letter in evidence.letters.iter().filter(|letter| letter.origin == Origin::Device) {
        let Some(request) = letter.request() else { continue };
        match request.method() {
            Method::Cancel => drop(cancelled.entry(&letter.branch).or_insert(letter.at_ms)),
            Method::Ack if Credentials::of(request).is_some() => coverage.reach(Row::AckRepeats),
            _ => {}
        }
    }
    let invites = Asked::all(evidence).filter(|one| one.request.method() == Method::Invite);
    for asked in invites.filter(|one| one.letter.origin == Origin::Device) {
        let answers = asked.exchange.answered.iter().map(|place| &evidence.letters[*place]);
        let success = |letter: &&Letter| {
            let status = letter.response().map_or(0, Response::status);
            (200..300).contains(&status) && letter.arrived_ms.is_some()
        };
        let came: Vec<u64> = answers.filter(success).filter_map(|one| one.arrived_ms).collect();
        if came.len() > 1 {
            coverage.reach(Row::SuccessOnceMore);
        }
        let cancel = cancelled.get(&*asked.letter.branch);
        if cancel.is_some_and(|cancel| came.iter().any(|arrived| arrived > cancel)) {
            coverage.reach(Row::CancelCrossed);
        }
    }
}
