//! The measured time: what was so when it began, and the report of what is different at its end.

use super::Bench;
use crate::load::Nanos;
use crate::load::meter::{self, Usage};
use crate::load::report::{Generator, Pss, Report, Server};
use crate::load::tally::Tally;

/// From here the generator holds the server back, if that has time left.
const FULL: f64 = 0.95;

/// How things were when it began.
pub(crate) struct Window {
    pub(crate) begun: Nanos,
    usage: Usage,
    own_cpu: Nanos,
    pss: u64,
    /// Datagrams without room so far, of the server's socket and of ours.
    dropped: [u64; 2],
}

impl Bench {
    /// Counts from zero from now on.
    pub(crate) fn open_window(&mut self) -> Window {
        self.client.tally = Tally::default();
        let pss = self.meter.pss();
        self.timeline.clear();
        let dropped = self.dropped();
        let (usage, own_cpu) = (self.meter.usage(), meter::own_cpu());
        let begun = self.now();
        (self.begun, self.last_done) = (begun, begun);
        Window { begun, usage, own_cpu, pss, dropped }
    }

    /// What the time until now has brought and cost.
    pub(crate) fn close_window(&mut self, window: &Window) -> Report {
        let used = self.meter.usage().since(window.usage);
        let own = meter::own_cpu() - window.own_cpu;
        let elapsed = (self.now() - window.begun) as f64;
        let operations = self.client.tally.done;
        // What is counted ends with its last operation; what is timed, when time is over.
        let is_timed = self.client.outstanding() > 0;
        let counted = self.last_done.saturating_sub(window.begun) as f64;
        let lasted = if is_timed || counted == 0.0 { elapsed } else { counted };
        let pss = self.meter.pss();
        let timeline = std::mem::take(&mut self.timeline);
        let seen = timeline.iter().map(|moment| moment.pss_kib).chain([window.pss, pss]);
        let peak = seen.max().unwrap_or(0);
        let each = |nanos: f64| rounded(nanos / 1e3 / operations.max(1) as f64);
        let cores = used.cpu as f64 / elapsed;
        let busy = own as f64 / elapsed;
        let system = used.cpu as f64 * used.system_share();
        let server = Server {
            pids: self.meter.pids.clone(),
            cpu_us_per_operation: each(used.cpu as f64),
            user_us: each(used.cpu as f64 - system),
            system_us: each(system),
            // An idle server is judged by thousandths.
            cores: (cores * 1e6).round() / 1e6,
            dropped: 0,
            pss_kib: Pss { before: window.pss, after: pss, peak },
        };
        let is_watched = !self.meter.pids.is_empty();
        Report {
            scenario: self.options.scenario.name(),
            target: self.options.target.to_string(),
            seed: self.client.house.run.into(),
            operations,
            seconds: rounded(lasted / 1e9),
            rate: rounded(operations as f64 / (lasted / 1e9)),
            timeline,
            server: is_watched.then_some(server),
            generator: Generator {
                cpu_us_per_operation: each(own as f64),
                busy: rounded(busy),
                is_bottleneck: busy >= FULL && !(is_watched && cores >= FULL * (machine() - busy)),
            },
            ..Report::default()
        }
    }

    /// Adds what is known only when the last operation has ended.
    pub(crate) fn complete(&mut self, window: &Window, report: &mut Report) {
        let dropped = self.dropped();
        let tally = &self.client.tally;
        report.late = tally.done - report.operations;
        report.latency_ms = tally.times.percentiles();
        report.curve = tally.times.curve();
        report.sent = tally.sent;
        report.received = tally.received;
        report.received.dropped = dropped[1].saturating_sub(window.dropped[1]);
        if let Some(server) = &mut report.server {
            server.dropped = dropped[0].saturating_sub(window.dropped[0]);
        }
        report.timeouts = tally.timeouts;
        report.unexpected = tally.surprises();
    }

    fn dropped(&self) -> [u64; 2] {
        let own = self.line.address().map_or(0, meter::dropped);
        [meter::dropped(self.options.target), own]
    }
}

/// The cores of this machine.
fn machine() -> f64 {
    std::thread::available_parallelism().map_or(1.0, |cores| cores.get() as f64)
}

/// To three places, which is more than is certain.
pub(crate) fn rounded(number: f64) -> f64 {
    if number.is_finite() { (number * 1e3).round() / 1e3 } else { 0.0 }
}
