//! The loop that lets a client play against a server in real time, and measures while it does.
//! Scenarios are scripts over it: prepare, measure, dismiss.

mod gate;
mod progress;
mod window;

pub(crate) use gate::{Limits, Next, Source};
pub(crate) use window::rounded;

use super::Nanos;
use super::client::{Client, Deed, End, Outcome};
use super::crowd::House;
use super::line::Line;
use super::meter::Meter;
use super::options::{Options, Pace};
use super::report::{Moment, Report};
use gate::Gate;
use presently::failure::Failure;
use progress::Progress;
use std::io;
use std::time::{Duration, Instant};

/// How many operations are under way while things are set up: few enough that nothing is lost. What
/// fails all the same, as some servers refuse what they are too busy for, is tried more calmly.
const CALM: [u32; 3] = [256, 16, 1];
/// Nothing waits longer than this, so that progress is shown and scenarios see the time.
const NAP: Nanos = 100_000_000;

/// A client, its line, and instruments.
pub(crate) struct Bench {
    pub(crate) options: Options,
    pub(crate) client: Client,
    pub(crate) meter: Meter,
    /// Whether memory is looked at every second, which takes time from what is measured.
    pub(crate) watches_memory: bool,
    line: Line,
    epoch: Instant,
    progress: Progress,
    /// When the last operation succeeded.
    last_done: Nanos,
    /// Whether the server has ever said anything.
    is_there: bool,
    /// When the window began.
    begun: Nanos,
    timeline: Vec<Moment>,
}

impl Bench {
    pub(crate) fn new(options: Options) -> Result<Self, Failure> {
        let line = Line::open(options.target).map_err(unable)?;
        let seed = options.seed.unwrap_or_else(moment);
        let house = House {
            sent_by: line.address().map_err(unable)?.to_string(),
            domain: options.domain.clone(),
            prefix: options.user_prefix.clone(),
            password: options.password.clone(),
            expires: options.expires,
            tuples: options.tuples,
            run: seed as u32 ^ (seed >> 32) as u32,
            forgets_nonces: false,
        };
        Ok(Self {
            client: Client::new(house),
            meter: Meter::of(&options.pid),
            watches_memory: false,
            line,
            epoch: Instant::now(),
            progress: Progress::new(options.scenario.name(), !options.no_progress),
            last_done: 0,
            is_there: false,
            begun: 0,
            timeline: Vec::new(),
            options,
        })
    }

    /// What the progress line says.
    pub(crate) fn say(&mut self, what: &'static str) {
        self.progress.say(what);
    }

    pub(crate) fn now(&self) -> Nanos {
        self.epoch.elapsed().as_nanos() as Nanos
    }

    /// Sets something up: all of it must succeed.
    pub(crate) fn prepare(
        &mut self,
        what: &'static str,
        deeds: impl IntoIterator<Item = Deed>,
    ) -> Result<(), Failure> {
        self.progress.say(what);
        let mut failed = self.attempt(CALM[0], deeds)?;
        for most in &CALM[1..] {
            // Who does not answer for half a minute will not do so later either.
            if failed.iter().any(|outcome| outcome.end == End::TimedOut) {
                break;
            }
            let again: Vec<Deed> = failed.iter().map(|outcome| outcome.deed).collect();
            failed = self.attempt(*most, again)?;
        }
        let Some(last) = failed.last() else { return Ok(()) };
        let why = match last.end {
            End::Refused { status, .. } => format!("the last answer was {status}"),
            End::TimedOut | End::Done => "nobody answered the last one".into(),
        };
        Err(Failure::work(format!("{what}: {} operations failed; {why}", failed.len())))
    }

    /// Does these things, so many at a time, and says which failed.
    fn attempt(
        &mut self,
        most: u32,
        deeds: impl IntoIterator<Item = Deed>,
    ) -> Result<Vec<Outcome>, Failure> {
        let mut list = List { deeds: deeds.into_iter(), failed: Vec::new() };
        self.play(&mut list, Pace::Closed(most), Limits::default())?;
        Ok(list.failed)
    }

