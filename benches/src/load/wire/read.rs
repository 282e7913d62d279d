//! What comes: an answer to one of our requests, or a request that we have to answer.

use super::{Branch, COOKIE};
use memchr::{memchr, memmem};

/// One datagram, as far as its first line says.
pub(crate) enum Datagram<'a> {
    /// A response.
    Answer(Answer<'a>),
    /// A request.
    Request(Request<'a>),
    /// Neither.
    Unreadable,
}

/// A response.
pub(crate) struct Answer<'a> {
    pub(crate) status: u16,
    /// None if it is not ours.
    pub(crate) branch: Option<Branch>,
    head: &'a [u8],
}

/// A request of the server, its lines not yet looked at.
pub(crate) struct Request<'a> {
    pub(crate) method: Method,
    /// The user of the Request-URI, which is the user of a contact of ours.
    pub(crate) contact: &'a [u8],
    pub(crate) rest: &'a [u8],
}

/// What the server may ask of us.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Method {
    Notify,
    Message,
    /// Anything else, for example OPTIONS to see whether we are there.
    Other,
}

impl<'a> Datagram<'a> {
    pub(crate) fn of(bytes: &'a [u8]) -> Self {
        match bytes.strip_prefix(b"SIP/2.0 ") {
            Some(rest) => Answer::of(rest).map_or(Self::Unreadable, Self::Answer),
            None => Request::of(bytes).map_or(Self::Unreadable, Self::Request),
        }
    }
}

impl<'a> Answer<'a> {
    fn of(rest: &'a [u8]) -> Option<Self> {
        let status = decimal(rest.get(..3)?)?;
        let (_, head) = split_line(rest);
        let mut via = Lines(head).filter_map(|line| value(line, "Via", b'v'));
        Some(Self { status: status as u16, branch: via.next().and_then(branch), head })
    }

    /// The value of the first header with this name.
    pub(crate) fn header(&self, name: &str) -> Option<&'a [u8]> {
        self.headers(name).next()
    }

    /// The values of all headers with this name. To and Contact also have names of one letter.
    pub(crate) fn headers(&self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        let compact = match name {
            "To" => b't',
            "Contact" => b'm',
            _ => 0,
        };
        Lines(self.head).filter_map(move |line| value(line, name, compact))
    }
}

impl<'a> Request<'a> {
    fn of(bytes: &'a [u8]) -> Option<Self> {
        let (first, rest) = split_line(bytes);
        let space = memchr(b' ', first)?;
        let method = match &first[..space] {
            b"NOTIFY" => Method::Notify,
            b"MESSAGE" => Method::Message,
            _ => Method::Other,
        };
        let uri = first[space + 1..].strip_prefix(b"sip:")?;
        let contact = memchr(b'@', uri).map_or(uri, |at| &uri[..at]);
        Some(Self { method, contact, rest })
    }

    /// The lines of the head.
    pub(crate) fn lines(&self) -> Lines<'a> {
        Lines(self.rest)
    }

    /// What follows the empty line.
    pub(crate) fn body(&self) -> &'a [u8] {
        let end = memmem::find(self.rest, b"\r\n\r\n");
        end.map_or(&[], |end| &self.rest[end + 4..])
    }
}

/// Lines up to the empty one.
pub(crate) struct Lines<'a>(&'a [u8]);

impl<'a> Iterator for Lines<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let (line, rest) = split_line(self.0);
        self.0 = rest;
        if line.is_empty() {
            self.0 = &[];
            return None;
        }
        Some(line)
    }
}

/// The first line without its end, and the rest.
pub(crate) fn split_line(bytes: &[u8]) -> (&[u8], &[u8]) {
    let Some(end) = memchr(b'\n', bytes) else { return (bytes, &[]) };
    let line = &bytes[..end];
    (line.strip_suffix(b"\r").unwrap_or(line), &bytes[end + 1..])
}

/// The value of a header line, if it has this name or this letter (RFC 3261 §7.3.3).
pub(crate) fn value<'a>(line: &'a [u8], name: &str, compact: u8) -> Option<&'a [u8]> {
    let colon = memchr(b':', line)?;
    let found = line[..colon].trim_ascii_end();
    let is_short = found.len() == 1 && found[0].to_ascii_lowercase() == compact;
    let fits = is_short || found.eq_ignore_ascii_case(name.as_bytes());
    fits.then(|| line[colon + 1..].trim_ascii())
}

/// Our branch in a Via.
fn branch(via: &[u8]) -> Option<Branch> {
    let start = memmem::find(via, COOKIE.as_bytes())? + COOKIE.len();
    let digits = via.get(start..start + 16)?;
    Some(Branch { operation: hexadecimal(&digits[..8])?, serial: hexadecimal(&digits[8..])? })
}

/// The tag of a From or To.
pub(crate) fn tag(value: &[u8]) -> Option<&[u8]> {
    let start = memmem::rfind(value, b";tag=")? + 5;
    let rest = &value[start..];
    Some(memchr(b';', rest).map_or(rest, |end| &rest[..end]))
}

/// The URI between angle brackets.
pub(crate) fn uri(value: &[u8]) -> Option<&[u8]> {
    let start = memchr(b'<', value)? + 1;
    let end = memchr(b'>', &value[start..])?;
    Some(&value[start..start + end])
}

/// A parameter of a challenge, without its quotes.
pub(crate) fn parameter<'a>(challenge: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let mut rest = challenge;
    loop {
        let equals = memchr(b'=', rest)?;
        let found = rest[..equals].trim_ascii_start();
        let (value, after) = match rest[equals + 1..].strip_prefix(b"\"") {
            Some(quoted) => {
                let end = memchr(b'"', quoted)?;
                (&quoted[..end], &quoted[end + 1..])
            }
            None => {
                let bare = &rest[equals + 1..];
                let end = memchr(b',', bare).unwrap_or(bare.len());
                (bare[..end].trim_ascii(), &bare[end..])
            }
        };
        if found.eq_ignore_ascii_case(name.as_bytes()) {
            return Some(value);
        }
        rest = after.trim_ascii_start();
        rest = rest.strip_prefix(b",").unwrap_or(rest);
    }
}

/// The number after `mark` in a body.
pub(crate) fn number_after(body: &[u8], mark: &str) -> Option<u32> {
    let start = memmem::find(body, mark.as_bytes())? + mark.len();
    let rest = &body[start..];
    let end = rest.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len());
    decimal(&rest[..end])
}

/// A decimal number that fits.
pub(crate) fn decimal(digits: &[u8]) -> Option<u32> {
    let begin = (!digits.is_empty()).then_some(0_u32)?;
    digits.iter().try_fold(begin, |sum, digit| {
        let digit = char::from(*digit).to_digit(10)?;
        sum.checked_mul(10)?.checked_add(digit)
    })
}

/// Up to eight hexadecimal digits.
pub(crate) fn hexadecimal(digits: &[u8]) -> Option<u32> {
    let begin = (1..=8).contains(&digits.len()).then_some(0_u32)?;
    digits.iter().try_fold(begin, |sum, digit| Some(sum << 4 | char::from(*digit).to_digit(16)?))
}
