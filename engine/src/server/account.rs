//! One account: the unit of ownership, sharding and recovery.

use super::cx::Cx;
use super::hall::targets;
use super::pager::Inbox;
use super::presentity::{Devices, Presentity, contact_address};
use super::registrations::{Change, Registrations};
use super::{Config, Record};
use crate::message::Aor;

/// Everything the server keeps for one address of record.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Account {
    pub(crate) registrations: Registrations,
    pub(crate) presentity: Presentity,
    pub(crate) inbox: Inbox,
}

impl Account {
    /// An account with nothing in it. In a box: tables of accounts move their entries about.
    pub(crate) fn boxed(aor: &Aor) -> Box<Self> {
        Box::new(Self {
            registrations: Registrations::default(),
            presentity: Presentity::new(aor.clone()),
            inbox: Inbox::default(),
        })
    }

    /// Whether forgetting the account would lose nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.registrations.is_empty() && self.presentity.is_empty() && self.inbox.is_empty()
    }

    /// The only writer of durable state: hands a fact to the room that owns it.
    pub(crate) fn apply(&mut self, config: &Config, record: &Record) {
        self.registrations.apply(record);
        self.presentity.apply(config, record);
        self.inbox.apply(record);
    }

    /// Bindings came, moved or went: presence follows. If one was bound or renewed, stored
    /// messages are delivered.
    pub(crate) fn bindings_changed(&mut self, cx: &mut Cx<'_>, aor: &Aor, change: &Change) {
        if change.moved || !change.gone.is_empty() {
            self.presentity.on_devices(cx, self.devices());
        }
        if change.bound && !self.inbox.is_empty() {
            self.inbox.on_bound(cx, aor, &targets(self.registrations.live()));
        }
    }

    /// What the bindings say about the devices of the account.
    pub(crate) fn devices(&self) -> Devices {
        let mut addresses = Vec::with_capacity(self.registrations.len());
        for binding in self.registrations.live() {
            addresses.push(binding.peer.addr);
            addresses.extend(contact_address(&binding.contact));
        }
        addresses.sort_unstable();
        addresses.dedup();
        addresses.shrink_to_fit();
        Devices { registered: !addresses.is_empty(), addresses }
    }
}
