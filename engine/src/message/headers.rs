//! Head and body of a message, request and response: the text and the index over it.
//!
//! Everything here reads. What is well-formed was decided in `parse`; a message handed out with
//! [`super::Malformed`] may lack or garble any header, and says so when asked.

use super::marks::{AddressMarks, Marks};
use super::{
    CSeq, Contacts, Edit, Event, HeaderError, MediaType, Method, Name, NameAddr, SubscriptionState,
    Via, header, lex, name,
};
use bytes::Bytes;
use std::hash::{Hash, Hasher};
use std::ops::{Deref, Range};
use std::sync::Arc;

/// One header line: 8 bytes, offsets into the text (a datagram has fewer than 2¹⁶ octets).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line {
    pub(crate) name: Name,
    /// Where the name starts.
    pub(crate) start: u16,
    /// Where the trimmed value starts …
    pub(crate) value: u16,
    /// … and ends.
    pub(crate) end: u16,
}

impl Line {
    pub(crate) fn value(self) -> Range<usize> {
        usize::from(self.value)..usize::from(self.end)
    }
}

/// Lines in order; most messages have fewer than these.
pub(crate) type Lines = smallvec::SmallVec<[Line; 20]>;

/// The number of the first line of each name that is asked for in every message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Firsts([u16; Name::KEYS]);

impl Firsts {
    const NONE: u16 = u16::MAX;

    pub(crate) const fn none() -> Self {
        Self([Self::NONE; Name::KEYS])
    }

    /// Notes line number `at`, unless an earlier one of this name is noted.
    pub(crate) fn note(&mut self, name: Name, at: usize) {
        if let Some(first) = self.0.get_mut(name as usize) {
            *first = (*first).min(u16::try_from(at).unwrap_or(Self::NONE));
        }
    }

    /// The first line of `name` and those after it.
    pub(crate) fn from(self, lines: &[Line], name: Name) -> &[Line] {
        match self.0.get(name as usize) {
            Some(&Self::NONE) => &[],
            Some(&first) => &lines[usize::from(first)..],
            None => lines,
        }
    }
}

/// The index: where everything is.
#[derive(Clone, Debug)]
pub(crate) struct Index {
    pub(crate) lines: Lines,
    pub(crate) firsts: Firsts,
    /// Request-URI, or status code and reason.
    pub(crate) start: Start,
    /// The text up to the end of the last header line, once more: pieces of a `str` need not be
    /// checked again whenever somebody asks for one.
    pub(crate) head: Box<str>,
    /// Start of the body.
    pub(crate) body: u16,
    /// Only if all mandatory headers are well-formed.
    pub(crate) marks: Option<Marks>,
}

/// The start line.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Start {
    /// `method uri SIP/2.0`: the method, where its token ends, where the URI ends.
    Request { method: Method, token: u16, uri: u16 },
    /// `SIP/2.0 status reason`: the code, where the reason starts and ends.
    Response { status: u16, reason: u16, end: u16 },
}

/// Head and body of a message: the text and the index over it.
#[derive(Clone, Debug)]
pub struct Headers {
    text: Bytes,
    index: Arc<Index>,
}

/// The index follows from the text, so the text decides.
impl PartialEq for Headers {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Headers {}

impl Hash for Headers {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl Headers {
    pub(crate) fn new(text: Bytes, index: Index) -> Self {
        Self { text, index: Arc::new(index) }
    }

    /// The whole message as it goes over the wire.
    pub fn bytes(&self) -> &Bytes {
        &self.text
    }

    /// The body; empty if none. Shares the buffer.
    pub fn body(&self) -> Bytes {
        self.text.slice(usize::from(self.index.body)..)
    }

    pub(crate) fn index(&self) -> &Index {
        &self.index
    }

    /// A piece of the head.
    pub(crate) fn text(&self, range: Range<usize>) -> &str {
        &self.index.head[range]
    }

