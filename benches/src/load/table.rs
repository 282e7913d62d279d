//! The report for people: lines of text.

use super::report::{FanOut, Latency, Mode, Report};
use std::fmt::Write as _;

/// Writes into a text, which never fails.
macro_rules! put {
    ($out:expr, $($arguments:tt)*) => {
        let _ = writeln!($out, $($arguments)*);
    };
}

/// All of a report but its curve.
pub(crate) fn of(report: &Report) -> String {
    let mut out = String::new();
    let mode = match report.mode {
        Mode::Closed(most) => format!("{most} at a time"),
        Mode::Open(rate) => format!("{rate} a second"),
    };
    put!(out, "{} against {}, {mode}", report.scenario, report.target);
    let (operations, seconds) = (report.operations, report.seconds);
    put!(out, "  operations    {operations} in {seconds} s: {} a second", report.rate);
    put!(out, "  latency, ms   {}", percentiles(&report.latency_ms));
    let (sent, received) = (report.sent, report.received);
    put!(
        out,
        "  sent          {} requests, {} again, {} answers",
        sent.requests,
        sent.retransmissions,
        sent.answers
    );
    put!(
        out,
        "  received      {} answers, {} challenges among them, {} NOTIFY, {} MESSAGE, {} again",
        received.answers,
        received.challenges,
        received.notifies,
        received.messages,
        received.repeated
    );
    losses(&mut out, report);
    costs(&mut out, report);
    for level in &report.fan_out {
        fan_out(&mut out, level);
    }
    out
}

fn losses(out: &mut String, report: &Report) {
    let Report { timeouts, late, not_begun, .. } = report;
    put!(out, "  not in time   {timeouts} given up, {late} late, {not_begun} not begun");
    let theirs = report.server.as_ref().map_or(0, |server| server.dropped);
    if theirs + report.received.dropped > 0 {
        let ours = report.received.dropped;
        put!(out, "  no room       {theirs} datagrams at the server, {ours} here");
    }
    for (what, count) in &report.unexpected {
        put!(out, "  unexpected    {what}: {count}");
    }
}

fn costs(out: &mut String, report: &Report) {
    if let Some(server) = &report.server {
        put!(
            out,
            "  server        {} µs of CPU an operation ({} user, {} system), {} cores",
            server.cpu_us_per_operation,
            server.user_us,
            server.system_us,
            server.cores
        );
        let pss = server.pss_kib;
        put!(
            out,
            "  memory, KiB   {} before, {} after, {} at most",
            pss.before,
            pss.after,
            pss.peak
        );
    }
    let generator = &report.generator;
    put!(
        out,
        "  generator     {} µs of CPU an operation, {:.0} % of its core{}",
        generator.cpu_us_per_operation,
        generator.busy * 100.0,
        if generator.is_bottleneck { ": IT IS THE BOTTLENECK" } else { "" }
    );
}

fn fan_out(out: &mut String, level: &FanOut) {
    let FanOut { watchers, publications, notifies, missing, .. } = level;
    put!(
        out,
        "  to {watchers} watchers: {publications} publications, {notifies} NOTIFYs, {missing} missing"
    );
    put!(out, "    answered, ms   {}", percentiles(&level.answer_ms));
    if *watchers > 0 {
        put!(out, "    first, ms      {}", percentiles(&level.first_ms));
        put!(out, "    last, ms       {}", percentiles(&level.last_ms));
        let (cpu, own) = (level.cpu_us_per_notify, level.generator_us_per_notify);
        put!(out, "    CPU, µs        {cpu:.3} of the server a NOTIFY, {own:.3} of the generator");
    }
    put!(out, "    CPU, µs        {:.3} of the server a PUBLISH", level.cpu_us_per_publication);
}

fn percentiles(latency: &Latency) -> String {
    let Latency { p50, p90, p99, p999, max } = latency;
    format!("p50 {p50}, p90 {p90}, p99 {p99}, p99.9 {p999}, most {max}")
}
