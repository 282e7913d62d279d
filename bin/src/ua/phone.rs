//! The phone of an agent: which ports are open, and what streams through them.
//!
//! The engine says who may be called, heard and spoken to, and never touches media; whoever moves
//! media ([`Studio`]) knows nothing of calls. This stands between the two: an order of the user
//! becomes a command with ports that are open, an event of the agent becomes streams that start
//! and stop. One port serves a media kind, whatever it is used for (RFC 4961).

use super::media::{KINDS, Repertoire};
use super::ordered::Asked;
use bytes::Bytes;
use presently_engine::agent::negotiation::{Abilities, Ability, Flow};
use presently_engine::agent::{
    CallId, CallPhase, Command, DirectStream, Event, FlowId, FlowPhase, StopReason, StreamKeys, Way,
};
use presently_engine::body::pidf::Mode;
use presently_engine::body::sdp::Direction;
use presently_engine::message::Aor;
use presently_net::media::{Figures, Happening, Id, Knock, Stream, Stun, Told};
use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio::time::Instant;

/// What the media ports see.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Sight {
    /// A STUN datagram, which is the engine's.
    Stun(Stun),
    /// Somebody speaks who may be welcome, which is the engine's to say, too.
    Knock(Knock),
    /// Something about a stream.
    Stream(Happening),
}

/// How a stream fares, for its user.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Notice {
    /// The first packet left, so long after the order, if it was ours.
    FirstSent(Option<Duration>),
    /// The first packet was played, so long after the order, if it was ours.
    FirstPlayed(Option<Duration>),
    /// What is sent has come to its end.
    SourceOver,
    /// The other side pressed a key.
    Key(char),
    /// What went through so far.
    Statistics(Box<Figures>),
    /// What went through in all.
    Stopped(Box<Figures>),
}

/// What moves media: sockets, devices, and a clock that paces them.
pub trait Studio {
    /// Opens a port.
    ///
    /// # Errors
    /// None is free.
    fn open(&mut self) -> io::Result<u16>;
    /// Closes a port.
    fn close(&mut self, port: u16);
    /// Starts a stream of `audio` or `video`, in the place of one of the same name.
    ///
    /// # Errors
    /// A device does not open.
    fn start(&mut self, id: Id, media: &str, stream: Stream) -> io::Result<()>;
    /// A stream goes elsewhere, or in other directions.
    fn change(&mut self, id: Id, stream: Stream);
    /// Ends a stream, with RTCP BYE or without.
    fn stop(&mut self, id: Id, bye: bool);
    /// Presses keys of a telephone.
    fn dial(&mut self, id: Id, keys: &str);
    /// Sends a datagram of the engine.
    fn send(&mut self, port: u16, to: SocketAddr, bytes: Bytes);
    /// From these hosts a port may be asked for a stream by RTP alone (behaviour §6.10).
    fn welcome(&mut self, port: u16, from: BTreeSet<IpAddr>);
    /// Sends RTCP BYE, and twice again (behaviour §6.7).
    fn bye(&mut self, port: u16, to: SocketAddr, ssrc: u32, keys: Option<StreamKeys>);
    /// A fresh SRTP master key with its salt.
    fn key(&mut self) -> [u8; 30];
    /// What the ports see next. Cancelling it loses nothing.
    fn sight(&mut self) -> impl Future<Output = Sight> + Send;
    /// Ends everything in order: what was recorded is complete.
    fn finish(&mut self) -> impl Future<Output = ()> + Send;
}

/// How a user wants to speak.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Habits {
    /// Calls are offered with SRTP, which phones that cannot do it refuse.
    pub srtp: bool,
    /// A direct flow that does not come up becomes a call (behaviour §6.10).
    pub fallback: bool,
}

/// Everything of an agent that has to do with media.
#[derive(Debug)]
pub struct Phone<S> {
    studio: S,
    address: IpAddr,
    repertoire: Repertoire,
    habits: Habits,
    ports: BTreeMap<Box<str>, u16>,
    /// What the user wants to be heard on.
    offers: BTreeMap<Box<str>, Mode>,
    calls: BTreeMap<CallId, Call>,
    flows: BTreeMap<FlowId, Box<str>>,
    /// What streams.
    running: BTreeMap<Id, Stream>,
    /// When the last order was given that makes something stream, and what it made.
    pressed: Option<Instant>,
    presses: BTreeMap<Id, Instant>,
    /// What went wrong and was not told yet.
    troubles: Vec<Refusal>,
}

#[derive(Debug)]
struct Call {
    phase: CallPhase,
    media: BTreeSet<Box<str>>,
}