    /// Takes something down again: what fails is not our concern any more.
    pub(crate) fn dismiss(
        &mut self,
        what: &'static str,
        deeds: impl IntoIterator<Item = Deed>,
    ) -> Result<(), Failure> {
        self.progress.say(what);
        self.attempt(CALM[0], deeds).map(|_| ())
    }

    /// Everybody leaves, so that the server is as before, unless it was asked to be left.
    pub(crate) fn take_leave(&mut self) -> Result<(), Failure> {
        if self.options.leave {
            return Ok(());
        }
        self.end_subscriptions()?;
        let users = (0..).zip(&self.client.users);
        let published = users.clone().filter(|(_, row)| row.etag.is_some());
        let mut deeds: Vec<Deed> = published.map(|(user, _)| Deed::Unpublish { user }).collect();
        let registered = users.filter(|(_, row)| row.is_registered);
        deeds.extend(registered.map(|(user, _)| Deed::Unregister { user }));
        self.dismiss("leaving", deeds)
    }

    /// Ends all subscriptions that the server knows.
    pub(crate) fn end_subscriptions(&mut self) -> Result<(), Failure> {
        let rows = (0..).zip(&self.client.dialogs);
        let live = rows.filter(|(_, row)| row.remote.is_some());
        let live: Vec<Deed> = live.map(|(dialog, _)| Deed::End { dialog }).collect();
        self.dismiss("ending subscriptions", live)
    }

    /// The measurement of a scenario: warm-up, the window, and what came late.
    pub(crate) fn measure(&mut self, source: &mut dyn Source) -> Result<Report, Failure> {
        let pace = self.options.pace();
        if self.options.warm_up > 0.0 {
            self.progress.say("warming up");
            self.play(source, pace, Limits::span(self.options.before()))?;
        }
        self.progress.say("measuring");
        let limits = match (self.options.count, self.options.seconds) {
            (Some(count), None) => Limits::count(count),
            (Some(count), Some(_)) => {
                Limits { count: Some(count), span: Some(self.options.span()) }
            }
            (None, _) => Limits::span(self.options.span()),
        };
        self.measure_within(source, pace, limits)
    }

    /// The same without warm-up, at a pace and within limits of the scenario's own.
    pub(crate) fn measure_within(
        &mut self,
        source: &mut dyn Source,
        pace: Pace,
        limits: Limits,
    ) -> Result<Report, Failure> {
        let window = self.open_window();
        let not_begun = self.play(source, pace, limits)?;
        let mut report = self.close_window(&window);
        report.mode = pace.into();
        report.not_begun = not_begun;
        self.drain(source)?;
        self.complete(&window, &mut report);
        Ok(report)
    }

    /// Waits until everything under way has ended, well or not.
    pub(crate) fn drain(&mut self, source: &mut dyn Source) -> Result<(), Failure> {
        self.play(&mut Closing(source), Pace::Closed(1), Limits::default()).map(|_| ())
    }

    /// Lets operations begin until a limit is reached; without a span also waits until they have
    /// ended. Says how many were due and could not begin.
    pub(crate) fn play(
        &mut self,
        source: &mut dyn Source,
        pace: Pace,
        limits: Limits,
    ) -> Result<u64, Failure> {
        let mut gate = Gate::new(pace, limits, self.now());
        let mut may_be_more = false;
        loop {
            let now = self.now();
            gate.open(&mut self.client, source, now);
            self.client.tick(now);
            self.line.send(&mut self.client.out).map_err(lost)?;
            if gate.is_over(now) || gate.is_closed() && self.client.outstanding() == 0 {
                return Ok(gate.not_begun);
            }
            if !may_be_more {
                self.wait(&gate, now)?;
            }
            may_be_more = self.receive()?;
            self.tell(source);
            self.look_around();
        }
    }

