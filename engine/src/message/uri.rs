//! SIP URIs (RFC 3261 §19.1) as borrowed views.

use std::fmt;
use std::net::IpAddr;

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
        let _ = text;
        todo!()
    }

    /// The value of parameter `name` (case-insensitive); `Some("")` for a flag such as `lr`.
    pub fn param(&self, name: &str) -> Option<&'a str> {
        let _ = name;
        todo!()
    }

    /// Equality of RFC 3261 §19.1.4.
    pub fn equivalent(&self, other: &Uri<'_>) -> bool {
        let _ = other;
        todo!()
    }
}
