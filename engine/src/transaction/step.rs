//! What a machine makes of an event: its next state and what the table has to do for it.
//!
//! The four machines are pure. They know states, events and intervals, but neither bytes nor
//! peers nor the clock; the tables keep those and carry a [`Step`] out.

use std::time::Duration;

/// The outcome of one event. Unless it says otherwise nothing is sent, nobody is told, and the
/// timer runs on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Step<S> {
    /// The next state; `None` is Terminated.
    pub(crate) next: Option<S>,
    /// What goes over the wire.
    pub(crate) send: Option<Send>,
    /// Whether the transaction user learns of the event.
    pub(crate) tell: bool,
    /// What becomes of the transaction's one timer.
    pub(crate) timer: Timer,
}

/// What a transaction can send.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Send {
    /// The message that the transaction user handed in with this event.
    Fresh,
    /// Once more what was sent last.
    Again,
    /// A 100 made from the request.
    Hundred,
    /// An ACK made from the INVITE and its failure answer.
    Ack,
    /// A CANCEL made from the INVITE.
    Cancel,
}

/// What becomes of the timer. A machine has one at a time: where the RFC runs a retransmission
/// timer beside a limit (E and F, A and B, G and H), the table cuts the first off at the second.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Timer {
    /// It runs on.
    Keep,
    /// It is stopped.
    Stop,
    /// It is set anew.
    After(Duration),
    /// The transaction is finished. It absorbs copies for this long, then it is forgotten.
    Linger(Duration),
}

impl<S> Step<S> {
    /// The next state, and nothing else.
    pub(crate) fn to(next: S) -> Self {
        Self { next: Some(next), send: None, tell: false, timer: Timer::Keep }
    }

    /// Terminated.
    pub(crate) fn end() -> Self {
        Self { next: None, send: None, tell: false, timer: Timer::Stop }
    }

    /// The same, and something is sent.
    pub(crate) fn send(self, what: Send) -> Self {
        Self { send: Some(what), ..self }
    }

    /// The same, and the transaction user learns of it.
    pub(crate) fn tell(self) -> Self {
        Self { tell: true, ..self }
    }

    /// The same, and the timer changes.
    pub(crate) fn timer(self, timer: Timer) -> Self {
        Self { timer, ..self }
    }

    /// The same step of a machine that is one of several.
    pub(crate) fn map<T>(self, wrap: impl FnOnce(S) -> T) -> Step<T> {
        Step { next: self.next.map(wrap), send: self.send, tell: self.tell, timer: self.timer }
    }
}
