//! Non-INVITE client transaction over UDP. Read RFC 3261 §17.1.2 and figure 6 first.
//!
//! It resends its request until something final comes back or Timer F gives up. It does not
//! treat 408 as a timeout (RFC 4320 §4.2 leaves that to the transaction user).
//!
//! The RFC's Completed state, which has copies of the answer vanish until Timer K, is left out: a
//! response that belongs to no transaction vanishes too, and ours are never told apart by it.

use super::step::{Send, Step, Timer};
use super::timing::Timing;
use std::time::Duration;

/// Where the transaction is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum State {
    /// Sent, nothing heard; Timer E runs with interval `e`.
    Trying { e: Duration },
    /// Something provisional was heard; Timer E runs, from its next firing on with T2.
    Proceeding,
}

/// What can happen to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Event {
    /// The retransmission interval is over.
    E,
    /// 64·T1 are over.
    F,
    /// A 1xx.
    Provisional,
    /// Any other status.
    Final,
    /// The peer cannot be reached.
    Lost,
}

impl State {
    /// The transaction user sends the request.
    pub(crate) fn start(timing: &Timing) -> Step<Self> {
        let e = timing.t1;
        Step::to(Self::Trying { e }).send(Send::Fresh).timer(Timer::After(e))
    }

    /// Takes one event.
    pub(crate) fn step(self, timing: &Timing, event: Event) -> Step<Self> {
        use {Event as E, State as S};
        match (self, event) {
            (S::Trying { e }, E::E) => {
                let e = timing.backoff(e);
                Step::to(S::Trying { e }).send(Send::Again).timer(Timer::After(e))
            }
            (S::Trying { .. } | S::Proceeding, E::Provisional) => Step::to(S::Proceeding).tell(),
            (S::Proceeding, E::E) => {
                Step::to(S::Proceeding).send(Send::Again).timer(Timer::After(timing.t2))
            }
            (S::Trying { .. } | S::Proceeding, E::Final | E::F | E::Lost) => Step::end().tell(),
        }
    }

    /// The RFC's name of the state.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Trying { .. } => "Trying",
            Self::Proceeding => "Proceeding",
        }
    }
}
