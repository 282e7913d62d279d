//! One media port with its flows, as one value: datagrams, orders and time in, datagrams and news
//! out. Sockets and tasks are the driver's.
//!
//! A datagram of an unknown sender costs a look at its first octets and at the few flows of the
//! port, and is never answered (P27).

#[cfg(test)]
mod tests;

use super::ends::Ends;
use super::flow::{Chance, Figures, Flow, Setting};
use super::knock::{Entry, Knocks};
use super::stream::{Id, Stream};
use crate::rtp::{Kind, MasterKey};
use bytes::Bytes;
use presently_engine::agent::FlowId;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// When BYE is said (behaviour §6.7).
const BYES: [Duration; 3] =
    [Duration::ZERO, Duration::from_millis(100), Duration::from_millis(200)];
/// How long a flow that is over may still be asked to say BYE: its key knows what was sent.
const LEAVING: Duration = Duration::from_secs(2);

/// What somebody should know about a flow.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Told {
    /// The first packet left.
    FirstSent,
    /// The first frame or picture was played.
    FirstPlayed,
    /// Something valid came; said about once a second.
    Heard,
    /// The other side left.
    Bye,
    /// Nobody listens there.
    Unreachable,
    /// What we send has come to its end.
    SourceOver,
    /// The other side pressed a key.
    Key(char),
    /// Every second.
    Statistics(Box<Figures>),
    /// The last of them: the flow is over.
    Stopped(Box<Figures>),
}

/// What comes out of a port.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Out {
    /// Send a datagram, from the socket above for control packets that have one of their own.
    Send {
        /// From the socket above.
        control: bool,
        /// Where to.
        to: SocketAddr,
        /// The datagram.
        bytes: Bytes,
    },
    /// Tell about a flow.
    Tell(Id, Told),
}

/// What a port is told to do.
#[derive(Debug)]
pub enum Order {
    /// Begin a flow, or end the one with this name and begin it anew.
    Start(Id, Box<Stream>, Ends, Chance),
    /// The flow goes elsewhere, or in other directions.
    Change(Id, Box<Stream>),
    /// Stop sending, or go on.
    Hold(Id, bool),
    /// Press keys of a telephone.
    Dial(Id, Box<str>),
    /// End a flow, with a BYE or without.
    Stop(Id, bool),
    /// Say BYE for a session, whether or not there is a flow of it.
    Bye {
        /// To whom.
        to: SocketAddr,
        /// Our SSRC.
        ssrc: u32,
        /// Keys, if it is SRTP.
        keys: Keys,
    },
    /// Send what somebody else made.
    Send(SocketAddr, Bytes),
    /// From these hosts RTP without a flow is worth a knock ([`Taken::Knock`]).
    Welcome(BTreeSet<IpAddr>),
}

/// SRTP keys: to send with, to receive with.
pub type Keys = Option<(MasterKey, MasterKey)>;

/// What was thrown away.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Dropped {
    /// RTP and RTCP that belong to no flow.
    pub unbound: u64,
    /// Datagrams that are nothing we know.
    pub unknown: u64,
}

/// What a datagram was.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Taken {
    /// It is dealt with, or thrown away.
    Done,
    /// STUN: somebody else's.
    Stun,
    /// RTP of no flow from a host that is welcome. It waits a moment for a flow to begin.
    Knock {
        /// SSRC of the sender.
        ssrc: u32,
        /// Payload type.
        pt: u8,
    },
}

/// A flow that is over.
#[derive(Debug)]
struct Leaving {
    flow: Flow,
    since: Duration,
    /// When BYE was asked for, and how often it was said.
    byes: Option<(Duration, usize)>,
}

/// A port. See the module.
#[derive(Debug)]
pub struct Port {
    /// NTP time, 32.32 bits, when the time handed in is zero.
    ntp: u64,
    cname: Box<str>,
    flows: BTreeMap<Id, Flow>,
    leaving: Vec<Leaving>,
    knocks: Knocks,
    dropped: Dropped,
}

