//! A device of a run: the agent that ships with the phone that ships, on sockets of the network,
//! given lines of `presence-ua`'s language. Its sound is a tone, and nobody listens.

use crate::chance::Chance;
use crate::host::Host;
use crate::network::Network;
use crate::plan::{DeviceName, Party, UserPlan};
use crate::record::{Recorder, What};
use crate::server;
use presently::ua::media::{Devices, Repertoire};
use presently::ua::{Desk, Habits, Handset, Notice, Ordered, Phone, Told, order};
use presently_engine::Peer;
use presently_engine::agent::{Agent, Command, Config, DirectPolicy, Event};
use presently_engine::message::Aor;
use presently_engine::mint::Secret;
use presently_net::media::{Media, Setup, Sockets};
use presently_net::{AgentHandle, AgentSetup, Clock, Gate, Remote};
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::AbortHandle;

/// How long somebody waits for a device to take an order.
const GLANCE: Duration = Duration::from_millis(1);

/// Media ports of a program's first start begin here; each start has so many of its own.
const FIRST_PORT: u16 = 10_000;
const PORTS: u16 = 100;

/// A device and what it is started with.
pub(crate) struct Device {
    pub(crate) name: DeviceName,
    pub(crate) address: SocketAddr,
    config: Config,
    chance: Chance,
    repertoire: Repertoire,
    /// Who is told at once what its user is told.
    ear: Option<UnboundedSender<Told>>,
    pub(crate) host: Host,
    program: Option<Program>,
    starts: u64,
    tickets: u64,
}

/// What runs on it.
struct Program {
    /// Where commands go.
    agent: Remote<Agent>,
    handset: Handset,
    /// Who writes down what is told.
    listener: AbortHandle,
}

