//! A server in shards: recovered from its store, listening, driven, watched, and ended in order.
//!
//! Every shard is a whole machine that owns a run of slots; no two shards share state. The service
//! splits the rows at start, sends each command to the shard that owns it, and stops as a whole:
//! orderly when asked, at once when one of its tasks fails.

use crate::clock::Clock;
use crate::crew::Crew;
use crate::driver::{Driver, Failure, Remote, Setting, Stopped};
use crate::gate::{Gate, behind};
use crate::log;
use crate::metrics::Metrics;
use crate::recovery::recover;
use crate::router::{Router, shard_of};
use crate::store::{Durable, Store};
use crate::tap::Tap;
use crate::udp::{Datagrams, LARGEST_DATAGRAM};
use crate::wire::Wire;
use presently_engine::server::{Command, Config, Event, Record, Recovery, Server};
use presently_engine::slot::Slot;
use presently_engine::{Input, Instant, Machine};
use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

/// Datagrams that may wait for one shard.
const INBOX: usize = 8192;

/// Datagrams that are received in one go while more are there. A driver's turn takes as long as
/// hundreds of them: whoever received fewer would leave the rest to overflow in the kernel, which
/// knows no difference between them.
const DRAUGHT: usize = 2048;

/// A machine that can be run in shards by the slots of its records.
pub trait Sharded:
    Machine<
        Config: Send + Sync + 'static,
        Command: Clone + Send + 'static,
        Event: Send + 'static,
        Record: Durable,
    > + Send
    + 'static
{
    /// The machine as it was when `records` were durable; it goes on at the time that `now` tells
    /// when all of them are there.
    fn recover(
        config: &Self::Config,
        records: impl Iterator<Item = Self::Record>,
        now: impl FnOnce() -> Instant,
    ) -> Self;

    /// Which slot owns a record.
    fn slot(record: &Self::Record) -> Slot;

    /// Which slot a command is for; `None`: every shard.
    fn owner(command: &Self::Command) -> Option<Slot>;

    /// The command that ends the machine's work.
    fn shutdown() -> Self::Command;

    /// Whether the event says that the shutdown is complete.
    fn is_drained(event: &Self::Event) -> bool;

    /// Counts and logs an event.
    fn note(event: &Self::Event, metrics: &Metrics);
}

impl Sharded for Server {
    fn recover(
        config: &Config,
        records: impl Iterator<Item = Record>,
        now: impl FnOnce() -> Instant,
    ) -> Self {
        let mut recovery = Recovery::default();
        records.for_each(|record| recovery.take(config, &record));
        recovery.finish(config, now())
    }

    fn slot(record: &Record) -> Slot {
        Slot::of_aor(record.aor())
    }

    fn owner(command: &Command) -> Option<Slot> {
        match command {
            Command::Decide { presentity, .. } => Some(Slot::of_aor(presentity)),
            Command::Remove(aor) => Some(Slot::of_aor(aor)),
            Command::Shutdown => None,
        }
    }

    fn shutdown() -> Command {
        Command::Shutdown
    }

    fn is_drained(event: &Event) -> bool {
        matches!(event, Event::Drained)
    }

    fn note(event: &Event, metrics: &Metrics) {
        match event {
            Event::Answered { method, status, .. } => metrics.count_answered(*method, *status),
            Event::Finished { method, status, .. } => metrics.count_finished(*method, *status),
            Event::Refused { .. } => metrics.refused.add(1),
            Event::Registered { .. } | Event::Drained => {}
        }
        log::server_event(event);
    }
}

/// Somebody who is told every event of every shard. Must not block.
pub type OnEvent<E> = Arc<dyn Fn(Instant, &E) + Send + Sync>;

