//! The loop that carries a machine: inbox → machine → store → wire.
//!
//! One driver owns one machine and everything that happens to it happens in one task, one input
//! after the other. A turn takes whatever has queued up, hands it in piece by piece, makes the
//! records of the whole turn durable in one commit and lets the rest leave in order.
//!
//! **Output rule** (behaviour §0.2.5): an output leaves only when every record before it in the
//! list is durable. If the commit fails, nothing after it leaves, ever: the driver stops.
//!
//! **Deadlines** (§0.2.7): a deadline that has come fires before the next input, except after a
//! stall (R52): when the driver wakes more than five seconds late, the datagrams that
//! queued up meanwhile are handed in first, before anything fires that has become due. They were
//! sent in time; that we slept must not let them find their subscription expired. What follows
//! from them begins when they are handed in: what is granted then lasts as long as the answer
//! says, and what is sent then waits for its answer as long as ever.

use crate::clock::Clock;
use crate::metrics::Metrics;
use crate::pressure::{Newcomers, Place};
use crate::store::{Durable, Row, Store};
use crate::udp::Datagrams;
use crate::wire::Wire;
use presently_engine::{Input, Instant, Machine, Output, Peer};
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// Most inputs of one turn, and so the most that share a commit within a shard.
const BATCH: usize = 256;

/// Lateness that counts as a stall (R52).
const STALL: Duration = Duration::from_secs(5);

/// After a stall: how long the inbox must be silent before it counts as emptied. The receivers
/// need a moment to bring in what the kernel has kept.
const SETTLING: Duration = Duration::from_millis(50);

/// After a stall: most inputs that are handed in before the deadlines get their turn.
const CATCH_UP: usize = 65_536;

/// Commands, inspections and the like that may wait for a driver.
const CONTROLS: usize = 64;

/// Why a driver ended although nobody asked it to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Failure {
    /// The store did not take a batch. What it would have allowed to leave was held back.
    Store(String),
    /// A task panicked: a bug.
    Panic(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(why) => write!(f, "the store failed, nothing more is acknowledged: {why}"),
            Self::Panic(why) => write!(f, "a task of the server panicked: {why}"),
        }
    }
}

impl std::error::Error for Failure {}

/// The machine that was asked has stopped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stopped;

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the machine has stopped")
    }
}

impl std::error::Error for Stopped {}

/// A look at a machine between two inputs.
type Look<M> = Box<dyn FnOnce(&M, Instant) + Send>;

/// What an owner may ask of a driver, between two inputs of its machine.
pub(crate) enum Control<M: Machine> {
    Command(M::Command),
    Inspect(Look<M>),
    Configure(Arc<M::Config>),
    Stop,
}

/// The owner's handle to one driven machine. A clone reaches the same machine.
pub struct Remote<M: Machine>(mpsc::Sender<Control<M>>);

impl<M: Machine> Clone for Remote<M> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<M: Machine> fmt::Debug for Remote<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Remote")
    }
}

impl<M: Machine> Remote<M> {
    /// The two ends of a remote control.
    pub(crate) fn pair() -> (Self, mpsc::Receiver<Control<M>>) {
        let (sender, receiver) = mpsc::channel(CONTROLS);
        (Self(sender), receiver)
    }

    /// Hands a command in. Requests of one remote are obeyed in their order.
    pub async fn command(&self, command: M::Command) -> Result<(), Stopped> {
        self.ask(Control::Command(command)).await
    }

    /// Looks at the machine between two inputs.
    pub async fn inspect<T: Send + 'static>(
        &self,
        look: impl FnOnce(&M, Instant) -> T + Send + 'static,
    ) -> Result<T, Stopped> {
        let (answer, answered) = oneshot::channel();
        let look = move |machine: &M, now| {
            // Whoever asked may have gone.
            let _ = answer.send(look(machine, now));
        };
        self.ask(Control::Inspect(Box::new(look))).await?;
        answered.await.map_err(|_| Stopped)
    }

    /// Replaces the configuration before the next input.
    pub async fn configure(&self, config: Arc<M::Config>) -> Result<(), Stopped> {
        self.ask(Control::Configure(config)).await
    }

    /// Ends the driver after its present turn, without telling the machine.
    pub async fn stop(&self) -> Result<(), Stopped> {
        self.ask(Control::Stop).await
    }

    async fn ask(&self, control: Control<M>) -> Result<(), Stopped> {
        self.0.send(control).await.map_err(|_| Stopped)
    }
}

