//! Explores a plan: depth first for coverage, then breadth first for the shortest counterexample.

use crate::capsule::Capsule;
use crate::gauge::{self, Gauge};
use crate::law::{Law, Sight};
use crate::plan::Plan;
use crate::shards::Sharded;
use crate::world::{Action, Serves, Village, World};
use presently_engine::server::Server;
use stateright::report::{ReportData, ReportDiscovery, Reporter};
use stateright::{Checker, HasDiscoveries, Model};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt::Debug;
use std::hash::Hash;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How far a run may go.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Generated states after which a run stops unfinished.
    pub states: usize,
    /// Time after which it stops unfinished.
    pub time: Duration,
    /// Threads.
    pub threads: usize,
    /// States kept while the shortest counterexample is sought.
    pub shortening: usize,
    /// Bytes of resident memory after which it stops unfinished, where the system says how many
    /// there are.
    pub memory: Option<u64>,
}

/// Why a run stopped before everything within the bounds was explored.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cut {
    /// [`Limits::states`].
    States,
    /// [`Limits::time`].
    Time,
    /// [`Limits::memory`].
    Memory,
}

impl Cut {
    /// What ran out.
    pub fn says(self) -> &'static str {
        match self {
            Self::States => "states",
            Self::Time => "time",
            Self::Memory => "memory",
        }
    }
}

/// What a run found.
#[derive(Clone, Debug)]
pub struct Report {
    /// Name of the model.
    pub model: &'static str,
    /// Its bounds.
    pub bounds: String,
    /// Different states.
    pub unique: usize,
    /// Steps taken.
    pub generated: usize,
    /// Longest path.
    pub depth: usize,
    /// How long it took.
    pub time: Duration,
    /// Whether everything within the bounds was explored.
    pub complete: bool,
    /// Why it was not, if no law is broken.
    pub cut: Option<Cut>,
    /// The most memory that was seen, in bytes.
    pub memory: Option<u64>,
    /// Laws that were checked.
    pub laws: Vec<Law>,
    /// A law that was broken, and how.
    pub broken: Option<Counterexample>,
    /// What had to be seen.
    pub sights: Vec<Sight>,
    /// What of that was not.
    pub missing: Vec<Sight>,
}

/// How a law was broken.
#[derive(Clone, Debug)]
pub struct Counterexample {
    /// Which.
    pub law: Law,
    /// How many steps it takes.
    pub steps: usize,
    /// Whether there is certainly no shorter one.
    pub shortest: bool,
    /// The steps, drawn.
    pub ladder: String,
    /// The steps, so that they can be walked again.
    pub capsule: Option<Capsule>,
}

impl Report {
    /// Whether every law held, all sights were seen and nothing was left unexplored.
    pub fn verdict(&self) -> &'static str {
        match (&self.broken, self.cut, self.missing.is_empty()) {
            (Some(_), _, _) => "BROKEN",
            (None, Some(Cut::States), _) => "UNFINISHED: out of states",
            (None, Some(Cut::Time), _) => "UNFINISHED: out of time",
            (None, Some(Cut::Memory), _) => "UNFINISHED: out of memory",
            (None, None, false) => "VACUOUS",
            (None, None, true) => "holds",
        }
    }

    /// Whether the run counts as a failure. What was not finished proves nothing.
    pub fn failed(&self) -> bool {
        self.verdict() != "holds"
    }

    /// How many of the laws held.
    pub fn held(&self) -> usize {
        self.laws.len() - usize::from(self.broken.is_some())
    }
}

/// Least and most time between two looks at a run.
const SHORTEST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// Progress of a run: often at first, then twice a second.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Steps taken.
    pub generated: usize,
    /// Different states.
    pub unique: usize,
    /// States that were reached and not yet looked at.
    pub queue: usize,
    /// Longest path.
    pub depth: usize,
    /// Bytes of resident memory, where the system says so.
    pub memory: Option<u64>,
    /// Time so far.
    pub time: Duration,
}

/// Watches a run, and ends it when it has taken its share of the memory.
struct Line<'a> {
    tell: &'a mut (dyn FnMut(Progress) + Send),
    gauge: &'a Gauge,
    most: Option<u64>,
    peak: Option<u64>,
    /// How long it waits before it looks again; a run that is over waits for that look.
    pause: Cell<Duration>,
}

impl<M: Model> Reporter<M> for Line<'_> {
    fn report_checking(&mut self, data: ReportData) {
        let memory = gauge::memory();
        self.peak = self.peak.max(memory);
        if self.most.zip(memory).is_some_and(|(most, memory)| memory > most) {
            self.gauge.stop();
        }
        (self.tell)(Progress {
            generated: data.total_states,
            unique: data.unique_states,
            queue: self.gauge.queue(data.unique_states),
            depth: data.max_depth,
            memory,
            time: data.duration,
        });
    }

    fn report_discoveries(
        &mut self,
        _model: &M,
        _discoveries: BTreeMap<&'static str, ReportDiscovery<M>>,
    ) where
        M::Action: Debug + PartialEq,
        M::State: Debug + Hash + PartialEq,
    {
    }

    /// A short run is looked at often, so that it does not wait for the look after its end.
    fn delay(&self) -> Duration {
        self.pause.replace((self.pause.get() * 2).min(LONGEST_PAUSE))
    }
}

