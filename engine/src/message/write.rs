//! Messages to bytes: lines appended to one buffer, finished as the exact wire form.
//!
//! Values are written as given, except that CR and LF become spaces: nothing a caller passes on
//! from a peer can start a header line of its own.

use super::{Method, Name, edit::exact, lex, reply::standard_reason};
use bytes::Bytes;
use std::fmt;
use std::net::IpAddr;

/// Most messages without a body fit.
const CAPACITY: usize = 768;

/// Writes one message. The order of calls is the order on the wire.
#[derive(Debug)]
pub struct Writer {
    text: Vec<u8>,
}

impl Writer {
    /// Starts a request.
    pub fn request(method: Method, uri: &str) -> Self {
        Self::request_text(method.as_str(), uri)
    }

    /// Starts a request whose method is only known by its token.
    pub fn request_text(method: &str, uri: &str) -> Self {
        let mut text = Vec::with_capacity(CAPACITY);
        push_value(&mut text, method);
        text.push(b' ');
        push_value(&mut text, uri);
        text.extend_from_slice(b" SIP/2.0\r\n");
        Self { text }
    }

    /// Starts a response with the standard reason phrase of `status`.
    pub fn response(status: u16) -> Self {
        Self::response_with(status, standard_reason(status))
    }

    /// Starts a response with a reason phrase (CR and LF in it become spaces).
    pub fn response_with(status: u16, reason: &str) -> Self {
        let mut text = Vec::with_capacity(CAPACITY);
        text.extend_from_slice(b"SIP/2.0 ");
        push_decimal(&mut text, u32::from(status));
        text.push(b' ');
        push_value(&mut text, reason);
        text.extend_from_slice(b"\r\n");
        Self { text }
    }

    /// Appends a header line; `value` must not contain CR or LF (they are replaced by spaces).
    pub fn header(&mut self, name: Name, value: &str) -> &mut Self {
        push_line(&mut self.text, name, value);
        self
    }

    /// Appends a header line we have no [`Name`] for.
    pub fn other(&mut self, name: &str, value: &str) -> &mut Self {
        let start = self.text.len();
        self.text.extend_from_slice(name.as_bytes());
        self.text.extend_from_slice(b": ");
        self.text.extend_from_slice(value.as_bytes());
        end_line(&mut self.text, start);
        self
    }

    /// Appends a header line with a decimal value, without going through `fmt`.
    pub fn number(&mut self, name: Name, value: u32) -> &mut Self {
        push_number_line(&mut self.text, name, value);
        self
    }

    /// Appends a header line from pieces, without an intermediate string.
    pub fn pieces(&mut self, name: Name, pieces: &[&str]) -> &mut Self {
        let start = begin_line(&mut self.text, name);
        for piece in pieces {
            self.text.extend_from_slice(piece.as_bytes());
        }
        end_line(&mut self.text, start);
        self
    }

    /// Appends a header line from a format string.
    pub fn format(&mut self, name: Name, value: fmt::Arguments<'_>) -> &mut Self {
        let start = begin_line(&mut self.text, name);
        push_format(&mut self.text, value);
        end_line(&mut self.text, start);
        self
    }

    /// The text so far, for those who write lines themselves.
    pub(crate) fn text(&mut self) -> &mut Vec<u8> {
        &mut self.text
    }

    /// Appends Content-Length: 0 and ends the message.
    pub fn finish(mut self) -> Bytes {
        self.text.extend_from_slice(b"Content-Length: 0\r\n\r\n");
        exact(self.text)
    }

    /// Appends Content-Type, Content-Length and the body, and ends the message.
    pub fn finish_with(mut self, content_type: &str, body: &[u8]) -> Bytes {
        self.text.reserve(body.len() + content_type.len() + 64);
        push_line(&mut self.text, Name::ContentType, content_type);
        let length = u32::try_from(body.len()).expect("a body is smaller than a datagram");
        push_number_line(&mut self.text, Name::ContentLength, length);
        self.text.extend_from_slice(b"\r\n");
        self.text.extend_from_slice(body);
        exact(self.text)
    }
}

pub(crate) fn push_line(text: &mut Vec<u8>, name: Name, value: &str) {
    copy_line(text, name, value.as_bytes());
}

/// Appends a line whose value comes from the head of another message.
pub(crate) fn copy_line(text: &mut Vec<u8>, name: Name, value: &[u8]) {
    let start = begin_line(text, name);
    text.extend_from_slice(value);
    end_line(text, start);
}

pub(crate) fn push_number_line(text: &mut Vec<u8>, name: Name, value: u32) {
    begin_line(text, name);
    push_decimal(text, value);
    text.extend_from_slice(b"\r\n");
}

/// Appends the name; returns where the value starts.
pub(crate) fn begin_line(text: &mut Vec<u8>, name: Name) -> usize {
    text.extend_from_slice(name.as_str().as_bytes());
    text.extend_from_slice(b": ");
    text.len()
}

/// Ends the line whose value starts at `start`: it has no other line ends.
pub(crate) fn end_line(text: &mut Vec<u8>, start: usize) {
    without_line_ends(&mut text[start..]);
    text.extend_from_slice(b"\r\n");
}

/// Appends `value` with spaces for CR and LF.
pub(crate) fn push_value(text: &mut Vec<u8>, value: &str) {
    let start = text.len();
    text.extend_from_slice(value.as_bytes());
    without_line_ends(&mut text[start..]);
}

fn without_line_ends(text: &mut [u8]) {
    let mut from = 0;
    while let Some(at) = lex::find_control(text, from) {
        if matches!(text[at], b'\r' | b'\n') {
            text[at] = b' ';
        }
        from = at + 1;
    }
}

fn push_format(text: &mut Vec<u8>, value: fmt::Arguments<'_>) {
    // Writing to a vector cannot fail; a `Display` that does has nothing more to say.
    let _ = std::io::Write::write_fmt(text, value);
}

/// Appends an address as `received` has it: IPv6 without brackets (RFC 5118 §4.5).
pub(crate) fn push_address(text: &mut Vec<u8>, address: IpAddr) {
    match address {
        IpAddr::V4(address) => {
            for (at, octet) in address.octets().into_iter().enumerate() {
                if at > 0 {
                    text.push(b'.');
                }
                push_decimal(text, u32::from(octet));
            }
        }
        IpAddr::V6(address) => push_format(text, format_args!("{address}")),
    }
}

pub(crate) fn push_decimal(text: &mut Vec<u8>, value: u32) {
    text.extend_from_slice(Decimal::of(value).as_str().as_bytes());
}

/// A number in decimal digits, without going through `fmt`.
pub(crate) struct Decimal {
    digits: [u8; 10],
    start: usize,
}

impl Decimal {
    pub(crate) fn of(mut value: u32) -> Self {
        let mut digits = [0; 10];
        let mut start = digits.len();
        loop {
            start -= 1;
            digits[start] = b'0' + (value % 10) as u8;
            value /= 10;
            if value == 0 {
                return Self { digits, start };
            }
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        let digits = &self.digits[self.start..];
        std::str::from_utf8(digits).expect("invariant: decimal digits are ASCII")
    }
}

#[cfg(test)]
mod tests;
