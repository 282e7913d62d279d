//! A path as a picture, before it is drawn: steps, what happened in each, and for every letter
//! where it left and what became of it.

use super::facts;
use super::standing::Standing;
use crate::cast::home;
use crate::law::Law;
use crate::plan::UserId;
use crate::wire::Letter;
use crate::world::{ATTACKER, Action, SERVER, Said, Serves, Village, World};
use presently_engine::message::Method;
use std::net::SocketAddr;
use std::sync::Arc;

/// A path.
#[derive(Debug)]
pub(super) struct Scene {
    /// Everybody, from left to right.
    pub(super) people: Vec<String>,
    pub(super) steps: Vec<Step>,
    pub(super) arrows: Vec<Arrow>,
    /// Where everybody stands at the end, and whether the last step changed that.
    pub(super) stands: Vec<(Standing, bool)>,
    /// What is under way at the end, with the number of copies.
    pub(super) under_way: Vec<(String, u8)>,
    pub(super) broken: Vec<Law>,
    pub(super) is_quiet: bool,
}

/// One step.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) says: String,
    pub(super) seconds: f64,
    pub(super) is_trouble: bool,
    /// What happened, row by row.
    pub(super) rows: Vec<Row>,
}

/// One row of a step.
#[derive(Debug)]
pub(super) enum Row {
    /// An arrow, by index, begins.
    Leaves(usize),
    /// An arrow, by index, ends.
    Ends(usize),
    /// Somebody, by column, is told or stores something.
    Note(usize, String),
}

/// A letter on its way.
#[derive(Debug)]
pub(super) struct Arrow {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) title: String,
    pub(super) facts: String,
    /// The message as it is on the wire.
    pub(super) text: String,
    pub(super) kind: Kind,
    pub(super) fate: Fate,
    print: u64,
}

/// What a letter is, for its colour.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Request,
    Notify,
    Success,
    Refusal,
}

/// What became of a letter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fate {
    UnderWay,
    Arrived,
    Lost,
    /// The same letter is under way already: the network has no use for another.
    Again,
}

impl Scene {
    /// The picture of a path.
    pub(super) fn new<S: Serves>(
        village: &Village<S>,
        path: &[(&World<S>, Option<Action>)],
    ) -> Self {
        let columns = village.columns();
        let names = columns.iter().map(|socket| village.name(*socket).to_owned());
        let mut scene = Self::of(names.collect());
        for pair in path.windows(2) {
            if let [(before, Some(action)), (after, _)] = pair {
                scene.step(village, &columns, before, *action, after);
            }
        }
        if let Some((end, _)) = path.last() {
            let before = path.len().checked_sub(2).map(|at| village.standings(path[at].0));
            scene.stand(before.as_deref(), village.standings(end));
            scene.under_way =
                end.wire.iter().map(|(letter, copies)| (village.line(letter), copies)).collect();
            scene.broken = end.broken().to_vec();
            scene.is_quiet = end.is_quiet(&village.plan);
        }
        scene
    }

    /// Nothing yet, with these people.
    pub(super) fn of(people: Vec<String>) -> Self {
        Self {
            people,
            steps: Vec::new(),
            arrows: Vec::new(),
            stands: Vec::new(),
            under_way: Vec::new(),
            broken: Vec::new(),
            is_quiet: false,
        }
    }

    /// Says where everybody stands at the end, and whom the last step changed.
    pub(super) fn stand(&mut self, before: Option<&[Standing]>, after: Vec<Standing>) {
        let changed =
            |at: usize, end: &Standing| before.is_some_and(|before| before.get(at) != Some(end));
        let stands = after.into_iter().enumerate();
        self.stands = stands
            .map(|(at, end)| {
                let changed = changed(at, &end);
                (end, changed)
            })
            .collect();
    }

