//! What came out of a run: the JSON that other programs read. Times are milliseconds, costs are
//! microseconds of CPU, memory is KiB.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One run.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Report {
    /// Name on the command line.
    pub scenario: String,
    /// The server.
    pub target: String,
    /// When operations began.
    pub mode: Mode,
    /// Makes the same Call-IDs, tags and branches again.
    pub seed: u64,
    /// Operations that succeeded in the measured time.
    pub operations: u64,
    /// How long was measured.
    pub seconds: f64,
    /// Operations a second.
    pub rate: f64,
    /// Operations that began in the measured time and succeeded after it.
    pub late: u64,
    /// Open loop: operations that were due and could not begin, as nobody was free to do them.
    pub not_begun: u64,
    /// From the moment an operation was due until it was done.
    pub latency_ms: Latency,
    /// The same as a curve.
    pub curve: Vec<Point>,
    /// How it went, every second, and every ten seconds once a hundred are over.
    pub timeline: Vec<Moment>,
    /// What we sent in the measured time and until the last answer to it.
    pub sent: Sent,
    /// What came in the same time.
    pub received: Received,
    /// Operations given up after 32 s.
    pub timeouts: u64,
    /// Final answers that were not the expected 2xx, by status; and what else should not be.
    pub unexpected: BTreeMap<String, u64>,
    /// What it cost the server, where its processes are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<Server>,
    /// What it cost us.
    pub generator: Generator,
    /// `publish`: one entry for each number of watchers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fan_out: Vec<FanOut>,
    /// `hold`: the idle server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idle: Option<Idle>,
    /// `winfo`: what the owners were told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub winfo: Option<Winfo>,
    /// `storm`: what came after the restart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storm: Option<Storm>,
    /// `overload`: who was served.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overload: Option<Overload>,
}

/// When operations began: `{"closed": 64}` or `{"open": 20000.0}`.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// So many were under way at any time.
    Closed(u32),
    /// So many began in a second.
    Open(f64),
}

impl Default for Mode {
    fn default() -> Self {
        Self::Closed(1)
    }
}

/// Percentiles, in milliseconds.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Latency {
    pub p50: f64,
    pub p90: f64,
    pub p99: f64,
    pub p999: f64,
    pub max: f64,
}

/// `percent` of all operations took at most `ms`.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the type says it")]
pub struct Point {
    pub percent: f64,
    pub ms: f64,
}

/// A moment of the measured time.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Moment {
    /// Since the beginning.
    pub seconds: f64,
    /// Operations that have succeeded since the moment before.
    pub operations: u64,
    /// Memory of the server, where it is watched: `hold`, `storm`, `office`, `overload`.
    pub pss_kib: u64,
}

/// What we sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Sent {
    /// Requests, each once; one that is sent again with credentials is two.
    pub requests: u64,
    /// Requests again, for want of an answer (RFC 3261 §17.1.2.2).
    pub retransmissions: u64,
    /// Our answers to NOTIFY and MESSAGE.
    pub answers: u64,
}

/// What came.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Received {
    /// Final answers, each once.
    pub answers: u64,
    /// 401 and 407 that were answered with credentials; they are among the answers.
    pub challenges: u64,
    /// Answers, NOTIFYs and MESSAGEs that had come before: retransmissions of the server, or its
    /// answers to ours.
    pub repeated: u64,
    /// NOTIFYs, each once.
    pub notifies: u64,
    /// NOTIFYs of a subscription that came after a later one of it (RFC 3261 §12.2.2).
    pub overtaken: u64,
    /// Relayed MESSAGEs, each once.
    pub messages: u64,
    /// Datagrams that our own socket had no room for.
    pub dropped: u64,
}

