//! Who takes part: users by number, and their subscriptions by number.

use super::login::Login;
use super::wire::write::{Call, Writer};

/// What all users have in common.
pub(crate) struct House {
    /// Our address, as the server sees it.
    pub(crate) sent_by: String,
    pub(crate) domain: String,
    pub(crate) prefix: String,
    pub(crate) password: String,
    pub(crate) expires: u32,
    /// How many tuples a published document has.
    pub(crate) tuples: u32,
    /// Sets this run apart from others.
    pub(crate) run: u32,
    /// Nobody uses a nonce for a second request.
    pub(crate) forgets_nonces: bool,
}

impl House {
    /// `u000042`
    pub(crate) fn name(&self, user: u32) -> String {
        let mut name = Vec::with_capacity(16);
        Writer(&mut name).put(&self.prefix).number(user as usize, 6);
        String::from_utf8(name).unwrap_or_default()
    }

    /// `sip:u000042@presence.test`
    pub(crate) fn aor(&self, user: u32) -> Vec<u8> {
        let mut aor = Vec::with_capacity(48);
        Writer(&mut aor).put("sip:").put(&self.prefix).number(user as usize, 6);
        Writer(&mut aor).put("@").put(&self.domain);
        aor
    }

    pub(crate) fn call(&self, letter: u8, number: u32) -> Call {
        Call { letter, number, run: self.run }
    }
}

/// One user.
#[derive(Default)]
pub(crate) struct User {
    pub(crate) is_registered: bool,
    /// CSeq of the last REGISTER.
    pub(crate) cseq: u32,
    /// Of the publication, until the server forgot it (RFC 3903 §4.3).
    pub(crate) etag: Option<Box<[u8]>>,
    /// How often something was published.
    pub(crate) published: u32,
    pub(crate) login: Option<Box<Login>>,
}

/// What a subscription is to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Package {
    Presence,
    /// `presence.winfo` (RFC 3857).
    Winfo,
}

/// One subscription.
pub(crate) struct Dialog {
    pub(crate) watcher: u32,
    pub(crate) presentity: u32,
    pub(crate) package: Package,
    /// CSeq of our last SUBSCRIBE.
    pub(crate) cseq: u32,
    /// Least CSeq of the next NOTIFY: one that comes again has a lower one.
    pub(crate) next_cseq: u32,
    /// The operation that waits for a NOTIFY.
    pub(crate) operation: Option<u32>,
    /// The server's tag and contact, from its first answer until the end.
    pub(crate) remote: Option<Remote>,
}

/// What requests in a dialog need of the other side (RFC 3261 §12.2.1.1).
pub(crate) struct Remote {
    pub(crate) tag: Box<[u8]>,
    pub(crate) target: Box<[u8]>,
}

impl Dialog {
    pub(crate) fn new(watcher: u32, presentity: u32, package: Package) -> Self {
        Self { watcher, presentity, package, cseq: 0, next_cseq: 0, operation: None, remote: None }
    }
}
