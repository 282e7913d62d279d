//! Who may wait while there is more to do than can be done: whoever is in goes before whoever
//! wants to come in (RFC 3261 §21.5.4).

use super::admit::registering;
use super::hall::{Out, Server};
use super::{Config, gate};
use crate::machine::Peer;
use crate::message::{Method, Name, Request};
use crate::time::Instant;
use crate::transaction::{Arrival, ServerKey};

/// Seconds after which somebody who was turned away may come again: at least so many, and up to
/// so many more, so that they do not all come at once.
const RETRY_AFTER: (u32, u32) = (4, 12);

impl Server {
    /// Whether a request starts something that was not there: a dialog, a publication, the
    /// bindings of an account, a message. What keeps something alive or ends it does not.
    pub(super) fn is_beginning(&self, config: &Config, request: &Request) -> bool {
        if request.to().is_ok_and(|to| to.tag().is_some()) {
            return false;
        }
        match request.method() {
            Method::Ack | Method::Cancel => false,
            Method::Publish => request.first(Name::SipIfMatch).is_none(),
            Method::Register => !self.is_bound(config, request),
            Method::Subscribe
            | Method::Message
            | Method::Invite
            | Method::Bye
            | Method::Options
            | Method::Update
            | Method::Info
            | Method::Prack
            | Method::Refer
            | Method::Notify
            | Method::Other => true,
        }
    }

    /// Whether the account that a REGISTER names has bindings.
    fn is_bound(&self, config: &Config, register: &Request) -> bool {
        let account = registering(config, register).ok().and_then(|aor| self.accounts.get(&aor));
        account.is_some_and(|account| !account.registrations.is_empty())
    }

    /// 503 without a look at what is wanted. Copies of what was answered get that answer.
    pub(super) fn turn_away(
        &mut self,
        config: &Config,
        now: Instant,
        from: Peer,
        request: &Request,
        out: &mut Out,
    ) {
        let arrival = self.transactions.absorb(&config.secret, &config.timing, now, request, out);
        if let Arrival::New(key) = arrival {
            let seconds = retry_after(key).to_string();
            gate::refuse(config, out, from, request, 503, &[(Name::RetryAfter, &seconds)]);
        }
    }
}

fn retry_after(key: ServerKey) -> u32 {
    let (least, spread) = RETRY_AFTER;
    // The rest of a division by a small number fits it.
    least + (key.number() % u128::from(spread)) as u32
}
