//! Our subscriptions, presence and watcher information alike (M15; RFC 6665 §4.1 first).
//!
//! This file sends: it asks, refreshes, ends and tries again. What notifications do is in
//! `notify.rs`. A dialog that was given up is forgotten at once; a late NOTIFY of it gets 481.

use super::cx::{Alarm, Cx, Timer, backoff};
use super::direct::{Places, Standing};
use super::offers::Offers;
use super::request::{Answer, Outcome, Room, Ticket};
use super::types::{Event, Package};
use super::usage::{Bond, Purpose, State, Usage};
use super::winfo::View;
use crate::body::winfo::Status;
use crate::message::{Aor, Name};
use crate::mint::Label;
use crate::time::Instant;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Names one subscription of ours, over all its dialogs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct UsageId(pub(crate) u64);

/// What may follow the end of a subscription.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Plan {
    /// Never by itself.
    Never,
    /// At once, with jitter; later if it ends again and again.
    Now,
    /// After so many seconds.
    After(u32),
    /// After 4 s · 2ⁿ, at most a minute: nobody answered, which says nothing about us.
    Soon,
    /// After 60 s · 2ⁿ, at most an hour.
    Slowly,
}

/// A document may make us ask for another one at most this often (M17, R37).
const REFETCH_GAP: Duration = Duration::from_secs(60);
/// 204 (RFC 5839): the refresh was accepted, and no NOTIFY will follow it.
const NO_NOTIFICATION: u16 = 204;
const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

/// All our subscriptions, and the offers learned through them.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct Subscriptions {
    pub(crate) usages: BTreeMap<UsageId, Usage>,
    pub(crate) offers: Offers,
    pub(crate) issued: u64,
}

impl Subscriptions {
    /// Subscribes, or changes what is asked for; an ended subscription begins again.
    pub(crate) fn subscribe(
        &mut self,
        cx: &mut Cx<'_>,
        target: Aor,
        package: Package,
        expires: Option<u32>,
    ) {
        let asked = expires.unwrap_or(cx.config.subscribe_expires);
        if asked == 0 {
            return self.fetch(cx, target, package);
        }
        let Some(id) = self.wanted(&target, package) else {
            let id = self.add(Usage::new(target, package, Purpose::Keep, asked));
            return self.start(cx, id);
        };
        let Some(usage) = self.usages.get_mut(&id) else { return };
        usage.asked = asked;
        match usage.state {
            State::Init | State::Terminated => self.start(cx, id),
            State::Pending(_) | State::Active(_) => self.refresh(cx, id),
            State::NotifyWait { .. } | State::Ending(_) => {}
        }
    }

    /// How somebody stands to us, as our subscription shows.
    pub(crate) fn standing(&self, target: &Aor) -> Standing {
        let usage = self.wanted(target, Package::Presence).and_then(|id| self.usages.get(&id));
        match usage.map(|usage| (&usage.state, usage.refused)) {
            Some((State::Active(_), _)) => Standing::Active,
            Some((State::Pending(_), _) | (State::Terminated, true)) => Standing::Refused,
            Some((State::Terminated, false))
            | Some((State::Init | State::NotifyWait { .. } | State::Ending(_), _))
            | None => Standing::Unknown,
        }
    }

