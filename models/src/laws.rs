//! The laws as stateright's properties: conditions on one state. Laws about steps were judged
//! when the step was made (`ghost/`); here it is only looked up.

use crate::ghost::{one_record_per_dialog, winfo_agrees};
use crate::law::Law;
use crate::print::mark;
use crate::step::Step;
use crate::world::{Serves, Village, World};
use presently_engine::agent::{self, CallPhase, Package, SubscriptionPhase};
use presently_engine::body::pidf::{Pidf, Tuple};
use presently_engine::server::{Record, SubscriptionTableRow};
use stateright::{Model, Property};
use std::collections::BTreeMap;
use std::time::Duration;

/// Requests, theirs and ours, that one thing from outside may lead to (P55): a wish, a fault, a
/// long wait after which everybody refreshes everything.
const BURST: usize = 12;

/// K14: after this long without a word a flow is over.
const CONSENT: Duration = Duration::from_secs(31);

/// A model that can tell whether a law holds in one of its states.
pub(crate) trait Judges: Model {
    /// Whether it does.
    fn judges(&self, state: &Self::State, law: Law) -> bool;
    /// Those it is judged by.
    fn laws(&self) -> &[Law];
}

impl<S: Serves> Judges for Village<S> {
    fn judges(&self, world: &World<S>, law: Law) -> bool {
        holds(self, world, law)
    }

    fn laws(&self) -> &[Law] {
        &self.plan.laws
    }
}

/// Declares each law as a property: stateright wants plain functions.
macro_rules! properties {
    ($($law:ident)+) => {
        /// A law as a property of stateright.
        pub(crate) fn property<M: Judges>(law: Law) -> Property<M> {
            match law {
                $(Law::$law => {
                    Property::always(Law::$law.name(), |model, state| {
                        model.judges(state, Law::$law)
                    })
                })+
            }
        }
    };
}

properties! {
    NoDocBeforeApproval FsmConforms TerminalLast ContentNeverBack OneInFlight VersionChain
    SelfViewIsolation IdNeverReused DecisionOnce PolicySurvives OneRecordPerDialog
    ResubscribeOnce CSeqSendMonotone ExecuteAtMostOnce ReplayInert FailureFree EtagDiscipline
    RegisterAtomic MessageShownOnce PromiseKept StoredDelivered PendingIsBlind WinfoConverges
    WatcherConverges NoStuck RecoverEqualsLive LogoutUnbinds NoStateBeforeAuth PartialMinimal
    NonceDomain DialogFromNotify NoGhost OneTuplePerId SubscribeResolves NoChatter AuthTerminates
    RoutesToOwner TuOnce NonInviteDiscipline LossRepaired NoEarlyExpiry BoundedState NeverLonger
    ToldAtOnce NoOfferLeak PlayOnlyApproved NoUnvalidatedMedia CodecAgreed FlowAgreement CallsAgree
}

/// Whether a law holds in a state.
pub fn holds<S: Serves>(village: &Village<S>, world: &World<S>, law: Law) -> bool {
    let of_state = match law {
        Law::OneRecordPerDialog => one_record_per_dialog(world.rows.get()),
        Law::PromiseKept => world.ghost.promises_hold(world.rows.get()),
        Law::WinfoConverges => !world.is_quiet(&village.plan) || winfo_converged(village, world),
        Law::WatcherConverges => {
            !world.is_quiet(&village.plan) || watchers_converged(village, world)
        }
        Law::ToldAtOnce => !world.network_is_empty() || told_at_once(village, world),
        Law::StoredDelivered => !world.is_quiet(&village.plan) || nothing_waits(world),
        Law::LogoutUnbinds => {
            !world.is_quiet(&village.plan) || nobody_gone_is_bound(village, world)
        }
        Law::NoStuck => {
            world.is_quiet(&village.plan) || !world.broken.is_empty() || can_move(village, world)
        }
        Law::RecoverEqualsLive => village.recovers(world),
        Law::SubscribeResolves => !world.is_quiet(&village.plan) || nobody_tries(world),
        Law::NoChatter => chatter(village, world) <= BURST * world.happened(village.plan.budget),
        Law::BoundedState => !world.is_quiet(&village.plan) || nothing_is_over(world),
        Law::PlayOnlyApproved => world.ghost.plays_only_approved(),
        Law::FlowAgreement => !world.is_quiet(&village.plan) || flows_agree(village, world),
        Law::CallsAgree => !world.is_quiet(&village.plan) || calls_agree(world),
        Law::NoDocBeforeApproval
        | Law::NoOfferLeak
        | Law::NoUnvalidatedMedia
        | Law::CodecAgreed
        | Law::NoStateBeforeAuth
        | Law::NoEarlyExpiry
        | Law::NeverLonger
        | Law::DialogFromNotify
        | Law::FsmConforms
        | Law::TerminalLast
        | Law::ContentNeverBack
        | Law::OneInFlight
        | Law::VersionChain
        | Law::SelfViewIsolation
        | Law::IdNeverReused
        | Law::DecisionOnce
        | Law::PolicySurvives
        | Law::ResubscribeOnce
        | Law::CSeqSendMonotone
        | Law::ExecuteAtMostOnce
        | Law::ReplayInert
        | Law::FailureFree
        | Law::EtagDiscipline
        | Law::RegisterAtomic
        | Law::MessageShownOnce
        | Law::PartialMinimal
        | Law::NonceDomain
        | Law::NoGhost
        | Law::OneTuplePerId
        | Law::AuthTerminates
        | Law::RoutesToOwner
        | Law::TuOnce
        | Law::NonInviteDiscipline
        | Law::LossRepaired
        | Law::PendingIsBlind => true,
    };
    of_state && !world.broken.contains(&law)
}

