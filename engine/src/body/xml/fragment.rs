//! Foreign elements kept whole: captured as a fragment that declares every namespace it uses, so
//! it can be written at any place of any document.
//!
//! The form is that of Exclusive XML Canonicalization §3 (declarations where they are first used,
//! sorted; attributes sorted; comments dropped) except that an element without content is written
//! `<a/>`, and that the outermost element states its namespace even if it has none. Equal
//! elements therefore give equal fragments. Prefixes that occur only inside text or attribute
//! values are not declared.

use super::write::{push_attribute_value, push_text};
use super::{Attribute, Name, Node, Reader, XML_NAMESPACE, XmlError, XmlLimits};

/// What a fragment is about: namespace, local name and `id` of its outermost element. `None` if it
/// has no `id`, or is no fragment.
pub(crate) fn identity(fragment: &str) -> Option<(Box<str>, Box<str>, Box<str>)> {
    let limits = XmlLimits { size: usize::MAX, ..XmlLimits::default() };
    let (reader, name) = Reader::open(fragment.as_bytes(), limits).ok()?;
    let id = reader.attribute("id")?.into();
    Some((name.namespace.into(), name.local.into(), id))
}

impl<'a> Reader<'a> {
    /// Captures the element just opened, `name`, leaving out what belongs to namespace `without`.
    pub(crate) fn fragment(&mut self, name: Name<'a>, without: &str) -> Result<Box<str>, XmlError> {
        let mut canonical = Canonical::default();
        canonical.start(name, &mut self.attributes);
        while !canonical.open.is_empty() {
            match self.next()? {
                Node::Start(name) if name.namespace == without => self.skip()?,
                Node::Start(name) => canonical.start(name, &mut self.attributes),
                Node::Text(text) => canonical.text(&text),
                Node::End => canonical.end(),
            }
            // Declarations repeated in every fragment could make a small document a large one.
            if self.captured + canonical.out.len() > self.limits.size {
                return Err(self.error("foreign elements are too large"));
            }
        }
        self.captured += canonical.out.len();
        Ok(canonical.out.into())
    }
}

#[derive(Default)]
struct Canonical<'a> {
    out: String,
    open: Vec<Name<'a>>,
    /// Declarations written so far: how deep, and what.
    declared: Vec<(usize, Name<'a>)>,
    /// The last start tag still lacks its `>`.
    unfinished: bool,
}

impl<'a> Canonical<'a> {
    fn start(&mut self, name: Name<'a>, attributes: &mut [Attribute<'a>]) {
        self.finish_tag();
        attributes.sort_by(|a, b| (&a.namespace, a.local).cmp(&(&b.namespace, b.local)));
        self.out.push('<');
        self.push_name(name.prefix, name.local);
        self.open.push(name.clone());
        let mut needed = vec![name];
        for one in attributes.iter().filter(|one| !one.prefix.is_empty()) {
            let (namespace, prefix) = (one.namespace.clone(), one.prefix);
            needed.push(Name { namespace, local: "", prefix });
        }
        needed.sort_by(|a, b| a.prefix.cmp(b.prefix));
        for binding in needed {
            self.declare(binding);
        }
        for one in attributes.iter() {
            self.out.push(' ');
            self.push_name(one.prefix, one.local);
            self.push_value(&one.value);
        }
        self.unfinished = true;
    }

    fn text(&mut self, text: &str) {
        if !text.is_empty() {
            self.finish_tag();
            push_text(&mut self.out, text);
        }
    }

    fn end(&mut self) {
        let Some(name) = self.open.pop() else { return };
        if std::mem::take(&mut self.unfinished) {
            self.out.push_str("/>");
        } else {
            self.out.push_str("</");
            self.push_name(name.prefix, name.local);
            self.out.push('>');
        }
        self.declared.retain(|(depth, _)| *depth <= self.open.len());
    }

    fn finish_tag(&mut self) {
        if std::mem::take(&mut self.unfinished) {
            self.out.push('>');
        }
    }

    /// Declares what the prefix means, unless an enclosing tag of this fragment said the same.
    fn declare(&mut self, binding: Name<'a>) {
        let known = self.declared.iter().rev().find(|(_, one)| one.prefix == binding.prefix);
        let known = known.is_some_and(|(_, one)| one.namespace == binding.namespace);
        if known || binding.namespace == XML_NAMESPACE {
            return;
        }
        self.out.push_str(" xmlns");
        if !binding.prefix.is_empty() {
            self.out.push(':');
            self.out.push_str(binding.prefix);
        }
        self.push_value(&binding.namespace);
        self.declared.push((self.open.len(), binding));
    }

    fn push_name(&mut self, prefix: &str, local: &str) {
        if !prefix.is_empty() {
            self.out.push_str(prefix);
            self.out.push(':');
        }
        self.out.push_str(local);
    }

    fn push_value(&mut self, value: &str) {
        self.out.push_str("=\"");
        push_attribute_value(&mut self.out, value);
        self.out.push('"');
    }
}
