//! The typed views of header values (RFC 3261 §20, §25.1).
//!
//! A view borrows from one unfolded header value and is well-formed if it exists. Which header a
//! value came from, and what to do when it is broken, is for others to know.

use super::uri::{host_port, split_scheme};
use super::{Host, Name, UriError, lex};
use memchr::{memchr, memchr2};
use std::borrow::Cow;

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

    pub(crate) fn missing(name: Name) -> Self {
        Self { name, what: "missing" }
    }

    pub(crate) fn syntax(name: Name) -> Self {
        Self { name, what: "bad syntax" }
    }
}

/// `;a=b;c` parameters as written (RFC 3261 §7.3.1), without the leading `;`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Params<'a>(pub &'a str);

impl<'a> Params<'a> {
    /// The value of `name` (case-insensitive) as written, quotes included; `Some("")` for a flag.
    pub fn raw(&self, name: &str) -> Option<&'a str> {
        self.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// The value of `name` with quotes and escapes undone.
    pub fn get(&self, name: &str) -> Option<Cow<'a, str>> {
        self.raw(name).map(unquote)
    }

    /// Name and raw value of every parameter in order; flags have an empty value.
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        lex::elements(self.0, b';').filter(|param| !param.is_empty()).map(split_param)
    }

    /// The parameters of a view: `None` unless each is `token [= value]`.
    fn checked(text: &'a str) -> Option<Self> {
        lex::elements(text, b';').all(is_param).then_some(Self(text))
    }

    /// What follows a sent-by. RFC 3428 §10 prints empty parameters here, so they are skipped.
    fn after_via(text: &'a str) -> Option<Self> {
        let params = text.strip_prefix(';').unwrap_or(text);
        lex::elements(params, b';')
            .filter(|param| !param.is_empty())
            .all(is_param)
            .then_some(Self(params))
    }

    /// What follows a value: nothing, or `;` and parameters.
    fn after(text: &'a str) -> Option<Self> {
        match text.strip_prefix(';') {
            Some(params) => Self::checked(params),
            None => text.is_empty().then_some(Self("")),
        }
    }
}

fn split_param(param: &str) -> (&str, &str) {
    match memchr(b'=', param.as_bytes()) {
        Some(at) => (lex::trim_end(&param[..at]), lex::trim_start(&param[at + 1..])),
        None => (param, ""),
    }
}

fn is_param(param: &str) -> bool {
    let (key, value) = split_param(param);
    lex::is_token(key.as_bytes()) && is_param_value(value.as_bytes())
}

/// A quoted string, or text without separators; empty for a flag.
fn is_param_value(value: &[u8]) -> bool {
    match value.first() {
        Some(b'"') => lex::end_of_quote(value, 0) == Some(value.len()),
        _ => lex::all(value, lex::VALUE),
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

impl<'a> Via<'a> {
    /// Reads one value.
    pub fn parse(text: &'a str) -> Option<Self> {
        let (transport, rest) = sent_protocol(text)?;
        let end = memchr(b';', rest.as_bytes()).unwrap_or(rest.len());
        let sent_by = lex::trim(&rest[..end]);
        let (host, port) = host_port(sent_by, true)?;
        let params = Params::after_via(&rest[end..])?;
        let branch = params.raw("branch");
        Some(Self { transport, host, sent_by, port, branch, params })
    }
}

/// `SIP / 2.0 / transport` and the text after the white space that ends it.
fn sent_protocol(text: &str) -> Option<(&str, &str)> {
    let rest = match text.strip_prefix("SIP/2.0/") {
        Some(rest) => rest,
        None => {
            let (protocol, rest) = text.split_once('/')?;
            let (version, rest) = rest.split_once('/')?;
            let ours = lex::trim(protocol).eq_ignore_ascii_case("SIP");
            (ours && lex::trim(version) == "2.0").then(|| lex::trim_start(rest))?
        }
    };
    let end = memchr2(b' ', b'\t', rest.as_bytes())?;
    let transport = &rest[..end];
    lex::is_token(transport.as_bytes()).then(|| (transport, lex::trim_start(&rest[end..])))
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
        let text = lex::trim(text);
        let (display, uri, rest) = match text.as_bytes().first()? {
            b'<' => bracketed("", text)?,
            b'"' => {
                let end = lex::end_of_quote(text.as_bytes(), 0)?;
                bracketed(&text[..end], lex::trim_start(&text[end..]))?
            }
            _ => match memchr2(b'<', b';', text.as_bytes()) {
                Some(at) if text.as_bytes()[at] == b'<' => {
                    let display = lex::trim_end(&text[..at]);
                    let words = |byte| lex::is(byte, lex::TOKEN) || lex::is_space(byte);
                    display.bytes().all(words).then(|| bracketed(display, &text[at..]))??
                }
                Some(at) => bare(lex::trim_end(&text[..at]), &text[at..])?,
                None => bare(text, "")?,
            },
        };
        split_scheme(uri)?;
        Some(Self { display, uri, params: Params::after(rest)? })
    }

    /// The tag parameter.
    pub fn tag(&self) -> Option<&'a str> {
        self.params.raw("tag")
    }
}