    fn wait(&mut self, gate: &Gate, now: Nanos) -> Result<(), Failure> {
        let until = [self.client.next_tick(), gate.next(), Some(now + NAP)];
        let until = until.into_iter().flatten().min().unwrap_or(now);
        // The send of this turn may have taken a while.
        let time = Duration::from_nanos(until.saturating_sub(self.now()));
        self.line.wait(!self.client.out.is_empty(), time).map_err(lost)
    }

    fn receive(&mut self) -> Result<bool, Failure> {
        let Self { line, client, epoch, is_there, .. } = self;
        if line.is_refused() && !*is_there {
            let target = self.options.target;
            return Err(Failure::work(format!("--target {target}: nobody listens there")));
        }
        let mut time = None;
        let mut sink = |datagram: &[u8]| {
            let now = *time.get_or_insert_with(|| epoch.elapsed().as_nanos() as Nanos);
            *is_there = true;
            client.receive(now, datagram);
        };
        line.receive(&mut sink).map_err(lost)
    }

    /// Tells the scenario what has happened.
    fn tell(&mut self, source: &mut dyn Source) {
        let notices = std::mem::take(&mut self.client.notices);
        for notice in &notices {
            source.told(&mut self.client, notice);
        }
        self.client.notices = recycled(notices);
        let outcomes = std::mem::take(&mut self.client.outcomes);
        for outcome in &outcomes {
            if outcome.end == End::Done {
                self.last_done = self.last_done.max(outcome.at);
            }
            source.ended(&mut self.client, outcome);
        }
        self.client.outcomes = recycled(outcomes);
    }

    /// Once a second: progress, and how it goes.
    fn look_around(&mut self) {
        let now = self.now();
        if self.progress.is_due(now) {
            self.progress.show(now, &self.client);
            let since = self.timeline.last().map_or(0.0, |moment| moment.seconds);
            let seconds = (now - self.begun) as f64 / 1e9;
            if self.timeline.len() < 100 || seconds - since >= 9.5 {
                self.timeline.push(self.moment(seconds));
            }
        }
    }

    fn moment(&self, seconds: f64) -> Moment {
        let counted: u64 = self.timeline.iter().map(|moment| moment.operations).sum();
        Moment {
            seconds: rounded(seconds),
            operations: self.client.tally.done.saturating_sub(counted),
            pss_kib: if self.watches_memory { self.meter.pss() } else { 0 },
        }
    }
}

/// No two runs begin in the same moment.
fn moment() -> u64 {
    presently_net::Clock::new().now().as_millis()
}

/// The same vector without what was in it.
fn recycled<T>(mut vector: Vec<T>) -> Vec<T> {
    vector.clear();
    vector
}

fn unable(error: io::Error) -> Failure {
    Failure::usage(format!("--target: {error}"))
}

fn lost(error: io::Error) -> Failure {
    Failure::work(format!("the socket: {error}"))
}

/// Things to do once, one after the other.
struct List<I> {
    deeds: I,
    failed: Vec<Outcome>,
}

impl<I: Iterator<Item = Deed>> Source for List<I> {
    fn next(&mut self, _client: &mut Client, _now: Nanos) -> Next {
        self.deeds.next().map_or(Next::Over, Next::Begin)
    }

    fn ended(&mut self, _client: &mut Client, outcome: &Outcome) {
        if outcome.end != End::Done {
            self.failed.push(*outcome);
        }
    }
}

/// A source that begins nothing any more.
struct Closing<'a>(&'a mut dyn Source);

impl Source for Closing<'_> {
    fn next(&mut self, _client: &mut Client, _now: Nanos) -> Next {
        Next::Over
    }

    fn ended(&mut self, client: &mut Client, outcome: &Outcome) {
        self.0.ended(client, outcome);
    }

    fn told(&mut self, client: &mut Client, notice: &super::client::Notice) {
        self.0.told(client, notice);
    }
}
