//! A gate before everything that one server or agent does: while it is shut, the process stands
//! still, as one does that is suspended, swapped out or not given a processor.
//!
//! Tasks behind a shut gate are not run at all: sockets are not read, deadlines pass, commits end
//! unnoticed, commands wait. What happens when it opens is what happens to a real process (R52).
//! It is for simulations and tests; who has no gate pays nothing for it.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// A gate, open at first. Clones are the same gate.
#[derive(Clone, Debug, Default)]
pub struct Gate(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    /// How many hold it shut.
    shut: usize,
    waiting: Vec<Waker>,
}

impl Gate {
    /// Shuts the gate until the value is dropped. Whoever else shuts it holds it shut too.
    #[must_use = "the gate opens when this is dropped"]
    pub fn shut(&self) -> Shut {
        self.lock().shut += 1;
        Shut(self.clone())
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Every change is complete before anything in it can panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Holds a gate shut.
#[derive(Debug)]
pub struct Shut(Gate);

impl Drop for Shut {
    fn drop(&mut self) {
        let mut inner = self.0.lock();
        inner.shut = inner.shut.saturating_sub(1);
        if inner.shut == 0 {
            let waiting = std::mem::take(&mut inner.waiting);
            drop(inner);
            waiting.into_iter().for_each(Waker::wake);
        }
    }
}

/// Work behind a gate, or behind none.
pub(crate) fn behind<F: Future>(gate: Option<&Gate>, work: F) -> Behind<F> {
    Behind { gate: gate.cloned(), work: Box::pin(work) }
}

/// See [`behind`].
pub(crate) struct Behind<F> {
    gate: Option<Gate>,
    work: Pin<Box<F>>,
}

impl<F> fmt::Debug for Behind<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Behind").field("gate", &self.gate).finish_non_exhaustive()
    }
}

impl<F: Future> Future for Behind<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        if let Some(gate) = &self.gate {
            let mut inner = gate.lock();
            if inner.shut > 0 {
                inner.waiting.push(cx.waker().clone());
                return Poll::Pending;
            }
        }
        self.work.as_mut().poll(cx)
    }
}

#[cfg(test)]
mod tests;
