//! A path as a SIP ladder for a terminal: a column for everybody, what left dotted, what arrived
//! solid, and where both ends stand after each step.

use super::facts;
use super::standing::Standing;
use crate::cast::home;
use crate::wire::Letter;
use crate::world::{ATTACKER, Action, SERVER, Said, Serves, Village, World};
use std::fmt::Write;
use std::net::SocketAddr;

/// From one column to the next.
const SPAN: usize = 30;
/// Before the first column.
const MARGIN: usize = 12;

/// How a letter is drawn.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stroke {
    Leaves,
    Arrives,
    IsLost,
}

impl<S: Serves> Village<S> {
    /// Everybody, from left to right: the first user, the server, the others, the attacker.
    pub(super) fn columns(&self) -> Vec<SocketAddr> {
        let budget = &self.plan.budget;
        let attacker = (budget.replays + budget.forgeries > 0).then_some(ATTACKER);
        let mut columns = self.sockets.clone();
        columns.insert(1.min(columns.len()), SERVER);
        columns.extend(attacker);
        columns
    }

    /// The names over the columns, and where everybody stands at first.
    pub fn head(&self, world: &World<S>) -> String {
        format!("{}\n{}", self.names(), stands(None, &self.standings(world)))
    }

    fn names(&self) -> String {
        let mut names = String::new();
        for (index, socket) in self.columns().into_iter().enumerate() {
            let name = self.name(socket);
            let place = MARGIN + index * SPAN - name.len() / 2;
            names.push_str(&" ".repeat(place.saturating_sub(names.len())));
            names.push_str(name);
        }
        names
    }

    /// What came of a step, and where everybody stands.
    pub(crate) fn outcome(&self, before: &World<S>, action: Action, after: &World<S>) -> String {
        let (names, stands) = (self.names(), stands(None, &self.standings(after)));
        format!("{names}\n{}\n{stands}", self.arrows(before, action, after))
    }

    /// One step: what happened, what came of it, and where everybody stands.
    pub fn draw(
        &self,
        number: usize,
        before: &World<S>,
        action: Action,
        after: &World<S>,
    ) -> String {
        let at = self.elapsed(after);
        let says = self.describe(before, action);
        let stands = stands(Some(&self.standings(before)), &self.standings(after));
        let arrows = self.arrows(before, action, after);
        format!("\n{number:>3}. {says}  [{at:.3} s]\n{arrows}{stands}")
    }

    /// What arrived, what left and what was noted in a step.
    fn arrows(&self, before: &World<S>, action: Action, after: &World<S>) -> String {
        let mut text = String::new();
        if let Some(letter) = self.letter(before, action) {
            let stroke = match action {
                Action::Drop(_) => Stroke::IsLost,
                Action::Copy(_) => Stroke::Leaves,
                _ => Stroke::Arrives,
            };
            let attacks = matches!(action, Action::Replay(_) | Action::Forge(_));
            let from = if attacks { ATTACKER } else { letter.from };
            text.push_str(&self.arrow(from, letter, stroke));
        }
        for said in &after.said {
            match said {
                Said::Sent(letter) => {
                    text.push_str(&self.arrow(letter.from, letter, Stroke::Leaves));
                }
                Said::Stored(what) => text.push_str(&self.note(SERVER, &format!("stores {what}"))),
                Said::Told(user, what) => {
                    let socket = self.sockets[usize::from(*user)];
                    text.push_str(&self.note(socket, &format!("is told {what}")));
                }
            }
        }
        text
    }

    /// A letter between two columns, and its facts behind the last.
    fn arrow(&self, from: SocketAddr, letter: &Letter, stroke: Stroke) -> String {
        let columns = self.columns();
        let place = |end: SocketAddr| columns.iter().position(|column| *column == home(end));
        let (Some(from), Some(to)) = (place(from), place(letter.to)) else {
            return format!("{:MARGIN$}{}\n", "", self.line(letter));
        };
        let (left, right) = (from.min(to), from.max(to));
        let room = (right - left) * SPAN - 1;
        let dash = if stroke == Stroke::Arrives { '─' } else { '╌' };
        let label: String = letter.title().chars().take(room - 6).collect();
        let fill: String = std::iter::repeat_n(dash, room - 5 - label.chars().count()).collect();
        let head = match (stroke, from < to) {
            (Stroke::IsLost, _) => '✗',
            (_, true) => '▶',
            (_, false) => '◀',
        };
        let body = if from < to {
            format!("{dash}{dash} {label} {fill}{head}")
        } else {
            format!("{head}{dash} {label} {fill}{dash}")
        };
        let mut line = rails(columns.len());
        let start = MARGIN + left * SPAN + 1;
        line.splice(start..start + room, body.chars());
        let line: String = line.into_iter().collect();
        let facts = facts::of(letter).join(", ");
        format!("{}\n", format!("{line}  {facts}").trim_end())
    }

    /// Something that happened at one column.
    fn note(&self, who: SocketAddr, what: &str) -> String {
        let columns = self.columns();
        let place = columns.iter().position(|column| *column == who).unwrap_or(0);
        let line: String = rails(place + 1).into_iter().take(MARGIN + place * SPAN).collect();
        format!("{line}├ {what}\n")
    }
}

/// A line with so many columns.
fn rails(columns: usize) -> Vec<char> {
    let width = MARGIN + columns.saturating_sub(1) * SPAN + 1;
    let is_rail = |at: usize| at >= MARGIN && (at - MARGIN).is_multiple_of(SPAN);
    (0..width).map(|at| if is_rail(at) { '│' } else { ' ' }).collect()
}

/// Where everybody stands; who stands elsewhere than before is marked.
fn stands(before: Option<&[Standing]>, after: &[Standing]) -> String {
    let mut text = String::new();
    for (index, end) in after.iter().enumerate() {
        let changed = before.is_some_and(|before| before.get(index) != Some(end));
        let mark = if changed { '*' } else { ' ' };
        let _ = writeln!(text, "     {mark} {:<9} {}", end.who, end.lines.join("; "));
    }
    text
}
