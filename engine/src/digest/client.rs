//! Client side of digest authentication: answers challenges, counts `nc` (M8). Read RFC 7616
//! §3.3–§3.5 and RFC 8760 §2.4 before editing.
//!
//! One client knows one realm, that of its server. It answers the topmost challenge it
//! understands, uses `auth-int` whenever that is offered, refuses what is weaker than its owner
//! allows, and never answers a refusal of credentials with the same password again.

use super::params::{Param, Scheme, Schemes, quote};
use super::{Algorithm, Ha1, Parts, Qop, response};
use crate::message::{Name, Response};
use crate::mint::{Id, Label, Secret};

/// How many requests may be on their way and still have their `rspauth` checked.
const REMEMBERED: usize = 8;

/// Why a challenge cannot be answered.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ClientError {
    /// No challenge for an algorithm we accept.
    Downgrade,
    /// The credentials just sent were refused and not for staleness.
    Refused,
    /// The challenge is unreadable.
    Syntax,
    /// Somebody else asks, for whom there is no password.
    Foreign,
}

/// What the client knows of one realm.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Client {
    state: State,
    /// Of the last challenge; outlives a failure, so that a restart is noticed all the same.
    opaque: Option<Box<str>>,
    proxy: bool,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
enum State {
    /// Never asked.
    #[default]
    NoChallenge,
    /// Asked; no request has used this nonce yet.
    Challenged(Challenge),
    /// Requests carry credentials without being asked.
    Ready(Challenge),
    /// Refused. Only a challenge to a request without credentials leads on.
    Failed,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Challenge {
    realm: Box<str>,
    nonce: Box<str>,
    algorithm: Algorithm,
    qop: Qop,
    /// Count of the last request.
    nc: u32,
    /// The latest requests, oldest first, to verify `rspauth` with.
    sent: Vec<Sent>,
}

/// A request that went out with credentials.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Sent {
    nc: u32,
    uri: Box<str>,
    ha1: Ha1,
    cnonce: Id,
}

impl Client {
    /// Takes a 401 or 407. `sent` says whether the refused request carried credentials of the
    /// current nonce. Ok: the request may be sent again with [`Client::authorize`].
    pub fn challenged(
        &mut self,
        response: &Response,
        minimum: Algorithm,
        sent: bool,
    ) -> Result<(), ClientError> {
        self.challenged_in(None, response, minimum, sent)
    }

    /// The same, where only challenges of `realm` count if that is given. Those of others change
    /// nothing: what was learned of our own server stays good.
    pub fn challenged_in(
        &mut self,
        realm: Option<&str>,
        response: &Response,
        minimum: Algorithm,
        sent: bool,
    ) -> Result<(), ClientError> {
        let chosen = choose(realm, response, minimum);
        if let Err(ClientError::Foreign) = chosen {
            return Err(ClientError::Foreign);
        }
        if let Ok(offer) = &chosen {
            self.opaque.clone_from(&offer.opaque);
            self.proxy = response.status() == 407;
        }
        let verdict = match chosen {
            Ok(offer) if sent && !offer.stale => Err(ClientError::Refused),
            Ok(offer) => Ok(offer.challenge),
            Err(error) => Err(error),
        };
        match verdict {
            Ok(challenge) => {
                self.state = State::Challenged(challenge);
                Ok(())
            }
            Err(error) => {
                self.state = State::Failed;
                Err(error)
            }
        }
    }

    /// The header value (Authorization or Proxy-Authorization) for a new request, `None` before
    /// the first challenge. Counts `nc`; call once per request, not per retransmission.
    /// `auth-int` is used whenever the server offers it.
    pub fn authorize(
        &mut self,
        secret: &Secret,
        user: &str,
        password: &str,
        method: &str,
        uri: &str,
        body: &[u8],
    ) -> Option<String> {
        let mut challenge = match std::mem::take(&mut self.state) {
            State::Challenged(challenge) | State::Ready(challenge) => challenge,
            unable @ (State::NoChallenge | State::Failed) => {
                self.state = unable;
                return None;
            }
        };
        let ha1 = Ha1::of(challenge.algorithm, user, &challenge.realm, password);
        let sent = challenge.count(secret, uri, ha1);
        let value = challenge.credentials(&sent, user, method, body, self.opaque.as_deref());
        challenge.remember(sent);
        self.state = State::Ready(challenge);
        Some(value)
    }

    /// The realm of the challenge that is answered now.
    pub fn realm(&self) -> Option<&str> {
        match &self.state {
            State::Challenged(challenge) | State::Ready(challenge) => Some(&challenge.realm),
            State::NoChallenge | State::Failed => None,
        }
    }

    /// Whether the last challenge was a 407.
    pub fn is_proxy(&self) -> bool {
        self.proxy
    }

    /// Takes `nextnonce` of a 2xx (Authentication-Info). Without effect if the answer carries an
    /// `rspauth` that does not prove knowledge of the password.
    pub fn succeeded(&mut self, response: &Response) {
        let State::Ready(challenge) = &mut self.state else { return };
        let Some(line) = response.first(Name::AuthenticationInfo) else { return };
        let Ok(info) = Scheme::bare(line) else { return };
        let proven = info.get(Param::RspAuth).is_none_or(|proof| {
            challenge.expected(&info, &response.body()).is_some_and(|right| right == *proof)
        });
        let next = info.get(Param::NextNonce).filter(|nonce| proven && !nonce.is_empty());
        if let Some(nonce) = next {
            challenge.nonce = nonce.into();
            challenge.nc = 0;
            challenge.sent.clear();
        }
    }

