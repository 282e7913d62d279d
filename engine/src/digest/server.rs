//! Server side of digest authentication: ask, and judge what comes back (M7). Read RFC 3261 §22,
//! RFC 7616 §3.4–§3.5 and RFC 8760 §2.6 before editing.
//!
//! The checks of [`Nonces::judge`] run in the order of M7. A digest is computed even where the
//! nonce is already known to be worthless, because only its owner may learn that the nonce, and
//! not the password, was the fault (`stale`). Nothing is stored unless the ruling is
//! [`Ruling::Accepted`]. Basic is never offered and never accepted.

use super::hash::response_hash;
use super::nonce::Nonce;
use super::params::{Param, Scheme, Schemes};
use super::replay::Use;
use super::{Algorithm, Ha1, NonceKey, Nonces, Parts, Qop, response};
use crate::message::{Method, Name, Request, Uri};
use crate::time::Instant;
use std::borrow::Cow;
use std::time::Duration;
use subtle::ConstantTimeEq;

/// K9 and the algorithms on offer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NonceLimits {
    /// How long a nonce is good for.
    pub life: Duration,
    /// How far `nc` may lag behind (at most 64).
    pub window: u32,
    /// Most replay records.
    pub table: usize,
    /// Whether SHA-256 is offered. Off only for clients of RFC 2617 that read nothing but the first
    /// challenge.
    pub sha256: bool,
    /// Whether MD5 is offered, after SHA-256.
    pub md5: bool,
    /// Whether a response without qop is accepted (each nonce then serves one request).
    pub legacy_no_qop: bool,
}

impl Default for NonceLimits {
    fn default() -> Self {
        Self {
            life: Duration::from_secs(300),
            window: 64,
            table: 65_536,
            sha256: true,
            md5: true,
            legacy_no_qop: false,
        }
    }
}

impl NonceLimits {
    /// What is offered, strongest first.
    fn algorithms(&self) -> &'static [Algorithm] {
        match (self.sha256, self.md5) {
            (true, true) => &[Algorithm::Sha256, Algorithm::Md5],
            (_, false) => &[Algorithm::Sha256],
            (false, true) => &[Algorithm::Md5],
        }
    }
}

/// The circumstances under which a server asks and judges.
#[derive(Clone, Copy)]
pub struct Terms<'a> {
    /// The nonce key of this boot.
    pub key: &'a NonceKey,
    /// K9 and the algorithms on offer.
    pub limits: &'a NonceLimits,
    /// The present.
    pub now: Instant,
    /// Our realm.
    pub realm: &'a str,
    /// The least quality of protection; [`Qop::AuthInt`] where D13 requires it.
    pub minimum: Qop,
    /// Whether a URI names this server.
    pub is_ours: &'a dyn Fn(&Uri<'_>) -> bool,
}

/// What the digest of a request is worth.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ruling {
    /// Proven.
    Accepted {
        /// The digest user name, as the client wrote it.
        user: Box<str>,
        /// Value of Authentication-Info, when the nonce is past half of its life.
        info: Option<String>,
    },
    /// Ask (again).
    Challenge {
        /// Value of the `stale` parameter: the password was right, only the nonce was not.
        stale: bool,
    },
    /// Ask again: the digest was wrong, or nobody has this name. Tells which name, so that
    /// guesses can be counted (R71).
    Wrong {
        /// The digest user name, as the client wrote it.
        user: Box<str>,
    },
    /// The credentials are unusable: 400, with this reason.
    Bad(&'static str),
}

/// The values of WWW-Authenticate (or Proxy-Authenticate), one per algorithm, strongest first.
/// The order of `qop` says nothing (RFC 7616 §3.3), but there are phones that read its first word
/// alone and know `auth` only, so that comes first. `cause` is the request they answer; it tells
/// apart nonces issued in the same millisecond.
pub fn challenges(terms: &Terms<'_>, stale: bool, cause: &Request) -> Vec<String> {
    let nonce = terms.key.issue(terms.now, terms.realm, cause);
    let (realm, boot) = (terms.realm, terms.key.boot());
    let qop = match terms.minimum {
        Qop::None | Qop::Auth => "auth,auth-int",
        Qop::AuthInt => "auth-int",
    };
    let stale = if stale { ", stale=true" } else { "" };
    let challenge = |algorithm: &Algorithm| {
        let algorithm = algorithm.as_str();
        format!(
            "Digest realm=\"{realm}\", nonce=\"{nonce}\", opaque=\"{boot:016x}\", \
             algorithm={algorithm}, qop=\"{qop}\"{stale}"
        )
    };
    terms.limits.algorithms().iter().map(challenge).collect()
}

