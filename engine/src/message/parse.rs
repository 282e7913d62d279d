//! Bytes to messages: one pass that indexes every header line (RFC 3261 §7, §18.3, §25; RFC 4475).
//!
//! The only place that says no to a message as such. It refuses what RFC 4475 calls invalid and
//! what a more lenient neighbour could read otherwise than we do (bare CR or LF, doubled
//! identities), and nothing else: values of headers it does not need are not looked at.

use super::headers::{Index, Line, Start};
use super::{Headers, Method, Name, Request, Response, Uri, UriError, lex};
use bytes::Bytes;
use memchr::{memchr, memchr2, memrchr};

/// What fits into a UDP datagram over IPv4.
const MAX_OCTETS: usize = 65_507;
/// More header lines than any honest message has.
const MAX_LINES: usize = 512;

/// A datagram that is no usable message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Malformed {
    /// What is wrong and where, for logs and the 400's reason phrase: `"CSeq: bad syntax"`.
    pub why: &'static str,
    /// 1-based line of the fault, folded lines counted as one, if it lies in the head.
    pub line: Option<u32>,
    /// Status an answer should have (400, 501, or 505 for another SIP version); meaningless
    /// without `request`.
    pub status: u16,
    /// The request, when it can be answered: it is not ACK, and Via and CSeq are there to copy,
    /// whatever else is missing or broken. [`super::Reply`] copies what it finds.
    pub request: Option<Request>,
}

impl Malformed {
    fn dropped(why: &'static str) -> Self {
        Self { why, line: None, status: 400, request: None }
    }
}

/// A parsed or built message.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Message {
    /// A request.
    Request(Request),
    /// A response.
    Response(Response),
}

impl Message {
    /// Indexes one datagram. Folding is undone, the body is cut to Content-Length, octets after it
    /// are ignored. Mandatory headers are present once and well-formed in an `Ok` message.
    pub fn parse(mut bytes: Bytes) -> Result<Self, Malformed> {
        if bytes.len() > MAX_OCTETS {
            return Err(Malformed::dropped("larger than a datagram"));
        }
        let blank = bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let _keep_alives = bytes.split_to(blank);
        if bytes.is_empty() {
            return Err(Malformed::dropped("keep-alive"));
        }
        match scan(&bytes) {
            Scan::Plain(found) => judge(bytes, found),
            Scan::Folded => Self::parse_unfolded(unfold(&bytes)),
            Scan::Unended if bytes.len() + 2 <= MAX_OCTETS => {
                Self::parse_unfolded([&bytes[..], b"\r\n"].concat())
            }
            Scan::Unended => Err(Malformed::dropped("head does not end")),
        }
    }

    fn parse_unfolded(text: Vec<u8>) -> Result<Self, Malformed> {
        match scan(&text) {
            Scan::Plain(found) => judge(text.into(), found),
            Scan::Unended => Self::parse(text.into()),
            Scan::Folded => Err(Malformed::dropped("folding")),
        }
    }

    /// The head and body, whichever kind it is.
    pub fn headers(&self) -> &Headers {
        match self {
            Self::Request(request) => request,
            Self::Response(response) => response,
        }
    }
}

/// A fault of the head; the first one found is the one reported.
#[derive(Clone, Copy, Debug)]
struct Fault {
    why: &'static str,
    line: Option<u32>,
    status: u16,
}

/// What one pass over the head found.
#[derive(Debug)]
struct Found {
    /// End of the start line.
    start: usize,
    lines: Vec<Line>,
    head: usize,
    body: usize,
    /// One bit for every name seen.
    seen: u64,
    fault: Option<Fault>,
}

#[derive(Debug)]
enum Scan {
    Plain(Found),
    /// There is a continuation line.
    Folded,
    /// Every line is complete, only the empty one that ends the head is missing.
    Unended,
}

