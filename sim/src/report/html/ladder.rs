//! The ladder: one lifeline a party, one row an entry, an arrow a datagram with what became of it.
//!
//! A row is drawn where its datagram was sent. The arrow of one that was overtaken ends below those
//! that overtook it. Devices stand on both sides of the server; words stand beside the device, so
//! that a long way does not carry them off.

mod rows;

use super::super::spans::{Matter, Span};
use super::super::{line, words};
use super::choice::Choice;
use super::text::{escape, put, shorten};
use crate::plan::Party;
use crate::record::{Fate, Record, What};
use presently::facts::{self, user_of};
use presently_engine::message::{Message, Method};
use rows::{Row, Rows, is_overtaken};
use std::net::SocketAddr;

const GUTTER: f64 = 96.0;
const NARROWEST: f64 = 236.0;
const WIDEST: f64 = 430.0;
/// What the page is wide, about; a ladder of many columns is wider.
const PAGE: f64 = 1160.0;
/// Width of a character of the bold line and of the faint one, about.
const LETTER: f64 = 6.6;
const SMALL_LETTER: f64 = 5.6;

/// What everybody is told and what a message is painted like.
struct Ladder<'a> {
    out: &'a mut String,
    record: &'a Record,
    columns: Vec<String>,
    gap: f64,
}

/// Draws the ladder of some entries.
pub(super) fn draw(out: &mut String, record: &Record, choice: &Choice, spans: &[Span]) {
    let columns = columns(record, choice);
    let between = columns.len().saturating_sub(1).max(1) as f64;
    let gap = ((PAGE - GUTTER - 90.0) / between).clamp(NARROWEST, WIDEST);
    let rows = Rows::of(record, &choice.marks);
    let mut ladder = Ladder { out, record, columns, gap };
    ladder.heads();
    let (width, height) = (ladder.width(), rows.height);
    put!(ladder.out, "<svg class=\"ladder\" width=\"{width}\" height=\"{height}\" ");
    put!(ladder.out, "viewBox=\"0 0 {width} {height}\">\n");
    ladder.lifelines(&rows, spans);
    for row in &rows.rows {
        ladder.row(row, &rows);
    }
    put!(ladder.out, "</svg>\n");
}

/// Left devices, server, right devices, and the stranger if one was seen.
fn columns(record: &Record, choice: &Choice) -> Vec<String> {
    let mut names: Vec<String> = choice.devices.iter().map(Party::to_string).collect();
    names.insert(names.len().div_ceil(2), Party::Server.to_string());
    let strange = choice.marks.iter().any(|mark| match &record.entries[*mark].what {
        What::Datagram { from, to, .. } => {
            [from, to].into_iter().any(|address| words::party(*address, record).is_none())
        }
        What::Told { .. } | What::Stream { .. } | What::Step(_) | What::Trouble { .. } => false,
    });
    if strange {
        names.push(words::STRANGER.to_owned());
    }
    names
}

