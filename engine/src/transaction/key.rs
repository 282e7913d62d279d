//! Names of transactions. Read RFC 3261 §17.1.3, §17.2.3 and §8.2.2.2 first.
//!
//! No name contains a string: a key costs the same whatever a peer puts into its branch.

use crate::message::{Host, Method, Name, Request, Via};
use crate::mint::{Id, Label, Secret};
use crate::slot::Slot;
use std::borrow::Cow;
use std::fmt;
use std::ops::RangeInclusive;

/// What a branch starts with that is unique by RFC 3261 §8.1.1.7.
const COOKIE: &str = "z9hG4bK";

const DEFAULT_PORT: u16 = 5060;

/// Our Via branch: the cookie, the slot that owns the transaction, 64 derived bits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Branch {
    /// Which shard gets the responses.
    pub slot: Slot,
    /// Unguessable part.
    pub id: Id,
}

impl Branch {
    /// How long a branch of ours is.
    pub const LEN: usize = COOKIE.len() + 3 + 16;

    /// Reads a branch of ours: `z9hG4bK`, 3 hex digits of slot, 16 of id, all in lower case.
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix(COOKIE)?;
        let (slot, id) = rest.split_at_checked(3)?;
        if !slot.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')) {
            return None;
        }
        let slot = u16::from_str_radix(slot, 16).ok()?;
        Some(Self { slot: Slot(slot), id: Id::parse(id)? })
    }

    /// The branch as it goes over the wire, in ASCII.
    pub fn ascii(self) -> [u8; Self::LEN] {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = [0; Self::LEN];
        let (cookie, rest) = text.split_at_mut(COOKIE.len());
        let (slot, id) = rest.split_at_mut(3);
        cookie.copy_from_slice(COOKIE.as_bytes());
        for (i, digit) in slot.iter_mut().enumerate() {
            *digit = DIGITS[usize::from(self.slot.0 >> (8 - 4 * i) & 15)];
        }
        id.copy_from_slice(&self.id.hex());
        text
    }
}

impl fmt::Display for Branch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(crate::mint::ascii(&self.ascii()))
    }
}

/// Which server transaction a request belongs to, as two keyed hashes.
///
/// Two requests have the same key if both halves agree. That is what RFC 3261 §17.2.3 asks for,
/// and more: a request that reuses the branch of an unrelated one is a new request, not a copy.
/// CANCEL and ACK share both halves with their INVITE (§9.1, §17.1.1.3).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ServerKey {
    /// What the request is: From tag, Call-ID, CSeq, with INVITE for ACK. Coming first, it makes
    /// copies of one request that took different paths neighbours (RFC 3261 §8.2.2.2).
    request: u64,
    /// The way it came: branch and sent-by; without the cookie the whole top Via and Request-URI.
    path: u64,
}

impl ServerKey {
    /// The key of `request`, taken for a request with method `method` (ACK stands for INVITE).
    pub(crate) fn of(secret: &Secret, request: &Request, method: Method) -> Self {
        let method = match method {
            Method::Ack => Method::Invite.as_str(),
            Method::Other => request.method_text(),
            known => known.as_str(),
        };
        let tag = request.from().ok().and_then(|from| from.tag()).unwrap_or("");
        let call_id = request.call_id().unwrap_or("");
        let number = request.cseq().map_or(0, |cseq| cseq.number);
        let parts =
            [tag.as_bytes(), call_id.as_bytes(), &number.to_be_bytes()[..], method.as_bytes()];
        let Id(identity) = secret.derive64(Label::Merged, &parts);
        Self { request: identity, path: path(secret, request) }
    }

    /// The key as one number in the same order.
    pub(crate) fn number(self) -> u128 {
        let mut octets = [0; 16];
        octets[..8].copy_from_slice(&self.request.to_be_bytes());
        octets[8..].copy_from_slice(&self.path.to_be_bytes());
        u128::from_be_bytes(octets)
    }

    /// Every key that the same request can have, whichever way it comes.
    pub(crate) fn same_request(self) -> RangeInclusive<Self> {
        Self { path: u64::MIN, ..self }..=Self { path: u64::MAX, ..self }
    }
}

fn path(secret: &Secret, request: &Request) -> u64 {
    let via = request.via().ok();
    let Id(path) = match via.and_then(|via| Some((via, unique_branch(&via)?))) {
        Some((via, branch)) => path_by_branch(secret, &via, branch),
        None => {
            let via = request.list(Name::Via).next().unwrap_or("");
            secret.derive64(Label::Transaction, &[request.uri().as_bytes(), via.as_bytes()])
        }
    };
    path
}

/// The branch, if its sender promises that it is unique. Nothing after the cookie is no branch;
/// such a message is malformed and never comes here.
fn unique_branch<'a>(via: &Via<'a>) -> Option<&'a str> {
    via.branch.filter(|branch| branch.starts_with(COOKIE))
}

fn path_by_branch(secret: &Secret, via: &Via<'_>, branch: &str) -> Id {
    let port = via.port.unwrap_or(DEFAULT_PORT).to_be_bytes();
    let derive =
        |host: &[u8]| secret.derive64(Label::Transaction, &[branch.as_bytes(), host, &port]);
    match via.host {
        Host::Name(name) => derive(lower_case(name).as_bytes()),
        Host::Ip(std::net::IpAddr::V4(ip)) => derive(&ip.octets()),
        Host::Ip(std::net::IpAddr::V6(ip)) => derive(&ip.octets()),
    }
}

fn lower_case(name: &str) -> Cow<'_, str> {
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(name.to_ascii_lowercase())
    } else {
        Cow::Borrowed(name)
    }
}

/// Which client transaction a response belongs to: CANCEL shares the branch of its INVITE.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct ClientKey {
    id: Id,
    slot: Slot,
    cancel: bool,
}

impl ClientKey {
    pub(crate) fn new(branch: Branch, method: Method) -> Self {
        Self { id: branch.id, slot: branch.slot, cancel: method == Method::Cancel }
    }

    pub(crate) fn branch(self) -> Branch {
        Branch { slot: self.slot, id: self.id }
    }
}
