//! From settings to a running service. Binds, opens and reads everything first.

use super::listen::{self, Listen};
use super::settings::{Settings, Storage};
use super::users;
use crate::failure::Failure;
use presently_engine::digest::NonceKey;
use presently_engine::server::{Authentication, Config, Listener, Users};
use presently_net::store::entropy;
use presently_net::{Clock, DiskStore, Service, ServiceSetup, Store, Tap, Volatile};
use std::io;
use std::net::SocketAddr;
use tokio::net::{TcpListener, UdpSocket};

/// A server that answers.
pub(crate) struct Running {
    pub(crate) service: Service,
    /// What it runs with, for the next time the users change.
    pub(crate) config: Config,
    /// Bound, and not served yet.
    pub(crate) admin: Option<TcpListener>,
}

/// Starts the server of `settings` for `users`. `tap` sees every datagram.
pub(crate) async fn start(
    settings: &Settings,
    users: Users,
    tap: Option<Tap>,
) -> Result<Running, Failure> {
    let sockets = bind(settings)?;
    let admin = match settings.admin {
        Some(address) => Some(bind_admin(address).await?),
        None => None,
    };
    let clock = Clock::new();
    let prepared = Prepared { settings, users, sockets, clock, tap };
    let (service, config) = match &settings.storage {
        Storage::Memory => prepared.with(Volatile::new().map_err(no_entropy)?)?,
        Storage::Folder(folder) => {
            prepared.with(DiskStore::open(folder).map_err(elsewhere("--data"))?)?
        }
    };
    Ok(Running { service, config, admin })
}

/// Everything but the store, whose kind decides a type.
struct Prepared<'a> {
    settings: &'a Settings,
    users: Users,
    sockets: Vec<UdpSocket>,
    clock: Clock,
    tap: Option<Tap>,
}

impl Prepared<'_> {
    fn with<S: Store>(self, store: S) -> Result<(Service, Config), Failure> {
        let Self { settings, users, sockets, clock, tap } = self;
        let addresses = sockets.iter().map(UdpSocket::local_addr);
        let addresses = addresses.collect::<io::Result<Vec<_>>>().map_err(wrong)?;
        let config = config(settings, users, &addresses, &store, clock).map_err(no_entropy)?;
        let setup = ServiceSetup {
            shards: settings.shards,
            clock,
            tap,
            ..ServiceSetup::new(config.clone(), sockets, store)
        };
        Ok((Service::start(setup).map_err(wrong)?, config))
    }
}

fn config(
    settings: &Settings,
    users: Users,
    addresses: &[SocketAddr],
    store: &impl Store,
    clock: Clock,
) -> io::Result<Config> {
    let advertise = settings.advertise.as_deref();
    let listener =
        |address: &SocketAddr| Listener { sent_by: listen::sent_by(*address, advertise) };
    Ok(Config {
        domain: settings.domain.clone(),
        listeners: addresses.iter().map(listener).collect(),
        secret: store.secret(),
        nonce_key: NonceKey::new(entropy()?, boot(store)?, clock.now()),
        nonces: settings.nonces,
        authentication: match settings.insecure_no_auth {
            true => Authentication::None,
            false => Authentication::Digest,
        },
        users,
        default_policy: settings.default_policy,
        notify_gap: settings.notify_gap,
        timing: settings.timing,
        limits: settings.limits.clone(),
        legacy_cpim: settings.legacy_cpim,
        legacy_cpim_elements: settings.legacy_cpim_elements,
        record_route: settings.record_route,
    })
}

/// Names this boot: rises with every start on the same data, and differs from the boots of other
/// data, which every start in memory has.
fn boot(store: &impl Store) -> io::Result<u64> {
    let chance = u32::from_ne_bytes(entropy()?);
    Ok(store.boot() << 32 | u64::from(chance))
}

fn bind(settings: &Settings) -> Result<Vec<UdpSocket>, Failure> {
    let bind_one = |listen: &Listen| match presently_net::bind(listen.0) {
        Err(error) if settings.listen_may_move && error.kind() == io::ErrorKind::AddrInUse => {
            let free = SocketAddr::new(listen.0.ip(), 0);
            crate::say(format_args!("{listen} is in use, so the demo takes a free port"));
            presently_net::bind(free)
        }
        bound => bound,
    };
    settings.listen.iter().map(|listen| bind_one(listen).map_err(elsewhere("--listen"))).collect()
}

async fn bind_admin(address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|error| {
        Failure::usage(format!(
            "admin = \"{address}\": cannot listen there: {error}; --admin names another"
        ))
    })
}

/// The accounts that `settings` name.
pub(crate) fn users(settings: &Settings) -> Result<Users, Failure> {
    let mut users = match &settings.users {
        Some(path) => users::load(path, &settings.domain)?,
        None => Users::default(),
    };
    if users.anyone.is_some() {
        settings.require_loopback("user \"*\"")?;
    }
    users.open = settings.insecure_no_auth;
    Ok(users)
}

/// Surroundings that do not fit the settings; the error is a line for a person already.
fn wrong(error: io::Error) -> Failure {
    Failure::usage(error.to_string())
}

/// The same where another value of a flag helps.
fn elsewhere(flag: &'static str) -> impl Fn(io::Error) -> Failure {
    move |error| Failure::usage(format!("{error}; {flag} names another"))
}

fn no_entropy(error: io::Error) -> Failure {
    Failure::work(format!("the server cannot start: {error}"))
}