impl Ladder<'_> {
    fn width(&self) -> f64 {
        GUTTER + self.gap * (self.columns.len().saturating_sub(1)) as f64 + 100.0
    }

    fn column(&self, name: &str) -> usize {
        self.columns.iter().position(|column| column == name).unwrap_or(0)
    }

    fn x(&self, column: usize) -> f64 {
        (GUTTER + 30.0 + self.gap * column as f64).round()
    }

    /// The names, in a strip that stays in sight.
    fn heads(&mut self) {
        let width = self.width();
        put!(self.out, "<div class=\"heads\" style=\"width:{width}px\">\n");
        for (index, name) in self.columns.clone().iter().enumerate() {
            let (x, text) = (self.x(index), escape(name));
            let class = if name == "server" { " class=\"server\"" } else { "" };
            put!(
                self.out,
                "<button{class} style=\"left:{x}px\" data-party=\"{index}\">{text}</button>\n"
            );
        }
        put!(self.out, "</div>\n");
    }

    fn lifelines(&mut self, rows: &Rows, spans: &[Span]) {
        let height = rows.height;
        for index in 0..self.columns.len() {
            let x = self.x(index);
            put!(
                self.out,
                "<line class=\"life\" x1=\"{x}\" x2=\"{x}\" y1=\"0\" y2=\"{height}\"/>\n"
            );
        }
        for span in spans {
            let column = match &span.party {
                Some(party) => self.columns.iter().position(|name| *name == party.to_string()),
                None => None,
            };
            if span.party.is_some() && column.is_none() {
                continue;
            }
            let (from, until) = (rows.y_of(span.from_mark), rows.y_of(span.until_mark));
            if until <= from {
                continue;
            }
            let (x, width) = match column {
                Some(column) => (self.x(column) - 5.0, 10.0),
                None => (GUTTER - 26.0, 5.0),
            };
            let idle = span.matter == Matter::Down && span.from_mark == 0;
            let class = if idle { "idle" } else { span.matter.class() };
            put!(
                self.out,
                "<rect class=\"span {class}\" x=\"{x}\" y=\"{from}\" width=\"{width}\" \
                 height=\"{}\"><title>{}</title></rect>\n",
                until - from,
                escape(&span.text)
            );
        }
    }

    fn row(&mut self, row: &Row, rows: &Rows) {
        let entry = &self.record.entries[row.mark];
        if let Some(idle_ms) = row.idle_ms {
            let (y, width) = (row.y - 9.0, self.width());
            put!(
                self.out,
                "<g class=\"idle\"><line x1=\"{GUTTER}\" x2=\"{width}\" y1=\"{y}\" y2=\"{y}\"/>\
                 <text x=\"{}\" y=\"{}\">{} s later</text></g>\n",
                GUTTER - 8.0,
                y + 4.0,
                words::seconds(idle_ms)
            );
        }
        match &entry.what {
            What::Datagram { from, to, bytes, fate } => {
                let message = Message::parse(bytes.clone()).ok();
                self.datagram(row, rows, (*from, *to), message.as_ref(), *fate);
            }
            What::Told { device, event } => {
                let column = self.column(&device.to_string());
                self.note(row, column, "told", &words::told(event));
            }
            What::Stream { device, name, played } => {
                let column = self.column(&device.to_string());
                self.note(row, column, "told", &words::stream(*name, *played));
            }
            What::Step(step) => {
                let (party, text) = words::act(&step.act);
                let class = if words::is_fault(&step.act) { "step fault" } else { "step" };
                match party {
                    Some(party) => self.note(row, self.column(&party.to_string()), class, &text),
                    None => self.band(row, class, &text),
                }
            }
            What::Trouble { party, why } => {
                self.note(row, self.column(&party.to_string()), "step fault", why);
            }
        }
    }

    fn time(&mut self, row: &Row) {
        if let Some(at_ms) = row.time {
            let (x, y, at) = (GUTTER - 34.0, row.y + 12.0, words::seconds(at_ms));
            put!(self.out, "<text class=\"time\" x=\"{x}\" y=\"{y}\">{at}</text>");
        }
    }

    /// Something at one party's lifeline.
    fn note(&mut self, row: &Row, column: usize, class: &str, text: &str) {
        self.time(row);
        let last = column + 1 == self.columns.len();
        let text = shorten(text, (self.gap / SMALL_LETTER) as usize - 6);
        let letter = if class == "told" { SMALL_LETTER + 0.3 } else { LETTER };
        let width = (text.chars().count() as f64 * letter + 16.0).round();
        let x = if last { self.x(column) - width + 8.0 } else { self.x(column) - 8.0 };
        let (y, word) = (row.y + 1.0, row.y + 13.0);
        put!(
            self.out,
            "<g class=\"note {class}\" data-p=\"{column}\"><rect x=\"{x}\" y=\"{y}\" \
             width=\"{width}\" height=\"17\" rx=\"8\"/><text x=\"{}\" y=\"{word}\">{}</text></g>\n",
            x + 8.0,
            escape(&text)
        );
    }

    /// Something that concerns all.
    fn band(&mut self, row: &Row, class: &str, text: &str) {
        self.time(row);
        let (x, y, width) = (GUTTER, row.y + 1.0, self.width() - GUTTER - 20.0);
        put!(
            self.out,
            "<g class=\"note band {class}\"><rect x=\"{x}\" y=\"{y}\" width=\"{width}\" \
             height=\"17\" rx=\"3\"/><text x=\"{}\" y=\"{}\">{}</text></g>\n",
            x + 10.0,
            y + 12.5,
            escape(text)
        );
    }

    fn datagram(
        &mut self,
        row: &Row,
        rows: &Rows,
        ends: (SocketAddr, SocketAddr),
        message: Option<&Message>,
        fate: Fate,
    ) {
        let (from, to) = (words::who(ends.0, self.record), words::who(ends.1, self.record));
        let (from, to) = (self.column(&from), self.column(&to));
        let class = paint(message, fate);
        let mark = row.mark;
        put!(self.out, "<a class=\"m {class}\" href=\"#m{mark}\" data-p=\"{from} {to}\">");
        let line = line::line(&self.record.entries[mark], self.record).unwrap_or_default();
        put!(self.out, "<title>{}</title>", escape(&line));
        self.time(row);
        self.words(row, (from, to), message, fate);
        let down = match fate {
            Fate::Arrives { after_ms, .. } => is_overtaken(self.record, mark, after_ms),
            Fate::Lost | Fate::Cut | Fate::TooLarge | Fate::NobodyThere => None,
        };
        let start = row.y + row.arrow;
        let end = down.map_or(start, |below| rows.y_of(below) + row.arrow + 7.0).max(start);
        self.arrow((self.x(from), start), (self.x(to), end), fate);
        put!(self.out, "</a>\n");
    }

    /// The words over and under an arrow, beside the device.
    fn words(&mut self, row: &Row, ends: (usize, usize), message: Option<&Message>, fate: Fate) {
        let server = self.column("server");
        let device = if ends.0 == server { ends.1 } else { ends.0 };
        // Two gaps are near enough to see which device it is.
        let room = self.gap * device.abs_diff(server).clamp(1, 2) as f64;
        let middle = self.x(device) + if device < server { room / 2.0 } else { -room / 2.0 };
        let (title, more) = title(message);
        let (title, wide) = fitted(&title, room - 20.0, LETTER);
        let (more, wider) = fitted(&more, room - 20.0 - wide, SMALL_LETTER);
        let y = row.y + row.arrow;
        self.veil(middle, y - 16.0, wide + wider);
        let (over, under) = (y - 6.0, y + 13.0);
        put!(self.out, "<text class=\"title\" x=\"{middle}\" y=\"{over}\">{}", escape(&title));
        put!(self.out, "<tspan> {}</tspan></text>", escape(&more));
        if !row.tall {
            return;
        }
        let fate = words::fate(fate).unwrap_or_default();
        let for_fate = (fate.chars().count() + 3) as f64 * SMALL_LETTER;
        let (facts, wide) = fitted(&brief(message), room - 20.0 - for_fate, SMALL_LETTER);
        let gap = if facts.is_empty() || fate.is_empty() { "" } else { " · " };
        let for_fate = if fate.is_empty() { 0.0 } else { for_fate };
        self.veil(middle, y + 3.0, wide + for_fate);
        put!(
            self.out,
            "<text class=\"facts\" x=\"{middle}\" y=\"{under}\">{}\
             <tspan class=\"fate\">{gap}{fate}</tspan></text>",
            escape(&facts)
        );
    }

    /// Hides the lifelines behind words.
    fn veil(&mut self, middle: f64, y: f64, width: f64) {
        let (x, width) = ((middle - width / 2.0 - 3.0).round(), (width + 6.0).round());
        put!(
            self.out,
            "<rect class=\"veil\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"13\"/>"
        );
    }

    /// A whole arrow, or as much of it as there was.
    fn arrow(&mut self, (x1, y1): (f64, f64), (x2, y2): (f64, f64), fate: Fate) {
        let way = match fate {
            Fate::Arrives { .. } => 1.0,
            Fate::NobodyThere => 0.93,
            Fate::Lost => 0.6,
            Fate::Cut => 0.5,
            Fate::TooLarge => 0.1,
        };
        let sign = if x2 > x1 { 1.0 } else { -1.0 };
        // Arrows end at the edge of the lifeline, not on it.
        let (x1, x2) = (x1 + sign, (x1 + (x2 - x1) * way - sign).round());
        put!(self.out, "<line class=\"hit\" x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\"/>");
        put!(self.out, "<path class=\"way\" d=\"M{x1} {y1}L{x2} {y2}\"/>");
        match fate {
            Fate::Arrives { corrupted, .. } => {
                let (bx, by, ty) = (x2 - sign * 8.0, y2 - 4.0, y2 + 4.0);
                put!(self.out, "<path class=\"tip\" d=\"M{x2} {y2}L{bx} {by}L{bx} {ty}z\"/>");
                if corrupted {
                    let (x, y) = (((x1 + x2) / 2.0).round(), (y1 + y2) / 2.0);
                    put!(
                        self.out,
                        "<path class=\"zigzag\" d=\"M{} {y}l4 -5l4 10l4 -10l4 10l4 -5\"/>",
                        x - 10.0
                    );
                }
            }
            Fate::Lost | Fate::Cut | Fate::TooLarge | Fate::NobodyThere => {
                let (left, top) = (x2 - 5.0, y2 - 5.0);
                put!(self.out, "<path class=\"cross\" d=\"M{left} {top}l10 10m0 -10l-10 10\"/>");
            }
        }
    }
}

