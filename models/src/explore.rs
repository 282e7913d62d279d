//! A model in the browser: stateright's explorer, with words for what can happen and pictures of
//! the real messages.

use crate::law::Law;
use crate::laws::Judges;
use crate::plan::Plan;
use crate::shards::Sharded;
use crate::world::{Action, Serves, Village, World};
use presently_engine::server::Server;
use stateright::{Model, Path, Property};
use std::convert::Infallible;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

/// A village for people to look at.
#[derive(Debug)]
pub struct Explored<S> {
    village: Village<S>,
}

/// A state, shown as the tables of everybody and the letters under way.
#[derive(Clone)]
pub struct View<S> {
    world: World<S>,
    shown: String,
}

impl<S> PartialEq for View<S> {
    fn eq(&self, other: &Self) -> bool {
        self.world == other.world
    }
}

impl<S> Hash for View<S> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.world.hash(state);
    }
}

impl<S> fmt::Debug for View<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

/// Something that can happen, with the words for it: by itself an action is a fingerprint.
#[derive(Clone, PartialEq, Eq)]
pub struct Choice {
    action: Action,
    says: String,
}

impl fmt::Debug for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.says)
    }
}

impl<S: Serves> Explored<S> {
    /// A plan for people to look at.
    pub fn new(plan: Plan) -> Self {
        Self { village: Village::new(plan) }
    }

    fn view(&self, world: World<S>) -> View<S> {
        let shown = self.village.show(&world);
        View { world, shown }
    }
}

impl<S: Serves> Judges for Explored<S> {
    fn judges(&self, state: &View<S>, law: Law) -> bool {
        crate::holds(&self.village, &state.world, law)
    }
}

impl<S: Serves> Model for Explored<S> {
    type State = View<S>;
    type Action = Choice;

    fn init_states(&self) -> Vec<View<S>> {
        self.village.init_states().into_iter().map(|world| self.view(world)).collect()
    }

    fn actions(&self, state: &View<S>, choices: &mut Vec<Choice>) {
        let mut actions = Vec::new();
        self.village.actions(&state.world, &mut actions);
        choices.extend(actions.into_iter().map(|action| {
            let says = self.village.describe(&state.world, action);
            Choice { action, says }
        }));
    }

    fn next_state(&self, state: &View<S>, choice: Choice) -> Option<View<S>> {
        self.village.next_state(&state.world, choice.action).map(|world| self.view(world))
    }

    fn properties(&self) -> Vec<Property<Self>> {
        self.village.plan.laws.iter().map(|law| crate::laws::property(*law)).collect()
    }

    fn format_action(&self, choice: &Choice) -> String {
        choice.says.clone()
    }

    fn format_step(&self, state: &View<S>, choice: Choice) -> Option<String> {
        let after = self.village.next_state(&state.world, choice.action)?;
        Some(self.village.outcome(&state.world, choice.action, &after))
    }

    fn as_svg(&self, path: Path<View<S>, Choice>) -> Option<String> {
        let path = path.into_vec();
        let steps: Vec<_> = path
            .iter()
            .map(|(view, choice)| (&view.world, choice.as_ref().map(|choice| choice.action)))
            .collect();
        Some(self.village.svg(&steps))
    }
}

/// Serves a plan with the server that ships; see [`serve`].
///
/// # Errors
/// The address cannot be had, or the model is about two transactions and has no villagers.
pub fn serve_shipped(
    plan: Plan,
    at: SocketAddr,
    ready: impl FnOnce(SocketAddr) + Send + 'static,
) -> Result<Infallible, String> {
    if plan.pair.is_some() {
        return Err(format!("{} is about two transactions, which have no page", plan.name));
    }
    match plan.sharded {
        true => serve::<Sharded<Server>>(plan, at, ready),
        false => serve::<Server>(plan, at, ready),
    }
}

/// Serves a plan at an address until the process ends; says where as soon as a browser gets an
/// answer there. Port 0 is any that is free.
///
/// # Errors
/// The address cannot be had.
pub fn serve<S: Serves>(
    plan: Plan,
    at: SocketAddr,
    ready: impl FnOnce(SocketAddr) + Send + 'static,
) -> Result<Infallible, String> {
    // stateright takes an address that can be had for granted.
    let free = TcpListener::bind(at).and_then(|listener| listener.local_addr());
    let at = free.map_err(|why| why.to_string())?;
    std::thread::spawn(move || {
        await_answer(at);
        ready(at);
    });
    Explored::<S>::new(plan).checker().serve(at);
    Err("the explorer ended".to_owned())
}

/// Returns when somebody listens there.
#[expect(clippy::disallowed_methods, reason = "stateright does not say when it listens")]
fn await_answer(at: SocketAddr) {
    while TcpStream::connect(at).is_err() {
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[cfg(test)]
mod tests;
