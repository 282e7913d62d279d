//! Explores an exchange, breadth first: it is small, and the way that is found is the shortest.

use super::ends::{Action, Ends, Exchange};
use crate::capsule::Capsule;
use crate::drawing::Deed;
use crate::plan::Plan;
use crate::run::{Counterexample, Cut, Limits, Report};
use stateright::{Checker, HasDiscoveries, Model};
use std::time::Instant;

/// P51: when all is over, an answer that was given in good time has arrived, and so has the ACK.
pub(super) fn repaired(exchange: &Exchange, ends: &Ends) -> bool {
    let users = ends.users.get();
    let Some(due) = users.due() else { return true };
    let invite = exchange.pair.invite;
    let acknowledged = users.got_ack || !invite || due >= 300;
    !ends.is_over(invite) || users.heard == Some(due) && acknowledged
}

/// Explores C1.
pub(crate) fn check(plan: &Plan, limits: Limits) -> Option<Report> {
    let exchange = Exchange::of(plan)?;
    let began = Instant::now();
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
        let (ladder, deeds) = told(exchange, &path.into_vec());
        Some(Counterexample {
            law,
            steps: deeds.len(),
            shortest: true,
            ladder,
            capsule: Some(Capsule::new(plan, law, deeds)),
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

/// A path as a ladder, and as words by which it is walked again.
fn told(exchange: &Exchange, path: &[(Ends, Option<Action>)]) -> (String, Vec<Deed>) {
    let (mut ladder, mut deeds) = (String::new(), Vec::new());
    for pair in path.windows(2) {
        let [(before, Some(action)), (after, _)] = pair else { continue };
        deeds.push(exchange.deed(before, *action));
        ladder.push_str(&exchange.draw(deeds.len(), before, *action, after));
    }
    (ladder, deeds)
}