/// Headers that must not come twice (RFC 3261 §20: no list form, and identity hangs on them).
const ONCE: u64 =
    bit(Name::From) | bit(Name::To) | bit(Name::CallId) | bit(Name::CSeq) | bit(Name::MaxForwards);

const fn bit(name: Name) -> u64 {
    1 << name as u8
}

impl Found {
    fn fault(&mut self, why: &'static str) {
        let line = u32::try_from(self.lines.len() + 2).ok();
        self.fault.get_or_insert(Fault { why, line, status: 400 });
    }

    /// Enters the line from `start` to `end`.
    fn enter(&mut self, text: &[u8], start: usize, end: usize) {
        let Some(colon) = memchr(b':', &text[start..end]) else {
            return self.fault("header line without colon");
        };
        let mut token = start + colon;
        let mut value = token + 1;
        let mut stop = end;
        while token > start && lex::is_space(text[token - 1]) {
            token -= 1;
        }
        while value < stop && lex::is_space(text[value]) {
            value += 1;
        }
        while stop > value && lex::is_space(text[stop - 1]) {
            stop -= 1;
        }
        let name = Name::of_bytes(&text[start..token]);
        if name == Name::Other && !lex::is_token(&text[start..token]) {
            return self.fault("header name is no token");
        }
        if self.seen & ONCE & bit(name) != 0 {
            self.fault(twice(name));
        }
        self.seen |= bit(name);
        self.lines.push(Line { name, start: small(start), value: small(value), end: small(stop) });
    }
}

/// An offset into a datagram.
fn small(at: usize) -> u16 {
    u16::try_from(at).expect("a datagram has fewer than 2^16 octets, as parse has checked")
}

fn scan(text: &[u8]) -> Scan {
    let mut found = Found {
        start: 0,
        lines: Vec::with_capacity(20),
        head: text.len(),
        body: text.len(),
        seen: 0,
        fault: None,
    };
    let mut from = 0;
    loop {
        let Some(end) = line_end(text, from, &mut found) else {
            if from == text.len() && found.start > 0 {
                return Scan::Unended;
            }
            found.head = from;
            found.fault("head does not end");
            return Scan::Plain(found);
        };
        if end == from {
            (found.head, found.body) = (from, from + 2);
            return Scan::Plain(found);
        }
        if text.get(end + 2).copied().is_some_and(lex::is_space) {
            return Scan::Folded;
        }
        match found.start {
            0 => found.start = end,
            _ if found.lines.len() == MAX_LINES => found.fault("too many header lines"),
            _ => found.enter(text, from, end),
        }
        from = end + 2;
    }
}

/// The next CRLF; a CR or LF that stands alone is a fault, for some would take it as a line end.
fn line_end(text: &[u8], mut from: usize, found: &mut Found) -> Option<usize> {
    loop {
        let at = from + memchr2(b'\r', b'\n', &text[from..])?;
        if text[at] == b'\r' && text.get(at + 1) == Some(&b'\n') {
            return Some(at);
        }
        found.fault("bare CR or LF");
        from = at + 1;
    }
}

/// A copy in which the CRLF of every fold of the head is two spaces (RFC 3261 §7.3.1).
fn unfold(text: &[u8]) -> Vec<u8> {
    let mut flat = text.to_vec();
    let mut from = 0;
    while let Some(at) = memchr::memmem::find(&flat[from..], b"\r\n").map(|at| from + at) {
        if at == from && at > 0 {
            break;
        }
        from = at + 2;
        if flat.get(from).copied().is_some_and(lex::is_space) {
            flat[at..from].fill(b' ');
        }
    }
    flat
}

