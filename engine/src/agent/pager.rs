//! Pager messages, out and in (M18, M20; RFC 3428 first).
//!
//! Out: one MESSAGE to a target at a time, in order, over the server; its DM-Message-ID stays the
//! same over all tries (D14). In: shown once, however often it comes. No dialog, no Contact.

use super::cx::{Cx, Incoming, Timer};
use super::request::{Answer, Draft, Outcome, Room, Ticket};
use super::types::{Event, MessagePhase};
use crate::message::{Aor, Method, Name, Request};
use crate::mint::{Id, Label};
use crate::time::Date;
use crate::time::Instant;
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

/// K10: most bytes of a whole MESSAGE.
const SIZE: usize = 1300;
/// Most messages that wait for one target.
const QUEUE: usize = 256;
/// K12: how long a message is remembered as shown.
const SHOWN_TTL: Duration = Duration::from_secs(24 * 3600);
/// Most messages remembered as shown.
const SHOWN: usize = 4096;
/// Tries after the first: 2, 4, 8 s later.
const RETRIES: u32 = 3;
const TEXT: &str = "text/plain;charset=UTF-8";

/// One message on its way out.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Letter {
    number: u64,
    text: Box<str>,
    id: Id,
    call_id: Box<str>,
    tag: Id,
    cseq: u32,
    tries: u32,
    written_at: Instant,
}

/// M18, of the head of a queue; the others are Queued.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
enum State {
    #[default]
    Queued,
    Sending {
        ticket: Option<Ticket>,
    },
    Retry,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
struct Queue {
    state: State,
    letters: VecDeque<Letter>,
}

/// Messages on their way out, by target.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct Outbox {
    queues: BTreeMap<Aor, Queue>,
}

impl Outbox {
    /// Takes a message of the user.
    pub(crate) fn post(&mut self, cx: &mut Cx<'_>, target: Aor, text: Box<str>, number: u64) {
        let letter = Letter {
            number,
            text,
            id: cx.mint(Label::Message),
            call_id: cx.mint_call_id(),
            tag: cx.mint(Label::Tag),
            cseq: 0,
            tries: 0,
            written_at: cx.now,
        };
        let queue = self.queues.entry(target.clone()).or_default();
        if queue.letters.len() >= QUEUE {
            return tell(cx, &target, number, MessagePhase::Failed, None);
        }
        queue.letters.push_back(letter);
        tell(cx, &target, number, MessagePhase::Queued, None);
        self.send_head(cx, &target);
    }

    /// The server became available.
    pub(crate) fn wake(&mut self, cx: &mut Cx<'_>) {
        let targets: Vec<_> = self.queues.keys().cloned().collect();
        for target in targets {
            self.send_head(cx, &target);
        }
    }

    /// Logout is over: what is still here will not be sent.
    pub(crate) fn forget(&mut self, cx: &mut Cx<'_>) {
        for (target, queue) in std::mem::take(&mut self.queues) {
            cx.stop(&Timer::Message(target.clone()));
            if let State::Sending { ticket } = queue.state {
                cx.abandon(ticket);
            }
            for letter in queue.letters {
                tell(cx, &target, letter.number, MessagePhase::Failed, None);
            }
        }
    }

    /// The wait before the next try is over.
    pub(crate) fn on_timer(&mut self, cx: &mut Cx<'_>, target: &Aor) {
        let Some(queue) = self.queues.get_mut(target) else { return };
        match queue.state {
            State::Retry => {
                queue.state = State::Queued;
                self.send_head(cx, target);
            }
            State::Queued | State::Sending { .. } => {}
        }
    }

    /// The end of a MESSAGE.
    pub(crate) fn on_answer(&mut self, cx: &mut Cx<'_>, target: &Aor, answer: Answer) {
        let Some(queue) = self.queues.get_mut(target) else { return };
        match queue.state {
            State::Sending { ticket } if ticket == Some(answer.ticket) => {}
            State::Queued | State::Sending { .. } | State::Retry => return,
        }
        let Some(letter) = queue.letters.front_mut() else { return };
        letter.cseq = answer.cseq;
        let status = answer.outcome.status();
        let phase = match (&answer.outcome, status) {
            (Outcome::TooLarge, _) => MessagePhase::Failed,
            (_, 202) => MessagePhase::Stored,
            (_, 200..=299) => MessagePhase::Delivered,
            (_, 0 | 500..=599) if letter.tries <= RETRIES => MessagePhase::Queued,
            (_, _) => MessagePhase::Failed,
        };
        let number = letter.number;
        let status = Some(status).filter(|status| *status > 0);
        tell(cx, target, number, phase, status);
        if phase == MessagePhase::Queued {
            let wait = Duration::from_secs(1 << letter.tries.min(RETRIES));
            queue.state = State::Retry;
            return cx.arm(Timer::Message(target.clone()), cx.now + wait);
        }
        self.drop_head(cx, target);
    }

    /// How many messages wait or are on their way.
    pub(crate) fn len(&self) -> usize {
        self.queues.values().map(|queue| queue.letters.len()).sum()
    }

