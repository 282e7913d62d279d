//! One call in virtual time: a server, somebody who presses a button, somebody who answers at once.

use super::{Case, Delays, Kind};
use crate::chance::Chance;
use crate::host::Host;
use crate::network::Network;
use crate::plan::{DeviceName, Party, Plan, ServerPlan, UserPlan, Weather};
use crate::record::{Entry, Fate, Progress, Recorder, What};
use crate::server::{self, ServerHost};
use crate::user::Device;
use crate::world::runtime;
use presently::ua::media::Repertoire;
use presently::ua::{Notice, Told};
use presently_engine::agent::{CallPhase, DirectPolicy, Event};
use presently_engine::message::Aor;
use presently_net::Clock;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedReceiver;

/// How long the first packet is waited for: longer than any transaction takes.
pub(super) const PATIENCE: Duration = Duration::from_secs(64);

/// Until all that was asked for is done: longer than K4.
pub(super) const SETTLING: Duration = Duration::from_secs(10);

/// Longer than a nonce is good for (K9).
const IDLE: Duration = Duration::from_secs(310);

/// K4 as the server ships.
const NOTIFY_GAP_MS: u64 = 5_000;

/// K16 at its most.
const EARLY_PACKETS: u8 = 10;

/// The names of the two.
pub(super) const CALLER: &str = "alice";
pub(super) const CALLEE: &str = "bob";

/// From the press until …, ms. `None`: not within [`PATIENCE`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Times {
    /// … the first packet of media left the caller, whatever became of it.
    pub sent: Option<u64>,
    /// … the first one that was not lost was at the callee.
    pub arrived: Option<u64>,
    /// … the callee played it.
    pub played: Option<u64>,
}

/// Makes one call.
///
/// # Errors
/// It could not even begin.
pub(super) fn call(kind: Kind, seed: u64) -> Result<Times, String> {
    let Kind { case, delays, loss } = kind;
    runtime(seed)?.block_on(async {
        let setting =
            Setting { delays, watchers: 0, repertoires: repertoires(case), ..settings(case) };
        let mut laboratory = Laboratory::open(&setting, seed).await?;
        if case == Case::Paper {
            laboratory.watch_the_caller().await?;
        }
        if case.is_direct() {
            laboratory.offer().await?;
        } else {
            laboratory.acquaint().await?;
        }
        if matches!(case, Case::Challenged | Case::Mismatch) {
            tokio::time::sleep(IDLE).await;
        }
        laboratory.lose(f64::from(loss) / 100.0);
        let pressed = laboratory.network.now_ms();
        let first = laboratory.recorder.mark();
        laboratory.caller.order(press(case)).await?;
        laboratory.heard().await?;
        Ok(laboratory.times(first, pressed))
    })
}

fn press(case: Case) -> &'static str {
    match case {
        Case::Invite | Case::Challenged => "call bob audio",
        Case::Mismatch => "call bob audio PCMU",
        Case::Checked | Case::Early | Case::Paper => "direct bob audio",
    }
}

/// What the two can do: caller and callee.
fn repertoires(case: Case) -> [&'static str; 2] {
    match case {
        Case::Mismatch => ["PCMU,G722", "G722"],
        Case::Invite | Case::Challenged | Case::Checked | Case::Early | Case::Paper => {
            ["PCMU", "PCMU"]
        }
    }
}

fn settings(case: Case) -> Setting {
    let direct = match case {
        Case::Early => {
            DirectPolicy { early_packets: EARLY_PACKETS, plain: true, ..DirectPolicy::default() }
        }
        Case::Paper => {
            let both = [CALLER, CALLEE].map(|name| Aor::new(name, server::DOMAIN));
            DirectPolicy { paper: both.into(), paper_offers: true, ..DirectPolicy::default() }
        }
        Case::Invite | Case::Challenged | Case::Mismatch | Case::Checked => DirectPolicy::default(),
    };
    Setting { direct, ..Setting::default() }
}

