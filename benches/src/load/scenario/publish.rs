//! PUBLISH to a number of watchers: how long until the first and the last of them know, whether
//! nobody is left out, and what one NOTIFY costs. One publication after the other: each NOTIFY is
//! checked for the number that was published.

use super::ring::Ring;
use crate::load::Nanos;
use crate::load::bench::{Bench, Limits, Next, Source, rounded};
use crate::load::client::{Client, Deed, End, Look, Notice, Outcome};
use crate::load::crowd::Package;
use crate::load::options::Pace;
use crate::load::report::{FanOut, Report};
use crate::load::tally::Times;
use presently::failure::Failure;

/// Who has not been told after so long is counted as missing.
const LATEST: Nanos = 10_000_000_000;
/// Publications before the measurement, so that all is warm.
const WARM_UP: u64 = 3;

/// Everybody changes a document, and nobody looks.
pub(crate) fn many(bench: &mut Bench) -> Result<Report, Failure> {
    let users = bench.options.crowd();
    bench.prepare("publishing", (0..users).map(|user| Deed::Publish { user }))?;
    bench.measure(&mut Ring::new(0..users, |user| Deed::Publish { user }))
}

/// All numbers of watchers, one after the other.
pub(crate) fn fan_out(bench: &mut Bench) -> Result<Report, Failure> {
    bench.client.look = Look::AtPublication;
    let levels = bench.options.watchers.clone();
    let mut whole: Option<Report> = None;
    let most = levels.len() as u32;
    for (presentity, watchers) in (0..).zip(&levels) {
        // Watchers come after the presentities, which are the first users.
        let report = level(bench, presentity, most, *watchers)?;
        // Those of the last are left to whoever tidies up.
        if presentity + 1 < most {
            bench.end_subscriptions()?;
        }
        whole = Some(match whole {
            Some(whole) => together(whole, report),
            None => report,
        });
    }
    whole.ok_or_else(|| Failure::usage("--watchers: at least one number"))
}

/// One number of watchers.
fn level(bench: &mut Bench, user: u32, first: u32, watchers: u32) -> Result<Report, Failure> {
    bench.prepare("publishing", [Deed::Publish { user }])?;
    let dialogs: Vec<u32> = (first..first + watchers)
        .map(|watcher| bench.client.dialog(watcher, user, Package::Presence))
        .collect();
    let subscribing = dialogs.into_iter().map(|dialog| Deed::Subscribe { dialog });
    bench.prepare("subscribing", subscribing)?;
    let mut warm = Publishing::new(user, watchers);
    bench.play(&mut warm, Pace::Closed(1), Limits::count(WARM_UP))?;
    warm.finish(bench)?;
    let mut source = Publishing::new(user, watchers);
    let limits = match bench.options.count {
        Some(count) => Limits::count(count),
        None => Limits::span(bench.options.span()),
    };
    let window = bench.open_window();
    bench.play(&mut source, Pace::Closed(1), limits)?;
    // The last publication belongs to what is measured, as do its NOTIFYs.
    source.finish(bench)?;
    let mut report = bench.close_window(&window);
    bench.complete(&window, &mut report);
    report.fan_out.push(source.result(&report));
    Ok(report)
}

/// Two levels as one report.
fn together(mut whole: Report, next: Report) -> Report {
    whole.operations += next.operations;
    whole.seconds = rounded(whole.seconds + next.seconds);
    whole.timeouts += next.timeouts;
    whole.sent.requests += next.sent.requests;
    whole.sent.retransmissions += next.sent.retransmissions;
    whole.sent.answers += next.sent.answers;
    whole.received.answers += next.received.answers;
    whole.received.challenges += next.received.challenges;
    whole.received.repeated += next.received.repeated;
    whole.received.notifies += next.received.notifies;
    whole.received.overtaken += next.received.overtaken;
    whole.received.dropped += next.received.dropped;
    for (what, count) in next.unexpected {
        *whole.unexpected.entry(what).or_default() += count;
    }
    whole.rate = rounded(whole.operations as f64 / whole.seconds);
    whole.timeline.clear();
    // Times and costs are those of the largest level, which is the last; each has its own entry.
    whole.latency_ms = next.latency_ms;
    whole.curve = next.curve;
    whole.generator = next.generator;
    whole.server = next.server;
    whole.fan_out.extend(next.fan_out);
    whole
}