/// P53: a BYE or an answer may be lost, but consent ends what one end alone believes in (K14).
fn flows_agree<S: Serves>(village: &Village<S>, world: &World<S>) -> bool {
    let at = |user, port| village.media_at(user, port);
    world.ghost.flows_agree(at) || {
        let mut step = Step::new(village, world);
        step.calm(CONSENT);
        step.done().ghost.flows_agree(at)
    }
}

/// One call at most, in which both ends are, and no engine keeps one of which nobody was told.
fn calls_agree<S: Serves>(world: &World<S>) -> bool {
    let told = |user| world.ghost.calls_of(user);
    let kept =
        (0..).zip(&world.agents).all(|(user, agent)| agent.get().sizes().calls == told(user).len());
    let pair = (told(0), told(1));
    let agree = match (pair.0.as_slice(), pair.1.as_slice()) {
        ([], []) | ([CallPhase::Up], [CallPhase::Up]) => true,
        ([one], [other]) => {
            let waits = |it: &CallPhase| matches!(it, CallPhase::Calling | CallPhase::Ringing);
            let rings = |it: &CallPhase| *it == CallPhase::Incoming;
            waits(one) && rings(other) || rings(one) && waits(other)
        }
        _ => false,
    };
    kept && agree
}

/// P49: the phase before a first NOTIFY is one of waiting for answers, so a quiet state has none.
fn nobody_tries<S: Serves>(world: &World<S>) -> bool {
    let present = (0..).zip(&world.agents).filter(|(user, _)| !world.is_absent(*user));
    present.into_iter().all(|(_, agent)| {
        let tables = agent.get().tables(agent.at());
        tables.buddies.iter().all(|buddy| buddy.phase != SubscriptionPhase::Trying)
    })
}

/// Requests since the prelude, of agents and of the server; retransmissions are none.
fn chatter<S: Serves>(village: &Village<S>, world: &World<S>) -> usize {
    world.ghost.requests().saturating_sub(village.before)
}

fn can_move<S: Serves>(village: &Village<S>, world: &World<S>) -> bool {
    if !world.network_is_empty() {
        return true;
    }
    let mut actions = Vec::new();
    village.actions(world, &mut actions);
    village.gauge.only_asked();
    !actions.is_empty() || village.gauge.is_stopped()
}

/// P46: whoever the server and the agent agree is subscribed has the server's rows.
fn winfo_converged<S: Serves>(village: &Village<S>, world: &World<S>) -> bool {
    world.tables.wst.iter().filter(|row| row.state == "active").all(|row| {
        let Some((user, aor)) = agent_of(village, &row.from) else { return true };
        let agent = &world.agents[user];
        let tables = agent.get().tables(world.now);
        let subscribed = tables.buddies.iter().any(|buddy| {
            buddy.package == Package::Winfo
                && buddy.phase == SubscriptionPhase::Active
                && buddy.target.as_str() == row.target
        });
        !subscribed || winfo_agrees(&world.tables, &tables, aor, &row.target)
    })
}

/// P48: a watcher that the server counts as active, and that thinks so, shows what is published.
/// Only a network that was cut for long may leave one of them with another opinion (P22).
fn watchers_converged<S: Serves>(village: &Village<S>, world: &World<S>) -> bool {
    let agree = village.plan.budget.outages == 0;
    active_watchers(village, world).all(|(row, tables)| {
        let waits = seen_as(row, &tables, SubscriptionPhase::Pending).next().is_some();
        !(agree && waits) && shows_current(world, row, &tables)
    })
}

