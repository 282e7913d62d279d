//! Bytes to messages: one pass that indexes every header line (RFC 3261 §7, §25).

use super::{
    CSeq, Contacts, Event, HeaderError, MediaType, Method, Name, NameAddr, SubscriptionState, Via,
};
use bytes::Bytes;
use std::ops::Deref;

/// A datagram that is no usable message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Malformed {
    /// What is wrong and where, for logs and the 400's reason phrase: `"CSeq: bad number"`.
    pub why: &'static str,
    /// 1-based line of the fault, if it lies in the head.
    pub line: Option<u32>,
    /// Status an answer should have (400, or 505 for another SIP version); meaningless without `request`.
    pub status: u16,
    /// The request, when Via, From, To, Call-ID and CSeq are readable enough to answer it.
    pub request: Option<Request>,
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
    pub fn parse(bytes: Bytes) -> Result<Self, Malformed> {
        let _ = bytes;
        todo!()
    }

    /// The head and body, whichever kind it is.
    pub fn headers(&self) -> &Headers {
        match self {
            Self::Request(request) => request,
            Self::Response(response) => response,
        }
    }
}

/// Head and body of a message: the text and the index over it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Headers {
    text: Bytes,
}

impl Headers {
    /// The whole message as it goes over the wire.
    pub fn bytes(&self) -> &Bytes {
        &self.text
    }

    /// The body; empty if none. Shares the buffer.
    pub fn body(&self) -> Bytes {
        todo!()
    }

    /// The first value line of header `name`, trimmed.
    pub fn first(&self, name: Name) -> Option<&str> {
        let _ = name;
        todo!()
    }

    /// Every line of header `name`, in order, trimmed.
    pub fn lines(&self, name: Name) -> impl Iterator<Item = &str> {
        let _ = name;
        std::iter::empty()
    }

    /// Every element of a comma-separated header over all its lines (commas in quotes and angle
    /// brackets do not count), trimmed, empty elements skipped.
    pub fn list(&self, name: Name) -> impl Iterator<Item = &str> {
        let _ = name;
        std::iter::empty()
    }

    /// The first value of a header we have no [`Name`] for (case-insensitive).
    pub fn other(&self, name: &str) -> Option<&str> {
        let _ = name;
        todo!()
    }

    /// Name as written and value of every header line, in order.
    pub fn iter(&self) -> impl Iterator<Item = (Name, &str, &str)> {
        std::iter::empty()
    }

    /// The topmost Via.
    pub fn via(&self) -> Result<Via<'_>, HeaderError> {
        todo!()
    }

    /// Every Via value, topmost first.
    pub fn vias(&self) -> impl Iterator<Item = Result<Via<'_>, HeaderError>> {
        std::iter::empty()
    }

    /// From.
    pub fn from(&self) -> Result<NameAddr<'_>, HeaderError> {
        todo!()
    }

    /// To.
    pub fn to(&self) -> Result<NameAddr<'_>, HeaderError> {
        todo!()
    }

    /// Call-ID.
    pub fn call_id(&self) -> Result<&str, HeaderError> {
        todo!()
    }

    /// CSeq.
    pub fn cseq(&self) -> Result<CSeq<'_>, HeaderError> {
        todo!()
    }

    /// Contact.
    pub fn contacts(&self) -> Result<Contacts<'_>, HeaderError> {
        todo!()
    }

    /// Delta-seconds of a header such as Expires, Min-Expires, Max-Forwards or Retry-After;
    /// `None` if absent or unreadable, saturated at `u32::MAX` (RFC 3261 §20.19).
    pub fn seconds(&self, name: Name) -> Option<u32> {
        let _ = name;
        todo!()
    }

    /// Event.
    pub fn event(&self) -> Option<Event<'_>> {
        todo!()
    }

    /// Subscription-State.
    pub fn subscription_state(&self) -> Option<SubscriptionState<'_>> {
        todo!()
    }

    /// Content-Type.
    pub fn content_type(&self) -> Option<MediaType<'_>> {
        todo!()
    }
}

/// A request.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Request {
    headers: Headers,
}

impl Request {
    /// The method.
    pub fn method(&self) -> Method {
        todo!()
    }

    /// The method token as written.
    pub fn method_text(&self) -> &str {
        todo!()
    }

    /// The Request-URI as written.
    pub fn uri(&self) -> &str {
        todo!()
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
    /// The status code, 100–699.
    pub fn status(&self) -> u16 {
        todo!()
    }

    /// The reason phrase, possibly empty.
    pub fn reason(&self) -> &str {
        todo!()
    }
}

impl Deref for Response {
    type Target = Headers;
    fn deref(&self) -> &Headers {
        &self.headers
    }
}
