//! The direct-media block of a tuple (behaviour §6.2–6.4): its data, its ranges, and the token
//! that gives one watcher access to it.
//!
//! The publisher's secret is turned into tokens here and nowhere else.

#[cfg(test)]
mod tests;

use super::{Basic, Tuple};
use crate::message::{Aor, Host, Uri};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::net::{IpAddr, SocketAddr};

/// The namespace of the direct-media block.
pub const DIRECT_MEDIA: &str = "urn:uuid:670680a7-af31-46e0-a5e5-33737d9b2f61";

/// The lowest port an offer may name.
pub(super) const LOWEST_PORT: u16 = 1024;
/// Codecs of one offer at most.
pub(super) const MOST_CODECS: usize = 16;
/// Candidates of one offer at most.
pub(super) const MOST_CANDIDATES: usize = 4;

/// Receive-readiness (X2). Anything unknown reads as `Off`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[allow(missing_docs)]
pub enum Mode {
    Ready,
    Busy,
    Off,
}

/// One entry of an offer's codec list.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Codec {
    /// Payload type, 0–127.
    pub pt: u8,
    /// `name/rate[/channels]`.
    pub rtpmap: Box<str>,
    /// Format parameters.
    pub fmtp: Option<Box<str>>,
}

impl From<(u8, &str)> for Codec {
    /// A codec without parameters.
    fn from((pt, rtpmap): (u8, &str)) -> Self {
        Self { pt, rtpmap: rtpmap.into(), fmtp: None }
    }
}

/// A transport address in an offer.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Candidate {
    /// `host`, `srflx` or `relay`.
    pub kind: Box<str>,
    /// Address.
    pub addr: Box<str>,
    /// Port.
    pub port: u16,
}

/// The publisher's secret of one epoch (§6.4); never leaves the presence agent.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct OfferSecret {
    /// Base64url text of 32 bytes.
    pub text: Box<str>,
    /// Epoch number.
    pub epoch: u32,
    /// Seconds to the end of the epoch, counted from publication.
    pub expires: u32,
}

impl std::fmt::Debug for OfferSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "OfferSecret(epoch {})", self.epoch)
    }
}

/// A watcher's own access to an offer (§6.4).
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Access {
    /// The 22-character token.
    pub token: Box<str>,
    /// The 12-character key id.
    pub key_id: Box<str>,
    /// Epoch number.
    pub epoch: u32,
    /// Seconds left.
    pub expires: u32,
}

impl std::fmt::Debug for Access {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Access(key {}, epoch {})", self.key_id, self.epoch)
    }
}

/// The direct-media block of one tuple (§6.2, §6.3).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Offer {
    /// Always 1 here.
    pub version: u8,
    /// Rises with every change of the device.
    pub seq: u32,
    /// Device id.
    pub device: Option<Box<str>>,
    /// `audio`, `video` or another token.
    pub media: Box<str>,
    /// RTP port, 1024–65535.
    pub port: u16,
    /// Codecs in order of preference, 1–16.
    pub codecs: Vec<Codec>,
    /// Receive-readiness.
    pub mode: Mode,
    /// Addresses, at most 4.
    pub candidates: Vec<Candidate>,
    /// `none`, `token` or `dtls`.
    pub srtp: Option<Box<str>>,
    /// DTLS fingerprint.
    pub fingerprint: Option<Box<str>>,
    /// Present in publications only.
    pub secret: Option<OfferSecret>,
    /// Present in notifications only.
    pub access: Option<Access>,
}

impl Candidate {
    /// Where to send to, if the address is one.
    pub fn address(&self) -> Option<SocketAddr> {
        Some(SocketAddr::new(self.addr.parse().ok()?, self.port))
    }
}

impl Mode {
    /// The schema's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Busy => "busy",
            Self::Off => "off",
        }
    }

    /// Reads the schema's word; anything unknown is `Off` (X2).
    pub(super) fn read(word: &str) -> Self {
        match word {
            "ready" => Self::Ready,
            "busy" => Self::Busy,
            _ => Self::Off,
        }
    }
}

impl OfferSecret {
    /// The 32 bytes, if the text is base64url of as many.
    fn bytes(&self) -> Option<[u8; 32]> {
        URL_SAFE_NO_PAD.decode(self.text.as_bytes()).ok()?.try_into().ok()
    }
}

