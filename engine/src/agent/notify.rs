//! Notifications for our subscriptions (M15, M17; RFC 6665 §4.1.3 and §4.4.1 first).
//!
//! A NOTIFY is matched by Call-ID, our tag and Event, before or after the 200 of its SUBSCRIBE.
//! It is answered without asking the user. A document that cannot be read is answered 200 all the
//! same, in both packages: the dialog is right, and a notifier may take a 4xx as the end of it.

use super::cx::{Alarm, Cx, EVENTS, Incoming, Timer};
use super::subscription::{Plan, Subscriptions, UsageId, schedule};
use super::types::{Event, Package};
use super::usage::{Bond, Purpose, State, Usage};
use crate::body::pidf::{CPIM_PIDF, PIDF, Pidf};
use crate::body::winfo::{WATCHERINFO, WatcherInfo};
use crate::dialog::Dialog;
use crate::message::{Aor, Name, Request};
use crate::time::Instant;
use std::time::Duration;

/// Most dialogs of one forked subscription.
const FORKS: usize = 8;

/// Subscription-State, read.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Said {
    Pending,
    Active,
    Terminated { reason: Option<Box<str>>, retry_after: Option<u32> },
}

/// What a NOTIFY is to us.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Match {
    /// It belongs to the dialog of this subscription.
    Dialog(UsageId),
    /// It creates the dialog of this subscription.
    First(UsageId),
    /// It creates a further dialog beside this subscription (R22).
    Fork(UsageId),
}

impl Subscriptions {
    /// Takes a NOTIFY: the checks of M1 from step 8 on, then its contents.
    pub(crate) fn on_notify(&mut self, cx: &mut Cx<'_>, incoming: &Incoming<'_>) {
        let request = incoming.request;
        let package = request.event().and_then(|event| Package::of(event.package));
        let Some(package) = package else {
            return cx.refuse_with(incoming, 489, Name::AllowEvents, EVENTS);
        };
        let found = self.find(cx.now, request, package);
        let Some(found) = found else { return cx.refuse(incoming, 481) };
        let Some(said) = read_state(request) else { return cx.refuse(incoming, 400) };
        let Match::Dialog(id) = found else {
            return self.on_first(cx, incoming, package, found, said);
        };
        let number = request.cseq().map_or(0, |cseq| cseq.number);
        let last = self.usages.get(&id).and_then(Usage::dialog).and_then(|d| d.remote_cseq);
        if last.is_some_and(|last| number <= last) {
            return cx.refuse(incoming, 500);
        }
        if !is_readable(request, package) {
            return refuse_type(cx, incoming, package);
        }
        if let Some(dialog) = self.usages.get_mut(&id).and_then(Usage::dialog_mut) {
            dialog.remote_cseq = Some(number);
            dialog.refresh_target(request, incoming.from);
        }
        cx.refuse(incoming, 200);
        self.take(cx, id, request, said);
    }

    /// The first NOTIFY of a dialog creates it (RFC 6665 §4.4.1).
    fn on_first(
        &mut self,
        cx: &mut Cx<'_>,
        incoming: &Incoming<'_>,
        package: Package,
        found: Match,
        said: Said,
    ) {
        let (Match::Dialog(origin) | Match::First(origin) | Match::Fork(origin)) = found;
        let Some(usage) = self.usages.get(&origin) else { return cx.refuse(incoming, 481) };
        if !is_readable(incoming.request, package) {
            return refuse_type(cx, incoming, package);
        }
        let (tag, cseq) = (usage.local_tag, usage.cseq.max(1));
        let dialog = Dialog::from_notify(incoming.request, incoming.from, tag, cseq);
        let Some(mut dialog) = dialog else { return cx.refuse(incoming, 400) };
        dialog.remote_cseq = incoming.request.cseq().ok().map(|cseq| cseq.number);
        let id = match found {
            Match::Dialog(id) | Match::First(id) => id,
            Match::Fork(_) => self.add(forked(usage)),
        };
        cx.refuse(incoming, 200);
        self.bind(cx, id, dialog, &said);
        self.take(cx, id, incoming.request, said);
    }

    /// Enters the state that the first NOTIFY of a dialog leads to.
    fn bind(&mut self, cx: &mut Cx<'_>, id: UsageId, dialog: Dialog, said: &Said) {
        let Some(usage) = self.usages.get_mut(&id) else { return };
        let granted = match usage.state {
            State::NotifyWait { granted: Some(granted) } => granted,
            State::NotifyWait { granted: None }
            | State::Init
            | State::Pending(_)
            | State::Active(_)
            | State::Ending(_)
            | State::Terminated => usage.asked,
        };
        let deadline = cx.now + Duration::from_secs(granted.into());
        let bond = Bond { dialog, deadline, notified: false, renewed: false };
        usage.state = match (usage.purpose, said) {
            // A fetch wants one document; only the terminal NOTIFY is still to come.
            (Purpose::Fetch, _) => return usage.state = State::Ending(bond.dialog),
            (Purpose::Keep | Purpose::Fork, Said::Pending) => State::Pending(bond),
            (Purpose::Keep | Purpose::Fork, _) => State::Active(bond),
        };
        schedule(cx, id, deadline);
        let (target, package) = (usage.target.clone(), usage.package);
        if !matches!(said, Said::Terminated { .. }) {
            let (phase, expires) = (usage.phase(), Some(granted));
            cx.emit(Event::Subscription { target, package, phase, reason: None, expires });
        }
    }

