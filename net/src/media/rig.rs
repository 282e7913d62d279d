//! What tests of media share: a sink that remembers, streams.

use super::ends::{Ear, Ends, Voice};
use super::stream::Stream;
use crate::audio::rig::Said;
use crate::audio::{self, codec};
use crate::rtp::MasterKey;
use presently_engine::agent::{DirectStream, Way};
use presently_engine::body::pidf::Codec;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

/// A sink that remembers what was played.
#[derive(Clone, Default)]
pub(crate) struct Memory(Arc<Mutex<Vec<i16>>>);

impl Memory {
    pub(crate) fn samples(&self) -> Vec<i16> {
        self.0.lock().expect("no test panics with it").clone()
    }
}

impl audio::Sink for Memory {
    fn rate(&self) -> u32 {
        8000
    }

    fn push(&mut self, samples: &[i16]) {
        self.0.lock().expect("no test panics with it").extend_from_slice(samples);
    }
}

pub(crate) fn pcmu() -> Codec {
    Codec { pt: 0, rtpmap: "PCMU/8000".into(), fmtp: None }
}

pub(crate) fn mouth(samples: &[i16]) -> Ends {
    let codec = codec("PCMU/8000").expect("PCMU");
    let voice = Voice::new(Box::new(Said::new(8000, samples)), codec);
    Ends { capture: Some(Box::new(voice)), render: None }
}

pub(crate) fn ear(memory: &Memory) -> Ends {
    let codec = codec("PCMU/8000").expect("PCMU");
    let ear = Ear::new(codec, Box::new(memory.clone()));
    Ends { capture: None, render: Some(Box::new(ear)) }
}

/// Both ends of a direct flow from one address to another: the stream at each.
pub(crate) fn direct(
    from: SocketAddr,
    to: SocketAddr,
    ssrcs: (u32, u32),
    keys: Option<(MasterKey, MasterKey)>,
) -> (Stream, Stream) {
    let there = DirectStream {
        port: from.port(),
        remote: to,
        codec: pcmu(),
        ssrc: ssrcs.0,
        remote_ssrc: ssrcs.1,
        keys,
        budget: None,
    };
    let here = DirectStream {
        port: to.port(),
        remote: from,
        codec: pcmu(),
        ssrc: ssrcs.1,
        remote_ssrc: ssrcs.0,
        keys: keys.map(|(send, receive)| (receive, send)),
        budget: None,
    };
    (Stream::direct(&there, Way::Out), Stream::direct(&here, Way::In))
}
