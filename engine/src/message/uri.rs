//! SIP URIs (RFC 3261 §19.1) as borrowed views.
//!
//! Reads and compares; it never resolves a host and never changes a text.

use super::lex;
use memchr::{memchr, memchr2};
use std::borrow::Cow;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Why a text is not a URI we can use.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum UriError {
    /// Not of the form of any URI, or breaks the grammar of RFC 3261 §25.1.
    Syntax,
    /// A scheme other than `sip` and `sips` (416 Unsupported URI Scheme).
    Scheme,
}

impl fmt::Display for UriError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Syntax => "not a valid SIP URI",
            Self::Scheme => "only sip: and sips: URIs are supported",
        })
    }
}

impl std::error::Error for UriError {}

/// The host of a URI or Via.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Host<'a> {
    /// A domain name, as written.
    Name(&'a str),
    /// An address literal; IPv6 came in brackets.
    Ip(IpAddr),
}

impl<'a> Host<'a> {
    /// Reads a host that fills `text` whole; an IPv6 address must be in brackets.
    pub fn parse(text: &'a str) -> Option<Self> {
        if let Some(rest) = text.strip_prefix('[') {
            return Some(Self::Ip(IpAddr::V6(ipv6(rest.strip_suffix(']')?)?)));
        }
        let bytes = text.as_bytes();
        if bytes.first()?.is_ascii_digit() {
            if let Some(address) = ipv4(bytes) {
                return Some(Self::Ip(IpAddr::V4(address)));
            }
            // A name of digits only would need a top label of letters (RFC 3261 §25.1).
            if bytes.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.') {
                return None;
            }
        }
        lex::all(bytes, lex::HOST).then_some(Self::Name(text))
    }

    /// Same address, or same name in any case.
    pub fn same(&self, other: &Host<'_>) -> bool {
        match (self, other) {
            (Self::Name(a), Host::Name(b)) => a.eq_ignore_ascii_case(b),
            (Self::Ip(a), Host::Ip(b)) => a == b,
            (Self::Name(_), Host::Ip(_)) | (Self::Ip(_), Host::Name(_)) => false,
        }
    }
}

impl fmt::Display for Host<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Ip(IpAddr::V4(address)) => write!(f, "{address}"),
            Self::Ip(IpAddr::V6(address)) => write!(f, "[{address}]"),
        }
    }
}

/// Four numbers below 256 without leading zeros.
fn ipv4(text: &[u8]) -> Option<Ipv4Addr> {
    let mut octets = [0; 4];
    let mut at = 0;
    for (number, octet) in octets.iter_mut().enumerate() {
        if number > 0 {
            at += usize::from(text.get(at) == Some(&b'.'));
        }
        let start = at;
        let mut value = 0;
        while at < text.len() && at < start + 3 && text[at].is_ascii_digit() {
            value = value * 10 + u16::from(text[at] - b'0');
            at += 1;
        }
        if at == start || (at > start + 1 && text[start] == b'0') {
            return None;
        }
        *octet = u8::try_from(value).ok()?;
    }
    (at == text.len() && text.iter().filter(|byte| **byte == b'.').count() == 3)
        .then(|| octets.into())
}

/// An IPv6 address; the third colon that the grammar of RFC 3261 allows before an IPv4 tail by
/// mistake (RFC 5118 §4.10) is read as if it were not there.
fn ipv6(text: &str) -> Option<Ipv6Addr> {
    text.parse().ok().or_else(|| match text.split_once(":::") {
        Some((head, tail)) if tail.contains('.') => format!("{head}::{tail}").parse().ok(),
        Some(_) | None => None,
    })
}

/// `host[:port]`, with the port's colon possibly in white space if `loose`.
pub(crate) fn host_port(text: &str, loose: bool) -> Option<(Host<'_>, Option<u16>)> {
    let trim = |text| if loose { lex::trim(text) } else { text };
    let end = match text.as_bytes().first()? {
        b'[' => memchr(b']', text.as_bytes())? + 1,
        _ => lex::find_near(text.as_bytes(), 0, b':').unwrap_or(text.len()),
    };
    let host = Host::parse(trim(&text[..end]))?;
    let rest = trim(&text[end..]);
    if rest.is_empty() {
        return Some((host, None));
    }
    let port = lex::number(trim(rest.strip_prefix(':')?))?;
    Some((host, Some(u16::try_from(port).ok()?)))
}

