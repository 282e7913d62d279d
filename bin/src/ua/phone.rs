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
use presently_engine::body::pidf::{Codec, Mode};
use presently_engine::body::sdp::Direction;
use presently_engine::message::Aor;
use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio::time::Instant;

/// Names one stream.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum StreamName {
    /// The `m=` line of a call.
    Call(CallId, usize),
    /// A direct flow.
    Flow(FlowId),
}

/// What streams between a port of ours and one address.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stream {
    /// Which.
    pub name: StreamName,
    /// `audio` or `video`.
    pub media: Box<str>,
    /// Our port.
    pub port: u16,
    /// The other side. `None` while it holds us the old way.
    pub remote: Option<SocketAddr>,
    /// Codec; the payload type is the one to send with.
    pub codec: Codec,
    /// Payload types that carry the codec to us.
    pub heard: Vec<u8>,
    /// Payload types of telephone events: to send, to hear.
    pub events: Option<(u8, u8)>,
    /// SSRCs, ours and theirs, where they are agreed on.
    pub ssrcs: Option<(u32, u32)>,
    /// SRTP keys: to send with, to receive with.
    pub keys: Option<StreamKeys>,
    /// Whether we send.
    pub sends: bool,
    /// Whether we play what comes.
    pub hears: bool,
    /// Whether RTCP shares the port (RFC 5761).
    pub rtcp_mux: bool,
}

/// What the media ports see.
#[derive(Clone, PartialEq, Debug)]
pub enum Happening {
    /// A STUN datagram came, which is the engine's.
    Stun {
        /// Our port.
        port: u16,
        /// Where it came from.
        from: SocketAddr,
        /// The datagram.
        bytes: Bytes,
    },
    /// Valid media or RTCP of a stream came; told about once a second.
    Heard(StreamName),
    /// RTCP BYE of a stream came.
    Bye(StreamName),
    /// The other side's port cannot be reached, as an ICMP error said.
    Unreachable(StreamName),
    /// The first packet of a stream left.
    FirstSent(StreamName, Instant),
    /// The first packet of a stream was played.
    FirstPlayed(StreamName, Instant),
    /// What went through so far.
    Statistics(StreamName, Statistics),
}

/// How a stream fares, for its user.
#[derive(Clone, PartialEq, Debug)]
pub enum Notice {
    /// The first packet left, so long after the order, if it was ours.
    FirstSent(Option<Duration>),
    /// The first packet was played, so long after the order, if it was ours.
    FirstPlayed(Option<Duration>),
    /// What went through so far.
    Statistics(Statistics),
}

/// What went through a stream since it began.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Statistics {
    /// RTP packets sent.
    pub sent: u64,
    /// RTP packets received that were in order, late or early, but no copies.
    pub received: u64,
    /// Packets that never came (RFC 3550 §A.3).
    pub lost: i64,
    /// Packets that came too late to be played.
    pub late: u64,
    /// Frames that were made up for those that were missing.
    pub concealed: u64,
    /// Interarrival jitter, ms (RFC 3550 §A.8).
    pub jitter_ms: f64,
    /// Round trip, ms, once RTCP has told it.
    pub round_trip_ms: Option<f64>,
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
    /// Starts a stream, or changes the one of that name.
    fn start(&mut self, stream: Stream);
    /// Ends a stream; the other side is told by RTCP BYE.
    fn stop(&mut self, name: StreamName);
    /// Sends a datagram of the engine.
    fn send(&mut self, port: u16, to: SocketAddr, bytes: Bytes);
    /// Sends RTCP BYE, and twice again (behaviour §6.7).
    fn bye(&mut self, port: u16, to: SocketAddr, ssrc: u32, keys: Option<StreamKeys>);
    /// A fresh SRTP master key with its salt.
    fn key(&mut self) -> [u8; 30];
    /// What the ports see next. Cancelling it loses nothing.
    fn happening(&mut self) -> impl Future<Output = Happening> + Send;
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
    /// When the last order was given that makes something stream, and what it made.
    pressed: Option<Instant>,
    presses: BTreeMap<StreamName, Instant>,
}

