//! The figures as pictures: SVG that reads well on light and on dark ground.

use super::goal::{Figure, Of};
use super::operation::OPERATIONS;
use super::page::curve;
use super::report::Comparison;
use super::target::Target;
use super::target::Target::{
    Echo, KamailioMemory, KamailioSqlite, PresentlyDurable, PresentlyMemory,
};
use presently::picture::{self, BLUE, Colour, GREY, ORANGE, PURPLE};
use presently::put;

/// The colours of those who are drawn.
const COLOURS: [Colour; 4] = [GREY, ORANGE, BLUE, PURPLE];

/// Who is drawn, and how they are called here.
const SERIES: [(Target, &str); 4] = [
    (KamailioSqlite, "Kamailio, sqlite"),
    (KamailioMemory, "Kamailio, memory"),
    (PresentlyMemory, "ours, --memory"),
    (PresentlyDurable, "ours, durable"),
];

fn open(width: f64, height: f64, title: &str, unit: &str) -> String {
    let mut out = picture::open((width, height), title, &COLOURS, ("", ""));
    put!(out, "<text class=\"quiet\" x=\"16\" y=\"48\">{unit}</text>");
    let mut x = 180.0;
    for (series, (_, name)) in SERIES.iter().enumerate() {
        put!(out, "<circle class=\"d{series}\" cx=\"{x:.0}\" cy=\"44\" r=\"4\"/>");
        put!(out, "<text x=\"{:.0}\" y=\"48\">{name}</text>", x + 9.0);
        x += 145.0;
    }
    out
}

fn label(out: &mut String, (x, y): (f64, f64), class: &str, anchor: &str, text: &str) {
    put!(
        out,
        "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{text}</text>"
    );
}

fn grid(out: &mut String, from: (f64, f64), to: (f64, f64)) {
    put!(
        out,
        "<line class=\"grid\" x1=\"{:.1}\" x2=\"{:.1}\" y1=\"{:.1}\" y2=\"{:.1}\"/>",
        from.0,
        to.0,
        from.1,
        to.1
    );
}

/// A logarithmic axis from one place to another.
struct Axis {
    marks: &'static [f64],
    from: f64,
    to: f64,
}

impl Axis {
    fn place(&self, value: f64) -> f64 {
        let (low, high) = (self.marks[0].log10(), self.marks[self.marks.len() - 1].log10());
        let share = (value.max(1e-9).log10() - low) / (high - low);
        self.from + share.clamp(0.0, 1.0) * (self.to - self.from)
    }
}

const MICROSECONDS: &[f64] = &[1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0];
const MILLISECONDS: &[f64] = &[0.01, 0.1, 1.0, 10.0, 100.0, 1000.0, 10_000.0];
const WATCHERS: &[f64] = &[1.0, 10.0, 100.0, 1000.0, 10_000.0];

const TOP: f64 = 92.0;
const LEFT: f64 = 280.0;
const WIDE: f64 = 480.0;
/// Between two operations.
const STEP: f64 = 26.0;

/// CPU of the server for one operation: a line for each.
pub(crate) fn cpu(comparison: &Comparison) -> String {
    let rows = OPERATIONS.iter().filter(|one| one.is_row() || one.targets.contains(&Echo));
    let rows: Vec<_> = rows.collect();
    let bottom = TOP + STEP * rows.len() as f64;
    let title = "CPU of the server for one operation";
    let mut out = open(LEFT + WIDE + 40.0, bottom + 20.0, title, "µs, logarithmic");
    let axis = Axis { marks: MICROSECONDS, from: LEFT, to: LEFT + WIDE };
    for mark in MICROSECONDS {
        let x = axis.place(*mark);
        grid(&mut out, (x, TOP - 8.0), (x, bottom));
        label(&mut out, (x, TOP - 14.0), "quiet", "middle", &mark.to_string());
    }
    for (number, operation) in rows.iter().enumerate() {
        let y = TOP + STEP * (number as f64 + 0.5);
        label(&mut out, (LEFT - 14.0, y + 4.0), "", "end", operation.title);
        for (series, (target, _)) in SERIES.iter().enumerate() {
            let figure = Figure { operation: operation.name, step: "", of: Of::Cpu };
            let Some(spread) = comparison.figure(*target, figure) else { continue };
            let [x, least, most] =
                [spread.median, spread.least, spread.most].map(|value| axis.place(value));
            put!(out, "<path class=\"line s{series}\" d=\"M{least:.1} {y:.1} H{most:.1}\"/>");
            put!(out, "<circle class=\"d{series}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4.5\"/>");
        }
        let figure = Figure { operation: operation.name, step: "", of: Of::Cpu };
        if let Some(spread) = comparison.figure(Echo, figure) {
            let x = axis.place(spread.median);
            label(&mut out, (x, y + 4.0), "quiet", "middle", "echo");
        }
    }
    out + "</svg>\n"
}

/// What a NOTIFY costs and when the last one is there, by the number of watchers.
pub(crate) fn fan_out(comparison: &Comparison) -> String {
    let title = "PUBLISH to many watchers";
    let mut out = open(760.0, 420.0, title, "both axes logarithmic");
    let cost = (MICROSECONDS, "CPU for each NOTIFY, µs", Of::NotifyCpu as fn(u32) -> Of);
    let last = (MILLISECONDS, "the last NOTIFY after, ms", Of::LastNotify as fn(u32) -> Of);
    for (left, (marks, name, of)) in [(56.0, cost), (430.0, last)] {
        panel(&mut out, comparison, left, marks, name, of);
    }
    out + "</svg>\n"
}

fn panel(
    out: &mut String,
    comparison: &Comparison,
    left: f64,
    marks: &'static [f64],
    name: &str,
    of: fn(u32) -> Of,
) {
    let (right, bottom) = (left + 300.0, 360.0);
    let across = Axis { marks: WATCHERS, from: left + 10.0, to: right - 10.0 };
    let up = Axis { marks, from: bottom, to: TOP + 10.0 };
    label(out, (left, TOP - 6.0), "title", "start", name);
    for mark in marks {
        let y = up.place(*mark);
        grid(out, (left, y), (right, y));
        label(out, (left - 8.0, y + 4.0), "quiet", "end", &mark.to_string());
    }
    for mark in WATCHERS {
        label(out, (across.place(*mark), bottom + 18.0), "", "middle", &mark.to_string());
    }
    let below = (f64::midpoint(left, right), bottom + 40.0);
    label(out, below, "quiet", "middle", "watchers");
    for (series, (target, _)) in SERIES.iter().enumerate() {
        let points = curve(comparison, *target, of);
        let places: Vec<(f64, f64)> = points
            .iter()
            .map(|(watchers, value)| (across.place(f64::from(*watchers)), up.place(*value)))
            .collect();
        picture::curve(out, series, &places, 4.0);
    }
}