/// P48 before all is quiet: only its own silence keeps a watcher waiting.
fn told_at_once<S: Serves>(village: &Village<S>, world: &World<S>) -> bool {
    let mut answered = active_watchers(village, world)
        .filter(|(row, _)| !world.ghost.awaits_answer(mark(&row.sub_id)));
    answered.all(|(row, tables)| shows_current(world, row, &tables))
}

/// Every watcher that the server counts as active, with what its agent knows.
fn active_watchers<'w, S: Serves>(
    village: &'w Village<S>,
    world: &'w World<S>,
) -> impl Iterator<Item = (&'w SubscriptionTableRow, agent::Tables)> {
    world.tables.pst.iter().filter(|row| row.state == "active").filter_map(|row| {
        let (user, _) = agent_of(village, &row.from)?;
        Some((row, world.agents[user].get().tables(world.now)))
    })
}

/// The agent's view of a presence subscription of the server's.
fn seen_as<'t>(
    row: &SubscriptionTableRow,
    tables: &'t agent::Tables,
    phase: SubscriptionPhase,
) -> impl Iterator<Item = &'t agent::BuddyRow> {
    tables.buddies.iter().filter(move |buddy| {
        buddy.package == Package::Presence
            && buddy.phase == phase
            && buddy.target.as_str() == row.target
    })
}

fn shows_current<S: Serves>(
    world: &World<S>,
    row: &SubscriptionTableRow,
    tables: &agent::Tables,
) -> bool {
    let published = published(world, &row.target);
    seen_as(row, tables, SubscriptionPhase::Active).all(|buddy| {
        let Some(document) = &buddy.document else { return false };
        let shown = notes(document);
        published.iter().all(|(id, texts)| {
            shown.get(id).is_some_and(|shown| texts.iter().all(|text| shown.contains(text)))
        })
    })
}

/// The notes of every tuple of a document, with those of the whole.
fn notes(document: &Pidf) -> BTreeMap<Box<str>, Vec<Box<str>>> {
    let texts = |tuple: &Tuple| {
        let all = tuple.notes.iter().chain(&document.notes);
        all.map(|note| note.text.clone()).collect()
    };
    document.tuples.iter().map(|tuple| (tuple.id.clone(), texts(tuple))).collect()
}

/// What is published about somebody, read from the rows: what the server makes of it is on trial.
fn published<S: Serves>(world: &World<S>, aor: &str) -> BTreeMap<Box<str>, Vec<Box<str>>> {
    let rows = world.rows.get().values().filter_map(|record| match record {
        Record::Published(whose, _, row) if whose.as_str() == aor => Some(row),
        _ => None,
    });
    let mut rows: Vec<_> = rows.collect();
    rows.sort_by_key(|row| row.rank);
    let documents = rows.into_iter().filter_map(|row| Pidf::parse(&row.body).ok());
    documents.flat_map(|document| notes(&document)).collect()
}

fn agent_of<'v, S: Serves>(
    village: &'v Village<S>,
    aor: &str,
) -> Option<(usize, &'v presently_engine::message::Aor)> {
    let place = village.agents.iter().position(|config| config.aor.as_str() == aor)?;
    Some((place, &village.agents[place].aor))
}

/// P52: what is stored is for somebody who is not bound.
fn nothing_waits<S: Serves>(world: &World<S>) -> bool {
    let rows = world.rows.get();
    let is_bound =
        |aor| rows.values().any(|row| matches!(row, Record::Bound(whose, ..) if whose == aor));
    rows.values().all(|row| !matches!(row, Record::Kept(aor, _) if is_bound(aor)))
}

/// P21: what is over is gone. Transactions live for 64·T1 at most, subscriptions for as long as
/// they were granted and some grace; in a quiet state all of that is past.
fn nothing_is_over<S: Serves>(world: &World<S>) -> bool {
    let rows = world.tables.pst.iter().chain(&world.tables.wst);
    let ended = |row: &SubscriptionTableRow| row.state.starts_with("terminated");
    let served = world.server.get().transactions() == 0;
    let asked = world.agents.iter().all(|agent| agent.get().sizes().transactions == (0, 0));
    // An INVITE that rings is not over.
    let still = world.ghost.rings() || (served && asked);
    still && rows.into_iter().all(|row| row.remaining > 0 && !ended(row))
}

fn nobody_gone_is_bound<S: Serves>(village: &Village<S>, world: &World<S>) -> bool {
    world.rows.get().values().all(|row| match row {
        Record::Bound(aor, ..) => {
            agent_of(village, aor.as_str()).is_none_or(|(user, _)| !world.ghost.is_out(user))
        }
        _ => true,
    })
}
