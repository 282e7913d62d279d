//! INVITE server transaction over UDP. Read RFC 3261 §17.2.1, then RFC 6026 §7.1, §8.5.
//!
//! It resends a failure answer until it is acknowledged. It does not resend a 2xx (the
//! transaction user does, RFC 3261 §13.3.1.4), and a transport error does not end it.

use super::step::{Send, Step, Timer};
use super::timing::{Timing, W200};
use std::time::Duration;

/// Where the transaction is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum State {
    /// No final answer yet. `spoken`: some provisional answer was sent.
    Proceeding { spoken: bool },
    /// Refused; the answer is resent with interval `g` until ACK comes.
    Completed { g: Duration },
    /// The refusal was acknowledged; more ACKs are absorbed until Timer I.
    Confirmed,
    /// Accepted; copies are absorbed and ACKs passed on until Timer L.
    Accepted,
}

/// What can happen to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Event {
    /// A retransmission of the INVITE.
    Copy,
    /// The transaction user said nothing for 200 ms.
    W200,
    /// The transaction user's 1xx.
    Provisional,
    /// The transaction user's 2xx.
    Success,
    /// The transaction user's 300–699.
    Failure,
    /// An ACK with the branch of the INVITE.
    Ack,
    /// The retransmission interval is over.
    G,
    /// 64·T1 without an ACK.
    H,
    /// No more ACKs are expected.
    I,
    /// No more copies and ACKs are expected.
    L,
}

impl State {
    /// A new INVITE arrives.
    pub(crate) fn start() -> Step<Self> {
        Step::to(Self::Proceeding { spoken: false }).tell().timer(Timer::After(W200))
    }

    /// Takes one event.
    pub(crate) fn step(self, timing: &Timing, event: Event) -> Step<Self> {
        use {Event as E, State as S};
        match (self, event) {
            (S::Proceeding { spoken: true }, E::Copy) => Step::to(self).send(Send::Again),
            (S::Proceeding { spoken: false }, E::W200) => {
                Step::to(S::Proceeding { spoken: true }).send(Send::Hundred).timer(Timer::Stop)
            }
            (S::Proceeding { .. }, E::Provisional) => {
                Step::to(S::Proceeding { spoken: true }).send(Send::Fresh).timer(Timer::Stop)
            }
            (S::Proceeding { .. }, E::Success) => {
                Step::to(S::Accepted).send(Send::Fresh).timer(Timer::Linger(timing.life()))
            }
            (S::Proceeding { .. }, E::Failure) => {
                let g = timing.t1;
                Step::to(S::Completed { g }).send(Send::Fresh).timer(Timer::After(g))
            }
            (S::Completed { .. }, E::Copy) => Step::to(self).send(Send::Again),
            (S::Completed { g }, E::G) => {
                let g = timing.backoff(g);
                Step::to(S::Completed { g }).send(Send::Again).timer(Timer::After(g))
            }
            (S::Completed { .. }, E::Ack) => Step::to(S::Confirmed).timer(Timer::Linger(timing.t4)),
            (S::Completed { .. }, E::H) => Step::end().tell(),
            (S::Accepted, E::Ack) => Step::to(self).tell(),
            (S::Accepted, E::Success) => Step::to(self).send(Send::Fresh),
            (S::Confirmed, E::I) | (S::Accepted, E::L) => Step::end(),
            (S::Proceeding { spoken: false }, E::Copy | E::Ack | E::G | E::H | E::I | E::L)
            | (S::Proceeding { spoken: true }, E::W200 | E::Ack | E::G | E::H | E::I | E::L)
            | (
                S::Completed { .. },
                E::W200 | E::Provisional | E::Success | E::Failure | E::I | E::L,
            )
            | (S::Confirmed, E::Copy | E::W200 | E::Provisional | E::Success | E::Failure)
            | (S::Confirmed, E::Ack | E::G | E::H | E::L)
            | (S::Accepted, E::Copy | E::W200 | E::Provisional | E::Failure)
            | (S::Accepted, E::G | E::H | E::I) => Step::to(self),
        }
    }

    /// The RFC's name of the state.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Proceeding { .. } => "Proceeding",
            Self::Completed { .. } => "Completed",
            Self::Confirmed => "Confirmed",
            Self::Accepted => "Accepted",
        }
    }
}