impl Drop for Program {
    fn drop(&mut self) {
        self.listener.abort();
    }
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
            register_expires: user.refresh,
            publish_expires: user.refresh,
            subscribe_expires: user.refresh,
            media: Repertoire::default().kinds(),
            direct: DirectPolicy { paper_offers: user.paper, ..DirectPolicy::default() },
            ..Config::new(
                Aor::new(&user.name, server::DOMAIN),
                &server::password(&user.name),
                Peer::new(server::ADDRESS),
                address,
                Secret::new([0; 16]),
                &format!("{:016x}", chance.number("device", &name)),
            )
        };
        let (repertoire, ear) = (Repertoire::default(), None);
        let (program, starts, tickets) = (None, 0, 0);
        Self { name, address, config, chance, repertoire, ear, host, program, starts, tickets }
    }

    /// Other codecs and another policy than usual, from the next start on.
    pub(crate) fn settle(&mut self, repertoire: Repertoire, direct: DirectPolicy) {
        self.config.media = repertoire.kinds();
        self.config.direct = direct;
        self.repertoire = repertoire;
    }

    /// What the user is told from the next start on, for somebody who has to react at once.
    pub(crate) fn listen(&mut self) -> UnboundedReceiver<Told> {
        let (ear, told) = unbounded_channel();
        self.ear = Some(ear);
        told
    }

    /// Starts the agent, if it does not run, and logs in; what it tells goes into the record.
    pub(crate) async fn start(&mut self, network: &Network, recorder: &Recorder) -> io::Result<()> {
        if let Some(program) = &self.program {
            // It still runs; its user had logged out.
            return program.agent.command(Command::Login).await.map_err(io::Error::other);
        }
        self.starts += 1;
        let key = self.chance.bytes("agent secret", (&self.name, self.starts));
        self.config.secret = Secret::new(key);
        let socket = network.bind(&Party::Device(self.name.clone()), self.address);
        let (clock, gate) = self.host.boot();
        let gate = Some(gate);
        let desk = self.desk(network, clock, gate.clone());
        let setup = AgentSetup { clock, gate, ..AgentSetup::new(self.config.clone(), socket) };
        let handle = AgentHandle::start(setup)?;
        let agent = handle.remote();
        let (ip, habits) = (self.address.ip(), Habits { srtp: false, fallback: true });
        let phone = Phone::new(desk, ip, self.repertoire.clone(), habits);
        let mut handset = Handset::start(handle, phone);
        let mut told = std::mem::replace(&mut handset.told, unbounded_channel().1);
        let (recorder, network, device) = (recorder.clone(), network.clone(), self.name.clone());
        let ear = self.ear.clone();
        let listener = tokio::spawn(async move {
            while let Some((_, told)) = told.recv().await {
                if let Some(ear) = &ear {
                    // Who reacts may have seen enough.
                    let _ = ear.send(told.clone());
                }
                if let Some(what) = what(&device, told) {
                    recorder.add(network.now_ms(), what);
                }
            }
        });
        let logged_in = agent.command(Command::Login).await;
        self.program = Some(Program { agent, handset, listener: listener.abort_handle() });
        logged_in.map_err(io::Error::other)
    }

    /// What moves the media: sockets of the network, other ports after each start.
    fn desk(&self, network: &Network, clock: Clock, gate: Option<Gate>) -> Desk {
        let (party, ip) = (Party::Device(self.name.clone()), self.address.ip());
        let mut port = FIRST_PORT.saturating_add(PORTS.saturating_mul(self.starts as u16));
        let network = network.clone();
        let open = move |media: &mut Media| {
            port = port.saturating_add(2);
            let socket = network.bind(&party, SocketAddr::new(ip, port));
            media.adopt(Sockets::shared(socket))
        };
        let dice = |purpose: &'static str| {
            let (chance, name, starts) = (self.chance, self.name.clone(), self.starts);
            let mut drawn = 0_u64;
            Box::new(move || {
                drawn += 1;
                chance.number(purpose, (&name, starts, drawn))
            })
        };
        let setup = Setup { clock, address: ip, chance: dice("media"), gate };
        Desk::with(setup, Devices::default(), Box::new(open), dice("media keys"))
    }

    /// The process is gone at once.
    pub(crate) fn crash(&mut self) {
        self.program = None;
    }

    /// Carries a line of `presence-ua`'s language out.
    ///
    /// # Errors
    /// A line that is none, or one for a device that does not run.
    pub(crate) async fn order(&mut self, line: &str) -> Result<(), String> {
        let Some(program) = &self.program else { return Err("the device does not run".into()) };
        let command = match order(line, &self.config.aor, &mut self.tickets)? {
            Some(Ordered::Command(command)) => command,
            Some(Ordered::Media(asked)) => {
                program.handset.ask(asked);
                return Ok(());
            }
            Some(Ordered::Quit) => Command::Logout,
            Some(Ordered::Tables | Ordered::Help | Ordered::Wait) | None => {
                return Err(format!("`{line}` is nothing that a scenario can do"));
            }
        };
        // A device that stands still keeps some orders for later and no more.
        match tokio::time::timeout(GLANCE, program.agent.command(command)).await {
            Ok(taken) => taken.map_err(|why| why.to_string()),
            Err(_) => Err("the device stands still and takes no more orders".into()),
        }
    }
}

/// What goes into the record of what a user is told.
fn what(device: &DeviceName, told: Told) -> Option<What> {
    let device = device.clone();
    match told {
        Told::Event(event) => Some(What::Told { device, event }),
        Told::Refused((what, why)) => {
            let event = Event::Error { what: what.into(), why: why.into() };
            Some(What::Told { device, event })
        }
        Told::Media(name, Notice::FirstSent(_)) => {
            Some(What::Stream { device, name, played: false })
        }
        Told::Media(name, Notice::FirstPlayed(_)) => {
            Some(What::Stream { device, name, played: true })
        }
        // Every second, and so nothing that happened.
        Told::Media(..) => None,
    }
}
