//! Rows that are a request and its answer: registrations and publications.

use super::{Coverage, Row};
use crate::oracle::evidence::{Evidence, Letter, Origin, user};
use crate::oracle::exchanges::Exchange;
use crate::oracle::expiry::is_presence;
use crate::plan::Act;
use crate::record::{Fate, What};
use presently_engine::message::{Method, Name, Request};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

/// How often a request leaves before its time is up (Timer E until Timer F, RFC 3261 §17.1.2.2).
const SENDS: usize = 11;
/// Timer F.
const TIMER_F_MS: u64 = 32_000;
/// Within this time a device does what a restart of the server makes it do (D21).
const SOON_MS: u64 = 10_000;

/// A request and what became of it.
pub(super) struct Asked<'a> {
    pub(super) evidence: &'a Evidence<'a>,
    pub(super) exchange: &'a Exchange,
    pub(super) letter: &'a Letter,
    pub(super) request: &'a Request,
    /// The first final answer: its place and its status.
    pub(super) answer: Option<(usize, u16)>,
    pub(super) call: &'a str,
}

impl<'a> Asked<'a> {
    /// Every exchange of a run, in the order in which they began.
    pub(super) fn all(evidence: &'a Evidence<'a>) -> impl Iterator<Item = Self> {
        evidence.exchanges.asked(&evidence.letters).map(move |(exchange, letter, request)| Self {
            evidence,
            exchange,
            letter,
            request,
            answer: exchange.answer(&evidence.letters),
            call: request.call_id().unwrap_or_default(),
        })
    }

    pub(super) fn status(&self) -> u16 {
        self.answer.map_or(0, |(_, status)| status)
    }

    pub(super) fn succeeded(&self) -> bool {
        (200..300).contains(&self.status())
    }

    /// The first final answer.
    pub(super) fn reply(&self) -> Option<&'a Letter> {
        self.answer.map(|(place, _)| &self.evidence.letters[place])
    }

    /// When the answer was sent; the request itself if there is none.
    pub(super) fn answered_ms(&self) -> u64 {
        self.reply().map_or(self.letter.at_ms, |reply| reply.at_ms)
    }

    /// When whoever asked heard a final answer.
    pub(super) fn heard_ms(&self) -> Option<u64> {
        self.exchange.heard(&self.evidence.letters).map(|(at_ms, _)| at_ms)
    }

    /// Whether it takes something back: Expires 0, in the header or at the Contact.
    pub(super) fn ends(&self) -> bool {
        let contact = self.request.first(Name::Contact).unwrap_or("");
        self.request.seconds(Name::Expires) == Some(0) || contact.contains("expires=0")
    }

    /// Whether it was sent until its time was up, and whoever sent it heard nothing.
    pub(super) fn is_unanswered(&self) -> bool {
        let sent = self.exchange.asked.iter().map(|place| &self.evidence.letters[*place]);
        sent.filter(|letter| !letter.is_copy()).count() >= SENDS && self.heard_ms().is_none()
    }

    /// Whether a success was sent and lost on its way.
    pub(super) fn success_was_lost(&self) -> bool {
        let letters = &self.evidence.letters;
        let lost = |at: &usize| matches!(letters[*at].fate, Fate::Lost | Fate::Cut);
        self.succeeded() && self.exchange.answered.iter().any(lost)
    }

    pub(super) fn is_from_device(&self) -> bool {
        self.letter.origin == Origin::Device
    }

    /// Whether the device that asks noticed shortly before that the server had started anew.
    fn follows_restart(&self) -> bool {
        let Some(device) = self.evidence.device(self.letter.from) else { return false };
        let since = self.letter.at_ms.saturating_sub(SOON_MS);
        let mut told = self.evidence.told_since(device, since);
        told.any(|(at_ms, event)| {
            at_ms <= self.letter.at_ms && *event == presently_engine::agent::Event::ServerRestarted
        })
    }
}

pub(super) fn read(evidence: &Evidence<'_>, coverage: &mut Coverage) {
    for letter in &evidence.letters {
        if letter.is_copy() {
            let request = letter.request().is_some();
            coverage.reach(if request { Row::RequestDoubled } else { Row::ResponseDoubled });
        }
        if matches!(letter.fate, Fate::Arrives { corrupted: true, .. }) {
            coverage.reach(Row::Damaged);
        }
    }
    let (mut bindings, mut publications) = (Bindings::default(), Publications::default());
    for asked in Asked::all(evidence).filter(Asked::is_from_device) {
        match asked.request.method() {
            Method::Register => bindings.read(&asked, coverage),
            Method::Publish if is_presence(asked.request) => publications.read(&asked, coverage),
            Method::Publish if asked.status() == 412 => coverage.reach(Row::RulesRefused),
            _ => {}
        }
    }
}

/// What is bound.
#[derive(Default)]
struct Bindings {
    /// Call-ID by contact.
    calls: BTreeMap<String, String>,
    /// Where a registration came from last, by Call-ID.
    flows: BTreeMap<String, SocketAddr>,
}

impl Bindings {
    fn read(&mut self, asked: &Asked<'_>, coverage: &mut Coverage) {
        match asked.status() {
            401 => coverage.reach(Row::RegisterChallenged),
            500 => coverage.reach(Row::RegisterTooLate),
            200..=299 => self.bound(asked, coverage),
            _ => {}
        }
        if asked.success_was_lost() {
            coverage.reach(Row::OkOfRegisterLost);
        }
    }

