//! PUBLISH `presence`: event state with entity-tags (M11, RFC 3903 §6).

use super::Presentity;
use super::information::Devices;
use super::rows::PublicationRow;
use super::subscribe::{Refusal, refuse_with};
use crate::body::XmlError;
use crate::body::pidf::{CPIM_PIDF, PIDF, Pidf};
use crate::message::{Name, Request, is_token};
use crate::mint::{Id, Label};
use crate::server::cx::{Ask, Cx};
use crate::server::{Config, Record, Timer};
use bytes::Bytes;
use std::time::Duration;

/// What a PUBLISH asks for, whatever its package.
pub(super) struct Publish {
    /// The entity-tag of SIP-If-Match; one that cannot be ours matches nothing.
    pub(super) if_match: Option<Id>,
    pub(super) has_body: bool,
}

/// An entity-tag we never issue: what a foreign SIP-If-Match counts as.
const FOREIGN: Id = Id(0);

impl Publish {
    /// Reads the conditional header and looks at the body's framing.
    pub(super) fn of(request: &Request) -> Result<Self, Refusal> {
        let if_match = if_match(request)?;
        let coded = request.first(Name::ContentEncoding);
        if coded.is_some_and(|coding| !coding.eq_ignore_ascii_case("identity")) {
            return Err((415, Some((Name::AcceptEncoding, "identity".to_owned()))));
        }
        Ok(Self { if_match, has_body: !request.body().is_empty() })
    }
}

/// The one entity-tag of SIP-If-Match, if there is such a header; 400 if it is not one token
/// (RFC 3903 §6 step 3).
fn if_match(request: &Request) -> Result<Option<Id>, Refusal> {
    if request.first(Name::SipIfMatch).is_none() {
        return Ok(None);
    }
    let mut tags = request.list(Name::SipIfMatch);
    match (tags.next(), tags.next()) {
        (Some(tag), None) if is_token(tag.as_bytes()) => {
            Ok(Some(Id::parse(tag).unwrap_or(FOREIGN)))
        }
        _ => Err((400, None)),
    }
}

/// Seconds a PUBLISH asks for.
pub(super) fn asked_expires(config: &Config, request: &Request) -> u32 {
    request.seconds(Name::Expires).unwrap_or(config.limits.pub_default)
}

/// 400 that names line and fault of a document.
pub(super) fn bad_document(error: &XmlError) -> Refusal {
    let text = error.to_string().replace(['"', '\\', '\r', '\n'], "'");
    (400, Some((Name::Warning, format!("399 presently \"{text}\""))))
}

/// 200 to a PUBLISH. `Supported: dm1` tells publishers that secrets stay here (X4).
pub(super) fn reply_published(cx: &mut Cx<'_>, ask: &Ask<'_>, etag: Id, seconds: u32) {
    let mut reply = cx.answer(ask, 200);
    reply.header(Name::SipEtag, &etag.to_string());
    reply.number(Name::Expires, seconds);
    reply.header(Name::Supported, "dm1");
    cx.reply(ask, 200, reply.into_writer().finish());
}

impl Presentity {
    /// A proven PUBLISH of presence.
    pub(crate) fn on_publish(&mut self, cx: &mut Cx<'_>, ask: &Ask<'_>) {
        if let Err(refusal) = self.publish(cx, ask) {
            refuse_with(cx, ask, refusal);
        }
        self.settle(cx);
    }

    fn publish(&mut self, cx: &mut Cx<'_>, ask: &Ask<'_>) -> Result<(), Refusal> {
        let publish = Publish::of(ask.request)?;
        let asked = asked_expires(cx.config, ask.request);
        if let Some(etag) = publish.if_match
            && self.information.get(etag).is_none()
        {
            return Err((412, None));
        }
        match (publish.if_match, publish.has_body, asked) {
            (None, false, _) => Err((400, None)),
            (Some(etag), false, 0) => {
                self.withdraw(cx, etag);
                self.answer_published(cx, ask, publish.if_match, 0);
                self.recompose(cx);
                Ok(())
            }
            (Some(etag), false, _) => self.keep(cx, ask, etag, asked),
            (_, true, _) => self.write(cx, ask, publish.if_match, asked),
        }
    }

    /// A refresh: the same document under a new entity-tag.
    fn keep(
        &mut self,
        cx: &mut Cx<'_>,
        ask: &Ask<'_>,
        etag: Id,
        asked: u32,
    ) -> Result<(), Refusal> {
        let Some(publication) = self.information.get(etag) else { return Err((412, None)) };
        let seconds = pub_granted(cx.config, asked, publication.document.is_ready())?;
        let mut row = publication.row.clone();
        row.expires = cx.now + Duration::from_secs(u64::from(seconds));
        self.withdraw(cx, etag);
        self.put(cx, ask, Some(etag), row, seconds);
        Ok(())
    }

