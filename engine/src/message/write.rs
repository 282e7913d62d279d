//! Messages to bytes: lines appended to one buffer, finished as the exact wire form.

use super::{Method, Name};
use bytes::Bytes;
use std::fmt;

/// Writes one message. The order of calls is the order on the wire.
#[derive(Debug)]
pub struct Writer {
    text: Vec<u8>,
}

impl Writer {
    /// Starts a request.
    pub fn request(method: Method, uri: &str) -> Self {
        let _ = (method, uri);
        todo!()
    }

    /// Starts a request whose method is only known by its token.
    pub fn request_text(method: &str, uri: &str) -> Self {
        let _ = (method, uri);
        todo!()
    }

    /// Starts a response with the standard reason phrase of `status`.
    pub fn response(status: u16) -> Self {
        let _ = status;
        todo!()
    }

    /// Starts a response with a reason phrase (CR and LF in it are dropped).
    pub fn response_with(status: u16, reason: &str) -> Self {
        let _ = (status, reason);
        todo!()
    }

    /// Appends a header line; `value` must not contain CR or LF (they are replaced by spaces).
    pub fn header(&mut self, name: Name, value: &str) -> &mut Self {
        let _ = (name, value);
        todo!()
    }

    /// Appends a header line we have no [`Name`] for.
    pub fn other(&mut self, name: &str, value: &str) -> &mut Self {
        let _ = (name, value);
        todo!()
    }

    /// Appends a header line with a decimal value, without going through `fmt`.
    pub fn number(&mut self, name: Name, value: u32) -> &mut Self {
        let _ = (name, value);
        todo!()
    }

    /// Appends a header line from pieces, without an intermediate string.
    pub fn pieces(&mut self, name: Name, pieces: &[&str]) -> &mut Self {
        let _ = (name, pieces);
        todo!()
    }

    /// Appends a header line from a format string.
    pub fn format(&mut self, name: Name, value: fmt::Arguments<'_>) -> &mut Self {
        let _ = (name, value);
        todo!()
    }

    /// Appends Content-Length: 0 and ends the message.
    pub fn finish(self) -> Bytes {
        todo!()
    }

    /// Appends Content-Type, Content-Length and the body, and ends the message.
    pub fn finish_with(self, content_type: &str, body: &[u8]) -> Bytes {
        let _ = (content_type, body);
        todo!()
    }
}
