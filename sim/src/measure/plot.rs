//! The figures as pictures: SVG that reads well on light and on dark ground.

use super::price::Way;
use super::{Case, Cell, Delays, Measurement, Price};
use presently::picture::{BLUE, ORANGE, PURPLE};
use presently::put;
use std::fmt::Write as _;

/// What the sum of delays predicts, on light ground and on dark.
const PREDICTED: (&str, &str) = (
    ".predicted { fill: none; stroke: #57606a; stroke-width: 1.5; stroke-dasharray: 5 3; }\n",
    ".predicted { stroke: #9198a1; }\n",
);

const LEFT: f64 = 56.0;
const PANEL: f64 = 360.0;
const GAP: f64 = 24.0;
const TOP: f64 = 96.0;
const HEIGHT: f64 = 340.0;
/// Between two losses of one case.
const APART: f64 = 13.0;
/// Moments that have a line, ms.
const MARKS: [u64; 9] = [10, 20, 50, 100, 200, 500, 1000, 2000, 5000];

/// From the press until the first packet is there: a panel for each network.
pub fn latency(measurement: &Measurement) -> String {
    let mut sets: Vec<Delays> = Vec::new();
    let mut losses: Vec<u32> = Vec::new();
    for cell in &measurement.cells {
        if !sets.contains(&cell.kind.delays) {
            sets.push(cell.kind.delays);
        }
        if !losses.contains(&cell.kind.loss) {
            losses.push(cell.kind.loss);
        }
    }
    let width = LEFT + sets.len() as f64 * (PANEL + GAP);
    let mut out =
        open(width, TOP + HEIGHT + 60.0, "From the press to the first packet at the callee");
    legend(&mut out, &losses);
    for (number, delays) in sets.iter().enumerate() {
        let left = LEFT + number as f64 * (PANEL + GAP);
        let of_set = measurement.cells.iter().filter(|cell| cell.kind.delays == *delays);
        panel(&mut out, left, *delays, &of_set.collect::<Vec<_>>(), &losses);
        if number == 0 {
            for mark in MARKS {
                let (x, y) = (left - 8.0, height_of(mark) + 4.0);
                left_of(&mut out, x, y, mark as usize);
            }
        }
    }
    out + "</svg>\n"
}

fn open(width: f64, height: f64, title: &str) -> String {
    presently::picture::open((width, height), title, &[BLUE, PURPLE, ORANGE], PREDICTED)
}

fn legend(out: &mut String, losses: &[u32]) {
    put!(out, "<text class=\"quiet\" x=\"16\" y=\"48\">ms, logarithmic</text>");
    let mut x = 140.0;
    for (series, loss) in losses.iter().enumerate() {
        put!(out, "<circle class=\"d{series}\" cx=\"{x:.0}\" cy=\"44\" r=\"4\"/>");
        put!(out, "<text x=\"{:.0}\" y=\"48\">{loss} % loss</text>", x + 9.0);
        x += 84.0;
    }
    put!(
        out,
        "<line class=\"predicted\" x1=\"{x:.0}\" x2=\"{:.0}\" y1=\"44\" y2=\"44\"/>",
        x + 26.0
    );
    put!(out, "<text x=\"{:.0}\" y=\"48\">predicted, without loss</text>", x + 32.0);
    put!(
        out,
        "<text class=\"quiet\" x=\"{:.0}\" y=\"48\">dot p50, wide mark p95, narrow mark p99</text>",
        x + 180.0
    );
}

/// Where a time is drawn.
fn height_of(ms: u64) -> f64 {
    let (low, high) = ((MARKS[0] as f64).log10(), (MARKS[MARKS.len() - 1] as f64).log10());
    let share = ((ms.max(1) as f64).log10() - low) / (high - low);
    TOP + HEIGHT * (1.0 - share.clamp(0.0, 1.0))
}

fn panel(out: &mut String, left: f64, delays: Delays, cells: &[&Cell], losses: &[u32]) {
    let right = left + PANEL;
    put!(
        out,
        "<text class=\"title\" x=\"{left:.0}\" y=\"{:.0}\">{} ms</text>",
        TOP - 16.0,
        delays.name()
    );
    for mark in MARKS {
        let y = height_of(mark);
        put!(
            out,
            "<line class=\"grid\" x1=\"{left:.0}\" x2=\"{right:.0}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>"
        );
    }
    let mut cases: Vec<Case> = Vec::new();
    for cell in cells {
        if !cases.contains(&cell.kind.case) {
            cases.push(cell.kind.case);
        }
    }
    let step = PANEL / cases.len().max(1) as f64;
    let mut line = String::new();
    for (number, case) in cases.iter().enumerate() {
        let (from, middle) = (left + number as f64 * step, left + (number as f64 + 0.5) * step);
        name(out, middle, *case);
        for cell in cells.iter().filter(|cell| cell.kind.case == *case) {
            let Some(series) = losses.iter().position(|loss| *loss == cell.kind.loss) else {
                continue;
            };
            let shift = series as f64 - (losses.len() as f64 - 1.0) / 2.0;
            bar(out, middle + APART * shift, series, cell);
            if series == 0 {
                let (y, verb) = (height_of(cell.predicted), if number == 0 { 'M' } else { 'L' });
                let _ = write!(line, "{verb}{from:.1} {y:.1} H{:.1} ", from + step);
            }
        }
    }
    put!(out, "<path class=\"predicted\" d=\"{}\"/>", line.trim_end());
}

