//! What the scenes are made of: servers, agents, and phones that speak raw SIP.

mod agent;
mod phone;
mod process;
mod server;

pub(crate) use agent::Agent;
pub(crate) use phone::{Draft, Phone, Told, Watch};
pub(crate) use process::{Ended, Process, run};
pub(crate) use server::{House, Server};

use std::time::Duration;

/// The domain of every scene.
pub(crate) const DOMAIN: &str = "example.org";

/// Everybody's password.
pub(crate) const PASSWORD: &str = "open sesame";

/// How long anything may take before a scene has failed. Far more than it needs: the machine may
/// be busy with a hundred other tests.
pub(crate) const PATIENCE: Duration = Duration::from_secs(40);

/// The address of record of a user.
pub(crate) fn aor(user: &str) -> String {
    format!("sip:{user}@{DOMAIN}")
}
