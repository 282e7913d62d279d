//! What the agent knows, as plain data for whoever shows it. Reading changes nothing.

use super::types::{Package, SubscriptionPhase};
use super::{Agent, publication, registration, winfo};
use crate::body::pidf::{Basic, Mode, Pidf};
use crate::body::presrules::Rules;
use crate::body::winfo::{Cause, Status};
use crate::message::Aor;
use crate::time::Instant;

/// A view of the whole agent at one moment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tables {
    /// Seconds our binding is still good for; `None` if there is none.
    pub registered: Option<u32>,
    /// Own presence.
    pub own: OwnRow,
    /// Everybody we watch, in order of address.
    pub buddies: Vec<BuddyRow>,
    /// Everybody who watches, as our watcher-information subscriptions say.
    pub watchers: Vec<WatcherRow>,
    /// Offers of others.
    pub offers: Vec<OfferRow>,
    /// The owner's decisions as far as this device knows them.
    pub rules: Rules,
}

/// Own presence.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OwnRow {
    /// Open or closed, once the user said so.
    pub basic: Option<Basic>,
    /// Free text.
    pub note: Option<Box<str>>,
    /// Entity-tag of the publication, while it is up.
    pub etag: Option<Box<str>>,
    /// Seconds the publication is still good for.
    pub expires: Option<u32>,
    /// Media kind, port and wanted readiness of each own offer.
    pub offers: Vec<(Box<str>, u16, Mode)>,
}

/// One subscription of ours.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BuddyRow {
    /// Whom we watch.
    pub target: Aor,
    /// Which package.
    pub package: Package,
    /// State.
    pub phase: SubscriptionPhase,
    /// Seconds left.
    pub expires: Option<u32>,
    /// The last document, for presence.
    pub document: Option<Pidf>,
}

/// One row of the paper's WT, as a consumer sees it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WatcherRow {
    /// The watched resource.
    pub resource: Box<str>,
    /// Row id.
    pub id: Box<str>,
    /// The watcher.
    pub watcher: Box<str>,
    /// Status.
    pub status: Status,
    /// Cause.
    pub event: Cause,
    /// Display name, untrusted.
    pub display_name: Option<Box<str>>,
}

/// One offer of somebody we watch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OfferRow {
    /// Whose.
    pub aor: Aor,
    /// Tuple id.
    pub tuple: Box<str>,
    /// Media kind.
    pub media: Box<str>,
    /// Address and port to check, if usable.
    pub address: Option<Box<str>>,
    /// Codecs in order.
    pub codecs: Vec<Box<str>>,
    /// Readiness after rule X3.
    pub mode: Mode,
}

/// How much the agent keeps, for limits and leak tests.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Sizes {
    /// Server and client transactions.
    pub transactions: (usize, usize),
    /// Requests without a final answer.
    pub exchanges: usize,
    /// Armed timers beside those of transactions.
    pub timers: usize,
    /// Subscriptions, whatever their state.
    pub subscriptions: usize,
    /// Offers of others.
    pub offers: usize,
    /// Messages that wait or are on their way.
    pub outbox: usize,
    /// Messages remembered as shown.
    pub shown: usize,
    /// Decisions that wait.
    pub decisions: usize,
    /// Calls, up to the answer to BYE.
    pub calls: usize,
    /// Direct flows, both ways.
    pub flows: usize,
}

impl Agent {
    /// What the agent knows at `now`.
    pub fn tables(&self, now: Instant) -> Tables {
        let left = |until: Instant| until.seconds_since(now);
        let registered = match self.registration.state {
            registration::State::Off => None,
            _ => self.registration.bound_until.filter(|until| *until > now).map(left),
        };
        Tables {
            registered,
            own: self.own_row(now),
            buddies: self.buddy_rows(now),
            watchers: self.watcher_rows(),
            offers: self.offer_rows(),
            rules: self.decisions.rules.clone(),
        }
    }

    /// How much the agent keeps.
    pub fn sizes(&self) -> Sizes {
        Sizes {
            transactions: self.core.transactions.len(),
            exchanges: self.core.exchanges.len(),
            timers: self.core.timers.len(),
            subscriptions: self.subscriptions.usages.len(),
            offers: self.subscriptions.offers.len(),
            outbox: self.outbox.len(),
            shown: self.inbox.len(),
            decisions: self.decisions.len(),
            calls: self.calls.len(),
            flows: self.direct.len(),
        }
    }

    fn own_row(&self, now: Instant) -> OwnRow {
        let own = &self.publication.own;
        let published = match &self.publication.state {
            publication::State::Pub { etag, until } => Some((etag, until)),
            _ => None,
        };
        let offers = own.offers.iter();
        OwnRow {
            basic: own.presence.as_ref().map(|(basic, _)| *basic),
            note: own.presence.as_ref().and_then(|(_, note)| note.clone()),
            etag: published.map(|(etag, _)| etag.clone()),
            expires: published.map(|(_, until)| until.seconds_since(now)),
            offers: offers.map(|(media, own)| (media.clone(), own.port, own.mode)).collect(),
        }
    }

    fn buddy_rows(&self, now: Instant) -> Vec<BuddyRow> {
        let usages = self.subscriptions.usages.values();
        let mut rows: Vec<_> = usages
            .map(|usage| BuddyRow {
                target: usage.target.clone(),
                package: usage.package,
                phase: usage.phase(),
                expires: usage.deadline().map(|deadline| deadline.seconds_since(now)),
                document: usage.document.clone(),
            })
            .collect();
        rows.sort_by(|a, b| (&a.target, a.package).cmp(&(&b.target, b.package)));
        rows
    }

    fn watcher_rows(&self) -> Vec<WatcherRow> {
        let views = self.subscriptions.usages.values().map(|usage| &usage.view);
        let rows = views.flat_map(|view| &view.rows);
        let row = |((resource, id), row): (&(Box<str>, Box<str>), &winfo::Row)| WatcherRow {
            resource: resource.clone(),
            id: id.clone(),
            watcher: row.uri.clone(),
            status: row.status,
            event: row.cause,
            display_name: row.name.clone(),
        };
        rows.map(row).collect()
    }

    fn offer_rows(&self) -> Vec<OfferRow> {
        let offers = self.subscriptions.offers.iter();
        offers
            .map(|(aor, tuple, known)| OfferRow {
                aor: aor.clone(),
                tuple: tuple.into(),
                media: known.offer.media.clone(),
                address: known.address.clone(),
                codecs: known.offer.codecs.iter().map(|codec| codec.rtpmap.clone()).collect(),
                mode: known.mode,
            })
            .collect()
    }
}
