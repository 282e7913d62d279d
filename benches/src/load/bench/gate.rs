//! When the next operation may begin: closed loop, when another has ended; open loop, when it is
//! due, whatever became of the others.

use crate::load::Nanos;
use crate::load::client::{Client, Deed, Notice, Outcome};
use crate::load::options::Pace;
use std::time::Duration;

/// What is under way at most in an open loop; what would be more is counted as not begun.
const CROWDED: usize = 500_000;
/// What begins at most before we listen again.
const BURST: u32 = 64;

/// A scenario, as far as it decides what is next.
pub(crate) trait Source {
    /// What begins now.
    fn next(&mut self, client: &mut Client, now: Nanos) -> Next;

    /// Something that it began has ended.
    fn ended(&mut self, _client: &mut Client, _outcome: &Outcome) {}

    /// A NOTIFY came that had not come before.
    fn told(&mut self, _client: &mut Client, _notice: &Notice) {}
}

/// What a scenario wants to begin.
pub(crate) enum Next {
    Begin(Deed),
    /// Nothing now: all who could are busy.
    Wait,
    /// Nothing any more.
    Over,
}

/// How much is begun.
#[derive(Clone, Copy, Default)]
pub(crate) struct Limits {
    pub(crate) count: Option<u64>,
    pub(crate) span: Option<Duration>,
}

impl Limits {
    pub(crate) fn count(count: u64) -> Self {
        Self { count: Some(count), span: None }
    }

    pub(crate) fn span(span: Duration) -> Self {
        Self { count: None, span: Some(span) }
    }
}

/// Lets operations begin.
pub(crate) struct Gate {
    pace: Pace,
    left: u64,
    until: Option<Nanos>,
    opened: Nanos,
    /// How many were due so far, in an open loop.
    due: u64,
    is_closed: bool,
    /// How many were due and could not begin.
    pub(crate) not_begun: u64,
}

impl Gate {
    pub(crate) fn new(pace: Pace, limits: Limits, now: Nanos) -> Self {
        Self {
            pace,
            left: limits.count.unwrap_or(u64::MAX),
            until: limits.span.map(|span| now + span.as_nanos() as Nanos),
            opened: now,
            due: 0,
            is_closed: false,
            not_begun: 0,
        }
    }

    /// Begins what may begin now.
    pub(crate) fn open(&mut self, client: &mut Client, source: &mut dyn Source, now: Nanos) {
        for _ in 0..BURST {
            let due = match self.pace {
                _ if self.is_closed => return,
                Pace::Closed(most) if client.outstanding() < most as usize => now,
                Pace::Open(_) if self.next_due() <= now => self.next_due(),
                Pace::Closed(_) | Pace::Open(_) => return,
            };
            if self.left == 0 || self.until.is_some_and(|until| due >= until) {
                self.is_closed = true;
                return;
            }
            let next = match client.outstanding() < CROWDED {
                true => source.next(client, now),
                false => Next::Wait,
            };
            match next {
                Next::Begin(deed) => client.begin(now, due, deed),
                Next::Over => {
                    self.is_closed = true;
                    return;
                }
                Next::Wait if matches!(self.pace, Pace::Closed(_)) => return,
                Next::Wait => self.not_begun += 1,
            }
            self.left -= 1;
            self.due += 1;
        }
    }

    fn next_due(&self) -> Nanos {
        match self.pace {
            Pace::Open(rate) => self.opened + (self.due as f64 / rate * 1e9) as Nanos,
            Pace::Closed(_) => self.opened,
        }
    }

    /// When something happens here by itself.
    pub(crate) fn next(&self) -> Option<Nanos> {
        let due = match self.pace {
            Pace::Open(_) if !self.is_closed => Some(self.next_due()),
            Pace::Open(_) | Pace::Closed(_) => None,
        };
        [due, self.until].into_iter().flatten().min()
    }

    /// Nothing begins any more.
    pub(crate) fn is_closed(&self) -> bool {
        self.is_closed || self.left == 0
    }

    /// Nobody waits any more either.
    pub(crate) fn is_over(&self, now: Nanos) -> bool {
        self.until.is_some_and(|until| now >= until)
    }
}
