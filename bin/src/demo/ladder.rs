//! The picture: three columns, an arrow a message, its facts on the other side.

use crate::facts;
use presently_engine::message::Message;
use presently_net::{Direction, Seen};
use std::net::SocketAddr;

/// Width between two columns.
const SPAN: usize = 47;

/// Which side of the server somebody stands on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Side {
    Left,
    Right,
}

/// Draws what passes the server's sockets.
#[derive(Debug)]
pub(super) struct Ladder {
    colour: bool,
    /// Who is who, by address.
    people: Vec<(SocketAddr, &'static str, Side)>,
    /// Milliseconds since the Unix epoch at which the picture begins.
    begun: Option<u64>,
}

/// Colours of a terminal (ECMA-48).
#[derive(Clone, Copy)]
enum Ink {
    Bold,
    Faint,
    Request,
    Success,
    Refusal,
}

impl Ladder {
    pub(super) fn new(colour: bool) -> Self {
        Self { colour, people: Vec::new(), begun: None }
    }

    /// Gives the sender of packets from `address` a name and a side.
    pub(super) fn place(&mut self, address: SocketAddr, name: &'static str, side: Side) {
        self.people.push((address, name, side));
    }

    /// The names over the columns.
    pub(super) fn head(&self, left: &str, right: &str) -> String {
        let line = format!(
            "{:>7}  {left:<half$}{:^9}{right:>half$}",
            "seconds",
            "server",
            half = SPAN - 3
        );
        self.ink(Ink::Bold, &line)
    }

    /// The heading of a step.
    pub(super) fn title(&self, number: usize, title: &str) -> String {
        format!("\n{}", self.ink(Ink::Bold, &format!("{number:>2}. {title}")))
    }

    /// What somebody is told by their agent.
    pub(super) fn told(&self, name: &str, what: &str) -> String {
        format!("{:>7}  {} {what}", "", self.ink(Ink::Bold, &format!("{name} sees:")))
    }

    /// The lines of one message.
    pub(super) fn message(&mut self, seen: &Seen, message: Option<&Message>) -> Vec<String> {
        let at = seen.at.as_millis();
        let elapsed = at.saturating_sub(*self.begun.get_or_insert(at));
        let time = format!("{:>3}.{:03}", elapsed / 1000, elapsed % 1000);
        let known = self.people.iter().find(|(address, ..)| *address == seen.peer.addr);
        let (name, side) = known.map_or(("somebody", Side::Left), |(_, name, side)| (*name, *side));
        let mut text = message.map_or_else(|| "(not SIP)".to_owned(), facts::first_line);
        let mut notes = message.map(facts::of).unwrap_or_default();
        if !matches!(name, "alice" | "bob") {
            notes.insert(0, format!("({name})"));
        }
        let rightward = (side == Side::Left) == (seen.direction == Direction::In);
        text = arrow(&text, rightward);
        let ink = ink_of(message);
        let mut rows = wrap(&notes).into_iter();
        let first = rows.next().unwrap_or_default();
        let mut lines = vec![self.row(&time, side, &self.ink(ink, &text), &first)];
        let gap = " ".repeat(SPAN);
        lines.extend(rows.map(|more| self.row("", side, &gap, &more)));
        lines
    }

    /// One line: the arrow (or its gap) on its side, facts on the other.
    fn row(&self, time: &str, side: Side, arrow: &str, facts: &str) -> String {
        let facts = self.ink(Ink::Faint, &fit(&format!(" {facts}")));
        match side {
            Side::Left => format!("{time:>7}  │{arrow}│{facts}│"),
            Side::Right => format!("{time:>7}  │{facts}│{arrow}│"),
        }
    }

    fn ink(&self, ink: Ink, text: &str) -> String {
        if !self.colour {
            return text.to_owned();
        }
        let code = match ink {
            Ink::Bold => "1",
            Ink::Faint => "2",
            Ink::Request => "36",
            Ink::Success => "32",
            Ink::Refusal => "33",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}

fn ink_of(message: Option<&Message>) -> Ink {
    match message {
        Some(Message::Request(_)) => Ink::Request,
        Some(Message::Response(response)) if response.status() < 300 => Ink::Success,
        Some(Message::Response(_)) | None => Ink::Refusal,
    }
}

/// `── text ────▶` over the whole span.
fn arrow(text: &str, rightward: bool) -> String {
    let text = shorten(text, SPAN - 8);
    let line = "─".repeat(SPAN - 5 - text.chars().count());
    match rightward {
        true => format!("── {text} {line}▶"),
        false => format!("◀─ {text} {line}─"),
    }
}

/// Facts packed into lines.
fn wrap(facts: &[String]) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for fact in facts {
        let fact = shorten(fact, SPAN - 2);
        match lines.last_mut() {
            Some(line) if line.chars().count() + 2 + fact.chars().count() <= SPAN - 2 => {
                line.push_str(", ");
                line.push_str(&fact);
            }
            _ => lines.push(fact),
        }
    }
    lines
}

fn fit(text: &str) -> String {
    format!("{:<SPAN$}", shorten(text, SPAN))
}

fn shorten(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests;