/// What colour and stroke a message has.
fn paint(message: Option<&Message>, fate: Fate) -> String {
    let kind = match message {
        Some(Message::Request(_)) => "request",
        Some(Message::Response(response)) => match response.status() {
            100..=199 => "trying",
            200..=299 => "success",
            _ => "refusal",
        },
        None => "foreign",
    };
    let fate = match fate {
        Fate::Arrives { copy: true, .. } => " copy",
        Fate::Arrives { corrupted: true, .. } => " corrupted",
        Fate::Arrives { .. } => "",
        Fate::Lost | Fate::Cut | Fate::TooLarge | Fate::NobodyThere => " bad",
    };
    format!("{kind}{fate}")
}

/// The bold words and what follows them.
fn title(message: Option<&Message>) -> (String, String) {
    match message {
        Some(Message::Request(request)) => {
            let whom = match request.method() {
                // The user is in To.
                Method::Register => request.to().map_or("", |to| user_of(to.uri)),
                _ => user_of(request.uri()),
            };
            (request.method_text().to_owned(), whom.to_owned())
        }
        Some(Message::Response(response)) => {
            let method = response.cseq().map_or("", |cseq| cseq.method).to_owned();
            (format!("{} {}", response.status(), response.reason()), method)
        }
        None => ("not SIP".to_owned(), String::new()),
    }
}

/// As much of a text as fits, and how wide that is, about.
fn fitted(text: &str, room: f64, letter: f64) -> (String, f64) {
    let text = shorten(text, (room / letter).max(0.0) as usize);
    let wide = text.chars().count() as f64 * letter;
    (text, wide)
}

/// The facts of a message, without what everybody knows.
fn brief(message: Option<&Message>) -> String {
    let Some(message) = message else { return String::new() };
    let facts: Vec<String> = facts::of(message).iter().map(|fact| shorter(fact)).collect();
    facts.join(" · ")
}

/// A fact in as few letters as say it.
fn shorter(fact: &str) -> String {
    let Some((name, value)) = fact.split_once([':', ' ']) else { return fact.to_owned() };
    let value = value.trim_start();
    match name {
        "Event" => value.strip_prefix("presence.").unwrap_or(value).to_owned(),
        "Subscription-State" => value.replace(";reason=", " "),
        "Expires" => format!("{value} s"),
        "version" => format!("v{value}"),
        "digest" => "digest".to_owned(),
        "SIP-ETag" => format!("etag {}", shorten(value, 7)),
        _ => fact.to_owned(),
    }
}
