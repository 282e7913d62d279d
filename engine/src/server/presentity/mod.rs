//! The presentity: four tables with one owner.
//!
//! | paper | field | row |
//! |---|---|---|
//! | PIT | `information` | publications and the document they compose |
//! | PST | `subscriptions` | presence subscriptions |
//! | WT | `watchers` | who watches, in which state and why |
//! | WST | `winfo` | watcher-information subscriptions |
//!
//! The tables do not know each other. Every durable change goes through [`Presentity::commit`],
//! which is `apply` plus a [`Record`]; recovery is `apply` alone. Notification is level-triggered:
//! a change marks who is owed something, `settle` pays, and content is built when it is sent.

mod decide;
mod end;
mod information;
mod notify;
mod outbox;
mod publish;
mod rows;
mod rules;
mod subscribe;
mod subscribe_winfo;
mod subscriptions;
mod view;
mod watchers;

pub use rows::{Package, PublicationRow, SubscriptionRow, WaitingRow};

pub(crate) use information::Devices;
pub(crate) use notify::Answer;

use super::Config;
use super::cx::Cx;
use super::record::Record;
use crate::body::winfo::{Cause, Status};
use crate::message::{Aor, Host, NameAddr, Uri};
use crate::mint::Id;
use information::Information;
use outbox::Urgency;
use rules::Rules;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use subscriptions::{Subscription, Subscriptions};
use watchers::{Watcher, Watchers};

/// Everything one account shows, and to whom.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Presentity {
    aor: Aor,
    information: Information,
    subscriptions: Subscriptions,
    watchers: Watchers,
    winfo: Subscriptions,
    rules: Rules,
    /// Winfo subscriptions that are owed a document; empty between inputs.
    owed_winfo: BTreeMap<Id, Urgency>,
    /// Watcher rows that changed and may be due for freeing; empty between inputs.
    touched: Vec<Id>,
}

/// The address a contact URI names, if it names one.
pub(crate) fn contact_address(contact: &str) -> Option<SocketAddr> {
    let uri = Uri::parse(NameAddr::parse(contact).map_or(contact, |address| address.uri)).ok()?;
    match uri.host {
        Host::Ip(ip) => Some(SocketAddr::new(ip, uri.port.unwrap_or(5060))),
        Host::Name(_) => None,
    }
}

impl Presentity {
    /// A presentity that nobody knows anything about yet.
    pub(crate) fn new(aor: Aor) -> Self {
        Self {
            aor,
            information: Information::default(),
            subscriptions: Subscriptions::default(),
            watchers: Watchers::default(),
            winfo: Subscriptions::default(),
            rules: Rules::default(),
            owed_winfo: BTreeMap::new(),
            touched: Vec::new(),
        }
    }

    /// Whether nothing at all is kept here.
    pub(crate) fn is_empty(&self) -> bool {
        self.information.len() == 0
            && self.subscriptions.len() == 0
            && self.watchers.len() == 0
            && self.winfo.len() == 0
            && self.rules.is_empty()
    }

    fn table(&self, package: Package) -> &Subscriptions {
        match package {
            Package::Presence => &self.subscriptions,
            Package::Winfo => &self.winfo,
        }
    }

    fn table_mut(&mut self, package: Package) -> &mut Subscriptions {
        match package {
            Package::Presence => &mut self.subscriptions,
            Package::Winfo => &mut self.winfo,
        }
    }

    /// Whether one more subscription of `watcher` would be too many.
    fn is_full(&self, config: &Config, package: Package, watcher: &Aor) -> bool {
        let (limits, table) = (&config.limits, self.table(package));
        table.len() >= limits.subscriptions_per_presentity
            || table.of(watcher).count() >= limits.subscriptions_per_watcher
    }

    /// Applies a fact and makes it durable.
    fn commit(&mut self, cx: &mut Cx<'_>, record: Record) {
        self.apply(cx.config, &record);
        cx.record(record);
    }

