//! A restart of the server, seen from its subscribers: everybody who has a subscription is told
//! again. Refreshes go on all the time, at the pace asked for: who refreshes while the server is
//! away sends again until it is back, and must not time out.

use super::hold;
use super::ring::Ring;
use crate::load::Nanos;
use crate::load::bench::{Bench, Limits, Next, Source, rounded};
use crate::load::client::{Client, Deed, Notice, Outcome};
use crate::load::options::Pace;
use crate::load::report::{Report, Storm};
use crate::load::tally::milliseconds;
use presently::failure::Failure;
use std::io::Write;

/// Refreshes a second if nobody says.
const USUAL_RATE: f64 = 100.0;
/// The server is away when it has been silent for so long while somebody asks. Only the first time
/// counts: a later silence is a server that is back and busy.
const AWAY: Nanos = 100_000_000;
/// NOTIFYs are counted in spans of this length.
const SPAN: Nanos = 100_000_000;

/// Subscribes, says that the server may be restarted now, and counts.
pub(crate) fn restart(bench: &mut Bench) -> Result<Report, Failure> {
    bench.watches_memory = true;
    let dialogs = hold::dialogs(bench);
    let subscriptions = dialogs.len();
    bench.prepare("subscribing", dialogs.clone().map(|dialog| Deed::Subscribe { dialog }))?;
    bench.say("waiting for the restart");
    // Whoever restarts it waits for this line; it is stderr's so that JSON has stdout to itself.
    let _ = writeln!(std::io::stderr(), "ready for the restart: {subscriptions} subscriptions");
    let ring = Ring::new(dialogs, |dialog| Deed::Subscribe { dialog });
    let mut watch = Watch::new(ring, subscriptions, bench.now());
    let pace = Pace::Open(bench.options.rate.unwrap_or(USUAL_RATE));
    let limits = Limits::span(bench.options.span());
    let mut report = bench.measure_within(&mut watch, pace, limits)?;
    report.storm = Some(watch.result());
    Ok(report)
}

/// Looks on while the ring refreshes.
struct Watch<R> {
    ring: R,
    /// When we heard of the server last.
    heard: Nanos,
    /// The first long silence, and when it ended.
    away: Nanos,
    back: Nanos,
    /// Which subscriptions were told since, by the server itself or after a refresh, how many that
    /// is, and when the first and the last of them was told.
    told: Vec<bool>,
    count: u64,
    first: Nanos,
    last: Nanos,
    /// NOTIFYs in the current span.
    in_span: (Nanos, u64),
    most: u64,
}

impl<R: Source> Watch<R> {
    fn new(ring: R, subscriptions: usize, now: Nanos) -> Self {
        Self {
            ring,
            heard: now,
            away: 0,
            back: now,
            told: vec![false; subscriptions],
            count: 0,
            first: 0,
            last: 0,
            in_span: (0, 0),
            most: 0,
        }
    }

    /// The server has said something. After a silence it is back, and everything counts from now.
    fn heard(&mut self, at: Nanos) {
        let silence = at.saturating_sub(self.heard);
        self.heard = self.heard.max(at);
        if silence > AWAY && self.away == 0 {
            let subscriptions = self.told.len();
            self.told = vec![false; subscriptions];
            (self.away, self.back, self.count, self.most) = (silence, at, 0, 0);
        }
    }

    fn result(&self) -> Storm {
        let subscriptions = self.told.len() as u64;
        let since = |time: Nanos| milliseconds(time.saturating_sub(self.back));
        let was_away = self.away > 0;
        Storm {
            subscriptions,
            told: if was_away { self.count } else { 0 },
            missing: if was_away { subscriptions - self.count } else { subscriptions },
            away_ms: rounded(self.away as f64 / 1e6),
            first_ms: since(self.first),
            last_ms: since(self.last),
            most_in_100_ms: self.most,
        }
    }
}

impl<R: Source> Source for Watch<R> {
    fn next(&mut self, client: &mut Client, now: Nanos) -> Next {
        self.ring.next(client, now)
    }

    fn ended(&mut self, client: &mut Client, outcome: &Outcome) {
        if outcome.end != crate::load::client::End::TimedOut {
            self.heard(outcome.at);
        }
        self.ring.ended(client, outcome);
    }

    fn told(&mut self, _client: &mut Client, notice: &Notice) {
        self.heard(notice.at);
        if notice.at >= self.in_span.0 + SPAN {
            self.in_span = (notice.at, 0);
        }
        self.in_span.1 += 1;
        self.most = self.most.max(self.in_span.1);
        let Some(told) = self.told.get_mut(notice.dialog as usize) else { return };
        if !std::mem::replace(told, true) {
            self.count += 1;
            self.last = notice.at;
            if self.count == 1 {
                self.first = notice.at;
            }
        }
    }
}
