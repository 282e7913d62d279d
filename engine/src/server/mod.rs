//! The presence server: registrar, proxy, presence agent, watcher information, message store.
//!
//! `mod.rs` is the hall: it runs the checks of behaviour M1 in their order and hands a proven
//! request to the room it is for.

pub mod config;
mod cx;
pub mod presentity;
mod gate;
mod pager;
mod record;
mod registrations;
mod relay;
mod tables;

pub use config::{Authentication, Config, Limits, Listener, User, Users};
pub use pager::Kept;
pub use record::Record;
pub use registrations::Binding;
pub use tables::{PitRow, SubscriptionTableRow, Tables, WatcherTableRow};

use crate::message::{Aor, Method};
use crate::mint::Id;
use crate::machine::Peer;
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
        verdict: Option<crate::body::presrules::Verdict>,
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

/// The tag of our To: derived from Call-ID, From tag and CSeq, so that copies of a request get
/// the same one even from a stateless answer (RFC 3261 §8.2.7, §19.3).
pub(crate) fn to_tag(config: &Config, request: &crate::message::Request) -> Id {
    let call_id = request.call_id().unwrap_or("");
    let tag = request.from().ok().and_then(|from| from.tag()).unwrap_or("");
    let cseq = request.cseq().map_or(0, |cseq| cseq.number);
    config.secret.derive64(
        crate::mint::Label::Tag,
        &[call_id.as_bytes(), tag.as_bytes(), &cseq.to_be_bytes()],
    )
}

/// The server: accounts, transactions, timers, replay records. One value.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Server {}

impl Server {
    /// A server as it was when `records` were durable; every live subscription is owed a NOTIFY.
    pub fn recover(config: &Config, now: crate::Instant, records: Vec<Record>) -> Self {
        let _ = (config, now, records);
        todo!()
    }

    /// The paper's tables.
    pub fn tables(&self, now: crate::Instant) -> Tables {
        let _ = now;
        todo!()
    }

    /// Sizes of everything that can grow, by name (metrics, boundedness checks).
    pub fn sizes(&self) -> Vec<(&'static str, usize)> {
        todo!()
    }
}

impl crate::Machine for Server {
    type Config = Config;
    type Command = Command;
    type Event = Event;
    type Record = Record;

    fn handle(
        &mut self,
        config: &Config,
        now: crate::Instant,
        input: crate::Input<Command>,
        out: &mut Vec<crate::Output<Record, Event>>,
    ) {
        let _ = (config, now, input, out);
        todo!()
    }

    fn deadline(&self) -> Option<crate::Instant> {
        todo!()
    }
}
