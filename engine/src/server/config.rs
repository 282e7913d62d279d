//! Everything the server is told and never changes by itself.

use crate::body::presrules::Handling;
use crate::digest::{Algorithm, Ha1, NonceKey, NonceLimits};
use crate::message::{Aor, Host, Uri, canonical_user};
use crate::mint::Secret;
use crate::transaction::Timing;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// Configuration of a server. Handed to every `handle`; may be replaced between two calls.
#[derive(Clone, Debug)]
pub struct Config {
    /// The one domain served; also the digest realm. Lower-case.
    pub domain: Box<str>,
    /// Our addresses as peers see them, by `Peer::listener`.
    pub listeners: Vec<Listener>,
    /// Key of derived ids; kept with the data.
    pub secret: Secret,
    /// Nonce key of this boot.
    pub nonce_key: NonceKey,
    /// K9 and algorithms.
    pub nonces: NonceLimits,
    /// Who may do what.
    pub authentication: Authentication,
    /// Accounts.
    pub users: Users,
    /// Policy for watchers without a decision.
    pub default_policy: Handling,
    /// K4.
    pub notify_gap: Duration,
    /// K1.
    pub timing: Timing,
    /// K2, K3, K5–K8, K10–K12, K19 and table sizes.
    pub limits: Limits,
    /// Serve clients that only accept `application/cpim-pidf+xml` (D23).
    pub legacy_cpim: bool,
    /// Tell those clients of offers without a secret in the paper's own elements, too (§6.2).
    pub legacy_cpim_elements: bool,
    /// Insert Record-Route into INVITE.
    pub record_route: bool,
}

impl Config {
    /// The listener a peer uses.
    pub fn listener(&self, peer: crate::machine::Peer) -> &Listener {
        self.listeners.get(usize::from(peer.listener)).unwrap_or(&self.listeners[0])
    }

    /// Whether a host and port name this server: the domain, or the address of a listener. A domain
    /// that is an address is meant where no port is given; other ports of it are other people's.
    pub fn is_ours(&self, host: Host<'_>, port: Option<u16>) -> bool {
        match host {
            Host::Name(name) if *name == *self.domain => true,
            Host::Name(name) if name.eq_ignore_ascii_case(&self.domain) => true,
            Host::Name(name) => self.listeners.iter().any(|one| one.names(name, port)),
            Host::Ip(ip) if port.is_none() && self.domain_address() == Some(ip) => true,
            Host::Ip(ip) => {
                let address = SocketAddr::new(ip, port.unwrap_or(5060));
                self.listeners.iter().any(|one| one.sent_by.parse() == Ok(address))
            }
        }
    }

    /// Whether a Via with this sent-by is one we write.
    pub(crate) fn is_sent_by(&self, sent_by: &str) -> bool {
        self.listeners.iter().any(|one| one.sent_by.eq_ignore_ascii_case(sent_by))
    }

    /// The domain as an address, where a laboratory does without a name.
    fn domain_address(&self) -> Option<IpAddr> {
        self.domain.trim_matches(['[', ']']).parse().ok()
    }

    /// The account a URI of ours names: the user part in our domain. Our contacts carry an
    /// address instead of the domain; they name the same account.
    pub fn local(&self, uri: &Uri<'_>) -> Option<Aor> {
        let user = uri.user.filter(|_| self.is_ours(uri.host, uri.port))?;
        Some(Aor::new(user, &self.domain))
    }
}

/// One of our addresses.
#[derive(Clone, Debug)]
pub struct Listener {
    /// Host and port for Via and Contact, e.g. `192.0.2.1:5060` or `[2001:db8::1]:5060`.
    pub sent_by: Box<str>,
}

impl Listener {
    fn names(&self, host: &str, port: Option<u16>) -> bool {
        let (name, number) = self.sent_by.rsplit_once(':').unwrap_or((&self.sent_by, "5060"));
        name.eq_ignore_ascii_case(host) && number.parse() == Ok(port.unwrap_or(5060))
    }
}

/// How callers prove who they are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Authentication {
    /// Digest, always.
    Digest,
    /// From is taken at its word (`--insecure-no-auth`, loopback only).
    None,
}

/// The accounts of the domain.
#[derive(Clone, Debug, Default)]
pub struct Users {
    /// By user name as a URI has it; see [`Users::insert`].
    pub named: BTreeMap<Box<str>, User>,
    /// `name = "*"`: every name exists, with this password.
    pub anyone: Option<Box<str>>,
    /// Every name exists (`--insecure-no-auth` without users).
    pub open: bool,
}

/// One account's password equivalents.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct User {
    /// `H(user:realm:password)` with SHA-256.
    pub sha256: Option<Ha1>,
    /// The same with MD5.
    pub md5: Option<Ha1>,
}

impl User {
    /// Both password equivalents of an account of `realm`.
    pub fn from_password(name: &str, realm: &str, password: &str) -> Self {
        let ha1 = |algorithm| Some(Ha1::of(algorithm, name, realm, password));
        Self { sha256: ha1(Algorithm::Sha256), md5: ha1(Algorithm::Md5) }
    }
}

