//! SUBSCRIBE to `presence`: M13, decided by policy and answered at once.
//!
//! Read first: RFC 6665 §4.2.1, RFC 3856 §6, behaviour M13 and R1–R29a.

use super::outbox::{Happening, Urgency};
use super::subscriptions::{Subscription, View};
use super::{Package, Presentity, SubscriptionRow, WaitingRow};
use crate::body::pidf::{CPIM_PIDF, Format, PIDF};
use crate::body::presrules::Handling;
use crate::body::winfo::{Cause, Status};
use crate::dialog::Dialog;
use crate::message::{Headers, Name, Request, unquote};
use crate::mint::{Id, Label};
use crate::server::admit::{ALLOW_EVENTS, Refused, refused};
use crate::server::cx::{Ask, Cx};
use crate::server::{Config, Record, Timer};
use std::time::Duration;

/// A status to answer with, and a header that says more.
pub(super) type Refusal = (u16, Option<(Name, String)>);

const HOUR: u32 = 3600;

/// How long a subscription is asked for, after the rules of K2: `Ok(0)` fetches or unsubscribes.
pub(super) fn granted(config: &Config, request: &Request) -> Result<u32, Refusal> {
    let limits = &config.limits;
    let asked = request.seconds(Name::Expires).unwrap_or(limits.sub_default);
    // RFC 6665 §4.2.1.1: nothing from an hour on is too brief, whatever the minimum.
    if asked > 0 && asked < limits.sub_min.min(HOUR) {
        return Err((423, Some((Name::MinExpires, limits.sub_min.to_string()))));
    }
    Ok(asked.min(limits.sub_max))
}

/// The body type a watcher gets (behaviour §2.1): PIDF unless it only takes the old one.
fn format_of(config: &Config, headers: &Headers) -> Result<Format, Refusal> {
    let takes = |wanted: &str| accepts(headers, wanted);
    if headers.first(Name::Accept).is_none() || takes(PIDF) {
        Ok(Format::Pidf)
    } else if config.legacy_cpim && takes(CPIM_PIDF) {
        Ok(Format::Cpim)
    } else {
        Err((406, None))
    }
}

/// Whether some Accept element covers `wanted` (`type/subtype`, `type/*` or `*/*`).
pub(super) fn accepts(headers: &Headers, wanted: &str) -> bool {
    let kind = wanted.split('/').next().unwrap_or("");
    headers.list(Name::Accept).any(|element| {
        let essence = element.split(';').next().unwrap_or("").trim();
        essence.eq_ignore_ascii_case(wanted)
            || essence == "*/*"
            || essence.strip_suffix("/*").is_some_and(|major| major.eq_ignore_ascii_case(kind))
    })
}

impl Presentity {
    /// A proven SUBSCRIBE to `presence`.
    pub(crate) fn on_subscribe(&mut self, cx: &mut Cx<'_>, ask: &Ask<'_>) {
        let known = self.subscriptions.dialog_of(ask.request).map(|(id, _)| id);
        let outcome = match known {
            Some(id) => self.refresh(cx, ask, id),
            None => self.subscribe(cx, ask),
        };
        if let Err(refusal) = outcome {
            refuse_with(cx, ask, refusal);
        }
        self.settle(cx);
    }

    /// Checks of M1 step 10 for an in-dialog SUBSCRIBE, before anybody is authenticated: 481 for
    /// an unknown dialog, 500 for a CSeq that is not higher than the last one, 403 for a second
    /// subscription in the same dialog (RFC 6665 §4.5.2).
    pub(crate) fn check_dialog(&self, request: &Request) -> Result<(), Refused> {
        let tables = [&self.subscriptions, &self.winfo];
        let row = tables.iter().find_map(|table| table.owner_of(request));
        let (_, row) = row.ok_or_else(|| refused(481))?;
        let number = request.cseq().map_or(0, |cseq| cseq.number);
        if row.row.dialog.remote_cseq.is_some_and(|last| number <= last) {
            return Err(refused(500));
        }
        if !row.is_about(request) {
            let why = "399 presently \"dialog sharing is not supported\"";
            return Err((403, vec![(Name::Warning, why.to_owned())]));
        }
        Ok(())
    }

