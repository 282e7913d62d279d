//! `wait EVENT`: what happened since the last command, and what is waited for.
//!
//! An event counts if it came after the last command or wait: every other command forgets what
//! came before it, and a wait uses up the events up to the one that ended it. So the answer to a
//! command is never missed, however fast it is, and two waits need two events.

use super::order::Wanted;
use super::report::Report;
use std::time::Duration;
use tokio::time::Instant;

/// The most reports that are remembered for a wait that may follow.
const REMEMBERED: usize = 10_000;

/// The wait in progress, and the reports that a later one could be about.
#[derive(Debug, Default)]
pub(crate) struct Waits {
    since: Vec<Report>,
    current: Option<(Wanted, Instant)>,
    failed: bool,
}

impl Waits {
    /// A command that is no wait was given.
    pub(crate) fn commanded(&mut self) {
        self.since.clear();
    }

    /// Waits from now on, unless what is wanted has already come.
    pub(crate) fn begin(&mut self, wanted: Wanted, now: Instant) {
        match self.since.iter().position(|report| wanted.is(report)) {
            Some(index) => drop(self.since.drain(..=index)),
            None => {
                self.since.clear();
                let until = now + wanted.patience;
                self.current = Some((wanted, until));
            }
        }
    }

    /// Something was reported to the user.
    pub(crate) fn saw(&mut self, report: &Report) {
        match &self.current {
            Some((wanted, _)) if wanted.is(report) => self.current = None,
            Some(_) => {}
            None if self.since.len() < REMEMBERED => self.since.push(report.clone()),
            None => {}
        }
    }

    /// Whether a wait is in progress.
    pub(crate) fn is_waiting(&self) -> bool {
        self.current.is_some()
    }

    /// When the wait in progress gives up.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.current.as_ref().map(|(_, until)| *until)
    }

    /// The wait in progress has been in vain; says so.
    pub(crate) fn give_up(&mut self) -> Option<Report> {
        let (wanted, _) = self.current.take()?;
        self.failed = true;
        let why = format!("did not happen within {}", seconds(wanted.patience));
        Some(Report::error(&wanted.to_string(), &why))
    }

    /// Whether any wait was in vain.
    pub(crate) fn failed(&self) -> bool {
        self.failed
    }
}

impl Wanted {
    fn is(&self, report: &Report) -> bool {
        *self.event == *report.name
            && self
                .fields
                .iter()
                .all(|(field, value)| report.field(field).as_deref() == Some(&**value))
    }
}

impl std::fmt::Display for Wanted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "wait {}", self.event)?;
        self.fields.iter().try_for_each(|(field, value)| write!(f, " {field}={value}"))
    }
}

fn seconds(span: Duration) -> String {
    format!("{} s", span.as_secs_f64())
}

#[cfg(test)]
mod tests;