impl Offer {
    /// The access of `watcher` to this offer in tuple `tuple_id` (§6.4), `None` without a secret
    /// or when its epoch has ended `age` seconds after publication.
    pub fn access_for(&self, watcher: &Aor, tuple_id: &str, age: u32) -> Option<Access> {
        let secret = self.secret.as_ref()?;
        let expires = secret.expires.checked_sub(age).filter(|left| *left > 0)?;
        let key = secret.bytes()?;
        let derive = |label: &[u8]| {
            let mac = Hmac::<Sha256>::new_from_slice(&key).expect("HMAC takes keys of any length");
            let mac = mac.chain_update(label).chain_update(b"dm1\0");
            let mac = mac.chain_update(watcher.as_str()).chain_update(b"\0");
            let mac = mac.chain_update(tuple_id).chain_update(b"\0");
            mac.chain_update(secret.epoch.to_be_bytes()).finalize().into_bytes()
        };
        Some(Access {
            token: URL_SAFE_NO_PAD.encode(&derive(b"tok")[..16]).into(),
            key_id: URL_SAFE_NO_PAD.encode(&derive(b"kid")[..9]).into(),
            epoch: secret.epoch,
            expires,
        })
    }

    /// Whether every part is in the range the schema of §6.3 gives it.
    pub(super) fn is_valid(&self) -> bool {
        let candidate =
            |one: &Candidate| is_token(&one.kind) && is_token(&one.addr) && one.port >= LOWEST_PORT;
        let access = |one: &Access| {
            one.token.len() == 22 && one.token.bytes().all(is_base64url) && is_token(&one.key_id)
        };
        self.version == 1
            && is_token(&self.media)
            && self.port >= LOWEST_PORT
            && (1..=MOST_CODECS).contains(&self.codecs.len())
            && self.codecs.iter().all(|codec| codec.pt < 128 && is_rtpmap(&codec.rtpmap))
            && self.candidates.len() <= MOST_CANDIDATES
            && self.candidates.iter().all(candidate)
            && self.secret.as_ref().is_none_or(|secret| secret.bytes().is_some())
            && self.access.as_ref().is_none_or(access)
            && !(self.secret.is_some() && self.access.is_some())
    }
}

impl Tuple {
    /// The readiness that counts (X3): `Ready` needs an open tuple, an address to send to and
    /// access; without them it is `Off`. `Off` without an offer. An offer that was `published_open`
    /// has no secret to make access of: that is the paper's form (§6.10), and whether it is
    /// something to use is the watcher's to judge.
    pub fn direct_mode(&self, published_open: bool) -> Mode {
        let Some(offer) = &self.offer else { return Mode::Off };
        let reachable = !offer.candidates.is_empty() || self.contact_address().is_some();
        let access = offer.access.is_some() || published_open;
        let ready = self.basic == Some(Basic::Open) && reachable && access;
        match offer.mode {
            Mode::Ready if ready => Mode::Ready,
            Mode::Ready | Mode::Off => Mode::Off,
            Mode::Busy => Mode::Busy,
        }
    }

    /// The address in the contact, if it names a device and not a domain (§6.3).
    pub fn contact_address(&self) -> Option<IpAddr> {
        match Uri::parse(self.contact.as_deref()?).ok()?.host {
            Host::Ip(address) => Some(address),
            Host::Name(_) => None,
        }
    }
}

/// A non-empty text without white space in it (an `xs:token` that is one word).
pub(super) fn is_token(text: &str) -> bool {
    !text.is_empty() && !text.contains(char::is_whitespace)
}

fn is_base64url(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

/// `name/rate` or `name/rate/channels`.
fn is_rtpmap(text: &str) -> bool {
    let mut parts = text.split('/');
    let (name, rate) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let channels = parts.next().unwrap_or("1");
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
    (1..=32).contains(&name.len())
        && name.bytes().all(is_name)
        && (4..=6).contains(&rate.len())
        && rate.bytes().all(|byte| byte.is_ascii_digit())
        && !rate.starts_with('0')
        && channels.len() == 1
        && matches!(channels.as_bytes()[0], b'1'..=b'9')
        && parts.next().is_none()
}
