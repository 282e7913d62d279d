//! Requests with their answers, and the credentials that they carry.

use super::evidence::{Letter, Origin};
use presently_engine::message::{Headers, Method, Name, Request};
use std::collections::BTreeMap;

/// The branch of a request and what it is; its answer has the same.
pub(crate) type Transaction = (String, u32, String);

pub(crate) fn transaction(letter: &Letter) -> Transaction {
    let (number, method) = letter.cseq();
    (letter.branch.clone(), number, method)
}

/// A request, all its copies and all that was answered; letters by their place in the record.
#[derive(Default)]
pub(crate) struct Exchange {
    pub(crate) asked: Vec<usize>,
    pub(crate) answered: Vec<usize>,
}

/// Every exchange of a run.
pub(crate) struct Exchanges {
    all: Vec<Exchange>,
    /// Which exchange a letter belongs to.
    of: Vec<usize>,
}

impl Exchanges {
    pub(crate) fn new(letters: &[Letter]) -> Self {
        let mut keys: BTreeMap<Transaction, usize> = BTreeMap::new();
        let mut exchanges = Self { all: Vec::new(), of: Vec::with_capacity(letters.len()) };
        for (place, letter) in letters.iter().enumerate() {
            let next = exchanges.all.len();
            let number = *keys.entry(transaction(letter)).or_insert(next);
            if number == next {
                exchanges.all.push(Exchange::default());
            }
            let exchange = &mut exchanges.all[number];
            match letter.request() {
                Some(_) => exchange.asked.push(place),
                None => exchange.answered.push(place),
            }
            exchanges.of.push(number);
        }
        exchanges
    }

    /// The exchange that the letter at a place belongs to.
    pub(crate) fn of(&self, place: usize) -> &Exchange {
        &self.all[self.of[place]]
    }

    /// Every exchange whose request was seen, with that request as it was sent first.
    pub(crate) fn asked<'a>(
        &'a self,
        letters: &'a [Letter],
    ) -> impl Iterator<Item = (&'a Exchange, &'a Letter, &'a Request)> {
        self.all.iter().filter_map(|exchange| {
            let letter = &letters[*exchange.asked.first()?];
            Some((exchange, letter, letter.request()?))
        })
    }
}

impl Exchange {
    /// The first final answer: its place and its status.
    pub(crate) fn answer(&self, letters: &[Letter]) -> Option<(usize, u16)> {
        let mut answers = self.answered.iter().map(|place| (*place, status(&letters[*place])));
        answers.find(|(_, status)| *status >= 200)
    }

    /// Where the first success stands.
    pub(crate) fn success(&self, letters: &[Letter]) -> Option<usize> {
        self.answer(letters).filter(|(_, status)| *status < 300).map(|(place, _)| place)
    }

    /// When whoever asked had a final answer, and which.
    pub(crate) fn heard(&self, letters: &[Letter]) -> Option<(u64, u16)> {
        let heard = self.answered.iter().filter_map(|place| {
            let letter = &letters[*place];
            Some((letter.arrived_ms?, status(letter)))
        });
        heard.filter(|(_, status)| *status >= 200).min()
    }

    /// When the request arrived at first.
    pub(crate) fn arrived(&self, letters: &[Letter]) -> Option<u64> {
        self.asked.iter().filter_map(|place| letters[*place].arrived_ms).min()
    }
}

fn status(letter: &Letter) -> u16 {
    letter.response().map_or(0, |response| response.status())
}

/// What `Authorization` or `Proxy-Authorization` says.
pub(crate) struct Credentials<'a> {
    pub(crate) user: &'a str,
    pub(crate) nonce: &'a str,
    pub(crate) count: &'a str,
    pub(crate) qop: &'a str,
}

impl<'a> Credentials<'a> {
    pub(crate) fn of(request: &'a Request) -> Option<Self> {
        let line = request
            .first(Name::Authorization)
            .or_else(|| request.first(Name::ProxyAuthorization))?;
        Some(Self {
            user: param(line, "username")?,
            nonce: param(line, "nonce")?,
            count: param(line, "nc").unwrap_or_default(),
            qop: param(line, "qop").unwrap_or_default(),
        })
    }
}

/// A parameter of a challenge or of credentials, without its quotes.
pub(crate) fn param<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let mut rest = line;
    loop {
        let at = rest.find(name)?;
        let free = rest[..at].ends_with([' ', ',']) || at == 0;
        rest = &rest[at + name.len()..];
        let Some(value) = rest.strip_prefix('=').filter(|_| free) else { continue };
        return Some(match value.strip_prefix('"') {
            Some(quoted) => quoted.split('"').next().unwrap_or_default(),
            None => value.split([',', ' ']).next().unwrap_or_default(),
        });
    }
}

/// The nonces that a response gives away: in its challenges, or for the next request.
pub(crate) fn nonces(response: &Headers) -> impl Iterator<Item = &str> {
    let challenges = [Name::WwwAuthenticate, Name::ProxyAuthenticate].into_iter();
    let challenges = challenges.flat_map(|name| response.lines(name));
    let next = response.first(Name::AuthenticationInfo).into_iter();
    let next = next.filter_map(|line| param(line, "nextnonce"));
    challenges.filter_map(|line| param(line, "nonce")).chain(next)
}

/// Whether a letter is a request that a user's device makes of the server.
pub(crate) fn is_asked_of_server(letter: &Letter) -> bool {
    let methods = [Method::Register, Method::Subscribe, Method::Publish, Method::Message];
    letter.origin != Origin::Server
        && letter.request().is_some_and(|request| methods.contains(&request.method()))
}