/// A `sip:` or `sips:` URI, in pieces that borrow from its text.
#[derive(Clone, Copy, Debug)]
pub struct Uri<'a> {
    /// Whether the scheme is `sips`.
    pub secure: bool,
    /// User part as written (escapes kept), without the password.
    pub user: Option<&'a str>,
    /// Password as written.
    pub password: Option<&'a str>,
    /// Host.
    pub host: Host<'a>,
    /// Port, if written.
    pub port: Option<u16>,
    /// Parameters as written after the first `;`, without it; empty if none.
    pub params: &'a str,
    /// Headers as written after `?`, without it; empty if none.
    pub headers: &'a str,
}

impl<'a> Uri<'a> {
    /// Reads a URI; it must fill `text` whole.
    pub fn parse(text: &'a str) -> Result<Self, UriError> {
        let colon = lex::find_near(text.as_bytes(), 0, b':').ok_or(UriError::Syntax)?;
        let (scheme, rest) = (&text[..colon], &text[colon + 1..]);
        if scheme.eq_ignore_ascii_case("sip") {
            Self::after_scheme(rest, false).ok_or(UriError::Syntax)
        } else if scheme.eq_ignore_ascii_case("sips") {
            Self::after_scheme(rest, true).ok_or(UriError::Syntax)
        } else if is_absolute(text) && lex::all(rest.as_bytes(), lex::URI) {
            Err(UriError::Scheme)
        } else {
            Err(UriError::Syntax)
        }
    }

    fn after_scheme(text: &'a str, secure: bool) -> Option<Self> {
        let (userinfo, rest) = match lex::find_near(text.as_bytes(), 0, b'@') {
            Some(at) => (Some(&text[..at]), &text[at + 1..]),
            None => (None, text),
        };
        let (user, password) = match userinfo {
            Some(userinfo) => split_userinfo(userinfo)?,
            None => (None, None),
        };
        let end = memchr2(b';', b'?', rest.as_bytes()).unwrap_or(rest.len());
        let (host, port) = host_port(&rest[..end], false)?;
        let (params, headers) = split_tail(&rest[end..])?;
        Some(Self { secure, user, password, host, port, params, headers })
    }

    /// The value of parameter `name` (case-insensitive); `Some("")` for a flag such as `lr`.
    pub fn param(&self, name: &str) -> Option<&'a str> {
        pairs(self.params, b';').find(|(key, _)| same_escaped(key, name)).map(|(_, value)| value)
    }

    /// The URI `text` as a Request-URI: without the parts that may not stand there, `method` and
    /// headers (RFC 3261 §19.1.1 table 1). A text that is no URI stays as it is.
    pub fn for_request_line(text: &str) -> Cow<'_, str> {
        let Ok(uri) = Uri::parse(text) else { return Cow::Borrowed(text) };
        if uri.headers.is_empty() && uri.param("method").is_none() {
            return Cow::Borrowed(text);
        }
        let before = |tail: &str| if tail.is_empty() { 0 } else { tail.len() + 1 };
        let end = text.len() - before(uri.headers) - before(uri.params);
        let mut left = text[..end].to_owned();
        for param in uri.params.split(';').filter(|param| !param.is_empty()) {
            let name = param.split_once('=').map_or(param, |(name, _)| name);
            if !same_escaped(name, "method") {
                left.push(';');
                left.push_str(param);
            }
        }
        Cow::Owned(left)
    }

    /// Equality of RFC 3261 §19.1.4.
    pub fn equivalent(&self, other: &Uri<'_>) -> bool {
        self.secure == other.secure
            && same_user(self.user, other.user)
            && same_user(self.password, other.password)
            && self.host.same(&other.host)
            && self.port == other.port
            && same_params(self, other)
            && same_headers(self.headers, other.headers)
    }
}

