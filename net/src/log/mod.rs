//! What the house says about itself: one line a transaction at info, whole messages at trace.
//!
//! Never a password, a credential or a token: whatever comes off the wire passes [`redact`] before
//! it is printed, and what a stranger wrote is printed quoted, so that it cannot forge a line.

mod redact;

pub use redact::redact;

use crate::tap::{Direction, Seen};
use presently_engine::Peer;
use presently_engine::message::Aor;
use presently_engine::server::Event;
use redact::redact_uri;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tracing::{Level, debug, error, info, trace, warn};

/// Target of the lines about transactions.
const TRANSACTION: &str = "presently::transaction";

/// Target of whole messages.
const WIRE: &str = "presently::wire";

/// Whether anybody reads whole messages.
pub(crate) fn wire_is_on() -> bool {
    tracing::enabled!(target: WIRE, Level::TRACE)
}

fn transactions_are_on() -> bool {
    tracing::enabled!(target: TRANSACTION, Level::INFO)
}

pub(crate) fn datagram(seen: &Seen) {
    let way = match seen.direction {
        Direction::In => "received",
        Direction::Out => "sent",
    };
    let Seen { local, peer, bytes, .. } = seen;
    trace!(target: WIRE, %local, peer = %peer.addr, "{way}\n{}", redact(bytes));
}

/// One line about an event of the server.
pub(crate) fn server_event(event: &Event) {
    match event {
        // What a line says is not put together for nobody.
        Event::Answered { .. } | Event::Finished { .. } if !transactions_are_on() => {}
        Event::Answered { method, user, target, status, from, package } => {
            let user = user.as_ref().map_or("-", Aor::as_str);
            let (target, from) = (redact_uri(&String::from_utf8_lossy(target)), from.addr);
            let package = package.as_deref().map_or("-".into(), String::from_utf8_lossy);
            let method = method.as_str();
            info!(target: TRANSACTION, method, status, user, ?target, %from, ?package, "answered");
        }
        Event::Finished { method, target, status } => {
            let (method, target) = (method.as_str(), redact_uri(target.as_str()));
            match status {
                Some(status) => {
                    info!(target: TRANSACTION, method, status, ?target, "finished");
                }
                None => info!(target: TRANSACTION, method, ?target, "no answer"),
            }
        }
        Event::Refused { from, why } => {
            debug!(target: TRANSACTION, from = %from.addr, why, "refused");
        }
        Event::Registered { aor, bindings } => {
            debug!(target: TRANSACTION, %aor, bindings, "bindings");
        }
        Event::Drained => debug!("a shard has told its subscribers"),
    }
}

pub(crate) fn send_failed(to: Peer, length: usize, error: &io::Error) {
    debug!(target: WIRE, to = %to.addr, length, %error, "not sent");
}

pub(crate) fn receive_failed(local: SocketAddr, error: &io::Error) {
    warn!(target: WIRE, %local, %error, "cannot receive");
}

pub(crate) fn stalled(late: Duration) {
    warn!(seconds = late.as_secs(), "stalled; what came meanwhile is handled first");
}

pub(crate) fn failed(why: &dyn std::fmt::Display) {
    error!("{why}");
}
