//! The figures as text: for a terminal, and as Markdown.

use super::{Cell, Measurement, Price, Spread, prediction};
use std::fmt::Write as _;

/// What the columns mean.
const LEGEND: &str = "\
Times are ms from the press of the button, as p50 / p95 / p99 of all calls of a kind, in virtual
time. sent: the first RTP packet left the caller. arrived: the first one that was not lost was at
the callee. played: the callee played it; the playout holds the first packet back for 20 ms, one
frame. predicted: arrived by behaviour §6.11, without loss. off: how far p50 of arrived is from it.
never: calls in which nothing was played within 64 s.
";

const PRICES: &str = "\
Messages of one call of 30 s and its end, without loss: datagrams, answers included. predicted: 4
for each watcher (one NOTIFY when the offer becomes busy and one when it is ready again, each with
its answer) and 4 for the two PUBLISH; §6.11 has the former alone. Checks (consent, every 5 s) and
RTCP go between the two directly.
";

/// A table: the heading, and the cells of all rows.
struct Table {
    head: Vec<String>,
    rows: Vec<Vec<String>>,
}

/// For a terminal.
pub fn text(measurement: &Measurement) -> String {
    let times = times(measurement).aligned();
    let prices = prices(measurement).aligned();
    format!("{}\n{times}\n{LEGEND}\n{prices}\n{PRICES}", title(measurement))
}

/// As Markdown.
pub fn markdown(measurement: &Measurement) -> String {
    let (times, prices) = (times(measurement).piped(), prices(measurement).piped());
    format!(
        "# From the press to the first packet\n\n{}\n\n{times}\n{LEGEND}\n\
         # What a call costs\n\n{prices}\n{PRICES}",
        title(measurement)
    )
}

fn title(measurement: &Measurement) -> String {
    format!("{} calls of each kind, seed {}.", measurement.runs, measurement.seed)
}

fn times(measurement: &Measurement) -> Table {
    let head = ["delays", "call", "loss", "sent", "arrived", "predicted", "off", "played", "never"];
    let rows = measurement.cells.iter().map(|cell| {
        vec![
            cell.kind.delays.name(),
            cell.kind.case.name().to_owned(),
            format!("{} %", cell.kind.loss),
            spread(cell.sent),
            spread(cell.arrived),
            cell.predicted.to_string(),
            off(cell),
            spread(cell.played),
            cell.failed.to_string(),
        ]
    });
    Table { head: head.map(str::to_owned).to_vec(), rows: rows.collect() }
}

fn spread(Spread { p50, p95, p99 }: Spread) -> String {
    let one = |time: Option<u64>| time.map_or_else(|| "–".to_owned(), |ms| ms.to_string());
    format!("{} / {} / {}", one(p50), one(p95), one(p99))
}

fn off(cell: &Cell) -> String {
    let Some(p50) = cell.arrived.p50 else { return "–".to_owned() };
    let off = (p50 as f64 / cell.predicted as f64 - 1.0) * 100.0;
    if off.round() == 0.0 { "0 %".to_owned() } else { format!("{off:+.0} %") }
}

fn prices(measurement: &Measurement) -> Table {
    let head = [
        "call",
        "watchers",
        "SIP messages",
        "INVITE, ACK, BYE",
        "PUBLISH",
        "NOTIFY",
        "predicted",
        "checks",
        "RTCP",
    ];
    let row = |price: &Price| {
        let predicted = match price.way {
            super::price::Way::Direct => prediction::messages(price.watchers).to_string(),
            super::price::Way::Invite | super::price::Way::InviteBesideOffer => "–".to_owned(),
        };
        let counts = [price.sip, price.session, price.publish, price.notify];
        let mut row = vec![price.way.name().to_owned(), price.watchers.to_string()];
        row.extend(counts.iter().map(usize::to_string));
        row.extend([predicted, price.checks.to_string(), price.rtcp.to_string()]);
        row
    };
    let rows = measurement.prices.iter().map(row).collect();
    Table { head: head.map(str::to_owned).to_vec(), rows }
}

impl Table {
    fn widths(&self) -> Vec<usize> {
        let width = |column: usize| {
            let cells = self.rows.iter().chain([&self.head]).filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        (0..self.head.len()).map(width).collect()
    }

    fn aligned(&self) -> String {
        let widths = self.widths();
        let mut out = String::new();
        for row in [&self.head].into_iter().chain(&self.rows) {
            let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
            let line = cells.collect::<Vec<_>>().join("  ");
            let _ = writeln!(out, "{}", line.trim_end());
        }
        out
    }

    fn piped(&self) -> String {
        let mut out = String::new();
        let rule: Vec<String> = self.head.iter().map(|_| "---".to_owned()).collect();
        for row in [&self.head, &rule].into_iter().chain(&self.rows) {
            let _ = writeln!(out, "| {} |", row.join(" | "));
        }
        out
    }
}
