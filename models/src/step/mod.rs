//! One step of a world: an input to one machine, its outputs carried out in order, and an onlooker
//! who judges them.

mod agent;
mod server;
mod time;

use crate::ghost::{Notes, Origin, Prompt};
use crate::law::{Law, Sight};
use crate::plan::UserId;
use crate::wire::{Content, Letter, Media};
use crate::world::{ATTACKER, Action, SERVER, Said, Serves, Village, World, is_proven};
use presently_engine::agent as ua;
use presently_engine::message::{Method, Reply};
use std::net::SocketAddr;
use std::sync::Arc;

/// A step under way.
pub(crate) struct Step<'a, S> {
    village: &'a Village<S>,
    world: World<S>,
    /// Whether somebody said something.
    spoken: bool,
    /// Whose letters are lost at once.
    cut: Option<SocketAddr>,
    /// How many rows are still stored before the server crashes.
    fuse: Option<u8>,
    /// The letter that caused this.
    cause: Option<Prompt>,
}

/// The onlooker's notes, beside whatever else of a step is borrowed.
fn notes<'n, S>(village: &'n Village<S>, broken: &'n mut Vec<Law>) -> Notes<'n> {
    Notes { laws: village.code, album: &village.album, broken }
}

impl<'a, S: Serves> Step<'a, S> {
    pub(crate) fn new(village: &'a Village<S>, world: &World<S>) -> Self {
        let world = world.after_this();
        Self { village, world, spoken: false, cut: None, fuse: None, cause: None }
    }

    /// The world after the step.
    pub(crate) fn done(mut self) -> World<S> {
        self.world.seal();
        self.world
    }

    /// Carries an action out; `None` if it cannot happen.
    pub(crate) fn act(&mut self, action: Action) -> Option<()> {
        match action {
            Action::Deliver(print) => {
                let letter = self.world.wire.take(print)?;
                self.arrive(&letter);
            }
            Action::CrashIn(print, after) => return self.crash_in(print, after),
            Action::Drop(print) => {
                self.world.left.drops -= 1;
                self.world.wire.take(print)?;
            }
            Action::Copy(print) => {
                self.world.left.copies -= 1;
                self.world.wire.copy(print).then_some(())?;
            }
            Action::Refuse(print) => return self.refuse(print),
            Action::Wish(place) => {
                let wish = self.village.plan.wishes.get(usize::from(place))?;
                self.world.left.wishes[usize::from(wish.purse)] -= 1;
                self.wish(wish.user, &wish.command);
            }
            Action::Wait => self.wait(),
            Action::Fire(node) => return self.fire(node),
            Action::Outage(user) => self.outage(user),
            Action::Depart(user) => self.depart(user),
            Action::Reboot(user) => self.reboot(user)?,
            Action::Crash => {
                self.world.left.crashes -= 1;
                self.restart();
            }
            Action::Replay(print) => {
                self.world.left.replays -= 1;
                let letter = self.loot(print)?;
                self.attack(&letter, Origin::Replayed);
            }
            Action::Forge(print) => {
                self.world.left.forgeries -= 1;
                let letter = self.loot(print)?;
                self.attack(&letter, Origin::Forged);
            }
        }
        Some(())
    }

    /// A user does something.
    pub(crate) fn wish(&mut self, user: UserId, command: &ua::Command) {
        self.world.ghost.wished(user, command);
        self.tell_agent(user, agent::Cause::Command(command));
        self.world.ghost.began(user, *command == ua::Command::Login);
    }

    /// Delivers everything, in the order of fingerprints, until nothing is under way.
    pub(crate) fn rest(&mut self) {
        loop {
            if let Some(letter) = self.world.wire.take_first() {
                self.arrive(&letter);
            } else if self.gap().is_some_and(|gap| gap < self.village.plan.long) {
                self.tick();
            } else {
                return;
            }
        }
    }

