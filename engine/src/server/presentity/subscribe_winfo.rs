//! SUBSCRIBE to `presence.winfo`: who may see which watcher rows (M16, RFC 3857 §4).
//!
//! The owner sees every row; anybody who is not blocked sees its own rows only (S32).

use super::outbox::{Happening, Urgency};
use super::subscribe::{Refusal, accepts, display_name, event_id, granted, refuse_with};
use super::subscriptions::View;
use super::{Package, Presentity, SubscriptionRow};
use crate::body::pidf::Format;
use crate::body::presrules::Handling;
use crate::body::winfo::{Cause, WATCHERINFO};
use crate::dialog::Dialog;
use crate::message::Name;
use crate::mint::Id;
use crate::server::Record;
use crate::server::cx::{Ask, Cx};
use std::time::Duration;

impl Presentity {
    /// A proven SUBSCRIBE to `presence.winfo`.
    pub(crate) fn on_subscribe_winfo(&mut self, cx: &mut Cx<'_>, ask: &Ask<'_>) {
        let known = self.winfo.dialog_of(ask.request).map(|(id, _)| id);
        let outcome = match known {
            Some(id) => self.refresh_winfo(cx, ask, id),
            None => self.subscribe_winfo(cx, ask),
        };
        if let Err(refusal) = outcome {
            refuse_with(cx, ask, refusal);
        }
        self.settle(cx);
    }

    fn check_winfo(&self, cx: &Cx<'_>, ask: &Ask<'_>) -> Result<u32, Refusal> {
        let any_type = ask.request.first(Name::Accept).is_none();
        if !any_type && !accepts(ask.request, WATCHERINFO) {
            return Err((406, None));
        }
        if self.verdict(cx.config, &ask.user).handling == Handling::Block {
            return Err((403, None));
        }
        granted(cx.config, ask.request)
    }

    fn subscribe_winfo(&mut self, cx: &mut Cx<'_>, ask: &Ask<'_>) -> Result<(), Refusal> {
        let seconds = self.check_winfo(cx, ask)?;
        if self.is_full(cx.config, Package::Winfo, &ask.user) {
            return Err((503, Some((Name::RetryAfter, "60".to_owned()))));
        }
        let id = cx.to_tag(ask);
        let dialog = Dialog::accept(ask.request, ask.from, id).ok_or((400, None))?;
        if let Some(twin) = self.winfo.twin(&ask.user, ask.request) {
            self.end_silently(cx, Package::Winfo, twin, Cause::Deactivated);
        }
        let row = SubscriptionRow {
            package: Package::Winfo,
            watcher: ask.user.clone(),
            dialog,
            event_id: event_id(ask.request),
            format: Format::Pidf,
            active: true,
            cause: Cause::Subscribe,
            watcher_id: id,
            display_name: display_name(ask.request),
            since: cx.now,
            expires: cx.now + Duration::from_secs(u64::from(seconds)),
            next_version: 0,
        };
        if seconds == 0 {
            self.reply_ok(cx, ask, 0);
            self.send_only(cx, id, row, View::Neutral);
        } else {
            self.arm_expiry(cx, Package::Winfo, id, seconds);
            self.open(cx, id, row);
            self.reply_ok(cx, ask, seconds);
            self.step(cx, Package::Winfo, id, Happening::Dirty(Urgency::Forced));
        }
        Ok(())
    }

    fn refresh_winfo(&mut self, cx: &mut Cx<'_>, ask: &Ask<'_>, id: Id) -> Result<(), Refusal> {
        let Some(found) = self.winfo.get(id) else { return Err((481, None)) };
        if found.row.watcher != ask.user {
            return Err((403, None));
        }
        let mut row = found.stored();
        let seconds = self.check_winfo(cx, ask)?;
        row.dialog.refresh_target(ask.request, ask.from);
        row.dialog.remote_cseq = ask.request.cseq().ok().map(|cseq| cseq.number);
        row.expires = cx.now + Duration::from_secs(u64::from(seconds));
        self.commit(cx, Record::Subscribed(self.aor.clone(), id, row));
        if let Some(told) = self.winfo.get_mut(id).and_then(|row| row.told.as_mut()) {
            // Any SUBSCRIBE asks for full state (RFC 3857 §4.7, D6).
            told.need_full = true;
        }
        self.reply_ok(cx, ask, seconds);
        if seconds == 0 {
            self.end(cx, Package::Winfo, id, Cause::Timeout);
        } else {
            self.arm_expiry(cx, Package::Winfo, id, seconds);
            self.step(cx, Package::Winfo, id, Happening::Dirty(Urgency::Forced));
        }
        Ok(())
    }
}
