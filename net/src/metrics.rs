//! Counters of a running machine, for `/metrics` and for people who ask what it does.

use presently_engine::message::Method;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds `n`.
    pub fn add(&self, n: u64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    /// The present value.
    pub fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Answers by method and status; status 0 stands for no answer.
pub type Answers = BTreeMap<(Method, u16), u64>;

/// What has happened since the start. All shards and listeners share one.
#[derive(Debug, Default)]
pub struct Metrics {
    /// Datagrams received.
    pub datagrams_in: Counter,
    /// Datagrams sent.
    pub datagrams_out: Counter,
    /// Bytes of datagrams received.
    pub bytes_in: Counter,
    /// Bytes of datagrams sent.
    pub bytes_out: Counter,
    /// Datagrams that are no SIP message.
    pub parse_failures: Counter,
    /// Datagrams dropped because the inbox of their shard was full.
    pub inbox_overflow: Counter,
    /// Requests that started something new and were turned away, because there was too much to do.
    pub turned_away: Counter,
    /// Datagrams that a machine refused before they became a request.
    pub refused: Counter,
    /// Failed receives (an ICMP error for an earlier send, mostly).
    pub receive_errors: Counter,
    /// Failed sends.
    pub send_errors: Counter,
    /// Times a driver was late by more than the stall limit (R52).
    pub stalls: Counter,
    /// Batches made durable.
    pub commits: Counter,
    /// Records in them.
    pub records: Counter,
    /// Microseconds spent waiting for commits.
    pub commit_us: Counter,
    longest_commit_us: AtomicU64,
    answered: Mutex<Answers>,
    finished: Mutex<Answers>,
}

impl Metrics {
    /// The longest wait for one commit.
    pub fn longest_commit(&self) -> Duration {
        Duration::from_micros(self.longest_commit_us.load(Ordering::Relaxed))
    }

    /// Requests that we answered.
    pub fn answered(&self) -> Answers {
        lock(&self.answered).clone()
    }

    /// Requests of ours that came to their end.
    pub fn finished(&self) -> Answers {
        lock(&self.finished).clone()
    }

    pub(crate) fn committed(&self, records: usize, took: Duration) {
        let us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.commits.add(1);
        self.records.add(records as u64);
        self.commit_us.add(us);
        self.longest_commit_us.fetch_max(us, Ordering::Relaxed);
    }

    pub(crate) fn count_answered(&self, method: Method, status: u16) {
        *lock(&self.answered).entry((method, status)).or_default() += 1;
    }

    pub(crate) fn count_finished(&self, method: Method, status: Option<u16>) {
        *lock(&self.finished).entry((method, status.unwrap_or(0))).or_default() += 1;
    }

    /// Everything in Prometheus' text format, names starting with `presently_`.
    pub fn to_prometheus(&self) -> String {
        let mut text = String::new();
        for (name, help, counter) in self.counters() {
            head(&mut text, name, "counter", help);
            line(&mut text, name, counter.value());
        }
        let name = "commit_longest_microseconds";
        head(&mut text, name, "gauge", "Longest wait for one commit.");
        line(&mut text, name, self.longest_commit_us.load(Ordering::Relaxed));
        table(&mut text, "requests_answered_total", "Requests answered.", &self.answered());
        table(&mut text, "requests_finished_total", "Own requests finished.", &self.finished());
        text
    }

    fn counters(&self) -> [(&'static str, &'static str, &Counter); 14] {
        [
            ("datagrams_in_total", "Datagrams received.", &self.datagrams_in),
            ("datagrams_out_total", "Datagrams sent.", &self.datagrams_out),
            ("bytes_in_total", "Bytes received.", &self.bytes_in),
            ("bytes_out_total", "Bytes sent.", &self.bytes_out),
            ("parse_failures_total", "Datagrams that are no message.", &self.parse_failures),
            ("inbox_overflow_total", "Datagrams dropped: inbox full.", &self.inbox_overflow),
            ("turned_away_total", "Newcomers turned away: too much to do.", &self.turned_away),
            ("refused_total", "Datagrams refused before a request.", &self.refused),
            ("receive_errors_total", "Failed receives.", &self.receive_errors),
            ("send_errors_total", "Failed sends.", &self.send_errors),
            ("stalls_total", "Late wake-ups of a driver.", &self.stalls),
            ("commits_total", "Batches made durable.", &self.commits),
            ("records_total", "Records made durable.", &self.records),
            ("commit_microseconds_total", "Time spent waiting for commits.", &self.commit_us),
        ]
    }
}

fn head(text: &mut String, name: &str, kind: &str, help: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(text, "# HELP presently_{name} {help}\n# TYPE presently_{name} {kind}");
}

fn line(text: &mut String, name: &str, value: u64) {
    let _ = writeln!(text, "presently_{name} {value}");
}

fn table(text: &mut String, name: &str, help: &str, answers: &Answers) {
    head(text, name, "counter", help);
    for ((method, status), count) in answers {
        let method = match method.as_str() {
            "" => "other",
            known => known,
        };
        let labels = format!("method=\"{method}\",status=\"{status}\"");
        let _ = writeln!(text, "presently_{name}{{{labels}}} {count}");
    }
}

fn lock(answers: &Mutex<Answers>) -> MutexGuard<'_, Answers> {
    // A count is complete before anything can panic.
    answers.lock().unwrap_or_else(PoisonError::into_inner)
}