/// Everything around one machine.
pub(crate) struct Setting<M: Machine, D, S> {
    pub(crate) config: Arc<M::Config>,
    pub(crate) clock: Clock,
    pub(crate) wire: Arc<Wire<D>>,
    pub(crate) store: Arc<S>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) inbox: mpsc::Receiver<Input<M::Command>>,
    pub(crate) control: mpsc::Receiver<Control<M>>,
}

/// A machine and its loop. `tell` takes the machine's events; it must not block.
pub(crate) struct Driver<M: Machine, D, S, T> {
    machine: M,
    setting: Setting<M, D, S>,
    tell: T,
    /// The time of the last input: `now` never decreases.
    last: Instant,
    batch: Vec<Input<M::Command>>,
    lost: BTreeSet<Peer>,
    out: Vec<Output<M::Record, M::Event>>,
    newcomers: Newcomers<M>,
    inbox_open: bool,
}

impl<M, D, S, T> Driver<M, D, S, T>
where
    M: Machine<Record: Durable>,
    D: Datagrams,
    S: Store,
    T: FnMut(Instant, M::Event),
{
    pub(crate) fn new(machine: M, setting: Setting<M, D, S>, tell: T) -> Self {
        let last = setting.clock.now();
        Self {
            machine,
            setting,
            tell,
            last,
            batch: Vec::new(),
            lost: BTreeSet::new(),
            out: Vec::new(),
            newcomers: Newcomers::new(),
            inbox_open: true,
        }
    }

    /// Drives the machine until it is told to stop or its store fails.
    pub(crate) async fn run(mut self) -> Result<(), Failure> {
        self.last = self.setting.clock.now();
        loop {
            let planned = self.machine.deadline();
            match self.wait(planned).await {
                Some(Control::Stop) => return Ok(()),
                Some(Control::Configure(config)) => self.setting.config = config,
                Some(Control::Inspect(look)) => look(&self.machine, self.now()),
                Some(Control::Command(command)) => self.batch.push(Input::Command(command)),
                None => {}
            }
            if let Some(missed) = self.missed(planned) {
                self.catch_up(missed).await?;
            }
            let now = self.now();
            let full = self.batch.len() >= BATCH;
            self.hand_in(now);
            self.release(now).await?;
            if full {
                // The receivers need the processor too, or their sockets overflow.
                tokio::task::yield_now().await;
            }
        }
    }

    /// Waits for the owner, for datagrams (which it puts into the batch) or for the deadline.
    async fn wait(&mut self, planned: Option<Instant>) -> Option<Control<M>> {
        let Setting { clock, inbox, control, .. } = &mut self.setting;
        let pressing = !self.lost.is_empty() || !self.newcomers.is_empty();
        let alarm = async {
            match planned {
                _ if pressing => {}
                Some(at) => clock.sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            control = control.recv() => return Some(control.unwrap_or(Control::Stop)),
            taken = inbox.recv_many(&mut self.batch, BATCH), if self.inbox_open => {
                self.inbox_open = taken > 0;
            }
            () = alarm => {}
        }
        None
    }

    /// The deadline that a stall made us miss, if there was a stall (R52).
    ///
    /// What was overdue when the last input was handled is unfinished work, not a stall.
    fn missed(&self, planned: Option<Instant>) -> Option<Instant> {
        let expected = planned?.max(self.last);
        (self.now().since(expected) > STALL).then_some(expected)
    }

    /// Hands in what queued up during a stall, before the deadlines that it made us miss.
    async fn catch_up(&mut self, missed: Instant) -> Result<(), Failure> {
        self.setting.metrics.stalls.add(1);
        crate::log::stalled(self.now().since(missed));
        let mut room = CATCH_UP;
        loop {
            room = room.saturating_sub(self.batch.len());
            let now = self.now();
            self.last = now;
            for input in std::mem::take(&mut self.batch) {
                let Self { machine, setting, out, .. } = self;
                machine.handle_belated(&setting.config, now, input, out);
            }
            self.release(now).await?;
            if room == 0 || !self.inbox_open {
                return Ok(());
            }
            let inbox = &mut self.setting.inbox;
            let more = inbox.recv_many(&mut self.batch, BATCH);
            match tokio::time::timeout(SETTLING, more).await {
                Ok(taken) => self.inbox_open = taken > 0,
                Err(_) => return Ok(()),
            }
        }
    }

    /// Hands in the batch and what its outputs ran into, deadlines first.
    fn hand_in(&mut self, now: Instant) {
        for peer in std::mem::take(&mut self.lost) {
            self.step(now, Input::Lost { peer });
        }
        let mut batch = std::mem::take(&mut self.batch);
        let busy = batch.len() >= BATCH || !self.newcomers.is_empty();
        for input in batch.drain(..) {
            self.tick_if_due(now);
            if busy { self.sort(now, input) } else { self.step(now, input) }
        }
        self.batch = batch;
        for _ in 0..self.newcomers.turn(self.setting.inbox.len()) {
            let Some(input) = self.newcomers.next() else { break };
            self.tick_if_due(now);
            self.step(now, input);
        }
        self.tick_if_due(now);
    }

    /// There is more to do than can be done: whoever is in goes first.
    fn sort(&mut self, now: Instant, input: Input<M::Command>) {
        let Setting { config, inbox, .. } = &self.setting;
        match self.newcomers.place(&self.machine, config, input, inbox.len()) {
            Place::Now(input) => self.step(now, input),
            Place::Later => {}
            Place::Never(input) => {
                self.setting.metrics.turned_away.add(1);
                self.machine.turn_away(&self.setting.config, now, input, &mut self.out);
            }
        }
    }

    /// One tick at most: a machine that spreads work over ticks must not starve its inbox.
    fn tick_if_due(&mut self, now: Instant) {
        if self.machine.deadline().is_some_and(|at| at <= now) {
            self.step(now, Input::Tick);
        }
    }

    fn step(&mut self, now: Instant, input: Input<M::Command>) {
        self.last = now;
        self.machine.handle(&self.setting.config, now, input, &mut self.out);
    }

    /// Lets the outputs of a turn leave, in order, under the output rule.
    async fn release(&mut self, now: Instant) -> Result<(), Failure> {
        let mut out = std::mem::take(&mut self.out);
        let is_record = |output: &Output<_, _>| matches!(output, Output::Record(_));
        let free = out.iter().position(is_record).unwrap_or(out.len());
        for output in out.drain(..free) {
            self.deliver(now, output).await;
        }
        if self.setting.store.keeps() {
            self.commit(rows(&out)).await?;
        }
        for output in out.drain(..) {
            self.deliver(now, output).await;
        }
        self.out = out;
        Ok(())
    }

    /// Makes the rows of a turn durable, in one commit.
    async fn commit(&mut self, rows: Vec<Row>) -> Result<(), Failure> {
        if rows.is_empty() {
            return Ok(());
        }
        let (count, begun) = (rows.len(), tokio::time::Instant::now());
        let Setting { store, metrics, .. } = &mut self.setting;
        store.commit(rows).await.map_err(|error| Failure::Store(error.to_string()))?;
        metrics.committed(count, begun.elapsed());
        Ok(())
    }

    async fn deliver(&mut self, now: Instant, output: Output<M::Record, M::Event>) {
        match output {
            Output::Record(_) => {}
            Output::Transmit { to, bytes } => {
                if self.setting.wire.send(to, bytes).await.is_err() {
                    self.lost.insert(to);
                }
            }
            Output::Event(event) => (self.tell)(now, event),
        }
    }

    fn now(&self) -> Instant {
        self.setting.clock.now().max(self.last)
    }
}

/// The rows of every record among some outputs.
fn rows<R: Durable, E>(out: &[Output<R, E>]) -> Vec<Row> {
    let records = out.iter().filter_map(|output| match output {
        Output::Record(record) => Some(record.row()),
        Output::Transmit { .. } | Output::Event(_) => None,
    });
    records.collect()
}

#[cfg(test)]
mod tests;
