//! M14: the outbox of one subscription — stop and wait, newest content wins.
//!
//! Read first: RFC 6665 §4.2.2, behaviour M14, D5. The outbox never holds content: it remembers
//! only *that* something is owed and how urgently; what is sent is built at the moment of sending.

#[cfg(test)]
mod tests;

use crate::time::Instant;
use std::time::Duration;

/// How soon a debt has to be paid.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum Urgency {
    /// Not more often than once per K4.
    Paced,
    /// An offer stopped being ready: at once, but only one such exception per K4 (P43).
    Withdrawn,
    /// At once: answers to SUBSCRIBE, changes of state.
    Forced,
}

/// Where the outbox stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum State {
    /// Nothing owed.
    Idle,
    /// Something is owed once the gap is over.
    Paced,
    /// A NOTIFY is outstanding; `again` says what is owed after it.
    InFlight {
        /// Debt that arose meanwhile.
        again: Option<Urgency>,
    },
    /// A NOTIFY is outstanding and the terminal one follows it.
    Ending,
    /// The terminal NOTIFY is outstanding.
    Draining,
    /// Nothing will ever be sent again.
    Dead,
}

/// What happens to an outbox.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Happening {
    /// There is something new to tell.
    Dirty(Urgency),
    /// The gap timer fired.
    GapOver,
    /// The outstanding NOTIFY was answered 2xx.
    Delivered,
    /// It failed in a way that does not end the subscription; wait at least this long.
    Undelivered(Duration),
    /// It failed for good (fatal status, no answer, unreachable).
    Lost,
    /// The subscription ends: one terminal NOTIFY, then nothing.
    End,
}

/// What the room has to do about it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Act {
    /// Nothing.
    Rest,
    /// Build and send a NOTIFY now.
    Send,
    /// Build and send the terminal NOTIFY now.
    SendTerminal,
    /// Wake me then.
    Wait(Instant),
    /// The peer is gone: end the subscription without another word.
    Abandon,
    /// The terminal NOTIFY is done with: free the row.
    Free,
}

/// The outbox: its state and when it last sent.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct Outbox {
    state: State,
    last: Option<Instant>,
    /// When a withdrawn offer last went out ahead of its turn.
    excepted: Option<Instant>,
}

impl Outbox {
    /// Nothing owed, nothing sent.
    pub(crate) const fn new() -> Self {
        Self { state: State::Idle, last: None, excepted: None }
    }

    /// Where it stands.
    pub(crate) fn state(&self) -> State {
        self.state
    }

    /// One step of M14. `gap` is K4.
    pub(crate) fn on(&mut self, what: Happening, now: Instant, gap: Duration) -> Act {
        use Happening::{Delivered, Dirty, End, GapOver, Lost, Undelivered};
        match (self.state, what) {
            (State::Idle, Dirty(urgency)) => self.owe(urgency, now, gap),
            (State::Paced, Dirty(Urgency::Forced)) => self.send(now),
            (State::Paced, Dirty(Urgency::Withdrawn)) if self.may_except(now, gap) => {
                self.excepted = Some(now);
                self.send(now)
            }
            (State::Paced, Dirty(Urgency::Paced | Urgency::Withdrawn)) => Act::Rest,
            (State::Paced, GapOver) => self.send(now),
            (State::InFlight { again }, Dirty(urgency)) => {
                self.state = State::InFlight { again: again.max(Some(urgency)) };
                Act::Rest
            }
            (State::InFlight { again }, Delivered) => {
                self.state = State::Idle;
                again.map_or(Act::Rest, |urgency| self.owe(urgency, now, gap))
            }
            (State::InFlight { .. }, Undelivered(pause)) => {
                self.state = State::Paced;
                Act::Wait(now + pause.max(gap))
            }
            (State::InFlight { .. }, Lost) => {
                self.state = State::Dead;
                Act::Abandon
            }
            (State::Idle | State::Paced, End) => self.send_terminal(now),
            (State::InFlight { .. }, End) => {
                self.state = State::Ending;
                Act::Rest
            }
            (State::Ending, Delivered | Undelivered(_)) => self.send_terminal(now),
            (State::Ending | State::Draining, Lost)
            | (State::Draining, Delivered | Undelivered(_)) => {
                self.state = State::Dead;
                Act::Free
            }
            (State::Idle, GapOver | Delivered | Undelivered(_) | Lost)
            | (State::Paced, Delivered | Undelivered(_) | Lost)
            | (State::InFlight { .. }, GapOver)
            | (State::Ending | State::Draining, Dirty(_) | GapOver | End)
            | (State::Dead, Dirty(_) | GapOver | Delivered | Undelivered(_) | Lost | End) => {
                Act::Rest
            }
        }
    }

    /// A NOTIFY that was about to leave had nothing to say: as if it had been delivered.
    pub(crate) fn take_back(&mut self) {
        self.state = State::Idle;
    }

    fn may_except(&self, now: Instant, gap: Duration) -> bool {
        self.excepted.is_none_or(|last| last + gap <= now)
    }

    fn owe(&mut self, urgency: Urgency, now: Instant, gap: Duration) -> Act {
        let free = self.last.map(|last| last + gap).filter(|free| *free > now);
        match (urgency, free) {
            (Urgency::Forced, _) | (Urgency::Paced | Urgency::Withdrawn, None) => self.send(now),
            (Urgency::Withdrawn, Some(_)) if self.may_except(now, gap) => {
                self.excepted = Some(now);
                self.send(now)
            }
            (Urgency::Paced | Urgency::Withdrawn, Some(free)) => {
                self.state = State::Paced;
                Act::Wait(free)
            }
        }
    }

    fn send(&mut self, now: Instant) -> Act {
        self.state = State::InFlight { again: None };
        self.last = Some(now);
        Act::Send
    }

    fn send_terminal(&mut self, now: Instant) -> Act {
        self.state = State::Draining;
        self.last = Some(now);
        Act::SendTerminal
    }
}
