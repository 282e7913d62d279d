//! Rows of pager messages (M18, M19, R73–R77a).

use super::requests::{Asked, receiver};
use super::{Coverage, Row};
use crate::oracle::evidence::{Evidence, Origin};
use presently_engine::message::{Method, Name};
use std::collections::BTreeMap;

/// Request-URI, when it was sent, and what was answered when.
type Forwarded = (String, u64, Option<(u64, u16)>);

/// What is known of a message, by its DM-Message-ID.
#[derive(Default)]
struct Known {
    /// The answers to its tries.
    answers: Vec<(u64, u16)>,
    /// Whether a success of one was sent and none was heard.
    unheard: bool,
    /// Where it was forwarded to.
    forwarded: Vec<Forwarded>,
    /// In which lives of the server it was delivered out of the store.
    delivered: Vec<usize>,
}

pub(super) fn read(evidence: &Evidence<'_>, coverage: &mut Coverage) {
    let mut known: BTreeMap<&str, Known> = BTreeMap::new();
    for asked in Asked::all(evidence).filter(|one| one.request.method() == Method::Message) {
        let id = asked.request.first(Name::DmMessageId).unwrap_or_default();
        let one = known.entry(id).or_default();
        match asked.letter.origin {
            Origin::Device => written(&asked, one, coverage),
            Origin::Server if asked.request.first(Name::DmStored).is_some() => {
                delivered(&asked, one, coverage);
            }
            Origin::Server => {
                let heard = asked.exchange.heard(&evidence.letters);
                let uri = asked.request.uri().to_owned();
                one.forwarded.push((uri, asked.letter.at_ms, heard));
            }
            Origin::Stranger => {}
        }
    }
    known.values().for_each(|one| relayed(one, coverage));
}

/// A device writes.
fn written(asked: &Asked<'_>, one: &mut Known, coverage: &mut Coverage) {
    let status = asked.status();
    if one.unheard {
        coverage.reach(Row::OkOfMessageLost);
    }
    let before = one.answers.last().map(|(_, status)| *status);
    match (before, status) {
        (Some(202), 202) => coverage.reach(Row::StoredTwice),
        (_, 403 | 480) => coverage.reach(Row::MessageRefused),
        _ => {}
    }
    if before.is_some_and(|before| !matches!(before, 401 | 407)) {
        coverage.reach(Row::MessageRetried);
    }
    one.unheard =
        asked.succeeded() && asked.heard_ms().is_none() && !receiver(asked.request).is_empty();
    one.answers.push((asked.answered_ms(), status));
}

/// The server delivers what it has kept.
fn delivered(asked: &Asked<'_>, one: &mut Known, coverage: &mut Coverage) {
    let boot = asked.evidence.lives.boots_by(asked.letter.at_ms);
    if one.delivered.iter().any(|before| *before != boot) {
        coverage.reach(Row::DeliveredTwice);
    }
    one.delivered.push(boot);
    if asked.is_unanswered() {
        coverage.reach(Row::DeliveryUnanswered);
    }
}

/// What the devices answered, and what the server made of it.
fn relayed(one: &Known, coverage: &mut Coverage) {
    let good = |answer: &Option<(u64, u16)>| answer.is_some_and(|(_, status)| status < 300);
    let stored = one.answers.iter().find(|(_, status)| *status == 202).map(|(at_ms, _)| *at_ms);
    let sent = one.answers.iter().any(|(_, status)| *status == 200);
    let answered = one.forwarded.iter().filter(|(_, _, answer)| good(answer)).count();
    let mut places: Vec<&str> = one.forwarded.iter().map(|(uri, _, _)| &**uri).collect();
    places.sort_unstable();
    places.dedup();
    if sent && places.len() > 1 && answered < one.forwarded.len() && answered > 0 {
        coverage.reach(Row::OneOfTwo);
    }
    let Some(stored) = stored else { return };
    let forwarded = one.forwarded.iter().filter(|(_, at_ms, _)| *at_ms <= stored);
    for (_, _, answer) in forwarded {
        coverage.reach(Row::StoredInstead);
        if good(answer) && answer.is_some_and(|(at_ms, _)| at_ms > stored) {
            coverage.reach(Row::LateAnswer);
        }
    }
}
