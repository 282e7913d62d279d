//! A scene as SVG: a SIP ladder whose arrows are the real messages, and beside it where everybody
//! stands at its end.

mod panel;

use super::scene::{Arrow, Fate, Kind, Row, Scene, Step};
use crate::world::{Action, Serves, Village, World};
use std::fmt::Write;

/// From one lifeline to the next, and from the edge to the first.
const SPAN: usize = 290;
const EDGE: usize = 90;
/// Heights: names, a step's heading, a letter that leaves, one that ends, a note.
const NAMES: usize = 64;
const HEADING: usize = 30;
const LEAVES: usize = 44;
const ENDS: usize = 24;
const NOTE: usize = 20;
/// Width of what stands beside the ladder.
const PANEL: usize = 380;

const STYLE: &str = "\
.sip { font: 13px system-ui, 'DejaVu Sans', sans-serif; fill: #1e293b; }
.sip .name { font-weight: 600; font-size: 14px; fill: #fff; text-anchor: middle; }
.sip .life { stroke: #94a3b8; stroke-width: 2; }
.sip .halo { paint-order: stroke; stroke: #fff; stroke-width: 4px; stroke-linejoin: round; }
.sip .step { font-weight: 600; }
.sip .time { fill: #64748b; font-size: 11px; text-anchor: end; }
.sip .title { font-weight: 600; font-size: 12.5px; }
.sip .facts { font-size: 11.5px; fill: #475569; }
.sip .note { font-size: 12px; fill: #334155; font-style: italic; }
.sip .arrow { stroke-width: 2; fill: none; }
.sip .away { stroke-dasharray: 6 5; }
.sip .request { stroke: #2563eb; color: #2563eb; } .sip .request.t { stroke: #fff; fill: #1d4ed8; }
.sip .notify { stroke: #7c3aed; color: #7c3aed; } .sip .notify.t { stroke: #fff; fill: #6d28d9; }
.sip .success { stroke: #15803d; color: #15803d; } .sip .success.t { stroke: #fff; fill: #166534; }
.sip .refusal { stroke: #c2410c; color: #c2410c; } .sip .refusal.t { stroke: #fff; fill: #9a3412; }
.sip .row { font-size: 12px; }
.sip .who { font-weight: 600; }
";

impl<S: Serves> Village<S> {
    /// A path as SVG; every state but the last with the action that follows it.
    pub(crate) fn svg(&self, path: &[(&World<S>, Option<Action>)]) -> String {
        Scene::new(self, path).svg()
    }
}

/// Where an arrow begins or ends.
type Point = (usize, usize);
/// Where an arrow begins, and where it ends if it does.
type Ends = (Point, Option<Point>);

impl Scene {
    /// The whole picture.
    pub(super) fn svg(&self) -> String {
        let ladder = EDGE * 2 + SPAN * self.people.len().saturating_sub(1);
        let (steps, ends, bottom) = self.places();
        let (panel, panel_height) = self.panel(ladder + 10, NAMES - 44);
        let (width, height) = (ladder + PANEL + 30, (bottom + 40).max(panel_height + 40));
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"sip\" viewBox=\"0 0 {width} {height}\" \
             width=\"{width}\" style=\"max-width:100%;height:auto\" role=\"img\">\
             <style>{STYLE}</style>{HEADS}\
             <rect width=\"{width}\" height=\"{height}\" rx=\"10\" fill=\"#fff\"/>"
        );
        self.bands(&mut svg, &steps, ladder);
        self.lifelines(&mut svg, bottom + 20);
        for (arrow, (from, to)) in self.arrows.iter().zip(&ends) {
            stroke(&mut svg, arrow, *from, *to);
        }
        self.words(&mut svg, &steps, ladder);
        svg.push_str(&panel);
        svg.push_str("</svg>");
        svg
    }

    fn x(column: usize) -> usize {
        EDGE + column * SPAN
    }

    /// Tops of the steps, both ends of every arrow, and the bottom of all.
    fn places(&self) -> (Vec<usize>, Vec<Ends>, usize) {
        let mut y = NAMES;
        let mut steps = Vec::new();
        let mut ends: Vec<Ends> =
            self.arrows.iter().map(|arrow| ((Self::x(arrow.from), 0), None)).collect();
        for step in &self.steps {
            steps.push(y);
            y += HEADING;
            for row in &step.rows {
                let height = height(row);
                y += height;
                match row {
                    Row::Leaves(arrow) => ends[*arrow].0.1 = y - 6,
                    Row::Ends(arrow) => {
                        ends[*arrow].1 = Some((Self::x(self.arrows[*arrow].to), y - 8));
                    }
                    Row::Note(..) => {}
                }
            }
            y += 8;
        }
        for (arrow, (from, to)) in self.arrows.iter().zip(&mut ends) {
            // What arrived in the step that sent it has no row of its own.
            if arrow.fate == Fate::Arrived && to.is_none() {
                *to = Some((Self::x(arrow.to), from.1));
            }
        }
        (steps, ends, y)
    }

    fn bands(&self, svg: &mut String, steps: &[usize], ladder: usize) {
        for (index, (step, top)) in self.steps.iter().zip(steps).enumerate() {
            let fill = band(step, index + 1 == self.steps.len());
            let (width, height) = (ladder - 20, HEADING - 6);
            let _ = write!(
                svg,
                "<rect x=\"10\" y=\"{top}\" width=\"{width}\" height=\"{height}\" rx=\"5\" \
                 fill=\"{fill}\"/>"
            );
        }
    }

    fn lifelines(&self, svg: &mut String, bottom: usize) {
        for (column, name) in self.people.iter().enumerate() {
            let x = Self::x(column);
            let fill = match name.as_str() {
                "server" => "#0f766e",
                "attacker" => "#b91c1c",
                _ => "#334155",
            };
            let _ = write!(
                svg,
                "<line class=\"life\" x1=\"{x}\" y1=\"40\" x2=\"{x}\" y2=\"{bottom}\"/>\
                 <rect x=\"{}\" y=\"14\" width=\"104\" height=\"28\" rx=\"14\" fill=\"{fill}\"/>\
                 <text class=\"name\" x=\"{x}\" y=\"33\">{}</text>",
                x - 52,
                escape(name)
            );
        }
    }

    /// Everything written goes over everything drawn.
    fn words(&self, svg: &mut String, steps: &[usize], ladder: usize) {
        for (index, (step, top)) in self.steps.iter().zip(steps).enumerate() {
            let fill = band(step, index + 1 == self.steps.len());
            heading(svg, index + 1, step, fill, (*top, ladder));
            let mut y = top + HEADING;
            for row in &step.rows {
                match row {
                    Row::Leaves(arrow) => label(svg, &self.arrows[*arrow], y),
                    Row::Ends(_) => {}
                    Row::Note(column, what) => self.note(svg, *column, what, y + 14),
                }
                y += height(row);
            }
        }
    }

    fn note(&self, svg: &mut String, column: usize, what: &str, y: usize) {
        let is_right = column > 1;
        let (x, anchor) =
            if is_right { (Self::x(column) - 12, "end") } else { (Self::x(column) + 12, "start") };
        let _ = write!(
            svg,
            "<circle cx=\"{}\" cy=\"{}\" r=\"3.5\" fill=\"#334155\"/>\
             <text class=\"note halo\" x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\">{}</text>",
            Self::x(column),
            y - 4,
            escape(&shortened(what, 44))
        );
    }
}

/// Arrow heads that take the colour of their line.
const HEADS: &str = "<defs><marker id=\"head\" viewBox=\"0 0 10 10\" refX=\"9\" refY=\"5\" \
    markerWidth=\"7\" markerHeight=\"7\" orient=\"auto-start-reverse\">\
    <path d=\"M0 0 L10 5 L0 10 z\" fill=\"context-stroke\" stroke=\"none\"/></marker></defs>";

fn height(row: &Row) -> usize {
    match row {
        Row::Leaves(_) => LEAVES,
        Row::Ends(_) => ENDS,
        Row::Note(..) => NOTE,
    }
}

fn class(kind: Kind) -> &'static str {
    match kind {
        Kind::Request => "request",
        Kind::Notify => "notify",
        Kind::Success => "success",
        Kind::Refusal => "refusal",
    }
}

/// The line of a letter: down to where it arrived, or part of the way.
fn stroke(svg: &mut String, arrow: &Arrow, from: Point, to: Option<Point>) {
    let there = Scene::x(arrow.to);
    // Percent of the way.
    let part = |percent: usize| (from.0 * (100 - percent) + there * percent) / 100;
    let class = class(arrow.kind);
    let mut line = |x: usize, y: usize, more: &str| {
        let _ = write!(
            svg,
            "<line class=\"arrow {class}{more}\" x1=\"{}\" y1=\"{}\" x2=\"{x}\" y2=\"{y}\"{}>\
             <title>{}</title></line>",
            from.0,
            from.1,
            if more.is_empty() { " marker-end=\"url(#head)\"" } else { "" },
            escape(&arrow.text)
        );
    };
    match (arrow.fate, to) {
        (Fate::Arrived, Some((x, y))) => line(x, y, ""),
        (Fate::Lost, Some((_, y))) => {
            let x = part(60);
            line(x, y, " away");
            let _ = write!(
                svg,
                "<path class=\"arrow\" style=\"stroke:#dc2626;stroke-width:3\" \
                 d=\"M{} {} l12 12 m0 -12 l-12 12\"/>",
                x - 6,
                y.saturating_sub(6)
            );
        }
        (Fate::Again, _) => line(part(20), from.1, " away"),
        _ => {
            let x = part(45);
            line(x, from.1, " away");
            let (left, top) = (x - 9, from.1 - 6);
            let _ = write!(
                svg,
                "<g class=\"{class}\"><rect x=\"{left}\" y=\"{top}\" width=\"18\" height=\"12\" \
                 rx=\"2\" fill=\"#fff\" stroke-width=\"1.6\"/><path fill=\"none\" \
                 stroke-width=\"1.6\" d=\"M{left} {top} l9 7 l9 -7\"/></g>"
            );
        }
    }
}

/// What a letter is and what it says, above its line at the sender.
fn label(svg: &mut String, arrow: &Arrow, y: usize) {
    let is_right = arrow.to > arrow.from;
    let x = Scene::x(arrow.from);
    let (x, anchor) = if is_right { (x + 12, "start") } else { (x - 12, "end") };
    let again = if arrow.fate == Fate::Again { " (again)" } else { "" };
    let _ = write!(
        svg,
        "<text class=\"title halo {} t\" x=\"{x}\" y=\"{}\" text-anchor=\"{anchor}\">{}{again}\
         <title>{}</title></text>\
         <text class=\"facts halo\" x=\"{x}\" y=\"{}\" text-anchor=\"{anchor}\">{}</text>",
        class(arrow.kind),
        y + 16,
        escape(&arrow.title),
        escape(&arrow.text),
        y + 30,
        escape(&shortened(&arrow.facts, 46))
    );
}

/// The colour under a step's heading.
fn band(step: &Step, is_last: bool) -> &'static str {
    match (step.is_trouble, is_last) {
        (true, _) => "#fee2e2",
        (false, true) => "#fef08a",
        (false, false) => "#e8eef5",
    }
}

fn heading(svg: &mut String, number: usize, step: &Step, fill: &str, place: (usize, usize)) {
    let (top, ladder) = place;
    let ink = if step.is_trouble { "#b91c1c" } else { "#334155" };
    let y = top + 17;
    let _ = write!(
        svg,
        "<circle cx=\"24\" cy=\"{}\" r=\"9\" fill=\"{ink}\"/><text x=\"24\" y=\"{}\" fill=\"#fff\" \
         font-size=\"11\" text-anchor=\"middle\">{number}</text>\
         <text class=\"step halo\" x=\"40\" y=\"{y}\" style=\"fill:{ink};stroke:{fill}\">{}</text>\
         <text class=\"time\" x=\"{}\" y=\"{y}\">{:.3} s</text>",
        top + 12,
        top + 16,
        escape(&step.says),
        ladder - 18,
        step.seconds
    );
}

/// At most so many characters.
fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most - 1).chain(['…']).collect()
}

/// Text for XML.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for it in text.chars() {
        match it {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '"' => escaped.push_str("&quot;"),
            it => escaped.push(it),
        }
    }
    escaped
}

#[cfg(test)]
mod tests;
