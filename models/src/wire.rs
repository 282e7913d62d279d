//! The network: a set of letters under way. Whatever is on it can arrive next, so it reorders
//! freely. A retransmission of what is still under way adds nothing; copies have their own budget.

use crate::print::{mark, print};
use bytes::Bytes;
use presently_engine::Instant;
use presently_engine::agent::wire::{Check, Reply};
use presently_engine::message::{Headers, Message, Method, Name, Request, Response};
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
    pub content: Content,
    /// Its fingerprint: two letters with the same bytes between the same ends are one.
    pub print: u64,
    pub(crate) facts: Facts,
}

/// What a datagram says.
#[derive(Clone, Debug)]
pub enum Content {
    /// SIP, with the server at one end.
    Sip(Message),
    /// Something between media ports.
    Media(Media),
}

/// What goes from media port to media port. Media itself is left out: an engine never sees it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Media {
    /// A check or an answer to one (behaviour §6.5).
    Stun(Bytes),
    /// RTCP BYE: whose, and with which SRTP key it is proven, if with any.
    Bye {
        /// SSRC of its sender.
        ssrc: [u8; 4],
        /// Key.
        key: Option<[u8; 30]>,
    },
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

    /// Of a datagram between media ports: an answer to a check has a status, nothing else has.
    fn of_media(media: &Media) -> Self {
        let answer = match media {
            // Who answers is proven by the engine; here the status is all that counts.
            Media::Stun(bytes) => Reply::read(bytes, ""),
            Media::Bye { .. } => None,
        };
        Self {
            text: print(media, Instant::default()),
            call: 0,
            from_tag: 0,
            to_tag: 0,
            cseq: 0,
            method: Method::Other,
            status: answer.map_or(0, |reply| reply.outcome.err().unwrap_or(200)),
            is_winfo: false,
            terminates: false,
            slot: Slot::default(),
        }
    }
}

impl Letter {
    /// A letter with these bytes.
    pub(crate) fn new(from: SocketAddr, to: SocketAddr, bytes: Bytes) -> Arc<Self> {
        let print = print(&(from, to, &bytes), Instant::default());
        let message = Message::parse(bytes).expect("what the engine sends is valid SIP");
        let facts = Facts::of(&message);
        Arc::new(Self { from, to, content: Content::Sip(message), print, facts })
    }

    /// A letter between media ports.
    pub(crate) fn media(from: SocketAddr, to: SocketAddr, media: Media) -> Arc<Self> {
        let print = print(&(from, to, &media), Instant::default());
        let facts = Facts::of_media(&media);
        Arc::new(Self { from, to, content: Content::Media(media), print, facts })
    }

    /// What it says, if it is SIP.
    pub fn message(&self) -> Option<&Message> {
        match &self.content {
            Content::Sip(message) => Some(message),
            Content::Media(_) => None,
        }
    }

    /// The request, if it is one.
    pub(crate) fn request(&self) -> Option<&Request> {
        match self.message()? {
            Message::Request(request) => Some(request),
            Message::Response(_) => None,
        }
    }

    /// The response, if it is one.
    pub(crate) fn response(&self) -> Option<&Response> {
        match self.message()? {
            Message::Request(_) => None,
            Message::Response(response) => Some(response),
        }
    }

    /// Headers, if it is SIP.
    pub(crate) fn headers(&self) -> Option<&Headers> {
        self.message().map(|message| message.headers())
    }

    /// The first header of this name.
    pub(crate) fn header(&self, name: Name) -> Option<&str> {
        self.headers()?.first(name)
    }

    /// Whether it is an RTCP BYE. It is sent three times (behaviour §6.7), so within the bounds of
    /// these models it is not lost.
    pub(crate) fn is_bye(&self) -> bool {
        matches!(self.content, Content::Media(Media::Bye { .. }))
    }

    /// Whether it is a request of this method.
    pub(crate) fn asks(&self, method: Method) -> bool {
        self.facts.status == 0 && self.facts.method == method
    }

    /// The octets on the wire; of a BYE only what its reader makes of them.
    pub(crate) fn bytes(&self) -> &[u8] {
        match &self.content {
            Content::Sip(message) => message.headers().bytes(),
            Content::Media(Media::Stun(bytes)) => bytes,
            Content::Media(Media::Bye { ssrc, .. }) => ssrc,
        }
    }

    /// The letter as it is written, for people.
    pub(crate) fn text(&self) -> String {
        match &self.content {
            Content::Sip(message) => String::from_utf8_lossy(message.headers().bytes()).into(),
            Content::Media(media) => format!("{media:?}"),
        }
    }

    /// What it is, in the words of ladders and capsules.
    pub fn title(&self) -> String {
        match &self.content {
            Content::Sip(message) => crate::drawing::title(message),
            Content::Media(Media::Bye { .. }) => "RTCP BYE".to_owned(),
            Content::Media(Media::Stun(bytes)) => match (Check::read(bytes), self.facts.status) {
                (Some(_), _) => "check".to_owned(),
                (None, 200) => "success of a check".to_owned(),
                (None, status) => format!("{status} to a check"),
            },
        }
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
