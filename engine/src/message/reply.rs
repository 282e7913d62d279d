//! Answers to requests (RFC 3261 §8.2.6, RFC 3581 §4).

use super::{Request, Writer};
use std::net::SocketAddr;
use std::ops::{Deref, DerefMut};

/// A response under construction. It starts with the Via set (the top one with `received` and
/// `rport` filled in), From, To, Call-ID and CSeq of the request; headers of its own follow.
#[derive(Debug)]
pub struct Reply {
    writer: Writer,
    status: u16,
}

impl Reply {
    /// An answer with the standard reason phrase to a request that came from `source`. `to_tag`
    /// is added to To unless To has one already; 100 never gets one.
    pub fn new(request: &Request, source: SocketAddr, status: u16, to_tag: &str) -> Self {
        let _ = (request, source, status, to_tag);
        todo!()
    }

    /// The same with a reason phrase of its own.
    pub fn with_reason(
        request: &Request,
        source: SocketAddr,
        status: u16,
        reason: &str,
        to_tag: &str,
    ) -> Self {
        let _ = (request, source, status, reason, to_tag);
        todo!()
    }

    /// The status.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The writer, to end the message.
    pub fn into_writer(self) -> Writer {
        self.writer
    }

    /// Where the answer to `request` from `source` goes (RFC 3261 §18.2.2, RFC 3581 §4): the
    /// source address; the source port if the top Via has `rport`, else the sent-by port.
    pub fn destination(request: &Request, source: SocketAddr) -> SocketAddr {
        let _ = (request, source);
        todo!()
    }
}

impl Deref for Reply {
    type Target = Writer;
    fn deref(&self) -> &Writer {
        &self.writer
    }
}

impl DerefMut for Reply {
    fn deref_mut(&mut self) -> &mut Writer {
        &mut self.writer
    }
}
