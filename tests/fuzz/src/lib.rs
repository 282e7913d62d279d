//! What the fuzz targets do: each is one call into here.
//!
//! `message`, `body`, `media` and `video` feed readers with anything and hold them to round trips.
//! `yard` plays a course of datagrams, valid, bent and arbitrary, against the server; `village`
//! does the same among real agents. Every finding becomes a test in the module at fault.

pub mod body;
pub mod media;
pub mod message;
pub mod video;
pub mod village;
pub mod yard;

use libfuzzer_sys::arbitrary::{self, Arbitrary};

/// A course of events.
#[derive(Arbitrary, Clone, Debug)]
pub enum Play {
    /// At the server, from phones that speak raw SIP.
    Server {
        /// Whether callers have to prove who they are.
        digest: bool,
        /// Whether changes are told at once or paced.
        paced: bool,
        /// What happens.
        steps: Vec<yard::Step>,
    },
    /// Between two agents and their server.
    Agents {
        /// What happens.
        steps: Vec<village::Step>,
    },
}

impl Play {
    /// Plays it; panics where an oracle is violated.
    pub fn perform(&self) {
        match self {
            Self::Server { digest, paced, steps } => yard::perform(*digest, *paced, steps),
            Self::Agents { steps } => village::perform(steps),
        }
    }
}

/// A change to a well-formed datagram.
#[derive(Arbitrary, Clone, Debug)]
pub struct Bend {
    at: u16,
    cut: u8,
    insert: Vec<u8>,
}

impl Bend {
    /// The datagram, bent.
    fn apply(&self, text: &[u8]) -> Vec<u8> {
        let at = usize::from(self.at) % (text.len() + 1);
        let end = (at + usize::from(self.cut)).min(text.len());
        [&text[..at], &self.insert, &text[end..]].concat()
    }
}

/// Bent if there is a bend.
fn bent(text: Vec<u8>, bend: Option<&Bend>) -> Vec<u8> {
    match bend {
        Some(bend) => bend.apply(&text),
        None => text,
    }
}