    /// The server's `opaque`, which is its boot id when the server is Presently (D21).
    pub fn opaque(&self) -> Option<&str> {
        self.opaque.as_deref()
    }
}

/// The `opaque` of a challenge that says that only the nonce was old (RFC 7616 §3.3).
pub fn opaque_of_stale(response: &Response) -> Option<Box<str>> {
    let offer = choose(None, response, Algorithm::Md5).ok().filter(|offer| offer.stale)?;
    offer.opaque
}

impl Challenge {
    fn count(&mut self, secret: &Secret, uri: &str, ha1: Ha1) -> Sent {
        self.nc = self.nc.saturating_add(1);
        let cause = [self.realm.as_bytes(), self.nonce.as_bytes(), &self.nc.to_be_bytes()];
        Sent { nc: self.nc, uri: uri.into(), ha1, cnonce: secret.derive64(Label::Cnonce, &cause) }
    }

    fn remember(&mut self, sent: Sent) {
        if self.sent.len() == REMEMBERED {
            self.sent.remove(0);
        }
        self.sent.push(sent);
    }

    fn credentials(
        &self,
        sent: &Sent,
        user: &str,
        method: &str,
        body: &[u8],
        opaque: Option<&str>,
    ) -> String {
        let proof = self.proof(sent, self.qop, method, body);
        let mut value = format!(
            "Digest username={}, realm={}, nonce={}, uri={}, response=\"{proof}\", algorithm={}",
            quote(user),
            quote(&self.realm),
            quote(&self.nonce),
            quote(&sent.uri),
            self.algorithm.as_str(),
        );
        if let Some(opaque) = opaque {
            value += &format!(", opaque={}", quote(opaque));
        }
        if self.qop != Qop::None {
            let (cnonce, qop, nc) = (sent.cnonce, self.qop.as_str(), sent.nc);
            value += &format!(", cnonce=\"{cnonce}\", qop={qop}, nc={nc:08x}");
        }
        value
    }

    fn proof(&self, sent: &Sent, qop: Qop, method: &str, body: &[u8]) -> String {
        let (nc, cnonce) = (format!("{:08x}", sent.nc), sent.cnonce.to_string());
        let (uri, nonce) = (&*sent.uri, &*self.nonce);
        let parts = Parts { method, uri, nonce, nc: &nc, cnonce: &cnonce, qop, body };
        response(self.algorithm, &sent.ha1, &parts)
    }

    /// The `rspauth` that an answer with this Authentication-Info and body must carry
    /// (RFC 7616 §3.5); `None` if it answers no request we remember.
    fn expected(&self, info: &Scheme<'_>, body: &[u8]) -> Option<String> {
        let nc = u32::from_str_radix(&info.get(Param::Nc)?, 16).ok()?;
        let qop = Qop::of(&info.get(Param::Qop)?)?;
        let sent = self.sent.iter().find(|sent| sent.nc == nc)?;
        let ours = info.get(Param::Cnonce)? == sent.cnonce.to_string();
        ours.then(|| self.proof(sent, qop, "", body))
    }
}

/// A challenge we can answer.
struct Offer {
    challenge: Challenge,
    opaque: Option<Box<str>>,
    stale: bool,
}

/// The topmost challenge, of `realm` if that is given, with an algorithm that is understood and
/// strong enough.
fn choose(
    realm: Option<&str>,
    response: &Response,
    minimum: Algorithm,
) -> Result<Offer, ClientError> {
    let is_foreign = |offer: &Offer| realm.is_some_and(|realm| *realm != *offer.challenge.realm);
    let name = match response.status() {
        407 => Name::ProxyAuthenticate,
        _ => Name::WwwAuthenticate,
    };
    let mut failure = None;
    for scheme in response.lines(name).flat_map(Schemes::of) {
        let offer = scheme.map_or(Err(ClientError::Syntax), |scheme| read(&scheme, minimum));
        match offer {
            Ok(offer) if is_foreign(&offer) => failure = failure.or(Some(ClientError::Foreign)),
            Ok(offer) => return Ok(offer),
            Err(error) => failure = failure.or(Some(error)),
        }
    }
    Err(failure.unwrap_or(ClientError::Syntax))
}

fn read(scheme: &Scheme<'_>, minimum: Algorithm) -> Result<Offer, ClientError> {
    if !scheme.is_digest() {
        return Err(ClientError::Downgrade);
    }
    let algorithm = scheme.get(Param::Algorithm);
    let algorithm = algorithm.map_or(Some(Algorithm::Md5), |token| Algorithm::of(&token));
    let algorithm = algorithm.filter(|algorithm| *algorithm >= minimum);
    let algorithm = algorithm.ok_or(ClientError::Downgrade)?;
    let qop = match scheme.get(Param::Qop) {
        Some(list) => list.split(',').filter_map(|qop| Qop::of(qop.trim())).max(),
        None => Some(Qop::None),
    };
    let challenge = Challenge {
        realm: scheme.get(Param::Realm).ok_or(ClientError::Syntax)?.into(),
        nonce: scheme.get(Param::Nonce).ok_or(ClientError::Syntax)?.into(),
        algorithm,
        qop: qop.ok_or(ClientError::Downgrade)?,
        nc: 0,
        sent: Vec::new(),
    };
    let stale = scheme.get(Param::Stale).is_some_and(|stale| stale.eq_ignore_ascii_case("true"));
    Ok(Offer { challenge, opaque: scheme.get(Param::Opaque).map(Into::into), stale })
}

#[cfg(test)]
mod tests;