    fn bound(&mut self, asked: &Asked<'_>, coverage: &mut Coverage) {
        let line = asked.request.first(Name::Contact).unwrap_or_default();
        let contact = line.split('>').next().unwrap_or_default().to_owned();
        let before = match asked.ends() {
            true => self.calls.remove(&contact),
            false => self.calls.insert(contact, asked.call.to_owned()),
        };
        coverage.reach(match (asked.ends(), before) {
            (true, Some(_)) => Row::Unbound,
            (true, None) => Row::UnboundNothing,
            (false, None) => Row::Bound,
            (false, Some(call)) if call == asked.call => Row::Rebound,
            (false, Some(_)) => Row::Replaced,
        });
        if !asked.ends() && asked.follows_restart() {
            coverage.reach(Row::RegisteredAnew);
        }
        let flow = self.flows.insert(asked.call.to_owned(), asked.letter.from);
        if flow.is_some_and(|flow| flow != asked.letter.from) {
            coverage.reach(Row::BoundElsewhere);
        }
        let contacts = asked.reply().map(|reply| reply.message.headers());
        if contacts.is_some_and(|headers| headers.list(Name::Contact).count() > 1) {
            coverage.reach(Row::TwoDevices);
        }
    }
}

/// What is published, by Call-ID.
#[derive(Default)]
struct Publications {
    /// When the last one was heard of, and whether with a success.
    heard: BTreeMap<String, (u64, bool)>,
    refused: BTreeSet<String>,
    unheard: BTreeSet<String>,
    unanswered: BTreeSet<String>,
    /// Until when an entity-tag is good.
    tags: BTreeMap<String, u64>,
}

impl Publications {
    fn read(&mut self, asked: &Asked<'_>, coverage: &mut Coverage) {
        let call = asked.call.to_owned();
        let tag = asked.request.first(Name::SipIfMatch);
        let body = !asked.request.body().is_empty();
        match asked.status() {
            200..=299 if asked.ends() => coverage.reach(Row::Removed),
            200..=299 => coverage.reach(match (tag.is_some(), body) {
                (true, true) => Row::Modified,
                (true, false) => Row::Refreshed,
                (false, _) => Row::Published,
            }),
            412 => {
                coverage.reach(Row::EtagUnknown);
                let until = tag.and_then(|tag| self.tags.get(tag));
                if until.is_some_and(|until| *until < asked.answered_ms()) {
                    coverage.reach(Row::EtagTooOld);
                }
            }
            _ => {}
        }
        if asked.succeeded() && asked.follows_restart() {
            coverage.reach(Row::PublishedToNewLife);
        }
        if tag.is_none() && self.refused.remove(&call) {
            coverage.reach(Row::PublishedAnew);
        }
        if tag.is_none() && self.unheard.remove(&call) {
            coverage.reach(Row::OkOfPublishLost);
        }
        if self.unanswered.remove(&call) {
            coverage.reach(Row::PublishUnanswered);
        }
        let after =
            self.heard.get(&call).is_some_and(|(at, good)| *good && *at == asked.letter.at_ms);
        if after && body && self.changed_before(asked) {
            coverage.reach(Row::PublishedAfter);
        }
        self.remember(asked, call);
    }

    /// Whether the user said something new while the PUBLISH before was out.
    fn changed_before(&self, asked: &Asked<'_>) -> bool {
        let Some(device) = asked.evidence.device(asked.letter.from) else { return false };
        let from = asked.letter.at_ms.saturating_sub(TIMER_F_MS);
        let steps = asked
            .evidence
            .record
            .entries
            .iter()
            .filter(|entry| (from..asked.letter.at_ms).contains(&entry.at_ms));
        let orders = steps.filter_map(|entry| match &entry.what {
            What::Step(step) => Some(&step.act),
            _ => None,
        });
        orders.into_iter().any(|act| match act {
            Act::Order(of, line) => of == device && line.starts_with("presence "),
            _ => false,
        })
    }

    fn remember(&mut self, asked: &Asked<'_>, call: String) {
        if asked.status() == 412 {
            self.refused.insert(call.clone());
        }
        if asked.is_unanswered() {
            self.unanswered.insert(call.clone());
            if asked.succeeded() {
                self.unheard.insert(call.clone());
            }
        }
        if let Some(at_ms) = asked.heard_ms() {
            self.heard.insert(call, (at_ms, asked.succeeded()));
        }
        let reply = asked.reply().map(|reply| reply.message.headers());
        let tag = reply.and_then(|headers| headers.first(Name::SipEtag));
        let seconds = reply.and_then(|headers| headers.seconds(Name::Expires));
        if let (Some(tag), Some(seconds), true) = (tag, seconds, asked.succeeded()) {
            let until = asked.answered_ms() + u64::from(seconds) * 1000;
            self.tags.insert(tag.to_owned(), until);
        }
    }
}

/// The user that a request is from.
pub(super) fn sender(request: &Request) -> String {
    request.from().map(|from| user(&from)).unwrap_or_default()
}

/// The user that a request is for.
pub(super) fn receiver(request: &Request) -> String {
    request.to().map(|to| user(&to)).unwrap_or_default()
}
