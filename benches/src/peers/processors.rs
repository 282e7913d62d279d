//! Server and generator on processors of their own, so that neither takes time from the other.

use super::Failure;
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;

/// Whose processors.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Half {
    /// The server's: the first half.
    Server,
    /// The generator's: the rest.
    Generator,
}

/// Keeps this thread, and whatever it starts meanwhile, on one half of its processors.
#[derive(Debug)]
pub(crate) struct Confined(CpuSet);

impl Confined {
    /// From now on until the value is dropped. With one processor there is nothing to divide.
    pub(crate) fn to(half: Half) -> Result<Self, Failure> {
        let wrong = |error| Failure::new(format!("processors cannot be divided: {error}"));
        let all = sched_getaffinity(this_thread()).map_err(wrong)?;
        let ours: Vec<usize> =
            (0..CpuSet::count()).filter(|cpu| all.is_set(*cpu).unwrap_or(false)).collect();
        let (server, generator) = ours.split_at(ours.len() / 2);
        let chosen = match half {
            Half::Server => server,
            Half::Generator => generator,
        };
        if !server.is_empty() {
            let mut set = CpuSet::new();
            chosen.iter().try_for_each(|cpu| set.set(*cpu)).map_err(wrong)?;
            sched_setaffinity(this_thread(), &set).map_err(wrong)?;
        }
        Ok(Self(all))
    }
}

impl Drop for Confined {
    fn drop(&mut self) {
        // What was allowed before is allowed still.
        let _ = sched_setaffinity(this_thread(), &self.0);
    }
}

fn this_thread() -> Pid {
    Pid::from_raw(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread::available_parallelism;

    #[test]
    fn a_thread_is_confined_to_one_half_and_set_free_again() {
        let all = available_parallelism().expect("a number").get();
        let half = |half| {
            let confined = Confined::to(half).expect("may choose");
            let seen = available_parallelism().expect("a number").get();
            drop(confined);
            seen
        };
        let (server, generator) = (half(Half::Server), half(Half::Generator));
        assert!(server + generator == all || all == 1, "{server} + {generator}, {all}");
        assert_eq!(available_parallelism().expect("a number").get(), all);
    }
}
