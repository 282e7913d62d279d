//! The agent and its socket.

use crate::failure::Failure;
use presently_engine::Peer;
use presently_engine::agent::{Config, DirectPolicy};
use presently_engine::body::pidf::Codec;
use presently_engine::message::Aor;
use presently_engine::mint::Secret;
use presently_net::store::entropy;
use presently_net::{AgentHandle, AgentSetup, Clock};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// What an agent is started with.
pub(crate) struct Setup {
    pub(crate) aor: Aor,
    pub(crate) password: Box<str>,
    pub(crate) server: SocketAddr,
    pub(crate) bind: Option<SocketAddr>,
    pub(crate) direct: DirectPolicy,
}

/// Looks up the server's address.
pub(crate) async fn server(text: &str) -> Result<SocketAddr, Failure> {
    let found = presently_net::resolve(text).await;
    found.map_err(|error| Failure::usage(format!("--server {error}")))
}

/// Binds a socket and starts the agent on it, which can be called with these media kinds and
/// codecs. It does nothing until it is told to log in.
pub(crate) fn start(
    setup: Setup,
    media: Vec<(Box<str>, Vec<Codec>)>,
) -> Result<AgentHandle, Failure> {
    let near = setup.bind.unwrap_or_else(|| near(setup.server));
    let socket = presently_net::bind(near).map_err(|error| Failure::usage(error.to_string()))?;
    let bound = socket.local_addr().map_err(no_socket)?;
    let contact = if bound.ip().is_unspecified() { near_ip(setup.server) } else { None };
    let contact = SocketAddr::new(contact.unwrap_or(bound.ip()), bound.port());
    let device = device(&host_name(), &setup.aor);
    let config = Config {
        media,
        direct: setup.direct,
        ..Config::new(
            setup.aor,
            &setup.password,
            Peer::new(setup.server),
            contact,
            Secret::new(entropy().map_err(no_socket)?),
            &device,
        )
    };
    let setup = AgentSetup { clock: Clock::new(), ..AgentSetup::new(config, socket) };
    AgentHandle::start(setup).map_err(no_socket)
}

fn no_socket(error: std::io::Error) -> Failure {
    Failure::work(format!("the agent cannot start: {error}"))
}

/// A free port on the interface that leads to `server`.
fn near(server: SocketAddr) -> SocketAddr {
    let any: IpAddr = match server.ip() {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    SocketAddr::new(near_ip(server).unwrap_or(any), 0)
}

/// Our address on the way to `server`. Connecting a UDP socket sends nothing: it only asks the
/// routing table.
fn near_ip(server: SocketAddr) -> Option<IpAddr> {
    crate::server::listen::source_towards(server)
}

/// The name of this device: the same for every run of one user on one machine, so that a new run
/// replaces what a crashed one left behind. Told to others, hence a hash (FNV-1a) and no name.
fn device(host: &str, aor: &Aor) -> Box<str> {
    let bytes = host.bytes().chain([0]).chain(aor.as_str().bytes());
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{hash:016x}").into()
}

fn host_name() -> String {
    let files = ["/etc/machine-id", "/etc/hostname"];
    let known = files.iter().find_map(|file| std::fs::read_to_string(file).ok());
    known.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
