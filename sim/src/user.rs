//! A device of a run: the agent that ships, on a socket of the network, given lines of
//! `presence-ua`'s language.

use crate::chance::Chance;
use crate::host::Host;
use crate::network::Network;
use crate::plan::{DeviceName, Party, UserPlan};
use crate::record::{Recorder, What};
use crate::server;
use presently::ua::media::Repertoire;
use presently::ua::{Asked, Ordered, order};
use presently_engine::Peer;
use presently_engine::agent::{Command, Config};
use presently_engine::message::Aor;
use presently_engine::mint::Secret;
use presently_engine::transaction::Timing;
use presently_net::{AgentHandle, AgentSetup};
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::sync::mpsc::unbounded_channel;

/// How long somebody waits for a device to take an order.
const GLANCE: Duration = Duration::from_millis(1);

/// A device and what it is started with.
pub(crate) struct Device {
    pub(crate) name: DeviceName,
    pub(crate) address: SocketAddr,
    config: Config,
    chance: Chance,
    pub(crate) host: Host,
    agent: Option<AgentHandle>,
    starts: u64,
    tickets: u64,
    offers: u16,
}

impl Device {
    /// A device that is not started yet. Its address follows from its number.
    pub(crate) fn new(
        user: &UserPlan,
        name: DeviceName,
        number: u16,
        chance: Chance,
        host: Host,
    ) -> Self {
        let [high, low] = number.to_be_bytes();
        let ip = std::net::Ipv4Addr::new(198, 51, high.saturating_add(100), low);
        let address = SocketAddr::new(ip.into(), 5060);
        let config = Config {
            aor: Aor::new(&user.name, server::DOMAIN),
            password: server::password(&user.name).into(),
            server: Peer::new(server::ADDRESS),
            contact: address.to_string().into(),
            secret: Secret::new([0; 16]),
            device: format!("{:016x}", chance.number("device", &name)).into(),
            timing: Timing::default(),
            register_expires: user.refresh,
            publish_expires: user.refresh,
            subscribe_expires: user.refresh,
            allow_md5: true,
            logout: Duration::from_secs(2),
            media: Vec::new(),
        };
        Self { name, address, config, chance, host, agent: None, starts: 0, tickets: 0, offers: 0 }
    }

    /// Starts the agent, if it does not run, and logs in; what it tells goes into the record.
    pub(crate) async fn start(&mut self, network: &Network, recorder: &Recorder) -> io::Result<()> {
        if let Some(agent) = &self.agent {
            // The program still runs; its user had logged out.
            return agent.command(Command::Login).await.map_err(io::Error::other);
        }
        self.starts += 1;
        let key = self.chance.bytes("agent secret", (&self.name, self.starts));
        self.config.secret = Secret::new(key);
        let socket = network.bind(&Party::Device(self.name.clone()), self.address);
        let (clock, gate) = self.host.boot();
        let gate = Some(gate);
        let setup = AgentSetup { clock, gate, ..AgentSetup::new(self.config.clone(), socket) };
        let mut agent = AgentHandle::start(setup)?;
        let mut events = std::mem::replace(&mut agent.events, unbounded_channel().1);
        let (recorder, network, device) = (recorder.clone(), network.clone(), self.name.clone());
        tokio::spawn(async move {
            while let Some((_, event)) = events.recv().await {
                recorder.add(network.now_ms(), What::Told { device: device.clone(), event });
            }
        });
        let logged_in = agent.command(Command::Login).await;
        self.agent = Some(agent);
        logged_in.map_err(io::Error::other)
    }

    /// The process is gone at once.
    pub(crate) fn crash(&mut self) {
        self.agent = None;
    }

    /// Carries a line of `presence-ua`'s language out.
    ///
    /// # Errors
    /// A line that is none, or one for a device that does not run.
    pub(crate) async fn order(&mut self, line: &str) -> Result<(), String> {
        let Some(agent) = &self.agent else { return Err("the device does not run".into()) };
        let command = match order(line, &self.config.aor, &mut self.tickets)? {
            Some(Ordered::Command(command)) => command,
            Some(Ordered::Media(Asked::Offer { media, mode })) => {
                self.offers += 1;
                let port = 10_000 + 2 * self.offers;
                let codecs = Repertoire::default().codecs(&media).into_iter();
                let codecs = codecs.map(|codec| (codec.pt, codec.rtpmap)).collect();
                Command::SetOffer { media, port, codecs, mode }
            }
            Some(Ordered::Quit) => Command::Logout,
            Some(Ordered::Media(_) | Ordered::Tables | Ordered::Help | Ordered::Wait) | None => {
                return Err(format!("`{line}` is nothing that a scenario can do"));
            }
        };
        // A device that stands still keeps some orders for later and no more.
        match tokio::time::timeout(GLANCE, agent.command(command)).await {
            Ok(taken) => taken.map_err(|why| why.to_string()),
            Err(_) => Err("the device stands still and takes no more orders".into()),
        }
    }
}
