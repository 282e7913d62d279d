//! The typed views of header values (RFC 3261 §20, §25.1).
//!
//! A view borrows from one unfolded header value and is well-formed if it exists. Which header a
//! value came from, and what to do when it is broken, is for others to know.

use super::uri::{host_port, is_absolute};
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
        let mut rest = self.0;
        std::iter::from_fn(move || {
            loop {
                let is_gap = |octet: &u8| *octet == b';' || lex::is_space(*octet);
                rest = &rest[rest.bytes().take_while(is_gap).count()..];
                if rest.is_empty() {
                    return None;
                }
                let (param, tail) = match Param::read(rest) {
                    Some((param, tail)) if tail.is_empty() || tail.starts_with(';') => {
                        (param, tail)
                    }
                    Some(_) | None => Param::read_broken(rest),
                };
                rest = tail;
                if !param.key.is_empty() {
                    return Some((param.key, param.value));
                }
            }
        })
    }

    /// The parameters of a view, to the end of `text`: nothing, or each `;token [= value]`.
    /// `note` sees every name and value, for the pass over them is made anyway. RFC 3428 §10
    /// prints Vias with empty parameters, so `holes` allows them.
    fn checked(text: &'a str, holes: bool, mut note: impl FnMut(&str, &'a str)) -> Option<Self> {
        let mut rest = text;
        while let Some(next) = rest.strip_prefix(';') {
            let (param, tail) = Param::read(next)?;
            if param.key.is_empty() && !(holes && param.value.is_empty()) {
                return None;
            }
            note(param.key, param.value);
            rest = tail;
        }
        rest.is_empty().then_some(Self(text.get(1..).unwrap_or("")))
    }
}

/// One parameter as written.
struct Param<'a> {
    key: &'a str,
    /// Quotes included; empty for a flag.
    value: &'a str,
}

impl<'a> Param<'a> {
    /// Reads one parameter, which may turn out to be empty, and the white space around it.
    fn read(text: &'a str) -> Option<(Self, &'a str)> {
        let bytes = text.as_bytes();
        let start = lex::skip_space(bytes, 0);
        let end = lex::span(bytes, start, lex::TOKEN);
        let key = &text[start..end];
        let equals = lex::skip_space(bytes, end);
        if bytes.get(equals) != Some(&b'=') {
            return Some((Self { key, value: "" }, &text[equals..]));
        }
        let start = lex::skip_space(bytes, equals + 1);
        let end = match bytes.get(start) {
            Some(b'"') => lex::end_of_quote(bytes, start)?,
            Some(_) | None => lex::span(bytes, start, lex::VALUE),
        };
        let value = &text[start..end];
        if key.is_empty() {
            return None;
        }
        Some((Self { key, value }, &text[lex::skip_space(bytes, end)..]))
    }

    /// What a parameter that breaks the grammar probably means.
    fn read_broken(text: &'a str) -> (Self, &'a str) {
        let (param, rest) = lex::split_bare(text, b';');
        let (key, value) = param.split_once('=').unwrap_or((param, ""));
        (Self { key: lex::trim(key), value: lex::trim(value) }, rest.unwrap_or(""))
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
    /// The rport parameter; empty when its sender asks for it (RFC 3581 §3).
    pub rport: Option<&'a str>,
    /// All parameters.
    pub params: Params<'a>,
}

impl<'a> Via<'a> {
    /// Reads the first value of a line.
    pub(crate) fn top(line: &'a str) -> Option<Self> {
        match lex::find_near(line.as_bytes(), 0, b',') {
            Some(_) => Self::parse(lex::trim_end(lex::split_bare(line, b',').0)),
            None => Self::parse(line),
        }
    }

