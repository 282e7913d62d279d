//! The strict reader under all documents: quick-xml cuts the text into events, and this file lays
//! down the law that quick-xml leaves to its user.
//!
//! Read XML 1.0 §2 and "Namespaces in XML 1.0" first. Refused: document type declarations, every
//! entity but the five predefined ones, encodings other than UTF-8, characters XML forbids, a
//! second root, anything but white space, comments and processing instructions around the root,
//! unbound prefixes, and whatever exceeds [`XmlLimits`]. Nothing here recurses.

mod fragment;
mod scope;
mod text;
mod write;

#[cfg(test)]
mod tests;

pub(crate) use fragment::identity;
pub(crate) use write::Writer;

use quick_xml::events::Event;
use scope::{Scope, split_name};
use std::borrow::Cow;

/// The namespace bound to the prefix `xml` for ever.
pub(crate) const XML_NAMESPACE: &str = "http://www.w3.org/XML/1998/namespace";

/// Why a document was refused.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct XmlError {
    /// What is wrong.
    pub what: Box<str>,
    /// 1-based line.
    pub line: u32,
}

impl std::fmt::Display for XmlError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

impl std::error::Error for XmlError {}

impl XmlError {
    /// The fault `what` at byte `offset` of `text`.
    fn at(text: &[u8], offset: usize, what: impl Into<Box<str>>) -> Self {
        let before = &text[..offset.min(text.len())];
        let newlines = memchr::memchr_iter(b'\n', before).count();
        Self { what: what.into(), line: u32::try_from(newlines).unwrap_or(u32::MAX - 1) + 1 }
    }
}

/// Limits of a document.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct XmlLimits {
    /// Bytes.
    pub size: usize,
    /// Nesting.
    pub depth: usize,
    /// Elements and text nodes.
    pub nodes: usize,
    /// Attributes of one element.
    pub attributes: usize,
}

impl Default for XmlLimits {
    fn default() -> Self {
        Self { size: 65_536, depth: 16, nodes: 4096, attributes: 32 }
    }
}

/// The name of an element: resolved, and as it was written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Name<'a> {
    /// Namespace name, empty if the element is in none.
    pub(crate) namespace: Cow<'a, str>,
    /// Local name.
    pub(crate) local: &'a str,
    /// Prefix as written, empty if none.
    prefix: &'a str,
}

impl Name<'_> {
    /// Whether this is element `local` of `namespace`.
    pub(crate) fn is(&self, namespace: &str, local: &str) -> bool {
        self.local == local && self.namespace == namespace
    }
}

/// An attribute that is no namespace declaration, value decoded.
#[derive(Clone, Debug)]
struct Attribute<'a> {
    namespace: Cow<'a, str>,
    local: &'a str,
    prefix: &'a str,
    value: Cow<'a, str>,
}

/// What is met inside the root.
enum Node<'a> {
    Start(Name<'a>),
    Text(Cow<'a, str>),
    End,
}

/// A document being read. An element that [`Reader::child`] opened must be read to its end by
/// exactly one of `child` (until it returns `None`), `text`, `skip` and `fragment`.
pub(crate) struct Reader<'a> {
    source: quick_xml::Reader<&'a [u8]>,
    text: &'a str,
    limits: XmlLimits,
    scope: Scope<'a>,
    /// Attributes of the element opened last.
    attributes: Vec<Attribute<'a>>,
    /// The element opened last was `<empty/>`: its end is still owed.
    owes_end: bool,
    nodes: usize,
    /// Bytes captured as fragments so far.
    captured: usize,
    /// Where the event in hand begins.
    at: usize,
}

impl<'a> Reader<'a> {
    /// Opens the document `bytes` and its root element.
    pub(crate) fn open(bytes: &'a [u8], limits: XmlLimits) -> Result<(Self, Name<'a>), XmlError> {
        let text = text::admit(bytes, limits.size)?;
        let mut source = quick_xml::Reader::from_str(text);
        source.config_mut().check_comments = true;
        let mut reader = Self {
            source,
            text,
            limits,
            scope: Scope::default(),
            attributes: Vec::with_capacity(8),
            owes_end: false,
            nodes: 0,
            captured: 0,
            at: 0,
        };
        let root = reader.root()?;
        Ok((reader, root))
    }