type Pieces<'a> = (&'a str, &'a str, &'a str);

/// Display name, URI in angle brackets at the start of `text`, and what follows.
fn bracketed<'a>(display: &'a str, text: &'a str) -> Option<Pieces<'a>> {
    let inside = text.strip_prefix('<')?;
    let end = memchr(b'>', inside.as_bytes())?;
    Some((display, &inside[..end], lex::trim_start(&inside[end + 1..])))
}

/// A URI without angle brackets has neither comma nor question mark (RFC 3261 §20).
fn bare<'a>(uri: &'a str, rest: &'a str) -> Option<Pieces<'a>> {
    memchr2(b',', b'?', uri.as_bytes()).is_none().then_some(("", uri, rest))
}

/// A quoted string or token with quotes and escapes undone.
pub fn unquote(text: &str) -> Cow<'_, str> {
    let Some(inside) = text.strip_prefix('"') else { return Cow::Borrowed(text) };
    let inside = inside.strip_suffix('"').unwrap_or(inside);
    if !inside.contains('\\') {
        return Cow::Borrowed(inside);
    }
    let mut plain = String::with_capacity(inside.len());
    let mut characters = inside.chars();
    while let Some(character) = characters.next() {
        plain.push(match character {
            '\\' => characters.next().unwrap_or('\\'),
            other => other,
        });
    }
    Cow::Owned(plain)
}

/// `text` as a quoted string, for display names and parameter values (RFC 3261 §25.1).
pub fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        if matches!(character, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(character);
    }
    quoted.push('"');
    quoted
}

/// `CSeq: number method`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CSeq<'a> {
    /// Below 2³² (RFC 3261 §8.1.1.5 wants below 2³¹ from senders).
    pub number: u32,
    /// The method token as written.
    pub method: &'a str,
}

impl<'a> CSeq<'a> {
    /// Reads the value.
    pub fn parse(text: &'a str) -> Option<Self> {
        let end = memchr2(b' ', b'\t', text.as_bytes())?;
        let method = lex::trim_start(&text[end..]);
        let number = lex::number(&text[..end])?;
        lex::is_token(method.as_bytes()).then_some(Self { number, method })
    }
}

/// `Event: package;id=…` (RFC 6665 §8.2.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Event<'a> {
    /// Package with templates, e.g. `presence.winfo`.
    pub package: &'a str,
    /// The `id` parameter, compared byte by byte.
    pub id: Option<&'a str>,
}

impl<'a> Event<'a> {
    /// Reads the value.
    pub fn parse(text: &'a str) -> Option<Self> {
        let (package, params) = before_params(text)?;
        lex::is_token(package.as_bytes()).then(|| Self { package, id: params.raw("id") })
    }
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

impl<'a> SubscriptionState<'a> {
    /// Reads the value.
    pub fn parse(text: &'a str) -> Option<Self> {
        let (state, params) = before_params(text)?;
        let seconds = |name| params.raw(name).and_then(lex::saturating_number);
        lex::is_token(state.as_bytes()).then(|| Self {
            state,
            expires: seconds("expires"),
            reason: params.raw("reason").map(|reason| reason.trim_matches('"')),
            retry_after: seconds("retry-after"),
        })
    }
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
    /// `type/subtype` as written.
    pub essence: &'a str,
    /// Parameters.
    pub params: Params<'a>,
}

impl<'a> MediaType<'a> {
    /// Reads the value.
    pub fn parse(text: &'a str) -> Option<Self> {
        let (essence, params) = before_params(text)?;
        let (kind, subtype) = essence.split_once('/')?;
        let legal = |half| lex::is_token(lex::trim(half).as_bytes());
        (legal(kind) && legal(subtype)).then_some(Self { essence, params })
    }
}

impl MediaType<'_> {
    /// Whether this is `wanted` (case-insensitive `type/subtype`), white space around `/` aside.
    pub fn is(&self, wanted: &str) -> bool {
        let plain = self.essence.bytes().filter(|byte| !lex::is_space(*byte));
        plain
            .map(|byte| byte.to_ascii_lowercase())
            .eq(wanted.bytes().map(|b| b.to_ascii_lowercase()))
    }
}

/// `value;params`, parameters checked.
fn before_params(text: &str) -> Option<(&str, Params<'_>)> {
    let end = memchr(b';', text.as_bytes()).unwrap_or(text.len());
    Some((lex::trim(&text[..end]), Params::after(&text[end..])?))
}

#[cfg(test)]
mod tests;