impl Users {
    /// Enters an account under its plain name, which may have any letters but a colon (RFC 7616
    /// §4), and returns the one that had the name before.
    pub fn insert(&mut self, name: &str, user: User) -> Option<User> {
        self.named.insert(Self::key(name).into(), user)
    }

    /// The name as it stands in a URI.
    fn key(name: &str) -> Cow<'_, str> {
        let ascii = "a canonical user is ASCII";
        match canonical_user(name) {
            Cow::Borrowed(user) => Cow::Borrowed(std::str::from_utf8(user).expect(ascii)),
            Cow::Owned(user) => Cow::Owned(String::from_utf8(user).expect(ascii)),
        }
    }

    /// Whether the account exists.
    pub fn exists(&self, user: &str) -> bool {
        self.open || self.anyone.is_some() || self.named.contains_key(&*Self::key(user))
    }

    /// Whether `aor` is an account of `domain`.
    pub fn owns(&self, aor: &Aor, domain: &str) -> bool {
        aor.domain() == domain && self.exists(aor.user())
    }

    /// The account that a digest user name stands for in `domain`: phones send `alice` or
    /// `alice@domain`.
    pub fn account<'n>(name: &'n str, domain: &str) -> &'n str {
        match name.rsplit_once('@') {
            Some((user, host)) if host.eq_ignore_ascii_case(domain) => user,
            Some(_) | None => name,
        }
    }

    /// HA1 of a digest user name, as the client wrote it, for an algorithm. A stored HA1 was made
    /// with the plain name, so `alice@domain` only passes where a password is at hand.
    pub fn ha1(&self, name: &str, realm: &str, algorithm: Algorithm) -> Option<Cow<'_, Ha1>> {
        if let Some(found) = self.named.get(&*Self::key(Self::account(name, realm))) {
            return match algorithm {
                Algorithm::Sha256 => found.sha256.as_ref().map(Cow::Borrowed),
                Algorithm::Md5 => found.md5.as_ref().map(Cow::Borrowed),
            };
        }
        let password = self.anyone.as_deref()?;
        Some(Cow::Owned(Ha1::of(algorithm, name, realm, password)))
    }
}

/// Limits and durations by their K-numbers (behaviour §0.5).
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub struct Limits {
    /// K2, seconds.
    pub sub_default: u32,
    pub sub_min: u32,
    pub sub_max: u32,
    /// K3.
    pub expiry_grace: Duration,
    /// K5.
    pub giveup_pending: Duration,
    pub giveup_waiting: Duration,
    /// K6: undecided records of one watcher, and of one presentity.
    pub waiting_per_watcher: usize,
    pub waiting_per_presentity: usize,
    /// Live subscriptions of one presentity (both packages).
    pub subscriptions_per_presentity: usize,
    /// Subscriptions of one watcher to one presentity.
    pub subscriptions_per_watcher: usize,
    /// K7, seconds.
    pub reg_default: u32,
    pub reg_min: u32,
    pub reg_max: u32,
    /// Bindings of one AOR.
    pub bindings: usize,
    /// K8, seconds; the last for documents with a `ready` offer.
    pub pub_default: u32,
    pub pub_min: u32,
    pub pub_max: u32,
    pub pub_max_ready: u32,
    /// Publications of one presentity, and their size in bytes.
    pub publications: usize,
    pub publication_size: usize,
    /// K10, bytes of a whole MESSAGE request.
    pub message_size: usize,
    /// K11.
    pub offline_quota: usize,
    pub offline_ttl: Duration,
    /// K12.
    pub dedupe_ttl: Duration,
    /// K19 = 16·T1.
    pub msg_branch_timeout: Duration,
    /// Server transactions at once; more is answered 503.
    pub transactions: usize,
    /// New subscriptions of one user per second (R27).
    pub subscribe_rate: u32,
}

impl Default for Limits {
    fn default() -> Self {
        const DAY: u64 = 86_400;
        Self {
            sub_default: 3600,
            sub_min: 60,
            sub_max: 86_400,
            expiry_grace: Duration::from_secs(5),
            giveup_pending: Duration::from_secs(7 * DAY),
            giveup_waiting: Duration::from_secs(7 * DAY),
            waiting_per_watcher: 8,
            waiting_per_presentity: 1000,
            subscriptions_per_presentity: 100_000,
            subscriptions_per_watcher: 16,
            reg_default: 3600,
            reg_min: 60,
            reg_max: 7200,
            bindings: 16,
            pub_default: 3600,
            pub_min: 60,
            pub_max: 3600,
            pub_max_ready: 300,
            publications: 32,
            publication_size: 32_768,
            message_size: 1300,
            offline_quota: 100,
            offline_ttl: Duration::from_secs(7 * DAY),
            dedupe_ttl: Duration::from_secs(DAY),
            msg_branch_timeout: Duration::from_secs(8),
            transactions: 200_000,
            subscribe_rate: 10,
        }
    }
}

#[cfg(test)]
mod tests;