    /// Reads one value.
    pub fn parse(text: &'a str) -> Option<Self> {
        let (transport, rest) = sent_protocol(text)?;
        let end = lex::find_near(rest.as_bytes(), 0, b';').unwrap_or(rest.len());
        let sent_by = lex::trim_end(&rest[..end]);
        let (host, port) = host_port(sent_by, true)?;
        let (mut branch, mut rport) = (None, None);
        let params = Params::checked(&rest[end..], true, |key, value| {
            if key.eq_ignore_ascii_case("branch") {
                branch.get_or_insert(value);
            } else if key.eq_ignore_ascii_case("rport") {
                rport.get_or_insert(value);
            }
        })?;
        Some(Self { transport, host, sent_by, port, branch, rport, params })
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
    let end = lex::span(rest.as_bytes(), 0, lex::TOKEN);
    let next = lex::skip_space(rest.as_bytes(), end);
    (end > 0 && next > end).then(|| (&rest[..end], &rest[next..]))
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
    pub(super) tag: Option<&'a str>,
}

impl<'a> NameAddr<'a> {
    /// Reads one value.
    pub fn parse(text: &'a str) -> Option<Self> {
        let text = lex::trim(text);
        let bytes = text.as_bytes();
        let bracket = match bytes.first()? {
            b'<' => 0,
            b'"' => lex::skip_space(bytes, lex::end_of_quote(bytes, 0)?),
            _ => match memchr2(b'<', b';', bytes) {
                Some(at) if bytes[at] == b'<' => at,
                Some(at) => return Self::bare(text, at),
                None => return Self::bare(text, text.len()),
            },
        };
        if bytes.get(bracket) != Some(&b'<') {
            return None;
        }
        let display = lex::trim_end(&text[..bracket]);
        let words = |byte| lex::is(byte, lex::TOKEN) || lex::is_space(byte);
        if !display.starts_with('"') && !display.bytes().all(words) {
            return None;
        }
        let end = lex::span(bytes, bracket + 1, lex::URI);
        let uri = &text[bracket + 1..end];
        if bytes.get(end) != Some(&b'>') || !is_absolute(uri) {
            return None;
        }
        let after = lex::skip_space(bytes, end + 1);
        let (params, tag) = tagged(&text[after..])?;
        Some(Self { display, uri, params, tag })
    }

    /// A URI without angle brackets has neither comma nor question mark (RFC 3261 §20).
    fn bare(text: &'a str, end: usize) -> Option<Self> {
        let uri = lex::trim_end(&text[..end]);
        let clean = memchr2(b',', b'?', uri.as_bytes()).is_none();
        if !clean || !lex::all(uri.as_bytes(), lex::URI) || !is_absolute(uri) {
            return None;
        }
        let (params, tag) = tagged(&text[end..])?;
        Some(Self { display: "", uri, params, tag })
    }

    /// The tag parameter.
    pub fn tag(&self) -> Option<&'a str> {
        self.tag
    }
}

/// Header parameters and the tag among them.
fn tagged(text: &str) -> Option<(Params<'_>, Option<&str>)> {
    let mut tag = None;
    let params = Params::checked(text, false, |key, value| {
        if key.eq_ignore_ascii_case("tag") {
            tag.get_or_insert(value);
        }
    })?;
    Some((params, tag))
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
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let start = lex::skip_space(text.as_bytes(), digits);
        let method = &text[start..];
        let number = lex::number(&text[..digits])?;
        (start > digits && lex::is_token(method.as_bytes())).then_some(Self { number, method })
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

impl<'a> Contacts<'a> {
    /// Reads the elements of all lines; a star stands alone (RFC 3261 §10.2.2).
    pub(crate) fn read(elements: impl Iterator<Item = &'a str>) -> Option<Self> {
        let mut list = smallvec::SmallVec::new();
        let mut stars = 0;
        for element in elements {
            match element {
                "*" => stars += 1,
                _ => list.push(NameAddr::parse(element)?),
            }
        }
        match (stars, list.is_empty()) {
            (0, true) => Some(Self::None),
            (0, false) => Some(Self::List(list)),
            (1, true) => Some(Self::Star),
            (_, _) => None,
        }
    }
}

/// Delta-seconds, or another number that may be followed by a comment or parameters (RFC 3261
/// §20.33).
pub(crate) fn seconds(value: &str) -> Option<u32> {
    let digits = value.bytes().take_while(u8::is_ascii_digit).count();
    let rest = lex::trim_start(&value[digits..]);
    let clean = rest.is_empty() || rest.starts_with([';', '(']);
    clean.then(|| lex::saturating_number(&value[..digits]))?
}

/// A Call-ID is one word.
pub(crate) fn is_call_id(value: &str) -> bool {
    !value.is_empty() && memchr2(b' ', b'\t', value.as_bytes()).is_none()
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
    let params = Params::checked(&text[end..], false, |_, _| {})?;
    Some((lex::trim(&text[..end]), params))
}

#[cfg(test)]
mod tests;
