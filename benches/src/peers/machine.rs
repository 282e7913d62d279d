//! Where it was measured, and with what.

use super::target::Tools;
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::Path;
use std::process::Command;

/// The machine and the versions of the programs.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Machine {
    /// Model of the processors.
    pub processor: String,
    /// How many there are.
    pub processors: usize,
    /// Memory, MB.
    pub memory_mb: u64,
    /// How many were busy or waiting for a processor when it began, on average of a minute: others.
    pub load: String,
    /// The kernel's release.
    pub kernel: String,
    /// The file system of the temporary folders.
    pub files: String,
    /// `presence-server --version`.
    pub presently: String,
    /// The first line of `kamailio -V`; empty where there is none.
    pub kamailio: String,
}

impl Machine {
    pub(crate) fn look(tools: &Tools) -> Self {
        let kamailio = tools.kamailio.as_deref().map(|path| first_line(path, "-V"));
        let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
        Self {
            processor: field("/proc/cpuinfo", "model name").unwrap_or_default(),
            processors: std::thread::available_parallelism().map_or(1, usize::from),
            memory_mb: memory().unwrap_or_default(),
            load: load.split(' ').next().unwrap_or_default().to_owned(),
            kernel: kernel.trim().to_owned(),
            files: file_system().unwrap_or_default(),
            presently: first_line(&tools.presence_server, "--version"),
            kamailio: kamailio.unwrap_or_default().trim_start_matches("version:").trim().to_owned(),
        }
    }
}

/// The first value of `name: value` in a file of /proc.
fn field(path: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let mut lines = text.lines().filter_map(|line| line.split_once(':'));
    lines.find(|(found, _)| found.trim() == name).map(|(_, value)| value.trim().to_owned())
}

fn memory() -> Option<u64> {
    let kib: u64 = field("/proc/meminfo", "MemTotal")?.split(' ').next()?.parse().ok()?;
    Some(kib * 1024 / 1_000_000)
}

/// The type of the mount that has the temporary folder: of those that contain it the longest.
fn file_system() -> Option<String> {
    let folder = std::env::temp_dir().canonicalize().ok()?;
    let mounts = fs::read_to_string("/proc/mounts").ok()?;
    let mounts = mounts.lines().filter_map(|line| {
        let mut words = line.split(' ').skip(1);
        Some((words.next()?, words.next()?))
    });
    let around = mounts.filter(|(place, _)| folder.starts_with(Path::new(place)));
    around.max_by_key(|(place, _)| place.len()).map(|(_, kind)| kind.to_owned())
}

fn first_line(program: &Path, flag: &str) -> String {
    let done = Command::new(program).arg(flag).output();
    let said = done.map(|done| String::from_utf8_lossy(&done.stdout).into_owned());
    said.unwrap_or_default().lines().next().unwrap_or_default().to_owned()
}
