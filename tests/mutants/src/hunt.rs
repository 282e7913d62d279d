//! Hunting: every mutant meets one suite after the other, until one of them fails.

use crate::forge::Programs;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// One program that fails if something is wrong.
pub(crate) struct Suite {
    /// What catches: `engine`, `scenes`, `models`, `simulation`.
    pub(crate) kind: &'static str,
    /// The target's name.
    pub(crate) program: &'static str,
    /// Where it runs, from the tree.
    pub(crate) folder: &'static str,
    pub(crate) arguments: &'static [&'static str],
}

/// What became of a mutant.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Fate {
    /// A suite of this kind failed.
    Caught(&'static str),
    /// No suite noticed it.
    Survived,
}

/// A suite with its program and the time it may take.
struct Ready<'a> {
    suite: &'a Suite,
    program: PathBuf,
    limit: Duration,
}

/// Lets `workers` at a time hunt the mutants.
pub(crate) fn hunt(
    tree: &Path,
    suites: &[Suite],
    programs: &Programs,
    mutants: &[u32],
    workers: usize,
) -> Result<BTreeMap<u32, Fate>, String> {
    let mut ready = Vec::new();
    for suite in suites {
        let missing = || format!("no program {}", suite.program);
        let program = programs.get(suite.program).ok_or_else(missing)?.clone();
        let mut one = Ready { suite, program, limit: Duration::from_secs(300) };
        let start = Instant::now();
        if one.fails(tree, 0) {
            return Err(format!("{} fails without any mutant", suite.program));
        }
        eprintln!("{:<20} {:>6.1} s", suite.program, start.elapsed().as_secs_f64());
        one.limit = start.elapsed() * 5 + Duration::from_secs(5);
        ready.push(one);
    }
    let (next, fates) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some(number) = mutants.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let caught = ready.iter().find(|one| one.fails(tree, *number));
                    let fate = caught.map_or(Fate::Survived, |one| Fate::Caught(one.suite.kind));
                    let mut fates = fates.lock().expect("nobody panics while counting");
                    fates.insert(*number, fate);
                    if fates.len().is_multiple_of(50) {
                        eprintln!("{} of {}", fates.len(), mutants.len());
                    }
                }
            });
        }
    });
    Ok(fates.into_inner().expect("nobody panics while counting"))
}

impl Ready<'_> {
    /// Whether the suite fails, or does not come to an end.
    fn fails(&self, tree: &Path, mutant: u32) -> bool {
        // A mutant that never stops growing must not take the machine with it.
        let limited = "ulimit -v 6000000; exec timeout -s KILL \"$@\"";
        let status = Command::new("sh")
            .args(["-c", limited, "sh", &self.limit.as_secs().to_string()])
            .arg(&self.program)
            .args(self.suite.arguments)
            .env("PRESENTLY_MUTANT", mutant.to_string())
            .env("INSTA_UPDATE", "no")
            .current_dir(tree.join(self.suite.folder))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        status.is_ok_and(|status| !status.success())
    }
}
