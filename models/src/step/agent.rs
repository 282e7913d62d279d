//! What agents do with their inputs.

use super::{
    Content, Law, Letter, Media, Said, Serves, Sight, Step, Village, notes, overtaken, ua,
};
use crate::plan::UserId;
use crate::print::{Held, print};
use crate::recall::{AgentTurn, Told};
use presently_engine::agent::Agent;
use presently_engine::message::{Message, Method};
use presently_engine::{Input, Instant, Machine, Output, Peer};
use std::sync::Arc;

/// Why an agent does something.
#[derive(Clone, Copy, Debug)]
pub(super) enum Cause<'a> {
    Letter(&'a Letter),
    Command(&'a ua::Command),
    Tick,
}

impl Cause<'_> {
    fn print(self) -> (u8, u64) {
        match self {
            Self::Letter(letter) => (0, letter.print),
            Self::Command(command) => (1, print(command, Instant::default())),
            Self::Tick => (2, 0),
        }
    }

    fn input(self) -> Input<ua::Command> {
        match self {
            Self::Letter(letter) => match &letter.content {
                Content::Sip(message) => {
                    Input::Message { from: Peer::new(letter.from), message: message.clone() }
                }
                Content::Media(Media::Stun(bytes)) => Input::Command(ua::Command::MediaPacket {
                    port: letter.to.port(),
                    from: letter.from,
                    bytes: bytes.clone(),
                }),
                // Only its driver can tell which flow it is about.
                Content::Media(Media::Bye { .. }) => Input::Tick,
            },
            Self::Command(command) => Input::Command(command.clone()),
            Self::Tick => Input::Tick,
        }
    }
}

impl<S: Serves> Village<S> {
    /// One agent, one input.
    pub(super) fn agent_turn(
        &self,
        (user, lives): (UserId, u8),
        agent: &Held<Agent>,
        cause: Cause<'_>,
    ) -> Arc<AgentTurn> {
        let key = print(&(user, lives, agent.key(), cause.print()), Instant::default());
        let place = usize::from(user);
        self.memory.agents.get(key, || {
            let mut after = agent.clone();
            let (config, now) = (self.agent_config(user, lives), agent.at());
            let mut out = Vec::new();
            after.change(|agent| agent.handle(config, now, cause.input(), &mut out));
            let made = out.into_iter().map(|output| match output {
                Output::Record(record) => match record {},
                Output::Transmit { to, bytes } => {
                    Told::Letter(Letter::new(self.sockets[place], to.addr, bytes))
                }
                Output::Event(ua::Event::MediaPacket { port, to, bytes }) => {
                    let from = self.media_at(user, port);
                    Told::Letter(Letter::media(from, to, Media::Stun(bytes)))
                }
                Output::Event(ua::Event::MediaBye { port, to, ssrc, keys }) => {
                    let (ssrc, key) = (ssrc.to_be_bytes(), keys.map(|(ours, _)| ours));
                    let from = self.media_at(user, port);
                    Told::Letter(Letter::media(from, to, Media::Bye { ssrc, key }))
                }
                Output::Event(event) => {
                    let says = crate::drawing::event(&event).into();
                    Told::Event(Box::new(event), says)
                }
            });
            AgentTurn { made: made.collect(), after }
        })
    }
}

