//! Why octets of a picture stream were not taken: where, what was expected, what stood there.

use std::fmt;

/// A fault in a file, a frame or a payload, or a picture that a format cannot carry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// Offset of the octet at fault.
    pub at: u64,
    /// What should have stood there.
    pub expected: &'static str,
    /// What stood there instead.
    pub found: Box<str>,
}

impl Fault {
    /// A fault at an offset.
    pub fn new(at: usize, expected: &'static str, found: impl fmt::Display) -> Self {
        Self { at: at as u64, expected, found: found.to_string().into() }
    }

    /// The end came too early: so many octets are there.
    pub(super) fn short(length: usize, expected: &'static str) -> Self {
        Self::new(length, expected, "the end")
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at octet {}: expected {}, found {}", self.at, self.expected, self.found)
    }
}

impl std::error::Error for Fault {}