/// What a laboratory is like.
#[derive(Clone, Debug)]
pub(super) struct Setting {
    pub(super) delays: Delays,
    /// Users who may watch the callee, beside the caller.
    pub(super) watchers: usize,
    /// What caller and callee can do.
    pub(super) repertoires: [&'static str; 2],
    /// How far the two go with direct media.
    pub(super) direct: DirectPolicy,
}

impl Default for Setting {
    fn default() -> Self {
        let direct = DirectPolicy::default();
        Self { delays: Delays::SETS[0], watchers: 0, repertoires: ["PCMU", "PCMU"], direct }
    }
}

/// A server, the two, and the network between them.
pub(super) struct Laboratory {
    pub(super) network: Network,
    pub(super) recorder: Recorder,
    _server: ServerHost,
    pub(super) caller: Device,
    pub(super) callee: Device,
    pub(super) caller_told: UnboundedReceiver<Told>,
    pub(super) callee_told: UnboundedReceiver<Told>,
    pub(super) watchers: Vec<Device>,
}

impl Laboratory {
    /// Everybody is registered, and the callee is present.
    pub(super) async fn open(setting: &Setting, seed: u64) -> Result<Self, String> {
        let plan = plan(setting, seed);
        let chance = Chance::new(seed);
        let recorder = Recorder::telling(Progress::default());
        let network = Network::new(Weather::default(), chance, recorder.clone());
        let clock = Clock::starting_at(server::DAWN);
        let mut server = ServerHost::new(&plan, chance, &network, Host::new(clock));
        server.start().map_err(|why| format!("the server cannot start: {why}"))?;
        let device = |(number, user): (usize, &UserPlan)| {
            let name = DeviceName { user: user.name.clone(), device: String::new() };
            let number = u16::try_from(number + 1).unwrap_or(u16::MAX);
            Device::new(user, name, number, chance, Host::new(clock))
        };
        let mut devices = plan.users.iter().enumerate().map(device);
        let (Some(mut caller), Some(mut callee)) = (devices.next(), devices.next()) else {
            return Err("there are two in every plan".to_owned());
        };
        let mut watchers: Vec<Device> = devices.collect();
        for (device, able) in [&mut caller, &mut callee].into_iter().zip(setting.repertoires) {
            let able = Repertoire::parse(able).ok_or("there are no such codecs")?;
            device.settle(able, setting.direct.clone());
        }
        lay(&network, setting.delays);
        let (caller_told, callee_told) = (caller.listen(), callee.listen());
        for device in [&mut caller, &mut callee].into_iter().chain(&mut watchers) {
            let started = device.start(&network, &recorder).await;
            started.map_err(|why| format!("{} cannot start: {why}", device.name))?;
        }
        tokio::time::sleep(SETTLING).await;
        callee.order("presence open").await?;
        callee.order("winfo").await?;
        tokio::time::sleep(SETTLING).await;
        let _server = server;
        Ok(Self { network, recorder, _server, caller, callee, caller_told, callee_told, watchers })
    }

    /// The callee offers to be spoken to, and the caller sees it.
    pub(super) async fn offer(&mut self) -> Result<(), String> {
        self.callee.order("allow alice").await?;
        self.callee.order("offer audio ready").await?;
        self.caller.order("watch bob").await?;
        tokio::time::sleep(SETTLING).await;
        Ok(())
    }

    /// The callee sees where the caller is, or it could not know whom to hear (behaviour §6.11).
    pub(super) async fn watch_the_caller(&mut self) -> Result<(), String> {
        self.caller.order("presence open").await?;
        self.caller.order("winfo").await?;
        self.caller.order("allow bob").await?;
        self.caller.order("offer audio ready").await?;
        self.callee.order("watch alice").await?;
        tokio::time::sleep(SETTLING).await;
        Ok(())
    }

    /// All the others watch the callee, who lets them.
    pub(super) async fn watch(&mut self) -> Result<(), String> {
        for watcher in &mut self.watchers {
            self.callee.order(&format!("allow {}", watcher.name.user)).await?;
            watcher.order("watch bob").await?;
            tokio::time::sleep(SETTLING).await;
        }
        Ok(())
    }

    /// The caller has sent something through the proxy, and knows its nonce.
    pub(super) async fn acquaint(&mut self) -> Result<(), String> {
        self.caller.order("message bob hello").await?;
        tokio::time::sleep(SETTLING).await;
        Ok(())
    }

