//! What happens in a model, in words and pictures for people.
//!
//! `facts` reads a letter, `deeds` names what happens so that it can be found again, `standing`
//! says where everybody stands, `ladder` draws a path for a terminal and `scene` with `svg` for a
//! browser.

mod deeds;
mod exchange;
mod facts;
mod ladder;
mod scene;
mod standing;
mod svg;

pub(crate) use deeds::found;
pub use deeds::{Deed, Unfound};
pub(crate) use exchange::exchange;
pub(crate) use facts::title;
pub(crate) use standing::Standing;

use crate::plan::UserId;
use crate::wire::Letter;
use crate::world::{ATTACKER, SERVER, Serves, Village, World};
use presently_engine::agent::{self, Way};
use presently_engine::server::Record;
use stateright::Model;
use std::net::SocketAddr;

/// An event in a few words.
pub(crate) fn event(event: &agent::Event) -> String {
    match event {
        agent::Event::Registered { expires } => format!("registered for {expires} s"),
        agent::Event::Subscription { target, package, phase, reason, .. } => {
            let reason = reason.as_deref().map(|why| format!(" ({why})")).unwrap_or_default();
            let phase = format!("{phase:?}").to_lowercase();
            format!("{} of {}: {phase}{reason}", standing::package(*package), target.user())
        }
        agent::Event::Watcher { uri, status, cause, .. } => {
            format!("watcher {}: {} ({})", user_of(uri), status.as_str(), cause.as_str())
        }
        agent::Event::Presence { aor, document } => {
            format!("presence of {}: {}", aor.user(), facts::pidf(document).join(" "))
        }
        agent::Event::Message { from, text, .. } => {
            format!("message from {}: {text}", from.user())
        }
        agent::Event::LoggedOut => "logged out".to_owned(),
        agent::Event::Published { expires, .. } => format!("published for {expires} s"),
        agent::Event::ServerRestarted => "the server was away".to_owned(),
        agent::Event::Decided { watcher, status } => {
            format!("decision about {}: {status}", watcher.user())
        }
        agent::Event::MessageStatus { target, phase, .. } => {
            format!("message to {}: {}", target.user(), format!("{phase:?}").to_lowercase())
        }
        agent::Event::Flow { flow, peer, way, phase, reason, .. } => {
            let way = if *way == Way::In { "from" } else { "to" };
            let reason = reason.map(|why| format!(" ({})", why.as_str())).unwrap_or_default();
            let phase = format!("{phase:?}").to_lowercase();
            format!("flow {} {way} {}: {phase}{reason}", flow.0, peer.user())
        }
        agent::Event::Call { call, phase, status, reason, .. } => {
            let status = status.map(|status| format!(" {status}")).unwrap_or_default();
            let reason = reason.as_deref().map(|why| format!(" ({why})")).unwrap_or_default();
            format!("call {}: {}{status}{reason}", call.0, format!("{phase:?}").to_lowercase())
        }
        agent::Event::Offer { aor, media, mode, .. } => {
            let mode = mode.map_or_else(|| "gone".to_owned(), |mode| format!("{mode:?}"));
            format!("offer of {}: {media} {}", aor.user(), mode.to_lowercase())
        }
        other => {
            let text = format!("{other:?}");
            text.chars().take(100).collect()
        }
    }
}

/// A record in a few words.
pub(crate) fn record(record: &Record) -> String {
    let aor = record.aor().user();
    match record {
        Record::Bound(..) => format!("binding of {aor}"),
        Record::Unbound(..) => format!("no binding of {aor}"),
        Record::Published(_, etag, _) => format!("publication {etag} of {aor}"),
        Record::Withdrawn(_, etag) => format!("no publication {etag} of {aor}"),
        Record::Subscribed(_, _, row) => {
            let state = if row.active { "active" } else { "pending" };
            format!("{} {}→{aor} {state}", row.package.as_str(), row.watcher.user())
        }
        Record::Ended(_, _, cause) => format!("a subscription to {aor} ended: {}", cause.as_str()),
        Record::Waiting(_, _, row) => format!("{} waits for {aor}", row.watcher.user()),
        Record::Released(_, _, cause) => {
            format!("a waiting watcher of {aor} ended: {}", cause.as_str())
        }
        Record::Decided(_, watcher, verdict) => {
            let word = verdict.map_or("ask", |verdict| verdict.handling.as_str());
            format!("{aor} decides about {}: {word}", watcher.user())
        }
        Record::Ruled(_, etag) => format!("rules {etag} of {aor}"),
        Record::Unruled(_) => format!("no rules of {aor}"),
        Record::Kept(_, kept) => format!("message {} for {aor}", kept.message_id),
        Record::Delivered(_, id) => format!("message row {id} done"),
    }
}

/// The user part of a SIP URI.
fn user_of(uri: &str) -> &str {
    let rest = uri.split_once(':').map_or(uri, |(_, rest)| rest);
    rest.split_once('@').map_or(rest, |(user, _)| user)
}

impl<S: Serves> Village<S> {
    fn name(&self, socket: SocketAddr) -> &str {
        match socket {
            SERVER => "server",
            ATTACKER => "attacker",
            _ => self.user_at(socket).map_or("?", |user| self.user(user)),
        }
    }

    fn user(&self, user: UserId) -> &str {
        self.plan.users[usize::from(user)]
    }

    /// Seconds since the model began.
    fn elapsed(&self, world: &World<S>) -> f64 {
        let began = self.init_states().first().map_or(world.now, |start| start.now);
        world.now.since(began).as_secs_f64()
    }

    /// Who wrote to whom, and what.
    fn line(&self, letter: &Letter) -> String {
        format!("{} → {}: {}", self.name(letter.from), self.name(letter.to), letter.title())
    }
}

#[cfg(test)]
mod tests;