/// What was asked for and is not possible: the word, and why.
pub type Refusal = (&'static str, String);

impl<S: Studio> Phone<S> {
    /// The phone of an agent whose media goes through `address`.
    pub fn new(studio: S, address: IpAddr, repertoire: Repertoire, habits: Habits) -> Self {
        Self {
            studio,
            address,
            repertoire,
            habits,
            ports: BTreeMap::new(),
            offers: BTreeMap::new(),
            calls: BTreeMap::new(),
            flows: BTreeMap::new(),
            running: BTreeMap::new(),
            pressed: None,
            presses: BTreeMap::new(),
            troubles: Vec::new(),
        }
    }

    /// What went wrong since this was asked last.
    pub fn troubles(&mut self) -> Vec<Refusal> {
        std::mem::take(&mut self.troubles)
    }

    /// What moves the media.
    pub fn studio(&mut self) -> &mut S {
        &mut self.studio
    }

    /// What the agent is to do about an order.
    ///
    /// # Errors
    /// It cannot be done.
    pub fn carry_out(&mut self, asked: Asked) -> Result<Vec<Command>, Refusal> {
        self.pressed = Some(Instant::now());
        let one = match asked {
            Asked::Offer { media, mode } => self.offer(media, mode)?,
            Asked::Direct { target, media } => {
                let port = self.port(&media).map_err(|why| ("direct", why))?;
                let codecs = self.repertoire.codecs(&media);
                // Who speaks to somebody wants to hear what is said to it (X13).
                Command::Direct { target, media, port, codecs, hears: true }
            }
            Asked::Stop { flow: Some(flow) } => Command::StopFlow { flow },
            Asked::Stop { flow: None } => {
                let flows = self.flows.keys();
                let all = flows.map(|flow| Command::StopFlow { flow: *flow }).collect();
                return some(all, "stop", "there is no direct flow");
            }
            Asked::Call { target, media, codecs } => self.call(target, &media, codecs.as_ref())?,
            Asked::Answer { call } => self.answer(call)?,
            Asked::Hold { call, hold } => {
                let word = if hold { "hold" } else { "resume" };
                Command::Hold { call: self.named(call, CallPhase::Up, word)?, hold }
            }
            Asked::Dial { keys } => return self.dial(&keys),
            Asked::Hangup { call: Some(call) } => Command::Hangup { call },
            Asked::Hangup { call: None } => {
                let calls = self.calls.keys();
                let all = calls.map(|call| Command::Hangup { call: *call }).collect();
                return some(all, "hangup", "there is no call");
            }
        };
        Ok(vec![one])
    }

    fn offer(&mut self, media: Box<str>, mode: Mode) -> Result<Command, Refusal> {
        let codecs = self.repertoire.codecs(&media);
        if codecs.is_empty() && mode != Mode::Off {
            return Err(("offer", format!("no codec for direct {media} is chosen")));
        }
        if mode == Mode::Off {
            self.offers.remove(&media);
            self.tidy();
            return Ok(Command::SetOffer { media, port: 0, codecs, mode });
        }
        let port = self.port(&media).map_err(|why| ("offer", why))?;
        self.offers.insert(media.clone(), mode);
        Ok(Command::SetOffer { media, port, codecs, mode })
    }

    fn call(
        &mut self,
        target: Aor,
        media: &[Box<str>],
        codecs: Option<&Repertoire>,
    ) -> Result<Command, Refusal> {
        let key = self.habits.srtp.then(|| self.studio.key());
        let repertoire = codecs.unwrap_or(&self.repertoire).clone();
        let abilities = self.abilities(media, &repertoire, key).map_err(|why| ("call", why))?;
        Ok(Command::Call { target, abilities })
    }

    fn answer(&mut self, call: Option<CallId>) -> Result<Command, Refusal> {
        let call = self.named(call, CallPhase::Incoming, "answer")?;
        let key = Some(self.studio.key());
        let abilities = self.abilities(&KINDS.map(Into::into), &self.repertoire.clone(), key);
        Ok(Command::Answer { call, abilities: abilities.map_err(|why| ("answer", why))? })
    }

    fn dial(&mut self, keys: &str) -> Result<Vec<Command>, Refusal> {
        let lines = self.running.iter().filter(|(_, stream)| stream.events.is_some());
        let Some(id) = lines.map(|(id, _)| *id).next() else {
            return Err(("dial", "there is no call that takes telephone keys".to_owned()));
        };
        self.studio.dial(id, keys);
        Ok(Vec::new())
    }

    /// The call that is meant: the one that is named, or the only one in this phase.
    fn named(
        &self,
        call: Option<CallId>,
        phase: CallPhase,
        word: &'static str,
    ) -> Result<CallId, Refusal> {
        let fits = |(id, call): (&CallId, &Call)| (call.phase == phase).then_some(*id);
        let found = call.or_else(|| self.calls.iter().find_map(fits));
        let why = match phase {
            CallPhase::Incoming => "nobody calls",
            _ => "no call is up",
        };
        found.ok_or_else(|| (word, why.to_owned()))
    }

    /// What we can do in a call, each media kind with a port that is open.
    fn abilities(
        &mut self,
        media: &[Box<str>],
        repertoire: &Repertoire,
        key: Option<[u8; 30]>,
    ) -> Result<Abilities, String> {
        let able = media.iter().filter(|media| !repertoire.codecs(media).is_empty());
        let streams = able.map(|media| {
            let port = self.port(media)?;
            Ok(Ability {
                media: media.clone(),
                port,
                codecs: repertoire.codecs_of_calls(media),
                direction: Direction::SendRecv,
                key,
                plain: true,
            })
        });
        let streams = streams.collect::<Result<Vec<_>, String>>()?;
        if streams.is_empty() {
            return Err("no codec of ours is for that".to_owned());
        }
        Ok(Abilities { address: self.address, streams })
    }

    /// The port of a media kind.
    fn port(&mut self, media: &str) -> Result<u16, String> {
        if let Some(port) = self.ports.get(media) {
            return Ok(*port);
        }
        let port = self.studio.open().map_err(|why| format!("no port is free for it: {why}"))?;
        self.ports.insert(media.into(), port);
        Ok(port)
    }

    /// Follows what the agent tells; some of it has consequences for the agent itself.
    pub fn follow(&mut self, event: &Event) -> Vec<Command> {
        match event {
            Event::Call { call, phase, flows, .. } => self.on_call(*call, *phase, flows),
            Event::Flow { flow, peer, media, way, phase, stream, reason } => {
                let command = self.on_flow(*flow, media, *phase, *way, stream.as_ref());
                let wanted = *way == Way::Out && reason.is_some_and(calls_instead);
                if !(wanted && self.habits.fallback && self.calls.is_empty()) {
                    return command.into_iter().collect();
                }
                let call = self.call(peer.clone(), std::slice::from_ref(media), None);
                call.ok().into_iter().collect()
            }
            Event::MediaPacket { port, to, bytes } => {
                self.studio.send(*port, *to, bytes.clone());
                Vec::new()
            }
            Event::MediaWelcome { port, from } => {
                self.studio.welcome(*port, from.clone());
                Vec::new()
            }
            Event::MediaBye { port, to, ssrc, keys } => {
                self.studio.bye(*port, *to, *ssrc, *keys);
                Vec::new()
            }
            Event::LoggedOut => {
                self.offers.clear();
                self.tidy();
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    /// What the agent is to do about what the ports saw, and what the user is told.
    pub fn seen(&mut self, sight: Sight) -> (Option<Command>, Option<(Id, Notice)>) {
        let Happening { id, told, .. } = match sight {
            Sight::Stun(Stun { port, from, bytes }) => {
                return (Some(Command::MediaPacket { port, from, bytes }), None);
            }
            Sight::Knock(Knock { port, from, ssrc, pt }) => {
                return (Some(Command::MediaKnock { port, from, ssrc, pt }), None);
            }
            Sight::Stream(happening) => happening,
        };
        let flow = match id {
            Id::Direct(flow) => Some(flow),
            // A call has its own ways to end.
            Id::Call(..) => None,
        };
        let tell = |notice| (None, Some((id, notice)));
        match told {
            Told::Heard => (flow.map(|flow| Command::MediaHeard { flow }), None),
            Told::Bye => (flow.map(|flow| Command::MediaBye { flow }), None),
            Told::Unreachable => (flow.map(|flow| Command::MediaUnreachable { flow }), None),
            Told::FirstSent => tell(Notice::FirstSent(self.since_press(id))),
            Told::FirstPlayed => tell(Notice::FirstPlayed(self.since_press(id))),
            Told::SourceOver => tell(Notice::SourceOver),
            Told::Key(key) => tell(Notice::Key(key)),
            Told::Statistics(figures) => tell(Notice::Statistics(figures)),
            Told::Stopped(figures) => tell(Notice::Stopped(figures)),
        }
    }

    fn since_press(&self, id: Id) -> Option<Duration> {
        let id = match id {
            Id::Call(call, _) => whole_call(call),
            Id::Direct(_) => id,
        };
        self.presses.get(&id).map(Instant::elapsed)
    }

    fn on_call(&mut self, id: CallId, phase: CallPhase, flows: &[Flow]) -> Vec<Command> {
        let lines: BTreeSet<Id> = flows.iter().map(|flow| Id::Call(id, flow.line)).collect();
        let of_call = |one: &Id| matches!(one, Id::Call(call, _) if *call == id);
        let gone = self.running.keys().filter(|one| of_call(one) && !lines.contains(one));
        for gone in gone.copied().collect::<Vec<_>>() {
            self.stop(gone, true);
        }
        if phase == CallPhase::Calling {
            self.presses.extend(self.pressed.take().map(|at| (whole_call(id), at)));
        }
        let mut trouble = false;
        for flow in flows {
            if let Some(port) = self.ports.get(&flow.media) {
                let stream = Stream::call(flow, *port);
                trouble |= !self.run(Id::Call(id, flow.line), &flow.media, stream);
            }
        }
        match phase {
            CallPhase::Ended => {
                self.calls.remove(&id);
                self.presses.remove(&whole_call(id));
            }
            CallPhase::Calling | CallPhase::Ringing | CallPhase::Incoming | CallPhase::Up => {
                let media = flows.iter().map(|flow| flow.media.clone()).collect();
                self.calls.insert(id, Call { phase, media });
            }
        }
        let mut commands = self.occupy();
        self.tidy();
        commands.extend(trouble.then_some(Command::Hangup { call: id }));
        commands
    }

    /// Starts a stream, or changes what runs; false if that is not possible.
    fn run(&mut self, id: Id, media: &str, stream: Stream) -> bool {
        let before = self.running.insert(id, stream.clone());
        let same = |one: &Stream| one.port == stream.port && one.codec == stream.codec;
        if before.as_ref().is_some_and(same) {
            self.studio.change(id, stream);
            return true;
        }
        let started = self.studio.start(id, media, stream);
        if let Err(why) = &started {
            self.running.remove(&id);
            self.troubles.push(("media", why.to_string()));
        }
        started.is_ok()
    }

    fn stop(&mut self, id: Id, bye: bool) {
        if self.running.remove(&id).is_some() {
            self.studio.stop(id, bye);
        }
    }

    /// What is spoken of in a call cannot be heard directly: such offers are busy (X2).
    fn occupy(&mut self) -> Vec<Command> {
        let mut changed = Vec::new();
        for (media, mode) in &mut self.offers {
            let taken = self.calls.values().any(|call| call.media.contains(media));
            let now = if taken { Mode::Busy } else { Mode::Ready };
            if std::mem::replace(mode, now) != now {
                changed.push((media.clone(), now));
            }
        }
        changed.into_iter().filter_map(|(media, mode)| self.offer(media, mode).ok()).collect()
    }

    fn on_flow(
        &mut self,
        flow: FlowId,
        media: &str,
        phase: FlowPhase,
        way: Way,
        stream: Option<&DirectStream>,
    ) -> Option<Command> {
        let id = Id::Direct(flow);
        match phase {
            FlowPhase::Stopped => {
                // The engine says BYE itself, where one is due.
                self.stop(id, false);
                self.flows.remove(&flow);
                self.presses.remove(&id);
                self.tidy();
                None
            }
            FlowPhase::Checking | FlowPhase::Streaming => {
                let fresh = self.flows.insert(flow, media.into()).is_none();
                if fresh && way == Way::Out {
                    let at = self.pressed.take();
                    self.presses.extend(at.map(|at| (id, at)));
                }
                let runs = self.run(id, media, Stream::direct(stream?, way));
                (!runs).then_some(Command::StopFlow { flow })
            }
        }
    }

    /// Closes the ports that nothing uses any more.
    fn tidy(&mut self) {
        let Self { ports, offers, calls, flows, studio, .. } = self;
        ports.retain(|media, port| {
            let used = offers.contains_key(media)
                || !calls.is_empty()
                || flows.values().any(|of| of == media);
            if !used {
                studio.close(*port);
            }
            used
        });
    }
}

/// All streams of a call began with one order.
fn whole_call(call: CallId) -> Id {
    Id::Call(call, 0)
}

/// Failures after which a call may still come through (behaviour §6.12).
fn calls_instead(why: StopReason) -> bool {
    match why {
        StopReason::Unreachable | StopReason::Unauthorised | StopReason::Codec => true,
        StopReason::Refused
        | StopReason::Busy
        | StopReason::Withdrawn
        | StopReason::Peer
        | StopReason::User
        | StopReason::Consent
        | StopReason::Moved => false,
    }
}

fn some(all: Vec<Command>, word: &'static str, none: &str) -> Result<Vec<Command>, Refusal> {
    if all.is_empty() { Err((word, none.to_owned())) } else { Ok(all) }
}

#[cfg(test)]
mod tests;
