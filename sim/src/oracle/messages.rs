//! Messages: shown once (P36), and shown at last when that was promised (P37, P52).

use super::evidence::Evidence;
use crate::plan::{Act, DeviceName};
use presently_engine::agent::{Event, MessagePhase};
use std::collections::{BTreeMap, BTreeSet};

type Found = Vec<(u64, String)>;

/// P36: a device shows a message once while it runs; what it remembers dies with it.
pub(super) fn shown_once(evidence: &Evidence<'_>) -> Found {
    let mut shown = BTreeSet::new();
    let mut found = Vec::new();
    for (at, device, event) in evidence.record.told() {
        let Event::Message { from, id, text, .. } = event else { continue };
        let life = evidence.lives.of(device, at).map(|life| life.from_ms);
        if !shown.insert((device, life, from, id)) {
            found.push((at, format!("{device} shows “{text}” of {} again", from.user())));
        }
    }
    found
}

/// A message as it was ordered.
struct Sent {
    at_ms: u64,
    to: String,
    text: String,
}

/// The messages of every device by their tickets.
fn sent<'a>(evidence: &'a Evidence<'_>) -> BTreeMap<(&'a DeviceName, u64), Sent> {
    let mut counts: BTreeMap<&DeviceName, u64> = BTreeMap::new();
    let mut sent = BTreeMap::new();
    for step in &evidence.plan.steps {
        let Act::Order(device, line) = &step.act else { continue };
        if evidence.lives.of(device, step.at_ms).is_none() {
            continue;
        }
        let Some((to, text)) = line.strip_prefix("message ").and_then(|rest| rest.split_once(' '))
        else {
            continue;
        };
        let ticket = counts.entry(device).or_default();
        *ticket += 1;
        let (to, text) = (super::lives::user_of(to), text.trim().to_owned());
        let at_ms = step.at_ms;
        sent.insert((device, *ticket), Sent { at_ms, to, text });
    }
    sent
}

/// P36: what a device shows was written, by whom it says and for its user.
pub(super) fn shown_as_written(evidence: &Evidence<'_>) -> Found {
    let sent = sent(evidence);
    let written: BTreeSet<(&str, &str, &str)> =
        sent.iter().map(|((device, _), sent)| (&*device.user, &*sent.to, &*sent.text)).collect();
    let mut found = Vec::new();
    for (at, device, event) in evidence.record.told() {
        let Event::Message { from, text, .. } = event else { continue };
        if !written.contains(&(from.user(), &*device.user, &**text)) {
            found.push((at, format!("{device} shows “{text}”, which {} never wrote", from.user())));
        }
    }
    found
}

/// P37 and P52: what was delivered was shown; what was stored is shown at last if some device of
/// the receiver is there and the run ends calm.
pub(super) fn promise_kept(evidence: &Evidence<'_>) -> Found {
    let sent = sent(evidence);
    let mut shown: BTreeSet<(&str, &str)> = BTreeSet::new();
    for (_, device, event) in evidence.record.told() {
        if let Event::Message { text, .. } = event {
            shown.insert((&device.user, text));
        }
    }
    let there: BTreeSet<&str> = evidence.lives.present().map(|(name, _)| &*name.user).collect();
    let mut found = Vec::new();
    for (at, device, event) in evidence.record.told() {
        let Event::MessageStatus { ticket, phase, .. } = event else { continue };
        let Some(message) = sent.get(&(device, *ticket)) else { continue };
        // A device drops what a blocked sender sends, and says 200 (behaviour M20).
        let until = if *phase == MessagePhase::Delivered { at } else { evidence.record.ended_ms };
        if evidence.decisions.may_drop(&message.to, &device.user, message.at_ms, until) {
            continue;
        }
        let due = match phase {
            MessagePhase::Delivered => true,
            MessagePhase::Stored => evidence.lives.ends_calm() && there.contains(&*message.to),
            MessagePhase::Queued | MessagePhase::Sending | MessagePhase::Failed => false,
        };
        if due && !shown.contains(&(&*message.to, &*message.text)) {
            let what = format!("{} never saw “{}”, which was {phase:?}", message.to, message.text);
            found.push((at, what));
        }
    }
    found
}

#[cfg(test)]
mod tests;
