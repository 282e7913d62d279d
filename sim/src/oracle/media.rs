//! Media as it shows from outside: what went through the ports, and what users were told flows.
//!
//! Whose a port is follows from its address: every device of a run has one of its own, and
//! translators stand before SIP only.

use crate::plan::{Act, DeviceName, Party};
use crate::record::{Fate, Record, What};
use presently::facts::user_of;
use presently_engine::agent::wire::{Check, Reply};
use presently_engine::agent::{CallPhase, Event, FlowPhase, Way};
use presently_net::media::Id;
use presently_net::rtp;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

/// What a datagram of a media port is.
pub(crate) enum Kind {
    /// RTP, with its payload type and its SSRC.
    Media(u8, u32),
    /// RTCP.
    Control,
    /// A check (behaviour §6.5).
    Check(Check),
    /// An answer to the check of a transaction.
    Answer(u128),
}

/// A datagram between two media ports.
pub(crate) struct Packet<'a> {
    pub(crate) at_ms: u64,
    /// When it arrived, whole or not.
    pub(crate) came_ms: Option<u64>,
    /// When it arrived whole.
    pub(crate) arrived_ms: Option<u64>,
    /// Whether the network kept or spoiled it; one for a port that is closed is nobody's fault.
    pub(crate) lost: bool,
    pub(crate) from: SocketAddr,
    pub(crate) to: SocketAddr,
    pub(crate) kind: Kind,
    pub(crate) bytes: &'a [u8],
}

/// A time in which a user was told that something flows, one way or both.
pub(crate) struct Stretch<'a> {
    pub(crate) device: &'a DeviceName,
    pub(crate) id: Id,
    /// With which user.
    pub(crate) peer: String,
    /// `None`: in a call.
    pub(crate) way: Option<Way>,
    /// Whether this device sends.
    pub(crate) sends: bool,
    pub(crate) from_ms: u64,
    /// [`u64::MAX`]: it flows at the end.
    pub(crate) until_ms: u64,
    /// Our port; one of a call is not told.
    pub(crate) port: Option<u16>,
    pub(crate) remote: Option<SocketAddr>,
    /// SSRC of the other side, if it was announced.
    pub(crate) remote_ssrc: Option<u32>,
    /// Most packets before the other side has answered (K16).
    pub(crate) budget: Option<u8>,
}

impl Stretch<'_> {
    pub(crate) fn covers(&self, at_ms: u64) -> bool {
        (self.from_ms..=self.until_ms).contains(&at_ms)
    }

    /// Whether it goes to a place from a port of the device.
    pub(crate) fn is_between(&self, port: u16, remote: SocketAddr) -> bool {
        self.remote == Some(remote) && self.port.is_none_or(|ours| ours == port)
    }

    /// Whether it flows at the end of the run.
    pub(crate) fn is_open(&self) -> bool {
        self.until_ms == u64::MAX
    }
}

/// A call as its user was told of it.
pub(crate) struct Call<'a> {
    pub(crate) device: &'a DeviceName,
    pub(crate) peer: String,
    /// Whether it came in.
    pub(crate) incoming: bool,
    pub(crate) begun_ms: u64,
    pub(crate) up_ms: Option<u64>,
    /// [`u64::MAX`]: it is there at the end.
    pub(crate) ended_ms: u64,
}

/// All media of a run.
pub(crate) struct Media<'a> {
    pub(crate) packets: Vec<Packet<'a>>,
    pub(crate) stretches: Vec<Stretch<'a>>,
    pub(crate) calls: Vec<Call<'a>>,
    hosts: BTreeMap<IpAddr, &'a DeviceName>,
}

impl<'a> Media<'a> {
    pub(crate) fn new(record: &'a Record) -> Self {
        let mut hosts = BTreeMap::new();
        for (party, address) in &record.addresses {
            // The first one is the device's own; the next are what translators made of it.
            if let Party::Device(name) = party
                && !hosts.values().any(|known| *known == name)
            {
                hosts.insert(address.ip(), name);
            }
        }
        let packets = record.entries.iter().filter_map(|entry| packet(entry.at_ms, &entry.what));
        let mut told = Told::default();
        for entry in &record.entries {
            told.follow(entry.at_ms, &entry.what);
        }
        let Told { stretches, calls, .. } = told;
        Self { packets: packets.collect(), stretches, calls, hosts }
    }

    /// Whose a media port is.
    pub(crate) fn device(&self, address: SocketAddr) -> Option<&'a DeviceName> {
        self.hosts.get(&address.ip()).copied()
    }

    /// RTP with its payload type and SSRC, and who sent it; what strangers send is not among it.
    pub(crate) fn spoken(&self) -> impl Iterator<Item = (&Packet<'a>, u8, u32, &'a DeviceName)> {
        self.packets.iter().filter_map(|packet| match packet.kind {
            Kind::Media(pt, ssrc) => Some((packet, pt, ssrc, self.device(packet.from)?)),
            Kind::Control | Kind::Check(_) | Kind::Answer(_) => None,
        })
    }

    /// What flows to a device directly.
    pub(crate) fn incoming(&self) -> impl Iterator<Item = &Stretch<'a>> {
        self.stretches.iter().filter(|stretch| stretch.way == Some(Way::In))
    }

    /// The stretches of a device at a moment that go to a place.
    pub(crate) fn at(
        &self,
        device: &DeviceName,
        packet: &Packet<'_>,
    ) -> impl Iterator<Item = &Stretch<'a>> {
        let (port, to, at_ms) = (packet.from.port(), packet.to, packet.at_ms);
        self.stretches.iter().filter(move |one| {
            one.device == device && one.is_between(port, to) && one.covers(at_ms)
        })
    }
}

