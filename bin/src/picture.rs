//! Figures as pictures: what every plot of ours begins with. SVG that reads well on light and on
//! dark ground.

use std::fmt::Write as _;

/// Writes a line into a text, which never fails.
#[macro_export]
macro_rules! put {
    ($out:expr, $($arguments:tt)*) => {{
        use std::fmt::Write as _;
        let _ = writeln!($out, $($arguments)*);
    }};
}

/// A colour on light ground and on dark.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Colour(&'static str, &'static str);

/// Blue.
pub const BLUE: Colour = Colour("#0969da", "#58a6ff");
/// Purple.
pub const PURPLE: Colour = Colour("#8250df", "#bc8cff");
/// Orange.
pub const ORANGE: Colour = Colour("#bc4c00", "#f0883e");
/// Grey, as what is said by the way.
pub const GREY: Colour = Colour("#57606a", "#9198a1");

/// Begins a picture of a width and height with its title. Lines of class `s0`, `s1` … and dots of
/// class `d0`, `d1` … have the colours of `series`; `more` are further rules for light and for dark
/// ground, each with its end of line.
pub fn open(size: (f64, f64), title: &str, series: &[Colour], more: (&str, &str)) -> String {
    let (width, height) = size;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" \
         role=\"img\" aria-label=\"{title}\">\n"
    );
    style(&mut out, series, more);
    put!(out, "<rect class=\"ground\" width=\"100%\" height=\"100%\"/>");
    put!(out, "<text class=\"title\" x=\"16\" y=\"26\">{title}</text>");
    out
}

/// A line through points, and a dot at each.
pub fn curve(out: &mut String, series: usize, points: &[(f64, f64)], radius: f64) {
    let path: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1} {y:.1}")).collect();
    if path.is_empty() {
        return;
    }
    put!(out, "<path class=\"line s{series}\" d=\"M{}\"/>", path.join(" L"));
    for (x, y) in points {
        put!(out, "<circle class=\"d{series}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius}\"/>");
    }
}

/// Colours are given twice, without variables: not every viewer knows those.
fn style(out: &mut String, series: &[Colour], (light, dark): (&str, &str)) {
    *out += "<style>
text { font: 12px system-ui, sans-serif; fill: #1b1f24; }
.title { font-size: 15px; font-weight: 600; }
.quiet { fill: #57606a; }
.ground { fill: #ffffff; }
.grid { stroke: #d8dee4; stroke-width: 1; }
.line { fill: none; stroke-width: 1.5; }
";
    *out += light;
    colours(out, series.iter().map(|colour| colour.0));
    *out += "@media (prefers-color-scheme: dark) {
text { fill: #e6edf3; }
.quiet { fill: #9198a1; }
.ground { fill: #0d1117; }
.grid { stroke: #30363d; }
";
    *out += dark;
    colours(out, series.iter().map(|colour| colour.1));
    *out += "}\n</style>\n";
}

fn colours<'a>(out: &mut String, colours: impl Iterator<Item = &'a str> + Clone) {
    for (class, property) in [("s", "stroke"), ("d", "fill")] {
        for (number, colour) in colours.clone().enumerate() {
            let gap = if number == 0 { "" } else { " " };
            // Writing into a text never fails.
            let _ = write!(out, "{gap}.{class}{number} {{ {property}: {colour}; }}");
        }
        out.push('\n');
    }
}
