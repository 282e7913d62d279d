//! The run at a glance: a lane for the network, the server and every device, over time.

use super::super::spans::{Matter, Span};
use super::super::words;
use super::choice::Choice;
use super::text::{escape, put, shorten};
use crate::judge::Verdict;
use crate::plan::{Act, Party, Plan, Step};
use crate::record::{Fate, Record, What};
use std::collections::BTreeMap;

const WIDTH: f64 = 1160.0;
const NAMES: f64 = 96.0;
const LANE: f64 = 34.0;
const AXIS: f64 = 26.0;
/// Width of a character of a label, about.
const LETTER: f64 = 5.9;

struct Overview<'a> {
    out: &'a mut String,
    record: &'a Record,
    /// Lanes by party; the network is the first, the stranger the last.
    lanes: BTreeMap<Option<Party>, usize>,
    until_ms: u64,
}

/// Draws the overview.
pub(super) fn draw(
    out: &mut String,
    plan: &Plan,
    record: &Record,
    verdicts: &[Verdict],
    (choice, spans): (&Choice, &[Span]),
) {
    let mut lanes = BTreeMap::from([(None, 0)]);
    for party in std::iter::once(&Party::Server).chain(&choice.devices) {
        lanes.insert(Some(party.clone()), lanes.len());
    }
    put!(out, "<section id=\"overview\" class=\"text\">\n<h2>Timeline</h2>\n");
    let until_ms = last_interesting(plan, record);
    let mut overview = Overview { out, record, lanes, until_ms };
    overview.all(verdicts, spans);
    put!(out, "</section>\n");
}

/// The end of the drawing: that of the timeline, or the last thing a user was told.
fn last_interesting(plan: &Plan, record: &Record) -> u64 {
    let told = record.told().map(|(at, ..)| at).last().unwrap_or(0);
    plan.duration_ms.max(told).max(1)
}