    /// Takes state, expiry and body of an accepted NOTIFY.
    fn take(&mut self, cx: &mut Cx<'_>, id: UsageId, request: &Request, said: Said) {
        self.enter(cx, id, &said);
        self.note_expiry(cx, id, request);
        self.read_body(cx, id, request, said == Said::Active);
        match said {
            Said::Terminated { reason, retry_after } => {
                let plan = plan_of(reason.as_deref(), retry_after);
                self.end(cx, id, reason.as_deref(), plan);
            }
            Said::Pending | Said::Active => {
                let usage = self.usages.get(&id);
                let says_goodbye = usage.is_some_and(|usage| {
                    let bound = matches!(usage.state, State::Pending(_) | State::Active(_));
                    usage.leaving && usage.ticket.is_none() && bound
                });
                if says_goodbye {
                    self.say_goodbye(cx, id);
                }
            }
        }
    }

    /// Pending or active: moves between the two and tells the user.
    fn enter(&mut self, cx: &mut Cx<'_>, id: UsageId, said: &Said) {
        let Some(usage) = self.usages.get_mut(&id) else { return };
        let state = std::mem::replace(&mut usage.state, State::Terminated);
        let (next, moved) = match (state, said) {
            (State::Pending(bond), Said::Active) => (State::Active(bond), true),
            (State::Active(bond), Said::Pending) => (State::Pending(bond), true),
            (state @ (State::Pending(_) | State::Active(_)), _)
            | (
                state @ (State::Init
                | State::NotifyWait { .. }
                | State::Ending(_)
                | State::Terminated),
                _,
            ) => (state, false),
        };
        usage.state = next;
        if !moved {
            return;
        }
        let (target, package, phase) = (usage.target.clone(), usage.package, usage.phase());
        let expires = usage.bond_mut().map(|bond| bond.deadline.seconds_since(cx.now));
        if *said == Said::Pending {
            // Permission was withdrawn (D8): what we were shown is void.
            usage.document = None;
            self.offers.lose(cx, &target);
        }
        cx.emit(Event::Subscription { target, package, phase, reason: None, expires });
    }

    /// R26: the expiry of a NOTIFY shortens; it lengthens only as the answer to a refresh.
    fn note_expiry(&mut self, cx: &mut Cx<'_>, id: UsageId, request: &Request) {
        let Some(usage) = self.usages.get_mut(&id) else { return };
        let (asked, refreshing) = (usage.asked, usage.ticket.is_some());
        let Some(bond) = usage.bond_mut() else { return };
        let n = Timer::Usage(id, Alarm::N);
        let waited = cx.core.timers.at(&n).is_some();
        cx.stop(&n);
        let lengthens = (refreshing || waited) && !bond.notified;
        bond.notified = true;
        let said = request.subscription_state().and_then(|state| state.expires);
        let Some(said) = said else { return };
        let until = cx.now + Duration::from_secs(said.min(asked).into());
        // Whole seconds and the way of the NOTIFY blur the expiry a little every time.
        let shortens = until + Duration::from_secs(2) < bond.deadline;
        if lengthens || shortens {
            bond.deadline = until;
            schedule(cx, id, until);
        }
    }

    fn read_body(&mut self, cx: &mut Cx<'_>, id: UsageId, request: &Request, active: bool) {
        let body = request.body();
        let Some(usage) = self.usages.get(&id) else { return };
        if body.is_empty() {
            return;
        }
        match usage.package {
            Package::Presence => self.read_presence(cx, id, &body, active),
            Package::Winfo => self.read_winfo(cx, id, &body),
        }
    }

    fn read_presence(&mut self, cx: &mut Cx<'_>, id: UsageId, body: &[u8], active: bool) {
        let Some(usage) = self.usages.get_mut(&id) else { return };
        if usage.leaving && usage.purpose == Purpose::Keep {
            // Its last word may come long after the first one of its successor.
            return;
        }
        let aor = usage.target.clone();
        match Pidf::parse(body) {
            Ok(document) => {
                let active = active && matches!(usage.state, State::Active(_));
                usage.document = Some(document.clone());
                if active {
                    self.offers.take(cx, &aor, &document);
                }
                cx.emit(Event::Presence { aor, document });
            }
            Err(error) => {
                cx.complain(
                    "presence document",
                    &format!("{aor} sent one we cannot read: {error}"),
                );
            }
        }
    }

