//! The address of record: the identity everything is keyed by (RFC 3261 §10.3 step 5, §19.1.4).

use super::{Host, Uri, UriError, lex};
use memchr::memchr;
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

const SCHEME: &str = "sip:";

/// `sip:user@domain` in canonical form: scheme and host lower-case, user unescaped as far as the
/// grammar allows, no parameters, no port, `sips` folded into `sip`. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Aor(Arc<str>);

impl Aor {
    /// The AOR that `text` names (`sip:bob@example.org`), or why it names none.
    pub fn parse(text: &str) -> Result<Self, UriError> {
        Self::from_uri(&Uri::parse(text)?)
    }

    /// The AOR of a URI; a `sip:` or `sips:` URI with a user part is required.
    pub fn from_uri(uri: &Uri<'_>) -> Result<Self, UriError> {
        let user = uri.user.ok_or(UriError::Syntax)?;
        Ok(match uri.host {
            Host::Name(name) => Self::assemble(user, name),
            Host::Ip(_) => Self::assemble(user, &uri.host.to_string()),
        })
    }

    /// The AOR of `user` (canonical or escaped) in `domain`.
    pub fn new(user: &str, domain: &str) -> Self {
        Self::assemble(user, domain)
    }

    fn assemble(user: &str, domain: &str) -> Self {
        let mut text = SmallVec::<[u8; 64]>::from_slice(SCHEME.as_bytes());
        text.extend_from_slice(&canonical_user(user));
        text.push(b'@');
        let host = text.len();
        text.extend_from_slice(domain.as_bytes());
        text[host..].make_ascii_lowercase();
        Self(
            std::str::from_utf8(&text).expect("a canonical user is ASCII, a domain is text").into(),
        )
    }

    /// The whole text, `sip:user@domain`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Makes `text` a share of this AOR if it says the same: whoever keeps many of both keeps one.
    pub(crate) fn share(&self, text: &mut Arc<str>) {
        if **text == *self.0 {
            *text = self.0.clone();
        }
    }

    /// The user part, canonical.
    pub fn user(&self) -> &str {
        &self.0[SCHEME.len()..self.at()]
    }

    /// The user part with every escape undone: the name its owner would write by hand. An escape
    /// that stands for no text stays.
    pub fn name(&self) -> Cow<'_, str> {
        let mut plain = Vec::with_capacity(self.user().len());
        let mut rest = self.user().as_bytes();
        while let Some((&byte, tail)) = rest.split_first() {
            let octet = lex::escape(rest);
            plain.push(octet.unwrap_or(byte));
            rest = if octet.is_some() { &rest[3..] } else { tail };
        }
        String::from_utf8(plain).map_or(Cow::Borrowed(self.user()), Cow::Owned)
    }

    /// The domain, lower-case.
    pub fn domain(&self) -> &str {
        &self.0[self.at() + 1..]
    }

    /// Where the `@` is; a user part has none, it would be escaped.
    fn at(&self) -> usize {
        memchr(b'@', self.0.as_bytes()).expect("every AOR is assembled with an @")
    }
}

impl TryFrom<String> for Aor {
    type Error = UriError;

    fn try_from(text: String) -> Result<Self, UriError> {
        Self::parse(&text)
    }
}

impl fmt::Display for Aor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Aor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A user part with needless escapes undone and hex digits in upper case (RFC 3261 §19.1.4); what
/// the grammar wants escaped is escaped. Borrowed when `user` is already canonical.
pub fn canonical_user(user: &str) -> Cow<'_, [u8]> {
    let bytes = user.as_bytes();
    if lex::all(bytes, lex::USER) {
        return Cow::Borrowed(bytes);
    }
    let mut out = Vec::with_capacity(bytes.len() + 8);
    push_user(&mut out, bytes);
    Cow::Owned(out)
}

fn push_user(out: &mut Vec<u8>, user: &[u8]) {
    let mut rest = user;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = match lex::escape(rest) {
            Some(octet) => {
                match lex::is(octet, lex::UNRESERVED) {
                    true => out.push(octet),
                    false => lex::push_escape(out, octet),
                }
                &rest[3..]
            }
            None => {
                match lex::is(byte, lex::USER) {
                    true => out.push(byte),
                    false => lex::push_escape(out, byte),
                }
                tail
            }
        };
    }
}

#[cfg(test)]
mod tests;
