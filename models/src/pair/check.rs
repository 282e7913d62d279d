//! Explores an exchange, breadth first: it is small, and the way that is found is the shortest.

use super::ends::{Action, Ends, Exchange};
use crate::law::{Album, Code, Law};
use crate::plan::Plan;
use crate::run::{Counterexample, Cut, Limits, Report};
use presently_engine::mint::Secret;
use presently_engine::transaction::Timing;
use stateright::{Checker, HasDiscoveries, Model, Property};
use std::fmt::Write;
use std::sync::Arc;
use std::time::Instant;

/// A law of C1 as a property of stateright.
pub(super) fn property(law: Law) -> Property<Exchange> {
    match law {
        Law::LossRepaired => Property::always(law.name(), |exchange: &Exchange, ends: &Ends| {
            repaired(exchange, ends) && !ends.broken.contains(&Law::LossRepaired)
        }),
        Law::NonInviteDiscipline => Property::always(law.name(), |_, ends: &Ends| {
            !ends.broken.contains(&Law::NonInviteDiscipline)
        }),
        _ => Property::always(law.name(), |_, ends: &Ends| !ends.broken.contains(&Law::TuOnce)),
    }
}

/// P51: when all is over, an answer that was given in good time has arrived, and so has the ACK.
fn repaired(exchange: &Exchange, ends: &Ends) -> bool {
    let users = ends.users.get();
    let Some(due) = users.due() else { return true };
    let invite = exchange.pair.invite;
    let acknowledged = users.got_ack || !invite || due >= 300;
    !ends.is_over(invite) || users.heard == Some(due) && acknowledged
}

/// Explores C1.
pub(crate) fn check(plan: &Plan, limits: Limits) -> Option<Report> {
    let pair = plan.pair.clone()?;
    let began = Instant::now();
    let exchange = Exchange {
        pair,
        code: Code::of(&plan.laws),
        laws: plan.laws.clone(),
        album: Arc::new(Album::default()),
        timing: Timing::default(),
        secret: Secret::new(*b"models are plans"),
    };
    let checker = exchange
        .checker()
        .threads(1)
        .timeout(limits.time)
        .target_state_count(limits.states)
        .finish_when(HasDiscoveries::AnyFailures)
        .spawn_bfs()
        .join();
    let exchange = checker.model();
    let found =
        checker.discoveries().into_iter().min_by_key(|(_, path)| path.clone().into_actions().len());
    let broken = found.and_then(|(name, path)| {
        let law = plan.laws.iter().copied().find(|law| law.name() == name)?;
        let steps = path.into_vec();
        Some(Counterexample {
            law,
            steps: steps.len().saturating_sub(1),
            shortest: true,
            ladder: ladder(&steps),
            capsule: None,
        })
    });
    let cut = if checker.state_count() >= limits.states {
        Some(Cut::States)
    } else {
        (began.elapsed() >= limits.time).then_some(Cut::Time)
    };
    let cut = cut.filter(|_| broken.is_none());
    let sights = plan.sights.iter().copied();
    Some(Report {
        model: plan.name,
        bounds: plan.bounds(),
        unique: checker.unique_state_count(),
        generated: checker.state_count(),
        depth: checker.max_depth(),
        time: began.elapsed(),
        complete: broken.is_none() && cut.is_none(),
        cut,
        memory: None,
        sights: plan.sights.clone(),
        laws: plan.laws.clone(),
        missing: sights.filter(|it| broken.is_none() && !exchange.album.has(*it)).collect(),
        broken,
    })
}

/// A path with every letter that was sent on it.
fn ladder(steps: &[(Ends, Option<Action>)]) -> String {
    let mut text = String::new();
    for (number, pair) in steps.windows(2).enumerate() {
        let [(before, Some(action)), (after, _)] = pair else { continue };
        let at = after.now().since(crate::world::DAWN).as_secs_f64();
        let what = match action {
            Action::Deliver(print) => format!("arrives: {}", title(before, *print)),
            Action::Drop(print) => format!("is lost: {}", title(before, *print)),
            Action::Copy(print) => format!("is copied: {}", title(before, *print)),
            Action::Answer(status) => format!("the server's user answers {status}"),
            Action::Cancel => "the client's user cancels".to_owned(),
            Action::Wait => "time passes".to_owned(),
            Action::FireClient => "the client's next timer fires".to_owned(),
            Action::FireServer => "the server's next timer fires".to_owned(),
        };
        let _ = writeln!(text, "{:>3}. [{at:9.3} s] {what}", number + 1);
        for letter in &after.said {
            let _ = writeln!(text, "       {} sent", letter.title());
        }
        let states = |table: &presently_engine::transaction::Transactions<()>| {
            let clients = table.clients().map(|(_, state, _)| state);
            clients.chain(table.servers().map(|(_, state)| state)).collect::<Vec<_>>().join(", ")
        };
        let (client, server) = (states(after.client.get()), states(after.server.get()));
        let _ = writeln!(text, "       client: [{client}]; server: [{server}]");
    }
    text
}

fn title(ends: &Ends, print: u64) -> String {
    let mut letters = ends.wire.iter();
    letters.find(|(it, _)| it.print == print).map_or_else(String::new, |(it, _)| it.title())
}
