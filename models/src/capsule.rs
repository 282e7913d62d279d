//! A capsule: one file that holds a way in which a law was broken, so that anybody can walk it
//! again, with this engine or a mended one.
//!
//! It refuses what it does not understand: a way understood by half proves nothing.

use crate::catalogue::{Depth, plans};
use crate::drawing::{Deed, Unfound};
use crate::law::Law;
use crate::plan::{Budget, Plan};
use crate::run::fault;
use crate::shards::Sharded;
use crate::world::{Serves, Village};
use presently_engine::SOURCE_HASH;
use presently_engine::server::Server;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use stateright::Model;
use std::fmt;
use std::path::Path;

/// The format this version reads and writes.
pub const FORMAT: u32 = 1;

/// What kind of file this is.
pub const KIND: &str = "presence-check capsule";

/// A way to break a law.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Capsule {
    /// [`KIND`].
    pub kind: String,
    /// [`FORMAT`].
    pub format: u32,
    /// [`SOURCE_HASH`] of the engine that broke the law.
    pub engine: String,
    /// The model.
    pub model: String,
    /// What the model is made of beside its bounds: people, beginning, wishes, times.
    pub made_of: Value,
    /// Its bounds: how often each kind of thing may happen.
    pub bounds: Budget,
    /// The law, by name.
    pub law: String,
    /// The way.
    pub steps: Vec<Deed>,
}

/// Why a capsule is not walked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Refused {
    /// The file cannot be read or written.
    File(String),
    /// It is no capsule; with line and column.
    Broken(String),
    /// It is some other file.
    Kind(String),
    /// It has another format.
    Format(u64),
    /// This version has no such model.
    Model(String),
    /// This version has no such law.
    Law(String),
    /// The model is made of something else by now.
    Changed(String, String),
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(why) => f.write_str(why),
            Self::Broken(why) => write!(f, "not a capsule: {why}"),
            Self::Kind(what) => {
                write!(f, "not a capsule of presence-check: {what}")
            }
            Self::Format(found) => {
                write!(f, "capsule format {found}; this version reads format {FORMAT} only")
            }
            Self::Model(name) => write!(f, "this version has no model {name}"),
            Self::Law(name) => write!(f, "this version has no law “{name}”"),
            Self::Changed(model, what) => {
                write!(f, "{model} has been changed since: it has other {what}")
            }
        }
    }
}

impl std::error::Error for Refused {}

/// What came of a way that was walked again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ending {
    /// A law is broken: which, and by which step.
    Broken(Law, usize),
    /// Every step was possible, and the laws held.
    Held,
    /// So many steps were possible; then the engine does something else. The laws held so far.
    Differs(usize, Unfound),
}

/// A walk along a capsule's way.
#[derive(Clone, Debug)]
pub struct Walk {
    /// What came of it.
    pub ending: Ending,
    /// The steps, drawn.
    pub ladder: String,
}

impl Capsule {
    /// The capsule of a way.
    pub fn new(plan: &Plan, law: Law, steps: Vec<Deed>) -> Self {
        Self {
            kind: KIND.to_owned(),
            format: FORMAT,
            engine: SOURCE_HASH.to_owned(),
            model: plan.name.to_owned(),
            made_of: made_of(plan),
            bounds: plan.bounded(),
            law: law.name().to_owned(),
            steps,
        }
    }

    /// Reads a capsule's text.
    ///
    /// # Errors
    /// It says something that this version does not understand.
    pub fn parse(text: &str) -> Result<Self, Refused> {
        let broken = |why: serde_json::Error| Refused::Broken(why.to_string());
        let value: Value = serde_json::from_str(text).map_err(broken)?;
        match value.get("kind").and_then(Value::as_str) {
            Some(KIND) => {}
            Some(other) => return Err(Refused::Kind(format!("it says it is a {other}"))),
            None if value.get("plan").is_some() => {
                let why = "it looks like one of presence-sim; try `presence-sim replay FILE`";
                return Err(Refused::Kind(why.to_owned()));
            }
            None => return Err(Refused::Kind("it does not say what it is".to_owned())),
        }
        let format = value.get("format").and_then(Value::as_u64);
        if let Some(other) = format.filter(|format| *format != u64::from(FORMAT)) {
            return Err(Refused::Format(other));
        }
        serde_json::from_str(text).map_err(broken)
    }

    /// The capsule's text.
    pub fn text(&self) -> String {
        let text = serde_json::to_string_pretty(self);
        text.expect("a capsule has only string keys and finite numbers") + "\n"
    }

    /// Reads a capsule from a file.
    ///
    /// # Errors
    /// The file cannot be read, or see [`Capsule::parse`].
    pub fn read(path: &Path) -> Result<Self, Refused> {
        let text = std::fs::read_to_string(path)
            .map_err(|why| Refused::File(format!("{} cannot be read: {why}", path.display())))?;
        Self::parse(&text)
    }

