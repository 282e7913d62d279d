//! What a device shows its user, folded from the events that it was told.

use crate::plan::Claim;
use presently::facts::user_of;
use presently_engine::agent::{
    CallId, CallPhase, Event, FlowId, FlowPhase, Package, SubscriptionPhase, Way,
};
use presently_engine::body::pidf::{Basic, Mode, Pidf};
use presently_engine::body::winfo::Status;
use presently_net::media::Id;
use std::collections::{BTreeMap, BTreeSet};

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
    /// Whom calls that are up are with.
    calls: BTreeMap<CallId, String>,
    /// Whom direct flows are with that come to us.
    flows: BTreeMap<FlowId, String>,
    /// Streams that are played.
    played: BTreeSet<Id>,
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
            Event::Call { call, peer, phase, .. } => self.call(*call, peer, *phase),
            Event::Flow { flow, peer, way: Way::In, phase, .. } => {
                self.flow(*flow, peer.user(), *phase);
            }
            Event::ServerRestarted
            | Event::Published { .. }
            | Event::Decided { .. }
            | Event::MessageStatus { .. }
            | Event::Flow { way: Way::Out, .. }
            | Event::MediaPacket { .. }
            | Event::MediaWelcome { .. }
            | Event::MediaBye { .. }
            | Event::Error { .. } => {}
        }
    }

    fn call(&mut self, call: CallId, peer: &str, phase: CallPhase) {
        match phase {
            CallPhase::Up => drop(self.calls.insert(call, user_of(peer).to_owned())),
            CallPhase::Ended => {
                self.calls.remove(&call);
                self.played.retain(|name| !matches!(name, Id::Call(of, _) if *of == call));
            }
            CallPhase::Calling | CallPhase::Ringing | CallPhase::Incoming => {}
        }
    }

    fn flow(&mut self, flow: FlowId, peer: &str, phase: FlowPhase) {
        match phase {
            FlowPhase::Streaming => drop(self.flows.insert(flow, peer.to_owned())),
            FlowPhase::Stopped => {
                self.flows.remove(&flow);
                self.played.remove(&Id::Direct(flow));
            }
            FlowPhase::Checking => {}
        }
    }

    /// The first packet of a stream was sent or played.
    pub(crate) fn streams(&mut self, name: Id, played: bool) {
        if played {
            self.played.insert(name);
        }
    }

    /// Who is heard just now.
    fn heard(&self) -> Vec<&str> {
        let of = |name: &Id| match name {
            Id::Call(call, _) => self.calls.get(call),
            Id::Direct(flow) => self.flows.get(flow),
        };
        let mut all: Vec<&str> = self.played.iter().filter_map(of).map(String::as_str).collect();
        all.dedup();
        all
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
            Claim::Hears { whom, .. } => self.heard().contains(&&**whom),
            Claim::Calls { whom, .. } => self.calls.values().any(|with| with == whom),
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
            Claim::Hears { .. } => format!("hears [{}]", self.heard().join(", ")),
            Claim::Calls { .. } => {
                let with: Vec<&str> = self.calls.values().map(String::as_str).collect();
                format!("is in calls with [{}]", with.join(", "))
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