impl Overview<'_> {
    fn all(&mut self, verdicts: &[Verdict], spans: &[Span]) {
        let bottom = AXIS + LANE * self.lanes.len() as f64;
        let height = bottom + if verdicts.is_empty() { 4.0 } else { 30.0 };
        put!(self.out, "<svg class=\"overview\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\">\n");
        self.axis(bottom);
        for (party, lane) in self.lanes.clone() {
            let y = AXIS + LANE * lane as f64;
            let name = party.map_or("network".to_owned(), |party| party.to_string());
            put!(self.out, "<line class=\"lane\" x1=\"0\" x2=\"{WIDTH}\" y1=\"{y}\" y2=\"{y}\"/>");
            let (name, middle) = (escape(&shorten(&name, 15)), y + LANE / 2.0 + 4.0);
            put!(self.out, "<text class=\"name\" x=\"0\" y=\"{middle}\">{name}</text>\n");
        }
        for span in spans {
            self.span(span);
        }
        self.traffic();
        self.steps();
        self.verdicts(verdicts, bottom);
        put!(self.out, "</svg>\n");
    }

    fn x(&self, at_ms: u64) -> f64 {
        let share = at_ms.min(self.until_ms) as f64 / self.until_ms as f64;
        round(NAMES + share * (WIDTH - NAMES - 10.0))
    }

    /// The upper edge of a lane, if it is drawn.
    fn y(&self, party: Option<&Party>) -> Option<f64> {
        self.lanes.get(&party.cloned()).map(|lane| AXIS + LANE * *lane as f64)
    }

    fn axis(&mut self, bottom: f64) {
        let step = tick(self.until_ms);
        let mut at = 0;
        while at <= self.until_ms {
            let x = self.x(at);
            put!(
                self.out,
                "<line class=\"grid\" x1=\"{x}\" x2=\"{x}\" y1=\"18\" y2=\"{bottom}\"/>"
            );
            let text = match at % 1000 {
                0 => format!("{} s", at / 1000),
                _ => format!("{} s", at as f64 / 1000.0),
            };
            put!(self.out, "<text class=\"tick\" x=\"{x}\" y=\"12\">{text}</text>\n");
            at += step;
        }
    }

    fn span(&mut self, span: &Span) {
        let (from, until) = (self.x(span.from_ms), self.x(span.until_ms));
        let Some(y) = self.y(span.party.as_ref()).map(|y| y + 2.0) else { return };
        let width = round(until - from);
        // A device that has not started yet is no fault.
        let idle = span.matter == Matter::Down && span.from_mark == 0;
        let class = if idle { "idle" } else { span.matter.class() };
        let (height, text) = (LANE - 4.0, escape(&span.text));
        put!(
            self.out,
            "<rect class=\"span {class}\" x=\"{from}\" y=\"{y}\" width=\"{width}\" \
             height=\"{height}\"><title>{text}</title></rect>\n"
        );
    }

    /// A stroke for each datagram, on the lane of the party that is not the server.
    fn traffic(&mut self) {
        let mut strokes: BTreeMap<(usize, bool), BTreeMap<u64, ()>> = BTreeMap::new();
        for entry in &self.record.entries {
            let What::Datagram { from, to, fate, .. } = &entry.what else { continue };
            if entry.at_ms > self.until_ms {
                continue;
            }
            let ends = [from, to].map(|address| words::party(*address, self.record));
            let party = ends.into_iter().flatten().find(|party| **party != Party::Server);
            let Some(&lane) = self.lanes.get(&party.cloned()) else { continue };
            let arrives = matches!(fate, Fate::Arrives { .. });
            // Tenths of a pixel are fine enough; equal strokes are one.
            let x = (self.x(entry.at_ms) * 2.0) as u64;
            strokes.entry((lane, arrives)).or_default().insert(x, ());
        }
        for ((lane, arrives), places) in strokes {
            let (class, y) = match arrives {
                true => ("flows", AXIS + LANE * lane as f64 + LANE - 8.0),
                false => ("fails", AXIS + LANE * lane as f64 + LANE - 10.0),
            };
            put!(self.out, "<path class=\"{class}\" d=\"");
            for x in places.into_keys() {
                put!(self.out, "M{} {y}v6", x as f64 / 2.0);
            }
            put!(self.out, "\"/>\n");
        }
    }

    /// A dot for each step, with its words where there is room.
    fn steps(&mut self) {
        let mut lanes: BTreeMap<Option<Party>, Vec<(u64, String, bool)>> = BTreeMap::new();
        for entry in &self.record.entries {
            let (party, text, fault) = match &entry.what {
                What::Step(Step { act, .. }) => {
                    let (party, text) = words::act(act);
                    let quiet = matches!(act, Act::Login(_));
                    (party, if quiet { "login".to_owned() } else { text }, words::is_fault(act))
                }
                What::Trouble { party, why } => (Some(party.clone()), why.clone(), true),
                What::Datagram { .. } | What::Told { .. } | What::Stream { .. } => continue,
            };
            lanes.entry(party).or_default().push((entry.at_ms, text, fault));
        }
        for (party, steps) in lanes {
            let Some(y) = self.y(party.as_ref()).map(|y| y + 13.0) else { continue };
            for (index, (at_ms, text, fault)) in steps.iter().enumerate() {
                let next = steps.get(index + 1).map_or(WIDTH, |(next_ms, ..)| self.x(*next_ms));
                let time = format!("{} s", words::seconds(*at_ms));
                self.step((self.x(*at_ms), y), next, &time, text, *fault);
            }
        }
    }

    /// A dot, and as many of its words as there is room for before the next one.
    fn step(&mut self, (x, y): (f64, f64), next: f64, time: &str, text: &str, fault: bool) {
        let class = if fault { "dot fault" } else { "dot" };
        put!(self.out, "<circle class=\"{class}\" cx=\"{x}\" cy=\"{y}\" r=\"4\">");
        put!(self.out, "<title>{time}: {}</title></circle>", escape(text));
        let room = ((next - x - 14.0) / LETTER).clamp(0.0, 60.0) as usize;
        if room > 3 {
            let (x, y, text) = (x + 7.0, y + 4.0, escape(&shorten(text, room)));
            put!(self.out, "<text class=\"word\" x=\"{x}\" y=\"{y}\">{text}</text>");
        }
        put!(self.out, "\n");
    }

    fn verdicts(&mut self, verdicts: &[Verdict], bottom: f64) {
        if verdicts.is_empty() {
            return;
        }
        let y = bottom + 19.0;
        put!(
            self.out,
            "<line class=\"lane\" x1=\"0\" x2=\"{WIDTH}\" y1=\"{bottom}\" y2=\"{bottom}\"/>"
        );
        put!(self.out, "<text class=\"name\" x=\"0\" y=\"{y}\">expected</text>\n");
        for verdict in verdicts {
            let x = self.x(super::super::moment(verdict, self.record));
            let (class, sign) = if verdict.held { ("held", "✓") } else { ("fell", "✗") };
            let outcome = super::super::outcome(verdict);
            let title = escape(&format!("{}: {outcome}", verdict.expectation.text));
            put!(self.out, "<text class=\"sign {class}\" x=\"{x}\" y=\"{y}\">{sign}");
            put!(self.out, "<title>{title}</title></text>\n");
        }
    }
}

/// A distance of ticks that gives at most a dozen of them.
fn tick(until_ms: u64) -> u64 {
    let nice = [100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 30_000, 60_000, 120_000, 300_000];
    nice.into_iter().find(|step| until_ms / step <= 12).unwrap_or_else(|| (until_ms / 12).max(1))
}

/// Two digits behind the point: the same text everywhere, and short.
fn round(number: f64) -> f64 {
    (number * 100.0).round() / 100.0
}