/// One publication after the other.
struct Publishing {
    user: u32,
    watchers: u32,
    /// The publication that is under way.
    current: Option<News>,
    publications: u64,
    notifies: u64,
    missing: u64,
    answers: Times,
    firsts: Times,
    lasts: Times,
}

/// What watchers are being told.
struct News {
    begun: Nanos,
    number: u32,
    is_answered: bool,
    told: u32,
}

impl Publishing {
    fn new(user: u32, watchers: u32) -> Self {
        Self {
            user,
            watchers,
            current: None,
            publications: 0,
            notifies: 0,
            missing: 0,
            answers: Times::default(),
            firsts: Times::default(),
            lasts: Times::default(),
        }
    }

    /// Waits for what is still to come of the last publication.
    fn finish(&mut self, bench: &mut Bench) -> Result<(), Failure> {
        bench.play(&mut Last(self), Pace::Closed(2), Limits::default()).map(|_| ())
    }

    /// Whether nothing is to come any more of the current publication.
    fn is_told(&mut self, now: Nanos) -> bool {
        let Some(news) = &self.current else { return true };
        let is_late = now >= news.begun + LATEST;
        if news.is_answered && news.told == self.watchers || is_late {
            self.missing += u64::from(self.watchers - news.told);
            self.current = None;
        }
        self.current.is_none()
    }

    fn result(&self, report: &Report) -> FanOut {
        let cpu = report.server.as_ref().map_or(0.0, |server| server.cpu_us_per_operation);
        let (cpu, own) = (cpu, report.generator.cpu_us_per_operation);
        let done = report.operations as f64;
        let each = |cost: f64| match self.notifies {
            0 => 0.0,
            notifies => rounded(cost * done / notifies as f64),
        };
        FanOut {
            watchers: self.watchers,
            publications: self.publications,
            notifies: self.notifies,
            missing: self.missing,
            answer_ms: self.answers.percentiles(),
            first_ms: self.firsts.percentiles(),
            last_ms: self.lasts.percentiles(),
            cpu_us_per_notify: each(cpu),
            cpu_us_per_publication: cpu,
            generator_us_per_notify: each(own),
        }
    }
}

impl Source for Publishing {
    fn next(&mut self, client: &mut Client, now: Nanos) -> Next {
        if !self.is_told(now) {
            return Next::Wait;
        }
        self.publications += 1;
        let number = client.user(self.user).published + 1;
        self.current = Some(News { begun: now, number, is_answered: false, told: 0 });
        Next::Begin(Deed::Publish { user: self.user })
    }

    fn ended(&mut self, client: &mut Client, outcome: &Outcome) {
        let Some(news) = &mut self.current else { return };
        // A challenge, or a forgotten publication, has made it a later one.
        news.number = client.user(self.user).published;
        news.is_answered = true;
        if outcome.end == End::Done {
            self.answers.add(outcome.time);
        }
    }

    fn told(&mut self, _client: &mut Client, notice: &Notice) {
        let Some(news) = &mut self.current else { return };
        if notice.number.is_none_or(|number| number < news.number) {
            return;
        }
        let time = notice.at.saturating_sub(news.begun);
        news.told += 1;
        self.notifies += 1;
        if news.told == 1 {
            self.firsts.add(time);
        }
        if news.told == self.watchers {
            self.lasts.add(time);
        }
    }
}

/// Begins nothing, until what was begun has been told to all.
struct Last<'a>(&'a mut Publishing);

impl Source for Last<'_> {
    fn next(&mut self, _client: &mut Client, now: Nanos) -> Next {
        if self.0.is_told(now) { Next::Over } else { Next::Wait }
    }

    fn ended(&mut self, client: &mut Client, outcome: &Outcome) {
        self.0.ended(client, outcome);
    }

    fn told(&mut self, client: &mut Client, notice: &Notice) {
        self.0.told(client, notice);
    }
}
