//! Non-INVITE server transaction over UDP. Read RFC 3261 §17.2.2 and figure 8, then RFC 4320.
//!
//! It hands its request to the transaction user once and answers every copy with the stored
//! answer. It never sends a provisional answer but 100, never sends that before the client's
//! Timer E has reached T2 (RFC 4320 §4.1), and never sends 408 (RFC 4320 §4.2).

use super::step::{Send, Step, Timer};
use super::timing::Timing;

/// Where the transaction is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum State {
    /// The transaction user thinks.
    Trying,
    /// It thinks for so long that the client was told with 100.
    Proceeding,
    /// Answered; copies of the request get the answer again until Timer J.
    Completed,
}

/// What can happen to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Event {
    /// A retransmission of the request.
    Copy,
    /// A 100 would now spare the client retransmissions.
    W100,
    /// The transaction user's final answer.
    Final,
    /// 64·T1 without an answer: the client has given up.
    Silence,
    /// No more copies are expected.
    J,
}

impl State {
    /// A new request arrives.
    pub(crate) fn start(timing: &Timing) -> Step<Self> {
        Step::to(Self::Trying).tell().timer(Timer::After(timing.w100()))
    }

    /// Takes one event.
    pub(crate) fn step(self, timing: &Timing, event: Event) -> Step<Self> {
        use {Event as E, State as S};
        match (self, event) {
            (S::Trying, E::W100) => {
                let rest = timing.life().saturating_sub(timing.w100());
                Step::to(S::Proceeding).send(Send::Hundred).timer(Timer::After(rest))
            }
            (S::Trying | S::Proceeding, E::Final) => {
                Step::to(S::Completed).send(Send::Fresh).timer(Timer::Linger(timing.life()))
            }
            (S::Trying | S::Proceeding, E::Silence) => Step::end().tell(),
            (S::Proceeding | S::Completed, E::Copy) => Step::to(self).send(Send::Again),
            (S::Completed, E::J) => Step::end(),
            (S::Trying, E::Copy | E::J)
            | (S::Proceeding, E::W100 | E::J)
            | (S::Completed, E::W100 | E::Final | E::Silence) => Step::to(self),
        }
    }

    /// The RFC's name of the state.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Trying => "Trying",
            Self::Proceeding => "Proceeding",
            Self::Completed => "Completed",
        }
    }
}
