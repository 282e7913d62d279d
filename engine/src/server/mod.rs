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
//! | `recover` | from stored rows back to a server |

mod account;
mod admit;
pub mod config;
mod cx;
mod gate;
mod hall;
mod pager;
mod presentity;
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
pub use registrations::Binding;
pub use tables::{PitRow, SubscriptionTableRow, Tables, WatcherTableRow};
pub use types::{Command, Event, Owner, Timer};

use crate::message::Request;
use crate::mint::{Id, Label};

/// The tag of our To: derived from Call-ID, From tag, CSeq and branch, so that copies of a request
/// get the same one even from a stateless answer (RFC 3261 §8.2.7, §19.3), and a client that
/// restarts with frozen identifiers does not revive its old dialog (R20).
pub(crate) fn to_tag(config: &Config, request: &Request) -> Id {
    let call_id = request.call_id().unwrap_or("");
    let tag = request.from().ok().and_then(|from| from.tag()).unwrap_or("");
    let cseq = request.cseq().map_or(0, |cseq| cseq.number);
    let branch = request.via().ok().and_then(|via| via.branch).unwrap_or("");
    let parts: [&[u8]; 4] =
        [call_id.as_bytes(), tag.as_bytes(), &cseq.to_be_bytes(), branch.as_bytes()];
    config.secret.derive64(Label::Tag, &parts)
}
