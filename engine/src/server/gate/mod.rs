//! The gate: who are you? Asked and answered before any state exists (D1, M1 steps 11 and 12).
//! Read RFC 3261 §22 and §8.2.7, and behaviour M7, D3, R71 before editing.
//!
//! Refusals here are stateless: no transaction is opened, and a copy of the request gets the same
//! To tag. All the gate remembers is what M7 requires (replay records of *proven* requests) and a
//! table of fixed size that slows down guessing.

mod failures;
#[cfg(test)]
pub(crate) mod fixture;

use super::{Authentication, Config, Event, Record, Users};
use crate::digest::{Nonces, Qop, Ruling, Terms, challenges};
use crate::machine::{Output, Peer};
use crate::message::{Aor, HeaderError, Method, Name, NameAddr, Reply, Request, Uri};
use crate::mint;
use crate::time::Instant;
use crate::transaction::ServerKey;
use failures::Failures;

/// Effects of the server, in order.
type Out = Vec<Output<Record, Event>>;

/// A caller whose identity is established.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Proven {
    /// The account.
    pub(crate) user: Aor,
    /// Authentication-Info for the 2xx, when due.
    pub(crate) info: Option<String>,
}

/// What the gate remembers.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct Gate {
    nonces: Nonces,
    failures: Failures,
}

/// One request before the gate.
struct Caller<'a> {
    config: &'a Config,
    now: Instant,
    from: Peer,
    request: &'a Request,
    /// Whether we stand in the way as a proxy (407) or are the user agent server (401).
    proxy: bool,
    minimum: Qop,
}

/// A stateless answer (RFC 3261 §8.2.7) to a request that is not let in. ACK gets none.
pub(crate) fn refuse(
    config: &Config,
    out: &mut Out,
    from: Peer,
    request: &Request,
    status: u16,
    headers: &[(Name, &str)],
) {
    let tag = stateless_tag(config, request);
    let mut reply = Reply::new(request, from.addr, status, mint::ascii(&tag));
    for (name, value) in headers {
        reply.header(*name, value);
    }
    send(out, from, request, reply);
}

fn stateless_tag(config: &Config, request: &Request) -> [u8; 16] {
    let key = ServerKey::of(&config.secret, request, request.method());
    super::to_tag(config, key).hex()
}

fn send(out: &mut Out, from: Peer, request: &Request, reply: Reply) {
    if request.method() == Method::Ack {
        return;
    }
    let status = reply.status();
    let to = Peer { addr: Reply::destination(request, from.addr), ..from };
    out.push(Output::Transmit { to, bytes: reply.into_writer().finish() });
    out.push(Output::Event(Event::answered(request, None, status, from)));
}

impl Gate {
    /// Lets a request in, or refuses it. Neither ACK nor CANCEL may come here: they cannot be
    /// challenged (RFC 3261 §22.1), and an ACK must not use up a nonce count (R68). `minimum` is
    /// [`Qop::AuthInt`] where D13 requires it, else [`Qop::Auth`].
    pub(crate) fn admit(
        &mut self,
        config: &Config,
        now: Instant,
        out: &mut Out,
        from: Peer,
        request: &Request,
        proxy: bool,
        minimum: Qop,
    ) -> Option<Proven> {
        let caller = Caller { config, now, from, request, proxy, minimum };
        let claimed = caller.account(request.from());
        let proven = match config.authentication {
            Authentication::None => caller.at_its_word(claimed.clone()),
            Authentication::Digest => Some(self.by_digest(&caller, out)?),
        };
        match proven {
            // D3: the request speaks for this user and for nobody else.
            Some(proven)
                if claimed.as_ref() == Some(&proven.user)
                    && caller.registers_itself(&proven.user) =>
            {
                Some(proven)
            }
            Some(_) | None => {
                caller.refuse(out, 403, &[]);
                None
            }
        }
    }

    /// Forgets what a deleted account did with its nonces (R72).
    pub(crate) fn forget(&mut self, config: &Config, account: &Aor) {
        self.nonces.forget(|name| account_of(config, name) == *account);
    }

    /// How many replay records there are.
    pub(crate) fn len(&self) -> usize {
        self.nonces.len()
    }

    /// `None`: refused, and dealt with.
    fn by_digest(&mut self, caller: &Caller<'_>, out: &mut Out) -> Option<Proven> {
        let is_ours = |uri: &Uri<'_>| caller.config.is_ours(uri.host, uri.port);
        let terms = caller.terms(&is_ours);
        let users = &caller.config.users;
        let lookup = |name: &str, algorithm| users.ha1(name, terms.realm, algorithm);
        match self.nonces.judge(&terms, caller.request, caller.proxy, &lookup) {
            Ruling::Accepted { user, info } => {
                Some(Proven { user: account_of(caller.config, &user), info })
            }
            Ruling::Challenge { stale } => {
                caller.challenge(out, stale);
                None
            }
            Ruling::Wrong { user } => {
                let secret = &caller.config.secret;
                let account = Users::account(&user, terms.realm);
                if self.failures.answers(secret, caller.now, caller.from.addr.ip(), account) {
                    caller.challenge(out, false);
                } else {
                    let why = "wrong credentials, again and again";
                    out.push(Output::Event(Event::Refused { from: caller.from, why }));
                }
                None
            }
            Ruling::Bad(why) => {
                let Caller { request, from, config, .. } = *caller;
                let tag = stateless_tag(config, request);
                let tag = mint::ascii(&tag);
                let reply = Reply::with_reason(request, from.addr, 400, why, tag);
                send(out, from, request, reply);
                None
            }
        }
    }
}

impl Caller<'_> {
    fn terms<'t>(&'t self, is_ours: &'t dyn Fn(&Uri<'_>) -> bool) -> Terms<'t> {
        Terms {
            is_ours,
            key: &self.config.nonce_key,
            limits: &self.config.nonces,
            now: self.now,
            realm: &self.config.domain,
            minimum: self.minimum,
        }
    }

    fn challenge(&self, out: &mut Out, stale: bool) {
        let (status, name) = match self.proxy {
            true => (407, Name::ProxyAuthenticate),
            false => (401, Name::WwwAuthenticate),
        };
        let challenges = challenges(&self.terms(&|_| false), stale, self.request);
        let headers: Vec<_> = challenges.iter().map(|value| (name, value.as_str())).collect();
        self.refuse(out, status, &headers);
    }

    fn refuse(&self, out: &mut Out, status: u16, headers: &[(Name, &str)]) {
        refuse(self.config, out, self.from, self.request, status, headers);
    }

    /// `--insecure-no-auth`: whoever From names, if it is one of ours.
    fn at_its_word(&self, claimed: Option<Aor>) -> Option<Proven> {
        let user = claimed?;
        let exists = self.config.users.exists(user.user());
        exists.then_some(Proven { user, info: None })
    }

    /// Whether a REGISTER is for its sender, whom From names, and not for somebody else.
    fn registers_itself(&self, user: &Aor) -> bool {
        let (from, to) = (self.request.from(), self.request.to());
        let same_text = matches!((from, to), (Ok(from), Ok(to)) if from.uri == to.uri);
        self.request.method() != Method::Register
            || same_text
            || self.account(to).is_some_and(|named| named == *user)
    }

    /// The account of ours that From or To names.
    fn account(&self, header: Result<NameAddr<'_>, HeaderError>) -> Option<Aor> {
        self.config.local(&Uri::parse(header.ok()?.uri).ok()?)
    }
}

fn account_of(config: &Config, name: &str) -> Aor {
    Aor::new(Users::account(name, &config.domain), &config.domain)
}

#[cfg(test)]
mod tests;