    /// The next child element of the element being read; `None` once that has ended. Text between
    /// children is passed over.
    pub(crate) fn child(&mut self) -> Result<Option<Name<'a>>, XmlError> {
        loop {
            match self.next()? {
                Node::Start(name) => return Ok(Some(name)),
                Node::Text(_) => {}
                Node::End => return Ok(None),
            }
        }
    }

    /// The text of the element just opened; elements inside it are ignored.
    pub(crate) fn text(&mut self) -> Result<Cow<'a, str>, XmlError> {
        let mut whole = Cow::Borrowed("");
        loop {
            match self.next()? {
                Node::Text(piece) if whole.is_empty() => whole = piece,
                Node::Text(piece) => whole.to_mut().push_str(&piece),
                Node::Start(_) => self.skip()?,
                Node::End => return Ok(whole),
            }
        }
    }

    /// The text of the element just opened without white space around it.
    pub(crate) fn token(&mut self) -> Result<Cow<'a, str>, XmlError> {
        Ok(match self.text()? {
            Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
            Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
        })
    }

    /// Passes over the rest of the element just opened.
    pub(crate) fn skip(&mut self) -> Result<(), XmlError> {
        let mut open = 1;
        while open > 0 {
            match self.next()? {
                Node::Start(_) => open += 1,
                Node::Text(_) => {}
                Node::End => open -= 1,
            }
        }
        Ok(())
    }

    /// The unprefixed attribute `local` of the element just opened.
    pub(crate) fn attribute(&self, local: &str) -> Option<&str> {
        let mut all = self.attributes.iter();
        all.find(|one| one.prefix.is_empty() && one.local == local).map(|one| &*one.value)
    }

    /// The attribute `local` in `namespace` of the element just opened.
    pub(crate) fn attribute_in(&self, namespace: &str, local: &str) -> Option<&str> {
        let mut all = self.attributes.iter();
        all.find(|one| one.local == local && one.namespace == namespace).map(|one| &*one.value)
    }

    /// The unprefixed attribute `local` of the element just opened, which must have it.
    pub(crate) fn required(&self, local: &str) -> Result<&str, XmlError> {
        match self.attribute(local).map(str::trim) {
            Some(value) if !value.is_empty() => Ok(value),
            _ => Err(self.error(["attribute ", local, " is missing or empty"].concat())),
        }
    }

    /// Checks that nothing of substance follows the root, which has been read to its end.
    pub(crate) fn finish(mut self) -> Result<(), XmlError> {
        loop {
            match self.event()? {
                Event::Eof => return Ok(()),
                event => self.expect_misc(&event)?,
            }
        }
    }

    /// The fault `what` at the element or text in hand.
    pub(crate) fn error(&self, what: impl Into<Box<str>>) -> XmlError {
        XmlError::at(self.text.as_bytes(), self.at, what)
    }

    fn root(&mut self) -> Result<Name<'a>, XmlError> {
        loop {
            match self.event()? {
                Event::Start(_) => return self.opened(false),
                Event::Empty(_) => return self.opened(true),
                Event::Decl(_) if self.at == 0 => {
                    text::check_declaration(self.raw()).map_err(|what| self.error(what))?
                }
                Event::Eof => return Err(self.error("no root element")),
                event => self.expect_misc(&event)?,
            }
        }
    }

    /// Comments, processing instructions and white space may stand around the root.
    fn expect_misc(&self, event: &Event<'a>) -> Result<(), XmlError> {
        match event {
            Event::Comment(_) | Event::PI(_) => Ok(()),
            Event::Text(text) if text.chars().all(text::is_white) => Ok(()),
            Event::Text(_) | Event::CData(_) | Event::GeneralRef(_) => {
                Err(self.error("text outside the root element"))
            }
            Event::Start(_) | Event::Empty(_) | Event::End(_) => {
                Err(self.error("more than one root element"))
            }
            Event::Decl(_) => Err(self.error("an XML declaration must be the very first thing")),
            Event::DocType(_) => Err(self.error("document type declarations are refused")),
            Event::Eof => Err(self.error("the document ends too early")),
        }
    }

    fn next(&mut self) -> Result<Node<'a>, XmlError> {
        if std::mem::take(&mut self.owes_end) {
            self.scope.leave();
            return Ok(Node::End);
        }
        loop {
            let piece = match self.event()? {
                Event::Start(_) => return self.opened(false).map(Node::Start),
                Event::Empty(_) => return self.opened(true).map(Node::Start),
                Event::End(_) => {
                    self.scope.leave();
                    return Ok(Node::End);
                }
                Event::Text(_) => text::character_data(self.raw()),
                Event::CData(_) => Ok(text::cdata(self.raw())),
                Event::GeneralRef(name) => text::reference(&name).map(|c| c.to_string().into()),
                Event::Comment(_) | Event::PI(_) => continue,
                Event::Decl(_) => Err("an XML declaration must be the very first thing"),
                Event::DocType(_) => Err("document type declarations are refused"),
                Event::Eof => Err("the root element is not closed"),
            };
            return piece.map(Node::Text).map_err(|what| self.error(what));
        }
    }

    /// The next event, counted.
    fn event(&mut self) -> Result<Event<'a>, XmlError> {
        self.at = self.position();
        let event = self.source.read_event().map_err(|fault| {
            let at = usize::try_from(self.source.error_position()).unwrap_or(usize::MAX);
            XmlError::at(self.text.as_bytes(), at, fault.to_string())
        })?;
        if let Event::PI(instruction) = &event {
            let target = instruction.target();
            if !scope::is_ncname(target) || target.eq_ignore_ascii_case("xml") {
                return Err(self.error("a processing instruction may not have this name"));
            }
        }
        // A reference takes at least four bytes, so the size limits these well enough.
        if !matches!(event, Event::GeneralRef(_)) {
            self.nodes += 1;
        }
        if self.nodes > self.limits.nodes {
            return Err(self.error("too many elements and texts"));
        }
        Ok(event)
    }

    fn position(&self) -> usize {
        usize::try_from(self.source.buffer_position()).unwrap_or(usize::MAX)
    }

    /// The event in hand as written, markup included.
    fn raw(&self) -> &'a str {
        self.text.get(self.at..self.position()).unwrap_or_default()
    }

    /// Takes in the start tag in hand: its attributes, its declarations, its name.
    fn opened(&mut self, empty: bool) -> Result<Name<'a>, XmlError> {
        self.scope.enter();
        if self.scope.depth() > self.limits.depth {
            return Err(self.error("elements nested too deeply"));
        }
        self.owes_end = empty;
        self.start_tag(if empty { "/>" } else { ">" }).map_err(|what| self.error(what))
    }

    fn start_tag(&mut self, close: &str) -> Result<Name<'a>, &'static str> {
        let tag = self.raw().strip_prefix('<').and_then(|tag| tag.strip_suffix(close));
        let tag = tag.ok_or("a start tag is malformed")?;
        let end = tag.find(text::is_white).unwrap_or(tag.len());
        let (name, mut rest) = tag.split_at(end);
        self.attributes.clear();
        let mut count = 0;
        while let Some((name, raw, after)) = text::attribute(rest)? {
            rest = after;
            count += 1;
            if count > self.limits.attributes {
                return Err("too many attributes");
            }
            let value = text::attribute_value(raw)?;
            let (prefix, local) = split_name(name)?;
            match (prefix, local) {
                ("", "xmlns") => self.scope.declare("", value)?,
                ("xmlns", prefix) => self.scope.declare(prefix, value)?,
                _ => {
                    let namespace = Cow::Borrowed("");
                    self.attributes.push(Attribute { namespace, local, prefix, value });
                }
            }
        }
        self.resolve_attributes()?;
        let (prefix, local) = split_name(name)?;
        Ok(Name { namespace: self.scope.resolve(prefix)?, local, prefix })
    }

    /// Resolves prefixes once all declarations of the tag are known, and refuses doublets.
    fn resolve_attributes(&mut self) -> Result<(), &'static str> {
        for at in 0..self.attributes.len() {
            let prefix = self.attributes[at].prefix;
            if !prefix.is_empty() {
                self.attributes[at].namespace = self.scope.resolve(prefix)?;
            }
            let (earlier, this) = self.attributes.split_at(at);
            let same = |one: &Attribute<'_>| {
                one.local == this[0].local && one.namespace == this[0].namespace
            };
            if earlier.iter().any(same) {
                return Err("an attribute is given twice");
            }
        }
        Ok(())
    }
}
