//! Shows exhibits: starts the planted program once for every hunter, and judges what it found.

use crate::exhibit::{Exhibit, Hunter};
use crate::plant::VARIABLE;
use crate::trial::{Outcome, PATIENCE};
use std::collections::BTreeSet;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::time::Duration;

/// Plays that a capsule may take to become small, and where its size is judged.
const PLAYS: usize = 60;
const PLAYS_FOR_QUARTER: usize = 1000;
/// A run that takes so long is stopped.
const STOPPED_AFTER: Duration = Duration::from_secs(180);

/// One run of the planted program.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Job {
    /// The exhibit; `None`: no fault is on, and nothing may be found.
    pub exhibit: Option<String>,
    /// What is to find it.
    pub hunter: Hunter,
}

/// What came of a run.
#[derive(Clone, PartialEq, Debug)]
pub struct Shown {
    /// The run.
    pub job: Job,
    /// What it found, unless it broke off.
    pub outcome: Option<Outcome>,
    /// Why it is not as it should be.
    pub fault: Option<String>,
}

/// The runs of some exhibits, each hunter by itself; and with `sound`, those without any fault: all
/// their models with all laws, and some seeds.
pub fn jobs(exhibits: &[&Exhibit], sound: bool) -> Vec<Job> {
    let mut jobs = Vec::new();
    let mut models = BTreeSet::new();
    for exhibit in exhibits {
        for hunter in exhibit.hunters() {
            if let Hunter::Model { model, .. } = &hunter {
                models.insert(model.clone());
            }
            jobs.push(Job { exhibit: Some(exhibit.name.clone()), hunter });
        }
    }
    if sound {
        let all = models.into_iter().map(|model| Hunter::Model { model, law: String::new() });
        let search = Hunter::Search { property: String::new(), quarter: false };
        jobs.extend(all.chain([search]).map(|hunter| Job { exhibit: None, hunter }));
    }
    jobs
}

/// Runs all jobs, so many at once, and hands them over in their order. `tell` hears of each that is
/// done.
pub fn show(
    program: &Path,
    jobs: &[Job],
    threads: usize,
    tell: &(dyn Fn(usize, &Shown) + Sync),
) -> Vec<Shown> {
    let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let shown: Mutex<Vec<(usize, Shown)>> = Mutex::default();
    let lock = || shown.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    std::thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(job) = jobs.get(number) else { return };
                    let one = run(program, job);
                    tell(done.fetch_add(1, Ordering::Relaxed) + 1, &one);
                    lock().push((number, one));
                }
            });
        }
    });
    let mut shown = std::mem::take(&mut *lock());
    shown.sort_by_key(|(number, _)| *number);
    shown.into_iter().map(|(_, one)| one).collect()
}

fn run(program: &Path, job: &Job) -> Shown {
    let job = job.clone();
    let mut command = Command::new(program);
    command.arg("try");
    match &job.hunter {
        Hunter::Model { model, law } if law.is_empty() => command.args(["model", model]),
        Hunter::Model { model, law } => command.args(["model", model, law]),
        Hunter::Search { property, .. } if property.is_empty() => command.arg("search"),
        Hunter::Search { property, quarter } => {
            let plays = if *quarter { PLAYS_FOR_QUARTER } else { PLAYS };
            command.args(["search", property, "--plays", &plays.to_string()])
        }
        Hunter::Test { .. } => return Shown { job, outcome: None, fault: None },
    };
    match &job.exhibit {
        Some(name) => command.env(VARIABLE, name),
        None => command.env_remove(VARIABLE),
    };
    match output(&mut command) {
        Ok(outcome) => {
            let fault = judge(&job, &outcome).or_else(|| sound(program, &job, &outcome));
            Shown { fault, outcome: Some(outcome), job }
        }
        Err(why) => Shown { fault: Some(why), outcome: None, job },
    }
}

/// Whether the seed that found a fault finds nothing without it; if not, why that is nothing to
/// show.
fn sound(program: &Path, job: &Job, found: &Outcome) -> Option<String> {
    let (Some(_), Hunter::Search { property, .. }) = (&job.exhibit, &job.hunter) else {
        return None;
    };
    let mut command = Command::new(program);
    command.args(["try", "search", property, "--seed", &found.count.to_string()]);
    match output(command.env_remove(VARIABLE)) {
        Ok(again) if again.killed_by.is_none() => None,
        Ok(_) => Some(format!("seed {} violates {property} without the fault, too", found.count)),
        Err(why) => Some(why),
    }
}

/// Runs the planted program to its end, or stops it.
fn output(command: &mut Command) -> Result<Outcome, String> {
    let text = |error: std::io::Error| error.to_string();
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).stdin(Stdio::null());
    let mut child = command.spawn().map_err(text)?;
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let (done, finished) = channel();
    std::thread::scope(|scope| {
        let err = scope.spawn(|| read(err));
        let out = scope.spawn(move || {
            let text = read(out);
            // Nobody waits for it any more if this took too long.
            let _ = done.send(());
            text
        });
        let late = finished.recv_timeout(STOPPED_AFTER).is_err();
        if late {
            child.kill().map_err(text)?;
        }
        child.wait().map_err(text)?;
        if late {
            return Err(format!("stopped after {} s", STOPPED_AFTER.as_secs()));
        }
        let (out, err) = (out.join().unwrap_or_default(), err.join().unwrap_or_default());
        serde_json::from_str(&out).map_err(|_| format!("broke off: {}", err.trim_end()))
    })
}

/// All that comes out of a pipe; what cannot be read is missing.
fn read(pipe: Option<impl Read>) -> String {
    let mut text = String::new();
    let _ = pipe.map(|mut pipe| pipe.read_to_string(&mut text));
    text
}

/// Why a run is not as it should be.
fn judge(job: &Job, outcome: &Outcome) -> Option<String> {
    let killer = outcome.killed_by.as_deref();
    if job.exhibit.is_none() {
        let sound = killer.is_none() && (outcome.told.is_empty() || outcome.told == "holds");
        return (!sound).then(|| format!("without any fault: {}", outcome.told));
    }
    let wanted = match &job.hunter {
        Hunter::Model { law, .. } => law,
        Hunter::Search { property, .. } => property,
        Hunter::Test { .. } => return None,
    };
    match (killer, &job.hunter) {
        (None, Hunter::Model { .. }) => Some(format!("survives: {}", outcome.told)),
        (None, _) => Some(format!("survives {} seeds", outcome.count)),
        (Some(killer), _) if killer != wanted => {
            Some(format!("was found by {killer}, not by {wanted}: {}", outcome.told))
        }
        (Some(_), Hunter::Search { quarter: true, .. }) => {
            let late = outcome.seconds > PATIENCE.as_secs_f64() + 20.0;
            let large = outcome.steps * 4 > outcome.whole;
            let sizes = format!("{} of {} steps are left", outcome.steps, outcome.whole);
            (late || large).then(|| format!("{sizes} after {:.0} s", outcome.seconds))
        }
        (Some(_), _) => None,
    }
}

#[cfg(test)]
mod tests;
