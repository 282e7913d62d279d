//! The network: a set of letters under way. Whatever is on it can arrive next, so it reorders
//! freely. A retransmission of what is still under way adds nothing; copies have their own budget.

use crate::print::{mark, print};
use bytes::Bytes;
use presently_engine::Instant;
use presently_engine::message::{Message, Method, Name};
use presently_engine::slot::Slot;
use std::hash::{Hash, Hasher};
use std::net::SocketAddr;
use std::sync::Arc;

/// One datagram.
#[derive(Clone, Debug)]
pub struct Letter {
    /// Who sent it.
    pub from: SocketAddr,
    /// To whom.
    pub to: SocketAddr,
    /// What it says.
    pub message: Message,
    /// Its fingerprint: two letters with the same bytes between the same ends are one.
    pub print: u64,
    pub(crate) facts: Facts,
}

/// What onlookers ask of a letter again and again, read once. Texts are [`mark`]s.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Facts {
    /// Fingerprint of the text alone.
    pub(crate) text: u64,
    pub(crate) call: u64,
    pub(crate) from_tag: u64,
    /// Zero if there is none.
    pub(crate) to_tag: u64,
    pub(crate) cseq: u32,
    /// Of the request, or of the one that is answered.
    pub(crate) method: Method,
    /// Zero for requests.
    pub(crate) status: u16,
    pub(crate) is_winfo: bool,
    /// A NOTIFY that ends its subscription.
    pub(crate) terminates: bool,
    /// The shard that gets it.
    pub(crate) slot: Slot,
}

impl Facts {
    fn of(message: &Message) -> Self {
        let headers = message.headers();
        let (method, status) = match message {
            Message::Request(request) => (request.method(), 0),
            Message::Response(response) => (
                response.cseq().map_or(Method::Other, |it| Method::of(it.method)),
                response.status(),
            ),
        };
        let tag = |tag: Option<&str>| tag.map_or(0, mark);
        Self {
            text: print(headers.bytes(), Instant::default()),
            call: headers.call_id().map_or(0, mark),
            from_tag: tag(headers.from().ok().and_then(|from| from.tag())),
            to_tag: tag(headers.to().ok().and_then(|to| to.tag())),
            cseq: headers.cseq().map_or(0, |cseq| cseq.number),
            method,
            status,
            is_winfo: headers.event().is_some_and(|event| event.package == "presence.winfo"),
            terminates: headers.subscription_state().is_some_and(|it| it.state == "terminated"),
            slot: Slot::route(message),
        }
    }
}

impl Letter {
    /// A letter with these bytes.
    pub(crate) fn new(from: SocketAddr, to: SocketAddr, bytes: Bytes) -> Arc<Self> {
        let print = print(&(from, to, &bytes), Instant::default());
        let message = Message::parse(bytes).expect("what the engine sends is valid SIP");
        let facts = Facts::of(&message);
        Arc::new(Self { from, to, message, print, facts })
    }

    /// Whether it is a request of this method.
    pub(crate) fn asks(&self, method: Method) -> bool {
        self.facts.status == 0 && self.facts.method == method
    }

    /// The first line and what else tells it from others, for ladders.
    pub fn title(&self) -> String {
        let headers = self.message.headers();
        let cseq = headers.first(Name::CSeq).unwrap_or("");
        let mut title = match &self.message {
            Message::Request(request) => {
                let event = request.event().map(|event| format!(" [{}]", event.package));
                format!("{}{}", request.method_text(), event.unwrap_or_default())
            }
            Message::Response(response) => {
                format!("{} {}", response.status(), response.reason())
            }
        };
        title.push_str(&format!(" (CSeq {cseq}"));
        for (label, name) in [
            ("; ", Name::SubscriptionState),
            ("; Expires ", Name::Expires),
            ("; ETag ", Name::SipEtag),
        ] {
            if let Some(value) = headers.first(name) {
                title.push_str(&format!("{label}{value}"));
            }
        }
        title.push(')');
        title
    }
}

/// What tells two networks apart.
impl Hash for Wire {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_usize(self.letters.len());
        for (letter, copies) in &self.letters {
            state.write_u64(letter.print);
            state.write_u8(*copies);
        }
    }
}

/// Letters under way and how many copies of each, in the order of their fingerprints.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wire {
    letters: Vec<(Arc<Letter>, u8)>,
}

impl Wire {
    fn place(&self, print: u64) -> Result<usize, usize> {
        self.letters.binary_search_by_key(&print, |(letter, _)| letter.print)
    }

    /// Puts a letter on its way, unless the same one is under way already.
    pub(crate) fn put(&mut self, letter: Arc<Letter>) {
        if let Err(place) = self.place(letter.print) {
            self.letters.insert(place, (letter, 1));
        }
    }

    /// Puts a letter on its way beside others like it; more than two of them are two.
    pub(crate) fn add(&mut self, letter: Arc<Letter>) {
        match self.place(letter.print) {
            Ok(place) => self.letters[place].1 = 2,
            Err(place) => self.letters.insert(place, (letter, 1)),
        }
    }

    /// Takes one copy of a letter off.
    pub(crate) fn take(&mut self, print: u64) -> Option<Arc<Letter>> {
        let place = self.place(print).ok()?;
        let (letter, copies) = &mut self.letters[place];
        *copies -= 1;
        let taken = Arc::clone(letter);
        if *copies == 0 {
            self.letters.remove(place);
        }
        Some(taken)
    }

    /// Takes a copy of the first letter off.
    pub(crate) fn take_first(&mut self) -> Option<Arc<Letter>> {
        let (letter, _) = self.letters.first()?;
        self.take(letter.print)
    }

    /// The network copies a letter, once.
    pub(crate) fn copy(&mut self, print: u64) -> bool {
        match self.place(print) {
            Ok(place) if self.letters[place].1 == 1 => {
                self.letters[place].1 = 2;
                true
            }
            Ok(_) | Err(_) => false,
        }
    }

    /// Loses every letter from or to `end`.
    pub(crate) fn cut(&mut self, end: SocketAddr) {
        self.letters.retain(|(letter, _)| letter.from != end && letter.to != end);
    }

    /// Everything under way, with the number of copies.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Arc<Letter>, u8)> {
        self.letters.iter().map(|(letter, copies)| (letter, *copies))
    }

    /// Whether nothing is under way.
    pub(crate) fn is_empty(&self) -> bool {
        self.letters.is_empty()
    }

    /// What tells two networks apart.
    pub(crate) fn prints(&self) -> impl Iterator<Item = (u64, u8)> {
        self.letters.iter().map(|(letter, copies)| (letter.print, *copies))
    }
}