impl Nonces {
    /// Judges the credentials of `request`, which must be neither ACK nor CANCEL. `lookup` gives
    /// the HA1 of a user for an algorithm. A proxy's credentials are preferred in the proxy role
    /// and the user agent server's in the other, but clients mix them and both count.
    pub fn judge<'u>(
        &mut self,
        terms: &Terms<'_>,
        request: &Request,
        proxy: bool,
        lookup: &dyn Fn(&str, Algorithm) -> Option<Cow<'u, Ha1>>,
    ) -> Ruling {
        let credentials = match Credentials::of(request, terms.realm, proxy) {
            Ok(Some(credentials)) => credentials,
            Ok(None) => return Ruling::Challenge { stale: false },
            Err(why) => return Ruling::Bad(why),
        };
        let offered = terms.limits.algorithms();
        let Some(algorithm) = credentials.algorithm.filter(|asked| offered.contains(asked)) else {
            return Ruling::Challenge { stale: false };
        };
        let nonce = terms.key.open(&credentials.nonce, terms.realm);
        let ha1 = lookup(&credentials.user, algorithm);
        let known = ha1.is_some();
        let ha1 = ha1.unwrap_or_else(|| Cow::Owned(Ha1::dummy(algorithm)));
        if !credentials.prove(algorithm, &ha1) || !known {
            return Ruling::Wrong { user: credentials.user.into() };
        }
        match nonce.filter(|nonce| terms.age(*nonce) <= terms.life()) {
            Some(nonce) => self.rule(terms, nonce, &credentials, algorithm, &ha1),
            None => Ruling::Challenge { stale: true },
        }
    }

    /// The checks after the digest: it is right, and the nonce is ours and young.
    fn rule(
        &mut self,
        terms: &Terms<'_>,
        nonce: Nonce,
        credentials: &Credentials<'_>,
        algorithm: Algorithm,
        ha1: &Ha1,
    ) -> Ruling {
        if !terms.covers(&credentials.uri, credentials.request) {
            return Ruling::Bad("digest uri is not the Request-URI");
        }
        if !terms.accepts(credentials.qop) {
            // `stale` spares the user a password prompt where `auth` was used and `auth-int` is
            // due; without any qop it would send an old client round in circles.
            return Ruling::Challenge { stale: credentials.qop != Qop::None };
        }
        let used = Use { user: &credentials.user, algorithm, nc: credentials.count };
        let expired = terms.key.uptime(terms.now).saturating_sub(terms.life());
        let NonceLimits { window, table, .. } = *terms.limits;
        if !self.spend(nonce, &used, window, table, expired) {
            return Ruling::Challenge { stale: true };
        }
        let old = terms.age(nonce) > terms.life() / 2;
        let info = old.then(|| terms.info(credentials, algorithm, ha1));
        Ruling::Accepted { user: (&*credentials.user).into(), info }
    }
}

impl Terms<'_> {
    fn life(&self) -> u64 {
        u64::try_from(self.limits.life.as_millis()).unwrap_or(u64::MAX)
    }

    fn age(&self, nonce: Nonce) -> u64 {
        self.key.uptime(self.now).saturating_sub(nonce.t)
    }

    fn accepts(&self, qop: Qop) -> bool {
        match qop {
            Qop::None => self.limits.legacy_no_qop && self.minimum <= Qop::Auth,
            Qop::Auth | Qop::AuthInt => qop >= self.minimum,
        }
    }

    /// The value of Authentication-Info (RFC 7616 §3.5). `rspauth` covers the body of our answer:
    /// as a user agent server we send none with a 2xx; as a proxy we do not know it, and leave
    /// `rspauth` out.
    fn info(&self, credentials: &Credentials<'_>, algorithm: Algorithm, ha1: &Ha1) -> String {
        let next = self.key.issue(self.now, self.realm, credentials.request);
        let mut info = format!("nextnonce=\"{next}\"");
        if !credentials.proxy && credentials.qop != Qop::None {
            let parts = Parts { method: "", ..credentials.parts(&[]) };
            let proof = response(algorithm, ha1, &parts);
            let (qop, cnonce) =
                (credentials.qop.as_str(), super::params::quote(&credentials.cnonce));
            let nc = &credentials.nc;
            info += &format!(", qop={qop}, rspauth=\"{proof}\", cnonce={cnonce}, nc={nc}");
        }
        info
    }
}

impl Terms<'_> {
    /// Whether the digest's `uri` stands for what the request asks for: the Request-URI, or an
    /// equivalent one. A registrar has many names, and SIPp always takes its address: REGISTER is
    /// routed by To, so any name of ours is as good (RFC 8760 §2.6 item 6).
    fn covers(&self, claimed: &str, request: &Request) -> bool {
        if claimed == request.uri() {
            return true;
        }
        let (Ok(claimed), Ok(asked)) = (Uri::parse(claimed), Uri::parse(request.uri())) else {
            return false;
        };
        claimed.equivalent(&asked)
            || (request.method() == Method::Register
                && claimed.user.is_none()
                && (self.is_ours)(&claimed))
    }
}

