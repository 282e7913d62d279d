//! What a run can be asked and told while it goes on: how much is still to be looked at, how much
//! memory that takes, and that it is enough.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Shared by the threads of a run and whoever watches them.
#[derive(Debug, Default)]
pub(crate) struct Gauge {
    expanded: AtomicUsize,
    stopped: AtomicBool,
}

impl Gauge {
    /// A state is taken from the queue to see what can happen next. `false`: it is enough.
    pub(crate) fn expand(&self) -> bool {
        self.expanded.fetch_add(1, Ordering::Relaxed);
        !self.is_stopped()
    }

    /// The last [`Gauge::expand`] was a question about a state, not a step of the search.
    pub(crate) fn only_asked(&self) {
        self.expanded.fetch_sub(1, Ordering::Relaxed);
    }

    /// How many of so many known states nobody has looked at yet.
    pub(crate) fn queue(&self, known: usize) -> usize {
        known.saturating_sub(self.expanded.load(Ordering::Relaxed))
    }

    /// It is enough: what is queued leads nowhere any more.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    /// Whether somebody said so.
    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }
}

/// Bytes of memory that this process has resident, where the system says so (Linux).
pub fn memory() -> Option<u64> {
    resident(&std::fs::read_to_string("/proc/self/status").ok()?)
}

fn resident(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

/// An amount of memory: a number with K, M or G behind it.
///
/// # Errors
/// What is expected instead.
pub fn parse_memory(text: &str) -> Result<u64, String> {
    let wrong = || "must be a whole number with K, M or G behind it, like 6G".to_owned();
    let (number, unit) = text
        .split_at(text.len() - usize::from(text.ends_with(|it: char| it.is_ascii_alphabetic())));
    let shift = match unit.to_ascii_uppercase().as_str() {
        "K" => 10,
        "M" => 20,
        "G" => 30,
        _ => return Err(wrong()),
    };
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let most = u64::MAX >> shift;
    if number == 0 || number > most { Err(wrong()) } else { Ok(number << shift) }
}

#[cfg(test)]
mod tests;
