//! The address of record: the identity everything is keyed by.

use super::{Uri, UriError};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// `sip:user@domain` in canonical form: scheme and host lower-case, user unescaped as far as the
/// grammar allows, no parameters, no port, `sips` folded into `sip`. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Aor(Arc<str>);

impl Aor {
    /// The AOR that `text` names (`sip:bob@example.org`), or why it names none.
    pub fn parse(text: &str) -> Result<Self, UriError> {
        Self::from_uri(&Uri::parse(text)?)
    }

    /// The AOR of a URI; a `sip:` or `sips:` URI with a user part is required.
    pub fn from_uri(uri: &Uri<'_>) -> Result<Self, UriError> {
        let _ = uri;
        todo!()
    }

    /// The AOR of `user` (canonical or escaped) in `domain`.
    pub fn new(user: &str, domain: &str) -> Self {
        let _ = (user, domain);
        todo!()
    }

    /// The whole text, `sip:user@domain`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The user part, canonical.
    pub fn user(&self) -> &str {
        todo!()
    }

    /// The domain, lower-case.
    pub fn domain(&self) -> &str {
        todo!()
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

/// A user part with needless escapes undone and hex digits in upper case (RFC 3261 §19.1.4).
/// Borrowed when `user` is already canonical.
pub fn canonical_user(user: &str) -> Cow<'_, [u8]> {
    Cow::Borrowed(user.as_bytes())
}
