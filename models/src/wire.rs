//! The network: a set of letters under way. Whatever is on it can arrive next, so it reorders
//! freely. A retransmission of what is still under way adds nothing; copies have their own budget.

use bytes::Bytes;
use presently_engine::Instant;
use presently_engine::message::{Message, Name};
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
}

impl Letter {
    /// A letter with these bytes.
    pub(crate) fn new(from: SocketAddr, to: SocketAddr, bytes: Bytes) -> Arc<Self> {
        let print = crate::print::print(&(from, to, &bytes), Instant::default());
        let message = Message::parse(bytes).expect("what the engine sends is valid SIP");
        Arc::new(Self { from, to, message, print })
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