/// Turns what was found into a message or a refusal.
fn judge(mut text: Bytes, mut found: Found) -> Result<Message, Malformed> {
    if std::str::from_utf8(&text[..found.head]).is_err() {
        return Err(Malformed::dropped("head is not UTF-8"));
    }
    let start_fault = found.fault.take();
    let Some(start) = start_line(&text[..found.start], &mut found.fault) else {
        return Err(Malformed::dropped("start line"));
    };
    found.fault = found.fault.or(start_fault);
    let fault = found.fault.or_else(|| cut_body(&mut text, &found).err());
    let index =
        Index { lines: found.lines, start, head: small(found.head), body: small(found.body) };
    let headers = Headers::new(text, index);
    match start {
        Start::Request { .. } => judge_request(Request::new(headers), found.seen, fault),
        Start::Response { .. } => match fault.or_else(|| mandatory(&headers, found.seen).err()) {
            None => Ok(Message::Response(Response::new(headers))),
            Some(Fault { why, line, status }) => {
                Err(Malformed { why, line, status, request: None })
            }
        },
    }
}

fn judge_request(request: Request, seen: u64, fault: Option<Fault>) -> Result<Message, Malformed> {
    let fault = fault
        .or_else(|| mandatory(&request, seen).err())
        .or_else(|| request_rules(&request, seen).err());
    let Some(Fault { why, line, status }) = fault else { return Ok(Message::Request(request)) };
    let has = |name| request.first(name).is_some_and(|value| !value.is_empty());
    let answerable = request.method() != Method::Ack && has(Name::Via) && has(Name::CSeq);
    Err(Malformed { why, line, status, request: answerable.then_some(request) })
}

/// Reads the start line; `None` if it is not even of the form of one.
fn start_line(line: &[u8], fault: &mut Option<Fault>) -> Option<Start> {
    let mut complain = |why, status| {
        fault.get_or_insert(Fault { why, line: Some(1), status });
    };
    if line.len() > 4 && line[..4].eq_ignore_ascii_case(b"SIP/") {
        return status_line(line);
    }
    let token = memchr(b' ', line)?;
    let uri = memrchr(b' ', line).filter(|&last| last > token)?;
    if !lex::is_token(&line[..token]) {
        complain("method is no token", 400);
    }
    match &line[uri + 1..] {
        version if version.eq_ignore_ascii_case(b"SIP/2.0") => {}
        version if version.len() > 4 && version[..4].eq_ignore_ascii_case(b"SIP/") => {
            complain("SIP version is not 2.0", 505);
        }
        _ => complain("start line", 400),
    }
    let method = std::str::from_utf8(&line[..token]).map_or(Method::Other, Method::of);
    Some(Start::Request { method, token: small(token), uri: small(uri) })
}

fn status_line(line: &[u8]) -> Option<Start> {
    let (version, rest) = line.split_at_checked(8)?;
    let (code, reason) = rest.split_at_checked(3)?;
    let status = code.iter().try_fold(0u16, |sum, digit| {
        digit.is_ascii_digit().then(|| sum * 10 + u16::from(digit - b'0'))
    })?;
    let well_formed = version.eq_ignore_ascii_case(b"SIP/2.0 ")
        && (100..700).contains(&status)
        && (reason.is_empty() || reason[0] == b' ');
    let start = line.len() - reason.len().saturating_sub(1);
    well_formed.then(|| Start::Response { status, reason: small(start), end: small(line.len()) })
}

/// Content-Length (RFC 3261 §18.3): cuts what is too much, refuses what is too little.
fn cut_body(text: &mut Bytes, found: &Found) -> Result<(), Fault> {
    let mut length = None;
    for (at, line) in found.lines.iter().enumerate() {
        if line.name != Name::ContentLength {
            continue;
        }
        let fault = |why| Fault { why, line: u32::try_from(at + 2).ok(), status: 400 };
        let value = std::str::from_utf8(&text[line.value()]).ok();
        let value = value.and_then(lex::saturating_number);
        let value = value.ok_or(fault("Content-Length: bad number"))?;
        if length.is_some_and(|length| length != value) {
            return Err(fault("Content-Length: conflicting values"));
        }
        if value as usize > text.len() - found.body {
            return Err(fault("Content-Length: larger than the datagram"));
        }
        length = Some(value);
    }
    if let Some(length) = length {
        text.truncate(found.body + length as usize);
    }
    Ok(())
}

