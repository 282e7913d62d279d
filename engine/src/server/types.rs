//! What goes in and out of the server beside packets, and who waits for what.

use crate::body::presrules::Verdict;
use crate::machine::Peer;
use crate::message::{Aor, Method};
use crate::mint::Id;
use crate::transaction::ServerKey;

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
        /// The Request-URI's AOR or text.
        target: Box<str>,
        /// Status of the answer.
        status: u16,
        /// Where the request came from.
        from: Peer,
        /// `Event` package, if any.
        package: Option<Box<str>>,
    },
    /// A request of ours (NOTIFY, a stored MESSAGE) came to its end; `None`: no answer.
    Finished {
        /// Method of the request.
        method: Method,
        /// Whom it was for.
        target: Box<str>,
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

/// Deadlines of the server beside those of transactions.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
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
