//! Our own state at the presence agent (M12; RFC 3903 §4 first).
//!
//! At most one PUBLISH is outstanding; what changes meanwhile is sent after its answer. The
//! document is built when it is sent, so it is always the newest.

use super::cx::{Cx, Timer, backoff};
use super::direct::OpenOffer;
use super::own::{Own, OwnOffer};
use super::registration::supports_dm1;
use super::request::{Answer, Draft, Outcome, Room, Ticket};
use super::{Config, Event, cx};
use crate::body::pidf::{Format, Mode, PIDF};
use crate::message::{Method, Name, Response};
use crate::mint::{Id, Label};
use crate::time::Instant;
use std::time::Duration;

/// M12.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) enum State {
    #[default]
    Unpub,
    /// A PUBLISH without If-Match is out.
    Initial {
        ticket: Option<Ticket>,
        changed: bool,
    },
    Pub {
        etag: Box<str>,
        until: Instant,
    },
    /// A PUBLISH without body is out.
    Refreshing {
        ticket: Option<Ticket>,
        etag: Box<str>,
        changed: bool,
    },
    /// A PUBLISH with If-Match and body is out.
    Modifying {
        ticket: Option<Ticket>,
        etag: Box<str>,
        changed: bool,
    },
    /// Waiting for the next try; the etag is kept only if the server surely did nothing.
    Backoff {
        etag: Option<Box<str>>,
    },
    /// A PUBLISH with Expires 0 is out.
    Removing {
        ticket: Option<Ticket>,
    },
}

/// The publication client.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct Publication {
    pub(crate) state: State,
    pub(crate) own: Own,
    /// Whether the presence agent announced direct media (X4).
    dm1: bool,
    leaving: bool,
    failures: u32,
    identity: Option<(Box<str>, Id)>,
    cseq: u32,
}

/// What a PUBLISH is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Initial,
    Refresh,
    Modify,
    Remove,
}

impl Publication {
    /// Own state changed: publish it as soon as possible.
    pub(crate) fn changed(&mut self, cx: &mut Cx<'_>) {
        self.own.touch(cx.now);
        self.push(cx);
    }

    /// Takes an own offer over or withdraws it.
    pub(crate) fn offer(&mut self, cx: &mut Cx<'_>, media: Box<str>, offer: OwnOffer) {
        if offer.mode == Mode::Off {
            if self.own.withdraw(&media) {
                self.changed(cx);
            }
            return;
        }
        match self.own.offer(media, offer) {
            Ok(()) => self.changed(cx),
            Err(why) => cx.complain("offer", why),
        }
    }

    /// Where we listen: what the presence agent was told, as far as it keeps secrets (X4).
    pub(crate) fn open_offers(&self, config: &Config, now: Instant) -> Vec<OpenOffer> {
        match self.dm1 && !self.leaving {
            true => self.own.open_offers(config, now),
            false => Vec::new(),
        }
    }

    /// Where we listen in the paper's form. There is nothing to keep secret in such an offer, but
    /// to whom it is shown is the presence agent's to keep (X5).
    pub(crate) fn paper_offers(&self, config: &Config) -> Vec<OpenOffer> {
        match self.dm1 && !self.leaving {
            true => self.own.paper_offers(config),
            false => Vec::new(),
        }
    }

    /// Somebody is heard on one of our offers, or not any more (X2).
    pub(crate) fn occupy(&mut self, cx: &mut Cx<'_>, media: &str, occupied: bool) {
        if self.own.occupy(media, occupied) {
            self.changed(cx);
        }
    }

    /// The server became available: publish unless that is done.
    pub(crate) fn wake(&mut self, cx: &mut Cx<'_>) {
        match self.state {
            State::Unpub => self.push(cx),
            State::Initial { .. }
            | State::Pub { .. }
            | State::Refreshing { .. }
            | State::Modifying { .. }
            | State::Backoff { .. }
            | State::Removing { .. } => {}
        }
    }

    /// Support of direct media was announced, or not.
    pub(crate) fn note_dm1(&mut self, cx: &mut Cx<'_>, dm1: bool) {
        if dm1 && !self.dm1 {
            self.dm1 = true;
            if self.own.wants_offers() {
                self.changed(cx);
            }
        }
    }

