//! What goes in and out of the server beside packets, and who waits for what.

use crate::body::presrules::Verdict;
use crate::machine::Peer;
use crate::message::{Aor, Method, Name, Request};
use crate::mint::Id;
use crate::transaction::ServerKey;
use bytes::Bytes;
use std::cmp::Ordering;

/// What an operator can ask of the server.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Command {
    /// The owner's decision, taken outside SIP (D11).
    Decide {
        /// Whose watchers.
        presentity: Aor,
        /// Which watcher.
        watcher: Aor,
        /// `None`: back to the default policy.
        verdict: Option<Verdict>,
    },
    /// The account no longer exists: everything it owns ends (`noresource`).
    Remove(Aor),
    /// Tell every subscriber `deactivated` and take no more work.
    Shutdown,
}

/// What the operator is told. Never carries a password, credential or token.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Event {
    /// A request was answered (one log line a transaction).
    Answered {
        /// Method of the request.
        method: Method,
        /// Who asked: the proven user, or nobody.
        user: Option<Aor>,
        /// The Request-URI as written.
        target: Bytes,
        /// Status of the answer.
        status: u16,
        /// Where the request came from.
        from: Peer,
        /// Value of the Event header, if any.
        package: Option<Bytes>,
    },
    /// A request of ours (NOTIFY, a stored MESSAGE) came to its end; `None`: no answer.
    Finished {
        /// Method of the request.
        method: Method,
        /// Whose subscription or message it was about.
        target: Aor,
        /// Final status, if one came.
        status: Option<u16>,
    },
    /// A datagram was dropped or refused before it became a request.
    Refused {
        /// Where it came from.
        from: Peer,
        /// Why.
        why: &'static str,
    },
    /// A binding appeared or disappeared.
    Registered {
        /// Whose.
        aor: Aor,
        /// How many bindings there are now.
        bindings: u32,
    },
    /// Shutdown is complete: every subscriber has been told or given up on.
    Drained,
}

impl Event {
    /// A request was answered. The texts are shared with the request.
    pub(crate) fn answered(request: &Request, user: Option<&Aor>, status: u16, from: Peer) -> Self {
        let text = request.bytes();
        Self::Answered {
            method: request.method(),
            user: user.cloned(),
            target: text.slice(request.uri_range()),
            status,
            from,
            package: request.octets(Name::Event).next().map(|event| text.slice_ref(event)),
        }
    }
}

/// Who owns a client transaction of the server.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Owner {
    /// A NOTIFY of a subscription.
    Notify {
        /// Presentity.
        aor: Aor,
        /// Whether it is a winfo subscription.
        winfo: bool,
        /// Which.
        id: Id,
    },
    /// A branch of a forwarded request.
    Relay {
        /// The server transaction it was forwarded for.
        key: ServerKey,
        /// Index of the branch.
        branch: u16,
    },
    /// Delivery of a stored message.
    Deliver {
        /// Receiver.
        aor: Aor,
        /// Which message.
        id: Id,
    },
    /// Nobody waits for the answer (CANCEL).
    Nobody,
}

/// Deadlines of the server beside those of transactions. What is due at the same time fires in
/// the order of the variants.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Timer {
    /// A binding ends. Id: derived from the contact.
    Binding(Aor, Id),
    /// A publication ends. Id: its entity-tag.
    Publication(Aor, Id),
    /// A presence subscription ends.
    Subscription(Aor, Id),
    /// A presence subscription may be notified again (K4).
    Throttle(Aor, Id),
    /// A winfo subscription ends.
    WinfoSubscription(Aor, Id),
    /// A winfo subscription may be notified again (K4).
    WinfoThrottle(Aor, Id),
    /// An undecided watcher gives up (K5).
    GiveUp(Aor, Id),
    /// A stored message expires (K11).
    Kept(Aor, Id),
    /// A forwarded MESSAGE has waited long enough (K19), or an INVITE rang too long (Timer C).
    Relay(ServerKey),
    /// A dedupe entry of a stored message is forgotten (K12).
    Dedupe(Aor, Id),
    /// A presentity settles after recovery.
    Settle(Aor),
}

impl Timer {
    /// Variant and id, which nearly always tell two timers apart without a look at a text.
    fn rank(&self) -> (u8, u128) {
        match self {
            Self::Binding(_, id) => (0, id.0.into()),
            Self::Publication(_, id) => (1, id.0.into()),
            Self::Subscription(_, id) => (2, id.0.into()),
            Self::Throttle(_, id) => (3, id.0.into()),
            Self::WinfoSubscription(_, id) => (4, id.0.into()),
            Self::WinfoThrottle(_, id) => (5, id.0.into()),
            Self::GiveUp(_, id) => (6, id.0.into()),
            Self::Kept(_, id) => (7, id.0.into()),
            Self::Relay(key) => (8, key.number()),
            Self::Dedupe(_, id) => (9, id.0.into()),
            Self::Settle(_) => (10, 0),
        }
    }

    fn aor(&self) -> Option<&Aor> {
        match self {
            Self::Binding(aor, _)
            | Self::Publication(aor, _)
            | Self::Subscription(aor, _)
            | Self::Throttle(aor, _)
            | Self::WinfoSubscription(aor, _)
            | Self::WinfoThrottle(aor, _)
            | Self::GiveUp(aor, _)
            | Self::Kept(aor, _)
            | Self::Dedupe(aor, _)
            | Self::Settle(aor) => Some(aor),
            Self::Relay(_) => None,
        }
    }
}

impl Ord for Timer {
    fn cmp(&self, other: &Self) -> Ordering {
        self.rank().cmp(&other.rank()).then_with(|| self.aor().cmp(&other.aor()))
    }
}

impl PartialOrd for Timer {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
