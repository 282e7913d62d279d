//! The report for people: lines of text.

use super::report::{FanOut, Idle, Latency, Mode, Overload, Report, Share, Storm, Winfo};
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
        "  received      {} answers, {} challenges among them, {} NOTIFY, {} MESSAGE, {} again, \
         {} overtaken",
        received.answers,
        received.challenges,
        received.notifies,
        received.messages,
        received.repeated,
        received.overtaken
    );
    losses(&mut out, report);
    costs(&mut out, report);
    for level in &report.fan_out {
        fan_out(&mut out, level);
    }
    particulars(&mut out, report);
    out
}

/// What only one scenario has.
fn particulars(out: &mut String, report: &Report) {
    if let Some(idle) = &report.idle {
        let Idle { subscriptions, seconds, cores, pss_kib } = idle;
        put!(
            out,
            "  idle          {subscriptions} subscriptions for {seconds} s: {cores} cores, {pss_kib} KiB"
        );
    }
    if let Some(winfo) = &report.winfo {
        let Winfo { owners, documents, gaps } = winfo;
        put!(out, "  watcherinfo   {documents} documents to {owners} owners, {gaps} skipped");
    }
    if let Some(storm) = &report.storm {
        let Storm { subscriptions, told, missing, away_ms, .. } = storm;
        put!(
            out,
            "  restart       away for {away_ms} ms; of {subscriptions} {told} told, {missing} not"
        );
        let Storm { first_ms, last_ms, most_in_100_ms, .. } = storm;
        put!(
            out,
            "                first after {first_ms} ms, last after {last_ms} ms, \
             {most_in_100_ms} at most in 100 ms"
        );
    }
    if let Some(overload) = &report.overload {
        let Overload { peak, offered, goodput, .. } = overload;
        put!(out, "  overload      {offered} a second offered, {goodput} done, {peak} is the peak");
        for (name, share) in [("refreshes", overload.refreshes), ("newcomers", overload.newcomers)]
        {
            let Share { offered, served, refused, lost, latency_ms } = share;
            put!(
                out,
                "    {name}   {offered} offered: {served} served, {refused} refused, {lost} lost"
            );
            put!(out, "      ms        {}", percentiles(&latency_ms));
        }
        let Overload { with_retry_after, without_retry_after, recovery_seconds, .. } = overload;
        put!(
            out,
            "    503         {with_retry_after} with Retry-After, {without_retry_after} without"
        );
        let again =
            recovery_seconds.map_or("not within a minute".to_owned(), |s| format!("after {s} s"));
        put!(out, "    as usual    {again}");
    }
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
