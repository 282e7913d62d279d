//! More than the server can carry. Users who are in refresh their subscriptions, at half of what
//! the server was measured to carry; newcomers subscribe, and make up the rest of too much. A
//! server that knows what it is doing serves the former, and tells the latter when to come back.

use super::hold;
use super::subscribe::pair;
use crate::load::Nanos;
use crate::load::bench::{Bench, Limits, Next, Source, rounded};
use crate::load::client::{Client, Deed, End, Outcome};
use crate::load::crowd::Package;
use crate::load::options::Pace;
use crate::load::report::{Overload, Report, Share};
use crate::load::tally::Times;
use presently::failure::Failure;
use std::collections::VecDeque;
use std::ops::Range;
use std::time::Duration;

/// The share of the peak that refreshes ask for.
const ESTABLISHED: f64 = 0.5;
/// The share of the peak that is asked for before and after, to see what is normal.
const NORMAL: f64 = 0.2;
/// Normal is, when what begins in half a second is all served, and the slowest takes at most twice
/// what it took before, or this long.
const FAST: Nanos = 50_000_000;
const GLANCE: Duration = Duration::from_millis(500);
/// Longer than this nobody waits for it.
const GLANCES: u32 = 120;
/// How long is looked at what is normal.
const BEFORE: Duration = Duration::from_secs(2);
/// How long too much lasts if nobody says.
const USUAL: Duration = Duration::from_secs(60);

/// Normal, too much, and how long until it is normal again.
pub(crate) fn pressure(bench: &mut Bench) -> Result<Report, Failure> {
    bench.watches_memory = true;
    let Some(peak) = bench.options.peak else {
        return Err(Failure::usage("overload: --peak says what the server can carry"));
    };
    let dialogs = hold::dialogs(bench);
    bench.prepare("subscribing", dialogs.clone().map(|dialog| Deed::Subscribe { dialog }))?;
    let mut crowd = Crowd::new(bench.options.crowd(), dialogs);
    bench.say("as usual");
    bench.play(&mut crowd, Pace::Open(peak * NORMAL), Limits::span(BEFORE))?;
    bench.drain(&mut crowd)?;
    let normal = (2 * crowd.slowest).max(FAST);
    bench.say("too much");
    let offered = peak * bench.options.factor;
    let span = bench.options.seconds.map_or(USUAL, |_| bench.options.span());
    let window = bench.open_window();
    crowd.begin(window.begun, (ESTABLISHED / bench.options.factor).min(1.0));
    let not_begun = bench.play(&mut crowd, Pace::Open(offered), Limits::span(span))?;
    let mut report = bench.close_window(&window);
    report.mode = Pace::Open(offered).into();
    report.not_begun = not_begun;
    crowd.end(bench.now());
    let recovery_seconds = recovery(bench, &mut crowd, peak, normal)?;
    bench.drain(&mut crowd)?;
    bench.complete(&window, &mut report);
    report.overload = Some(Overload {
        peak,
        offered: rounded(offered),
        goodput: report.rate,
        refreshes: crowd.refreshes.share(),
        newcomers: crowd.newcomers.share(),
        with_retry_after: crowd.with_retry_after,
        without_retry_after: crowd.without_retry_after,
        recovery_seconds,
    });
    Ok(report)
}

/// From now until what is asked for is served as fast as before.
fn recovery(
    bench: &mut Bench,
    crowd: &mut Crowd,
    peak: f64,
    normal: Nanos,
) -> Result<Option<f64>, Failure> {
    bench.say("as usual again");
    let begun = bench.now();
    for _ in 0..GLANCES {
        let at = bench.now();
        crowd.glance(at);
        let not_begun = bench.play(crowd, Pace::Open(peak * NORMAL), Limits::span(GLANCE))?;
        // What has not ended by now is too slow as well, but for the last few.
        let is_all_ended = crowd.begun - crowd.ended < 1 + crowd.begun / 10;
        let is_served = crowd.failed == 0 && not_begun == 0 && is_all_ended;
        if is_served && crowd.slowest <= normal {
            return Ok(Some(rounded((at - begun) as f64 / 1e9)));
        }
    }
    Ok(None)
}

