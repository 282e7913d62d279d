//! The paper's own form: what a tuple says is enough to speak, and nothing is asked before.
//!
//! The agent that ships does not speak like that; it proves itself first, or sends a few packets
//! beside the proof (K16). So the laboratory takes its parts and leaves the proof away: the tuples
//! are published, allowed and watched by the agents that ship; packets are made, sent and played by
//! the media that ships. As behaviour §6.11 says the callee must have the caller's tuple, or it
//! could not know whom to hear: both offer, each from the port it also sends from (RFC 4961).

use super::laboratory::{Laboratory, PATIENCE, SETTLING};
use crate::plan::Party;
use crate::record::What;
use crate::user::Device;
use presently::ua::Told;
use presently_engine::agent::{Command, Event, FlowId};
use presently_engine::body::pidf::{Codec, Mode};
use presently_engine::body::sdp::Direction;
use presently_net::Clock;
use presently_net::media::{Begun, Ends, Id, Media, Setup, Sockets, Stream};
use std::net::SocketAddr;
use tokio::sync::mpsc::UnboundedReceiver;

/// Where the two speak and hear.
const PORT: u16 = 20_000;
const PCMU: &str = "PCMU/8000";
const FLOW: Id = Id::Direct(FlowId(1));

/// What the two have besides their agents.
pub(super) struct Paper {
    caller: Begun,
    callee: Begun,
    /// Where the callee's tuple says it hears.
    to: SocketAddr,
}

impl Paper {
    /// Both publish, watch each other, and the callee gets ready for the caller's packets.
    pub(super) async fn agree(laboratory: &mut Laboratory) -> Result<Self, String> {
        let Laboratory { caller, callee, .. } = laboratory;
        caller.order("presence open").await?;
        caller.order("winfo").await?;
        caller.order("allow bob").await?;
        callee.order("allow alice").await?;
        for device in [&*caller, &*callee] {
            let (media, codecs) = ("audio".into(), vec![(0, PCMU).into()]);
            device
                .command(Command::SetOffer { media, port: PORT, codecs, mode: Mode::Ready })
                .await?;
        }
        caller.order("watch bob").await?;
        callee.order("watch alice").await?;
        tokio::time::sleep(SETTLING).await;
        let to = offered(&mut laboratory.caller_told).ok_or("the caller sees no offer")?;
        let from = offered(&mut laboratory.callee_told).ok_or("the callee sees no offer")?;
        let caller = desk(laboratory, &laboratory.caller)?;
        let mut callee = desk(laboratory, &laboratory.callee)?;
        start(&mut callee.media, from, Direction::RecvOnly)?;
        Ok(Self { caller, callee, to })
    }

    /// The caller speaks.
    pub(super) fn press(&mut self) -> Result<(), String> {
        start(&mut self.caller.media, self.to, Direction::SendOnly)
    }

    /// Waits until the callee hears it.
    pub(super) async fn heard(&mut self, laboratory: &Laboratory) {
        let first = async {
            while let Some(happening) = self.callee.happenings.recv().await {
                if happening.told == presently_net::media::Told::FirstPlayed {
                    let device = laboratory.callee.name.clone();
                    let what = What::Stream { device, name: happening.id, played: true };
                    return laboratory.recorder.add(laboratory.network.now_ms(), what);
                }
            }
        };
        // Who never hears it has no time to tell.
        let _ = tokio::time::timeout(PATIENCE, first).await;
    }
}

/// Where somebody's tuple says it can be spoken to.
fn offered(told: &mut UnboundedReceiver<Told>) -> Option<SocketAddr> {
    let mut last = None;
    while let Ok(told) = told.try_recv() {
        if let Told::Event(Event::Offer { address, mode: Some(Mode::Ready), .. }) = told {
            last = address.and_then(|address| address.parse().ok());
        }
    }
    last
}

/// Media of a device, with one port.
fn desk(laboratory: &Laboratory, device: &Device) -> Result<Begun, String> {
    let address = SocketAddr::new(device.address.ip(), PORT);
    let socket = laboratory.network.bind(&Party::Device(device.name.clone()), address);
    let clock = Clock::starting_at(crate::server::DAWN);
    // Nothing that is measured depends on it, but the SSRCs of the two have to differ.
    let (chance, name, mut drawn) = (laboratory.chance, device.name.clone(), 0_u64);
    let dice = move || {
        drawn += 1;
        chance.number("paper media", (&name, drawn))
    };
    let setup = Setup { clock, address: address.ip(), chance: Box::new(dice), gate: None };
    let mut begun = Media::begin(setup);
    begun.media.adopt(Sockets::shared(socket)).map_err(|why| why.to_string())?;
    Ok(begun)
}

fn start(media: &mut Media, remote: SocketAddr, direction: Direction) -> Result<(), String> {
    let source = direction.sends().then_some("tone:440");
    let sink = direction.receives().then_some("null");
    let ends = Ends::audio(PCMU, source, sink).map_err(|why| why.to_string())?;
    let stream = Stream {
        port: PORT,
        remote: Some(remote),
        control: Some(remote),
        codec: Codec { pt: 0, rtpmap: PCMU.into(), fmtp: None },
        heard: vec![0],
        events: None,
        ptime: None,
        direction,
        ssrc: None,
        remote_ssrc: None,
        keys: None,
        budget: None,
    };
    media.start(FLOW, stream, ends).map_err(|why| why.to_string())
}
