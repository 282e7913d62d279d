//! Requests, answers and credentials for the tests of this module and of the rooms behind it.

use super::{Algorithm, Ha1, NonceKey, NonceLimits, Parts, Qop, Terms, response};
use crate::message::{Message, Request, Response};
use crate::time::Instant;
use bytes::Bytes;

/// The realm of all scenes.
pub(crate) const REALM: &str = "example.org";

/// When the server of all scenes booted.
pub(crate) const BOOT: Instant = Instant::from_millis(1_700_000_000_000);

/// The nonce key of a boot.
pub(crate) fn key(boot: u64) -> NonceKey {
    NonceKey::new([7; 32], boot, BOOT)
}

/// Circumstances with the defaults of K9.
pub(crate) fn terms<'a>(key: &'a NonceKey, limits: &'a NonceLimits, now: Instant) -> Terms<'a> {
    Terms { key, limits, now, realm: REALM, minimum: Qop::Auth, is_ours: &|_| false }
}

/// A request from alice to `uri`; `extra` are whole header lines, each with its CRLF.
pub(crate) fn request(method: &str, uri: &str, extra: &str, body: &str) -> Request {
    let length = body.len();
    let text = format!(
        "{method} {uri} SIP/2.0\r\n\
         Via: SIP/2.0/UDP 192.0.2.7:5062;branch=z9hG4bKnashds8;rport\r\n\
         Max-Forwards: 70\r\n\
         From: <sip:alice@example.org>;tag=456248\r\n\
         To: <sip:alice@example.org>\r\n\
         Call-ID: 843817637684230@998sdasdh09\r\n\
         CSeq: 1826 {method}\r\n\
         {extra}Content-Length: {length}\r\n\r\n{body}"
    );
    match Message::parse(Bytes::from(text)) {
        Ok(Message::Request(request)) => request,
        other => panic!("not a request: {other:?}"),
    }
}

/// An answer; `extra` are whole header lines, each with its CRLF.
pub(crate) fn answer(status: u16, extra: &str) -> Response {
    let text = format!(
        "SIP/2.0 {status} Whatever\r\n\
         Via: SIP/2.0/UDP 192.0.2.7:5062;branch=z9hG4bKnashds8\r\n\
         From: <sip:alice@example.org>;tag=456248\r\n\
         To: <sip:alice@example.org>;tag=2493k59kd\r\n\
         Call-ID: 843817637684230@998sdasdh09\r\n\
         CSeq: 1826 REGISTER\r\n\
         {extra}Content-Length: 0\r\n\r\n"
    );
    match Message::parse(Bytes::from(text)) {
        Ok(Message::Response(response)) => response,
        other => panic!("not a response: {other:?}"),
    }
}

/// The value of a quoted parameter of a challenge.
pub(crate) fn param<'a>(challenge: &'a str, name: &str) -> &'a str {
    let from = challenge.find(&format!("{name}=\"")).expect("the parameter is there");
    challenge[from..].split('"').nth(1).expect("it is quoted")
}

/// A phone that does what it is told, right or wrong.
#[derive(Clone, Debug)]
pub(crate) struct Phone {
    pub(crate) user: &'static str,
    pub(crate) password: &'static str,
    pub(crate) algorithm: Algorithm,
    pub(crate) qop: Qop,
    pub(crate) nonce: String,
    pub(crate) nc: u32,
}

impl Phone {
    /// Alice, who knows her password and uses the best there is.
    pub(crate) fn alice(nonce: &str) -> Self {
        Self {
            user: "alice",
            password: "wonderland",
            algorithm: Algorithm::Sha256,
            qop: Qop::AuthInt,
            nonce: nonce.to_owned(),
            nc: 1,
        }
    }

    /// The value of Authorization for a request.
    pub(crate) fn credentials(&self, method: &str, uri: &str, body: &str) -> String {
        let (user, nonce) = (self.user, &*self.nonce);
        let nc = format!("{:08x}", self.nc);
        let (cnonce, qop, body) = ("0a4f113b", self.qop, body.as_bytes());
        let parts = Parts { method, uri, nonce, nc: &nc, cnonce, qop, body };
        let ha1 = Ha1::of(self.algorithm, user, REALM, self.password);
        let proof = response(self.algorithm, &ha1, &parts);
        let with_qop = match qop {
            Qop::None => String::new(),
            qop => format!(", qop={}, nc={nc}, cnonce=\"{cnonce}\"", qop.as_str()),
        };
        format!(
            "Digest username=\"{user}\", realm=\"{REALM}\", nonce=\"{nonce}\", uri=\"{uri}\", \
             response=\"{proof}\", algorithm={}{with_qop}",
            self.algorithm.as_str()
        )
    }

    /// A request with credentials.
    pub(crate) fn request(&self, method: &str, uri: &str, body: &str) -> Request {
        let credentials = self.credentials(method, uri, body);
        request(method, uri, &format!("Authorization: {credentials}\r\n"), body)
    }

    /// The REGISTER of all scenes.
    pub(crate) fn register(&self) -> Request {
        self.request("REGISTER", "sip:example.org", "")
    }
}
