//! SIP messages: text and the one index over it (RFC 3261 §7, §25).
//!
//! A message, parsed or built, *is* its bytes plus an index of its header lines. Headers are
//! decoded when asked for, as views that borrow from the text. This is the only place in the
//! engine which knows that SIP is text.

mod aor;
mod edit;
mod glance;
mod header;
mod headers;
mod lex;
mod marks;
mod name;
mod parse;
mod reply;
mod uri;
mod write;

pub use aor::{Aor, canonical_user};
pub use edit::Edit;
pub use glance::may_continue;
pub use header::*;
pub use headers::{Headers, Request, Response};
pub(crate) use lex::is_token;
pub use name::{Method, Name};
pub use parse::{Malformed, Message};
pub use reply::{Reply, standard_reason};
pub use uri::{Host, Uri, UriError};
pub(crate) use write::Decimal;
pub use write::Writer;