    fn value(&self, line: &Line) -> &str {
        self.text(line.value())
    }

    /// The octets of every value line of header `name`, for those who only copy them.
    pub(crate) fn octets(&self, name: Name) -> impl Iterator<Item = &[u8]> {
        let lines = self.beginning_with(name).iter().filter(move |line| line.name == name);
        lines.map(|line| &self.text[line.value()])
    }

    /// The name of a line as written.
    fn token(&self, line: &Line) -> &str {
        let start = usize::from(line.start);
        self.text(start..lex::span(&self.text, start, lex::TOKEN))
    }

    fn beginning_with(&self, name: Name) -> &[Line] {
        self.index.firsts.from(&self.index.lines, name)
    }

    fn line(&self, name: Name) -> Option<&Line> {
        self.beginning_with(name).iter().find(|line| line.name == name)
    }

    /// The first value line of header `name`, trimmed.
    pub fn first(&self, name: Name) -> Option<&str> {
        self.line(name).map(|line| self.value(line))
    }

    /// Every line of header `name`, in order, trimmed.
    pub fn lines(&self, name: Name) -> impl Iterator<Item = &str> {
        let lines = self.beginning_with(name).iter().filter(move |line| line.name == name);
        lines.map(|line| self.value(line))
    }

    /// Every element of a comma-separated header over all its lines (commas in quotes and angle
    /// brackets do not count), trimmed, empty elements skipped.
    pub fn list(&self, name: Name) -> impl Iterator<Item = &str> {
        let elements = self.lines(name).flat_map(|line| lex::elements(line, b','));
        elements.filter(|element| !element.is_empty())
    }

    /// The first value of a header we have no [`Name`] for (case-insensitive; asking for the long
    /// form finds the compact one).
    pub fn other(&self, name: &str) -> Option<&str> {
        let known = Name::of(name);
        let mut lines = self.beginning_with(known).iter().filter(|line| line.name == known);
        let means = |line: &&Line| known != Name::Other || name::means(self.token(line), name);
        lines.find(means).map(|line| self.value(line))
    }

    /// Name, name as written and value of every header line, in order.
    pub fn iter(&self) -> impl Iterator<Item = (Name, &str, &str)> {
        self.index.lines.iter().map(|line| (line.name, self.token(line), self.value(line)))
    }

    /// The first value line of a header that must be there.
    fn required(&self, name: Name) -> Result<&str, HeaderError> {
        self.first(name).ok_or(HeaderError::missing(name))
    }

    /// The topmost Via.
    pub fn via(&self) -> Result<Via<'_>, HeaderError> {
        let line = self.required(Name::Via)?;
        match &self.index.marks {
            Some(marks) => Ok(marks.via.read(line)),
            None => Via::top(line).ok_or(HeaderError::syntax(Name::Via)),
        }
    }

    /// Every Via value, topmost first.
    pub fn vias(&self) -> impl Iterator<Item = Result<Via<'_>, HeaderError>> {
        self.list(Name::Via).map(|via| Via::parse(via).ok_or(HeaderError::syntax(Name::Via)))
    }