/// What a service is made of.
pub struct ServiceSetup<D, S, M: Sharded = Server> {
    /// Configuration of the machines.
    pub config: M::Config,
    /// Bound sockets, in the order of [`presently_engine::Peer::listener`].
    pub sockets: Vec<D>,
    /// Where records are kept.
    pub store: S,
    /// How many shards, from 1 to 4096.
    pub shards: usize,
    /// How many datagrams may wait for one shard; more are dropped and counted.
    pub inbox: usize,
    /// The time.
    pub clock: Clock,
    /// Who looks at every datagram.
    pub tap: Option<Tap>,
    /// Who is told every event.
    pub on_event: Option<OnEvent<M::Event>>,
    /// What makes it stand still (simulation, tests).
    pub gate: Option<Gate>,
}

impl<D, S, M: Sharded> ServiceSetup<D, S, M> {
    /// A service with a shard for every processor.
    pub fn new(config: M::Config, sockets: Vec<D>, store: S) -> Self {
        let shards = std::thread::available_parallelism().map_or(1, usize::from);
        let clock = Clock::new();
        Self {
            config,
            sockets,
            store,
            shards,
            inbox: INBOX,
            clock,
            tap: None,
            on_event: None,
            gate: None,
        }
    }
}

impl<D, S, M: Sharded> fmt::Debug for ServiceSetup<D, S, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceSetup").field("shards", &self.shards).finish_non_exhaustive()
    }
}

/// A running server. Dropping it ends it like a crash; nothing acknowledged is lost either way.
pub struct Service<M: Sharded = Server> {
    shards: Vec<Remote<M>>,
    addresses: Vec<SocketAddr>,
    metrics: Arc<Metrics>,
    clock: Clock,
    drained: watch::Receiver<usize>,
    leaving: AtomicBool,
    crew: Crew,
}

impl<M: Sharded> fmt::Debug for Service<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service").field("addresses", &self.addresses).finish_non_exhaustive()
    }
}

impl<M: Sharded> Service<M> {
    /// Recovers every shard from the store and starts to listen. Call inside a tokio runtime.
    ///
    /// Nothing runs when this fails: the error is one line for a person.
    pub fn start<D: Datagrams, S: Store>(setup: ServiceSetup<D, S, M>) -> io::Result<Self> {
        let ServiceSetup { config, sockets, store, shards, inbox, clock, tap, on_event, gate } =
            setup;
        if !(1..=usize::from(Slot::COUNT)).contains(&shards) || inbox == 0 {
            let line = format!("shards = {shards}: from 1 to {} are allowed", Slot::COUNT);
            return Err(io::Error::new(io::ErrorKind::InvalidInput, line));
        }
        let metrics = Arc::new(Metrics::default());
        let wire = Arc::new(Wire::new(sockets, clock, tap, metrics.clone())?);
        let (config, store) = (Arc::new(config), Arc::new(store));
        let recovered = recover::<M, S>(&*store, &config, clock, shards)?;

        let (drain, drained) = watch::channel(0);
        let drain = Arc::new(drain);
        let mut drivers = JoinSet::new();
        let (mut remotes, mut inboxes) = (Vec::new(), Vec::new());
        for machine in recovered {
            let (remote, control) = Remote::pair();
            let (sender, receiver) = mpsc::channel::<Input<M::Command>>(inbox);
            let setting = Setting {
                config: config.clone(),
                clock,
                wire: wire.clone(),
                store: store.clone(),
                metrics: metrics.clone(),
                inbox: receiver,
                control,
            };
            let tell = teller::<M>(metrics.clone(), drain.clone(), on_event.clone());
            drivers.spawn(behind(gate.as_ref(), Driver::new(machine, setting, tell).run()));
            remotes.push(remote);
            inboxes.push(sender);
        }
        let addresses = wire.addresses();
        let router = Arc::new(Router::new(inboxes, metrics.clone()));
        let receivers = listen(&wire, &router, gate.as_ref());
        let crew = Crew::new(drivers, receivers, (store, wire));
        let leaving = AtomicBool::new(false);
        Ok(Self { shards: remotes, addresses, metrics, clock, drained, leaving, crew })
    }

