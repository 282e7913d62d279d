//! What happens in an exchange, in words and pictures: its ladder, its capsule and its page are
//! those of every other model.

use super::check::repaired;
use super::ends::{Action, Ends, Exchange};
use super::user::CLIENT;
use crate::capsule::{Ending, Walk};
use crate::drawing::{Deed, Standing, Unfound, found};
use crate::explore::Pictured;
use crate::law::Law;
use crate::laws::Judges;
use crate::plan::Plan;
use crate::wire::Letter;
use crate::world::{DAWN, SERVER};
use stateright::Model;
use std::fmt::Write;
use std::sync::Arc;

type Table = presently_engine::transaction::Transactions<()>;

impl Judges for Exchange {
    fn judges(&self, ends: &Ends, law: Law) -> bool {
        let of_state = law != Law::LossRepaired || repaired(self, ends);
        of_state && !ends.broken.contains(&law)
    }

    fn laws(&self) -> &[Law] {
        &self.laws
    }
}

impl Exchange {
    /// The letter that an action is about.
    pub(crate) fn letter<'e>(&self, ends: &'e Ends, action: Action) -> Option<&'e Arc<Letter>> {
        let (Action::Deliver(print) | Action::Drop(print) | Action::Copy(print)) = action else {
            return None;
        };
        ends.wire.iter().map(|(letter, _)| letter).find(|letter| letter.print == print)
    }

    /// What an action is called, whatever letters say beside what they are.
    fn called(&self, ends: &Ends, action: Action) -> String {
        let letter = self.letter(ends, action).map_or_else(String::new, |it| line(it));
        match action {
            Action::Deliver(_) => format!("deliver {letter}"),
            Action::Drop(_) => format!("drop {letter}"),
            Action::Copy(_) => format!("copy {letter}"),
            Action::Answer(status) => format!("the server's user answers {status}"),
            Action::Cancel => "the client's user cancels".to_owned(),
            Action::Wait => "fire the next timer".to_owned(),
            Action::FireClient => "fire the client's next timer".to_owned(),
            Action::FireServer => "fire the server's next timer".to_owned(),
        }
    }

    /// What is possible in a state, by name; two letters of one name are two kinds of words.
    fn possible(&self, ends: &Ends) -> Vec<(String, Action)> {
        let mut actions = Vec::new();
        self.actions(ends, &mut actions);
        let mut named: Vec<(String, Action)> =
            actions.into_iter().map(|action| (self.called(ends, action), action)).collect();
        let text = |action: Action| self.letter(ends, action).map(|letter| letter.bytes().to_vec());
        named.sort_by_cached_key(|(name, action)| (name.clone(), text(*action)));
        named
    }

    /// The lasting name of an action.
    pub(super) fn deed(&self, ends: &Ends, action: Action) -> Deed {
        Deed::among(self.possible(ends), self.called(ends, action), action)
    }

    /// The action that a deed names.
    fn find(&self, ends: &Ends, deed: &Deed) -> Result<Action, Unfound> {
        found(self.possible(ends), deed)
    }

    /// Where both ends stand.
    pub(crate) fn standings(&self, ends: &Ends) -> Vec<Standing> {
        let users = ends.users.get();
        let mut client = vec![states(ends.client.get())];
        client.extend(users.heard.map(|status| format!("its user was told {status}")));
        client.extend(users.gave_up.then(|| "its user was told that nobody answers".to_owned()));
        let mut server = vec![states(ends.server.get())];
        server.extend(users.key().map(|_| "its user has the request".to_owned()));
        server.extend(users.got_ack.then(|| "its user has the ACK".to_owned()));
        let [client, server] = [("client", client), ("server", server)]
            .map(|(who, lines)| Standing { who: who.to_owned(), lines });
        vec![client, server]
    }

    /// One step of a ladder.
    pub(super) fn draw(
        &self,
        number: usize,
        before: &Ends,
        action: Action,
        after: &Ends,
    ) -> String {
        let at = seconds(after);
        let mut text = format!("\n{number:>3}. {}  [{at:.3} s]\n", self.called(before, action));
        for letter in &after.said {
            let _ = writeln!(text, "       {} sent", line(letter));
        }
        for end in self.standings(after) {
            let _ = writeln!(text, "       {}: {}", end.who, end.lines.join("; "));
        }
        text
    }
}

impl Pictured for Exchange {
    fn describe(&self, ends: &Ends, action: Action) -> String {
        self.called(ends, action)
    }

    fn show(&self, ends: &Ends) -> String {
        let mut text = String::new();
        for end in self.standings(ends) {
            text.push_str(&format!("{}\n    {}\n", end.who, end.lines.join("\n    ")));
        }
        text.push_str("\nUnder way\n");
        for (letter, copies) in ends.wire.iter() {
            let message = letter.text();
            let line = line(letter);
            text.push_str(&format!("--- {line}, copies: {copies}\n{}\n", message.trim_end()));
        }
        text
    }

    fn outcome(&self, before: &Ends, action: Action, after: &Ends) -> String {
        self.draw(0, before, action, after)
    }

    fn picture(&self, path: &[(&Ends, Option<Action>)]) -> String {
        crate::drawing::exchange(self, path)
    }
}

/// Seconds since the model began, by the server's clock.
pub(crate) fn seconds(ends: &Ends) -> f64 {
    ends.now().since(DAWN).as_secs_f64()
}

/// Who an address is.
pub(crate) fn name(end: std::net::SocketAddr) -> &'static str {
    match end {
        CLIENT => "client",
        SERVER => "server",
        _ => "?",
    }
}

fn line(letter: &Letter) -> String {
    format!("{} → {}: {}", name(letter.from), name(letter.to), letter.title())
}

/// The states of all transactions, by the names of RFC 3261 and RFC 6026.
fn states(table: &Table) -> String {
    let clients = table.clients().map(|(_, state, _)| state);
    let states: Vec<&str> = clients.chain(table.servers().map(|(_, state)| state)).collect();
    match states.as_slice() {
        [] => "no transaction".to_owned(),
        states => states.join(", "),
    }
}

/// Walks the way of a capsule of C1 again; `None` if the plan is about something else.
pub(crate) fn walk(plan: &Plan, steps: &[Deed]) -> Option<Walk> {
    let exchange = Exchange::of(plan)?;
    let mut ends = exchange.init_states().pop()?;
    let mut ladder = String::new();
    for (done, deed) in steps.iter().enumerate() {
        let differs = |unfound| Ending::Differs(done, unfound);
        let action = match exchange.find(&ends, deed) {
            Ok(action) => action,
            Err(unfound) => return Some(Walk { ending: differs(unfound), ladder }),
        };
        let Some(after) = exchange.next_state(&ends, action) else {
            let unfound = Unfound { deed: deed.clone(), possible: Vec::new() };
            return Some(Walk { ending: differs(unfound), ladder });
        };
        ladder.push_str(&exchange.draw(done + 1, &ends, action, &after));
        let broken = plan.laws.iter().find(|law| !exchange.judges(&after, **law));
        if let Some(law) = broken {
            return Some(Walk { ending: Ending::Broken(*law, done + 1), ladder });
        }
        ends = after;
    }
    Some(Walk { ending: Ending::Held, ladder })
}
