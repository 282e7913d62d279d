//! Answers to requests (RFC 3261 §8.2.6, §18.2, RFC 3581 §4).
//!
//! An answer copies what it must from the request, also from one that could not be read whole.

use super::{Headers, Host, Name, Params, Request, Writer, lex, write};
use std::net::SocketAddr;
use std::ops::{Deref, DerefMut};

/// Where SIP over UDP lives unless told otherwise.
const DEFAULT_PORT: u16 = 5060;

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
        Self::with_reason(request, source, status, standard_reason(status), to_tag)
    }

    /// The same with a reason phrase of its own.
    pub fn with_reason(
        request: &Request,
        source: SocketAddr,
        status: u16,
        reason: &str,
        to_tag: &str,
    ) -> Self {
        let mut writer = Writer::response_with(status, reason);
        write_vias(&mut writer, request, source);
        let copy = |writer: &mut Writer, name| {
            if let Some(value) = request.octets(name).next() {
                write::copy_line(writer.text(), name, value);
            }
        };
        copy(&mut writer, Name::From);
        match request.to() {
            Ok(to) if status > 100 && !to_tag.is_empty() && to.tag().is_none() => {
                let value = request.first(Name::To).unwrap_or(to.uri);
                writer.pieces(Name::To, &[value, ";tag=", to_tag]);
            }
            Ok(_) | Err(_) => copy(&mut writer, Name::To),
        }
        copy(&mut writer, Name::CallId);
        copy(&mut writer, Name::CSeq);
        if status == 100 {
            // RFC 3261 §8.2.6.1: no other answer copies it.
            request.other("Timestamp").map(|timestamp| writer.other("Timestamp", timestamp));
        }
        Self { writer, status }
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
    /// source address; the source port if the top Via has `rport` or cannot be read, else the
    /// sent-by port.
    pub fn destination(request: &Request, source: SocketAddr) -> SocketAddr {
        match request.via() {
            Ok(via) if via.rport.is_none() => {
                SocketAddr::new(source.ip(), via.port.unwrap_or(DEFAULT_PORT))
            }
            Ok(_) | Err(_) => source,
        }
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

fn write_vias(writer: &mut Writer, request: &Headers, source: SocketAddr) {
    let mut lines = request.octets(Name::Via);
    if let Some(marked) = Marked::of(request, source) {
        marked.push(writer.text());
        lines.next();
    }
    for line in lines {
        write::copy_line(writer.text(), Name::Via, line);
    }
}

/// The topmost Via line, its first value with the source noted: our `received` (never one the
/// sender invented) and `rport` filled in (RFC 3261 §18.2.1, RFC 3581 §4).
pub(super) struct Marked<'a> {
    sent: &'a str,
    params: Params<'a>,
    source: SocketAddr,
    rest: Option<&'a str>,
}

impl<'a> Marked<'a> {
    /// `None` if there is nothing to note, or the line cannot be read.
    pub(super) fn of(request: &'a Headers, source: SocketAddr) -> Option<Self> {
        let via = request.via().ok()?;
        let same = match via.host {
            Host::Ip(sent_by) => sent_by.to_canonical() == source.ip().to_canonical(),
            Host::Name(_) => false,
        };
        if same && via.rport.is_none() {
            return None;
        }
        let (top, rest) = lex::split_bare(request.first(Name::Via)?, b',');
        let sent = top.split_once(';').map_or(top, |(sent, _)| sent);
        Some(Self { sent: lex::trim_end(sent), params: via.params, source, rest })
    }

    /// Appends the line. It is on the way of every answer, so it does without `fmt`.
    pub(super) fn push(&self, text: &mut Vec<u8>) {
        let start = write::begin_line(text, Name::Via);
        text.extend_from_slice(self.sent.as_bytes());
        for (name, value) in self.params.iter() {
            if name.eq_ignore_ascii_case("rport") {
                text.extend_from_slice(b";rport=");
                write::push_decimal(text, u32::from(self.source.port()));
            } else if !name.eq_ignore_ascii_case("received") {
                text.push(b';');
                text.extend_from_slice(name.as_bytes());
                if !value.is_empty() {
                    text.push(b'=');
                    text.extend_from_slice(value.as_bytes());
                }
            }
        }
        text.extend_from_slice(b";received=");
        write::push_address(text, self.source.ip().to_canonical());
        if let Some(rest) = self.rest {
            text.push(b',');
            text.extend_from_slice(rest.as_bytes());
        }
        write::end_line(text, start);
    }
}

/// The reason phrase that belongs to a status (RFC 3261 §21, RFC 3903, RFC 6665).
pub fn standard_reason(status: u16) -> &'static str {
    match status {
        100 => "Trying",
        180 => "Ringing",
        181 => "Call Is Being Forwarded",
        182 => "Queued",
        183 => "Session Progress",
        200 => "OK",
        202 => "Accepted",
        204 => "No Notification",
        300 => "Multiple Choices",
        301 => "Moved Permanently",
        302 => "Moved Temporarily",
        305 => "Use Proxy",
        380 => "Alternative Service",
        400 => "Bad Request",
        401 => "Unauthorized",
        402 => "Payment Required",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        407 => "Proxy Authentication Required",
        408 => "Request Timeout",
        410 => "Gone",
        412 => "Conditional Request Failed",
        413 => "Request Entity Too Large",
        414 => "Request-URI Too Long",
        415 => "Unsupported Media Type",
        416 => "Unsupported URI Scheme",
        420 => "Bad Extension",
        421 => "Extension Required",
        422 => "Session Interval Too Small",
        423 => "Interval Too Brief",
        440 => "Max-Breadth Exceeded",
        480 => "Temporarily Unavailable",
        481 => "Call/Transaction Does Not Exist",
        482 => "Loop Detected",
        483 => "Too Many Hops",
        484 => "Address Incomplete",
        485 => "Ambiguous",
        486 => "Busy Here",
        487 => "Request Terminated",
        488 => "Not Acceptable Here",
        489 => "Bad Event",
        491 => "Request Pending",
        493 => "Undecipherable",
        500 => "Server Internal Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Server Time-out",
        505 => "Version Not Supported",
        513 => "Message Too Large",
        600 => "Busy Everywhere",
        603 => "Decline",
        604 => "Does Not Exist Anywhere",
        606 => "Not Acceptable",
        _ => "Unknown",
    }
}

#[cfg(test)]
mod tests;