    /// Our watcher information.
    fn own_winfo<'a>(&'a self, us: &'a Aor) -> impl Iterator<Item = &'a View> + 'a {
        let ours = self.usages.values();
        ours.filter(|one| one.package == Package::Winfo && one.target == *us).map(|one| &one.view)
    }

    /// Who may not watch us (any more), as our watcher information shows.
    pub(crate) fn rejected(&self, us: &Aor) -> BTreeSet<Aor> {
        let uris = self.own_winfo(us).flat_map(View::rejected);
        uris.filter_map(|uri| Aor::parse(uri).ok()).collect()
    }

    /// We decided about somebody ourselves: that is newer than what watcher information told.
    pub(crate) fn pardon(&mut self, watcher: &Aor) {
        for usage in self.usages.values_mut() {
            usage.view.pardon(watcher.as_str());
        }
    }

    /// Who watches us with permission, as our watcher information shows.
    pub(crate) fn watchers<'a>(&'a self, us: &'a Aor) -> impl Iterator<Item = Aor> + 'a {
        let rows = self.own_winfo(us).flat_map(|view| view.rows.values());
        let active = rows.filter(|row| row.status == Status::Active);
        active.filter_map(|row| Aor::parse(&row.uri).ok())
    }

    /// Where somebody is, as its documents say that we are told.
    pub(crate) fn places(&self, target: &Aor) -> Places {
        let shows = |usage: &&Usage| {
            let of_target = usage.target == *target && usage.package == Package::Presence;
            of_target && matches!(usage.state, State::Active(_))
        };
        let documents = self.usages.values().filter(shows).filter_map(|one| one.document.as_ref());
        Places::of(documents.flat_map(|document| &document.tuples))
    }

    /// Asks again for the presence of somebody, or for our own watchers.
    pub(crate) fn ask_again(&mut self, cx: &mut Cx<'_>, target: &Aor, package: Package) {
        if let Some(id) = self.wanted(target, package) {
            self.refresh(cx, id);
        }
    }

    /// Looks once (Expires 0).
    pub(crate) fn fetch(&mut self, cx: &mut Cx<'_>, target: Aor, package: Package) {
        let id = self.add(Usage::new(target, package, Purpose::Fetch, 0));
        self.start(cx, id);
    }

    /// Ends the subscription that the user has to a package of a target.
    pub(crate) fn unsubscribe(&mut self, cx: &mut Cx<'_>, target: &Aor, package: Package) {
        let same = |usage: &Usage| usage.target == *target && usage.package == package;
        let ids: Vec<_> = self.ids(|usage| usage.purpose != Purpose::Fetch && same(usage));
        for id in ids {
            self.leave(cx, id);
        }
    }

    /// The server became available: ask for everything that is wanted and was not asked for.
    pub(crate) fn wake(&mut self, cx: &mut Cx<'_>) {
        for id in self.ids(|usage| usage.state == State::Init) {
            self.start(cx, id);
        }
    }

    /// The server restarted (D21): everything anew, in new dialogs. The old ones are dropped
    /// silently; what the user saw stays until the new ones say otherwise.
    pub(crate) fn restart(&mut self, cx: &mut Cx<'_>) {
        for id in self.ids(|usage| usage.purpose == Purpose::Fork) {
            self.remove(cx, id);
        }
        // Nobody is left to say goodbye to; the user waits to hear that it is over.
        for id in self.ids(|usage| usage.leaving) {
            self.end(cx, id, None, Plan::Never);
        }
        for id in self.ids(|_| true) {
            let waits = cx.core.timers.at(&Timer::Usage(id, Alarm::Start)).is_some();
            let ended = self.usages.get(&id).is_some_and(|usage| usage.state == State::Terminated);
            if waits || !ended {
                self.start(cx, id);
            }
        }
    }

    /// After a stall (R52) or a change of our address (R51): see what the server still has.
    pub(crate) fn check(&mut self, cx: &mut Cx<'_>) {
        for id in self.ids(|_| true) {
            self.refresh(cx, id);
        }
    }

    /// Logout: ends everything; what is wanted stays wanted for the next login.
    pub(crate) fn leave_all(&mut self, cx: &mut Cx<'_>) {
        let wished = self.usages.values().filter(|usage| usage.is_wanted());
        let wishes: Vec<_> =
            wished.map(|usage| (usage.target.clone(), usage.package, usage.asked)).collect();
        for id in self.ids(|_| true) {
            self.leave(cx, id);
        }
        for (target, package, asked) in wishes {
            self.add(Usage::new(target, package, Purpose::Keep, asked));
        }
    }

    /// Whether nothing waits for an end.
    pub(crate) fn is_quiet(&self) -> bool {
        self.usages.values().all(|usage| !usage.leaving)
    }

    /// Logout is over: ends that were not confirmed are taken as such.
    pub(crate) fn forget(&mut self, cx: &mut Cx<'_>) {
        for id in self.ids(|usage| usage.leaving) {
            self.end(cx, id, None, Plan::Never);
        }
    }

    /// One of the alarms of a subscription.
    pub(crate) fn on_alarm(&mut self, cx: &mut Cx<'_>, id: UsageId, alarm: Alarm) {
        match alarm {
            Alarm::Start => self.start(cx, id),
            Alarm::N => self.on_no_notify(cx, id),
            // After a stall both are due, and there is nothing left to refresh.
            Alarm::Refresh if self.has_run_out(cx.now, id) => {}
            Alarm::Refresh => self.refresh(cx, id),
            Alarm::Refetch => self.refetch(cx, id),
            Alarm::Deadline => self.end(cx, id, Some("timeout"), Plan::Now),
        }
    }

    fn has_run_out(&self, now: Instant, id: UsageId) -> bool {
        self.usages.get(&id).and_then(Usage::deadline).is_some_and(|deadline| deadline <= now)
    }

    /// Asks for a full document, or makes sure that it is asked for later: a document can cause
    /// one refresh in a while, however bad it is (M17, R37).
    pub(crate) fn refetch(&mut self, cx: &mut Cx<'_>, id: UsageId) {
        let Some(usage) = self.usages.get_mut(&id) else { return };
        if !usage.view.has_gap() || usage.ticket.is_some() || usage.leaving {
            cx.stop(&Timer::Usage(id, Alarm::Refetch));
        } else if usage.refetch_from <= cx.now {
            usage.refetch_from = cx.now + REFETCH_GAP;
            self.refresh(cx, id);
        } else {
            cx.arm(Timer::Usage(id, Alarm::Refetch), usage.refetch_from);
        }
    }

    /// A SUBSCRIBE was sent once more, with credentials or a longer interval: N starts again.
    pub(crate) fn on_again(&mut self, cx: &mut Cx<'_>, id: UsageId, ticket: Ticket) {
        if let Some(usage) = self.usages.get_mut(&id).filter(|usage| usage.ticket == Some(ticket)) {
            usage.raise(cx);
            usage.await_notify(cx, id);
        }
    }

    /// The end of a SUBSCRIBE.
    pub(crate) fn on_answer(&mut self, cx: &mut Cx<'_>, id: UsageId, answer: Answer) {
        let Some(usage) = self.usages.get_mut(&id) else { return };
        if usage.ticket != Some(answer.ticket) {
            return;
        }
        usage.ticket = None;
        usage.note_cseq(answer.cseq);
        match &answer.outcome {
            Outcome::Answered(response) if response.status() < 300 => {
                usage.retarget(response);
                let granted = response.seconds(Name::Expires).unwrap_or(usage.asked);
                if response.status() == NO_NOTIFICATION && usage.bond_mut().is_some() {
                    cx.stop(&Timer::Usage(id, Alarm::N));
                }
                self.on_granted(cx, id, granted);
            }
            Outcome::Answered(_) | Outcome::Silent | Outcome::TooLarge => {
                self.on_refused(cx, id, &answer.outcome);
            }
        }
    }

    /// R1, R26: the 200 only says for how long; the NOTIFY decides.
    fn on_granted(&mut self, cx: &mut Cx<'_>, id: UsageId, granted: u32) {
        let Some(usage) = self.usages.get_mut(&id) else { return };
        let leaving = usage.leaving;
        match &mut usage.state {
            State::NotifyWait { granted: known } => *known = Some(granted.min(usage.asked)),
            State::Pending(bond) | State::Active(bond) if !leaving => {
                let until = cx.now + seconds(granted.min(usage.asked));
                let deadline = if bond.notified { bond.deadline.min(until) } else { until };
                if bond.renewed {
                    usage.failures = 0;
                }
                if bond.deadline != deadline {
                    bond.deadline = deadline;
                    schedule(cx, id, deadline);
                }
            }
            State::Pending(_) | State::Active(_) => self.say_goodbye(cx, id),
            State::Init | State::Ending(_) | State::Terminated => {}
        }
    }

    fn on_refused(&mut self, cx: &mut Cx<'_>, id: UsageId, outcome: &Outcome) {
        let Some(usage) = self.usages.get_mut(&id) else { return };
        let leaving = usage.leaving;
        match &mut usage.state {
            State::NotifyWait { .. } => {
                let plan = plan_of_failure(outcome);
                self.end(cx, id, Some(&outcome.text()), plan);
            }
            State::Pending(_) | State::Active(_) if is_fatal(outcome.status()) => {
                self.end(cx, id, Some(&outcome.text()), Plan::Now);
            }
            State::Pending(_) | State::Active(_) if leaving => self.say_goodbye(cx, id),
            State::Pending(_) | State::Active(_) => {
                usage.failures += 1;
                let wait = match outcome.retry_after() {
                    Some(after) => seconds(after),
                    None => backoff(usage.failures, SECOND * 4, HOUR),
                };
                cx.stop(&Timer::Usage(id, Alarm::N));
                cx.arm(Timer::Usage(id, Alarm::Refresh), cx.now + wait);
            }
            State::Ending(_) => self.end(cx, id, None, Plan::Never),
            State::Init | State::Terminated => {}
        }
    }

    /// Timer N: whatever the answers said, without a NOTIFY there is no subscription.
    fn on_no_notify(&mut self, cx: &mut Cx<'_>, id: UsageId) {
        let Some(usage) = self.usages.get(&id) else { return };
        match usage.state {
            State::NotifyWait { .. } => self.end(cx, id, Some("no NOTIFY"), Plan::Soon),
            State::Pending(_) | State::Active(_) => {
                self.end(cx, id, Some("no NOTIFY"), Plan::Now);
            }
            State::Ending(_) => self.end(cx, id, None, Plan::Never),
            State::Init | State::Terminated => {}
        }
    }

    /// Begins a subscription under a new Call-ID and tag, if the server is there.
    pub(crate) fn start(&mut self, cx: &mut Cx<'_>, id: UsageId) {
        let Some(usage) = self.usages.get_mut(&id) else { return };
        cx.abandon(usage.ticket.take());
        stop_alarms(cx, id);
        usage.view.begin_anew();
        usage.refetch_from = Instant::default();
        if !cx.core.online {
            usage.state = State::Init;
            return;
        }
        usage.call_id = cx.mint_call_id();
        usage.local_tag = cx.mint(Label::Tag);
        usage.cseq = 0;
        usage.state = State::NotifyWait { granted: None };
        let (target, package) = (usage.target.clone(), usage.package);
        let asked = usage.asked;
        self.send(cx, id, asked);
        if self.is_shown(id) {
            let phase = super::SubscriptionPhase::Trying;
            cx.emit(Event::Subscription { target, package, phase, reason: None, expires: None });
        }
    }

    /// Asks again inside the dialog; at most one SUBSCRIBE is out.
    pub(crate) fn refresh(&mut self, cx: &mut Cx<'_>, id: UsageId) {
        let Some(usage) = self.usages.get_mut(&id) else { return };
        let asked = usage.asked;
        let idle = usage.ticket.is_none() && !usage.leaving;
        if let (true, Some(bond)) = (idle, usage.bond_mut()) {
            bond.notified = false;
            bond.renewed = true;
            cx.stop(&Timer::Usage(id, Alarm::Refresh));
            cx.stop(&Timer::Usage(id, Alarm::Refetch));
            self.send(cx, id, asked);
        }
    }

    /// Ends a subscription in an orderly way (RFC 6665 §4.1.2.3).
    fn leave(&mut self, cx: &mut Cx<'_>, id: UsageId) {
        let Some(usage) = self.usages.get_mut(&id) else { return };
        usage.leaving = true;
        match usage.state {
            State::Init | State::Terminated => self.end(cx, id, None, Plan::Never),
            State::Pending(_) | State::Active(_) if usage.ticket.is_none() => {
                self.say_goodbye(cx, id);
            }
            // It is said as soon as there is a dialog and nothing else is out.
            State::NotifyWait { .. } | State::Pending(_) | State::Active(_) => {}
            State::Ending(_) => {}
        }
    }

    /// SUBSCRIBE with Expires 0 in the dialog.
    pub(crate) fn say_goodbye(&mut self, cx: &mut Cx<'_>, id: UsageId) {
        let Some(usage) = self.usages.get_mut(&id) else { return };
        usage.state = match std::mem::replace(&mut usage.state, State::Terminated) {
            State::Pending(Bond { dialog, .. }) | State::Active(Bond { dialog, .. }) => {
                State::Ending(dialog)
            }
            other @ (State::Init
            | State::NotifyWait { .. }
            | State::Ending(_)
            | State::Terminated) => other,
        };
        stop_alarms(cx, id);
        self.send(cx, id, 0);
    }

    /// The subscription is over: forgets its dialog, tells the user, plans what follows.
    pub(crate) fn end(&mut self, cx: &mut Cx<'_>, id: UsageId, reason: Option<&str>, plan: Plan) {
        let Some(usage) = self.usages.get_mut(&id) else { return };
        cx.abandon(usage.ticket.take());
        stop_alarms(cx, id);
        usage.state = State::Terminated;
        usage.view = View::default();
        usage.document = None;
        usage.refused = matches!(reason, Some("rejected" | "noresource"));
        usage.failures += 1;
        let (failures, wanted) = (usage.failures, usage.is_wanted());
        let (target, package) = (usage.target.clone(), usage.package);
        if !self.shows_offers_of(&target) {
            self.offers.lose(cx, &target);
        }
        if self.is_shown(id) {
            cx.emit(Event::Subscription {
                target,
                package,
                phase: super::SubscriptionPhase::Terminated,
                reason: reason.map(Into::into),
                expires: None,
            });
        }
        match wait_of(cx, plan, failures).filter(|_| wanted) {
            Some(wait) => cx.arm(Timer::Usage(id, Alarm::Start), cx.now + wait),
            None if wanted => {}
            None => self.remove(cx, id),
        }
    }

    fn send(&mut self, cx: &mut Cx<'_>, id: UsageId, expires: u32) {
        let Some(usage) = self.usages.get_mut(&id) else { return };
        let draft = usage.draft(cx, expires);
        usage.ticket = cx.send(Room::Usage(id), draft);
        usage.raise(cx);
        usage.await_notify(cx, id);
    }

    pub(crate) fn add(&mut self, usage: Usage) -> UsageId {
        let id = UsageId(self.issued);
        self.issued += 1;
        self.usages.insert(id, usage);
        id
    }

    fn remove(&mut self, cx: &mut Cx<'_>, id: UsageId) {
        stop_alarms(cx, id);
        if let Some(usage) = self.usages.remove(&id) {
            cx.abandon(usage.ticket);
        }
    }

    fn wanted(&self, target: &Aor, package: Package) -> Option<UsageId> {
        let same = |usage: &Usage| usage.target == *target && usage.package == package;
        self.ids(|usage| usage.is_wanted() && same(usage)).first().copied()
    }

    /// Whether the user is told of beginnings and ends: who unsubscribed and subscribed again, or
    /// looks once at somebody they also watch, has one subscription in their eyes, and it lives.
    fn is_shown(&self, id: UsageId) -> bool {
        self.usages.get(&id).is_some_and(|usage| {
            usage.is_wanted()
                || usage.purpose == Purpose::Fork
                || self.wanted(&usage.target, usage.package).is_none()
        })
    }

    fn shows_offers_of(&self, target: &Aor) -> bool {
        let shows = |usage: &Usage| {
            usage.package == Package::Presence && matches!(usage.state, State::Active(_))
        };
        self.usages.values().any(|usage| usage.target == *target && shows(usage))
    }

    fn ids(&self, choose: impl Fn(&Usage) -> bool) -> Vec<UsageId> {
        self.usages.iter().filter(|(_, usage)| choose(usage)).map(|(id, _)| *id).collect()
    }
}