    /// A new document, or one that replaces another.
    fn write(
        &mut self,
        cx: &mut Cx<'_>,
        ask: &Ask<'_>,
        replaced: Option<Id>,
        asked: u32,
    ) -> Result<(), Refusal> {
        let kind = ask.request.content_type();
        if !kind.is_some_and(|kind| kind.is(PIDF) || kind.is(CPIM_PIDF)) {
            return Err((415, Some((Name::Accept, format!("{PIDF}, {CPIM_PIDF}")))));
        }
        let limits = &cx.config.limits;
        let body = ask.request.body();
        if body.len() > limits.publication_size {
            return Err((413, None));
        }
        let document = Pidf::parse(&body).map_err(|error| bad_document(&error))?;
        let seconds = pub_granted(cx.config, asked, document.is_ready())?;
        if seconds == 0 {
            // Nothing is stored, but RFC 3903 §6 still wants an entity-tag. What it replaces goes
            // at once, although whoever withdraws should not send a body (RFC 3903 §4.5).
            if let Some(etag) = replaced {
                self.withdraw(cx, etag);
            }
            self.answer_published(cx, ask, replaced, 0);
            self.recompose(cx);
            return Ok(());
        }
        if replaced.is_none() && self.information.len() >= limits.publications {
            return Err((503, Some((Name::RetryAfter, "60".to_owned()))));
        }
        if let Some(etag) = replaced {
            self.withdraw(cx, etag);
        }
        let row = PublicationRow {
            rank: self.information.next_rank(),
            at: cx.now,
            expires: cx.now + Duration::from_secs(u64::from(seconds)),
            device: ask.from.addr,
            body: Bytes::copy_from_slice(&body),
        };
        self.put(cx, ask, replaced, row, seconds);
        Ok(())
    }

    fn put(
        &mut self,
        cx: &mut Cx<'_>,
        ask: &Ask<'_>,
        replaced: Option<Id>,
        row: PublicationRow,
        seconds: u32,
    ) {
        let etag = self.next_etag(cx, ask, replaced);
        let at = row.expires + cx.config.limits.expiry_grace;
        cx.timers.arm(Timer::Publication(self.aor.clone(), etag), at);
        self.commit(cx, Record::Published(self.aor.clone(), etag, row));
        reply_published(cx, ask, etag, seconds);
        self.recompose(cx);
    }

    fn answer_published(&self, cx: &mut Cx<'_>, ask: &Ask<'_>, replaced: Option<Id>, seconds: u32) {
        let etag = self.next_etag(cx, ask, replaced);
        reply_published(cx, ask, etag, seconds);
    }

    fn withdraw(&mut self, cx: &mut Cx<'_>, etag: Id) {
        cx.timers.stop(&Timer::Publication(self.aor.clone(), etag));
        self.commit(cx, Record::Withdrawn(self.aor.clone(), etag));
    }

    /// An entity-tag never issued before for this AOR: its cause includes the boot, the transaction
    /// and the tag it replaces (P32). Call-ID and CSeq are not enough: two devices that number
    /// alike may publish in the same millisecond.
    pub(super) fn next_etag(&self, cx: &Cx<'_>, ask: &Ask<'_>, replaced: Option<Id>) -> Id {
        let old = replaced.unwrap_or(FOREIGN).0;
        cx.config.secret.derive64(
            Label::EntityTag,
            &[
                self.aor.as_str().as_bytes(),
                &cx.to_tag(ask).0.to_be_bytes(),
                &old.to_be_bytes(),
                &cx.config.nonce_key.boot().to_be_bytes(),
                &cx.now.as_millis().to_be_bytes(),
            ],
        )
    }

    /// The time of a publication is over: the same way out as a withdrawal.
    pub(super) fn on_publication_expired(&mut self, cx: &mut Cx<'_>, etag: Id) {
        self.withdraw(cx, etag);
        self.recompose(cx);
    }

    /// Everything published is withdrawn; the account goes away.
    pub(super) fn withdraw_all(&mut self, cx: &mut Cx<'_>) {
        let etags: Vec<Id> = self.information.iter().map(|(etag, _)| etag).collect();
        for etag in etags {
            self.withdraw(cx, etag);
        }
    }

    /// The bindings of the account changed: offers of devices without one go off, and a document
    /// that nobody published follows the bindings (composition rules 2 and 3).
    pub(crate) fn on_devices(&mut self, cx: &mut Cx<'_>, devices: Devices) {
        self.set_devices(devices);
        self.recompose(cx);
        self.settle(cx);
    }

    /// What the bindings say, without telling anybody (recovery).
    pub(crate) fn set_devices(&mut self, devices: Devices) {
        self.information.set_devices(devices);
    }

    fn recompose(&mut self, cx: &mut Cx<'_>) {
        let was_ready = self.information.is_ready();
        if self.information.recompose(&self.aor, cx.now) {
            let withdrawn = was_ready && !self.information.is_ready();
            self.tell_watchers(cx, withdrawn);
        }
    }
}

/// Seconds granted to a publication (K8). Stale readiness is worse than a stale "open", so a
/// document with a ready offer gets less.
fn pub_granted(config: &Config, asked: u32, ready: bool) -> Result<u32, Refusal> {
    let limits = &config.limits;
    if asked > 0 && asked < limits.pub_min {
        return Err((423, Some((Name::MinExpires, limits.pub_min.to_string()))));
    }
    Ok(asked.min(if ready { limits.pub_max_ready } else { limits.pub_max }))
}
