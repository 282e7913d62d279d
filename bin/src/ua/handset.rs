//! An agent with its phone, as one thing that takes orders and tells what happens.
//!
//! A task of its own carries events of the agent to the phone and what the media ports see to the
//! agent, at once and whoever is slow to listen. Whoever holds the handset (a session, a demo, a
//! simulated user) waits for nothing but what it is told.

use super::ordered::Asked;
use super::phone::{Notice, Phone, Refusal, Sight, Studio};
use presently_engine::Instant;
use presently_engine::agent::{Command, Event};
use presently_net::media::Id;
use presently_net::{AgentHandle, Clock};
use std::net::SocketAddr;
use std::task::{Context, Poll};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// What a user is told.
#[derive(Clone, PartialEq, Debug)]
pub enum Told {
    /// The agent says so.
    Event(Event),
    /// What was asked of the phone is not possible.
    Refused(Refusal),
    /// How a stream fares.
    Media(Id, Notice),
}

/// What a user wants.
enum Order {
    Command(Command),
    Ask(Asked),
    Finish(oneshot::Sender<()>),
}

/// An agent with its phone. Dropping it ends both at once.
#[derive(Debug)]
pub struct Handset {
    /// What is told, and when it happened. Ends when the agent has stopped.
    pub told: UnboundedReceiver<(Instant, Told)>,
    orders: UnboundedSender<Order>,
    address: SocketAddr,
    clock: Clock,
    task: JoinHandle<()>,
}

impl Drop for Handset {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Handset {
    /// Takes over an agent that was started. Call inside a tokio runtime.
    pub fn start<S: Studio + Send + 'static>(agent: AgentHandle, phone: Phone<S>) -> Self {
        let (tell, told) = mpsc::unbounded_channel();
        let (orders, taken) = mpsc::unbounded_channel();
        let (address, clock) = (agent.address(), agent.clock());
        let task = tokio::spawn(Hand { agent, phone, taken, tell }.run());
        Self { told, orders, address, clock, task }
    }

    /// What is told next, and when it happened; `None` when the agent has stopped.
    pub async fn told(&mut self) -> Option<(Instant, Told)> {
        self.told.recv().await
    }

    /// The same, for somebody who waits for several at once.
    pub fn poll_told(&mut self, cx: &mut Context<'_>) -> Poll<Option<(Instant, Told)>> {
        self.told.poll_recv(cx)
    }

    /// Hands a command to the agent. One that has stopped says so by the end of what it tells.
    pub fn command(&self, command: Command) {
        let _ = self.orders.send(Order::Command(command));
    }

    /// Asks something of the phone.
    pub fn ask(&self, asked: Asked) {
        let _ = self.orders.send(Order::Ask(asked));
    }

    /// Ends agent and media. What is recorded is complete when this returns.
    pub async fn finish(self) {
        let (done, finished) = oneshot::channel();
        let _ = self.orders.send(Order::Finish(done));
        // A task that has ended has nothing left to finish.
        let _ = finished.await;
    }

    /// The agent's own address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The agent's time.
    pub fn now(&self) -> Instant {
        self.clock.now()
    }
}

/// The task's side.
struct Hand<S> {
    agent: AgentHandle,
    phone: Phone<S>,
    taken: UnboundedReceiver<Order>,
    tell: UnboundedSender<(Instant, Told)>,
}

impl<S: Studio + Send> Hand<S> {
    async fn run(mut self) {
        loop {
            let commands = tokio::select! {
                biased;
                event = self.agent.events.recv() => match event {
                    Some((at, event)) => self.happened(at, event),
                    None => return,
                },
                order = self.taken.recv() => match order {
                    Some(Order::Command(command)) => vec![command],
                    Some(Order::Ask(asked)) => self.ask(asked),
                    Some(Order::Finish(done)) => {
                        self.phone.studio().finish().await;
                        // Whoever asked may have gone.
                        let _ = done.send(());
                        return;
                    }
                    None => return,
                },
                sight = self.phone.studio().sight() => self.seen(sight),
            };
            for trouble in self.phone.troubles() {
                self.tell(self.agent.clock().now(), Told::Refused(trouble));
            }
            for command in commands {
                // One that has stopped says so by the end of its events.
                let _ = self.agent.command(command).await;
            }
        }
    }

    fn happened(&mut self, at: Instant, event: Event) -> Vec<Command> {
        let commands = self.phone.follow(&event);
        if !is_for_ports(&event) {
            self.tell(at, Told::Event(event));
        }
        commands
    }

    fn ask(&mut self, asked: Asked) -> Vec<Command> {
        self.phone.carry_out(asked).unwrap_or_else(|refusal| {
            self.tell(self.agent.clock().now(), Told::Refused(refusal));
            Vec::new()
        })
    }

    fn seen(&mut self, sight: Sight) -> Vec<Command> {
        let (command, told) = self.phone.seen(sight);
        if let Some((name, notice)) = told {
            self.tell(self.agent.clock().now(), Told::Media(name, notice));
        }
        command.into_iter().collect()
    }

    /// A user who has gone hears nothing.
    fn tell(&self, at: Instant, told: Told) {
        let _ = self.tell.send((at, told));
    }
}

fn is_for_ports(event: &Event) -> bool {
    matches!(event, Event::MediaPacket { .. } | Event::MediaWelcome { .. } | Event::MediaBye { .. })
}