    /// The server restarted (D21). One that kept its data still has our publication, and an initial
    /// PUBLISH would leave that document standing beside the new one until it expires; so the
    /// entity-tag stays. A server that lost it says 412, and M12 starts over. Whether the new one
    /// keeps a secret it has to say again before it gets one (X4).
    pub(crate) fn restart(&mut self, cx: &mut Cx<'_>) {
        self.dm1 = false;
        self.changed(cx);
    }

    /// After a stall: see whether the server still has it.
    pub(crate) fn check(&mut self, cx: &mut Cx<'_>) {
        if let State::Pub { .. } = self.state {
            self.send(cx, Kind::Refresh);
        }
    }

    /// Takes the publication back. False if there is nothing to wait for.
    pub(crate) fn leave(&mut self, cx: &mut Cx<'_>) -> bool {
        self.leaving = true;
        match &self.state {
            State::Unpub => false,
            State::Backoff { .. } => {
                cx.stop(&Timer::Publish);
                self.state = State::Unpub;
                false
            }
            State::Pub { .. } => {
                self.send(cx, Kind::Remove);
                true
            }
            State::Initial { .. }
            | State::Refreshing { .. }
            | State::Modifying { .. }
            | State::Removing { .. } => true,
        }
    }

    /// Whether nothing is published and nothing is on its way.
    pub(crate) fn is_quiet(&self) -> bool {
        self.state == State::Unpub
    }

    /// Logout is over.
    pub(crate) fn forget(&mut self, cx: &mut Cx<'_>) {
        cx.abandon(self.ticket());
        cx.stop(&Timer::Publish);
        cx.stop(&Timer::Epoch);
        self.state = State::Unpub;
        self.leaving = false;
        self.failures = 0;
    }

    /// The refresh or the next try is due.
    pub(crate) fn on_timer(&mut self, cx: &mut Cx<'_>) {
        match &self.state {
            State::Pub { .. } => self.send(cx, Kind::Refresh),
            State::Backoff { etag: Some(_) } => self.send(cx, Kind::Modify),
            State::Backoff { etag: None } => self.send(cx, Kind::Initial),
            State::Unpub
            | State::Initial { .. }
            | State::Refreshing { .. }
            | State::Modifying { .. }
            | State::Removing { .. } => {}
        }
    }

    /// The epoch of the offers' secret is over (K15): publish with the next one.
    pub(crate) fn on_epoch(&mut self, cx: &mut Cx<'_>) {
        if self.dm1 && self.own.wants_offers() {
            self.changed(cx);
        }
    }

    /// The end of a PUBLISH.
    pub(crate) fn on_answer(&mut self, cx: &mut Cx<'_>, answer: Answer) {
        if self.ticket() != Some(answer.ticket) {
            return;
        }
        self.cseq = answer.cseq;
        let state = std::mem::take(&mut self.state);
        match state {
            State::Initial { changed, .. } => self.settle(cx, &answer.outcome, None, changed),
            State::Refreshing { etag, changed, .. } | State::Modifying { etag, changed, .. } => {
                self.settle(cx, &answer.outcome, Some(etag), changed);
            }
            State::Removing { .. } => cx.stop(&Timer::Publish),
            State::Unpub | State::Pub { .. } | State::Backoff { .. } => {}
        }
    }

    /// Sends the newest state, or remembers that it has to be sent after the answer.
    fn push(&mut self, cx: &mut Cx<'_>) {
        if !cx.core.online || self.leaving || !self.own.has_state() {
            return;
        }
        match &mut self.state {
            State::Unpub => self.send(cx, Kind::Initial),
            State::Pub { .. } => self.send(cx, Kind::Modify),
            State::Initial { changed, .. }
            | State::Refreshing { changed, .. }
            | State::Modifying { changed, .. } => *changed = true,
            // The next try sends what is newest then.
            State::Backoff { .. } | State::Removing { .. } => {}
        }
    }

    fn settle(
        &mut self,
        cx: &mut Cx<'_>,
        outcome: &Outcome,
        etag: Option<Box<str>>,
        changed: bool,
    ) {
        match outcome {
            Outcome::Answered(response) if response.status() < 300 => {
                self.published(cx, response, changed);
            }
            // RFC 3903 §4.1: the server does not know this etag (any more). Start over, once.
            Outcome::Answered(response) if response.status() == 412 && etag.is_some() => {
                if !self.leaving {
                    self.send(cx, Kind::Initial);
                }
            }
            Outcome::Answered(response) if (500..600).contains(&response.status()) => {
                self.retry(cx, outcome, etag);
            }
            Outcome::Answered(response) if response.status() != 412 => {
                cx.complain("publish", &outcome.text());
            }
            Outcome::Answered(_) | Outcome::Silent | Outcome::TooLarge => {
                self.retry(cx, outcome, None);
            }
        }
    }

