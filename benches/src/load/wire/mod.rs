//! SIP as bytes, as little of it as load needs: requests are written from templates, and of what
//! comes only the lines are looked at that say whom it concerns. That is always one of our own
//! numbers, which the server has to hand back: the branch in an answer (RFC 3261 §17.1.3), the
//! user of our contact in a request (RFC 3261 §12.2.1.1).
//!
//! This is no parser for the open network: it knows the servers it measures.

pub(crate) mod read;
pub(crate) mod write;

/// Which transaction of which operation, as our Via branch says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Branch {
    /// Where the operation is in the table.
    pub(crate) operation: u32,
    /// Rises with every transaction, so that a late answer is seen to be late.
    pub(crate) serial: u32,
}

/// What the branch begins with: RFC 3261's cookie and our mark.
pub(crate) const COOKIE: &str = "z9hG4bKpl";
