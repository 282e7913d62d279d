//! Bytes to messages: one pass that indexes every header line.
//!
//! Read RFC 3261 §7, §18.3, §25 and RFC 4475 first.
//!
//! The only place that says no to a message as such. It refuses what RFC 4475 calls invalid and
//! what a more lenient neighbour could read otherwise than we do (bare CR or LF, doubled
//! identities), and nothing else: values of headers it does not need are not looked at.

use super::headers::{Firsts, Index, Line, Lines, Start};
use super::marks::{AddressMarks, CSeqMarks, Marks, ViaMarks};
use super::{
    CSeq, Contacts, Headers, Method, Name, NameAddr, Request, Response, Uri, UriError, Via, header,
    lex,
};
use bytes::Bytes;
use memchr::{memchr, memrchr};

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
            Ok(found) => judge(bytes, found),
            Err(Scar::Folded) => Self::parse_mended(unfold(&bytes)),
            Err(Scar::Unended) if bytes.len() + 2 <= MAX_OCTETS => {
                Self::parse_mended([&bytes[..], b"\r\n"].concat())
            }
            Err(Scar::Unended) => Err(Malformed::dropped("head does not end")),
        }
    }

    fn parse_mended(text: Vec<u8>) -> Result<Self, Malformed> {
        match scan(&text) {
            Ok(found) => judge(text.into(), found),
            Err(Scar::Unended) => Self::parse(text.into()),
            Err(Scar::Folded) => Err(Malformed::dropped("folding")),
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
    lines: Lines,
    firsts: Firsts,
    head: usize,
    body: usize,
    /// One bit for every name seen.
    seen: u64,
    fault: Option<Fault>,
}

/// What has to be mended before a head can be read.
#[derive(Debug)]
enum Scar {
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
        let line = &text[start..end];
        let colon = lex::find_near(line, 0, b':').unwrap_or(0);
        let token = line[..colon].trim_ascii_end();
        let name = Name::of_bytes(token);
        if name == Name::Other && !lex::is_token(token) {
            return self.fault("header line without name and colon");
        }
        let value = lex::skip_space(line, colon + 1);
        let mut stop = line.len();
        while stop > value && lex::is_space(line[stop - 1]) {
            stop -= 1;
        }
        if self.seen & ONCE & bit(name) != 0 {
            self.fault(twice(name));
        }
        self.seen |= bit(name);
        self.firsts.note(name, self.lines.len());
        let (value, end) = (small(start + value), small(start + stop));
        self.lines.push(Line { name, start: small(start), value, end });
    }
}

/// An offset into a datagram.
fn small(at: usize) -> u16 {
    u16::try_from(at).expect("a datagram has fewer than 2^16 octets, as parse has checked")
}

