//! The hashes of digest authentication. Read RFC 7616 §3.4 (response, A1, A2, `unq`) and
//! RFC 8760 §2.6 (`auth-int` of an empty body) before editing.
//!
//! Everything here is a pure function of its arguments. The `-sess` variants are not offered and
//! not understood; SHA-512/256 is not, because no SIP client in use asks for it.

use md5::{Digest, Md5};
use sha2::Sha256;
use std::fmt;

/// Hash algorithm of a challenge (RFC 8760 §2.2), weakest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Algorithm {
    /// `MD5`, not recommended, the only one many phones know.
    Md5,
    /// `SHA-256`.
    Sha256,
}

impl Algorithm {
    /// The token of the `algorithm` parameter.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Sha256 => "SHA-256",
        }
    }

    /// The algorithm a token names; tokens of others (and `-sess`) name none.
    pub fn of(token: &str) -> Option<Self> {
        [Self::Md5, Self::Sha256]
            .into_iter()
            .find(|known| known.as_str().eq_ignore_ascii_case(token))
    }

    fn hex_digits(self) -> usize {
        match self {
            Self::Md5 => 32,
            Self::Sha256 => 64,
        }
    }
}

/// Quality of protection (RFC 7616 §3.4), weakest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Qop {
    /// None (RFC 2069 style).
    None,
    /// The request line.
    Auth,
    /// The request line and the body.
    AuthInt,
}

impl Qop {
    /// The token of the `qop` parameter; empty for [`Qop::None`].
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Auth => "auth",
            Self::AuthInt => "auth-int",
        }
    }

    /// The quality a token names.
    pub fn of(token: &str) -> Option<Self> {
        [Self::Auth, Self::AuthInt]
            .into_iter()
            .find(|known| known.as_str().eq_ignore_ascii_case(token))
    }
}

/// `H(user:realm:password)` as lower-case hex: the password equivalent of one realm.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Ha1(Box<str>);

impl Ha1 {
    /// Computes it from a password.
    pub fn of(algorithm: Algorithm, user: &str, realm: &str, password: &str) -> Self {
        let pieces = [user.as_bytes(), realm.as_bytes(), password.as_bytes()];
        Self(hash(algorithm, &pieces).hex().as_str().into())
    }

    /// Takes 32 (MD5) or 64 (SHA-256) hex digits from a users file.
    pub fn from_hex(algorithm: Algorithm, hex: &str) -> Option<Self> {
        let fits = hex.len() == algorithm.hex_digits();
        let digits = hex.bytes().all(|octet| octet.is_ascii_hexdigit());
        (fits && digits).then(|| Self(hex.to_ascii_lowercase().into()))
    }

    /// A password equivalent that nobody knows the password of. Requests of unknown users are
    /// computed against it, so that they take as long as those of known ones.
    pub(super) fn dummy(algorithm: Algorithm) -> Self {
        Self("0".repeat(algorithm.hex_digits()).into())
    }

    /// The hex digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Ha1 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ha1(…)")
    }
}

/// Everything that goes into a digest beside HA1.
#[derive(Clone, Copy, Debug)]
pub struct Parts<'a> {
    /// Method token; empty for `rspauth`.
    pub method: &'a str,
    /// `uri` parameter.
    pub uri: &'a str,
    /// Server nonce.
    pub nonce: &'a str,
    /// `nc` as 8 hex digits, with a qop only.
    pub nc: &'a str,
    /// Client nonce, with a qop only.
    pub cnonce: &'a str,
    /// Which qop.
    pub qop: Qop,
    /// Body, for `auth-int`.
    pub body: &'a [u8],
}

/// The `response` value as hex.
pub fn response(algorithm: Algorithm, ha1: &Ha1, parts: &Parts<'_>) -> String {
    response_hash(algorithm, ha1, parts).hex().as_str().into()
}

/// The `response` value as octets (RFC 7616 §3.4.1; without qop RFC 2617 §3.2.2.1).
pub(super) fn response_hash(algorithm: Algorithm, ha1: &Ha1, parts: &Parts<'_>) -> Hash {
    let (method, uri) = (parts.method.as_bytes(), parts.uri.as_bytes());
    let ha2 = match parts.qop {
        Qop::None | Qop::Auth => hash(algorithm, &[method, uri]),
        Qop::AuthInt => {
            let body = hash(algorithm, &[parts.body]).hex();
            hash(algorithm, &[method, uri, body.as_bytes()])
        }
    };
    let (ha1, ha2) = (ha1.as_str().as_bytes(), ha2.hex());
    let (nonce, ha2) = (parts.nonce.as_bytes(), ha2.as_bytes());
    match parts.qop {
        Qop::None => hash(algorithm, &[ha1, nonce, ha2]),
        Qop::Auth | Qop::AuthInt => {
            let (nc, cnonce) = (parts.nc.as_bytes(), parts.cnonce.as_bytes());
            hash(algorithm, &[ha1, nonce, nc, cnonce, parts.qop.as_str().as_bytes(), ha2])
        }
    }
}

/// A hash value: 16 or 32 octets.
#[derive(Clone, Copy)]
pub(super) struct Hash {
    octets: [u8; 32],
    len: usize,
}

impl Hash {
    /// The octets.
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.octets[..self.len]
    }

    /// The octets as lower-case hex.
    pub(super) fn hex(&self) -> Hex {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut digits = [0; 64];
        for (pair, octet) in digits.chunks_exact_mut(2).zip(self.as_bytes()) {
            pair[0] = DIGITS[usize::from(octet >> 4)];
            pair[1] = DIGITS[usize::from(octet & 15)];
        }
        Hex { digits, len: 2 * self.len }
    }
}

/// A hash value in hex, without an allocation.
pub(super) struct Hex {
    digits: [u8; 64],
    len: usize,
}

impl Hex {
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.digits[..self.len]
    }

    pub(super) fn as_str(&self) -> &str {
        std::str::from_utf8(self.as_bytes()).expect("hex digits are ASCII")
    }
}

/// `H(piece ":" piece ":" …)`.
fn hash(algorithm: Algorithm, pieces: &[&[u8]]) -> Hash {
    match algorithm {
        Algorithm::Md5 => joined::<Md5>(pieces),
        Algorithm::Sha256 => joined::<Sha256>(pieces),
    }
}

fn joined<D: Digest>(pieces: &[&[u8]]) -> Hash {
    let mut hasher = D::new();
    for (index, piece) in pieces.iter().enumerate() {
        if index > 0 {
            hasher.update(b":");
        }
        hasher.update(piece);
    }
    let value = hasher.finalize();
    let mut octets = [0; 32];
    octets[..value.len()].copy_from_slice(&value);
    Hash { octets, len: value.len() }
}

#[cfg(test)]
mod tests;
