//! Logs on stderr, filtered by `RUST_LOG`.

use crate::failure::Failure;
use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;

/// `warn`, without the store's libraries: what they have to say is part of our own errors.
const USUAL: &str = "warn,fjall=off,lsm_tree=off,sfa=off";

/// Starts logging; [`USUAL`] unless `RUST_LOG` says otherwise.
pub(crate) fn start() -> Result<(), Failure> {
    let written = std::env::var("RUST_LOG").unwrap_or_default();
    let wanted = if written.trim().is_empty() { USUAL } else { written.as_str() };
    let filter = EnvFilter::try_new(wanted).map_err(|error| {
        Failure::usage(format!(
            "RUST_LOG \"{wanted}\": must be error, warn, info, debug, trace or target=level \
             pairs: {error}"
        ))
    })?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .try_init()
        .map_err(|error| Failure::work(format!("logging cannot start: {error}")))
}