    /// An initial SUBSCRIBE or a fetch (M13 rows 1–9).
    fn subscribe(&mut self, cx: &mut Cx<'_>, ask: &Ask<'_>) -> Result<(), Refusal> {
        let format = format_of(cx.config, ask.request)?;
        let seconds = granted(cx.config, ask.request)?;
        let handling = self.verdict(cx.config, &ask.user).handling;
        if handling == Handling::Block {
            return Err((403, None));
        }
        let id = cx.to_tag(ask);
        let dialog = Dialog::accept(ask.request, ask.from, id).ok_or((400, None))?;
        self.make_room(cx, ask, handling)?;
        self.drop_predecessors(cx, ask);
        let row = self.new_row(cx, ask, id, dialog, format, seconds, handling);
        if seconds == 0 {
            self.fetch(cx, ask, id, row);
        } else {
            self.begin(cx, ask, id, row, seconds);
        }
        Ok(())
    }

    fn new_row(
        &self,
        cx: &Cx<'_>,
        ask: &Ask<'_>,
        id: Id,
        dialog: Dialog,
        format: Format,
        seconds: u32,
        handling: Handling,
    ) -> SubscriptionRow {
        let aor = self.aor.as_str().as_bytes();
        let watcher_id = cx.config.secret.derive64(Label::Watcher, &[aor, &id.0.to_be_bytes()]);
        SubscriptionRow {
            package: Package::Presence,
            watcher: ask.user.clone(),
            dialog,
            event_id: event_id(ask.request),
            format,
            active: handling != Handling::Confirm,
            cause: Cause::Subscribe,
            watcher_id,
            display_name: display_name(ask.request),
            since: cx.now,
            expires: cx.now + Duration::from_secs(u64::from(seconds)),
            next_version: 0,
        }
    }

    /// Rows 1, 2, 4: a new subscription.
    fn begin(
        &mut self,
        cx: &mut Cx<'_>,
        ask: &Ask<'_>,
        id: Id,
        row: SubscriptionRow,
        seconds: u32,
    ) {
        self.arm_expiry(cx, Package::Presence, id, seconds);
        if !row.active {
            let giveup = row.since + cx.config.limits.giveup_pending;
            cx.timers.arm(Timer::GiveUp(self.aor.clone(), row.watcher_id), giveup);
        }
        self.open(cx, id, row);
        self.reply_ok(cx, ask, seconds);
        self.step(cx, Package::Presence, id, Happening::Dirty(Urgency::Forced));
    }

    /// Stores a new row with its first stride of numbers.
    pub(super) fn open(&mut self, cx: &mut Cx<'_>, id: Id, row: SubscriptionRow) {
        let package = row.package;
        self.apply(cx.config, &Record::Subscribed(self.aor.clone(), id, row));
        let aor = self.aor.clone();
        if let Some(opened) = self.table_mut(package).get_mut(id) {
            opened.reserve();
            cx.record(Record::Subscribed(aor, id, opened.stored()));
        }
    }

    /// Rows 5–7: a fetch leaves no subscription; of an undecided watcher it leaves a trace that
    /// waits for the owner.
    fn fetch(&mut self, cx: &mut Cx<'_>, ask: &Ask<'_>, id: Id, row: SubscriptionRow) {
        self.reply_ok(cx, ask, 0);
        if !row.active {
            let waiting = WaitingRow {
                watcher: row.watcher.clone(),
                display_name: row.display_name.clone(),
                event_id: row.event_id.clone(),
                since: row.since,
                giveup: cx.now + cx.config.limits.giveup_waiting,
            };
            self.wait(cx, row.watcher_id, waiting);
        }
        let view = self.view_of(cx.config, &row.watcher, row.active);
        self.send_only(cx, id, row, view);
    }

    /// Sends the one terminal NOTIFY of a fetch: a dialog that is over before it began.
    pub(super) fn send_only(&mut self, cx: &mut Cx<'_>, id: Id, row: SubscriptionRow, view: View) {
        let package = row.package;
        let mut subscription = Subscription::new(row, view);
        subscription.ending = Some(Cause::Timeout);
        self.table_mut(package).insert(id, subscription);
        self.step(cx, package, id, Happening::End);
    }

    /// Limits of K6 and of the tables (row 9).
    fn make_room(
        &mut self,
        cx: &mut Cx<'_>,
        ask: &Ask<'_>,
        handling: Handling,
    ) -> Result<(), Refusal> {
        let limits = &cx.config.limits;
        if self.is_full(cx.config, Package::Presence, &ask.user) {
            return Err((503, Some((Name::RetryAfter, "60".to_owned()))));
        }
        if handling != Handling::Confirm {
            return Ok(());
        }
        let undecided = |status| matches!(status, Status::Pending | Status::Waiting);
        let mut own: Vec<_> = self
            .watchers
            .of(&ask.user)
            .filter_map(|id| Some((self.watchers.get(id)?, id)))
            .filter(|(row, _)| undecided(row.status))
            .map(|(row, id)| (row.since, id))
            .collect();
        if own.len() >= limits.waiting_per_watcher {
            own.sort();
            self.give_up(cx, own[0].1);
        } else if self.watchers.undecided() >= limits.waiting_per_presentity {
            return Err((480, Some((Name::RetryAfter, "3600".to_owned()))));
        }
        Ok(())
    }