    /// The only writer of durable state, living and recovering alike.
    pub(crate) fn apply(&mut self, config: &Config, record: &Record) {
        match record {
            Record::Published(_, etag, row) => self.information.insert(*etag, row.clone()),
            Record::Withdrawn(_, etag) => self.information.remove(*etag),
            Record::Subscribed(_, id, row) => self.apply_subscribed(config, *id, row),
            Record::Ended(_, id, cause) => self.apply_ended(*id, *cause),
            Record::Waiting(_, id, row) => self.apply_waiting(*id, row),
            Record::Released(_, id, cause) => self.apply_released(*id, *cause),
            Record::Decided(_, watcher, verdict) => {
                self.rules.set(watcher, *verdict);
                self.refresh_views(config, watcher);
            }
            Record::Ruled(_, etag) => self.rules.etag = Some(*etag),
            Record::Unruled(_) => self.rules.etag = None,
            Record::Bound(..) | Record::Unbound(..) | Record::Kept(..) | Record::Delivered(..) => {}
        }
    }

    fn apply_subscribed(&mut self, config: &Config, id: Id, row: &SubscriptionRow) {
        let view = self.view_of(config, &row.watcher, row.active);
        let mut kept = row.clone();
        self.aor.share(&mut kept.dialog.local_uri);
        row.watcher.share(&mut kept.dialog.remote_uri);
        let table = self.table_mut(row.package);
        match table.get_mut(id) {
            Some(known) => {
                // The dialog's own CSeq and version run ahead of what is stored.
                let (cseq, version) = (known.row.dialog.local_cseq, known.row.next_version);
                known.row = kept;
                known.row.dialog.local_cseq = cseq;
                known.row.next_version = version;
                known.view = view;
            }
            None => table.insert(id, Subscription::new(kept, view)),
        }
        if row.package == Package::Presence {
            self.apply_watcher(id, row);
        }
    }

    fn apply_watcher(&mut self, id: Id, row: &SubscriptionRow) {
        let status = if row.active { Status::Active } else { Status::Pending };
        let before = self.watchers.get(row.watcher_id).map(|known| (known.status, known.cause));
        let watcher = Watcher {
            aor: row.watcher.clone(),
            status,
            cause: row.cause,
            display_name: row.display_name.clone(),
            event_id: row.event_id.clone(),
            since: row.since,
            until: row.expires,
            subscription: Some(id),
            reported: 0,
        };
        self.watchers.set(row.watcher_id, watcher);
        if before != Some((status, row.cause)) {
            self.mark_watcher(row.watcher_id, &row.watcher);
        }
    }

    fn apply_ended(&mut self, id: Id, cause: Cause) {
        if let Some(ended) = self.subscriptions.get_mut(id) {
            ended.ending = Some(cause);
            let (watcher_id, watcher) = (ended.row.watcher_id, ended.row.watcher.clone());
            self.watchers.terminate(watcher_id, cause);
            self.mark_watcher(watcher_id, &watcher);
        } else if let Some(ended) = self.winfo.get_mut(id) {
            ended.ending = Some(cause);
        }
    }

    fn apply_waiting(&mut self, id: Id, row: &WaitingRow) {
        let watcher = Watcher {
            aor: row.watcher.clone(),
            status: Status::Waiting,
            cause: Cause::Timeout,
            display_name: row.display_name.clone(),
            event_id: row.event_id.clone(),
            since: row.since,
            until: row.giveup,
            subscription: None,
            reported: 0,
        };
        self.watchers.set(id, watcher);
        self.mark_watcher(id, &row.watcher);
    }

    fn apply_released(&mut self, id: Id, cause: Cause) {
        if let Some(watcher) = self.watchers.get(id).map(|row| row.aor.clone()) {
            self.watchers.terminate(id, cause);
            self.mark_watcher(id, &watcher);
        }
    }

    /// A watcher row changed: note it for every winfo subscriber that may see it (M16, D9).
    fn mark_watcher(&mut self, id: Id, watcher: &Aor) {
        self.touched.push(id);
        let mut seers: Vec<Id> = self.winfo.of(&self.aor).collect();
        if *watcher != self.aor {
            seers.extend(self.winfo.of(watcher));
        }
        for seer in seers {
            if let Some(told) = self.winfo.get_mut(seer).and_then(|row| row.told.as_mut()) {
                told.changed.insert(id);
                self.owed_winfo.entry(seer).or_insert(Urgency::Paced);
            }
        }
    }
}