    fn step<S: Serves>(
        &mut self,
        village: &Village<S>,
        columns: &[SocketAddr],
        before: &World<S>,
        action: Action,
        after: &World<S>,
    ) {
        let mut rows = Vec::new();
        let letter = village.letter(before, action);
        match (letter, action) {
            (None, _) => {}
            (Some(letter), Action::Copy(_)) => {
                rows.push(self.leave(columns, letter.from, letter, Fate::UnderWay));
            }
            (Some(letter), Action::Drop(_)) => rows.extend(self.end(letter.print, Fate::Lost)),
            (Some(letter), Action::Replay(_) | Action::Forge(_)) => {
                rows.push(self.leave(columns, ATTACKER, letter, Fate::Arrived));
            }
            (Some(letter), _) => rows.extend(self.end(letter.print, Fate::Arrived)),
        }
        for said in &after.said {
            rows.push(match said {
                Said::Sent(letter) => {
                    let known = self.open(letter.print).count() > 0;
                    let fate = if known { Fate::Again } else { Fate::UnderWay };
                    self.leave(columns, letter.from, letter, fate)
                }
                Said::Stored(what) => Row::Note(column(columns, SERVER), format!("stores {what}")),
                Said::Told(user, what) => {
                    let place = column(columns, village.sockets[usize::from(*user)]);
                    Row::Note(place, format!("is told {what}"))
                }
            });
        }
        if matches!(action, Action::Crash | Action::CrashIn(..)) {
            let what = "crashes, and comes back from its rows".to_owned();
            rows.push(Row::Note(column(columns, SERVER), what));
        }
        let deaf = |user: UserId| action == Action::Outage(user) || after.is_absent(user);
        let users = (0..).zip(&village.sockets).filter(|(user, _)| deaf(*user));
        let deaf: Vec<usize> = users.map(|(_, socket)| column(columns, *socket)).collect();
        rows.extend(self.vanish(after, &deaf));
        self.steps.push(Step {
            says: village.describe(before, action),
            seconds: village.elapsed(after),
            is_trouble: !matches!(
                action,
                Action::Deliver(_) | Action::Wish(_) | Action::Wait | Action::Fire(_)
            ),
            rows,
        });
    }

    /// Arrows of a letter that have not ended.
    pub(super) fn open(&self, print: u64) -> impl Iterator<Item = usize> {
        let is_open = move |arrow: &Arrow| arrow.print == print && arrow.fate == Fate::UnderWay;
        self.arrows.iter().enumerate().filter(move |(_, it)| is_open(it)).map(|(index, _)| index)
    }

    pub(super) fn leave(
        &mut self,
        columns: &[SocketAddr],
        from: SocketAddr,
        letter: &Arc<Letter>,
        fate: Fate,
    ) -> Row {
        self.arrows.push(Arrow {
            from: column(columns, from),
            to: column(columns, letter.to),
            title: letter.title(),
            facts: facts::of(letter).join(", "),
            text: letter.text(),
            kind: kind(letter),
            fate,
            print: letter.print,
        });
        Row::Leaves(self.arrows.len() - 1)
    }

    pub(super) fn end(&mut self, print: u64, fate: Fate) -> Option<Row> {
        let index = self.open(print).next()?;
        self.arrows[index].fate = fate;
        Some(Row::Ends(index))
    }

    /// Ends what is not under way any more, though nobody delivered it: what is from or to the
    /// `deaf` is lost, and in a step that takes long letters of others arrive.
    fn vanish<S>(&mut self, after: &World<S>, deaf: &[usize]) -> Vec<Row> {
        let mut rows = Vec::new();
        let mut gone: Vec<u64> = self.arrows.iter().map(|arrow| arrow.print).collect();
        gone.sort_unstable();
        gone.dedup();
        for print in gone {
            let left = after.wire.iter().find(|(letter, _)| letter.print == print);
            let copies = left.map_or(0, |(_, copies)| usize::from(copies));
            for _ in copies..self.open(print).count() {
                let ends = self.open(print).next().map(|at| &self.arrows[at]);
                let is_lost =
                    ends.is_some_and(|it| deaf.contains(&it.from) || deaf.contains(&it.to));
                let fate = if is_lost { Fate::Lost } else { Fate::Arrived };
                rows.extend(self.end(print, fate));
            }
        }
        rows
    }
}

fn column(columns: &[SocketAddr], who: SocketAddr) -> usize {
    columns.iter().position(|column| *column == home(who)).unwrap_or(0)
}

fn kind(letter: &Letter) -> Kind {
    match letter.facts.status {
        0 if letter.asks(Method::Notify) => Kind::Notify,
        0 => Kind::Request,
        1..300 => Kind::Success,
        _ => Kind::Refusal,
    }
}
