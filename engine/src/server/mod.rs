//! The presence server: registrar, proxy, presence agent, watcher information, message store.
//!
//! | room | what happens there |
//! |---|---|
//! | `hall` | inputs come in; responses and timers find their owner |
//! | `admit` | the checks of behaviour M1, in their normative order |
//! | `gate` | digest: challenge and proof, before any state exists |
//! | `registrations` | REGISTER: the bindings of an account |
//! | `presentity` | PIT, PST, WT, WST: publications, subscriptions, watchers, their documents |
//! | `relay` | the proxy: requests forwarded to bindings |
//! | `pager` | messages kept for somebody who is not there |
//! | `pressure` | who may wait while there is more to do than can be done |
//! | `recover` | from stored rows back to a server |

mod account;
mod admit;
pub mod config;
mod cx;
mod gate;
mod hall;
mod pager;
mod presentity;
mod pressure;
mod record;
mod recover;
mod registrations;
mod relay;
mod tables;
mod types;

pub use config::{Authentication, Config, Limits, Listener, User, Users};
pub use hall::Server;
pub use pager::Kept;
pub use presentity::{Package, PublicationRow, SubscriptionRow, WaitingRow};
pub use record::{BadRow, Record};
pub use recover::Recovery;
pub use registrations::Binding;
pub use tables::{PitRow, SubscriptionTableRow, Tables, WatcherTableRow};
pub use types::{Command, Event, Owner, Timer};

use crate::mint::{Id, Label};
use crate::transaction::ServerKey;

/// The tag of our To: derived from what tells one server transaction from another, so that copies
/// of a request get the same one even from a stateless answer (RFC 3261 §8.2.7, §19.3), and a
/// client that restarts with frozen identifiers does not revive its old dialog (R20).
pub(crate) fn to_tag(config: &Config, key: ServerKey) -> Id {
    config.secret.derive64(Label::Tag, &[&key.number().to_be_bytes()])
}