/// Arms the end of a subscription and, earlier, its refresh.
pub(crate) fn schedule(cx: &mut Cx<'_>, id: UsageId, deadline: Instant) {
    let refresh = cx.refresh_at(deadline.seconds_since(cx.now));
    cx.arm(Timer::Usage(id, Alarm::Deadline), deadline);
    cx.arm(Timer::Usage(id, Alarm::Refresh), refresh);
}

fn stop_alarms(cx: &mut Cx<'_>, id: UsageId) {
    for alarm in [Alarm::Start, Alarm::N, Alarm::Refresh, Alarm::Refetch, Alarm::Deadline] {
        cx.stop(&Timer::Usage(id, alarm));
    }
}

fn wait_of(cx: &mut Cx<'_>, plan: Plan, failures: u32) -> Option<Duration> {
    match plan {
        Plan::Never => None,
        Plan::Now if failures <= 1 => Some(cx.jitter(SECOND)),
        Plan::Now => Some(backoff(failures - 1, SECOND * 2, HOUR) + cx.jitter(SECOND)),
        Plan::After(wait) => Some(seconds(wait) + cx.jitter(SECOND)),
        Plan::Soon => Some(backoff(failures, SECOND * 4, MINUTE) + cx.jitter(SECOND)),
        Plan::Slowly => Some(backoff(failures, MINUTE, HOUR) + cx.jitter(SECOND)),
    }
}

/// After a SUBSCRIBE that was refused outright: what cannot get better is not asked again. A
/// status that we do not know counts as the first of its class (RFC 3261 §8.1.3.2).
fn plan_of_failure(outcome: &Outcome) -> Plan {
    match (outcome.status(), outcome.retry_after()) {
        (_, Some(wait)) => Plan::After(wait),
        (480 | 481, None) => Plan::Slowly,
        (501 | 505 | 513, None) => Plan::Never,
        (0 | 408 | 500..=599, None) => Plan::Soon,
        (_, None) => Plan::Never,
    }
}

/// Answers to a refresh that end the subscription (RFC 6665 §4.1.2.2, RFC 5057 §5.1).
fn is_fatal(status: u16) -> bool {
    matches!(status, 404 | 405 | 410 | 416 | 480..=485 | 489 | 501 | 604)
}

fn seconds(span: u32) -> Duration {
    Duration::from_secs(span.into())
}