fn scan(text: &[u8]) -> Result<Found, Scar> {
    let mut found = Found {
        start: 0,
        lines: Lines::new(),
        firsts: Firsts::none(),
        head: text.len(),
        body: text.len(),
        seen: 0,
        fault: None,
    };
    let mut from = 0;
    loop {
        let Some(end) = line_end(text, from, &mut found) else {
            if from == text.len() && found.start > 0 {
                return Err(Scar::Unended);
            }
            found.head = from;
            found.fault("head does not end");
            return Ok(found);
        };
        if end == from {
            (found.head, found.body) = (from, from + 2);
            return Ok(found);
        }
        if text.get(end + 2).copied().is_some_and(lex::is_space) {
            return Err(Scar::Folded);
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
        let at = lex::find_control(text, from)?;
        match text[at] {
            b'\r' if text.get(at + 1) == Some(&b'\n') => return Some(at),
            b'\r' | b'\n' => found.fault("bare CR or LF"),
            _ => {}
        }
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
fn judge(mut text: Bytes, found: Found) -> Result<Message, Malformed> {
    let Ok(head) = std::str::from_utf8(&text[..found.head]) else {
        return Err(Malformed::dropped("head is not UTF-8"));
    };
    let Some((start, fault)) = start_line(&head[..found.start]) else {
        return Err(Malformed::dropped("start line"));
    };
    let head: Box<str> = head.into();
    let view = Head { text: &head, lines: &found.lines, firsts: found.firsts };
    let mut verdict = fault.or(found.fault).map_or(Ok(()), Err);
    let mut length = text.len() - found.body;
    if verdict.is_ok() {
        verdict = view.body_length(length).map(|announced| length = announced);
    }
    let marks = view.marks(start);
    let (marks, verdict) = match (marks, verdict) {
        (Ok(marks), Ok(())) => (Some(marks), view.rules(start)),
        (Ok(marks), Err(fault)) => (Some(marks), Err(fault)),
        (Err(_), Err(fault)) | (Err(fault), Ok(())) => (None, Err(fault)),
    };
    let body = small(found.body);
    text.truncate(found.body + length);
    let index = Index { lines: found.lines, firsts: found.firsts, start, head, body, marks };
    sentence(Headers::new(text, index), verdict)
}

/// A message if there is no fault, and otherwise what is left to be done about it.
fn sentence(headers: Headers, verdict: Result<(), Fault>) -> Result<Message, Malformed> {
    let refuse =
        |Fault { why, line, status }: Fault, request| Err(Malformed { why, line, status, request });
    match (headers.index().start, verdict) {
        (Start::Request { .. }, Ok(())) => Ok(Message::Request(Request::new(headers))),
        (Start::Response { .. }, Ok(())) => Ok(Message::Response(Response::new(headers))),
        (Start::Response { .. }, Err(fault)) => refuse(fault, None),
        (Start::Request { method, .. }, Err(fault)) => {
            let has = |name| headers.first(name).is_some_and(|value| !value.is_empty());
            let answerable = method != Method::Ack && has(Name::Via) && has(Name::CSeq);
            refuse(fault, answerable.then(|| Request::new(headers)))
        }
    }
}

/// Reads the start line, and what is wrong with it; `None` if it is not even of the form of one.
fn start_line(line: &str) -> Option<(Start, Option<Fault>)> {
    let is_sip = |text: &str| text.get(..4).is_some_and(|word| word.eq_ignore_ascii_case("SIP/"));
    if is_sip(line) {
        return Some((status_line(line)?, None));
    }
    let token = memchr(b' ', line.as_bytes())?;
    let uri = memrchr(b' ', line.as_bytes()).filter(|&last| last > token)?;
    let version = &line[uri + 1..];
    let fault = |why, status| Some(Fault { why, line: Some(1), status });
    let fault = if version.eq_ignore_ascii_case("SIP/2.0") {
        if lex::is_token(&line.as_bytes()[..token]) {
            None
        } else {
            fault("method is no token", 400)
        }
    } else if is_sip(version) {
        fault("SIP version is not 2.0", 505)
    } else {
        fault("start line", 400)
    };
    let method = Method::of(&line[..token]);
    Some((Start::Request { method, token: small(token), uri: small(uri) }, fault))
}

fn status_line(line: &str) -> Option<Start> {
    let (version, rest) = line.split_at_checked(8)?;
    let (code, reason) = rest.split_at_checked(3)?;
    let status = u16::try_from(lex::number(code)?).ok()?;
    let well_formed = version.eq_ignore_ascii_case("SIP/2.0 ")
        && (100..700).contains(&status)
        && (reason.is_empty() || reason.starts_with(' '));
    let start = line.len() - reason.len().saturating_sub(1);
    well_formed.then(|| Start::Response { status, reason: small(start), end: small(line.len()) })
}

/// The head under judgement.
#[derive(Clone, Copy)]
struct Head<'a> {
    text: &'a str,
    lines: &'a [Line],
    firsts: Firsts,
}

impl<'a> Head<'a> {
    fn values(self, name: Name) -> impl Iterator<Item = &'a str> {
        let lines = self.firsts.from(self.lines, name).iter();
        let lines = lines.filter(move |line| line.name == name);
        lines.map(move |line| &self.text[line.value()])
    }

    fn required(self, name: Name) -> Result<&'a str, Fault> {
        let missing = || Fault { why: missing(name), line: None, status: 400 };
        self.values(name).next().ok_or_else(missing)
    }

    /// A fault in the first line of header `name`.
    fn fault(self, name: Name, why: &'static str) -> Fault {
        let at = self.lines.iter().position(|line| line.name == name);
        Fault { why, line: at.and_then(|at| u32::try_from(at + 2).ok()), status: 400 }
    }

    fn broken(self, name: Name) -> Fault {
        self.fault(name, broken(name))
    }

    /// Content-Length (RFC 3261 §18.3): how much of `available` is the body.
    fn body_length(self, available: usize) -> Result<usize, Fault> {
        let mut length = None;
        for value in self.values(Name::ContentLength) {
            let fault = |why| Err(self.fault(Name::ContentLength, why));
            length = match lex::saturating_number(value) {
                None => return fault("Content-Length: bad number"),
                Some(value) if length.is_some_and(|length| length != value) => {
                    return fault("Content-Length: conflicting values");
                }
                Some(value) if value as usize > available => {
                    return fault("Content-Length: larger than the datagram");
                }
                Some(value) => Some(value),
            };
        }
        Ok(length.map_or(available, |length| length as usize))
    }

    /// The headers every message must have (RFC 3261 §8.1.1), well-formed, and where their
    /// pieces are.
    fn marks(self, start: Start) -> Result<Marks, Fault> {
        let via_line = self.required(Name::Via)?;
        let from_line = self.required(Name::From)?;
        let to_line = self.required(Name::To)?;
        let call_id = self.required(Name::CallId)?;
        let cseq_line = self.required(Name::CSeq)?;

        let via = Via::top(via_line).ok_or_else(|| self.broken(Name::Via))?;
        let from = NameAddr::parse(from_line).ok_or_else(|| self.broken(Name::From))?;
        let to = NameAddr::parse(to_line).ok_or_else(|| self.broken(Name::To))?;
        if !header::is_call_id(call_id) {
            return Err(self.broken(Name::CallId));
        }
        let cseq = CSeq::parse(cseq_line).ok_or_else(|| self.broken(Name::CSeq))?;
        self.consistent(start, &via, &cseq)?;
        Ok(Marks {
            via: ViaMarks::of(via_line, &via),
            from: AddressMarks::of(from_line, &from),
            to: AddressMarks::of(to_line, &to),
            cseq: CSeqMarks::of(cseq_line, &cseq),
        })
    }

    /// A request's CSeq repeats its method, and its branch is more than the cookie, which alone
    /// identifies nothing (RFC 4475 §3.2.1).
    fn consistent(self, start: Start, via: &Via<'_>, cseq: &CSeq<'_>) -> Result<(), Fault> {
        let Start::Request { method, token, .. } = start else { return Ok(()) };
        if cseq.method != &self.text[..token.into()] {
            let status = if method == Method::Other { 501 } else { 400 };
            return Err(Fault { status, ..self.fault(Name::CSeq, "CSeq: another method") });
        }
        if via.branch == Some("z9hG4bK") {
            return Err(self.fault(Name::Via, "Via: empty branch"));
        }
        Ok(())
    }

    /// What else a request must obey before anybody acts on it.
    fn rules(self, start: Start) -> Result<(), Fault> {
        // Answers are routed by one Via after the other, so none may be empty (RFC 3261 §20.42).
        let gap = |line: &str| lex::elements(line, b',').any(str::is_empty);
        if self.values(Name::Via).any(gap) {
            return Err(self.broken(Name::Via));
        }
        let Start::Request { token, uri, .. } = start else { return Ok(()) };
        match Uri::parse(&self.text[usize::from(token) + 1..usize::from(uri)]) {
            // Headers have no place in a Request-URI (RFC 3261 §19.1.1); schemes are the hall's.
            Ok(uri) if uri.headers.is_empty() => {}
            Err(UriError::Scheme) => {}
            Ok(_) | Err(UriError::Syntax) => {
                return Err(Fault { why: "Request-URI: bad syntax", line: Some(1), status: 400 });
            }
        }
        if self.values(Name::MaxForwards).any(|value| lex::saturating_number(value).is_none()) {
            return Err(self.broken(Name::MaxForwards));
        }
        let contacts = self.values(Name::Contact).flat_map(|line| lex::elements(line, b','));
        match Contacts::read(contacts.filter(|element| !element.is_empty())) {
            Some(_) => Ok(()),
            None => Err(self.broken(Name::Contact)),
        }
    }
}

fn broken(name: Name) -> &'static str {
    match name {
        Name::Via => "Via: bad syntax",
        Name::From => "From: bad syntax",
        Name::To => "To: bad syntax",
        Name::CallId => "Call-ID: bad syntax",
        Name::CSeq => "CSeq: bad syntax",
        Name::MaxForwards => "Max-Forwards: bad number",
        Name::Contact => "Contact: bad syntax",
        _ => "header: bad syntax",
    }
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

#[cfg(test)]
mod tests;