/// Those who are in, and those who want to be.
struct Crowd {
    users: u32,
    /// Subscriptions below this number are of those who are in.
    established: u32,
    /// Subscriptions there have been so far.
    met: u32,
    free: VecDeque<u32>,
    /// The share of refreshes among all operations, and what is saved up towards the next.
    refreshes_per_turn: f64,
    credit: f64,
    /// Of what is due since the last glance: how much has begun and ended, and how well.
    since: Nanos,
    begun: u64,
    ended: u64,
    slowest: Nanos,
    failed: u64,
    /// When there was too much.
    pressure: Range<Nanos>,
    refreshes: Kind,
    newcomers: Kind,
    with_retry_after: u64,
    without_retry_after: u64,
}

/// One kind of operation under pressure.
#[derive(Default)]
struct Kind {
    counts: Share,
    times: Times,
}

impl Kind {
    fn share(&self) -> Share {
        Share { latency_ms: self.times.percentiles(), ..self.counts }
    }
}

impl Crowd {
    fn new(users: u32, dialogs: Range<u32>) -> Self {
        Self {
            users,
            established: dialogs.end,
            met: dialogs.end,
            free: dialogs.collect(),
            refreshes_per_turn: 1.0,
            credit: 0.0,
            since: 0,
            begun: 0,
            ended: 0,
            slowest: 0,
            failed: 0,
            pressure: 0..0,
            refreshes: Kind::default(),
            newcomers: Kind::default(),
            with_retry_after: 0,
            without_retry_after: 0,
        }
    }

    /// From now on there is too much, with this share of refreshes.
    fn begin(&mut self, now: Nanos, refreshes_per_turn: f64) {
        self.refreshes_per_turn = refreshes_per_turn;
        self.pressure = now..Nanos::MAX;
    }

    /// It is over: only those who are in ask for anything.
    fn end(&mut self, now: Nanos) {
        self.refreshes_per_turn = 1.0;
        self.pressure.end = now;
    }

    /// Looks only at what is due from now on.
    fn glance(&mut self, now: Nanos) {
        (self.since, self.begun, self.ended, self.slowest, self.failed) = (now, 0, 0, 0, 0);
    }

    fn kind(&mut self, dialog: u32) -> &mut Kind {
        if dialog < self.established { &mut self.refreshes } else { &mut self.newcomers }
    }

    /// Counts what became of an operation that was due under pressure.
    fn count(&mut self, dialog: u32, outcome: &Outcome) {
        let kind = self.kind(dialog);
        match outcome.end {
            End::Done => {
                kind.counts.served += 1;
                kind.times.add(outcome.time);
            }
            End::Refused { .. } => kind.counts.refused += 1,
            End::TimedOut => kind.counts.lost += 1,
        }
        match outcome.end {
            End::Refused { status: 503, retry_after: true } => self.with_retry_after += 1,
            End::Refused { status: 503, retry_after: false } => self.without_retry_after += 1,
            End::Refused { .. } | End::Done | End::TimedOut => {}
        }
    }
}

impl Source for Crowd {
    fn next(&mut self, client: &mut Client, now: Nanos) -> Next {
        self.credit += self.refreshes_per_turn;
        let dialog = if self.credit >= 1.0 {
            self.credit -= 1.0;
            let Some(dialog) = self.free.pop_front() else { return Next::Wait };
            dialog
        } else {
            let (watcher, presentity) = pair(self.met, self.users);
            self.met += 1;
            client.dialog(watcher, presentity, Package::Presence)
        };
        self.begun += 1;
        if self.pressure.contains(&now) {
            self.kind(dialog).counts.offered += 1;
        }
        Next::Begin(Deed::Subscribe { dialog })
    }

    fn ended(&mut self, _client: &mut Client, outcome: &Outcome) {
        let Deed::Subscribe { dialog } = outcome.deed else { return };
        let due = outcome.at - outcome.time;
        if due >= self.since {
            self.ended += 1;
            self.slowest = self.slowest.max(outcome.time);
            self.failed += u64::from(outcome.end != End::Done);
        }
        if self.pressure.contains(&due) {
            self.count(dialog, outcome);
        }
        if dialog < self.established {
            self.free.push_back(dialog);
        }
    }
}