    fn read_winfo(&mut self, cx: &mut Cx<'_>, id: UsageId, body: &[u8]) {
        let Some(usage) = self.usages.get_mut(&id) else { return };
        let target = usage.target.clone();
        match WatcherInfo::parse(body) {
            Ok(document) => {
                for (resource, id, row) in usage.view.take(&document) {
                    let resource = Aor::parse(&resource).unwrap_or_else(|_| target.clone());
                    cx.emit(Event::Watcher {
                        resource,
                        id,
                        uri: row.uri,
                        status: row.status,
                        cause: row.cause,
                        name: row.name,
                    });
                }
            }
            Err(error) => {
                usage.view.spoil();
                let why = format!("{target} sent one we cannot read: {error}");
                cx.complain("watcher information", &why);
            }
        }
        self.refetch(cx, id);
    }

    /// Finds the subscription of a NOTIFY by Call-ID, our tag, package and the absent `id`
    /// (we never send one; RFC 6665 §8.2.1 wants them equal).
    fn find(&self, now: Instant, request: &Request, package: Package) -> Option<Match> {
        let call_id = request.call_id().ok()?;
        let to = request.to().ok()?;
        let tag = to.tag()?;
        if request.event()?.id.is_some() {
            return None;
        }
        let ours = |usage: &Usage| {
            usage.package == package
                && *usage.call_id == *call_id
                && usage.local_tag.to_string() == tag
        };
        let mut candidates = self.usages.iter().filter(|(_, usage)| ours(usage)).peekable();
        candidates.peek()?;
        let candidates: Vec<_> = candidates.collect();
        let bound = |usage: &Usage| usage.dialog().is_some_and(|dialog| dialog.owns(request));
        if let Some((id, _)) = candidates.iter().find(|(_, usage)| bound(usage)) {
            return Some(Match::Dialog(**id));
        }
        let waits = |usage: &Usage| matches!(usage.state, State::NotifyWait { .. });
        if let Some((id, _)) = candidates.iter().find(|(_, usage)| waits(usage)) {
            return Some(Match::First(**id));
        }
        let live = |usage: &Usage| matches!(usage.state, State::Pending(_) | State::Active(_));
        let (id, usage) = candidates.iter().find(|(_, usage)| live(usage))?;
        let (id, usage) = (**id, *usage);
        // RFC 6665 §4.1.2.4: after Timer N nobody new may answer.
        let in_time = now < usage.forks_until;
        let may_fork = package == Package::Winfo && candidates.len() < FORKS && in_time;
        may_fork.then_some(Match::Fork(id))
    }
}

/// A further dialog of the same SUBSCRIBE, with a table of its own.
fn forked(origin: &Usage) -> Usage {
    let mut usage = Usage::new(origin.target.clone(), origin.package, Purpose::Fork, origin.asked);
    usage.call_id = origin.call_id.clone();
    usage.local_tag = origin.local_tag;
    usage.cseq = origin.cseq;
    usage.forks_until = origin.forks_until;
    usage.state = State::NotifyWait { granted: None };
    usage
}

fn read_state(request: &Request) -> Option<Said> {
    let state = request.subscription_state()?;
    let is = |word: &str| state.state.eq_ignore_ascii_case(word);
    Some(if is("terminated") {
        Said::Terminated { reason: state.reason.map(Into::into), retry_after: state.retry_after }
    } else if is("active") {
        Said::Active
    } else {
        // RFC 6665 §4.1.3 knows extensions; one that is not active shows nothing.
        Said::Pending
    })
}

/// RFC 6665 §4.1.3, behaviour M15 (reason handling).
fn plan_of(reason: Option<&str>, retry_after: Option<u32>) -> Plan {
    match (reason, retry_after) {
        (Some("deactivated" | "timeout"), _) => Plan::Now,
        (Some("probation" | "giveup"), Some(wait)) => Plan::After(wait),
        (Some("probation" | "giveup"), None) => Plan::Slowly,
        (Some("rejected" | "noresource" | "invariant"), _) => Plan::Never,
        (_, wait) => Plan::After(wait.unwrap_or(30)),
    }
}

/// Whether the body, if any, is of a type we read.
fn is_readable(request: &Request, package: Package) -> bool {
    let known = request.content_type().is_some_and(|found| match package {
        Package::Presence => found.is(PIDF) || found.is(CPIM_PIDF),
        Package::Winfo => found.is(WATCHERINFO),
    });
    known || request.body().is_empty()
}

fn refuse_type(cx: &mut Cx<'_>, incoming: &Incoming<'_>, package: Package) {
    cx.refuse_with(incoming, 415, Name::Accept, package.accept());
}
