//! The hashes of RFC 7616 §3.4.

use crate::message::Method;

/// Hash algorithm of a challenge (RFC 8760 §2.2).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Algorithm {
    /// `MD5`, not recommended, the only one many phones know.
    Md5,
    /// `SHA-256`.
    Sha256,
}

/// Quality of protection (RFC 7616 §3.4).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Qop {
    /// None (RFC 2069 style).
    None,
    /// The request line.
    Auth,
    /// The request line and the body.
    AuthInt,
}

/// `H(user:realm:password)` as lower-case hex: the password equivalent of one realm.
#[derive(Clone, PartialEq, Eq)]
pub struct Ha1(Box<str>);

impl Ha1 {
    /// Computes it from a password.
    pub fn of(algorithm: Algorithm, user: &str, realm: &str, password: &str) -> Self {
        let _ = (algorithm, user, realm, password);
        todo!()
    }

    /// Takes 32 (MD5) or 64 (SHA-256) hex digits from a users file.
    pub fn from_hex(algorithm: Algorithm, hex: &str) -> Option<Self> {
        let _ = (algorithm, hex);
        todo!()
    }

    /// The hex digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Ha1 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ha1(…)")
    }
}

/// Everything that goes into a digest beside HA1.
#[derive(Clone, Copy, Debug)]
pub struct Parts<'a> {
    /// Method token.
    pub method: &'a str,
    /// `uri` parameter.
    pub uri: &'a str,
    /// Server nonce.
    pub nonce: &'a str,
    /// `nc` as 8 hex digits, client nonce: with a qop only.
    pub nc: &'a str,
    /// Client nonce.
    pub cnonce: &'a str,
    /// Which qop.
    pub qop: Qop,
    /// Body, for `auth-int`.
    pub body: &'a [u8],
}

/// The `response` value as hex.
pub fn response(algorithm: Algorithm, ha1: &Ha1, parts: &Parts<'_>) -> String {
    let _ = (algorithm, ha1, parts, Method::Other);
    todo!()
}
