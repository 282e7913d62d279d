//! `presence-server --demo`: the main job played once between real agents on real sockets.
//!
//! [`script`] is what happens, [`stage`] waits for it and says what is seen, [`ladder`] draws the
//! messages that pass the server's sockets. Nothing is simulated and nothing is slept for: a step
//! that does not happen in time ends the program with its name.

mod ladder;
mod script;
mod stage;

use crate::failure::Failure;
use crate::server::settings::{Settings, Storage};
use crate::server::users;
use presently_engine::server::Users;
use presently_net::{Seen, Service, Tap};
use std::io::IsTerminal;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use tokio::sync::mpsc;

/// The accounts of the demo and their passwords on a server that only this machine reaches.
const ACCOUNTS: [(&str, &str); 3] =
    [("alice", "wonderland"), ("bob", "bikini-bottom"), ("carol", "christmas")];

/// One performance, prepared before the server starts.
pub(crate) struct Play {
    domain: Box<str>,
    /// Names and passwords.
    accounts: Vec<(&'static str, String)>,
    tap: Tap,
    wire: mpsc::UnboundedReceiver<Seen>,
}

impl Play {
    /// Chooses passwords and lays the tap. Passwords that are printed in our documentation are
    /// for loopback only; elsewhere they are drawn.
    pub(crate) fn prepare(settings: &Settings) -> Result<Self, Failure> {
        let mut accounts = Vec::with_capacity(ACCOUNTS.len());
        for (name, usual) in ACCOUNTS {
            let password = if settings.is_loopback() { usual.to_owned() } else { drawn()? };
            accounts.push((name, password));
        }
        let (sender, wire) = mpsc::unbounded_channel();
        let tap = Tap::new(move |seen| {
            // After the performance nobody looks.
            let _ = sender.send(seen.clone());
        });
        Ok(Self { domain: settings.domain.clone(), accounts, tap, wire })
    }

    /// The accounts the server has to know.
    pub(crate) fn users(&self) -> Users {
        let entry = |(name, password): &(&str, String)| {
            ((*name).into(), users::user(name, &self.domain, password))
        };
        Users { named: self.accounts.iter().map(entry).collect(), ..Users::default() }
    }

    /// Who has to see every datagram of the server.
    pub(crate) fn tap(&self) -> Tap {
        self.tap.clone()
    }

    /// Plays, and tells how to go on.
    pub(crate) async fn perform(
        self,
        service: &Service,
        settings: &Settings,
    ) -> Result<(), Failure> {
        let server = reachable(service.addresses()[0]);
        let colour = std::io::stdout().is_terminal();
        let patience = stage::PATIENCE + settings.notify_gap;
        let stage = stage::Stage::new(self.wire, colour, patience);
        let remembers = settings.storage != Storage::Memory;
        let cast =
            script::Cast { domain: &self.domain, accounts: &self.accounts, server, remembers };
        script::play(stage, &cast, service).await?;
        self::invite(&self.domain, &self.accounts, server);
        Ok(())
    }
}

/// How to go on by hand.
fn invite(domain: &str, accounts: &[(&str, String)], server: SocketAddr) {
    crate::say(format_args!(
        "\nThe main job is done and the server goes on serving. Take over, one terminal each:\n"
    ));
    for (name, password) in accounts {
        crate::say(format_args!(
            "  PRESENCE_PASSWORD={password} presence-ua --aor sip:{name}@{domain} --server {server}"
        ));
    }
    crate::say(format_args!(
        "\nAny SIP phone: user and password as above, domain {domain}, outbound proxy {server} \
         (UDP).\nCtrl-C ends the server."
    ));
}

/// Where agents of this machine reach a listener.
fn reachable(listener: SocketAddr) -> SocketAddr {
    let ip: IpAddr = match listener.ip() {
        ip if !ip.is_unspecified() => ip,
        IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    };
    SocketAddr::new(ip, listener.port())
}

fn drawn() -> Result<String, Failure> {
    let bytes: [u8; 8] = presently_net::store::entropy()
        .map_err(|error| Failure::work(format!("no password can be drawn: {error}")))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
