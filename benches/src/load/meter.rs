//! What processes cost, as the kernel accounts for it: CPU to the nanosecond with all threads,
//! those that have ended too; memory as proportional set size; datagrams that a socket had no room
//! for. Nothing of it is known elsewhere than on Linux: then it stays at zero.

use super::Nanos;
use std::fs;
use std::net::SocketAddr;

/// The processes of a server.
#[derive(Clone, Debug, Default)]
pub(crate) struct Meter {
    pub(crate) pids: Vec<u32>,
}

/// What they have used since they began.
#[derive(Clone, Copy, Default)]
pub(crate) struct Usage {
    pub(crate) cpu: Nanos,
    /// Ticks outside and inside of the kernel, for the proportion between them.
    ticks: [u64; 2],
}

impl Meter {
    /// The processes named, and all that they have started.
    pub(crate) fn of(pids: &[u32]) -> Self {
        let mut found = pids.to_vec();
        let mut next = 0;
        while let Some(pid) = found.get(next) {
            for child in children(*pid) {
                if !found.contains(&child) {
                    found.push(child);
                }
            }
            next += 1;
        }
        Self { pids: found }
    }

    pub(crate) fn usage(&self) -> Usage {
        let mut sum = Usage::default();
        for pid in &self.pids {
            let [user, system] = ticks(*pid).unwrap_or_default();
            sum.cpu += cpu(*pid).unwrap_or(0);
            sum.ticks = [sum.ticks[0] + user, sum.ticks[1] + system];
        }
        sum
    }

    /// Proportional set size of all of them, KiB.
    pub(crate) fn pss(&self) -> u64 {
        self.pids.iter().filter_map(|pid| pss(*pid)).sum()
    }
}

impl Usage {
    /// What was used between two readings.
    pub(crate) fn since(self, before: Self) -> Self {
        let less = |place: usize| self.ticks[place].saturating_sub(before.ticks[place]);
        Self { cpu: self.cpu.saturating_sub(before.cpu), ticks: [less(0), less(1)] }
    }

    /// The share that was used inside of the kernel.
    pub(crate) fn system_share(self) -> f64 {
        let [user, system] = self.ticks;
        system as f64 / ((user + system) as f64).max(1.0)
    }
}

/// The processes that a process has started and that still run.
fn children(pid: u32) -> Vec<u32> {
    let Ok(tasks) = fs::read_dir(format!("/proc/{pid}/task")) else { return Vec::new() };
    let lists =
        tasks.flatten().filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
    let list: String = lists.collect();
    list.split_ascii_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}

/// User and system time in ticks: fields 14 and 15 of proc_pid_stat(5), counted behind the name,
/// which may contain anything.
fn ticks(pid: u32) -> Option<[u64; 2]> {
    let line = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = line.rsplit_once(')')?;
    let mut fields = fields.split_ascii_whitespace().skip(11);
    Some([fields.next()?.parse().ok()?, fields.next()?.parse().ok()?])
}

fn pss(pid: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

/// How many datagrams the sockets bound to `address` had no room for.
pub(crate) fn dropped(address: SocketAddr) -> u64 {
    let file = if address.is_ipv4() { "/proc/net/udp" } else { "/proc/net/udp6" };
    let Ok(table) = fs::read_to_string(file) else { return 0 };
    let port = format!("{:04X}", address.port());
    let drops = table.lines().skip(1).filter_map(|line| {
        let mut fields = line.split_ascii_whitespace();
        let local = fields.nth(1)?;
        let is_it = local.rsplit_once(':').is_some_and(|(_, local)| local == port);
        fields.next_back().filter(|_| is_it)?.parse::<u64>().ok()
    });
    drops.sum()
}

#[cfg(target_os = "linux")]
fn cpu(pid: u32) -> Option<Nanos> {
    let pid = nix::unistd::Pid::from_raw(pid.try_into().ok()?);
    nanoseconds(nix::time::clock_getcpuclockid(pid).ok()?)
}

/// CPU of this thread.
#[cfg(target_os = "linux")]
pub(crate) fn own_cpu() -> Nanos {
    nanoseconds(nix::time::ClockId::CLOCK_THREAD_CPUTIME_ID).unwrap_or(0)
}

#[cfg(target_os = "linux")]
fn nanoseconds(clock: nix::time::ClockId) -> Option<Nanos> {
    let time = nix::time::clock_gettime(clock).ok()?;
    Some(time.tv_sec() as Nanos * 1_000_000_000 + time.tv_nsec() as Nanos)
}

#[cfg(not(target_os = "linux"))]
fn cpu(_pid: u32) -> Option<Nanos> {
    None
}

/// CPU of this thread.
#[cfg(not(target_os = "linux"))]
pub(crate) fn own_cpu() -> Nanos {
    0
}
