//! The life of a started server: ready, signals, the end.

use super::admin;
use super::settings::Settings;
use super::start::{self, Running};
use super::users;
use crate::demo::Play;
use crate::failure::Failure;
use presently_engine::message::Aor;
use presently_engine::server::{Command, Config};
use presently_net::Service;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

/// How long subscribers may take to answer that the server goes.
const FAREWELL: Duration = Duration::from_secs(5);

/// Starts the server and serves until it is told to stop.
pub(crate) async fn run(settings: Settings) -> Result<(), Failure> {
    // Signals are caught from here on: one that comes while starting up ends in order too.
    let mut endings = crate::signals::endings()?;
    let hangups = crate::signals::hangups()?;
    let play = settings.demo.then(|| Play::prepare(&settings)).transpose()?;
    let users = match &play {
        Some(play) => play.users(),
        None => start::users(&settings)?,
    };
    let tap = play.as_ref().map(Play::tap);
    let Running { service, config, admin } = start::start(&settings, users, tap).await?;
    let service = Arc::new(service);
    let admin = admin.map(|listener| Admin::serve(listener, service.clone()));
    say_ready(&service, admin.as_ref());
    if !settings.demo {
        advise(&settings, &config);
    }
    if let Some(play) = play {
        tokio::select! {
            biased;
            Some(()) = endings.recv() => return end(&service, &mut endings).await,
            played = play.perform(&service, &settings) => played?,
        }
    }
    serve(&settings, config, &service, &mut endings, hangups).await
}

async fn serve(
    settings: &Settings,
    mut config: Config,
    service: &Service,
    endings: &mut mpsc::Receiver<()>,
    mut hangups: mpsc::Receiver<()>,
) -> Result<(), Failure> {
    let stopped = service.join();
    tokio::pin!(stopped);
    loop {
        tokio::select! {
            biased;
            Some(()) = endings.recv() => return end(service, endings).await,
            ended = &mut stopped => {
                return ended.map_err(|failure| Failure::work(failure.to_string()));
            }
            Some(()) = hangups.recv() => reread_users(settings, &mut config, service).await,
        }
    }
}

/// Tells subscribers, flushes, ends; a second signal ends at once. What was acknowledged is
/// durable in both cases.
async fn end(service: &Service, endings: &mut mpsc::Receiver<()>) -> Result<(), Failure> {
    crate::say("stopping: subscribers are told; a second signal ends at once");
    let ended = tokio::select! {
        biased;
        Some(()) = endings.recv() => return Ok(()),
        ended = service.shutdown(FAREWELL) => ended,
    };
    ended.map_err(|failure| Failure::work(failure.to_string()))
}

/// SIGHUP: the users file again. One that is wrong changes nothing.
async fn reread_users(settings: &Settings, config: &mut Config, service: &Service) {
    if settings.users.is_none() {
        tracing::warn!("SIGHUP: no users file is configured, so nothing changed");
        return;
    }
    let users = match start::users(settings) {
        Ok(users) => users,
        Err(failure) => {
            tracing::error!("SIGHUP: the old users stay: {failure}");
            return;
        }
    };
    let gone: Vec<Aor> =
        users::removed(&config.users, &users).map(|name| Aor::new(name, &config.domain)).collect();
    let accounts = users.named.len();
    config.users = users;
    let mut obeyed = service.reload(config.clone()).await;
    for aor in gone {
        obeyed = obeyed.and(service.command(Command::Remove(aor)).await);
    }
    if obeyed.is_ok() {
        tracing::info!(accounts, "SIGHUP: users read again");
    }
}

/// Where the operator looks, served until the server ends.
struct Admin {
    address: String,
}

impl Admin {
    fn serve(listener: TcpListener, service: Arc<Service>) -> Self {
        let address = listener.local_addr().map_or_else(|_| "?".to_owned(), |at| at.to_string());
        tokio::spawn(admin::serve(listener, service));
        Self { address }
    }
}

fn say_ready(service: &Service, admin: Option<&Admin>) {
    let listeners = service.addresses().iter().map(|address| format!(" udp:{address}"));
    let admin = admin.map(|admin| format!(" admin:http://{}", admin.address));
    let line: String = listeners.chain(admin).collect();
    crate::say(format_args!("ready{line}"));
}

/// What a newcomer would otherwise have to find out.
fn advise(settings: &Settings, config: &Config) {
    if settings.insecure_no_auth {
        tracing::warn!("insecure_no_auth: everybody may be anybody");
    }
    let users = &config.users;
    if users.named.is_empty() && users.anyone.is_none() && !users.open {
        let file =
            settings.users.as_ref().map_or("users.toml".into(), |path| path.to_string_lossy());
        let how = match settings.users {
            Some(_) => "send SIGHUP",
            None => "start again with --users users.toml",
        };
        crate::say(format_args!(
            "no users yet: printf 'PASSWORD\\n' | \
             presence-server user hash sip:alice@{} >> {file}; then {how}",
            settings.domain
        ));
    }
}
