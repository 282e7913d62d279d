//! Where everybody stands in a state: the server's tables and what each agent knows.

use super::{facts, user_of};
use crate::world::{Serves, Village, World};
use presently_engine::agent::{self, Package};
use presently_engine::server::{Record, SubscriptionTableRow};

/// One end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Standing {
    pub(crate) who: String,
    pub(crate) lines: Vec<String>,
}

/// The name of a package.
pub(super) fn package(package: Package) -> &'static str {
    match package {
        Package::Presence => "presence",
        Package::Winfo => "winfo",
    }
}

impl<S: Serves> Village<S> {
    /// Every end, the server first.
    pub(super) fn standings(&self, world: &World<S>) -> Vec<Standing> {
        let server = Standing { who: "server".to_owned(), lines: server(world) };
        let users = (0..).zip(&world.agents).map(|(user, agent)| {
            let lines = if world.is_absent(user) {
                vec!["switched off".to_owned()]
            } else {
                let lines = agent_lines(&agent.get().tables(world.now));
                lines.into_iter().chain(world.ghost.media_of(user)).collect()
            };
            Standing { who: self.user(user).to_owned(), lines }
        });
        std::iter::once(server).chain(users).collect()
    }
}

impl<S: Serves> Village<S> {
    /// A state in full: where everybody stands, and the letters under way as they are written.
    pub(crate) fn show(&self, world: &World<S>) -> String {
        let mut text = String::new();
        for end in self.standings(world) {
            text.push_str(&format!("{}\n    {}\n", end.who, end.lines.join("\n    ")));
        }
        text.push_str("\nUnder way\n");
        for (letter, copies) in world.wire.iter() {
            let message = letter.text();
            let line = self.line(letter);
            text.push_str(&format!("--- {line}, copies: {copies}\n{}\n", message.trim_end()));
        }
        text.push_str(&format!("\nfingerprint {:016x}\n", world.print));
        text
    }
}

/// Bindings and kept messages as they are stored, the rest from the living tables.
fn server<S>(world: &World<S>) -> Vec<String> {
    let mut lines = Vec::new();
    lines.extend(world.rows.get().values().filter_map(|row| match row {
        Record::Bound(aor, ..) => Some(format!("binding of {}", aor.user())),
        Record::Kept(aor, _) => Some(format!("message for {}", aor.user())),
        _ => None,
    }));
    let tables = &world.tables;
    lines.extend(tables.pit.iter().map(|row| {
        let note = if row.note.is_empty() { String::new() } else { format!(" “{}”", row.note) };
        format!("PIT {}: {}{note}", user_of(&row.entity), row.status)
    }));
    let subscription = |table: &str, row: &SubscriptionTableRow| {
        let (from, target) = (user_of(&row.from), user_of(&row.target));
        let version = if table == "WST" { format!(" v{}", row.version) } else { String::new() };
        let (state, cseq, left) = (&row.state, row.cseq, row.remaining);
        format!("{table} {from}→{target}: {state}{version}, NOTIFY {cseq}, {left} s left")
    };
    lines.extend(tables.pst.iter().map(|row| subscription("PST", row)));
    lines.extend(tables.wt.iter().map(|row| {
        let (watcher, target) = (user_of(&row.watcher), user_of(&row.target));
        format!("WT {watcher}→{target}: {} ({})", row.status, row.event)
    }));
    lines.extend(tables.wst.iter().map(|row| subscription("WST", row)));
    if lines.is_empty() {
        lines.push("no rows".to_owned());
    }
    lines
}

fn agent_lines(tables: &agent::Tables) -> Vec<String> {
    let registered = match tables.registered {
        Some(left) => format!("registered, {left} s left"),
        None => "not registered".to_owned(),
    };
    let mut lines = vec![registered];
    if let Some(basic) = tables.own.basic {
        let note = tables.own.note.as_deref().map(|note| format!(" “{note}”")).unwrap_or_default();
        let basic = format!("{basic:?}").to_lowercase();
        let up = if tables.own.etag.is_some() { "published" } else { "to be published" };
        lines.push(format!("own: {basic}{note}, {up}"));
    }
    for buddy in &tables.buddies {
        let left = buddy.expires.map(|left| format!(", {left} s left")).unwrap_or_default();
        let phase = format!("{:?}", buddy.phase).to_lowercase();
        let shows = buddy.document.iter().map(|document| facts::pidf(document).join(" "));
        let shows: String = shows.map(|shown| format!(", shows {shown}")).collect();
        let target = buddy.target.user();
        lines.push(format!("{} of {target}: {phase}{left}{shows}", package(buddy.package)));
    }
    lines.extend(tables.watchers.iter().map(|row| {
        let who = user_of(&row.watcher);
        format!("sees watcher {who}: {} ({})", row.status.as_str(), row.event.as_str())
    }));
    lines
}
