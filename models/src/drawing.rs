//! A path as a SIP ladder: what happened, what was sent, and where both ends stand after it.

use crate::plan::UserId;
use crate::wire::Letter;
use crate::world::{ATTACKER, Action, SERVER, Said, Serves, Village, World};
use presently_engine::agent::{self, Package};
use presently_engine::server::Record;
use std::fmt::Write;
use std::net::SocketAddr;

/// An event in a few words.
pub(crate) fn event(event: &agent::Event) -> String {
    match event {
        agent::Event::Registered { expires } => format!("registered for {expires} s"),
        agent::Event::Subscription { target, package, phase, reason, .. } => {
            let reason = reason.as_deref().unwrap_or("");
            format!("subscription {package:?} of {target}: {phase:?} {reason}")
        }
        agent::Event::Watcher { uri, status, cause, .. } => {
            format!("watcher {uri}: {} ({})", status.as_str(), cause.as_str())
        }
        agent::Event::Presence { aor, document } => {
            let tuples = document.tuples.iter();
            let notes: Vec<&str> =
                tuples.flat_map(|tuple| &tuple.notes).map(|note| &*note.text).collect();
            format!("presence of {aor}: {} tuples {notes:?}", document.tuples.len())
        }
        agent::Event::Message { from, text, .. } => format!("message from {from}: {text}"),
        other => {
            let text = format!("{other:?}");
            text.chars().take(100).collect()
        }
    }
}

/// A record in a few words.
pub(crate) fn record(record: &Record) -> String {
    let aor = record.aor();
    match record {
        Record::Bound(..) => format!("binding of {aor}"),
        Record::Unbound(..) => format!("no binding of {aor}"),
        Record::Published(_, etag, _) => format!("publication {etag} of {aor}"),
        Record::Withdrawn(_, etag) => format!("no publication {etag} of {aor}"),
        Record::Subscribed(_, id, row) => {
            let state = if row.active { "active" } else { "pending" };
            format!(
                "{} subscription {id} of {} to {aor}: {state}",
                row.package.as_str(),
                row.watcher
            )
        }
        Record::Ended(_, id, cause) => format!("subscription {id} ended: {}", cause.as_str()),
        Record::Waiting(_, _, row) => format!("{} waits for {aor}", row.watcher),
        Record::Released(_, _, cause) => format!("a waiting watcher ended: {}", cause.as_str()),
        Record::Decided(_, watcher, verdict) => {
            let word = verdict.map_or("ask", |verdict| verdict.handling.as_str());
            format!("{aor} decides about {watcher}: {word}")
        }
        Record::Ruled(_, etag) => format!("rules {etag} of {aor}"),
        Record::Kept(_, kept) => format!("message {} for {aor}", kept.message_id),
        Record::Delivered(_, id) => format!("message row {id} done"),
    }
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

    /// An action in plain words.
    pub fn describe(&self, world: &World<S>, action: Action) -> String {
        let found = |print: u64| {
            let under_way = world.wire.iter().map(|(letter, _)| letter);
            under_way.chain(&world.loot).find(|letter| letter.print == print)
        };
        let letter = |print: u64| match found(print) {
            Some(letter) => self.line(letter),
            None => "a letter".to_owned(),
        };
        match action {
            Action::Deliver(print) => format!("arrives: {}", letter(print)),
            Action::CrashIn(print, rows) => {
                format!(
                    "arrives, and the server crashes after storing {rows} rows: {}",
                    letter(print)
                )
            }
            Action::Drop(print) => format!("is lost: {}", letter(print)),
            Action::Copy(print) => format!("is copied: {}", letter(print)),
            Action::Refuse(print) => format!("is answered 500: {}", letter(print)),
            Action::Wish(place) => {
                let wish = &self.plan.wishes[usize::from(place)];
                format!("{} {}", self.user(wish.user), wish.says)
            }
            Action::Wait => "time passes".to_owned(),
            Action::Fire(0) => "the server's next timer fires".to_owned(),
            Action::Fire(node) => format!("{}'s next timer fires", self.user(node - 1)),
            Action::Outage(user) => format!("{} is cut off for 33 s", self.user(user)),
            Action::Depart(user) => format!("{}'s device is switched off", self.user(user)),
            Action::Crash => "the server crashes and comes back".to_owned(),
            Action::Replay(print) => format!("the attacker repeats: {}", letter(print)),
            Action::Forge(print) => {
                format!("the attacker changes the digest of: {}", letter(print))
            }
        }
    }

    fn line(&self, letter: &Letter) -> String {
        format!("{} → {}  {}", self.name(letter.from), self.name(letter.to), letter.title())
    }

    /// One step: what happened, what came of it, and where everybody stands.
    pub fn draw(
        &self,
        number: usize,
        before: &World<S>,
        action: Action,
        after: &World<S>,
    ) -> String {
        let mut text = String::new();
        let at = after.now.since(crate::world::DAWN).as_secs_f64();
        let _ = writeln!(text, "{number:>3}. [{at:9.3} s] {}", self.describe(before, action));
        for said in &after.said {
            let _ = match said {
                Said::Sent(letter) => writeln!(text, "       {}", self.line(letter)),
                Said::Stored(what) => writeln!(text, "       stored: {what}"),
                Said::Told(user, what) => writeln!(text, "       {} sees {what}", self.user(*user)),
            };
        }
        let _ = writeln!(text, "       {}", self.stand(after));
        text
    }

    /// Where both ends stand.
    pub fn stand(&self, world: &World<S>) -> String {
        let short =
            |uri: &str| uri.trim_start_matches("sip:").split('@').next().unwrap_or("").to_owned();
        let tables = &world.tables;
        let rows = tables.wt.iter().map(|row| {
            format!("{}→{} {} ({})", short(&row.watcher), short(&row.target), row.status, row.event)
        });
        let outer = tables.wst.iter();
        let outer =
            outer.map(|row| format!("winfo {} v{} {}", short(&row.from), row.version, row.state));
        let mut text = format!("server: [{}]", rows.chain(outer).collect::<Vec<_>>().join(", "));
        for (user, agent) in (0..).zip(&world.agents) {
            let tables = agent.get().tables(world.now);
            let buddies = tables.buddies.iter().map(|buddy| {
                let kind = if buddy.package == Package::Winfo { "winfo of " } else { "" };
                format!("{kind}{} {:?}", buddy.target.user(), buddy.phase)
            });
            let seen = tables.watchers.iter();
            let seen =
                seen.map(|row| format!("sees {} {}", short(&row.watcher), row.status.as_str()));
            let list = buddies.chain(seen).collect::<Vec<_>>().join(", ");
            let _ = write!(text, "; {}: [{list}]", self.user(user));
        }
        text
    }
}