/// Whether `text` begins as an absolute URI does: with a scheme, and something after it
/// (RFC 3986 §3.1).
pub(crate) fn is_absolute(text: &str) -> bool {
    let legal = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
    let bytes = text.as_bytes();
    let scheme = bytes.iter().take_while(|byte| legal(byte)).count();
    bytes.first().is_some_and(u8::is_ascii_alphabetic)
        && bytes.get(scheme) == Some(&b':')
        && bytes.len() > scheme + 1
}

type UserAndPassword<'a> = (Option<&'a str>, Option<&'a str>);

fn split_userinfo(text: &str) -> Option<UserAndPassword<'_>> {
    let (user, password) = match lex::find_near(text.as_bytes(), 0, b':') {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    let good = |text: &str| lex::all_escaped(text.as_bytes(), lex::USER);
    (!user.is_empty() && good(user) && password.is_none_or(good)).then_some((Some(user), password))
}

/// `;params?headers`, either missing.
fn split_tail(text: &str) -> Option<(&str, &str)> {
    let (params, headers) = match memchr(b'?', text.as_bytes()) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    let params = params.strip_prefix(';');
    let good = |text: &str, between: u8, class: u8| {
        text.as_bytes().split(|byte| *byte == between).all(|pair| {
            let mut halves = pair.splitn(2, |byte| *byte == b'=');
            !pair.is_empty() && halves.all(|half| lex::all_escaped(half, class))
        })
    };
    let params_good = params.is_none_or(|params| good(params, b';', lex::PARAM));
    let headers_good = headers.is_none_or(|headers| good(headers, b'&', lex::HEADER));
    (params_good && headers_good).then_some((params.unwrap_or(""), headers.unwrap_or("")))
}

/// Name and value of every `name=value` between `between`s; flags have an empty value.
fn pairs(text: &str, between: u8) -> impl Iterator<Item = (&str, &str)> {
    text.split(char::from(between))
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}

/// The comparable units of an escaped text: an escape of a reserved character stays different
/// from the character itself (RFC 3261 §19.1.4), every other escape is its character.
fn units(text: &str) -> impl Iterator<Item = (bool, u8)> + '_ {
    let mut rest = text.as_bytes();
    std::iter::from_fn(move || {
        let (&first, tail) = rest.split_first()?;
        if let Some(octet) = lex::escape(rest) {
            rest = &rest[3..];
            return Some((b";/?:@&=+$,".contains(&octet), octet));
        }
        rest = tail;
        Some((false, first))
    })
}

/// Equal with escapes undone and letters in any case.
fn same_escaped(a: &str, b: &str) -> bool {
    if memchr2(b'%', b'%', a.as_bytes()).is_none() && !b.contains('%') {
        return a.eq_ignore_ascii_case(b);
    }
    let folded = |(reserved, octet): (bool, u8)| (reserved, octet.to_ascii_lowercase());
    units(a).map(folded).eq(units(b).map(folded))
}

fn same_user(a: Option<&str>, b: Option<&str>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => units(a).eq(units(b)),
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    }
}

/// A parameter of both must agree; these must also not be in one only. RFC 3261 §19.1.4 names
/// user, ttl, method and maddr; its examples add transport.
const MUST_BE_IN_BOTH: [&str; 5] = ["user", "ttl", "method", "maddr", "transport"];

/// Of a name that comes twice, which RFC 3261 §19.1.1 forbids, the first one counts.
fn same_params(a: &Uri<'_>, b: &Uri<'_>) -> bool {
    let agree = |key: &str| match (a.param(key), b.param(key)) {
        (Some(ours), Some(theirs)) => same_escaped(ours, theirs),
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => {
            !MUST_BE_IN_BOTH.iter().any(|name| same_escaped(key, name))
        }
    };
    pairs(a.params, b';').chain(pairs(b.params, b';')).all(|(key, _)| agree(key))
}

/// Header components are never ignored: the same multiset of names and values on both sides.
fn same_headers(a: &str, b: &str) -> bool {
    let count = |pair: (&str, &str), text: &str| {
        pairs(text, b'&')
            .filter(|other| same_escaped(pair.0, other.0) && units(pair.1).eq(units(other.1)))
            .count()
    };
    pairs(a, b'&').count() == pairs(b, b'&').count()
        && pairs(a, b'&').all(|pair| count(pair, a) == count(pair, b))
}

#[cfg(test)]
mod tests;
