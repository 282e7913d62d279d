//! The answer to a digest challenge, cheaper than the engine's own client: HA1 is computed once,
//! and nobody checks whether the server knows the password too. Read RFC 7616 §3.4 first.

use super::wire::read::{Answer, parameter};
use super::wire::write::Writer;
use presently_engine::digest::{Algorithm, Ha1, Parts, Qop, response};

/// What a user knows of the realm.
pub(crate) struct Login {
    realm: Box<str>,
    nonce: Box<str>,
    opaque: Option<Box<str>>,
    algorithm: Algorithm,
    qop: Qop,
    ha1: Ha1,
    nc: u32,
    is_proxy: bool,
}

/// Whose password it is.
#[derive(Clone, Copy)]
pub(crate) struct Account<'a> {
    pub(crate) user: &'a str,
    pub(crate) password: &'a str,
}

impl Login {
    /// Takes the topmost challenge that we can answer: the server names its favourite first
    /// (RFC 7616 §3.7). What is known from `before` is not computed again.
    pub(crate) fn challenged(
        answer: &Answer<'_>,
        account: Account<'_>,
        before: Option<Self>,
    ) -> Option<Self> {
        let is_proxy = answer.status == 407;
        let name = if is_proxy { "Proxy-Authenticate" } else { "WWW-Authenticate" };
        answer.headers(name).find_map(|challenge| {
            let (scheme, challenge) = challenge.split_at_checked("Digest ".len())?;
            if !scheme.eq_ignore_ascii_case(b"Digest ") {
                return None;
            }
            let text =
                |name| parameter(challenge, name).and_then(|value| str::from_utf8(value).ok());
            let algorithm = text("algorithm").map_or(Some(Algorithm::Md5), Algorithm::of)?;
            let realm: Box<str> = text("realm")?.into();
            let known = before.as_ref().filter(|login| login.knows(algorithm, &realm));
            let ha1 = known.map(|login| login.ha1.clone());
            let offered = text("qop").unwrap_or_default();
            let auth = offered.split(',').any(|qop| qop.trim().eq_ignore_ascii_case("auth"));
            Some(Self {
                ha1: ha1
                    .unwrap_or_else(|| Ha1::of(algorithm, account.user, &realm, account.password)),
                realm,
                nonce: text("nonce")?.into(),
                opaque: text("opaque").map(Into::into),
                algorithm,
                qop: if auth { Qop::Auth } else { Qop::None },
                nc: 0,
                is_proxy,
            })
        })
    }

    fn knows(&self, algorithm: Algorithm, realm: &str) -> bool {
        self.algorithm == algorithm && *self.realm == *realm
    }

    /// Takes the `nextnonce` of an answer, if there is one (RFC 7616 §3.5).
    pub(crate) fn succeeded(&mut self, answer: &Answer<'_>) {
        let Some(info) = answer.header("Authentication-Info") else { return };
        let next = parameter(info, "nextnonce").and_then(|next| str::from_utf8(next).ok());
        if let Some(next) = next.filter(|next| !next.is_empty()) {
            self.nonce = next.into();
            self.nc = 0;
        }
    }

    /// Writes the header of the next request with this nonce.
    pub(crate) fn write(&mut self, out: &mut Writer<'_>, user: &str, method: &str, uri: &str) {
        self.nc += 1;
        let nc = format!("{:08x}", self.nc);
        // Nobody guesses at what we send: a client nonce may be predictable.
        let cnonce = &nc;
        let (nonce, qop) = (&*self.nonce, self.qop);
        let parts = Parts { method, uri, nonce, nc: &nc, cnonce, qop, body: b"" };
        let proof = response(self.algorithm, &self.ha1, &parts);
        out.put(if self.is_proxy { "Proxy-Authorization" } else { "Authorization" });
        out.put(": Digest username=\"").put(user).put("\", realm=\"").put(&*self.realm);
        out.put("\", nonce=\"").put(nonce).put("\", uri=\"").put(uri);
        out.put("\", response=\"").put(proof).put("\", algorithm=").put(self.algorithm.as_str());
        if let Some(opaque) = &self.opaque {
            out.put(", opaque=\"").put(&**opaque).put("\"");
        }
        if qop != Qop::None {
            out.put(", cnonce=\"").put(cnonce).put("\", qop=").put(qop.as_str());
            out.put(", nc=").put(&nc);
        }
        out.put("\r\n");
    }
}
