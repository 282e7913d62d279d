//! The report as a picture: how many operations took how long, or how a fan-out grows with its
//! watchers. SVG that reads well on light and on dark ground.

use super::report::{FanOut, Point, Report};
use presently::picture::{self, BLUE, PURPLE, curve};
use presently::put;

const LEFT: f64 = 64.0;
const TOP: f64 = 76.0;
const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 320.0;
/// Radius of a dot.
const DOT: f64 = 3.0;

/// Places on the axis of percentiles: each is ten times closer to all than the one before.
const PERCENTS: [(f64, &str); 7] = [
    (0.0, "0 %"),
    (50.0, "50 %"),
    (90.0, "90 %"),
    (99.0, "99 %"),
    (99.9, "99.9 %"),
    (99.99, "99.99 %"),
    (100.0, "all"),
];

/// The picture of a report.
pub fn of(report: &Report) -> String {
    let title = format!("{} against {}", report.scenario, report.target);
    let size = (LEFT + WIDTH + 96.0, TOP + HEIGHT + 56.0);
    let mut out = picture::open(size, &title, &[BLUE, PURPLE], ("", ""));
    let (rate, operations) = (report.rate, report.operations);
    let what = match report.fan_out.is_empty() {
        true => format!("{operations} operations, {rate:.0} a second: latency in ms, logarithmic"),
        false => "last NOTIFY after PUBLISH, p50 and p99 in ms, both axes logarithmic".into(),
    };
    put!(out, "<text class=\"quiet\" x=\"16\" y=\"48\">{what}</text>");
    match report.fan_out.is_empty() {
        true => latency(&mut out, &report.curve),
        false => fan_out(&mut out, &report.fan_out),
    }
    out + "</svg>\n"
}

/// Milliseconds upwards, in powers of ten around what there is to show.
struct Scale {
    low: f64,
    high: f64,
}

impl Scale {
    fn of(values: impl Iterator<Item = f64>) -> Self {
        let power = values.filter(|ms| *ms > 0.0).map(f64::log10);
        let (low, high) = power.fold((f64::MAX, f64::MIN), |(low, high), power| {
            (low.min(power.floor()), high.max(power.ceil()))
        });
        // Nothing to show is shown on a scale all the same.
        if low > high {
            Self { low: -1.0, high: 1.0 }
        } else {
            Self { low, high: high.max(low + 1.0) }
        }
    }

    fn y(&self, ms: f64) -> f64 {
        let power = ms.max(1e-6).log10();
        TOP + HEIGHT * (1.0 - ((power - self.low) / (self.high - self.low)).clamp(0.0, 1.0))
    }

    fn draw(&self, out: &mut String) {
        let right = LEFT + WIDTH;
        for power in self.low as i32..=self.high as i32 {
            let ms = 10_f64.powi(power);
            let y = self.y(ms);
            put!(
                out,
                "<line class=\"grid\" x1=\"{LEFT:.0}\" x2=\"{right:.0}\" y1=\"{y:.1}\" \
                 y2=\"{y:.1}\"/>"
            );
            let (x, y) = (LEFT - 8.0, y + 4.0);
            put!(
                out,
                "<text class=\"quiet\" x=\"{x:.0}\" y=\"{y:.1}\" text-anchor=\"end\">{ms}</text>"
            );
        }
    }
}

fn latency(out: &mut String, told: &[Point]) {
    let scale = Scale::of(told.iter().map(|point| point.ms));
    scale.draw(out);
    for (percent, name) in PERCENTS {
        below(out, place(percent), name);
    }
    let points: Vec<(f64, f64)> =
        told.iter().map(|point| (place(point.percent), scale.y(point.ms))).collect();
    curve(out, 0, &points, DOT);
}

/// Where a percentile stands.
fn place(percent: f64) -> f64 {
    let left_over = (100.0 - percent).max(0.001);
    LEFT + WIDTH * (2.0 - left_over.log10()) / 5.0
}

fn fan_out(out: &mut String, levels: &[FanOut]) {
    let told: Vec<&FanOut> = levels.iter().filter(|level| level.watchers > 0).collect();
    let scale = Scale::of(told.iter().flat_map(|level| [level.last_ms.p50, level.last_ms.p99]));
    scale.draw(out);
    let most = told.iter().map(|level| level.watchers).max().unwrap_or(1).max(10);
    let x =
        |level: &FanOut| LEFT + WIDTH * f64::from(level.watchers).log10() / f64::from(most).log10();
    for level in &told {
        below(out, x(level), &level.watchers.to_string());
    }
    for (series, name) in ["p50", "p99"].into_iter().enumerate() {
        let of = |level: &FanOut| [level.last_ms.p50, level.last_ms.p99][series];
        let points: Vec<(f64, f64)> =
            told.iter().map(|level| (x(level), scale.y(of(level)))).collect();
        curve(out, series, &points, DOT);
        if let Some((x, y)) = points.last() {
            put!(out, "<text x=\"{:.1}\" y=\"{:.1}\">{name}</text>", x + 10.0, y + 4.0);
        }
    }
}

fn below(out: &mut String, x: f64, name: &str) {
    let y = TOP + HEIGHT + 20.0;
    put!(out, "<text x=\"{x:.1}\" y=\"{y:.0}\" text-anchor=\"middle\">{name}</text>");
}
