//! INVITE client transaction over UDP. Read RFC 3261 §17.1.1, §9.1, then RFC 6026 §7.2, §8.4.
//!
//! It acknowledges failure answers itself; the ACK to a 2xx is the transaction user's. A wish to
//! cancel waits for the first provisional answer, because a CANCEL must not overtake its INVITE.

use super::step::{Send, Step, Timer};
use super::timing::Timing;
use std::time::Duration;

/// Where the transaction is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum State {
    /// Sent, nothing heard; Timer A runs with interval `a`. `cancel`: CANCEL follows the first 1xx.
    Calling { a: Duration, cancel: bool },
    /// Something provisional was heard. No timer runs, unless CANCEL was sent: then Timer B
    /// limits the wait for the final answer (RFC 3261 §9.1).
    Proceeding { cancelled: bool },
    /// Failed and acknowledged; copies are acknowledged again until Timer D.
    Completed,
    /// Accepted; every 2xx goes to the transaction user until Timer M (RFC 6026 §7.2).
    Accepted,
}

/// What can happen to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Event {
    /// The retransmission interval is over.
    A,
    /// 64·T1 are over, since the INVITE or since the CANCEL.
    B,
    /// A 1xx.
    Provisional,
    /// A 2xx.
    Success,
    /// A 300–699.
    Failure,
    /// The peer cannot be reached.
    Lost,
    /// The transaction user does not want the call any more.
    Cancel,
    /// No more copies of the failure are expected.
    D,
    /// No more 2xx are expected.
    M,
}

impl State {
    /// The transaction user sends the INVITE.
    pub(crate) fn start(timing: &Timing) -> Step<Self> {
        let a = timing.t1;
        Step::to(Self::Calling { a, cancel: false }).send(Send::Fresh).timer(Timer::After(a))
    }

    /// Takes one event.
    pub(crate) fn step(self, timing: &Timing, event: Event) -> Step<Self> {
        use {Event as E, State as S};
        let life = timing.life();
        match (self, event) {
            (S::Calling { a, cancel }, E::A) => {
                let a = a.saturating_mul(2);
                Step::to(S::Calling { a, cancel }).send(Send::Again).timer(Timer::After(a))
            }
            (S::Calling { a, .. }, E::Cancel) => Step::to(S::Calling { a, cancel: true }),
            (S::Calling { cancel: false, .. }, E::Provisional) => {
                Step::to(S::Proceeding { cancelled: false }).tell().timer(Timer::Stop)
            }
            (S::Calling { cancel: true, .. }, E::Provisional) => {
                let next = Step::to(S::Proceeding { cancelled: true });
                next.send(Send::Cancel).tell().timer(Timer::After(life))
            }
            (S::Proceeding { cancelled: false }, E::Cancel) => {
                let next = Step::to(S::Proceeding { cancelled: true });
                next.send(Send::Cancel).timer(Timer::After(life))
            }
            (S::Proceeding { .. }, E::Provisional) => Step::to(self).tell(),
            (S::Calling { .. } | S::Proceeding { .. }, E::Success) => {
                Step::to(S::Accepted).tell().timer(Timer::Linger(life))
            }
            (S::Calling { .. } | S::Proceeding { .. }, E::Failure) => {
                Step::to(S::Completed).send(Send::Ack).tell().timer(Timer::Linger(timing.d()))
            }
            (S::Calling { .. } | S::Proceeding { cancelled: true }, E::B) => Step::end().tell(),
            (S::Calling { .. } | S::Proceeding { .. } | S::Completed, E::Lost) => {
                Step::end().tell()
            }
            (S::Completed, E::Failure) => Step::to(self).send(Send::Again),
            (S::Accepted, E::Success) => Step::to(self).tell(),
            (S::Completed, E::D) | (S::Accepted, E::M) => Step::end(),
            (S::Calling { .. }, E::D | E::M)
            | (S::Proceeding { cancelled: false }, E::A | E::B | E::D | E::M)
            | (S::Proceeding { cancelled: true }, E::A | E::Cancel | E::D | E::M)
            | (S::Completed, E::A | E::B | E::Provisional | E::Success | E::Cancel | E::M)
            | (
                S::Accepted,
                E::A | E::B | E::Provisional | E::Failure | E::Lost | E::Cancel | E::D,
            ) => Step::to(self),
        }
    }

    /// The RFC's name of the state.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Calling { .. } => "Calling",
            Self::Proceeding { .. } => "Proceeding",
            Self::Completed => "Completed",
            Self::Accepted => "Accepted",
        }
    }
}
