//! The server of a run: the service that ships, on a socket of the network and a disk that loses
//! what was not synced.

use crate::chance::Chance;
use crate::host::Host;
use crate::network::Network;
use crate::plan::{Party, Plan};
use presently_engine::Instant;
use presently_engine::body::presrules::Handling;
use presently_engine::digest::{NonceKey, NonceLimits};
use presently_engine::mint::Secret;
use presently_engine::server::{
    Authentication, Config, Limits, Listener, Server, Tables, User, Users,
};
use presently_engine::transaction::Timing;
use presently_net::{MemoryStore, Service, ServiceSetup, Store};
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::task::JoinHandle;

/// The domain of every run.
pub(crate) const DOMAIN: &str = "example.org";

/// Where the server listens.
pub(crate) const ADDRESS: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1)), 5060);

/// When every run begins: 2026-05-04T09:30:00Z.
pub(crate) const DAWN: Instant = Instant::from_millis(1_777_887_000_000);

/// How long a look may take: no time at all, unless the server stands still.
const GLANCE: Duration = Duration::from_millis(1);

/// How long an orderly stop may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// The server and its disk. The disk outlives the server.
pub(crate) struct ServerHost {
    config: Config,
    shards: usize,
    chance: Chance,
    network: Network,
    pub(crate) host: Host,
    pub(crate) disk: MemoryStore,
    pub(crate) service: Option<Service>,
    crashes: u64,
    /// The process that stops in order, for as long as that takes.
    stopping: Option<JoinHandle<()>>,
}

impl ServerHost {
    /// A server that is not started yet.
    pub(crate) fn new(plan: &Plan, chance: Chance, network: &Network, host: Host) -> Self {
        let secret = Secret::new(chance.bytes("server secret", 0));
        let mut users = Users::default();
        for user in &plan.users {
            let account = User::from_password(&user.name, DOMAIN, &password(&user.name));
            users.named.insert(user.name.as_str().into(), account);
        }
        let config = Config {
            domain: DOMAIN.into(),
            listeners: vec![Listener { sent_by: ADDRESS.to_string().into() }],
            secret: secret.clone(),
            nonce_key: NonceKey::new([0; 32], 0, DAWN),
            nonces: NonceLimits::default(),
            authentication: Authentication::Digest,
            users,
            default_policy: policy(&plan.server.default_policy),
            notify_gap: Duration::from_millis(plan.server.notify_gap_ms),
            timing: Timing::default(),
            limits: limits(plan),
            legacy_cpim: true,
            legacy_cpim_elements: false,
            record_route: false,
        };
        let disk = MemoryStore::with_secret(secret);
        let (network, shards) = (network.clone(), plan.server.shards);
        Self {
            config,
            shards,
            chance,
            network,
            host,
            disk,
            service: None,
            crashes: 0,
            stopping: None,
        }
    }

    /// Starts on what the disk has. A nonce key is new at every start.
    pub(crate) fn start(&mut self) -> io::Result<()> {
        if self.service.is_some() {
            return Ok(());
        }
        self.end_stopping();
        let boot = self.disk.boot();
        let (clock, gate) = self.host.boot();
        let key = self.chance.bytes("nonce key", boot);
        self.config.nonce_key = NonceKey::new(key, boot << 32, clock.now());
        let socket = self.network.bind(&Party::Server, ADDRESS);
        let setup = ServiceSetup {
            shards: self.shards,
            clock,
            gate: Some(gate),
            ..ServiceSetup::new(self.config.clone(), vec![socket], self.disk.clone())
        };
        self.service = Some(Service::start(setup)?);
        Ok(())
    }

    /// The tables of all shards, if the server runs and its disk does not hold it up.
    pub(crate) async fn tables(&self) -> Option<Tables> {
        let shards = self.service.as_ref()?.inspect(Server::tables);
        let shards = tokio::time::timeout(GLANCE, shards).await.ok()?;
        if shards.len() < self.shards {
            return None;
        }
        let mut all = Tables::default();
        for tables in shards {
            all.pit.extend(tables.pit);
            all.pst.extend(tables.pst);
            all.wt.extend(tables.wt);
            all.wst.extend(tables.wst);
        }
        Some(all)
    }

    /// The process is gone at once, and with it a part of what was not synced.
    pub(crate) fn crash(&mut self) {
        self.end_stopping();
        if self.service.take().is_some() {
            self.lose_tail();
        }
    }

    /// Who starts a server kills the one that still stops.
    fn end_stopping(&mut self) {
        if let Some(stopping) = self.stopping.take().filter(|stopping| !stopping.is_finished()) {
            stopping.abort();
            self.lose_tail();
        }
    }

    fn lose_tail(&mut self) {
        let kept = self.kept_batches();
        self.disk.crash(kept);
    }

    /// How much of what was not synced this crash leaves.
    fn kept_batches(&mut self) -> usize {
        self.crashes += 1;
        let kept = self.chance.between(0, 3, "kept batches", self.crashes);
        usize::try_from(kept).unwrap_or(0)
    }

    /// Stops in order, while the run goes on. A server that a disk holds up is killed in the end,
    /// as it would be by whoever runs it. `trouble` hears of a stop that failed.
    pub(crate) fn stop(&mut self, trouble: impl FnOnce(String) + Send + 'static) {
        let Some(service) = self.service.take() else { return };
        let disk = self.disk.clone();
        let kept = self.kept_batches();
        self.stopping = Some(tokio::spawn(async move {
            let ended = tokio::time::timeout(2 * PATIENCE, service.shutdown(PATIENCE)).await;
            drop(service);
            // The next start is the next boot of the same data.
            disk.crash(ended.as_ref().map_or(kept, |_| usize::MAX));
            if let Ok(Err(why)) = ended {
                trouble(why.to_string());
            }
        }));
    }
}

/// Everybody's password.
pub(crate) fn password(user: &str) -> String {
    format!("{user}'s password")
}

pub(crate) fn policy(name: &str) -> Handling {
    match name {
        "allow" => Handling::Allow,
        "block" => Handling::Block,
        _ => Handling::Confirm,
    }
}

fn limits(plan: &Plan) -> Limits {
    let giveup = Duration::from_millis(plan.server.giveup_ms);
    Limits {
        giveup_pending: giveup,
        giveup_waiting: giveup,
        sub_min: plan.server.sub_min,
        ..Limits::default()
    }
}