/// Credentials for our realm (RFC 7616 §3.4).
struct Credentials<'a> {
    request: &'a Request,
    /// Whether we judge them as a proxy.
    proxy: bool,
    user: Cow<'a, str>,
    nonce: Cow<'a, str>,
    uri: Cow<'a, str>,
    response: Cow<'a, str>,
    /// `None`: one we do not know.
    algorithm: Option<Algorithm>,
    qop: Qop,
    nc: Cow<'a, str>,
    /// The value of `nc`, with a qop only.
    count: Option<u32>,
    cnonce: Cow<'a, str>,
}

impl<'a> Credentials<'a> {
    /// The first digest credentials for `realm`; other schemes and realms are not our business.
    fn of(request: &'a Request, realm: &str, proxy: bool) -> Result<Option<Self>, &'static str> {
        let [first, second] = match proxy {
            true => [Name::ProxyAuthorization, Name::Authorization],
            false => [Name::Authorization, Name::ProxyAuthorization],
        };
        for line in request.lines(first).chain(request.lines(second)) {
            for scheme in Schemes::of(line) {
                let scheme = scheme.map_err(|_| "unreadable credentials")?;
                if scheme.is_digest()
                    && scheme.get(Param::Realm).ok_or("digest without realm")? == realm
                {
                    return Self::read(request, proxy, &scheme);
                }
            }
        }
        Ok(None)
    }

    /// An empty nonce or response is how a client announces its name before the first challenge
    /// (RFC 8760 §2.7), and counts as no credentials.
    fn read(
        request: &'a Request,
        proxy: bool,
        scheme: &Scheme<'a>,
    ) -> Result<Option<Self>, &'static str> {
        if scheme.has(Param::Username) && scheme.has(Param::UsernameExtended) {
            return Err("digest with two usernames");
        }
        let algorithm = scheme.get(Param::Algorithm);
        let qop = match scheme.get(Param::Qop) {
            Some(qop) => Qop::of(&qop).ok_or("digest with unknown qop")?,
            None => Qop::None,
        };
        let mut credentials = Self {
            request,
            proxy,
            user: scheme.get(Param::Username).ok_or("digest without username")?,
            nonce: scheme.get(Param::Nonce).ok_or("digest without nonce")?,
            uri: scheme.get(Param::Uri).ok_or("digest without uri")?,
            response: scheme.get(Param::Response).ok_or("digest without response")?,
            algorithm: algorithm.map_or(Some(Algorithm::Md5), |token| Algorithm::of(&token)),
            qop,
            nc: Cow::Borrowed(""),
            count: None,
            cnonce: Cow::Borrowed(""),
        };
        if credentials.nonce.is_empty() || credentials.response.is_empty() {
            return Ok(None);
        }
        if qop != Qop::None {
            credentials.nc = scheme.get(Param::Nc).ok_or("digest without nc")?;
            credentials.count = Some(count(&credentials.nc).ok_or("nc is not 8 hex digits")?);
            credentials.cnonce = scheme.get(Param::Cnonce).ok_or("digest without cnonce")?;
        }
        Ok(Some(credentials))
    }

    fn parts<'p>(&'p self, body: &'p [u8]) -> Parts<'p> {
        Parts {
            method: self.request.method_text(),
            uri: &self.uri,
            nonce: &self.nonce,
            nc: &self.nc,
            cnonce: &self.cnonce,
            qop: self.qop,
            body,
        }
    }

    /// Whether the response is the one that `ha1` gives; takes the same time either way.
    fn prove(&self, algorithm: Algorithm, ha1: &Ha1) -> bool {
        let body = self.request.body();
        let right = response_hash(algorithm, ha1, &self.parts(&body)).hex();
        let right = right.as_bytes();
        // Hex digits are lower-case by the grammar, upper-case in some phones.
        let mut claimed = [0; 64];
        let Some(claimed) = claimed.get_mut(..self.response.len()) else { return false };
        claimed.copy_from_slice(self.response.as_bytes());
        claimed.make_ascii_lowercase();
        right.ct_eq(claimed).into()
    }
}

fn count(nc: &str) -> Option<u32> {
    let digits = nc.len() == 8 && nc.bytes().all(|octet| octet.is_ascii_hexdigit());
    digits.then(|| u32::from_str_radix(nc, 16).ok()).flatten()
}

#[cfg(test)]
mod tests;
