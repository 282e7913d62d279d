//! The grammar that challenges and credentials share: `Scheme name=value, name="value"`
//! (RFC 7616 §3.3, §3.4; RFC 3261 §25.1 `challenge`, `credentials`).
//!
//! It accepts what deployed peers write: any value quoted or not, empty list elements, several
//! challenges on one line. It refuses a `Digest` value in which a parameter
//! that matters is given twice.

use std::borrow::Cow;

/// More parameters than any digest header has.
const MOST_PARAMS: usize = 24;

/// The parameters that mean something to us; others are skipped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Param {
    Algorithm,
    Cnonce,
    Nc,
    NextNonce,
    Nonce,
    Opaque,
    Qop,
    Realm,
    Response,
    RspAuth,
    Stale,
    Uri,
    Username,
    /// `username*`, for characters that a quoted string cannot hold (RFC 7616 §3.4).
    UsernameExtended,
}

/// How many [`Param`]s there are.
const KNOWN: usize = 14;

impl Param {
    fn of(name: &str) -> Option<Self> {
        use Param::*;
        // A glance at the first letter leaves at most three names to compare.
        let candidates: &[(&str, Self)] = match name.bytes().next()? | 0x20 {
            b'a' => &[("algorithm", Algorithm)],
            b'c' => &[("cnonce", Cnonce)],
            b'n' => &[("nonce", Nonce), ("nc", Nc), ("nextnonce", NextNonce)],
            b'o' => &[("opaque", Opaque)],
            b'q' => &[("qop", Qop)],
            b'r' => &[("realm", Realm), ("response", Response), ("rspauth", RspAuth)],
            b's' => &[("stale", Stale)],
            b'u' => &[("username", Username), ("uri", Uri), ("username*", UsernameExtended)],
            _ => &[],
        };
        let found = candidates.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, param)| *param)
    }
}

/// A `Digest` value that cannot be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Unreadable;

/// One scheme with its parameters, borrowed from the header line.
pub(super) struct Scheme<'a> {
    name: &'a str,
    params: [Option<Value<'a>>; KNOWN],
}

/// A parameter value without its quotes.
#[derive(Clone, Copy)]
struct Value<'a> {
    text: &'a str,
    escaped: bool,
}

impl<'a> Scheme<'a> {
    /// A header of parameters without a scheme, such as Authentication-Info.
    pub(super) fn bare(line: &'a str) -> Result<Self, Unreadable> {
        let mut scheme = Self { name: "", params: [None; KNOWN] };
        let rest = params(line, &mut scheme)?;
        if rest.is_empty() { Ok(scheme) } else { Err(Unreadable) }
    }

    /// Whether this is digest authentication.
    pub(super) fn is_digest(&self) -> bool {
        self.name.eq_ignore_ascii_case("Digest")
    }

    /// Whether a parameter is there.
    pub(super) fn has(&self, param: Param) -> bool {
        self.params[param as usize].is_some()
    }

    /// The value of a parameter, quotes and escapes undone.
    pub(super) fn get(&self, param: Param) -> Option<Cow<'a, str>> {
        self.params[param as usize].map(Value::unescaped)
    }
}

impl<'a> Value<'a> {
    fn unescaped(self) -> Cow<'a, str> {
        if !self.escaped {
            return Cow::Borrowed(self.text);
        }
        let mut plain = String::with_capacity(self.text.len());
        let mut letters = self.text.chars();
        while let Some(letter) = letters.next() {
            plain.extend(if letter == '\\' { letters.next() } else { Some(letter) });
        }
        Cow::Owned(plain)
    }
}

/// `text` as a quoted string (RFC 3261 §25.1).
pub(super) fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for letter in text.chars() {
        if matches!(letter, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(letter);
    }
    quoted.push('"');
    quoted
}

/// The schemes of one header line, in order. A scheme other than `Digest` that does not follow
/// the grammar (`Bearer` tokens and the like) ends the line silently.
pub(super) struct Schemes<'a> {
    rest: &'a str,
}

impl<'a> Schemes<'a> {
    pub(super) fn of(line: &'a str) -> Self {
        Self { rest: line }
    }
}

impl<'a> Iterator for Schemes<'a> {
    type Item = Result<Scheme<'a>, Unreadable>;

    fn next(&mut self) -> Option<Self::Item> {
        let start = self.rest.trim_start_matches([' ', '\t', ',']);
        let (name, rest) = token(start);
        if start.is_empty() {
            return None;
        }
        let mut scheme = Scheme { name, params: [None; KNOWN] };
        let spaced = rest.starts_with([' ', '\t']).then_some(rest).ok_or(Unreadable);
        match spaced.and_then(|rest| params(rest, &mut scheme)) {
            Ok(rest) => {
                self.rest = rest;
                Some(Ok(scheme))
            }
            Err(unreadable) => {
                self.rest = "";
                (scheme.is_digest() || name.is_empty()).then_some(Err(unreadable))
            }
        }
    }
}

/// Reads parameters until the line ends or another scheme begins; returns what follows.
fn params<'a>(mut rest: &'a str, scheme: &mut Scheme<'a>) -> Result<&'a str, Unreadable> {
    for count in 0..=MOST_PARAMS {
        let start = rest.trim_start_matches([' ', '\t', ',']);
        if start.is_empty() {
            return if count == 0 { Err(Unreadable) } else { Ok(start) };
        }
        let (name, after) = token(start);
        let Some(value) = after.trim_start().strip_prefix('=') else {
            let another = !name.is_empty() && count > 0;
            return if another { Ok(start) } else { Err(Unreadable) };
        };
        let (value, after) = self::value(value.trim_start())?;
        let twice = Param::of(name).and_then(|param| scheme.params[param as usize].replace(value));
        rest = after.trim_start();
        let ended = rest.is_empty() || rest.starts_with(',');
        if name.is_empty() || twice.is_some() || !ended {
            return Err(Unreadable);
        }
    }
    Err(Unreadable)
}

fn token(text: &str) -> (&str, &str) {
    let is_end = |octet: &u8| matches!(octet, b' ' | b'\t' | b'=' | b',' | b'"');
    text.split_at(text.bytes().position(|octet| is_end(&octet)).unwrap_or(text.len()))
}

fn value(text: &str) -> Result<(Value<'_>, &str), Unreadable> {
    let Some(quoted) = text.strip_prefix('"') else {
        let is_end = |octet: u8| matches!(octet, b' ' | b'\t' | b',' | b'"');
        let (text, rest) = text.split_at(text.bytes().position(is_end).unwrap_or(text.len()));
        return if text.is_empty() {
            Err(Unreadable)
        } else {
            Ok((Value { text, escaped: false }, rest))
        };
    };
    let (mut from, mut escaped) = (0, false);
    loop {
        let at =
            from + memchr::memchr2(b'"', b'\\', &quoted.as_bytes()[from..]).ok_or(Unreadable)?;
        if quoted.as_bytes()[at] == b'"' {
            return Ok((Value { text: &quoted[..at], escaped }, &quoted[at + 1..]));
        }
        escaped = true;
        from = at + 2;
        if from > quoted.len() {
            return Err(Unreadable);
        }
    }
}

#[cfg(test)]
mod tests;
