//! The line that shows that something is going on.

use crate::load::Nanos;
use crate::load::client::Client;
use std::io::{IsTerminal, Write};

const SECOND: Nanos = 1_000_000_000;

/// Shown on a terminal only, and gone when the run is over.
pub(crate) struct Progress {
    scenario: String,
    what: &'static str,
    is_shown: bool,
    next: Nanos,
    /// Operations done when it was last shown.
    done: u64,
}

impl Progress {
    pub(crate) fn new(scenario: String, is_wanted: bool) -> Self {
        let is_shown = is_wanted && std::io::stderr().is_terminal();
        Self { scenario, what: "beginning", is_shown, next: SECOND, done: 0 }
    }

    /// What is done now.
    pub(crate) fn say(&mut self, what: &'static str) {
        self.what = what;
    }

    /// Once a second.
    pub(crate) fn is_due(&mut self, now: Nanos) -> bool {
        let due = now >= self.next;
        if due {
            self.next = now + SECOND;
        }
        due
    }

    pub(crate) fn show(&mut self, now: Nanos, client: &Client) {
        let done = client.tally.done;
        let rate = done.saturating_sub(self.done);
        self.done = done;
        if !self.is_shown {
            return;
        }
        let (scenario, what, seconds) = (&self.scenario, self.what, now / SECOND);
        let (under_way, lost) = (client.outstanding(), client.tally.timeouts);
        let again = client.tally.sent.retransmissions;
        // Somebody who does not look misses nothing.
        let _ = write!(
            std::io::stderr(),
            "\r\x1b[K{scenario}: {what}, {seconds} s: {done} done, {rate}/s, {under_way} under way, \
             {again} sent again, {lost} lost"
        );
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.is_shown {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}