/// What a case is called, in up to three lines.
fn name(out: &mut String, x: f64, case: Case) {
    for (line, word) in case.name().split(", ").enumerate() {
        let y = TOP + HEIGHT + 18.0 + 15.0 * line as f64;
        put!(out, "<text x=\"{x:.1}\" y=\"{y:.0}\" text-anchor=\"middle\">{word}</text>");
    }
}

/// p50, p95 and p99 of one kind of call.
fn bar(out: &mut String, x: f64, series: usize, cell: &Cell) {
    let Some(p50) = cell.arrived.p50 else { return };
    let y = height_of(p50);
    let mut mark = |time: Option<u64>, half: f64| {
        let Some(time) = time else { return };
        let to = height_of(time);
        put!(
            out,
            "<path class=\"line s{series}\" d=\"M{x:.1} {y:.1} V{to:.1} M{:.1} {to:.1} h{:.1}\"/>",
            x - half,
            2.0 * half
        );
    };
    mark(cell.arrived.p95, 6.0);
    mark(cell.arrived.p99, 3.0);
    put!(out, "<circle class=\"d{series}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\"/>");
}

const WIDE: f64 = 560.0;
/// Between two lines of the grid, messages.
const EVERY: usize = 20;

/// Messages of a call by the number of watchers.
pub fn messages(measurement: &Measurement) -> String {
    let prices = &measurement.prices;
    let most = |of: fn(&Price) -> usize| prices.iter().map(of).max().unwrap_or(0).max(1);
    let top = most(|price| price.sip).next_multiple_of(EVERY);
    let axes = Axes { watchers: most(|price| price.watchers), top };
    let mut out = open(LEFT + WIDE + 190.0, TOP + HEIGHT + 60.0, "SIP messages of one call");
    let what = "datagrams, answers included, from the press until all is quiet after the end";
    put!(out, "<text class=\"quiet\" x=\"16\" y=\"48\">{what}</text>");
    axes.draw_messages(&mut out);
    let (from, to) = (axes.place(0, 0), axes.place(axes.watchers, 4 * axes.watchers));
    put!(
        out,
        "<path class=\"predicted\" d=\"M{:.1} {:.1} L{:.1} {:.1}\"/>",
        from.0,
        from.1,
        to.0,
        to.1
    );
    let (x, y) = (to.0 + 10.0, to.1 + 11.0);
    put!(out, "<text class=\"quiet\" x=\"{x:.1}\" y=\"{y:.1}\">4·W, predicted</text>");
    for (series, way) in Way::ALL.iter().enumerate() {
        let of_way = prices.iter().filter(|price| price.way == *way);
        let points: Vec<(f64, f64)> =
            of_way.map(|price| axes.place(price.watchers, price.sip)).collect();
        let line: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1} {y:.1}")).collect();
        put!(out, "<path class=\"line s{series}\" d=\"M{}\"/>", line.join(" L"));
        for (x, y) in &points {
            put!(out, "<circle class=\"d{series}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\"/>");
        }
        if let Some((x, y)) = points.last() {
            // A line that ends close by has its name below its end.
            put!(out, "<text x=\"{:.1}\" y=\"{:.1}\">{}</text>", x + 10.0, y - 2.0, way.name());
        }
    }
    axes.draw_watchers(&mut out, prices);
    out + "</svg>\n"
}

/// How far the axes go: watchers to the right, messages up.
struct Axes {
    watchers: usize,
    top: usize,
}

impl Axes {
    fn place(&self, watchers: usize, sip: usize) -> (f64, f64) {
        let x = LEFT + WIDE * watchers as f64 / self.watchers as f64;
        (x, TOP + HEIGHT * (1.0 - sip as f64 / self.top as f64))
    }

    fn draw_messages(&self, out: &mut String) {
        let right = LEFT + WIDE;
        for mark in (0..=self.top).step_by(EVERY) {
            let (_, y) = self.place(0, mark);
            put!(
                out,
                "<line class=\"grid\" x1=\"{LEFT:.0}\" x2=\"{right:.0}\" y1=\"{y:.1}\" \
                 y2=\"{y:.1}\"/>"
            );
            left_of(out, LEFT - 8.0, y + 4.0, mark);
        }
    }

    fn draw_watchers(&self, out: &mut String, prices: &[Price]) {
        let mut shown: Vec<usize> = prices.iter().map(|price| price.watchers).collect();
        shown.sort_unstable();
        shown.dedup();
        for number in shown {
            let ((x, _), y) = (self.place(number, 0), TOP + HEIGHT + 18.0);
            put!(out, "<text x=\"{x:.1}\" y=\"{y:.0}\" text-anchor=\"middle\">{number}</text>");
        }
        let (x, y) = (LEFT + WIDE / 2.0, TOP + HEIGHT + 40.0);
        let name = "approved watchers of the callee, W";
        put!(
            out,
            "<text class=\"quiet\" x=\"{x:.0}\" y=\"{y:.0}\" text-anchor=\"middle\">{name}</text>"
        );
    }
}

/// What a line of the grid stands for.
fn left_of(out: &mut String, x: f64, y: f64, mark: usize) {
    let end = "text-anchor=\"end\"";
    put!(out, "<text class=\"quiet\" x=\"{x:.0}\" y=\"{y:.1}\" {end}>{mark}</text>");
}
