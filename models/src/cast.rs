//! Who takes part in a plan, and how everybody is configured.

use crate::plan::Plan;
use crate::world::{DAWN, SERVER};
use presently_engine::Peer;
use presently_engine::agent;
use presently_engine::body::presrules::Handling;
use presently_engine::digest::{NonceKey, NonceLimits};
use presently_engine::message::Aor;
use presently_engine::mint::Secret;
use presently_engine::server::{Authentication, Config, Limits, Listener, User, Users};
use presently_engine::transaction::Timing;
use std::net::SocketAddr;
use std::time::Duration;

/// The domain of every model.
pub const DOMAIN: &str = "example.org";

/// Configurations of the server by boot, of the agents, and the agents' sockets.
pub(crate) fn cast(plan: &Plan) -> (Vec<Config>, Vec<agent::Config>, Vec<SocketAddr>) {
    let configs = (0..=plan.budget.crashes).map(|boot| server(plan, boot)).collect();
    let sockets: Vec<SocketAddr> = (6000..)
        .zip(plan.users)
        .map(|(port, _)| SocketAddr::from(([198, 51, 100, 7], port)))
        .collect();
    let agents = sockets.iter().zip(plan.users).map(|(at, name)| agent(plan, name, *at));
    (configs, agents.collect(), sockets)
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
        aor: Aor::new(name, DOMAIN),
        password: password(name).into(),
        server: Peer::new(SERVER),
        contact: at.to_string().into(),
        secret: Secret::new(key),
        device: name.into(),
        timing: timing(plan),
        register_expires,
        publish_expires,
        subscribe_expires,
        allow_md5: true,
        logout: Duration::from_secs(2),
        media: Vec::new(),
        direct: Default::default(),
    }
}