#[derive(Debug)]
struct Call {
    phase: CallPhase,
    media: BTreeSet<Box<str>>,
    lines: BTreeSet<usize>,
}

/// What was asked for and is not possible: the word, and why.
pub type Refusal = (&'static str, String);

impl<S: Studio> Phone<S> {
    /// The phone of an agent whose media goes through `address`.
    pub fn new(studio: S, address: IpAddr, repertoire: Repertoire, habits: Habits) -> Self {
        let (ports, offers) = (BTreeMap::new(), BTreeMap::new());
        let (calls, flows) = (BTreeMap::new(), BTreeMap::new());
        let (pressed, presses) = (None, BTreeMap::new());
        Self { studio, address, repertoire, habits, ports, offers, calls, flows, pressed, presses }
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
                Command::Direct { target, media, port, codecs }
            }
            Asked::Stop { flow: Some(flow) } => Command::StopFlow { flow },
            Asked::Stop { flow: None } => {
                let flows = self.flows.keys();
                let all = flows.map(|flow| Command::StopFlow { flow: *flow }).collect();
                return some(all, "stop", "there is no direct flow");
            }
            Asked::Call { target, media } => self.call(target, &media)?,
            Asked::Answer { call } => self.answer(call)?,
            Asked::Hold { call, hold } => {
                let word = if hold { "hold" } else { "resume" };
                Command::Hold { call: self.named(call, CallPhase::Up, word)?, hold }
            }
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
        let codecs =
            self.repertoire.codecs(&media).into_iter().map(|codec| (codec.pt, codec.rtpmap));
        let codecs = codecs.collect();
        if mode == Mode::Off {
            self.offers.remove(&media);
            self.tidy();
            return Ok(Command::SetOffer { media, port: 0, codecs, mode });
        }
        let port = self.port(&media).map_err(|why| ("offer", why))?;
        self.offers.insert(media.clone(), mode);
        Ok(Command::SetOffer { media, port, codecs, mode })
    }

    fn call(&mut self, target: Aor, media: &[Box<str>]) -> Result<Command, Refusal> {
        let key = self.habits.srtp.then(|| self.studio.key());
        let abilities = self.abilities(media, key).map_err(|why| ("call", why))?;
        Ok(Command::Call { target, abilities })
    }

    fn answer(&mut self, call: Option<CallId>) -> Result<Command, Refusal> {
        let call = self.named(call, CallPhase::Incoming, "answer")?;
        let key = Some(self.studio.key());
        let abilities = self.abilities(&KINDS.map(Into::into), key);
        Ok(Command::Answer { call, abilities: abilities.map_err(|why| ("answer", why))? })
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
        key: Option<[u8; 30]>,
    ) -> Result<Abilities, String> {
        let streams = media.iter().map(|media| {
            let port = self.port(media)?;
            Ok(Ability {
                media: media.clone(),
                port,
                codecs: self.repertoire.codecs_of_calls(media),
                direction: Direction::SendRecv,
                key,
                plain: true,
            })
        });
        let streams = streams.collect::<Result<_, String>>()?;
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
                self.on_flow(*flow, media, *phase, *way, stream.as_ref());
                let wanted = *way == Way::Out && reason.is_some_and(calls_instead);
                if !(wanted && self.habits.fallback && self.calls.is_empty()) {
                    return Vec::new();
                }
                let call = self.call(peer.clone(), std::slice::from_ref(media));
                call.ok().into_iter().collect()
            }
            Event::MediaPacket { port, to, bytes } => {
                self.studio.send(*port, *to, bytes.clone());
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
    pub fn seen(
        &mut self,
        happening: Happening,
    ) -> (Option<Command>, Option<(StreamName, Notice)>) {
        let of_flow = |name, command: fn(FlowId) -> Command| match name {
            StreamName::Flow(flow) => Some(command(flow)),
            // A call has its own ways to end.
            StreamName::Call(..) => None,
        };
        match happening {
            Happening::Stun { port, from, bytes } => {
                (Some(Command::MediaPacket { port, from, bytes }), None)
            }
            Happening::Heard(name) => (of_flow(name, |flow| Command::MediaHeard { flow }), None),
            Happening::Bye(name) => (of_flow(name, |flow| Command::MediaBye { flow }), None),
            Happening::Unreachable(name) => {
                (of_flow(name, |flow| Command::MediaUnreachable { flow }), None)
            }
            Happening::FirstSent(name, at) => {
                (None, Some((name, Notice::FirstSent(self.since_press(name, at)))))
            }
            Happening::FirstPlayed(name, at) => {
                (None, Some((name, Notice::FirstPlayed(self.since_press(name, at)))))
            }
            Happening::Statistics(name, all) => (None, Some((name, Notice::Statistics(all)))),
        }
    }

    fn since_press(&self, name: StreamName, at: Instant) -> Option<Duration> {
        let name = match name {
            StreamName::Call(call, _) => whole_call(call),
            StreamName::Flow(_) => name,
        };
        self.presses.get(&name).map(|pressed| at.saturating_duration_since(*pressed))
    }

    fn on_call(&mut self, id: CallId, phase: CallPhase, flows: &[Flow]) -> Vec<Command> {
        let was: BTreeSet<usize> =
            self.calls.get(&id).map_or_else(BTreeSet::new, |call| call.lines.clone());
        let lines: BTreeSet<usize> = flows.iter().map(|flow| flow.line).collect();
        for gone in was.difference(&lines) {
            self.studio.stop(StreamName::Call(id, *gone));
        }
        if phase == CallPhase::Calling {
            self.presses.extend(self.pressed.take().map(|at| (whole_call(id), at)));
        }
        for flow in flows {
            if let Some(port) = self.ports.get(&flow.media) {
                self.studio.start(of_call(id, flow, *port));
            }
        }
        match phase {
            CallPhase::Ended => {
                self.calls.remove(&id);
                self.presses.remove(&whole_call(id));
            }
            CallPhase::Calling | CallPhase::Ringing | CallPhase::Incoming | CallPhase::Up => {
                let media = flows.iter().map(|flow| flow.media.clone()).collect();
                self.calls.insert(id, Call { phase, media, lines });
            }
        }
        let changed = self.occupy();
        self.tidy();
        changed
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
        id: FlowId,
        media: &str,
        phase: FlowPhase,
        way: Way,
        stream: Option<&DirectStream>,
    ) {
        match (phase, stream) {
            (FlowPhase::Stopped, _) => {
                self.studio.stop(StreamName::Flow(id));
                self.flows.remove(&id);
                self.presses.remove(&StreamName::Flow(id));
                self.tidy();
            }
            (FlowPhase::Checking | FlowPhase::Streaming, stream) => {
                let fresh = self.flows.insert(id, media.into()).is_none();
                if fresh && way == Way::Out {
                    let at = self.pressed.take();
                    self.presses.extend(at.map(|at| (StreamName::Flow(id), at)));
                }
                if let Some(stream) = stream {
                    self.studio.start(of_flow(id, media, way, stream));
                }
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
fn whole_call(call: CallId) -> StreamName {
    StreamName::Call(call, 0)
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

fn of_call(id: CallId, flow: &Flow, port: u16) -> Stream {
    Stream {
        name: StreamName::Call(id, flow.line),
        media: flow.media.clone(),
        port,
        remote: flow.to,
        codec: flow.codec.clone(),
        heard: flow.heard.clone(),
        events: flow.events,
        ssrcs: None,
        keys: flow.keys,
        sends: flow.direction.sends(),
        hears: flow.direction.receives(),
        rtcp_mux: flow.rtcp_mux,
    }
}

fn of_flow(id: FlowId, media: &str, way: Way, stream: &DirectStream) -> Stream {
    Stream {
        name: StreamName::Flow(id),
        media: media.into(),
        port: stream.port,
        remote: Some(stream.remote),
        codec: stream.codec.clone(),
        heard: vec![stream.codec.pt],
        events: None,
        ssrcs: Some((stream.ssrc, stream.remote_ssrc)),
        keys: stream.keys,
        sends: way == Way::Out,
        hears: way == Way::In,
        rtcp_mux: true,
    }
}

#[cfg(test)]
mod tests;