/// The headers every message must have (RFC 3261 §8.1.1), well-formed.
fn mandatory(headers: &Headers, seen: u64) -> Result<(), Fault> {
    for name in [Name::Via, Name::From, Name::To, Name::CallId, Name::CSeq] {
        if seen & bit(name) == 0 {
            return Err(Fault { why: missing(name), line: None, status: 400 });
        }
    }
    let checks = [
        (Name::Via, headers.via().is_err()),
        (Name::From, headers.from().is_err()),
        (Name::To, headers.to().is_err()),
        (Name::CallId, headers.call_id().is_err()),
        (Name::CSeq, headers.cseq().is_err()),
    ];
    match checks.iter().find(|(_, broken)| *broken) {
        Some((name, _)) => Err(broken(headers, *name)),
        None => Ok(()),
    }
}

/// What else a request must obey before anybody acts on it.
fn request_rules(request: &Request, seen: u64) -> Result<(), Fault> {
    if !request.cseq().is_ok_and(|cseq| cseq.method == request.method_text()) {
        let status = if request.method() == Method::Other { 501 } else { 400 };
        return Err(Fault { status, ..fault_at(request, Name::CSeq, "CSeq: another method") });
    }
    match Uri::parse(request.uri()) {
        // Headers have no place in a Request-URI (RFC 3261 §19.1.1); schemes are the hall's.
        Ok(uri) if uri.headers.is_empty() => {}
        Err(UriError::Scheme) => {}
        Ok(_) | Err(UriError::Syntax) => {
            return Err(Fault { why: "Request-URI: bad syntax", line: Some(1), status: 400 });
        }
    }
    if seen & bit(Name::MaxForwards) != 0 && request.seconds(Name::MaxForwards).is_none() {
        return Err(broken(request, Name::MaxForwards));
    }
    if seen & bit(Name::Contact) != 0 && request.contacts().is_err() {
        return Err(broken(request, Name::Contact));
    }
    // The cookie alone identifies nothing (RFC 4475 §3.2.1).
    if request.via().is_ok_and(|via| via.branch == Some("z9hG4bK")) {
        return Err(fault_at(request, Name::Via, "Via: empty branch"));
    }
    Ok(())
}

fn broken(headers: &Headers, name: Name) -> Fault {
    let why = match name {
        Name::Via => "Via: bad syntax",
        Name::From => "From: bad syntax",
        Name::To => "To: bad syntax",
        Name::CallId => "Call-ID: bad syntax",
        Name::CSeq => "CSeq: bad syntax",
        Name::MaxForwards => "Max-Forwards: bad number",
        Name::Contact => "Contact: bad syntax",
        _ => "header: bad syntax",
    };
    fault_at(headers, name, why)
}

fn missing(name: Name) -> &'static str {
    match name {
        Name::Via => "Via: missing",
        Name::From => "From: missing",
        Name::To => "To: missing",
        Name::CallId => "Call-ID: missing",
        Name::CSeq => "CSeq: missing",
        _ => "header: missing",
    }
}

fn twice(name: Name) -> &'static str {
    match name {
        Name::From => "From: twice",
        Name::To => "To: twice",
        Name::CallId => "Call-ID: twice",
        Name::CSeq => "CSeq: twice",
        Name::MaxForwards => "Max-Forwards: twice",
        _ => "header: twice",
    }
}

/// A fault in the first line of header `name`.
fn fault_at(headers: &Headers, name: Name, why: &'static str) -> Fault {
    let at = headers.index().lines.iter().position(|line| line.name == name);
    Fault { why, line: at.and_then(|at| u32::try_from(at + 2).ok()), status: 400 }
}

#[cfg(test)]
mod tests;
