//! Beside the ladder: where everybody stands, what is under way, and what is broken.

use super::{PANEL, escape, shortened};
use crate::drawing::scene::Scene;
use std::fmt::Write;

/// Height of a line, and of the heading of a box.
const LINE: usize = 19;
const HEAD: usize = 30;
/// Characters that fit on a line.
const FIT: usize = 54;

/// One box.
struct Card {
    head: String,
    lines: Vec<String>,
    ink: &'static str,
    fill: &'static str,
    is_marked: bool,
}

impl Scene {
    /// The panel at a place, and where it ends.
    pub(super) fn panel(&self, x: usize, top: usize) -> (String, usize) {
        let mut svg = String::new();
        let mut y = top;
        for card in self.cards() {
            let lines: Vec<String> = card.lines.iter().flat_map(|line| wrapped(line)).collect();
            let height = HEAD + lines.len() * LINE + 8;
            let (fill, ink) = (card.fill, card.ink);
            let _ = write!(
                svg,
                "<rect x=\"{x}\" y=\"{y}\" width=\"{PANEL}\" height=\"{height}\" rx=\"8\" \
                 fill=\"{fill}\" stroke=\"#cbd5e1\"/>"
            );
            if card.is_marked {
                let (y, height) = (y + 6, height - 12);
                let _ = write!(
                    svg,
                    "<rect x=\"{}\" y=\"{y}\" width=\"4\" height=\"{height}\" rx=\"2\" \
                     fill=\"#eab308\"><title>the last step changed this</title></rect>",
                    x + 4
                );
            }
            let _ = write!(
                svg,
                "<text class=\"who\" x=\"{}\" y=\"{}\" fill=\"{ink}\">{}</text>",
                x + 16,
                y + 21,
                escape(&card.head)
            );
            for (number, line) in lines.iter().enumerate() {
                let at = y + HEAD + 13 + number * LINE;
                let line = escape(line);
                let _ =
                    write!(svg, "<text class=\"row\" x=\"{}\" y=\"{at}\">{line}</text>", x + 16);
            }
            y += height + 10;
        }
        (svg, y)
    }

    fn cards(&self) -> Vec<Card> {
        let mut cards = Vec::new();
        if !self.broken.is_empty() {
            let lines = self.broken.iter().map(|law| format!("{law}: {}", law.says())).collect();
            let head = "Broken".to_owned();
            let (ink, fill) = ("#b91c1c", "#fef2f2");
            cards.push(Card { head, lines, ink, fill, is_marked: false });
        }
        for (end, changed) in &self.stands {
            let is_server = end.who == "server";
            let (ink, fill) =
                if is_server { ("#0f766e", "#f0fdfa") } else { ("#334155", "#f8fafc") };
            let head = if is_server { "server's tables" } else { &end.who };
            let head = head.to_owned();
            cards.push(Card { head, lines: end.lines.clone(), ink, fill, is_marked: *changed });
        }
        let mut lines: Vec<String> = self
            .under_way
            .iter()
            .map(|(letter, copies)| match copies {
                1 => letter.clone(),
                some => format!("{letter} ({some} copies)"),
            })
            .collect();
        if lines.is_empty() {
            let rest = if self.is_quiet { "nothing; all is quiet" } else { "nothing" };
            lines.push(rest.to_owned());
        }
        let head = "under way".to_owned();
        cards.push(Card { head, lines, ink: "#1d4ed8", fill: "#eff6ff", is_marked: false });
        cards
    }
}

/// A line, broken where it is too long; what is one word is cut.
fn wrapped(line: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in line.split(' ') {
        let last = lines.last_mut().expect("there is always one");
        if last.is_empty() {
            last.push_str(&shortened(word, FIT));
        } else if last.chars().count() + 1 + word.chars().count() <= FIT {
            last.push(' ');
            last.push_str(word);
        } else {
            lines.push(format!("   {}", shortened(word, FIT - 3)));
        }
    }
    lines
}
