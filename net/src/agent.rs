//! One user agent on one socket: commands in, events out.
//!
//! Events wait without bound on purpose. Their reader is the user's own program, which also writes
//! the commands: with two bounded queues it could wait for room in one while the agent waits for
//! room in the other, and neither would move again.

use crate::clock::Clock;
use crate::crew::Crew;
use crate::driver::{Driver, Failure, Remote, Setting, Stopped};
use crate::gate::{Gate, behind};
use crate::metrics::Metrics;
use crate::router::Router;
use crate::service::listen;
use crate::store::{Durable, MemoryStore};
use crate::tap::Tap;
use crate::udp::Datagrams;
use crate::wire::Wire;
use presently_engine::agent::{Agent, Config};
use presently_engine::mint::Secret;
use presently_engine::{Input, Instant, Machine};
use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// Datagrams that may wait for an agent.
const INBOX: usize = 1024;

/// What a running agent is made of.
#[derive(Debug)]
pub struct AgentSetup<D, M: Machine = Agent> {
    /// Configuration of the agent.
    pub config: M::Config,
    /// Its bound socket.
    pub socket: D,
    /// The time.
    pub clock: Clock,
    /// Who looks at every datagram.
    pub tap: Option<Tap>,
    /// What makes it stand still (simulation, tests).
    pub gate: Option<Gate>,
}

impl<D> AgentSetup<D> {
    /// An agent in real time, without a tap.
    pub fn new(config: Config, socket: D) -> Self {
        Self { config, socket, clock: Clock::new(), tap: None, gate: None }
    }
}

/// A running agent. Dropping it ends it at once, without a logout.
pub struct AgentHandle<M: Machine = Agent> {
    /// What the user is told, and when it happened. Ends when the agent has ended.
    pub events: mpsc::UnboundedReceiver<(Instant, M::Event)>,
    remote: Remote<M>,
    address: SocketAddr,
    metrics: Arc<Metrics>,
    clock: Clock,
    crew: Crew,
}

impl<M: Machine> fmt::Debug for AgentHandle<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AgentHandle").field("address", &self.address).finish_non_exhaustive()
    }
}

impl AgentHandle {
    /// Starts an agent; it does nothing until it is told to log in. Call inside a tokio runtime.
    pub fn start<D: Datagrams>(setup: AgentSetup<D>) -> io::Result<Self> {
        Self::drive(Agent::default(), setup)
    }
}

impl<M> AgentHandle<M>
where
    M: Machine<
            Config: Send + Sync + 'static,
            Command: Send + 'static,
            Event: Send + 'static,
            Record: Durable,
        > + Send
        + 'static,
{
    /// Runs any machine that keeps nothing durable as one agent.
    pub fn drive<D: Datagrams>(machine: M, setup: AgentSetup<D, M>) -> io::Result<Self> {
        let AgentSetup { config, socket, clock, tap, gate } = setup;
        let metrics = Arc::new(Metrics::default());
        let wire = Arc::new(Wire::new(vec![socket], clock, tap, metrics.clone())?);
        let (remote, control) = Remote::pair();
        let (sender, inbox) = mpsc::channel::<Input<M::Command>>(INBOX);
        let (tell, events) = mpsc::unbounded_channel();
        let setting = Setting {
            config: Arc::new(config),
            clock,
            wire: wire.clone(),
            // An agent has no records; a store there is, for there is one driver.
            store: Arc::new(MemoryStore::with_secret(Secret::new([0; 16]))),
            metrics: metrics.clone(),
            inbox,
            control,
        };
        let tell = move |at, event| {
            // A user who has gone hears nothing.
            let _ = tell.send((at, event));
        };
        let mut drivers = JoinSet::new();
        drivers.spawn(behind(gate.as_ref(), Driver::new(machine, setting, tell).run()));
        let address = wire.addresses()[0];
        let router = Arc::new(Router::new(vec![sender], metrics.clone()));
        let receivers = listen(&wire, &router, gate.as_ref());
        let crew = Crew::new(drivers, receivers, wire);
        Ok(Self { events, remote, address, metrics, clock, crew })
    }

    /// Hands a command in.
    pub async fn command(&self, command: M::Command) -> Result<(), Stopped> {
        self.remote.command(command).await
    }

    /// A handle that can be cloned and given to other tasks: commands, inspection, stop.
    pub fn remote(&self) -> Remote<M> {
        self.remote.clone()
    }

    /// Looks at the agent between two inputs.
    pub async fn inspect<T: Send + 'static>(
        &self,
        look: impl FnOnce(&M, Instant) -> T + Send + 'static,
    ) -> Result<T, Stopped> {
        self.remote.inspect(look).await
    }

    /// Our own address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The agent's counters.
    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    /// The agent's time.
    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// Ends the agent as it is (log out first to leave nothing behind) and frees its socket.
    pub async fn stop(&self) -> Result<(), Failure> {
        // One that has stopped already need not be told.
        let _ = self.remote.stop().await;
        self.join().await
    }

    /// Waits until the agent has ended; the error says which failure ended it.
    pub fn join(&self) -> impl Future<Output = Result<(), Failure>> + Send + use<M> {
        self.crew.join()
    }
}

#[cfg(test)]
mod tests;
