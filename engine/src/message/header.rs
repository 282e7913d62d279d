//! Header names, methods, and the typed views of header values.

use super::{Host, UriError};
use std::borrow::Cow;

/// A request method (RFC 3261 §7.1 and extensions we serve); others are [`Method::Other`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[allow(missing_docs)]
pub enum Method {
    Invite,
    Ack,
    Cancel,
    Bye,
    Register,
    Options,
    Subscribe,
    Notify,
    Publish,
    Message,
    Update,
    Info,
    Prack,
    Refer,
    Other,
}

impl Method {
    /// The method of a token; methods are case-sensitive.
    pub fn of(token: &str) -> Self {
        let _ = token;
        todo!()
    }

    /// The token; empty for [`Method::Other`] (ask the message for its text).
    pub fn as_str(self) -> &'static str {
        todo!()
    }
}

/// A header name we know, in canonical spelling; compact forms map to the same name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[allow(missing_docs)]
pub enum Name {
    Via,
    From,
    To,
    CallId,
    CSeq,
    Contact,
    MaxForwards,
    Route,
    RecordRoute,
    Expires,
    MinExpires,
    Event,
    SubscriptionState,
    AllowEvents,
    Allow,
    Accept,
    AcceptEncoding,
    AcceptLanguage,
    ContentType,
    ContentLength,
    ContentEncoding,
    ContentDisposition,
    Authorization,
    ProxyAuthorization,
    WwwAuthenticate,
    ProxyAuthenticate,
    AuthenticationInfo,
    Require,
    ProxyRequire,
    Supported,
    Unsupported,
    SipEtag,
    SipIfMatch,
    RetryAfter,
    Date,
    UserAgent,
    Server,
    Warning,
    MaxBreadth,
    Path,
    DmMessageId,
    DmStored,
    /// Any other header: ask by its text with `Headers::other`.
    Other,
}

impl Name {
    /// The name of a header field token, long or compact form, any case.
    pub fn of(token: &str) -> Self {
        let _ = token;
        todo!()
    }

    /// The canonical spelling (`Call-ID`, `SIP-ETag`, `DM-Message-ID`).
    pub fn as_str(self) -> &'static str {
        todo!()
    }
}

/// Why a header could not be used.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct HeaderError {
    /// Which header.
    pub name: Name,
    /// What is wrong, for the reason phrase or a Warning: "missing", "twice", "bad syntax"…
    pub what: &'static str,
}

impl HeaderError {
    /// The URI inside header `name` is unusable.
    pub fn uri(name: Name, _error: UriError) -> Self {
        Self { name, what: "bad URI" }
    }
}

/// `;a=b;c` parameters as written (RFC 3261 §7.3.1), without the leading `;`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Params<'a>(pub &'a str);

impl<'a> Params<'a> {
    /// The value of `name` (case-insensitive) as written, quotes included; `Some("")` for a flag.
    pub fn raw(&self, name: &str) -> Option<&'a str> {
        let _ = name;
        todo!()
    }

    /// The value of `name` with quotes and escapes undone.
    pub fn get(&self, name: &str) -> Option<Cow<'a, str>> {
        let _ = name;
        todo!()
    }

    /// Name and raw value of every parameter in order; flags have an empty value.
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        std::iter::empty()
    }
}

/// One Via value (RFC 3261 §20.42).
#[derive(Clone, Copy, Debug)]
pub struct Via<'a> {
    /// `UDP`, `TCP`, …, as written.
    pub transport: &'a str,
    /// Sent-by host.
    pub host: Host<'a>,
    /// Sent-by host and port as written.
    pub sent_by: &'a str,
    /// Sent-by port.
    pub port: Option<u16>,
    /// The branch parameter.
    pub branch: Option<&'a str>,
    /// All parameters.
    pub params: Params<'a>,
}

/// `"Name" <uri>;params` or `uri;params` (From, To, Contact, Route …).
#[derive(Clone, Copy, Debug)]
pub struct NameAddr<'a> {
    /// Display name as written (quotes included); empty if none. See [`unquote`].
    pub display: &'a str,
    /// The URI, without angle brackets.
    pub uri: &'a str,
    /// Header parameters.
    pub params: Params<'a>,
}

impl<'a> NameAddr<'a> {
    /// Reads one value.
    pub fn parse(text: &'a str) -> Option<Self> {
        let _ = text;
        todo!()
    }

    /// The tag parameter.
    pub fn tag(&self) -> Option<&'a str> {
        self.params.raw("tag")
    }
}

/// A quoted string or token with quotes and escapes undone.
pub fn unquote(text: &str) -> Cow<'_, str> {
    Cow::Borrowed(text)
}

/// `CSeq: number method`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CSeq<'a> {
    /// Below 2³² (RFC 3261 §8.1.1.5 wants below 2³¹ from senders).
    pub number: u32,
    /// The method token as written.
    pub method: &'a str,
}

/// `Event: package;id=…` (RFC 6665 §8.2.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Event<'a> {
    /// Package with templates, e.g. `presence.winfo`.
    pub package: &'a str,
    /// The `id` parameter, compared byte by byte.
    pub id: Option<&'a str>,
}

/// `Subscription-State` (RFC 6665 §8.2.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SubscriptionState<'a> {
    /// `active`, `pending`, `terminated` or an extension.
    pub state: &'a str,
    /// Seconds left.
    pub expires: Option<u32>,
    /// Reason, quotes undone if the peer quoted it.
    pub reason: Option<&'a str>,
    /// Seconds to wait before a new attempt.
    pub retry_after: Option<u32>,
}

/// What a Contact header field says.
#[derive(Clone, Debug)]
pub enum Contacts<'a> {
    /// No Contact header.
    None,
    /// `Contact: *`.
    Star,
    /// One or more addresses, in order over all lines.
    List(smallvec::SmallVec<[NameAddr<'a>; 2]>),
}

/// `type/subtype;params`.
#[derive(Clone, Copy, Debug)]
pub struct MediaType<'a> {
    /// `type/subtype` as written, without white space.
    pub essence: &'a str,
    /// Parameters.
    pub params: Params<'a>,
}

impl MediaType<'_> {
    /// Whether this is `wanted` (case-insensitive `type/subtype`).
    pub fn is(&self, wanted: &str) -> bool {
        self.essence.eq_ignore_ascii_case(wanted)
    }
}