impl Port {
    /// A port without flows.
    pub fn new(ntp: u64, cname: &str) -> Self {
        Self {
            ntp,
            cname: cname.into(),
            flows: BTreeMap::new(),
            leaving: Vec::new(),
            knocks: Knocks::default(),
            dropped: Dropped::default(),
        }
    }

    /// What was thrown away so far.
    pub fn dropped(&self) -> Dropped {
        self.dropped
    }

    /// Takes a datagram that came in.
    pub fn receive(
        &mut self,
        now: Duration,
        from: SocketAddr,
        datagram: &[u8],
        out: &mut Vec<Out>,
    ) -> Taken {
        match Kind::of(datagram) {
            Kind::Stun => return Taken::Stun,
            Kind::Rtp => match self.flow_of(from, ssrc_at(datagram, 8), Kind::Rtp) {
                Some(flow) => flow.on_rtp(now, datagram, out),
                None => return self.on_stranger(now, from, datagram),
            },
            Kind::Rtcp => match self.flow_of(from, ssrc_at(datagram, 4), Kind::Rtcp) {
                Some(flow) => flow.on_rtcp(now, datagram, out),
                None => self.dropped.unbound += 1,
            },
            Kind::Dtls | Kind::Unknown => self.dropped.unknown += 1,
        }
        Taken::Done
    }

    /// The flow of a sender: two flows with one address are told apart by SSRC. One that knows
    /// this SSRC goes before one that knows none.
    fn flow_of(&mut self, from: SocketAddr, ssrc: Option<u32>, kind: Kind) -> Option<&mut Flow> {
        let ssrc = ssrc?;
        let from_there = || self.flows.iter().filter(|(_, flow)| flow.stream.is_from(from));
        let known = from_there().find(|(_, flow)| flow.stream.remote_ssrc == Some(ssrc));
        let (id, _) = known.or_else(|| from_there().find(|(_, flow)| flow.takes_any(kind)))?;
        let id = *id;
        self.flows.get_mut(&id)
    }

    /// RTP of no flow.
    fn on_stranger(&mut self, now: Duration, from: SocketAddr, datagram: &[u8]) -> Taken {
        let sender = ssrc_at(datagram, 8).zip(datagram.get(1).map(|octet| octet & 0x7f));
        if let Some((ssrc, pt)) = sender {
            match self.knocks.take(now, (from, ssrc), datagram) {
                Entry::Knock => return Taken::Knock { ssrc, pt },
                Entry::Waits => return Taken::Done,
                Entry::Refused => {}
            }
        }
        self.dropped.unbound += 1;
        Taken::Done
    }

    /// The network said that nobody listens at `to`.
    pub fn refused(&mut self, now: Duration, to: SocketAddr, out: &mut Vec<Out>) {
        for flow in self.flows.values_mut() {
            flow.on_refused(now, to, out);
        }
    }

    /// When [`Port::run`] has something to do.
    pub fn due(&self) -> Option<Duration> {
        let flows = self.flows.values().map(Flow::due);
        let leaving = self.leaving.iter().map(Leaving::due);
        flows.chain(leaving).min()
    }

    /// Does what is due.
    pub fn run(&mut self, now: Duration, out: &mut Vec<Out>) {
        for flow in self.flows.values_mut().filter(|flow| flow.due() <= now) {
            flow.run(now, out);
        }
        for one in &mut self.leaving {
            one.run(now, out);
        }
        self.leaving.retain(|one| !one.is_over(now));
    }

