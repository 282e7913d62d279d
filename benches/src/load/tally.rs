//! What is counted, and how long it took.

use super::Nanos;
use super::report::{Latency, Point, Received, Sent};
use hdrhistogram::Histogram;
use std::collections::BTreeMap;

/// The longest time that is told apart from longer ones.
const LONGEST: Nanos = 120_000_000_000;

/// The percentiles of the curve.
const CURVE: [f64; 14] =
    [0.0, 10.0, 25.0, 50.0, 75.0, 90.0, 95.0, 98.0, 99.0, 99.5, 99.9, 99.95, 99.99, 100.0];

/// Counts since the measurement began.
#[derive(Default)]
pub(crate) struct Tally {
    /// Operations that succeeded.
    pub(crate) done: u64,
    pub(crate) times: Times,
    pub(crate) sent: Sent,
    pub(crate) received: Received,
    pub(crate) timeouts: u64,
    pub(crate) unexpected: BTreeMap<Surprise, u64>,
}

/// What should not have come.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Surprise {
    /// A final answer.
    Status(u16),
    /// Neither a request nor an answer.
    Unreadable,
    /// An answer to nothing that we ask.
    ForeignAnswer,
    /// A NOTIFY of a subscription that is none of ours.
    ForeignNotify,
    /// Another method than NOTIFY and MESSAGE.
    Method,
}

impl Tally {
    pub(crate) fn surprise(&mut self, surprise: Surprise) {
        *self.unexpected.entry(surprise).or_default() += 1;
    }

    /// The surprises under the names of the report.
    pub(crate) fn surprises(&self) -> BTreeMap<String, u64> {
        let name = |surprise: &Surprise| match surprise {
            Surprise::Status(status) => status.to_string(),
            Surprise::Unreadable => "unreadable".into(),
            Surprise::ForeignAnswer => "foreign answer".into(),
            Surprise::ForeignNotify => "foreign NOTIFY".into(),
            Surprise::Method => "other method".into(),
        };
        self.unexpected.iter().map(|(surprise, count)| (name(surprise), *count)).collect()
    }
}

/// A histogram of times.
pub(crate) struct Times(Histogram<u64>);

impl Default for Times {
    fn default() -> Self {
        let histogram = Histogram::new_with_bounds(1_000, LONGEST, 3);
        Self(histogram.expect("the bounds are a factor of two apart and three digits are allowed"))
    }
}

impl Times {
    pub(crate) fn add(&mut self, time: Nanos) {
        self.0.saturating_record(time);
    }

    pub(crate) fn percentiles(&self) -> Latency {
        if self.0.is_empty() {
            return Latency::default();
        }
        let at = |quantile| milliseconds(self.0.value_at_quantile(quantile));
        Latency {
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p999: at(0.999),
            max: milliseconds(self.0.max()),
        }
    }

    pub(crate) fn curve(&self) -> Vec<Point> {
        if self.0.is_empty() {
            return Vec::new();
        }
        let at = |percent: &f64| {
            let time = self.0.value_at_quantile(percent / 100.0).min(self.0.max());
            Point { percent: *percent, ms: milliseconds(time) }
        };
        CURVE.iter().map(at).collect()
    }
}

/// Nanoseconds as milliseconds, to the microsecond.
pub(crate) fn milliseconds(time: Nanos) -> f64 {
    (time as f64 / 1e3).round() / 1e3
}
