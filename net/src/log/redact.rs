//! Whole messages for the log, without what would let a reader become somebody else.
//!
//! Every line that looks like a credentials header is rewritten wherever it stands, so a message
//! that confuses about where its head ends cannot carry a secret past us. Of credentials only
//! parameters that are known to be harmless are kept; what cannot be read is covered.

use std::borrow::Cow;

/// What stands where a secret stood.
const COVER: &str = "…";

/// Headers with credentials or challenges (RFC 3261 §20, RFC 7616 §3).
const HEADERS: [&str; 6] = [
    "Authorization",
    "Proxy-Authorization",
    "WWW-Authenticate",
    "Proxy-Authenticate",
    "Authentication-Info",
    "Proxy-Authentication-Info",
];

/// Digest parameters that help a reader and nobody else.
const HARMLESS: [&str; 11] = [
    "username",
    "realm",
    "uri",
    "algorithm",
    "qop",
    "nc",
    "stale",
    "opaque",
    "domain",
    "charset",
    "userhash",
];

/// Elements whose content is a key (behaviour §6.4), whatever their prefix.
const ELEMENTS: [&str; 2] = ["secret", "access"];

/// A message as text without passwords, responses, nonces, keys and tokens.
pub fn redact(message: &[u8]) -> Cow<'_, str> {
    let text = String::from_utf8_lossy(message);
    let covered = cover_inline_keys(&cover_elements(&cover_passwords(&cover_headers(&text))));
    if covered == text { text } else { Cow::Owned(covered) }
}

/// A URI or other text from the wire, without the password of its user part (RFC 3261 §19.1.1).
pub(crate) fn redact_uri(text: &str) -> String {
    cover_passwords(text)
}

fn cover_headers(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut lines = text.split_inclusive(['\r', '\n']).peekable();
    while let Some(line) = lines.next() {
        let Some((name, value)) = credentials(line) else {
            out.push_str(line);
            continue;
        };
        let mut value = value.to_owned();
        while let Some(more) = lines
            .next_if(|next| value.ends_with('\r') && *next == "\n" || next.starts_with([' ', '\t']))
        {
            value.push_str(more);
        }
        let end = value.trim_end_matches(['\r', '\n']).len();
        out.push_str(name);
        out.push_str(": ");
        out.push_str(&cover_value(name, value[..end].trim()));
        out.push_str(&value[end..]);
    }
    out
}

/// Name and rest of a line that carries credentials.
fn credentials(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once(':')?;
    let name = name.trim();
    HEADERS.iter().any(|known| known.eq_ignore_ascii_case(name)).then_some((name, value))
}

fn cover_value(name: &str, value: &str) -> String {
    if name.to_ascii_lowercase().ends_with("-info") {
        return cover_parameters(value);
    }
    match value.split_once(|c: char| c.is_ascii_whitespace()) {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("Digest") => {
            format!("{scheme} {}", cover_parameters(rest))
        }
        Some((scheme, _)) => format!("{scheme} {COVER}"),
        None => COVER.into(),
    }
}

fn cover_parameters(text: &str) -> String {
    let parameters = split_parameters(text).into_iter().map(|parameter| {
        let Some((name, value)) = parameter.split_once('=') else { return COVER.to_owned() };
        let (name, value) = (name.trim(), value.trim());
        let known = HARMLESS.iter().any(|harmless| harmless.eq_ignore_ascii_case(name));
        match (known && is_whole(value), value.starts_with('"')) {
            (true, _) => format!("{name}={value}"),
            (false, true) => format!("{name}=\"{COVER}\""),
            (false, false) => format!("{name}={COVER}"),
        }
    });
    parameters.collect::<Vec<_>>().join(", ")
}

/// Splits at commas outside quoted strings.
fn split_parameters(text: &str) -> Vec<&str> {
    let (mut parts, mut start, mut quoted, mut escaped) = (Vec::new(), 0, false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ',' if !quoted => {
                parts.push(text[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(text[start..].trim());
    parts
}

/// A token, or one quoted string that ends where the value ends.
fn is_whole(value: &str) -> bool {
    match value.strip_prefix('"').map(|rest| rest.strip_suffix('"')) {
        Some(inner) => inner.is_some_and(|inner| !inner.contains(['"', '\r', '\n'])),
        None => !value.contains(|c: char| c == '"' || c == '=' || c.is_whitespace()),
    }
}

/// `sip:user:password@host` becomes `sip:user:…@host`.
fn cover_passwords(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = find_scheme(rest) {
        let (before, user) = rest.split_at(at);
        out.push_str(before);
        let end = user.find(|c: char| c.is_whitespace() || "@<>\"".contains(c));
        let end = end.unwrap_or(user.len());
        match user[..end].find(':') {
            Some(colon) if user[end..].starts_with('@') => {
                out.push_str(&user[..=colon]);
                out.push_str(COVER);
            }
            Some(_) | None => out.push_str(&user[..end]),
        }
        rest = &user[end..];
    }
    out.push_str(rest);
    out
}

/// Where the first SIP URI's user part begins.
fn find_scheme(text: &str) -> Option<usize> {
    let after = |scheme: &str| find_ignoring_case(text, scheme).map(|at| at + scheme.len());
    match (after("sip:"), after("sips:")) {
        (Some(plain), Some(secure)) => Some(plain.min(secure)),
        (plain, secure) => plain.or(secure),
    }
}

fn find_ignoring_case(text: &str, ascii: &str) -> Option<usize> {
    let matches = |window: &[u8]| window.eq_ignore_ascii_case(ascii.as_bytes());
    text.as_bytes().windows(ascii.len()).position(matches)
}

/// Covers the content of every element that holds a key.
fn cover_elements(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find('<') {
        let (before, tag) = rest.split_at(open);
        out.push_str(before);
        let name = tag[1..].split(|c: char| c.is_whitespace() || "/><".contains(c)).next();
        let name = name.unwrap_or_default();
        let local = name.rsplit(':').next().unwrap_or_default();
        if !ELEMENTS.contains(&local) {
            out.push('<');
            rest = &tag[1..];
            continue;
        }
        let Some(end) = end_of_tag(tag) else {
            out.push_str(COVER);
            return out;
        };
        out.push_str(&tag[..end]);
        rest = &tag[end..];
        if !tag[..end].ends_with("/>") {
            out.push_str(COVER);
            let close = format!("</{name}");
            rest = rest.find(&close).map_or("", |close| &rest[close..]);
        }
    }
    out.push_str(rest);
    out
}

/// Length of a start tag; `>` in an attribute value does not end it.
fn end_of_tag(tag: &str) -> Option<usize> {
    let mut quote = None;
    for (at, c) in tag.char_indices() {
        match (quote, c) {
            (None, '>') => return Some(at + 1),
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), close) if open == close => quote = None,
            (None | Some(_), _) => {}
        }
    }
    None
}

/// SRTP keys in SDP (RFC 4568 §9.1): `inline:KEY`.
fn cover_inline_keys(text: &str) -> String {
    let mut parts = text.split("inline:");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|c: char| c.is_whitespace() || c == '|').unwrap_or(part.len());
        out.push_str("inline:");
        out.push_str(COVER);
        out.push_str(&part[end..]);
    }
    out
}

#[cfg(test)]
mod tests;