    /// Does what is asked for.
    pub fn order(&mut self, now: Duration, order: Order, out: &mut Vec<Out>) {
        match order {
            Order::Start(id, stream, ends, chance) => {
                self.stop(now, id, false, out);
                let sender = stream.remote.zip(stream.remote_ssrc);
                let waited = sender.map(|(from, ssrc)| self.knocks.let_in(from, ssrc));
                let setting = Setting { now, ntp: self.ntp, cname: &self.cname, chance };
                let mut flow = Flow::new(id, *stream, ends, setting);
                waited.iter().flatten().for_each(|packet| flow.on_rtp(now, packet, out));
                self.flows.insert(id, flow);
            }
            Order::Change(id, stream) => {
                if let Some(flow) = self.flows.get_mut(&id) {
                    flow.change(*stream);
                }
            }
            Order::Hold(id, hold) => {
                if let Some(flow) = self.flows.get_mut(&id) {
                    flow.hold(hold);
                }
            }
            Order::Dial(id, keys) => {
                if let Some(flow) = self.flows.get_mut(&id) {
                    flow.dial(&keys);
                }
            }
            Order::Stop(id, bye) => self.stop(now, id, bye, out),
            Order::Bye { to, ssrc, keys } => self.bye(now, to, ssrc, keys, out),
            Order::Welcome(hosts) => self.knocks.welcome(hosts),
            Order::Send(to, bytes) => out.push(Out::Send { control: false, to, bytes }),
        }
        self.run(now, out);
    }

    /// Ends every flow, with BYE.
    pub fn stop_all(&mut self, now: Duration, out: &mut Vec<Out>) {
        let all: Vec<Id> = self.flows.keys().copied().collect();
        all.into_iter().for_each(|id| self.stop(now, id, true, out));
        self.run(now, out);
    }

    /// Whether there is nothing left to do.
    pub fn is_idle(&self) -> bool {
        let said = |one: &Leaving| one.byes.is_none_or(|(_, said)| said == BYES.len());
        self.flows.is_empty() && self.leaving.iter().all(said)
    }

    fn stop(&mut self, now: Duration, id: Id, bye: bool, out: &mut Vec<Out>) {
        let Some(mut flow) = self.flows.remove(&id) else { return };
        out.push(Out::Tell(id, Told::Stopped(Box::new(flow.figures()))));
        // Devices are let go at once; what stays is numbers and keys.
        flow.release();
        self.leaving.push(Leaving { flow, since: now, byes: bye.then_some((now, 0)) });
    }

    /// A flow that still runs ends by this. One that is over says it with the keys it had, since
    /// no index of SRTCP may come twice. Of one that never was there is a last word all the same.
    fn bye(&mut self, now: Duration, to: SocketAddr, ssrc: u32, keys: Keys, out: &mut Vec<Out>) {
        let running = self.flows.values().find(|flow| flow.is_ours(ssrc, &keys));
        if let Some(id) = running.map(|flow| flow.id) {
            self.stop(now, id, false, out);
        }
        let known = self.leaving.iter_mut().find(|one| one.flow.is_ours(ssrc, &keys));
        let leaving = match known {
            Some(known) => known,
            None => {
                let id = Id::Direct(FlowId(0));
                let chance = Chance { ssrc, sequence: 0, timestamp: 0, dice: 0 };
                let setting = Setting { now, ntp: self.ntp, cname: &self.cname, chance };
                let flow = Flow::new(id, Stream::farewell(ssrc, keys), Ends::default(), setting);
                self.leaving.push(Leaving { flow, since: now, byes: None });
                self.leaving.last_mut().expect("one was pushed")
            }
        };
        leaving.flow.stream.control = Some(to);
        leaving.flow.stream.remote = Some(to);
        leaving.byes.get_or_insert((now, 0));
    }
}

impl Leaving {
    fn due(&self) -> Duration {
        match self.byes {
            Some((begin, said)) if said < BYES.len() => begin + BYES[said],
            Some(_) | None => self.since + LEAVING,
        }
    }

    fn run(&mut self, now: Duration, out: &mut Vec<Out>) {
        let Some((begin, said)) = &mut self.byes else { return };
        while BYES.get(*said).is_some_and(|after| *begin + *after <= now) {
            *said += 1;
            self.flow.bye(now, out);
        }
    }

    fn is_over(&self, now: Duration) -> bool {
        self.byes.is_none_or(|(_, said)| said == BYES.len()) && now >= self.since + LEAVING
    }
}

fn ssrc_at(datagram: &[u8], place: usize) -> Option<u32> {
    let octets = datagram.get(place..place + 4)?;
    Some(u32::from_be_bytes([octets[0], octets[1], octets[2], octets[3]]))
}