    /// Writes the capsule into a file.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), Refused> {
        std::fs::write(path, self.text())
            .map_err(|why| Refused::File(format!("{} cannot be written: {why}", path.display())))
    }

    /// A name for its file: the model and the law.
    pub fn file_name(&self) -> String {
        let law = self.law.replace(|it: char| !it.is_ascii_alphanumeric(), "-");
        format!("{}-{law}.json", self.model)
    }

    /// The law it breaks.
    ///
    /// # Errors
    /// This version does not know it.
    pub fn law(&self) -> Result<Law, Refused> {
        let known = Law::ALL.iter().copied().find(|law| law.name() == self.law);
        known.ok_or_else(|| Refused::Law(self.law.clone()))
    }

    /// Whether this engine is the one that broke the law.
    pub fn is_of_this_engine(&self) -> bool {
        self.engine == SOURCE_HASH
    }

    /// The plan it is about, with its own bounds.
    ///
    /// # Errors
    /// This version does not know the model or the law, or has changed the model.
    pub fn plan(&self) -> Result<Plan, Refused> {
        let depths = [Depth::Quick, Depth::Ci, Depth::Deep];
        let known = || depths.into_iter().flat_map(plans).filter(|plan| plan.name == self.model);
        let first = known().next().ok_or_else(|| Refused::Model(self.model.clone()))?;
        let same = known().find(|plan| made_of(plan) == self.made_of);
        // Other wishes and another beginning show on the way, if they matter to it.
        let alike = || known().find(|plan| differences(&self.made_of, &made_of(plan)).is_empty());
        let mut plan = same.or_else(alike).ok_or_else(|| {
            let differ = differences(&self.made_of, &made_of(&first));
            Refused::Changed(self.model.clone(), differ.join(", "))
        })?;
        let law = self.law()?;
        match &mut plan.pair {
            Some(pair) => pair.budget = self.bounds,
            None => plan.budget = self.bounds,
        }
        if !plan.laws.contains(&law) {
            plan.laws.push(law);
        }
        Ok(plan)
    }

    /// Walks the way again with the server that ships, in shards if the model says so.
    ///
    /// # Errors
    /// See [`Capsule::plan`].
    pub fn walk_shipped(&self) -> Result<Walk, Refused> {
        match self.plan()?.sharded {
            true => self.walk::<Sharded<Server>>(),
            false => self.walk::<Server>(),
        }
    }

    /// Walks the way again, with `S` in the server's place.
    ///
    /// # Errors
    /// See [`Capsule::plan`].
    pub fn walk<S: Serves>(&self) -> Result<Walk, Refused> {
        let plan = self.plan()?;
        if let Some(walk) = crate::pair::walk(&plan, &self.steps) {
            return Ok(walk);
        }
        let village = Village::<S>::new(plan);
        let mut world = village.init_states().pop().expect("a village has a beginning");
        let mut ladder = village.head(&world);
        for (done, deed) in self.steps.iter().enumerate() {
            let action = match village.find(&world, deed) {
                Ok(action) => action,
                Err(unfound) => return Ok(Walk { ending: Ending::Differs(done, unfound), ladder }),
            };
            let Some(after) = village.next_state(&world, action) else {
                let unfound = Unfound { deed: deed.clone(), possible: Vec::new() };
                return Ok(Walk { ending: Ending::Differs(done, unfound), ladder });
            };
            ladder.push_str(&village.draw(done + 1, &world, action, &after));
            if let Some(law) = fault(&village, &after) {
                return Ok(Walk { ending: Ending::Broken(law, done + 1), ladder });
            }
            world = after;
        }
        Ok(Walk { ending: Ending::Held, ladder })
    }
}

/// What a plan is made of, for comparison: everything but bounds, laws and sights.
fn made_of(plan: &Plan) -> Value {
    let user = |user: u8| plan.users[usize::from(user)];
    let wishes = plan.wishes.iter().map(|wish| {
        format!("{} {}: {:?} (purse {})", user(wish.user), wish.says, wish.command, wish.purse)
    });
    let prelude = plan.prelude.iter().map(|(who, command)| format!("{} {command:?}", user(*who)));
    let mut made = json!({
        "users": plan.users,
        "beginning": prelude.collect::<Vec<_>>(),
        "wishes": wishes.collect::<Vec<_>>(),
        "digest": plan.digest,
        "linger": plan.linger,
        "expires": plan.expires,
        "giveup_s": plan.giveup.as_secs(),
        "replay_records": plan.replay_records,
    });
    if let Some(pair) = &plan.pair {
        let clocks = format!("{:?}", pair.clocks);
        made["exchange"] = json!([pair.invite, pair.answers, clocks]);
    }
    made
}

/// What two descriptions differ in that gives the same words another meaning.
fn differences(one: &Value, other: &Value) -> Vec<&'static str> {
    let hard = ["users", "digest", "linger", "expires", "giveup_s", "replay_records", "exchange"];
    hard.into_iter().filter(|key| one.get(key) != other.get(key)).collect()
}

#[cfg(test)]
mod tests;
