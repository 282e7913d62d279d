//! The same server, agents and driver on somebody else's network: hosts, sockets and virtual time
//! of turmoil. What they do may not depend on the simulator that carries them.

use presently_engine::Peer;
use presently_engine::agent::{self, Command, Event, MessagePhase, Package, SubscriptionPhase};
use presently_engine::body::presrules::{Handling, Verdict};
use presently_engine::digest::{NonceKey, NonceLimits};
use presently_engine::message::Aor;
use presently_engine::mint::Secret;
use presently_engine::server::{Authentication, Config, Limits, Listener, User, Users};
use presently_engine::transaction::Timing;
use presently_engine::{Instant, body::pidf::Basic};
use presently_net::{
    AgentHandle, AgentSetup, Clock, Datagrams, MemoryStore, Service, ServiceSetup,
};
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use turmoil::net::UdpSocket;

const DAWN: Instant = Instant::from_millis(1_777_887_000_000);
const DOMAIN: &str = "example.org";

/// turmoil's socket as one of ours.
struct Socket(UdpSocket);

impl Datagrams for Socket {
    async fn recv_from(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.0.recv_from(buffer).await
    }

    async fn send_to(&self, bytes: &[u8], to: SocketAddr) -> io::Result<usize> {
        self.0.send_to(bytes, to).await
    }

    fn try_send_to(&self, bytes: &[u8], to: SocketAddr) -> io::Result<usize> {
        self.0.try_send_to(bytes, to)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

async fn bind(host: &str) -> io::Result<(Socket, SocketAddr)> {
    let socket = UdpSocket::bind("0.0.0.0:5060").await?;
    Ok((Socket(socket), SocketAddr::new(turmoil::lookup(host), 5060)))
}

fn config(address: SocketAddr) -> Config {
    let mut users = Users::default();
    for name in ["alice", "bob"] {
        users.insert(name, User::from_password(name, DOMAIN, name));
    }
    Config {
        domain: DOMAIN.into(),
        listeners: vec![Listener { sent_by: address.to_string().into() }],
        secret: Secret::new([1; 16]),
        nonce_key: NonceKey::new([2; 32], 1, DAWN),
        nonces: NonceLimits::default(),
        authentication: Authentication::Digest,
        users,
        default_policy: Handling::Confirm,
        notify_gap: Duration::ZERO,
        timing: Timing::default(),
        limits: Limits::default(),
        legacy_cpim: true,
        legacy_cpim_elements: false,
        record_route: false,
    }
}

async fn serve() -> turmoil::Result {
    let (socket, address) = bind("server").await?;
    let store = MemoryStore::with_secret(Secret::new([1; 16]));
    let setup = ServiceSetup {
        shards: 2,
        clock: Clock::starting_at(DAWN),
        ..ServiceSetup::new(config(address), vec![socket], store)
    };
    let service: Service = Service::start(setup)?;
    service.join().await?;
    Ok(())
}

async fn agent(name: &str) -> io::Result<AgentHandle> {
    let (socket, address) = bind(name).await?;
    let config = agent::Config::new(
        Aor::new(name, DOMAIN),
        name,
        Peer::new(SocketAddr::new(turmoil::lookup("server"), 5060)),
        address,
        Secret::new([name.len() as u8; 16]),
        name,
    );
    let setup = AgentSetup { clock: Clock::starting_at(DAWN), ..AgentSetup::new(config, socket) };
    let agent = AgentHandle::start(setup)?;
    agent.command(Command::Login).await.map_err(io::Error::other)?;
    Ok(agent)
}

async fn until(agent: &mut AgentHandle, wanted: impl Fn(&Event) -> bool) -> io::Result<()> {
    while let Some((_, event)) = agent.events.recv().await {
        if wanted(&event) {
            return Ok(());
        }
    }
    Err(io::Error::other("the agent ended first"))
}

async fn bob() -> turmoil::Result {
    let mut bob = agent("bob").await?;
    let note = Some("at my desk".into());
    bob.command(Command::SetPresence { basic: Basic::Open, note }).await?;
    let (target, package) = (Aor::new("bob", DOMAIN), Package::Winfo);
    bob.command(Command::Subscribe { target, package, expires: None }).await?;
    until(&mut bob, |event| matches!(event, Event::Watcher { .. })).await?;
    let (watcher, verdict) =
        (Aor::new("alice", DOMAIN), Some(Verdict { handling: Handling::Allow, direct: true }));
    bob.command(Command::Decide { watcher, verdict }).await?;
    until(&mut bob, |event| matches!(event, Event::Message { .. })).await?;
    Ok(())
}

async fn alice() -> turmoil::Result {
    let mut alice = agent("alice").await?;
    let (target, package) = (Aor::new("bob", DOMAIN), Package::Presence);
    alice.command(Command::Subscribe { target: target.clone(), package, expires: None }).await?;
    let pending = |event: &Event| {
        matches!(event, Event::Subscription { phase: SubscriptionPhase::Pending, .. })
    };
    until(&mut alice, pending).await?;
    let open = |event: &Event| match event {
        Event::Presence { document, .. } => {
            document.tuples.iter().any(|tuple| tuple.basic == Some(Basic::Open))
        }
        _ => false,
    };
    until(&mut alice, open).await?;
    alice.command(Command::SendMessage { target, text: "lunch?".into(), ticket: 1 }).await?;
    let delivered = |event: &Event| {
        matches!(event, Event::MessageStatus { phase: MessagePhase::Delivered, .. })
    };
    until(&mut alice, delivered).await?;
    Ok(())
}

#[test]
fn the_main_job_under_turmoil() -> turmoil::Result {
    let mut sim = turmoil::Builder::new()
        .rng_seed(7)
        .simulation_duration(Duration::from_secs(120))
        .tick_duration(Duration::from_millis(5))
        .min_message_latency(Duration::from_millis(5))
        .max_message_latency(Duration::from_millis(80))
        .build();
    sim.host("server", serve);
    sim.client("bob", bob());
    sim.client("alice", alice());
    sim.run()
}