    /// A letter arrives.
    fn arrive(&mut self, letter: &Arc<Letter>) {
        self.cause = Some(Prompt { call: letter.facts.call, status: letter.facts.status });
        if letter.to == SERVER {
            self.at_server(letter, Origin::Genuine);
        } else if let Some(user) = self.village.user_at(letter.to) {
            match &letter.content {
                Content::Sip(_) => self.at_agent(user, letter),
                Content::Media(media) => self.at_media_port(user, letter, media),
            }
        }
        self.cause = None;
    }

    fn post(&mut self, letter: &Arc<Letter>) {
        self.spoken = true;
        self.world.said.push(Said::Sent(Arc::clone(letter)));
        let user = self.village.user_at(letter.to);
        let lost = user.is_some_and(|user| self.world.is_absent(user))
            || letter.to == ATTACKER
            || self.cut.is_some_and(|end| letter.to == end || letter.from == end);
        let steals = self.world.left.replays > 0 || self.world.left.forgeries > 0;
        let known = |loot: &[Arc<Letter>]| loot.iter().any(|had| had.print == letter.print);
        if steals && is_proven(letter) && !known(&self.world.loot) {
            self.world.loot.push(Arc::clone(letter));
        }
        if !lost {
            self.world.wire.put(Arc::clone(letter));
        }
    }

    fn refuse(&mut self, print: u64) -> Option<()> {
        self.world.left.refusals -= 1;
        let letter = self.world.wire.take(print)?;
        let reply = Reply::new(letter.request()?, SERVER, 500, "refused");
        let bytes = reply.into_writer().finish();
        self.post(&Letter::new(letter.to, letter.from, bytes));
        Some(())
    }

    fn loot(&self, print: u64) -> Option<Arc<Letter>> {
        self.world.loot.iter().find(|letter| letter.print == print).cloned()
    }

    fn attack(&mut self, letter: &Letter, origin: Origin) {
        let text = letter.bytes();
        let number = self.world.left.replays * 8 + self.world.left.forgeries;
        let mut changed = replaced(text, b"branch=z9hG4bK", &[b'a' + number, b'x']);
        if origin == Origin::Forged {
            changed = replaced(&changed, b"response=\"", b"0000");
        }
        self.at_server(&Letter::new(ATTACKER, SERVER, changed.into()), origin);
    }

    /// An agent loses everything, is started again, and its user does what users do then.
    fn reboot(&mut self, user: UserId) -> Option<()> {
        let (_, commands) = self.village.plan.again.as_ref()?;
        self.world.left.reboots -= 1;
        self.world.lives += 1;
        self.world.ghost.reborn(user);
        self.world.agents[usize::from(user)].change(|agent| *agent = ua::Agent::default());
        for command in commands {
            self.wish(user, command);
        }
        Some(())
    }

    fn depart(&mut self, user: UserId) {
        self.world.left.departures -= 1;
        self.world.absent |= 1 << user;
        self.world.wire.cut(self.village.sockets[usize::from(user)]);
        self.world.agents[usize::from(user)].change(|agent| *agent = ua::Agent::default());
    }
}

/// Writes `fresh` over what follows the first `label`.
fn replaced(text: &[u8], label: &[u8], fresh: &[u8]) -> Vec<u8> {
    let mut text = text.to_vec();
    if let Some(place) = text.windows(label.len()).position(|part| part == label) {
        let start = place + label.len();
        text[start..start + fresh.len()].copy_from_slice(fresh);
    }
    text
}

/// The 200 to the SUBSCRIBE of this NOTIFY, if it is still under way to the same agent.
fn overtaken<S>(world: &World<S>, notify: &Letter) -> Option<Arc<Letter>> {
    let found = world.wire.iter().find(|(letter, _)| {
        letter.to == notify.to
            && letter.facts.method == Method::Subscribe
            && letter.facts.call == notify.facts.call
            && letter.facts.status / 100 == 2
    });
    found.map(|(letter, _)| Arc::clone(letter))
}
