//! Time passes: deadlines, long waits, a network that is cut for long.

use super::agent::Cause;
use super::{Serves, Sight, Step};
use crate::plan::UserId;
use presently_engine::{Instant, Machine};
use std::time::Duration;

/// Longer than any transaction tries (64·T1).
const OUTAGE: Duration = Duration::from_secs(33);

impl<S: Serves> Step<'_, S> {
    pub(super) fn gap(&self) -> Option<Duration> {
        self.world.deadline().map(|at| at.since(self.world.now))
    }

    /// The earliest deadline comes; everybody concerned is told.
    pub(super) fn tick(&mut self) {
        let Some(at) = self.world.deadline() else { return };
        self.pass_to(at.max(self.world.now));
        let now = self.world.now;
        if self.world.server.get().deadline().is_some_and(|at| at <= now) {
            self.tell_server_tick();
        }
        for user in (0..).zip(&self.village.sockets).map(|(user, _)| user) {
            let agent = self.world.agents[usize::from(user)].get();
            if agent.deadline().is_some_and(|at| at <= now) {
                self.tell_agent(user, Cause::Tick);
            }
        }
    }

    /// The next timer of one node fires, whatever the others' clocks say and whatever is under
    /// way: its clock alone goes on. Node 0 is the server.
    pub(super) fn fire(&mut self, node: u8) -> Option<()> {
        self.world.left.fires -= 1;
        let Some(user) = node.checked_sub(1) else {
            let server = &self.world.server;
            let at = server.get().deadline()?.max(server.at());
            self.server_clock(at);
            self.tell_server_tick();
            return Some(());
        };
        let agent = &mut self.world.agents[usize::from(user)];
        let at = agent.get().deadline()?.max(agent.at());
        agent.age(at);
        self.tell_agent(user, Cause::Tick);
        Some(())
    }

    fn server_clock(&mut self, at: Instant) {
        self.world.now = at;
        self.world.server.age(at);
        self.world.rows.age(at);
        self.world.ghost.age(at);
    }

    fn pass_to(&mut self, at: Instant) {
        if at > self.world.now {
            self.server_clock(at);
            for agent in &mut self.world.agents {
                agent.age(at);
            }
        }
    }

    pub(super) fn wait(&mut self) {
        if self.gap().is_some_and(|gap| gap >= self.village.plan.long) {
            self.world.left.jumps -= 1;
            self.tick();
        }
        while !self.spoken && self.gap().is_some_and(|gap| gap < self.village.plan.long) {
            self.tick();
        }
    }

    /// So much time passes on a perfect network.
    pub(crate) fn calm(&mut self, time: Duration) {
        let end = self.world.now + time;
        loop {
            if let Some(letter) = self.world.wire.take_first() {
                self.arrive(&letter);
            } else if self.world.deadline().is_some_and(|at| at <= end) {
                self.tick();
            } else {
                return self.pass_to(end);
            }
        }
    }

    /// Nothing from or to a user arrives for longer than any transaction lives. Letters between
    /// others arrive at once.
    pub(super) fn outage(&mut self, user: UserId) {
        self.world.left.outages -= 1;
        let socket = self.village.sockets[usize::from(user)];
        self.cut = Some(socket);
        self.world.wire.cut(socket);
        let records = self.world.rows.print();
        self.calm(OUTAGE);
        self.cut = None;
        if records != self.world.rows.print() {
            self.village.album.note(Sight::HalfOpen);
        }
    }
}