/// Explores `plan` with the server that ships, in shards if the plan says so.
pub fn check_shipped(
    plan: Plan,
    limits: Limits,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Report {
    if plan.sharded {
        return check::<Sharded<Server>>(plan, limits, progress);
    }
    check::<Server>(plan, limits, progress)
}

/// Explores `plan` with `S` in the server's place.
pub fn check<S: Serves>(
    plan: Plan,
    limits: Limits,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Report {
    if let Some(report) = crate::pair::check(&plan, limits) {
        return report;
    }
    let began = Instant::now();
    let checker = Village::<S>::new(plan)
        .checker()
        .threads(limits.threads)
        .timeout(limits.time)
        .target_state_count(limits.states)
        .finish_when(HasDiscoveries::AnyFailures)
        .spawn_dfs();
    let gauge = Arc::clone(&checker.model().gauge);
    let pause = Cell::new(SHORTEST_PAUSE);
    let mut line = Line { tell: progress, gauge: &gauge, most: limits.memory, peak: None, pause };
    let checker = checker.join_and_report(&mut line);
    let memory = line.peak;
    let village = checker.model();
    let found = checker.discoveries();
    let found = found.into_values().map(|path| path.into_actions()).min_by_key(Vec::len);
    let generated = checker.state_count();
    let cut = if gauge.is_stopped() {
        Some(Cut::Memory)
    } else if generated >= limits.states {
        Some(Cut::States)
    } else {
        (began.elapsed() >= limits.time).then_some(Cut::Time)
    };
    let sights = village.plan.sights.iter().copied();
    let missing = sights.filter(|sight| found.is_none() && !village.album.has(*sight)).collect();
    let broken = found.and_then(|path| {
        let shortest = shortest(village, limits.shortening);
        let certain = shortest.is_some();
        counterexample(village, &shortest.unwrap_or(path), certain)
    });
    let cut = cut.filter(|_| broken.is_none());
    Report {
        model: village.plan.name,
        bounds: village.plan.bounds(),
        unique: checker.unique_state_count(),
        generated,
        depth: checker.max_depth(),
        time: began.elapsed(),
        complete: broken.is_none() && cut.is_none(),
        cut,
        memory,
        laws: village.plan.laws.clone(),
        sights: village.plan.sights.clone(),
        broken,
        missing,
    }
}

/// The first law of the plan that does not hold in a state.
pub(crate) fn fault<S: Serves>(village: &Village<S>, world: &World<S>) -> Option<Law> {
    village.plan.laws.iter().copied().find(|law| !crate::holds(village, world, *law))
}

/// The shortest way to break a law, level by level. Only the states of two levels are kept, of all
/// others how they were reached. `None` if that takes more than `most` states.
fn shortest<S: Serves>(village: &Village<S>, most: usize) -> Option<Vec<Action>> {
    let mut reached: BTreeMap<u64, Option<(u64, Action)>> = BTreeMap::new();
    let mut level = village.init_states();
    reached.extend(level.iter().map(|world| (world.print, None)));
    while !level.is_empty() {
        let mut next = Vec::new();
        for world in &level {
            let mut actions = Vec::new();
            village.actions(world, &mut actions);
            for action in actions {
                let Some(after) = village.next_state(world, action) else { continue };
                let Entry::Vacant(place) = reached.entry(after.print) else { continue };
                place.insert(Some((world.print, action)));
                if fault(village, &after).is_some() {
                    return Some(way_to(&reached, after.print));
                }
                next.push(after);
            }
        }
        if reached.len() > most {
            return None;
        }
        level = next;
    }
    None
}

fn way_to(reached: &BTreeMap<u64, Option<(u64, Action)>>, end: u64) -> Vec<Action> {
    let mut way = Vec::new();
    let mut at = end;
    while let Some((before, action)) = reached.get(&at).copied().flatten() {
        way.push(action);
        at = before;
    }
    way.reverse();
    way
}

/// Walks a path again and draws it.
fn counterexample<S: Serves>(
    village: &Village<S>,
    path: &[Action],
    shortest: bool,
) -> Option<Counterexample> {
    let mut world = village.init_states().pop()?;
    let mut ladder = village.head(&world);
    let mut deeds = Vec::new();
    for action in path {
        let Some(after) = village.next_state(&world, *action) else { break };
        deeds.push(village.deed(&world, *action));
        ladder.push_str(&village.draw(deeds.len(), &world, *action, &after));
        world = after;
    }
    let law = fault(village, &world)?;
    let capsule = Capsule::new(&village.plan, law, deeds);
    let deeds = capsule.steps.len();
    Some(Counterexample { law, steps: deeds, shortest, ladder, capsule: Some(capsule) })
}
