//! The record, read once: every datagram as a message, every NOTIFY of the server as a value.

use super::decisions::Decisions;
use super::exchanges::Exchanges;
use super::lives::Lives;
use super::media::Media;
use crate::plan::{DeviceName, Party, Plan};
use crate::record::{Fate, Record, What};
use crate::server;
use bytes::Bytes;
use presently_engine::agent::{Event, SubscriptionPhase};
use presently_engine::message::{Message, Method, Name, NameAddr, Request, Response, Uri};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

/// Who put a datagram on the network.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Origin {
    /// The server.
    Server,
    /// A device, whatever its translator made of its address.
    Device,
    /// Somebody who forges.
    Stranger,
}

/// A datagram that is a message.
pub(crate) struct Letter {
    pub(crate) at_ms: u64,
    /// When it arrived whole.
    pub(crate) arrived_ms: Option<u64>,
    /// What became of it.
    pub(crate) fate: Fate,
    pub(crate) from: SocketAddr,
    pub(crate) to: SocketAddr,
    pub(crate) origin: Origin,
    pub(crate) bytes: Bytes,
    pub(crate) message: Message,
    /// The branch of the topmost Via.
    pub(crate) branch: String,
    /// Not sent by its origin before.
    pub(crate) is_new: bool,
}

impl Letter {
    /// Whether it arrived, whole or not.
    pub(crate) fn has_arrived(&self) -> bool {
        matches!(self.fate, Fate::Arrives { .. })
    }

    /// Whether it is a second copy, which nobody sent.
    pub(crate) fn is_copy(&self) -> bool {
        matches!(self.fate, Fate::Arrives { copy: true, .. })
    }

    pub(crate) fn request(&self) -> Option<&Request> {
        match &self.message {
            Message::Request(request) => Some(request),
            Message::Response(_) => None,
        }
    }

    pub(crate) fn response(&self) -> Option<&Response> {
        match &self.message {
            Message::Response(response) => Some(response),
            Message::Request(_) => None,
        }
    }

    /// CSeq number and method.
    pub(crate) fn cseq(&self) -> (u32, String) {
        let cseq = self.message.headers().cseq();
        cseq.map_or((0, String::new()), |cseq| (cseq.number, cseq.method.to_owned()))
    }
}

/// The dialog of a NOTIFY: Call-ID, the server's tag, the watcher's tag.
pub(crate) type DialogId = (String, String, String);

/// `Subscription-State`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Phase {
    Pending,
    Active,
    Terminated,
}

/// A new NOTIFY of the server, not a copy.
pub(crate) struct Notify {
    pub(crate) at_ms: u64,
    /// Which letter it is.
    pub(crate) place: usize,
    pub(crate) dialog: DialogId,
    pub(crate) owner: String,
    pub(crate) watcher: String,
    pub(crate) winfo: bool,
    pub(crate) cseq: u32,
    pub(crate) phase: Phase,
    pub(crate) reason: Option<String>,
    /// How many seconds are left.
    pub(crate) expires: Option<u32>,
    pub(crate) body: Bytes,
    /// How often the server had started when it was sent.
    pub(crate) boot: usize,
}

/// All that the properties look at.
pub(crate) struct Evidence<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) record: &'a Record,
    pub(crate) letters: Vec<Letter>,
    pub(crate) exchanges: Exchanges,
    owners: BTreeMap<SocketAddr, &'a DeviceName>,
    told: BTreeMap<&'a DeviceName, Vec<(u64, &'a Event)>>,
    pub(crate) notifies: Vec<Notify>,
    pub(crate) lives: Lives,
    pub(crate) decisions: Decisions,
    pub(crate) media: Media<'a>,
    /// Whether the network changed an octet of anything.
    pub(crate) corrupted: bool,
}

impl<'a> Evidence<'a> {
    pub(crate) fn new(plan: &'a Plan, record: &'a Record) -> Self {
        let lives = Lives::new(plan, record);
        let letters = letters(record);
        let corrupted = record.entries.iter().any(|entry| {
            let What::Datagram { fate, .. } = &entry.what else { return false };
            matches!(fate, Fate::Arrives { corrupted: true, .. })
        });
        let places = letters.iter().enumerate();
        let notifies = places.filter_map(|(place, letter)| notify(place, letter, &lives)).collect();
        let decisions = Decisions::new(plan, record, &lives);
        let exchanges = Exchanges::new(&letters);
        let owners = record.addresses.iter().filter_map(|(party, address)| match party {
            Party::Device(name) => Some((*address, name)),
            Party::Server => None,
        });
        let owners = owners.collect();
        let mut told: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (at_ms, device, event) in record.told() {
            told.entry(device).or_default().push((at_ms, event));
        }
        Self {
            plan,
            record,
            letters,
            exchanges,
            owners,
            told,
            notifies,
            lives,
            decisions,
            media: Media::new(record),
            corrupted,
        }
    }

