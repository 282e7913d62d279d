//! A model in the browser: stateright's explorer, with pictures of the real messages.

use crate::plan::Plan;
use crate::world::Serves;
use std::convert::Infallible;
use std::net::SocketAddr;

/// Serves a plan until the process ends.
///
/// # Errors
/// The address cannot be had.
pub fn serve<S: Serves>(
    _plan: Plan,
    _at: SocketAddr,
    _ready: impl FnOnce(SocketAddr) + Send,
) -> Result<Infallible, String> {
    Err("not yet".to_owned())
}