impl<S: Serves> Step<'_, S> {
    pub(super) fn at_agent(&mut self, user: UserId, letter: &Arc<Letter>) {
        let is_request = letter.facts.status == 0;
        let early = letter.asks(Method::Notify).then(|| overtaken(&self.world, letter)).flatten();
        let early = early.filter(|ok| self.is_awaited(user, ok));
        if let Some(ok) = &early {
            self.village.album.note(Sight::NotifyBefore200);
            if !letter.facts.terminates && letter.facts.cseq == 1 {
                self.order_does_not_matter(user, letter, ok);
            }
        }
        let shown = is_request && self.world.ghost.was_shown(user, letter);
        let before = self.world.agents[usize::from(user)].print();
        self.tell_agent(user, Cause::Letter(letter));
        let unchanged = self.world.agents[usize::from(user)].print() == before;
        let refused = early.is_some() && self.world.said.iter().any(refuses);
        notes(self.village, &mut self.world.broken).demand(Law::DialogFromNotify, !refused);
        if shown {
            self.village.album.note(Sight::DuplicateSuppressed);
        }
        if unchanged && is_request {
            self.village.album.note(Sight::CopyAbsorbed);
        }
    }

    /// A datagram comes to a media port. A BYE is for the flow that its address, its SSRC and its
    /// key belong to, if there is one.
    pub(super) fn at_media_port(&mut self, user: UserId, letter: &Letter, media: &Media) {
        match media {
            Media::Stun(_) => self.tell_agent(user, Cause::Letter(letter)),
            Media::Bye { ssrc, key } => {
                let said = (ssrc, key.as_ref());
                if let Some(flow) = self.world.ghost.ended_by(user, letter.from, said) {
                    self.tell_agent(user, Cause::Command(&ua::Command::MediaBye { flow }));
                }
            }
        }
    }

    /// Whether an answer is news to an agent, and no copy of one that it had.
    fn is_awaited(&self, user: UserId, answer: &Letter) -> bool {
        let agent = &self.world.agents[usize::from(user)];
        let who = (user, self.world.lives);
        let after = self.village.agent_turn(who, agent, Cause::Letter(answer));
        after.after.print() != agent.print()
    }

    /// P31: an agent that gets a NOTIFY and then the 200 to its SUBSCRIBE is the one that gets
    /// them in order.
    fn order_does_not_matter(&mut self, user: UserId, notify: &Letter, ok: &Letter) {
        let village = self.village;
        if !village.code.has(Law::DialogFromNotify) {
            return;
        }
        let agent = &self.world.agents[usize::from(user)];
        let who = (user, self.world.lives);
        let then = |first: &Letter, second: &Letter| {
            let between = village.agent_turn(who, agent, Cause::Letter(first));
            village.agent_turn(who, &between.after, Cause::Letter(second)).after.print()
        };
        let same = then(notify, ok) == then(ok, notify);
        notes(village, &mut self.world.broken).demand(Law::DialogFromNotify, same);
    }

    pub(super) fn tell_agent(&mut self, user: UserId, cause: Cause<'_>) {
        if self.world.is_absent(user) {
            return;
        }
        let (village, place) = (self.village, usize::from(user));
        let who = (user, self.world.lives);
        let turn = village.agent_turn(who, &self.world.agents[place], cause);
        self.world.agents[place] = turn.after.clone();
        for made in &turn.made {
            let mut notes = notes(village, &mut self.world.broken);
            match made {
                Told::Letter(letter) => {
                    let cause = self.cause;
                    match &letter.content {
                        Content::Sip(Message::Request(_)) => {
                            self.world.ghost.sent_by_user(&mut notes, user, letter, cause);
                        }
                        Content::Sip(Message::Response(_)) => {}
                        Content::Media(media) => {
                            self.world.ghost.says_bye(&notes, user, media);
                        }
                    }
                    self.post(letter);
                }
                Told::Event(event, says) => {
                    self.world.ghost.told(&mut notes, user, event, self.cause);
                    let at = |port| village.media_at(user, port);
                    self.world.ghost.told_media(&mut notes, user, event, at);
                    self.spoken = true;
                    self.world.said.push(Said::Told(user, Arc::clone(says)));
                }
            }
        }
    }
}

/// Whether a NOTIFY is answered as if it belonged to nothing.
fn refuses(said: &Said) -> bool {
    match said {
        Said::Sent(letter) => letter.facts.status == 481,
        Said::Stored(_) | Said::Told(..) => false,
    }
}
