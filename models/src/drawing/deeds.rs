//! Names of what happens that outlive the program: a fingerprint is forgotten with the state it
//! belongs to, words are found again among the words of what is possible.

use crate::wire::Letter;
use crate::world::{Action, Serves, Village, World};
use presently_engine::Machine;
use serde::{Deserialize, Serialize};
use stateright::Model;
use std::fmt;
use std::sync::Arc;

/// Something that happened, named so that it is found again in the same state.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deed {
    /// In words.
    pub does: String,
    /// Which of those that are called the same, in the order of what the letters say.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub which: usize,
}

fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// A deed that is not possible in a state.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unfound {
    /// The deed.
    pub deed: Deed,
    /// What is possible.
    pub possible: Vec<String>,
}

impl fmt::Display for Unfound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "“{}” is not possible here", self.deed.does)?;
        match self.deed.which {
            0 => {}
            which => write!(f, " ({} times)", which + 1)?,
        }
        match self.possible.as_slice() {
            [] => write!(f, "; nothing is"),
            possible => write!(f, "; possible: {}", possible.join("; ")),
        }
    }
}

impl Deed {
    /// The lasting name of an action that is called so, among all that are possible.
    pub(crate) fn among<A: PartialEq>(possible: Vec<(String, A)>, does: String, action: A) -> Self {
        let mut same = possible.into_iter().filter(|(name, _)| *name == does);
        let which = same.position(|(_, it)| it == action).unwrap_or(0);
        Self { does, which }
    }
}

/// The action that a deed names, among all that are possible.
///
/// # Errors
/// It is none of them.
pub(crate) fn found<A: Copy>(possible: Vec<(String, A)>, deed: &Deed) -> Result<A, Unfound> {
    let mut same = possible.iter().filter(|(name, _)| *name == deed.does);
    match same.nth(deed.which) {
        Some((_, action)) => Ok(*action),
        None => {
            let mut possible: Vec<String> = possible.into_iter().map(|(name, _)| name).collect();
            possible.dedup();
            Err(Unfound { deed: deed.clone(), possible })
        }
    }
}

impl<S: Serves> Village<S> {
    /// The letter that an action is about.
    pub(super) fn letter<'w>(
        &self,
        world: &'w World<S>,
        action: Action,
    ) -> Option<&'w Arc<Letter>> {
        let (Action::Deliver(print)
        | Action::CrashIn(print, _)
        | Action::Drop(print)
        | Action::Copy(print)
        | Action::Refuse(print)
        | Action::Replay(print)
        | Action::Forge(print)) = action
        else {
            return None;
        };
        let under_way = world.wire.iter().map(|(letter, _)| letter);
        under_way.chain(&world.loot).find(|letter| letter.print == print)
    }

    /// An action in plain words.
    pub fn describe(&self, world: &World<S>, action: Action) -> String {
        let name = self.called(world, action);
        if action == Action::Wait { format!("{name}: {}", self.due(world)) } else { name }
    }

    /// What an action is called; that of a timer does not say whose it is.
    fn called(&self, world: &World<S>, action: Action) -> String {
        let letter = self.letter(world, action);
        let letter = letter.map_or_else(|| "a letter".to_owned(), |letter| self.line(letter));
        match action {
            Action::Deliver(_) => format!("deliver {letter}"),
            Action::CrashIn(_, rows) => {
                format!("deliver, crash after {rows} rows stored: {letter}")
            }
            Action::Drop(_) => format!("drop {letter}"),
            Action::Copy(_) => format!("copy {letter}"),
            Action::Refuse(_) => format!("answer 500 to {letter}"),
            Action::Wish(place) => {
                let wish = &self.plan.wishes[usize::from(place)];
                format!("{} {}", self.user(wish.user), wish.says)
            }
            Action::Wait => "fire the next timer".to_owned(),
            Action::Fire(0) => "fire the server's next timer".to_owned(),
            Action::Fire(node) => format!("fire {}'s next timer", self.user(node - 1)),
            Action::Outage(user) => format!("{} is cut off for 33 s", self.user(user)),
            Action::Depart(user) => format!("{}'s device is switched off", self.user(user)),
            Action::Reboot(user) => {
                format!("{}'s agent crashes, and is started again", self.user(user))
            }
            Action::Crash => "crash the server, which comes back".to_owned(),
            Action::Replay(_) => format!("the attacker repeats {letter}"),
            Action::Forge(_) => format!("the attacker changes the digest of {letter}"),
        }
    }

    /// Whose timer fires next, and when.
    fn due(&self, world: &World<S>) -> String {
        let Some(at) = world.deadline() else { return "nobody's".to_owned() };
        let server = world.server.get().deadline().map(|at| ("server", at));
        let agents = (0..)
            .zip(&world.agents)
            .filter_map(|(user, agent)| agent.get().deadline().map(|at| (self.user(user), at)));
        let first = server.into_iter().chain(agents).filter(|(_, due)| *due == at);
        let whose: Vec<&str> = first.map(|(who, _)| who).collect();
        let wait = at.since(world.now);
        let long = if wait >= self.plan.long { ", a long wait" } else { "" };
        format!("{}, in {} s{long}", whose.join(" and "), wait.as_secs_f64())
    }

    /// What is possible in a state, by name, in an order that depends on words only.
    fn possible(&self, world: &World<S>) -> Vec<(String, Action)> {
        let mut actions = Vec::new();
        self.actions(world, &mut actions);
        let mut named: Vec<(String, Action)> =
            actions.into_iter().map(|action| (self.called(world, action), action)).collect();
        let text =
            |action: Action| self.letter(world, action).map(|letter| letter.bytes().to_vec());
        named.sort_by_cached_key(|(name, action)| (name.clone(), text(*action)));
        named
    }

    /// The lasting name of an action.
    pub(crate) fn deed(&self, world: &World<S>, action: Action) -> Deed {
        Deed::among(self.possible(world), self.called(world, action), action)
    }

    /// The action that a deed names.
    ///
    /// # Errors
    /// It is not possible in this state.
    pub(crate) fn find(&self, world: &World<S>, deed: &Deed) -> Result<Action, Unfound> {
        found(self.possible(world), deed)
    }
}
