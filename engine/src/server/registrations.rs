//! REGISTER: the bindings of one AOR (M9, RFC 3261 §10.3).

use crate::machine::Peer;
use crate::time::Instant;
use serde::{Deserialize, Serialize};

/// One contact of an AOR.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Binding {
    /// Contact URI as registered.
    pub contact: Box<str>,
    /// Contact parameters to give back (`+sip.instance` …), without `expires` and `q`.
    pub params: Box<str>,
    /// Call-ID of the REGISTER that wrote it.
    pub call_id: Box<str>,
    /// Its CSeq.
    pub cseq: u32,
    /// The flow that reaches the contact.
    pub peer: Peer,
    /// Preference in thousandths.
    pub q: u16,
    /// `+sip.instance`, if given.
    pub instance: Option<Box<str>>,
    /// End of the granted time.
    pub expires: Instant,
}