fn packet(at_ms: u64, what: &What) -> Option<Packet<'_>> {
    let What::Datagram { from, to, bytes, fate } = what else { return None };
    let octets =
        |place: usize| Some(u32::from_be_bytes(bytes.get(place..place + 4)?.try_into().ok()?));
    let kind = match rtp::Kind::of(bytes) {
        rtp::Kind::Rtp => Kind::Media(bytes.get(1)? & 0x7f, octets(8)?),
        rtp::Kind::Rtcp => Kind::Control,
        rtp::Kind::Stun => match Reply::transaction(bytes) {
            Some(transaction) => Kind::Answer(transaction),
            None => Kind::Check(Check::read(bytes)?),
        },
        rtp::Kind::Dtls | rtp::Kind::Unknown => return None,
    };
    let (came_ms, whole) = match fate {
        Fate::Arrives { after_ms, corrupted, .. } => (Some(at_ms + after_ms), !corrupted),
        Fate::Lost | Fate::Cut | Fate::TooLarge | Fate::NobodyThere => (None, false),
    };
    let arrived_ms = came_ms.filter(|_| whole);
    let lost = arrived_ms.is_none() && *fate != Fate::NobodyThere;
    Some(Packet { at_ms, came_ms, arrived_ms, lost, from: *from, to: *to, kind, bytes })
}

/// Folds what users were told.
#[derive(Default)]
struct Told<'a> {
    stretches: Vec<Stretch<'a>>,
    calls: Vec<Call<'a>>,
    /// What flows now, and which calls there are.
    flowing: BTreeMap<(&'a DeviceName, Id), usize>,
    calling: BTreeMap<(&'a DeviceName, u64), usize>,
}

impl<'a> Told<'a> {
    fn follow(&mut self, at_ms: u64, what: &'a What) {
        match what {
            What::Told { device, event } => self.told(at_ms, device, event),
            What::Step(step) => {
                if let Act::Crash(Party::Device(device)) = &step.act {
                    self.end(at_ms, |(whose, _)| *whose == device);
                    self.end_calls(at_ms, |(whose, _)| *whose == device);
                }
            }
            What::Datagram { .. } | What::Stream { .. } | What::Trouble { .. } => {}
        }
    }

    fn end(&mut self, at_ms: u64, which: impl Fn(&(&DeviceName, Id)) -> bool) {
        let Self { stretches, flowing, .. } = self;
        flowing.retain(|key, place| {
            let over = which(key);
            if over {
                stretches[*place].until_ms = at_ms;
            }
            !over
        });
    }

    fn end_calls(&mut self, at_ms: u64, which: impl Fn(&(&DeviceName, u64)) -> bool) {
        let Self { calls, calling, .. } = self;
        calling.retain(|key, place| {
            let over = which(key);
            if over {
                calls[*place].ended_ms = at_ms;
            }
            !over
        });
    }

    fn begin(&mut self, stretch: Stretch<'a>) {
        let key = (stretch.device, stretch.id);
        self.end(stretch.from_ms, |other| *other == key);
        self.flowing.insert(key, self.stretches.len());
        self.stretches.push(stretch);
    }

    fn told(&mut self, at_ms: u64, device: &'a DeviceName, event: &Event) {
        match event {
            Event::Flow { flow, phase: FlowPhase::Stopped, .. } => {
                self.end(at_ms, |key| *key == (device, Id::Direct(*flow)));
            }
            Event::Flow { flow, peer, way, stream: Some(stream), .. } => self.begin(Stretch {
                device,
                id: Id::Direct(*flow),
                peer: peer.user().to_owned(),
                way: Some(*way),
                sends: *way == Way::Out,
                from_ms: at_ms,
                until_ms: u64::MAX,
                port: Some(stream.port),
                remote: Some(stream.remote),
                remote_ssrc: Some(stream.remote_ssrc),
                budget: stream.budget,
            }),
            Event::Call { call, peer, phase, flows, .. } => {
                let is_of = |id: &Id| matches!(id, Id::Call(of, _) if of == call);
                self.end(at_ms, |(whose, id)| *whose == device && is_of(id));
                for flow in flows {
                    self.begin(Stretch {
                        device,
                        id: Id::Call(*call, flow.line),
                        peer: user_of(peer).to_owned(),
                        way: None,
                        sends: flow.direction.sends(),
                        from_ms: at_ms,
                        until_ms: u64::MAX,
                        port: None,
                        remote: flow.to,
                        remote_ssrc: None,
                        budget: None,
                    });
                }
                self.call(at_ms, (device, call.0), user_of(peer), *phase);
            }
            _ => {}
        }
    }

    fn call(&mut self, at_ms: u64, key: (&'a DeviceName, u64), peer: &str, phase: CallPhase) {
        if phase == CallPhase::Ended {
            return self.end_calls(at_ms, |other| *other == key);
        }
        let place = *self.calling.entry(key).or_insert_with(|| {
            self.calls.push(Call {
                device: key.0,
                peer: peer.to_owned(),
                incoming: phase == CallPhase::Incoming,
                begun_ms: at_ms,
                up_ms: None,
                ended_ms: u64::MAX,
            });
            self.calls.len() - 1
        });
        if phase == CallPhase::Up {
            self.calls[place].up_ms.get_or_insert(at_ms);
        }
    }
}