    /// From.
    pub fn from(&self) -> Result<NameAddr<'_>, HeaderError> {
        self.address(Name::From, |marks| &marks.from)
    }

    /// To.
    pub fn to(&self) -> Result<NameAddr<'_>, HeaderError> {
        self.address(Name::To, |marks| &marks.to)
    }

    fn address(
        &self,
        name: Name,
        marks: impl Fn(&Marks) -> &AddressMarks,
    ) -> Result<NameAddr<'_>, HeaderError> {
        let value = self.required(name)?;
        match &self.index.marks {
            Some(found) => Ok(marks(found).read(value)),
            None => NameAddr::parse(value).ok_or(HeaderError::syntax(name)),
        }
    }

    /// Call-ID.
    pub fn call_id(&self) -> Result<&str, HeaderError> {
        let value = self.required(Name::CallId)?;
        header::is_call_id(value).then_some(value).ok_or(HeaderError::syntax(Name::CallId))
    }

    /// CSeq.
    pub fn cseq(&self) -> Result<CSeq<'_>, HeaderError> {
        let value = self.required(Name::CSeq)?;
        match &self.index.marks {
            Some(marks) => Ok(marks.cseq.read(value)),
            None => CSeq::parse(value).ok_or(HeaderError::syntax(Name::CSeq)),
        }
    }

    /// Contact.
    pub fn contacts(&self) -> Result<Contacts<'_>, HeaderError> {
        Contacts::read(self.list(Name::Contact)).ok_or(HeaderError::syntax(Name::Contact))
    }

    /// Delta-seconds of a header such as Expires, Min-Expires, Max-Forwards or Retry-After;
    /// `None` if absent or unreadable, saturated at `u32::MAX` (RFC 3261 §20.19).
    pub fn seconds(&self, name: Name) -> Option<u32> {
        header::seconds(self.first(name)?)
    }

    /// Event, if there is exactly one (RFC 6665 §8.2.1).
    pub fn event(&self) -> Option<Event<'_>> {
        let mut lines = self.lines(Name::Event);
        let only = lines.next()?;
        lines.next().is_none().then(|| Event::parse(only))?
    }

    /// Subscription-State.
    pub fn subscription_state(&self) -> Option<SubscriptionState<'_>> {
        SubscriptionState::parse(self.first(Name::SubscriptionState)?)
    }

    /// Content-Type.
    pub fn content_type(&self) -> Option<MediaType<'_>> {
        MediaType::parse(self.first(Name::ContentType)?)
    }
}

/// A request.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Request {
    headers: Headers,
}

impl Request {
    pub(crate) fn new(headers: Headers) -> Self {
        Self { headers }
    }

    fn start(&self) -> (Method, usize, usize) {
        match self.headers.index.start {
            Start::Request { method, token, uri } => (method, token.into(), uri.into()),
            Start::Response { .. } => (Method::Other, 0, 0),
        }
    }

    /// The method.
    pub fn method(&self) -> Method {
        self.start().0
    }

    /// The method token as written.
    pub fn method_text(&self) -> &str {
        let (_, token, _) = self.start();
        self.text(0..token)
    }

    /// The Request-URI as written.
    pub fn uri(&self) -> &str {
        self.text(self.uri_range())
    }

    pub(crate) fn uri_range(&self) -> Range<usize> {
        let (_, token, uri) = self.start();
        token + 1..uri
    }

    /// A copy to be changed on the way, as a proxy does (RFC 3261 §16.6).
    pub fn edit(&self) -> Edit<'_> {
        Edit::new(self)
    }
}

impl Deref for Request {
    type Target = Headers;
    fn deref(&self) -> &Headers {
        &self.headers
    }
}

/// A response.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Response {
    headers: Headers,
}

impl Response {
    pub(crate) fn new(headers: Headers) -> Self {
        Self { headers }
    }

    fn start(&self) -> (u16, Range<usize>) {
        match self.headers.index.start {
            Start::Response { status, reason, end } => (status, reason.into()..end.into()),
            Start::Request { .. } => (0, 0..0),
        }
    }

    /// The status code, 100–699.
    pub fn status(&self) -> u16 {
        self.start().0
    }

    /// The reason phrase, possibly empty.
    pub fn reason(&self) -> &str {
        let (_, reason) = self.start();
        self.text(reason)
    }

    /// The wire form without the topmost Via value, everything else byte for byte: what a proxy
    /// sends upstream (RFC 3261 §16.7 step 9).
    pub fn pop_via(&self) -> Bytes {
        super::edit::without_top(self, Name::Via)
    }
}

impl Deref for Response {
    type Target = Headers;
    fn deref(&self) -> &Headers {
        &self.headers
    }
}