/// What it cost the server.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Server {
    /// Its processes, children included.
    pub pids: Vec<u32>,
    /// CPU of all its threads for one operation.
    pub cpu_us_per_operation: f64,
    /// The part of it outside of the kernel.
    pub user_us: f64,
    /// The part of it in the kernel.
    pub system_us: f64,
    /// Cores it used on average.
    pub cores: f64,
    /// Datagrams that its socket had no room for.
    pub dropped: u64,
    /// Proportional set size of all its processes.
    pub pss_kib: Pss,
}

/// Memory that processes have, what they share divided among them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Pss {
    /// When the measurement began, with everything set up.
    pub before: u64,
    /// When it ended.
    pub after: u64,
    /// The most that was seen; some scenarios look every second ([`Moment`]), others at both ends.
    pub peak: u64,
}

/// What it cost us.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Generator {
    /// Our CPU for one operation.
    pub cpu_us_per_operation: f64,
    /// Share of its core that our thread used.
    pub busy: f64,
    /// Whether the server could have done more, had we asked for it.
    pub is_bottleneck: bool,
}

/// Publications to a number of watchers, one after the other.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct FanOut {
    /// How many watchers there were.
    pub watchers: u32,
    /// How many publications.
    pub publications: u64,
    /// NOTIFYs with the news, each once.
    pub notifies: u64,
    /// Watchers who were not told of a publication within 10 s, added up.
    pub missing: u64,
    /// From PUBLISH to its 200.
    pub answer_ms: Latency,
    /// From PUBLISH to the first NOTIFY.
    pub first_ms: Latency,
    /// From PUBLISH to the last NOTIFY.
    pub last_ms: Latency,
    /// CPU of the server for each NOTIFY, its share of the PUBLISH included.
    pub cpu_us_per_notify: f64,
    /// CPU of the server for each PUBLISH, all its NOTIFYs included.
    pub cpu_us_per_publication: f64,
    /// Our CPU for each NOTIFY.
    pub generator_us_per_notify: f64,
}

/// A server with subscriptions and nothing to do.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Idle {
    /// Subscriptions that are held.
    pub subscriptions: u64,
    /// How long it was watched.
    pub seconds: f64,
    /// Cores it used: 0.005 is half a percent of one.
    pub cores: f64,
    /// Memory at the end of it.
    pub pss_kib: u64,
}

/// What owners were told of watchers who come and go.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Winfo {
    /// Owners with a subscription to presence.winfo.
    pub owners: u32,
    /// Documents they got, each once.
    pub documents: u64,
    /// Documents that were skipped, by the version numbers (RFC 3858 §4.1).
    pub gaps: u64,
}

/// What came after a restart.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Storm {
    /// Subscriptions that there were.
    pub subscriptions: u64,
    /// Subscriptions that were told after the restart.
    pub told: u64,
    /// Subscriptions that were not.
    pub missing: u64,
    /// How long the server did not answer.
    pub away_ms: f64,
    /// From its first datagram to the first NOTIFY.
    pub first_ms: f64,
    /// From its first datagram to the last first NOTIFY of a subscription.
    pub last_ms: f64,
    /// Most NOTIFYs in any tenth of a second.
    pub most_in_100_ms: u64,
}

/// Who was served while the server was asked for too much.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Overload {
    /// What the server was said to carry, operations a second.
    pub peak: f64,
    /// What was offered, operations a second.
    pub offered: f64,
    /// What succeeded, operations a second.
    pub goodput: f64,
    /// Refreshes of established users.
    pub refreshes: Share,
    /// New subscriptions.
    pub newcomers: Share,
    /// 503 that said when to come back.
    pub with_retry_after: u64,
    /// 503 that did not.
    pub without_retry_after: u64,
    /// From the end of the overload until operations are as fast as before; none if they did not
    /// become so within a minute.
    pub recovery_seconds: Option<f64>,
}

/// What became of one kind of operation.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Share {
    /// Begun.
    pub offered: u64,
    /// Answered with 2xx, however late.
    pub served: u64,
    /// How long those took.
    pub latency_ms: Latency,
    /// Answered with anything else.
    pub refused: u64,
    /// Not answered at all.
    pub lost: u64,
}
