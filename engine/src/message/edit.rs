//! A received message on its way through: the few changes a proxy makes (RFC 3261 §16.6, §16.7).
//!
//! One pass over the original into one new buffer. What is not named stays byte for byte, in its
//! order: unknown headers, credentials for other realms, the spelling of names.

use super::headers::Line;
use super::reply::Marked;
use super::{Headers, Name, Request, lex, write};
use bytes::Bytes;
use smallvec::SmallVec;
use std::net::SocketAddr;

/// An edited copy of a request. Verbs collect, [`Edit::finish`] writes.
#[derive(Debug)]
#[must_use]
pub struct Edit<'a> {
    request: &'a Request,
    uri: Option<&'a str>,
    via: Option<&'a str>,
    source: Option<SocketAddr>,
    max_forwards: Option<u32>,
    pushed: SmallVec<[(Name, &'a str); 4]>,
    removed: SmallVec<[Name; 4]>,
    drop_route: bool,
}

impl<'a> Edit<'a> {
    pub(crate) fn new(request: &'a Request) -> Self {
        Self {
            request,
            uri: None,
            via: None,
            source: None,
            max_forwards: None,
            pushed: SmallVec::new(),
            removed: SmallVec::new(),
            drop_route: false,
        }
    }

    /// Replaces the Request-URI.
    pub fn uri(mut self, uri: &'a str) -> Self {
        self.uri = Some(uri);
        self
    }

    /// Puts a Via value on top.
    pub fn push_via(mut self, via: &'a str) -> Self {
        self.via = Some(via);
        self
    }

    /// Notes in the topmost received Via where the request came from (RFC 3261 §18.2.1, RFC 3581
    /// §4), so that the answers tell its sender.
    pub fn received_from(mut self, source: SocketAddr) -> Self {
        self.source = Some(source);
        self
    }

    /// Sets Max-Forwards, in place or, where there was none, after the topmost Vias.
    pub fn max_forwards(mut self, hops: u32) -> Self {
        self.max_forwards = Some(hops);
        self
    }

    /// Adds a header line before every other line but the topmost Vias, so that a Record-Route or
    /// Path comes on top of those already there. Several come out in the order of the calls.
    pub fn push_header(mut self, name: Name, value: &'a str) -> Self {
        self.pushed.push((name, value));
        self
    }

    /// Leaves out every received line of header `name`; pushed ones stay.
    pub fn remove(mut self, name: Name) -> Self {
        self.removed.push(name);
        self
    }

    /// Leaves out the first Route value (RFC 3261 §16.4).
    pub fn drop_first_route(mut self) -> Self {
        self.drop_route = true;
        self
    }

    /// The wire form.
    pub fn finish(self) -> Bytes {
        let source = self.request;
        let text = source.bytes();
        let uri = source.uri_range();
        let lines = &source.index().lines;
        let head = source.index().head.len();
        let mut out = Vec::with_capacity(text.len() + self.growth());

        out.extend_from_slice(&text[..uri.start]);
        write::push_value(&mut out, self.uri.unwrap_or(source.uri()));
        out.extend_from_slice(&text[uri.end..first_line(source)]);
        if let Some(via) = self.via {
            write::push_line(&mut out, Name::Via, via);
        }
        let vias = lines.iter().take_while(|line| line.name == Name::Via).count();
        let marked = vias > 0 && self.push_marked_via(&mut out);
        let rest = end_of(lines, usize::from(marked), head)..end_of(lines, vias, head);
        out.extend_from_slice(&text[rest]);
        for (name, value) in &self.pushed {
            write::push_line(&mut out, *name, value);
        }
        if !lines.iter().any(|line| line.name == Name::MaxForwards) {
            self.push_max_forwards(&mut out);
        }
        self.push_rest(&mut out, vias, head);
        out.extend_from_slice(&text[head..]);
        exact(out)
    }

    /// The topmost received Via line with its source, if that has to be noted.
    fn push_marked_via(&self, out: &mut Vec<u8>) -> bool {
        let marked = self.source.and_then(|source| Marked::of(self.request, source));
        if let Some(marked) = &marked {
            marked.push(out);
        }
        marked.is_some()
    }

    fn growth(&self) -> usize {
        let pushed: usize = self.pushed.iter().map(|(_, value)| value.len() + 24).sum();
        let fixed = self.uri.map_or(0, str::len) + self.via.map_or(0, str::len);
        pushed + fixed + 96
    }

    fn push_max_forwards(&self, out: &mut Vec<u8>) {
        if let Some(hops) = self.max_forwards {
            write::push_number_line(out, Name::MaxForwards, hops);
        }
    }

    /// Every line after the topmost Vias.
    fn push_rest(&self, out: &mut Vec<u8>, from: usize, head: usize) {
        let text = self.request.bytes();
        let lines = &self.request.index().lines;
        let mut drop_route = self.drop_route;
        let top_via = lines.iter().position(|line| line.name == Name::Via);
        for (at, line) in lines.iter().enumerate().skip(from) {
            if self.removed.contains(&line.name) {
                continue;
            }
            if Some(at) == top_via && self.push_marked_via(out) {
                continue;
            }
            if line.name == Name::MaxForwards && self.max_forwards.is_some() {
                self.push_max_forwards(out);
            } else if line.name == Name::Route && drop_route {
                drop_route = false;
                push_without_first(out, self.request, *line, end_of(lines, at + 1, head));
            } else {
                out.extend_from_slice(&text[line.start.into()..end_of(lines, at + 1, head)]);
            }
        }
    }
}

/// A copy of a message without the first value of header `name`.
pub(crate) fn without_top(message: &Headers, name: Name) -> Bytes {
    let text = message.bytes();
    let lines = &message.index().lines;
    let head = message.index().head.len();
    let Some(at) = lines.iter().position(|line| line.name == name) else { return text.clone() };
    let end = end_of(lines, at + 1, head);
    let mut out = Vec::with_capacity(text.len());
    out.extend_from_slice(&text[..lines[at].start.into()]);
    push_without_first(&mut out, message, lines[at], end);
    out.extend_from_slice(&text[end..]);
    exact(out)
}

/// One line that ends at `end`, without its first value; nothing if it had only one.
fn push_without_first(out: &mut Vec<u8>, message: &Headers, line: Line, end: usize) {
    let text = message.bytes();
    let value = message.text(line.value());
    let (_, rest) = lex::split_bare(value, b',');
    let rest = rest.map_or("", lex::trim_start);
    if !rest.is_empty() {
        out.extend_from_slice(&text[line.start.into()..line.value.into()]);
        out.extend_from_slice(rest.as_bytes());
        out.extend_from_slice(&text[line.end.into()..end]);
    }
}

/// Where line number `count` starts, or the head ends.
fn end_of(lines: &[Line], count: usize, head: usize) -> usize {
    lines.get(count).map_or(head, |line| line.start.into())
}

/// Where the first header line starts.
fn first_line(message: &Headers) -> usize {
    end_of(&message.index().lines, 0, message.index().head.len())
}

/// The buffer as `Bytes` that keep no unused capacity alive.
pub(crate) fn exact(text: Vec<u8>) -> Bytes {
    Bytes::from(text.into_boxed_slice())
}

#[cfg(test)]
mod tests;