    fn published(&mut self, cx: &mut Cx<'_>, response: &Response, changed: bool) {
        let Some(etag) = response.first(Name::SipEtag) else {
            cx.complain("publish", "the server's answer has no SIP-ETag");
            return;
        };
        let expires = response.seconds(Name::Expires).unwrap_or(cx.config.publish_expires).max(1);
        let until = cx.now + Duration::from_secs(expires.into());
        self.failures = 0;
        self.state = State::Pub { etag: etag.into(), until };
        let at = cx.refresh_at(expires);
        cx.arm(Timer::Publish, at);
        cx.emit(Event::Published { etag: etag.into(), expires });
        if self.leaving {
            self.send(cx, Kind::Remove);
            return;
        }
        if changed {
            self.push(cx);
        }
        self.note_dm1(cx, supports_dm1(response));
    }

    fn retry(&mut self, cx: &mut Cx<'_>, outcome: &Outcome, etag: Option<Box<str>>) {
        if self.leaving {
            return;
        }
        self.failures += 1;
        let wait = match outcome.retry_after() {
            Some(seconds) => Duration::from_secs(seconds.into()),
            None => backoff(self.failures, Duration::from_secs(1), Duration::from_secs(60)),
        };
        let wait = wait + cx.jitter(wait / 2);
        self.state = State::Backoff { etag };
        cx.arm(Timer::Publish, cx.now + wait);
    }

    fn ticket(&self) -> Option<Ticket> {
        match &self.state {
            State::Initial { ticket, .. }
            | State::Refreshing { ticket, .. }
            | State::Modifying { ticket, .. }
            | State::Removing { ticket } => *ticket,
            State::Unpub | State::Pub { .. } | State::Backoff { .. } => None,
        }
    }

    fn etag(&self) -> Option<Box<str>> {
        match &self.state {
            State::Pub { etag, .. }
            | State::Refreshing { etag, .. }
            | State::Modifying { etag, .. } => Some(etag.clone()),
            State::Backoff { etag } => etag.clone(),
            State::Unpub | State::Initial { .. } | State::Removing { .. } => None,
        }
    }

    fn send(&mut self, cx: &mut Cx<'_>, kind: Kind) {
        cx.stop(&Timer::Publish);
        let etag = self.etag();
        let draft = self.draft(cx, kind, etag.as_deref());
        let ticket = cx.send(Room::Publication, draft);
        let etag = etag.unwrap_or_default();
        self.state = match kind {
            Kind::Initial => State::Initial { ticket, changed: false },
            Kind::Refresh => State::Refreshing { ticket, etag, changed: false },
            Kind::Modify => State::Modifying { ticket, etag, changed: false },
            Kind::Remove => State::Removing { ticket },
        };
    }

    fn draft(&mut self, cx: &mut Cx<'_>, kind: Kind, etag: Option<&str>) -> Draft {
        let (call_id, tag) = match &self.identity {
            Some(identity) => identity.clone(),
            None => (cx.mint_call_id(), cx.mint(Label::Tag)),
        };
        self.identity = Some((call_id.clone(), tag));
        self.cseq += 1;
        let aor = cx.config.aor.as_str();
        let mut draft = Draft::new(cx, Method::Publish, aor, aor)
            .numbered(&call_id, tag, self.cseq)
            .with(Name::Event, "presence")
            .with(Name::Supported, cx::SUPPORTED);
        draft.expires = Some(if kind == Kind::Remove { 0 } else { cx.config.publish_expires });
        match kind {
            Kind::Initial => {}
            Kind::Refresh | Kind::Modify | Kind::Remove => {
                draft = draft.with(Name::SipIfMatch, etag.unwrap_or_default());
            }
        }
        match kind {
            Kind::Initial | Kind::Modify => {
                let document = self.own.document(cx, self.dm1);
                draft.carrying(PIDF, document.write(Format::Pidf))
            }
            Kind::Refresh | Kind::Remove => draft,
        }
    }
}
