//! The lexical ground: character classes (RFC 3261 §25.1), white space, quotes, escapes.
//!
//! Read RFC 3261 §7.3.1 and §25.1 first. Nothing here knows what a header means.

use memchr::{memchr, memchr2, memchr3};

/// `token`: methods, header names, parameter names.
pub(crate) const TOKEN: u8 = 1;
/// `unreserved`: what needs no escape anywhere in a URI.
pub(crate) const UNRESERVED: u8 = 2;
/// Characters of a user part, escapes aside.
pub(crate) const USER: u8 = 4;
/// Characters of URI parameters.
pub(crate) const PARAM: u8 = 8;
/// Characters of URI headers.
pub(crate) const HEADER: u8 = 16;
/// Host names; the underscore is no part of the grammar but of the world.
pub(crate) const HOST: u8 = 32;
/// What an unquoted parameter value may consist of: any visible character but separators of
/// parameters, lists and quotes. Wider than `token`, for IPv6 addresses and UTF-8.
pub(crate) const VALUE: u8 = 64;
/// What may stand between `<` and `>`.
pub(crate) const URI: u8 = 128;

const fn classes() -> [u8; 256] {
    let mut table = [0; 256];
    let mut at = 0;
    while at < 256 {
        let byte = at as u8;
        let mut bits = 0;
        let alphanumeric = byte.is_ascii_alphanumeric();
        if alphanumeric || among(byte, b"-.!%*_+`'~") {
            bits |= TOKEN;
        }
        if alphanumeric || among(byte, b"-_.!~*'()") {
            bits |= UNRESERVED | USER | PARAM | HEADER;
        }
        if among(byte, b"&=+$,;?/") {
            bits |= USER;
        }
        if among(byte, b"[]/:&+$") {
            bits |= PARAM;
        }
        if among(byte, b"[]/?:+$") {
            bits |= HEADER;
        }
        if alphanumeric || among(byte, b"-._") {
            bits |= HOST;
        }
        if byte > b' ' && byte != 0x7f && !among(byte, b"\"<>") {
            bits |= URI;
            if !among(byte, b";,=") {
                bits |= VALUE;
            }
        }
        table[at] = bits;
        at += 1;
    }
    table
}

const fn among(byte: u8, set: &[u8]) -> bool {
    let mut at = 0;
    while at < set.len() {
        if set[at] == byte {
            return true;
        }
        at += 1;
    }
    false
}

static CLASSES: [u8; 256] = classes();

/// Whether every byte of `text` is in `class`.
pub(crate) fn all(text: &[u8], class: u8) -> bool {
    span(text, 0, class) == text.len()
}

/// Where the run of `class` that begins at `from` ends.
#[inline]
pub(crate) fn span(text: &[u8], from: usize, class: u8) -> usize {
    let mut at = from;
    while let Some(chunk) = text[at..].first_chunk::<8>() {
        let common = chunk.iter().fold(class, |bits, &byte| bits & CLASSES[usize::from(byte)]);
        if common == 0 {
            break;
        }
        at += 8;
    }
    while at < text.len() && is(text[at], class) {
        at += 1;
    }
    at
}

/// `byte` in all eight octets.
const fn eight(byte: u8) -> u64 {
    u64::from_le_bytes([byte; 8])
}

/// The first place from `from` on where `marks` has a high bit: it gets eight octets at a time and
/// marks at least the first one that matters. For the short distances between separators this
/// beats a call of `memchr`.
#[inline]
fn find_marked(text: &[u8], from: usize, marks: impl Fn(u64) -> u64) -> Option<usize> {
    let mut at = from;
    while let Some(chunk) = text[at..].first_chunk::<8>() {
        let marked = marks(u64::from_le_bytes(*chunk)) & eight(0x80);
        if marked != 0 {
            return Some(at + marked.trailing_zeros() as usize / 8);
        }
        at += 8;
    }
    let mut last = [b' '; 8];
    let rest = &text[at..];
    last[..rest.len()].copy_from_slice(rest);
    let marked = marks(u64::from_le_bytes(last)) & eight(0x80);
    let offset = marked.trailing_zeros() as usize / 8;
    (offset < rest.len()).then_some(at + offset)
}

/// Where the first `byte` is, expected near.
#[inline]
pub(crate) fn find_near(text: &[u8], from: usize, byte: u8) -> Option<usize> {
    find_marked(text, from, |octets| {
        let zero = octets ^ eight(byte);
        zero.wrapping_sub(eight(1)) & !zero
    })
}

