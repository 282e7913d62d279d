//! What a device shows its user, folded from the events that it was told.

use crate::plan::Claim;
use presently::facts::user_of;
use presently_engine::agent::{Event, Package, SubscriptionPhase};
use presently_engine::body::pidf::{Basic, Mode, Pidf};
use presently_engine::body::winfo::Status;
use std::collections::BTreeMap;

/// The buddy list, the watcher list and the messages of one device.
#[derive(Clone, Default, Debug)]
pub(crate) struct View {
    registered: bool,
    documents: BTreeMap<String, Pidf>,
    subscriptions: BTreeMap<String, SubscriptionPhase>,
    /// Rows by resource and id: watcher and status.
    watchers: BTreeMap<(String, Box<str>), (String, Status)>,
    /// Media kinds by whose offer and tuple.
    offers: BTreeMap<(String, Box<str>), Box<str>>,
    messages: Vec<Box<str>>,
}

impl View {
    /// Takes the next event in.
    pub(crate) fn follow(&mut self, event: &Event) {
        match event {
            Event::Registered { .. } => self.registered = true,
            Event::RegisterFailed { .. } => self.registered = false,
            Event::LoggedOut => self.close(),
            Event::Presence { aor, document } => {
                self.documents.insert(aor.user().to_owned(), document.clone());
            }
            Event::Offer { aor, tuple, media, mode, .. } => {
                let key = (aor.user().to_owned(), tuple.clone());
                match mode {
                    Some(Mode::Ready | Mode::Busy) => self.offers.insert(key, media.clone()),
                    Some(Mode::Off) | None => self.offers.remove(&key),
                };
            }
            Event::Subscription { target, package, phase, .. } => {
                self.subscription(target.user(), *package, *phase);
            }
            Event::Watcher { resource, id, uri, status, .. } => {
                let key = (resource.user().to_owned(), id.clone());
                if *status == Status::Terminated {
                    self.watchers.remove(&key);
                } else {
                    self.watchers.insert(key, (user_of(uri).to_owned(), *status));
                }
            }
            Event::Message { text, .. } => self.messages.push(text.clone()),
            Event::ServerRestarted
            | Event::Published { .. }
            | Event::Decided { .. }
            | Event::MessageStatus { .. }
            | Event::Call { .. }
            | Event::Flow { .. }
            | Event::MediaPacket { .. }
            | Event::MediaBye { .. }
            | Event::Error { .. } => {}
        }
    }

    /// The program is gone, or its user has logged out: what is left is what was read.
    pub(crate) fn close(&mut self) {
        let messages = std::mem::take(&mut self.messages);
        *self = Self { messages, ..Self::default() };
    }

    /// What was known by a subscription is not known any more when it has ended.
    fn subscription(&mut self, target: &str, package: Package, phase: SubscriptionPhase) {
        let ended = phase == SubscriptionPhase::Terminated;
        match package {
            Package::Presence => {
                self.subscriptions.insert(target.to_owned(), phase);
                if ended {
                    self.documents.remove(target);
                }
            }
            Package::Winfo if ended => self.watchers.retain(|(whose, _), _| whose != target),
            Package::Winfo => {}
        }
    }

    /// Whether the view is as claimed.
    pub(crate) fn shows(&self, claim: &Claim) -> bool {
        match claim {
            Claim::Sees { whom, basic, note, .. } => {
                let (seen, said) = self.seen(whom);
                seen == basic && note.as_ref().is_none_or(|note| Some(note) == said.as_ref())
            }
            Claim::Subscribed { whom, state, .. } => self.subscribed(whom) == state,
            Claim::Watchers { owner, rows } => self.rows(&owner.user) == *rows,
            Claim::Offer { whom, media, .. } => {
                self.offers.iter().any(|((who, _), kind)| who == whom && **kind == **media)
            }
            Claim::Messages { text, count, .. } => self.count(text) == *count,
            Claim::Registered { registered, .. } => self.registered == *registered,
        }
    }

    /// The part of the view that a claim is about, in words.
    pub(crate) fn describe(&self, claim: &Claim) -> String {
        match claim {
            Claim::Sees { whom, .. } => match self.seen(whom) {
                (basic, Some(note)) => format!("sees {whom} {basic} “{note}”"),
                (basic, None) => format!("sees {whom} {basic}"),
            },
            Claim::Subscribed { whom, .. } => {
                format!("is {} at {whom}", self.subscribed(whom))
            }
            Claim::Watchers { owner, .. } => {
                let rows = self.rows(&owner.user);
                let rows = rows.iter().map(|(who, status)| format!("{who} {status}"));
                format!("has the watchers [{}]", rows.collect::<Vec<_>>().join(", "))
            }
            Claim::Offer { whom, .. } => {
                let theirs = self.offers.iter().filter(|((who, _), _)| who == whom);
                let kinds: Vec<&str> = theirs.map(|(_, kind)| &**kind).collect();
                format!("sees of {whom} the offers [{}]", kinds.join(", "))
            }
            Claim::Messages { text, .. } => {
                let others = self.messages.iter().filter(|message| ***message != **text).count();
                format!("has {} × “{text}” and {others} other messages", self.count(text))
            }
            Claim::Registered { .. } => {
                format!("is {}registered", if self.registered { "" } else { "not " })
            }
        }
    }

    /// Whether the device is registered as far as its user knows.
    pub(crate) fn is_registered(&self) -> bool {
        self.registered
    }

    /// The last document of somebody.
    pub(crate) fn document(&self, whom: &str) -> Option<&Pidf> {
        self.documents.get(whom)
    }

    /// Open, closed or nothing, and the first note.
    pub(crate) fn seen(&self, whom: &str) -> (&'static str, Option<String>) {
        let Some(document) = self.documents.get(whom) else { return ("nothing", None) };
        let note = document.tuples.iter().flat_map(|tuple| &tuple.notes).chain(&document.notes);
        let note = note.map(|note| note.text.to_string()).next();
        let mut states = document.tuples.iter().filter_map(|tuple| tuple.basic);
        let basic = match states.next() {
            None => "nothing",
            Some(Basic::Open) => "open",
            Some(Basic::Closed) if states.any(|basic| basic == Basic::Open) => "open",
            Some(Basic::Closed) => "closed",
        };
        (basic, note)
    }

    pub(crate) fn subscribed(&self, whom: &str) -> &'static str {
        match self.subscriptions.get(whom) {
            None => "none",
            Some(SubscriptionPhase::Trying) => "trying",
            Some(SubscriptionPhase::Pending) => "pending",
            Some(SubscriptionPhase::Active) => "active",
            Some(SubscriptionPhase::Terminated) => "terminated",
        }
    }

    pub(crate) fn rows(&self, owner: &str) -> Vec<(String, String)> {
        let ours = self.watchers.iter().filter(|((resource, _), _)| resource == owner);
        let mut rows: Vec<_> =
            ours.map(|(_, (who, status))| (who.clone(), status.as_str().to_owned())).collect();
        rows.sort();
        rows
    }

    fn count(&self, text: &str) -> usize {
        self.messages.iter().filter(|message| ***message == *text).count()
    }
}
