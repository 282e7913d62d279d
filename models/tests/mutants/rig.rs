//! A machine around the server that alters what goes in and what comes out.

use presently_engine::server::{Command, Config, Event, Record, Server, Tables};
use presently_engine::{Input, Instant, Machine, Output};
use presently_models::world::Serves;
use std::fmt::Debug;
use std::hash::Hash;

/// What the server appends.
pub(crate) type Out = Vec<Output<Record, Event>>;

/// One planted fault. It has no memory.
pub(crate) trait Fault: Clone + Hash + Debug + Default + Send + Sync + 'static {
    /// Another configuration.
    fn config(_config: &mut Config) {}
    /// Another input.
    fn input(input: Input<Command>) -> Input<Command> {
        input
    }
    /// Other outputs.
    fn outputs(_out: &mut Out) {}
}

/// No fault.
#[derive(Clone, Hash, Debug, Default)]
pub(crate) struct None;

impl Fault for None {}

/// The server with a fault.
#[derive(Clone, Hash, Debug, Default)]
pub(crate) struct Faulty<F> {
    server: Server,
    fault: F,
}

fn altered<F: Fault>(config: &Config) -> Config {
    let mut config = config.clone();
    F::config(&mut config);
    config
}

impl<F: Fault> Machine for Faulty<F> {
    type Config = Config;
    type Command = Command;
    type Event = Event;
    type Record = Record;

    fn handle(&mut self, config: &Config, now: Instant, input: Input<Command>, out: &mut Out) {
        self.server.handle(&altered::<F>(config), now, F::input(input), out);
        F::outputs(out);
    }

    fn deadline(&self) -> Option<Instant> {
        self.server.deadline()
    }
}

impl<F: Fault> Serves for Faulty<F> {
    fn recover(config: &Config, now: Instant, rows: Vec<Record>) -> Self {
        let server = Server::recover(&altered::<F>(config), now, rows);
        Self { server, fault: F::default() }
    }

    fn tables(&self, now: Instant) -> Tables {
        self.server.tables(now)
    }
}
