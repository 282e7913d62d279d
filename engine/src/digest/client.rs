//! Client side: answers challenges, counts `nc`, notices a restarted server (M8).

use super::Algorithm;
use crate::message::Response;
use crate::mint::Secret;

/// Why a challenge cannot be answered.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ClientError {
    /// No challenge for an algorithm we accept.
    Downgrade,
    /// The credentials just sent were refused and not for staleness.
    Refused,
    /// The challenge is unreadable.
    Syntax,
}

/// What the client knows of one realm.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Client {
    realm: Option<Box<str>>,
}

impl Client {
    /// Takes a 401 or 407. `sent` says whether the refused request carried credentials of the
    /// current nonce. Ok: the request may be sent again with [`Client::authorize`].
    pub fn challenged(
        &mut self,
        response: &Response,
        minimum: Algorithm,
        sent: bool,
    ) -> Result<(), ClientError> {
        let _ = (response, minimum, sent);
        todo!()
    }

    /// The header value (Authorization or Proxy-Authorization) for a new request, `None` before
    /// the first challenge. Counts `nc`; call once per request, not per retransmission.
    /// `auth-int` is used whenever the server offers it.
    pub fn authorize(
        &mut self,
        secret: &Secret,
        user: &str,
        password: &str,
        method: &str,
        uri: &str,
        body: &[u8],
    ) -> Option<String> {
        let _ = (secret, user, password, method, uri, body);
        todo!()
    }

    /// Whether the last challenge was a 407.
    pub fn is_proxy(&self) -> bool {
        todo!()
    }

    /// Takes `nextnonce` of a 2xx (Authentication-Info).
    pub fn succeeded(&mut self, response: &Response) {
        let _ = response;
        todo!()
    }

    /// The server's `opaque`, which is its boot id when the server is Presently (D21).
    pub fn opaque(&self) -> Option<&str> {
        todo!()
    }
}