    /// M18: where the first message to `target` stands, for tables and tests.
    #[cfg(test)]
    pub(crate) fn phase_of(&self, target: &Aor) -> Option<&'static str> {
        self.queues.get(target).map(|queue| match queue.state {
            State::Queued => "Queued",
            State::Sending { .. } => "Sending",
            State::Retry => "Retry",
        })
    }

    fn drop_head(&mut self, cx: &mut Cx<'_>, target: &Aor) {
        let Some(queue) = self.queues.get_mut(target) else { return };
        queue.letters.pop_front();
        queue.state = State::Queued;
        if queue.letters.is_empty() {
            self.queues.remove(target);
        } else {
            self.send_head(cx, target);
        }
    }

    fn send_head(&mut self, cx: &mut Cx<'_>, target: &Aor) {
        let Some(queue) = self.queues.get_mut(target) else { return };
        let Some(letter) = queue.letters.front_mut() else { return };
        if !cx.core.online || queue.state != State::Queued {
            return;
        }
        letter.tries += 1;
        let number = letter.number;
        let ticket = cx.send(Room::Message(target.clone()), letter.draft(cx, target));
        if ticket.is_none() {
            tell(cx, target, number, MessagePhase::Failed, Some(513));
            return self.drop_head(cx, target);
        }
        if letter.tries == 1 {
            tell(cx, target, number, MessagePhase::Sending, None);
        }
        queue.state = State::Sending { ticket };
    }
}

impl Letter {
    fn draft(&self, cx: &Cx<'_>, target: &Aor) -> Draft {
        let to = target.as_str();
        let mut draft = Draft::new(cx, Method::Message, to, to)
            .numbered(&self.call_id, self.tag, self.cseq + 1)
            .with(Name::DmMessageId, &self.id.to_string())
            .with(Name::Date, Date::of(self.written_at).as_str())
            .carrying(TEXT, Bytes::copy_from_slice(self.text.as_bytes()));
        draft.limit = Some(SIZE);
        draft
    }
}

fn tell(cx: &mut Cx<'_>, target: &Aor, ticket: u64, phase: MessagePhase, status: Option<u16>) {
    cx.emit(Event::MessageStatus { ticket, target: target.clone(), phase, status });
}

/// Messages that were shown, so that none is shown twice (D14).
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct Inbox {
    shown: BTreeSet<(Aor, Box<str>)>,
    order: VecDeque<(Instant, Aor, Box<str>)>,
}

impl Inbox {
    /// Takes a MESSAGE that may be shown.
    pub(crate) fn on_message(&mut self, cx: &mut Cx<'_>, incoming: &Incoming<'_>, from: Aor) {
        let request = incoming.request;
        let essence = request.content_type().map(|found| found.essence.to_ascii_lowercase());
        let essence = essence.unwrap_or_else(|| "text/plain".into());
        match &*essence {
            "text/plain" | "message/cpim" => {}
            // Answering 415 to a typing indicator or a receipt breaks the chat of others.
            "application/im-iscomposing+xml" | "message/imdn+xml" => {
                return cx.refuse(incoming, 200);
            }
            _ => {
                let accept = "text/plain, message/cpim";
                return cx.refuse_with(incoming, 415, Name::Accept, accept);
            }
        }
        cx.refuse(incoming, 200);
        let id = message_id(request);
        if self.note(cx.now, &from, &id) {
            cx.emit(Event::Message {
                from,
                id,
                content_type: essence.into(),
                text: String::from_utf8_lossy(&request.body()).into(),
                stored: request.first(Name::DmStored).is_some(),
                expired: is_expired(cx.now, request),
            });
        }
    }

    /// How many messages are remembered.
    pub(crate) fn len(&self) -> usize {
        self.shown.len()
    }

    /// True if this message was not shown before.
    fn note(&mut self, now: Instant, from: &Aor, id: &str) -> bool {
        let old = |(at, _, _): &(Instant, Aor, Box<str>)| now.since(*at) >= SHOWN_TTL;
        while self.order.len() >= SHOWN || self.order.front().is_some_and(old) {
            let Some((_, from, id)) = self.order.pop_front() else { break };
            self.shown.remove(&(from, id));
        }
        let new = self.shown.insert((from.clone(), id.into()));
        if new {
            self.order.push_back((now, from.clone(), id.into()));
        }
        new
    }
}

/// DM-Message-ID; of senders that have none, Call-ID and CSeq (D14).
fn message_id(request: &Request) -> Box<str> {
    if let Some(id) = request.first(Name::DmMessageId) {
        return id.into();
    }
    let number = request.cseq().map_or(0, |cseq| cseq.number);
    format!("{}/{number}", request.call_id().unwrap_or("")).into()
}

/// Expires counts from Date, if the sender says when that was (RFC 3428 §8).
fn is_expired(now: Instant, request: &Request) -> bool {
    let expires = request.seconds(Name::Expires);
    let written = request.first(Name::Date).and_then(Date::read);
    match (expires, written) {
        (Some(expires), Some(written)) => written + Duration::from_secs(expires.into()) < now,
        _ => false,
    }
}