    /// Our listeners' addresses.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// The counters of all shards and listeners.
    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    /// The time of this service.
    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// Hands a command to the shard that owns it, or to all.
    pub async fn command(&self, command: M::Command) -> Result<(), Stopped> {
        if let Some(slot) = M::owner(&command) {
            let owner = &self.shards[shard_of(slot, self.shards.len())];
            return owner.command(command).await;
        }
        for shard in &self.shards {
            shard.command(command.clone()).await?;
        }
        Ok(())
    }

    /// Looks at every shard between two of its inputs; the answers come in the order of the
    /// shards. A shard that has stopped has nothing to show.
    pub async fn inspect<T: Send + 'static>(
        &self,
        look: impl Fn(&M, Instant) -> T + Send + Sync + 'static,
    ) -> Vec<T> {
        let look = Arc::new(look);
        let mut seen = Vec::with_capacity(self.shards.len());
        for shard in &self.shards {
            let look = look.clone();
            seen.extend(shard.inspect(move |machine, now| look(machine, now)).await);
        }
        seen
    }

    /// Replaces the configuration of every shard before its next input.
    pub async fn reload(&self, config: M::Config) -> Result<(), Stopped> {
        let config = Arc::new(config);
        for shard in &self.shards {
            shard.configure(config.clone()).await?;
        }
        Ok(())
    }

    /// Ends the service in order: every shard tells its subscribers and says when it is done, at
    /// most for `patience`. A second call ends it at once. Returns when the store is free again.
    pub async fn shutdown(&self, patience: Duration) -> Result<(), Failure> {
        if !self.leaving.swap(true, Ordering::SeqCst) {
            let drained = async {
                if self.command(M::shutdown()).await.is_ok() {
                    let mut drained = self.drained.clone();
                    // An end of the senders is an end of the shards.
                    let _ = drained.wait_for(|shards| *shards >= self.shards.len()).await;
                }
            };
            tokio::select! {
                biased;
                _ = self.join() => {}
                () = drained => {}
                () = tokio::time::sleep(patience) => {}
            }
        }
        for shard in &self.shards {
            // One that has stopped already need not be told.
            let _ = shard.stop().await;
        }
        self.join().await
    }

    /// Waits until the service has ended; the error says which failure ended it.
    pub fn join(&self) -> impl Future<Output = Result<(), Failure>> + Send + use<M> {
        self.crew.join()
    }
}

/// What a shard's driver does with an event.
fn teller<M: Sharded>(
    metrics: Arc<Metrics>,
    drain: Arc<watch::Sender<usize>>,
    on_event: Option<OnEvent<M::Event>>,
) -> impl FnMut(Instant, M::Event) + Send {
    let mut is_drained = false;
    move |at, event| {
        M::note(&event, &metrics);
        if let Some(tell) = &on_event {
            tell(at, &event);
        }
        if M::is_drained(&event) && !is_drained {
            is_drained = true;
            drain.send_modify(|shards| *shards += 1);
        }
    }
}

/// One receiver a listener, all with the same router.
pub(crate) fn listen<D: Datagrams, C: Send + 'static>(
    wire: &Arc<Wire<D>>,
    router: &Arc<Router<C>>,
    gate: Option<&Gate>,
) -> JoinSet<()> {
    let mut receivers = JoinSet::new();
    let count = u16::try_from(wire.addresses().len()).expect("a wire has at most 65535 listeners");
    for listener in 0..count {
        let (wire, router) = (wire.clone(), router.clone());
        let receive = async move {
            let mut buffer = vec![0; LARGEST_DATAGRAM];
            for taken in (1..=DRAUGHT).cycle() {
                if taken == DRAUGHT {
                    tokio::task::yield_now().await;
                }
                let (from, bytes) = wire.receive(listener, &mut buffer).await;
                router.route(from, bytes).await;
            }
        };
        // It yields by itself, and later than the runtime would make it.
        receivers.spawn(behind(gate, tokio::task::unconstrained(receive)));
    }
    receivers
}

#[cfg(test)]
mod tests;
