//! Plays many runs, on every processor, while a line on the terminal tells how far they are.

use crate::judge::{Verdict, judge};
use crate::plan::Plan;
use crate::record::{Progress, Record};
use crate::report;
use crate::tell;
use crate::world::{play_telling, play_watched};
use std::io::{IsTerminal, Write};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};

/// How often the line is painted.
const PAINTED_EVERY: Duration = Duration::from_millis(100);

/// What became of one run.
pub(crate) struct Outcome {
    pub(crate) plan: Plan,
    /// The record, unless the plan could not be played.
    pub(crate) record: Result<Record, String>,
    pub(crate) verdicts: Vec<Verdict>,
    /// How long it took, on the clock of the wall.
    pub(crate) took: Duration,
}

impl Outcome {
    /// Whether everything was as expected.
    pub(crate) fn held(&self) -> bool {
        self.record.is_ok() && self.verdicts.iter().all(|verdict| verdict.held)
    }

    /// Simulated ms.
    pub(crate) fn simulated_ms(&self) -> u64 {
        self.record.as_ref().map_or(0, |record| record.ended_ms)
    }
}

/// Plays every plan, with its own seed or with each of `seeds`, and tells on stdout what was seen.
/// Whether all expectations of all runs held.
///
/// # Errors
/// What the runs left behind cannot be written to `out`.
pub(crate) fn all(
    plans: &[(PathBuf, Plan)],
    seeds: Option<RangeInclusive<u64>>,
    out: Option<&Path>,
) -> Result<bool, String> {
    let mut jobs = Vec::new();
    for (index, (_, plan)) in plans.iter().enumerate() {
        match &seeds {
            None => jobs.push((index, plan.clone())),
            Some(seeds) => {
                jobs.extend(seeds.clone().map(|seed| (index, Plan { seed, ..plan.clone() })));
            }
        }
    }
    let mut tally: Vec<Tally> = plans.iter().map(|(path, _)| Tally::new(path)).collect();
    let many = seeds.is_some();
    let alone = jobs.len() == 1;
    let mut kept = Ok(());
    play_all(&jobs, |index, outcome| {
        let path = &plans[index].0;
        if !many {
            tell::say(&tell::outcome(path, &outcome, alone));
        }
        let first_failed = !outcome.held() && tally[index].first.is_none();
        if let Some(out) = out.filter(|_| !many || first_failed) {
            let folder = if plans.len() == 1 { out.to_owned() } else { out.join(stem(path)) };
            let left = || leave(&folder, &outcome.plan, &outcome.verdicts);
            kept = std::mem::replace(&mut kept, Ok(())).and_then(|()| left());
        }
        tally[index].add(outcome);
    });
    if many {
        tell::say(&tell::table(&tally));
    }
    kept.map(|()| tally.iter().all(|tally| tally.failed == 0))
}

/// Writes what a plan's run leaves behind, played again with a look at the server's tables.
pub(crate) fn leave(folder: &Path, plan: &Plan, verdicts: &[Verdict]) -> Result<(), String> {
    let Ok(record) = play_watched(plan, Progress::default()) else { return Ok(()) };
    report::write(folder, plan, &record, verdicts)
        .map_err(|error| format!("{}: cannot be written: {error}", folder.display()))
}

/// The name of a scenario's file without its ending.
pub(crate) fn stem(path: &Path) -> String {
    path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned())
}

/// What became of all runs of one scenario.
pub(crate) struct Tally {
    pub(crate) path: PathBuf,
    pub(crate) held: usize,
    pub(crate) failed: usize,
    pub(crate) simulated_ms: u64,
    pub(crate) took: Duration,
    /// The failed run with the least seed.
    pub(crate) first: Option<Outcome>,
}

impl Tally {
    fn new(path: &Path) -> Self {
        let path = path.to_owned();
        Self { path, held: 0, failed: 0, simulated_ms: 0, took: Duration::ZERO, first: None }
    }

    fn add(&mut self, outcome: Outcome) {
        self.simulated_ms += outcome.simulated_ms();
        self.took += outcome.took;
        if outcome.held() {
            self.held += 1;
            return;
        }
        self.failed += 1;
        self.first.get_or_insert(outcome);
    }
}

/// Plays jobs on every processor and hands their outcomes over in the order of the jobs.
fn play_all(jobs: &[(usize, Plan)], mut done: impl FnMut(usize, Outcome)) {
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(jobs.len());
    let next = AtomicUsize::new(0);
    let progress: Vec<Progress> = jobs.iter().map(|_| Progress::default()).collect();
    let (sender, outcomes) = channel();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            let sender = sender.clone();
            scope.spawn(|| work(jobs, &next, &progress, sender));
        }
        drop(sender);
        let mut waiting = std::collections::BTreeMap::new();
        let mut line = Line::new(jobs.len());
        let mut handed = 0;
        loop {
            match outcomes.recv_timeout(PAINTED_EVERY) {
                Ok((number, outcome)) => {
                    line.add(&outcome);
                    waiting.insert(number, outcome);
                }
                Err(std::sync::mpsc::RecvTimeoutError::Timeout) => {}
                Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => break,
            }
            while let Some(outcome) = waiting.remove(&handed) {
                line.wipe();
                done(jobs[handed].0, outcome);
                handed += 1;
            }
            line.paint(&progress);
        }
        line.wipe();
    });
}

fn work(
    jobs: &[(usize, Plan)],
    next: &AtomicUsize,
    progress: &[Progress],
    done: Sender<(usize, Outcome)>,
) {
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        let Some((_, plan)) = jobs.get(number) else { return };
        let started = Instant::now();
        let record = play_telling(plan, progress[number].clone());
        let verdicts = record.as_ref().map(|record| judge(plan, record)).unwrap_or_default();
        let outcome = Outcome { plan: plan.clone(), record, verdicts, took: started.elapsed() };
        // Nobody listens any more only if the program ends.
        let _ = done.send((number, outcome));
    }
}

/// The line on the terminal; nothing if stderr is none.
struct Line {
    shown: bool,
    terminal: bool,
    started: Instant,
    runs: usize,
    done: usize,
    failed: usize,
}

impl Line {
    fn new(runs: usize) -> Self {
        let terminal = std::io::stderr().is_terminal();
        Self { shown: false, terminal, started: Instant::now(), runs, done: 0, failed: 0 }
    }

    fn add(&mut self, outcome: &Outcome) {
        self.done += 1;
        self.failed += usize::from(!outcome.held());
    }

    fn paint(&mut self, progress: &[Progress]) {
        if !self.terminal || self.done == self.runs {
            return;
        }
        let simulated: u64 = progress.iter().map(Progress::ms).sum();
        let speed = simulated as f64 / self.started.elapsed().as_millis().max(1) as f64;
        let failed = match self.failed {
            0 => String::new(),
            failed => format!(", {failed} failed"),
        };
        let _ = write!(
            std::io::stderr(),
            "\r\x1b[K{} of {} runs{failed}, {} s simulated, ×{speed:.0}",
            self.done,
            self.runs,
            simulated / 1000,
        );
        self.shown = true;
    }

    fn wipe(&mut self) {
        if std::mem::take(&mut self.shown) {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}
