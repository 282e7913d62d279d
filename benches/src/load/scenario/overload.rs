//! More than the server can carry. Users who are in refresh their subscriptions, at half of what the
//! server was measured to carry; newcomers subscribe, and make up the rest of too much. A server
//! that knows what it is doing serves the former, and tells the latter when to come back.

use super::hold;
use super::subscribe::pair;
use crate::load::Nanos;
use crate::load::bench::{Bench, Limits, Next, Source, rounded};
use crate::load::client::{Client, Deed, End, Outcome};
use crate::load::crowd::Package;
use crate::load::options::Pace;
use crate::load::report::{Overload, Report, Share};
use presently::failure::Failure;
use std::collections::VecDeque;
use std::time::Duration;

/// The share of the peak that refreshes ask for.
const ESTABLISHED: f64 = 0.5;
/// The share of the peak that is asked for before and after, to see what is normal.
const NORMAL: f64 = 0.2;
/// Normal is, when in half a second everything is served and the slowest takes at most twice what
/// it took before, or this long.
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
    let established = dialogs.len() as u32;
    bench.prepare("subscribing", dialogs.clone().map(|dialog| Deed::Subscribe { dialog }))?;
    let mut crowd = Crowd {
        users: bench.options.crowd(),
        established,
        met: established,
        free: dialogs.collect(),
        refreshes_per_turn: 1.0,
        credit: 0.0,
        slowest: 0,
        failed: 0,
        refreshes: Share::default(),
        newcomers: Share::default(),
        told_when: [0, 0],
    };
    bench.say("as usual");
    bench.play(&mut crowd, Pace::Open(peak * NORMAL), Limits::span(BEFORE))?;
    bench.drain(&mut crowd)?;
    let normal = (2 * crowd.glance().0).max(FAST);
    bench.say("too much");
    let offered = peak * bench.options.factor;
    crowd.begin((ESTABLISHED / bench.options.factor).min(1.0));
    let span = bench.options.seconds.map_or(USUAL, |_| bench.options.span());
    let window = bench.open_window();
    let not_begun = bench.play(&mut crowd, Pace::Open(offered), Limits::span(span))?;
    let mut report = bench.close_window(&window);
    report.not_begun = not_begun;
    let (mut result, recovery) = (crowd.result(), recovery(bench, &mut crowd, peak, normal)?);
    bench.complete(&window, &mut report);
    result.peak = peak;
    result.offered = rounded(offered);
    result.goodput = report.rate;
    result.recovery_seconds = recovery;
    report.overload = Some(result);
    bench.end_subscriptions()?;
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
    crowd.refreshes_per_turn = 1.0;
    for _ in 0..GLANCES {
        let at = bench.now();
        crowd.glance();
        bench.play(crowd, Pace::Open(peak * NORMAL), Limits::span(GLANCE))?;
        let (slowest, failed) = crowd.glance();
        if failed == 0 && slowest <= normal {
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
    /// The share of refreshes among all operations.
    refreshes_per_turn: f64,
    credit: f64,
    /// Of what began and ended since the last glance.
    slowest: Nanos,
    failed: u64,
    refreshes: Share,
    newcomers: Share,
    /// 503s that said when to come back, and that did not.
    told_when: [u64; 2],
}

impl Crowd {
    /// Counts from zero, with another share of refreshes.
    fn begin(&mut self, refreshes_per_turn: f64) {
        self.refreshes_per_turn = refreshes_per_turn;
        (self.refreshes, self.newcomers) = (Share::default(), Share::default());
        self.told_when = [0, 0];
    }

    /// How slow it was and what failed since the last glance.
    fn glance(&mut self) -> (Nanos, u64) {
        (std::mem::take(&mut self.slowest), std::mem::take(&mut self.failed))
    }

    fn result(&self) -> Overload {
        Overload {
            refreshes: self.refreshes,
            newcomers: self.newcomers,
            with_retry_after: self.told_when[0],
            without_retry_after: self.told_when[1],
            ..Overload::default()
        }
    }

    fn share(&mut self, dialog: u32) -> &mut Share {
        if dialog < self.established { &mut self.refreshes } else { &mut self.newcomers }
    }
}

impl Source for Crowd {
    fn next(&mut self, client: &mut Client, _now: Nanos) -> Next {
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
        self.share(dialog).offered += 1;
        Next::Begin(Deed::Subscribe { dialog })
    }

    fn ended(&mut self, _client: &mut Client, outcome: &Outcome) {
        let Deed::Subscribe { dialog } = outcome.deed else { return };
        self.slowest = self.slowest.max(outcome.time);
        let share = self.share(dialog);
        match outcome.end {
            End::Done => share.served += 1,
            End::Refused { .. } => share.refused += 1,
            End::TimedOut => share.lost += 1,
        }
        if outcome.end != End::Done {
            self.failed += 1;
        }
        if let End::Refused { status: 503, retry_after } = outcome.end {
            self.told_when[usize::from(!retry_after)] += 1;
        }
        if dialog < self.established {
            self.free.push_back(dialog);
        }
    }
}