    /// From now on this share of all datagrams is lost.
    pub(super) fn lose(&self, loss: f64) {
        self.network.weather(Weather { loss, ..Weather::default() });
    }

    /// Waits until the callee hears the caller. Calls are answered at once; one whose codecs are
    /// not known there is made again with all there are.
    pub(super) async fn heard(&mut self) -> Result<(), String> {
        let enough = tokio::time::sleep(PATIENCE);
        tokio::pin!(enough);
        loop {
            tokio::select! {
                biased;
                Some(told) = self.callee_told.recv() => match told {
                    Told::Event(Event::Call { phase: CallPhase::Incoming, .. }) => {
                        self.callee.order("answer").await?;
                    }
                    Told::Media(_, Notice::FirstPlayed(_)) => return Ok(()),
                    Told::Event(_) | Told::Refused(_) | Told::Media(..) => {}
                },
                Some(told) = self.caller_told.recv() => {
                    let Told::Event(Event::Call { phase, status, .. }) = told else { continue };
                    if phase == CallPhase::Ended && status == Some(488) {
                        self.caller.order("call bob audio").await?;
                    }
                }
                () = &mut enough => return Ok(()),
            }
        }
    }

    /// What the record says of the packets of the caller since `first`.
    fn times(&self, first: usize, pressed: u64) -> Times {
        let entries = self.recorder.since(first);
        let media = entries.iter().filter_map(|entry| self.media(entry));
        let after = |at: u64| at.saturating_sub(pressed);
        let arrived = media.clone().filter_map(|(at, fate)| match fate {
            Fate::Arrives { after_ms, .. } => Some(after(at + after_ms)),
            Fate::Lost | Fate::Cut | Fate::TooLarge | Fate::NobodyThere => None,
        });
        let callee = &self.callee.name;
        let played = entries.iter().find(|entry| {
            matches!(&entry.what, What::Stream { device, played: true, .. } if device == callee)
        });
        Times {
            sent: media.clone().map(|(at, _)| after(at)).min(),
            arrived: arrived.min(),
            played: played.map(|entry| after(entry.at_ms)),
        }
    }

    /// If this is an RTP packet from caller to callee: when it left, and what became of it.
    fn media(&self, entry: &Entry) -> Option<(u64, Fate)> {
        let What::Datagram { from, to, bytes, fate } = &entry.what else { return None };
        let ours = from.ip() == self.caller.address.ip() && to.ip() == self.callee.address.ip();
        (ours && !is_sip(*from, *to) && is_rtp(bytes)).then_some((entry.at_ms, *fate))
    }
}

/// Whether a datagram is one of the signalling.
pub(super) fn is_sip(from: SocketAddr, to: SocketAddr) -> bool {
    from.port() == 5060 && to.port() == 5060
}

/// RFC 5761 §4: RTP, not RTCP; RFC 7983 §7: nor STUN.
pub(super) fn is_rtp(bytes: &[u8]) -> bool {
    let [first, second, ..] = bytes else { return false };
    (128..=191).contains(first) && !(192..=223).contains(second)
}

fn plan(setting: &Setting, seed: u64) -> Plan {
    let others = (1..=setting.watchers).map(|number| format!("watcher{number}"));
    let names = [CALLER.to_owned(), CALLEE.to_owned()].into_iter().chain(others);
    let user =
        |name| UserPlan { name, devices: Vec::new(), refresh: 3600, nat: false, paper: false };
    Plan {
        title: "measurement".to_owned(),
        story: String::new(),
        seed,
        duration_ms: 0,
        server: ServerPlan { notify_gap_ms: NOTIFY_GAP_MS, ..ServerPlan::default() },
        users: names.map(user).collect(),
        network: Weather::default(),
        steps: Vec::new(),
        expectations: Vec::new(),
    }
}

fn lay(network: &Network, Delays { a, b, d }: Delays) {
    let party =
        |name: &str| Party::Device(DeviceName { user: name.to_owned(), device: String::new() });
    network.lay(&party(CALLER), &Party::Server, a);
    network.lay(&Party::Server, &party(CALLEE), b);
    network.lay(&party(CALLER), &party(CALLEE), d);
}