/// Where the first control character (below SP) is.
#[inline]
pub(crate) fn find_control(text: &[u8], from: usize) -> Option<usize> {
    find_marked(text, from, |octets| octets.wrapping_sub(eight(b' ')) & !octets)
}

/// Where the white space that begins at `from` ends.
#[inline]
pub(crate) fn skip_space(text: &[u8], mut from: usize) -> usize {
    while from < text.len() && is_space(text[from]) {
        from += 1;
    }
    from
}

/// Whether `text` is a token.
pub(crate) fn is_token(text: &[u8]) -> bool {
    !text.is_empty() && all(text, TOKEN)
}

/// Whether every byte is in `class` or part of a `%HH` escape.
pub(crate) fn all_escaped(text: &[u8], class: u8) -> bool {
    let mut at = 0;
    while at < text.len() {
        if is(text[at], class) {
            at += 1;
        } else if escape(&text[at..]).is_some() {
            at += 3;
        } else {
            return false;
        }
    }
    true
}

/// Whether `byte` is in `class`.
#[inline]
pub(crate) fn is(byte: u8, class: u8) -> bool {
    CLASSES[usize::from(byte)] & class != 0
}

/// The octet that an escape at the start of `text` stands for.
pub(crate) fn escape(text: &[u8]) -> Option<u8> {
    match text {
        [b'%', high, low, ..] => Some(hex(*high)? << 4 | hex(*low)?),
        _ => None,
    }
}

fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

/// Appends `byte` as `%HH`.
pub(crate) fn push_escape(out: &mut Vec<u8>, byte: u8) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    out.extend([b'%', DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
}

/// SP or HTAB: all white space there is in an unfolded line.
pub(crate) const fn is_space(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

/// Without white space at both ends.
pub(crate) fn trim(text: &str) -> &str {
    trim_end(trim_start(text))
}

pub(crate) fn trim_start(text: &str) -> &str {
    &text[skip_space(text.as_bytes(), 0)..]
}

pub(crate) fn trim_end(text: &str) -> &str {
    let mut end = text.len();
    while end > 0 && is_space(text.as_bytes()[end - 1]) {
        end -= 1;
    }
    &text[..end]
}

/// Where the first `stop` is that stands neither in quotes nor in angle brackets. Text after a
/// quote or bracket that never closes hides every `stop`.
pub(crate) fn find_bare(text: &[u8], stop: u8) -> Option<usize> {
    let mut from = 0;
    loop {
        let at = from + memchr3(stop, b'"', b'<', text.get(from..)?)?;
        from = match text[at] {
            b'"' => end_of_quote(text, at)?,
            b'<' => at + 1 + memchr(b'>', &text[at..])?,
            _ => return Some(at),
        };
    }
}

/// The position after the quote that closes the one at `open` (RFC 3261 §25.1 quoted-string).
pub(crate) fn end_of_quote(text: &[u8], open: usize) -> Option<usize> {
    let mut from = open + 1;
    loop {
        let at = from + memchr2(b'"', b'\\', text.get(from..)?)?;
        if text[at] == b'"' {
            return Some(at + 1);
        }
        from = at + 2;
    }
}

/// Splits `text` at the first bare `stop`; the rest is `None` when there is no `stop`.
pub(crate) fn split_bare(text: &str, stop: u8) -> (&str, Option<&str>) {
    match find_bare(text.as_bytes(), stop) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    }
}

/// The elements of `text` between bare `stop`s, trimmed; empty ones are kept.
pub(crate) fn elements(text: &str, stop: u8) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let (element, tail) = split_bare(rest?, stop);
        rest = tail;
        Some(trim(element))
    })
}

/// A number of digits only; what does not fit becomes `u32::MAX`.
pub(crate) fn saturating_number(text: &str) -> Option<u32> {
    let add = |sum: u64, digit: u8| {
        let digit = digit.is_ascii_digit().then(|| u64::from(digit - b'0'))?;
        Some((sum * 10 + digit).min(u64::from(u32::MAX) + 1))
    };
    let number = text.bytes().try_fold(0, add).filter(|_| !text.is_empty())?;
    Some(u32::try_from(number).unwrap_or(u32::MAX))
}

/// A number of digits only that fits.
pub(crate) fn number(text: &str) -> Option<u32> {
    match saturating_number(text)? {
        u32::MAX => text.parse().ok(),
        number => Some(number),
    }
}
