//! C1: two transaction tables, a client's and a server's, and the network between them.
//!
//! The tables are those that ship. They need a model of their own because no machine of the world
//! sends an INVITE yet, and because a transaction user that thinks as long as it likes, answers
//! what it must not (RFC 4320) and sends its 2xx again (RFC 6026 §7.1) is a part no agent plays.

mod check;
mod ends;
#[cfg(test)]
mod tests;
mod user;
mod words;

pub(crate) use check::check;
pub(crate) use ends::{Action, Ends, Exchange};
pub(crate) use user::CLIENT;
pub(crate) use words::{name, seconds, walk};

use crate::plan::{Budget, Clocks};

/// What is exchanged.
#[derive(Clone, Debug)]
pub struct Pair {
    /// INVITE, or a request that is none.
    pub invite: bool,
    /// What the server's transaction user may say, each at most once.
    pub answers: &'static [u16],
    /// How time passes.
    pub clocks: Clocks,
    /// What may go wrong; the first purse pays for a CANCEL.
    pub budget: Budget,
}
