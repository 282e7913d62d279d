//! Many subscriptions, and then nothing: what they cost to build, in memory, and while idle.

use super::subscribe;
use crate::load::bench::{Bench, Limits, Next, Source};
use crate::load::client::{Client, Deed};
use crate::load::options::Pace;
use crate::load::report::{Idle, Report};
use crate::load::{Nanos, bench::rounded};
use presently::failure::Failure;
use std::ops::Range;

/// How many there are if nobody says.
pub(crate) const USUAL: u64 = 10_000;

/// Builds at the pace asked for, watches for the seconds asked for.
pub(crate) fn measure(bench: &mut Bench) -> Result<Report, Failure> {
    bench.watches_memory = true;
    let (pace, span) = (bench.options.pace(), bench.options.span());
    let dialogs = dialogs(bench);
    let mut report = bench.measure_within(&mut Building(dialogs), pace, Limits::default())?;
    bench.say("coming to rest");
    bench.play(&mut Silence, Pace::Closed(1), Limits::span(bench.options.before()))?;
    bench.say("idle");
    let window = bench.open_window();
    // Nobody speaks: what is heard and answered meanwhile is the server's own doing.
    bench.play(&mut Silence, Pace::Closed(1), Limits::span(span))?;
    let quiet = bench.close_window(&window);
    let lasted = (bench.now() - window.begun) as f64 / 1e9;
    report.idle = Some(Idle {
        subscriptions: report.operations + report.late,
        seconds: rounded(lasted),
        cores: quiet.server.as_ref().map_or(0.0, |server| server.cores),
        pss_kib: quiet.server.as_ref().map_or(0, |server| server.pss_kib.after),
    });
    Ok(report)
}

/// As many subscriptions as were asked for, which nobody has asked for yet.
pub(crate) fn dialogs(bench: &mut Bench) -> Range<u32> {
    let count = bench.options.count.unwrap_or(USUAL).min(u32::MAX.into()) as u32;
    let users = bench.options.crowd();
    subscribe::add(&mut bench.client, users, count)
}

/// Each subscribes once.
struct Building(Range<u32>);

impl Source for Building {
    fn next(&mut self, _client: &mut Client, _now: Nanos) -> Next {
        self.0.next().map_or(Next::Over, |dialog| Next::Begin(Deed::Subscribe { dialog }))
    }
}

/// Nobody does anything.
pub(crate) struct Silence;

impl Source for Silence {
    fn next(&mut self, _client: &mut Client, _now: Nanos) -> Next {
        Next::Wait
    }
}
