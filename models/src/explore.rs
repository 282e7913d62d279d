//! A model in the browser: stateright's explorer, with words for what can happen and pictures of
//! the real messages.

use crate::law::Law;
use crate::laws::Judges;
use crate::pair::Exchange;
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

/// A model that can be looked at.
pub(crate) trait Pictured:
    Judges<State: Clone + PartialEq + Hash, Action: Copy + PartialEq>
{
    /// An action in plain words.
    fn describe(&self, state: &Self::State, action: Self::Action) -> String;
    /// A state in full.
    fn show(&self, state: &Self::State) -> String;
    /// What came of a step, and where everybody stands.
    fn outcome(&self, before: &Self::State, action: Self::Action, after: &Self::State) -> String;
    /// A path as SVG; every state but the last with the action that follows it.
    fn picture(&self, path: &[(&Self::State, Option<Self::Action>)]) -> String;
}

impl<S: Serves> Pictured for Village<S> {
    fn describe(&self, world: &World<S>, action: Action) -> String {
        Self::describe(self, world, action)
    }

    fn show(&self, world: &World<S>) -> String {
        Self::show(self, world)
    }

    fn outcome(&self, before: &World<S>, action: Action, after: &World<S>) -> String {
        Self::outcome(self, before, action, after)
    }

    fn picture(&self, path: &[(&World<S>, Option<Action>)]) -> String {
        self.svg(path)
    }
}

/// A model for people to look at.
#[derive(Debug)]
pub(crate) struct Explored<M>(M);

/// A state, shown as where everybody stands and the letters under way.
#[derive(Clone)]
pub(crate) struct View<T> {
    state: T,
    shown: String,
}

impl<T: PartialEq> PartialEq for View<T> {
    fn eq(&self, other: &Self) -> bool {
        self.state == other.state
    }
}

impl<T: Hash> Hash for View<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.state.hash(state);
    }
}

impl<T> fmt::Debug for View<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

/// Something that can happen, with the words for it: by itself an action is a fingerprint.
#[derive(Clone, PartialEq)]
pub(crate) struct Choice<A> {
    action: A,
    says: String,
}

impl<A> fmt::Debug for Choice<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.says)
    }
}

impl<M: Pictured> Explored<M> {
    fn view(&self, state: M::State) -> View<M::State> {
        let shown = self.0.show(&state);
        View { state, shown }
    }
}

impl<M: Pictured> Judges for Explored<M> {
    fn judges(&self, view: &View<M::State>, law: Law) -> bool {
        self.0.judges(&view.state, law)
    }

    fn laws(&self) -> &[Law] {
        self.0.laws()
    }
}

impl<M: Pictured> Model for Explored<M> {
    type State = View<M::State>;
    type Action = Choice<M::Action>;

    fn init_states(&self) -> Vec<Self::State> {
        self.0.init_states().into_iter().map(|state| self.view(state)).collect()
    }

    fn actions(&self, view: &Self::State, choices: &mut Vec<Self::Action>) {
        let mut actions = Vec::new();
        self.0.actions(&view.state, &mut actions);
        choices.extend(actions.into_iter().map(|action| {
            let says = self.0.describe(&view.state, action);
            Choice { action, says }
        }));
    }

    fn next_state(&self, view: &Self::State, choice: Self::Action) -> Option<Self::State> {
        self.0.next_state(&view.state, choice.action).map(|state| self.view(state))
    }

    fn properties(&self) -> Vec<Property<Self>> {
        self.laws().iter().map(|law| crate::laws::property(*law)).collect()
    }

    fn format_action(&self, choice: &Self::Action) -> String {
        choice.says.clone()
    }

    fn format_step(&self, view: &Self::State, choice: Self::Action) -> Option<String> {
        let after = self.0.next_state(&view.state, choice.action)?;
        Some(self.0.outcome(&view.state, choice.action, &after))
    }

    fn as_svg(&self, path: Path<Self::State, Self::Action>) -> Option<String> {
        let path = path.into_vec();
        let steps: Vec<_> = path
            .iter()
            .map(|(view, choice)| (&view.state, choice.as_ref().map(|choice| choice.action)))
            .collect();
        Some(self.0.picture(&steps))
    }
}

/// Serves a plan with the server that ships; see [`serve`].
///
/// # Errors
/// The address cannot be had.
pub fn serve_shipped(
    plan: Plan,
    at: SocketAddr,
    ready: impl FnOnce(SocketAddr) + Send + 'static,
) -> Result<Infallible, String> {
    match Exchange::of(&plan) {
        Some(exchange) => serve(exchange, at, ready),
        None if plan.sharded => serve(Village::<Sharded<Server>>::new(plan), at, ready),
        None => serve(Village::<Server>::new(plan), at, ready),
    }
}

/// Serves a model at an address until the process ends; says where as soon as a browser gets an
/// answer there. Port 0 is any that is free.
///
/// # Errors
/// The address cannot be had.
fn serve<M>(
    model: M,
    at: SocketAddr,
    ready: impl FnOnce(SocketAddr) + Send + 'static,
) -> Result<Infallible, String>
where
    M: Pictured<State: Send + Sync, Action: Send + Sync> + Send + Sync + 'static,
{
    // stateright takes an address that can be had for granted.
    let free = TcpListener::bind(at).and_then(|listener| listener.local_addr());
    let at = free.map_err(|why| why.to_string())?;
    std::thread::spawn(move || {
        await_answer(at);
        ready(at);
    });
    Explored(model).checker().serve(at);
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