    /// A waiting record that the same SUBSCRIBE left behind gives up (row 8); a live twin from a
    /// client with frozen identifiers goes silently (R20).
    fn drop_predecessors(&mut self, cx: &mut Cx<'_>, ask: &Ask<'_>) {
        if let Some(twin) = self.subscriptions.twin(&ask.user, ask.request) {
            self.end_silently(cx, Package::Presence, twin, Cause::Deactivated);
        }
        let event_id = event_id(ask.request);
        let waiting: Vec<Id> = self
            .watchers
            .of(&ask.user)
            .filter(|id| {
                self.watchers
                    .get(*id)
                    .is_some_and(|row| row.status == Status::Waiting && row.event_id == event_id)
            })
            .collect();
        for id in waiting {
            self.release(cx, id, Cause::Giveup);
        }
    }

    /// A SUBSCRIBE inside a dialog: refresh or unsubscribe (rows 10, 15, 21, 22, 24).
    fn refresh(&mut self, cx: &mut Cx<'_>, ask: &Ask<'_>, id: Id) -> Result<(), Refusal> {
        let Some(found) = self.subscriptions.get(id) else { return Err((481, None)) };
        if found.row.watcher != ask.user {
            return Err((403, None));
        }
        let format = format_of(cx.config, ask.request)?;
        let seconds = granted(cx.config, ask.request)?;
        let mut row = found.stored();
        row.format = format;
        row.dialog.refresh_target(ask.request, ask.from);
        row.dialog.remote_cseq = ask.request.cseq().ok().map(|cseq| cseq.number);
        row.expires = cx.now + Duration::from_secs(u64::from(seconds));
        if self.verdict(cx.config, &ask.user).handling == Handling::Block {
            self.commit(cx, Record::Subscribed(self.aor.clone(), id, row));
            refuse_with(cx, ask, (403, None));
            self.end(cx, Package::Presence, id, Cause::Rejected);
            return Ok(());
        }
        self.commit(cx, Record::Subscribed(self.aor.clone(), id, row));
        self.reply_ok(cx, ask, seconds);
        if seconds == 0 {
            self.end(cx, Package::Presence, id, Cause::Timeout);
        } else {
            self.arm_expiry(cx, Package::Presence, id, seconds);
            self.step(cx, Package::Presence, id, Happening::Dirty(Urgency::Forced));
        }
        Ok(())
    }

    /// 200 to a SUBSCRIBE, with the Record-Route of the request (RFC 3261 §12.1.1): watchers of
    /// old take their route set from here. RFC 6665 §8.3.1 knows no 202 any more.
    pub(super) fn reply_ok(&self, cx: &mut Cx<'_>, ask: &Ask<'_>, seconds: u32) {
        let mut reply = cx.answer(ask, 200);
        for routes in ask.request.lines(Name::RecordRoute) {
            reply.header(Name::RecordRoute, routes);
        }
        let sent_by = cx.sent_by(ask.from);
        reply.pieces(Name::Contact, &["<sip:", self.aor.user(), "@", sent_by, ">"]);
        reply.number(Name::Expires, seconds);
        reply.header(Name::AllowEvents, ALLOW_EVENTS);
        cx.reply(ask, 200, reply.into_writer().finish());
    }
}

pub(super) fn refuse_with(cx: &mut Cx<'_>, ask: &Ask<'_>, (status, header): Refusal) {
    let mut reply = cx.answer(ask, status);
    if let Some((name, value)) = header {
        reply.header(name, &value);
    }
    cx.reply(ask, status, reply.into_writer().finish());
}

pub(super) fn event_id(request: &Request) -> Option<Box<str>> {
    request.event().and_then(|event| event.id).map(Into::into)
}

/// The watcher's display name, bounded and without control characters.
pub(super) fn display_name(request: &Request) -> Option<Box<str>> {
    let from = request.from().ok()?;
    let name: String = unquote(from.display).chars().filter(|c| !c.is_control()).take(80).collect();
    (!name.is_empty()).then(|| name.into())
}
