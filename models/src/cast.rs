//! Who takes part in a plan, and how everybody is configured.

use crate::plan::Plan;
use crate::world::{DAWN, SERVER};
use presently_engine::Peer;
use presently_engine::agent;
use presently_engine::body::pidf::Codec;
use presently_engine::body::presrules::Handling;
use presently_engine::digest::{NonceKey, NonceLimits};
use presently_engine::message::Aor;
use presently_engine::mint::Secret;
use presently_engine::server::{Authentication, Config, Limits, Listener, User, Users};
use presently_engine::transaction::Timing;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

/// The domain of every model.
pub const DOMAIN: &str = "example.org";

/// Where all agents are.
const AGENTS: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 7));
/// Port of the first user's agent.
const FIRST: u16 = 6000;

/// Configurations of the server by boot, of the agents, and the agents' sockets.
pub(crate) fn cast(plan: &Plan) -> (Vec<Config>, Vec<agent::Config>, Vec<SocketAddr>) {
    let configs = (0..=plan.budget.crashes).map(|boot| server(plan, boot)).collect();
    let sockets: Vec<SocketAddr> =
        (FIRST..).zip(plan.users).map(|(port, _)| SocketAddr::new(AGENTS, port)).collect();
    let agents = sockets.iter().zip(plan.users).map(|(at, name)| agent(plan, name, *at));
    (configs, agents.collect(), sockets)
}

/// The media ports of a user are ten from here on, those of the next user the ten that follow.
pub(crate) const MEDIA: u16 = 7000;

/// Whose socket this is: that of SIP, for a media port.
pub(crate) fn home(socket: SocketAddr) -> SocketAddr {
    match socket.port().checked_sub(MEDIA) {
        Some(port) if socket.ip() == AGENTS => SocketAddr::new(AGENTS, FIRST + port / 10),
        Some(_) | None => socket,
    }
}

/// The only codec of every model.
pub(crate) fn codecs() -> Vec<Codec> {
    vec![Codec { pt: 0, rtpmap: "PCMU/8000".into(), fmtp: None }]
}

/// Configuration of an agent that is started again: it keeps its name and draws a fresh secret.
pub(crate) fn reborn(config: &agent::Config, life: u8) -> agent::Config {
    let mut key = [0xee; 16];
    key[0] = life;
    agent::Config { secret: Secret::new(key), ..config.clone() }
}

fn timing(plan: &Plan) -> Timing {
    Timing { linger: plan.linger, ..Timing::default() }
}

fn server(plan: &Plan, boot: u8) -> Config {
    let mut users = Users { open: !plan.digest, ..Users::default() };
    for name in plan.users {
        users.insert(name, User::from_password(name, DOMAIN, &password(name)));
    }
    let nonces = NonceLimits::default();
    let limits =
        Limits { giveup_pending: plan.giveup, giveup_waiting: plan.giveup, ..Limits::default() };
    Config {
        domain: DOMAIN.into(),
        listeners: vec![Listener { sent_by: SERVER.to_string().into() }],
        secret: Secret::new(*b"models are plans"),
        nonce_key: NonceKey::new([boot + 7; 32], 0xb007 + u64::from(boot), DAWN),
        nonces: NonceLimits { table: plan.replay_records.unwrap_or(nonces.table), ..nonces },
        authentication: if plan.digest { Authentication::Digest } else { Authentication::None },
        users,
        default_policy: Handling::Confirm,
        notify_gap: Duration::ZERO,
        timing: timing(plan),
        limits,
        legacy_cpim: true,
        legacy_cpim_elements: false,
        record_route: false,
    }
}

fn password(name: &str) -> String {
    format!("{name}'s password")
}

fn agent(plan: &Plan, name: &str, at: SocketAddr) -> agent::Config {
    let mut key = [0; 16];
    key[..2].copy_from_slice(&at.port().to_be_bytes());
    let [register_expires, publish_expires, subscribe_expires] = plan.expires;
    agent::Config {
        timing: timing(plan),
        register_expires,
        publish_expires,
        subscribe_expires,
        media: if plan.calls { vec![("audio".into(), codecs())] } else { Vec::new() },
        ..agent::Config::new(
            Aor::new(name, DOMAIN),
            &password(name),
            Peer::new(SERVER),
            at,
            Secret::new(key),
            name,
        )
    }
}
