//! What flows, whoever agreed on it: a direct flow (behaviour §6) or a stream of a call (RFC 3264).

use crate::rtp::MasterKey;
use presently_engine::agent::negotiation::Flow;
use presently_engine::agent::{CallId, DirectStream, FlowId, Way};
use presently_engine::body::pidf::Codec;
use presently_engine::body::sdp::Direction;
use std::net::SocketAddr;

/// Which flow of an agent.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Id {
    /// A direct flow.
    Direct(FlowId),
    /// A stream of a call, by its `m=` line.
    Call(CallId, usize),
}

/// What flows.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Stream {
    /// Our port.
    pub port: u16,
    /// Where media goes, and the only place it is heard from. `None` while the other side holds a
    /// call with an address of zeros.
    pub remote: Option<SocketAddr>,
    /// Where control packets go and come from.
    pub control: Option<SocketAddr>,
    /// What we send and hear; its payload type is the one to send with.
    pub codec: Codec,
    /// Payload types of the codec on the way to us.
    pub heard: Vec<u8>,
    /// Payload types of telephone events: to send, to hear.
    pub events: Option<(u8, u8)>,
    /// How many milliseconds of sound the other side would like in a packet; zero is no wish.
    pub ptime: Option<u16>,
    /// Whether we send and receive.
    pub direction: Direction,
    /// Our SSRC, if it was announced.
    pub ssrc: Option<u32>,
    /// The other's, if it was announced.
    pub remote_ssrc: Option<u32>,
    /// SRTP keys: to send with, to receive with.
    pub keys: Option<(MasterKey, MasterKey)>,
    /// Most packets that may leave while nobody has consented (K16), and no report with them.
    /// `None` once somebody has.
    pub budget: Option<u8>,
}

impl Stream {
    /// A direct flow. Both SSRCs were announced in its check; control packets share the port. Where
    /// nobody was asked the other side has announced none, and before it has answered nobody is it.
    pub fn direct(stream: &DirectStream, way: Way) -> Self {
        let answered = stream.remote_ssrc != 0 || stream.budget.is_some();
        Self {
            port: stream.port,
            remote: Some(stream.remote),
            control: Some(stream.remote),
            codec: stream.codec.clone(),
            heard: vec![stream.codec.pt],
            events: None,
            ptime: None,
            direction: Direction::of(way == Way::Out, way == Way::In),
            ssrc: Some(stream.ssrc),
            remote_ssrc: answered.then_some(stream.remote_ssrc),
            keys: stream.keys,
            budget: stream.budget,
        }
    }

    /// A stream of a call at a port of ours. Without rtcp-mux control packets have the port above
    /// (RFC 3550 §11).
    pub fn call(flow: &Flow, port: u16) -> Self {
        let above = |mut to: SocketAddr| {
            to.set_port(to.port().saturating_add(1));
            to
        };
        Self {
            port,
            remote: flow.to,
            control: if flow.rtcp_mux { flow.to } else { flow.to.map(above) },
            codec: flow.codec.clone(),
            heard: flow.heard.clone(),
            events: flow.events,
            ptime: flow.ptime,
            direction: flow.direction,
            ssrc: None,
            remote_ssrc: None,
            keys: flow.keys,
            budget: None,
        }
    }

    /// What is left of a stream of which only the end is said.
    pub(super) fn farewell(ssrc: u32, keys: Option<(MasterKey, MasterKey)>) -> Self {
        Self {
            port: 0,
            remote: None,
            control: None,
            codec: Codec { pt: 0, rtpmap: "PCMU/8000".into(), fmtp: None },
            heard: Vec::new(),
            events: None,
            ptime: None,
            direction: Direction::Inactive,
            ssrc: Some(ssrc),
            remote_ssrc: None,
            keys,
            budget: None,
        }
    }

    /// Whether control packets have a port of their own.
    pub fn is_split(&self) -> bool {
        self.control != self.remote
    }

    /// Whether a datagram from there may belong to it.
    pub(super) fn is_from(&self, from: SocketAddr) -> bool {
        self.remote == Some(from) || self.control == Some(from)
    }
}