    /// Whose address it is.
    pub(crate) fn device(&self, address: SocketAddr) -> Option<&'a DeviceName> {
        self.owners.get(&address).copied()
    }

    /// Whether whoever sent a letter runs through a time, stays logged in, and is told of no end
    /// and no new beginning.
    pub(crate) fn goes_on(&self, letter: &Letter, from_ms: u64, until_ms: u64) -> bool {
        self.device(letter.from).is_some_and(|device| {
            let life = self.lives.of(device, from_ms);
            life.is_some_and(|life| life.from_ms <= letter.at_ms)
                && self.is_undisturbed(device, from_ms, until_ms)
        })
    }

    /// The same of a device.
    pub(crate) fn is_undisturbed(&self, device: &DeviceName, from_ms: u64, until_ms: u64) -> bool {
        let runs = self.lives.of(device, from_ms).is_some_and(|life| {
            life.until_ms.is_none_or(|until| until > until_ms)
                && life.left_ms.is_none_or(|left| left > until_ms)
        });
        let mut told = self.told_since(device, from_ms);
        let told = told.any(|(at_ms, event)| {
            let new = match event {
                Event::ServerRestarted | Event::LoggedOut | Event::RegisterFailed { .. } => true,
                Event::Subscription { phase, .. } => {
                    matches!(phase, SubscriptionPhase::Trying | SubscriptionPhase::Terminated)
                }
                _ => false,
            };
            new && at_ms <= until_ms
        });
        runs && !told && until_ms < self.record.ended_ms && !self.lives.clock_is_odd()
    }

    /// Whether the watcher of a NOTIFY ends, or may end, its subscription by some moment: a
    /// SUBSCRIBE with Expires 0 is under way.
    pub(crate) fn leaves(&self, notify: &Notify, by_ms: u64) -> bool {
        self.letters.iter().any(|letter| {
            letter.at_ms <= by_ms
                && letter.request().is_some_and(|request| {
                    request.method() == Method::Subscribe
                        && request.call_id().is_ok_and(|call| call == notify.dialog.0)
                        && request.seconds(Name::Expires) == Some(0)
                })
        })
    }

    /// What a device's user was told from a moment on.
    pub(crate) fn told_since<'b>(
        &'b self,
        device: &'b DeviceName,
        since_ms: u64,
    ) -> impl Iterator<Item = (u64, &'b Event)> {
        let theirs = self.told.get(device).map_or(&[][..], |told| told);
        let first = theirs.partition_point(|(at_ms, _)| *at_ms < since_ms);
        theirs[first..].iter().copied()
    }

    /// New requests of an origin that passes.
    pub(crate) fn requests(
        &self,
        from: impl Fn(Origin) -> bool,
    ) -> impl Iterator<Item = (&Letter, &Request)> {
        let new = self.letters.iter().filter(move |letter| letter.is_new && from(letter.origin));
        new.filter_map(|letter| Some((letter, letter.request()?)))
    }
}

/// The user of a From or To.
pub(crate) fn user(address: &NameAddr<'_>) -> String {
    let user = Uri::parse(address.uri).ok().and_then(|uri| uri.user.map(ToString::to_string));
    user.unwrap_or_default()
}

fn letters(record: &Record) -> Vec<Letter> {
    let mut seen = BTreeSet::new();
    let of = |entry: &crate::record::Entry| match &entry.what {
        What::Datagram { from, to, bytes, fate } => {
            Some((entry.at_ms, (*from, *to), bytes.clone(), *fate))
        }
        What::Told { .. } | What::Stream { .. } | What::Step(_) | What::Trouble { .. } => None,
    };
    let mut letters = Vec::new();
    for (at_ms, (from, to), bytes, fate) in record.entries.iter().filter_map(of) {
        let Ok(message) = Message::parse(bytes.clone()) else { continue };
        let branch = message.headers().via().ok().and_then(|via| via.branch.map(str::to_owned));
        let mut letter = Letter {
            at_ms,
            arrived_ms: match fate {
                Fate::Arrives { after_ms, corrupted: false, .. } => Some(at_ms + after_ms),
                Fate::Arrives { .. }
                | Fate::Lost
                | Fate::Cut
                | Fate::TooLarge
                | Fate::NobodyThere => None,
            },
            fate,
            from,
            to,
            origin: origin(from),
            bytes,
            message,
            branch: branch.unwrap_or_default(),
            is_new: false,
        };
        let status = letter.response().map(Response::status);
        letter.is_new = seen.insert((letter.origin, letter.branch.clone(), status, letter.cseq()));
        letters.push(letter);
    }
    letters
}

fn origin(from: SocketAddr) -> Origin {
    match from {
        from if from == server::ADDRESS => Origin::Server,
        from if crate::world::is_stranger(from) => Origin::Stranger,
        _ => Origin::Device,
    }
}

fn notify(place: usize, letter: &Letter, lives: &Lives) -> Option<Notify> {
    let request = letter.request().filter(|request| {
        letter.is_new && letter.origin == Origin::Server && request.method() == Method::Notify
    })?;
    let (from, to) = (request.from().ok()?, request.to().ok()?);
    let state = request.subscription_state()?;
    Some(Notify {
        at_ms: letter.at_ms,
        place,
        dialog: (
            request.call_id().ok()?.to_owned(),
            from.tag().unwrap_or_default().to_owned(),
            to.tag().unwrap_or_default().to_owned(),
        ),
        owner: user(&from),
        watcher: user(&to),
        winfo: request.event()?.package == "presence.winfo",
        cseq: letter.cseq().0,
        phase: match state.state {
            "active" => Phase::Active,
            "pending" => Phase::Pending,
            _ => Phase::Terminated,
        },
        reason: state.reason.map(str::to_owned),
        expires: state.expires,
        body: request.body(),
        boot: lives.boots_by(letter.at_ms),
    })
}
