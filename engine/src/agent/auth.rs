//! Credentials (M8): what we know of the server's challenges, and its boot id (D21).
//!
//! Read RFC 3261 §22 and RFC 7616 first. A registrar or presence agent asks with 401, a proxy
//! with 407, each with a nonce of its own; hence two clients. This file decides which of them
//! speaks in a request; it does not decide whether the request is tried again.

use super::Config;
use crate::digest::{Algorithm, Client, ClientError};
use crate::message::{Method, Name, Response};

/// Who asked for credentials.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum Asker {
    /// 401: the server as user agent server.
    Server,
    /// 407: the server as proxy.
    Proxy,
}

impl Asker {
    /// The asker behind a status, if it is a challenge.
    pub(crate) fn of(status: u16) -> Option<Self> {
        match status {
            401 => Some(Self::Server),
            407 => Some(Self::Proxy),
            _ => None,
        }
    }

    /// Who will probably ask for a request of this method.
    fn expected(method: Method) -> Self {
        match method {
            Method::Message | Method::Invite | Method::Options | Method::Bye => Self::Proxy,
            _ => Self::Server,
        }
    }

    fn header(self) -> Name {
        match self {
            Self::Server => Name::Authorization,
            Self::Proxy => Name::ProxyAuthorization,
        }
    }
}

/// What one asker told us, and how often.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
struct Known {
    client: Client,
    /// Counts challenges: a refusal of an older one says nothing about the password.
    challenges: u64,
}

/// All we know of the server's challenges.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct Auth {
    server: Known,
    proxy: Known,
    /// Realm of our registrar, the only one that our password is for.
    realm: Option<Box<str>>,
    boot: Option<Box<str>>,
}

/// Which challenges a request answered; kept with it until its answer is there.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct Credentials {
    server: Option<u64>,
    proxy: Option<u64>,
}

impl Credentials {
    fn of(self, asker: Asker) -> Option<u64> {
        match asker {
            Asker::Server => self.server,
            Asker::Proxy => self.proxy,
        }
    }
}

impl Auth {
    /// The header lines for a request, and what they answer. `asked` are those who challenged
    /// this very request; without any, the one who is expected to.
    pub(crate) fn authorize(
        &mut self,
        config: &Config,
        asked: &[Asker],
        method: Method,
        uri: &str,
        body: &[u8],
    ) -> (Vec<(Name, String)>, Credentials) {
        let expected = [Asker::expected(method)];
        let askers = if asked.is_empty() { &expected } else { asked };
        let mut lines = Vec::new();
        let mut credentials = Credentials::default();
        for asker in askers {
            let known = self.known(*asker);
            let (user, password) = (&config.aor.name(), &*config.password);
            let client = &mut known.client;
            let value =
                client.authorize(&config.secret, user, password, method.as_str(), uri, body);
            let Some(value) = value else { continue };
            lines.push((asker.header(), value));
            match asker {
                Asker::Server => credentials.server = Some(known.challenges),
                Asker::Proxy => credentials.proxy = Some(known.challenges),
            }
        }
        (lines, credentials)
    }

    /// Takes a challenge to a request of this method. Ok: send again; true if the server turns out
    /// to have restarted.
    ///
    /// Only a REGISTER is certain to be asked by our own server, so its challenge tells our realm.
    /// A message goes on to whoever it is for, and a challenge that comes back from there is
    /// neither answered nor kept (RFC 3261 §22.3).
    pub(crate) fn challenged(
        &mut self,
        config: &Config,
        asker: Asker,
        method: Method,
        response: &Response,
        sent: Credentials,
    ) -> Result<bool, ClientError> {
        let minimum = if config.allow_md5 { Algorithm::Md5 } else { Algorithm::Sha256 };
        let registers = method == Method::Register;
        let realm = self.realm.clone().filter(|_| !registers);
        let known = self.known(asker);
        let current = sent.of(asker).is_some_and(|challenge| challenge == known.challenges);
        known.client.challenged_in(realm.as_deref(), response, minimum, current)?;
        known.challenges += 1;
        let opaque = known.client.opaque().map(Into::into);
        let realm = known.client.realm().map(Into::into);
        if registers {
            self.realm = realm;
        }
        Ok(self.note_boot(opaque))
    }

    /// Takes `nextnonce` of a 2xx to a request that carried `sent`.
    pub(crate) fn succeeded(&mut self, response: &Response, sent: Credentials) {
        for asker in [Asker::Server, Asker::Proxy] {
            let known = self.known(asker);
            if sent.of(asker).is_some_and(|challenge| challenge == known.challenges) {
                known.client.succeeded(response);
            }
        }
    }

    /// Whether this `opaque` is not the last known one (D21).
    pub(crate) fn is_other_boot(&self, opaque: &str) -> bool {
        self.boot.as_deref().is_some_and(|boot| boot != opaque)
    }

    /// True if this `opaque` differs from the last known one (D21).
    fn note_boot(&mut self, opaque: Option<Box<str>>) -> bool {
        let Some(opaque) = opaque else { return false };
        let changed = self.is_other_boot(&opaque);
        self.boot = Some(opaque);
        changed
    }

    fn known(&mut self, asker: Asker) -> &mut Known {
        match asker {
            Asker::Server => &mut self.server,
            Asker::Proxy => &mut self.proxy,
        }
    }
}
